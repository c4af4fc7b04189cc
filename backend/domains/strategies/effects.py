"""影响: a version tried on stored past answers before anybody approves it (A3-34, issue 3 §2).

A county's version is tried on that county's own decisions, or at a stage outside them on what that stage was asked and
kept (`moments.py`); the union's on those of every county. "Before" is what
would decide today, "after" the same with the version live. The counting is pure; `flows/measure_strategy` reads the
cases, calls `count` and keeps how far it came. The big back-test over history and synthetic people is another part.
"""

from collections.abc import Callable, Iterable

from backend.db.database import Tx
from backend.domains.audit import service as audit
from backend.domains.decision.assessment import Assessment
from backend.domains.decision.bundle import Bundle
from backend.domains.decision.model import Case, Decision, Outcome
from backend.domains.strategies import checks, judging, repository, verdicts
from backend.domains.strategies.judging import Answer, Using
from backend.domains.strategies.model import (
    Effect,
    EffectFigures,
    EffectMissing,
    Moved,
    Side,
    UnionContent,
    Version,
)
from backend.outbox import effects as outbox

MEASURE = "strategy.measure"
MOST = 5_000
"""Cases of one county a version is tried on, the newest; more is the back-test's work."""
EXAMPLES = 20


async def ask(tx: Tx, version: Version) -> None:
    """Have the worker try a version; a trial of this content that runs or ran already is enough."""
    last = await repository.last_effect(tx, version.id)
    if last is not None and last.content_hash == version.content_hash:
        return
    await outbox.add(tx, kind=MEASURE, case_id=version.id, key=_key(version, last), payload={})
    audit.add(tx, "strategy.measure", version.id)


async def ask_again(tx: Tx, version: Version) -> None:
    """Have a version that waits for its approval tried once more, on what came since. Nothing while a trial runs."""
    last = await repository.last_effect(tx, version.id)
    if last is None or last.finished_at is None or version.status != "checked":
        return
    payload: dict[str, object] = {"instead_of": last.id}
    await outbox.add(tx, kind=MEASURE, case_id=version.id, key=_key(version, last), payload=payload)
    audit.add(tx, "strategy.measure", version.id)


def _key(version: Version, last: Effect | None) -> str:
    return f"measure:{version.id}:{last.id if last else 'first'}"


async def begin(tx: Tx, version: Version, total: int, instead_of: str = "") -> Effect:
    """The trial of this content that is under way or done, unless it is `instead_of`; else a new one over `total`
    cases."""
    last = await repository.last_effect(tx, version.id)
    if last is not None and last.content_hash == version.content_hash and last.id != instead_of:
        return last
    return await get(tx, await repository.add_effect(tx, version, total))


async def advance(tx: Tx, effect: Effect, done: int, figures: EffectFigures, *, finished: bool) -> bool:
    """Keep how far it came. False when it was finished meanwhile."""
    return await repository.advance_effect(
        tx, effect, min(done, effect.cases_total), figures, finished=finished
    )


async def get(tx: Tx, effect_id: str) -> Effect:
    """Raises `EffectMissing`."""
    found = await repository.effect(tx, effect_id)
    if found is None:
        raise EffectMissing()
    return found


async def last_of(tx: Tx, version_id: str) -> Effect | None:
    """The newest trial of a version, running or done: for the page of the maker and the approver."""
    return await repository.last_effect(tx, version_id)


def wanted(version: Version) -> bool:
    """Whether anybody can still wait for its effect: a draft that another took the place of needs none."""
    return version.status not in ("superseded", "rejected")


async def measured(tx: Tx, version: Version) -> bool:
    """Whether the effect of this very content is known; a county without a stored answer yet has none to know."""
    last = await repository.last_effect(tx, version.id)
    if last is not None and last.finished_at is not None and last.content_hash == version.content_hash:
        return True
    return version.layer == "county" and not await judging.count_past(tx, version.stage, version.product_code)


Sides = tuple[Using, Using, Using | None]
"""What answers before and after, and head office's floor alone; None for the union's."""


class Bundles:
    """What decides before and after in one county, and head office's floor alone, by product."""

    def __init__(self, tx: Tx, version: Version) -> None:
        self._tx, self._version = tx, version
        self._made: dict[str, Sides] = {}

    async def of(self, product_code: str) -> Sides:
        """Raises `StrategyRefused`, `VersionMissing`."""
        if product_code not in self._made:
            self._made[product_code] = await self._make(product_code)
        return self._made[product_code]

    async def _make(self, product_code: str) -> Sides:
        return (await self.later(product_code))()

    async def later(self, product_code: str) -> Callable[[], Sides]:
        """As `of`, read; building them, pure CPU that raises `StrategyRefused`, is left to the caller."""
        tx, version = self._tx, self._version
        before = await judging.live_later(tx, product_code, version.stage)
        own = await repository.live(tx, version.institution_id, product_code, version.stage)
        shadowed = own is not None and own.product_code != version.product_code and own.product_code != "*"
        after, floor = None, None
        if not shadowed:  # else the product has a version of its own, which this one does not touch
            document = await checks.document_of(tx, version)
            after = await judging.trial_later(tx, product_code, version.stage, version.content, document)
        if not isinstance(version.content, UnionContent):
            floor = await judging.live_later(tx, product_code, version.stage, without_county=True)

        def build() -> Sides:
            now = before()
            return now, after() if after else now, floor() if floor else None

        return build


def count(figures: EffectFigures, cases: Iterable[tuple[str, Case, Sides]]) -> None:
    """Add these answers to the figures; two or three evaluations a case, about a millisecond each."""
    for number, case, (before, after, floor) in cases:
        one, other = judging.answer(case, before), judging.answer(case, after)
        if floor is not None:
            band = (after.price_band if isinstance(after, Bundle) else None) or (0, 0)
            figures.looser += bool(verdicts.looser_answer(judging.answer(case, floor), other, band))
        if isinstance(one, Decision) and isinstance(other, Decision):
            _add(figures.before, number, one)
            _add(figures.after, number, other)
            _difference(figures, number, one, other)
        elif isinstance(one, Assessment) and isinstance(other, Assessment):
            _said(figures, number, one, other)


def _said(figures: EffectFigures, number: str, one: Assessment, other: Assessment) -> None:
    """Two answers at a moment outside a decision."""
    old, new = judging.said(one), judging.said(other)
    figures.said_before[old] = figures.said_before.get(old, 0) + 1
    figures.said_after[new] = figures.said_after.get(new, 0) + 1
    if old != new:
        figures.swaps[f"{old}>{new}"] = figures.swaps.get(f"{old}>{new}", 0) + 1
        _example(figures, number, one, other)
    elif one.contact != other.contact:
        figures.other_ways += 1


def together(several: Iterable[EffectFigures]) -> EffectFigures:
    """The sums of several, without examples."""
    total = EffectFigures()
    for each in several:
        for mine, other in ((total.before, each.before), (total.after, each.after)):
            for name in Side.__struct_fields__:
                setattr(mine, name, getattr(mine, name) + getattr(other, name))
        for key, count in each.swaps.items():
            total.swaps[key] = total.swaps.get(key, 0) + count
        for name in ("lower_amounts", "higher_amounts", "looser", "skipped"):
            setattr(total, name, getattr(total, name) + getattr(each, name))
    return total


def _add(side: Side, number: str, decision: Decision) -> None:
    mark = int(number[-8:], 16)  # the end of an id is drawn at random
    if decision.outcome is Outcome.DECLINED:
        side.declined += 1
        side.declined_mark += mark
    elif decision.outcome is Outcome.REFERRED:
        side.referred += 1
        side.referred_mark += mark
    else:
        side.approved += 1
        side.approved_mark += mark
        side.amount_fen += decision.amount_fen or 0
        side.rate_bp_sum += decision.annual_rate_bp or 0


def _difference(figures: EffectFigures, number: str, one: Decision, other: Decision) -> None:
    swapped = one.outcome is not other.outcome
    if swapped:
        key = f"{one.outcome}>{other.outcome}"
        figures.swaps[key] = figures.swaps.get(key, 0) + 1
    figures.lower_amounts += not swapped and (other.amount_fen or 0) < (one.amount_fen or 0)
    figures.higher_amounts += not swapped and (other.amount_fen or 0) > (one.amount_fen or 0)
    priced = one.annual_rate_bp != other.annual_rate_bp
    if swapped or priced or one.amount_fen != other.amount_fen:
        _example(figures, number, one, other)


def _example(figures: EffectFigures, number: str, one: Answer, other: Answer) -> None:
    if len(figures.examples) >= EXAMPLES:
        return
    known = {reason.code for reason in one.reasons}
    figures.examples.append(
        Moved(
            decision_id=number,
            before=judging.said(one),
            after=judging.said(other),
            amount_before_fen=one.amount_fen if isinstance(one, Decision) else None,
            amount_after_fen=other.amount_fen if isinstance(other, Decision) else None,
            codes=[reason.code for reason in other.reasons if reason.code not in known],
        )
    )
