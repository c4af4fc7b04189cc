"""Automatic approvals looked at again by a person; a wrong one is a task, and the loan stays as it is (D2-07)."""

from datetime import timedelta
from decimal import Decimal

import asyncpg
import pytest

from backend.core import clock, ids
from backend.core.actor import Actor, system
from backend.domains.applications import service as applications
from backend.domains.decision import service as decisions
from backend.domains.models import watching
from backend.domains.regulation import service as regulation
from backend.domains.reviews import rechecks
from backend.domains.reviews.model import RecheckYours
from backend.flows import answer_recheck, observe_decisions, sample_recheck, settle_recheck
from backend.overview import model_monitors
from tests.domains.decision.conftest import decide, read, with_facts
from tests.domains.decision.test_standing import standing
from tests.flows.conftest import JIA, Road, id_number
from tests.h5.conftest import Desk, Desks, desks, road
from tests.h5.scene import recheck, referred

__all__ = ["desks", "road"]


async def everything_is_sampled(owner: asyncpg.Connection) -> None:
    await owner.execute("update regulation.parameters set value = '\"1.00\"' where key = 'recheck.share'")


async def approved(road: Road, serial: int):
    application = await road.apply(id_number(serial), amount_fen=500_000)
    assert application.status == "approved"
    return application


async def waiting(road: Road, status: str = "open") -> list:
    async with road.db.read(JIA) as tx:
        return await rechecks.listed(tx, status)


def test_the_sample_is_stable_and_as_large_as_the_rule_says() -> None:
    cases = [f"case-{number}" for number in range(20_000)]
    drawn = [case for case in cases if rechecks.sampled(case, Decimal("0.05"))]
    assert 850 < len(drawn) < 1150
    assert drawn == [case for case in cases if rechecks.sampled(case, Decimal("0.05"))]
    assert set(drawn) <= {case for case in cases if rechecks.sampled(case, Decimal("0.06"))}
    assert not any(rechecks.sampled(case, Decimal(0)) for case in cases)
    assert all(rechecks.sampled(case, Decimal(1)) for case in cases)


async def test_the_share_is_a_dated_rule(tx) -> None:
    assert (await regulation.in_force(tx, clock.today())).rate("recheck.share") == Decimal("0.05")


async def test_only_automatic_approvals_are_drawn_and_the_customer_waits_for_nothing(
    road: Road, owner: asyncpg.Connection
) -> None:
    await everything_is_sampled(owner)
    application = await approved(road, 521)
    await referred(road, owner, "4101", 522)
    declined = await road.apply(id_number(523), script={"preset": "queries"})
    assert declined.status == "declined"
    [found] = await waiting(road)
    assert (found.application_id, "sample" in found.triggers) == (application.id, True)


async def test_an_amount_at_the_cap_and_a_source_that_was_stood_in_for_are_drawn(tx) -> None:
    case = read("approved_payroll")
    amount = decide(case).amount_fen
    assert amount is not None
    capsule = decisions.decide(with_facts(case, product_max_amount=amount), decisions.seeded())
    assert sample_recheck._triggers(capsule) == {"near_cap": True, "brown_out": False}
    far = decisions.decide(with_facts(case, product_max_amount=amount * 10), decisions.seeded())
    assert not sample_recheck._triggers(far)["near_cap"]
    for rung, drawn in (("fresh", False), ("cached", True), ("substitute", True)):
        stood_in = decisions.decide(standing(case, rung), decisions.seeded())
        assert sample_recheck._triggers(stood_in)["brown_out"] is drawn, rung


async def test_a_second_trigger_joins_the_first_while_nobody_has_looked(
    road: Road, owner: asyncpg.Connection
) -> None:
    await owner.execute("update regulation.parameters set value = '\"0\"' where key = 'recheck.share'")
    application = await approved(road, 524)
    number = await recheck(road, application)
    assert await recheck(road, application, "challenger") == number
    [found] = await waiting(road)
    assert found.triggers == ("challenger", "sample")


async def drawn(road: Road, owner: asyncpg.Connection, desks: Desks, serial: int) -> Desk:
    await everything_is_sampled(owner)
    await approved(road, serial)
    desk = await desks.of("JX0201")
    await desk.get("/console/rechecks")
    return desk


async def test_a_finding_needs_its_reason_and_changes_no_loan(
    road: Road, owner: asyncpg.Connection, desks: Desks
) -> None:
    desk = await drawn(road, owner, desks, 525)
    [found] = await waiting(road)
    await desk.send(desk.page.form(f"/console/rechecks/{found.id}"), finding="disagreed", why="错")
    assert desk.reply.status_code == 422
    assert "请写明理由，至少四个字" in desk.words
    await desk.send(
        desk.page.form(f"/console/rechecks/{found.id}"), finding="disagreed", why="收入凭据对不上"
    )
    assert await waiting(road) == []
    [wrong] = await waiting(road, "disagreed")
    assert wrong.why == "收入凭据对不上"
    async with road.db.read(JIA) as tx:
        assert (await applications.get(tx, wrong.application_id)).status == "approved"
        assert ("sample", "disagreed", 1) in await rechecks.counts(tx, clock.now() - timedelta(days=1))
    sealed = await owner.fetchval("select why from reviews.rechecks")
    assert "收入".encode() not in bytes(sealed)


async def test_a_wrong_one_is_the_countys_task_until_settled(
    road: Road, owner: asyncpg.Connection, desks: Desks
) -> None:
    desk = await drawn(road, owner, desks, 526)
    [found] = await waiting(road)
    await desk.get("/console")
    assert "抽查一笔自动通过的业务" in desk.words
    await desk.get("/console/rechecks")
    await desk.send(desk.page.form(f"/console/rechecks/{found.id}"), finding="disagreed", why="用途不像")
    admin = await desks.of("JX0101")
    await admin.get("/console")
    assert "抽查看出一笔业务有问题" in admin.words
    await admin.get("/console/rechecks")
    await admin.send(admin.page.form("/done"), done="已请客户经理上门核实用途")
    [settled] = await waiting(road, "settled")
    assert settled.done == "已请客户经理上门核实用途"
    await admin.get("/console")
    assert "抽查看出一笔业务有问题" not in admin.words


async def test_what_was_found_stays_on_the_queue_the_case_and_the_file_of_the_model(
    road: Road, owner: asyncpg.Connection, desks: Desks
) -> None:
    """Findings feed the model's file, and whoever opens the case reads them (D2-07)."""
    desk = await drawn(road, owner, desks, 530)
    [found] = await waiting(road)
    await observe_decisions.observe_decisions(road.context)
    await desk.send(
        desk.page.form(f"/console/rechecks/{found.id}"), finding="disagreed", why="收入凭据对不上"
    )
    for path in (desk.path, next(link for link in desk.page.links if link.startswith("/console/cases/"))):
        await desk.get(path)
        assert "看过，有问题 （随机抽到） 陈审（" in desk.words, path
        assert "收入凭据对不上" in desk.words
    analyst = await desks.of("JX0301")
    for staff_no in ("JX0301", "SL0002"):
        analyst = await desks.of(staff_no)
        await analyst.get("/console/monitors")
        table = analyst.words.partition("抽查看出问题的")[2]
        assert "甲县农商银行 1 1 0" in table, staff_no
    other = await desks.of("YX0301")
    await other.get("/console/monitors")
    assert "最近 90 天没有抽查过" in other.words
    async with road.db.read(system("*", "test")) as tx:
        [told] = await model_monitors.rechecked(
            tx, watching.shipped().artefact, clock.now() - timedelta(days=1)
        )
    assert (told.institution_id, told.waiting, told.agreed, told.wrong) == ("4101", 0, 0, 1)


async def test_the_queue_counts_what_it_does_not_show(
    road: Road, owner: asyncpg.Connection, desks: Desks
) -> None:
    desk = await drawn(road, owner, desks, 531)
    async with owner.transaction():
        await owner.execute("set local session_replication_role = replica")
        await owner.execute(
            "insert into reviews.rechecks (institution_id, id, application_id, decision_id, triggers, status, due_at,"
            " opened_at) select institution_id, gen_random_uuid(), application_id, gen_random_uuid(), triggers, status,"
            " due_at, opened_at from reviews.rechecks, generate_series(1, 54)"
        )
    await desk.get("/console/rechecks")
    assert "55 件待看" in desk.words
    assert "还有 5 件不这么急" in desk.words


async def test_two_people_do_not_both_answer_and_nobody_checks_their_own(
    road: Road, owner: asyncpg.Connection
) -> None:
    await everything_is_sampled(owner)
    application = await approved(road, 527)
    [found] = await waiting(road)
    own = Actor("staff", ids.new(), "4101", frozenset({"reviewer", "officer"}), "李四")
    await owner.execute(
        "update applications.applications set officer_id = (select id from identity.staff where staff_no = 'JX0427') "
        "where id = $1",
        application.id,
    )
    officer = str(await owner.fetchval("select id from identity.staff where staff_no = 'JX0427'"))
    with pytest.raises(RecheckYours):
        await answer_recheck.answer_recheck(
            road.db, Actor("staff", officer, "4101", own.roles, "李四"), found.id, "agreed", "没有问题"
        )
    await answer_recheck.answer_recheck(road.db, own, found.id, "agreed", "没有问题")
    with pytest.raises(rechecks.RecheckAnswered):
        await answer_recheck.answer_recheck(road.db, own, found.id, "disagreed", "有问题的")


async def test_who_found_it_wrong_does_not_settle_it(road: Road, owner: asyncpg.Connection) -> None:
    await everything_is_sampled(owner)
    await approved(road, 528)
    [found] = await waiting(road)
    both = Actor("staff", ids.new(), "4101", frozenset({"reviewer", "county_admin"}), "王五")
    await answer_recheck.answer_recheck(road.db, both, found.id, "disagreed", "收入对不上")
    with pytest.raises(RecheckYours):
        async with road.db.begin(both) as tx:
            await rechecks.settle(tx, await rechecks.get(tx, found.id), "已经核实过了")
    async with road.db.begin(system("4101", "test")) as tx:
        await rechecks.settle(tx, await rechecks.get(tx, found.id), "已经核实过了")


async def test_who_brought_the_case_in_does_not_settle_what_was_wrong_with_it(
    road: Road, owner: asyncpg.Connection
) -> None:
    await everything_is_sampled(owner)
    application = await approved(road, 529)
    [found] = await waiting(road)
    finder = Actor("staff", ids.new(), "4101", frozenset({"reviewer"}), "陈审")
    await answer_recheck.answer_recheck(road.db, finder, found.id, "disagreed", "收入对不上")
    officer = str(await owner.fetchval("select id from identity.staff where staff_no = 'JX0427'"))
    assert (
        await owner.execute(
            "update applications.applications set officer_id = $1 where id = $2", officer, application.id
        )
        == "UPDATE 1"
    )
    own = Actor("staff", officer, "4101", frozenset({"officer", "county_admin"}), "李四")
    with pytest.raises(RecheckYours):
        await settle_recheck.settle_recheck(road.db, own, found.id, "已经核实过了")
    other = Actor("staff", ids.new(), "4101", frozenset({"county_admin"}), "赵管")
    await settle_recheck.settle_recheck(road.db, other, found.id, "已经核实过了")
    assert [each.done for each in await waiting(road, "settled")] == ["已经核实过了"]
