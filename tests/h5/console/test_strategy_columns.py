"""改列 through the door: a condition more, another order, one taken away; nothing before it is saved (issue 3 §8)."""

import json

import asyncpg
import pytest
from structlog.testing import capture_logs

from h5.console import strategy_columns
from tests.h5.conftest import Desk, Desks, anew
from tests.h5.console.test_strategies import act, draft, named
from tests.h5.console.test_strategy_arrange import document_of


async def count(owner: asyncpg.Connection) -> int:
    return int(await owner.fetchval("select count(*) from strategies.versions"))


async def press(desk: Desk, act: str, **given: str) -> None:
    """One of the buttons that store nothing."""
    form = desk.page.form("/columns")
    form.action += "/check"
    await desk.send(form, act=act, **given)


def heads(desk: Desk) -> list[str]:
    form = desk.page.form("/columns")
    return [form.values[name] for n in range(60) if (name := f"col_{n}") in form.values]


def fields(document: dict, side: str) -> list[str]:
    node = next(n for n in document["nodes"] if n["id"] == "bureau")
    return [column["field"] for column in node["content"][side]]


async def test_a_column_is_added_moved_filled_and_shown_as_a_difference(
    desks: Desks, owner: asyncpg.Connection
) -> None:
    desk = await desks.of("SL0001")
    base = await draft(desk)
    before, versions = await document_of(owner, base), await count(owner)
    assert f"{base}/columns?table=bureau" in desk.page.links
    await desk.get(f"{base}/columns?table=bureau")
    await press(desk, "add", fact="没有的东西")
    assert (desk.reply.status_code, "没有叫“没有的东西”的数据项" in desk.words) == (422, True)
    await press(desk, "enter", fact="年龄")
    assert (desk.reply.status_code, "这样没有问题" in desk.words) == (200, True), desk.words
    await press(desk, "add", fact="在本地居住年数")
    assert "“在本地居住年数”这一列还没有一行写条件" in desk.words, desk.words
    await press(desk, f"gone:{heads(desk).index('+household_years_resident')}")
    at = heads(desk).index("+age_years")
    await press(desk, f"up:{at}")
    assert heads(desk).index("+age_years") == at - 1
    assert await count(owner) == versions, "nothing is stored by trying"
    assert await document_of(owner, base) == before

    await desk.send(desk.page.form("/columns"), act="save", note="征信要分年龄看")
    assert desk.reply.status_code == 200, desk.words
    after = await document_of(owner, desk.path)
    assert fields(after, "inputs")[at - 1] == "age_years"
    assert fields(after, "outputs") == fields(before, "outputs")
    assert "新增列" in desk.words
    version = desk.path
    await desk.get(f"/console/strategies/compare?after={version.rsplit('/', 1)[1]}")
    assert "新增列 征信 年龄" in desk.words, desk.words

    await desk.get(f"{version}/row?table=bureau&row=new")
    form = desk.page.form(f"{version}/row")
    await desk.send(
        form,
        act="save",
        **named(
            desk,
            {
                "年龄": "低于 20",
                "近 6 个月贷款查询": "高于 3",
                "原因码": "EL_YOUNG",
                "处理": "转人工",
                "给客户的话": "请到网点问一问",
                "可以怎么做": "到网点",
            },
        ),
    )
    assert "年龄 低于 20" in desk.words, desk.words
    await act(desk, "check")
    assert "检查通过" in desk.words, desk.words


async def test_a_column_taken_away_says_what_goes_with_it_and_comes_back(
    desks: Desks, owner: asyncpg.Connection
) -> None:
    desk = await desks.of("SL0001")
    base = await draft(desk)
    before = await document_of(owner, base)
    column = fields(before, "inputs").index("bureau_queries_6m")
    await desk.get(f"{base}/columns?table=bureau")
    held = heads(desk)
    await press(desk, f"gone:{column}")
    assert "行在这一列写的内容也会去掉" in desk.words
    assert "没有条件，会对每个人生效" in desk.words, "the same checks as at save"
    assert held[column] not in heads(desk)
    await press(desk, f"back:{held[column]}")
    assert sorted(heads(desk)) == sorted(held)
    await press(desk, "gone:99")
    assert desk.reply.status_code == 422
    await press(desk, f"back:{held[0]}")
    assert (desk.reply.status_code, "已经加上了" in desk.words) == (422, True)
    await desk.get(f"{base}/columns?table=bureau")
    await desk.send(desk.page.form("/columns"), act="save")
    assert (desk.reply.status_code, "列没有变" in desk.words) == (422, True)
    await press(desk, f"gone:{column}")
    await desk.send(desk.page.form("/columns"), act="save")
    assert desk.reply.status_code == 200
    assert "bureau_queries_6m" not in fields(await document_of(owner, desk.path), "inputs")
    assert "删除列" in desk.words
    await act(desk, "check")
    assert "处要改" in desk.words


async def test_a_stale_page_and_a_county_change_no_columns(desks: Desks, owner: asyncpg.Connection) -> None:
    desk = await desks.of("SL0001")
    base = await draft(desk)
    await desk.get(f"{base}/columns?table=bureau")
    stale = desk.page.form("/columns")
    await desk.send(desk.page.form("/columns"), act="save", col_30="+age_years")
    assert desk.reply.status_code == 200
    union = desk.path
    await desk.send(anew(stale), act="save", col_30="+age_years")
    assert desk.reply.status_code == 409, desk.words
    await desk.get(f"{union}/columns?table=nonsense")
    assert (desk.reply.status_code, "没有这张表" in desk.words) == (422, True), desk.words
    county = await desks.of("JX0101")
    await county.get(f"{union}/columns?table=bureau")
    assert county.reply.status_code == 404, "head office is only writing it"
    own = await draft(county)
    assert not any(link.startswith(f"{own}/columns") for link in county.page.links)
    await county.get(f"{own}/columns?table=bureau")
    assert "本行加严层" in county.words, "an overlay has head office's columns: it is shown itself"
    form = next(f for f in county.page.forms if f.action.endswith("/act"))
    form.action = f"{own}/columns"
    form.values = {k: v for k, v in form.values.items() if k not in ("act", "reason")}
    await county.send(form, act="save", table="bureau", col_0="+age_years")
    assert (county.reply.status_code, "由省联社定" in county.words) == (422, True), county.words


async def test_a_flow_that_is_not_written_out_is_told_and_nothing_breaks(
    desks: Desks, owner: asyncpg.Connection
) -> None:
    desk = await desks.of("SL0001")
    base = await draft(desk)
    document = await document_of(owner, base)
    document["nodes"][0]["content"]["schema"] = "{"
    next(n for n in document["nodes"] if n["id"] == "bureau")["content"]["rules"][0].pop("_id")
    await desk.get(f"{base}/files")
    values, file = desk.page.form(f"{base}/flow").values, json.dumps(document).encode()
    await desk._arrive(await desk.http.post(f"{base}/flow", data=values, files={"file": ("a.json", file)}))
    version, versions = desk.path, await count(owner)
    await desk.get(f"{version}/columns?table=bureau")
    await press(desk, "add", fact="年龄")
    assert (desk.reply.status_code, "没写完整" in desk.words) == (200, True), desk.words
    await desk.send(desk.page.form("/columns"), act="save")
    assert (desk.reply.status_code, "没写完整" in desk.words) == (422, True), desk.words
    await desk.get(f"{version}/arrange")
    rows = {"rows": "两倍 = 【申请期限】 × 2", "before": "bureau"}
    await desk.send(desk.page.form("/arrange/add"), kind="expressionNode", name="合计", **rows)
    assert (desk.reply.status_code, "没写完整" in desk.words) == (422, True), desk.words
    assert await count(owner) == versions


async def test_a_mistake_of_ours_is_not_told_as_a_flow_that_is_not_written_out(
    desks: Desks, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = await desks.of("SL0001")
    base = await draft(desk)
    await desk.get(f"{base}/columns?table=bureau")
    await press(desk, "add", fact="年龄")

    def planted(*_: object) -> object:
        raise KeyError("planted")

    monkeypatch.setattr(strategy_columns.shaping, "shaped", planted)
    with capture_logs() as said:
        await desk.send(desk.page.form("/columns"), act="save")
    assert (desk.reply.status_code, "没写完整" in desk.words) == (500, False), desk.words
    assert any(each["event"] == "unexpected" and each["error"] == "KeyError" for each in said)
