"""Everything that is checked before a version may be approved, in one report (A3-20, A3-34, D3-03)."""

import copy
from functools import cache
from typing import Any

from backend.db.database import Tx
from backend.domains.decision import assess, bundle, facts, gate, lint
from backend.domains.decision import service as decisions
from backend.domains.decision.bundle import Bundle
from backend.domains.decision.model import DECIDING, MOMENTS, Stage, StrategyRefused, VersionMissing
from backend.domains.strategies import fairness, overlays, repository, scenarios, verdicts
from backend.domains.strategies.model import (
    UNION,
    Content,
    CountyContent,
    Document,
    Finding,
    Report,
    Scenario,
    UnionContent,
    Version,
)

_PRICES = (Stage.RATING, Stage.LIMIT, Stage.PRICING)


def shipped(stage: Stage) -> Document:
    """The document of a stage that came with the code."""
    return copy.deepcopy(shipped_documents()[stage])


@cache
def shipped_documents() -> dict[Stage, Any]:
    """Of all stages, those of a decision and those asked at other moments; not to be changed."""
    return {**bundle.seeded_documents(), **{stage: assess.seeded_document(stage) for stage in MOMENTS}}


async def examine(tx: Tx, version: Version) -> Report:
    """Every check over a stored version."""
    owner, product_code = version.institution_id, version.product_code
    report = await examine_content(tx, owner, product_code, version.stage, version.content)
    if isinstance(version.content, CountyContent) and await _floor_moved(tx, version, version.content):
        said = "保存以后省联社的规则变了，请再保存一次，按新的规则写成"
        report.findings.append(Finding(kind="overlay", place=version.label, sentence=said))
    return report


async def _floor_moved(tx: Tx, version: Version, content: CountyContent) -> bool:
    """Whether the document composed when it was saved is not what would be composed today."""
    under = await _floor(tx, version.product_code, version.stage)
    now = overlays.compose(version.stage, under, content, facts.catalogue())
    return gate.hash_of(now) != version.document_hash


async def outdated(tx: Tx, version: Version) -> list[Finding]:
    """What of a county's live overlay head office's present version no longer opens, or says otherwise. The overlay
    still only tightens; the county should look at it."""
    if not isinstance(version.content, CountyContent):
        return []
    under = await _floor(tx, version.product_code, version.stage)
    return overlays.check_county(version.stage, under, version.content, facts.catalogue())


async def examine_content(tx: Tx, owner: str, product_code: str, stage: Stage, content: Content) -> Report:
    """The same over a content nobody has stored."""
    known = facts.catalogue()
    if isinstance(content, UnionContent):
        document = content.document
        found = await document_findings(tx, stage, document)
        if not _block(found):
            found += overlays.check_openings(stage, content, known)
    else:
        if stage not in DECIDING:
            return Report(findings=[_closed(stage)], scenarios=[])
        under = await _floor(tx, product_code, stage)
        found = overlays.check_county(stage, under, content, known)
        document = overlays.compose(stage, under, content, known)
        found += await document_findings(tx, stage, document) if overlays.tables(document) else []
    if _block(found) or stage not in DECIDING:
        return Report(findings=found, scenarios=[])
    return await _tried(tx, owner, product_code, stage, content, document, found)


async def _tried(
    tx: Tx,
    owner: str,
    product_code: str,
    stage: Stage,
    content: Content,
    document: Document,
    found: list[Finding],
) -> Report:
    """Run it: scenarios, like pairs, and beside head office's floor."""
    try:
        using = await trial(tx, product_code, stage, content, document)
    except StrategyRefused as refused:
        said = [Finding(kind="document", place="文件", sentence=each) for each in refused.findings]
        return Report(findings=[*found, *said], scenarios=[])
    except VersionMissing:
        said = [Finding(kind="document", place="文件", sentence="在用的另一个环节找不到原文，请找技术人员")]
        return Report(findings=[*found, *said], scenarios=[])
    held = await repository.scenarios(tx, product_code)
    results = scenarios.run(held, using)
    cases = [each.case for each in held]
    if stage in _PRICES:
        found = [*found, *fairness.check(cases, using)]
    if owner != UNION:
        found = [*found, *await _looser(tx, product_code, held, using)]
    return Report(findings=found, scenarios=results)


async def _looser(tx: Tx, product_code: str, held: list[Scenario], using: Bundle) -> list[Finding]:
    """No scenario may end looser than under head office alone. It cannot by construction; this would show it."""
    floor = await decisions.trial(tx, product_code, without_county=True)
    return [
        Finding(kind="looser", place=f"场景“{each.name}”", sentence=f"比省联社的规则宽：{why}")
        for each in held
        if (why := verdicts.looser(each.case, floor, using))
    ]


async def trial(tx: Tx, product_code: str, stage: Stage, content: Content, document: Document) -> Bundle:
    """What would decide in the county of `tx` with this content live. Raises `StrategyRefused`, `VersionMissing`."""
    if isinstance(content, UnionContent):
        band = content.openings.price_band
        return await decisions.trial(tx, product_code, documents={stage: document}, price_band=band)
    return await decisions.trial(tx, product_code, overlays={stage: document})


async def document_findings(tx: Tx, stage: Stage, document: Document) -> list[Finding]:
    """What the decision domain's lint says of a document; warnings do not block."""
    try:
        library = await decisions.referable(tx, [document])
    except (LookupError, TypeError, AttributeError):
        library = lint.NOTHING  # no graph at all: the lint says so
    return [
        Finding(
            kind="document",
            place=each.place,
            sentence=each.sentence,
            severity=each.severity,
            node=each.node,
            row=each.row,
            column=each.column,
        )
        for each in lint.check(stage, document, facts.catalogue(), library)
    ]


def _block(found: list[Finding]) -> bool:
    return any(each.blocks for each in found)


async def document_of(tx: Tx, version: Version) -> Document:
    """The document of a version: a union's as it is; a county's as it was composed when it was saved."""
    if isinstance(version.content, UnionContent):
        return version.content.document
    document: Document = await decisions.county_document(tx, version.document_hash)
    return document


async def _floor(tx: Tx, product_code: str, stage: Stage) -> UnionContent:
    found = await repository.live(tx, UNION, product_code, stage)
    if found is not None and isinstance(found.content, UnionContent):
        return found.content
    return UnionContent(document=shipped(stage))


def _closed(stage: Stage) -> Finding:
    return Finding(kind="overlay", place=str(stage), sentence="这一步现在由省联社统一，县行不能另设")
