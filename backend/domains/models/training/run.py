"""One training run: table → split → model → report (A1-05, A3-37). Pure but for reading the files it is given.

A table whose columns hold all facts behind the candidates of the catalogue gives a model that may decide; any
other table one that scores batches only.
"""

from collections.abc import Callable
from typing import Any

import msgspec
import numpy
import polars as pl

from backend.domains.decision import facts, scorecard, trees
from backend.domains.decision import train as facts_training
from backend.domains.decision.model import canonical
from backend.domains.models import artefacts, free_card
from backend.domains.models.training import boosting, cards, counties, leaks, tables, validation
from backend.domains.models.training.options import SCORECARD, Options, TableUnfit
from backend.domains.models.training.tables import NUMBER, Column, Split, Table


class Result(msgspec.Struct, frozen=True):
    """`artefact` is the model's JSON, `onnx` the graph of trees beside it."""

    artefact: bytes
    onnx: bytes | None
    report: dict[str, Any]


def run(path: Any, options: Options, tell: Callable[[str], None]) -> Result:
    """Raises `TableUnfit` and what reading the live model raises."""
    tell("读数据")
    table = tables.read(path, options)
    decides = not options.free and facts_training.needed() <= set(table.frame.columns)
    if decides:
        table, options = _of_facts(table, options)
    leaks.refuse(table)
    live = None if options.live is None else artefacts.load(options.live)
    split = tables.split(table, options)
    model, artefact, extra = _train(table, split, options, decides, tell)
    if options.county:
        tell("估计各县的差别")
        model, artefact, extra["counties"] = counties.add(table, split, model, options, decides=decides)
    tell("打分")
    score = model.score_frame(table.frame).to_numpy()
    scores = validation.Scores(score, validation.chance(score, options), _live(live, table))
    tell("检验")
    report = validation.report(table, split, scores, model, options)
    report |= {"serves": "decisions" if decides else "batches", "version": options.version}
    if decides:
        report["catalogue_sha256"] = facts.catalogue().hash
    graph = extra.pop("graph", None)
    return Result(artefact, graph, report | extra)


def _of_facts(table: Table, options: Options) -> tuple[Table, Options]:
    """The candidates computed from the facts of every row, and their directions from the catalogue."""
    if options.monotone or options.special:
        raise TableUnfit(why="审批用的数据项，方向由目录定，也没有特殊值；只做批量评分时加 --free")
    if (options.base_score, options.base_odds, options.points_to_double) != (600, 50, 20):
        raise TableUnfit(why="审批用的模型，刻度固定为 600 分 50:1、20 分翻倍；只做批量评分时加 --free")
    plain = sorted(facts_training.needed())
    rows = table.frame.select(
        pl.col(name).cast(pl.Int64, strict=False) if table.frame[name].dtype == pl.Boolean else pl.col(name)
        for name in plain
    )
    found = facts_training.columns_of(rows.select(pl.all().cast(pl.String)).to_dicts())
    apart = {*options.exclude, *options.group}
    chosen = {n: v for n, v in found.items() if (not options.only or n in options.only) and n not in apart}
    if not chosen:
        raise TableUnfit(why="除了目标列，没有一项可以进审批模型的数据")
    columns = {name: Column(name, NUMBER, numpy.array(v, dtype=float)) for name, v in chosen.items()}
    frame = table.frame.with_columns(pl.Series(name, v, dtype=pl.Int64) for name, v in found.items())
    directions = {name: facts_training.CANDIDATES[name] for name in chosen}
    notes = ["列名都在数据目录里，只用目录允许进模型的数据项"]
    return (
        msgspec.structs.replace(table, columns=columns, frame=frame, notes=notes),
        msgspec.structs.replace(options, monotone=directions),
    )


def _train(
    table: Table, split: Split, options: Options, decides: bool, tell: Callable[[str], None]
) -> tuple[artefacts.Model, bytes, dict[str, Any]]:
    """The compiled model, its JSON, and what only this kind adds to the report."""
    if options.kind == SCORECARD and decides:
        tell("分箱和回归")
        columns = {name: column.values.astype(int).tolist() for name, column in table.columns.items()}
        card = facts_training.train(
            columns,
            table.bad.tolist(),
            split.fit,
            seed=options.seed,
            version=options.version,
            data=table.sha256,
        )
        served = scorecard.CompiledScorecard(card, facts.catalogue())
        return served, canonical(card), {"scorecard_sha256": served.hash}
    if options.kind == SCORECARD:
        made = cards.train(table, split, options, tell)
        return free_card.CompiledFreeCard(made.card), canonical(made.card), _selection(made)
    grown = boosting.train(table, split, options, tell)
    onnx = {"sha256": grown.model.onnx_sha256, "difference": grown.difference, "rounds": grown.rounds}
    model = trees.CompiledTrees(grown.model, facts.catalogue() if decides else None)
    return model, canonical(grown.model), {"onnx": onnx, "graph": grown.onnx}


def _selection(made: cards.Carded) -> dict[str, Any]:
    fitted = made.fitted
    weights = [
        {"column": name, "weight": round(w, 4), "p": round(p, 5), "vif": round(v, 3)}
        for name, w, p, v in zip(fitted.names, fitted.weights, fitted.p, fitted.vif, strict=True)
    ]
    return {"weights": weights, "steps": fitted.steps}


def _live(live: artefacts.Model | None, table: Table) -> Any:
    if live is None:
        return None
    missing = [name for name in live.inputs if name not in table.frame.columns]
    if missing:
        raise TableUnfit(why=f"现用模型要用的列，表里没有：{'、'.join(missing[:5])}")
    try:
        scores = live.score_frame(table.frame)
    except pl.exceptions.PolarsError as cause:
        raise TableUnfit(why="现用模型要用的列，表里的写法对不上") from cause
    if scores.null_count():
        raise TableUnfit(why="现用模型要用的列，表里有空的")
    return scores.to_numpy()
