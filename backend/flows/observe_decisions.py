"""After a decision is recorded: where its facts fell, and what models in the shadow would have said (D1-05).

A job of its own, apart from the road: it reads stored decisions and writes only `models.observations`,
`models.named_observations` and `models.shadow_scores`. Whatever dies or fails here changes no decision and no case
(trust.md §3).
"""

import asyncio
import time
from datetime import timedelta

import msgspec
import structlog

from backend.core import clock, failpoints
from backend.core.actor import Actor, everywhere, system
from backend.core.errors import Unavailable
from backend.db.database import Tx
from backend.domains.decision import service as decisions
from backend.domains.decision.model import Capsule, Outcome, StrategyRefused, VersionMissing
from backend.domains.models import service as models
from backend.domains.models import watching
from backend.flows import sample_recheck
from backend.flows.context import Context
from backend.overview import model_monitors

log = structlog.get_logger("models")

LOOK_BACK = timedelta(days=7)
MOST = 200
SECONDS = 5.0
UNREADABLE = "unreadable"
"""Stands for the model of a decision whose capsule could not be read, so that it is not tried for ever."""
SHADOWED = failpoints.declare("models.shadowed", "shadows have scored; nothing of it is stored")


class Shadow(msgspec.Struct, frozen=True):
    id: str
    family: str
    body: bytes


class Said(msgspec.Struct, frozen=True):
    """What one shadow said of one case: a score, or the kind of its error. `disagrees`: the case was approved, and
    with this model in the card's place it would not have been (D2-07)."""

    model_id: str
    score: int | None
    error: str
    disagrees: bool = False


async def observe_decisions(context: Context) -> int:
    """Returns how many decisions were looked at; safe to run again and beside itself."""
    async with context.db.read(everywhere("models")) as tx:
        waiting = await model_monitors.unobserved(tx, clock.now() - LOOK_BACK, MOST)
        if not waiting:
            return 0
        watched = await watching.watched(tx)
        shadows = [
            Shadow(s.id, s.family, await models.body(tx, s.artefact)) for s in await watching.shadows(tx)
        ]
        known = {
            county: await watching.hashes(tx, county, watched) for county in sorted({c for c, _ in waiting})
        }
    for institution_id, decision_id in waiting:
        try:
            await _observe(context, institution_id, decision_id, known[institution_id], shadows)
        except (Unavailable, failpoints.FailpointError):
            raise
        except Exception as error:  # one case nobody can read must not keep the others from being looked at
            log.error("a decision could not be observed", decision=decision_id, error=type(error).__name__)
            async with context.db.begin(system(institution_id, "models")) as tx:
                await watching.observe(tx, decision_id, UNREADABLE, {}, proposed=False)
    return len(waiting)


async def _observe(
    context: Context,
    institution_id: str,
    decision_id: str,
    known: dict[str, watching.Watched],
    shadows: list[Shadow],
) -> None:
    actor = system(institution_id, "models")
    async with context.db.read(actor) as tx:
        recorded = await decisions.get(tx, decision_id)
        capsule, bundle = recorded.opened, await _bundle(tx, recorded)
    said = await asyncio.to_thread(_ask, capsule, bundle, institution_id, shadows)
    failpoints.hit(SHADOWED)
    if said:
        async with context.db.begin(actor) as tx:
            for each in said:
                await watching.keep_shadow(tx, decision_id, each.model_id, each.score, each.error)
            if any(each.disagrees for each in said):
                await sample_recheck.doubt_by_challenger(tx, recorded.application_id, decision_id)
    await _keep(context, actor, recorded, known)


async def _keep(
    context: Context, actor: Actor, recorded: decisions.Recorded, known: dict[str, watching.Watched]
) -> None:
    """The model of the rating, and beside it each other that a flow named, with what it said."""
    capsule, used = recorded.opened, recorded.opened.decision.versions.scorecard
    proposed, model = capsule.decision.proposal is not None, known.get(used)
    hash_ = used if model is None else model.artefact
    async with context.db.begin(actor) as tx:
        for other, score in (await decisions.named_scores(tx, capsule.decision)).items():
            if other != hash_:  # the same model twice is one case of it
                bins = _bins(capsule, await watching.tested(tx, other))
                await watching.observe_named(tx, recorded.id, other, score, bins, proposed=proposed)
        await watching.observe(tx, recorded.id, hash_, _bins(capsule, model), proposed=proposed)


def _bins(capsule: Capsule, model: watching.Watched | None) -> dict[str, int]:
    if model is None:
        return {}
    values = decisions.inputs(capsule, set(model.reference.get("features", {})))
    return watching.bins(model.reference, values)


async def _bundle(tx: Tx, recorded: decisions.Recorded) -> decisions.Bundle | None:
    """The versions an automatic approval was given by; None for anything else, and where they are not to be had."""
    if recorded.outcome is not Outcome.APPROVED:
        return None
    try:
        return await decisions.bundle_for(tx, recorded.opened.case.product, recorded.application_id)
    except (StrategyRefused, VersionMissing):
        return None


def _ask(
    capsule: Capsule, bundle: decisions.Bundle | None, institution_id: str, shadows: list[Shadow]
) -> list[Said]:
    """Every shadow of the case's family, each on its own: one that fails says so, the others go on."""
    product = capsule.case.sources.get("product")
    family = str(product.facts.get("product_kind", "")) if product else ""
    return [_one(capsule, bundle, institution_id, each) for each in shadows if each.family in ("*", family)]


def _one(capsule: Capsule, bundle: decisions.Bundle | None, institution_id: str, shadow: Shadow) -> Said:
    try:
        model = models.for_county(shadow.body, institution_id)
        values = decisions.inputs(capsule, set(model.inputs))
        said = Said(shadow.id, model.score(values).score, "")
    except Exception as error:  # a shadow may fail in any way and must change nothing
        log.warning("a shadow failed", model=shadow.id, error=type(error).__name__)
        return Said(shadow.id, None, models.problem_code(error))
    doubts = bundle is not None and _disagrees(capsule, bundle, institution_id, shadow)
    return msgspec.structs.replace(said, disagrees=doubts)


def _disagrees(capsule: Capsule, bundle: decisions.Bundle, institution_id: str, shadow: Shadow) -> bool:
    """Decides the very case once more with this model's card; kept nowhere but as a yes or no. One that cannot stand
    in the card's place has no say."""
    try:
        using = decisions.with_card(bundle, models.card_for_county(shadow.body, institution_id))
        again = decisions.decide(capsule.case, using, deadline=time.monotonic() + SECONDS)
    except Exception as error:  # as above
        log.warning("a shadow could not decide", model=shadow.id, error=type(error).__name__)
        return False
    return again.decision.outcome is not Outcome.APPROVED
