"""The last look at a character that stays unsure: which of the likely ones, drawn, looks most like the picture.

The recogniser saw rare characters seldom; where it wavers between 波 and 诐 a drawing of both tells them apart. What a
drawing chose stays in doubt, so a name is never corrected without the person being asked. Measured on the `tune`
seeds of tests/benchmarks/ocr_figures.py, names outside GB 2312: of 63 unsure characters 47 are right without
drawings, 62 with them, and 56 to 60 where the drawing is of another typeface than the print (three tried).
"""

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from backend.ocr.lines import SURE, Line, is_han

_FONT = Path(__file__).parents[2] / "static" / "fonts" / "NotoSansCJKsc-2.004-8105-Regular.otf"
_RIVALLED = 0.98  # above this posterior no rival is left that a drawing could tell apart
_LIKELY, _MOST = 0.005, 5  # the recogniser may give the right one no more (濉, read as 滩)
_SIZES = range(24, 46, 3)  # of a character in a crop 48 pixels high
_SOFT = 1.1  # a photograph's strokes are softer than a drawing's
_REACH = 9  # pixels a character may stand beside where it was read
_TRUST = 30.0
"""Natural logarithm of the weight of a perfect likeness over none; a likeness is a correlation."""

Grey = NDArray[np.float32]


def worth(line: Line) -> bool:
    """Whether a Chinese character of the line has a rival."""
    return any(each.probability < _RIVALLED for each in line.characters if is_han(each.text))


def settled(line: Line, picture: NDArray[np.uint8]) -> Line:
    """The line with its unsure Chinese characters chosen anew among the likely ones, in doubt all the same. One that
    is nearly sure is left alone where the drawing agrees.

    `picture` is the crop the line was read from: BGR, as wide as the line's columns together.
    """
    grey = cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY).astype(np.float32)
    for character in line.characters:
        if not is_han(character.text) or character.probability >= _RIVALLED:
            continue
        column = round(character.column)
        middle = (column + 0.5) / line.columns * grey.shape[1]
        likely = [text for text in line.likely(column, _MOST, _LIKELY) if is_han(text)]
        if len(likely) < 2:
            continue
        changed = line.chosen(column, _weights(grey, middle, likely))
        if character.probability < SURE or changed.text != line.text:
            line = changed
    return line


def _weights(grey: Grey, middle: float, texts: list[str]) -> Mapping[str, float]:
    likeness = {text: _likeness(grey, middle, text) for text in texts}
    most = max(likeness.values())
    return {text: float(np.exp(_TRUST * (value - most))) for text, value in likeness.items()}


def _likeness(grey: Grey, middle: float, text: str) -> float:
    """Best correlation of the drawn character with the picture around `middle`, over sizes and places; -1 when it
    does not fit."""
    best = -1.0
    for size in _SIZES:
        drawing = _drawing(text, size)
        height, width = drawing.shape
        left = max(round(middle - width / 2) - _REACH, 0)
        window = grey[:, left : round(middle + width / 2) + _REACH]
        if height <= window.shape[0] and width <= window.shape[1]:
            best = max(best, float(cv2.matchTemplate(window, drawing, cv2.TM_CCOEFF_NORMED).max()))
    return best


@lru_cache(maxsize=256)
def _drawing(text: str, size: int) -> Grey:
    """The character black on white, two pixels of margin, drawn twice as large and averaged."""
    font = _font(2 * size)
    left, top, right, bottom = (round(edge) for edge in font.getbbox(text))
    page = Image.new("L", (right - left + 4, bottom - top + 4), 255)
    ImageDraw.Draw(page).text((2 - left, 2 - top), text, font=font, fill=0)
    small = cv2.resize(np.asarray(page), None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    return np.asarray(cv2.GaussianBlur(small.astype(np.float32), (0, 0), _SOFT), np.float32)


@lru_cache(maxsize=len(_SIZES))
def _font(size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(str(_FONT), size)
