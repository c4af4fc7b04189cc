"""计算节点: rows “name = formula” inside a flow, said in Chinese and read back byte for byte (A3-33, issue 3 §8).

A row is a sum (取整(【认可的年收入】 × 30%)), a condition (【当前逾期金额】 高于 0 元), several joined by 且 or 或, or
a choice (如果…，就…，否则…). The engine knows a name by letters, people by the row's `description`; `words` is the
catalogue with such names, so that later tables and rows can be written with them. What has no such form is `原式：`.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from backend.core.errors import Invalid
from backend.domains.decision import expressions, facts, graph, logic
from backend.domains.decision.facts import Catalogue, Fact
from backend.domains.strategies import arranging, cells, formulas
from backend.domains.strategies.arranging import ArrangementWrong
from backend.domains.strategies.cells import RAW, CellUnreadable, Column
from backend.domains.strategies.model import Document

MOST = 40
"""Rows of one node; one with more is changed by file alone."""
_MOST_NAMES, _PASSES = 400, 5
"""Names of a flow that are made out, and how often it is gone through for names that use names."""
LONGEST_NAME = 30
_CHOICE = re.compile(r"如果(.+?)[，,]\s*(?:就|则|那么)(.+?)[，,]\s*否则(.+)")
_JOINT = re.compile(r"(?<!\s)\s+(且|或)\s+(?=【)")
_CONDITION = re.compile(r"【([^【】]*)】\s*(.*)")
_NO_SUM = re.compile(r"\s*【[^【】]*】\s*(?:$|[^\s\-+*/×÷−－(（)）、])")
_WORD = re.compile(r"[A-Za-z_]\w*", re.ASCII)
_LABELLED = re.compile(r"【([^【】]*)】")
_LETTERS = re.compile(r"value_\d+(?:_[0-9a-f]{8})?", re.ASCII)
"""As we name what has a name in words; those of sub-flows in a county's document end otherwise (`computing.called`)."""
_PARTS = ("id", "key", "value")
_ENGINE = {"且": " and ", "或": " or "}


class RowsWrong(Invalid):
    """`fields`: `name_n` and `value_n` of the form."""

    code = "strategy_rows_wrong"
    message = "有几行看不懂，旁边写了原因"


class Row(msgspec.Struct, frozen=True):
    """One row as people write it. `id` is the row's in the document, '' for a new one."""

    id: str
    name: str
    text: str


class Words(Catalogue):
    """The catalogue with the names a flow defines itself; for reading and writing, never for deciding."""

    def __init__(self, known: Catalogue, own: Mapping[str, Fact]) -> None:
        self.facts = {**known.facts, **own}
        self.text, self.hash, self.keeps_licences = known.text, known.hash, known.keeps_licences


def words(document: Mapping[str, Any], known: Catalogue, without: str = "") -> Catalogue:
    """`known` with every name the nodes of the flow define (but those of node `without`), as far as it can be made
    out: a name has its unit, for the checks it is a plain number."""
    try:
        waiting = [each for each in _defined(document) if each[0] != without]
    except (LookupError, TypeError, AttributeError):
        return known  # a draft of a file may hold anything; its checks say what is wrong
    if len(waiting) > _MOST_NAMES:
        return known
    own: dict[str, Fact] = {}
    for _ in range(_PASSES):
        sofar = Words(known, own)
        found = {
            key: fact
            for _, key, label, cell in waiting
            if key not in own and (fact := _fact(key, label, cell, sofar)) is not None
        }
        if not found:
            break
        own |= found
    for _, key, label, _ in waiting:
        own.setdefault(key, msgspec.structs.replace(logic.local(key, "int"), label=label))
    return Words(known, own) if own else known


def _defined(document: Mapping[str, Any]) -> Iterable[tuple[str, str, str, Any]]:
    """(node, name, label, cell or the range of a score) of every name the nodes give."""
    for node in document["nodes"]:
        if node["type"] == graph.EXPRESSION:
            for row in node["content"]["expressions"]:
                yield node["id"], row["key"], row.get("description") or row["key"], row["value"]
        elif node["type"] == graph.CUSTOM:
            config = node["content"]["config"]
            yield node["id"], config["output"], name_of_score(node), (config["low"], config["high"])


def name_of_score(node: Mapping[str, Any]) -> str:
    """What people call what a scorecard or model gives."""
    return str(node.get("description") or f"{node['name']}的结果")


def _fact(key: str, label: str, cell: Any, known: Catalogue) -> Fact | None:
    """None while it uses names that are not known yet, or does not make sense."""
    if isinstance(cell, tuple):
        low, high = (each if type(each) is int else 0 for each in cell)
        return msgspec.structs.replace(logic.local(key, "int", low, high), label=label)
    try:
        found = logic.value(key, cell, known.facts).fact
    except expressions.Unfit:
        return None
    kind: Any = found.kind if found.kind == "bool" else unit_of(cell, known) or "int"
    return msgspec.structs.replace(found, label=label, kind=kind)


def unit_of(cell: str, known: Catalogue) -> str:
    """fen, bp or '' of what a row gives; of a choice, that of what is chosen."""
    chosen = cell.split(" ? ", 1)[-1].split(" : ", 1)
    return next((unit for each in chosen if (unit := formulas.unit_of(each, known))), formulas.PLAIN)


def say(cell: str, known: Catalogue) -> str:
    """In words; `read` gives the same cell back."""
    if len(cell) > expressions.LONGEST:
        return RAW + cell
    try:
        said = _say(cell, known)
        if said is not None and read(said, known) == cell:
            return said
    except CellUnreadable:
        pass
    labelled = RAW + _WORD.sub(lambda m: f"【{known[m[0]].label}】" if m[0] in known else m[0], cell)
    try:
        return labelled if read(labelled, known) == cell else RAW + cell
    except CellUnreadable:
        return RAW + cell


def read(text: str, known: Catalogue) -> str:
    """The engine's text of a row. Raises `CellUnreadable` with what is not understood."""
    cells.require_short(text)
    text = text.strip()
    if text.startswith((RAW, "原式:")):
        return _LABELLED.sub(lambda m: _named(m[1], known).name, text[len(RAW) :]).strip()
    if choice := _CHOICE.fullmatch(text):
        first, yes, no = choice.groups()
        chosen = _sums((yes, no), known)
        return f"{_conditions(first, known)} ? {chosen[0]} : {chosen[1]}"
    return _conditions(text, known) if _is_condition(text, known) else _sums((text,), known)[0]


def _is_condition(text: str, known: Catalogue) -> bool:
    """It begins with a name that no sum goes on with, or is the name of a truth value alone."""
    if not _NO_SUM.match(text):
        return False
    found = _CONDITION.fullmatch(text)
    return found is None or bool(found[2]) or _named(found[1], known).kind == "bool"


def _sums(texts: Sequence[str], known: Catalogue) -> list[str]:
    """Sums of one unit. An amount beside nothing but numbers would be read back as a plain number."""
    try:
        units = [formulas.unit_meant(text, known) for text in texts]
        unit = next((each for each in units if each), formulas.PLAIN)
        made = [formulas.read(text, unit, known) for text in texts]
    except formulas.Unsaid as why:
        raise CellUnreadable(why=str(why)) from why
    kept = next((each for cell in made if (each := formulas.unit_of(cell, known))), formulas.PLAIN)
    if kept != unit:
        raise CellUnreadable(why="固定的金额或百分数，要和一个金额或百分数的数据项放在一起算，系统才认得单位")
    return made


def _conditions(text: str, known: Catalogue) -> str:
    parts = _JOINT.split(text.strip())
    joints = set(parts[1::2])
    if len(joints) > 1:
        raise CellUnreadable(why="“且”和“或”不要混在一行里写，分成两行，后面的一步再合起来")
    read = [_condition(part, known) for part in parts[0::2]]
    if len(read) == 1:
        return read[0]
    joint = joints.pop()
    return _ENGINE[joint].join(f"({each})" if joint == "且" and " or " in each else each for each in read)


def _condition(text: str, known: Catalogue) -> str:
    found = _CONDITION.fullmatch(text.strip())
    if found is None:
        raise CellUnreadable(why=f"看不懂“{text.strip()[:20]}”：条件写成 【数据项】 高于 3 这样")
    fact = _named(found[1], known)
    try:
        return arranging.condition(found[2] or ("是" if fact.kind == "bool" else ""), fact, known)
    except ArrangementWrong as cause:
        raise CellUnreadable(why=cause.text.removeprefix("分支")) from cause


def _named(label: str, known: Catalogue) -> Fact:
    fact = next((each for each in known.facts.values() if each.label == label.strip()), None)
    if fact is None and label not in known:
        raise CellUnreadable(why=f"没有叫“{label[:20]}”的数据项")
    return fact or known[label]


def _say(cell: str, known: Catalogue) -> str | None:
    unit = unit_of(cell, known)
    if " ? " in cell:
        first, rest = cell.split(" ? ", 1)
        yes, colon, no = rest.partition(" : ")
        parts = (_say_conditions(first, known), *(formulas.say(each, unit, known) for each in (yes, no)))
        return None if not colon or None in parts else f"如果 {parts[0]}，就 {parts[1]}，否则 {parts[2]}"
    truth = cell in known and known[cell].kind == "bool"
    return (None if truth else formulas.say(cell, unit, known)) or _say_conditions(cell, known)


def _say_conditions(cell: str, known: Catalogue) -> str | None:
    for joint, engine in _ENGINE.items():
        parts = [part[1:-1] if part[:1] == "(" else part for part in cell.split(engine)]
        told = [_say_condition(part, known) for part in parts]
        if None not in told:
            return f" {joint} ".join(part or "" for part in told)
    return None


def _say_condition(cell: str, known: Catalogue) -> str | None:
    """One condition on one fact, out of the form `arranging.condition` gives it."""
    turned = re.fullmatch(r"not\((\w+)\)", cell)
    name = turned[1] if turned else cell.split(" ", 1)[0]
    if name not in known:
        return None
    fact, rest = known[name], cell[len(name) :].strip()
    if fact.kind == "bool":
        return f"【{fact.label}】 {'否' if turned else '是'}" if turned or not rest else None
    if fact.kind == "enum":
        inside = re.fullmatch(r"in \[(.+)\]", rest)
        rest = inside[1] if inside else rest
    else:
        parts = cell.split(" or ")
        if not all(part.startswith(f"{name} ") for part in parts):
            return None
        rest = ", ".join(part[len(name) :].strip().removeprefix("== ") for part in parts)
    said = cells.shown(rest, Column(id="", label="", kind="condition", fact=fact), known)
    return None if said.startswith(RAW) or not said else f"【{fact.label}】 {said}"


def nodes_of(document: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The calculations of a flow a page can show whole; of one of a draft that is not written out the checks tell."""
    return [
        node
        for node in document["nodes"]
        if node["type"] == graph.EXPRESSION
        and isinstance(held := (node.get("content") or {}).get("expressions"), list)
        and len(held) <= MOST
        and all(isinstance(row, dict) and all(isinstance(row.get(k), str) for k in _PARTS) for row in held)
    ]


def rows_of(node: Mapping[str, Any], known: Catalogue) -> list[Row]:
    """The rows of a calculation; `known` are the words of its flow."""
    return [
        Row(each["id"], each.get("description") or each["key"], say(each["value"], known))
        for each in node["content"]["expressions"]
    ]


def with_calculation(document: Document, name: str, rows: Sequence[Row]) -> Document:
    """A new calculation with these rows, not joined yet. Raises `ArrangementWrong`, `RowsWrong`."""
    number = arranging.free(document, "calc")
    content = {
        "expressions": [],
        "passThrough": True,
        "inputField": None,
        "outputPath": None,
        "executionMode": "single",
    }
    made = arranging.with_node(document, number, graph.EXPRESSION, name, content)
    return with_rows(made, number, rows)


def with_rows(document: Document, number: str, rows: Sequence[Row]) -> Document:
    """The document with other rows in one calculation; one without name and sum is left out.

    A row nobody touched keeps its bytes, and a name keeps its letters when only its words change. Facts they use are
    declared, facts nobody uses any more are not. Raises `RowsWrong`.
    """
    catalogue = facts.catalogue()
    node = next(each for each in document["nodes"] if each["id"] == number)
    held = {each["id"]: each for each in node["content"]["expressions"]}
    shown = {each.id: each for each in rows_of(node, words(document, catalogue))}
    known = words(document, catalogue, without=number)
    taken = {*catalogue.facts, *(key for _, key, _, _ in _defined(document))}
    labels = {each.label for each in known.facts.values()}
    wrong, made = dict[str, str](), list[dict[str, Any]]()
    for at, row in enumerate(rows):
        if not row.name and not row.text:
            continue
        if said := name_wrong(row.name, labels):
            wrong[f"name_{at}"] = said
        labels.add(row.name.strip())
        if row.id in held and shown[row.id] == row:
            made.append(held[row.id])
            continue
        try:
            made.append(_made(row, held.get(row.id), read(row.text, known), taken, number))
        except CellUnreadable as cause:
            wrong[f"value_{at}"] = _own(cause.text, node)
    if not made and not wrong:
        wrong["value_0"] = "至少写一行；整个节点不要了，在“排流程图”里去掉"
    if wrong:
        raise RowsWrong(fields=wrong)
    content = {**node["content"], "expressions": made}
    nodes = [{**node, "content": content} if each["id"] == number else each for each in document["nodes"]]
    used = {word for each in made for word in _WORD.findall(each["value"])}
    return arranging.declaring_less(arranging.declaring({**document, "nodes": nodes}, used, catalogue))


def name_wrong(name: str, labels: set[str]) -> str:
    """What is not right about a new name beside these, '' for nothing."""
    if not name.strip() or len(name.strip()) > LONGEST_NAME or set("【】{}") & set(name):
        return f"给得数起个名字，最多 {LONGEST_NAME} 个字，不用【】"
    return f"已经有叫“{name.strip()}”的了，换个名字" if name.strip() in labels else ""


def _made(row: Row, held: dict[str, Any] | None, cell: str, taken: set[str], node: str) -> dict[str, Any]:
    if held is not None:
        return {**held, "description": row.name.strip(), "value": cell}
    key = free_name(taken)
    taken.add(key)
    return {"id": f"{node}-{key}", "key": key, "value": cell, "description": row.name.strip()}


def lines_of(text: str) -> list[Row]:
    """Rows written one a line, `名字 = 算式`. Raises `ArrangementWrong`."""
    found = []
    for line in (each.strip() for each in text.replace("；", "\n").splitlines() if each.strip()):
        name, equals, sum_text = line.replace("＝", "=").partition("=")
        if not equals or not name.strip():
            raise ArrangementWrong(why=f"“{line[:20]}”：一行写一个，写成 名字 = 算式")
        found.append(Row("", name.strip(), sum_text.strip()))
    if not 1 <= len(found) <= MOST:
        raise ArrangementWrong(why=f"请写 1 到 {MOST} 行，一行一个，写成 名字 = 算式")
    return found


def gives(fact: Fact) -> str:
    """What a name comes to, in words: 金额，0 元 到 60,000 元."""
    if fact.kind == "bool":
        return "是或否"
    kind = {"fen": "金额", "bp": "百分数"}.get(fact.kind, "整数")
    if not fact.low and not fact.high:
        return kind
    return f"{kind}，{facts.spoken(fact, fact.low)} 到 {facts.spoken(fact, fact.high)}"


def free_name(taken: Iterable[str]) -> str:
    """Letters for a new name of the flow."""
    held = set(taken)
    return next(made for n in range(1, 10_000) if (made := f"value_{n}") not in held)


def names_of(document: Mapping[str, Any]) -> set[str]:
    """Letters of every name the flow defines."""
    return {key for _, key, _, _ in _defined(document)}


def _own(sentence: str, node: Mapping[str, Any]) -> str:
    """Rows of one node are worked out together, so none sees another's name."""
    own = [each.get("description") or each["key"] for each in node["content"]["expressions"]]
    if any(f"“{label}”" in sentence for label in own):
        return f"{sentence}：同一个节点里的名字互相看不见，放到后面再加的一个计算节点里用"
    return sentence


def plainly(sentence: str, known: Catalogue) -> str:
    """A finding with the names people gave instead of the letters."""
    return _LETTERS.sub(lambda m: known[m[0]].label if m[0] in known else m[0], sentence)
