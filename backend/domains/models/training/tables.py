"""Reading a table to train on, and every way in which it may be unfit (section 3 of issue 3).

A CSV (UTF-8 or GB18030) or Parquet file, one row per case. Columns become numbers (float64, NaN = missing), categories
(text, None = missing) or are left out with a sentence that says why.
"""

import csv
import difflib
import hashlib
import io
import itertools
from pathlib import Path
from typing import Any

import msgspec
import polars as pl

from backend.core import csv_text, given, unreadable
from backend.domains.models.training.options import MIN_EACH, Options, TableUnfit

NUMBER, CATEGORY = "number", "category"
MOST_CATEGORIES = 100
MOST_COLUMNS = 2_000
ID_SHARE = 0.95
_MARKS = {";": "分号", "\t": "制表符", "|": "竖线"}
_WIDE = dict(zip("０１２３４５６７８９．，－＋", "0123456789.,-+", strict=True))
_GROUPED = r"^[-+]?[0-9]{1,3}(,[0-9]{3})+(\.[0-9]+)?$"
_PLAIN_NUMBER = r"^[-+]?[0-9]+(\.[0-9]+)?$"
_PERIOD = r"^\s*\d{4}[-/.年]\d{1,2}([-/.月]\d{0,2}日?)?\s*$"


class Column(msgspec.Struct, frozen=True):
    """`values`: float64 with NaN for missing, or an object array of text with None for missing."""

    name: str
    kind: str
    values: Any


class Table(msgspec.Struct, frozen=True):
    """`bad` are 0/1 integers; `groups` text per row; `notes` what was left out and why, for the report."""

    frame: pl.DataFrame
    columns: dict[str, Column]
    bad: Any
    period: Any
    groups: dict[str, Any]
    sha256: str
    notes: list[str]


def read(path: Path, options: Options) -> Table:
    """Read and check. Raises `TableUnfit`."""
    frame, digest = frame_of(path)
    if frame.height == 0 or frame.width == 0:
        raise TableUnfit(why="文件里没有数据行")
    if frame.width > MOST_COLUMNS:
        raise TableUnfit(why=f"有 {frame.width} 列，最多 {MOST_COLUMNS} 列")
    _named(frame, options)
    bad = _target(frame[options.target], options.target)
    notes: list[str] = []
    period = _period(frame, options)
    columns = _columns(frame, options, notes)
    if not columns:
        raise TableUnfit(why="除了目标列，没有一列可以用来预测")
    groups = {name: _group(frame[name]) for name in options.group}
    return Table(frame, columns, bad, period, groups, digest, notes)


def frame_of(path: Path) -> tuple[pl.DataFrame, str]:
    """The table as it lies in the file, and its SHA-256. Raises `TableUnfit`."""
    try:
        raw = given.read(path, given.TABLE) if isinstance(path, Path) else path.read_bytes()
    except OSError as cause:
        raise TableUnfit(why=f"读不到 {path}（{unreadable.system(cause)}）") from cause
    if not raw.strip():
        raise TableUnfit(why="文件是空的")
    digest = hashlib.sha256(raw).hexdigest()
    if raw[:4] == b"PAR1" or path.suffix.lower() == ".parquet":
        try:
            return pl.read_parquet(io.BytesIO(raw)), digest
        except (pl.exceptions.PolarsError, OSError, ValueError) as cause:
            raise TableUnfit(why="这不是完好的 Parquet 文件") from cause
    return _csv(raw), digest


def _csv(raw: bytes) -> pl.DataFrame:
    try:
        text = csv_text.decode(raw)
    except csv_text.NotText as cause:
        raise TableUnfit(why=cause.why) from cause
    header = next(csv.reader(io.StringIO(text)), [])
    names = [name.strip() for name in header]
    if len(names) == 1 and (mark := next((m for m in _MARKS if m in names[0]), "")):
        raise TableUnfit(why=f"列之间要用逗号隔开，这份用的像是{_MARKS[mark]}")
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise TableUnfit(why="有重名的列：" + "、".join(name or "（没有名字）" for name in twice[:5]))
    if "" in names:
        raise TableUnfit(why="有一列没有名字")
    try:
        frame = pl.read_csv(
            text.encode(), infer_schema_length=None, null_values=csv_text.NOTHING, try_parse_dates=True
        )
    except pl.exceptions.NoDataError:
        return pl.DataFrame()
    except (pl.exceptions.PolarsError, ValueError) as cause:
        _wide_alone(text)
        raise TableUnfit(why="有的行列数和表头对不上，或引号没有成对") from cause
    return frame.rename(dict(zip(frame.columns, names, strict=True)))


def _wide_alone(text: str) -> None:
    """A column of full-width digits alone is taken for numbers and then cannot be read. Raises `TableUnfit`."""
    try:
        frame = pl.read_csv(text.encode(), infer_schema=False, null_values=csv_text.NOTHING)
    except (pl.exceptions.PolarsError, ValueError):
        return
    for name in frame.columns:
        _written_plainly(frame[name])


def _named(frame: pl.DataFrame, options: Options) -> None:
    """Every column named in the options exists, and none is asked for in two ways."""
    asked = {
        "--target": (options.target,),
        "--exclude": options.exclude,
        "--only": options.only,
        "--monotone": tuple(options.monotone),
        "--group": options.group,
        "--out-of-time": (options.out_of_time,) if options.out_of_time else (),
        "--county": (options.county,) if options.county else (),
    }
    for option, names in asked.items():
        strange = [name for name in names if name not in frame.columns]
        if strange:
            raise TableUnfit(why=f"没有 {strange[0]} 这一列（{option}）{_near(strange[0], frame.columns)}")
    for option in ("--exclude", "--only", "--monotone", "--group", "--out-of-time", "--county"):
        if options.target in asked[option]:
            raise TableUnfit(why=f"目标列 {options.target} 不能又写在 {option} 里")


def _near(name: str, columns: list[str]) -> str:
    """The columns that may be meant, else those there are."""
    folded = {each.casefold().strip(): each for each in columns}
    found = [folded[near] for near in difflib.get_close_matches(name.casefold().strip(), folded, cutoff=0.5)]
    if found:
        return "，名字相近的有：" + "、".join(found)
    return "，表里有：" + "、".join(columns[:8]) + ("等" if len(columns) > 8 else "")


def _target(column: pl.Series, name: str) -> Any:
    missing = column.null_count()
    if missing:
        raise TableUnfit(why=f"目标列 {name} 有 {missing} 行是空的，请先去掉这些行")
    words = column.cast(pl.String).str.strip_chars().replace({"true": "1", "false": "0"})
    words = words.str.replace(r"^([01])\.0+$", "$1")
    found = sorted(words.unique().to_list())
    if len(found) == 1:
        raise TableUnfit(why=f"目标列 {name} 只有一种值，没有好坏之分")
    if found != ["0", "1"]:
        raise TableUnfit(why=f"目标列 {name} 要同时有 0 和 1 两种值（1 是坏），且没有别的值")
    bad = words.cast(pl.Int64).to_numpy()
    if min(int(bad.sum()), len(bad) - int(bad.sum())) < MIN_EACH:
        raise TableUnfit(why=f"好样本和坏样本都要至少 {MIN_EACH} 个")
    return bad


def _period(frame: pl.DataFrame, options: Options) -> Any:
    """The out-of-time column as sortable values, None without one."""
    if not options.out_of_time:
        return None
    column = frame[options.out_of_time]
    if column.null_count():
        raise TableUnfit(why=f"时间列 {options.out_of_time} 有空值")
    if column.n_unique() < 2:
        raise TableUnfit(why=f"时间列 {options.out_of_time} 只有一个时间")
    if column.dtype.is_float() or column.dtype == pl.Boolean:
        raise TableUnfit(why=f"时间列 {options.out_of_time} 要是日期或期数（如 2026-03、202603）")
    return column.cast(pl.String).to_numpy() if column.dtype.is_temporal() else _sortable(column)


def _sortable(column: pl.Series) -> Any:
    if column.dtype.is_integer():
        width = max(len(str(value)) for value in column.unique().to_list())
        return column.cast(pl.String).str.zfill(width).to_numpy()
    words = column.cast(pl.String).str.strip_chars()
    if not words.str.contains(r"^\d{4}[-/.年]?\d{0,2}[-/.月Qq季]?\d{0,2}").all():
        raise TableUnfit(why=f"时间列 {column.name} 要是日期或期数（如 2026-03、202603）")
    if words.str.len_chars().n_unique() > 1:
        raise TableUnfit(why=f"时间列 {column.name} 的写法长短不一，排不出先后（月和日要写两位）")
    return words.to_numpy()


def _group(column: pl.Series) -> Any:
    """Words per row for a fairness comparison; numbers with many values fall into four bands."""
    import numpy

    if not column.dtype.is_numeric() or column.n_unique() <= 10:
        return column.cast(pl.String).fill_null("（空）").to_numpy()
    values = column.cast(pl.Float64).fill_null(float("nan")).to_numpy()
    edges = numpy.unique(numpy.nanquantile(values, (0.25, 0.5, 0.75)))
    middle = [f"{low:g}–{high:g}" for low, high in itertools.pairwise(edges)]
    labels = numpy.array([f"≤{edges[0]:g}", *middle, f">{edges[-1]:g}", "（空）"], dtype=object)
    codes = numpy.searchsorted(edges, values, side="left")
    return labels[numpy.where(numpy.isnan(values), len(edges) + 1, codes)]


def _columns(frame: pl.DataFrame, options: Options, notes: list[str]) -> dict[str, Column]:
    apart = {options.target, options.out_of_time, options.county, *options.group, *options.exclude}
    wanted = options.only or tuple(frame.columns)
    found: dict[str, Column] = {}
    for name in wanted:
        if name in apart:
            continue
        _written_plainly(frame[name])
        why = unusable(frame[name])
        if why:
            if name in options.monotone:
                raise TableUnfit(why=f"{name} 不能指定单调：{why}")
            notes.append(f"{name}：{why}，没有用")
            continue
        found[name] = _column(frame[name])
        if name in options.monotone and found[name].kind == CATEGORY:
            raise TableUnfit(why=f"{name} 是类别，不能指定单调")
    return found


def _written_plainly(column: pl.Series) -> None:
    """Numbers as people write them would be read as categories. Refused rather than mended: the model meets the next
    table, too, as it is written. Raises `TableUnfit`."""
    if column.dtype != pl.String:
        return
    given = column.drop_nulls().str.strip_chars()
    words = given.str.replace_many(list(_WIDE), list(_WIDE.values()))
    grouped = words.str.contains(_GROUPED)
    odd = given.filter(grouped | ((words != given) & words.str.contains(_PLAIN_NUMBER)))
    if len(odd) and 2 * int((grouped | words.str.contains(_PLAIN_NUMBER)).sum()) > len(given):
        raise TableUnfit(
            why=f"{column.name} 多半是数，但有 {len(odd)} 行写成了全角数字或带千分位逗号（如 {odd[0][:20]}），"
            "会被当成类别；请改成 12345 这样的写法，或用 --exclude 去掉这一列"
        )


def unusable(column: pl.Series) -> str:
    """Why a column cannot predict; '' when it can."""
    kind, seen = column.dtype, column.drop_nulls()
    if seen.is_empty():
        return "整列都是空的"
    if kind.is_nested() or kind == pl.Binary:
        return "不是数也不是文字"
    if kind.is_temporal():
        return "是日期或时间（先换算成天数、月数再用）"
    distinct = seen.n_unique()
    if distinct == 1 and not column.null_count():
        return "只有一种值"
    if kind.is_integer() and _numbered(seen, distinct):
        return "像编号"
    if kind in (pl.String, pl.Categorical, pl.Enum):
        if seen.cast(pl.String).str.contains(_PERIOD).all():
            return "是日期或期数，将来的没见过（要按时间检验，用 --out-of-time）"
        if distinct > max(MOST_CATEGORIES, 1) and distinct >= ID_SHARE * len(seen):
            return "几乎每行都不同，像编号"
        if distinct > MOST_CATEGORIES:
            return f"有 {distinct} 种类别，最多 {MOST_CATEGORIES} 种"
    return ""


def _numbered(seen: pl.Series, distinct: int) -> bool:
    """Row numbers, or numbers of 15 digits and more that never repeat."""
    if distinct != len(seen) or len(seen) < 2 * MIN_EACH:
        return False
    low, high = int(seen.min()), int(seen.max())  # type: ignore[arg-type]
    return high - low + 1 == distinct or high >= 10**14


def _column(column: pl.Series) -> Column:
    import numpy

    if column.dtype.is_numeric() or column.dtype == pl.Boolean:
        values = column.cast(pl.Float64).fill_null(float("nan")).to_numpy().copy()
        values[~numpy.isfinite(values)] = numpy.nan
        return Column(column.name, NUMBER, values)
    words = column.cast(pl.String).str.strip_chars()
    return Column(column.name, CATEGORY, numpy.array(words.to_list(), dtype=object))


class Split(msgspec.Struct, frozen=True):
    """Row numbers to fit on and to measure on; `how` in words."""

    fit: Any
    held: Any
    how: str


def split(table: Table, options: Options) -> Split:
    """By seed, stratified; or the newest periods where a time column is given. Raises `TableUnfit`."""
    import numpy
    from sklearn.model_selection import train_test_split

    index = numpy.arange(len(table.bad))
    if table.period is None:
        fit, held = train_test_split(
            index, test_size=options.test_share, random_state=options.seed, stratify=table.bad
        )
        found = Split(fit, held, f"随机划分，种子 {options.seed}，测试占 {options.test_share:.0%}")
    else:
        found = _newest(table.period, index, options)
    for name, rows in (("训练", found.fit), ("测试", found.held)):
        count = int(table.bad[rows].sum())
        if min(count, len(rows) - count) < 30:
            raise TableUnfit(why=f"{name}样本里好或坏不到 30 个，请换一个划分")
    return found


def _newest(period: Any, index: Any, options: Options) -> Split:
    import numpy

    times, counts = numpy.unique(period, return_counts=True)
    newer = numpy.cumsum(counts[::-1])[::-1] / len(period)
    first = next((i for i in range(len(times)) if newer[i] <= options.test_share), len(times) - 1)
    first = max(1, first)
    late = period >= times[first]
    return Split(index[~late], index[late], f"按时间划分：{times[first]} 起为测试（跨时间样本）")
