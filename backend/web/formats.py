"""How figures and moments are written for people: the templates' filters. Pure functions."""

from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal
from zoneinfo import ZoneInfo

HERE = ZoneInfo("Asia/Shanghai")


def yuan(fen: int) -> str:
    """5200000 → '52,000', 5125 → '51.25': grouped yuan, the two decimals only where there are any."""
    whole, rest = divmod(abs(fen), 100)
    text = f"{whole:,}.{rest:02d}" if rest else f"{whole:,}"
    return f"-{text}" if fen < 0 else text


def yuan_exact(fen: int) -> str:
    """As `yuan`, always with two decimals: for columns of a table."""
    sign = "-" if fen < 0 else ""
    whole, rest = divmod(abs(fen), 100)
    return f"{sign}{whole:,}.{rest:02d}"


def wan(fen: int) -> str:
    """20000000 → '20', 5200000 → '5.2': in 万元, never rounded."""
    return f"{(Decimal(fen) / 1_000_000).normalize():f}"


def percent(rate: Decimal) -> str:
    """Decimal('0.0615') → '6.15%': always two decimals, so that rates can be compared at a glance."""
    return f"{(rate * 100).quantize(Decimal('0.01'), ROUND_HALF_UP)}%"


def percent_range(low: Decimal, high: Decimal) -> str:
    """'4.35%–9.60%', or one figure when both ends print the same."""
    first, last = percent(low), percent(high)
    return first if first == last else f"{first}–{last}"


def date_cn(day: date) -> str:
    """date(2027, 6, 30) → '2027年6月30日'. A datetime is first brought to Chinese time."""
    if isinstance(day, datetime):
        day = day.astimezone(HERE).date()
    return f"{day.year}年{day.month}月{day.day}日"


def day_cn(at: datetime, now: datetime) -> str:
    """As `moment_cn` without the time of day: '今天', '12月26日', '2027年3月8日'."""
    return moment_cn(at, now).rpartition(" ")[0]


def moment_cn(at: datetime, now: datetime) -> str:
    """An aware moment seen from `now`: '今天 18:00', '昨天 9:05', '11月22日 18:00', '2025年3月8日 18:00'."""
    at, now = at.astimezone(HERE), now.astimezone(HERE)
    near = {0: "今天", 1: "明天", -1: "昨天"}.get((at.date() - now.date()) // timedelta(days=1))
    if near is None:
        near = f"{at.month}月{at.day}日" if at.year == now.year else date_cn(at)
    return f"{near} {at.hour}:{at.minute:02d}"


def grouped(text: str) -> str:
    """Digits in groups for reading aloud: a phone 3-4-4, an ID number 6-8-4, other things in fours."""
    sizes = {11: (3, 4, 4), 18: (6, 8, 4)}.get(len(text), (4,) * ((len(text) + 3) // 4))
    parts, start = [], 0
    for size in sizes:
        parts.append(text[start : start + size])
        start += size
    return " ".join(part for part in parts if part)


def marked(value: str, unclear: str) -> list[tuple[str, bool]]:
    """`value` cut into runs, each told whether its characters are unclear: for marking doubtful reading."""
    runs: list[tuple[str, bool]] = []
    for character in value:
        doubtful = character in unclear
        if runs and runs[-1][1] == doubtful:
            runs[-1] = (runs[-1][0] + character, doubtful)
        else:
            runs.append((character, doubtful))
    return runs
