"""数据来源: who is asked for facts, by what right, at what price, and what happens when they do not answer.

`sources.json` is part of the version and changes by review, as the contracts behind it do; staff read it
(`./xiaodai facts`) and do not edit it. Rows A3-35, A5-10, D3-09, D3-12, N19.
"""

from collections.abc import Mapping
from functools import cache
from importlib import resources

import msgspec


class Substitute(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Who answers instead, `after_minutes` from the submission. What it says is trusted less: no approval above
    `cap_fen`, and with a cap of 0 a person decides."""

    source: str
    after_minutes: int
    cap_fen: int


class Source(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`licences` are those its facts may carry (`decision.facts.LICENCES`), `basis` the contract or law behind
    them; `consent` the purpose of the customer's consent without which it is not asked; `asked` false for what
    this system knows itself. `ladder` is what is tried in turn (N19): fresh, cached (an answer of at most
    `cache_days` that the same consent covers), substitute, held. The breaker opens after `failures` more failures
    than answers within `window_seconds` and lets one call through every `pause_seconds`."""

    name: str
    label: str
    system: str
    licences: tuple[str, ...]
    basis: str
    consent: str
    cost_fen: int
    asked: bool = True
    deadline_seconds: float = 8
    cache_days: int = 0
    ladder: tuple[str, ...] = ()
    substitute: Substitute | None = None
    failures: int = 5
    window_seconds: int = 60
    pause_seconds: int = 10


@cache
def every() -> Mapping[str, Source]:
    """By name: those that are asked first, in the order a page lists them."""
    text = resources.files(__package__).joinpath("sources.json").read_bytes()
    return {source.name: source for source in msgspec.json.decode(text, type=list[Source])}


def asked() -> tuple[Source, ...]:
    """Those outside."""
    return tuple(source for source in every().values() if source.asked)
