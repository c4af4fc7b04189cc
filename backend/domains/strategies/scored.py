"""评分卡和模型节点: a scorecard or model a flow asks, its score named in Chinese (issue 3 §2, §8).

Pure. Which may be named, and what each reads and can give, is the register's to say (`models.nameable`): it comes in
from outside. A node holds the hash of the text, so another version of a model is another hash.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Protocol

import msgspec

from backend.core.errors import Invalid
from backend.domains.decision import facts, graph, jdm
from backend.domains.strategies import arranging, calculations
from backend.domains.strategies.model import Document

KINDS = {"scorecard": "评分卡", "model": "模型"}


class Nameable(Protocol):
    """As the register tells it: `low` and `high` the lowest and highest score it can give, `inputs` what it reads."""

    @property
    def artefact(self) -> str: ...
    @property
    def kind(self) -> str: ...
    @property
    def low(self) -> int: ...
    @property
    def high(self) -> int: ...
    @property
    def inputs(self) -> tuple[str, ...]: ...


class ScoreWrong(Invalid):
    """`fields`: `model` and `result` of the form."""

    code = "strategy_score_wrong"
    message = "评分卡或模型没有填好，旁边写了原因"


class Score(msgspec.Struct, frozen=True, kw_only=True):
    """What a node of a flow asks. `model` the hash of its text, `result` what people call the score."""

    node: str
    name: str
    kind: str
    model: str
    result: str
    low: int
    high: int

    @property
    def span(self) -> str:
        return span(self.low, self.high)


def span(low: int, high: int) -> str:
    return f"{low:,} 到 {high:,} 分"


def label_of(model: str, names: Mapping[str, str]) -> str:
    """What people call a model; one nobody knows here by the beginning of its hash."""
    return names.get(model) or f"没有登记过的模型 {model[:8]}"


def nodes_of(document: Mapping[str, Any]) -> list[Score]:
    """The scorecards and models of a flow, but those that are not written out: the checks tell of them."""
    return [found for node in document["nodes"] if (found := score_of(node)) is not None]


def score_of(node: Mapping[str, Any]) -> Score | None:
    """None: no such node, or not written out."""
    content = node.get("content")
    if node["type"] != graph.CUSTOM or not isinstance(content, dict):
        return None
    if not isinstance(config := content.get("config"), dict):
        return None
    model, output = config.get("model"), config.get("output")
    low, high = config.get("low"), config.get("high")
    if not isinstance(model, str) or not isinstance(output, str):
        return None
    return Score(
        node=node["id"],
        name=node["name"],
        kind=KINDS.get(content.get("kind", ""), "模型"),
        model=model,
        result=calculations.name_of_score(node),
        low=low if type(low) is int else 0,
        high=high if type(high) is int else 0,
    )


def chosen(offered: Iterable[Nameable], model: str) -> Nameable:
    """The one a form names. Raises `ScoreWrong`."""
    found = next((each for each in offered if each.artefact == model), None)
    if found is None:
        raise ScoreWrong(fields={"model": "请从列表里选一个评分卡或模型"})
    return found


def with_score(document: Document, name: str, result: str, model: Nameable) -> Document:
    """A new node that asks this model, not joined yet; what it reads is declared. Raises `ArrangementWrong`,
    `ScoreWrong`."""
    result = _result(document, result)
    taken = {*facts.catalogue().facts, *calculations.names_of(document)}
    config = {"output": calculations.free_name(taken), **_asked(model)}
    content = {"kind": model.kind, "config": config}
    made = arranging.with_node(document, arranging.free(document, "score"), graph.CUSTOM, name, content)
    nodes = [*document["nodes"], {**made["nodes"][-1], "description": result}]
    return arranging.declaring({**made, "nodes": nodes}, model.inputs, facts.catalogue())


def with_other(document: Document, number: str, result: str, model: Nameable) -> Document:
    """The document with another model or another name of its score in one node; the letters of the score stay, so
    every table behind it still means it. Raises `ScoreWrong`."""
    result = _result(document, result, without=number)
    nodes = []
    for node in document["nodes"]:
        if node["id"] == number:
            content = node["content"]
            content = {**content, "kind": model.kind, "config": {**content["config"], **_asked(model)}}
            node = {**node, "content": content, "description": result}
        nodes.append(node)
    return arranging.declaring({**document, "nodes": nodes}, model.inputs, facts.catalogue())


def declaring_less(document: Document, reads: Mapping[str, Sequence[str]]) -> Document:
    """What neither a node mentions nor a model or sub-flow reads (`reads`, by hash) is not declared any more; beside
    one that is not known all stays."""
    asked = [*jdm.models(document), *jdm.flows(document)]
    if any(named not in reads for named in asked):
        return document
    return arranging.declaring_less(document, {name for named in asked for name in reads[named]})


def _asked(model: Nameable) -> dict[str, Any]:
    return {"model": model.artefact, "low": model.low, "high": model.high}


def _result(document: Document, result: str, without: str = "") -> str:
    known = calculations.words(document, facts.catalogue(), without=without)
    if said := calculations.name_wrong(result, {each.label for each in known.facts.values()}):
        raise ScoreWrong(fields={"result": said})
    return result.strip()
