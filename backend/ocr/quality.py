"""Is the picture good enough, and if not, what should the person do? One sentence, the most useful one."""

from collections.abc import Sequence

import cv2
import numpy as np
from numpy.typing import NDArray

from backend.ocr import locate, reading
from backend.ocr.engine import Image
from backend.ocr.locate import Box, Word

_BLURRED = 0.125
_BLURRED_STRANGE = 0.16  # a paper not recognised, or as another one, may be so because of the blur
_LINE = 0.2  # of the shorter side; what is higher is the whole card, taken for one line because nothing in it is sharp
_DARK = 62
_FLAT = 20  # levels of grey; less contrast holds nothing that could be sharp
_BLEACHED = 0.012
_HIDING = 0.06  # the archived picture is no proof, even if every field could be read
_SMALL = 24.0
_MOIRE = 9.0
Quality = dict[str, float | int | str]


def judge(picture: Image, words: Sequence[Word], kind: str, expected: str, certain: bool) -> Quality:
    """Measures of the picture and `advice`, "" when there is nothing to say.

    `certain`: everything was found and nothing is in doubt, so that only a re-shot screen, the wrong side or a large
    reflection is worth a word. sharpness 0…1 (share of a letter's contrast crossed in one pixel at
    48 pixels height; without a line, of the picture's contrast at 800 pixels), brightness 0…255,
    glare: largest bleached share of the text's window, text_height in pixels, screen: strength of a pixel grid.
    """
    highest = _LINE * min(picture.shape[:2])
    lines = [word for word in words if word.height < highest]
    boxes = [word.box for word in lines]
    window = _window(picture, boxes)
    grey = np.asarray(cv2.cvtColor(window, cv2.COLOR_BGR2GRAY), np.uint8)
    measures: Quality = {
        "width": picture.shape[1],
        "height": picture.shape[0],
        "sharpness": round(_sharpness(picture, boxes) if lines else _sharpness_all_over(picture), 3),
        "brightness": round(float(grey.mean()), 1),
        "glare": round(_bleached(grey), 4),
        "text_height": round(float(np.median([word.height for word in lines])), 1) if lines else 0.0,
        "screen": round(_grid(grey), 1),
        "cut_off": int(any(_at_edge(box, picture) for box in boxes)),
    }
    return {**measures, "advice": _advice(measures, kind, expected, certain)}


def _advice(measures: Quality, kind: str, expected: str, certain: bool) -> str:
    name = reading.KIND_NAMES.get(kind or expected, "证件")
    wanted = reading.KIND_NAMES.get(expected or kind, "证件")
    paper = "身份证" if wanted.startswith("身份证") else wanted
    if float(measures["screen"]) > _MOIRE:
        return f"这像是从屏幕上翻拍的，请拍{paper}原件"
    strange = not kind or kind != (expected or kind)  # a blurred card may pass for another, and for certain
    doubtful = strange or not certain
    small = 0 < float(measures["text_height"]) < _SMALL  # sharpness says little of it, as in the dark
    dark = doubtful and float(measures["brightness"]) < _DARK
    lowest = _BLURRED_STRANGE if strange else _BLURRED
    blurred = doubtful and not small and 0 < float(measures["sharpness"]) < lowest
    if expected and kind and kind != expected and not blurred and not dark:
        return f"这是{name}，请拍{reading.KIND_NAMES[expected]}"
    if float(measures["glare"]) > _HIDING:
        return f"{paper}反光了，换个角度再拍一张"
    if not doubtful:
        return ""
    for bad, sentence in (  # blur first of the others: in a blurred picture they are seen where they are not
        (dark, "光线太暗了，到亮一点的地方再拍一张"),
        (blurred, "照片有点虚，拿稳手机，等字看得清了再拍一张"),
        (float(measures["glare"]) > _BLEACHED, f"{paper}反光了，换个角度再拍一张"),
        (bool(measures["cut_off"]), f"{paper}没有拍全，把四个角都放进画面，再拍一张"),
        (small, f"{paper}拍得太小了，靠近一点，让它占满画面"),
    ):
        if bad:
            return sentence
    return "" if kind else f"没有认出{paper}，把它放平、对准，让它占满画面，再拍一张"


def _window(picture: Image, boxes: Sequence[Box]) -> Image:
    """The part of the picture that holds the text, or the middle half."""
    height, width = picture.shape[:2]
    if len(boxes) < 2:
        return picture[height // 4 : -(height // 4), width // 4 : -(width // 4)]
    centres = np.array([box.centre for box in boxes])
    reach = np.array([[box.half_width, box.half_height] for box in boxes]).max(axis=1)[:, None]
    low, high = (centres - reach).min(axis=0), (centres + reach).max(axis=0)
    left, top = (int(max(value, 0)) for value in low)
    right, bottom = int(min(high[0], width)), int(min(high[1], height))
    window = picture[top:bottom, left:right]
    return window if min(window.shape[:2]) > 16 else picture


def _sharpness(picture: Image, boxes: Sequence[Box]) -> float:
    """Steepest step between neighbouring pixels as a share of the contrast, median over the longest lines."""
    longest = sorted(boxes, key=lambda box: -box.half_width)[:6]
    steps = []
    for box in longest:
        crop = _without_noise(
            np.asarray(cv2.cvtColor(locate.crop(picture, box), cv2.COLOR_BGR2GRAY), np.uint8)
        )
        contrast = _level(crop, 0.97) - _level(crop, 0.03)
        if contrast > _FLAT:
            step = np.asarray(cv2.absdiff(crop[:, 1:], crop[:, :-1]), np.uint8)
            steps.append(_level(step, 0.98) / contrast)
    return float(np.median(steps)) if steps else 0.0


def _sharpness_all_over(picture: Image) -> float:
    """Where no line of text was found: the steepest steps of the whole picture, the card's edge among them."""
    grey = np.asarray(cv2.cvtColor(picture, cv2.COLOR_BGR2GRAY), np.uint8)
    scale = min(1.0, 800 / max(grey.shape))
    grey = _without_noise(
        np.asarray(cv2.resize(grey, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA), np.uint8)
    )
    contrast = _level(grey, 0.99) - _level(grey, 0.01)
    if contrast <= _FLAT:
        return 0.0
    across, down = cv2.absdiff(grey[:, 1:], grey[:, :-1]), cv2.absdiff(grey[1:], grey[:-1])
    return min(_level(np.asarray(step, np.uint8), 0.999) for step in (across, down)) / contrast


def _without_noise(grey: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """The grain of a cheap camera is no sharpness."""
    return np.asarray(cv2.GaussianBlur(grey, (0, 0), 1), np.uint8)


def _level(grey: Image, share: float) -> int:
    """The brightness that `share` of the pixels do not exceed."""
    filled = np.bincount(grey.ravel(), minlength=256).cumsum()
    return int(np.searchsorted(filled, share * grey.size))


def _bleached(grey: Image) -> float:
    """The largest patch of pure white inside a ground that is not, as a share of the window."""
    bright = cv2.threshold(grey, 251, 1, cv2.THRESH_BINARY)[1]
    if not bright.any() or _level(grey, 0.5) > 246:
        return 0.0
    white = cv2.morphologyEx(bright, cv2.MORPH_OPEN, np.ones((7, 7), np.uint8))
    count, _, statistics, _ = cv2.connectedComponentsWithStats(white)
    return float(statistics[1:, cv2.CC_STAT_AREA].max() / grey.size) if count > 1 else 0.0


def _grid(grey: Image) -> float:
    """How far a single fine period (a screen's pixel grid) stands out of the spectrum around it."""
    side = 256
    height, width = grey.shape
    if min(height, width) < side:
        return 0.0
    top, left = (height - side) // 2, (width - side) // 2
    patch = grey[top : top + side, left : left + side].astype(np.float32)
    taper = np.outer(np.hanning(side), np.hanning(side)).astype(np.float32)
    spectrum = np.abs(np.fft.rfft2((patch - patch.mean()) * taper))
    fine = spectrum[:, 40:120]
    ground = cv2.blur(fine.astype(np.float32), (17, 17)) + 1e-3
    return float((fine / ground)[_off_axis(side)].max())


def _off_axis(side: int) -> NDArray[np.bool_]:
    """Everything but the periods of the JPEG blocks, which lie on the axis in steps of an eighth."""
    rows = np.minimum(np.arange(side), side - np.arange(side))[:, None]
    columns = np.arange(40, 120)[None, :]
    step = side // 8
    return np.asarray((rows > 2) | (np.minimum(columns % step, step - columns % step) > 2), np.bool_)


def _at_edge(box: Box, picture: Image) -> bool:
    """Whether a line runs out of the picture."""
    height, width = picture.shape[:2]
    reach_x = abs(box.along[0]) * box.half_width + abs(box.down[0]) * box.half_height
    reach_y = abs(box.along[1]) * box.half_width + abs(box.down[1]) * box.half_height
    x, y = float(box.centre[0]), float(box.centre[1])
    near = 0.4 * box.half_height
    sides = (x - reach_x, y - reach_y, width - x - reach_x, height - y - reach_y)
    return bool(min(sides) < near)
