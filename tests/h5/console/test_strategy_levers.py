"""How far a slider of a trial goes: by the fact's domain, the value and the numbers tables compare it with."""

import pytest

from backend.domains.decision import facts
from backend.domains.strategies import checks
from h5.console import strategy_levers
from h5.console.strategy_levers import Span


@pytest.mark.parametrize(
    ("name", "value", "edges", "span"),
    [
        ("bureau_overdue_amount", 0, (), Span(0, 10_000_000, 200_000)),
        ("bureau_overdue_amount", 0, (0, 50_000_000), Span(0, 100_000_000, 2_000_000)),
        ("drawdown_amount", 1_000_000, (), Span(20_000, 2_000_000, 20_000)),
        ("bureau_worst_overdue_24m", 0, (3,), Span(0, 7, 1)),
        ("bureau_queries_6m", 1, (8,), Span(0, 20, 1)),
        ("loan_inflow_change_bp", 0, (-3000,), Span(-6000, 10_000, 200)),
    ],
)
def test_a_slider_goes_beyond_the_value_and_every_edge(
    name: str, value: int, edges: tuple[int, ...], span: Span
) -> None:
    assert strategy_levers.span(facts.catalogue()[name], value, edges) == span


def test_every_edge_of_the_shipped_tables_lies_on_a_position_with_room_on_both_sides() -> None:
    known = facts.catalogue()
    for name, edges in strategy_levers.edges(checks.shipped_documents().values()).items():
        fact = known.facts.get(name)
        if fact is None or fact.kind not in ("fen", "bp", "int"):
            continue
        span = strategy_levers.span(fact, 0, edges)
        assert fact.low <= span.low < span.high <= fact.high, name
        for edge in edges:
            if fact.low < edge < fact.high:
                assert span.low <= edge < span.high, (name, edge)
                assert (edge - span.low) % span.step == 0, (name, edge, span)
