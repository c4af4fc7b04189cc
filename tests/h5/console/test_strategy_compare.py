"""Two versions of a stage beside each other, of one layer and across layers (A3-33, N4)."""

import re

from tests.h5.conftest import Desk, Desks
from tests.h5.console.test_strategies import HOME, OWN, act, draft, named, new_row


async def put_live(maker: Desk, second: Desk) -> str:
    """The draft on the maker's page checked, submitted and approved; its id."""
    await act(maker, "check")
    await act(maker, "submit")
    path = maker.path
    await second.get(path)
    await act(second, "approve", reason="同意，和贷后的数对得上")
    assert "在用" in second.words, second.words
    return path.rsplit("/", 1)[1]


async def test_two_versions_of_a_county_are_read_row_by_row(desks: Desks) -> None:
    maker, second = await desks.of("JX0101"), await desks.of("JX0301")
    base = await draft(maker)
    await new_row(maker, base, **OWN)
    first = await put_live(maker, second)
    base = await draft(maker, reason="再收一收")
    row = next(link for link in maker.page.links if "row?table=bureau" in link and "row=new" not in link)
    await maker.get(row)
    await maker.send(maker.page.form("/row"), act="save", **named(maker, {"近 6 个月贷款查询": "不低于 4"}))
    last = maker.path.rsplit("/", 1)[1]
    assert "改了什么 和在用的比" in maker.words, maker.words
    await maker.get(f"{HOME}/compare?before={first}&after={last}")
    assert "修改 1 行" in maker.words, maker.words
    assert "原来 不低于 5 次 现在 不低于 4 次" in maker.words, maker.words
    assert "近 1 个月贷款查询" not in maker.words, "rows that did not change are left out"
    await maker.get(f"{HOME}/compare?before={first}&after={last}&whole=yes")
    assert "没变" in maker.words
    await maker.get(f"{HOME}/compare?before={last}&after={last}")
    assert "两版的规则一样" in maker.words
    await maker.get(f"{HOME}/compare?product=*&stage=eligibility")
    assert "本行第" in maker.words
    assert "省联社第" in maker.words
    await maker.get(f"{HOME}/{last}")
    assert await put_live(maker, second) == last
    for desk in (maker, second):
        await desk.get(f"{HOME}/{last}")
        assert "改了什么 和它接替的第 2 版比" in desk.words, desk.words
        assert "不低于 5 次 改为 不低于 4 次" in desk.words, "what a live version changed can still be seen"
        course = desk.words[desk.words.index("经过") :]
        assert re.search(r"检查通过.*提交审批.*批准：同意", course), course
    await maker.get(f"{HOME}/{first}")
    assert "改了什么 和没有加严层时比" in maker.words
    assert "和在用的一样" not in maker.words


async def test_a_countys_version_is_compared_with_head_offices_laid_over_its_tables(desks: Desks) -> None:
    maker, second, union = [await desks.of(each) for each in ("JX0101", "JX0301", "SL0001")]
    base = await draft(maker)
    await maker.send(maker.page.form(f"{base}/parameters"), knob_1="6", note="近半年查询收紧")
    assert maker.reply.status_code == 200, maker.words
    assert "新增参数 近 6 个月贷款查询到几次拒绝：不低于 6" in maker.words, maker.words
    await new_row(maker, maker.path, **OWN)
    own = await put_live(maker, second)
    for page in (f"{HOME}/of?product=*&stage=eligibility", f"{HOME}/{own}"):
        await maker.get(page)
        assert "近 6 个月贷款查询 不低于 8 次 本行：不低于 6 次" in maker.words, maker.words
    await union.get(f"{HOME}/of?product=*&stage=eligibility")
    assert "县行：" not in union.words, "head office's own tables have one number"
    live = next(each for each in union.page.links if re.fullmatch(rf"{HOME}/[0-9a-f-]{{36}}", each))
    for desk in (union, maker):
        await desk.get(f"{HOME}/compare?before={live.rsplit('/', 1)[1]}&after={own}")
        assert desk.reply.status_code == 200
        for words in ("县行那一边", "新增 1 行", "修改 1 行", "原来 不低于 8 次 现在 不低于 6 次", "A11"):
            assert words in desk.words, (words, desk.words)
    await union.get(f"{HOME}/{own}")
    assert union.reply.status_code == 200, "head office reads a county's overlay"
    assert "甲县" in union.words
    assert "存成草稿" not in union.words, "and does not write in it"
    await union.get(f"{HOME}/{own}/try")
    assert union.reply.status_code == 200, union.words


async def test_another_countys_version_is_not_there(desks: Desks) -> None:
    maker, other = await desks.of("JX0101"), await desks.of("YX0101")
    base = await draft(maker)
    own = base.rsplit("/", 1)[1]
    for side in ("before", "after"):
        await other.get(f"{HOME}/compare?{side}={own}")
        assert other.reply.status_code == 404
    await other.get(f"{HOME}/compare?before=nonsense")
    assert other.reply.status_code == 404


async def test_a_countys_lower_cap_stands_beside_head_offices_in_the_limit_table(desks: Desks) -> None:
    desk = await desks.of("JX0101")
    base = await draft(desk, stage="limit")
    form = desk.page.form(f"{base}/parameters")
    await desk.send(form, knob_0=least(desk), note="本县封顶低一些")
    assert desk.reply.status_code == 200, desk.words
    assert re.search(r"新增参数 [^：]+：[\d,]+ 元", desk.words), "said once"
    assert re.search(r"[\d,]+ 元 本行：[\d,]+ 元", desk.words), desk.words


def least(desk: Desk) -> str:
    """The lowest number of the first band, as it is written."""
    found = re.search(r"可选 ([\d,]+) 元 到 [\d,]+ 元", desk.reply.text)
    assert found is not None, desk.words
    return found[1]
