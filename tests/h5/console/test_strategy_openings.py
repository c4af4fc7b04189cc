"""What head office opens to counties, edited on its page like everything else of a version (N4, A3-34)."""

import json

import asyncpg

from tests.h5.conftest import Desk, Desks
from tests.h5.console.test_strategies import HOME, act, draft
from tests.h5.console.test_strategy_compare import put_live


def field_of(desk: Desk, label: str, part: str) -> str:
    """The field of the number whose name a county reads is `label`."""
    form = desk.page.form("/openings")
    number = next(name.rsplit("_", 1)[1] for name, value in form.values.items() if value == label)
    return f"{part}_{number}"


async def test_head_office_opens_a_number_and_a_county_finds_it_once_it_is_live(
    desks: Desks, owner: asyncpg.Connection
) -> None:
    maker, county = await desks.of("SL0001"), await desks.of("JX0101")
    base = await draft(maker, reason="给县行多留一格")
    before = await opened(owner, base)
    await maker.get(f"{base}/openings")
    assert "数越小越严" in maker.words
    form = maker.page.form("/openings")
    label = "近 6 个月贷款查询到几次拒绝"
    await maker.send(form, **{field_of(maker, label, "low"): "很多", "note": "收紧"})
    assert (maker.reply.status_code, "要写一个数" in maker.words) == (422, True)
    await maker.send(
        form, **{field_of(maker, label, "low"): "6", field_of(maker, label, "high"): "9", "note": "收"}
    )
    assert maker.reply.status_code == 422
    assert "所以 9 不能在可选范围里" in maker.words, maker.words
    await maker.send(form, **{field_of(maker, label, "low"): "6", "note": "最低 6 次"})
    assert maker.reply.status_code == 200, maker.words
    assert "已存成第" in maker.words, "and the way on, to check it, is on this page"
    after = await opened(owner, maker.path)
    assert before["document"] == after["document"], "the tables keep every byte"
    bands = {p["id"]: (p["low"], p["high"]) for p in after["openings"]["parameters"]}
    assert bands["queries_6m"] == (6, 8)
    assert len(bands) == len(before["openings"]["parameters"])
    assert after["openings"]["places"] == before["openings"]["places"]
    await maker.get(maker.path.removesuffix("/openings"))
    assert "4 到 8 改为 6 到 8" in maker.words, maker.words
    await act(maker, "check")
    assert "检查通过" in maker.words, maker.words
    await act(maker, "submit")
    await act(maker, "approve", reason="自己批自己")
    assert maker.reply.status_code == 403
    own = await draft(county)
    assert "可选 4 到 8" in county.words, "only what is live counts"
    await county.get(f"{maker.path.removesuffix('/act')}/openings")
    assert county.reply.status_code == 200, "a county reads what is opened to it"
    assert "改了什么、为什么" not in county.words, "and changes nothing"
    reply = await county.http.post(
        f"{maker.path.removesuffix('/act')}/openings",
        data=county.page.forms[-1].values | {"note": "县行自己开放"},
    )
    assert reply.status_code in (403, 404)
    await county.get(f"{own}/openings")
    assert "本行加严层" in county.words, "an overlay opens nothing: it is shown itself"


async def test_the_band_of_the_price_is_in_percent(desks: Desks, owner: asyncpg.Connection) -> None:
    maker = await desks.of("SL0001")
    base = await draft(maker, stage="pricing")
    await maker.get(f"{base}/openings")
    form = maker.page.form("/openings")
    await maker.send(form, band_low="-0.2", band_high="9", note="加减点")
    assert (maker.reply.status_code, "最多 5%" in maker.words) == (422, True)
    await maker.send(form, band_low="-0.2", band_high="0.35%", note="加减点")
    assert maker.reply.status_code == 200, maker.words
    assert (await opened(owner, maker.path))["openings"]["price_band"] == [-20, 35]
    await maker.get(maker.path.removesuffix("/openings"))
    assert "-0.2% 到 +0.35%" in maker.words
    assert "基点" not in maker.words


async def test_an_overlay_that_no_longer_fits_is_shown_to_head_office_and_its_county(desks: Desks) -> None:
    maker, second, union = [await desks.of(each) for each in ("JX0101", "JX0301", "SL0001")]
    base = await draft(maker)
    await maker.send(maker.page.form(f"{base}/parameters"), knob_1="4", note="近半年查询收紧")
    await put_live(maker, second)
    base = await draft(union)
    await union.get(f"{base}/openings")
    await union.send(
        union.page.form("/openings"),
        **{field_of(union, "近 6 个月贷款查询到几次拒绝", "low"): "6", "note": "最低 6 次"},
    )
    assert "要续" in union.words, union.words
    assert "只能在 6 到 8 之间，现在是 4" in union.words
    await union.get(f"{HOME}/of?product=*&stage=eligibility")
    assert "县行的加严" in union.words
    assert "要续" not in union.words, "what is live still opens it"


async def opened(owner: asyncpg.Connection, path: str) -> dict:
    text = await owner.fetchval("select content from strategies.versions where id = $1", path.split("/")[3])
    return json.loads(text)


async def test_a_band_nobody_could_use_is_refused_at_its_place_when_it_is_saved(desks: Desks) -> None:
    maker = await desks.of("SL0001")
    base = await draft(maker, reason="给县行多留一格")
    await maker.get(f"{base}/openings")
    form, label = maker.page.form("/openings"), "近 6 个月贷款查询到几次拒绝"
    low, high = (field_of(maker, label, part) for part in ("low", "high"))
    for ends, told in (
        (("-5", "8"), "近 6 个月贷款查询只能是 0 到 500，范围里不能有 -5"),
        (("4", "6"), "省联社自己的数是 8，要在范围里，现在的范围是 4 到 6"),
    ):
        await maker.send(form, **{low: ends[0], high: ends[1], "note": "收紧"})
        assert (maker.reply.status_code, told in maker.words) == (422, True), maker.words
        at = maker.reply.text.index(f'name="{low}"')
        assert told in maker.reply.text[at : at + 900], "at its place"


async def test_a_price_band_holds_head_office_s_own_price(desks: Desks) -> None:
    maker = await desks.of("SL0001")
    base = await draft(maker, stage="pricing", reason="加减点")
    await maker.get(f"{base}/openings")
    await maker.send(maker.page.form("/openings"), band_low="0.5", band_high="1", note="只许加")
    assert maker.reply.status_code == 422
    at = maker.reply.text.index('name="band_low"')
    assert "不加不减也要在范围里" in maker.reply.text[at : at + 500], maker.words


async def test_what_stops_a_version_is_named_where_it_is_checked_and_leads_to_its_place(desks: Desks) -> None:
    """A number made stricter than the band that counties may choose from: mended on another page."""
    maker = await desks.of("SL0001")
    base = await draft(maker, reason="收紧一次")
    await maker.get(base)
    row = next(link for link in maker.page.links if "row=bureau-4" in link)
    await maker.get(row)
    form = maker.page.form("/row")
    cell = next(name for name, value in form.values.items() if value == "不低于 8")
    await maker.send(form, **{cell: "不低于 7", "note": "收紧"}, act="save")
    await act(maker, "check")
    assert "有 1 处要改" in maker.words, maker.words
    acts = maker.reply.text.partition('id="acts"')[2].partition("</section>")[0]
    assert "所以 8 不能在可选范围里。在“向县行开放”里改范围，或把数改回去" in acts
    assert f'<a href="{maker.path.removesuffix("/act")}/openings">近 6 个月贷款查询到几次拒绝：' in acts


async def test_a_row_that_stops_a_version_is_one_tap_from_the_checks(desks: Desks) -> None:
    maker = await desks.of("SL0001")
    base = await draft(maker, reason="写错一格")
    row = next(link for link in maker.page.links if "row=bureau-3" in link)
    await maker.get(row)
    form = maker.page.form("/row")
    cell = next(name for name, value in form.values.items() if value == "高于 4")
    await maker.send(form, **{cell: "高于 4 且 低于 2", "note": "写错"}, act="save")
    await act(maker, "check")
    acts = maker.reply.text.partition('id="acts"')[2].partition("</section>")[0]
    assert 'href="#r-bureau-bureau-3"' in acts, (base, acts)
    assert 'id="r-bureau-bureau-3"' in maker.reply.text
