"""The bank asks before it pays out: allowed, held or refused, stored like a decision (A7-06, A3-25, D1-10)."""

from datetime import timedelta
from typing import Any

import asyncpg
import msgspec
import pytest

from backend.core import clock
from backend.core.actor import Actor
from backend.demo import staff_id
from backend.domains.applications.model import Application
from backend.domains.channels import tickets
from backend.domains.customers import freezing
from backend.domains.decision import moments
from backend.domains.decision.model import Stage
from backend.domains.post_loan import drawdowns, warnings
from backend.domains.post_loan.model import CheckMissing
from backend.flows import answer_drawdown
from backend.overview import application_result

from .conftest import JIA, Road, id_number

ME = id_number(141)
REVIEWER = Actor("staff", staff_id("4101", 4), "4101", frozenset({"reviewer"}), "陈审")


@pytest.fixture
async def signed(road: Road) -> Application:
    """A line at the bank, nothing drawn."""
    application = await road.hand_off(await road.apply(ME))
    await road.bank(application, "open", ME)
    await road.bank(application, "sign", ME)
    await road.settle()
    return await road.see(application)


async def tap(
    road: Road, application: Application, amount_fen: int = 300_000, **more: Any
) -> tuple[int, Any]:
    """用款 tapped in the bank's app."""
    body = {"id_number": ME, "amount_fen": amount_fen, **more}
    reply = await road.sandbox.post(f"/bank/api/{application.id}/draw", json=body)
    return reply.status_code, reply.json()


async def checks(owner: asyncpg.Connection) -> list[str]:
    rows = await owner.fetch("select status from post_loan.drawdown_checks order by asked_at")
    return [row["status"] for row in rows]


async def told(road: Road, application: Application) -> str:
    async with road.db.read(JIA) as tx:
        return (await application_result.of(tx, await road.see_in(tx, application))).drawdown


async def test_an_allowed_drawdown_is_stored_with_facts_versions_and_trace_and_replays(
    road: Road, signed: Application, owner: asyncpg.Connection
) -> None:
    status, loan = await tap(road, signed)
    assert status == 200, loan
    await road.settle()
    assert await checks(owner) == ["used"]
    assert (await road.see(signed)).status == "drawn"
    async with road.db.read(JIA) as tx:
        kept = await moments.last_of(tx, signed.id, Stage.DRAWDOWN_CHECK)
        assert kept is not None
        facts = kept.opened.case.sources["credit_lines"].facts
        assert (facts["line_status"], facts["drawdown_payee"], facts["line_warning"]) == (
            "active",
            "self",
            "none",
        )
        assert kept.outcome == "allowed"
        assert kept.opened.assessment.trace
        assert await moments.replay(tx, kept.id) == (True, True)
    assert "drawdown_allowed" in await road.events(signed)
    acts = await owner.fetch("select action from audit.entries where action like 'drawdown.%'")
    assert [row["action"] for row in acts] == ["drawdown.allowed"]
    sealed = await owner.fetchval("select capsule from decision.assessments")
    assert b"line_status" not in bytes(sealed)
    assert await told(road, signed) == ""


async def test_too_much_is_refused_in_a_plain_sentence_and_nothing_goes_out(
    road: Road, signed: Application, owner: asyncpg.Connection
) -> None:
    status, body = await tap(road, signed, 99_000_000)
    assert (status, body["code"]) == (409, "drawdown_refused")
    assert "可用额度是" in body["message"]
    assert await checks(owner) == ["refused"]
    assert "990,000 元没有放出来：可用额度是" in await told(road, signed)
    assert not [row for row in await road.ledger("core_banking") if row["effect"] == "loan_posted"]


async def test_a_core_system_that_is_down_never_lets_money_out(
    road: Road, signed: Application, owner: asyncpg.Connection
) -> None:
    await road.fault("core_banking", "lines", "status", times=20, status=503)
    status, body = await tap(road, signed)
    assert (status, body["code"]) == (409, "drawdown_held")
    assert "请过几分钟再试" in body["message"]
    async with road.db.read(JIA) as tx:
        assert await drawdowns.held(tx) == [], "nothing a person could find out"
    await road.sandbox.delete("/control/faults")
    assert (await tap(road, signed))[0] == 200
    await road.settle()
    assert await checks(owner) == ["held", "used"]


async def test_a_strategy_that_no_longer_passes_lets_nothing_out(
    road: Road, signed: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def none(*_: object) -> None:
        return None

    monkeypatch.setattr(moments, "live", none)
    assert (await tap(road, signed))[0] == 409


async def test_a_stranger_as_payee_waits_for_a_person_whose_word_is_good_for_this_drawdown_once(
    road: Road, signed: Application, owner: asyncpg.Connection
) -> None:
    trader = {"payee_account": "6212340000000001"}
    assert (await tap(road, signed, **trader))[1]["code"] == "drawdown_held"
    assert "先等一等：收款人还没有核实" in await told(road, signed)
    async with road.db.read(JIA) as tx:
        [held] = await drawdowns.held(tx)
    stranger = Actor("staff", staff_id("4101", 2), "4101", frozenset({"officer"}), "王五")
    with pytest.raises(CheckMissing):
        await answer_drawdown.answer_drawdown(road.db, stranger, held.id, "released", "问过了，是农资店")
    await answer_drawdown.answer_drawdown(road.db, REVIEWER, held.id, "released", "问过了，是农资店")
    assert "再点一次" in await told(road, signed)
    status, body = await tap(road, signed, 400_000, payee_account="6212340000000009")
    assert (status, body["code"]) == (409, "drawdown_held"), "another payee is another question"
    assert (await tap(road, signed, **trader))[0] == 200
    await road.settle()
    assert await checks(owner) == ["released", "held", "used"], "the payee is known from now on"
    assert "drawn_unchecked" not in await road.events(signed)


async def test_a_release_does_not_outweigh_what_the_person_did_not_see(
    road: Road, signed: Application, owner: asyncpg.Connection
) -> None:
    await warn(road, signed, "visit")
    assert (await tap(road, signed))[1]["code"] == "drawdown_held"
    async with road.db.read(JIA) as tx:
        [held] = await drawdowns.held(tx)
    await answer_drawdown.answer_drawdown(road.db, REVIEWER, held.id, "released", "上门看过，都在")
    await warn(road, signed, "freeze")
    assert (await tap(road, signed))[1]["code"] == "drawdown_refused"
    assert await checks(owner) == ["released", "refused"]


async def warn(road: Road, application: Application, action: str) -> None:
    async with road.db.begin(JIA) as tx:
        kept = await moments.last_of(tx, application.id, Stage.DRAWDOWN_CHECK)
        number = kept.id if kept else await _any_assessment(tx, application)
        assert application.customer_id is not None
        signal = warnings.Signal(
            application_id=application.id, customer_id=application.customer_id, owner_id=None, action=action,
            codes=(f"EW_{action}",), said="有新的被执行记录", assessment_id=number,
        )  # fmt: skip
        assert await warnings.signalled(tx, signal, clock.today(), clock.today(), clock.today())


async def _any_assessment(tx: Any, application: Application) -> str:
    from backend.domains.decision.model import Case

    case = Case(product=application.product_code, as_of=tx.now, sources={})
    said = moments.say(Stage.EARLY_WARNING, case, await moments.live(tx, "SXD", Stage.EARLY_WARNING))
    return await moments.record(tx, case, said, subject="test", application_id=application.id)


async def test_a_freeze_stops_further_drawdowns_until_it_is_lifted(road: Road, signed: Application) -> None:
    """A6-06."""
    assert (await tap(road, signed))[0] == 200
    await road.settle()
    await warn(road, signed, "freeze")
    status, body = await tap(road, signed)
    assert (status, body["code"]) == (409, "drawdown_refused")
    assert "额度暂时不能用" in body["message"]


async def test_who_is_frozen_draws_nothing(road: Road, signed: Application) -> None:
    async with road.db.begin(JIA) as tx:
        await freezing.freeze(tx, signed.customer_id or "", "疑似冒名")
    assert (await tap(road, signed))[0] == 409
    assert not [row for row in await road.ledger("core_banking") if row["effect"] == "loan_posted"]


async def question(road: Road, application: Application, **changed: Any) -> dict[str, Any]:
    contract = await road.contract(application)
    return {
        "application_id": application.id, "customer_hash": road.hash_of(ME), "request_no": "YK77",
        "line_no": contract.line_no, "amount_fen": 200_000, "account_no": "x", **changed,
    }  # fmt: skip


async def freeze(road: Road, application: Application) -> None:
    assert application.customer_id
    async with road.db.begin(JIA) as tx:
        await freezing.freeze(tx, application.customer_id, "核实身份")


@pytest.mark.parametrize("what", ["warning", "frozen"])
async def test_what_changes_while_the_bank_asks_is_not_answered_over(
    road: Road, signed: Application, owner: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    asked = road.context.clients.core_banking.line
    known = await road.context.clients.core_banking.find_customer(id_number=ME)

    async def and_then(line_no: str) -> Any:
        line = await asked(line_no)
        monkeypatch.undo()
        await (freeze(road, signed) if what == "frozen" else warn(road, signed, "freeze"))
        return line

    monkeypatch.setattr(type(road.context.clients.core_banking), "line", staticmethod(and_then))
    body = await question(road, signed, account_no=known.accounts[0].account_no)
    first = await road.call("drawdown", body)
    assert (first.status_code, first.json()["code"]) == (503, "drawdown_standing_changed")
    assert await checks(owner) == [], "nothing is kept, so the bank asks again under the same number"
    again = await road.call("drawdown", body)
    assert (again.status_code, again.json()["answer"] == "allow") == (200, False)


async def test_the_same_question_has_one_answer_and_another_under_its_number_none(
    road: Road, signed: Application, owner: asyncpg.Connection
) -> None:
    body = await question(road, signed)
    first, again = await road.call("drawdown", body), await road.call("drawdown", body)
    assert first.json() == again.json()
    assert first.json()["answer"] == "hold", "an account nobody knows is no fact"
    assert len(await checks(owner)) == 1
    other = await road.call("drawdown", body | {"amount_fen": 300_000})
    assert (other.status_code, other.json()["code"]) == (409, "drawdown_request_reused")


async def test_a_line_of_another_contract_allows_nothing(road: Road, signed: Application) -> None:
    other = id_number(142)
    theirs = await road.hand_off(await road.apply(other))
    await road.bank(theirs, "open", other)
    await road.bank(theirs, "sign", other)
    await road.settle()
    line_no = (await road.contract(theirs)).line_no
    reply = await road.call("drawdown", await question(road, signed, line_no=line_no))
    assert reply.json()["answer"] == "hold"


async def test_money_that_went_out_without_our_leave_is_an_incident_with_an_owner(
    road: Road, signed: Application
) -> None:
    """D1-10: the books follow the money, and a person is told."""
    assert (await tap(road, signed))[0] == 200
    await road.settle()
    status = await road.context.clients.mobile_bank.status(signed.id)
    [drawn] = [msgspec.to_builtins(event) for event in status.events if event.type == "drawn"]
    forged = drawn | {"event_id": "e99", "sequence": drawn["sequence"] + 1, "loan_no": "JJ0000099999"}
    assert (await road.call("events", forged)).status_code == 204
    await road.drain()
    assert "drawn_unchecked" in await road.events(signed)
    async with road.db.read(JIA) as tx:
        [ticket] = await tickets.list_open(tx)
    assert "没有对应的用款核查" in ticket.text


async def test_an_allowance_runs_out(road: Road, signed: Application) -> None:
    assert (await tap(road, signed))[0] == 200
    async with road.db.begin(JIA) as tx:
        later = tx.now + timedelta(hours=2)
        assert not await drawdowns.use(tx, signed.id, "JJ1", 300_000, later)


async def test_an_instalment_that_was_not_paid_stops_the_next_drawdown(
    road: Road, signed: Application
) -> None:
    """From our own mirror and the contract's plan."""
    assert (await tap(road, signed))[0] == 200
    await road.settle()
    with clock.at(clock.now() + timedelta(days=45)):
        status, body = await tap(road, signed)
    assert (status, body["code"]) == (409, "drawdown_refused")
    assert "还有逾期没有还清" in body["message"]
