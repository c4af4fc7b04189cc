"""The texts people agree to: versioned files in templates/documents/consents, one per purpose and version.

A file that has been agreed to is never edited; a change is a new file with the next number.
"""

import hashlib
from datetime import date
from enum import StrEnum
from functools import cache, lru_cache
from pathlib import Path

import msgspec

from backend.domains.institutions.model import Institution

FOLDER = Path(__file__).parents[3] / "templates" / "documents" / "consents"


class Purpose(StrEnum):
    """One consent each; none is ever bundled with another (D3-01, D3-02, D4-05)."""

    PERSONAL_INFO = "personal_info"
    IDENTITY_CHECK = "identity_check"
    DATA_PLATFORM = "data_platform"
    BUSINESS_DATA = "business_data"
    BUREAU_QUERY = "bureau_query"
    LIVENESS = "liveness"
    MARKETING = "marketing"
    GUARANTOR_SHARE = "guarantor_share"
    GUARANTEE_INFO = "guarantee_info"
    GUARANTEE_BUREAU = "guarantee_bureau"
    GUARANTEE_RESULT = "guarantee_result"


class ConsentText(msgspec.Struct, frozen=True, kw_only=True):
    """One version in full, with the lender's name filled in.

    `sha256` (hex) covers every word a person sees. `valid_days_key` names the parameter that limits the
    consent in time; None: until withdrawn.
    """

    purpose: Purpose
    version: int
    effective_on: date
    title: str
    recipient: str
    recipient_name: str
    required: bool
    valid_days_key: str | None
    summary: str
    sections: tuple[tuple[str, tuple[str, ...]], ...]
    sha256: str
    source: str


def current(purpose: Purpose, institution: Institution) -> ConsentText:
    """The newest version, as this institution's customers read it."""
    return _filled(purpose, institution.name, institution.service_phone, institution.address)


@lru_cache(maxsize=4096)
def _filled(purpose: Purpose, lender: str, phone: str, address: str) -> ConsentText:
    versions = _versions(purpose)
    text = versions[max(versions)]
    for word, filled in (("{lender}", lender), ("{phone}", phone), ("{address}", address)):
        text = text.replace(word, filled)
    return parse(text)


def parse(text: str) -> ConsentText:
    """A filled text; `source` gives the same text back."""
    head, _, body = text.removeprefix("---\n").partition("\n---\n")
    fields = dict(line.split(": ", 1) for line in head.splitlines())
    return ConsentText(
        purpose=Purpose(fields["purpose"]),
        version=int(fields["version"]),
        effective_on=date.fromisoformat(fields["effective_on"]),
        title=fields["title"],
        recipient=fields["recipient"],
        recipient_name=fields["recipient_name"],
        required=fields["required"] == "true",
        valid_days_key=fields.get("valid_days_key"),
        summary=fields["summary"],
        sections=_sections(body),
        sha256=hashlib.sha256(text.encode()).hexdigest(),
        source=text,
    )


@cache
def _versions(purpose: Purpose) -> dict[int, str]:
    return {
        int(path.stem.rsplit("-", 1)[1]): path.read_text("utf-8") for path in FOLDER.glob(f"{purpose}-*.md")
    }


def _sections(body: str) -> tuple[tuple[str, tuple[str, ...]], ...]:
    sections = []
    for part in body.split("## ")[1:]:
        heading, _, text = part.partition("\n")
        paragraphs = tuple(p.strip() for p in text.split("\n") if p.strip())
        sections.append((heading.strip(), paragraphs))
    return tuple(sections)
