"""Figures about real customers as people may see them: no figure is somebody (D3-07, data minimisation).

Head office and counties alike, on pages, in files and on the command line. A count of fewer than `fewest` is not said,
and whether it is none is not said either, or a draft made for one person would ask after that person. Any other count
is rounded to a multiple of `fewest`, up or down by a secret draw that hangs on the very people counted (`*_mark`): the
same people are always rounded alike, so that asking again tells nothing, and one person more or less is rounded anew,
so that two trials subtracted tell nothing either. Averages are as fine as the number of people behind them allows.
"""

from collections.abc import Callable, Mapping

import msgspec

from backend.domains.trials.model import MARKS, SUMS, Measured, Run

OTHERS = "其他（每组太少，并在一起）"
DRAWN_BY_DRAFT = ("grade", "reason")
"""Groups a draft makes itself: that one is there at all would tell of it, so small ones are left out."""
_FEN, _BP = 10_000, 10


class Rounding(msgspec.Struct, frozen=True):
    """`draw`: a number of 32 bits, the same for the same text, which nobody outside can compute."""

    fewest: int
    draw: Callable[[str], int]

    def count(self, count: int, mark: object) -> int:
        """0 for too few; `mark` says who they are."""
        if count < self.fewest:
            return 0
        rest = count % self.fewest
        return count - rest + (self.fewest if self.draw(f"{mark} {count}") % self.fewest < rest else 0)

    def averages(
        self, fen: int, bps: tuple[int, ...], people: int, mark: object
    ) -> tuple[int, tuple[int, ...]]:
        """An average amount and averages in basis points of so many people, in steps so wide that a handful of these
        moves none by more than one."""
        part = self.draw(f"{mark} {people} priced") / 2**32
        wide = _step(self.fewest * fen // people, _FEN)
        narrow = _step(self.fewest * 100 // people, _BP)
        return int(fen / wide + part) * wide, tuple(int(bp / narrow + part) * narrow for bp in bps)


def _step(value: int, least: int) -> int:
    """At least so wide, and round itself: 1, 2, 5, 10 … times the least, or its width would tell the number of
    people."""
    while least < value:
        least = least * 5 // 2 if str(least).startswith("2") else least * 2
    return least


def together(sizes: Mapping[str, int], fewest: int) -> set[str]:
    """Which groups cannot be told apart: those of too few, and the smallest of the rest until they are enough."""
    found = {name for name, size in sizes.items() if size < fewest}
    for name in sorted(sizes, key=lambda each: (sizes[each], each)):
        if not found or sum(sizes[each] for each in found) >= fewest:
            break
        found.add(name)
    return found


def hidden(measured: list[Measured], rounding: Rounding) -> list[Measured]:
    """A trial's figures as they may be shown; nothing at all of a trial of too few cases."""
    fewest = rounding.fewest
    if any(
        each.grouping == "all" and each.side in ("draft", "base") and each.cases < fewest for each in measured
    ):
        return []
    found: dict[tuple[str, str, str], Measured] = {}
    merged = {
        name: together(_sizes(measured, name), fewest)
        for name in {each.grouping for each in measured} - {"all", *DRAWN_BY_DRAFT}
    }
    for each in measured:
        member = OTHERS if each.member in merged.get(each.grouping, ()) else each.member
        key = (each.grouping, member, each.side)
        held = found.get(key)
        found[key] = msgspec.structs.replace(each, member=member) if held is None else _sum(held, each)
    return [_rounded(each, rounding) for each in found.values() if each.cases >= fewest]


def told(run: Run, measured: list[Measured], rounding: Rounding) -> Run:
    """The run with what it says of like pairs rounded as `measured`, its figures as they are."""
    approved = (m.approved_mark for m in measured if (m.grouping, m.side) == ("all", "draft"))
    differing = run.pairs_differing - run.pairs_differing % rounding.fewest
    return msgspec.structs.replace(
        run,
        pairs=rounding.count(run.pairs, next(approved, 0)),
        pairs_differing=differing,
        worst_gap_bp=-(-run.worst_gap_bp // _BP) * _BP if differing else 0,
    )


def _sizes(measured: list[Measured], grouping: str) -> dict[str, int]:
    """The smaller side of each group: a group may be large on one side and a single person on the other."""
    sizes: dict[str, int] = {}
    for each in measured:
        if each.grouping == grouping and each.side in ("draft", "base") and each.cases:
            sizes[each.member] = min(each.cases, sizes.get(each.member, each.cases))
    return sizes


def _sum(one: Measured, other: Measured) -> Measured:
    return msgspec.structs.replace(one, **{name: getattr(one, name) + getattr(other, name) for name in SUMS})


def _rounded(each: Measured, rounding: Rounding) -> Measured:
    count = rounding.count
    cases = count(each.cases, each.approved_mark + each.referred_mark + each.declined_mark)
    approved = min(cases, count(each.approved, each.approved_mark))
    seen = msgspec.structs.replace(
        each,
        cases=cases,
        approved=approved,
        referred=min(cases, count(each.referred, each.referred_mark)),
        declined=min(cases, count(each.declined, each.declined_mark)),
        matured=count(each.matured, each.approved_mark),
        bad=count(each.bad, each.approved_mark),
        **dict.fromkeys(("amount_fen", "rate_amount", "loss_fen", *MARKS), 0),
        fewest=rounding.fewest,
    )
    if not approved:
        return seen
    shares = (each.mean_rate_bp, each.loss_bp)
    mean, (rate, loss) = rounding.averages(each.mean_amount_fen, shares, each.approved, each.approved_mark)
    amount = mean * approved
    return msgspec.structs.replace(
        seen, amount_fen=amount, rate_amount=rate * amount, loss_fen=loss * amount // 10_000
    )
