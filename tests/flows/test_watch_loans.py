"""Every night each line with a loan is looked at; signals become acts with an owner, and a freeze stops drawdowns
(A6-06, A3-25)."""

from datetime import date, datetime, timedelta
from decimal import Decimal

import asyncpg
import pytest

from backend.core import clock, money
from backend.core.actor import Actor, everywhere, system
from backend.demo import staff_id
from backend.domains.applications.model import Application
from backend.domains.customers import consents
from backend.domains.customers.consent_texts import Purpose
from backend.domains.decision import moments
from backend.domains.decision.model import Stage
from backend.domains.loans import rules as loan_rules
from backend.domains.loans import service as loans
from backend.domains.post_loan import looks, warnings
from backend.domains.post_loan.model import Warning
from backend.flows import answer_warning, loan_standing, watch_loans
from backend.overview import invariants, warning_outcomes

from .conftest import JIA, Road, id_number

ME = id_number(161)
OFFICER = staff_id("4101", 1)


@pytest.fixture
async def drawn(road: Road, owner: asyncpg.Connection) -> Application:
    """A loan of 3,000 yuan, an officer who looks after it."""
    application = await road.hand_off(await road.apply(ME))
    await owner.execute(
        "update applications.applications set officer_id = $1 where id = $2", OFFICER, application.id
    )
    for act, more in (("open", {}), ("sign", {}), ("draw", {"amount_fen": 300_000})):
        await road.bank(application, act, ME, **more)
    await road.settle()
    return await road.see(application)


async def night(road: Road, days: float) -> int:
    """The night so many days from now."""
    with clock.at(clock.now() + timedelta(days=days)):
        return await watch_loans.watch_loans(road.context)


async def standing(road: Road, application: Application) -> list[Warning]:
    async with road.db.read(JIA) as tx:
        found = await warnings.listed(tx, ["open", "standing"])
    return [each for each in found if each.application_id == application.id]


async def profile(road: Road, **facts: object) -> None:
    await road.person(ME, preset="good", phone="match", profile=facts)


async def test_a_line_paid_as_planned_is_looked_at_once_a_night_and_nothing_is_raised(
    road: Road, drawn: Application, owner: asyncpg.Connection
) -> None:
    assert await night(road, 1) == 1
    assert await night(road, 1) == 0
    assert await night(road, 2) == 1
    assert await standing(road, drawn) == []
    [row] = await owner.fetch("select outcome, gaps from post_loan.looks")
    assert (row["outcome"], row["gaps"]) == ("none", 0)


async def test_days_past_due_become_stricter_acts_with_the_officer_as_owner(
    road: Road, drawn: Application
) -> None:
    """SXD is repaid monthly: nothing is paid, the first instalment is due after a month."""
    due = await first_due(road, drawn)
    await night(road, due + 4)
    [found] = await standing(road, drawn)
    assert (found.action, found.codes, found.owner_id) == ("watch", ("EW_DPD_SHORT",), OFFICER)
    await night(road, due + 12)
    [found] = await standing(road, drawn)
    assert (found.action, found.status) == ("call", "open")
    assert "逾期 12 天" in found.said
    await night(road, due + 14)
    assert (await road.events(drawn)).count("warning_raised") == 2, "the same again raises nothing"
    async with road.db.read(JIA) as tx:
        kept = await moments.last_of(tx, drawn.id, Stage.EARLY_WARNING)
        assert kept is not None
        assert await moments.replay(tx, kept.id) == (True, True)
        officers = await warnings.of_owner(tx, OFFICER)
    assert [each.id for each in officers] == [found.id]


async def test_whether_a_warning_came_true_is_known_of_the_own_lines_when_its_time_is_over(
    road: Road, drawn: Application, owner: asyncpg.Connection
) -> None:
    """30 days past due within 90 days after it, by the dated row; sooner nobody knows (A6-06)."""
    due = await first_due(road, drawn)
    await night(road, due + 4)
    raised = clock.today() + timedelta(days=due + 4)

    async def outcomes(days: int) -> tuple[dict[str, int], dict[str, int]]:
        today = raised + timedelta(days=days)
        async with road.db.read(JIA) as tx:
            found = await warning_outcomes.warning_outcomes(tx, today - timedelta(days=180), today)
        return found.known, found.true

    assert await outcomes(89) == ({}, {})
    assert await outcomes(90) == ({"watch": 1}, {"watch": 1})
    async with road.db.read(system("4102", "test")) as tx:
        elsewhere = await warning_outcomes.warning_outcomes(tx, raised, raised + timedelta(days=90))
    assert elsewhere.known == {}, "another county's lines are not its own"
    await owner.execute(
        "insert into loans.postings (institution_id, event_id, loan_id, kind, principal, interest, outstanding, at) "
        "select institution_id, 'all', id, 'repaid', amount, 900, 0, $1 from loans.loans",
        clock.now() + timedelta(days=due + 20),
    )
    assert await outcomes(90) == ({"watch": 1}, {"watch": 0}), "repaid before it was 30 days late"


def test_who_was_that_late_already_is_not_warned_of_any_more() -> None:
    start = date(2026, 1, 5)
    plan = money.schedule(300_000, Decimal("0.06"), 12, money.RepaymentMethod.EQUAL_INSTALMENTS, start)
    first = plan.instalments[0].due_on

    def fell(after: int, within: int) -> bool | None:
        since = first + timedelta(days=after)
        return loan_rules.fell_behind(plan, [], since, since + timedelta(days=within), 30)

    assert fell(30, 90) is None
    assert fell(29, 1) is True
    assert fell(5, 24) is False
    assert fell(5, 25) is True


async def first_due(road: Road, application: Application) -> int:
    """Days until the first instalment; nothing is in arrears before."""
    kept = await _kept(road, application)
    due_on = kept.plan.instalments[0].due_on
    assert kept.days_past_due(due_on) == 0
    assert kept.days_past_due(due_on + timedelta(days=3)) == 3
    return (due_on - clock.today()).days


async def test_a_frozen_account_freezes_the_line_until_a_reviewer_lifts_it(
    road: Road, drawn: Application, owner: asyncpg.Connection
) -> None:
    await road.sandbox.put(f"/control/people/{ME}", json={"name": "张三", "preset": "good", "phone": "match"})
    world = road.outside
    customer = world.store.get("core_customer", ME)
    frozen = [{**account, "status": "frozen"} for account in customer["accounts"]]
    world.store.put("core_customer", ME, {**customer, "accounts": frozen})
    await night(road, 1)
    [found] = await standing(road, drawn)
    assert (found.action, "EW_COURT" in found.codes) == ("freeze", True)
    world.store.put("core_customer", ME, customer)
    body = {"id_number": ME, "amount_fen": 200_000}
    reply = await road.sandbox.post(f"/bank/api/{drawn.id}/draw", json=body)
    assert (reply.status_code, reply.json()["code"]) == (409, "drawdown_refused")
    reviewer = Actor("staff", staff_id("4101", 4), "4101", frozenset({"reviewer"}), "陈审")
    await answer_warning.answer_warning(road.db, reviewer, found.id, "false_alarm", "误冻，法院已解冻")
    assert (await road.sandbox.post(f"/bank/api/{drawn.id}/draw", json=body)).status_code == 200
    async with road.db.read(JIA) as tx:
        [count] = await warnings.counts(tx, found.raised_on)
    assert (count.action, count.raised, count.answered, count.false_alarm_bp) == ("freeze", 1, 1, 10_000)


async def test_what_a_person_cleared_is_not_raised_again_by_the_same_signals(
    road: Road, drawn: Application
) -> None:
    due = await first_due(road, drawn)
    await night(road, due + 9)
    [found] = await standing(road, drawn)
    me = Actor("staff", OFFICER, "4101", frozenset({"officer"}), "李四")
    with clock.at(clock.now() + timedelta(days=due + 9)):
        await answer_warning.answer_warning(road.db, me, found.id, "handled", "说好十五号还，去过了")
    await night(road, due + 10)
    assert await standing(road, drawn) == []
    await night(road, due + 32)
    [again] = await standing(road, drawn)
    assert again.action == "freeze", "worse than what was cleared"


async def test_what_the_officer_saw_counts_the_next_night(road: Road, drawn: Application) -> None:
    due = await first_due(road, drawn)
    await night(road, due + 3)
    [found] = await standing(road, drawn)
    me = Actor("staff", OFFICER, "4101", frozenset({"officer"}), "李四")
    with clock.at(clock.now() + timedelta(days=due + 3)):
        await answer_warning.answer_warning(
            road.db, me, found.id, "stands", "钱没有进货，拿去还别家了", "misuse_confirmed"
        )
    await night(road, due + 4)
    [found] = await standing(road, drawn)
    assert (found.action, found.status, "EW_MISUSED" in found.codes) == ("freeze", "open", True)


async def test_a_core_system_that_is_down_leaves_the_line_for_later_and_then_for_a_watch(
    road: Road, drawn: Application
) -> None:
    assert await night(road, 1) == 1
    await road.fault("core_banking", "customers/find", "status", times=500, status=503)
    assert await night(road, 2) == 0
    assert await standing(road, drawn) == []
    assert await night(road, 4) == 1
    [found] = await standing(road, drawn)
    assert found.action == "watch"


async def test_the_bureau_is_asked_at_most_once_a_month_under_the_consent_that_covers_the_loan(
    road: Road, drawn: Application
) -> None:
    await profile(road, bureau_lenders_open=7)
    await night(road, 10)
    assert len(await asked_the_bureau(road)) == 1, "the report of the decision is fresh"
    await night(road, 31)
    await night(road, 40)
    assert len(await asked_the_bureau(road)) == 2
    async with road.db.read(JIA) as tx:
        assert [each.lenders for each in await looks.readings(tx, drawn.id)] == [7]
        kept = await moments.last_of(tx, drawn.id, Stage.EARLY_WARNING)
        assert kept is not None
        assert kept.opened.case.sources["post_loan"].facts["loan_new_lenders_3m"] == 6
    assert [each.action for each in await standing(road, drawn)] == ["freeze"]
    async with road.db.read(everywhere("test")) as tx:
        assert await invariants.questions_without_consent(tx) == []


async def test_nobody_is_asked_about_whose_consent_was_withdrawn(road: Road, drawn: Application) -> None:
    async with road.db.begin(JIA) as tx:
        await consents.withdraw(tx, str(drawn.customer_id), Purpose.BUREAU_QUERY)
    await night(road, 50)
    assert len(await asked_the_bureau(road)) == 1
    [found] = await standing(road, drawn)
    assert found.action != "none", "what is not known is looked at by a person"


async def asked_the_bureau(road: Road) -> list[object]:
    return [row for row in await road.ledger("credit_bureau") if row["effect"] == "report_queried"]


def test_new_lenders_are_counted_over_a_quarter_and_not_from_an_old_report() -> None:
    now = clock.now()

    def at(days: int, lenders: int) -> looks.Reading:
        return looks.Reading(read_at=now - timedelta(days=days), lenders=lenders)

    assert watch_loans.new_lenders([], now) is None
    assert watch_loans.new_lenders([at(50, 2)], now) is None
    assert watch_loans.new_lenders([at(40, 2)], now) == 0
    assert watch_loans.new_lenders([at(200, 1), at(95, 2), at(30, 6)], now) == 4
    assert watch_loans.new_lenders([at(60, 5), at(1, 3)], now) == 0


def test_a_change_is_in_the_range_of_the_catalogue() -> None:
    assert watch_loans.change_bp(100, 40) == -6000
    assert watch_loans.change_bp(0, 40) == 0
    assert watch_loans.change_bp(1, 10**9) == 1_000_000


async def test_paid_early_and_in_parts_is_no_arrears_and_late_counts_once(
    road: Road, drawn: Application
) -> None:
    """A6-06: interest is due for what is really owed; one instalment paid late was late once."""
    due = await first_due(road, drawn)
    [loan_no] = [each.loan_no for each in await _loans(road, drawn)]
    with clock.at(clock.now() + timedelta(days=due + 2)):
        await road.bank(drawn, "repay", ME, loan_no=loan_no)
        await road.settle()
        contract = await road.contract(drawn)
        async with road.db.read(JIA) as tx:
            assert await loan_standing.of_line(tx, contract) == [], "paid off"
    kept = await _kept(road, drawn)
    until = (clock.now() + timedelta(days=due + 5)).date()
    assert (kept.days_past_due(until), kept.times_late(until - timedelta(days=100), until)) == (0, 1)


async def _loans(road: Road, application: Application) -> list[loans.Loan]:
    async with road.db.read(JIA) as tx:
        return await loans.of_application(tx, application.id)


async def _kept(road: Road, application: Application) -> loan_rules.Kept:
    from backend.domains.products import rules as product_rules
    from backend.domains.products import service as products

    contract = await road.contract(application)
    async with road.db.read(JIA) as tx:
        [loan] = await loans.of_application(tx, application.id)
        product = await products.get_begun(tx, "4101", contract.product_code, contract.agreed_on)
        drawn_on: datetime = clock.local(loan.drawn_at)
        plan = product_rules.plan(
            product.terms, loan.amount_fen, contract.annual_rate, loan.term_months, contract.repayment_method,
            drawn_on.date(),
        )  # fmt: skip
        return loan_rules.Kept(loan, await loans.postings(tx, loan), plan)
