"""What a guarantor confirms (保证承诺): versioned files in templates/documents/guarantees, filled for one guarantee.

A file that has been confirmed is never edited; a change is a new file with the next number.
"""

import hashlib
from functools import cache
from pathlib import Path

import msgspec

FOLDER = Path(__file__).parents[3] / "templates" / "documents" / "guarantees"


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """`sha256` (hex) covers every word the person sees; `sections` are (heading, paragraphs)."""

    version: int
    title: str
    sections: tuple[tuple[str, tuple[str, ...]], ...]
    sha256: str
    source: str


def fill(words: dict[str, str]) -> Terms:
    """The newest text with every {word} filled in. Raises KeyError for a word nobody gave."""
    versions = _versions()
    version = max(versions)
    return told(versions[version].format_map(words), version)


def told(text: str, version: int) -> Terms:
    """The filled text in its parts."""
    head, _, body = text.partition("\n")
    sections = []
    for part in body.split("## ")[1:]:
        heading, _, told = part.partition("\n")
        sections.append((heading.strip(), tuple(p.strip() for p in told.split("\n") if p.strip())))
    return Terms(
        version=version,
        title=head.removeprefix("# ").strip(),
        sections=tuple(sections),
        sha256=hashlib.sha256(text.encode()).hexdigest(),
        source=text,
    )


@cache
def _versions() -> dict[int, str]:
    return {int(p.stem.rsplit("-", 1)[1]): p.read_text("utf-8") for p in FOLDER.glob("surety-*.md")}
