"""Figures of trials and batches (issue 3 section 6), each over a ceiling measured in the same run.

A back-test is told in CPU time of this thread (the machine is shared), per case: two cores have 1,200 µs for each of
100,000 cases in 60 s. Batches use polars' threads, so they are told in wall time, the best of some rounds.
"""

import time
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import polars as pl

from backend.core import clock
from backend.domains.decision import bundle, evaluate, features, scorecard
from backend.domains.trials import batch, cases, judging, models
from tests.benchmarks import figure
from tests.benchmarks.figure import Figure
from tests.domains.trials.conftest import facts, seeded_plan, shelf

_CASES, _PEOPLE, _ROUNDS = 400, 1_000_000, 5


def run() -> list[Figure]:
    """Back-test per case against bare decisions; a million scores against bare bisections of the same columns."""
    return [_back_test(), *_batches()]


def _back_test() -> Figure:
    frame, using = facts(_CASES), bundle.seeded()
    judge = judging.Judge(seeded_plan())
    made = list(cases.of_frame(frame, shelf()))
    tried = min(_cpu(lambda: judge.county(frame, "x")) for _ in range(_ROUNDS)) / _CASES * 1e6
    bare = min(_cpu(lambda: [evaluate.evaluate(case, using) for case in made]) for _ in range(_ROUNDS))
    return figure.at_most(
        "back-test, CPU per case and version", tried, "us", 1_200, bare / _CASES * 1e6, "bare decisions"
    )


def _batches() -> list[Figure]:
    people = pl.concat([facts(50_000)] * (_PEOPLE // 50_000))
    model = models.of_card(scorecard.seeded())
    scored = min(_wall(lambda: batch.score_rows(people, model)) for _ in range(_ROUNDS))
    ready = features.frame(people, model.inputs, clock.today())
    bare = min(_wall(lambda: _bare(ready)) for _ in range(_ROUNDS))
    with TemporaryDirectory() as folder:
        table, out = Path(folder) / "people.parquet", Path(folder) / "scores.parquet"
        people.write_parquet(table)
        source = batch.open_table(table, batch.plain_names(model.inputs))
        whole = min(_wall(lambda: batch.score(source, model, out, resume=False)) for _ in range(_ROUNDS))
    of = "13 bare bisections of ready columns"
    return [
        figure.at_most("1,000,000 scores in memory, features too", scored, "s", 2, bare, of),
        figure.at_most("the same from file to file, in parts kept", whole, "s", 2, bare, of),
    ]


def _bare(ready: pl.DataFrame) -> int:
    """The bisections alone, on columns that are ready: no features, no check of values, no table made."""
    total = 0
    for part in bundle.seeded().card.card.characteristics:
        found = np.searchsorted(np.array(part.splits), ready[part.name].to_numpy(), side="right")
        total += int(found.sum())
    return total


def _cpu(call: Callable[[], object]) -> float:
    began = time.thread_time()
    call()
    return time.thread_time() - began


def _wall(call: Callable[[], object]) -> float:
    began = time.perf_counter()
    call()
    return time.perf_counter() - began
