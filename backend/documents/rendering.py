"""Typst in, PDF/A out: the same data give the same bytes.

Blocking, about 40 ms a document: doors and jobs call `render` through `asyncio.to_thread`. Typst is imported at
the first document, never at the start of a process.
"""

import hashlib
import json
import threading
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any, Literal

import msgspec

from backend.documents import words
from backend.documents.contract import ConsentDocument, GuaranteePaper, LoanContract
from backend.documents.disclosure import Disclosure

TEMPLATES = Path(__file__).parents[2] / "templates" / "documents"
FONTS = Path(__file__).parents[2] / "static" / "fonts"

Name = Literal["contract", "disclosure", "consent", "guarantee"]
Data = LoanContract | Disclosure | ConsentDocument | GuaranteePaper

_WORDS: dict[str, Callable[[Any], dict[str, Any]]] = {
    "contract": words.of_contract,
    "disclosure": words.of_disclosure,
    "consent": words.of_consent,
    "guarantee": words.of_guarantee,
}

# One compiler keeps the parsed fonts; it is not made for two threads at once.
_one_at_a_time = threading.Lock()


class CannotBePrinted(Exception):
    """A name or address holds characters our font does not have: a paper with empty boxes is not signed.

    The case goes to a branch; `characters` are those missing.
    """

    def __init__(self, characters: str) -> None:
        self.characters = characters
        super().__init__(" ".join(f"U+{ord(c):04X}" for c in characters))


class Rendered(msgspec.Struct, frozen=True):
    """A finished document; `sha256` (hex) is over the PDF's bytes."""

    name: str
    title: str
    pdf: bytes
    sha256: str


def render(name: Name, data: Data) -> Rendered:
    """Draw one document. Raises `CannotBePrinted`."""
    fields = _WORDS[name](data)
    text = json.dumps(fields, ensure_ascii=False)
    missing = set(text) - covered()
    if missing:
        raise CannotBePrinted("".join(sorted(missing)))
    with _one_at_a_time:
        pdf = _compiler().compile(
            str(TEMPLATES / f"{name}.typ"),
            format="pdf",
            sys_inputs={"data": text},
            pdf_standards="a-2b",
        )
    return Rendered(name, fields["title"], pdf, hashlib.sha256(pdf).hexdigest())


@cache
def covered() -> frozenset[str]:
    """Every character the regular and the bold cut can draw."""
    from fontTools.ttLib import TTFont

    cuts = [set(TTFont(path, lazy=True).getBestCmap()) for path in sorted(FONTS.glob("*.otf"))]
    return frozenset(chr(code) for code in set.intersection(*cuts))


@cache
def _compiler() -> Any:
    import typst

    return typst.Compiler(root=str(TEMPLATES), font_paths=[str(FONTS)], ignore_system_fonts=True)
