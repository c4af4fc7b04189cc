"""Batches score as live decisions do, row by row; unusable rows get no score; what broke off goes on (A3-36)."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from backend.domains.decision import bundle, evaluate, scorecard
from backend.domains.trials import batch, cases, judging, models
from tests.domains.trials import conftest as given

SHIPPED = Path("backend/domains/decision/scorecards/personal_credit.json")


def seeded() -> models.Model:
    return models.of_card(scorecard.seeded())


def test_ten_thousand_scores_are_those_of_live_decisions() -> None:
    frame = given.facts(10_000)
    using = bundle.seeded()
    scores = batch.score_rows(frame, seeded())
    live = [evaluate.evaluate(case, using).decision.score for case in cases.of_frame(frame, given.shelf())]
    assert scores["score"].to_list() == live
    assert scores["household"].to_list() == frame["household"].to_list()
    assert scores["default_bp"].to_list() == [judging.default_bp(n, using.card.card.scale) for n in live]


@pytest.mark.parametrize("broken", [None, -1, 10**15, 2.5, "12", True])
def test_what_the_gate_would_refuse_gets_no_score(broken: Any) -> None:
    frame = given.facts(50).with_columns(pl.lit(broken).alias("core_payroll_months"))
    made = batch.score_rows(frame, seeded())
    assert made["score"].null_count() == made["default_bp"].null_count() == 50


def test_a_whole_float_is_a_number() -> None:
    frame = given.facts(50)
    floats = frame.with_columns(pl.col("core_payroll_months").cast(pl.Float64))
    assert batch.score_rows(floats, seeded()).equals(batch.score_rows(frame, seeded()))


@pytest.mark.parametrize("suffix", [".parquet", ".csv"])
def test_a_batch_that_broke_off_goes_on_where_it_was(tmp_path: Path, suffix: str) -> None:
    data, out = tmp_path / f"people{suffix}", tmp_path / "scores.parquet"
    frame = given.facts(1_000)
    whole = frame.with_columns(pl.selectors.boolean().cast(pl.Int8))
    (whole.write_parquet if suffix == ".parquet" else whole.write_csv)(data)
    model = seeded()
    source = batch.open_table(data, batch.plain_names(model.inputs))
    told: list[int] = []

    def stop_after_two(done: int, _: int) -> None:
        told.append(done)
        if len(told) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        batch.score(source, model, out, resume=False, watch=stop_after_two, chunk=300)
    assert not out.exists(), "nothing that is not whole"
    reads: list[int] = []

    def counted(first: int, count: int) -> pl.DataFrame:
        reads.append(first)
        return source.read(first, count)

    again = batch.Source(rows=source.rows, digest=source.digest, read=counted)
    done = batch.score(again, model, out, resume=True, chunk=300)
    assert (done.rows, done.scored, done.unscored, done.resumed_rows) == (1_000, 1_000, 0, 600)
    assert reads == [600, 900]
    assert pl.read_parquet(out).equals(batch.score_rows(frame, model))
    assert list(tmp_path.glob("*.parts")) == []


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_a_county_s_spreadsheet_is_read_in_the_letters_it_was_saved_in(tmp_path: Path, encoding: str) -> None:
    frame, model = given.facts(300), seeded()
    text = frame.rename({"village_name": "村"}).with_columns(pl.lit("NA").alias("备注")).write_csv()
    path = tmp_path / "people.csv"
    path.write_bytes(text.replace("\n", "\r\n").encode(encoding))
    source = batch.open_table(path, batch.plain_names(model.inputs))
    assert batch.score_rows(source.read(0, 300), model).equals(batch.score_rows(frame, model))


def test_a_table_in_other_letters_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "people.csv"
    path.write_bytes(given.facts(10).write_csv().encode("utf-16"))
    with pytest.raises(batch.TableUnreadable) as refused:
        batch.open_table(path, batch.plain_names(seeded().inputs))
    assert "另存为" in refused.value.text


def test_parts_of_another_table_or_model_are_not_gone_on_with(tmp_path: Path) -> None:
    model, out = seeded(), tmp_path / "scores.csv"
    frame = given.facts(400)

    def interrupted(*_: int) -> None:
        raise KeyboardInterrupt

    def source(digest: str) -> batch.Source:
        return batch.Source(rows=400, digest=digest, read=frame.slice)

    with pytest.raises(KeyboardInterrupt):
        batch.score(source("one"), model, out, resume=False, watch=interrupted, chunk=100)
    with pytest.raises(batch.BatchDiffers):
        batch.score(source("two"), model, out, resume=True, chunk=100)
    done = batch.score(source("two"), model, out, resume=False, chunk=100)
    assert done.resumed_rows == 0
    assert pl.read_csv(out)["score"].to_list() == batch.score_rows(frame, model)["score"].to_list()


def test_rows_without_a_name_are_numbered() -> None:
    frame = given.facts(30).drop("household")
    assert batch.score_rows(frame, seeded(), 100)["row"].to_list() == list(range(100, 130))


def test_a_model_file_is_read_and_a_wrong_one_gets_a_sentence(tmp_path: Path) -> None:
    loaded = models.load(SHIPPED)
    assert (loaded.hash, loaded.inputs) == (bundle.seeded().card.hash, bundle.seeded().card.inputs)
    assert loaded.card.scale == scorecard.seeded().scale
    for text in ("", "[]", "{}", '{"kind": "magic"}'):
        (tmp_path / "m.json").write_text(text)
        with pytest.raises(models.ModelUnreadable):
            models.load(tmp_path / "m.json")
    with pytest.raises(models.ModelUnreadable):
        models.load(tmp_path / "none.json")


def test_tables_that_cannot_be_scored_get_a_sentence(tmp_path: Path) -> None:
    wanted = batch.plain_names(seeded().inputs)
    empty = tmp_path / "empty.csv"
    empty.write_text(",".join(wanted) + "\n")
    torn = tmp_path / "torn.parquet"
    torn.write_bytes(b"PAR1 not really")
    for path in (tmp_path / "none.csv", tmp_path / "none.parquet", tmp_path / "x.xlsx", empty, torn):
        with pytest.raises(batch.TableUnreadable):
            batch.open_table(path, wanted)
    few = tmp_path / "few.csv"
    few.write_text("a,b\n1,2\n")
    with pytest.raises(batch.ColumnsMissing):
        batch.open_table(few, wanted)
