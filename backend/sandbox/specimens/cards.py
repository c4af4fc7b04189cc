"""Clean drawings of the specimens (样张), before a pretend camera photographs them.

Cards follow the layout of GA 448 in tenths of a millimetre (856 × 540), drawn at `SCALE` pixels per tenth. The emblem
is an abstract ring and every drawing carries 样张, so that none of them could pass for a document.
"""

from functools import cache
from pathlib import Path
from random import Random

from PIL import Image, ImageDraw, ImageFont

from backend.sandbox.specimens import people

SCALE = 1.5
CARD = (856, 540)
INK = (38, 34, 36)
LABEL = (58, 104, 158)
_FONTS = Path(__file__).parents[3] / "static" / "fonts"


@cache
def font(size: float, bold: bool = False) -> ImageFont.FreeTypeFont:
    """The project's own Chinese font at `size` tenths of a millimetre."""
    path = _FONTS / f"NotoSansCJKsc-2.004-8105-{'Bold' if bold else 'Regular'}.otf"
    return ImageFont.truetype(str(path), round(size * SCALE))


class Sheet:
    """A drawing surface measured in tenths of a millimetre."""

    def __init__(self, size: tuple[int, int], ground: tuple[int, int, int]) -> None:
        self.size = (round(size[0] * SCALE), round(size[1] * SCALE))
        self.image = Image.new("RGB", self.size, ground)
        self.draw = ImageDraw.Draw(self.image)

    def text(
        self,
        at: tuple[float, float],
        text: str,
        size: float,
        colour: tuple[int, int, int] = INK,
        bold: bool = False,
        spacing: float = 0,
    ) -> float:
        """Write from the middle-left point `at`; returns the right edge. `spacing` is added after each character."""
        face = font(size, bold)
        x, y = at[0] * SCALE, at[1] * SCALE
        for part in text if spacing else [text]:
            self.draw.text((x, y), part, fill=colour, font=face, anchor="lm")
            x += face.getlength(part) + spacing * SCALE
        return x / SCALE

    def waves(self, random: Random, colours: list[tuple[int, int, int]], lines: int) -> None:
        """The pale guilloche behind the text."""
        width, height = self.size
        for _ in range(lines):
            top, bend = random.uniform(-0.2, 1.1) * height, random.uniform(-0.3, 0.3) * height
            points = [
                (x, top + bend * (x / width) ** 2 * (1 - x / width) * 4) for x in range(0, width + 40, 40)
            ]
            self.draw.line(points, fill=random.choice(colours), width=random.choice((1, 2, 3)))

    def specimen(self, at: tuple[float, float], size: float, colour: tuple[int, int, int]) -> None:
        """The mark 样张."""
        x, y = at
        self.text((x, y), "样张", size, colour, bold=True)


def front(person: people.Person) -> Image.Image:
    """The side with the name, the portrait and the number."""
    random = Random(f"front {person.seed}")
    sheet = Sheet(CARD, (236, 241, 245))
    sheet.waves(random, [(221, 231, 240), (226, 238, 230), (240, 228, 226), (216, 228, 238)], 46)
    _portrait(sheet, random)
    left, value = 52.0, 148.0
    for label, y in (("姓名", 78), ("性别", 142), ("出生", 206), ("住址", 270)):
        sheet.text((left, y), label, 27, LABEL, spacing=2)
    sheet.text((value, 76), person.name, 36)
    sheet.text((value, 141), person.sex, 32)
    sheet.text((236, 142), "民族", 27, LABEL, spacing=2)
    sheet.text((316, 141), person.ethnicity, 32)
    _birth(sheet, person, 206)
    for row, line in enumerate(_lines(person.address, 11)):
        sheet.text((value, 270 + row * 41), line, 32)
    sheet.text((left, 470), "公民身份号码", 27, LABEL, spacing=2)
    sheet.text((298, 469), person.id_number, 36, bold=True, spacing=4.5)
    return sheet.image


def _birth(sheet: Sheet, person: people.Person, y: float) -> None:
    born = person.born_on
    sheet.text((148, y), str(born.year), 32)
    for x, label in ((224, "年"), (306, "月"), (388, "日")):
        sheet.text((x, y), label, 27, LABEL)
    sheet.text((262 if born.month > 9 else 272, y), str(born.month), 32)
    sheet.text((345 if born.day > 9 else 354, y), str(born.day), 32)


def _lines(text: str, length: int) -> list[str]:
    return [text[start : start + length] for start in range(0, len(text), length)]


def _portrait(sheet: Sheet, random: Random) -> None:
    """A head of circles: nobody's face."""
    skin = (random.randrange(200, 232), random.randrange(168, 196), random.randrange(140, 170))
    coat = (random.randrange(30, 90), random.randrange(30, 90), random.randrange(50, 120))
    box = [edge * SCALE for edge in (560, 86, 800, 390)]
    sheet.draw.rectangle(box, fill=(223, 230, 238))
    sheet.draw.ellipse([edge * SCALE for edge in (622, 128, 738, 280)], fill=skin)
    sheet.draw.pieslice([edge * SCALE for edge in (616, 112, 744, 240)], 180, 360, fill=(40, 36, 34))
    sheet.draw.pieslice([edge * SCALE for edge in (572, 282, 788, 498)], 180, 360, fill=coat)
    sheet.draw.rectangle([edge * SCALE for edge in (560, 390, 800, 500)], fill=(236, 241, 245))
    sheet.specimen((632, 362), 44, (196, 178, 178))


def back(person: people.Person) -> Image.Image:
    """The side with the issuing authority and the validity."""
    random = Random(f"back {person.seed}")
    sheet = Sheet(CARD, (240, 238, 232))
    sheet.waves(random, [(236, 226, 214), (224, 234, 226), (232, 224, 232), (226, 232, 240)], 52)
    for radius, colour in ((88, (196, 92, 84)), (74, (240, 238, 232)), (62, (206, 120, 100))):
        box = [(150 - radius) * SCALE, (138 - radius) * SCALE, (150 + radius) * SCALE, (138 + radius) * SCALE]
        sheet.draw.ellipse(box, fill=colour)
    sheet.specimen((120, 138), 30, (250, 240, 226))
    sheet.text((288, 100), "中华人民共和国", 48, spacing=15)
    sheet.text((300, 186), "居民身份证", 62, bold=True, spacing=28)
    until = f"{person.valid_until:%Y.%m.%d}" if person.valid_until else "长期"
    sheet.text((216, 394), "签发机关", 27, spacing=3)
    sheet.text((356, 393), person.authority, 31)
    sheet.text((216, 466), "有效期限", 27, spacing=3)
    sheet.text((356, 465), f"{person.valid_from:%Y.%m.%d}-{until}", 31)
    return sheet.image


def bank_card(card: people.BankCard) -> Image.Image:
    """A flat-printed debit card."""
    random = Random(f"bank card drawing {card.seed}")
    ground = random.choice(((22, 92, 74), (36, 66, 122), (126, 44, 44), (66, 62, 70)))
    pale = (min(ground[0] + 26, 255), min(ground[1] + 26, 255), min(ground[2] + 26, 255))
    sheet = Sheet(CARD, ground)
    sheet.waves(random, [pale], 30)
    sheet.text((60, 74), card.bank, 42, (248, 246, 238), bold=True)
    sheet.text((640, 74), "借记卡", 28, (236, 234, 226))
    sheet.draw.rounded_rectangle([edge * SCALE for edge in (66, 176, 176, 260)], 12, fill=(206, 182, 112))
    groups = " ".join(card.number[start : start + 4] for start in range(0, len(card.number), 4))
    sheet.text((62, 326), groups, 50, (248, 246, 238), bold=True, spacing=2)
    sheet.text((62, 410), "有效期", 24, (226, 224, 216))
    sheet.text((150, 410), card.valid_until, 32, (248, 246, 238))
    sheet.specimen((660, 476), 40, pale)
    return sheet.image
