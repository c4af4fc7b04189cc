"""No case is looser than head office, whatever a county writes (N4): random overlays × random cases.

The overlays go beyond what the checks would let a county save: numbers in the loosening direction, caps of billions,
grades better than the union's, discounts, facts the union never looks at. A few thousand pairs by default; more with
`XIAODAI_OVERLAYS=5000`.
"""

import copy
import os
import random
from collections import Counter
from typing import Any

import msgspec
import pytest

from backend.domains.decision import bundle, evaluate, facts, lint, scorecard
from backend.domains.decision.model import COUNTY, Outcome, Stage
from backend.domains.strategies import composing, overlays, shipped, verdicts
from backend.domains.strategies.model import CountyContent, Openings, Parameter, UnionContent
from tests.domains.decision.conftest import read, with_facts
from tests.domains.decision.test_properties import PLAIN, someone
from tests.domains.strategies import nested
from tests.domains.strategies.conftest import cell

OVERLAYS = int(os.environ.get("XIAODAI_OVERLAYS", "500"))
CASES_EACH = 6
KNOWN = facts.catalogue()
FLOOR = bundle.seeded()
SHIPPED = bundle.seeded_documents()
UNION = {
    stage: UnionContent(document=document, openings=shipped.openings(stage, document))
    for stage, document in SHIPPED.items()
}
CASES = [with_facts(someone(seed), **PLAIN) if seed % 2 else someone(seed) for seed in range(600)]
COMPARE = ("<", "<=", ">", ">=")


def condition(draw: random.Random, field: str) -> str:
    field = field.removesuffix(nested.TWICE)
    fact = KNOWN[field]
    if fact.kind == "bool":
        return draw.choice(["true", "false"])
    if fact.kind == "enum":
        return ", ".join(f"'{m}'" for m in draw.sample(fact.members, draw.randint(1, len(fact.members))))
    seen = [held.facts[field] for case in CASES[:60] for held in case.sources.values() if field in held.facts]
    middle = draw.choice(seen) if seen else draw.choice([0, 1, 24, 580, 600, 640, 600_000])
    return f"{draw.choice(COMPARE)} {max(fact.low + 1, min(fact.high - 1, int(middle)))}"


def row(draw: random.Random, stage: Stage, table: dict[str, Any], number: int) -> dict[str, str]:
    filled = draw.sample(table["inputs"], draw.randint(1, min(3, len(table["inputs"]))))
    made = {"_id": f"mine-{number}", **{c["id"]: condition(draw, c["field"]) for c in filled}}
    said = {
        "code": "'CT_RULE'",
        "severity": f"'{draw.choice(['decline', 'refer', 'note'])}'",
        "text": "'本行的规定'",
        "advice": "'问问客户经理'",
        "grade": f"'{draw.choice('ABCDE')}'",
        "verdict": f"'{draw.choice(['pass', 'pass', 'refer', 'decline'])}'",
        "cap": f"'{draw.choice(['county', 'income', 'product', 'regulation', 'requested'])}'",
        "part": f"'{draw.choice(['county', 'lpr', 'risk', 'cap', 'floor'])}'",
        "label": "'本行'",
        "amount": str(draw.choice([-5, 0, 100_000, 800_000, 3_000_000, 9_000_000, 10**12])),
        "bp": str(draw.choice([-900, -20, 0, 15, 100, 700])),
    }
    return made | {c["id"]: said[c["field"]] for c in table["outputs"]}


def overlay(draw: random.Random, stage: Stage, union: UnionContent) -> dict[str, Any] | None:
    """A county's document for a stage; None when nothing was drawn."""
    parameters = {
        each.id: draw.choice([each.low, each.high, each.low - 3, each.high + 5, each.high * 3])
        for each in union.openings.parameters
        if draw.random() < 0.4
    }
    rows = {
        place: [row(draw, stage, node["content"], n) for n in range(draw.randint(1, 3))]
        for place, node in overlays.tables(union.document).items()
        if draw.random() < 0.5
    }
    document = composing.compose(stage, union, CountyContent(parameters=parameters, rows=rows), KNOWN)
    return document if overlays.tables(document) else None


def layered(
    draw: random.Random,
    documents: dict[Stage, Any] = SHIPPED,
    unions: dict[Stage, UnionContent] = UNION,
    library: lint.Library = lint.NOTHING,
) -> bundle.Bundle | None:
    made = {
        stage: document
        for stage, union in unions.items()
        if (document := overlay(draw, stage, union)) and draw.random() < 0.6
    }
    band = draw.choice([None, (-20, 100), (0, 0), (0, 60), (-50, -10)])
    try:
        return bundle.build(
            documents,
            scorecard.seeded(),
            code="x",
            library=library,
            overlays=made,
            price_band=band,
            keep=False,
        )
    except bundle.gate.StrategyRefused:  # an interval without a number, and the like
        return None


def test_no_case_is_looser_than_head_office():
    outcomes: Counter[str] = Counter()
    tightened = refused = 0
    for seed in range(OVERLAYS):
        draw = random.Random(seed)
        county = layered(draw)
        if county is None:
            refused += 1
            continue
        for case in draw.sample(CASES, CASES_EACH):
            floor = evaluate.evaluate(case, FLOOR).decision
            found = evaluate.evaluate(case, county).decision
            band = county.price_band or (0, 0)
            assert verdicts.looser_than(floor, found, band) == "", (seed, floor, found)
            outcomes[f"{floor.outcome}>{found.outcome}"] += 1
            tightened += found.outcome is Outcome.APPROVED and found.amount_fen < floor.amount_fen
            codes = {reason.code for reason in floor.reasons if reason.severity == "decline"}
            assert codes <= {reason.code for reason in found.reasons}, seed
    assert refused < OVERLAYS / 3
    # The draw reaches what it must: refusals, referrals and smaller amounts by the county alone.
    assert min(outcomes["approved>declined"], outcomes["approved>referred"], tightened) > OVERLAYS / 100
    assert outcomes["approved>approved"] > OVERLAYS / 10


@pytest.mark.parametrize("computed", [False, True])
def test_no_case_is_looser_where_the_county_writes_inside_sub_flows(computed):
    """Every stage with its tables inside sub-flows, behind branches and two deep; then with everything they look at
    computed by the sub-flow itself."""
    documents, flows = nested.documents(SHIPPED, computed=computed)
    library, unions = lint.Library(flows), nested.unions(documents, flows)
    floor_alone = bundle.build(documents, scorecard.seeded(), code="x", library=library, keep=False)
    outcomes: Counter[str] = Counter()
    inside: Counter[str] = Counter()
    values: Counter[str] = Counter()
    refused = 0
    for seed in range(OVERLAYS):
        draw = random.Random(f"inside {seed}")
        county = layered(draw, documents, unions, library)
        if county is None:
            refused += 1
            continue
        for case in draw.sample(CASES, CASES_EACH):
            floor = evaluate.evaluate(case, floor_alone).decision
            found = evaluate.evaluate(case, county).decision
            assert verdicts.looser_than(floor, found, county.price_band or (0, 0)) == "", (seed, floor, found)
            outcomes[f"{floor.outcome}>{found.outcome}"] += 1
            own = [step for step in found.trace if step.layer == COUNTY]
            inside.update(step.stage for step in own if step.table.startswith("flow-1--"))
            values.update(
                step.stage
                for step in own
                if step.event == "row" and any(nested.TWICE in name for name in step.facts)
            )
    assert refused < OVERLAYS / 3
    assert min(outcomes["approved>declined"], outcomes["approved>referred"]) > OVERLAYS / 100
    assert outcomes["approved>approved"] > OVERLAYS / 20
    assert min(inside[stage] for stage in UNION) > OVERLAYS / 100, inside
    assert min(values[stage] for stage in UNION) > OVERLAYS / 100 if computed else not values, values


def test_a_county_says_the_same_over_what_is_computed_as_over_the_facts_themselves():
    """Both unions decide alike, so whatever a county adds to both must as well: for each overlay and case."""
    sides = []
    for computed in (False, True):
        documents, flows = nested.documents(SHIPPED, computed=computed)
        sides.append((documents, nested.unions(documents, flows), lint.Library(flows)))
    outcomes: Counter[str] = Counter()
    for seed in range(OVERLAYS // 2):
        both = [layered(random.Random(f"both {seed}"), *side) for side in sides]
        assert (both[0] is None) == (both[1] is None), seed
        if both[0] is None or both[1] is None:
            continue
        for case in random.Random(seed).sample(CASES, CASES_EACH):
            one, other = (evaluate.evaluate(case, each).decision for each in both)
            told = [
                (d.outcome, d.grade, d.amount_fen, d.annual_rate_bp, [r.code for r in d.reasons])
                for d in (one, other)
            ]
            assert told[0] == told[1], (seed, told)
            outcomes[one.outcome] += 1
    assert min(outcomes[each] for each in Outcome) > OVERLAYS / 20, outcomes


def test_a_county_that_adds_a_layer_is_no_looser_than_without_it():
    """Against the county itself: a worse grade of its own takes no case out of its own caps and surcharges."""
    compared: Counter[Stage] = Counter()
    for seed in range(OVERLAYS // 5):
        draw = random.Random(f"layer {seed}")
        county = layered(draw)
        if county is None:
            continue
        documents = {stage: msgspec.json.decode(text) for stage, text in county.overlay_texts.items()}
        for added in documents.keys() - {Stage.PRICING}:
            fewer = bundle.build(
                SHIPPED,
                scorecard.seeded(),
                code="x",
                overlays={stage: each for stage, each in documents.items() if stage != added},
                price_band=county.price_band,
                keep=False,
            )
            for case in draw.sample(CASES, CASES_EACH):
                before = evaluate.evaluate(case, fewer).decision
                after = evaluate.evaluate(case, county).decision
                assert verdicts.looser_than(before, after, (0, 0)) == "", (seed, added, before, after)
                compared[added] += 1
    assert compared[Stage.RATING] > OVERLAYS / 5


def test_a_countys_own_cap_for_a_grade_binds_whom_it_graded_so_itself():
    def made(stage: Stage, cells: dict[str, str]) -> Any:
        ((place, node),) = overlays.tables(UNION[stage].document).items()
        columns = (*node["content"]["inputs"], *node["content"]["outputs"])
        own = {"_id": "mine", **{c["id"]: cells[c["field"]] for c in columns if c["field"] in cells}}
        return composing.compose(stage, UNION[stage], CountyContent(rows={place: [own]}), KNOWN)

    layers = {
        Stage.RATING: made(Stage.RATING, {"score": "< 1400", "grade": "'D'", "verdict": "'pass'"}),
        Stage.LIMIT: made(
            Stage.LIMIT, {"grade": "'D'", "cap": "'county'", "label": "'本行'", "amount": "500000"}
        ),
        Stage.PRICING: made(
            Stage.PRICING, {"grade": "'D'", "part": "'county'", "label": "'本行'", "bp": "40"}
        ),
    }
    county = bundle.build(
        SHIPPED, scorecard.seeded(), code="x", overlays=layers, price_band=(0, 60), keep=False
    )
    found = evaluate.evaluate(read("approved_payroll"), county).decision
    assert (found.outcome, found.grade, found.amount_fen) == (Outcome.APPROVED, "D", 500_000)
    assert [each.bp for each in found.price if each.layer == COUNTY] == [40]


def test_whom_a_county_grades_worse_the_unions_own_limit_and_price_for_that_grade_bind():
    ((place, node),) = overlays.tables(UNION[Stage.RATING].document).items()
    columns = (*node["content"]["inputs"], *node["content"]["outputs"])
    cells = {"score": "< 1400", "grade": "'D'", "verdict": "'pass'"}
    own = {"_id": "mine", **{c["id"]: cells[c["field"]] for c in columns if c["field"] in cells}}
    rating = composing.compose(Stage.RATING, UNION[Stage.RATING], CountyContent(rows={place: [own]}), KNOWN)
    county = bundle.build(
        SHIPPED, scorecard.seeded(), code="x", overlays={Stage.RATING: rating}, price_band=(0, 60), keep=False
    )
    graded = copy.deepcopy(SHIPPED)
    for each in (f"grades-{number}" for number in range(1, 5)):
        cell(graded[Stage.RATING], "grades", each, "r1", "'D'")
    case = read("approved_payroll")
    floor, found, as_if = (
        evaluate.evaluate(case, using).decision
        for using in (FLOOR, county, bundle.build(graded, scorecard.seeded(), code="x", keep=False))
    )
    assert (found.outcome, found.grade, as_if.grade) == (Outcome.APPROVED, "D", "D")
    assert found.amount_fen == as_if.amount_fen < floor.amount_fen
    assert found.annual_rate_bp == as_if.annual_rate_bp > floor.annual_rate_bp


def test_not_even_under_a_union_document_whose_caps_rise_as_the_grade_falls():
    """A worse grade asks the union's limit again; only the smaller of both answers may count."""
    documents = copy.deepcopy(SHIPPED)
    for number, share in (("caps-4", "0.1"), ("caps-5", "0.1"), ("caps-7", "9"), ("caps-13", "9")):
        cell(documents[Stage.LIMIT], "caps", number, "r3", f"floor(usable_annual_income * {share})")
    for number, risk in (("parts-3", "700"), ("parts-4", "90"), ("parts-6", "10")):
        cell(documents[Stage.PRICING], "parts", number, "r3", risk)
    floor = bundle.build(documents, scorecard.seeded(), code="x", keep=False)
    worse = 0
    for grade in "ABCDE":
        row = {"_id": "own", "c1": ">= 0", "r1": f"'{grade}'", "r2": "'pass'"}
        document = composing.compose(
            Stage.RATING, UNION[Stage.RATING], CountyContent(rows={"grades": [row]}), KNOWN
        )
        county = bundle.build(
            documents, scorecard.seeded(), overlays={Stage.RATING: document}, code="x", keep=False
        )
        for case in CASES[:200]:
            one = evaluate.evaluate(case, floor).decision
            other = evaluate.evaluate(case, county).decision
            assert verdicts.looser_than(one, other, (0, 0)) == "", (grade, case)
            worse += other.outcome is Outcome.APPROVED and other.grade != one.grade
    assert worse > 20


def test_a_fact_only_the_county_looks_at_refers_when_it_is_missing_and_blinds_nobody():
    """The union's stages run on their own facts: what the county lacks can refer a case, never save it."""
    content = CountyContent(rows={"velocity": [
        {"_id": "own", "c1": "> 900", "r1": "'CT'", "r2": "'refer'", "r3": "'{household_members} 口人'", "r4": "''"}
    ]})  # fmt: skip
    document = composing.compose(Stage.FRAUD_CHECK, UNION[Stage.FRAUD_CHECK], content, KNOWN)
    county = bundle.build(
        SHIPPED, scorecard.seeded(), overlays={Stage.FRAUD_CHECK: document}, code="x", keep=False
    )
    good = read("approved_payroll")
    assert evaluate.evaluate(good, county).decision.outcome is Outcome.APPROVED
    missing = with_facts(good, device_customers_30d=...)
    assert evaluate.evaluate(missing, county).decision.outcome is Outcome.REFERRED
    declined = with_facts(good, device_customers_30d=..., court_enforcement=True, bureau_overdue_amount=5)
    assert evaluate.evaluate(declined, county).decision.outcome is Outcome.DECLINED


def test_a_county_rule_that_refers_does_not_turn_a_refusal_for_too_small_a_limit_into_a_question():
    """The union refuses a limit below the product's least unless it has an open question of its own."""
    small = read("declined_no_room")
    assert evaluate.evaluate(small, FLOOR).decision.outcome is Outcome.DECLINED
    content = CountyContent(rows={"capacity": [
        {"c3": ">= 0", "r1": "'CT_ASK'", "r2": "'refer'", "r3": "'要再问一下'", "r4": "''"}]})  # fmt: skip
    document = composing.compose(
        Stage.ELIGIBILITY, UNION[Stage.ELIGIBILITY], overlays.numbered(content), KNOWN
    )
    county = bundle.build(
        SHIPPED, scorecard.seeded(), overlays={Stage.ELIGIBILITY: document}, code="x", keep=False
    )
    found = evaluate.evaluate(small, county).decision
    assert found.outcome is Outcome.DECLINED
    assert "CT_ASK" in {step.output.get("code") for step in found.trace if step.layer == COUNTY}


def test_the_county_part_of_a_price_is_held_in_the_band_head_office_opened():
    good = read("approved_payroll")
    plain = evaluate.evaluate(good, FLOOR).decision.annual_rate_bp
    for asked, band, added in (
        (500, (-20, 100), 100),
        (-500, (-20, 100), -20),
        (30, (-20, 100), 30),
        (70, None, 0),
    ):
        content = CountyContent(rows={"parts": [{"_id": "a", "r1": "'x'", "r2": "'y'", "r3": str(asked)}]})
        document = composing.compose(Stage.PRICING, UNION[Stage.PRICING], content, KNOWN)
        county = bundle.build(
            SHIPPED,
            scorecard.seeded(),
            overlays={Stage.PRICING: document},
            price_band=band,
            code="x",
            keep=False,
        )
        found = evaluate.evaluate(good, county).decision
        assert found.annual_rate_bp == plain + added
        assert [part.bp for part in found.price if part.layer == COUNTY] == ([added] if added else [])


@pytest.mark.parametrize(
    "stage, name, value, example",
    [
        ("eligibility", "queries_6m", 9,
         "近 6 个月贷款查询是 8 的客户，省联社会拒绝，改成不低于 9 以后就不会了"),
        ("fraud_check", "device_customers", 5,
         "同一设备 30 天内申请人数是 4 的客户，省联社会转人工，改成高于 5 以后就不会了"),
        ("eligibility", "guarantees", 60_000_000,
         "对外担保余额是 500,000.01 元 的客户，省联社会转人工，改成高于 600,000 元 以后就不会了"),
        ("rating", "lowest_score", 500,
         "评分是 544 的客户，省联社会拒绝，改成低于 500 以后就不会了"),
        ("limit", "first_loan", 5_000_000,
         "省联社的上限是 30,000 元，改成 50,000 元 就放宽了"),
    ],
)  # fmt: skip
def test_a_number_in_the_loosening_direction_is_refused_with_a_customer_as_example(
    stage, name, value, example
):
    content = CountyContent(parameters={name: value})
    [found] = overlays.check_county(Stage(stage), UNION[Stage(stage)], content, KNOWN)
    assert (found.kind, found.sentence) == ("looser", example)
    assert found.node
    assert found.row


def test_the_example_is_right_on_every_number_of_the_domain():
    """The interval proof against brute force: an example exactly when some value is refused by the union alone."""
    spot = overlays.Spot
    for stage, union in UNION.items():
        for parameter in union.openings.parameters:
            held = spot(stage, union.document, parameter, KNOWN)
            operator, old = held.value()
            if not operator:
                continue
            matches = {"<": int.__lt__, "<=": int.__le__, ">": int.__gt__, ">=": int.__ge__}[operator]
            around = range(max(held.fact.low, old - 40), min(held.fact.high, old + 40) + 1)
            for new in (old - 30, old - 1, old, old + 1, old + 30):
                lost = [v for v in around if matches(v, old) and not matches(v, new)]
                assert bool(held.example(new)) is bool(lost), (parameter.id, new)


@pytest.mark.parametrize(
    "content, sentence",
    [
        (CountyContent(), "还没有写任何规则或参数"),
        (CountyContent(parameters={"nothing": 1}), "省联社没有开放这个参数"),
        (CountyContent(parameters={"queries_6m": 1}), "只能在 4 到 8 之间，现在是 1"),
        (CountyContent(rows={"nowhere": [{"_id": "a"}]}), "省联社没有开放在这张表里加行"),
        (CountyContent(rows={"bureau": [{"_id": "a", "c99": "> 1"}]}), "有一格不属于任何列：c99"),
        (CountyContent(rows={"bureau": [{"_id": "silent"}]}), "行的编号只用字母、数字和 _ . -"),
    ],
)
def test_what_head_office_did_not_open_is_refused_by_name(content, sentence):
    found = overlays.check_county(Stage.ELIGIBILITY, UNION[Stage.ELIGIBILITY], content, KNOWN)
    assert sentence in [each.sentence for each in found]


def opening(**changed: Any) -> UnionContent:
    first = UNION[Stage.ELIGIBILITY].openings.parameters[1]  # queries_6m, >= 8, [4..8]
    return UnionContent(
        document=SHIPPED[Stage.ELIGIBILITY],
        openings=Openings(parameters=(msgspec.structs.replace(first, **changed),)),
    )


@pytest.mark.parametrize(
    "changed, part",
    [
        ({"high": 9}, "9 不能在可选范围里"),
        ({"tighter": "higher"}, "数越小才越严"),
        ({"row": "bureau-99"}, "不在流程图里"),
        ({"low": 8, "high": 5}, "下限高于上限"),
        ({"column": "c1"}, "只能开放"),
    ],
)
def test_head_office_cannot_open_what_would_loosen(changed, part):
    [found] = overlays.check_openings(Stage.ELIGIBILITY, opening(**changed), KNOWN)
    assert part in found.sentence


def test_a_parameter_is_no_way_to_a_row_that_speaks_for_the_customer():
    grade_a = Parameter(
        id="a", label="A 级", table="grades", row="grades-1", column="c1", low=600, high=640, tighter="higher"
    )
    content = UnionContent(document=SHIPPED[Stage.RATING], openings=Openings(parameters=(grade_a,)))
    [found] = overlays.check_openings(Stage.RATING, content, KNOWN)
    assert "只能开放拒绝或转人工一行里的一个比较数" in found.sentence


def test_the_trace_says_which_layer_a_row_is_of():
    content = CountyContent(parameters={"queries_6m": 4})
    document = composing.compose(Stage.ELIGIBILITY, UNION[Stage.ELIGIBILITY], content, KNOWN)
    county = bundle.build(
        SHIPPED, scorecard.seeded(), overlays={Stage.ELIGIBILITY: document}, code="x", keep=False
    )
    found = evaluate.evaluate(read("declined_many_queries"), county).decision
    rows = {
        (step.row, step.layer) for step in found.trace if step.event == "row" and step.stage == "eligibility"
    }
    assert ("bureau-4", msgspec.UNSET) in rows
    assert ("bureau-4-county", COUNTY) in rows
    # Told once: the county's rule says nothing the union's does not.
    assert [r.code for r in found.reasons].count("EL_QUERIES_6M") == 1
