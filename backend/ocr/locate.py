"""From patches of text to upright lines: which way the text runs, which way is up, one straight crop per line.

The direction is a linear function of the place (a photograph taken from one side), fitted on the long patches; which
end is up is found by reading the longest lines both ways. No classifier and no card outline is needed.
"""

from collections.abc import Sequence
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from backend.ocr import drawn, places, second_look
from backend.ocr.engine import HEIGHT, Engine, Image, Patch
from backend.ocr.lines import Character, Line

Floats = NDArray[np.float32]
_UNCLIP = 1.5
_ENDS = 0.3  # longer at both ends, in half heights: the detector trims the first and last strokes of a line
_LONG = 2.2


class Box(NamedTuple):
    """A straight box in the picture: `centre`, unit vectors `along` and `down`, half sizes in pixels."""

    centre: Floats
    along: Floats
    down: Floats
    half_width: float
    half_height: float

    @property
    def aspect(self) -> float:
        return self.half_width / max(self.half_height, 1e-6)

    def turned(self) -> "Box":
        """The same box read upside down."""
        return self._replace(along=-self.along, down=-self.down)


class Word(NamedTuple):
    """A line that was read, in level coordinates: x to the right, y down, in pixels of the picture turned upright.

    `left` and `right` are the ends of the box, `y` its middle, `height` that of the characters; `level` is the angle
    (radians) of the level direction in the picture.
    """

    line: Line
    left: float
    right: float
    y: float
    height: float
    box: Box
    level: float

    def x_of(self, character: Character) -> float:
        """Where the middle of a character of this line stands."""
        return self.x_at(character.column + 0.5)

    def x_at(self, column: float) -> float:
        """Level x of a column of the recogniser."""
        return self.left + (self.right - self.left) * column / max(self.line.columns, 1)

    def part(self, start: float, end: float) -> "Word":
        """The piece between two columns of the recogniser."""
        return self._replace(line=self.line.between(start, end), left=self.x_at(start), right=self.x_at(end))


class Direction:
    """The angle (radians, 0 = to the right) in which text runs at a point."""

    def __init__(self, patches: list[Patch], size: tuple[int, int]) -> None:
        self._scale = float(max(size))
        rectangles = [cv2.minAreaRect(patch.points) for patch in patches]
        sides = np.array([_long_side(rectangle) for rectangle in rectangles], np.float64).reshape(-1, 3)
        centres = np.array([rectangle[0] for rectangle in rectangles], np.float64).reshape(-1, 2)
        long = sides[:, 1] > _LONG * sides[:, 2]
        self._mean, self._slope = 0.0, np.zeros(3)
        if long.any():
            self._fit(sides[long, 0], sides[long, 1], centres[long] / self._scale)

    def _fit(
        self, angles: NDArray[np.float64], lengths: NDArray[np.float64], places: NDArray[np.float64]
    ) -> None:
        mean = _mode(angles, lengths)
        off = (angles - mean + np.pi / 2) % np.pi - np.pi / 2
        near = np.abs(off) < np.deg2rad(14)
        self._mean = mean
        if near.sum() < 3:
            self._slope = np.array([float(np.average(off[near], weights=lengths[near])), 0, 0])
            return
        columns = np.column_stack([np.ones(int(near.sum())), places[near]])
        weights = lengths[near] / lengths[near].max()
        ridge = np.diag([1e-6, 0.02, 0.02])
        for _ in range(3):
            left = columns.T @ (columns * weights[:, None]) + ridge
            self._slope = np.linalg.solve(left, columns.T @ (weights * off[near]))
            residual = np.abs(columns @ self._slope - off[near])
            weights = (lengths[near] / lengths[near].max()) / (1 + (residual / 0.01) ** 2)

    def at(self, x: float, y: float) -> float:
        """Radians at a point of the picture."""
        return float(self._mean + self._slope @ np.array([1, x / self._scale, y / self._scale]))


def _long_side(rectangle: tuple[Sequence[float], Sequence[float], float]) -> tuple[float, float, float]:
    """(angle of the long side modulo π, long, short)."""
    (_, (width, height), degrees) = rectangle
    if width < height:
        width, height, degrees = height, width, degrees + 90
    return float(np.deg2rad(degrees) % np.pi), width, height


def _mode(angles: NDArray[np.float64], lengths: NDArray[np.float64]) -> float:
    """The angle most of the length agrees on (modulo π)."""
    support = [
        float((lengths * (np.abs((angles - angle + np.pi / 2) % np.pi - np.pi / 2) < 0.12)).sum())
        for angle in angles
    ]
    return float(angles[int(np.argmax(support))])


def boxes(patches: list[Patch], size: tuple[int, int]) -> list[Box]:
    """Every patch as a straight box along the direction of the text at its place, enlarged to hold whole characters.

    `size` is (height, width) of the picture.
    """
    direction = Direction(patches, size)
    return [_box(patch, direction) for patch in patches]


def _box(patch: Patch, direction: Direction) -> Box:
    middle = patch.points.mean(axis=0)
    angle = direction.at(float(middle[0]), float(middle[1]))
    own, length, thickness = _long_side(cv2.minAreaRect(patch.points))
    off = (own - angle + np.pi / 2) % np.pi - np.pi / 2
    if length > 4 * thickness and abs(off) < np.deg2rad(5):
        angle += off
    along = np.array([np.cos(angle), np.sin(angle)], np.float32)
    down = np.array([-along[1], along[0]], np.float32)
    x, y = patch.points @ along, patch.points @ down
    left, right, top, bottom = float(x.min()), float(x.max()), float(y.min()), float(y.max())
    width, height = right - left, bottom - top
    grow = width * height * _UNCLIP / (2 * (width + height))
    half_height = height / 2 + grow
    centre = (along * (left + right) / 2 + down * (top + bottom) / 2).astype(np.float32)
    return Box(centre, along, down, width / 2 + grow + _ENDS * half_height, half_height)


def crop(picture: Image, box: Box) -> Image:
    """The box cut from the full picture, `HEIGHT` pixels high."""
    reach = box.half_width
    width = max(round(reach / box.half_height * HEIGHT), 8)
    left, top = -box.along * reach, -box.down * box.half_height
    corners = np.array(
        [box.centre + left + top, box.centre - left + top, box.centre + left - top], np.float32
    )
    target = np.array([[0, 0], [width, 0], [0, HEIGHT]], np.float32)
    matrix = cv2.getAffineTransform(corners, target)
    shrink = HEIGHT / (2 * box.half_height)
    if shrink >= 0.6:
        cut = cv2.warpAffine(
            picture, matrix, (width, HEIGHT), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE
        )
        return np.asarray(cut, np.uint8)
    # Far smaller than the picture: warp to a multiple of the height, then average, so that no stroke is skipped.
    factor = min(int(np.ceil(0.9 / shrink)), 4)
    large = cv2.warpAffine(
        picture,
        matrix * factor,
        (width * factor, HEIGHT * factor),
        flags=cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(cv2.resize(large, (width, HEIGHT), interpolation=cv2.INTER_AREA), np.uint8)


class Reader:
    """Reads boxes of one picture, each at most once per direction."""

    def __init__(self, engine: Engine, picture: Image) -> None:
        self._engine = engine
        self._picture = picture
        self._lines: dict[tuple[float, float, float], Line] = {}

    def line(self, box: Box) -> Line:
        """The text of a box."""
        key = (float(box.centre[0]), float(box.centre[1]), float(box.along[0]))
        if key not in self._lines:
            self._lines[key] = self._engine.read(crop(self._picture, box))
        return self._lines[key]

    def upright(self, found: list[Box]) -> list[Box]:
        """The boxes turned so that text reads from left to right. The longest lines are read; a clear one decides at
        once, else both ways are compared."""
        longest = sorted(found, key=lambda box: -min(box.half_width, 22 * box.half_height))[:3]
        votes = 0.0
        for box in longest:
            ahead, back = _legible(self.line(box)), 0.0
            if ahead < _CLEAR:
                back = _legible(self.line(box.turned()))
            votes += ahead - back
            if ahead >= _CLEAR or back >= _CLEAR:
                break
        return found if votes >= 0 else [box.turned() for box in found]

    def words(self, found: list[Box]) -> list[Word]:
        """Read every box, in level coordinates from top to bottom."""
        if not found:
            return []
        weights = np.array([box.half_width for box in found])
        along = np.average(np.array([box.along for box in found]), axis=0, weights=weights)
        along = along / np.linalg.norm(along)
        down = np.array([-along[1], along[0]])
        level = float(np.arctan2(along[1], along[0]))
        read = []
        for box in found:
            x, y = float(box.centre @ along), float(box.centre @ down)
            left, right = x - box.half_width, x + box.half_width
            read.append(Word(self._careful_line(box), left, right, y, 2 * box.half_height, box, level))
        return sorted(read, key=lambda word: word.y)

    def _careful_line(self, box: Box) -> Line:
        """The text of a box with what is known of places, looked at again where it is unsure."""
        line, known = self.line(box), self._engine.gazetteer
        if second_look.needed(places.settled(line, known)):
            line = second_look.joined(line, self._engine.read(self._cropped(box, second_look.TIGHTER)))
        if second_look.unsure(places.settled(line, known)):
            for height in second_look.CAREFULLY:
                line = second_look.joined(line, self._engine.read_carefully(self._cropped(box, height)))
        line = places.settled(line, known)
        return drawn.settled(line, self._cropped(box, 1.0)) if drawn.worth(line) else line

    def _cropped(self, box: Box, height: float) -> Image:
        """The line's picture, `height` times as high."""
        return crop(self._picture, box._replace(half_height=box.half_height * height))


_CLEAR = 5.5


def _legible(line: Line) -> float:
    """How much text this is: sure characters, up to twelve; upside-down text reads as few unsure ones."""
    sure = [character.probability for character in line.characters if character.probability > 0.5]
    return min(len(sure), 12) * line.confidence**3
