"""Reading documents over its ceiling: the same model calls made bare, in the same run on the same machine.

CPU time, not wall time: the machine is shared. One thread reads, as in a worker.
"""

import os
import statistics
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import psutil
from numpy.typing import NDArray

from backend.ocr import engine as engines
from backend.ocr import frames, intake, models, pool, reader, reading
from backend.sandbox import specimens
from tests.benchmarks import ocr_figures

FIRST = 700_000  # neither tuned on nor part of the reported figures
_FRONTS, _OTHERS, _ROUNDS = 12, 4, 3


class Recording(engines.Engine):
    """Keeps what it gave to the models, so that the same calls can be made bare."""

    def __init__(self, folder: Path) -> None:
        self.kept: list[tuple[Any, NDArray[np.float32]]] = []
        super().__init__(folder)
        self.kept.clear()

    def _run(self, session: Any, value: NDArray[np.float32]) -> NDArray[np.float32]:
        self.kept.append((session, value))
        return super()._run(session, value)


def run() -> list[dict[str, Any]]:
    """Whole readings against bare ONNX Runtime, time per card, and what a worker costs."""
    folder = models.prepare(Path(tempfile.gettempdir()) / f"xiaodai-test-models-{os.getuid()}")
    worker = _worker(folder)
    engine = Recording(folder)
    figures = [_kind(engine, kind) for kind in ocr_figures.KINDS]
    return [*figures, *_cards(engine), *worker]


def _kind(engine: Recording, kind: str) -> dict[str, Any]:
    """From pixels to fields, as a ratio to its own model calls (issue §8)."""
    whole = bare = 0.0
    for jpeg in _photographs(kind, _OTHERS):
        picture = intake.pixels(jpeg)
        engine.kept.clear()
        reader.read(engine, picture, kind)
        calls = list(engine.kept)
        whole += _least(lambda picture=picture: reader.read(engine, picture, kind))  # type: ignore[misc]
        bare += _least(lambda calls=calls: _bare(calls))  # type: ignore[misc]
    name = f"{reading.KIND_NAMES[kind]}: from pixels to fields"
    return _figure(name, whole / _OTHERS, "ms", 1.3, bare / _OTHERS, "the same model calls, bare")


def _cards(engine: Recording) -> list[dict[str, Any]]:
    """From the photograph's bytes to fields: fronts of all degrees, each read once."""
    spent = sorted(
        _least(lambda jpeg=jpeg: reader.read(engine, intake.pixels(jpeg), reading.ID_FRONT), 1)  # type: ignore[misc]
        for jpeg in _photographs(reading.ID_FRONT, _FRONTS)
    )
    median, late = (180, 450) if models.has_vnni() else (300, 700)
    return [
        _plain("ID card, from bytes to fields, median", statistics.median(spent), "ms", median),
        _plain("ID card, from bytes to fields, p95", spent[round(0.95 * (len(spent) - 1))], "ms", late),
    ]


def _worker(folder: Path) -> list[dict[str, Any]]:
    """Resident memory after reading, and how long a worker takes from nothing (its fork server included)."""
    started = time.perf_counter()
    worker = pool.Worker(folder, pool.Limits())
    ready = time.perf_counter() - started
    try:
        for kind in ocr_figures.KINDS:
            for jpeg in _photographs(kind, _OTHERS):
                worker.ask(frames.pack(frames.Request(jpeg, kind, clean=True)))
        memory = psutil.Process(worker.pid).memory_info().rss / 1e6
    finally:
        worker.stop()
    return [
        _plain("worker ready", ready, "s", 6),
        _plain("worker's memory after 16 papers", memory, "MB", 450),
    ]


def _photographs(kind: str, count: int) -> list[bytes]:
    degrees: tuple[specimens.Degree, ...] = ("easy", "medium", "hard")
    return [
        ocr_figures.specimen(kind, FIRST + number, degrees[number % len(degrees)])[0]
        for number in range(count)
    ]


def _bare(calls: list[tuple[Any, NDArray[np.float32]]]) -> None:
    for session, value in calls:
        session.run(None, {session.get_inputs()[0].name: value})


def _least(call: Callable[[], object], rounds: int = _ROUNDS) -> float:
    """CPU milliseconds of this thread, the least of several rounds."""
    least = float("inf")
    for _ in range(rounds):
        started = time.thread_time_ns()
        call()
        least = min(least, (time.thread_time_ns() - started) / 1e6)
    return least


def _figure(
    name: str, value: float, unit: str, most: float, ceiling: float, ceiling_of: str
) -> dict[str, Any]:
    ratio = value / ceiling
    return {
        "name": name,
        "value": round(value, 1),
        "unit": unit,
        "ceiling": round(ceiling, 1),
        "ceiling_of": ceiling_of,
        "ratio": round(ratio, 3),
        "goal": f"≤{most:g}×",
        "met": ratio <= most,
    }


def _plain(name: str, value: float, unit: str, most: float) -> dict[str, Any]:
    """A figure whose goal is absolute (issue §4)."""
    return {
        "name": name,
        "value": round(value, 1),
        "unit": unit,
        "goal": f"≤{most} {unit}",
        "met": value <= most,
    }
