"""What becomes another while the systems outside are asked: no approval stands on what was so before (A3-09, D3-01)."""

from collections.abc import Awaitable, Callable
from decimal import Decimal
from typing import Any

import pytest

from backend.domains.applications.model import Application
from backend.domains.customers import consents, freezing
from backend.domains.customers.consent_texts import Purpose
from backend.domains.customers.model import CustomerFrozen
from backend.domains.reviews import service as reviews
from backend.domains.reviews.model import VerdictInvalid
from backend.flows import gather_facts, hand_off, review_case
from tests.flows.conftest import JIA, Road
from tests.flows.test_at_hand import answered, hurry
from tests.flows.test_pre_screen import ME, REVIEWER, block

Act = Callable[[Road, Application], Awaitable[None]]


async def withdraw(road: Road, application: Application) -> None:
    assert application.customer_id
    async with road.db.begin(JIA) as tx:
        assert await consents.withdraw(tx, application.customer_id, Purpose.BUREAU_QUERY)


async def freeze(road: Road, application: Application) -> None:
    assert application.customer_id
    async with road.db.begin(JIA) as tx:
        await freezing.freeze(tx, application.customer_id, "核实身份")


async def stop(road: Road, _: Application) -> None:
    await block(road)


ACTS: list[tuple[Act, str]] = [(withdraw, "referred"), (freeze, "referred"), (stop, "declined")]


@pytest.mark.parametrize(("act", "status"), ACTS)
async def test_what_changes_while_others_are_asked_is_seen_before_anything_is_promised(
    road: Road, act: Act, status: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await road.person(ME, preset="good", phone="match")
    draft = await road.draft(ME)
    await road.submit(draft)
    asking, acted = gather_facts.gather_facts, list[Act]()

    async def asked_and_then(*given: Any, **more: Any) -> Any:
        found = await asking(*given, **more)
        if not acted:
            acted.append(act)
            await act(road, draft)
        return found

    monkeypatch.setattr(gather_facts, "gather_facts", asked_and_then)
    await road.drain()
    await road.later(minutes=1)
    assert acted
    assert (await road.see(draft)).status == status


@pytest.mark.parametrize(("act", "status"), ACTS)
async def test_a_case_at_hand_is_decided_by_what_is_so_now(road: Road, act: Act, status: str) -> None:
    draft = await answered(road, ME)
    await road.submit(draft)
    await act(road, draft)
    await hurry(road, draft)
    assert (await road.see(draft)).status == status


async def test_who_is_frozen_after_the_approval_is_not_handed_off(road: Road) -> None:
    approved = await road.apply(ME)
    await road.confirm(approved)
    await freeze(road, approved)
    with pytest.raises(CustomerFrozen):
        await hand_off.hand_off(road.context, JIA, approved.id)
    assert (await road.see(approved)).status == "approved"


async def test_who_is_frozen_is_let_through_by_no_reviewer(road: Road) -> None:
    application = await road.apply(ME, script={"preset": "good", "phone": "unknown"})
    await freeze(road, application)
    async with road.db.read(JIA) as tx:
        review = (await reviews.of_application(tx, application.id))["referred"]
    verdict = review_case.Verdict(
        outcome="approved", reason="到家里看过，收入属实", amount_fen=1_000_000, annual_rate=Decimal("0.06"),
        term_months=12,
    )  # fmt: skip
    with pytest.raises(VerdictInvalid) as refused:
        await review_case.review_case(road.context, REVIEWER, review.id, verdict)
    assert "冻结" in refused.value.fields["outcome"]
