"""Another value in a row, another behaviour of the road: no limit of a rule-maker is a constant (N7).

Each test cites the row of the requirements whose rule it changes.
"""

from datetime import date, timedelta
from decimal import Decimal

import msgspec
import pytest

from backend.core import clock
from backend.domains.applications import service as applications
from backend.domains.applications.model import Application
from backend.domains.customers import consents
from backend.domains.customers import rules as customer_rules
from backend.domains.customers.consent_texts import Purpose
from backend.domains.customers.model import Card, NotYetAdult, UnderAge
from backend.domains.decision import service as decisions
from backend.domains.identity import service as identity
from backend.domains.identity.model import CodeUsedUp, WrongCode
from backend.domains.products import service as products
from backend.domains.regulation import service as regulation
from backend.domains.reviews import service as reviews
from backend.flows import confirm_disclosure, destroy_old_images, give_up_drafts, send_code, show_disclosure
from backend.flows.confirm_identity import LivesElsewhere, confirm_identity
from backend.ocr import reading
from tests.compliance.conftest import Rule
from tests.flows.conftest import JIA, Road, id_number

ME = id_number(123)


async def reasons(road: Road, application: Application) -> set[str]:
    async with road.db.read(JIA) as tx:
        recorded = await decisions.latest_for(tx, application.id)
    assert recorded is not None
    return {reason.code for reason in recorded.opened.decision.reasons}


async def test_d1_01_the_cap_on_internet_consumer_credit(road: Road, rule: Rule) -> None:
    await rule("internet_consumer.cap", "1000000")
    application = await road.apply(ME, amount_fen=3_000_000)
    assert (await road.contract(application)).limit_fen == 1_000_000
    assert "LIMIT_REGULATION" in await reasons(road, application)


async def test_d1_01_a_loan_repaid_at_once_is_short(road: Road, rule: Rule) -> None:
    """The offer is named, and the decision is told the same figure."""
    await rule("internet_consumer.bullet_months", "6")
    async with road.db.read(JIA) as tx:
        broken = await products.breaches_on(tx, "4101", clock.today())
    assert ("CDD@1", "D1-01") in {(label, breach.row_id) for label, breach in broken}
    application = await road.apply(ME)
    async with road.db.read(JIA) as tx:
        recorded = await decisions.latest_for(tx, application.id)
    assert recorded is not None
    assert recorded.opened.case.sources["regulation"].facts["reg_bullet_max_term_months"] == 6


async def test_d1_03_the_temporary_rise_is_nobodys_by_itself(road: Road, owner) -> None:
    """Switched on, it opens a product's terms to head office; the decision keeps to the cap of every day."""
    await owner.execute("update regulation.parameters set enabled = true where row_id = 'D1-03'")
    script = {"profile": {"bureau_internet_consumer_credit": 20_000_000}}
    application = await road.apply(ME, script=script)
    assert application.status == "declined"


async def test_d1_07_a_purpose_that_is_forbidden(road: Road, rule: Rule) -> None:
    await rule("purposes.forbidden", '["farm_living"]')
    application = await road.apply(ME)
    assert application.status == "declined"
    assert "EL_PURPOSE" in await reasons(road, application)


async def test_d1_12_local_people_only(road: Road, rule: Rule) -> None:
    neighbour = Card(
        name="张三", id_number=id_number(123, "411702"), sex="男", nation="汉", birth_on=date(1980, 3, 7),
        address="河南省乙县青石镇石桥村8号", issuer="乙县公安局", valid_from=date(2020, 1, 1),
        valid_until=date(2040, 1, 1),
    )  # fmt: skip
    with pytest.raises(LivesElsewhere):
        await confirm_identity(road.context, JIA, await photographed(road, neighbour), typed(neighbour))
    await rule("local_only.required", "false")
    confirmed = await confirm_identity(
        road.context, JIA, await photographed(road, neighbour), typed(neighbour)
    )
    assert confirmed.step == "phone"


async def photographed(road: Road, card: Card) -> str:
    """A draft with both sides read."""
    front = {"姓名": card.name, "性别": card.sex, "民族": card.nation, "出生": str(card.birth_on),
             "住址": card.address, "公民身份号码": card.id_number}  # fmt: skip
    back = {"签发机关": card.issuer, "有效期限": f"{card.valid_from} 至 {card.valid_until}"}
    async with road.db.begin(JIA) as tx:
        draft = await applications.begin(tx, product_code="SXD", product_version="SXD@1", channel="web")
        for kind, fields in ((reading.ID_FRONT, front), (reading.ID_BACK, back)):
            await applications.add_capture(tx, draft, kind, b"0" * 32, {"fields": fields, "doubtful": []})
    return draft.id


def typed(card: Card) -> dict[str, str]:
    return {"name": card.name, "id_number": card.id_number, "address": card.address, "issuer": card.issuer,
            "valid_from": str(card.valid_from), "valid_until": str(card.valid_until)}  # fmt: skip


async def test_d2_04_the_ceiling_of_the_all_in_cost(road: Road, rule: Rule) -> None:
    await rule("all_in_cost.cap", '"0.05"')
    application = await road.apply(ME)
    contract = await road.contract(application)
    shown = await show_disclosure.show_disclosure(road.context, JIA, application.id)
    assert round(shown.disclosure.annualised, 4) == contract.annual_rate <= Decimal("0.05")


async def test_d2_05_the_longest_term_of_a_consumer_loan(road: Road, rule: Rule) -> None:
    await rule("consumer.term_months", "6")
    application = await road.apply(ME)
    assert "EL_TERM_RULE" in await reasons(road, application)
    async with road.db.read(JIA) as tx:
        broken = await products.breaches_on(tx, "4101", clock.today())
    assert "D2-05" in {breach.row_id for _, breach in broken}


async def test_d2_06_a_larger_amount_is_not_decided_without_a_visit(road: Road, rule: Rule) -> None:
    await rule("on_site.skip_amount", "2000000")
    application = await road.apply(ME, amount_fen=3_000_000)
    assert application.status == "referred"
    assert "EL_ON_SITE" in await reasons(road, application)
    small = await road.apply(id_number(127), amount_fen=2_000_000)
    assert small.status == "approved"


async def test_d2_09_the_reading_time_and_the_duty_itself(road: Road, rule: Rule) -> None:
    application = await road.apply(ME)
    await rule("disclosure.reading_seconds", "40")
    shown = await show_disclosure.show_disclosure(road.context, JIA, application.id)
    assert shown.wait_seconds == 40
    with clock.at(clock.now() + timedelta(seconds=41)):
        contract = await confirm_disclosure.confirm_disclosure(
            road.context, JIA, application.id, shown.shown_token, shown.version
        )
    assert contract.status == "draft"


async def test_d3_03_the_promise_of_a_person(road: Road, rule: Rule) -> None:
    await rule("human_review.working_days", "1")
    application = await road.apply(ME, script={"preset": "no_income"})
    async with road.db.read(JIA) as tx:
        [review] = await reviews.waiting(tx)
    assert application.promised_at == review.due_at
    assert review.due_at - clock.now() < timedelta(days=4), "one working day, over a week-end at most"


@pytest.mark.parametrize("key, problem", [("age.guardian", UnderAge), ("age.minimum", NotYetAdult)])
async def test_d3_05_and_d6_02_ages(tx, owner, key: str, problem: type[Exception]) -> None:
    rules = await regulation.in_force(tx, clock.today())
    born_on = date(1980, 3, 7)
    card = Card(
        name="张三", id_number=ME, sex="男" if int(ME[16]) % 2 else "女", nation="汉", birth_on=born_on,
        address="河南省甲县柳林镇柳林村8号", issuer="甲县公安局", valid_from=date(2020, 1, 1), valid_until=None,
    )  # fmt: skip
    customer_rules.check_card(card, clock.today(), rules)
    older = dict(rules.parameters)
    older[key] = msgspec.structs.replace(older[key], value=60)
    with pytest.raises(problem):
        customer_rules.check_card(card, clock.today(), msgspec.structs.replace(rules, parameters=older))


async def test_d3_09_how_long_a_bureau_consent_counts(road: Road, rule: Rule) -> None:
    await rule("bureau_consent.valid_days", "2")
    application = await road.draft(ME)
    assert application.customer_id
    async with road.db.read(JIA) as tx:
        assert await consents.missing(tx, application.customer_id) == ()
    with clock.at(clock.now() + timedelta(days=3)):
        async with road.db.read(JIA) as tx:
            assert await consents.missing(tx, application.customer_id) == (Purpose.BUREAU_QUERY,)


async def test_d4_06_codes_by_sms(road: Road, rule: Rule) -> None:
    await rule("sms.tries", "2")
    await rule("sms.valid_seconds", "30")
    await rule("sms.gap_seconds", "7")
    session = "01a21675-603f-7dcf-a1fb-5cd25ca0e0f7"
    async with road.db.begin(JIA) as tx:
        assert await send_code.send_code(tx, session, "apply", "13900000001") == 7
        wrong = await identity.check_code(tx, session, "apply", "13900000001", "x")
        assert isinstance(wrong, WrongCode)
        assert wrong.details["left"] == 1
        spent = await identity.check_code(tx, session, "apply", "13900000001", "x")
        assert isinstance(spent, CodeUsedUp)
        assert spent.fields == {"code": "验证码错了 2 次，点“再发一次”要个新的"}
    with clock.at(clock.now() + timedelta(seconds=8)):
        async with road.db.begin(JIA) as tx:
            await send_code.send_code(tx, session, "apply", "13900000001")
    with clock.at(clock.now() + timedelta(seconds=40)):
        async with road.db.begin(JIA) as tx:
            assert isinstance(await identity.check_code(tx, session, "apply", "13900000001", "x"), CodeUsedUp)


async def test_a6_02_the_greatest_age_binds_every_offer(road: Road, rule: Rule) -> None:
    await rule("age.maximum", "60")
    async with road.db.read(JIA) as tx:
        broken = await products.breaches_on(tx, "4101", clock.today())
    assert ("SXD@1", "A6-02") in {(label, breach.row_id) for label, breach in broken}


async def test_d7_how_long_drafts_are_kept(road: Road, rule: Rule) -> None:
    await rule("retention.abandoned_days", "10")
    await rule("retention.raw_image_hours", "1")
    draft = await road.draft(ME)
    with clock.at(clock.now() + timedelta(days=9)):
        assert await give_up_drafts.give_up_drafts(road.context) == 0
    with clock.at(clock.now() + timedelta(days=11)):
        assert await give_up_drafts.give_up_drafts(road.context) == 1
        await destroy_old_images.destroy_old_images(road.context)
    assert (await road.see(draft)).customer_id is None
