"""The last look: an unsure character is the likely one that looks most like the picture, and stays in doubt."""

from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from backend.ocr import drawn
from backend.ocr.lines import SURE, Alphabet, Line

ALPHABET = Alphabet(list("令狐波彼诐俫侠徕堵堶"))
BOLD = (
    Path(__file__).parents[2] / "static/fonts/NotoSansCJKsc-2.004-8105-Bold.otf"
)  # not the cut that is drawn


def printed(text: str) -> NDArray[np.uint8]:
    """A soft grey photograph of a line, 48 pixels high, one character per 40 pixels."""
    page = Image.new("RGB", (40 * len(text) + 16, 48), (205, 210, 200))
    pen, font = ImageDraw.Draw(page), ImageFont.truetype(str(BOLD), 36)
    for at, character in enumerate(text):
        pen.text((8 + 40 * at, -2), character, font=font, fill=(60, 60, 70))
    noise = np.random.default_rng(5).normal(0, 6, (48, page.width, 3))
    return np.clip(cv2.GaussianBlur(np.asarray(page), (0, 0), 1.2) + noise, 0, 255).astype(np.uint8)


def read(*posteriors: dict[str, float]) -> Line:
    """A line with one character every five columns, wherever `printed` put it."""
    columns = np.zeros((5 * len(posteriors) + 2, len(ALPHABET.characters)), np.float32)
    columns[:, 0] = 1
    for at, likely in enumerate(posteriors):
        for column in (5 * at + 2, 5 * at + 3):
            columns[column, 0] = 1 - sum(likely.values())
            for text, probability in likely.items():
                columns[column, ALPHABET.index[text]] = probability
    return Line(columns, ALPHABET)


@pytest.mark.parametrize(
    ("true", "likely"),
    [
        ("诐", {"波": 0.45, "彼": 0.35, "诐": 0.2}),
        ("波", {"诐": 0.6, "波": 0.3, "彼": 0.1}),
        ("俫", {"侠": 0.7, "徕": 0.1, "俫": 0.2}),
        ("侠", {"俫": 0.5, "侠": 0.45, "徕": 0.05}),
        ("堶", {"堵": 0.75, "堶": 0.25}),
    ],
)
def test_the_picture_settles_what_the_recogniser_could_not(true: str, likely: dict[str, float]) -> None:
    line = drawn.settled(read({"令": 0.99}, {"狐": 0.99}, likely), printed("令狐" + true))
    assert line.text == "令狐" + true
    assert line.characters[2].probability < SURE
    assert np.allclose(line.posteriors.sum(axis=1), 1, atol=1e-5)


def test_a_sure_character_is_left_as_it_was_read() -> None:
    line = read({"令": 0.99}, {"狐": 0.99}, {"波": 0.985, "诐": 0.015})
    assert drawn.settled(line, printed("令狐诐")).text == "令狐波"


def test_what_is_not_likely_is_not_drawn() -> None:
    line = read({"令": 0.99}, {"狐": 0.99}, {"波": 0.7, "诐": 0.003})
    assert drawn.settled(line, printed("令狐诐")).text == "令狐波"


def test_a_rare_character_the_recogniser_hardly_considered_is_found_by_its_drawing() -> None:
    line = drawn.settled(read({"令": 0.99}, {"狐": 0.99}, {"彼": 0.9, "诐": 0.018}), printed("令狐诐"))
    assert line.text == "令狐诐"
    assert line.characters[2].probability < SURE


def test_a_nearly_sure_character_falls_only_to_a_rival_that_looks_more_like_the_picture() -> None:
    nearly = {"波": 0.9, "诐": 0.08}
    agreed = drawn.settled(read({"令": 0.99}, {"狐": 0.99}, nearly), printed("令狐波"))
    assert (agreed.text, agreed.characters[2].probability) == ("令狐波", pytest.approx(0.9))
    other = drawn.settled(read({"令": 0.99}, {"狐": 0.99}, nearly), printed("令狐诐"))
    assert (other.text, other.characters[2].probability < SURE) == ("令狐诐", True)
