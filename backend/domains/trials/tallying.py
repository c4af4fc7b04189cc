"""Sums by group over judged cases; sums of two chunks add up to the sums of both."""

import polars as pl

from backend.domains.trials.model import MARKS, Measured

GROUPS = ("county", "product", "month", "age_band", "sex", "occupation", "education", "town", "village")
SUMS = (
    "cases", "approved", "referred", "declined", "amount_fen", "rate_amount", "loss_fen", "matured", "bad", *MARKS,
)  # fmt: skip


def tally(judged: pl.DataFrame) -> list[Measured]:
    """Every grouping and side there is in the frame; members that are empty are left out."""
    sides = [_side(judged, "draft")]
    if "base_outcome" in judged.columns:
        sides += [_side(judged, "base"), _swap(judged, "swap_in"), _swap(judged, "swap_out")]
    found: list[Measured] = []
    for each in sides:
        found += _groups(each)
    return found


def _side(judged: pl.DataFrame, side: str) -> pl.DataFrame:
    """One row per case with what is summed."""
    outcome, amount = pl.col(f"{side}_outcome"), pl.col(f"{side}_amount_fen")
    approved = outcome == "approved"
    # The end of an id is drawn at random.
    mark = pl.col("case").str.slice(-8).str.to_integer(base=16, strict=False).fill_null(0).cast(pl.Int64)
    known = approved & pl.col("defaulted").is_not_null()
    return judged.select(
        *GROUPS,
        pl.col(f"{side}_grade").alias("grade"),
        pl.when(outcome == "declined").then(pl.col(f"{side}_reason")).otherwise(pl.lit("")).alias("reason"),
        pl.lit(side).alias("side"),
        pl.lit(1, dtype=pl.Int64).alias("cases"),
        approved.cast(pl.Int64).alias("approved"),
        (outcome == "referred").cast(pl.Int64).alias("referred"),
        (outcome == "declined").cast(pl.Int64).alias("declined"),
        amount,
        (amount * pl.col(f"{side}_annual_rate_bp")).alias("rate_amount"),
        pl.col(f"{side}_loss_fen").alias("loss_fen"),
        known.cast(pl.Int64).alias("matured"),
        (known & (pl.col("defaulted") == 1)).cast(pl.Int64).alias("bad"),
        *((outcome == each.removesuffix("_mark")).cast(pl.Int64).mul(mark).alias(each) for each in MARKS),
    ).rename({f"{side}_amount_fen": "amount_fen"})


def _swap(judged: pl.DataFrame, swap: str) -> pl.DataFrame:
    """The cases one side approves and the other does not, measured on the side that approves."""
    mine, other = ("draft", "base") if swap == "swap_in" else ("base", "draft")
    gone = judged.filter(
        (pl.col(f"{mine}_outcome") == "approved") & (pl.col(f"{other}_outcome") != "approved")
    )
    return _side(gone, mine).with_columns(pl.lit(swap).alias("side"))


def _groups(rows: pl.DataFrame) -> list[Measured]:
    if rows.is_empty():
        return []
    found = []
    everything = rows.with_columns(pl.lit("").alias("all"))
    for grouping in ("all", *GROUPS, "grade", "reason"):
        sums = everything.group_by(grouping, "side", maintain_order=True).agg(pl.col(SUMS).sum())
        for member, side, *values in sums.iter_rows():
            if member or grouping == "all":
                totals = dict(zip(SUMS, values, strict=True))
                found.append(Measured(grouping=grouping, member=str(member or ""), side=side, **totals))
    return found
