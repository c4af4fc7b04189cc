"""The columns of a rule table after it was made: added, moved, taken away (issue 3 §8).

Pure. Columns are named by tokens: the id of one that is there, of one to come `+name` (a condition on a fact or a name
of the flow) or `=field` (a result of the stage). Everything else of the document stays byte for byte; what may stand
where is not said here but by the same checks as on import (`lint.check`).
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec

from backend.core.errors import Invalid
from backend.domains.decision import facts
from backend.domains.decision.contracts import CONTRACTS, FIELDS
from backend.domains.decision.facts import Catalogue, Fact
from backend.domains.decision.model import Stage
from backend.domains.strategies import arranging, cells, overlays
from backend.domains.strategies.model import Document

CONDITION, RESULT = "+", "="
MOST = 60
"""Columns of one table, conditions and results."""
STALE = "这张表刚才被改过，请从这一版的页面重新打开"


class ColumnsWrong(Invalid):
    code = "strategy_columns_wrong"
    message = "{why}"


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """One column as it would stand. `filled` rows say something in it; `may_go`: the stage does not demand it."""

    token: str
    label: str
    condition: bool
    filled: int
    may_go: bool

    @property
    def new(self) -> bool:
        return self.token.startswith((CONDITION, RESULT))


def order_of(table: Mapping[str, Any]) -> tuple[str, ...]:
    """The columns as they are, conditions first."""
    return tuple(column["id"] for column in (*table["inputs"], *table["outputs"]))


def places(stage: Stage, table: Mapping[str, Any], order: Sequence[str], known: Catalogue) -> list[Place]:
    """The columns in words. Raises `ColumnsWrong` for a token that is none."""
    held = {column.id: column for column in cells.columns(stage, table, known)}
    fields = {column["id"]: column["field"] for column in table["outputs"]}
    found = []
    for token in order:
        if token.startswith((CONDITION, RESULT)):
            label, condition = _named(stage, token, known)
            found.append(Place(token=token, label=label, condition=condition, filled=0, may_go=True))
            continue
        if token not in held:
            raise ColumnsWrong(why=STALE)
        column = held[token]
        found.append(
            Place(
                token=token,
                label=column.label,
                condition=column.kind == "condition",
                filled=sum(bool(rule.get(token, "")) for rule in table["rules"]),
                may_go=fields.get(token) not in CONTRACTS[stage].columns,
            )
        )
    return found


def _named(stage: Stage, token: str, known: Catalogue) -> tuple[str, bool]:
    """(label, whether it is a condition) of a column to come. Raises `ColumnsWrong`."""
    name = token[1:]
    if token.startswith(CONDITION) and name in known:
        return known[name].label, True
    if token.startswith(RESULT) and name in CONTRACTS[stage].columns:
        return FIELDS[name], False
    raise ColumnsWrong(why="没有这个数据项或结果")


def addable(stage: Stage, known: Catalogue) -> list[Fact]:
    """Facts and names of the flow a condition of this stage may look at."""
    contract = CONTRACTS[stage]
    return [
        fact
        for fact in known.facts.values()
        if fact.kind != "date"
        and (fact.source != "stage" or fact.name in contract.before)
        and (fact.price or not contract.prices)
    ]


def lacking(stage: Stage, table: Mapping[str, Any], order: Sequence[str]) -> list[tuple[str, str]]:
    """(field, label) of results the stage demands and the table, in this order, does not have."""
    held = {column["field"] for column in table["outputs"] if column["id"] in order}
    held |= {token[1:] for token in order if token.startswith(RESULT)}
    return [(field, FIELDS[field]) for field in CONTRACTS[stage].columns if field not in held]


def moved(places: Sequence[Place], at: int, step: int) -> tuple[str, ...]:
    """The order with one column a place further, among its own kind; as it was at an end."""
    tokens = [each.token for each in places]
    other = at + step
    if 0 <= at < len(places) and 0 <= other < len(places) and places[at].condition is places[other].condition:
        tokens[at], tokens[other] = tokens[other], tokens[at]
    return tuple(tokens)


def with_column(places: Sequence[Place], token: str, *, condition: bool) -> tuple[str, ...]:
    """The order with one more column behind the others of its kind. Raises `ColumnsWrong`."""
    tokens = [each.token for each in places]
    if token in tokens:
        raise ColumnsWrong(why="这一列刚才已经加上了")
    at = sum(each.condition for each in places) if condition else len(tokens)
    return (*tokens[:at], token, *tokens[at:])


def shaped(stage: Stage, document: Document, table: str, order: Sequence[str], known: Catalogue) -> Document:
    """The document with the table's columns in this order, those not named taken away with their cells. Raises
    `ColumnsWrong`."""
    node = overlays.tables(document)[table]
    content = node["content"]
    if tuple(order) == order_of(content):
        return document
    inputs, outputs, made = _columns(stage, content, order, known)
    if lacks := lacking(stage, content, order):
        held = {column["field"] for column in content["outputs"]}
        if gone := [label for field, label in lacks if field in held]:
            raise ColumnsWrong(why=f"“{gone[0]}”是这个环节要的结果，不能去掉")
    if not inputs:
        raise ColumnsWrong(why="至少要留一个条件列")
    left_out = set(order_of(content)) - set(order)
    rules = [
        {**{key: cell for key, cell in rule.items() if key not in left_out}, **dict.fromkeys(made, "")}
        for rule in content["rules"]
    ]
    shaped_node = {**node, "content": {**content, "inputs": inputs, "outputs": outputs, "rules": rules}}
    nodes = [shaped_node if each["id"] == table else each for each in document["nodes"]]
    names = [column["field"] for column in inputs]
    found = arranging.declaring({**document, "nodes": nodes}, names, facts.catalogue())
    return arranging.declaring_less(found) if left_out else found


def _columns(
    stage: Stage, table: Mapping[str, Any], order: Sequence[str], known: Catalogue
) -> tuple[list[Any], list[Any], list[str]]:
    """(inputs, outputs, ids of the new ones). Raises `ColumnsWrong`."""
    if len(set(order)) != len(order) or len(order) > MOST:
        raise ColumnsWrong(why=f"一张表最多 {MOST} 列，同一列只放一次")
    held = [{column["id"]: column for column in table[side]} for side in ("inputs", "outputs")]
    inputs: list[Any] = []
    outputs: list[Any] = []
    made: list[str] = []
    taken = {*held[0], *held[1]}
    for token in order:
        if token in held[0]:
            inputs.append(held[0][token])
        elif token in held[1]:
            outputs.append(held[1][token])
        elif token.startswith((CONDITION, RESULT)):
            column, condition = _made(stage, token, taken, known)
            (inputs if condition else outputs).append(column)
            made.append(column["id"])
        else:
            raise ColumnsWrong(why=STALE)
    return inputs, outputs, made


def _made(stage: Stage, token: str, taken: set[str], known: Catalogue) -> tuple[dict[str, str], bool]:
    """(the new column, whether it is a condition). Raises `ColumnsWrong`."""
    label, condition = _named(stage, token, known)
    letter = "c" if condition else "r"
    number = next(made for n in range(1, 1_000) if (made := f"{letter}{n}") not in taken)
    taken.add(number)
    return {"id": number, "name": label, "field": token[1:]}, condition
