"""先看一眼 beside the road: a version that cannot decide is refused whatever was decided before it (A3-34)."""

import pytest

from backend.core import ids
from backend.core.actor import system
from backend.domains.decision import bundle, facts, service
from backend.domains.decision.model import Stage, StrategyRefused
from backend.domains.strategies import shaping
from backend.domains.strategies.model import Version
from backend.flows.preview_strategy import preview_strategy
from tests.domains.decision.conftest import read
from tests.domains.strategies.conftest import ADMIN
from tests.domains.trials.test_versions import CASES, decided_in, drafted, stricter_draft
from tests.flows.conftest import Road, road

__all__ = ["road"]

COUNTIES = ("4101", "4102")


async def decide_one(road: Road, county: str, name: str) -> None:
    async with road.context.db.begin(system(county, "test")) as tx:
        using = await service.bundle_for(tx, "SXD")
        await service.record(tx, ids.new(), service.decide(read(name), using))


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


async def test_looks_of_two_days_are_not_subtracted_to_a_single_case(road: Road) -> None:
    """Head office saw the newest twenty today and the newest twenty tomorrow; what differs was one customer's."""
    version, sizes = await stricter_draft(road.context), []
    for made in range(1, 44):
        await decide_one(road, "4102", CASES[made % len(CASES)])
        [seen] = await preview_strategy(road.context, ADMIN, version.id, ["4102"], 20)
        sizes.append((seen.cases, seen.span, seen.figures.swaps))
    assert [cases for cases, _, _ in sizes] == [0] * 4 + [5] * 5 + [10] * 5 + [15] * 5 + [20] * 24
    whole = [each for each in sizes if each[0] == 20]
    assert [whole.count(each) for each in whole] == [20] * 20 + [4] * 4, "twenty come and go at once"


async def test_what_can_decide_is_looked_at_where_nothing_was_decided(road: Road) -> None:
    version = await stricter_draft(road.context)
    seen = await preview_strategy(road.context, ADMIN, version.id, COUNTIES, 20)
    assert [(each.institution_id, each.cases) for each in seen] == [("4101", 0), ("4102", 0)]
