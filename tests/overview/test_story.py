"""A case's events are told in words, whoever writes them."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

from backend.flows.finish_liveness import Ending
from backend.overview import story

FLOWS = Path(__file__).resolve().parents[2] / "backend/flows"
EVENT_AT = {"applications.note": 2, "applications.move": 3}


def written() -> Iterator[str]:
    """Events that flows write by name, as a text or as a constant of their module."""
    for path in FLOWS.glob("*.py"):
        tree = ast.parse(path.read_text())
        named = {ast.unparse(n.targets[0]): n.value for n in tree.body if isinstance(n, ast.Assign)}
        for call in (node for node in ast.walk(tree) if isinstance(node, ast.Call)):
            at = EVENT_AT.get(ast.unparse(call.func))
            if at is None or len(call.args) <= at:
                continue
            given = call.args[at]
            for each in (given.body, given.orelse) if isinstance(given, ast.IfExp) else (given,):
                value = named.get(ast.unparse(each), each)
                if isinstance(value, ast.Constant) and isinstance(value.value, str):
                    yield value.value


def test_every_event_a_flow_writes_has_words_of_its_own() -> None:
    ends = set(get_args(Ending)) - {"pending", "stranger"}
    found = {*written(), *(f"{who}_{end}" for who in ("liveness", "guarantor_face") for end in ends)}
    assert len(found) > 50
    assert {each for each in found if each not in story.WORDS} == set()
