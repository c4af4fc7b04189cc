"""Batches of scores against the training sample, with the rule of sample sizes (A3-37, D1-05, trust.md §3)."""

from functools import partial

import msgspec
import polars as pl
import pytest

from backend.core.actor import system
from backend.domains.models import artefacts, drift, model, service, watching
from backend.domains.trials import batch
from backend.flows import watch_batch
from tests.domains.models.test_register import MAKER, OWNER, act, registered

SYSTEM = system("0000", "score-batch")


@pytest.fixture
async def watched(db, card_folder):
    """A registered and tested model for batches."""
    new = await registered(
        db, (card_folder / "scorecard.json").read_bytes(), type="early_warning", family="*"
    )
    report = msgspec.json.decode((card_folder / "report.json").read_bytes())
    await act(db, MAKER, service.test, new.id, report, "训练完")
    assert not new.decides
    return new


async def scored(db, table: pl.DataFrame, card_folder, folder):
    """A batch of this table, scored and held against the training sample; results by subject."""
    data, out = folder / "batch.parquet", folder / "scores.parquet"
    table.write_parquet(data)
    card = artefacts.load(card_folder / "scorecard.json")
    source = batch.open_table(data, batch.plain_names(card.inputs))
    batch.score(source, card, out, resume=False, chunk=700)
    count = partial(batch.counts, source, card, out, chunk=700)
    found = await watch_batch.watch_batch(db, SYSTEM, card.hash, count)
    return {result.subject: result for result in found}


async def test_a_batch_like_the_training_sample_is_steady_and_one_that_moved_has_an_owner(
    db, watched, card_folder, table, tmp_path
):
    found = await scored(db, table, card_folder, tmp_path)
    assert (found[""].level, found[""].cases) == (drift.STEADY, table.height)
    assert found["近半年查询"].cases == table.height
    assert {each.level for each in found.values()} == {drift.STEADY}
    async with db.read(SYSTEM) as tx:
        assert await watching.alarms(tx) == []
        shape = await watching.distribution(tx, watched.artefact)
    assert sum(shape["actual"]) == table.height

    worse = table.with_columns(pl.col("近半年查询") + 4)
    found = await scored(db, worse, card_folder, tmp_path)
    assert found[""].level == found["近半年查询"].level == drift.MOVED
    assert found["用卡率"].level == drift.STEADY
    async with db.read(SYSTEM) as tx:
        alarms = await watching.alarms(tx)
        series = await watching.series(tx, watched.artefact, "psi")
    assert {(alarm.measure, alarm.subject, alarm.owner) for alarm in alarms} == {
        ("psi", "", OWNER),
        ("csi", "近半年查询", OWNER),
    }
    assert len(series[""]) == 1, "a second batch of the same day replaces the first"


async def test_a_small_batch_is_held_to_the_rule_of_small_samples(db, watched, card_folder, table, tmp_path):
    """trust.md §3: below 30 nothing is said, below 500 χ² takes the place of the bands."""
    found = await scored(db, table.head(29), card_folder, tmp_path)
    assert {each.level for each in found.values()} == {drift.TOO_FEW}
    found = await scored(db, table.head(60), card_folder, tmp_path)
    assert found[""].details["rule"] == "chi_square"
    assert found[""].level == drift.STEADY


async def test_a_model_nobody_tested_is_not_watched(db, card_folder, table, tmp_path):
    await registered(db, (card_folder / "scorecard.json").read_bytes(), type="early_warning", family="*")
    with pytest.raises(model.BatchUnwatched):
        await scored(db, table, card_folder, tmp_path)
