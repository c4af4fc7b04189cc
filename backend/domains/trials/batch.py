"""Scores of a table in chunks that are kept one by one: an interrupted batch goes on where it was.

Memory is one chunk's: a Parquet file is read by ranges of rows, a CSV by the columns that are needed.
"""

import hashlib
import os
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import msgspec
import polars as pl

from backend.core import clock, csv_text, given, unreadable
from backend.core.errors import Conflict, Invalid
from backend.domains.decision import facts, features
from backend.domains.trials import judging
from backend.domains.trials.models import Model

CHUNK = 250_000
IDS = ("customer_id", "household", "id")
"""Columns that name a row, in order of preference; without one rows are numbered."""

Watch = Callable[[int, int], None]


class TableUnreadable(Invalid):
    code = "batch_table_unreadable"
    message = "这份数据读不了：{why}"


class ColumnsMissing(Invalid):
    code = "batch_columns_missing"
    message = "这份数据缺少列：{names}"


class BatchDiffers(Conflict):
    code = "batch_differs"
    message = "上次没做完的是另一份数据或另一个模型，不能接着做；去掉 --resume 重新来"


class Source(msgspec.Struct, frozen=True, kw_only=True):
    """A table to score. `digest` changes when its content does; `read(first, count)` gives a range of rows."""

    rows: int
    digest: str
    read: Callable[[int, int], pl.DataFrame]


class _Mark(msgspec.Struct, frozen=True, kw_only=True):
    """What the parts beside an unfinished result were made of."""

    model: str
    source: str
    rows: int
    chunk: int


class Scored(msgspec.Struct, frozen=True, kw_only=True):
    """`unscored` rows lack a usable value; they have no score rather than a guessed one."""

    rows: int
    scored: int
    unscored: int
    resumed_rows: int
    model_sha256: str
    mean_score: float | None


def plain_names(wanted: Sequence[str]) -> list[str]:
    """The columns a table must have for these facts, features or other columns."""
    return sorted(features.closure(wanted)[0])


def open_table(path: Path, wanted: list[str]) -> Source:
    """A Parquet or CSV file with these columns. Raises `TableUnreadable`, `ColumnsMissing`."""
    if path.suffix not in (".parquet", ".csv"):
        raise TableUnreadable(why="文件名要以 .parquet 或 .csv 结尾")
    try:
        stat = given.require_file(path)
        scan = pl.scan_parquet(path) if path.suffix == ".parquet" else _csv(path)
        there = scan.collect_schema().names()
        missing = sorted(set(wanted) - set(there))
        if missing:
            raise ColumnsMissing(names="、".join(missing))
        ids = [name for name in IDS if name in there][:1]
        chosen = scan.select(*ids, *(name for name in wanted if name not in ids))
        whole = chosen.collect() if path.suffix == ".csv" else None
        rows = whole.height if whole is not None else scan.select(pl.len()).collect().item()
    except csv_text.NotText as cause:
        raise TableUnreadable(why=cause.why) from cause
    except OSError as cause:
        raise TableUnreadable(why=f"读不到 {path}（{unreadable.system(cause)}）") from cause
    except pl.exceptions.PolarsError as cause:
        raise TableUnreadable(why=f"{path} 不是完整的 {path.suffix[1:]} 表") from cause
    if rows == 0:
        raise TableUnreadable(why="没有数据行")

    def read(first: int, count: int) -> pl.DataFrame:
        return whole.slice(first, count) if whole is not None else chosen.slice(first, count).collect()

    stamp = f"{path.resolve()}:{stat.st_size}:{stat.st_mtime_ns}"
    return Source(rows=int(rows), digest=hashlib.sha256(stamp.encode()).hexdigest(), read=read)


def _csv(path: Path) -> pl.LazyFrame:
    return pl.scan_csv(
        csv_text.readable(path), infer_schema_length=10_000, null_values=csv_text.NOTHING
    ).rename(str.strip)


def score(
    source: Source,
    model: Model,
    out: Path,
    *,
    resume: bool,
    watch: Watch = lambda _, __: None,
    chunk: int = CHUNK,
) -> Scored:
    """Write id, score and chance of default of every row to `out` (.parquet or .csv), in the table's order.

    Parts lie in `<out>.parts` until all are there. Raises `BatchDiffers`, `TableUnreadable`, OSError.
    """
    parts = out.with_name(f"{out.name}.parts")
    mark = _Mark(model=model.hash, source=source.digest, rows=source.rows, chunk=chunk)
    _prepare(parts, mark, resume=resume)
    resumed = 0
    for first, path in _parts(parts, source.rows, chunk):
        if path.exists():
            resumed += min(chunk, source.rows - first)
        else:
            _keep(score_rows(source.read(first, chunk), model, first), path)
        watch(min(first + chunk, source.rows), source.rows)
    told = _finish(parts, source.rows, chunk, out)
    shutil.rmtree(parts)
    return Scored(
        rows=source.rows,
        scored=int(told["scored"]),
        unscored=source.rows - int(told["scored"]),
        resumed_rows=resumed,
        model_sha256=model.hash,
        mean_score=told["mean"],
    )


def score_rows(table: pl.DataFrame, model: Model, first: int = 0) -> pl.DataFrame:
    """Identifier, `score` and `default_bp` of each row.

    A model over facts scores what the gate would let through live, and nothing else; a model over other columns
    says itself what an empty cell means.
    """
    if _over_facts(model):
        ready = features.frame(table, model.inputs, clock.today())
        known = ready.select(pl.all_horizontal(pl.all().is_not_null())).to_series()
        scores = model.score_frame(ready).zip_with(known, pl.Series([None], dtype=pl.Int64))
    else:
        scores = model.score_frame(table.select(model.inputs))
    name = next((each for each in IDS if each in table.columns), None)
    named = table[name] if name else pl.Series("row", range(first, first + table.height), dtype=pl.Int64)
    return pl.DataFrame([named, scores, _chances(scores, model.card.scale)])


def counts(
    source: Source,
    model: Model,
    out: Path,
    edges: Mapping[str, Sequence[float]],
    *,
    chunk: int = CHUNK,
) -> dict[str, list[int]]:
    """Between the edges of each column ('' the score): how many rows of a scored batch. Rows without a value are not
    counted; a column the table does not have is left out."""
    scan = pl.scan_csv(out) if out.suffix == ".csv" else pl.scan_parquet(out)
    scores = scan.select("score").collect().to_series()
    found = {"": _between(scores, edges[""])}
    names = [name for name in edges if name and name in model.inputs]
    for first in range(0, source.rows, chunk):
        table = source.read(first, chunk)
        ready = features.frame(table, names, clock.today()) if _over_facts(model) else table.select(names)
        for name in names:
            more = _between(ready[name].cast(pl.Float64, strict=False), edges[name])
            kept = found.setdefault(name, [0] * len(more))
            found[name] = [was + now for was, now in zip(kept, more, strict=True)]
    return found


def _between(values: pl.Series, edges: Sequence[float]) -> list[int]:
    known = values.cast(pl.Float64).drop_nulls().drop_nans()
    places = pl.Series(edges, dtype=pl.Float64).search_sorted(known, side="right")
    at = dict(places.value_counts().iter_rows())
    return [int(at.get(place, 0)) for place in range(len(edges) + 1)]


def _over_facts(model: Model) -> bool:
    known = facts.catalogue()
    return all(name in known for name in model.inputs)


def _chances(scores: pl.Series, scale: dict[str, int]) -> pl.Series:
    """By a table of the scores that occur, so that each is computed once and as in a trial."""
    found = scores.drop_nulls().unique()
    chances = [judging.default_bp(int(value), scale) for value in found]
    return scores.replace_strict(found, chances, default=None, return_dtype=pl.Int64).alias("default_bp")


def _prepare(parts: Path, mark: _Mark, *, resume: bool) -> None:
    note = parts / "mark.json"
    if resume and note.exists():
        if note.read_bytes() != msgspec.json.encode(mark):
            raise BatchDiffers()
        return
    shutil.rmtree(parts, ignore_errors=True)
    parts.mkdir(parents=True)
    note.write_bytes(msgspec.json.encode(mark))


def _parts(parts: Path, rows: int, chunk: int) -> Iterator[tuple[int, Path]]:
    for number, first in enumerate(range(0, rows, chunk)):
        yield first, parts / f"{number:06d}.parquet"


def _keep(frame: pl.DataFrame, path: Path) -> None:
    """Whole or not at all, also if the machine stops."""
    fresh = path.with_suffix(".new")
    frame.write_parquet(fresh, compression="lz4")
    with fresh.open("rb") as file:
        os.fsync(file.fileno())
    fresh.replace(path)


def _finish(parts: Path, rows: int, chunk: int, out: Path) -> dict[str, float]:
    scan = pl.scan_parquet([path for _, path in _parts(parts, rows, chunk)])
    fresh = out.with_name(f"{out.name}.new")
    if out.suffix == ".csv":
        scan.sink_csv(fresh)
    else:
        scan.sink_parquet(fresh)
    fresh.replace(out)
    figures = pl.col("score")
    return scan.select(figures.count().alias("scored"), figures.mean().alias("mean")).collect().to_dicts()[0]
