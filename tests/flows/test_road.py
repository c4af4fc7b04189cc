"""The straight road, and every other way a decision can end."""

import asyncio
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from structlog.testing import capture_logs

from backend import __main__ as command_line
from backend.core import clock
from backend.domains.applications.declarations import INCOMES
from backend.domains.customers import consents
from backend.domains.customers.consent_texts import Purpose
from backend.domains.decision import service as decisions
from backend.domains.evidence import service as evidence
from backend.domains.loans import service as loans
from backend.domains.reviews import service as reviews
from backend.flows import decide_application, resume_held, submit_application
from backend.jobs import handlers
from backend.outbox import effects
from backend.overview import application_result, invariants

from .conftest import JIA, Road, id_number


async def result(road: Road, application: Any) -> application_result.ApplicationResult:
    async with road.db.read(JIA) as tx:
        return await application_result.of(tx, await road.see_in(tx, application))


async def test_an_approved_application_is_signed_drawn_and_repaid(road: Road) -> None:
    number = id_number()
    application = await road.apply(number)
    assert application.status == "approved"

    application = await road.hand_off(application)
    assert application.status == "handed_off"
    await road.bank(application, "open", number)
    await road.bank(application, "sign", number)
    await road.settle()
    assert (await road.see(application)).status == "signed"

    loan = await road.bank(application, "draw", number, amount_fen=1_000_000)
    await road.settle()
    assert (await road.see(application)).status == "drawn"
    await road.bank(application, "repay", number, loan_no=loan["loan_no"], amount_fen=400_000)
    await road.settle()
    assert (await road.see(application)).status == "drawn"
    await road.bank(application, "repay", number, loan_no=loan["loan_no"])
    await road.settle()
    await road.later(minutes=1)

    assert (await road.see(application)).status == "repaid"
    assert (await road.contract(application)).status == "completed"
    async with road.db.read(JIA) as tx:
        [mirrored] = await loans.of_application(tx, application.id)
        assert (mirrored.amount_fen, mirrored.outstanding_fen, mirrored.status) == (1_000_000, 0, "paid_off")
        assert [p.principal_fen for p in await loans.postings(tx, mirrored)] == [1_000_000, 400_000, 600_000]
    assert await invariants.ask(road.db) == {}
    offered = [row["effect"] for row in await road.ledger("mobile_bank")]
    assert offered == ["offer_received", "offer_signed", "offer_drawn", "offer_repaid", "offer_repaid"]


async def test_the_page_shows_the_checks_as_they_happen_and_then_the_offer(road: Road) -> None:
    application = await road.apply(id_number())
    events = await road.events(application)
    assert events.index("asked.identity_check") < events.index("got.identity_check")
    assert events.index("got.identity_check") < events.index("asked.credit_bureau")  # D3-09

    page = await result(road, application)
    assert page.offer is not None
    assert page.offer.limit_fen == (await road.contract(application)).limit_fen
    assert page.offer.all_in_cost == page.offer.annual_rate  # no fees: the all-in cost is the rate (N3)
    assert sum(i.principal_fen for i in page.offer.schedule) == page.offer.limit_fen
    assert [s.state for s in page.steps][:3] == ["done", "done", "now"]


async def test_a_declined_application_says_why_and_what_would_help(road: Road) -> None:
    application = await road.apply(id_number(), script={"preset": "queries"})
    assert application.status == "declined"
    page = await result(road, application)
    assert page.offer is None
    assert page.reasons
    assert all(reason.effect == "minus" for reason in page.reasons)
    assert [step.label for step in page.steps] == ["提交申请", "没有通过"]


async def test_a_case_without_proof_of_income_goes_to_a_person_with_a_promise(road: Road) -> None:
    application = await road.apply(id_number(), script={"preset": "no_income"})
    assert application.status == "referred"
    assert application.promised_at is not None
    assert timedelta(days=1) < application.promised_at - clock.now() < timedelta(days=7)
    async with road.db.read(JIA) as tx:
        [review] = await reviews.waiting(tx)
    assert (review.application_id, review.kind) == (application.id, "referred")


async def test_somebody_elses_id_number_is_declined_and_the_bureau_never_asked(road: Road) -> None:
    application = await road.apply(id_number(), script={"name": "王五"})
    assert application.status == "declined"
    assert await road.ledger("credit_bureau") == []


async def test_a_missing_fact_is_referred_and_never_approved(road: Road) -> None:
    application = await road.apply(id_number(), script={"preset": "missing"})
    assert application.status == "referred"


async def test_without_the_face_a_person_decides(road: Road) -> None:
    number = id_number()
    await road.person(number, preset="good", phone="match")
    application = await road.draft(number, liveness="declined")
    await road.submit(application)
    await road.drain()
    assert (await road.see(application)).status == "referred"


async def test_a_consent_withdrawn_after_the_submission_stops_the_question(road: Road) -> None:
    number = id_number()
    await road.person(number, preset="good", phone="match")
    application = await road.draft(number)
    await road.submit(application)
    async with road.db.begin(JIA) as tx:
        assert application.customer_id
        await consents.withdraw(tx, application.customer_id, Purpose.BUREAU_QUERY)
    await road.drain()
    assert (await road.see(application)).status == "referred"
    assert await road.ledger("credit_bureau") == []


@pytest.mark.parametrize("system", ["credit_bureau", "identity_check", "core_banking", "data_platform"])
async def test_a_system_that_is_down_holds_the_case_with_a_promise(road: Road, system: str) -> None:
    number = id_number()
    await road.person(number, preset="good", phone="match")
    application = await road.draft(number)
    await road.fault(system, "*", "status", times=50, status=503)
    await road.submit(application)
    await road.drain()

    held = await road.see(application)
    assert held.status == "held"
    assert held.promised_at == held.submitted_at + decide_application.HELD_FOR
    page = await result(road, application)
    assert page.waiting_for
    with clock.at(clock.now() + timedelta(minutes=1)):
        assert await resume_held.resume_held(road.context) == 0  # still down: nothing changes, no noise
    before = await road.events(application)

    await road.sandbox.delete("/control/faults")
    with clock.at(clock.now() + timedelta(minutes=2)):
        assert await resume_held.resume_held(road.context) == 1
    assert (await road.see(application)).status == "approved"
    assert (await road.events(application))[len(before) :] == ["resumed", "approved"]
    queries = [row["effect"] for row in await road.ledger("credit_bureau")]
    assert queries == ["report_queried"]  # asked once, paid once


async def test_a_system_down_for_too_long_hands_the_case_to_a_person(road: Road) -> None:
    number = id_number()
    await road.person(number, preset="good", phone="match", bureau="down")
    application = await road.draft(number)
    await road.submit(application)
    await road.drain()
    assert (await road.see(application)).status == "held"
    with clock.at(clock.now() + decide_application.HELD_FOR + timedelta(minutes=1)):
        await resume_held.resume_held(road.context)
    assert (await road.see(application)).status == "referred"
    async with road.db.read(JIA) as tx:
        recorded = await decisions.latest_for(tx, application.id)
        assert recorded is not None
        assert "DATA_CREDIT_BUREAU" in [r.code for r in recorded.opened.decision.reasons]


async def test_every_query_carries_its_consent_and_is_kept_sealed(road: Road) -> None:
    application = await road.apply(id_number())
    async with road.db.read(JIA) as tx:
        answers = await evidence.answers(tx, application.id)
        rows = await tx.connection.fetch("select source, facts, raw from evidence.answers")
    assert set(answers) == {"identity_check", "core_banking", "data_platform", "credit_bureau"}
    assert all(answers[s].consent_id for s in answers if s != "core_banking")
    assert all(b"bureau_found" not in row["facts"] + row["raw"] for row in rows)


async def test_replaying_the_decision_gives_the_same_bytes(road: Road) -> None:
    application = await road.apply(id_number())
    async with road.db.read(JIA) as tx:
        recorded = await decisions.latest_for(tx, application.id)
        assert recorded is not None
        again = await decisions.replay(tx, recorded.id)
    assert again.same_bytes
    assert again.untouched


async def test_the_replay_command_takes_the_number_a_customer_reads_out(
    road: Road, database_dsn: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    application = await road.apply(id_number())
    monkeypatch.setenv("DATABASE_URL", database_dsn)
    monkeypatch.setenv("DATABASE_OWNER_URL", database_dsn)
    assert await asyncio.to_thread(command_line.main, ["replay", application.application_no, "--json"]) == 0
    assert '"same_bytes":true' in capsys.readouterr().out
    assert await asyncio.to_thread(command_line.main, ["replay", "999999999999"]) == 2
    assert capsys.readouterr().err == "没有找到这次的审批结果\n"


async def test_the_sources_are_asked_at_once_and_the_bureau_after_the_identity(road: Road) -> None:
    """Three questions go out before the first answer is in (each answers late)."""
    for source in ("identity_check", "core_banking", "data_platform"):
        await road.fault(source, "*", "delay", seconds=0.5)
    application = await road.apply(id_number())
    story = await road.events(application)
    first_answer = min(n for n, event in enumerate(story) if event.startswith("got."))
    asked = {event for event in story[:first_answer] if event.startswith("asked.")}
    assert asked == {"asked.identity_check", "asked.core_banking", "asked.data_platform"}


async def test_two_products_at_once_never_promise_more_than_the_cap(road: Road) -> None:
    """What is approved but not yet booked counts towards 200,000 yuan (D1-01)."""
    number = id_number()
    rich = {"core_payroll_average": 5_000_000, "core_deposit_average_6m": 200_000_000,
            "core_inflow_12m": 60_000_000, "bureau_internet_consumer_credit": 8_000_000}  # fmt: skip
    await road.person(number, preset="good", phone="match", profile=rich)
    first = await road.draft(number, amount_fen=20_000_000, income_band="over_200k")
    second = await road.draft(number, amount_fen=10_000_000, product="LLHM", income_band="over_200k")
    await road.submit(first)
    await road.submit(second)
    await road.drain()
    await road.later(minutes=1)
    promised = [
        (await road.contract(a)).limit_fen
        for a in (first, second)
        if (await road.see(a)).status == "approved"
    ]
    assert promised
    assert sum(promised) + 8_000_000 <= 20_000_000


async def test_a_signed_line_counts_before_the_bureau_knows_of_it(road: Road) -> None:
    """D1-01: what is no longer promised because it was signed is in the core's books."""
    number = id_number()
    rich = {"core_payroll_average": 5_000_000, "core_deposit_average_6m": 200_000_000,
            "core_inflow_12m": 60_000_000, "core_internet_credit_granted": 8_000_000}  # fmt: skip
    first = await road.apply(number, script={"profile": rich}, amount_fen=20_000_000, income_band="over_200k")
    first = await road.hand_off(first)
    await road.bank(first, "open", number)
    await road.bank(first, "sign", number)
    await road.settle()
    second = await road.draft(number, amount_fen=10_000_000, product="LLHM", income_band="over_200k")
    await road.submit(second)
    await road.drain()
    limits = [
        (await road.contract(a)).limit_fen
        for a in (first, second)
        if (await road.see(a)).status != "declined"
    ]
    assert limits[0] > 6_000_000
    assert sum(limits) + 8_000_000 <= 20_000_000


def test_declared_incomes_rise_from_band_to_band() -> None:
    amounts = [income.annual_fen for income in INCOMES.values()]
    assert amounts == sorted(amounts)


async def test_the_decision_records_its_own_delivery_and_overtakes_the_word_that_it_came(road: Road) -> None:
    application = await road.apply(id_number())
    async with road.db.read(JIA) as tx:
        states = {
            each.kind + each.key.rpartition(":")[2]: each
            for each in await effects.of_case(tx, application.id)
        }
        decided = await decisions.latest_for(tx, application.id)
    asked, word = states[f"{submit_application.DECIDE}{application.id}"], states["notify.statussubmitted"]
    assert decided is not None
    assert (asked.status, asked.attempts, asked.delivered_at) == ("delivered", 1, decided.decided_at)
    assert (word.status, word.attempts, word.delivered_at) == ("overtaken", 0, None)
    sent = [row["key"] for row in await road.ledger("sms")]
    assert sent == [f"notice:{application.id}:approved:sms"]


async def test_a_first_step_that_fails_leaves_the_case_to_the_handler(
    road: Road, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def fail(*_: object) -> object:
        raise RuntimeError("planted")

    joined = handlers.HANDLERS[submit_application.DECIDE]
    assert isinstance(joined, handlers.Joined)
    monkeypatch.setitem(
        handlers.HANDLERS, submit_application.DECIDE, msgspec.structs.replace(joined, begin=fail)
    )
    with capture_logs() as said:
        application = await road.apply(id_number())
    assert application.status == "approved"
    [told] = [each for each in said if each["event"] == "lease without its first step"]
    assert (told["log_level"], told["error"]) == ("error", "RuntimeError"), (
        "nobody waits for it, so it is said"
    )
    async with road.db.read(JIA) as tx:
        asked = next(
            e for e in await effects.of_case(tx, application.id) if e.kind == submit_application.DECIDE
        )
    assert (asked.status, asked.attempts) == ("delivered", 1)
