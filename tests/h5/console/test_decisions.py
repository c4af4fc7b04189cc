"""查决策: found by what people know, counted, paged by place, taken away masked, and written down (A6-03)."""

import re
from decimal import Decimal

import asyncpg
import pytest

from backend.core import clock
from backend.core.actor import Actor, system
from backend.domains.audit import service as audit
from backend.domains.decision.model import Stage
from backend.domains.reviews import service as reviews
from backend.domains.strategies import service as strategies
from backend.flows import review_case
from backend.flows.review_case import Verdict
from backend.overview import decision_search
from backend.overview.decision_search import Asked, PlaceWrong
from h5.console.decisions import USUAL, _midnight, _reasons
from tests.flows.conftest import Road, id_number
from tests.h5.conftest import Desk, Desks, desks, road
from tests.h5.scene import referred

__all__ = ["desks", "road"]
HOME = "/console/decisions"


def asked(*institutions: str, **filters: object) -> Asked:
    today = clock.today()
    return Asked(
        institutions=institutions,
        since=_midnight(today - USUAL),
        until=_midnight(today + USUAL),
        **filters,  # type: ignore[arg-type]
    )


async def find(desk: Desk, **given: str) -> str:
    await desk.get(HOME)
    await desk.send(desk.page.form(HOME), **given)
    return desk.words


async def test_a_decision_is_found_by_number_outcome_reason_product_and_version(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    application = await referred(road, owner, "4101", 711)
    number = application.application_no
    desk = await desks.of("JX0201")
    await desk.get("/console")
    assert HOME in desk.page.links, "the menu offers it"
    words = await find(desk, number=number)
    assert desk.reply.status_code == 200
    for said in (number, "1 笔", "转人工 1", "通过 0"):
        assert said in words
    assert f"/console/cases/{number}" in desk.page.links
    code = await owner.fetchval(
        "select reason_codes[1] from decision.decisions where application_id = $1", application.id
    )
    assert number in await find(desk, outcome="referred", product=application.product_code)
    if code:
        assert number in await find(desk, code=code)
    assert "0 笔" in await find(desk, number=number, outcome="approved")
    assert "0 笔" in await find(desk, number=number, code="NO_SUCH")
    assert "0 笔" in await find(desk, since="2020-01-01", until="2020-02-01")
    assert number in await find(desk, number=number, since="2020-01-01", until="2020-02-01")
    async with road.db.read(system("4101", "test")) as tx:
        live = await strategies.live_version(tx, "*", "*", Stage.ELIGIBILITY)
    assert live is not None
    assert number in await find(desk, number=number, version=live.id)
    await desk.get(f"/console/strategies/{live.id}")
    await desk.send(desk.page.form(HOME))  # A3-33: what a version is used for, from its own page
    assert (number in desk.words, desk.reply.status_code) == (True, 200)
    assert f'<option value="{live.id}" selected>' in desk.reply.text
    for since, until in (("0001-01-01", "0001-02-01"), ("9999-12-01", "9999-12-31"), ("昨天", "今天")):
        await find(desk, since=since, until=until)
        assert desk.reply.status_code == 422, since
    await find(desk, since="2026-12-01", until="2020-01-01")
    assert (desk.reply.status_code, "在结束的一天以前" in desk.words) == (422, True)
    async with road.db.read(system("4101", "test")) as tx:
        noted = [each for each in await audit.of(tx, number) if each.action == "decisions.searched"]
    assert noted


async def test_a_case_opens_beside_what_was_found_since_no_browser_goes_back_to_a_search_by_post(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    made = await referred(road, owner, "4101", 712)
    path = f"/console/cases/{made.application_no}"
    searches = (
        ("JX0201", HOME, {}, path),
        ("JX0201", "/console/support", {"what": id_number(712)}, path),
        ("JX0427", "/studio/leads", {"what": id_number(712)}, f"/studio/leads/{made.application_no}"),
        ("JX0401", "/console/audit", {"case": made.application_no}, path),
    )
    for staff_no, page, given, found in searches:
        desk = await desks.of(staff_no)
        await desk.get(page)
        await desk.send(desk.page.form(page), **given)
        assert re.search(rf'<a [^>]*href="{found}" target="_blank" rel="noopener">', desk.reply.text), page


async def test_what_a_person_decided_stands_beside_what_the_system_said(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    """A3-09, A7-05: an approval by hand is neither lost as 转人工 nor shown as the system's."""
    application = await referred(road, owner, "4101", 718)
    number = application.application_no
    desk = await desks.of("JX0201")
    assert "转人工 等人审查" in await find(desk, number=number, person="open")
    reviewer = next(
        Actor(kind="staff", id=row["id"], institution_id="4101", roles=frozenset({"reviewer"}))
        for row in await owner.fetch("select id from identity.staff where staff_no = 'JX0201'")
    )
    async with road.db.read(reviewer) as tx:
        review = (await reviews.of_application(tx, application.id))["referred"]
    verdict = Verdict(
        outcome="approved",
        reason="资料核对过了",
        amount_fen=1_234_500,
        annual_rate=Decimal("0.0615"),
        term_months=12,
    )
    await review_case.review_case(road.context, reviewer, review.id, verdict)
    words = await find(desk, number=number, person="approved")
    for said in ("1 笔", "转人工 人工通过", "12,345", "6.15%"):
        assert said in words
    assert number not in await find(desk, number=number, person="declined")
    assert number in await find(
        desk, number="".join(chr(ord(c) + 0xFEE0) if c.isdigit() else c for c in number)
    )
    await find(desk, person="sideways")
    assert desk.reply.status_code == 422
    auditor = await desks.of("JX0401")
    await find(auditor, number=number)
    await auditor.send(auditor.page.form(f"{HOME}/export"))
    heads, line = (each.split(",") for each in auditor.reply.content.decode("utf-8-sig").splitlines()[:2])
    told = dict(zip(heads, line, strict=True))
    assert (told["系统的结果"], told["人工结果"]) == ("转人工", "人工通过")
    assert (told["额度（元）"], told["人工给的额度（元）"], told["人工给的年利率（%）"]) == (
        "",
        "12345.00",
        "6.15",
    )


async def test_a_county_finds_its_own_alone_and_head_office_every_county(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    ours = (await referred(road, owner, "4101", 712)).application_no
    theirs = (await referred(road, owner, "4102", 713)).application_no
    county = await desks.of("JX0201")
    assert "0 笔" in await find(county, number=theirs)
    assert theirs not in await find(county)
    county_form = county.page.form(HOME)
    await county.send(county_form, county="4102")
    assert county.reply.status_code == 422, "a county chooses no county"
    union = await desks.of("SL0001")
    words = await find(union)
    assert (ours in words, theirs in words) == (True, True)
    assert theirs in await find(union, county="4102")
    assert ours not in await find(union, county="4102")
    async with road.db.read(system("4101", "test")) as tx:
        found = await decision_search.search(tx, asked("4101", "4102"))
    assert {row.institution_id for row in found.rows} == {"4101"}, "row-level security holds beside the SQL"


async def test_pages_follow_each_other_without_a_gap_or_a_double(
    road: Road, owner: asyncpg.Connection
) -> None:
    numbers = {(await referred(road, owner, "4101", serial)).application_no for serial in (714, 715, 716)}
    async with road.db.read(system("4101", "test")) as tx:
        seen: list[str] = []
        place, pages = "", 0
        while pages == 0 or place:
            page = await decision_search.search(tx, asked("4101"), place, most=1)
            assert len(page.rows) == 1
            assert page.total == sum(page.counts.values())
            seen, place, pages = [*seen, page.rows[0].id], page.place, pages + 1
        assert (len(seen), len(set(seen))) == (page.total, page.total)
        rows = (await decision_search.search(tx, asked("4101"))).rows
        assert [row.id for row in rows] == seen
        assert numbers <= {row.application_no for row in rows}
        for wrong in (
            "nonsense",
            "2026-01-01T00:00:00/x",
            "2026-01-01T00:00:00",
            f"0001-01-01T00:00:00+14:00/{rows[0].id}",
        ):
            with pytest.raises(PlaceWrong):
                await decision_search.search(tx, asked("4101"), wrong)


async def test_the_list_is_taken_away_masked_by_those_who_may(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    application = await referred(road, owner, "4101", 717)
    auditor = await desks.of("JX0401")
    await find(auditor, number=application.application_no)
    await auditor.send(auditor.page.form(f"{HOME}/export"))
    assert auditor.reply.headers["content-type"].startswith("text/csv")
    lines = auditor.reply.content.decode("utf-8-sig").splitlines()
    assert lines[0].startswith("申请编号,")
    assert application.application_no in lines[1]
    assert "*" in lines[1].split(",")[4], "the name is masked"
    async with road.db.read(system("4101", "test")) as tx:
        noted = {each.action for each in await audit.of(tx, application.application_no)}
    assert {"decisions.searched", "decisions.exported"} <= noted
    reviewer = await desks.of("JX0201")
    await find(reviewer, number=application.application_no)
    assert not any(f.action.endswith("/export") for f in reviewer.page.forms)


async def test_a_reason_is_a_whole_sentence_with_the_names_of_its_figures(road: Road, desks: Desks) -> None:
    async with road.db.read(system("4101", "test")) as tx:
        reasons = await _reasons(tx)
    assert "还没满 〔" in " ".join(reasons.values())
    assert not [text for text in reasons.values() if "{" in text]
    assert all(text.endswith("限制") for code, text in reasons.items() if code.startswith("LIMIT_"))
