"""Which files may come in, and what a person is told about the others. Light: the web process uses it too."""

import codecs
from collections.abc import Mapping
from typing import Any

from backend.core import errors

MOST_BYTES = 8 * 1024 * 1024
MOST_PIXELS = 25_000_000
LEAST_SIDE = 200
TOO_MANY_PIXELS = "照片太大（像素太多），在相机设置里选小一点的尺寸，或用页面里的“对着框拍”"
"""Phones make pictures of 48 and 108 megapixels; whose browser could not shrink one needs another way."""


class UnusableImage(errors.Invalid):
    """Base of everything wrong with a file itself (5.x): the person chooses or takes another picture."""

    code = "unusable_image"
    message = "这张图片用不了，请重新拍一张"


class NoImage(UnusableImage):
    code = "image_missing"
    message = "没有收到照片，请再选一次"


class TooManyBytes(UnusableImage):
    code = "image_too_large"
    message = "照片超过 8 MB 了，请用手机相机直接拍，或选一张小一点的"


class NotAPhotograph(UnusableImage):
    code = "image_wrong_format"
    message = "这是{what}，不是照片。请拍照，或选 JPG、PNG 图片"


class Animated(UnusableImage):
    code = "image_animated"
    message = "这是动图，请拍照，或选 JPG、PNG 图片"


class TooManyPixels(UnusableImage):
    code = "image_too_many_pixels"
    message = TOO_MANY_PIXELS


class TooFewPixels(UnusableImage):
    code = "image_too_small"
    message = "照片太小了，看不清字，请重新拍一张"


class Broken(UnusableImage):
    code = "image_broken"
    message = "照片没有传完整，打不开，请重新拍一张或再传一次"


class TooHeavy(UnusableImage):
    code = "image_too_heavy"
    message = TOO_MANY_PIXELS


class ReadingDown(errors.Unavailable):
    """The reading service does not answer; nothing was kept, so it may be asked again at any time."""

    code = "ocr_unavailable"
    message = "识别暂时用不了，您可以稍后再拍，也可以自己填写"


UNUSABLE: dict[str, type[UnusableImage]] = {
    kind.code: kind
    for kind in (
        UnusableImage,
        NoImage,
        TooManyBytes,
        NotAPhotograph,
        Animated,
        TooManyPixels,
        TooFewPixels,
        Broken,
        TooHeavy,
    )
}


def problem(code: str, details: Mapping[str, Any]) -> errors.Problem:
    """What a worker answered, as the error to raise; any other code means the service is down."""
    kind = UNUSABLE.get(code)
    return kind(**details) if kind else ReadingDown()


_KNOWN = (
    (b"%PDF", " PDF 文件"),
    (b"PK\x03\x04", "文档或压缩包"),
    (b"\xd0\xcf\x11\xe0", "文档"),
    (b"BM", " BMP 图片"),
    (b"II*\x00", " TIFF 图片"),
    (b"MM\x00*", " TIFF 图片"),
    (b"<svg", " SVG 图形"),
    (b"<?xml", "文本文件"),
    (b"<!DO", "网页"),
    (b"<htm", "网页"),
    (b"\x1f\x8b", "压缩包"),
)


def glance(content: bytes) -> str:
    """`jpeg` or `png` by the first bytes, whatever the name said. Raises an UnusableImage for anything else."""
    if not content:
        raise NoImage
    if len(content) > MOST_BYTES:
        raise TooManyBytes
    if content.startswith(b"\xff\xd8\xff"):
        return "jpeg"
    if content.startswith(b"\x89PNG\r\n\x1a\n"):
        return "png"
    if content[:6] in (b"GIF87a", b"GIF89a"):
        raise Animated
    raise NotAPhotograph(what=_name(content))


def _name(content: bytes) -> str:
    if content[:4] == b"RIFF" and content[8:12] == b"WEBP":
        return " WebP 图片"
    if content[4:8] == b"ftyp":
        return " HEIC 图片或视频"
    head = content[:16].lstrip().lower()
    other = "文本文件" if _is_text(content[:512]) else "其他文件"
    return next((name for magic, name in _KNOWN if head.startswith(magic.lower())), other)


def _is_text(head: bytes) -> bool:
    try:
        return b"\0" not in head and bool(codecs.getincrementaldecoder("utf-8")().decode(head))
    except UnicodeDecodeError:
        return False
