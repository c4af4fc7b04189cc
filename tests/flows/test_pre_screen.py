"""Turned away at once on our own records: reasons, no question outside, a person may be asked (A3-25, A3-38, D3-03)."""

from datetime import timedelta
from decimal import Decimal

import asyncpg
import msgspec
import pytest

from backend.core import clock
from backend.core.actor import Actor
from backend.demo import staff_id
from backend.domains.applications.model import Application
from backend.domains.decision import moments
from backend.domains.decision.model import Stage
from backend.domains.relations import lists
from backend.domains.reviews import service as reviews
from backend.domains.reviews.model import VerdictInvalid
from backend.flows import request_review, review_case
from backend.overview import application_result, case_file, invariants

from .conftest import JIA, Road, id_number

ME = id_number(181)
REVIEWER = Actor("staff", staff_id("4101", 4), "4101", frozenset({"reviewer"}), "陈审")


async def block(road: Road) -> None:
    """The ID number on the county's block list, by two people."""
    first = Actor("staff", staff_id("4101", 3), "4101", frozenset({"risk_analyst"}), "王分")
    second = Actor("staff", staff_id("4101", 5), "4101", frozenset({"county_admin"}), "赵管")
    async with road.db.begin(first) as tx:
        entry = await lists.propose(
            tx, list_name="block", kind="id_number", text=ME, reason="骗贷团伙", source="公安协查函",
            expires_on=clock.today() + timedelta(days=90),
        )  # fmt: skip
    async with road.db.begin(second) as tx:
        await lists.approve(tx, entry)


@pytest.fixture
async def turned_away(road: Road) -> Application:
    await block(road)
    await road.person(ME, preset="good", phone="match")
    draft = await road.draft(ME)
    return await road.submit(draft)


async def outside(road: Road, case: Application) -> list[str]:
    found = []
    for system in ("credit_bureau", "identity_check"):
        found += [row["effect"] for row in await road.ledger(system) if row.get("case") == case.id]
    return found


async def test_a_refusal_comes_at_once_with_its_reasons_and_nobody_was_asked_or_paid(
    road: Road, turned_away: Application, owner: asyncpg.Connection
) -> None:
    assert turned_away.status == "declined", "in the answer to the last button"
    await road.drain()
    assert await road.ledger("credit_bureau") == []
    assert await outside(road, turned_away) == []
    assert await owner.fetchval("select count(*) from evidence.answers") == 0
    async with road.db.read(JIA) as tx:
        told = await application_result.of(tx, turned_away)
        file = await case_file.of(tx, turned_away)
        kept = await moments.last_of(tx, turned_away.id, Stage.PRE_SCREEN)
        assert kept is not None
        assert await moments.replay(tx, kept.id) == (True, True)
    assert [reason.text for reason in told.reasons] == ["现在还不能为您预先审批"]
    assert "可以到网点问一问" in told.advice
    assert [reason.code for reason in file.turned_away] == ["PS_LISTED"]
    assert (await road.events(turned_away))[-2:] == ["submitted", "declined"]
    from backend.core.actor import everywhere

    async with road.db.read(everywhere("test")) as tx:
        assert "decision_contradicts_status" not in await invariants.broken(tx)


async def test_sent_twice_it_is_turned_away_once(road: Road, turned_away: Application) -> None:
    again = await road.submit(turned_away)
    assert (again.status, (await road.events(again)).count("declined")) == ("declined", 1)


async def test_a_person_who_lets_it_pass_has_it_decided_by_the_road_with_every_source_asked(
    road: Road, turned_away: Application
) -> None:
    """D3-03: 申请人工复核 is offered; D1-10: no money without identity and bureau."""
    await request_review.request_review(road.context, JIA, turned_away.id, "wrong_data", "不是我")
    async with road.db.read(JIA) as tx:
        review = (await reviews.of_application(tx, turned_away.id))["requested"]
    verdict = review_case.Verdict(
        outcome="granted", reason="查过，名单记错了人", amount_fen=2_000_000, annual_rate=Decimal("0.0840"),
        term_months=12,
    )  # fmt: skip
    new = await review_case.review_case(road.context, REVIEWER, review.id, verdict)
    assert (new.id != turned_away.id, new.status) == (True, "submitted")
    await road.drain()
    decided = await road.see(new)
    assert decided.status in ("declined", "referred", "approved")
    assert [row["case"] for row in await road.ledger("credit_bureau")] in ([new.id], [])
    async with road.db.read(JIA) as tx:
        assert (await reviews.of_application(tx, turned_away.id))["requested"].new_application_id == new.id


async def test_whom_a_list_stops_meanwhile_is_let_through_by_no_reviewer(road: Road) -> None:
    """The list came after the decision, by two people; one does not outweigh them."""
    application = await road.apply(ME, script={"preset": "good", "phone": "unknown"})
    assert application.status == "referred"
    await block(road)
    async with road.db.read(JIA) as tx:
        review = (await reviews.of_application(tx, application.id))["referred"]
    verdict = review_case.Verdict(
        outcome="approved", reason="到家里看过，收入属实", amount_fen=1_000_000, annual_rate=Decimal("0.06"),
        term_months=12,
    )  # fmt: skip
    with pytest.raises(VerdictInvalid) as refused:
        await review_case.review_case(road.context, REVIEWER, review.id, verdict)
    assert "在黑名单上，不能同意" in refused.value.fields["outcome"]
    said = msgspec.structs.replace(verdict, outcome="declined")
    assert (await review_case.review_case(road.context, REVIEWER, review.id, said)).status == "declined"


async def test_who_passes_goes_on_and_what_was_said_is_kept(road: Road) -> None:
    application = await road.apply(ME)
    assert application.status == "approved"
    async with road.db.read(JIA) as tx:
        kept = await moments.last_of(tx, application.id, Stage.PRE_SCREEN)
    assert kept is not None
    assert kept.outcome == "ask", "not on a list of invited people: a person or the decision looks"


async def test_who_has_such_a_line_already_is_told_where_it_is(road: Road) -> None:
    application = await road.hand_off(await road.apply(ME))
    await road.bank(application, "open", ME)
    await road.bank(application, "sign", ME)
    await road.settle()
    before = len(await road.ledger("credit_bureau"))
    second = await road.submit(await road.draft(ME))
    assert second.status == "declined"
    async with road.db.read(JIA) as tx:
        told = await application_result.of(tx, second)
    assert "您已经有同类的额度" in [reason.text for reason in told.reasons]
    assert len(await road.ledger("credit_bureau")) == before


async def test_a_strategy_that_no_longer_passes_turns_nobody_away(
    road: Road, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def none(*_: object) -> None:
        return None

    monkeypatch.setattr(moments, "live", none)
    await road.person(ME, preset="good", phone="match")
    assert (await road.submit(await road.draft(ME))).status == "submitted"
