"""What an outside system answered about a person for one case."""

from datetime import datetime

import msgspec

from backend.domains.evidence import sources

SOURCES = {source.name: source.label for source in sources.asked()}
"""The systems asked for a decision, in the order a page lists them."""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """`facts` by the decision's names; `raw` are the bytes as they came (none where an answer is read only to be
    used) and `sha256` is theirs. `rung` is fresh, cached or substitute, `taken_from` the earlier application or the
    other source it then came from (N19)."""

    source: str
    consent_id: str | None
    reference: str
    sha256: str
    facts: dict[str, int | bool | str]
    raw: bytes = b""
    observed_at: datetime
    price_fen: int = 0
    rung: str = "fresh"
    taken_from: str = ""
