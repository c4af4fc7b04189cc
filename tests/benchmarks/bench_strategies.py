"""From the approval of a version to the moment every process decides by it (issue 3 §2: ≤5 s), and the layers' cost.

Three processes decide all the while. A round lets a version through its whole life; its time runs from the commit of
the approval to the last process's first decision by it, compiling included. The ceiling is the same processes seeing
the bare row. All processes of a machine read one monotonic clock.
"""

import asyncio
import copy
import os
import queue
import statistics
import subprocess
import sys
import threading
import time
from contextlib import ExitStack
from pathlib import Path

import msgspec

from backend import demo, wiring
from backend.core.actor import Actor, system
from backend.db.database import Database
from backend.domains.decision import bundle, evaluate, facts, model, scorecard
from backend.domains.decision.model import Stage
from backend.domains.strategies import composing, effects, service, shipped
from backend.domains.strategies.model import CountyContent, UnionContent, Version
from backend.settings import Settings
from tests.benchmarks import figure
from tests.benchmarks.arena import ROOT, database
from tests.benchmarks.bench_decision import _micros
from tests.benchmarks.figure import Figure

PROCESSES, ROUNDS = 3, 6
ADMIN = Actor("staff", demo.UNION_STAFF[0][0], "0000", frozenset({"head_office_admin"}))
ANALYST = Actor("staff", demo.UNION_STAFF[1][0], "0000", frozenset({"risk_analyst"}))
_CASE = Path(__file__).parents[1] / "data" / "cases" / "approved_payroll.json"
_PATIENCE = 60.0


def run() -> list[Figure]:
    """About half a minute, on a database of its own."""
    return [_published(), _layered()]


def _published() -> Figure:
    with database() as (_, settings), ExitStack() as stack:
        watchers = [stack.enter_context(_Watcher(settings)) for _ in range(PROCESSES)]
        for watcher in watchers:
            watcher.wait("decided", "")
        rows, decided = asyncio.run(_rounds(settings, watchers))
    return figure.at_most(
        f"publish to live in {PROCESSES} deciding processes", max(decided), "ms", 5000, statistics.median(rows),
        "the bare row seen",
    )  # fmt: skip


def _layered() -> Figure:
    """A decision with a county's overlay at two stages against the same without."""
    case = msgspec.json.decode(_CASE.read_bytes(), type=model.Case)
    documents = bundle.seeded_documents()
    made = {}
    for stage, content in (
        (Stage.ELIGIBILITY, CountyContent(parameters={"queries_6m": 5, "lenders": 4})),
        (Stage.PRICING, CountyContent(rows={"parts": [{"_id": "a", "r1": "'x'", "r2": "'y'", "r3": "30"}]})),
    ):
        under = UnionContent(document=documents[stage], openings=shipped.openings(stage, documents[stage]))
        made[stage] = composing.compose(stage, under, content, facts.catalogue())
    county = bundle.build(documents, scorecard.seeded(), overlays=made, price_band=(0, 100), keep=False)
    with_layer = _micros(lambda: model.canonical(evaluate.evaluate(case, county)))
    without = _micros(lambda: model.canonical(evaluate.evaluate(case, bundle.seeded())))
    return figure.over("decision with a county's overlay", with_layer, "us", 2, without, "the union's alone")


async def _rounds(settings: Settings, watchers: "list[_Watcher]") -> tuple[list[float], list[float]]:
    """Milliseconds from the commit to (the bare row seen, the last process deciding by it), a round each."""
    db = wiring.database(settings, size=2)
    await db.open()
    rows, decided = [], []
    try:
        for number in range(ROUNDS):
            version = await _ready(db, number)
            async with db.begin(ANALYST) as tx:
                await service.approve(tx, version.id, reason="测量")
            committed = time.monotonic_ns()
            digest = version.document_hash
            rows.append(max(w.wait("row", digest) - committed for w in watchers) / 1e6)
            decided.append(max(w.wait("decided", digest) - committed for w in watchers) / 1e6)
    finally:
        await db.close()
    return [max(row, 0.001) for row in rows], decided


async def _ready(db: Database, number: int) -> Version:
    """A new eligibility version, checked, measured and submitted."""
    async with db.begin(ADMIN) as tx:
        begun = await service.draft(tx, "*", Stage.ELIGIBILITY, reason="测量")
        assert isinstance(begun.content, UnionContent)
        document = copy.deepcopy(begun.content.document)
        table = next(n for n in document["nodes"] if n["id"] == "bureau")["content"]
        table["rules"][4]["r4"] = f"'以后按时还款，第 {number} 版'"
        saved = await service.save(
            tx, begun.id, UnionContent(document=document, openings=begun.content.openings)
        )
        run = await service.check(tx, saved.id)
        assert not run.failures, run.report
        await service.submit(tx, saved.id)
    async with db.begin(system("0000", "measure")) as tx:
        trial = await effects.begin(tx, saved, 0)
        await effects.advance(tx, trial, 0, trial.figures, finished=True)
    return saved


class _Watcher:
    """One deciding process and what it said."""

    def __init__(self, settings: Settings) -> None:
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("XIAODAI", "DATABASE"))}
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.benchmarks.strategy_watch"],
            cwd=ROOT,
            env={**kept, "XIAODAI_DATA": str(settings.data)},
            stdout=subprocess.PIPE,
            text=True,
        )
        self._lines: queue.Queue[str] = queue.Queue()
        self._seen: dict[tuple[str, str], int] = {}
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line)

    def wait(self, kind: str, digest: str) -> int:
        """When it first saw this document (any, when `digest` is ''), in nanoseconds of the monotonic clock."""
        end = time.monotonic() + _PATIENCE
        while True:
            for (seen, of), at in self._seen.items():
                if seen == kind and digest in ("", of):
                    return at
            told, of, at_text = self._lines.get(timeout=max(0.1, end - time.monotonic())).split()
            self._seen.setdefault((told, of), int(at_text))

    def __enter__(self) -> "_Watcher":
        return self

    def __exit__(self, *_: object) -> None:
        self._process.terminate()
        self._process.wait(10)
