"""先看一眼: a draft on counties' stored decisions: figures by county, no customer, and who looked (A3-34)."""

import re
from typing import Any

import msgspec
import pytest

from backend.core.actor import system
from backend.domains.audit import service as audit
from backend.domains.institutions.model import Institution
from backend.domains.strategies.model import EffectFigures, Side
from backend.flows.preview_strategy import Seen
from backend.web import staff
from h5.console import strategy_previews
from tests.domains.trials.test_small_cells import ROUNDING
from tests.domains.trials.test_versions import decided_in, stricter_draft
from tests.flows.conftest import Road
from tests.h5.conftest import Desk, Desks
from tests.h5.console.test_strategies import OWN, draft, new_row
from tests.h5.console.test_trials import HOME as TRIALS
from tests.h5.console.test_trials import finish, start


async def all_of(desk: Desk, path: str) -> int:
    report = (await desk.http.get(f"{path}/report.json")).json()
    return next(each["cases"] for each in report["results"] if each["grouping"] == "all")


async def look(desk: Desk, version: str, **given: str) -> None:
    await desk.get(f"/console/strategies/{version}/preview")
    await desk.send(desk.page.form("/preview"), **({"size": "20"} | given))


async def test_head_office_sees_what_a_draft_changes_by_county_without_any_customer(
    road: Road, desks: Desks
) -> None:
    await decided_in(road.context, "4101", "4101", "4102", "4102")
    version = await stricter_draft(road.context)
    desk = await desks.of("SL0001")
    await desk.get(f"/console/strategies/{version.id}")
    assert f"/console/strategies/{version.id}/preview" in desk.page.links
    await look(desk, version.id)
    assert desk.reply.status_code == 200, desk.words
    for words in ("合计 10 件", "5 件", "通过变成拒绝", "平均额度", "笔数少，不显示"):
        assert words in desk.words, desk.words
    whole, *counties = desk.words.split("最近的 ")[1:]
    assert "通过变成拒绝" in whole, "of the six together"
    for county in counties:
        assert county.count("笔数少，不显示") == 4, "of three approvals each"
        assert "结果变了 不到 5 件" in county, "nor is told how many of the three changed"
    assert "最近的 10 件，今天审批的" in desk.words, "head office is told days, not moments"
    assert f"{TRIALS}?strategy={version.id}" in desk.page.links
    async with road.db.read(system("0000", "test")) as tx:
        entries = [each for each in await audit.of(tx, version.id) if each.action == "strategy.previewed"]
    assert [each.actor.split(":")[0] for each in entries] == ["staff"]
    await look(desk, version.id, in_0="4101")
    assert "合计 5 件" in desk.words, desk.words


async def test_a_county_that_joins_or_leaves_while_the_page_is_open_shifts_no_tick(
    road: Road, desks: Desks, monkeypatch: pytest.MonkeyPatch
) -> None:
    await decided_in(road.context, *["4101", "4102"] * 3)
    version = await stricter_draft(road.context)
    desk = await desks.of("SL0001")
    await desk.get(f"/console/strategies/{version.id}/preview")
    ticks = {"in_0": re.findall(r'name="in_0" value="([^"]*)"', desk.reply.text)[0], "size": "20"}
    form = desk.page.form("/preview")
    known = staff.counties

    async def joined(here: staff.Here) -> tuple[Institution, ...]:
        counties = await known(here)
        return (msgspec.structs.replace(counties[0], id="4100", short_name="新县"), *counties)

    async def left(here: staff.Here) -> tuple[Institution, ...]:
        return (await known(here))[1:]

    monkeypatch.setattr(staff, "counties", joined)
    await desk.send(form, **ticks)
    assert "合计 10 件" in desk.words, desk.words
    monkeypatch.setattr(staff, "counties", left)
    await desk.send(desk.page.form("/preview"), **ticks)
    assert (desk.reply.status_code, "请重新勾选" in desk.words) == (422, True), "not all counties instead"
    form = {"strategy": version.id, "against": "live", "cases": "history", "size": ""}
    await desk.get(TRIALS)
    await desk.send(
        next(e for e in desk.page.forms if e.action == TRIALS and e.method == "post"), **form, in_0="4101"
    )
    assert (desk.reply.status_code, "请重新勾选" in desk.words) == (422, True)


async def test_looks_of_different_sizes_never_differ_by_a_few_cases(road: Road, desks: Desks) -> None:
    """Of 24 decisions a look at 50 beside one at 20 would show what the four between them came to."""
    await decided_in(road.context, *["4101"] * 6)
    version = await stricter_draft(road.context)
    desk = await desks.of("SL0001")
    for size in ("20", "50", "100"):
        await look(desk, version.id, in_0="4101", size=size)
        assert "合计 20 件" in desk.words, desk.words


async def test_counties_of_a_handful_of_decisions_are_not_shown_by_themselves(
    road: Road, desks: Desks
) -> None:
    await decided_in(road.context, "4101")
    version = await stricter_draft(road.context)
    desk = await desks.of("SL0001")
    await look(desk, version.id)
    assert "或者不到 5 件，为了保护客户不显示数字" in desk.words, desk.words
    await decided_in(road.context, "4102", "4102")
    await look(desk, version.id)
    assert ("合计 5 件" in desk.words, "2 个县没有申请或不到 5 件" in desk.words) == (True, True), desk.words


async def test_a_county_looks_at_its_own_and_nobody_at_another_layers(road: Road, desks: Desks) -> None:
    await decided_in(road.context, "4101", "4102")
    union = await stricter_draft(road.context)
    county = await desks.of("JX0101")
    assert (await county.http.get(f"/console/strategies/{union.id}/preview")).status_code == 404
    base = await draft(county)
    await look(county, base.rsplit("/", 1)[1])
    assert (county.reply.status_code, "还什么都没有写" in county.words) == (422, True)
    await new_row(county, base, **OWN)
    own = county.path.rsplit("/", 1)[1]
    await look(county, own)
    assert "甲县农商银行 4 件" in county.words, county.words
    assert ("合计" in county.words, "县（一个都不勾" in county.words) == (False, False), (
        "one county is no sum"
    )
    assert re.search(r"最近的 4 件，今天 \d+:\d\d 到今天 \d+:\d\d 审批的", county.words), county.words
    head = await desks.of("SL0001")
    assert (await head.http.get(f"/console/strategies/{own}/preview")).status_code in (403, 404)


async def test_a_trial_of_head_office_is_on_the_counties_it_ticks_and_hides_small_groups(
    road: Road, desks: Desks
) -> None:
    await decided_in(road.context, "4101", "4101", "4102")
    version = await stricter_draft(road.context)
    desk = await desks.of("SL0001")
    path = await start(desk, strategy=version.id, in_0="4101")
    await finish(road, path, "0000")
    await desk.get(path)
    assert "以往的申请（甲县农商银行）" in desk.words, desk.words
    assert await all_of(desk, path) in (5, 10), "of 8"
    assert "人数按 5 取整，不到 5 的不显示" in desk.words
    path = await start(desk, strategy=version.id)
    await finish(road, path, "0000")
    await desk.get(f"{path}?by=county")
    assert await all_of(desk, path) in (10, 15), "of 12"
    report = (await desk.http.get(f"{path}/report.json")).json()
    cases = [e["cases"] for e in report["results"] if (e["grouping"], e["side"]) == ("county", "draft")]
    assert len(cases) == 1, "the county of four would come out by subtraction"


def figures(approved: int, amount_fen: int, mark: int = 0, **more: Any) -> EffectFigures:
    side = Side(
        approved=approved, declined=20 - approved, amount_fen=amount_fen, rate_bp_sum=approved * 437,
        approved_mark=mark,
    )  # fmt: skip
    before = Side(approved=20, amount_fen=20 * 5_012_345, rate_bp_sum=20 * 437)
    return EffectFigures(before=before, after=side, **more)


def test_a_draft_made_for_one_person_shows_no_count_of_one() -> None:
    """D3-07: one of twenty is declined, or has a smaller amount: no figure says so, and averages are too wide to."""
    moved = {"swaps": {"approved>declined": 1}, "lower_amounts": 1}
    ((total, county), _) = strategy_previews._lines(
        [Seen(institution_id="4101", cases=20, figures=figures(19, 19 * 5_098_765, **moved))],
        {"4101": "甲县"},
        ROUNDING,
    )
    assert total.swaps == county.swaps == ()
    assert (county.lower, county.higher) == ("不到 5", "不到 5")
    assert county.shares[2] == ("拒绝", "不到 5 件", "不到 5 件")
    assert county.shares[0][2] in ("100.0%", "75.0%"), "fifteen or twenty"
    for amount in county.amount:
        assert int(amount.replace(",", "")) % 20_000 == 0, amount
    (own,), _ = strategy_previews._lines(
        [Seen(institution_id="4101", cases=20, figures=figures(15, 15 * 5_098_765, **moved))],
        {"4101": "甲县"},
        None,
    )
    assert (own.amount, own.lower) == (("50,123", "50,988"), "1"), "a county sees its own"


def test_whether_somebody_is_among_twenty_is_drawn_anew() -> None:
    """Else one person more or less would show wherever the count is at a step."""
    seen = set()
    for mark in range(60):
        ((_, county), _) = strategy_previews._lines(
            [Seen(institution_id="4101", cases=20, figures=figures(18, 18 * 5_000_000, mark))],
            {"4101": "甲县"},
            ROUNDING,
        )
        seen.add(county.shares[0][2])
    assert len(seen) == 2
