"""Everything that decides besides the case: strategies, scorecard, catalogue, code; each with its hash."""

import hashlib
from collections.abc import Mapping
from functools import cache
from importlib import metadata, resources
from typing import Any

import msgspec
from msgspec import UNSET

from backend.domains.decision import cards, facts, features, gate, jdm, lint, scorecard
from backend.domains.decision.model import DECIDING, Stage, Versions, canonical

SEEDED = "personal_credit"
"""The strategy set shipped with the code; parameters come as facts, so every personal product can use it."""

_CODE = (
    "assess.py",
    "assessment.py",
    "bundle.py",
    "cards.py",
    "conduct.py",
    "contracts.py",
    "county.py",
    "county_moments.py",
    "coverage.py",
    "evaluate.py",
    "explain.py",
    "expressions.py",
    "facts.py",
    "features.py",
    "formula.py",
    "gate.py",
    "graph.py",
    "guard.py",
    "instrument.py",
    "jdm.py",
    "lint.py",
    "logic.py",
    "model.py",
    "regions.py",
    "scorecard.py",
    "steps.py",
    "tables.py",
    "tree_graph.py",
    "trees.py",
)
ALWAYS = (
    "requested_amount",
    "requested_term_months",
    "product_kind",
    "product_min_amount",
    "product_max_amount",
    "product_min_term_months",
    "product_max_term_months",
    "product_rate_floor_bp",
    "rate_cap_bp",
    "internet_credit_left",
    "reg_term_cap_months",
    "reg_min_age",
    "age_years",
    "id_days_left",
)
"""What the guard needs to let any approval through, whatever the strategies look at."""


_built: dict[bytes, "Bundle"] = {}


class Bundle:
    """One set of versions, ready to decide. `texts` are the strategies' canonical JSON; `code` is overridden
    by a replay with the stored one; `flows` are the sub-flows the strategies run, by hash: stage and text; `models`
    the texts of the scorecards and models they name, by hash, whatever `card` scores the rating. `overlays` are one
    county's documents: they never touch what the union's need or say, they are asked beside them (`county.py`)."""

    def __init__(
        self,
        stages: Mapping[Stage, gate.CompiledStage],
        card: cards.Compiled,
        catalogue: facts.Catalogue,
        texts: Mapping[Stage, str],
        code: str,
        *,
        # Without defaults on purpose: whoever makes a bundle out of another must not lose a county's layer.
        flows: Mapping[str, tuple[Stage, str]],
        models: Mapping[str, str],
        overlays: Mapping[Stage, gate.CompiledStage],
        price_band: tuple[int, int] | None,
    ) -> None:
        self.flows, self.models = dict(flows), dict(models)
        self.stages, self.card, self.catalogue, self.texts = dict(stages), card, catalogue, dict(texts)
        names = {name for stage in stages.values() for name in stage.inputs} | set(card.inputs) | set(ALWAYS)
        plain, self.features = features.closure({n for n in names if catalogue[n].source != "stage"})
        self.needed = catalogue.parcels(plain)
        self.stage_needs = {
            stage: tuple(name for name in compiled.inputs if catalogue[name].source != "stage")
            for stage, compiled in stages.items()
        }
        self.stage_needs[Stage.RATING] += card.inputs
        self.overlays, self.price_band = dict(overlays), price_band
        self.overlay_texts: dict[Stage, str] = {}
        self._county_facts()
        self.versions = Versions(
            strategies={str(stage): compiled.hash for stage, compiled in stages.items()},
            scorecard=card.hash,
            catalogue=catalogue.hash,
            code=code,
            overlays={str(stage): each.hash for stage, each in self.overlays.items()} or UNSET,
            price_band=list(price_band) if price_band and Stage.PRICING in self.overlays else UNSET,
        )

    def _county_facts(self) -> None:
        """What the county's documents look at, apart from the union's own: a gap there must not blind the union."""
        known, names = self.catalogue, {name for each in self.overlays.values() for name in each.inputs}
        plain, self.county_features = features.closure({n for n in names if known[n].source != "stage"})
        self.county_needed = known.parcels(plain)


def build(
    documents: Mapping[Stage, Any],
    card: cards.Card,
    *,
    catalogue: facts.Catalogue | None = None,
    code: str = "",
    library: lint.Library = lint.NOTHING,
    overlays: Mapping[Stage, Any] | None = None,
    price_band: tuple[int, int] | None = None,
    keep: bool = True,
) -> Bundle:
    """Check and compile. Raises `StrategyRefused`. `library` is what the documents refer to by hash; the
    scorecard is always among it, for what was kept before models were kept beside it.

    `keep` false: a trial, which this process forgets and whose decisions cannot be recorded.
    """
    catalogue = catalogue or facts.catalogue()
    served = cards.compile_card(card, catalogue)
    library = lint.Library(library.flows, {**library.models, served.hash: served})
    stages = {stage: gate.compile_stage(stage, documents[stage], catalogue, library) for stage in DECIDING}
    texts = {stage: canonical(documents[stage]).decode() for stage in DECIDING}
    run = {key: stage for stage in DECIDING for key in _flows(documents[stage], library)}
    flows = {key: (stage, canonical(library.flows[key]).decode()) for key, stage in run.items()}
    running = [*(documents[stage] for stage in DECIDING), *(library.flows[key] for key in flows)]
    asked = sorted({key for document in running for key in jdm.models(document)})
    given = overlays or {}
    county = {
        stage: gate.compile_stage(stage, given[stage], catalogue) for stage in DECIDING if stage in given
    }
    built = Bundle(
        stages,
        served,
        catalogue,
        texts,
        code or code_version(),
        flows=flows,
        models={key: canonical(library.models[key].card).decode() for key in asked},
        overlays=county,
        price_band=price_band,
    )
    built.overlay_texts = {stage: canonical(given[stage]).decode() for stage in county}
    if keep:
        _built[canonical(built.versions)] = built
    return built


def _flows(document: Any, library: lint.Library) -> set[str]:
    """Every sub-flow a checked document runs, those of its sub-flows too."""
    found: set[str] = set()
    for key in jdm.flows(document):
        found |= {key, *_flows(library.flows[key], library)}
    return found


def with_card(base: Bundle, card: cards.Card) -> Bundle:
    """The same strategies with another model (champion, challenger, a county's offset) for the rating; a document that
    names a model by its hash goes on asking that one. Raises `StrategyRefused`."""
    served = cards.compile_card(card, base.catalogue)
    known = of_versions(msgspec.structs.replace(base.versions, scorecard=served.hash))
    if known is None:
        known = Bundle(
            base.stages,
            served,
            base.catalogue,
            base.texts,
            base.versions.code,
            flows=base.flows,
            models=base.models,
            overlays=base.overlays,
            price_band=base.price_band,
        )
        _built[canonical(known.versions)] = known
    return known


def of_versions(versions: Versions) -> Bundle | None:
    """What was built in this process for these versions."""
    return _built.get(canonical(versions))


def seeded_documents() -> dict[Stage, Any]:
    folder = resources.files(__package__) / "strategies" / SEEDED
    return {stage: msgspec.json.decode((folder / f"{stage}.json").read_bytes()) for stage in DECIDING}


@cache
def seeded() -> Bundle:
    """The first versions, shipped with the code."""
    return build(seeded_documents(), scorecard.seeded())


@cache
def code_version() -> str:
    """SHA-256 of the sources that decide and of the engine's version."""
    digest = hashlib.sha256(f"zen-engine {metadata.version('zen-engine')}".encode())
    for name in _CODE:
        digest.update(resources.files(__package__).joinpath(name).read_bytes())
    return digest.hexdigest()
