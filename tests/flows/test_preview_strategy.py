"""先看一眼 beside the road: a version that cannot decide is refused whatever was decided before it (A3-34)."""

import pytest

from backend.domains.decision import bundle, facts
from backend.domains.decision.model import Stage, StrategyRefused
from backend.domains.strategies import shaping
from backend.domains.strategies.model import Version
from backend.flows.preview_strategy import preview_strategy
from tests.domains.strategies.conftest import ADMIN
from tests.domains.trials.test_versions import decided_in, drafted, stricter_draft
from tests.flows.conftest import Road, road

__all__ = ["road"]

COUNTIES = ("4101", "4102")


async def undecided(road: Road, product: str = "*") -> Version:
    """A draft with a new condition column in which no row says anything: declared and not used."""
    known, document = facts.catalogue(), bundle.seeded_documents()[Stage.LIMIT]
    table = next(node for node in document["nodes"] if node["type"] == "decisionTableNode")
    places = shaping.places(Stage.LIMIT, table["content"], shaping.order_of(table["content"]), known)
    wanted = shaping.with_column(places, "+bureau_queries_6m", condition=True)
    made = shaping.shaped(Stage.LIMIT, document, table["id"], wanted, known)
    return await drafted(road.context, Stage.LIMIT, made, product)


@pytest.mark.parametrize("product", ["*", "SXD"])
async def test_what_cannot_decide_is_refused_with_or_without_stored_decisions(
    road: Road, product: str
) -> None:
    version = await undecided(road, product)
    for _ in range(2):
        with pytest.raises(StrategyRefused) as refused:
            await preview_strategy(road.context, ADMIN, version.id, COUNTIES, 20)
        assert any("声明了却没有用到" in finding for finding in refused.value.findings)
        await decided_in(road.context, "4102")


async def test_what_can_decide_is_looked_at_where_nothing_was_decided(road: Road) -> None:
    version = await stricter_draft(road.context)
    seen = await preview_strategy(road.context, ADMIN, version.id, COUNTIES, 20)
    assert [(each.institution_id, each.cases) for each in seen] == [("4101", 0), ("4102", 0)]
