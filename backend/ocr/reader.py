"""One picture in, one Reading out: find the lines, decide what paper it is, read its fields."""

import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from backend.ocr import bank_card, business_licence, id_card, locate, quality, reading
from backend.ocr.engine import Engine, Image
from backend.ocr.lines import Line
from backend.ocr.locate import Word
from backend.ocr.reading import Field, Reading

_SIGNS = {
    reading.ID_FRONT: ("姓名", "性别", "民族", "出生", "住址", "公民身份号码", "身份号码"),
    reading.ID_BACK: ("签发机关", "有效期限", "居民身份证", "中华人民共和国"),
    reading.BUSINESS_LICENCE: (
        "营业执照",
        "统一社会信用代码",
        "法定代表人",
        "注册资本",
        "成立日期",
        "经营范围",
        "经营场所",
        "登记机关",
        "组成形式",
    ),
}
_PARSERS: dict[str, Callable[[Sequence[Word]], dict[str, Field]]] = {
    reading.ID_FRONT: id_card.front,
    reading.ID_BACK: id_card.back,
    reading.BUSINESS_LICENCE: business_licence.licence,
    reading.BANK_CARD: bank_card.card,
}
FIRST_LOOK = 448
_LOOKS = {
    reading.ID_FRONT: (FIRST_LOOK, 736, 960),
    reading.ID_BACK: (FIRST_LOOK, 736, 960),
    reading.BUSINESS_LICENCE: (960, 1280),
    reading.BANK_CARD: (FIRST_LOOK, 736, 960),
    "": (FIRST_LOOK, 736, 960),
}


def read(engine: Engine, picture: Image, kind: str | None = None) -> Reading:
    """Read a picture (BGR, any orientation). `kind` is what is expected there; another paper is still named for what
    it is. Looks again at a higher resolution while labels or values are missing."""
    started = time.perf_counter()
    expected = kind or ""
    best = _best_look(engine, picture, expected)
    certain = best.score >= 1 and not any(value.doubtful for value in best.values.values())
    judged = quality.judge(picture, best.words, best.kind, expected, certain)
    return assemble(best.kind, best.values, judged, round((time.perf_counter() - started) * 1000))


def _best_look(engine: Engine, picture: Image, expected: str) -> "_Look":
    """Climb the ladder of the expected paper. One that turns out to have smaller print than was looked for is only
    recognised from so far away: its lines run together there, so its own ladder is climbed instead."""
    best = _Look(-1.0, "", {}, [], False)
    ladder = _LOOKS[expected]
    while ladder:
        long_side, *higher = ladder
        look = _look(engine, picture, long_side)
        if look is None:
            ladder = _LOOKS[reading.BUSINESS_LICENCE]
            continue
        if look.score > best.score:
            best = look
        if look.score >= 1:
            break
        ladder = _LOOKS[look.kind] if look.too_far else tuple(higher)
    return best


def _look(engine: Engine, picture: Image, long_side: int) -> "_Look | None":
    """One look; None when it is a licence seen from too far. Only where its words stand outlives it: the posteriors
    of a licence's lines are 100 MB, and the next look is the largest."""
    reader = locate.Reader(engine, picture)
    boxes = find(engine, reader, picture, long_side)
    if long_side < _LOOKS[reading.BUSINESS_LICENCE][0] and _is_licence(reader, boxes):
        return None
    words = reader.words(boxes)
    found = recognise(words) or ""
    values = _PARSERS[found](words) if found else {}
    too_far = found != "" and long_side < _LOOKS[found][0]
    score = 0.0 if too_far else completeness(found, values)
    nothing = Line(np.zeros((0, 0), np.float32), engine.alphabet)
    return _Look(score, found, values, [word._replace(line=nothing) for word in words], too_far)


class _Look(NamedTuple):
    score: float
    kind: str
    values: dict[str, Field]
    words: list[Word]
    too_far: bool


def find(engine: Engine, reader: locate.Reader, picture: Image, long_side: int) -> list[locate.Box]:
    """Where text stands, upright, looked for at `long_side` pixels."""
    found = locate.boxes(engine.detect(picture, long_side), picture.shape[:2])
    return reader.upright(found)


def _is_licence(reader: locate.Reader, boxes: list[locate.Box]) -> bool:
    """Whether the largest print says 营业执照, which saves reading all of it from too far away."""
    largest = sorted(boxes, key=lambda box: -box.half_height)[:2]
    return any("营业执照" in reader.line(box).text for box in largest)


def recognise(words: Sequence[Word]) -> str | None:
    """Which paper these lines belong to, by the labels printed on it."""
    text = "\n".join(word.line.text for word in words)
    counts = {kind: sum(sign in text for sign in signs) for kind, signs in _SIGNS.items()}
    kind = max(counts, key=lambda each: counts[each])
    if counts[kind] >= 2:
        return kind
    if bank_card.looks_like(words):
        return reading.BANK_CARD
    return kind if counts[kind] == 1 and len(words) <= 12 else None


def completeness(kind: str, values: dict[str, Field]) -> float:
    """1 when every field of this paper was found and nothing is in doubt about its shape."""
    if not kind:
        return 0.0
    optional = {"注册资本", "成立日期", "发卡行", "有效期"}
    needed = [label for label in reading.EXPECTED[kind] if label not in optional]
    return sum(bool(values.get(label) and values[label].text) for label in needed) / len(needed)


def assemble(
    kind: str, values: dict[str, Field], judged: dict[str, float | int | str], milliseconds: int
) -> Reading:
    """The public form of a reading. A label that was not found is in doubt too."""
    order = [label for label in reading.EXPECTED.get(kind, ()) if label in values or _needed(label)]
    present = [label for label in order if label in values and values[label].text]
    return Reading(
        kind=kind,
        fields={label: values[label].text for label in present},
        doubtful=[label for label in order if label not in present or values[label].doubtful],
        confidence={label: values[label].confidence for label in present},
        unsure={label: values[label].unsure for label in present if values[label].unsure},
        quality=judged,
        ms=milliseconds,
    )


def _needed(label: str) -> bool:
    """A licence of a 个体工商户 has no 注册资本, a bank card may print neither bank nor date in letters."""
    return label not in ("注册资本", "发卡行", "有效期")
