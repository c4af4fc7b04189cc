"""D3-07: figures about real customers, no one of which is somebody, nor comes out of several of them."""

import hashlib
import random
from typing import Any

import pytest

from backend.domains.trials import report, small_cells
from backend.domains.trials.model import Measured

FEWEST = 5


def draw(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode()).digest()[:4])


ROUNDING = small_cells.Rounding(FEWEST, draw)


def group(
    member: str,
    cases: int,
    *,
    side: str = "draft",
    grouping: str = "county",
    approved: int = 0,
    mark: int = 7,
) -> Measured:
    money = {
        "amount_fen": approved * 5_000_000,
        "rate_amount": approved * 5_000_000 * 500,
        "loss_fen": approved,
    }
    return Measured(
        grouping=grouping, member=member, side=side, cases=cases, approved=approved, referred=0,
        declined=cases - approved, matured=approved, bad=approved, approved_mark=mark, **money,
    )  # type: ignore[arg-type]  # fmt: skip


def total(*groups: Measured) -> list[Measured]:
    by_side: dict[str, list[int]] = {}
    for each in groups:
        sums = by_side.setdefault(each.side, [0, 0])
        sums[0] += each.cases
        sums[1] += each.approved
    return [
        *groups,
        *(group("", n, side=side, grouping="all", approved=a) for side, (n, a) in by_side.items()),
    ]


def shown(measured: list[Measured]) -> dict[tuple[str, str, str], Measured]:
    return {(m.grouping, m.member, m.side): m for m in small_cells.hidden(measured, ROUNDING)}


def seen(measured: list[Measured], grouping: str = "county") -> dict[str, int]:
    return {member: each.cases for (of, member, _), each in shown(measured).items() if of == grouping}


def test_small_groups_stand_together():
    assert set(seen(total(group("甲", 20), group("乙", 3), group("丙", 4)))) == {"甲", small_cells.OTHERS}


def test_one_small_group_is_not_found_by_taking_the_rest_from_the_total():
    found = seen(total(group("甲", 20), group("乙", 3), group("丙", 9)))
    assert found["甲"] == 20
    assert found[small_cells.OTHERS] in (10, 15)


@pytest.mark.parametrize("small, large", [("draft", "base"), ("base", "draft")])
def test_a_group_that_is_small_on_one_side_only_is_small(small: str, large: str):
    """Whichever side it is, and whichever comes first."""
    sides = [
        group("甲", 20, side=large), group("乙", 30, side=large), group("丙", 40, side=large),
        group("甲", 48, side=small), group("乙", 2, side=small), group("丙", 40, side=small),
    ]  # fmt: skip
    for measured in (total(*sides), total(*reversed(sides))):
        assert set(seen(measured)) == {"丙", small_cells.OTHERS}


def test_nothing_is_shown_of_fewer_than_five_in_all():
    assert shown(total(group("甲", 4))) == {}
    assert shown(total(group("甲", 5))) != {}


def test_a_draft_made_for_one_person_shows_the_same_whether_that_person_was_approved():
    """One swap, or none: no figure, no group and no file tells them apart, but for the roundings of who is approved."""
    everybody = [group("甲", 60, approved=40, side=side) for side in ("draft", "base")]
    one = [*total(*everybody), group("", 1, side="swap_out", grouping="all", approved=1)]
    one += [group("甲", 1, side="swap_out", approved=1), group("X", 1, grouping="reason")]
    none = total(*everybody)
    assert shown(one) == shown(none)
    (row,) = report.rows(list(shown(one).values()), "county")
    assert (row.swap_out, report.people(row.swap_out, FEWEST)) == (0, "不到 5")
    several = [*none, group("", 8, side="swap_out", grouping="all", approved=8)]
    assert shown(several)["all", "", "swap_out"].cases in (5, 10)


def test_a_count_is_a_multiple_of_five_and_right_on_the_whole():
    random.seed(1)
    for count in (5, 7, 9, 23, 1_004):
        found = [ROUNDING.count(count, random.randrange(2**40)) for _ in range(4_000)]
        assert set(found) <= {count // 5 * 5, count // 5 * 5 + 5}
        assert abs(sum(found) / len(found) - count) < 0.2
    assert {ROUNDING.count(n, 3) for n in range(5)} == {0}


def test_the_same_people_are_rounded_alike_and_one_more_is_rounded_anew():
    """Asked again the answer is the same; trials with and without somebody differ by chance, not by that somebody."""
    measured = total(group("甲", 60, approved=42, mark=123))
    assert shown(measured) == shown(measured)
    gaps = set()
    for mark in range(1, 400):
        without, along = (
            shown(total(group("甲", 60, approved=n, mark=mark * 1_000_003 + own)))["county", "甲", "draft"]
            for n, own in ((42, 0), (43, 77))
        )
        gaps.add(along.approved - without.approved)
    assert gaps == {-5, 0, 5}


def test_money_of_a_handful_is_not_said_and_an_average_is_as_fine_as_the_number_behind_it():
    for approved, step in ((20, 2_000_000), (21, 2_000_000), (1_000, 50_000)):
        by = shown(total(group("甲", 2_000, approved=approved)))["county", "甲", "draft"]
        assert by.mean_amount_fen % step == 0
        assert abs(by.mean_amount_fen - 5_000_000) <= step
    few = shown(total(group("甲", 20, approved=4)))["county", "甲", "draft"]
    assert (few.approved, few.amount_fen, few.loss_fen, few.bad, few.approval_bp) == (0, 0, 0, 0, None)


def test_files_say_null_for_too_few_and_nothing_of_the_marks():
    def told(measured: list[Measured]) -> Any:
        return [report._plain(each) for each in measured]

    few = told(list(shown(total(group("甲", 20, approved=4))).values()))
    assert {(each["cases"], each["approved"]) for each in few} == {(20, None)}
    plain = told([group("甲", 20, approved=0)])
    assert (plain[0]["approved"], plain[0]["fewest"]) == (0, 0)
    assert not [name for each in (*few, *plain) for name in each if name.endswith("_mark")]
