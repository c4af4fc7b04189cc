"""Own cases as a table to train on: the facts of then, and how the loan ended (A3-37)."""

import io
from datetime import timedelta

import msgspec
import polars as pl
import pytest

from backend.commands import practice
from backend.core import clock
from backend.core.actor import system
from backend.core.errors import NotFound
from backend.domains.decision import train as training
from backend.flows.gather_training_cases import MONTH, TARGET, NoEndedCases, gather_training_cases
from backend.overview import ended_cases
from tests.domains.trials.conftest import NAME, SIZE, county, loading

from .conftest import JIA, Road, id_number

__all__ = ["county", "loading"]
UNION = system("0000", "training")


async def gathered(road: Road, source: str, name: str = "") -> pl.DataFrame:
    return pl.read_parquet(io.BytesIO(await gather_training_cases(road.context, UNION, source, name)))  # type: ignore[arg-type]


async def test_own_cases_are_those_with_a_known_end_by_the_facts_of_their_decision(road: Road) -> None:
    await road.apply(id_number(411))  # no loan
    with pytest.raises(NoEndedCases):
        await gathered(road, "own")
    application = await road.hand_off(await road.apply(id_number(412)))
    for act, more in (("open", {}), ("sign", {}), ("draw", {"amount_fen": 300_000})):
        await road.bank(application, act, id_number(412), **more)
    await road.settle()
    with pytest.raises(NoEndedCases):
        await gathered(road, "own")
    with clock.at(clock.now() + timedelta(days=31 + 100)):  # nothing was repaid
        frame = await gathered(road, "own")
    assert frame[TARGET].to_list() == [1]
    assert set(frame.columns) == {*training.needed(), TARGET, MONTH}
    async with road.db.read(JIA) as tx:
        [case] = await ended_cases.page(tx, "", 10)
        assert await ended_cases.page(tx, ended_cases.place_of(case), 10) == []
    assert case.application_id == application.id
    told = {name: value for each in case.case.sources.values() for name, value in each.facts.items()}
    row = frame.to_dicts()[0]
    assert {name: row[name] for name in training.needed() & set(told)} == {
        name: told[name] for name in training.needed() & set(told)
    }
    assert training.needed() & set(told)
    assert msgspec.json.encode(row[MONTH]) == f'"{clock.local(case.case.as_of):%Y-%m}"'.encode()


async def test_a_practice_county_gives_its_households_and_one_that_is_gone_is_told(
    road: Road, county: practice.Loaded
) -> None:
    frame = await gathered(road, "practice", NAME)
    assert (frame.height, set(frame.columns)) == (SIZE, {*training.needed(), TARGET})
    assert set(frame[TARGET].unique()) == {0, 1}
    with pytest.raises(NotFound):
        await gathered(road, "practice", "没有的县")
