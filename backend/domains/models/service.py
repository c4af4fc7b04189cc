"""What other code may ask of the register (A3-33, D1-04, D1-05).

Every act is one person's, with a reason, in the model's own history and in the audit chain. Head office's people
act (institution 0000); SQL holds who may not do what after whom.
"""

import hashlib
from functools import lru_cache
from typing import Any, Literal

import msgspec
import structlog

from backend.core import ids
from backend.core.actor import Actor
from backend.core.errors import Problem
from backend.db.database import Tx
from backend.domains.audit import service as audit
from backend.domains.decision import bundle, cards, facts, features, scorecard, trees
from backend.domains.decision import service as decisions
from backend.domains.decision.model import STAGES, StrategyRefused, canonical
from backend.domains.institutions.model import UNION
from backend.domains.models import artefacts, differences, report, repository
from backend.domains.models.model import (
    ALL_FAMILIES,
    MODEL,
    TYPES,
    ChampionGone,
    Drawn,
    Event,
    LineUp,
    Model,
    ModelMissing,
    ModelMoved,
    ModelUnfit,
    Nameable,
    NotYourJob,
    NotYourModel,
    ReportMissing,
    ReportUnfit,
    StillDeciding,
    StillNamed,
    WhyMissing,
)
from backend.domains.models.offsets import County, CountyModel

log = structlog.get_logger("models")

_ROLES = {"risk_analyst": "风险分析员", "auditor": "审计员", "head_office_admin": "管理员"}
WHO = {
    "draft": ("risk_analyst", "auditor", "head_office_admin"),
    "tested": ("risk_analyst",),
    "reviewed": ("risk_analyst", "auditor"),
    "approved": ("head_office_admin",),
    "shadow": ("risk_analyst", "head_office_admin"),
    "live": ("head_office_admin",),
    "watch": ("risk_analyst", "head_office_admin"),
    "retired": ("head_office_admin",),
}
"""Which roles may bring a model to a status."""


def families() -> dict[str, str]:
    """What a model may be for: all products, or one kind of product of the catalogue."""
    kind = facts.catalogue()["product_kind"]
    return {ALL_FAMILIES: "所有产品", **dict(zip(kind.members, kind.labels, strict=True))}


async def register(
    tx: Tx,
    body: bytes,
    *,
    name: str,
    type: str,
    purpose: str,
    owner: str,
    family: str = "*",
    external: bool = False,
    why: str,
) -> Model:
    """A new draft. Its data list is what the artefact reads, so it cannot be wrong.

    Raises `ModelUnfit`, `ArtefactUnreadable`, `StrategyRefused`, `WhyMissing`, `NotYourJob`.
    """
    require_maker(tx.actor)
    if not why.strip() or not purpose.strip() or not name.strip():
        raise WhyMissing()
    if type not in TYPES:
        raise ModelUnfit(why="没有这种类型")
    read = artefacts.read(body)
    compiled = artefacts.compile_model(body)
    decides = not external and _may_decide(body)
    if decides:
        _priced_fairly(compiled)
    new = Model(
        id=ids.new(),
        name=name.strip(),
        type=type,
        family=family,
        purpose=purpose.strip(),
        owner=owner,
        data_list=_data_list(compiled, read),
        artefact=compiled.hash,
        decides=decides,
        external=external,
        status="draft",
        report=None,
        made_by=tx.actor.id,
        made_at=tx.now,
        tested_by=None,
        reviewed_by=None,
        approved_by=None,
    )
    kind = str(getattr(read, "kind", "scorecard"))
    await repository.add_artefact(tx, compiled.hash, kind, canonical(read).decode())
    if decides and isinstance(read, scorecard.Scorecard | trees.Trees):
        await decisions.keep_card(tx, read)
    if not await repository.register(tx, new, why):
        raise ModelUnfit(why="同一个模型已经为这个用途登记过")
    audit.add(tx, "model.registered", new.id, type=type, family=family, artefact=new.artefact)
    return new


async def same(tx: Tx, body: bytes, type: str, family: str) -> Model | None:
    """The model of this artefact that stands in the register for this use already."""
    artefact = artefacts.compile_model(body).hash
    found = await all_models(tx)
    return next((m for m in found if (m.artefact, m.type, m.family) == (artefact, type, family)), None)


def _may_decide(body: bytes) -> bool:
    try:
        artefacts.compile_model(body, decides=True)
    except (artefacts.ArtefactUnreadable, StrategyRefused):
        return False
    return True


def _priced_fairly(compiled: artefacts.Model) -> None:
    """D3-03: two customers alike but for age, family or occupation get the same score, because nothing behind any
    feature of a model that decides may be such a fact."""
    known = facts.catalogue().facts
    plain, computed = features.closure(set(compiled.inputs) & set(known))
    unfair = sorted(
        known[name].label for name in {*plain, *computed} if name in known and not known[name].price
    )
    if unfair:
        raise ModelUnfit(why=f"背后用到了不能影响价格的数据：{'、'.join(unfair)}")


def _data_list(compiled: artefacts.Model, read: Any) -> list[dict[str, str]]:
    """Every column it reads, and behind a feature the facts it is computed from, with their sources."""
    known = facts.catalogue().facts
    column = read.column if isinstance(read, CountyModel) else None
    plain, computed = features.closure(set(compiled.inputs) - {column})
    names = [
        *compiled.inputs,
        *sorted(plain - set(compiled.inputs)),
        *sorted(set(computed) - set(compiled.inputs)),
    ]
    return [
        {"name": name, "label": known[name].label, "source": known[name].source}
        if name in known
        else {"name": name, "label": name, "source": "table"}
        for name in names
    ]


async def get(tx: Tx, model_id: str) -> Model:
    """Raises `ModelMissing`."""
    found = await repository.get(tx, model_id)
    if found is None:
        raise ModelMissing()
    return found


async def all_models(tx: Tx) -> list[Model]:
    return await repository.all_models(tx)


async def nameable(tx: Tx) -> list[Nameable]:
    """What a flow may name by its hash: the card of the release, then registered ones, newest first."""
    shipped = bundle.seeded().card
    found = [_named(shipped, "随系统发布的评分卡", "")]
    for artefact, name, status in await repository.nameable(tx):
        if artefact == shipped.hash:
            continue
        if artefact not in _NAMED:
            _NAMED[artefact] = _tried(await body(tx, artefact))
        known = _NAMED[artefact]
        if known is not None:
            found.append(msgspec.structs.replace(known, label=name, status=status))
    return found


_NAMED: dict[str, Nameable | None] = {}
"""By artefact, without name and status; None for one that cannot be asked here."""


def _tried(text: bytes) -> Nameable | None:
    try:
        return _named(cards.compile_card(cards.read(text), facts.catalogue()), "", "")
    except Exception as error:  # what today's catalogue refuses, or a graph that does not run
        log.error("a registered model cannot be asked in a flow", error=problem_code(error))
        return None


def _named(card: cards.Compiled, label: str, status: str) -> Nameable:
    low, high = card.extremes()
    kind: Literal["scorecard", "model"] = "model" if isinstance(card.card, trees.Trees) else "scorecard"
    return Nameable(
        artefact=card.hash, label=label, kind=kind, low=low, high=high, inputs=card.inputs, status=status
    )


async def history(tx: Tx, model_id: str) -> list[Event]:
    return await repository.events(tx, model_id)


async def test(
    tx: Tx,
    model_id: str,
    found: dict[str, Any],
    why: str,
    drawn: Drawn | None = None,  # noqa: PT028
) -> Model:
    """draft → tested, with the validation report of exactly this artefact and, where it was drawn, its files.
    Raises `ReportUnfit`."""
    model = await get(tx, model_id)
    require_report_of(model, found)
    changed = msgspec.structs.replace(model, status="tested", report=found, tested_by=tx.actor.id)
    seq = await _moved(tx, model, changed, why)
    if drawn is not None:
        await repository.add_report(tx, changed, seq, drawn)
    return changed


def require_report_of(model: Model, found: dict[str, Any]) -> None:
    """Raises `ReportUnfit` for a report of something else, or one that does not hold what a report must."""
    if report.check(found).model_sha256 != model.artefact:
        raise ReportUnfit(why="它说的是另一个模型（指纹不一样）")


async def reports(tx: Tx, model_id: str) -> list[int]:
    """Numbers of the acts (`Event.seq`) whose report can be had as files."""
    return await repository.report_numbers(tx, model_id)


async def report_file(tx: Tx, model_id: str, seq: int) -> Drawn:
    """Raises `ReportMissing`."""
    found = await repository.report_file(tx, model_id, seq)
    if found is None:
        raise ReportMissing()
    return found


async def review(tx: Tx, model_id: str, why: str, *, agreed: bool) -> Model:
    """tested → reviewed by another person; not agreed: back to draft, and everything is done again."""
    model = await get(tx, model_id)
    if agreed:
        _another(tx, model, "reviewed")
        return await _move(
            tx, model, msgspec.structs.replace(model, status="reviewed", reviewed_by=tx.actor.id), why
        )
    return await _move(tx, model, _emptied(model), why)


async def approve(tx: Tx, model_id: str, why: str, *, agreed: bool = True) -> Model:
    """reviewed → approved by a third person, or back to draft."""
    model = await get(tx, model_id)
    if not agreed:
        return await _move(tx, model, _emptied(model), why)
    _another(tx, model, "approved")
    return await _move(
        tx, model, msgspec.structs.replace(model, status="approved", approved_by=tx.actor.id), why
    )


def _emptied(model: Model) -> Model:
    return msgspec.structs.replace(
        model, status="draft", report=None, tested_by=None, reviewed_by=None, approved_by=None
    )


async def bring(tx: Tx, model_id: str, status: str, why: str) -> Model:
    """approved → shadow → live ⇄ watch → retired. Raises `StillDeciding` when a champion would retire,
    `StillNamed` when a strategy names it."""
    model = await get(tx, model_id)
    if status not in ("shadow", "live", "watch", "retired"):
        MODEL.check(model.status, "")
    if status == "retired":
        await decisions.hold_models(tx, [model.artefact])
        deciding = await repository.deciding_for(tx, model_id)
        if deciding:
            raise StillDeciding(family="、".join(families()[each] for each in deciding))
        naming = await repository.named_by(tx, model_id)
        if naming:
            raise StillNamed(strategy="、".join(_strategy(*each) for each in naming))
    return await _move(tx, model, msgspec.structs.replace(model, status=status), why)


def _strategy(stage: str, product_code: str, number: int | None) -> str:
    product = "" if product_code == "*" else f" {product_code}"
    return f"{STAGES[stage]}{product}" + (f" 第 {number} 版" if number else "")


async def _move(tx: Tx, old: Model, new: Model, why: str) -> Model:
    await _moved(tx, old, new, why)
    return new


async def _moved(tx: Tx, old: Model, new: Model, why: str) -> int:
    """The number of the act in the model's history."""
    if not why.strip():
        raise WhyMissing()
    MODEL.check(old.status, new.status)
    _may(tx, WHO[new.status])
    seq = await repository.move(tx, old, new, why.strip())
    if seq is None:
        raise ModelMoved()
    audit.add(tx, f"model.{new.status}", old.id, was=old.status, artefact=old.artefact)
    return seq


def _may(tx: Tx, roles: tuple[str, ...]) -> None:
    require(tx.actor, roles)


def require(actor: Actor, roles: tuple[str, ...]) -> None:
    if actor.kind != "staff" or actor.institution_id != UNION or not actor.has(*roles):
        raise NotYourJob(who="或".join(_ROLES[role] for role in roles))


def require_maker(actor: Actor) -> None:
    """Who registers and tests. Raises `NotYourJob`."""
    require(actor, WHO["tested"])


def next_acts(actor: Actor, model: Model) -> tuple[str, ...]:
    """The statuses this person may bring a model to now; SQL and the acts themselves hold the same."""
    if actor.kind != "staff" or actor.institution_id != UNION:
        return ()
    return tuple(
        status
        for status in MODEL.moves.get(model.status, ())
        if actor.has(*WHO[status]) and actor.id not in _had_a_hand(model, status)
    )


def blocked(actor: Actor, model: Model) -> bool:
    """The role would do for a step, but this person made, tested, reviewed or owns the model."""
    if actor.kind != "staff" or actor.institution_id != UNION:
        return False
    moves = MODEL.moves.get(model.status, ())
    return any(actor.has(*WHO[status]) and actor.id in _had_a_hand(model, status) for status in moves)


def _had_a_hand(model: Model, status: str) -> set[str | None]:
    """Who may not bring a model to this status (D1-05)."""
    if status == "reviewed":
        return {model.made_by, model.tested_by, model.owner}
    return {model.made_by, model.tested_by, model.reviewed_by} if status == "approved" else set()


async def offsets_of(tx: Tx, model: Model) -> list[County]:
    """A model's offsets per county (N14); none where it has none."""
    read = artefacts.read(await body(tx, model.artefact))
    return read.counties if isinstance(read, CountyModel) else []


def check_file(body: bytes) -> None:
    """Whether it is a model file that could be registered at all. Raises `ArtefactUnreadable`, `StrategyRefused`."""
    artefacts.compile_model(body)


def _another(tx: Tx, model: Model, status: str) -> None:
    """SQL holds the same; this gives the sentence."""
    if tx.actor.id in _had_a_hand(model, status):
        raise NotYourModel()


async def compare(tx: Tx, old: str, new: str) -> list[str]:
    """What changed between two registered models, in sentences. Raises `ModelMissing`."""
    before, after = await get(tx, old), await get(tx, new)
    return differences.between(await body(tx, before.artefact), await body(tx, after.artefact))


async def current(tx: Tx, family: str) -> LineUp | None:
    found = await repository.line_up(tx, family)
    return None if found is None else found.line_up


def bucket(application_id: str) -> int:
    """0…9999, the same for an application for ever and on every machine."""
    return int.from_bytes(hashlib.sha256(application_id.encode()).digest()[:8], "big") % 10_000


async def chosen(tx: Tx, family: str, application_id: str) -> artefacts.Card | None:
    """The card that decides this application in the county of `tx`: champion's or challenger's, with the county's
    offset; None when the shipped card does. One query, and compiled once per process. Raises `ChampionGone`, and as
    `card_of`."""
    found = await repository.line_up(tx, family)
    if found is None or found.line_up.champion is None:
        return None
    if found.champion is None:
        raise ChampionGone()
    challenged = found.challenger is not None and bucket(application_id) < found.line_up.share_bp
    artefact = found.challenger if challenged and found.challenger else found.champion
    return await card_of(tx, artefact)


async def champion(tx: Tx, family: str) -> artefacts.Card | None:
    """As `chosen`, of a case that is no real application: never the challenger's."""
    found = await repository.line_up(tx, family)
    return None if found is None or found.champion is None else await card_of(tx, found.champion)


async def card_of(tx: Tx, artefact: str) -> artefacts.Card:
    """A stored model as it decides in the county of `tx`, with the county's offset; compiled once per process. Raises
    `ArtefactUnreadable` for one that cannot decide."""
    known = _CARDS.get((artefact, tx.institution_id))
    if known is None:
        body = await repository.artefact(tx, artefact)
        known = _CARDS[artefact, tx.institution_id] = artefacts.for_county(body.encode(), tx.institution_id)
    return known


_CARDS: dict[tuple[str, str], artefacts.Card] = {}
"""By artefact and county; an artefact never changes, so neither does an entry."""


async def body(tx: Tx, artefact: str) -> bytes:
    """The stored bytes of a model, by its hash."""
    return (await repository.artefact(tx, artefact)).encode()


@lru_cache(maxsize=256)
def for_county(text: bytes, institution_id: str) -> artefacts.Model:
    """A model that may decide, with the county's offset, compiled once per process."""
    return artefacts.compile_model(canonical(artefacts.for_county(text, institution_id)), decides=True)


def card_for_county(text: bytes, institution_id: str) -> artefacts.Card:
    """The card a model would decide by in a county."""
    return artefacts.for_county(text, institution_id)


def problem_code(error: Exception) -> str:
    """What may be kept of an error of a shadow: its kind, never its words."""
    return error.code if isinstance(error, Problem) else type(error).__name__
