"""Files that are not what they say (5.x): each gets its own sentence, none is decoded further than needed."""

import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from backend.ocr import formats, intake


def picture(width: int = 640, height: int = 480) -> Image.Image:
    noise = np.random.default_rng(1).integers(0, 255, (height // 8, width // 8, 3), np.uint8)
    return Image.fromarray(noise).resize((width, height))


def saved(image: Image.Image, kind: str, **options: object) -> bytes:
    written = io.BytesIO()
    image.save(written, kind, **options)
    return written.getvalue()


def png_bomb(width: int, height: int) -> bytes:
    """A PNG of a few kilobytes whose header promises an enormous picture."""

    def chunk(name: bytes, content: bytes) -> bytes:
        check = zlib.crc32(name + content)
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", check)

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0" * 9000))
        + chunk(b"IEND", b"")
    )


HOSTILE = {
    "nothing": (b"", formats.NoImage, "没有收到"),
    "PDF renamed .jpg": (b"%PDF-1.7\n%\xe2\xe3\xcf\xd3", formats.NotAPhotograph, "PDF"),
    "HEIC": (b"\0\0\0\x18ftypheic\0\0\0\0", formats.NotAPhotograph, "HEIC"),
    "WebP": (b"RIFF\x10\0\0\0WEBPVP8 ", formats.NotAPhotograph, "WebP"),
    "SVG": (b"<svg xmlns='http://www.w3.org/2000/svg'/>", formats.NotAPhotograph, "SVG"),
    "web page": (b"<!DOCTYPE html><script>", formats.NotAPhotograph, "网页"),
    "animated GIF": (
        saved(picture(), "GIF", save_all=True, append_images=[picture().rotate(9), picture().rotate(20)]),
        formats.Animated,
        "动图",
    ),
    "still GIF": (saved(picture(), "GIF"), formats.Animated, "动图"),
    "animated PNG": (
        saved(picture(), "PNG", save_all=True, append_images=[picture().rotate(9)]),
        formats.Animated,
        "动图",
    ),
    "over 8 MB": (b"\xff\xd8\xff" + b"\0" * formats.MOST_BYTES, formats.TooManyBytes, "8 MB"),
    "bomb": (png_bomb(30_000, 30_000), formats.TooManyPixels, "像素太多"),
    "bomb within the limit": (png_bomb(4_900, 4_900), formats.Broken, "打不开"),
    "thumbnail": (saved(picture(120, 90), "JPEG"), formats.TooFewPixels, "太小"),
    "truncated JPEG": (saved(picture(), "JPEG")[:-4000], formats.Broken, "没有传完整"),
    "truncated PNG": (saved(picture(), "PNG")[:-1000], formats.Broken, "没有传完整"),
    "only a JPEG's first bytes": (b"\xff\xd8\xff\xe0", formats.Broken, "没有传完整"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_files_get_a_clear_answer(name: str) -> None:
    content, kind, words = HOSTILE[name]
    with pytest.raises(kind) as caught:
        intake.pixels(content)
    assert words in caught.value.text


def test_the_camera_turning_in_exif_is_applied() -> None:
    image = picture(640, 480)
    exif = image.getexif()
    exif[0x0112] = 6
    assert intake.pixels(saved(image, "JPEG", exif=exif)).shape == (640, 480, 3)


def test_large_photographs_are_halved_while_decoding() -> None:
    large = Image.new("RGB", (4000, 3000), (90, 120, 90))
    assert intake.pixels(saved(large, "JPEG")).shape == (1500, 2000, 3)
    assert intake.pixels(saved(large, "PNG")).shape == (1500, 2000, 3)


def test_transparency_becomes_white() -> None:
    clear = Image.new("RGBA", (300, 300), (10, 20, 30, 0))
    assert intake.pixels(saved(clear, "PNG")).min() == 255


def test_a_rebuilt_picture_carries_nothing_but_pixels() -> None:
    image = picture()
    exif = image.getexif()
    exif[0x010E] = "secret place"
    upload = saved(image, "JPEG", exif=exif, comment=b"hidden comment") + b"trailing payload"
    clean = intake.rebuilt(intake.pixels(upload))
    for secret in (b"secret", b"hidden", b"payload", b"Exif"):
        assert secret in upload
        assert secret not in clean
