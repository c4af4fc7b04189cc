"""What decides, as texts: for a trial, which decides in processes of its own."""

from collections.abc import Mapping
from typing import Any

import msgspec

from backend.db.database import Tx
from backend.domains.decision import facts, service
from backend.domains.decision.model import Stage, VersionMissing, canonical


class Layers(msgspec.Struct, frozen=True, kw_only=True):
    """What decides, as canonical texts: documents by stage, sub-flows and named models by hash, a county's layer by
    stage."""

    strategies: dict[str, str]
    card: str
    catalogue: str
    flows: dict[str, str]
    models: dict[str, str]
    overlays: dict[str, str]
    price_band: tuple[int, int] | None


async def layers(
    tx: Tx,
    product_code: str,
    *,
    documents: Mapping[Stage, Any] | None = None,
    overlays: Mapping[Stage, Any] | None = None,
    price_band: tuple[int, int] | None = None,
) -> Layers:
    """As `service.trial`, not compiled: for whoever decides elsewhere (a trial in processes of its own). Raises
    `VersionMissing`."""
    chosen, changed, tried = await service.live(tx, product_code), documents or {}, overlays or {}
    found = await service.texts(tx, [*chosen.strategies.values(), chosen.scorecard])
    own = {
        stage: canonical(await service.county_document(tx, digest)).decode()
        for stage, digest in chosen.overlays.items()
    }
    band = price_band if Stage.PRICING in changed else tuple(chosen.price_band or ()) or None
    try:
        strategies = {stage: found[digest] for stage, digest in chosen.strategies.items()}
        card = found[chosen.scorecard]
    except KeyError as missing:
        raise VersionMissing() from missing
    strategies |= {str(stage): canonical(document).decode() for stage, document in changed.items()}
    run = await service.library(tx, [msgspec.json.decode(text) for text in strategies.values()])
    return Layers(
        strategies=strategies,
        card=card,
        catalogue=facts.catalogue().text.decode(),
        flows={key: canonical(document).decode() for key, document in run.flows.items()},
        models={key: canonical(model.card).decode() for key, model in run.models.items()},
        overlays=own | {str(stage): canonical(document).decode() for stage, document in tried.items()},
        price_band=band,  # type: ignore[arg-type]
    )
