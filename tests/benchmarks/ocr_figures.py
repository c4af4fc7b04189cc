"""How well documents are read: figures on specimens nobody tuned on.

    python -m tests.benchmarks.ocr_figures --range report --count 100 --json

`tune` and `report` are disjoint ranges of seeds; figures are only ever quoted from `report`. A range whose
single failures somebody has looked at, or whose figures led to a change, is reported no more (500,000 and 700,000
onward were: backend/ocr/README.md).
"""

import argparse
import json
import statistics
import tempfile
import time
import unicodedata
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from backend.ocr import engine as engines
from backend.ocr import intake, models, reader
from backend.sandbox import specimens

RANGES = {"tune": 1_000, "report": 900_000}
DEGREES = ("easy", "medium", "hard")
KINDS = ("id_front", "id_back", "business_licence", "bank_card")


def specimen(kind: str, seed: int, degree: Any) -> tuple[bytes, dict[str, str]]:
    """(JPEG, what is printed on it)."""
    if kind == "id_front":
        person = specimens.person(seed)
        return specimens.draw_front(person, seed, degree), person.front_fields()
    if kind == "id_back":
        person = specimens.person(seed)
        return specimens.draw_back(person, seed, degree), person.back_fields()
    if kind == "business_licence":
        business = specimens.business(seed)
        return specimens.draw_licence(business, seed, degree), business.fields()
    card = specimens.bank_card(seed)
    return specimens.draw_bank_card(card, seed, degree), card.fields()


class Timed(engines.Engine):
    """Adds up the seconds spent inside ONNX Runtime."""

    onnx_seconds = 0.0

    def _run(self, session: Any, value: NDArray[np.float32]) -> NDArray[np.float32]:
        started = time.thread_time()
        result = super()._run(session, value)
        self.onnx_seconds += time.thread_time() - started
        return result


def same(read: str, printed: str) -> bool:
    """Equal but for the width of punctuation."""
    return _narrow(read) == _narrow(printed)


def _narrow(text: str) -> str:
    return (
        unicodedata.normalize("NFKC", text)
        .replace("，", ",")
        .replace("；", ";")
        .replace("：", ":")
        .replace(" ", "")
    )


def measure(engine: Timed, kind: str, degree: str, first: int, count: int, show: bool) -> dict[str, Any]:
    """Read `count` specimens and count what came out."""
    exact, asks, wrong_unmarked, total_fields = 0, 0, 0, 0
    right: Counter[str] = Counter()
    silent: Counter[str] = Counter()
    seconds: list[float] = []
    ratios: list[float] = []
    for seed, jpeg, printed in _specimens(kind, degree, first, count):
        engine.onnx_seconds = 0.0
        started = time.thread_time()
        reading = reader.read(engine, intake.pixels(jpeg))
        seconds.append(time.thread_time() - started)
        ratios.append(seconds[-1] / max(engine.onnx_seconds, 1e-9))
        wrong = {label for label in printed if not same(reading.fields.get(label, ""), printed[label])}
        unmarked = wrong - set(reading.doubtful) - (set() if reading.kind == kind else set(printed))
        exact += not wrong
        asks += bool(reading.doubtful)
        wrong_unmarked += len(unmarked)
        total_fields += len(printed)
        right.update(set(printed) - wrong)
        silent.update(unmarked)
        if show and (wrong or reading.doubtful):
            _show(seed, kind, degree, reading, printed, wrong, unmarked)
    return {
        "kind": kind,
        "degree": degree,
        "cards": count,
        "whole_exact": exact / count,
        "asks_to_confirm": asks / count,
        "wrong_unmarked": wrong_unmarked / total_fields,
        "wrong_unmarked_by_label": dict(silent),
        "fields": {label: right[label] / count for label in sorted(right)},
        "cpu_ms_median": round(statistics.median(seconds) * 1000),
        "cpu_ms_p95": round(sorted(seconds)[int(0.95 * (count - 1))] * 1000),
        "over_onnx_median": round(statistics.median(ratios), 3),
    }


def _specimens(kind: str, degree: str, first: int, count: int) -> Iterator[tuple[int, bytes, dict[str, str]]]:
    """Drawn once and kept in the temporary folder: drawing takes longer than reading."""
    folder = Path(tempfile.gettempdir()) / "xiaodai-specimens"
    folder.mkdir(exist_ok=True)
    for seed in range(first, first + count):
        path = folder / f"{kind}-{degree}-{seed}.jpg"
        printed = path.with_suffix(".json")
        if not printed.exists():
            jpeg, truth = specimen(kind, seed, degree)
            path.write_bytes(jpeg)
            printed.write_text(json.dumps(truth, ensure_ascii=False))
        yield seed, path.read_bytes(), json.loads(printed.read_text())


def _show(seed: int, kind: str, degree: str, reading: Any, printed: Any, wrong: Any, unmarked: Any) -> None:
    print(f"-- {kind} {degree} {seed} read as {reading.kind or 'nothing'}, doubtful {reading.doubtful}")
    for label in sorted(wrong):
        print(
            f"   {'!!' if label in unmarked else '  '} {label}: {reading.fields.get(label)!r} for {printed[label]!r}"
        )
    for label in reading.doubtful:
        if label not in wrong:
            print(f"   ok {label}: {reading.fields.get(label)!r} {reading.confidence.get(label)}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("var"))
    parser.add_argument("--range", choices=sorted(RANGES), default="tune")
    parser.add_argument("--first", type=int, default=0, help="offset inside the range")
    parser.add_argument("--count", type=int, default=20)
    parser.add_argument("--kinds", default=",".join(KINDS))
    parser.add_argument("--degrees", default=",".join(DEGREES))
    parser.add_argument("--show", action="store_true")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    engine = Timed(models.prepare(arguments.data, print))
    for kind in arguments.kinds.split(","):
        for degree in arguments.degrees.split(","):
            first = RANGES[arguments.range] + arguments.first
            figures = measure(engine, kind, degree, first, arguments.count, arguments.show)
            if arguments.json:
                print(json.dumps(figures, ensure_ascii=False), flush=True)
            else:
                print(" ".join(f"{name}={_short(value)}" for name, value in figures.items()), flush=True)


def _short(value: Any) -> str:
    if isinstance(value, dict):
        return "{" + " ".join(f"{label}:{_short(share)}" for label, share in value.items()) + "}"
    return f"{value:.3f}" if isinstance(value, float) else str(value)


if __name__ == "__main__":
    main()
