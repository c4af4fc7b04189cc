"""The monitors of models on what they seldom meet: nobody, one group, one kind of end, a model turned round (D1-05)."""

import pytest

from backend.domains.models import drift, monitors, report
from backend.domains.models.model import ReportUnfit
from tests.domains.models.test_register import REPORT


def test_a_model_that_ranks_the_wrong_way_round_has_lost_its_discrimination() -> None:
    """Its bad cases score highest: as far apart as ever, and worse than a coin."""
    bad = [0] * 100 + [1] * 100
    turned = monitors.ks(
        "m", [400 + each for each in range(100)] + [600 + each for each in range(100)], bad, 0.5
    )
    assert (turned.level, turned.value, turned.details["auc"]) == (drift.MOVED, 0.0, 0.0)
    assert drift.auc_ks([4, 3, 2, 1], [1, 1, 0, 0]) == (0.0, 0.0)


@pytest.mark.parametrize("bad", [[], [0] * 200, [1] * 200])
def test_no_end_and_one_kind_of_end_are_no_verdict(bad: list[int]) -> None:
    found = monitors.ks("m", [600] * len(bad), bad, 0.5)
    assert (found.level, found.value, found.cases) == (drift.TOO_FEW, None, len(bad))


def test_one_county_or_officer_alone_is_compared_with_nobody() -> None:
    [alone] = monitors.rates("m", "approval", {"4101": (90, 100)})
    assert (alone.level, alone.value, alone.details["others"]) == (drift.TOO_FEW, 0.9, None)
    large, small = monitors.rates("m", "approval", {"4101": (90, 100), "4102": (0, 3)})
    assert (large.level, small.level) == (drift.TOO_FEW, drift.TOO_FEW), "three others are nobody either"
    assert monitors.fairness("m", "县", {"4101": (90, 100)}) == []


@pytest.mark.parametrize("shares", [{}, {"4101": (0, 0)}, {"4101": (0, 0), "4102": (0, 0)}])
def test_nobody_is_no_verdict(shares: dict[str, tuple[int, int]]) -> None:
    found = [*monitors.rates("m", "approval", shares), *monitors.fairness("m", "县", shares)]
    assert {each.level for each in found} <= {drift.TOO_FEW}
    assert {each.value for each in found} <= {None}


def test_the_largest_group_without_one_approval_hides_no_difference() -> None:
    found = {each.subject: each for each in monitors.fairness("m", "性别", {"男": (0, 200), "女": (60, 100)})}
    assert (found["性别：女"].level, found["性别：女"].value) == (drift.MOVED, None)
    assert found["性别：男"].level == drift.STEADY
    none = monitors.fairness("m", "性别", {"男": (0, 200), "女": (0, 100)})
    assert [each.level for each in none] == [drift.STEADY] * 2, "nobody was approved: all alike"


@pytest.mark.parametrize(
    ("expected", "actual", "level"),
    [
        ([], [], drift.TOO_FEW),
        ([0] * 5, [0] * 5, drift.TOO_FEW),
        ([0] * 5, [100] * 5, drift.TOO_FEW),
        ([500] * 5, [0] * 5, drift.TOO_FEW),
        ([1000], [1000], drift.STEADY),
        ([0, 1000], [0, 1000], drift.STEADY),
        ([0, 1000], [1000, 0], drift.MOVED),
        ([100, 0], [0, 40], drift.MOVED),
    ],
)
def test_empty_and_single_bins_have_a_level(expected: list[int], actual: list[int], level: str) -> None:
    assert monitors.psi("m", "psi", "", expected, actual).level == level


@pytest.mark.parametrize("edges", [[520.0, 510.0], [500.0, 520.0, 510.0]])
def test_a_report_whose_edges_do_not_rise_is_refused(edges: list[float]) -> None:
    score = {"edges": edges, "counts": [10] * (len(edges) + 1)}
    with pytest.raises(ReportUnfit):
        report.check({**REPORT, "reference": {"score": score, "features": {}}})
