"""What the bank reports: in any order, repeatedly, or not at all (trust §1, A5-05, A7-08)."""

import itertools
from datetime import timedelta
from typing import Any

import asyncpg
import msgspec
import pytest

from backend.core import clock, ids
from backend.domains.applications.model import Application
from backend.domains.channels import tickets
from backend.domains.loans import service as loans
from backend.flows import apply_bank_events, poll_bank, receive_bank_event, reconcile_bank
from backend.integrations.mobile_bank.port import Event
from backend.outbox import effects
from backend.overview import invariants

from .conftest import JIA, Road, id_number

ME = id_number(123)


@pytest.fixture
async def handed(road: Road) -> Application:
    return await road.hand_off(await road.apply(ME))


async def silence(road: Road) -> None:
    """From now on no callback gets through."""
    await road.fault("mobile_bank", "callback", "drop_before", times=1000)


async def at_the_bank(road: Road, application: Application) -> list[dict[str, Any]]:
    """The customer signs, draws twice and repays everything, while nobody tells us. Returns the bank's events."""
    await road.bank(application, "open", ME)
    await road.bank(application, "sign", ME)
    first = await road.bank(application, "draw", ME, amount_fen=600_000)
    second = await road.bank(application, "draw", ME, amount_fen=400_000)
    await road.bank(application, "repay", ME, loan_no=first["loan_no"])
    await road.bank(application, "repay", ME, loan_no=second["loan_no"])
    status = await road.context.clients.mobile_bank.status(application.id)
    return [msgspec.to_builtins(event) for event in status.events]


async def test_events_in_any_order_end_in_the_same_story(road: Road, handed: Application) -> None:
    await silence(road)
    events = await at_the_bank(road, handed)
    assert [e["type"] for e in events] == ["signed", "drawn", "drawn", "repaid", "repaid"]
    for event in reversed(events):
        assert (await road.call("events", event)).status_code == 204
        await road.drain()
        if event["sequence"] > 1:
            assert (await road.see(handed)).status == "handed_off"
    assert (await road.see(handed)).status == "repaid"
    story = await road.events(handed)
    assert story[-5:] == ["signed", "drawn", "drawn_again", "repayment", "repaid"]


async def test_every_order_of_the_events_ends_in_the_same_story(
    road: Road, handed: Application, owner: asyncpg.Connection
) -> None:
    """All 120 orders of five events, each event followed by a try to apply, one of them sent twice (trust §1.5)."""
    await silence(road)
    events = [msgspec.convert(event, Event) for event in await at_the_bank(road, handed)]
    before = len(await road.events(handed))
    for number, order in enumerate(itertools.permutations(events)):
        for event in (*order, order[number % 5]):
            await receive_bank_event.receive_bank_event(road.context, event)
            await apply_bank_events.apply_bank_events(road.context, JIA, handed.id)
        story = (await road.events(handed))[before:]
        assert story == ["signed", "drawn", "drawn_again", "repayment", "repaid"], [e.sequence for e in order]
        async with road.db.read(JIA) as tx:
            mirrored = await loans.of_application(tx, handed.id)
            postings = [p for loan in mirrored for p in await loans.postings(tx, loan)]
        assert (len(mirrored), len(postings), sum(loan.outstanding_fen for loan in mirrored)) == (2, 4, 0)
        await as_handed_over(owner, before)


async def as_handed_over(owner: asyncpg.Connection, events: int) -> None:
    """Back to the moment before the bank reported anything, behind the triggers that forbid it."""
    async with owner.transaction():
        await owner.execute("set local session_replication_role = replica")
        for table in ("loans.postings", "loans.loans", "outbox.inbox", "outbox.effects"):
            await owner.execute(f"delete from {table}")
        await owner.execute("delete from applications.events where seq > $1", events)
        await owner.execute("update applications.applications set status = 'handed_off'")
        await owner.execute(
            "update contracts.contracts set status = 'ready', bank_sequence = 0, signature_no = null, line_no = null"
        )


async def test_interest_beyond_the_disclosure_is_an_incident_with_an_owner(
    road: Road, handed: Application
) -> None:
    """D2-09: the books follow the money, and a person is told to look; once."""
    await silence(road)
    events = await at_the_bank(road, handed)
    for event in events:
        if event["type"] == "repaid":
            event["interest_fen"] = 5_000
        assert (await road.call("events", event)).status_code == 204
    await road.drain()
    assert (await road.see(handed)).status == "repaid"
    story = await road.events(handed)
    assert story.count("charged_beyond_disclosure") == 1
    async with road.db.read(JIA) as tx:
        [ticket] = await tickets.list_open(tx)
    assert "收的利息比明示表多" in ticket.text
    assert handed.application_no in ticket.text


async def test_interest_as_disclosed_is_no_incident(road: Road, handed: Application) -> None:
    """Paid late, early and in parts: what the core charges by the day is what the 明示表 allows."""
    await road.bank(handed, "open", ME)
    await road.bank(handed, "sign", ME)
    loan = await road.bank(handed, "draw", ME, amount_fen=1_000_000)
    for days, amount in ((17, 100_000), (60, 200_001), (200, 0)):
        with clock.at(clock.now() + timedelta(days=days)):
            await road.bank(handed, "repay", ME, loan_no=loan["loan_no"], amount_fen=amount)
    with clock.at(clock.now() + timedelta(days=201)):
        await road.settle()
        await road.drain()
    assert (await road.see(handed)).status == "repaid"
    assert "charged_beyond_disclosure" not in await road.events(handed)


async def test_a_line_used_again_after_it_was_paid_back(road: Road, handed: Application) -> None:
    """A3-13: the case is in use again, the contract stands, and everything holds."""
    await silence(road)
    await at_the_bank(road, handed)
    await road.bank(handed, "draw", ME, amount_fen=200_000)
    status = await road.context.clients.mobile_bank.status(handed.id)
    for event in reversed(status.events):
        await road.call("events", msgspec.to_builtins(event))
    await road.drain()
    assert (await road.see(handed)).status == "drawn"
    assert (await road.contract(handed)).status == "signed"
    await road.later(minutes=5)
    assert await invariants.ask(road.db) == {}


async def test_every_event_three_times_counts_once(road: Road, handed: Application) -> None:
    await silence(road)
    events = await at_the_bank(road, handed)
    for event in itertools.chain.from_iterable([e, e, e] for e in events):
        assert (await road.call("events", event)).status_code == 204
    await road.drain()
    await road.later(minutes=2)
    async with road.db.read(JIA) as tx:
        mirrored = await loans.of_application(tx, handed.id)
        postings = [p for loan in mirrored for p in await loans.postings(tx, loan)]
    assert sum(loan.amount_fen for loan in mirrored) == 1_000_000
    assert len(postings) == 4
    assert await invariants.ask(road.db) == {}


async def test_duplicated_and_reordered_callbacks_of_the_bank_itself(road: Road, handed: Application) -> None:
    await road.fault("mobile_bank", "callback", "duplicate", times=3)
    await road.bank(handed, "open", ME)
    await road.fault("mobile_bank", "callback", "reorder", times=1)
    await road.bank(handed, "sign", ME)
    await road.bank(handed, "draw", ME, amount_fen=500_000)
    await road.settle()
    assert (await road.see(handed)).status == "drawn"
    story = await road.events(handed)
    assert (story.count("signed"), story.count("drawn")) == (1, 1)


async def test_lost_callbacks_are_found_by_asking(road: Road, handed: Application) -> None:
    await silence(road)
    await at_the_bank(road, handed)
    assert (await road.see(handed)).status == "handed_off"
    with clock.at(clock.now() + timedelta(minutes=5)):
        assert await poll_bank.poll_bank(road.context) == 5
    assert (await road.see(handed)).status == "repaid"


async def test_lost_callbacks_are_found_in_the_days_file_and_counted(road: Road, handed: Application) -> None:
    await silence(road)
    await at_the_bank(road, handed)
    assert await reconcile_bank.reconcile_bank(road.context) == 5
    assert (await road.see(handed)).status == "repaid"
    assert await reconcile_bank.reconcile_bank(road.context) == 0
    async with road.db.read(JIA) as tx:
        [today] = [r for r in await loans.reconciliations(tx) if r.bank_day == clock.today()]
    assert (today.events, today.healed, today.unexplained) == (5, 5, 0)


async def test_days_on_which_nothing_could_be_compared_are_made_up_for(
    road: Road, handed: Application
) -> None:
    """A line used again after it was paid back is not asked about; only the day's file tells of it (A3-13)."""
    await reconcile_bank.reconcile_bank(road.context)
    await silence(road)
    await at_the_bank(road, handed)
    with clock.at(clock.now() + timedelta(days=4)):
        assert await reconcile_bank.reconcile_bank(road.context) == 5
        async with road.db.read(JIA) as tx:
            days = [r.bank_day for r in await loans.reconciliations(tx)]
    assert days == [clock.today() + timedelta(days=n) for n in (4, 3, 2, 1, 0, -1)]
    assert (await road.see(handed)).status == "repaid"


async def test_polling_stops_quietly_when_the_bank_is_down(road: Road, handed: Application) -> None:
    await road.fault("mobile_bank", "*", "status", times=20, status=503)
    with clock.at(clock.now() + timedelta(minutes=5)):
        assert await poll_bank.poll_bank(road.context) == 0
    assert (await road.see(handed)).status == "handed_off"


async def test_documents_other_than_ours_are_an_incident_and_nothing_moves(
    road: Road, handed: Application
) -> None:
    await silence(road)
    [signed, *_] = await at_the_bank(road, handed)
    altered = {**signed, "document_hashes": ["0" * 64, *signed["document_hashes"][1:]]}
    assert (await road.call("events", altered)).status_code == 204
    await road.drain()
    assert (await road.see(handed)).status == "handed_off"
    async with road.db.read(JIA) as tx:
        [letter] = await effects.dead(tx)
    assert letter.last_error == "signed_other_documents"


async def test_more_repaid_than_owed_is_an_incident(road: Road, handed: Application) -> None:
    await silence(road)
    events = await at_the_bank(road, handed)
    events[3] = {**events[3], "principal_fen": events[3]["principal_fen"] + 1}
    for event in events:
        await road.call("events", event)
    await road.drain()
    assert (await road.see(handed)).status == "handed_off"  # the sequence is applied whole or not at all
    async with road.db.read(JIA) as tx:
        assert {letter.last_error for letter in await effects.dead(tx)} == {"loan_contradicts"}


async def test_an_event_for_another_county_or_contract_is_refused(road: Road, handed: Application) -> None:
    await silence(road)
    [signed, *_] = await at_the_bank(road, handed)
    stray = await road.call("events", {**signed, "institution_id": "4102"})
    wrong = await road.call("events", {**signed, "contract_no": "x"})
    nobody = await road.call("events", {**signed, "application_id": ids.new()})
    assert [r.status_code for r in (stray, wrong, nobody)] == [404, 422, 404]


async def test_a_cancellation_at_the_bank_ends_the_case(road: Road, handed: Application) -> None:
    await road.bank(handed, "cancel", ME, reason="不需要了")
    await road.settle()
    assert (await road.see(handed)).status == "cancelled"
    assert (await road.contract(handed)).status == "void"
    package = await road.call("package", {"application_id": handed.id, "customer_hash": road.hash_of(ME)})
    assert (package.status_code, package.json()["code"]) == (410, "offer_gone")
