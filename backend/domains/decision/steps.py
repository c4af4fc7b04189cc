"""What expression nodes, switches, scorecards, models and sub-flows of a document must satisfy."""

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from backend.domains.decision import coverage, expressions, graph, logic, regions, tables
from backend.domains.decision.contracts import WARNING
from backend.domains.decision.facts import Fact, Value
from backend.domains.decision.graph import Graph

MODEL_KINDS = ("scorecard", "model")
Say = Callable[..., None]


class Scored(Protocol):
    @property
    def score(self) -> int: ...


class Model(Protocol):
    """What answers a scorecard or model node in process; an attribute `partner` says that a partner supplies it."""

    @property
    def inputs(self) -> tuple[str, ...]: ...
    @property
    def hash(self) -> str: ...
    @property
    def card(self) -> Any: ...
    def extremes(self) -> tuple[int, int]: ...
    def score(self, values: Mapping[str, Value]) -> Scored: ...


def _plain(content: Mapping[str, Any], allowed: set[str]) -> str:
    """The first setting that would move the facts somewhere else, or that we do not know."""
    for key in ("inputField", "outputPath"):
        if content.get(key):
            return key
    if content.get("executionMode", "single") not in (None, "single"):
        return "executionMode"
    return min(
        set(content) - allowed - {"inputField", "outputPath", "executionMode", "passThrough"}, default=""
    )


def expression(
    node: Mapping[str, Any], known: Mapping[str, Fact], taken: frozenset[str], say: Say
) -> tuple[dict[str, Fact], set[str]]:
    """The names an expression node defines, and those it uses. `taken` are names no one may define again."""
    content = node["content"]
    if wrong := _plain(content, {"expressions"}):
        say(node["name"], f"这一步的设置 {wrong} 会改变输入，不能使用")
    defined: dict[str, Fact] = {}
    used: set[str] = set()
    ids = [each["id"] for each in content["expressions"]]
    if not ids or len(set(ids)) != len(ids) or not all(tables.NUMBER.fullmatch(each) for each in ids):
        say(node["name"], "要有算式，每一行要有自己的编号")
    for at, each in enumerate(content["expressions"], 1):
        place, name = f"{node['name']} 第 {at} 行", each["key"]
        if set(each) - {"id", "key", "value", "description"}:
            say(place, "这一行有看不懂的设置", row=each["id"])
        if not tables.IDENTIFIER.fullmatch(name) or name in expressions.WORDS:
            say(place, "名字只能用字母、数字和下划线，用字母开头", row=each["id"])
        elif name in taken or name in defined:
            say(place, f"名字“{name}”已经有了", row=each["id"])
        try:
            found = logic.value(name, each["value"], known)
        except expressions.Unfit as unfit:
            say(f"{place} {name}", str(unfit), row=each["id"], column="value")
            defined[name] = logic.local(name, "int")
            continue
        defined[name] = found.fact
        used |= found.names
    return defined, used


def switch(node: Mapping[str, Any], known: Mapping[str, Fact], lines: Graph, say: Say) -> set[str]:
    """A switch takes exactly one branch, for every case there can be; the names it looks at."""
    content = node["content"]
    used: set[str] = set()
    if content.get("hitPolicy", "first") != "first" or _plain(content, {"statements", "hitPolicy"}):
        say(node["name"], "分支只能走一条，命中第一条为止")
    statements = content["statements"]
    ids = [each["id"] for each in statements]
    if not ids or len(set(ids)) != len(ids) or not all(tables.NUMBER.fullmatch(each) for each in ids):
        say(node["name"], "要有分支，每一条要有自己的编号")
    _handles(node, ids, lines, say)
    claims: list[logic.Claim] = []
    for at, each in enumerate(statements, 1):
        place = f"{node['name']} 第 {at} 条"
        if set(each) - {"id", "condition", "isDefault", "description"}:
            say(place, "这一条有看不懂的设置", row=each["id"])
        condition = each.get("condition") or ""
        if each.get("isDefault") not in (None, False, True):
            say(place, "“其余”只能是 是 或 否", row=each["id"])
        if each.get("isDefault"):
            if condition or at != len(statements):
                say(place, "“其余”要放在最后，不写条件", row=each["id"])
            continue
        try:
            found = logic.branch(condition, known)
        except expressions.Unfit as unfit:
            say(place, str(unfit), row=each["id"], column="condition")
            return used
        used |= found.names
        claims.append(found.claim)
    _exhaustive(node, statements, claims, {name: known[name] for name in sorted(used)}, say)
    return used


def _handles(node: Mapping[str, Any], ids: list[str], lines: Graph, say: Say) -> None:
    handles = {line.handle for line in lines.out[node["id"]]}
    for at, each in enumerate(ids, 1):
        if each not in handles:
            say(f"{node['name']} 第 {at} 条", "这一条分支后面没有路", row=each)
    if handles - set(ids):
        say(node["name"], "有一条线不属于任何分支")


def _exhaustive(
    node: Mapping[str, Any],
    statements: list[Mapping[str, Any]],
    claims: list[logic.Claim],
    looked: Mapping[str, Fact],
    say: Say,
) -> None:
    """Every case takes some branch, and every branch has some case."""

    columns = list(looked.values())
    whole = coverage.everything(columns)
    sure = [logic.boxes(columns, claim.under) for claim in claims]
    for at, claim in enumerate(claims):
        before = [box for each in sure[:at] for box in each]
        try:
            live = any(regions.uncovered(box, before) is not None for box in logic.boxes(columns, claim.over))
        except regions.TooLarge:
            live = True
        if not live:
            place, row = f"{node['name']} 第 {at + 1} 条", statements[at]["id"]
            say(place, "前面的分支已经都管到了，永远走不到这一条", row=row)
    try:
        left = regions.uncovered(whole, [box for each in sure for box in each])
    except regions.TooLarge:
        left = whole
    rest = bool(statements) and bool(statements[-1].get("isDefault"))
    if left is not None and not rest:
        say(node["name"], f"{coverage.example(columns, left)}时没有一条分支可走，请加一条“其余”")
    if left is None and rest:
        say(node["name"], "前面的分支已经管到所有情形，“其余”用不上", severity=WARNING)


def custom(
    node: Mapping[str, Any],
    known: Mapping[str, Fact],
    taken: frozenset[str],
    models: Mapping[str, Model],
    say: Say,
) -> tuple[dict[str, Fact], set[str]]:
    """The name a scorecard or model gives its answer, and the facts it looks at."""
    content = node["content"]
    config = content["config"]
    if content["kind"] not in MODEL_KINDS or set(content) - {"kind", "config", "passThrough"}:
        say(node["name"], "只能用评分卡或模型节点")
        return {}, set()
    if set(config) - {"model", "output", "low", "high", "partner"}:
        say(node["name"], "这个节点有看不懂的设置")
    name, low, high = config["output"], config["low"], config["high"]
    if not tables.IDENTIFIER.fullmatch(name) or name in taken or name in expressions.WORDS:
        say(node["name"], f"结果的名字“{name}”不能用，或已经有了")
    if type(low) is not int or type(high) is not int or not -(10**9) <= low <= high <= 10**9:
        say(node["name"], "结果要写明最小和最大，都是整数")
        low, high = 0, 0
    model = models.get(config["model"])
    if model is None or model.hash != config["model"]:
        say(
            node["name"],
            "没有这个评分卡或模型，或者不能点名用它：要是本行登记、已经批准、没有退出、不分县的一版",
        )
        return {name: logic.local(name, "int", low, high)}, set()
    _wide_enough(node, model, (low, high), say)
    for each in model.inputs:
        if each not in known or known[each].source == logic.LOCAL:
            say(node["name"], "模型要用的" + expressions.unknown(each))
    return {name: logic.local(name, "int", low, high)}, set(model.inputs)


def _wide_enough(node: Mapping[str, Any], model: Model, told: tuple[int, int], say: Say) -> None:
    """A score outside what the node tells leaves the case to a person, so what can come had better be told."""
    try:
        lowest, highest = model.extremes()
    except Exception:  # a graph that does not run, in whatever way
        say(node["name"], "这个模型跑不起来，不能用")
        return
    if lowest < told[0]:
        said = f"写明的最小是 {told[0]}，这个模型最低会给 {lowest} 分；低于写明的，这笔转人工"
        say(node["name"], said, severity=WARNING, column="low")
    if highest > told[1]:
        said = f"写明的最大是 {told[1]}，这个模型最高会给 {highest} 分；高于写明的，这笔转人工"
        say(node["name"], said, severity=WARNING, column="high")


def flow_key(node: Mapping[str, Any], say: Say) -> str:
    """Which stored document a sub-flow node runs."""
    content = node["content"]
    if content.get("passThrough") or content.get("inputField"):
        say(node["name"], "子流程的设置会改变输入，不能使用")
    if content.get("executionMode", "single") not in (None, "single"):
        say(node["name"], "子流程只能整个跑一遍")
    if extra := set(content) - {"key", "passThrough", "inputField", "outputPath", "executionMode"}:
        say(node["name"], f"这个节点有看不懂的设置 {min(extra)}")
    return str(content["key"])


def partner(node: Mapping[str, Any], models: Mapping[str, Model]) -> bool:
    """Whether a partner decides here (D1-10)."""
    content = node.get("content")
    config = content.get("config") if isinstance(content, dict) else None
    if any(isinstance(each, dict) and each.get("partner") for each in (node, content, config)):
        return True
    model = models.get(str(config.get("model"))) if isinstance(config, dict) else None
    return bool(getattr(model, "partner", False))


def one_way(lines: Graph, say: Say) -> None:
    """A stage with one result may not split into ways that are taken together."""
    for number, node in lines.nodes.items():
        handles = [line.handle for line in lines.out[number]]
        if lines.kind(number) in graph.PASSING and len(set(handles)) != len(handles):
            say(node["name"], "这一环节只能有一个结果，不能分成两条一起走的路", node=number)
