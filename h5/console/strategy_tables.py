"""The tables of a version as the page draws them: cells in Chinese, each finding at the cell or row it belongs to,
head office's rows (省) locked beside the county's own (本行) (A3-33, N4)."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from backend.domains.decision import facts, path
from backend.domains.decision.facts import Catalogue
from backend.domains.decision.model import Stage, Step
from backend.domains.decision.path import Lit
from backend.domains.strategies import calculations, cells, computing, nesting, overlays, scored
from backend.domains.strategies.cells import Column
from backend.domains.strategies.model import Content, CountyContent, Document, Finding, UnionContent
from backend.domains.strategies.nesting import Flows
from backend.domains.strategies.scored import Score
from h5.console import strategy_graph
from h5.console.strategy_models import Told

NEW = "new"
"""The row that is not there yet."""
SPAN = ("", "low", "high")
"""Where a finding of a score may point: the node, or an end of what it tells."""
ENDS = {"collect": "每一行都看，命中的都算", "first": "从上往下看，命中第一行为止"}


class Cell(msgspec.Struct, frozen=True):
    """`column` the id; `text` in Chinese, '' for no condition; `wrong` what the checks say of it; `county` the number
    the county set in this cell of head office's; `counts` the unit of its number where the text carries none."""

    column: str
    label: str
    text: str
    wrong: tuple[str, ...] = ()
    county: str = ""
    counts: str = ""

    @property
    def unit(self) -> str:
        """Behind the text."""
        return cells.counted(self.text, self.counts)


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """`own`: of this layer, so that its people may change it; `wrong` of the row as a whole."""

    id: str
    number: int
    own: bool
    conditions: tuple[Cell, ...]
    results: tuple[Cell, ...]
    wrong: tuple[str, ...] = ()
    lit: bool = False


class Table(msgspec.Struct, frozen=True, kw_only=True):
    """`may_add`: the layer of the page may put rows here."""

    id: str
    name: str
    ends: str
    results: tuple[str, ...]
    rows: tuple[Row, ...]
    may_add: bool
    wrong: tuple[str, ...] = ()

    @property
    def anchor(self) -> str:
        return anchor(self.id)

    def row_anchor(self, row: str) -> str:
        return row_anchor(self.id, row)


class Sum(msgspec.Struct, frozen=True):
    """One row of a calculation; `wrong` what the checks say of it."""

    id: str
    name: str
    text: str
    wrong: tuple[str, ...] = ()


class Node(msgspec.Struct, frozen=True):
    """A calculation of the flow, which the tables behind it can use."""

    id: str
    name: str
    rows: tuple[Sum, ...]
    wrong: tuple[str, ...] = ()


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """A scorecard or model of the flow, whose score the tables behind it can use. `told` None: nobody registered it
    here; `points` what it gave the case that is shown."""

    score: Score
    told: Told | None
    points: int | None
    wrong: tuple[str, ...] = ()


class Flow(msgspec.Struct, frozen=True, kw_only=True):
    """A sub-flow of the flow; `tables` (name, number of rows) are its own, `wrong` what the checks say of it and of
    what is in it. `stored`: it is there and can be opened."""

    id: str
    name: str
    tables: tuple[tuple[str, int], ...]
    wrong: tuple[str, ...]
    stored: bool


class Inside(msgspec.Struct, frozen=True):
    """The tables of a sub-flow, with what of a case matched in it; `mark` tells its panels from the others'."""

    name: str
    mark: str
    sheet: "Sheet"


class Sheet(msgspec.Struct, frozen=True, kw_only=True):
    """All calculations, scorecards, sub-flows and tables of a version; `elsewhere` are findings that belong to none of
    them, as `place：sentence`."""

    tables: tuple[Table, ...]
    flows: tuple[Flow, ...] = ()
    nodes: tuple[Node, ...] = ()
    scores: tuple[Asked, ...] = ()
    elsewhere: tuple[str, ...] = ()


def sheet(
    stage: Stage,
    content: Content,
    floor: UnionContent,
    findings: Iterable[Finding] = (),
    lit: Lit | None = None,
    models: Mapping[str, Told] | None = None,
    flows: Flows | None = None,
) -> Sheet:
    """`floor` gives a county's page its locked rows; `lit` is the way of a case; `models`, and `flows`' documents, are
    told by hash."""
    document = content.document if isinstance(content, UnionContent) else floor.document
    said, nodes = _by_place(findings), overlays.tables(document)
    around = computing.all_words(document, facts.catalogue())
    rows = lit.rows if lit else {}
    tables = tuple(
        _table(stage, node, content, floor, said, rows, around[computing.of(number)])
        for number, node in nodes.items()
    )
    scores = tuple(
        Asked(
            score=score,
            told=(models or {}).get(score.model),
            points=strategy_graph.points_of(node, lit),
            wrong=tuple(s for c in SPAN for s in _sentences(said, score.node, "", c)),
        )
        for node in document["nodes"]
        if (score := scored.score_of(node)) is not None
    )
    sums = tuple(
        _sums(node, said, around[computing.of(node["id"])]) for node in calculations.nodes_of(document)
    )
    outer = {key: several for key, several in said.items() if key[0] not in nodes}
    inner = tuple(_flow(node, outer, flows or {}) for node in nesting.nodes_of(document))
    placed = {
        *(key for key in said if key[0].split("/")[0] in {each.id for each in inner}),
        *((t.id, "", "") for t in tables),
        *((n.id, "", "") for n in sums),
        *((each.score.node, "", c) for each in scores for c in SPAN),
        *((n.id, r.id, c) for n in sums for r in n.rows for c in ("", "value")),
        *((t.id, r.id, "") for t in tables for r in t.rows),
        *((t.id, r.id, c.column) for t in tables for r in t.rows for c in (*r.conditions, *r.results)),
    }
    elsewhere = tuple(
        calculations.plainly(f"{each.place}：{each.told}", around[""])
        for key, several in said.items()
        if key not in placed
        for each in several
    )
    return Sheet(tables=tables, flows=inner, nodes=sums, scores=scores, elsewhere=elsewhere)


def to_mend(shown: Sheet, findings: Iterable[Finding], base: str) -> tuple[tuple[str, str], ...]:
    """(where to go, what is wrong there) of every finding that keeps a version from being approved; '' for the head of
    the page, where it stands."""
    return tuple(
        (_at(shown, each, base), f"{each.place}：{each.sentence}") for each in findings if each.blocks
    )


def _at(shown: Sheet, finding: Finding, base: str) -> str:
    if finding.kind == "opening":
        return f"{base}/openings"
    if finding.kind in ("overlay", "looser") and finding.column:
        return "#knobs"
    for table in shown.tables:
        if table.id == finding.node:
            held = any(row.id == finding.row for row in table.rows)
            return f"#{row_anchor(table.id, finding.row)}" if held else f"#t-{table.anchor}"
    outer = finding.node.split("/")[0]
    panels = {node.id for node in shown.nodes} | {flow.id for flow in shown.flows}
    panels |= {each.score.node for each in shown.scores}
    return f"#t-{outer}" if outer in panels else ""


def inside(
    stage: Stage, document: Document, flows: Flows, trace: Sequence[Step], models: Mapping[str, Told]
) -> tuple[Inside, ...]:
    """Every sub-flow a document runs, with the way of a case through it."""
    found = []
    for part in nesting.parts(document, flows):
        if part.path:
            content = UnionContent(document=part.document)
            lit = path.lit(part.document, trace, stage, within=part.node)
            shown = sheet(stage, content, content, lit=lit, models=models, flows=flows)
            found.append(Inside(part.called, "-".join((*part.path, "")), shown))
    return tuple(found)


def _flow(node: Mapping[str, Any], said: Mapping[tuple[str, str, str], list[Finding]], flows: Flows) -> Flow:
    number, inner, outer = node["id"], flows.get(nesting.key_of(node)), node["name"] + nesting.BETWEEN
    held = overlays.tables(inner).values() if inner else ()
    return Flow(
        id=number,
        name=node["name"],
        tables=tuple((each["name"], len(each["content"]["rules"])) for each in held),
        wrong=tuple(
            f"{each.place.removeprefix(outer)}：{each.sentence}"
            if each.place.startswith(outer)
            else each.sentence
            for key, several in said.items()
            if key[0].split("/")[0] == number
            for each in several
        ),
        stored=inner is not None,
    )


def _sums(
    node: Mapping[str, Any], said: Mapping[tuple[str, str, str], list[Finding]], known: Catalogue
) -> Node:
    def wrong(row: str) -> tuple[str, ...]:
        return tuple(s for c in ("", "value") for s in _sentences(said, node["id"], row, c))

    rows = tuple(Sum(r.id, r.name, r.text, wrong(r.id)) for r in calculations.rows_of(node, known))
    return Node(node["id"], node["name"], rows, _sentences(said, node["id"], "", ""))


def anchor(table: str) -> str:
    """A table in the address of a place on its page, and in a selector."""
    return table.replace("/", "--")


def row_anchor(table: str, row: str) -> str:
    return f"r-{anchor(table)}-{row}"


def rules(content: Content, table: str) -> list[dict[str, str]]:
    """The rows of this layer in one table, as they are stored."""
    if isinstance(content, CountyContent):
        return content.rows.get(table, [])
    found: list[dict[str, str]] = overlays.tables(content.document)[table]["content"]["rules"]
    return found


def with_rules(content: Content, table: str, rows: list[dict[str, str]]) -> Content:
    """The content with other rows in one table; everything else stays byte for byte."""
    if isinstance(content, CountyContent):
        return CountyContent(parameters=content.parameters, rows={**content.rows, table: rows})
    nodes = [
        {**node, "content": {**node["content"], "rules": rows}} if node["id"] == table else node
        for node in content.document["nodes"]
    ]
    return UnionContent(document={**content.document, "nodes": nodes}, openings=content.openings)


def node_of(content: Content, floor: UnionContent, table: str) -> Any:
    """The table's node, of the version's own document or the floor it stands on. None: there is no such table."""
    document = content.document if isinstance(content, UnionContent) else floor.document
    return overlays.tables(document).get(table)


def is_open(content: Content, floor: UnionContent, table: str) -> bool:
    """Whether this layer may have rows there."""
    return isinstance(content, UnionContent) or table in floor.openings.places


def _by_place(findings: Iterable[Finding]) -> dict[tuple[str, str, str], list[Finding]]:
    found: dict[tuple[str, str, str], list[Finding]] = {}
    for each in findings:
        found.setdefault((each.node, each.row, each.column), []).append(each)
    return found


def _table(
    stage: Stage,
    node: Mapping[str, Any],
    content: Content,
    floor: UnionContent,
    said: Mapping[tuple[str, str, str], list[Finding]],
    lit: Mapping[str, Iterable[str]],
    known: Catalogue,
) -> Table:
    number, columns = node["id"], cells.columns(stage, node["content"], known)
    hit, union = set(lit.get(number, ())), isinstance(content, UnionContent)
    numbers = _numbers(stage, content, floor)
    given = [(i, rule, union) for i, rule in enumerate(node["content"]["rules"], 1)]
    if isinstance(
        content, CountyContent
    ):  # each layer counts its own rows, here and wherever one is spoken of
        given += [(i, rule, True) for i, rule in enumerate(content.rows.get(number, []), 1)]
    rows = tuple(
        _row(i, rule, own, number, columns, said, hit, _set(numbers, number, rule), known)
        for i, rule, own in given
    )
    return Table(
        id=number,
        name=node["name"],
        ends=ENDS.get(node["content"]["hitPolicy"], ""),
        results=tuple(column.label for column in columns if column.kind != "condition"),
        rows=rows,
        may_add=is_open(content, floor, number),
        wrong=_sentences(said, number, "", ""),
    )


def _set(
    numbers: Mapping[tuple[str, str], Mapping[str, str]], table: str, rule: Mapping[str, str]
) -> Mapping[str, str]:
    """What the county set in a row of head office's, by column."""
    return numbers.get((table, str(rule.get("_id", ""))), {})


def _numbers(
    stage: Stage, content: Content, floor: UnionContent
) -> Mapping[tuple[str, str], Mapping[str, str]]:
    if isinstance(content, UnionContent):
        return {}
    return overlays.county_cells(stage, floor, content, facts.catalogue())


def _row(
    number: int,
    rule: Mapping[str, str],
    own: bool,
    table: str,
    columns: list[Column],
    said: Mapping[tuple[str, str, str], list[Finding]],
    hit: set[str],
    numbers: Mapping[str, str],
    known: Catalogue,
) -> Row:
    row = str(rule.get("_id", ""))
    made = [
        (
            column,
            Cell(
                column.id,
                column.label,
                cells.shown(cell, column, known) if (cell := str(rule.get(column.id, ""))) else "",
                _sentences(said, table, row, column.id),
                cells.shown(numbers[column.id], column, known) if not own and column.id in numbers else "",
                column.counts,
            ),
        )
        for column in columns
    ]
    return Row(
        id=row,
        number=number,
        own=own,
        conditions=tuple(c for k, c in made if k.kind == "condition" and (c.text or c.wrong)),
        results=tuple(c for k, c in made if k.kind != "condition"),
        wrong=_sentences(said, table, row, ""),
        lit=row in hit,
    )


def _sentences(
    said: Mapping[tuple[str, str, str], list[Finding]], table: str, row: str, column: str
) -> tuple[str, ...]:
    return tuple(each.told for each in said.get((table, row, column), ()))
