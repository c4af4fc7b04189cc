"""Posters for Moments, groups and walls (A11-05): the figures the law wants, who answers, and a code that scans.

Pure drawing with pillow and qrcode, well under 300 ms. The rate stands as large as the limit (D2-10), the risk
text at a readable size, and the material's id on every copy (D4-03, D4-07).
"""

import io
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, ClassVar

import msgspec
from PIL import Image, ImageDraw, ImageFont

from backend.core.errors import Invalid

WIDTH, HEIGHT = 1080, 1920
FONTS = Path(__file__).parents[2] / "static" / "fonts"

BRAND, INK, FAINT, FIELD, WHEAT = "#00703a", "#1c2420", "#56605a", "#f5f7f2", "#8a5a00"
MARGIN = 72
FIGURE = 84
SMALLEST = 30
"""Nothing on a poster is printed smaller: 30 px of 1080 is 2.8 mm on A5 paper, and legible on a phone."""

QR_SIDE = 540


class PosterIncomplete(Invalid):
    code = "poster_incomplete"
    message = "海报缺少必须写明的内容"


class Poster(msgspec.Struct, frozen=True, kw_only=True):
    """All words as they are printed. `greeting` is the officer's own checked line and may be empty."""

    headline: str
    product_name: str
    amount_text: str
    rate_text: str
    all_in_text: str
    term_text: str
    cost_note: str
    risk_text: str
    officer_name: str
    officer_no: str
    qualification_no: str
    branch_name: str
    institution_name: str
    service_phone: str
    material_id: str
    code_url: str
    valid_until: str
    greeting: str = ""

    OPTIONAL: ClassVar[tuple[str, ...]] = ("greeting", "branch_name")


class Block(msgspec.Struct, frozen=True):
    """Where a piece of text came to stand: (left, top, right, bottom) in pixels."""

    name: str
    size: int
    box: tuple[int, int, int, int]


def render(poster: Poster) -> bytes:
    """A JPEG of 1080 × 1920. Raises `PosterIncomplete` naming each empty field."""
    picture, _ = draw(poster)
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=90, subsampling=0)
    return out.getvalue()


def draw(poster: Poster) -> tuple[Image.Image, list[Block]]:
    """The picture and where every text stands, so that tests can measure it."""
    empty = [
        name
        for name in poster.__struct_fields__
        if name not in Poster.OPTIONAL and not getattr(poster, name).strip()
    ]
    if empty:
        raise PosterIncomplete(fields=dict.fromkeys(empty, "必须写明"))
    sheet = _Sheet()
    _head(sheet, poster)
    _offer(sheet, poster)
    _code(sheet, poster)
    _foot(sheet, poster)
    return sheet.picture, sheet.blocks


def _head(sheet: "_Sheet", poster: Poster) -> None:
    sheet.draw.rectangle((0, 0, WIDTH, 430), fill=BRAND)
    sheet.text("institution_name", poster.institution_name, 40, MARGIN, 64, "#ffffff", bold=True)
    sheet.lines("headline", poster.headline, 92, MARGIN, 150, "#ffffff", bold=True, most=1)
    if poster.greeting:
        sheet.lines("greeting", poster.greeting, 38, MARGIN, 300, "#e4f2ea", most=1)


def _offer(sheet: "_Sheet", poster: Poster) -> None:
    sheet.draw.rounded_rectangle((36, 376, WIDTH - 36, 960), 28, fill="#ffffff", outline="#dfe5dc", width=2)
    sheet.text("product_name", poster.product_name, 44, MARGIN, 408, INK, bold=True)
    sheet.right("term_text", poster.term_text, 34, WIDTH - MARGIN, 416, FAINT)
    top = 490
    for name, label, value, colour in (
        ("amount_text", "额度", poster.amount_text, INK),
        ("rate_text", "年利率（单利）", poster.rate_text, WHEAT),
        ("all_in_text", "年化综合融资成本", poster.all_in_text, WHEAT),
    ):
        sheet.text(f"{name}_label", label, 34, MARGIN, top + 44, FAINT)
        sheet.right(name, value, FIGURE, WIDTH - MARGIN, top, colour, bold=True)
        top += 128
    sheet.lines("cost_note", poster.cost_note, 32, MARGIN, 890, FAINT, most=1)


def _code(sheet: "_Sheet", poster: Poster) -> None:
    top = 1010
    code = _qr(poster.code_url)
    sheet.picture.paste(code, (MARGIN, top))
    left, width = MARGIN + QR_SIDE + 36, WIDTH - MARGIN - (MARGIN + QR_SIDE + 36)
    sheet.lines("call", "长按或扫码\n看条件、申请", 44, left, top + 6, BRAND, bold=True, width=width)
    sheet.lines(
        "officer_name", f"客户经理 {poster.officer_name}", 40, left, top + 158, INK, bold=True, width=width
    )
    facts = (
        ("branch_name", poster.branch_name),
        ("officer_no", f"工号 {poster.officer_no}"),
        ("qualification_no", f"资格 {poster.qualification_no}"),
        ("service_phone", f"核实 {poster.service_phone}"),
    )
    below = top + 226
    for name, text in facts:
        if text:
            below = sheet.lines(name, text, 32, left, below, FAINT, width=width) + 8
    sheet.lines("no_fee", "不收任何中介费、保证金", 32, left, below + 20, WHEAT, bold=True, width=width)


def _foot(sheet: "_Sheet", poster: Poster) -> None:
    sheet.draw.rectangle((0, 1580, WIDTH, HEIGHT), fill="#e9efe6")
    below = sheet.lines("risk_text", poster.risk_text, 36, MARGIN, 1612, INK, most=3)
    sheet.lines(
        "product_note",
        f"贷款由{poster.institution_name}发放，额度、利率以审批为准。",
        SMALLEST, MARGIN, below + 10, FAINT, most=2,
    )  # fmt: skip
    sheet.text("material_id", f"物料 {poster.material_id}", SMALLEST, MARGIN, HEIGHT - 62, FAINT)
    sheet.right("valid_until", f"有效期至 {poster.valid_until}", SMALLEST, WIDTH - MARGIN, HEIGHT - 62, FAINT)


class _Sheet:
    def __init__(self) -> None:
        self.picture = Image.new("RGB", (WIDTH, HEIGHT), FIELD)
        self.draw = ImageDraw.Draw(self.picture)
        self.blocks: list[Block] = []

    def text(
        self, name: str, text: str, size: int, left: int, top: int, colour: str, *, bold: bool = False
    ) -> None:
        face = _face(size, bold)
        self.draw.text((left, top), text, fill=colour, font=face, anchor="la")
        self._note(name, size, self.draw.textbbox((left, top), text, font=face, anchor="la"))

    def right(
        self, name: str, text: str, size: int, right: int, top: int, colour: str, *, bold: bool = False
    ) -> None:
        face = _face(size, bold)
        self.draw.text((right, top), text, fill=colour, font=face, anchor="ra")
        self._note(name, size, self.draw.textbbox((right, top), text, font=face, anchor="ra"))

    def lines(
        self,
        name: str,
        text: str,
        size: int,
        left: int,
        top: int,
        colour: str,
        *,
        bold: bool = False,
        width: int = WIDTH - 2 * MARGIN,
        most: int = 3,
    ) -> int:
        """Wrapped text; shrinks, never below the smallest size, to fit `most` lines. Returns its bottom."""
        face, wrapped = _face(size, bold), _wrap(text, _face(size, bold), width)
        while len(wrapped) > most and size > SMALLEST:
            size -= 2
            face = _face(size, bold)
            wrapped = _wrap(text, face, width)
        step = round(size * 1.35)
        for number, line in enumerate(wrapped):
            self.draw.text((left, top + number * step), line, fill=colour, font=face, anchor="la")
        widest = max((face.getlength(line) for line in wrapped), default=0)
        bottom = top + len(wrapped) * step
        self._note(name, size, (left, top, left + widest, bottom))
        return bottom

    def _note(self, name: str, size: int, box: Sequence[float]) -> None:
        left, top, right, bottom = (round(side) for side in box)
        self.blocks.append(Block(name, size, (left, top, right, bottom)))


def _wrap(text: str, face: Any, width: int) -> list[str]:
    """Break between any two characters, as Chinese allows, but never begin a line with a closing mark."""
    lines = []
    for paragraph in text.split("\n"):
        line = ""
        for character in paragraph:
            if line and face.getlength(line + character) > width and character not in "，。；、：！？）”":
                lines.append(line)
                line = ""
            line += character
        lines.append(line)
    return lines


def _qr(url: str) -> Image.Image:
    """Quartile error correction: a quarter of the code may be creased, dirty or blurred."""
    import qrcode
    from qrcode.constants import ERROR_CORRECT_Q

    code = qrcode.QRCode(error_correction=ERROR_CORRECT_Q, border=4, box_size=1)
    code.add_data(url)
    code.make(fit=True)
    modules = code.get_matrix()
    side = len(modules)
    pixels = bytes(0 if dark else 255 for row in modules for dark in row)
    scale = QR_SIDE // side
    picture = Image.frombytes("L", (side, side), pixels).resize(
        (side * scale, side * scale), Image.Resampling.NEAREST
    )
    framed = Image.new("RGB", (QR_SIDE, QR_SIDE), "#ffffff")
    edge = (QR_SIDE - side * scale) // 2
    framed.paste(picture, (edge, edge))
    return framed


@cache
def _face(size: int, bold: bool) -> ImageFont.FreeTypeFont:
    cut = "Bold" if bold else "Regular"
    (path,) = FONTS.glob(f"*-{cut}.otf")
    return ImageFont.truetype(str(path), size)
