"""Random graphs: what the gate makes of a document is what walking it by hand gives (A3-20)."""

import random
from collections.abc import Callable
from itertools import count
from typing import Any

import pytest

from backend.domains.decision import gate, path
from backend.domains.decision.model import Stage, Step
from tests.domains.decision import documents as made
from tests.domains.decision.documents import CATALOGUE, LENDERS, QUERIES, line, rule

Values = dict[str, int]
Walk = Callable[[Values], set[tuple[str, str]]]
"""The (table, row) a case should meet."""


class Grown:
    """A document grown at random, with the same thing as plain Python beside it."""

    def __init__(self, draw: random.Random) -> None:
        self.draw, self.numbers = draw, count(1)
        self.nodes: list[dict[str, Any]] = []
        self.lines: list[dict[str, Any]] = []
        self.walk = self.grow("facts", "", [QUERIES, LENDERS], 3)
        made_of = {QUERIES, LENDERS}
        self.document = made.graph(made.entry(*sorted(made_of)), self.nodes, self.lines)

    def grow(self, source: str, handle: str, names: list[str], depth: int) -> Walk:
        """Something behind a node: one or two ways taken together."""
        ways = [self.way(source, handle, names, depth) for _ in range(self.draw.choice([1, 1, 2]))]
        return lambda values: set().union(*(way(values) for way in ways))

    def way(self, source: str, handle: str, names: list[str], depth: int) -> Walk:
        act = self.draw.choice(["table", "expression", "switch"]) if depth else "table"
        return {"table": self.table, "expression": self.expression, "switch": self.switch}[act](
            source, handle, names, depth
        )

    def table(self, source: str, handle: str, names: list[str], _: int) -> Walk:
        number, column, least = f"t{next(self.numbers)}", self.draw.choice(names), self.draw.randint(0, 12)
        rows = [[f"> {least}", *rule("A")], [f"> {least + 3}", *rule("B")]]
        self.nodes.append(made.rules(number, [column], rows))
        self.lines += [line(source, number, handle), line(number, "result")]
        return lambda values: {
            (number, f"{number}-{at + 1}") for at, more in enumerate((0, 3)) if values[column] > least + more
        }

    def expression(self, source: str, handle: str, names: list[str], depth: int) -> Walk:
        number, name, other = f"e{next(self.numbers)}", f"v{next(self.numbers)}", self.draw.choice(names)
        self.nodes.append(made.expression(number, {name: f"floor({other} * 1.5) - 2"}))
        self.lines.append(line(source, number, handle))
        further = self.grow(number, "", [*names, name], depth - 1)
        return lambda values: further({**values, name: values[other] * 3 // 2 - 2})

    def switch(self, source: str, handle: str, names: list[str], depth: int) -> Walk:
        number, name = f"s{next(self.numbers)}", self.draw.choice(names)
        low, high = sorted(self.draw.sample(range(1, 12), 2))
        self.nodes.append(made.switch(number, f"{name} < {low}", f"{name} < {high}", "*"))
        self.lines.append(line(source, number, handle))
        ways = [self.grow(number, f"{number}-{at}", names, depth - 1) for at in range(3)]

        def walk(values: Values) -> set[tuple[str, str]]:
            return ways[0 if values[name] < low else 1 if values[name] < high else 2](values)

        return walk


@pytest.mark.parametrize("seed", range(40))
def test_a_random_graph_gives_what_walking_it_by_hand_gives(seed):
    draw = random.Random(seed)
    grown = Grown(draw)
    refused = [
        each
        for each in made.findings(grown.document)
        if "永远走不到" not in each and "声明了却没有" not in each
    ]
    assert refused == []
    if made.findings(grown.document):
        return  # a branch no case can take: rightly refused
    compiled = gate.compile_stage(Stage.ELIGIBILITY, grown.document, CATALOGUE)
    for _ in range(25):
        values = {QUERIES: draw.randint(0, 20), LENDERS: draw.randint(0, 20)}
        ran = gate.run(compiled, values, CATALOGUE)
        assert {(hit.table, hit.row) for hit in ran.hits} == grown.walk(values), values
        lit = path.lit(grown.document, [*ran.way, Step(stage="eligibility", event="complete")], "eligibility")
        assert {hit.table for hit in ran.hits} <= lit.nodes
        assert {step.table for step in ran.way} == {n for n in lit.nodes if n[0] in "es"}


def test_most_random_graphs_are_let_through():
    """So that the comparison above compares something."""
    good = sum(not made.findings(Grown(random.Random(seed)).document) for seed in range(40))
    assert good >= 15
