"""What would decide if a version were live: the union's documents, each county's layer, each family's model, with the
tried parts in their places and everything else as it is (A3-33, N4)."""

from collections.abc import Iterable
from typing import Any

import msgspec

from backend.core.actor import Actor, system
from backend.db.database import Tx
from backend.domains.decision import facts, layers
from backend.domains.decision import service as decisions
from backend.domains.decision.model import Stage, canonical
from backend.domains.institutions.model import UNION as HEAD_OFFICE
from backend.domains.models import service as models
from backend.domains.strategies import checks
from backend.domains.strategies import service as strategies
from backend.domains.strategies.model import ALL_PRODUCTS, UNION, UnionContent, Version
from backend.domains.trials import model as trial
from backend.domains.trials.model import NotOfTheseCases, Recipe, Rules
from backend.flows.context import Context
from backend.flows.name_trial_versions import Named

WARNING = Stage.EARLY_WARNING


class Place(msgspec.Struct, frozen=True, kw_only=True):
    """A product where cases are: `institution` '' for a practice county; `family` the line-up its model is of."""

    institution: str
    product: str
    family: str


async def gather_trial_rules(context: Context, actor: Actor, wanted: Named, places: list[Place]) -> Rules:
    """One side of a trial over decisions. Raises `NotOfTheseCases` when the version has no case here."""
    found: dict[str, Recipe] = {}
    met = wanted.version is None
    for each in places or [Place(institution="", product=ALL_PRODUCTS, family="*")]:
        home = each.institution or actor.institution_id
        async with context.db.read(system(home, "trial")) as tx:
            tried = wanted.version if await _rules_there(tx, wanted.version, each.product) else None
            recipe = await _recipe(tx, each, wanted, tried)
        met = met or tried is not None
        found[trial.place(each.institution, each.product)] = recipe
    if not met and wanted.version is not None:
        raise NotOfTheseCases(product=wanted.version.product_code)
    return trial.rules_of(found)


async def gather_warning_rules(tx: Tx, wanted: Named) -> Rules:
    """One side of a trial of early warning: the live documents of both layers, or the tried one in its place."""
    document: Any = (await strategies.floor(tx, ALL_PRODUCTS, WARNING)).document
    own = await strategies.live_version(tx, strategies.owner_of(tx.actor), ALL_PRODUCTS, WARNING)
    overlay = await checks.document_of(tx, own) if own is not None and own.layer == "county" else None
    if wanted.version is not None and wanted.version.layer == "county":
        overlay = await checks.document_of(tx, wanted.version)
    elif wanted.version is not None:
        document = await checks.document_of(tx, wanted.version)
    text = wanted.files.strategies.get(WARNING) or canonical(document).decode()
    flows, named = await _run_by(tx, [text])
    recipe = Recipe(
        strategies={WARNING: text},
        card="",
        catalogue=facts.catalogue().text.decode(),
        flows=flows,
        models=named,
        overlays={} if overlay is None else {WARNING: canonical(overlay).decode()},
    )
    return trial.rules_of({"": recipe})


async def _rules_there(tx: Tx, version: Version | None, product: str) -> bool:
    """Whether the version, if it were live, would decide for this product in the county of `tx`: a county's only at
    home, one of all products only where the product has none of its own."""
    if version is None or version.institution_id not in (UNION, tx.institution_id):
        return False
    if version.product_code in (product, ALL_PRODUCTS):
        live = await strategies.live_version(tx, version.institution_id, product, version.stage)
        return version.product_code == product or live is None or live.product_code == ALL_PRODUCTS
    return False


async def _recipe(tx: Tx, at: Place, wanted: Named, tried: Version | None) -> Recipe:
    documents: dict[Stage, Any] = {}
    overlays: dict[Stage, Any] = {}
    band = None
    if tried is not None and isinstance(tried.content, UnionContent):
        documents[tried.stage], band = tried.content.document, tried.content.openings.price_band
    elif tried is not None:
        overlays[tried.stage] = await checks.document_of(tx, tried)
    held = await layers.layers(tx, at.product, documents=documents, overlays=overlays, price_band=band)
    card = await models.card_of(tx, wanted.model.artefact) if wanted.model else None
    if card is None:
        card = await models.champion(tx, at.family)
    made = wanted.files.onto(
        Recipe(
            strategies=held.strategies,
            card=held.card if card is None else canonical(card).decode(),
            catalogue=held.catalogue,
            flows=held.flows,
            models=held.models,
            overlays=held.overlays if tx.institution_id != HEAD_OFFICE else {},
            price_band=held.price_band,
        )
    )
    if not wanted.files.strategies:
        return made
    flows, named = await _run_by(tx, made.strategies.values())
    return msgspec.structs.replace(made, flows=made.flows | flows, models=made.models | named)


async def _run_by(tx: Tx, texts: Iterable[str]) -> tuple[dict[str, str], dict[str, str]]:
    """Sub-flows and models that these documents name. A file that is no graph at all names nothing: its build says
    what is wrong with it."""
    try:
        run = await decisions.library(tx, [msgspec.json.decode(text) for text in texts])
    except (LookupError, TypeError, AttributeError):
        return {}, {}
    return (
        {key: canonical(document).decode() for key, document in run.flows.items()},
        {key: canonical(model.card).decode() for key, model in run.models.items()},
    )
