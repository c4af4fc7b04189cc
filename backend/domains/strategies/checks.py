"""Everything that is checked before a version may be approved, in one report (A3-20, A3-34, D3-03)."""

import copy
import re
from collections.abc import Awaitable, Callable
from functools import cache
from typing import Any

import msgspec

from backend.core import clock
from backend.db.database import Tx
from backend.domains.decision import assess, bundle, facts, gate, lint
from backend.domains.decision import service as decisions
from backend.domains.decision.bundle import Bundle
from backend.domains.decision.model import MOMENTS, Stage, StrategyRefused, VersionMissing
from backend.domains.regulation import service as regulation
from backend.domains.regulation.model import InForce
from backend.domains.strategies import (
    aside,
    calculations,
    composing,
    fairness,
    first_cases,
    judging,
    nesting,
    overlays,
    repository,
    scenarios,
    unfolding,
    verdicts,
    wording,
)
from backend.domains.strategies.judging import Using
from backend.domains.strategies.model import (
    UNION,
    Content,
    ContentInvalid,
    CountyContent,
    Document,
    Finding,
    NotPassed,
    Report,
    Scenario,
    UnionContent,
    Version,
)

MOST_ROWS = 1_000
"""Rows of one strategy over all its tables. The largest shipped one has 29; every row is held against every other
by the checks, so their cost grows with the square."""
_NTH = re.compile(r"第 (\d+) 行")
_PRICES = (Stage.RATING, Stage.LIMIT, Stage.PRICING)


def shipped(stage: Stage) -> Document:
    """The document of a stage that came with the code."""
    return copy.deepcopy(shipped_documents()[stage])


@cache
def shipped_documents() -> dict[Stage, Any]:
    """Of all stages, those of a decision and those asked at other moments; not to be changed."""
    return {**bundle.seeded_documents(), **{stage: assess.seeded_document(stage) for stage in MOMENTS}}


class Ready(msgspec.Struct, frozen=True, kw_only=True):
    """Everything the checks need, read; `report` is pure CPU, seconds of it for a large strategy (`aside.run`).

    `document` is what would run, a county's as composed today; `moved`: not what was composed when it was saved.
    `using` and `floor` build what would decide with it and without the county; None where that cannot be read.
    """

    owner: str
    stage: Stage
    content: Content
    document: Document
    under: UnionContent
    library: lint.Library
    rules: InForce
    held: list[Scenario]
    using: Callable[[], Using] | None
    floor: Callable[[], Using] | None
    moved: str = ""

    def report(self) -> Report:
        """Findings of the document, what head office opened, scenarios, like pairs."""
        report = self._report()
        if self.moved:
            said = "保存以后省联社的规则变了，请再保存一次，按新的规则写成"
            report.findings.append(Finding(kind="overlay", place=self.moved, sentence=said))
        return report

    def _report(self) -> Report:
        known = facts.catalogue()
        if isinstance(self.content, UnionContent):
            found = findings_of(self.stage, self.document, self.library)
            if not _block(found):
                laid = unfolding.laid_out(self.content, self.library.flows)
                found += overlays.check_openings(self.stage, laid, known)
                found += self._said()
        else:
            found = overlays.check_county(self.stage, self.under, self.content, known)
            if overlays.tables(self.document):
                of_document = findings_of(self.stage, self.document, self.library)
                of_document = _called(of_document, self.document, self.under.document)
                found += of_document if _block(of_document) else [*of_document, *self._said()]
        if _block(found):
            return Report(findings=found, scenarios=[])
        return self._tried(found)

    def _said(self) -> list[Finding]:
        known, parts = facts.catalogue(), nesting.parts(self.document, self.library.flows)
        return [
            each
            for part in parts
            for each in nesting.seen_in(part, wording.check(self.stage, part.document, self.rules, known))
        ]

    def _tried(self, found: list[Finding]) -> Report:
        """Run it: scenarios, like pairs, and beside head office's floor."""
        if self.using is None:
            return Report(findings=[*found, _unread()], scenarios=[])
        try:
            using = self.using()
        except StrategyRefused as refused:
            said = [Finding(kind="document", place="文件", sentence=each) for each in refused.findings]
            return Report(findings=[*found, *said], scenarios=[])
        results = scenarios.run(self.held, using)
        if self.stage in _PRICES and isinstance(using, Bundle):
            # A county keeps few scenarios or none: like pairs are made of the shipped cases, too.
            cases = [*(each.case for each in self.held), *first_cases.of_decision()]
            found = [*found, *fairness.check(cases, using)]
        if self.owner != UNION:
            found = [*found, *self._looser(using)]
        return Report(findings=found, scenarios=results)

    def _looser(self, using: Using) -> list[Finding]:
        """No scenario may end looser than under head office alone. It cannot by construction; this would show it."""
        if self.floor is None:
            return [_unread()]
        floor = self.floor()
        return [
            Finding(kind="looser", place=f"场景“{each.name}”", sentence=f"比省联社的规则宽：{why}")
            for each in self.held
            if (why := verdicts.looser(each.case, floor, using))
        ]


async def examine(tx: Tx, version: Version) -> Report:
    """Every check over a stored version."""
    return await aside.run((await ready(tx, version)).report)


async def ready(tx: Tx, version: Version) -> Ready:
    """A stored version, read for its checks."""
    owner, product_code = version.institution_id, version.product_code
    read = await ready_content(tx, owner, product_code, version.stage, version.content)
    stale = (
        isinstance(version.content, CountyContent) and gate.hash_of(read.document) != version.document_hash
    )
    return msgspec.structs.replace(read, moved=version.label) if stale else read


async def outdated(tx: Tx, version: Version) -> list[Finding]:
    """What of a county's overlay head office's present version no longer opens, or says otherwise. The overlay
    still only tightens; the county should look at it."""
    if not isinstance(version.content, CountyContent):
        return []
    under = await laid_out_floor(tx, version.product_code, version.stage)
    return overlays.check_county(version.stage, under, version.content, facts.catalogue())


async def require_within_floor(tx: Tx, version: Version) -> None:
    """Raises `NotPassed` where head office narrowed what a county may set since the checks passed."""
    if found := await outdated(tx, version):
        raise NotPassed(Report(findings=found, scenarios=[]))


async def ready_content(
    tx: Tx,
    owner: str,
    product_code: str,
    stage: Stage,
    content: Content,
    unstored: nesting.Flows | None = None,
) -> Ready:
    """The same of a content nobody has stored, with sub-flows of it that are not either."""
    under = await laid_out_floor(tx, product_code, stage)
    if isinstance(content, UnionContent):
        document = content.document
    else:
        document = await aside.run(composing.compose, stage, under, content, facts.catalogue())
    return Ready(
        owner=owner,
        stage=stage,
        content=content,
        document=document,
        under=under,
        library=await _library(tx, document, unstored),
        rules=await regulation.in_force(tx, clock.local(tx.now).date()),
        held=await repository.scenarios(tx, product_code, judging.moment(stage)),
        using=await _readable(
            judging.trial_later(tx, product_code, stage, content, document, unstored=unstored)
        ),
        floor=await _readable(judging.live_later(tx, product_code, stage, without_county=True))
        if owner != UNION
        else None,
    )


async def _readable(build: Awaitable[Callable[[], Using]]) -> Callable[[], Using] | None:
    """None where a text is missing, or the document is no graph at all: the checks tell both."""
    try:
        return await build
    except (VersionMissing, LookupError, TypeError, AttributeError):
        return None


async def document_findings(tx: Tx, stage: Stage, document: Document) -> list[Finding]:
    """What the decision domain's lint says of a document; warnings do not block."""
    return await aside.run(findings_of, stage, document, await _library(tx, document))


async def _library(tx: Tx, document: Document, unstored: nesting.Flows | None = None) -> lint.Library:
    try:
        return await decisions.referable(tx, [document], unstored)
    except (LookupError, TypeError, AttributeError):
        return lint.NOTHING  # no graph at all: the lint says so


def findings_of(stage: Stage, document: Document, library: lint.Library) -> list[Finding]:
    """As `document_findings`, without a database."""
    found = [
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
    return nesting.plainly(found, document, library.flows)


def _called(found: list[Finding], document: Document, union: Document) -> list[Finding]:
    """What is said of rows of a composed document, with the rows called as a county's page calls them: the composed
    table counts head office's rows that carry the county's number, then the county's own."""
    names: dict[str, list[str]] = {}
    places = composing.places(union)
    for number, node in overlays.tables(document).items():
        place = places.get(number)
        if place is None:
            continue
        held = [rule["_id"] for rule in overlays.tables(union)[place]["content"]["rules"]]
        rows = [rule["_id"] for rule in node["content"]["rules"]]
        set_to = [
            held.index(row) + 1 if (row := each.removesuffix(overlays.SET)) in held else 0 for each in rows
        ]
        names[number] = [
            f"省第 {at} 行（本行的数）" if at else f"本行第 {n - sum(map(bool, set_to[:n]))} 行"
            for n, at in enumerate(set_to, 1)
        ]

    words = calculations.words(document, facts.catalogue())

    def spoken(text: str, place: str) -> str:
        rows, text = names.get(place, []), calculations.plainly(text, words)
        return _NTH.sub(lambda m: rows[int(m[1]) - 1] if int(m[1]) <= len(rows) else m[0], text)

    return [
        msgspec.structs.replace(
            each,
            node=places.get(each.node, each.node),
            place=spoken(each.place, each.node),
            sentence=spoken(each.sentence, each.node),
        )
        for each in found
    ]


def require_rows(*documents: dict[str, Any]) -> None:
    """Raises `ContentInvalid` for a flow whose documents have more rows than `MOST_ROWS`."""
    contents = [node.get("content") for each in documents for node in overlays.tables(each).values()]
    # A draft may hold half a table: its checks say so, here it counts for nothing.
    held = [each.get("rules") for each in contents if isinstance(each, dict)]
    rows = sum(len(each) for each in held if isinstance(each, list))
    if rows > MOST_ROWS:
        said = f"各张表一共 {rows:,} 行，最多 {MOST_ROWS:,} 行；请把能合并的行合并，或按产品分成几条策略"
        raise ContentInvalid([Finding(kind="document", place="规则表", sentence=said)])


def _block(found: list[Finding]) -> bool:
    return any(each.blocks for each in found)


async def document_of(tx: Tx, version: Version) -> Document:
    """The document of a version: a union's as it is; a county's as it was composed when it was saved."""
    if isinstance(version.content, UnionContent):
        return version.content.document
    document: Document = await decisions.county_document(tx, version.document_hash)
    return document


async def floor(tx: Tx, product_code: str, stage: Stage) -> UnionContent:
    """The union's document that decides for a product now, with what it opens to counties."""
    found = await repository.live(tx, UNION, product_code, stage)
    if found is not None and isinstance(found.content, UnionContent):
        return found.content
    return UnionContent(document=shipped(stage))


async def composed(tx: Tx, product_code: str, stage: Stage, content: CountyContent) -> Document:
    """A county's document over what head office has live."""
    under = await laid_out_floor(tx, product_code, stage)
    return await aside.run(composing.compose, stage, under, content, facts.catalogue())


async def laid_out_floor(tx: Tx, product_code: str, stage: Stage) -> UnionContent:
    """The same with the tables of its sub-flows laid out, as a county's content names them."""
    found = await floor(tx, product_code, stage)
    return unfolding.laid_out(found, await nesting.flows_of(tx, found.document))


def _unread() -> Finding:
    return Finding(kind="document", place="文件", sentence="在用的另一个环节找不到原文，请找技术人员")
