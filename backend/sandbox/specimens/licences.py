"""Business licences (营业执照), the landscape form of 2019, drawn as specimens."""

from random import Random

from PIL import Image

from backend.sandbox.specimens import cards, people

SHEET = (1190, 840)
_PAPER = (248, 244, 232)
_GOLD = (196, 168, 106)


def licence(business: people.Business) -> Image.Image:
    """Title, credit code at the left, two columns of labels, the registering authority at the foot."""
    random = Random(f"licence {business.seed}")
    sheet = cards.Sheet(SHEET, _PAPER)
    sheet.waves(random, [(242, 234, 212), (246, 238, 220)], 40)
    for inset, width in ((22, 5), (34, 2)):
        box = [inset * cards.SCALE, inset * cards.SCALE]
        box += [(SHEET[0] - inset) * cards.SCALE, (SHEET[1] - inset) * cards.SCALE]
        sheet.draw.rectangle(box, outline=_GOLD, width=width)
    sheet.text((434, 168), "营业执照", 74, bold=True, spacing=10)
    sheet.text((500, 232), "（副本）", 30)
    sheet.text((70, 206), "统一社会信用代码", 22)
    sheet.text((70, 238), business.credit_code, 25, bold=True)
    _left_column(sheet, business)
    _right_column(sheet, business)
    sheet.text((760, 700), "登记机关", 22, spacing=6)
    sheet.text((890, 700), business.authority, 22)
    day = business.registered_on
    sheet.text((890, 750), f"{day.year}年{day.month:02d}月{day.day:02d}日", 22)
    sheet.specimen((520, 690), 60, (232, 214, 206))
    return sheet.image


def _left_column(sheet: cards.Sheet, business: people.Business) -> None:
    owner = "经营者" if business.self_employed else "法定代表人"
    y = 320.0
    for label, value in (("名称", business.name), ("类型", business.kind), (owner, business.owner)):
        y = _row(sheet, label, value, 82, 226, y, 18)
    _row(sheet, "经营范围", business.scope, 82, 226, y, 18)


def _right_column(sheet: cards.Sheet, business: people.Business) -> None:
    day = business.founded_on
    founded = f"{day.year}年{day.month:02d}月{day.day:02d}日"
    y = 320.0
    if business.self_employed:
        rows = [("组成形式", "个人经营"), ("注册日期", founded), ("经营场所", business.address)]
    else:
        rows = [("注册资本", business.capital), ("成立日期", founded), ("住所", business.address)]
    for label, value in rows:
        y = _row(sheet, label, value, 706, 840, y, 12)


def _row(sheet: cards.Sheet, label: str, value: str, left: float, at: float, y: float, length: int) -> float:
    """A label stretched to four characters' width, its value beside it; returns where the next row stands."""
    size, width = 23, 116
    gap = (width - len(label) * size) / (len(label) - 1)
    sheet.text((left, y), label, size, (90, 78, 60), spacing=max(gap, 0.1))
    lines = lines_of(value, length)
    for row, line in enumerate(lines):
        sheet.text((at, y + row * 34), line, 24)
    return y + 34 * len(lines) + 22


def lines_of(text: str, length: int) -> list[str]:
    """Lines of `length` characters; no line begins with punctuation (避头尾)."""
    lines: list[str] = []
    while text:
        cut = length
        while cut < len(text) and text[cut] in "，。、；：）":
            cut += 1
        lines.append(text[:cut])
        text = text[cut:]
    return lines
