"""How figures are written on paper. Pages have their own filters in backend/web/formats.py, tested to agree."""

from datetime import date
from decimal import ROUND_HALF_UP, Decimal

_DIGITS = "零壹贰叁肆伍陆柒捌玖"


def yuan(fen: int) -> str:
    """Always two decimals: 5200000 → '52,000.00'."""
    whole, rest = divmod(fen, 100)
    return f"{whole:,}.{rest:02d}"


def percent(rate: Decimal) -> str:
    return f"{(rate * 100).quantize(Decimal('0.01'), ROUND_HALF_UP)}%"


def day(on: date) -> str:
    return f"{on.year}年{on.month}月{on.day}日"


def capital(fen: int) -> str:
    """大写金额: 5200000 → '人民币伍万贰仟元整', as contracts must show it beside the figures."""
    whole, rest = divmod(fen, 100)
    text = f"人民币{_whole(whole)}元" if whole else "人民币"
    jiao, single = divmod(rest, 10)
    if not rest:
        return (text if whole else "人民币零元") + "整"
    if jiao:
        text += f"{_DIGITS[jiao]}角"
    elif whole:
        text += "零"
    return text + (f"{_DIGITS[single]}分" if single else "整")


def _whole(number: int) -> str:
    """A positive whole number in capital numerals, groups of four places at a time."""
    groups = []
    while number:
        number, group = divmod(number, 10000)
        groups.append(group)
    text = ""
    for position in range(len(groups) - 1, -1, -1):
        group = groups[position]
        if not group:
            continue
        # A gap above this group, or its own missing thousands, is read as one 零.
        if text and (group < 1000 or not groups[position + 1]):
            text += "零"
        text += _group(group) + ("", "万", "亿", "万亿")[position]
    return text


def _group(number: int) -> str:
    text, gap = "", False
    for place, unit in ((1000, "仟"), (100, "佰"), (10, "拾"), (1, "")):
        digit, number = divmod(number, place)
        if digit:
            text += ("零" if gap and text else "") + _DIGITS[digit] + unit
            gap = False
        else:
            gap = True
    return text
