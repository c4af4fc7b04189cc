"""The changes of a draft carried onto another version than the one it was begun from: row by row, cell by cell.

Pure. Where only one side changed something, that side counts; where both did, the draft's does, and it is told.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from backend.domains.decision.model import canonical
from backend.domains.strategies.model import Content, CountyContent, Document, Openings, UnionContent

Row = dict[str, str]


class Merged(msgspec.Struct, frozen=True):
    """`both`: what both sides changed, each in its own way, in words."""

    content: Content
    both: tuple[str, ...]


class _Both:
    """Picks a side, and keeps where both changed."""

    def __init__(self) -> None:
        self.told: list[str] = []

    def pick(self, sides: Sequence[Any], place: str) -> Any:
        base, mine, theirs = sides
        if canonical(mine) == canonical(base):
            return theirs
        if canonical(theirs) not in (canonical(base), canonical(mine)):
            self.told.append(place)
        return mine


def merged(base: Content, mine: Content, theirs: Content, names: Mapping[str, str]) -> Merged:
    """`mine` with what `theirs` changed since `base`. All of one layer; `names` of tables and numbers by
    id, for a county's."""
    both = _Both()
    content: Content
    if isinstance(base, UnionContent) and isinstance(mine, UnionContent) and isinstance(theirs, UnionContent):
        content = UnionContent(
            document=_document(base.document, mine.document, theirs.document, both),
            openings=_openings(base.openings, mine.openings, theirs.openings, both),
        )
    else:
        assert isinstance(base, CountyContent)
        assert isinstance(mine, CountyContent)
        assert isinstance(theirs, CountyContent)
        tables = dict.fromkeys((*theirs.rows, *mine.rows))
        content = CountyContent(
            parameters=_by_key(base.parameters, mine.parameters, theirs.parameters, "县行的数", both, names),
            rows={
                table: _rows(
                    [each.rows.get(table, []) for each in (base, mine, theirs)], names.get(table, table), both
                )
                for table in tables
            },
        )
    return Merged(content, tuple(dict.fromkeys(both.told)))


def _by_key(
    base: Mapping[str, Any],
    mine: Mapping[str, Any],
    theirs: Mapping[str, Any],
    place: str,
    both: _Both,
    names: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    picked = {
        key: both.pick(
            [[each[key]] if key in each else [] for each in (base, mine, theirs)],
            (names or {}).get(key, place),
        )
        for key in dict.fromkeys((*theirs, *mine))
    }
    return {key: held[0] for key, held in picked.items() if held}


def _rows(sides: Sequence[list[Row]], place: str, both: _Both) -> list[Row]:
    """In the order of `theirs`; a row the draft added stands behind the row it stands behind in the draft. Where the
    draft changed the order, its own."""
    old, own, new = ({row.get("_id", ""): row for row in rows} for rows in sides)
    found: dict[str, Row] = {}
    for key in dict.fromkeys((*new, *own)):
        at = f"{place} 第 {list(own if key in own else new).index(key) + 1} 行"
        if key in own and key in new:
            found[key] = _by_key(old.get(key, {}), own[key], new[key], at, both)
        elif (one := both.pick([each.get(key) for each in (old, own, new)], at)) is not None:
            found[key] = one
    kept = [key for key in own if key in old]
    if kept != [key for key in old if key in own]:
        return [found[key] for key in (*own, *(k for k in found if k not in own)) if key in found]
    order = [key for key in new if key in found]
    before = ""
    for key in own:
        if key in found and key not in order:
            order.insert(order.index(before) + 1 if before in order else 0, key)
        before = key
    return [found[key] for key in order]


def _document(base: Document, mine: Document, theirs: Document, both: _Both) -> Document:
    old, own, new = ({node["id"]: node for node in side["nodes"]} for side in (base, mine, theirs))
    nodes = []
    for key in dict.fromkeys((*new, *own)):
        sides: list[Any] = [each.get(key) for each in (old, own, new)]
        if all(sides) and all(each["type"] == "decisionTableNode" for each in sides):
            nodes.append(_table(sides, both))
        elif (one := both.pick(sides, (own.get(key) or new[key]).get("name", key))) is not None:
            nodes.append(one)
    lines = [{_line(edge): edge for edge in side["edges"]} for side in (base, mine, theirs)]
    left = {node["id"] for node in nodes}
    edges = [
        edge
        for key, edge in (lines[2] | {k: e for k, e in lines[1].items() if k not in lines[0]}).items()
        if not (key in lines[0] and key not in lines[1]) and key[0] in left and key[1] in left
    ]
    return {**theirs, "nodes": nodes, "edges": _numbered(edges)}


def _table(sides: Sequence[Any], both: _Both) -> dict[str, Any]:
    """Rows one by one; columns, name and place as wholes."""
    name = str(sides[1].get("name", ""))
    contents = [each["content"] for each in sides]
    rules = _rows([each["rules"] for each in contents], name, both)
    rest = [{k: v for k, v in each.items() if k != "rules"} for each in contents]
    whole = [{k: v for k, v in each.items() if k != "content"} for each in sides]
    content = {**_by_key(rest[0], rest[1], rest[2], f"{name} 的列", both), "rules": rules}
    return {**_by_key(whole[0], whole[1], whole[2], name, both), "content": content}


def _line(edge: Mapping[str, Any]) -> tuple[str, str, str]:
    return edge["sourceId"], edge["targetId"], edge.get("sourceHandle") or ""


def _numbered(edges: list[Any]) -> list[Any]:
    """Every line with an id of its own: both sides may have given the same."""
    taken, made = set[str](), []
    for edge in edges:
        number = edge.get("id", "")
        if number in taken:
            ids = {each.get("id", "") for each in edges} | taken
            number = next(name for n in range(1, 10_000) if (name := f"line-{n}") not in ids)
        taken.add(number)
        made.append(edge if edge.get("id") == number else {**edge, "id": number})
    return made


def _openings(base: Openings, mine: Openings, theirs: Openings, both: _Both) -> Openings:
    known = [
        {each.id: msgspec.to_builtins(each) for each in side.parameters} for side in (base, mine, theirs)
    ]
    parameters = _by_key(known[0], known[1], known[2], "向县行开放的数", both)
    places = [set(side.places) for side in (base, mine, theirs)]
    wanted = (places[2] | (places[1] - places[0])) - (places[0] - places[1])
    return msgspec.convert(
        {
            "parameters": list(parameters.values()),
            "places": [each for each in dict.fromkeys((*theirs.places, *mine.places)) if each in wanted],
            "price_band": both.pick([each.price_band for each in (base, mine, theirs)], "县行加减点"),
        },
        Openings,
    )
