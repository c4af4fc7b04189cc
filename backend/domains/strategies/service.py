"""What other code may ask of strategies: their life from a draft to the end (A3-33, A3-34).

Every act takes the transaction of the person (`tx.actor`): in head office's ('0000') it is about the union's floor, in
a county's about that county's overlay. Acts check the role, compare and set the status, leave a move and an audit row.
Reading is for everybody whom row-level security lets read: a county sees the union's versions and its own.
"""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import asyncpg
import msgspec

from backend.core import clock
from backend.core.actor import Actor
from backend.db.database import Tx
from backend.domains.audit import service as audit
from backend.domains.decision import gate
from backend.domains.decision import service as decisions
from backend.domains.decision.model import Stage, canonical
from backend.domains.institutions.model import UNION as HEAD_OFFICE
from backend.domains.strategies import (
    checks,
    effects,
    ending,
    going_back,
    moving,
    nesting,
    overlays,
    repository,
)
from backend.domains.strategies.model import (
    MAKERS_COUNTY,
    MAKERS_UNION,
    UNION,
    BackBySecond,
    CheckRun,
    Content,
    ContentInvalid,
    CountyContent,
    DraftOpen,
    Finding,
    Move,
    MustNotEnd,
    NotDue,
    NothingToRollBack,
    NotMeasured,
    NotPassed,
    NotSubmitted,
    NotYourStrategy,
    ReasonMissing,
    Report,
    SecondPerson,
    StrategyMissing,
    StrategyMoved,
    UnionContent,
    Used,
    Version,
)

SHORTEST_REASON = 2  # characters
_UNCHECKED = Finding(kind="document", place="检查", sentence="还没有检查过")


def owner_of(actor: Actor) -> str:
    """Whose strategies this person works on: '*' in head office, else the county's."""
    return UNION if actor.institution_id == HEAD_OFFICE else actor.institution_id


def may_write(actor: Actor) -> bool:
    """Whether the role lets this person make and approve versions of their own level."""
    return actor.has(*(MAKERS_UNION if actor.institution_id == HEAD_OFFICE else MAKERS_COUNTY))


def may_approve(actor: Actor, version: Version) -> bool:
    """Whether this person could be the second one for a version: for showing the button."""
    mine = owner_of(actor) == version.institution_id and may_write(actor)
    return mine and str(actor) not in version.authors


async def get(tx: Tx, version_id: str) -> Version:
    """Raises `StrategyMissing`, also for another county's version."""
    found = await repository.get(tx, version_id)
    if found is None:
        raise StrategyMissing()
    return found


async def labels(tx: Tx, version_ids: Iterable[str]) -> dict[str, str]:
    """What versions are called, by id; one nobody here may read has none."""
    return await repository.labels(tx, sorted(set(version_ids)))


async def of_documents(tx: Tx, hashes: Iterable[str]) -> list[Used]:
    """The versions whose documents a decision names, head office's first; none for a document that came with the
    code."""
    return sorted(await repository.of_documents(tx, sorted(set(hashes))), key=lambda each: not each.union)


async def live_version(tx: Tx, owner: str, product_code: str, stage: Stage) -> Version | None:
    """What is live of a layer for a product (its own, else the one of all products); None: the shipped document of
    the union, or no overlay of the county."""
    return await repository.live(tx, owner, product_code, stage)


async def floor(tx: Tx, product_code: str, stage: Stage) -> UnionContent:
    """The union's document that decides for a product now, with what it opens to counties."""
    return await checks.floor(tx, product_code, stage)


async def laid_out_floor(tx: Tx, product_code: str, stage: Stage) -> UnionContent:
    """The same with the tables of its sub-flows laid out, as a county's content names them (`unfolding.py`)."""
    return await checks.laid_out_floor(tx, product_code, stage)


async def history(tx: Tx, owner: str, product_code: str, stage: Stage) -> list[Version]:
    """Every version of one strategy, newest first."""
    return await repository.history(tx, owner, product_code, stage)


async def moves(tx: Tx, version_id: str) -> list[Move]:
    """The life of a version: who moved it, why and when."""
    return await repository.moves(tx, version_id)


async def last_check(tx: Tx, version_id: str) -> CheckRun | None:
    """The newest run of the checks; None before the first."""
    return await repository.last_check(tx, version_id)


async def in_use(tx: Tx) -> list[Version]:
    """Everything live of the union and of this institution."""
    return await repository.in_status(tx, ("live",))


async def open_drafts(tx: Tx) -> list[Version]:
    """Drafts and checked versions that are being worked on."""
    return await repository.in_status(tx, ("draft", "checked"))


async def waiting(tx: Tx) -> list[Version]:
    """The approvals inbox: submitted versions of this person's own level."""
    found = await repository.in_status(tx, ("checked",))
    return [each for each in found if each.submitted_at and each.institution_id == owner_of(tx.actor)]


async def upcoming(tx: Tx) -> list[Version]:
    """Approved versions that wait for their day."""
    return await repository.in_status(tx, ("approved",))


async def due(tx: Tx, status: str) -> list[tuple[str, str]]:
    """(institution, version) of what the clock has to move: "approved" whose day has come, "live" whose time is over.
    Needs a union-wide reader."""
    return await repository.due(tx, status)


async def draft(
    tx: Tx, product_code: str, stage: Stage, *, reason: str, copy_of: str | None = None, note: str = ""
) -> Version:
    """A draft of the person's own level, holding what `copy_of` holds, else what is live (for the union else the
    shipped document, for a county else nothing).

    Raises `NotYourStrategy`, `ReasonMissing`, `DraftOpen`, `StrategyMissing`.
    """
    owner = _require_writer(tx)
    base = await get(tx, copy_of) if copy_of else await repository.live(tx, owner, product_code, stage)
    if base is not None and (base.institution_id != owner or base.stage is not stage):
        raise StrategyMissing()
    content: Content
    if base is not None:
        content = base.content
    elif owner == UNION:
        content = await floor(tx, product_code, stage)
    else:
        content = CountyContent()
    base_id, told = base.id if base else None, {"reason": reason, "note": note}
    # What nobody has approved is still their work who wrote it: none of them is the second person of its copy.
    authors = base.authors if base is not None and base.status in ("superseded", "rejected") else None
    return await _add(tx, owner, product_code, stage, content, base_id=base_id, **told, authors=authors)


async def save(
    tx: Tx, version_id: str, content: Content, *, note: str = "", reason: str = "", onto: str | None = None
) -> Version:
    """The draft with another content: a new version, the old one is superseded. A checked one is a draft again.

    `onto`: the version it now stands on, where that is not the draft before it. What cannot be read at all raises
    `ContentInvalid`; everything else is stored and told by `check`. Also `NotYourStrategy`, `StrategyMissing`,
    `StrategyMoved`.
    """
    old = await _locked(tx, version_id)
    if isinstance(old.content, UnionContent) is not isinstance(content, UnionContent):
        raise StrategyMissing()
    await moving.move(tx, old, "superseded", note or "改了内容")
    return await _add(
        tx,
        old.institution_id,
        old.product_code,
        old.stage,
        content,
        base_id=onto or old.id,
        reason=reason or old.reason,
        note=note,
        authors=old.authors,
    )


async def discard(tx: Tx, version_id: str, *, reason: str) -> None:
    """A draft nobody goes on with. Raises `StrategyMoved` when it is none any more."""
    version = await _locked(tx, version_id)
    await moving.move(tx, version, "superseded", _reason(reason))


async def check(tx: Tx, version_id: str, report: Report | None = None) -> CheckRun:
    """Run every check over a version and keep what they said; a draft without a failure is checked from now on.

    Findings of the document, what head office opened, scenarios, like pairs. `report`: what `checks.ready(…).report`
    said of this very version a moment ago, so that no transaction is open while it calculates (the content of a
    version never changes, and an approval runs the checks once more). Raises `StrategyMissing`, `NotYourStrategy`.
    """
    version = await _locked(tx, version_id)
    run = await repository.add_check(tx, version, report or await checks.examine(tx, version))
    if not run.failures and version.status == "draft":
        await moving.move(tx, version, "checked", "检查通过")
        await effects.ask(tx, version)
    audit.add(tx, "strategy.check", version.id, failures=run.failures, run=run.id)
    return run


async def to_preview(
    tx: Tx,
    product_code: str,
    stage: Stage,
    content: Content,
    unstored: nesting.Flows | None = None,
) -> checks.Ready:
    """The same checks over a content that is not stored, read for whoever types: `report` comes after the transaction.
    `unstored`: sub-flows of the content, by hash, that nobody has stored either. Raises `ContentInvalid`."""
    layer = UNION if isinstance(content, UnionContent) else owner_of(tx.actor)
    if isinstance(content, CountyContent):
        content = overlays.numbered(content)
    await _document(tx, product_code, stage, content)
    return await checks.ready_content(tx, layer, product_code, stage, content, unstored)


async def submit(tx: Tx, version_id: str) -> Version:
    """Put a checked version before a second person. Raises `NotPassed` (also for a draft), `Overtaken`,
    `StrategyMoved`."""
    version = await _locked(tx, version_id)
    if version.status == "draft":
        run = await repository.last_check(tx, version_id)
        raise NotPassed(run.report if run else Report(findings=[_UNCHECKED], scenarios=[]))
    await moving.require_newest(tx, version)
    await checks.require_within_floor(tx, version)
    await moving.hold_named(tx, version)
    if version.status != "checked" or not await repository.submit(tx, version):
        raise StrategyMoved(label=version.status_label)
    audit.add(tx, "strategy.submit", version.id, number=version.number)
    return await get(tx, version_id)


async def approve(
    tx: Tx,
    version_id: str,
    *,
    reason: str,
    effective_from: datetime | None = None,
    effective_until: datetime | None = None,
) -> Version:
    """A second person of the same level says yes; live at once, or on its day when `effective_from` lies ahead, until
    `effective_until` (None: until another takes its place).

    The checks are run once more, over this very content and what is live now. Raises `NotYourStrategy`,
    `SecondPerson`, `NotSubmitted`, `NotMeasured` (the effect on past cases is not known yet), `NotPassed`,
    `Overtaken` (something newer decides since it was begun), `StrategyMoved`, `MustNotEnd`, `EndsTooSoon`.
    """
    version = await _locked(tx, version_id)
    _require_second(tx, version)
    if version.status != "checked" or version.submitted_at is None:
        raise (
            NotSubmitted()
            if version.status in ("draft", "checked")
            else StrategyMoved(label=version.status_label)
        )
    when = max(effective_from or tx.now, tx.now)
    ending.require(version, when, effective_until, tx.now)
    await moving.require_newest(tx, version)
    if not await effects.measured(tx, version):
        raise NotMeasured()
    await moving.hold_named(tx, version)
    run = await repository.add_check(tx, version, await checks.examine(tx, version))
    if run.failures:
        raise NotPassed(run.report)
    await repository.add_approval(tx, version, "approved", _reason(reason), run)
    await moving.move(
        tx,
        version,
        "approved",
        reason,
        checker=str(tx.actor),
        effective_from=when,
        effective_until=effective_until,
    )
    approved = await get(tx, version_id)
    return await go_live(tx, version_id) if when <= tx.now else approved


async def reject(tx: Tx, version_id: str, *, reason: str) -> Version:
    """A second person says no, or takes back a yes before its day. It goes on as a new draft (`draft` with `copy_of`).

    Raises `NotYourStrategy`, `SecondPerson`, `NotSubmitted`, `StrategyMoved`.
    """
    version = await _locked(tx, version_id)
    _require_second(tx, version)
    if version.status == "checked" and version.submitted_at is None:
        raise NotSubmitted()
    await repository.add_approval(tx, version, "rejected", _reason(reason), None)
    await moving.move(tx, version, "rejected", reason)
    return await get(tx, version_id)


async def go_live(tx: Tx, version_id: str) -> Version:
    """An approved version decides from the commit on; the one before it is retired. Called by `approve`, and by the
    timetable for dated ones. One whose time is over by then decides nothing: what comes after it does, as approved.
    Raises `NotDue`, `NotPassed` when the document no longer passes, `StrategyMoved`."""
    version = await _locked(tx, version_id)
    if version.status != "approved":
        raise StrategyMoved(label=version.status_label)
    if version.effective_from is not None and version.effective_from > tx.now:
        raise NotDue(when=f"{clock.local(version.effective_from):%Y-%m-%d %H:%M}")
    until_now = await repository.live(tx, version.institution_id, version.product_code, version.stage)
    await moving.take_over(tx, version, "到了生效时间", version.effective_until)
    if ending.over(version, tx.now):
        await ending.finish(tx, await get(tx, version_id), "轮到它时已经过了结束时间", until_now)
    return await get(tx, version_id)


async def end(tx: Tx, version_id: str) -> Version:
    """到期: a live version whose time is over gives its place back (`ending.finish`). Called by the timetable. Raises
    `StrategyMoved`."""
    version = await _locked(tx, version_id)
    if not ending.over(version, tx.now):
        raise StrategyMoved(label=version.status_label)
    await ending.finish(tx, version, "到了结束时间")
    return await get(tx, version_id)


async def retire(tx: Tx, version_id: str, *, reason: str) -> Version:
    """A live version stops deciding: the product's falls back on the one of all products, a county's on the union's.

    Raises `MustNotEnd` for the union's version of all products, `SecondPerson` for who wrote a county's overlay:
    without it the county decides looser. Its last day was approved by a second person already.
    """
    version = await _locked(tx, version_id)
    if ending.must_decide(version):
        raise MustNotEnd()
    if version.layer == "county" and tx.actor.kind == "staff":
        _require_second(tx, version)
    await moving.move(tx, version, "retired", _reason(reason))
    await decisions.end_live(tx, version.institution_id, version.product_code, version.stage)
    return await get(tx, version_id)


async def roll_back(
    tx: Tx, product_code: str, stage: Stage, *, reason: str, to_version: str | None = None
) -> Version:
    """退回: the version that was live before decides again, on the approval it had and to its own end; one act.

    `to_version`: an older one. Raises `NotYourStrategy`, `ReasonMissing`, `NothingToRollBack`, `BackBySecond` for who
    wrote in a county's, `NotPassed` when it no longer passes the checks of its document, or a scenario no longer comes
    out as it must.
    """
    target = await going_back.find(tx, _require_writer(tx), product_code, stage, to_version)
    if target is None:
        raise NothingToRollBack()
    if not going_back.allowed(tx.actor, target):
        raise BackBySecond()
    report = await checks.examine(tx, target)
    if any(each.wrong for each in report.scenarios):
        raise NotPassed(report)
    await moving.take_over(tx, target, _reason(reason), target.effective_until, tx.now)
    audit.add(tx, "strategy.brought_back", target.id, number=target.number, stage=stage, product=product_code)
    return await get(tx, target.id)


async def _add(
    tx: Tx,
    owner: str,
    product_code: str,
    stage: Stage,
    content: Content,
    *,
    base_id: str | None,
    reason: str,
    note: str,
    authors: list[str] | None = None,
) -> Version:
    if isinstance(content, CountyContent):
        content = overlays.numbered(content)
    document, digest = await _document(tx, product_code, stage, content)
    await decisions.store(tx, stage, document, county=owner != UNION)
    try:
        number = await repository.add(
            tx,
            owner,
            product_code,
            stage,
            content=content,
            content_hash=gate.hash_of(content),
            document_hash=digest,
            base_id=base_id,
            authors=sorted({*(authors or ()), str(tx.actor)}),
            reason=_reason(reason),
            note=note,
        )
    except asyncpg.UniqueViolationError as taken:
        raise DraftOpen() from taken
    audit.add(tx, "strategy.draft", number, stage=stage, product=product_code)
    return await get(tx, number)


async def _document(tx: Tx, product_code: str, stage: Stage, content: Content) -> tuple[dict[str, Any], str]:
    """What runs, and its hash. Raises `ContentInvalid` for what is no graph at all."""
    try:
        if isinstance(content, UnionContent):
            overlays.tables(content.document)
            document = content.document
        else:
            document = await checks.composed(tx, product_code, stage, content)
        checks.require_rows(document)
        canonical(document)
    except (
        LookupError,
        TypeError,
        AttributeError,
        ValueError,
        msgspec.MsgspecError,
        RecursionError,
    ) as cause:
        said = Finding(kind="document", place="文件", sentence="不是一张能读懂的流程图")
        raise ContentInvalid([said]) from cause
    return document, gate.hash_of(document)


async def _locked(tx: Tx, version_id: str) -> Version:
    owner = _require_writer(tx)
    found = await repository.lock(tx, owner, version_id)
    if found is None:
        raise StrategyMissing()
    return found


def _require_writer(tx: Tx) -> str:
    """Whose strategies; the system acts for whom it works. Raises `NotYourStrategy`."""
    if tx.actor.kind != "system" and not may_write(tx.actor):
        raise NotYourStrategy()
    return owner_of(tx.actor)


def _require_second(tx: Tx, version: Version) -> None:
    if str(tx.actor) in version.authors or tx.actor.kind != "staff":
        raise SecondPerson()


def _reason(text: str) -> str:
    if len(text.strip()) < SHORTEST_REASON:
        raise ReasonMissing(fields={"reason": ReasonMissing.message})
    return text.strip()
