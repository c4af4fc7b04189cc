"""Submission's refusals, reviews by a person, cancelling and expiring (A3-08, D3-03)."""

from datetime import timedelta
from decimal import Decimal

import asyncpg
import msgspec
import pytest

from backend.core import clock
from backend.core.actor import Actor
from backend.core.lifecycle import ForbiddenMove
from backend.demo import staff_id
from backend.domains.applications import service as applications
from backend.domains.applications.model import Application, Declared, StepMissing
from backend.domains.customers import consents
from backend.domains.customers import service as customers
from backend.domains.customers.consent_texts import Purpose
from backend.domains.customers.model import ConsentMissing
from backend.domains.decision import service as decisions
from backend.domains.identity.model import NotYours
from backend.domains.reviews import service as reviews
from backend.domains.reviews.model import (
    ExceedingYours,
    FactsInTime,
    NotYourReview,
    ReviewAlreadyAsked,
    ReviewAnswered,
    VerdictInvalid,
)
from backend.flows import (
    cancel_application,
    decide_anew,
    expire_offers,
    look_at_exceeding,
    renew_consents,
    request_review,
    review_case,
    said_in,
)
from backend.flows.review_case import Verdict
from backend.outbox import effects
from backend.overview import application_result, invariants

from .conftest import JIA, Road, id_number

ME = id_number(123)
REVIEWER = Actor("staff", staff_id("4101", 4), "4101", frozenset({"reviewer"}), "陈审")
OFFICER = Actor("staff", staff_id("4101", 1), "4101", frozenset({"officer"}), "李四")

YES = Verdict(
    outcome="approved",
    reason="实地看过，收入属实",
    amount_fen=1_000_000,
    annual_rate=Decimal("0.06"),
    term_months=12,
)


GRANTED = msgspec.structs.replace(YES, outcome="granted", reason="查询记录已更正")


async def only_review(road: Road) -> reviews.Review:
    async with road.db.read(JIA) as tx:
        [review] = await reviews.waiting(tx)
    return review


async def face_shown(road: Road, draft: Application) -> None:
    async with road.db.begin(JIA) as tx:
        await applications.set_liveness(tx, draft, "passed")
        await applications.reach(tx, draft, "details")


async def confirmed_again(road: Road, draft: Application) -> Application:
    """The customer shows their face, agrees to what lapsed, and hands in."""
    if draft.step == "liveness":
        await face_shown(road, await road.see(draft))
    async with road.db.read(JIA) as tx:
        ticked = {str(each.purpose): str(each.version) for each in await consents.road(tx) if each.required}
    await renew_consents.renew_consents(road.context, JIA, draft.id, ticked)
    return await road.submit(draft)


async def test_submitting_twice_asks_for_one_decision(road: Road) -> None:
    application = await road.draft(ME)
    first, second = await road.submit(application), await road.submit(application)
    assert (first.status, second.status) == ("submitted", "submitted")
    async with road.db.read(JIA) as tx:
        kinds = [e.kind for e in await effects.of_case(tx, application.id)]
    assert kinds.count("application.decide") == 1


async def test_a_withdrawn_consent_or_a_skipped_step_stops_the_submission(road: Road) -> None:
    application = await road.draft(ME)
    async with road.db.begin(JIA) as tx:
        assert application.customer_id
        await consents.withdraw(tx, application.customer_id, Purpose.BUREAU_QUERY)
        bare = await applications.begin(tx, product_code="SXD", product_version="SXD@1", channel="web")
        await applications.declare(tx, bare, Declared(purpose="farm_living"))
    with pytest.raises(ConsentMissing):
        await road.submit(application)
    with pytest.raises(StepMissing):
        await road.submit(bare)


async def test_a_reviewer_approves_a_referred_case_and_it_goes_on(road: Road) -> None:
    application = await road.apply(ME, script={"preset": "good", "phone": "unknown"})
    review = await only_review(road)
    with pytest.raises(NotYours):
        await review_case.review_case(road.context, OFFICER, review.id, YES)
    too_much = Verdict(
        outcome="approved", reason="可以", amount_fen=99_000_000, annual_rate=Decimal("0.5"), term_months=7
    )
    with pytest.raises(VerdictInvalid) as wrong:
        await review_case.review_case(road.context, REVIEWER, review.id, too_much)
    assert set(wrong.value.fields) == {"reason", "amount", "rate", "term"}

    approved = await review_case.review_case(road.context, REVIEWER, review.id, YES)
    assert approved.status == "approved"
    assert (await road.contract(application)).limit_fen == 1_000_000
    with pytest.raises(ReviewAnswered):
        await review_case.review_case(road.context, REVIEWER, review.id, YES)
    assert (await road.hand_off(application)).status == "handed_off"
    await road.later(minutes=2)
    assert await invariants.ask(road.db) == {}


async def test_nobody_decides_about_their_own_loan(road: Road, owner: asyncpg.Connection) -> None:
    application = await road.apply(ME, script={"preset": "good", "phone": "unknown"})
    review = await only_review(road)
    async with road.db.read(JIA) as tx:
        phone = (await customers.get(tx, application.customer_id or "")).phone
    await owner.execute("update identity.staff set phone = $1 where id = $2", phone, REVIEWER.id)
    with pytest.raises(NotYourReview):
        await review_case.review_case(road.context, REVIEWER, review.id, YES)
    await owner.execute("update identity.staff set phone = '' where id = $1", REVIEWER.id)
    assert (await review_case.review_case(road.context, REVIEWER, review.id, YES)).status == "approved"


async def test_a_granted_request_goes_on_as_a_new_application(road: Road) -> None:
    declined = await road.apply(ME, script={"preset": "queries"})
    await request_review.request_review(road.context, JIA, declined.id, "wrong_data", "有两次不是我查的")
    with pytest.raises(ReviewAlreadyAsked):
        await request_review.request_review(road.context, JIA, declined.id, "other", "")
    review = await only_review(road)
    assert review.said == "有两次不是我查的"
    renewed = await review_case.review_case(road.context, REVIEWER, review.id, GRANTED)
    assert (renewed.status, renewed.customer_id) == ("approved", declined.customer_id)
    assert (await road.see(declined)).status == "declined"
    assert (await road.hand_off(renewed)).status == "handed_off"
    await road.later(minutes=2)
    assert await invariants.ask(road.db) == {}


async def test_what_the_customer_has_signed_is_not_granted_a_second_time(road: Road) -> None:
    """Else the same person would have two lines of one product: a signed case bars no new one."""
    approved = await road.apply(ME)
    await request_review.request_review(road.context, JIA, approved.id, "other", "还想多借一点")
    review = await only_review(road)
    handed = await road.hand_off(approved)
    await road.bank(handed, "open", ME)
    await road.bank(handed, "sign", ME)
    await road.settle()
    assert (await road.see(approved)).status == "signed"
    with pytest.raises(VerdictInvalid) as refused:
        await review_case.review_case(road.context, REVIEWER, review.id, GRANTED)
    assert refused.value.fields == {"outcome": "这笔申请已签约，不能另外再给一份，只能维持原结果"}
    upheld = msgspec.structs.replace(GRANTED, outcome="upheld")
    assert (await review_case.review_case(road.context, REVIEWER, review.id, upheld)).id == approved.id


async def test_a_request_about_what_was_asked_long_ago_is_decided_anew(road: Road) -> None:
    """What was asked longer ago than an offer stands is not what is so today: the road decides, not old facts."""
    declined = await road.apply(ME, script={"preset": "queries"})
    await request_review.request_review(road.context, JIA, declined.id, "things_changed", "查询少了")
    review = await only_review(road)
    with clock.at(clock.now() + timedelta(days=30, hours=1)):
        new = await review_case.review_case(road.context, REVIEWER, review.id, GRANTED)
        assert (new.id != declined.id, new.status, new.step) == (True, "draft", "liveness")
        await confirmed_again(road, new)
        await road.drain()
    assert (await road.see(new)).status != "approved", "the person still asked too often"


async def test_a_referred_case_is_not_approved_on_facts_that_are_too_old_but_may_be_declined(
    road: Road,
) -> None:
    """A7-05: the facts of its decision carry a grant for `review.facts_days`, whatever the queue was like."""
    application = await road.apply(ME, script={"preset": "good", "phone": "unknown"})
    review = await only_review(road)
    with clock.at(clock.now() + timedelta(days=29)), pytest.raises(FactsInTime):
        await decide_anew.decide_anew(road.context, REVIEWER, review.id)
    with clock.at(clock.now() + timedelta(days=31)):
        with pytest.raises(VerdictInvalid) as refused:
            await review_case.review_case(road.context, REVIEWER, review.id, YES)
        assert "这笔的资料是 31 天前的，超过 30 天，不能凭它同意" in refused.value.fields["outcome"]
        assert (await road.see(application)).status == "referred"
        no = msgspec.structs.replace(YES, outcome="declined")
        assert (await review_case.review_case(road.context, REVIEWER, review.id, no)).status == "declined"


async def test_a_case_decided_anew_is_asked_again_and_says_truly_how_old_each_fact_is(road: Road) -> None:
    application = await road.apply(ME, script={"preset": "good", "phone": "unknown"})
    review = await only_review(road)
    asked = len(await road.ledger("identity_check"))
    with clock.at(clock.now() + timedelta(days=31)):
        with pytest.raises(NotYours):
            await decide_anew.decide_anew(road.context, OFFICER, review.id)
        new = await decide_anew.decide_anew(road.context, REVIEWER, review.id)
        with pytest.raises(ReviewAnswered):
            await decide_anew.decide_anew(road.context, REVIEWER, review.id)
        with pytest.raises(StepMissing):
            await road.submit(new)
        handed_in = await confirmed_again(road, new)
        await road.drain()
        async with road.db.read(JIA) as tx:
            old, before = (
                await applications.get(tx, application.id),
                await decisions.latest_for(tx, application.id),
            )
            after = await decisions.latest_for(tx, new.id)
            answered = (await reviews.of_application(tx, application.id))["referred"]
            told = await application_result.of(tx, old)
        assert (await road.see(new)).status == "referred"
        assert await invariants.ask(road.db) == {}
    assert (old.status, answered.outcome, answered.new_application_id) == ("cancelled", "anew", new.id)
    assert told.goes_on == new.application_no
    assert len(await road.ledger("identity_check")) == asked + 1
    assert before is not None
    assert after is not None
    sources = after.opened.case.sources
    assert sources["identity_check"].observed_at > before.decided_at + timedelta(days=30)
    assert sources["liveness"].observed_at == sources["application"].observed_at == handed_in.submitted_at
    assert "本人核验结果" not in {gap.label for gap in after.opened.decision.gaps}, "the face was shown again"


async def test_what_lapsed_meanwhile_is_agreed_to_and_shown_again_before_the_case_is_decided_anew(
    road: Road,
) -> None:
    """D3-04, D3-09: with the face of today and consents that stand, the road may even approve by itself."""
    application = await road.apply(ME, script={"preset": "good", "phone": "unknown"})
    review = await only_review(road)
    assert application.customer_id
    with clock.at(clock.now() + timedelta(days=31)):
        async with road.db.begin(JIA) as tx:
            await consents.withdraw(tx, application.customer_id, Purpose.BUREAU_QUERY)
        asked = len(await road.ledger("credit_bureau"))
        new = await decide_anew.decide_anew(road.context, REVIEWER, review.id)
        await road.drain()
        assert (await road.see(new)).status == "draft"
        assert len(await road.ledger("credit_bureau")) == asked, "nobody is asked before the customer agrees"
        assert f"notice:{new.id}:asked_again:sms" in {each["key"] for each in await road.ledger("sms")}
        await face_shown(road, new)
        with pytest.raises(ConsentMissing):
            await road.submit(new)
        await road.person(ME, preset="good", phone="match")
        await confirmed_again(road, new)
        await road.drain()
        assert (await road.see(new)).status == "approved"
        assert len(await road.ledger("credit_bureau")) == asked + 1
        async with road.db.read(JIA) as tx:
            assert await said_in.said_in(tx, await road.see_in(tx, new)) == await road.see_in(tx, new)
        assert await invariants.ask(road.db) == {}


async def test_what_was_typed_over_the_card_is_still_known_when_the_case_is_decided_anew(
    road: Road, owner: asyncpg.Connection
) -> None:
    """The photographs belong to the old case: without them the typed word would count as the card's (A5-03)."""
    application = await road.draft(ME)
    await road.person(ME, preset="good", phone="match")
    printed = {
        "id_number": ME,
        "valid_from": "2010-01-01",
        "valid_until": "2020-01-01",
        "address": "河南省甲县柳林镇",
    }
    read: dict[str, object] = {"fields": printed, "doubtful": []}
    async with road.db.begin(JIA) as tx:
        for kind in ("id_front", "id_back"):
            await applications.add_capture(tx, application, kind, b"0" * 32, read)
    await road.submit(application)
    await road.drain()
    review = await only_review(road)
    with clock.at(clock.now() + timedelta(days=31)):
        await confirmed_again(road, await decide_anew.decide_anew(road.context, REVIEWER, review.id))
        await road.drain()
        async with road.db.read(JIA) as tx:
            new = (await reviews.of_application(tx, application.id))["referred"].new_application_id
            assert new
            recorded = await decisions.latest_for(tx, new)
    assert recorded is not None
    assert "id_expires_on" in {gap.fact for gap in recorded.opened.decision.gaps}


async def test_cancelling_withdraws_the_offer_at_the_bank_first(road: Road) -> None:
    handed = await road.hand_off(await road.apply(ME))
    for _ in range(2):
        cancelled = await cancel_application.cancel_application(road.context, JIA, handed.id)
        assert cancelled.status == "cancelled"
    assert [r["effect"] for r in await road.ledger("mobile_bank")] == ["offer_received", "offer_withdrawn"]
    assert (await road.contract(handed)).status == "void"


async def test_what_is_signed_cannot_be_cancelled_here(road: Road) -> None:
    handed = await road.hand_off(await road.apply(ME))
    await road.fault("mobile_bank", "callback", "drop_before", times=1000)
    await road.bank(handed, "open", ME)
    await road.bank(handed, "sign", ME)  # and nobody told us yet
    with pytest.raises(cancel_application.AlreadySigned):
        await cancel_application.cancel_application(road.context, JIA, handed.id)
    declined = await road.apply(id_number(125), script={"preset": "queries"})
    with pytest.raises(ForbiddenMove):
        await cancel_application.cancel_application(road.context, JIA, declined.id)


async def test_an_offer_nobody_signed_expires_and_a_signed_one_does_not(road: Road) -> None:
    waiting = await road.hand_off(await road.apply(ME))
    signed = await road.hand_off(await road.apply(id_number(125)))
    await road.fault("mobile_bank", "callback", "drop_before", times=1000)
    await road.bank(signed, "open", id_number(125))
    await road.bank(signed, "sign", id_number(125))
    with clock.at(clock.now() + timedelta(days=32)):
        assert await expire_offers.expire_offers(road.context) == 1
    assert (await road.see(waiting)).status == "expired"
    assert (await road.see(signed)).status == "handed_off"


SECOND = Actor("staff", staff_id("4101", 5), "4101", frozenset({"reviewer"}), "刘复")


async def test_above_what_one_reviewer_may_grant_alone_a_second_one_looks(
    road: Road, owner: asyncpg.Connection
) -> None:
    """A7-05: `review.alone_amount` of regulation.parameters, whatever the caps of the decision allow."""
    await owner.execute("update regulation.parameters set value = '500000' where key = 'review.alone_amount'")
    application = await road.apply(ME, script={"preset": "good", "phone": "unknown"})
    review = await only_review(road)
    with pytest.raises(VerdictInvalid) as refused:
        await review_case.review_case(road.context, REVIEWER, review.id, YES)
    assert "“一位审查人的审批权限”（5,000 元）" in refused.value.fields["why_more"]
    with pytest.raises(asyncpg.CheckViolationError, match="one reviewer may grant alone"):
        async with road.db.begin(REVIEWER) as tx:
            await reviews.answer(tx, review, outcome="approved", reason="可以的", amount_fen=1_000_000)
    wish = msgspec.structs.replace(YES, why_more="有抵押物，收入属实")
    assert (await review_case.review_case(road.context, REVIEWER, review.id, wish)).status == "referred"
    with pytest.raises(ExceedingYours):
        await look_at_exceeding.look_at_exceeding(road.context, REVIEWER, review.id, "confirmed", "可以")
    approved = await look_at_exceeding.look_at_exceeding(
        road.context, SECOND, review.id, "confirmed", "看过材料"
    )
    assert (approved.id, approved.status) == (application.id, "approved")


async def test_up_to_what_one_reviewer_may_grant_alone_nobody_else_is_asked(
    road: Road, owner: asyncpg.Connection
) -> None:
    await owner.execute(
        "update regulation.parameters set value = '1000000' where key = 'review.alone_amount'"
    )
    await road.apply(ME, script={"preset": "good", "phone": "unknown"})
    review = await only_review(road)
    assert (await review_case.review_case(road.context, REVIEWER, review.id, YES)).status == "approved"


async def test_a_granted_request_is_held_to_the_same_amount(road: Road, owner: asyncpg.Connection) -> None:
    await owner.execute("update regulation.parameters set value = '500000' where key = 'review.alone_amount'")
    approved = await road.apply(ME)
    await request_review.request_review(road.context, JIA, approved.id, "other", "还想多借一点")
    review = await only_review(road)
    with pytest.raises(VerdictInvalid):
        await review_case.review_case(road.context, REVIEWER, review.id, GRANTED)
    wish = msgspec.structs.replace(GRANTED, why_more="有抵押物，收入属实")
    assert (await review_case.review_case(road.context, REVIEWER, review.id, wish)).id == approved.id
    new = await look_at_exceeding.look_at_exceeding(road.context, SECOND, review.id, "confirmed", "看过材料")
    assert (new.id != approved.id, new.status) == (True, "approved")
