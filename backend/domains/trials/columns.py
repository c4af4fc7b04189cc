"""Facts and features as columns, for batches: what the gate would not let through is null (A3-36).

The same whole-number arithmetic as `decision.features`, which a test holds it to, row by row.
"""

from collections.abc import Sequence

import polars as pl

from backend.core.errors import Invalid
from backend.domains.decision import facts, features


class ColumnsMissing(Invalid):
    code = "batch_columns_missing"
    message = "这份数据缺少列：{names}"


class FeatureNotInBatches(Invalid):
    code = "batch_feature_unknown"
    message = "{names} 还不能批量计算"


def plain_names(wanted: Sequence[str]) -> list[str]:
    """The columns a table must have for these features."""
    return sorted(features.closure(set(wanted))[0])


def frame(table: pl.DataFrame, wanted: Sequence[str]) -> pl.DataFrame:
    """The wanted facts and features of every row as Int64, in order. Null where the fact is missing, no whole
    number or out of the catalogue's range, and in every feature that needs it. Raises `ColumnsMissing`,
    `FeatureNotInBatches`."""
    plain, computed = features.closure(set(wanted))
    missing = sorted(plain - set(table.columns))
    if missing:
        raise ColumnsMissing(names="、".join(missing))
    unknown = sorted(set(computed) - set(_COMPUTED))
    if unknown:
        raise FeatureNotInBatches(names="、".join(unknown))
    made = table.lazy().select(*(_usable(name, table.schema[name]) for name in sorted(plain)))
    for name in computed:
        made = made.with_columns(_COMPUTED[name].cast(pl.Int64).alias(name))
    return made.select(*wanted).collect()


def _usable(name: str, dtype: pl.DataType) -> pl.Expr:
    """A number column as the gate would take it."""
    fact = facts.catalogue()[name]
    if fact.kind not in ("int", "fen", "bp"):
        raise FeatureNotInBatches(names=fact.label)
    if not dtype.is_numeric():
        return pl.lit(None, dtype=pl.Int64).alias(name)
    column = pl.col(name)
    if dtype.is_float():
        column = pl.when(column == column.floor()).then(column)
    value = column.cast(pl.Int64, strict=False)
    return pl.when(value.is_between(fact.low, fact.high)).then(value).alias(name)


def _number(name: str) -> pl.Expr:
    return pl.col(name)


_WAGES = pl.when(_number("core_payroll_months") >= 3).then(_number("core_payroll_average") * 12).otherwise(0)
_FUND = pl.when(_number("housing_fund_months") >= 6).then(_number("housing_fund_base") * 12).otherwise(0)
_OWED = _number("bureau_monthly_repayment") * 12
_INCOME = _number("usable_annual_income")
_LIMIT, _USED = _number("bureau_card_limit"), _number("bureau_card_used")


def _whole(names: tuple[str, ...], value: pl.Expr) -> pl.Expr:
    """Null unless everything it needs is there."""
    return pl.when(pl.all_horizontal(pl.col(names).is_not_null())).then(value)


_COMPUTED: dict[str, pl.Expr] = {
    "verified_annual_income": pl.max_horizontal(_WAGES, _FUND, _number("core_inflow_12m") * 40 // 100),
    "usable_annual_income": pl.min_horizontal("declared_annual_income", "verified_annual_income"),
    "debt_to_income_bp": pl.when(_OWED == 0)
    .then(0)
    .when(_INCOME == 0)
    .then(20_000)
    .otherwise(pl.min_horizontal(pl.lit(20_000), _OWED * 10_000 // _INCOME)),
    "card_use_bp": pl.when((_LIMIT == 0) & (_USED == 0))
    .then(0)
    .when(_LIMIT == 0)
    .then(20_000)
    .otherwise(pl.min_horizontal(pl.lit(20_000), _USED * 10_000 // _LIMIT)),
    "counted_assets": _number("core_deposit_average_6m") + _number("core_wealth_balance") * 80 // 100,
}
_COMPUTED = {name: _whole(features.FEATURES[name].needs, value) for name, value in _COMPUTED.items()}
