"""Processes that judge chunks: each compiles the plan once and keeps it. Started fresh (spawn), because polars'
and the engine's threads do not survive a fork."""

import ctypes
import multiprocessing
import signal
from concurrent.futures import Future, ProcessPoolExecutor

import msgspec
import polars as pl

from backend.domains.trials import judging, tallying, warnings
from backend.domains.trials.model import Measured, Plan

_PR_SET_PDEATHSIG = 1

_judge: judging.Judge | None = None


class Chunk(msgspec.Struct, frozen=True, kw_only=True):
    """`frame` facts of a practice county, `signals` of its loans, or `stored` decisions: (id, institution,
    capsule, sex)."""

    county: str = ""
    frame: pl.DataFrame | None = None
    signals: pl.DataFrame | None = None
    stored: list[tuple[str, str, bytes, str]] = []


class Done(msgspec.Struct, frozen=True):
    measured: list[Measured]
    fairness: judging.Fairness


def open_pool(plan: Plan, workers: int) -> ProcessPoolExecutor:
    return ProcessPoolExecutor(
        workers,
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_start,
        initargs=(msgspec.json.encode(plan),),
    )


def submit(pool: ProcessPoolExecutor, chunk: Chunk) -> "Future[Done]":
    return pool.submit(_work, chunk)


def _start(plan: bytes) -> None:
    global _judge
    # A terminal's Ctrl-C reaches every process; only the one that leads decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # When the leader is killed, waiting for its next chunk would last for ever.
    ctypes.CDLL(None, use_errno=True).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    _judge = judging.Judge(msgspec.json.decode(plan, type=Plan))


def _work(chunk: Chunk) -> Done:
    assert _judge is not None
    return work(_judge, chunk)


def work(judge: judging.Judge, chunk: Chunk) -> Done:
    """Judge and sum one chunk, here."""
    if chunk.signals is not None:
        return Done(warnings.tally(judge.warn(chunk.signals, chunk.county)), judging.Fairness())
    facts, stored = chunk.frame, chunk.stored
    judged = judge.history(stored) if facts is None else judge.county(facts, chunk.county)
    return Done(tallying.tally(judged.frame), judged.fairness)
