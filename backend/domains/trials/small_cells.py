"""Figures about customers of several counties, as head office may see them: no group of so few that it is somebody
(D4, data minimisation). Groups of fewer than `FEWEST` are put together, sums of money over fewer are left out, and
neither comes out by taking the others from the total."""

from collections.abc import Iterable, Mapping

import msgspec

from backend.domains.trials.model import SUMS, Measured

FEWEST = 5
"""Cases of a group that may be shown by itself."""
OTHERS = "其他（每组不到 5 个）"


def together(sizes: Mapping[str, int]) -> set[str]:
    """Which groups cannot be told apart: those of too few, and the smallest of the rest until they are enough."""
    found = {name for name, size in sizes.items() if size < FEWEST}
    for name in sorted(sizes, key=lambda each: (sizes[each], each)):
        if not found or sum(sizes[each] for each in found) >= FEWEST:
            break
        found.add(name)
    return found


def hidden(measured: list[Measured]) -> list[Measured]:
    """A trial's figures without small groups; nothing at all of a trial of fewer cases than `FEWEST`."""
    if any(
        each.grouping == "all" and each.side in ("draft", "base") and each.cases < FEWEST for each in measured
    ):
        return []
    found: dict[tuple[str, str, str], Measured] = {}
    merged = {
        name: together(_sizes(measured, name)) for name in {each.grouping for each in measured} - {"all"}
    }
    for each in measured:
        member = OTHERS if each.member in merged.get(each.grouping, ()) else each.member
        key = (each.grouping, member, each.side)
        held = found.get(key)
        found[key] = msgspec.structs.replace(each, member=member) if held is None else _sum(held, each)
    unpriced = _unpriced(found.values())
    return [
        _without_money(each) if (each.grouping, each.side, each.member) in unpriced else each
        for each in found.values()
    ]


def _sizes(measured: list[Measured], grouping: str) -> dict[str, int]:
    """The smaller side of each group: a group may be large on one side and a single person on the other."""
    sizes: dict[str, int] = {}
    for each in measured:
        if each.grouping == grouping and each.side in ("draft", "base") and each.cases:
            sizes[each.member] = min(each.cases, sizes.get(each.member, each.cases))
    return sizes


def _sum(one: Measured, other: Measured) -> Measured:
    return msgspec.structs.replace(one, **{name: getattr(one, name) + getattr(other, name) for name in SUMS})


def _unpriced(measured: Iterable[Measured]) -> set[tuple[str, str, str]]:
    """Where sums of money would be those of a handful of people."""
    approved: dict[tuple[str, str], dict[str, int]] = {}
    for each in measured:
        if each.approved:
            approved.setdefault((each.grouping, each.side), {})[each.member] = each.approved
    found = {(*at, member) for at, sizes in approved.items() for member in together(sizes)}
    for (grouping, side), sizes in approved.items():
        base = approved.get((grouping, "base"), {})
        apart = (abs(size - base.get(member, 0)) for member, size in sizes.items())
        if side == "draft" and base and any(0 < each < FEWEST for each in apart):
            # All of them: the two sums apart are those few people's, and one alone comes out of the total.
            found |= {(grouping, side, member) for member in sizes}
    return found


def _without_money(each: Measured) -> Measured:
    return msgspec.structs.replace(each, amount_fen=0, rate_amount=0, loss_fen=0, matured=0, bad=0)
