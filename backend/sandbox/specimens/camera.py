"""A pretend phone camera: puts a drawing on a table, photographs it badly, repeatably by seed."""

from typing import Literal

import cv2
import msgspec
import numpy as np
from numpy.typing import NDArray
from PIL import Image

Degree = Literal["clean", "easy", "medium", "hard"]
Flaw = Literal["", "blur", "glare", "small", "cut_off", "screen", "dark"]
Pixels = NDArray[np.uint8]
Points = NDArray[np.float32]


class Damage(msgspec.Struct, frozen=True):
    """Ranges of one degree. Lengths in pixels of the photograph, angles in degrees, shares of 1."""

    fill: tuple[float, float]
    tilt: float
    perspective: float
    quarter_turns: float
    blur: tuple[float, float]
    motion: int
    noise: tuple[float, float]
    quality: tuple[int, int]
    shadow: float
    glare: float
    dimming: float


DEGREES: dict[str, Damage] = {
    "easy": Damage((0.74, 0.92), 3, 0.015, 0.2, (0.0, 0.5), 0, (1, 3), (86, 95), 0.12, 0.0, 0.08),
    "medium": Damage((0.62, 0.85), 8, 0.04, 0.4, (0.5, 1.1), 0, (3, 7), (70, 86), 0.3, 0.35, 0.2),
    "hard": Damage((0.52, 0.78), 14, 0.07, 0.5, (0.9, 1.5), 4, (6, 11), (48, 68), 0.45, 0.5, 0.35),
}
PHOTO = (1600, 1200)
SHEET_PHOTO = (2240, 1680)
"""A4 papers are photographed with more pixels than cards: people hold the phone further away, not closer."""

Size = tuple[int, int]


def photograph(drawing: Image.Image, seed: str, degree: Degree, flaw: Flaw = "", size: Size = PHOTO) -> bytes:
    """JPEG bytes of the drawing as seen by a phone. `clean` is a scan without any damage.

    `flaw` adds one fault that the reader should name: blur, glare, small, cut_off, screen or dark.
    """
    card = np.asarray(drawing.convert("RGB"))
    if degree == "clean" and not flaw:
        return _jpeg(card, 95)
    random = np.random.default_rng([ord(character) for character in f"{seed} {degree} {flaw}"])
    damage = DEGREES["easy" if degree == "clean" else degree]
    if flaw == "small":
        damage = msgspec.structs.replace(damage, fill=(0.16, 0.2))
    photo, corners = _lay_on_table(card, damage, random, flaw, size)
    photo = _light(photo, corners, damage, random, flaw)
    photo = _soften(photo, damage, random, flaw)
    if flaw == "screen":
        photo = _screen(photo, random)
    noise = random.normal(0, random.uniform(*damage.noise), photo.shape).astype(np.float32)
    pixels = np.clip(photo + noise, 0, 255).astype(np.uint8)
    turns = int(random.integers(1, 4)) if random.random() < damage.quarter_turns else 0
    return _jpeg(np.ascontiguousarray(np.rot90(pixels, turns)), int(random.integers(*damage.quality)))


def _jpeg(pixels: Pixels, quality: int) -> bytes:
    done, encoded = cv2.imencode(
        ".jpg", cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality]
    )
    assert done
    return bytes(encoded.tobytes())


def _lay_on_table(
    card: Pixels, damage: Damage, random: np.random.Generator, flaw: str, size: Size
) -> tuple[NDArray[np.float32], Points]:
    width, height = size
    card_height, card_width = card.shape[:2]
    scale = random.uniform(*damage.fill) * min(width / card_width, height / card_height)
    half = np.array([card_width, card_height]) * scale / 2
    angle = np.deg2rad(random.uniform(-damage.tilt, damage.tilt))
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    square = np.array([[-1, -1], [1, -1], [1, 1], [-1, 1]]) * half
    corners = square @ turn.T + random.uniform(-1, 1, (4, 2)) * damage.perspective * half[0] * 2
    room = np.maximum(np.array([width, height]) / 2 - np.abs(corners).max(axis=0) - 4, 0)
    corners += np.array([width, height]) / 2 + random.uniform(-1, 1, 2) * room
    if flaw == "cut_off":
        corners[:, 0] += width - corners[:, 0].max() + scale * card_width * random.uniform(0.25, 0.35)
    target = corners.astype(np.float32)
    source = np.array([[0, 0], [card_width, 0], [card_width, card_height], [0, card_height]], np.float32)
    matrix = cv2.getPerspectiveTransform(source, target)
    table = _table(random, width, height)
    shape = _rounded(card_height, card_width)
    warped = cv2.warpPerspective(
        card, matrix, size, flags=cv2.INTER_AREA if scale < 0.6 else cv2.INTER_LINEAR
    )
    mask = cv2.warpPerspective(shape, matrix, size).astype(np.float32)[..., None] / 255
    drop = cv2.GaussianBlur(np.roll(mask[..., 0], (6, 5), (0, 1)), (0, 0), 7)[..., None]
    table = table * (1 - 0.35 * drop)
    return (warped * mask + table * (1 - mask)).astype(np.float32), target


def _rounded(height: int, width: int) -> Pixels:
    mask = np.zeros((height, width), np.uint8)
    radius = height // 18
    cv2.rectangle(mask, (radius, 0), (width - radius, height), (255,), -1)
    cv2.rectangle(mask, (0, radius), (width, height - radius), (255,), -1)
    for x in (radius, width - radius - 1):
        for y in (radius, height - radius - 1):
            cv2.circle(mask, (x, y), radius, (255,), -1)
    return mask


def _table(random: np.random.Generator, width: int, height: int) -> NDArray[np.float32]:
    """Wood, cloth or stone: coloured noise stretched along one direction."""
    ground = random.uniform(50, 190) + random.uniform(-25, 25, 3)
    grain = random.normal(0, 1, (int(random.integers(12, 90)), int(random.integers(6, 40)))).astype(
        np.float32
    )
    texture = cv2.resize(grain, (width, height), interpolation=cv2.INTER_CUBIC)[..., None]
    return np.clip(ground + texture * random.uniform(4, 16), 0, 255).astype(np.float32)


def _light(
    photo: NDArray[np.float32], corners: Points, damage: Damage, random: np.random.Generator, flaw: str
) -> NDArray[np.float32]:
    """Uneven light, a soft-edged shadow, a bright reflection, a colour cast."""
    height, width = photo.shape[:2]
    y, x = np.mgrid[0 : height // 8, 0 : width // 8].astype(np.float32) * 8
    direction = random.uniform(0, 2 * np.pi)
    ramp = np.cos(direction) * (x / width - 0.5) + np.sin(direction) * (y / height - 0.5)
    light = 1 - damage.dimming * random.random() + ramp * damage.dimming
    if random.random() < damage.shadow * 1.5:
        edge = random.uniform(0, 2 * np.pi)
        far = np.cos(edge) * (x - width / 2) + np.sin(edge) * (y - height / 2) - random.uniform(-300, 300)
        light *= 1 - damage.shadow * random.uniform(0.5, 1) / (1 + np.exp(-far / random.uniform(15, 60)))
    if flaw == "dark":
        light *= 0.16
    lit = (
        photo
        * cv2.resize(light, (width, height))[..., None]
        * random.uniform(0.95, 1.05, 3).astype(np.float32)
    )
    if flaw == "glare" or random.random() < damage.glare:
        lit = _glare(lit, corners, random, strong=flaw == "glare")
    return np.asarray(np.clip(lit, 0, 255), np.float32)


def _glare(
    photo: NDArray[np.float32], corners: Points, random: np.random.Generator, strong: bool
) -> NDArray[np.float32]:
    """A lamp's reflection; the strong one bleaches what lies under it."""
    height, width = photo.shape[:2]
    low, high = corners.min(axis=0), corners.max(axis=0)
    share = random.uniform(0.3, 0.6, 2) if strong else random.uniform(0.1, 0.95, 2)
    centre = low + (high - low) * share
    radius = random.uniform(0.1, 0.14, 2) * width if strong else random.uniform(0.03, 0.09, 2) * width
    y, x = np.mgrid[0 : height // 4, 0 : width // 4].astype(np.float32) * 4
    distance = ((x - centre[0]) / radius[0]) ** 2 + ((y - centre[1]) / radius[1]) ** 2
    strength = 330.0 if strong else random.uniform(40, 110)
    glow = strength * np.exp(-(distance ** (2 if strong else 1)))
    return np.asarray(photo + cv2.resize(glow.astype(np.float32), (width, height))[..., None], np.float32)


def _soften(
    photo: NDArray[np.float32], damage: Damage, random: np.random.Generator, flaw: str
) -> NDArray[np.float32]:
    sigma = 5.5 if flaw == "blur" else random.uniform(*damage.blur)
    soft = cv2.GaussianBlur(photo, (0, 0), sigma) if sigma > 0.2 else photo
    if damage.motion and random.random() < 0.4:
        length = int(random.integers(2, damage.motion + 1))
        kernel = np.zeros((2 * length + 1, 2 * length + 1), np.float32)
        angle = random.uniform(0, np.pi)
        offset = (np.array([np.cos(angle), np.sin(angle)]) * length / 2).round().astype(int)
        start, end = (length - offset).tolist(), (length + offset).tolist()
        cv2.line(kernel, start, end, (1.0,))
        soft = cv2.filter2D(soft, -1, kernel / kernel.sum())
    return np.asarray(soft, np.float32)


def _screen(photo: NDArray[np.float32], random: np.random.Generator) -> NDArray[np.float32]:
    """Re-shot from a screen: the sensor beats with the screen's pixel grid, and black is grey-blue."""
    height, width = photo.shape[:2]
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    angle = random.uniform(0.03, 0.12)
    period = random.uniform(3.2, 4.6)
    across = np.sin(2 * np.pi * (x * np.cos(angle) + y * np.sin(angle)) / period)
    down = np.sin(2 * np.pi * (y * np.cos(angle) - x * np.sin(angle)) / period)
    grid = 1 + 0.11 * across + 0.09 * down
    return np.asarray((photo * 0.8 + np.array([26, 30, 44], np.float32)) * grid[..., None], np.float32)
