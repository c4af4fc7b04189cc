"""Scores, reasons and the checks of a scorecard (A3-37, A6-21)."""

import msgspec
import pytest

from backend.domains.decision import bundle, facts, features, model, scorecard


@pytest.fixture
def card():
    return scorecard.seeded()


def compiled(card):
    return scorecard.CompiledScorecard(card, facts.catalogue())


def values_of(card, pick):
    return {part.name: pick(part) for part in card.characteristics}


def test_a_value_on_a_split_belongs_to_the_bin_above_it(card):
    base = values_of(card, lambda part: part.splits[0] - 1)
    for part in card.characteristics:
        below = compiled(card).score(base).score
        on = compiled(card).score(base | {part.name: part.splits[0]}).score
        assert on - below == part.points[1] - part.points[0]


def test_the_best_of_everything_has_nothing_against_it_and_the_worst_has_four_reasons(card):
    best = compiled(card).score(values_of(card, lambda p: p.splits[-1] if p.trend == "ascending" else 0))
    assert best.minus == ()
    assert best.score == card.base_points + sum(max(part.points) for part in card.characteristics)
    worst = compiled(card).score(values_of(card, lambda p: 0 if p.trend == "ascending" else p.splits[-1]))
    assert len(worst.minus) == 4
    assert worst.minus == tuple(sorted(worst.minus, reverse=True))
    assert worst.plus == ()


def test_a_missing_feature_is_an_error_never_a_default(card):
    given = values_of(card, lambda part: 0)
    given.pop("card_use_bp")
    with pytest.raises(KeyError):
        compiled(card).score(given)


@pytest.mark.parametrize(
    "change, sentence",
    [
        ({"points": [1, 2]}, "分数个数不对"),
        ({"splits": [5, 3, 9, 11, 12, 13]}, "没有按顺序"),
        ({"trend": "descending"}, "没有随数值单调变化"),
        ({"name": "age_years"}, "不能影响评级、额度或利率"),
        ({"name": "birth_on"}, "不是可以评分的数据项"),
        ({"name": "nobody_knows"}, "不是可以评分的数据项"),
    ],
)
def test_a_scorecard_with_a_fault_is_refused(card, change, sentence):
    index = next(i for i, part in enumerate(card.characteristics) if part.name == "core_deposit_average_6m")
    parts = list(card.characteristics)
    parts[index] = msgspec.structs.replace(parts[index], **change)
    with pytest.raises(model.StrategyRefused) as caught:
        compiled(msgspec.structs.replace(card, characteristics=parts))
    assert any(sentence in finding for finding in caught.value.findings)


def test_a_scorecard_of_nothing_or_with_one_feature_twice_is_refused(card):
    for parts in ([], [*card.characteristics, card.characteristics[0]]):
        with pytest.raises(model.StrategyRefused) as caught:
            compiled(msgspec.structs.replace(card, characteristics=parts))
        assert caught.value.findings == ["评分卡没有特征，或有重复的特征"]


@pytest.mark.parametrize("words", ["minus", "plus"])
def test_a_feature_that_could_not_be_told_to_the_customer_does_not_score(card, words):
    known = msgspec.json.decode(facts.catalogue().text)
    for fact in known:
        if fact["name"] == "card_use_bp":
            fact[words] = ""
    found = scorecard.check(card, facts.Catalogue(model.canonical(known)))
    assert found == ["信用卡使用率：没有给客户看的理由"]


def test_what_a_customer_may_keep_back_can_only_raise_the_score(card):
    for part in card.characteristics:
        if facts.catalogue()[part.name].withheld is not None:
            assert part.trend == scorecard.ASCENDING
    falling = [
        msgspec.structs.replace(part, trend="descending", points=part.points[::-1])
        if part.name == "housing_fund_months"
        else part
        for part in card.characteristics
    ]
    assert scorecard.check(msgspec.structs.replace(card, characteristics=falling), facts.catalogue())


def test_neither_age_nor_family_is_in_the_score(card):
    """D3-03."""
    plain, computed = features.closure({part.name for part in card.characteristics})
    assert not {"birth_on", "household_members", "occupation", "age_years"} & (plain | set(computed))


def test_the_shipped_report_belongs_to_the_shipped_scorecard():
    from importlib import resources

    folder = resources.files("backend.domains.decision") / "scorecards"
    report = msgspec.json.decode((folder / "personal_credit.report.json").read_bytes())
    assert report["scorecard_sha256"] == bundle.seeded().card.hash
    assert report["test"]["auc"] > 0.8
    assert report["test"]["ks"] > 0.45
    assert report["psi"]["psi"] < 0.01
