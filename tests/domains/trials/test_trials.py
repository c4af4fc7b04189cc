"""Trials as the product runs them: kept by chunk, stopped and gone on with, seen by their own institution (A3-33)."""

import argparse
import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import asyncpg
import msgspec
import psutil
import pytest

from backend.commands import backtest, practice
from backend.core import clock, ids
from backend.core.actor import Actor, everywhere, system
from backend.domains.decision import bundle, service
from backend.domains.decision.model import Stage, StrategyRefused
from backend.domains.trials import report, strategy_file
from backend.domains.trials import service as trials
from backend.domains.trials.model import (
    CountyNotLoaded,
    NothingToTry,
    StrategyUnreadable,
    TooManyTrials,
    TrialNotFound,
    TrialOver,
)
from backend.flows import gather_facts, run_trial, start_trial
from backend.flows.context import Context
from backend.flows.name_trial_versions import Versions
from backend.flows.start_trial import Asked
from backend.jobs import worker
from backend.settings import Settings
from tests.domains.decision.conftest import read
from tests.domains.decision.test_service import stricter
from tests.domains.trials.conftest import NAME, SIZE

ROOT = Path(__file__).resolve().parents[3]
JIA, YI = system("4101", "test"), system("4102", "test")
LIVE = Versions()


def stricter_file(folder: Path) -> Versions:
    path = folder / "eligibility.json"
    path.write_bytes(msgspec.json.encode(stricter(bundle.seeded_documents())[Stage.ELIGIBILITY]))
    return Versions(label=path.name, files=strategy_file.read(path))


async def start(context: Context, actor: Actor, asked: Asked, *, queued: bool = False) -> Any:
    return await start_trial.start_trial(context, actor, asked, queued=queued)


async def finish(context: Context, actor: Actor, run_id: str, **more: Any) -> Any:
    return await run_trial.run_trial(context, actor, run_id, workers=1, **more)


async def results(context: Context, actor: Actor, run_id: str, grouping: str | None = None) -> Any:
    async with context.db.read(actor) as tx:
        return await trials.results(tx, run_id, grouping)


async def test_a_draft_is_tried_on_the_practice_county(
    context: Context, county: practice.Loaded, head_office: Actor, tmp_path: Path
) -> None:
    asked = Asked(draft=stricter_file(tmp_path), against=LIVE, county=NAME, limit=1_200)
    run = await start(context, head_office, asked)
    assert (run.status, run.cases_total, run.county) == ("waiting", 1_200, county.county)
    told: list[tuple[int, int]] = []
    done = await finish(context, head_office, run.id, watch=lambda *at: told.append(at))
    assert (done.status, done.cases_done, done.partial) == ("done", 1_200, False)
    assert told == [(1_000, 1_200), (1_200, 1_200)]
    assert done.pairs > 20
    assert done.pairs_differing == 0
    measured = await results(context, head_office, run.id)
    row = report.rows(measured, "all")[0]
    assert row.base is not None
    assert row.draft.cases == row.base.cases == 1_200
    assert row.swap_out == row.base.approved - row.draft.approved > 0
    assert len(report.rows(measured, "village")) > 5, "the cases are spread over the county"
    page = report.html(done, measured, clock.now(), {})
    assert "<script" not in page
    assert "http" not in page
    for word in ("不再通过", "按性别", "按村", "预期损失", "种植养殖"):
        assert word in page
    async with context.db.read(head_office) as tx:
        assert [each.id for each in await trials.listed(tx)] == [run.id]
        shown = await trials.shown(tx, run.id)
        assert (shown.measured, shown.fewest) == (measured, 0), "nobody of a practice county is somebody"


async def test_a_stopped_trial_says_it_is_partial(
    context: Context, county: practice.Loaded, head_office: Actor
) -> None:
    run = await start(context, head_office, Asked(draft=LIVE, county=NAME))
    stop = asyncio.Event()
    stop.set()
    stopped = await finish(context, head_office, run.id, stop=stop)
    assert (stopped.status, stopped.cases_done, stopped.partial) == ("cancelled", 1_000, True)
    measured = await results(context, head_office, run.id, "all")
    assert [m.cases for m in measured] == [1_000]
    assert "结果不完整" in report.html(stopped, measured, clock.now(), {}) or "不完整" in report.html(
        stopped, measured, clock.now(), {}
    )
    assert report.as_json(stopped, measured)["run"]["partial"] is True
    with pytest.raises(TrialOver):
        await finish(context, head_office, run.id)


async def test_the_worker_runs_a_trial_in_steps_and_stops_when_asked(
    context: Context, county: practice.Loaded, head_office: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    from backend.flows import step_trial

    monkeypatch.setattr(step_trial, "STEP_SECONDS", 0.0)  # a job per chunk
    run = await start(context, head_office, Asked(draft=LIVE, county=NAME), queued=True)
    assert await worker.drain(context) == SIZE // 1_000
    async with context.db.read(head_office) as tx:
        done = await trials.get(tx, run.id)
    assert (done.status, done.cases_done) == ("done", SIZE)
    [whole] = await results(context, head_office, run.id, "all")
    assert whole.cases == SIZE

    again = await start(context, head_office, Asked(draft=LIVE, county=NAME), queued=True)
    first = await finish(context, head_office, again.id, seconds=0.0)
    assert (first.status, first.cases_done) == ("running", 1_000)
    async with context.db.begin(head_office) as tx:
        await trials.cancel(tx, again.id)
    await worker.drain(context)
    async with context.db.read(head_office) as tx:
        ended = await trials.get(tx, again.id)
    assert (ended.status, ended.cases_done, ended.partial) == ("cancelled", 2_000, True)


async def test_a_waiting_trial_is_stopped_at_once_and_its_job_does_nothing(
    context: Context, county: practice.Loaded, head_office: Actor
) -> None:
    run = await start(context, head_office, Asked(draft=LIVE, county=NAME), queued=True)
    async with context.db.begin(head_office) as tx:
        assert (await trials.cancel(tx, run.id)).status == "cancelled"
    await worker.drain(context)
    assert await results(context, head_office, run.id) == []


async def test_starts_at_once_are_no_more_trials_than_the_worker_has_at_a_time(
    context: Context, county: practice.Loaded, head_office: Actor
) -> None:
    asked = Asked(draft=LIVE, county=NAME, limit=100)
    starts = [start(context, head_office, asked, queued=True) for _ in range(5)]
    found = await asyncio.gather(*starts, return_exceptions=True)
    refused = [each for each in found if isinstance(each, TooManyTrials)]
    assert (len(found) - len(refused), len(refused)) == (trials.MOST_OPEN, 2), found


async def test_a_chunk_brought_twice_counts_once(
    context: Context, county: practice.Loaded, head_office: Actor
) -> None:
    run = await start(context, head_office, Asked(draft=LIVE, county=NAME))
    await finish(context, head_office, run.id, seconds=0.0)
    [before] = await results(context, head_office, run.id, "all")
    from backend.domains.trials.judging import Fairness

    async with context.db.begin(head_office) as tx:
        at = await trials.get(tx, run.id)
        assert await trials.advance(tx, at, ("", "1000"), 1_000, Fairness(), [before]) == "taken"
    assert await results(context, head_office, run.id, "all") == [before]


async def test_history_tries_a_draft_on_what_was_decided(
    context: Context, head_office: Actor, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A county on its own decisions, head office on all; the base is what was decided then."""
    names = ("approved_payroll", "approved_small", "declined_court", "referred_missing_fact")
    for actor in (JIA, YI):
        async with context.db.begin(actor) as tx:
            using = await service.bundle_for(tx, "SXD")
            for name in names:
                await service.record(tx, ids.new(), service.decide(read(name), using))
    asked = Asked(draft=stricter_file(tmp_path))
    own = await start(context, JIA, asked)
    every = await start(context, head_office, asked)
    assert (own.cases_total, every.cases_total) == (4, 8)
    assert (own.against, own.kind) == ("当时的决定", "history")
    await finish(context, JIA, own.id)
    await finish(context, head_office, every.id)
    sides = {m.side: m for m in await results(context, JIA, own.id, "all")}
    assert (sides["base"].approved, sides["base"].declined, sides["base"].referred) == (2, 1, 1)
    assert sides["swap_out"].cases == sides["base"].approved - sides["draft"].approved > 0
    counties = {m.member for m in await results(context, head_office, every.id, "county")}
    assert counties == {"4101", "4102"}
    async with context.db.read(JIA) as tx:
        assert (await trials.shown(tx, own.id)).measured == [], "four customers (D3-07)"
    async with context.db.read(head_office) as tx:
        shown = await trials.shown(tx, every.id)
        assert shown == await trials.shown(tx, every.id), "asked again it is the same"
    backtest._tell(argparse.Namespace(out=tmp_path / "out", json=True), shown)
    for told in (capsys.readouterr().out, (tmp_path / "out" / "results.json").read_text()):
        for each in json.loads(told)["results"]:
            assert each["fewest"] == 5
            counts = [each[name] for name in ("cases", "approved", "referred", "declined")]
            assert all(count is None or count in (5, 10) for count in counts), each
    assert "不到 5" in (tmp_path / "out" / "report.html").read_text()
    with pytest.raises(TrialNotFound):
        async with context.db.read(YI) as tx:
            await trials.get(tx, own.id)
    assert await results(context, YI, own.id) == []


async def test_what_cannot_be_tried_is_refused_before_it_starts(
    context: Context, county: practice.Loaded, head_office: Actor, tmp_path: Path
) -> None:
    broken = bundle.seeded_documents()[Stage.LIMIT]
    broken["nodes"] = [node for node in broken["nodes"] if node["type"] != "decisionTableNode"]
    path = tmp_path / "limit.json"
    path.write_bytes(msgspec.json.encode(broken))
    with pytest.raises(StrategyRefused):
        await start(context, head_office, Asked(draft=Versions(files=strategy_file.read(path)), county=NAME))
    with pytest.raises(CountyNotLoaded):
        await start(context, head_office, Asked(draft=LIVE, county="没有"))
    with pytest.raises(NothingToTry):
        await start(context, JIA, Asked(draft=LIVE))


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"strategies": {"x": {}}}', '{"nodes": []}', '{"other": 1}']
)
def test_a_file_that_is_no_strategy_gets_a_sentence(tmp_path: Path, text: str) -> None:
    path = tmp_path / "mine.json"
    path.write_text(text)
    with pytest.raises(StrategyUnreadable):
        strategy_file.read(path)
    with pytest.raises(StrategyUnreadable):
        strategy_file.read(tmp_path / "none.json")
    with pytest.raises(StrategyUnreadable):
        strategy_file.read(tmp_path)


async def test_a_broken_process_ends_the_trial_as_failed(
    context: Context, county: practice.Loaded, head_office: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> Any:
        raise OSError("no processes left")

    run = await start(context, head_office, Asked(draft=LIVE, county=NAME, limit=10))
    monkeypatch.setattr(run_trial.pool, "submit", broken)
    failed = await finish(context, head_office, run.id)
    assert (failed.status, failed.error) == ("failed", "OSError")


async def test_product_and_rules_are_those_of_a_live_case(context: Context) -> None:
    """What stands around a practice case is what `gather_facts` reads for a real one."""
    from types import SimpleNamespace as Plain

    from backend.domains.products import service as products
    from backend.domains.regulation import service as regulation

    today = clock.today()
    async with context.db.read(JIA) as tx:
        shelf, _ = await start_trial._shelf(tx, "4101", today)
        rules = await regulation.in_force(tx, today)
        offered = {p.code: p for p in await products.list_live(tx, "4101", today)}
    assert {"SXD", "JYXY"} <= {each.code for each in shelf.products}
    for each in shelf.products:
        for months in each.terms:
            for purpose in (*each.purposes, "shares"):
                asked: Any = Plain(declared=Plain(term_months=months, purpose=purpose))
                known: Any = Plain(product=offered[each.code])
                live = gather_facts._product_facts(asked, known)
                mine = {**each.facts, **each.terms[months], "purpose_in_product": purpose in each.purposes}
                assert mine == live
                forbidden = purpose in shelf.forbidden_purposes
                assert {**shelf.regulation, "purpose_forbidden": forbidden} == gather_facts._regulation_facts(
                    asked, rules
                )


async def test_a_county_is_its_own_schema_and_only_the_owner_writes_it(
    context: Context, loading: Settings, county: practice.Loaded, owner: asyncpg.Connection
) -> None:
    """N20: nothing refers out of `practice`, nothing into it; the application reads and cannot write."""
    outside = await owner.fetchval(
        "select count(*) from pg_constraint c join pg_class t on t.oid = c.conrelid "
        "join pg_namespace n on n.oid = t.relnamespace join pg_class r on r.oid = c.confrelid "
        "join pg_namespace m on m.oid = r.relnamespace "
        "where c.contype = 'f' and (n.nspname = 'practice') <> (m.nspname = 'practice')"
    )
    assert outside == 0
    for row in await owner.fetch("select t::text as name from practice.tables() t"):
        rights = await owner.fetchrow(
            "select has_table_privilege('xiaodai_app', $1, 'select') as reads, "
            "has_table_privilege('xiaodai_app', $1, 'insert, update, delete, truncate') as writes",
            row["name"],
        )
        assert (rights["reads"], rights["writes"]) == (True, False), row["name"]
    for call in ("drop_county", "open_county", "close_county"):
        assert not await owner.fetchval(
            "select has_function_privilege('xiaodai_app', $1, 'execute')", f"practice.{call}(text)"
        )


async def test_wiping_and_restoring_leave_everything_else_alone(
    loading: Settings, county: practice.Loaded, owner: asyncpg.Connection
) -> None:
    async def fingerprint() -> str:
        return str(
            await owner.fetchval(
                "select md5(string_agg(f::text, ',' order by household)) from practice.facts f"
            )
        )

    names = await owner.fetch(
        "select format('%I.%I', schemaname, tablename) as name from pg_tables "
        "where schemaname not in ('practice', 'pg_catalog', 'information_schema')"
    )
    before, real = await fingerprint(), {}
    for row in names:
        real[row["name"]] = await owner.fetchval(f"select count(*) from {row['name']}")
    await practice.wipe(loading, NAME)
    assert await owner.fetchval("select count(*) from practice.facts") == 0
    assert await owner.fetchval("select count(*) from practice.counties") == 0
    again = await practice.load(loading, NAME, SIZE, 5, lambda _: None)
    assert again.rows == county.rows
    assert await fingerprint() == before
    restored = await practice.load(loading, NAME, None, None, lambda _: None)
    assert restored.households == SIZE
    assert await fingerprint() == before
    for name, count in real.items():
        assert await owner.fetchval(f"select count(*) from {name}") == count, name
    with pytest.raises(practice.OtherCounty):
        await practice.load(loading, NAME, SIZE + 1, None, lambda _: None)
    with pytest.raises(practice.NotLoaded):
        await practice.load(loading, "没有", None, None, lambda _: None)


async def test_a_load_that_breaks_off_leaves_nothing_to_see(
    loading: Settings, owner: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: Any) -> Any:
        raise RuntimeError("stopped")

    monkeypatch.setattr(practice.tables, "villages", broken)
    with pytest.raises(ExceptionGroup):
        await practice.load(loading, NAME, 500, 1, lambda _: None)
    assert await owner.fetchval("select count(*) from practice.counties") == 0
    left = "select count(*) from pg_tables where schemaname = 'practice' and tablename ~ '_[0-9]{2}$'"
    assert await owner.fetchval(left) == 0
    monkeypatch.undo()
    assert (await practice.load(loading, NAME, 500, 1, lambda _: None)).households == 500


async def test_two_counties_stand_side_by_side(loading: Settings, owner: asyncpg.Connection) -> None:
    one = await practice.load(loading, "甲演练县", 500, 1, lambda _: None)
    two = await practice.load(loading, "乙演练县", 480, 2, lambda _: None)
    assert (one.county, two.county) == ("99", "89")
    shared = await owner.fetchval(
        "select count(*) from (select id_number from practice.people group by 1 having count(*) > 1) t"
    )
    assert shared == 0
    await practice.wipe(loading, "甲演练县")
    assert await owner.fetchval("select count(*) from practice.households") == 480


async def test_head_office_reads_no_trial_of_a_county(context: Context, county: practice.Loaded) -> None:
    run = await start(context, JIA, Asked(draft=LIVE, county=NAME, limit=10))
    async with context.db.read(everywhere("look")) as tx:
        assert await trials.listed(tx) == [], "its pages ask for one institution at a time"
    async with context.db.read(JIA) as tx:
        assert (await trials.get(tx, run.id)).asked_by == "system:test"


def test_processes_end_with_the_one_that_started_them(tmp_path: Path) -> None:
    """Killed with -9, the leader leaves nobody behind who waits for its next chunk."""
    script = tmp_path / "leader.py"
    script.write_text(
        "import os, sys\n"
        "from backend.domains.trials import pool\n"
        "from tests.domains.trials.conftest import facts, seeded_plan\n"
        "if __name__ == '__main__':\n"
        "    opened = pool.open_pool(seeded_plan(), 1)\n"
        "    pool.submit(opened, pool.Chunk(county='x', frame=facts(2))).result()\n"
        "    print(*opened._processes, flush=True)\n"
        "    sys.stdin.read()\n"
    )
    leader = subprocess.Popen(
        [sys.executable, str(script)], text=True, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT)}, cwd=ROOT,
    )  # fmt: skip
    assert leader.stdout is not None
    [follower] = [psutil.Process(int(number)) for number in leader.stdout.readline().split()]
    leader.kill()
    leader.wait()
    psutil.wait_procs([follower], timeout=30)
    assert not follower.is_running() or follower.status() == psutil.STATUS_ZOMBIE
