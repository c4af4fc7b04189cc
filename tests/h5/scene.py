"""A county in the middle of its day: one of everything staff may open, with the ids they open it by."""

from datetime import date, timedelta

import asyncpg
import msgspec

from backend.core import check_digits, clock, ids
from backend.core.actor import Actor, system
from backend.db.database import Tx
from backend.demo import staff_id
from backend.domains.applications import service as applications
from backend.domains.applications.model import Application
from backend.domains.campaigns import service as campaigns
from backend.domains.channels import tickets
from backend.domains.customers import service as customers
from backend.domains.customers.model import Card
from backend.domains.decision import moments
from backend.domains.decision import service as decisions
from backend.domains.decision.model import Case, Stage
from backend.domains.guarantees import service as guarantees
from backend.domains.identity import service as sessions
from backend.domains.institutions import service as institutions
from backend.domains.models import line_ups, trainings, watching
from backend.domains.models import service as models
from backend.domains.models.model import Drawn, Result
from backend.domains.post_loan import challenges, collections, drawdowns, warnings
from backend.domains.relations import findings, lists
from backend.domains.relations import service as relations
from backend.domains.reviews import rechecks
from backend.domains.reviews import service as reviews
from backend.domains.strategies import service as strategies
from backend.domains.surveys import service as surveys
from backend.flows import check_survey, return_case, start_batch, start_trial, submit_survey
from backend.flows.name_trial_versions import Versions
from backend.flows.start_trial import Asked
from backend.outbox import effects
from tests.domains.models.test_register import MAKER, REPORT, act, registered
from tests.flows.conftest import Road, id_number
from tests.officer_codes import codes_of

PREFIX = {"4101": "411701", "4102": "411702"}
STAFF = {"4101": "JX", "4102": "YX"}


class Scene(msgspec.Struct):
    """`number` is a referred case of the first officer, `inquiry` the question put to that officer about it, `version`
    a draft of the county's strategy, `union_version` head office's live one; `survey` a draft of the
    officer's, `checked_survey` one a colleague confirmed; `trial`, `union_trial` and `batch` wait for their first
    step."""

    institution: str
    application: Application
    number: str
    review: str
    inquiry: str
    ticket: str
    call: str
    report: str
    dead: str
    code: str
    token: str
    officer: str
    finding: str
    entry: str
    recheck: str = ""
    version: str = ""
    union_version: str = ""
    alarm: str = ""
    held: str = ""
    warning: str = ""
    overdue: str = ""
    survey: str = ""
    photo: str = ""
    checked_survey: str = ""
    checked_photo: str = ""
    trial: str = ""
    union_trial: str = ""
    batch: str = ""
    training: str = ""
    model: str = ""
    proposal: str = ""
    challenge: str = ""
    guarantee: str = ""


def reviewer(institution: str, number: int = 4) -> Actor:
    return Actor("staff", staff_id(institution, number), institution, frozenset({"reviewer"}), "审查人")


async def referred(road: Road, owner: asyncpg.Connection, institution: str, serial: int) -> Application:
    """A case the rules left to a person, brought in by the county's first officer; the lowest of its caps is 14,199
    yuan."""
    number = id_number(serial, PREFIX[institution])
    await road.person(number, preset="good", phone="unknown")
    draft = await road.draft(number)
    await owner.execute(
        "update applications.applications set officer_id = $1 where id = $2",
        staff_id(institution, 1),
        draft.id,
    )
    await road.submit(draft)
    await road.drain()
    found = await road.see(draft)
    assert found.status == "referred"
    return found


async def long_ago(road: Road, owner: asyncpg.Connection, serial: int) -> Application:
    """A referred case of 甲县 whose facts are too old to be approved on."""
    with clock.at(clock.now() - timedelta(days=40)):
        return await referred(road, owner, "4101", serial)


async def review_of(road: Road, application: Application, kind: str = "referred") -> reviews.Review:
    async with road.db.read(system(application.institution_id, "test")) as tx:
        return (await reviews.of_application(tx, application.id))[kind]


async def recheck(road: Road, application: Application, *triggers: str) -> str:
    """A decision of the case put before a person to be looked at again."""
    async with road.db.begin(system(application.institution_id, "test")) as tx:
        recorded = await decisions.latest_for(tx, application.id)
        assert recorded is not None
        due = clock.now() + timedelta(days=3)
        await rechecks.open_recheck(tx, application.id, recorded.id, triggers or ("sample",), due)
        [found] = [e for e in await rechecks.listed(tx, "open") if e.decision_id == recorded.id]
    return found.id


async def dead_letter(road: Road, institution: str, key: str = "dead") -> str:
    """An effect nobody can deliver."""
    async with road.db.begin(system(institution, "test")) as tx:
        made = await effects.add(tx, kind="test.nobody", case_id="c", payload={}, key=key)
    await road.drain()
    assert made is not None
    return made


async def suspicion(tx: Tx) -> tuple[str, str]:
    """(a finding nobody has taken, an entry of a list that waits for a second person)."""
    for _ in range(3):
        await relations.connect(tx, ids.new(), "payee", "6212 trader", source="draw")
    await findings.raise_all(tx)
    entry = await lists.propose(
        tx, list_name="watch", kind="phone", text="13900000000", reason="冒名申请", source="公安协查函",
        expires_on=clock.today(),
    )  # fmt: skip
    return (await findings.all_findings(tx))[0].id, entry


async def strategy_draft(road: Road, institution: str) -> tuple[str, str]:
    """A draft of the county's admin, and head office's version of the same stage."""
    admin = Actor("staff", staff_id(institution, 3), institution, frozenset({"county_admin"}), "管理员")
    async with road.db.begin(admin) as tx:
        made = await strategies.draft(tx, "*", Stage.ELIGIBILITY, reason="本县收紧")
        union = await strategies.live_version(tx, "*", "*", Stage.ELIGIBILITY)
    assert union is not None
    return made.id, union.id


async def model_alarm(road: Road, institution: str) -> str:
    """What a day's monitor found of an officer, and whom it told."""
    found = Result(
        model_hash=watching.shipped().artefact, measure="approval", subject=staff_id(institution, 1), value=0.12,
        level="moved", cases=80, details={"hits": 10, "others": 0.5, "z": -4.0},
    )  # fmt: skip
    async with road.db.begin(system(institution, "test")) as tx:
        await watching.keep(tx, tx.now.date(), [found], watching.ANALYST)
        return (await watching.alarms(tx))[0].id


async def after_the_loan(road: Road, application: Application, officer: str) -> tuple[str, str, str]:
    """(a drawdown held for a person, an open warning, a collection case), all of a line the officer looks after."""
    now = clock.now()
    case = Case(product=application.product_code, as_of=now, sources={})
    async with road.db.begin(system(application.institution_id, "test")) as tx:
        ids_of = {}
        for stage in (Stage.DRAWDOWN_CHECK, Stage.EARLY_WARNING):
            said = moments.say(stage, case, await moments.live(tx, case.product, stage))
            ids_of[stage] = await moments.record(
                tx, case, said, subject="test", application_id=application.id
            )
        assert application.customer_id is not None
        held = await drawdowns.keep(
            tx, application_id=application.id, customer_id=application.customer_id, request_no="YK1",
            amount_fen=500_000, payee=None, status="held", reason_codes=["DD_PAYEE_UNKNOWN"],
            said="收款人还没有核实。客户经理会和您核对", assessment_id=ids_of[Stage.DRAWDOWN_CHECK], release_id=None,
            valid_until=None,
        )  # fmt: skip
        signal = warnings.Signal(
            application_id=application.id, customer_id=application.customer_id, owner_id=officer, action="call",
            codes=("EW_DPD",), said="逾期 9 天", assessment_id=ids_of[Stage.EARLY_WARNING],
        )  # fmt: skip
        today = clock.today()
        raised = await warnings.signalled(tx, signal, today, today + timedelta(days=2), today)
        assert raised is not None
        plan = collections.Plan(
            application_id=application.id, customer_id=application.customer_id, owner_id=officer, days_past_due=40,
            balance_fen=100_000, action="negotiate", channel="call", said="打电话谈还款安排",
            assessment_id=ids_of[Stage.EARLY_WARNING], next_on=today,
        )  # fmt: skip
        overdue = await collections.planned(tx, plan, today)
    return held.id, raised.id, overdue.id


SEEN = {
    "place": "home", "met": "self", "reputation": "good", "village": "柳林镇 柳林村", "household_members": "4",
    "land_mu": "12", "annual_income": "60000", "annual_cost": "20000", "stock": "30000", "equipment": "8000",
    "bank_debt": "60000", "private_debt": "0", "said": "两座大棚，正在采收",
}  # fmt: skip
"""A survey's form that can be handed in, on the day it is asked."""


async def training(road: Road, institution: str) -> str:
    """One whose model waits with its report, of an institution that could have none by its pages."""
    async with road.db.begin(system(institution, "test")) as tx:
        made = ids.new()
        await trainings.Q.add_training(
            tx, institution_id=institution, id=made, source="own", county_name="", columns=[], cases=0,
            asked_by="system:test", forget_at=None, now=tx.now,
        )  # fmt: skip
        await trainings.Q.put_training_result(
            tx, institution_id=institution, training_id=made, artefact="{}", report={"model_sha256": "0" * 64},
            html="<p>报告</p>", pdf=b"%PDF-1.7",
        )  # fmt: skip
    return made


async def survey(road: Road, application: Application, photos: int = 3) -> str:
    """A draft of the county's first officer with photographs, as the reader would have rebuilt them."""
    officer = Actor(
        "staff",
        staff_id(application.institution_id, 1),
        application.institution_id,
        frozenset({"officer"}),
        "李四",
    )
    async with road.db.begin(officer) as tx:
        made = await surveys.begin(tx, application.id, application.customer_id or "")
        area = (await institutions.areas(tx, tx.institution_id))[0]
        place = {"village": f"{area.town} {area.villages[0]}"} if tx.institution_id != "4101" else {}
        form = {**SEEN, "visited_on": clock.today().isoformat(), **place}
        await surveys.save(tx, await surveys.get(tx, made), form)
        for number in range(photos):
            await surveys.add_photo(
                tx, await surveys.get(tx, made), b"\xff\xd8 %d %s" % (number, made.encode())
            )
    return made


async def confirmed_survey(road: Road, application: Application) -> str:
    """Handed in by the first officer, confirmed by the second."""
    made, institution = await survey(road, application), application.institution_id
    first, second = (
        Actor("staff", staff_id(institution, n), institution, frozenset({"officer"}), "客户经理")
        for n in (1, 2)
    )
    await submit_survey.submit_survey(road.context, first, made, {})
    await check_survey.check_survey(road.context, second, made, "confirmed", "yes", "看过照片，是他家")
    return made


async def photo_of(road: Road, institution: str, survey_id: str) -> str:
    async with road.db.read(system(institution, "test")) as tx:
        return (await surveys.photos(tx, survey_id))[0].id


async def tested_model(road: Road, family: str) -> str:
    """A model that waits for its independent review, with the files of its report."""
    new = await registered(road.db, family=family)
    drawn = Drawn("<p>报告</p>", b"%PDF-1.7")
    await act(road.db, MAKER, models.test, new.id, REPORT, "训练完", drawn)
    return new.id


async def line_up_wish(road: Road, family: str) -> str:
    """A wish to keep the card of the release, which waits for a second person."""
    return str(await act(road.db, MAKER, line_ups.propose, family, champion=None, why="先不换"))


async def challenge_wish(road: Road, product: str, version: str) -> str:
    """A challenger of the collection strategy that waits for a second person."""
    maker = Actor("staff", staff_id("0000", 2), "0000", frozenset({"risk_analyst"}), "分析人")
    async with road.db.begin(maker) as tx:
        return await challenges.propose(
            tx, product_code=product, version_id=version, authors=[f"staff:{maker.id}"], document_hash="another",
            share_bp=1_000, why="试试",
        )  # fmt: skip


async def guarantor(road: Road, application: Application) -> str:
    """A guarantee whose guarantor waits to be seen in person."""
    assert application.customer_id is not None
    until, number = clock.today() + timedelta(days=365), id_number(900, PREFIX[application.institution_id])
    born = check_digits.id_number_born_on(number)
    card = Card(
        name="王保", id_number=number, sex="男" if int(number[16]) % 2 else "女", nation="汉", birth_on=born or until,
        address="淮中省甲县柳林镇", issuer="甲县公安局", valid_from=date(2020, 1, 1), valid_until=None,
    )  # fmt: skip
    async with road.db.begin(system(application.institution_id, "test")) as tx:
        made = await guarantees.invite(
            tx, guarantee_id=guarantees.new_id(), token=ids.token(), application_id=application.id,
            borrower_id=application.customer_id, amount_fen=3_000_000, line_until=until, until_on=until,
            expires_at=tx.now + timedelta(days=3), wanted=9,
        )  # fmt: skip
        session, _ = await sessions.new_customer_session(tx)
        await guarantees.open_up(tx, made, session.id)
        who = await customers.create_or_update_from_card(tx, card)
        await guarantees.set_guarantor(tx, made, who)
        await guarantees.reach(tx, await guarantees.get(tx, made.id), "liveness")
    return made.id


async def scene(road: Road, owner: asyncpg.Connection, institution: str = "4101", serial: int = 301) -> Scene:
    application = await referred(road, owner, institution, serial)
    review = await review_of(road, application)
    await return_case.return_case(road.context, reviewer(institution), review.id, "请到家里看看")
    actor, officer = system(institution, "test"), staff_id(institution, 1)
    async with road.db.begin(actor) as tx:
        [owed] = await reviews.owed(tx, officer)
        code = next(c for c in await codes_of(tx, officer) if c.placement == "group")
        ticket = await tickets.open(tx, kind="complaint", text="等了三天没人理我", openid=f"o{institution}")
        call = await tickets.open(
            tx,
            kind="human",
            text="利息怎么算",
            openid=f"c{institution}",
            customer_id=application.customer_id,
            owner_id=officer,
        )
        report = await campaigns.report(tx, kind="fee_asked", text="有人要 200 元", code_id=code.id)
        finding, entry = await suspicion(tx)
    async with road.db.read(actor) as tx:
        application = await applications.get(tx, application.id)
    checked = await confirmed_survey(road, application)
    writing = await survey(road, application)
    dead, alarm = await dead_letter(road, institution), await model_alarm(road, institution)
    version, union_version = await strategy_draft(road, institution)
    await road.settle()
    past = Asked(draft=Versions())
    own, union = [
        await start_trial.start_trial(road.context, system(each, "test"), past, queued=False)
        for each in (institution, "0000")
    ]
    batch = await start_batch.start_batch(road.context, system(institution, "test"), "pre_approval", "")
    return Scene(
        institution,
        application,
        application.application_no,
        review.id,
        owed.inquiry.id,
        ticket.ticket_no,
        call.ticket_no,
        report,
        dead,
        code.id,
        code.token,
        officer,
        finding,
        entry,
        await recheck(road, application),
        version,
        union_version,
        alarm,
        *await after_the_loan(road, application, officer),
        writing,
        await photo_of(road, institution, writing),
        checked,
        await photo_of(road, institution, checked),
        own.id,
        union.id,
        batch.id,
        await training(road, institution),
        await tested_model(road, institution),
        await line_up_wish(road, institution),
        await challenge_wish(road, institution, union_version),
        await guarantor(road, application),
    )
