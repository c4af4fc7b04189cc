"""The difference of two versions as a risk officer reads it: rows added, removed, changed cell by cell (A3-33)."""

import json
from collections.abc import Mapping
from typing import Any

import msgspec

from backend.domains.decision import graph
from backend.domains.decision.contracts import FIELDS
from backend.domains.decision.facts import Catalogue
from backend.domains.decision.model import Stage, canonical
from backend.domains.strategies import calculations, cells, computing, nesting, overlays, scored, unfolding
from backend.domains.strategies.cells import Column
from backend.domains.strategies.changes import OBSCURE, Change, Kind, lines, openings
from backend.domains.strategies.model import Content, CountyContent, Document, Parameter, UnionContent
from backend.domains.strategies.nesting import Flows
from backend.domains.strategies.scored import Score


def between(
    stage: Stage,
    before: Content | None,
    after: Content,
    known: Catalogue,
    floor: UnionContent | None = None,
    models: Mapping[str, str] | None = None,
    flows: Flows | None = None,
) -> list[Change]:
    """All differences of one stage from `before` (None: from nothing) to `after`.

    `floor`: for a county's contents, the union's content, which gives tables, columns and parameters their names.
    `models`: what people call scorecards and models, by hash; `flows`: the sub-flows of both sides, by hash.
    """
    try:
        return _between(stage, before, after, known, floor, _Named(models or {}, flows or {}))
    except (
        LookupError,
        TypeError,
        AttributeError,
    ):  # a draft may hold anything; its checks say what is wrong
        return [
            Change(kind="changed", what="节点", table="流程图", before="原来的内容", after="还没写完的内容")
        ]


def _between(
    stage: Stage,
    before: Content | None,
    after: Content,
    known: Catalogue,
    floor: UnionContent | None,
    named: "_Named",
) -> list[Change]:
    if isinstance(after, UnionContent):
        old = (
            before if isinstance(before, UnionContent) else UnionContent(document={"nodes": [], "edges": []})
        )
        return [
            *_documents(stage, old.document, after.document, known, named),
            *openings(unfolding.laid_out(old, named.flows), unfolding.laid_out(after, named.flows)),
        ]
    held = before if isinstance(before, CountyContent) else CountyContent()
    return _county(stage, held, after, known, floor or UnionContent(document={"nodes": [], "edges": []}))


class _Named(msgspec.Struct, frozen=True):
    """What nodes name by hash: the words for models, the documents of sub-flows."""

    models: Mapping[str, str]
    flows: Flows


def _documents(
    stage: Stage, before: Document, after: Document, known: Catalogue, named: _Named
) -> list[Change]:
    found = _contents(stage, before, after, known, named)
    return found + _unseen(before, after, {each.node for each in found}, named.flows)


def _contents(stage: Stage, before: Document, after: Document, own: Catalogue, named: _Named) -> list[Change]:
    """All that can be told in words; `own` is the catalogue without the names of the flow."""
    old, new = overlays.tables(before), overlays.tables(after)
    known = calculations.words(after, calculations.words(before, own))
    found: list[Change] = []
    for number, node in new.items():
        if number not in old:
            found.append(Change(kind="added", what="表", table=node["name"], node=number))
        held = old.get(number, {"content": {"inputs": [], "outputs": [], "rules": []}})
        found += _tables(stage, node, held["content"], known)
    found += [
        Change(kind="removed", what="表", table=node["name"], node=number)
        for number, node in old.items()
        if number not in new
    ]
    found += [*_inputs(before, after, known), *_others(before, after, known, named)]
    return found + _sub_flows(stage, before, after, own, named)


def _sub_flows(
    stage: Stage, before: Document, after: Document, known: Catalogue, named: _Named
) -> list[Change]:
    """What changed inside sub-flows that stay, and all of those that are new."""
    held = {node["id"]: named.flows.get(nesting.key_of(node)) for node in before["nodes"]}
    found = []
    for node in nesting.nodes_of(after):
        old, new = held.get(node["id"]), named.flows.get(nesting.key_of(node))
        if new is None:
            continue
        if old is None:
            inner = _contents(stage, {"nodes": [], "edges": []}, new, known, named)
        else:
            inner = _documents(stage, old, new, known, named)
        found += [
            msgspec.structs.replace(
                each,
                table=f"{node['name']}{nesting.BETWEEN}{each.table}",
                node=f"{node['id']}/{each.node}",
            )
            for each in inner
        ]
    return found


def _inputs(before: Document, after: Document, known: Catalogue) -> list[Change]:
    """Which facts a flow takes, that it did not take before, or no more."""
    old, new = (_declared(side) for side in (before, after))
    found = []
    for number, node in new.items():
        was = old.get(number)
        if was is None or (set(was[1]) == set(node[1])):
            continue
        for kind, names in (("added", set(node[1]) - set(was[1])), ("removed", set(was[1]) - set(node[1]))):
            if names:
                labels = "、".join(sorted(known[n].label if n in known else n for n in names))
                found.append(
                    Change(kind=kind, what="要用的数据项", table=node[0], node=number, after=labels)  # type: ignore[arg-type]
                )
    return found


def _declared(document: Document) -> dict[str, tuple[str, list[str]]]:
    """(name of the node, facts its schema asks for) of the input nodes that can be read."""
    found = {}
    for node in document["nodes"]:
        if node["type"] == "inputNode":
            try:
                schema = json.loads(node["content"]["schema"])
                found[node["id"]] = (str(node.get("name", "")), [str(each) for each in schema["required"]])
            except (LookupError, TypeError, ValueError):
                continue  # told as what it is, a change nobody can read
    return found


def _unseen(before: Document, after: Document, told: set[str], flows: Flows) -> list[Change]:
    """What the hash tells apart and nothing above has told of: never 一样 where it is not."""
    old, new = ({n["id"]: _undrawn(n, flows) for n in side["nodes"]} for side in (before, after))
    found = [
        _obscure(after_node.get("name") or number, number)
        for number, after_node in new.items()
        if number not in told and canonical(after_node) != canonical(old.get(number))
    ]
    found += [_obscure(old[i].get("name") or i, i) for i in old if i not in new and i not in told]
    whole = [{**side, "nodes": [_undrawn(n, flows) for n in side["nodes"]]} for side in (before, after)]
    if not found and not told and canonical(whole[0]) != canonical(whole[1]):
        found.append(_obscure("流程图"))
    return found


def _undrawn(node: Mapping[str, Any], flows: Flows) -> dict[str, Any]:
    """Without where it stands, and which sub-flow it runs where that was compared by itself."""
    left = {key: value for key, value in node.items() if key != "position"}
    return left if nesting.key_of(node) not in flows else {**left, "content": {**left["content"], "key": ""}}


def _obscure(table: str, node: str = "", **place: str) -> Change:
    return Change(kind="changed", what="节点", table=table, node=node, after=OBSCURE, **place)


def _others(before: Document, after: Document, known: Catalogue, named: _Named) -> list[Change]:
    """Nodes that are no tables, calculations row by row, and the lines between nodes as a whole."""
    skip = ("decisionTableNode", "inputNode", "outputNode")
    old = {n["id"]: n for n in before["nodes"] if n["type"] not in skip}
    new = {n["id"]: n for n in after["nodes"] if n["type"] not in skip}
    found = [
        Change(kind="added", what="节点", table=n["name"], node=i, after=_inside(n, known, named.models))
        for i, n in new.items()
        if i not in old
    ]
    found += [
        Change(kind="removed", what="节点", table=n["name"], node=i) for i, n in old.items() if i not in new
    ]
    for i, n in new.items():
        if i in old and any(
            canonical(n.get(p)) != canonical(old[i].get(p)) for p in ("content", "description")
        ):
            found += _within(old[i], n, known, named)
    return found + lines(before, after)


def _inside(node: Mapping[str, Any], known: Catalogue, models: Mapping[str, str]) -> str:
    """A calculation's rows or the model asked, in one line; nothing of another node."""
    if (score := scored.score_of(node)) is not None:
        return f"用{scored.label_of(score.model, models)}打分，结果叫“{score.result}”，{score.span}"
    if node["type"] != graph.EXPRESSION:
        return ""
    return "；".join(f"{row.name} = {row.text}" for row in calculations.rows_of(node, known))


def _within(
    before: Mapping[str, Any], after: Mapping[str, Any], known: Catalogue, named: _Named
) -> list[Change]:
    """What changed inside one node; of a sub-flow that is known nothing, it is compared by itself."""
    scores = [scored.score_of(each) for each in (before, after)]
    if scores[0] is not None and scores[1] is not None:
        return _scores(scores[0], scores[1], named.models)
    if all(nesting.key_of(each) in named.flows for each in (before, after)):
        return []
    if before["type"] == after["type"] == graph.EXPRESSION:
        return _sums(before, after, known)
    if canonical(before.get("content")) == canonical(after.get("content")):
        return []  # a remark of the file alone
    place = {"table": after["name"], "node": after["id"]}
    return [Change(kind="changed", what="节点", before="原来的内容", after="新的内容", **place)]


def _scores(before: Score, after: Score, models: Mapping[str, str]) -> list[Change]:
    """Another model, its score reaching further, the score called otherwise."""
    asked = [f"{scored.label_of(each.model, models)}（{each.span}）" for each in (before, after)]
    if before.model != after.model and asked[0] == asked[1]:
        asked = [f"{each}，指纹 {one.model[:8]}" for each, one in zip(asked, (before, after), strict=True)]
    pairs = (
        ("用的评分卡或模型", *asked),
        ("结果的名字", f"“{before.result}”", f"“{after.result}”"),
    )
    return [
        Change(
            kind="changed", what="节点", table=after.name, row=part, node=after.node, before=one, after=other
        )
        for part, one, other in pairs
        if one != other
    ]


def _sums(before: Mapping[str, Any], after: Mapping[str, Any], known: Catalogue) -> list[Change]:
    """The rows of a calculation."""
    place = {"table": after["name"], "node": after["id"]}
    old, new = ({row.id: row for row in calculations.rows_of(each, known)} for each in (before, after))
    found: list[Change] = []
    for number in {**new, **old}:
        one, other = old.get(number), new.get(number)
        kind: Kind = "added" if one is None else "removed" if other is None else "changed"
        if one != other:
            said = ["" if each is None else f"{each.name} = {each.text}" for each in (one, other)]
            found.append(Change(kind=kind, what="算式", before=said[0], after=said[1], **place))
    return found


def _tables(
    stage: Stage, node: Mapping[str, Any], before: Mapping[str, Any], known: Catalogue, whose: str = ""
) -> list[Change]:
    after, name, number = node["content"], node["name"], node["id"]
    columns = _columns(stage, before, known) | _columns(stage, after, known)
    old = {rule["_id"]: rule for rule in before["rules"]}
    found: list[Change] = []
    for at, rule in enumerate(after["rules"], 1):
        place = {"table": name, "row": f"{whose}第 {at} 行", "node": number}
        held = old.get(rule["_id"])
        if held is None:
            found.append(Change(kind="added", what="行", after=_row(rule, columns, known), **place))
            continue
        found += [
            Change(
                kind="changed",
                what="单元格",
                column=column.label,
                called=_called(held, columns, known),
                before=said(held.get(column.id, ""), column, known),
                after=said(rule.get(column.id, ""), column, known),
                **place,
            )
            for column in columns.values()
            if held.get(column.id, "") != rule.get(column.id, "")
        ]
    return [
        *found,
        *_gone(node, before, columns, known, whose),
        *_moved(node, before),
        *_column_changes(node, before, columns, known),
    ]


def _gone(
    node: Mapping[str, Any],
    before: Mapping[str, Any],
    columns: Mapping[str, Column],
    known: Catalogue,
    whose: str,
) -> list[Change]:
    left = {rule["_id"] for rule in node["content"]["rules"]}
    return [
        Change(
            kind="removed",
            what="行",
            table=node["name"],
            row=f"{whose}原第 {at} 行",
            node=node["id"],
            before=_row(rule, columns, known),
        )
        for at, rule in enumerate(before["rules"], 1)
        if rule["_id"] not in left
    ]


def _moved(node: Mapping[str, Any], before: Mapping[str, Any]) -> list[Change]:
    """Order counts only where the first match wins."""
    if node["content"].get("hitPolicy") != "first":
        return []
    old, new = [r["_id"] for r in before["rules"]], [r["_id"] for r in node["content"]["rules"]]
    if [i for i in old if i in new] == [i for i in new if i in old]:
        return []
    return [Change(kind="moved", what="行", table=node["name"], node=node["id"])]


def _column_changes(
    node: Mapping[str, Any], before: Mapping[str, Any], columns: Mapping[str, Column], known: Catalogue
) -> list[Change]:
    if not before["inputs"]:
        return []
    old, new = ([c["id"] for c in (*t["inputs"], *t["outputs"])] for t in (before, node["content"]))
    place = {"table": node["name"], "node": node["id"]}
    found = [Change(kind="added", what="列", column=columns[i].label, **place) for i in new if i not in old]
    found += [
        Change(kind="removed", what="列", column=columns[i].label, **place) for i in old if i not in new
    ]
    if [i for i in old if i in new] != [i for i in new if i in old]:
        found.append(Change(kind="moved", what="列", **place))
    return found + _looks_elsewhere(node, before, known)


def _looks_elsewhere(node: Mapping[str, Any], before: Mapping[str, Any], known: Catalogue) -> list[Change]:
    """Columns that kept their id and look at something else; what a table holds beside rows and columns."""
    place = {"table": node["name"], "node": node["id"]}
    old, new = ({c["id"]: c for c in (*t["inputs"], *t["outputs"])} for t in (before, node["content"]))
    found: list[Change] = []
    for i in (i for i in new if i in old and canonical(old[i]) != canonical(new[i])):
        was, now = (_field(each[i], known) for each in (old, new))
        if was == now:
            found.append(_obscure(node["name"], node["id"], column=now))
        else:
            found.append(
                Change(
                    kind="changed",
                    what="列",
                    column="看的数据项",
                    before=was,
                    after=now,
                    **place,
                )
            )
    if canonical(_beside(before)) != canonical(_beside(node["content"])):
        found.append(_obscure(node["name"], node["id"]))
    return found


def _field(column: Mapping[str, Any], known: Catalogue) -> str:
    field = str(column.get("field") or "")
    return known[field].label if field in known else FIELDS.get(field, str(column.get("name") or field))


def _beside(table: Mapping[str, Any]) -> list[Any]:
    """Settings, cells of no column and rows of one number: what the comparison by row and column passes over."""
    ids = {"_id", *(c["id"] for c in (*table["inputs"], *table["outputs"]))}
    numbers = [rule["_id"] for rule in table["rules"]]
    return [
        {key: value for key, value in table.items() if key not in ("inputs", "outputs", "rules")},
        {
            rule["_id"]: left
            for rule in table["rules"]
            if (left := {k: v for k, v in rule.items() if k not in ids})
        },
        sorted(i for i in numbers if numbers.count(i) > 1) and table["rules"],
    ]


def _columns(stage: Stage, table: Mapping[str, Any], known: Catalogue) -> dict[str, Column]:
    return {column.id: column for column in cells.columns(stage, table, known)}


def said(cell: str, column: Column, known: Catalogue) -> str:
    """A cell in words; an empty condition is 不限, an empty result 空."""
    if not cell:
        return "不限" if column.kind == "condition" else "空"
    text = cells.shown(cell, column, known)
    return f"{text} {cells.counted(text, column.counts)}".rstrip()


def _row(rule: Mapping[str, str], columns: Mapping[str, Column], known: Catalogue) -> str:
    """A row as one sentence: filled conditions, then what follows."""
    return "；".join(
        f"{column.label} {said(rule[column.id], column, known)}"
        for column in columns.values()
        if rule.get(column.id, "")
    )


_LONGEST_NAME = 24  # characters of a row's own words


def _called(rule: Mapping[str, str], columns: Mapping[str, Column], known: Catalogue) -> str:
    """What a person knows a row by: its sentence, else the name of a cap, else its conditions."""
    by_label = {each.label: each for each in columns.values()}
    for label in (FIELDS["text"], FIELDS["label"]):
        column = by_label.get(label)
        if column is not None and (cell := rule.get(column.id, "")):
            return _short(said(cell, column, known))
    conditions = {i: each for i, each in columns.items() if each.kind == "condition"}
    return _short(_row(rule, conditions, known))


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST_NAME else text[: _LONGEST_NAME - 1] + "…"


def _beside_floor(
    stage: Stage, floor: UnionContent, parameter: Parameter | None, new: int | None, known: Catalogue
) -> str:
    """Head office's own number and the band, behind a county's."""
    own = {each.id: cell for each, cell in overlays.opened_cells(floor, stage, known)}
    if parameter is None or new is None or parameter.id not in own:
        return ""
    return f"（省联社 {own[parameter.id]}，可选 {overlays.band(floor, parameter)}）"


def _county(
    stage: Stage, before: CountyContent, after: CountyContent, known: Catalogue, floor: UnionContent
) -> list[Change]:
    found: list[Change] = []
    opened = {each.id: each for each in floor.openings.parameters}
    for name in {**before.parameters, **after.parameters}:
        old, new = before.parameters.get(name), after.parameters.get(name)
        if old != new:
            kind: Kind = "added" if old is None else "removed" if new is None else "changed"
            shown = (
                ""
                if each is None
                else overlays.set_to(stage, floor, opened[name], each, known)
                if name in opened
                else str(each)
                for each in (old, new)
            )
            found.append(
                Change(
                    kind=kind,
                    what="参数",
                    row=opened[name].label if name in opened else name,
                    before=next(shown),
                    after=next(shown) + _beside_floor(stage, floor, opened.get(name), new, known),
                )
            )
    nodes = overlays.tables(floor.document)
    for place in {**before.rows, **after.rows}:
        node = nodes.get(place, {"id": place, "name": place, "content": {"inputs": [], "outputs": []}})
        held = {**node["content"], "rules": before.rows.get(place, [])}
        now = {**node, "content": {**node["content"], "rules": after.rows.get(place, [])}}
        words = computing.words(floor.document, place, known)
        found += _tables(stage, now, held, words, "本行")
    return found
