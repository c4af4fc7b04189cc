"""Scores by facts we hold already: what the gate would let through if the customer were decided on at this moment,
through the code of every batch (`batch.score_rows`). Too old, or under a consent taken back, is no fact any more."""

import io
from collections import Counter
from collections.abc import Sequence
from datetime import datetime

import msgspec
import polars as pl

from backend.domains.decision import facts
from backend.domains.decision.model import Capsule, Case, SourceFacts
from backend.domains.trials import batch
from backend.domains.trials.batch_runs import Scores
from backend.domains.trials.models import Model

PROBLEMS: dict[str, str] = {
    "stale": "数据过期了，要重新查",
    "no_consent": "授权已收回或到期",
    "missing": "缺数据",
    "other": "数据不能用",
}


class Stored(msgspec.Struct, frozen=True, kw_only=True):
    """A customer by their newest decision: the capsule as decided, the score of then, the consents that stand."""

    institution_id: str
    customer_id: str
    application_no: str
    capsule: bytes
    was: int | None
    consents: frozenset[str]


def score(rows: Sequence[Stored], model: Model, now: datetime) -> pl.DataFrame:
    """Per customer: `score` and `default_bp` (null without), `was`, and the `problem` of one without."""
    plain = batch.plain_names(model.inputs)
    known = facts.catalogue()
    needed = known.parcels(plain)
    checked = [facts.check(_today(row, now), needed, known) for row in rows]
    table = pl.DataFrame(
        {
            "customer_id": [row.customer_id for row in rows],
            **{name: [each.values.get(name) for each in checked] for name in plain},
        },
        infer_schema_length=None,
    )
    return batch.score_rows(table, model).with_columns(
        pl.Series("institution_id", [row.institution_id for row in rows], dtype=pl.String),
        pl.Series("application_no", [row.application_no for row in rows], dtype=pl.String),
        pl.Series("was", [row.was for row in rows], dtype=pl.Int64),
        pl.Series("problem", [_problem(each, plain) for each in checked], dtype=pl.String),
    )


def _today(row: Stored, now: datetime) -> Case:
    """The stored case as it would stand before the gate now."""
    case = msgspec.json.decode(row.capsule, type=Capsule).case
    sources = {name: _standing(given, row.consents) for name, given in case.sources.items()}
    return msgspec.structs.replace(case, as_of=now, sources=sources, interrupted_at="")


def _standing(given: SourceFacts, consents: frozenset[str]) -> SourceFacts:
    if given.consent_id is None or given.consent_id in consents:
        return given
    return msgspec.structs.replace(given, consent_id=None)


def _problem(checked: facts.Checked, plain: Sequence[str]) -> str:
    """What is wrong with a fact the model needs, the commonest first; '' where all are there."""
    found = {gap.problem for gap in checked.gaps if gap.fact in plain and gap.fact not in checked.values}
    return next((name for name in PROBLEMS if name in found), "other") if found else ""


def summed(frame: pl.DataFrame) -> Scores:
    """How many have which score, why others have none, how many have less than at their decision."""
    scored = frame.filter(pl.col("score").is_not_null())
    counts = scored.group_by("score").agg(pl.len(), pl.col("default_bp").first()).sort("score")
    problems = Counter(frame.filter(pl.col("score").is_null())["problem"].replace("", "other").to_list())
    return Scores(
        scores={score: (count, chance) for score, count, chance in counts.iter_rows()},
        problems=dict(problems),
        fell=scored.filter(pl.col("score") < pl.col("was")).height,
    )


def packed(frame: pl.DataFrame) -> bytes:
    file = io.BytesIO()
    frame.write_parquet(file, compression="zstd")
    return file.getvalue()


def unpacked(bodies: Sequence[bytes], *, best_first: bool, most: int) -> pl.DataFrame:
    """The first `most` of those with a score."""
    frames = [pl.read_parquet(io.BytesIO(body)) for body in bodies]
    if not frames:
        return pl.DataFrame()
    found = pl.concat(frames).filter(pl.col("score").is_not_null())
    return found.sort("score", "application_no", descending=[best_first, False]).head(most)
