"""Scorecards and models as the pages of a flow tell them: what they are called, which version, how far the score
reaches, what they read, and the way to their own page for those who may open it (issue 3 §2, §8)."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from backend.db.database import Tx
from backend.domains.decision import facts
from backend.domains.models import service as models
from backend.domains.models.model import MODEL, Model, Nameable
from backend.domains.strategies import scored
from backend.domains.strategies.scored import KINDS
from backend.web.staff import Here
from h5.console import models as register

SHIPPED = "一直可用"


class Told(msgspec.Struct, frozen=True, kw_only=True):
    """`model` the hash; `kind` and `state` in words; `reads` labels; `link` '' where there is no page for this person;
    `named`: a flow may name it now."""

    model: str
    label: str
    kind: str
    state: str
    span: str
    reads: tuple[str, ...]
    link: str
    named: bool


async def named(here: Here, tx: Tx) -> tuple[Told, ...]:
    """Those a flow may name now, the card of the release first."""
    links = _links(here, await models.all_models(tx))
    return tuple(_named(each, links) for each in await models.nameable(tx))


async def known(here: Here, tx: Tx, documents: Iterable[Mapping[str, Any]]) -> dict[str, Told]:
    """Every scorecard and model by hash, also those that may not be named any more; nothing where none of the
    documents asks one."""
    if not any(asks(document) for document in documents):
        return {}
    registered = await models.all_models(tx)
    links = _links(here, registered)
    old = {each.artefact: _registered(each, links) for each in reversed(registered)}
    return old | {each.artefact: _named(each, links) for each in await models.nameable(tx)}


def names(told: Mapping[str, Told]) -> dict[str, str]:
    return {model: each.label for model, each in told.items()}


async def reads(tx: Tx) -> dict[str, tuple[str, ...]]:
    """What every scorecard and model that may be named reads, by hash."""
    return {each.artefact: each.inputs for each in await models.nameable(tx)}


def asks(document: Mapping[str, Any]) -> bool:
    """Whether a flow has a scorecard or model of its own."""
    try:
        return bool(scored.nodes_of(document))
    except (
        LookupError,
        TypeError,
        AttributeError,
    ):  # a draft may hold anything; its checks say what is wrong
        return False


def _links(here: Here, registered: Iterable[Model]) -> dict[str, str]:
    """Pages by hash, of the newest where several hold the same text."""
    if not here.has(*register.READERS):
        return {}
    return {each.artefact: f"{register.HOME}/{each.id}" for each in reversed(list(registered))}


def _named(each: Nameable, links: Mapping[str, str]) -> Told:
    catalogue = facts.catalogue()
    return Told(
        model=each.artefact,
        label=each.label,
        kind=KINDS[each.kind],
        state=MODEL.labels[each.status] if each.status else SHIPPED,
        span=scored.span(each.low, each.high),
        reads=tuple(catalogue[name].label if name in catalogue else name for name in each.inputs),
        link=links.get(each.artefact, ""),
        named=True,
    )


def _registered(each: Model, links: Mapping[str, str]) -> Told:
    return Told(
        model=each.artefact,
        label=each.name,
        kind="模型",
        state=MODEL.labels[each.status],
        span="",
        reads=tuple(read["label"] for read in each.data_list),
        link=links.get(each.artefact, ""),
        named=False,
    )
