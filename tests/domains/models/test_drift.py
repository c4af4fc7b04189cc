"""PSI with the sample-size rule of trust.md §3: below 500 cases the bands would cry wolf."""

import random

import pytest
from scipy.stats import chi2

from backend.domains.models import drift, monitors

TRAINED = [2000] * 10


def drawn(people: int, weights, seed: int) -> list[int]:
    draw, counts = random.Random(seed), [0] * 10
    for bin_ in draw.choices(range(10), weights, k=people):
        counts[bin_] += 1
    return counts


@pytest.mark.parametrize("people", [50, 100, 300, 600])
def test_without_drift_hardly_any_alarm_at_any_size(people):
    alarms = sum(
        drift.drift(TRAINED, drawn(people, [1] * 10, seed)).level != drift.STEADY for seed in range(400)
    )
    assert alarms / 400 <= 0.03


def test_the_bands_alone_would_have_cried_wolf_at_fifty():
    """Why there is a rule at all: 81 % false alarms in trust.md §3's measurement."""
    above = sum(drift.drift(TRAINED, drawn(50, [1] * 10, seed)).psi > 0.1 for seed in range(400))
    assert above / 400 > 0.6


@pytest.mark.parametrize("people", [100, 300, 600, 5000])
def test_a_real_move_is_seen(people):
    moved = [1, 1, 1, 1, 1, 1, 2, 3, 4, 6]
    seen = sum(drift.drift(TRAINED, drawn(people, moved, seed)).level == drift.MOVED for seed in range(50))
    assert seen >= 48


def test_from_five_hundred_cases_on_the_bands_rule():
    assert drift.drift(TRAINED, drawn(500, [1] * 10, 1)).rule == "bands"
    assert drift.drift(TRAINED, drawn(500, [1] * 10, 1)).cut_offs == (0.10, 0.25)
    assert drift.drift(TRAINED, drawn(499, [1] * 10, 1)).rule == "chi_square"
    assert drift.drift(TRAINED, drawn(29, [1] * 10, 1)).level == drift.TOO_FEW


def test_the_rule_of_small_samples_counts_both_of_them_and_is_never_stricter_than_the_bands():
    few = drift.drift([10] * 10, [5] * 10)
    assert few.rule == "chi_square"
    assert few.cut_offs == tuple(drift.chi_square(p, 9) * (1 / 100 + 1 / 50) for p in (0.99, 0.999))
    assert drift.drift([200] * 2, [200] * 2).cut_offs == (0.10, 0.25), "χ² alone would say 0.03 and 0.05"


@pytest.mark.parametrize("freedom", [1, 2, 3, 4, 9, 19])
@pytest.mark.parametrize("p", [0.95, 0.99, 0.999])
def test_the_cut_off_is_that_of_chi_square(freedom, p):
    assert drift.chi_square(p, freedom) == pytest.approx(chi2.ppf(p, freedom), rel=0.025)


def test_auc_and_ks_count_ties_half():
    assert drift.auc_ks([1, 2, 3, 4], [1, 1, 0, 0]) == (1.0, 1.0)
    assert drift.auc_ks([1, 1, 1, 1], [1, 0, 1, 0]) == (0.5, 0.0)
    assert drift.auc_ks([1, 2], [0, 0]) is None


def test_discrimination_lost_is_an_alarm_and_few_ends_are_no_verdict():
    draw = random.Random(1)
    bad = [int(draw.random() < 0.2) for _ in range(1000)]
    good = monitors.ks("m", [round(600 - 60 * b + draw.gauss(0, 30)) for b in bad], bad, 0.5)
    lost = monitors.ks("m", [round(draw.gauss(600, 30)) for _ in bad], bad, 0.5)
    few = monitors.ks("m", [600] * 50, [0] * 49 + [1], 0.5)
    assert [each.level for each in (good, lost, few)] == [drift.STEADY, drift.MOVED, drift.TOO_FEW]


@pytest.mark.parametrize(
    "share, level", [(0.81, drift.STEADY), (0.79, drift.NOTICE), (0.61, drift.NOTICE), (0.59, drift.MOVED)]
)
def test_discrimination_below_four_fifths_of_then_is_noticed_and_below_three_fifths_an_alarm(share, level):
    scores, bad = [500] * 60 + [600] * 40 + [500] * 20 + [600] * 80, [1] * 100 + [0] * 100
    now = monitors.ks("m", scores, bad, 1.0)
    assert now.value == 0.4
    assert monitors.ks("m", scores, bad, 0.4 / share).level == level


def test_an_officer_unlike_all_others_is_seen_and_one_with_few_cases_is_not_judged():
    found = monitors.rates(
        "m", "approval", {"李四": (95, 100), "王五": (60, 100), "赵六": (64, 100), "新人": (0, 9)}
    )
    assert {each.subject: each.level for each in found} == {
        "李四": drift.MOVED, "王五": drift.NOTICE, "赵六": drift.STEADY, "新人": drift.TOO_FEW,
    }  # fmt: skip


def test_fairness_outside_the_band_is_a_task_for_a_person():
    """D3-03, trust.md §3."""
    found = monitors.fairness("m", "性别", {"男": (140, 200), "女": (50, 100), "": (1, 10)})
    assert {each.subject: each.level for each in found} == {
        "性别：男": drift.STEADY, "性别：女": drift.MOVED, "性别：": drift.TOO_FEW,
    }  # fmt: skip
    assert [each.value for each in found if each.subject == "性别：女"] == [pytest.approx(0.7143, abs=1e-4)]
    assert monitors.fairness("m", "性别", {}) == []
    edges = {"大": (50, 100), "少": (36, 90), "多": (50, 80), "更少": (39, 98), "更多": (51, 81)}
    assert {each.subject: each.level for each in monitors.fairness("m", "镇", edges)} == {
        "镇：大": drift.STEADY, "镇：少": drift.STEADY, "镇：多": drift.STEADY,
        "镇：更少": drift.MOVED, "镇：更多": drift.MOVED,
    }, "0.8 and 1.25 are inside"  # fmt: skip
