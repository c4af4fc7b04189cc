"""Training on the page: a table or our own cases in, a draft with its report out (A1-05, A3-37, D1-04)."""

import asyncio
from datetime import timedelta
from typing import Any

import asyncpg
import msgspec
import polars as pl
import pytest

from backend.core import clock
from backend.core.actor import system
from backend.core.errors import Invalid
from backend.domains.audit import service as audit
from backend.domains.models import apart, service, trainings
from backend.domains.models.trainings import MOST_ATTEMPTS, Training
from backend.flows import forget_training_tables, give_up_trainings, train_model
from backend.jobs import worker
from backend.sandbox import synthetic
from tests.domains.models.conftest import invented
from tests.flows.conftest import Road
from tests.h5.conftest import Desk, Desks

MAKER = "SL0002"
HOME = "/console/models/trainings"
UNION = system("0000", "test")
WORDS = {"name": "秋粮县评分卡", "purpose": "个人贷款授信审批", "why": "县里坏账率变了", "family": "consumer"}


def as_csv(frame: pl.DataFrame) -> bytes:
    return frame.write_csv().encode()


@pytest.fixture(scope="module")
def table() -> pl.DataFrame:
    return invented(1500).drop("客户编号")


async def upload(desk: Desk, content: bytes, name: str = "表.csv") -> str:
    await desk.get(HOME)
    form = desk.page.form(f"{HOME}/table")
    await desk._arrive(await desk.http.post(form.action, data=form.values, files={"table": (name, content)}))
    return desk.path


def at(desk: Desk, column: str, run: Training) -> str:
    return str([each.name for each in run.columns].index(column))


async def run_of(road: Road, path: str) -> Training:
    async with road.db.read(UNION) as tx:
        return await trainings.get(tx, path.rpartition("/")[2])


async def start(desk: Desk, road: Road, path: str, target: str = "坏", **given: str) -> None:
    run = await run_of(road, path)
    column = {"target": at(desk, target, run)} if run.source == "table" else {}
    await desk.get(path)
    await desk.send(desk.page.form(f"{path}/start"), **(WORDS | column | given))


async def test_a_table_becomes_a_draft_with_its_report_and_is_gone(
    road: Road, desks: Desks, table: pl.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "HANDLER_SECONDS", 0.01)  # a training has a time of its own
    desk = await desks.of(MAKER)
    path = await upload(desk, as_csv(table))
    assert "上传的表，1,500 行 10 列" in desk.words
    assert "只有一种值" in desk.words
    run = await run_of(road, path)
    uses = {f"use_{at(desk, '近半年查询', run)}": "descending", f"use_{at(desk, '性别', run)}": "group"}
    await start(desk, road, path, out_of_time=at(desk, "月份", run), **uses)
    assert "正在训练" in desk.words
    assert f'hx-get="{path}/progress"' in desk.reply.text
    await road.drain()
    part = await desk.http.get(f"{path}/progress")
    assert (part.headers["hx-refresh"], "hx-get" in part.text) == ("true", False)
    await desk.get(path)
    for words in ("训练好了", "KS", "只能用于批量评分", "按时间划分", "分箱和坏账率"):
        assert words in desk.words, words
    page, paper = [(await desk.http.get(f"{path}/report/{each}")) for each in ("html", "pdf")]
    assert "attachment" in page.headers["content-disposition"]
    assert "验证报告" in page.text
    assert paper.content.startswith(b"%PDF")
    await desk.send(desk.page.form(f"{path}/register"))
    for words in ("秋粮县评分卡", "已测试", "训练时的验证报告"):
        assert words in desk.words, words
    run = await run_of(road, path)
    async with road.db.read(UNION) as tx:
        model = await service.get(tx, run.model_id or "")
        assert await trainings.table(tx, run) is None
        assert await trainings.result(tx, run) is None
    assert (model.status, model.purpose, run.forget_at) == ("tested", "个人贷款授信审批", None)
    assert model.made_by == model.tested_by
    assert {c["name"] for c in model.data_list}.isdisjoint({"性别", "月份", "坏"})


async def kept(owner: asyncpg.Connection) -> list[int]:
    tables = ("models.trainings", "models.training_tables")
    return [int(await owner.fetchval(f"select count(*) from {name}")) for name in tables]


@pytest.mark.parametrize(
    ("column", "said"),
    [
        (pl.Series("客户姓名", [f"张{n:04d}" for n in range(1500)]), "“客户姓名”这一列是姓名"),
        (pl.Series("备注", [f"139{n:08d}" for n in range(1500)]), "“备注”这一列是手机号"),
    ],
)
async def test_a_table_that_names_people_is_refused_and_not_kept(
    desks: Desks, owner: asyncpg.Connection, table: pl.DataFrame, column: pl.Series, said: str
) -> None:
    desk = await desks.of(MAKER)
    before = await kept(owner)
    await upload(desk, as_csv(table.with_columns(column)))
    assert desk.reply.status_code == 422
    assert said in desk.words
    assert await kept(owner) == before


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "没有选文件，或者文件是空的"),
        (b"a;b\n1;2\n", "列之间要用逗号隔开，这份用的像是分号"),
        (b"PAR1 no", "这不是完好的 Parquet 文件"),
        (b"a,a\n1,2\n", "有重名的列：a"),
        (b"a,b\n", "文件里没有数据行"),
        (b"x" * (8 * 2**20 + 1), "文件超过 8 MB"),
    ],
    ids=["empty", "semicolons", "broken", "twice", "no rows", "too large"],
)
async def test_what_cannot_be_read_is_refused_with_a_sentence(
    desks: Desks, content: bytes, said: str
) -> None:
    desk = await desks.of(MAKER)
    await upload(desk, content)
    assert desk.reply.status_code == 422
    assert said in desk.words


async def test_gb18030_with_its_chinese_names_reads_as_the_command_reads_it(
    road: Road, desks: Desks, table: pl.DataFrame
) -> None:
    desk = await desks.of(MAKER)
    path = await upload(desk, table.write_csv().encode("gb18030"))
    assert [each.name for each in (await run_of(road, path)).columns] == table.columns


async def test_a_refusal_is_one_sentence_and_nothing_typed_is_lost(
    road: Road, desks: Desks, table: pl.DataFrame
) -> None:
    leaking = table.with_columns(催收次数=pl.col("坏") * 3, 常数二=pl.lit(0))
    desk = await desks.of(MAKER)
    path = await upload(desk, as_csv(leaking))
    await start(desk, road, path, name="")
    assert desk.reply.status_code == 422
    assert "请给模型起个名字" in desk.words
    assert desk.page.form(f"{path}/start").values["purpose"] == WORDS["purpose"]
    run = await run_of(road, path)
    for target, said in (
        ("常数", "目标列 常数 只有一种值，没有好坏之分"),
        ("坏", "催收次数 几乎直接说出了结果"),
    ):
        await start(desk, road, path, target, **{f"use_{at(desk, '用卡率', run)}": "descending"})
        await road.drain()
        await desk.get(path)
        assert said in desk.words
        assert "--" not in desk.words
        form = desk.page.form(f"{path}/start").values
        assert {**WORDS, f"use_{at(desk, '用卡率', run)}": "descending"}.items() <= form.items()
    await start(desk, road, path, **{f"use_{at(desk, '催收次数', run)}": "exclude"})
    await road.drain()
    assert (await run_of(road, path)).status == "done"


async def test_a_table_of_facts_gives_a_model_that_may_decide(road: Road, desks: Desks) -> None:
    people = pl.DataFrame(list(synthetic.county(3000, 11)))
    desk = await desks.of(MAKER)
    path = await upload(desk, as_csv(people.with_columns(pl.selectors.boolean().cast(pl.Int8))))
    await start(desk, road, path, "defaulted", kind="trees")
    await road.drain()
    await desk.get(path)
    assert "这个模型能用于审批" in desk.words
    await desk.send(desk.page.form(f"{path}/register"))
    async with road.db.read(UNION) as tx:
        [model] = await service.all_models(tx)
    assert (model.decides, model.status) == (True, "tested")


async def test_the_same_model_trained_again_is_handed_in_where_it_was_sent_back(
    road: Road, desks: Desks
) -> None:
    """A page's training has no report.json to upload: without this, who is sent back stands before a closed door."""
    people = as_csv(
        pl.DataFrame(list(synthetic.county(3000, 12))).with_columns(pl.selectors.boolean().cast(pl.Int8))
    )
    desk, second = await desks.of(MAKER), await desks.of("SL0003")
    for state in ("draft", "tested"):
        path = await upload(desk, people)
        await start(desk, road, path, "defaulted")
        await road.drain()
        await desk.get(path)
        await desk.send(desk.page.form(f"{path}/register"))
        assert "已测试" in desk.words, (state, desk.words[:400])
        if state == "draft":
            await second.get(desk.path)
            await second.send(second.page.form(f"{desk.path}/act"), act="draft", why="再看看")
            await desk.get(desk.path)
            assert "退回来了" in desk.words
    path = await upload(desk, people)
    await start(desk, road, path, "defaulted")
    await road.drain()
    await desk.get(path)
    await desk.send(desk.page.form(f"{path}/register"))
    assert "一模一样的已经登记过，叫“" in desk.words, desk.words[:400]
    async with road.db.read(UNION) as tx:
        assert [each.status for each in await service.all_models(tx)] == ["tested"]


async def test_own_cases_without_an_end_are_told(road: Road, desks: Desks) -> None:
    desk = await desks.of(MAKER)
    await desk.get(HOME)
    await desk.send(desk.page.form(HOME), cases="own")
    path = desk.path
    await start(desk, road, path)
    await road.drain()
    await desk.get(path)
    assert "还没有一笔借款到期见了好坏" in desk.words


async def test_who_cancels_stops_the_process_and_may_start_again(
    road: Road, desks: Desks, table: pl.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = await desks.of(MAKER)
    path = await upload(desk, as_csv(table))
    await start(desk, road, path)
    stopped = []

    async def slow(module: str, message: bytes, **rest: Any) -> bytes:
        await desk.send(desk.page.form(f"{path}/cancel"))
        rest["hear"]("检验")
        try:
            await asyncio.sleep(60)
        finally:
            stopped.append(module)
        return b""

    with monkeypatch.context() as patch:
        patch.setattr(apart, "run", slow)
        await desk.get(path)
        await road.drain()
    assert len(stopped) == 1
    assert (await run_of(road, path)).status == "cancelled"
    await start(desk, road, path)
    assert (await run_of(road, path)).status == "waiting"


async def test_trainings_wait_in_a_line_and_one_is_done_after_the_other(
    road: Road, desks: Desks, table: pl.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A second one was refused until the first was over (A1-05)."""
    desk = await desks.of(MAKER)
    paths = [await upload(desk, as_csv(table)) for _ in range(3)]
    for path in paths:
        await start(desk, road, path)
    assert "在排队，前面还有 2 次训练" in desk.words
    await desk.get(f"{paths[1]}/progress")
    assert "前面还有 1 次训练" in desk.words
    await desk.get(HOME)
    assert "排队，前面还有 2 次" in desk.words
    begun: list[int] = []

    async def quick(module: str, message: bytes, **rest: Any) -> bytes:
        states = [(await run_of(road, path)).status for path in paths]
        begun.append(states.index("running"))
        assert states.count("running") == 1
        if begun == [0]:
            await desk.get(paths[1])
            await desk.send(desk.page.form(f"{paths[1]}/cancel"))
        return msgspec.msgpack.encode(trainings.Made(why="不行"))

    monkeypatch.setattr(apart, "run", quick)
    await road.drain()
    assert begun == [0, 2], "who left the line is passed by, nobody waits for ever"
    assert [(await run_of(road, path)).status for path in paths] == ["refused", "cancelled", "refused"]
    monkeypatch.setattr(trainings, "MOST_IN_LINE", 1)
    await start(desk, road, paths[0])
    await start(desk, road, paths[1])
    assert "已经有 1 次训练没做完" in desk.words


@pytest.mark.parametrize("under_way", [True, False])
async def test_a_training_whose_job_is_a_dead_letter_is_told_and_the_line_goes_on(
    road: Road, desks: Desks, table: pl.DataFrame, monkeypatch: pytest.MonkeyPatch, under_way: bool
) -> None:
    """The next one waited until somebody cancelled it (A1-05)."""

    async def broken(*_: Any) -> None:
        raise Invalid()

    desk = await desks.of(MAKER)
    first, second = [await upload(desk, as_csv(table)) for _ in range(2)]
    await start(desk, road, first)
    await start(desk, road, second)
    with monkeypatch.context() as patched:
        patched.setattr(trainings, "finish" if under_way else "take", broken)
        await road.drain()
    states = [(await run_of(road, path)).status for path in (first, second)]
    assert states == ["running" if under_way else "waiting", "waiting"]
    assert await give_up_trainings.give_up_trainings(road.context) == 1
    assert await give_up_trainings.give_up_trainings(road.context) == 0
    await desk.get(first)
    assert train_model.GAVE_UP in desk.words
    await road.drain()
    assert (await run_of(road, second)).status == "done"
    await start(desk, road, first)
    assert await give_up_trainings.give_up_trainings(road.context) == 0, "a new turn has a job of its own"
    await road.drain()
    assert (await run_of(road, first)).status == "done"


async def test_a_training_whose_worker_died_begins_anew_and_is_given_up_in_the_end(
    road: Road, desks: Desks, table: pl.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = await desks.of(MAKER)
    path = await upload(desk, as_csv(table))
    await start(desk, road, path)
    run = await run_of(road, path)
    for _ in range(MOST_ATTEMPTS - 1):
        async with road.db.begin(UNION) as tx:
            assert await trainings.take(tx, run.id, run.turn)  # a worker that dies here
    await road.drain()
    assert ((await run_of(road, path)).status, (await run_of(road, path)).attempts) == ("done", MOST_ATTEMPTS)
    await start(desk, road, path)
    run = await run_of(road, path)
    for _ in range(MOST_ATTEMPTS):
        async with road.db.begin(UNION) as tx:
            assert await trainings.take(tx, run.id, run.turn)
    await road.drain()
    await desk.get(path)
    assert train_model.GAVE_UP in desk.words


async def test_the_table_is_deleted_when_its_time_is_over_or_by_hand(
    road: Road, desks: Desks, owner: asyncpg.Connection, table: pl.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    desk = await desks.of(MAKER)
    first, second = await upload(desk, as_csv(table)), await upload(desk, as_csv(table))
    assert "前删掉" in desk.words
    stored = await owner.fetchval("select body from models.training_tables limit 1")
    assert "近半年查询".encode() not in stored
    await desk.send(desk.page.form(f"{second}/forget"))
    assert "已经删掉了" in desk.words
    assert not any(form.action == f"{second}/start" for form in desk.page.forms)
    assert await forget_training_tables.forget_training_tables(road.context) == 0
    late = clock.now() + timedelta(hours=25)
    monkeypatch.setattr(clock, "now", lambda: late)
    assert await forget_training_tables.forget_training_tables(road.context) == 1
    assert (await run_of(road, first)).startable is False
    assert await owner.fetchval("select count(*) from models.training_tables") == 0


async def test_a_countys_analyst_neither_trains_nor_sees_the_unions(
    desks: Desks, table: pl.DataFrame
) -> None:
    path = await upload(await desks.of(MAKER), as_csv(table))
    county = await desks.of("JX0301")
    await county.get(HOME)
    assert "训练由省联社的风险分析员来办" in county.words
    assert not [form for form in county.page.forms if form.action.startswith(HOME)]
    assert (await county.get(path)).status_code == 404


async def test_every_step_stands_in_the_audit(road: Road, desks: Desks, table: pl.DataFrame) -> None:
    desk = await desks.of(MAKER)
    path = await upload(desk, as_csv(table))
    await start(desk, road, path)
    await road.drain()
    await desk.get(path)
    await desk.send(desk.page.form(f"{path}/register"))
    async with road.db.read(UNION) as tx:
        found = [each.action for each in await audit.of(tx, path.rpartition("/")[2])]
    assert found[::-1] == ["training.prepared", "training.asked", "training.done", "training.forgotten"]
