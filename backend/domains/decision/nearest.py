"""What a customer could really do to be approved, or to be given more: the nearest such change (N5, D3-03).

Only what `actionable.json` marks: acts a person can do within a year, that somebody else attests, that make the loan
safer and not merely look so. Every candidate is decided again, on the changed case with the very versions of the
decision, at most `MOST` times; what is told is what that decision said, "about", never a promise. The versions of the
list are kept with the answer.
"""

import hashlib
from collections.abc import Iterable, Iterator
from datetime import date
from functools import cache
from importlib import resources
from itertools import combinations

import msgspec

from backend.domains.decision import evaluate, facts, features, gate
from backend.domains.decision.bundle import Bundle
from backend.domains.decision.model import COUNTY, Capsule, Case, Decision, Outcome, Stage, Step, canonical

MOST = 50
"""Decisions one search may take, some 25 ms in all."""
WORTH_FEN = 100_000
"""A larger amount is worth telling from 1,000 yuan and a tenth more on."""
_TOLD_DOWN_TO = 100_000  # amounts are told in whole 1,000 yuan, rounded down
_AGAIN = "到时要重新审批，以那时的结果为准。"


class Grow(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Months that come by doing: up to `most` more; `marks` are aimed at besides the steps of the scorecard."""

    most: int
    marks: tuple[int, ...]
    effort: int


class Share(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Down to a share of another fact, never below the fact `at_least`, in whole `whole`."""

    of: str
    percent: tuple[int, ...]
    at_least: str = ""
    whole: int = 1


class Shorter(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    choices: tuple[int, ...]
    at_least: str


class Act(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One thing a person can do. `why` it is lawful and cannot be made up; `effort` about months of trouble (for
    `grow`, per month); `set` and `add` are facts that follow from it, `excludes` what it cannot go together with;
    `only` occupations that can begin it, where it has not begun; `months` it takes, where it is waiting (for `grow`,
    what it grows by)."""

    name: str
    fact: str
    why: str
    say: str
    effort: int = 0
    months: int = 0
    grow: Grow | None = None
    share: Share | None = None
    shorter: Shorter | None = None
    less: tuple[int, ...] = ()
    set: dict[str, int] = {}
    add: dict[str, int] = {}
    excludes: tuple[str, ...] = ()
    only: tuple[str, ...] = ()


class Actionable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """`left_out`: facts nobody may be advised to change, each with the reason."""

    offered: tuple[Act, ...]
    left_out: dict[str, str]


class Change(msgspec.Struct, frozen=True):
    """One act to a certain extent: the facts as they would be, how it is said, and in how many months it is true."""

    act: str
    facts: dict[str, int]
    text: str
    effort: int
    months: int = 0


class Nearest(msgspec.Struct, frozen=True, kw_only=True):
    """The cheapest change found. The offer is what the changed case was given; `tried` decisions it took; `actionable`
    is the SHA-256 of the list it was taken from."""

    changes: list[Change]
    amount_fen: int
    annual_rate_bp: int
    term_months: int
    text: str
    tried: int
    actionable: str


@cache
def actionable() -> tuple[Actionable, str]:
    """The list shipped with this version, and its hash."""
    text = resources.files(__package__).joinpath("actionable.json").read_bytes()
    return msgspec.json.decode(text, type=Actionable), hashlib.sha256(
        canonical(msgspec.json.decode(text))
    ).hexdigest()


def nearest(capsule: Capsule, bundle: Bundle, said: evaluate.Said | None = None) -> Nearest | None:
    """None where nothing lawful helps, nothing is asked for (a referred case is a person's), or a search finds nothing
    within `MOST` decisions. `bundle` is the one the capsule was decided with, `said` what was kept of deciding it."""
    if not _wanted(capsule):
        return None
    return _Search(capsule, bundle, said or evaluate.Said()).run()


def _wanted(capsule: Capsule) -> bool:
    decision, case = capsule.decision, capsule.case
    if case.interrupted_at or decision.gaps:
        return False
    if decision.outcome is Outcome.APPROVED:
        asked = _held(case, "requested_amount")
        return asked is not None and (decision.amount_fen or 0) < asked
    return decision.outcome is Outcome.DECLINED


def apply(case: Case, changes: Iterable[Change]) -> Case:
    """The case as it would be, and the person as old as by then: who waits past an age limit has waited for nothing."""
    changes = list(changes)
    sources = dict(case.sources)
    for change in changes:
        for name, value in change.facts.items():
            source = facts.catalogue()[name].source
            given = sources[source]
            sources[source] = msgspec.structs.replace(given, facts={**given.facts, name: value})
    if months := _months(changes):
        given = sources["application"]
        born = _earlier(date.fromisoformat(given.facts["birth_on"]), months)
        sources["application"] = msgspec.structs.replace(given, facts={**given.facts, "birth_on": born})
    return msgspec.structs.replace(case, sources=sources)


def _earlier(day: date, months: int) -> str:
    """A day so many months before, on the 28th at most: never a day too young."""
    year, month = divmod(day.year * 12 + day.month - 1 - months, 12)
    return date(year, month + 1, min(day.day, 28)).isoformat()


class _Search:
    """First single acts, the least trouble first: an act that does not reach to its full extent is not tried to less,
    and one that takes more trouble than what was found not at all. Then, where none reaches, two of those that bring
    the case nearer, and how little of them is enough."""

    def __init__(self, capsule: Capsule, bundle: Bundle, said: evaluate.Said) -> None:
        self._case, self._before, self._bundle = capsule.case, capsule.decision, bundle
        found = [_steps(act, self._case, bundle) for act in actionable()[0].offered if self._may_help(act)]
        self._steps = [steps for steps in found if steps]
        self._excludes = {act.name: act.excludes for act in actionable()[0].offered}
        self._seen: dict[tuple[tuple[str, int], ...], Decision] = {}
        self._at_most: dict[tuple[tuple[str, int], ...], int | None] = {}
        self._said = said
        said.told = False

    def _may_help(self, act: Act) -> bool:
        """Who is approved gets no more by asking for less."""
        return self._before.outcome is not Outcome.APPROVED or act.fact != "requested_amount"

    def run(self) -> Nearest | None:
        if self._is_settled():
            return None
        alone = sorted(
            ((steps, step) for steps in self._steps for step in steps), key=lambda each: each[1].effort
        )
        for steps, step in alone:
            if self._is_enough((steps[-1],)) and self._is_nearer(steps) and self._reaches((step,)):
                return self._told((step,))
        nearer = [steps for steps in self._steps if self._is_nearer(steps)]
        pairs = sorted(
            (pair for pair in combinations(nearer, 2) if self._go_together(pair)),
            key=lambda pair: pair[0][-1].effort + pair[1][-1].effort,
        )
        for first, second in pairs:
            if self._reaches((first[-1], second[-1])):
                return self._least((one, two) for one in first for two in second)
        return None

    def _is_settled(self) -> bool:
        """Whether a row declines that looks only at what no act moves (a court's list, a wrong identity): it matches
        in every case that could be tried. Told only of tables side by side; the way through a graph may change."""
        moved = {name for steps in self._steps for step in steps for name in step.facts}
        if any(step.months for steps in self._steps for step in steps):
            moved.add("birth_on")
        for step in self._before.trace:
            if step.event == "row" and step.output.get("severity") == "decline":
                document = self._document(step)
                behind = None if document.plan else _behind(document.leans[step.table, step.row])
                if behind is not None and behind.isdisjoint(moved):
                    return True
        return False

    def _document(self, step: Step) -> gate.CompiledStage:
        return (self._bundle.overlays if step.layer == COUNTY else self._bundle.stages)[Stage(step.stage)]

    def _may_be_enough(self, changes: tuple[Change, ...]) -> bool:
        """Whether the limit alone leaves enough, where more of it is what is looked for: that is asked first, since no
        other stage gives any, and most acts already end here."""
        before = self._before
        if before.outcome is not Outcome.APPROVED:
            return True
        assert before.amount_fen is not None
        key = self._key(changes)
        if key not in self._at_most:
            changed = apply(self._case, changes)
            self._at_most[key] = evaluate.at_most(changed, self._bundle, self._said)
        return (self._at_most[key] or 0) - before.amount_fen >= _worth(before.amount_fen)

    def _is_nearer(self, steps: list[Change]) -> bool:
        after = self._decide((steps[-1],))
        return after is not None and _better(after, self._before)

    def _go_together(self, pair: tuple[list[Change], list[Change]]) -> bool:
        one, two = pair[0][0], pair[1][0]
        return two.act not in self._excludes[one.act] and one.act not in self._excludes[two.act]

    def _least(self, candidates: Iterable[tuple[Change, ...]]) -> Nearest | None:
        for changes in sorted(candidates, key=_effort):
            if self._reaches(changes):
                return self._told(changes)
        return None

    def _decide(self, changes: tuple[Change, ...]) -> Decision | None:
        """None when the search has used up its decisions."""
        key = self._key(changes)
        if key not in self._seen:
            if len(self._seen) >= MOST:
                return None
            changed = apply(self._case, changes)
            self._seen[key] = evaluate.evaluate(changed, self._bundle, said=self._said).decision
        return self._seen[key]

    def _key(self, changes: tuple[Change, ...]) -> tuple[tuple[str, int], ...]:
        moved = [(name, value) for change in changes for name, value in change.facts.items()]
        return tuple(sorted([*moved, ("months", _months(changes))]))

    def _reaches(self, changes: tuple[Change, ...]) -> bool:
        """As old as by then, and as old as today: what age alone brings is no merit of the act."""
        at_once = tuple(msgspec.structs.replace(change, months=0) for change in changes)
        return self._is_enough(changes) and (not _months(changes) or self._is_enough(at_once))

    def _is_enough(self, changes: tuple[Change, ...]) -> bool:
        after = self._decide(changes) if self._may_be_enough(changes) else None
        if after is None or after.outcome is not Outcome.APPROVED or after.amount_fen is None:
            return False
        before = self._before
        if before.outcome is Outcome.DECLINED:
            return True
        assert before.amount_fen is not None
        assert before.annual_rate_bp is not None
        more = after.amount_fen - before.amount_fen
        dearer = (after.annual_rate_bp or 0) > before.annual_rate_bp
        return more >= _worth(before.amount_fen) and not dearer

    def _told(self, changes: tuple[Change, ...]) -> Nearest:
        after = self._decide(changes)
        assert after is not None
        assert after.amount_fen is not None
        assert after.annual_rate_bp is not None
        assert after.term_months is not None
        acts = "，并且".join(change.text for change in changes)
        return Nearest(
            changes=list(changes),
            amount_fen=after.amount_fen,
            annual_rate_bp=after.annual_rate_bp,
            term_months=after.term_months,
            text=f"{acts}后，额度约可到 {_yuan(after.amount_fen)}。{_AGAIN}",
            tried=len(self._seen),
            actionable=actionable()[1],
        )


def _worth(before_fen: int) -> int:
    """From how much more on it is worth telling."""
    return max(WORTH_FEN, before_fen // 10)


@cache
def _behind(names: tuple[str, ...]) -> frozenset[str] | None:
    """The facts behind the names a row looks at. None where one of them is no fact: what a flow computes itself, or
    what an earlier stage said, moves with whatever it is made of."""
    known = facts.catalogue()
    if not all(name in known and known[name].source != "stage" for name in names):
        return None
    return frozenset(features.closure(names)[0])


def _months(changes: Iterable[Change]) -> int:
    """Until all of them can be true, side by side."""
    return max((change.months for change in changes), default=0)


def _effort(changes: tuple[Change, ...]) -> int:
    return sum(change.effort for change in changes)


def _better(after: Decision, before: Decision) -> bool:
    """Nearer to an approval, or to more. A step that only moves one reason counts: another may move the rest."""
    return _distance(after) < _distance(before)


def _distance(decision: Decision) -> tuple[int, int, int]:
    against = [reason for reason in decision.reasons if reason.severity == "decline"]
    by_rule = sum(not reason.code.startswith("SC_") for reason in against)
    return by_rule, -(decision.score or 0), -min((cap.amount_fen for cap in decision.caps), default=0)


def _held(case: Case, name: str) -> int | None:
    """A fact of the case as a usable whole number; None when it is not there, kept back, or not one."""
    fact = facts.catalogue().facts.get(name)
    given = case.sources.get(fact.source) if fact else None
    if fact is None or given is None or name in given.withheld:
        return None
    value = given.facts.get(name)
    return None if type(value) is not int or fact.problem(value) else value


def _occupation(case: Case) -> object:
    given = case.sources.get("application")
    return given.facts.get("occupation") if given else None


def _steps(act: Act, case: Case, bundle: Bundle) -> list[Change]:
    """How far one can go with an act, the least first; nothing when it changes nothing here."""
    now = _held(case, act.fact)
    if now is None or (act.only and not now and _occupation(case) not in act.only):
        return []
    found = []
    for number, (value, words, effort) in enumerate(_values(act, now, case, bundle)):
        wanted = {act.fact: value, **act.set}
        for name, more in act.add.items():
            held = _held(case, name)
            if held is not None:
                wanted[name] = min(held + more, facts.catalogue()[name].high)
        changed = {name: each for name, each in wanted.items() if _held(case, name) not in (None, each)}
        if act.fact in changed or act.set.keys() & changed.keys():
            months, trouble = value - now if act.grow else act.months, effort or act.effort + number
            found.append(Change(act.name, changed, act.say.format(**words), trouble, months))
    return found


def _values(
    act: Act, now: int, case: Case, bundle: Bundle
) -> Iterator[tuple[int, dict[str, int | str], int]]:
    """(value, words for the sentence, effort; 0: the act's own and one more per step)."""
    if act.grow:
        most = min(now + act.grow.most, facts.catalogue()[act.fact].high)
        marks = {mark for mark in (*act.grow.marks, *_splits(act.fact, bundle)) if now < mark <= most}
        for mark in sorted(marks):
            yield mark, {"value": mark}, (mark - now) * act.grow.effort
    elif act.share:
        yield from _shares(act.share, now, case)
    elif act.shorter:
        low = _held(case, act.shorter.at_least) or 1
        for months in act.shorter.choices:
            if low <= months < now:
                yield months, {"value": months}, 0
    elif act.less:
        for count in act.less:
            if count <= now:
                yield now - count, {"count": count}, 0
    elif act.fact in act.set and now != act.set[act.fact]:
        yield act.set[act.fact], {}, 0


def _shares(share: Share, now: int, case: Case) -> Iterator[tuple[int, dict[str, int | str], int]]:
    whole, low = _held(case, share.of) or 0, _held(case, share.at_least) if share.at_least else 0
    for percent in share.percent:
        value = whole * percent // 100 // share.whole * share.whole
        if low is not None and low <= value < now:
            yield value, {"share": percent, "value": f"{value // 100:,}"}, 0


def _splits(name: str, bundle: Bundle) -> list[int]:
    """Where a points card's bins begin; trees have none."""
    parts = getattr(bundle.card.card, "characteristics", ())
    return [split for part in parts if part.name == name for split in part.splits]


def _yuan(fen: int) -> str:
    """Rounded down to whole 1,000 yuan, as people say it: 2 万元, 1.3 万元, 5,000 元."""
    yuan = fen // _TOLD_DOWN_TO * 1000
    return f"{yuan / 10_000:g} 万元" if yuan >= 10_000 else f"{yuan:,} 元"
