"""What is known of places: the towns of the union's counties, and a mild prior over characters in addresses.

Place names use characters that look like everyday ones (塆 like 垮, 颍 like 颖, 垱 like 档). A weight multiplies the
posterior of a character: a clear reading wins against it, an undecided one is settled by it. Measured on the `tune`
seeds of tests/benchmarks/ocr_figures.py.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from backend.ocr.lines import Line

Gazetteer = Mapping[str, Sequence[str]]
"""Towns (乡镇) by county, as they stand in addresses."""

_TOWN = 30.0
"""How much likelier a character is where it makes the name of a town that exists in the county read before it."""

_PLACES = "垸塆颍濉垱畈圩坳垌垭堰埠墩坂垴岙峪崮峒淝澧濮浉溵郾郏洧浚滑淅泌潢淠坨坻埝埂垛塬崖嵖岈汝洑滍"
_LOOK_ALIKES = {
    "垮": 0.02, "坑": 0.25, "颖": 0.12, "档": 0.08, "挡": 0.05, "增": 0.15, "贩": 0.05, "版": 0.1, "瓯": 0.2,
    "烷": 0.02, "琮": 0.1, "址": 0.1, "滩": 0.5, "潍": 0.5, "垃": 0.02, "均": 0.3, "墙": 0.2, "雌": 0.05,
    "摊": 0.05, "弯": 0.2, "皈": 0.05, "珰": 0.05, "埼": 0.1, "两": 0.4, "当": 0.5, "坷": 0.2, "诸": 0.5,
    "详": 0.1, "睢": 0.7, "眠": 0.1, "拥": 0.1, "埋": 0.1, "吐": 0.1, "郊": 0.4, "侯": 0.7, "候": 0.05,
    "祥": 0.7, "己": 0.1, "已": 0.1, "阵": 0.2, "拔": 0.3,
}  # fmt: skip
ADDRESS: dict[str, float] = {**dict.fromkeys(_PLACES, 4.0), **_LOOK_ALIKES}


def gazetteer(own: Path) -> Gazetteer:
    """The union's own list (`gazetteer.json` in the data directory) or, without one, that of the demo union."""
    path = own if own.exists() else Path(__file__).with_name("gazetteer.json")
    found: Gazetteer = json.loads(path.read_text(encoding="utf-8"))
    return found


def settled(line: Line, known: Gazetteer) -> Line:
    """The line with the town behind a county's name made likelier, where one town alone is meant: as read, or but for
    one character. What a clear posterior says against it still stands, in doubt."""
    for county, towns in known.items():
        start = line.text.find(county)
        if start >= 0:
            start += len(county)
            town = _meant(line.text[start:], towns)
            for at, name in enumerate(town):
                column = round(line.characters[start + at].column)
                line = line.favouring(name, column, _TOWN)
                if line.text[start + at : start + at + 1] != name:
                    line = line.doubted(column)
    return line


def _meant(text: str, towns: Sequence[str]) -> str:
    """The town `text` begins with, or the only one but for one character; else an empty text."""
    apart = {
        town: sum(a != b for a, b in zip(text, town, strict=False))
        for town in towns
        if len(town) <= len(text)
    }
    least = min(apart.values(), default=2)
    nearest = [town for town, distance in apart.items() if distance == least]
    return nearest[0] if least <= 1 and len(nearest) == 1 else ""
