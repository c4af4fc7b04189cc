"""Gaps, overlaps and dead rows are told with one example in Chinese (A3-31, N4)."""

import zen
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.domains.decision import bundle, expressions, facts, lint
from backend.domains.decision.contracts import ERROR, WARNING
from backend.domains.decision.model import DECIDING, Stage
from tests.domains.decision.documents import rule, single

CATALOGUE = facts.catalogue()
QUERIES, MONTHS = "bureau_queries_6m", "core_relationship_months"


def findings(stage, document):
    return lint.check(stage, document, CATALOGUE)


def grade(letter, verdict="pass"):
    return [f"'{letter}'", f"'{verdict}'"]


def test_the_seeded_strategies_have_no_errors_and_their_warnings_are_true():
    told = {
        str(stage): [str(each) for each in findings(stage, bundle.seeded_documents()[stage])]
        for stage in DECIDING
    }
    assert told["fraud_check"] == told["eligibility"] == told["rating"] == []
    assert told["pricing"] == ["利率组成：信用等级为 E时没有“风险”这一项，会转人工"]
    assert len(told["limit"]) == 3


def test_two_rows_that_both_apply_are_told_with_one_case():
    rows = [
        ["< 3", "", *rule("A")],
        ["", "< 1", *rule("B")],
        ["[5..9]", "<= 6", *rule("C")],
        ["> 6", "[3..12]", *rule("D")],
    ]
    found = findings(Stage.ELIGIBILITY, single(Stage.ELIGIBILITY, [QUERIES, MONTHS], rows))
    assert [str(each) for each in found] == [
        "rules 第 4 行：近 6 个月贷款查询 7 次、与本行往来时间 3 个月时第 3 行和第 4 行都命中"
    ]
    assert (found[0].severity, found[0].node, found[0].row) == (WARNING, "rules", "rules-4")


def test_rows_on_different_columns_are_meant_to_be_true_together():
    rows = [["> 6", "", *rule("A")], ["", "< 3", *rule("B")]]
    assert findings(Stage.ELIGIBILITY, single(Stage.ELIGIBILITY, [QUERIES, MONTHS], rows)) == []


def test_a_gap_over_several_columns_is_an_error_with_the_case_nobody_thought_of():
    rows = [
        [">= 600", "'consumer'", *grade("A")],
        ["< 600", "", *grade("B")],
        ["> 700", "'business'", *grade("C", "refer")],
    ]
    document = single(Stage.RATING, ["score", "product_kind"], rows)
    assert [str(each) for each in findings(Stage.RATING, document)] == [
        "rules：评分 600 分、产品类别为 经营时没有一行适用"
    ]
    rows.append(["", "", *grade("D", "refer")])
    assert findings(Stage.RATING, single(Stage.RATING, ["score", "product_kind"], rows)) == []


def test_a_row_nothing_reaches_is_an_error_in_a_first_table():
    rows = [
        [">= 600", *grade("A")],
        ["< 600", *grade("B")],
        ["[500..650]", *grade("C")],
    ]
    found = findings(Stage.RATING, single(Stage.RATING, ["score"], rows))
    assert [(each.severity, each.row) for each in found] == [(ERROR, "rules-3")]
    assert "永远轮不到它" in str(found[0])


def test_two_rows_of_a_first_table_that_speak_of_one_case_are_told_with_it():
    rows = [[">= 600", *grade("A")], ["[550..650]", *grade("B")], ["", *grade("C")]]
    found = findings(Stage.RATING, single(Stage.RATING, ["score"], rows))
    assert [(each.severity, each.row) for each in found] == [(WARNING, "rules-2")]
    assert found[0].sentence == "评分 600 分时第 1 行和第 2 行都说到，按先写的第 1 行办"
    same = [[">= 600", *grade("A")], ["[550..650]", *grade("A")], ["", *grade("C")]]
    assert findings(Stage.RATING, single(Stage.RATING, ["score"], same)) == []


def test_no_more_overlaps_of_a_first_table_are_told_than_anybody_reads():
    rows = [[f"[{at}..{at + 2}]", *grade("AB"[at % 2])] for at in range(300, 360)]
    found = findings(Stage.RATING, single(Stage.RATING, ["score"], [*rows, ["", *grade("C")]]))
    assert len([each for each in found if "都说到" in each.sentence]) == 20


def test_a_row_said_twice_is_a_warning_in_a_rule_table():
    rows = [["> 6", *rule("A")], ["> 8", *rule("A")]]
    found = findings(Stage.ELIGIBILITY, single(Stage.ELIGIBILITY, [QUERIES], rows))
    assert [(each.severity, each.row) for each in found] == [(WARNING, "rules-2")]
    assert "多余" in str(found[0])
    twice = single(Stage.ELIGIBILITY, [QUERIES], [rows[0], rows[0]])
    assert [each.row for each in findings(Stage.ELIGIBILITY, twice)] == ["rules-2"]


def test_a_price_part_added_twice_is_told():
    part = ["'risk'", "'风险'", "300"]
    rows = [
        ["", "'lpr'", "'LPR'", "300"],
        ["", "'cost'", "'成本'", "100"],
        [">= 600", *part],
        ["<= 620", *part[:2], "500"],
    ]
    found = findings(Stage.PRICING, single(Stage.PRICING, ["score"], rows))
    assert [str(each) for each in found] == ["rules 第 4 行：评分 600 分时第 3 行和第 4 行都命中"]


def test_a_condition_on_another_fact_is_never_counted_as_coverage_it_may_not_give():
    """`<= product_max_age` and `> product_max_age` do cover everything, but that is not known here."""
    low = ["<= product_max_age", *grade("A")]
    high = ["> product_max_age", *grade("B")]
    document = single(Stage.RATING, ["score"], [low, high], "product_max_age")
    assert any("没有一行适用" in str(each) for each in findings(Stage.RATING, document))
    # What it surely reaches does count: the age is never above 120, so more than 120 is always more.
    sure = [["> product_max_age", *grade("A")], ["<= 120", *grade("B")]]
    assert not [
        each
        for each in findings(Stage.RATING, single(Stage.RATING, ["score"], sure, "product_max_age"))
        if each.severity == ERROR
    ]


def test_the_place_of_a_cell_is_there_for_a_page_to_mark():
    rows = [["> 6 and", *rule("A")], ["> 8", "'B'", "'deny'", "'x'", "'y'"]]
    found = findings(Stage.ELIGIBILITY, single(Stage.ELIGIBILITY, [QUERIES], rows))
    assert [(each.node, each.row, each.column) for each in found] == [
        ("rules", "rules-1", "c1"),
        ("rules", "rules-2", "r2"),
    ]


NUMBERS = st.one_of(
    st.integers(-3, 12).map(str), st.sampled_from(["2.5", "7.5", "-0.5", "3 + 1", "2 * 3", "9 / 2"])
)
ONE = st.one_of(
    st.tuples(st.sampled_from(["<", "<=", ">", ">=", "==", "!=", ""]), NUMBERS).map(" ".join),
    st.tuples(st.sampled_from("[("), NUMBERS, NUMBERS, st.sampled_from("])")).map(
        lambda t: f"{t[0]}{t[1]}..{t[2]}{t[3]}"
    ),
)


@given(st.lists(ONE, min_size=1, max_size=3).map(", ".join))
@settings(max_examples=500, deadline=None)
def test_what_a_number_cell_matches_is_what_zen_matches(cell):
    """The sets behind gaps and overlaps are those of the engine, over a whole small domain."""
    column = facts.Fact(
        name="n", label="数", kind="int", unit="次", family="", source="", absence="", low=0, high=10
    )
    try:
        read = expressions.condition(cell, column, {"n": column})
    except expressions.Unfit:
        return
    assert read.under == read.over
    for value in range(11):
        matched = any(low <= value <= high for low, high in read.over)
        assert zen.evaluate_unary_expression(cell, {"$": value}) == matched, (cell, value)


@given(
    st.lists(st.sampled_from(["match", "name_mismatch", "photo_mismatch"]), min_size=1, max_size=3),
    st.booleans(),
)
def test_what_a_choice_cell_matches_is_what_zen_matches(chosen, negated):
    column = CATALOGUE["identity_match"]
    cell = f"!= '{chosen[0]}'" if negated else ", ".join(f"'{each}'" for each in chosen)
    read = expressions.condition(cell, column, {})
    for place, member in enumerate(column.members):
        matched = any(low <= place <= high for low, high in read.under)
        assert zen.evaluate_unary_expression(cell, {"$": member}) == matched
