"""From the bytes somebody sent to bare pixels: nothing of the file but its pixels goes any further (5.x, 9)."""

import io
import warnings

import cv2
import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, PngImagePlugin

from backend.ocr import formats

Pixels = NDArray[np.uint8]
_ENOUGH = 1900
"""A long side of this many pixels is enough for any line of a card or an A4 paper that fills the picture."""
PngImagePlugin.MAX_TEXT_MEMORY = 1024 * 1024


def pixels(content: bytes) -> Pixels:
    """The picture as BGR, turned as its EXIF says, halved while it stays larger than needed.

    Raises an UnusableImage: the size in bytes, the type and the size in pixels are checked before anything is decoded.
    """
    kind = formats.glance(content)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            return _decode(content, kind)
    except formats.UnusableImage:
        raise
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise formats.TooManyPixels from None
    except (OSError, ValueError, SyntaxError, EOFError):
        raise formats.Broken from None
    except MemoryError:
        raise formats.TooHeavy from None


def _decode(content: bytes, kind: str) -> Pixels:
    with Image.open(io.BytesIO(content), formats=[kind.upper()]) as image:
        width, height = image.size
        if width * height > formats.MOST_PIXELS:
            raise formats.TooManyPixels
        if min(width, height) < formats.LEAST_SIDE:
            raise formats.TooFewPixels
        if getattr(image, "n_frames", 1) > 1 and kind == "png":
            raise formats.Animated
        factor = 1
        while max(width, height) // (factor * 2) >= _ENOUGH:
            factor *= 2
        if factor > 1 and kind == "jpeg":
            image.draft("RGB", (width // factor, height // factor))
        orientation = image.getexif().get(0x0112, 1)
        image.load()
        plain = image.reduce(factor) if kind == "png" and factor > 1 else image
        return _turned(_opaque(plain), orientation)


def _opaque(image: Image.Image) -> Image.Image:
    """RGB without transparency, on white."""
    if image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info:
        rgba = image.convert("RGBA")
        ground = Image.new("RGB", image.size, (255, 255, 255))
        ground.paste(rgba, mask=rgba.getchannel("A"))
        return ground
    return image.convert("RGB")


def _turned(image: Image.Image, orientation: int) -> Pixels:
    """Apply the EXIF orientation, then hand out BGR pixels."""
    if orientation in range(2, 9):
        image = Image.fromarray(np.asarray(image))
        image.getexif()[0x0112] = orientation
        image = ImageOps.exif_transpose(image)
    return np.asarray(cv2.cvtColor(np.asarray(image), cv2.COLOR_RGB2BGR), np.uint8)


def rebuilt(picture: Pixels, quality: int = 88) -> bytes:
    """A fresh JPEG of these pixels: no EXIF, no comment, no thumbnail, no bytes after the end."""
    written = io.BytesIO()
    Image.fromarray(cv2.cvtColor(picture, cv2.COLOR_BGR2RGB)).save(written, "JPEG", quality=quality)
    return written.getvalue()
