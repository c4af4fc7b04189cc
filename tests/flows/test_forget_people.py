"""Who never got a loan is made anonymous when the promised time is over, wholly or not at all (D3-06, D7)."""

import asyncio
import contextvars
import hashlib
from collections.abc import Mapping
from datetime import timedelta
from decimal import Decimal
from typing import Any

import asyncpg
import pytest

from backend import wiring
from backend.core import clock, failpoints, ids
from backend.core.actor import everywhere, system
from backend.core.crypto import Vault
from backend.db.classes import CLASSES
from backend.db.database import Database, Tx
from backend.db.sealed import SEALED
from backend.domains.applications import service as applications
from backend.domains.applications.model import Application
from backend.domains.audit import service as audit
from backend.domains.channels import links, tickets
from backend.domains.channels import service as channels
from backend.domains.customers import consents, erasing, freezing
from backend.domains.customers import service as customers
from backend.domains.customers.consent_texts import Purpose
from backend.domains.customers.model import ERASED, CustomerErased
from backend.domains.decision import moments
from backend.domains.decision import service as decisions
from backend.domains.decision.model import DecisionForgotten
from backend.domains.identity import service as identity
from backend.domains.institutions.model import UNION
from backend.domains.relations import findings
from backend.domains.relations import service as relations
from backend.domains.reviews import exceedings, rechecks
from backend.domains.reviews import service as reviews
from backend.domains.reviews.model import Exceeded
from backend.flows import (
    end_guarantees,
    expire_offers,
    export_capsule,
    forget_people,
    forget_person,
    give_up_drafts,
    index_names,
    issue_short_code,
    prove_consents,
    request_review,
    send_code,
)
from backend.flows.rotate_keys import rotate_keys
from backend.integrations.image_archive.port import ImageIndex
from backend.outbox import inbox
from backend.overview import batch_customers, case_file, decided, invariants, support

from .conftest import JIA, Road, id_number
from .test_guarantee import drawn, vouched

ME, OTHER = id_number(201), id_number(202)
OPENID = "oForgottenOpenid000000000042"
SAID = "蓝孔雀在屋顶上唱歌"
"""Words nobody else writes."""
JPEG = b"\xff\xd8\xff a card of " + ME.encode()
LATER = timedelta(days=91)

KEPT = {
    "campaigns.reports": "a complaint about our own people: it names who is complained of, and is closed by itself",
    "campaigns.scans": "an opening is counted once by a hash of account or browser",
    "campaigns.signals": "a hash of a case's id",
    "channels.access_tokens": "nobody's",
    "customers.consent_proofs": "the proof of a lawful question, which finds nobody",
    "models.trainings": "a sentence of ours; a cell it may quote is of a table that is refused where it names anybody",
    "models.training_tables": "such a table, deleted within a day (flows/forget_training_tables.py)",
    "outbox.idempotency": "answers are emptied after two days; the hash is of a whole request",
    "relations.list_entries": "a list has terms of its own (tests/flows/test_forget_entries.py)",
    "strategies.scenarios": "made up by staff, or a case's values without a name",
    "trials.batch_parts": "ids and scores",
}
"""Tables that may hold sealed or hashed values after all, and why."""

OF_A_LOAN = {"decision.last_cases"} | {
    f"post_loan.{name}" for name in ("collection_cases", "contact_notes", "drawdown_checks", "warnings")
}
"""Filled only once money was lent: emptied with who had the loan."""


Held = dict[str, set[bytes]]


async def held(owner: asyncpg.Connection, vault: Vault) -> Held:
    """Everything sealed or hashed, by column, and every WeChat account in the open: of all tables there are."""
    found: Held = {}
    for table, columns in CLASSES.items():
        if table.startswith(("practice.", "queue.")):
            continue
        for column in (*columns.sealed.split(), *columns.index.split()):
            rows = await owner.fetch(f"select distinct {column} as v from {table} where length({column}) > 0")
            found[f"{table}.{column}"] = {bytes(row["v"]) for row in rows}
        if "openid" in columns.plain.split():
            rows = await owner.fetch(f"select distinct openid as v from {table} where openid <> ''")
            found[f"{table}.openid"] = {row["v"].encode() for row in rows}
    sent = await owner.fetch("select id::text, payload from outbox.effects where length(payload) > 0")
    nothing = {bytes(r["payload"]) for r in sent if vault.open("outbox.effects", "payload", *r) == b"{}"}
    found["outbox.effects.payload"] -= nothing
    return found


def new(now: Held, before: Held) -> dict[str, int]:
    more = {name: len(values - before[name]) for name, values in now.items()}
    return {name: count for name, count in more.items() if count and name.rpartition(".")[0] not in KEPT}


async def opened(owner: asyncpg.Connection, vault: Vault) -> str:
    """All that anybody with the keys can read, in one text."""
    said = []
    for entry in SEALED:
        for column in entry.columns:
            rows = await owner.fetch(
                f"select {entry.row_id} as id, {column} as v from {entry.table} where length({column}) > 0"
            )
            said += [
                vault.open(entry.table, column, row["id"], row["v"]).decode("utf-8", "replace")
                for row in rows
            ]
    return "\n".join(said)


async def walked(road: Road) -> Application:
    """A person with something in every table that may hold a word of a person: an offer that nobody signed, with a
    guarantor, and a refusal that was reviewed. The other party is who answers for them, and they for the other."""
    other, mine = await road.apply(OTHER, product="XLD"), await road.apply(ME, product="XLD")
    me = mine.customer_id or ""
    await vouched(road, mine, other.customer_id or "")
    await vouched(road, other, me)
    await photographed(road, mine)
    mine = await road.hand_off(mine)
    await issue_short_code.issue_short_code(road.context, road.actor, mine.id)
    async with road.db.begin(JIA) as tx:
        await inbox.receive(tx, source="s", message_id="m", case_id=mine.id, payload={"said": SAID})
        await inbox.applied(tx, source="s", message_id="m", outcome="known")
    await in_wechat(road, me)
    with clock.at(clock.now() + timedelta(days=60)):
        await expire_offers.expire_offers(road.context)
        await road.drain()
        second = await road.apply(ME, script={"preset": "queries"})
        await reviewed(road, second)
        await visited(road, second)
        await road.drain()
    assert ((await road.see(mine)).status, second.status) == ("expired", "declined")
    return mine


async def photographed(road: Road, application: Application) -> None:
    async with road.db.begin(JIA) as tx:
        capture_id = await applications.add_capture(
            tx, application, "id_front", b"s" * 32, {"公民身份号码": ME}
        )
        capture = await applications.get_capture(tx, capture_id)
        assert capture is not None
        await applications.confirm_capture(tx, capture, {"name": SAID}, ["name"])
    for case, kind in ((application.id, "id_front"), (application.id, "business_licence")):
        stored = await road.context.clients.image_archive.upload(
            content=JPEG, content_type="image/jpeg", sha256=hashlib.sha256(JPEG).hexdigest(),
            index=ImageIndex("4101", case, kind, "identity"), key=f"{case}{kind}",
        )  # fmt: skip
        if kind == "id_front":
            async with road.db.begin(JIA) as tx:
                await applications.archived_capture(tx, capture, stored.receipt)


async def in_wechat(road: Road, customer_id: str) -> None:
    phone = f"139{ME[-8:-1]}0"
    async with road.db.begin(system(UNION, "test")) as tx:
        await channels.keep(tx, ids.new(), OPENID, "text", "county", f"{SAID}{ME}", SAID.encode(), tx.now)
    async with road.db.begin(JIA) as tx:
        await freezing.freeze(tx, customer_id, SAID)
        await freezing.ask_release(tx, customer_id, SAID)
        await customers.bind_openid(tx, OPENID, customer_id)
        scan = channels.Scan(code_id=ids.new(), code_token="t", officer_id=None, product_code="SXD")
        await channels.scanned(tx, OPENID, scan)
        await channels.keep(tx, ids.new(), OPENID, "text", "help", f"{SAID}{ME}", SAID.encode(), tx.now)
        ticket = await tickets.open(tx, kind="human", text=SAID, openid=OPENID, customer_id=customer_id)
        await tickets.answer(tx, ticket.ticket_no, f"{SAID}，已答复")
        await links.new_link(tx, OPENID)
        await tx.connection.execute(
            "insert into channels.grants (institution_id, id, openid, template_id, granted_at) "
            "values ('4101', $1, $2, 't', now())", ids.new(), OPENID,
        )  # fmt: skip
        session, _ = await identity.new_customer_session(tx, OPENID)
        await identity.set_session_application(tx, session.id, None, customer_id)
        await send_code.send_code(tx, session.id, "apply", phone)
    async with road.db.begin(system("4101", "second")) as tx:
        await freezing.release(tx, customer_id)
    await road.drain()


async def reviewed(road: Road, application: Application) -> None:
    await request_review.request_review(road.context, road.actor, application.id, "wrong_data", SAID)
    recorded = await decided_of(road, application)
    async with road.db.begin(JIA) as tx:
        review = (await reviews.of_application(tx, application.id))["requested"]
        [officer, *_] = await identity.all_staff(tx)
        await reviews.ask(tx, review, officer.id, SAID)
        [asked] = await reviews.inquiries(tx, review.id)
        await reviews.answer_inquiry(tx, asked, review, SAID)
        await exceedings.propose(
            tx, review, outcome="granted", amount_fen=100, annual_rate=Decimal("0.1"), term_months=12,
            reason="理由", exceeded=[Exceeded("income", SAID, 1)], why=SAID,
        )  # fmt: skip
        await rechecks.open_recheck(tx, application.id, recorded, ["sample"], tx.now)
    async with road.db.begin(system("4101", "second")) as tx:
        [wish] = await exceedings.of_review(tx, review.id)
        await exceedings.look(tx, review, wish, "refused", SAID)
        await reviews.answer(tx, review, outcome="upheld", reason="维持原结果")
        for recheck in await rechecks.listed(tx, "open"):  # an approval may have been drawn by lot, too
            verdict = "disagreed" if recheck.application_id == application.id else "agreed"
            await rechecks.find(tx, recheck, verdict, SAID)
    async with road.db.begin(JIA) as tx:
        [recheck] = await rechecks.listed(tx, "disagreed")
        await rechecks.settle(tx, recheck, SAID)


async def decided_of(road: Road, application: Application) -> str:
    async with road.db.read(JIA) as tx:
        recorded = await decisions.latest_for(tx, application.id)
    assert recorded is not None
    return recorded.id


async def visited(road: Road, application: Application) -> None:
    """A survey with a picture, and a finding of the night; as their tables are, without the pages."""
    survey, photo, finding = ids.new(), ids.new(), ids.new()
    async with road.db.begin(JIA) as tx:
        seal = tx.vault.encrypt
        [officer, *_] = await identity.all_staff(tx)
        await tx.connection.execute(
            "insert into surveys.surveys (institution_id, id, application_id, customer_id, officer_id, answers, "
            "checker_said, begun_at, saved_at) values ('4101', $1, $2, $3, $4, $5, $6, now(), now())",
            survey, application.id, application.customer_id, officer.id,
            seal("surveys.surveys", "answers", survey, f'{{"note":"{SAID}"}}'),
            seal("surveys.surveys", "checker_said", survey, SAID),
        )  # fmt: skip
        await tx.connection.execute(
            "insert into surveys.photos (institution_id, id, survey_id, sha256, content, taken_at) "
            "values ('4101', $1, $2, $3, $4, now())",
            photo, survey, b"p" * 32, seal("surveys.photos", "content", photo, SAID),
        )  # fmt: skip
        await tx.connection.execute(
            "insert into relations.findings (institution_id, id, code, kind, key, customer_id, customers, households, "
            "since, status, raised_at, owner, owned_at, said, answered_at) values ('4101', $1, 'RL_PHONE', 'phone', "
            "$2, $3, 2, 2, now(), 'false_alarm', now(), 'x', now(), $4, $5)",
            finding, b"k" * 32, application.customer_id, seal("relations.findings", "said", finding, SAID), tx.now,
        )  # fmt: skip


async def test_after_the_promised_time_no_sealed_and_no_hashed_field_of_any_table_holds_the_person(
    road: Road, owner: asyncpg.Connection
) -> None:
    before = await held(owner, road.context.db.vault)
    mine = await walked(road)
    there = new(await held(owner, road.context.db.vault), before)
    asked = {name for name in before if name.rpartition(".")[0] not in {*KEPT, *OF_A_LOAN}}
    assert set(there) == asked, (
        "a table the walk does not fill proves nothing: fill it, or say why it is kept"
    )
    vault, phone = road.context.db.vault, f"139{ME[-8:-1]}0"
    secrets = (ME, phone, f"柳林村{ME[-4:]}号", SAID)
    text = await opened(owner, vault)
    assert [each for each in secrets if each not in text] == [], "it was all there"

    with clock.at(clock.now() + timedelta(days=60) + LATER):
        assert await forget_people.forget_people(road.context) == {"4101": 2}
        await road.drain()
    assert new(await held(owner, road.context.db.vault), before) == {}
    text = await opened(owner, vault)
    assert [each for each in secrets if each in text] == []
    images = await road.context.clients.image_archive.find(institution_id="4101", case_id=mine.id)
    assert [image.index.kind for image in images] == ["business_licence"], "only what was this person's card"
    async with road.db.read(everywhere("test")) as tx:
        assert {name: rows for name, rows in (await invariants.broken(tx)).items() if rows} == {}
    assert await prove_consents.prove_consents(road.context) == []
    assert (await audit.verify(road.db))[1] == []


async def refused(road: Road, number: str = ME) -> Application:
    return await road.apply(number, script={"preset": "queries"})


async def night(road: Road, after: timedelta = LATER) -> dict[str, int]:
    with clock.at(clock.now() + after):
        found = await forget_people.forget_people(road.context)
        await road.drain()
    return found


async def status_of(road: Road, application: Application) -> str:
    async with road.db.read(JIA) as tx:
        return (await customers.view(tx, application.customer_id or "")).status


async def test_the_promised_time_is_a_dated_rule(road: Road, owner: asyncpg.Connection) -> None:
    application = await refused(road)
    assert await night(road, timedelta(days=89)) == {}
    await owner.execute(
        "update regulation.parameters set value = '30' where key = 'retention.unfinished_days'"
    )
    assert await night(road, timedelta(days=31)) == {"4101": 1}
    assert await status_of(road, application) == "erased"


async def test_a_second_run_changes_nothing(road: Road, owner: asyncpg.Connection) -> None:
    await refused(road)
    assert await night(road) == {"4101": 1}
    rows = "select md5(string_agg(p::text, '' order by p.id)) from {} p"
    tables = ("customers.people", "applications.applications", "customers.consents", "decision.decisions")
    was = [await owner.fetchval(rows.format(table)) for table in tables]
    entries = await owner.fetchval("select count(*) from audit.entries")
    assert await night(road, LATER * 2) == {}
    assert [await owner.fetchval(rows.format(table)) for table in tables] == was
    assert await owner.fetchval("select count(*) from audit.entries") == entries


async def test_a_crash_in_the_middle_leaves_the_person_whole(road: Road, owner: asyncpg.Connection) -> None:
    application = await refused(road)
    was = await held(owner, road.context.db.vault)
    failpoints.configure("commit.before=error:1")
    try:
        with pytest.raises(failpoints.FailpointError):
            await night(road)
    finally:
        failpoints.configure("")
    assert await held(owner, road.context.db.vault) == was
    assert await status_of(road, application) == "active"
    assert "forgotten" not in await road.events(application)
    assert await night(road) == {"4101": 1}
    assert await road.events(application) == [*(await road.events(application))[:-1], "forgotten"]


async def test_one_who_cannot_be_forgotten_does_not_keep_the_others(
    road: Road, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, second = await refused(road), await refused(road, OTHER)
    forget, failed = forget_person.forget_person, []

    async def once(context: Any, actor: Any, customer_id: str, before: Any) -> bool:
        if not failed:
            failed.append(customer_id)
            raise ValueError("ours")
        return await forget(context, actor, customer_id, before)

    monkeypatch.setattr(forget_person, "forget_person", once)
    assert await night(road) == {"4101": 1}
    assert sorted([await status_of(road, first), await status_of(road, second)]) == ["active", "erased"]


STAY: Mapping[str, str] = {
    "an open ticket": "insert into channels.tickets (institution_id, id, ticket_no, kind, openid, customer_id, text, "
    "due_at, created_at) values ('4101', gen_random_uuid(), 'T1', 'complaint', '', $1, 'x', now(), now())",
    "a complaint answered lately": "insert into channels.tickets (institution_id, id, ticket_no, kind, openid, "
    "customer_id, text, status, due_at, created_at, answered_at) values ('4101', gen_random_uuid(), 'T1', "
    "'complaint', '', $1, 'x', 'answered', now(), now(), now() + interval '30 days')",
    "an open review": "insert into reviews.reviews (institution_id, id, application_id, kind, ground, asked_by, "
    "status, opened_at, due_at) select '4101', gen_random_uuid(), id, 'requested', 'other', 'x', 'open', now(), now() "
    "from applications.applications where customer_id = $1",
    "an open re-check": "insert into reviews.rechecks (institution_id, id, application_id, decision_id, triggers, "
    "status, due_at, opened_at) select '4101', gen_random_uuid(), a.id, d.id, '{sample}', 'open', now(), now() "
    "from applications.applications a join decision.decisions d on d.application_id = a.id where a.customer_id = $1",
    "a finding nobody answered": "insert into relations.findings (institution_id, id, code, kind, key, customer_id, "
    "customers, households, since, status, raised_at) values ('4101', gen_random_uuid(), 'RL_PHONE', 'phone', 'k', "
    "$1, 2, 2, now(), 'open', now())",
    "frozen": "update customers.people set status = 'frozen' where id = $1",
    "a newer card": "update customers.people set updated_at = now() + interval '30 days' where id = $1",
    "something on its way": "insert into outbox.effects (institution_id, id, kind, case_id, key, payload, status, "
    "due_at, created_at) select '4101', gen_random_uuid(), 'x', id::text, 'x', 'x', 'waiting', now() + interval "
    "'1 year', now() from applications.applications where customer_id = $1",
    "a message of the bank nobody applied": "insert into outbox.inbox (institution_id, source, message_id, case_id, "
    "payload, received_at) select '4101', 's', 'm', id::text, 'x', now() from applications.applications "
    "where customer_id = $1",
    "a consent given lately": "insert into customers.consents (institution_id, id, customer_id, purpose, recipient, "
    "version, text_sha256, channel, given_at) select '4101', gen_random_uuid(), $1, purpose, recipient, version, "
    "text_sha256, channel, now() + interval '30 days' from customers.consents where customer_id = $1 limit 1",
}


@pytest.mark.parametrize("why", STAY)
async def test_who_is_kept_by_anything_stays_whole(road: Road, owner: asyncpg.Connection, why: str) -> None:
    application = await refused(road)
    await owner.execute(STAY[why], application.customer_id)
    was = await owner.fetchrow("select * from customers.people where id = $1", application.customer_id)
    assert await night(road) == {}
    assert (
        await owner.fetchrow("select * from customers.people where id = $1", application.customer_id) == was
    )


async def test_a_person_with_a_loan_or_another_case_stays_and_so_does_who_answers_for_a_loan(
    road: Road,
) -> None:
    guarantor = await refused(road, id_number(203))
    application = await road.apply(OTHER, product="XLD")
    await vouched(road, application, guarantor.customer_id or "")
    application = await road.hand_off(application)
    await drawn(road, application, OTHER)
    once = await refused(road)
    with clock.at(clock.now() + timedelta(days=40)):
        again = await road.draft(ME)
    with clock.at(clock.now() + LATER):
        found = await forget_people.forget_people(road.context)
    assert found == {}
    assert [await status_of(road, each) for each in (guarantor, application, once)] == ["active"] * 3
    assert again.customer_id == once.customer_id


async def test_a_loan_paid_off_long_ago_is_kept_for_the_ten_years_of_its_own(road: Road) -> None:
    await lent_and_repaid(road)
    assert await night(road, timedelta(days=900)) == {}


async def lent_and_repaid(road: Road, number: str = ME) -> Application:
    application = await road.hand_off(await road.apply(number))
    for act, more in (("open", {}), ("sign", {})):
        await road.bank(application, act, number, **more)
    loan = await road.bank(application, "draw", number, amount_fen=300_000)
    await road.bank(application, "repay", number, loan_no=loan["loan_no"])
    await road.settle()
    assert (await road.see(application)).status == "repaid"
    return application


AFTERWARDS = (
    """insert into post_loan.collection_cases (institution_id, id, application_id, customer_id, status, days_past_due,
        balance, segment, action, channel, said, assessment_id, next_on, opened_on, closed_on)
    select institution_id, gen_random_uuid(), $1, $2, 'closed', 3, 9, 'willing', 'remind', 'sms', 'plan', id, now(),
        now(), now() from decision.assessments where application_id = $1 limit 1""",
    """insert into post_loan.contact_notes (institution_id, id, case_id, note, segment, disputed, do_not_contact,
        by_whom, at) select institution_id, gen_random_uuid(), id, 'note', 'willing', false, false, 'staff:x', now()
    from post_loan.collection_cases where application_id = $1 and customer_id = $2""",
    """insert into post_loan.drawdown_checks (institution_id, id, application_id, customer_id, request_no, amount,
        payee, status, reason_codes, said, assessment_id, asked_at, answered_by, answered_at, found)
    select institution_id, gen_random_uuid(), $1, $2, 'r1', 9, 'payee', 'rejected', '{}', 'held', id, now(), 'staff:x',
        now(), 'found' from decision.assessments where application_id = $1 limit 1""",
    """insert into post_loan.warnings (institution_id, id, application_id, customer_id, action, status, codes, said,
        assessment_id, raised_on, last_on, due_on, answered_by, answered_at, false_alarm, done)
    select institution_id, gen_random_uuid(), $1, $2, 'call', 'cleared', '{}', 'signal', id, now(), now(), now(),
        'staff:x', now(), false, 'done' from decision.assessments where application_id = $1 limit 1""",
    """insert into decision.last_cases select institution_id, $1, gen_random_uuid(), 'SXD', 'case', now()
    from customers.people where id = $2""",
)
"""What a loan in trouble leaves behind."""


@pytest.fixture
async def undrawn(owner: asyncpg.Connection) -> None:
    """One approval in twenty is drawn by lot to be looked at again, and an open re-check keeps a person."""
    await owner.execute("update regulation.parameters set value = '\"0\"' where key = 'recheck.share'")


@pytest.mark.usefixtures("undrawn")
async def test_who_had_a_loan_is_made_anonymous_wholly_when_the_years_of_the_law_are_over(
    road: Road, owner: asyncpg.Connection
) -> None:
    """D7: `retention.identity_months` and `retention.transactions_months` of regulation.parameters, 120 each, from the
    end of the line (a year after the contract) and of the last loan."""
    before = await held(owner, road.context.db.vault)
    application = await lent_and_repaid(road)
    for statement in AFTERWARDS:
        assert (await owner.execute(statement, application.id, application.customer_id))[-2:] == " 1", (
            statement
        )
    year = timedelta(days=366)
    assert await night(road, year * 10) == {}, "the line stood for a year after it was agreed to"
    assert await status_of(road, application) == "active"
    assert await night(road, year * 11) == {"4101": 1}
    assert await status_of(road, application) == "erased"
    assert new(await held(owner, road.context.db.vault), before) == {}
    text = await opened(owner, road.context.db.vault)
    assert [each for each in (ME, f"139{ME[-8:-1]}0", f"柳林村{ME[-4:]}号") if each in text] == []
    async with road.db.read(everywhere("test")) as tx:
        assert {name: rows for name, rows in (await invariants.broken(tx)).items() if rows} == {}
    assert (await audit.verify(road.db))[1] == []
    assert await owner.fetchval("select count(*) from loans.loans") == 1, "the books stay, and name nobody"


@pytest.mark.usefixtures("undrawn")
async def test_the_years_are_a_dated_rule_and_the_longer_of_the_two_wins(
    road: Road, owner: asyncpg.Connection
) -> None:
    application = await lent_and_repaid(road)
    change = "update regulation.parameters set value = '24' where key = $1"
    await owner.execute(change, "retention.identity_months")
    assert await night(road, timedelta(days=1200)) == {}
    await owner.execute(change, "retention.transactions_months")
    assert await night(road, timedelta(days=1200)) == {"4101": 1}
    assert await status_of(road, application) == "erased"


async def answered_for(road: Road) -> tuple[Application, Application]:
    """What was refused to the guarantor, and the case whose loan is drawn on their word."""
    guarantor = await refused(road, id_number(203))
    application = await road.apply(OTHER, product="XLD")
    await vouched(road, application, guarantor.customer_id or "")
    await drawn(road, await road.hand_off(application), OTHER)
    return guarantor, application


async def test_a_loan_that_is_owed_and_who_answers_for_it_stay_for_as_long_as_it_is(road: Road) -> None:
    await answered_for(road)
    assert await night(road, timedelta(days=366 * 15)) == {}


async def test_who_answered_for_a_line_is_kept_for_the_years_of_the_law_from_the_end_of_that(
    road: Road,
) -> None:
    """D7: from `ended_at` of a guarantee for what was signed, whenever the borrower's own years end."""
    guarantor, application = await answered_for(road)
    async with road.db.begin(JIA) as tx:
        await end_guarantees.end_guarantees(tx, await applications.get(tx, application.id))
    assert await night(road, timedelta(days=365 * 10 - 10)) == {}
    assert await night(road, timedelta(days=366 * 10)) == {"4101": 1}
    assert [await status_of(road, each) for each in (guarantor, application)] == ["erased", "active"]


async def test_who_never_went_on_is_forgotten_with_the_draft(road: Road) -> None:
    """Both jobs in the same night: the draft is given up, then its person has nothing left."""
    draft = await road.draft(ME)
    await photographed(road, draft)
    assert await night(road) == {}, "a draft is looked after by its own job first"
    with clock.at(clock.now() + LATER):
        assert await give_up_drafts.give_up_drafts(road.context) == 1
        assert await forget_people.forget_people(road.context) == {"4101": 1}
        await road.drain()
    async with road.db.read(JIA) as tx:
        assert (await customers.view(tx, draft.customer_id or "")).name == ERASED
    images = await road.context.clients.image_archive.find(institution_id="4101", case_id=draft.id)
    assert [image.index.kind for image in images] == ["business_licence"], (
        "the card is gone, what is not of it stays"
    )


async def test_who_comes_back_is_a_new_person_and_the_old_case_says_that_it_was_forgotten(
    road: Road, owner: asyncpg.Connection
) -> None:
    old = await refused(road)
    decision = await decided_of(road, old)
    async with road.db.read(JIA) as tx:
        [bureau] = [
            c for c in await consents.given(tx, old.customer_id or "") if c.purpose == Purpose.BUREAU_QUERY
        ]
    assert await night(road) == {"4101": 1}
    with clock.at(clock.now() + LATER + timedelta(days=1)):
        fresh = await road.apply(ME, script={"preset": "good"})
        assert fresh.status == "approved"
    assert fresh.customer_id != old.customer_id
    async with road.db.read(JIA) as tx:
        for forgotten in (decisions.get, decisions.replay):
            with pytest.raises(DecisionForgotten):
                await forgotten(tx, decision)
        assert await decisions.latest_for(tx, old.id) is None
        assert await decisions.forgotten(tx, old.id)
        assert await moments.away(tx, old.id) is None
        with pytest.raises(CustomerErased):
            await customers.get(tx, old.customer_id or "")
        assert await customers.names(tx, [old.customer_id]) == {old.customer_id: ERASED}
        file = await case_file.of(tx, await applications.get(tx, old.id))
        assert (file.forgotten, file.decision, file.known) == (True, None, [])
        assert await erasing.gave(tx, bureau.id, ME)
        assert not await erasing.gave(tx, bureau.id, OTHER)
        assert (await erasing.erasures(tx)).people == 1
        assert await batch_customers.count(tx, "pre_approval") == 1
        assert await decided.count(tx, 65536) == 1
        assert await decisions.count_past(tx, "*") == len(await decisions.past(tx, "*")) == 1
    with pytest.raises(DecisionForgotten):
        await export_capsule.export_capsule(road.db, JIA, old.id, "监管来查")
    seen = await support.look_up(road.db, JIA, old.application_no, within="4101")
    assert [each.customer for each in seen.applications] == [ERASED]
    assert await index_names.index_names(road.context) == 0
    row = await owner.fetchrow("select * from decision.decisions where id = $1", decision)
    assert (row["outcome"], len(row["capsule_sha256"])) == ("declined", 32), "the figures and the hash stay"


async def test_the_relations_of_who_is_forgotten_fall_apart_and_the_night_finds_no_difference(
    road: Road,
) -> None:
    mine, other = await refused(road), await road.hand_off(await road.apply(OTHER))
    await drawn(road, other, OTHER)
    async with road.db.begin(JIA) as tx:
        for each in (mine, other):
            await relations.connect(tx, each.customer_id or "", "device", "one", source="application")
    assert await night(road) == {"4101": 1}
    async with road.db.begin(JIA) as tx:
        around = await relations.neighbourhood(tx, other.customer_id or "")
        assert [o for link in around.links for o in link.others] == []
        assert (await findings.compare(tx))[1] == 0


async def test_keys_are_rotated_over_what_was_emptied(road: Road, owner_dsn: str, vault: Vault) -> None:
    await refused(road)
    assert await night(road) == {"4101": 1}
    keys = {1: wiring.vault_keys(road.context.settings)[0][1], 2: b"n" * 32}
    database = Database(
        owner_dsn, Vault(keys, 2, b"index"), size=3, flush_audit=audit.flush, role="xiaodai_rotation"
    )
    await database.open()
    try:
        assert await rotate_keys(database) > 0
    finally:
        await database.close()


async def test_closed_rows_are_emptied_of_erased_people_alone(road: Road) -> None:
    application = await refused(road)
    with pytest.raises(asyncpg.RestrictViolationError):
        async with road.db.begin(JIA) as tx:
            await tx.connection.execute("select customers.empty_closed('4101', $1)", application.customer_id)
    for statement in (
        "update decision.decisions set capsule = '\\x'",
        "update evidence.answers set facts = '\\x'",
    ):
        with pytest.raises(asyncpg.InsufficientPrivilegeError):
            async with road.db.begin(JIA) as tx:
                await tx.connection.execute("select set_config('xd.emptying', 'capsule', true)")
                await tx.connection.execute(statement)


async def test_who_comes_back_in_the_same_moment_is_a_new_person_or_not_forgotten(
    road: Road, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both orders: whoever is second waits for the first."""
    old, halfway, go_on = await refused(road), asyncio.Event(), asyncio.Event()
    go, before = relations.forget, clock.now() + timedelta(days=1)

    async def wait(tx: Tx, customer_id: str) -> None:
        halfway.set()
        await go_on.wait()
        await go(tx, customer_id)

    with monkeypatch.context() as patched:
        patched.setattr(relations, "forget", wait)
        forgetting = asyncio.create_task(
            forget_person.forget_person(road.context, JIA, old.customer_id or "", before)
        )
        await halfway.wait()
        coming = asyncio.create_task(road.draft(ME))
        await asyncio.sleep(0.3)
        assert not coming.done(), "the card's number is being forgotten"
        go_on.set()
        assert await forgetting
        fresh = await coming
    assert fresh.customer_id not in (None, old.customer_id)
    assert await status_of(road, fresh) == "active"

    later = await refused(road, OTHER)
    async with road.db.begin(JIA) as tx:
        assert await customers.claim_by_id_number(tx, OTHER) == later.customer_id
        forgetting = asyncio.create_task(
            forget_person.forget_person(road.context, JIA, later.customer_id or "", before),
            context=contextvars.Context(),  # it does not know of the transaction that is open here
        )
        await asyncio.sleep(0.3)
        assert not forgetting.done(), "somebody is about to go on with this person"
        again = await applications.begin(tx, product_code="SXD", product_version="SXD@1", channel="web")
        await applications.belongs_to(tx, again, later.customer_id or "", "随享贷")
    assert await forgetting is False
    assert await status_of(road, later) == "active"
