"""Strategies as files GoRules' own editor opens, and what comes back from it; what a document refers to.

Stored documents carry no content type; a file does. Nothing else is changed either way: positions, ids, unknown
drawing marks and the order of everything stay, so reading what was written gives the same document, and writing
what was read gives the same bytes. Whether a document may be used is `lint.check`'s to say, wherever it came from.
"""

import copy
import json
import math
from collections.abc import Iterator, Mapping
from typing import Any

from backend.core import errors, files
from backend.core.plain_text import plain
from backend.domains.decision import graph

CONTENT_TYPE = "application/vnd.gorules.decision"
LARGEST = 2_000_000
"""Bytes; the largest seeded strategy has 30 kB."""


class FileUnreadable(errors.Invalid):
    code = "strategy_file_unreadable"
    message = "这个文件不是一份流程图：{why}"


def write(document: Mapping[str, Any]) -> bytes:
    """A document as a file for the editor."""
    body = {key: value for key, value in document.items() if key != "contentType"}
    text = json.dumps({"contentType": CONTENT_TYPE, **body}, ensure_ascii=False, indent=1, allow_nan=False)
    return text.encode() + b"\n"


def read(text: bytes) -> dict[str, Any]:
    """The document in a file. Raises `FileUnreadable`; what may be wrong with the strategy is not looked at."""
    if len(text) > LARGEST:
        raise FileUnreadable(why="文件太大")
    try:
        found = json.loads(
            text.decode("utf-8-sig"), object_pairs_hook=_once, parse_constant=_refuse, parse_float=_finite
        )
    except FileUnreadable:
        raise
    except (ValueError, RecursionError) as cause:
        raise FileUnreadable(
            why=f"{files.said(text)}，要的是从这里导出的流程图文件（.json 或 .zip）"
        ) from cause
    if not isinstance(found, dict) or not isinstance(found.get("nodes"), list):
        raise FileUnreadable(why="它是 JSON，但里面没有节点，要的是从这里或 GoRules 的编辑器导出的流程图")
    if found.pop("contentType", CONTENT_TYPE) != CONTENT_TYPE:
        raise FileUnreadable(why="它是别的内容")
    if hidden := next((text for text in _texts(found) if plain(text) != _breaks(text)), ""):
        raise FileUnreadable(why=f"“{plain(hidden)[:30]}”里有看不见的字符，删掉再传")
    return found


def _texts(document: Any) -> Iterator[str]:
    """Every text in it, keys too: what a person cannot see, they cannot agree to; and a NUL the database would not
    take."""
    waiting = [document]
    while waiting:
        each = waiting.pop()
        if isinstance(each, str):
            yield each
        elif isinstance(each, dict):
            waiting += [*each, *each.values()]
        elif isinstance(each, list):
            waiting += each


def _breaks(text: str) -> str:
    """With the line ends of `plain`."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A file that says two things under one name says nothing."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise FileUnreadable(why="有一项写了两遍")
    return found


def _finite(text: str) -> float:
    """1e400 is written as a number and read as infinity."""
    number = float(text)
    return number if math.isfinite(number) else _refuse(text)


def _refuse(_: str) -> Any:
    raise FileUnreadable(why="里面有不是数的数")


def flows(document: Mapping[str, Any]) -> list[str]:
    """Keys of the sub-flows a document runs."""
    return [str(node["content"]["key"]) for node in flow_nodes(document)]


def flow_nodes(document: Mapping[str, Any]) -> Iterator[Any]:
    return _of(document, graph.FLOW)


def models(document: Mapping[str, Any]) -> list[str]:
    """Keys of the scorecards and models a document asks."""
    return [str(node["content"]["config"]["model"]) for node in model_nodes(document)]


def model_nodes(document: Mapping[str, Any]) -> Iterator[Any]:
    return _of(document, graph.CUSTOM)


def pinned(document: Mapping[str, Any], named: Mapping[str, str]) -> dict[str, Any]:
    """The document with names of sub-flows and models replaced by the hashes of the versions meant, so that its own
    hash says everything that runs. Names not in `named` stay, and the checks refuse them."""
    ready = copy.deepcopy(dict(document))
    for node in flow_nodes(ready):
        node["content"]["key"] = named.get(node["content"]["key"], node["content"]["key"])
    for node in model_nodes(ready):
        config = node["content"]["config"]
        config["model"] = named.get(config["model"], config["model"])
    return ready


def _of(document: Mapping[str, Any], kind: str) -> Iterator[Any]:
    return (node for node in document["nodes"] if node["type"] == kind)
