"""Head office's figures about counties' customers: no group so small that it is somebody."""

import pytest

from backend.domains.trials import small_cells
from backend.domains.trials.model import Measured


def group(
    member: str, cases: int, *, side: str = "draft", grouping: str = "county", approved: int = 0
) -> Measured:
    money = {
        "amount_fen": approved * 100,
        "rate_amount": approved * 500,
        "loss_fen": approved,
        "matured": approved,
    }
    return Measured(
        grouping=grouping, member=member, side=side, cases=cases, approved=approved, referred=0,
        declined=cases - approved, bad=approved, **money,
    )  # type: ignore[arg-type]  # fmt: skip


def total(*groups: Measured) -> list[Measured]:
    by_side = {each.side: 0 for each in groups}
    for each in groups:
        by_side[each.side] += each.cases
    return [*groups, *(group("", cases, side=side, grouping="all") for side, cases in by_side.items())]


def seen(measured: list[Measured], grouping: str = "county") -> dict[str, int]:
    return {each.member: each.cases for each in small_cells.hidden(measured) if each.grouping == grouping}


def test_small_groups_stand_together():
    assert seen(total(group("甲", 20), group("乙", 3), group("丙", 4))) == {"甲": 20, small_cells.OTHERS: 7}


def test_one_small_group_is_not_found_by_taking_the_rest_from_the_total():
    assert seen(total(group("甲", 20), group("乙", 3), group("丙", 9))) == {"甲": 20, small_cells.OTHERS: 12}


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
    assert small_cells.hidden(total(group("甲", 4))) == []
    assert small_cells.hidden(total(group("甲", 5))) != []


def test_money_of_a_handful_of_approvals_is_left_out_and_counts_stay():
    shown = small_cells.hidden(total(group("甲", 20, approved=4), group("乙", 20, approved=5)))
    by = {each.member: each for each in shown if each.grouping == "county"}
    assert (by["甲"].approved, by["甲"].amount_fen, by["甲"].loss_fen, by["甲"].bad) == (4, 0, 0, 0)
    assert by["乙"].amount_fen == 0, "or the four would come out of the total"
    groups = [group(name, 20, approved=approved) for name, approved in (("甲", 4), ("乙", 5), ("丙", 9))]
    shown = small_cells.hidden(total(*groups))
    assert [each.member for each in shown if each.grouping == "county" and each.amount_fen] == ["丙"]


def test_sums_of_two_sides_that_are_a_handful_apart_are_not_shown_beside_each_other():
    """Nine approvals and eight: what lies between the sums is one person's amount (D4)."""
    for approved, shown in ((8, False), (9, True), (14, True)):
        sides = [
            group("甲", 20, approved=9, side="base"), group("甲", 20, approved=approved),
            group("乙", 30, approved=15, side="base"), group("乙", 30, approved=15),
        ]  # fmt: skip
        money = [each.amount_fen for each in small_cells.hidden(total(*sides))
                 if (each.grouping, each.side) == ("county", "draft")]  # fmt: skip
        assert [bool(each) for each in money] == [shown, shown]
