"""At no moment outside a decision is a case looser than head office, whatever a county writes (N4): random overlays ×
random cases, for each of the five. As in `test_never_looser.py` the overlays go beyond what could be saved.

A few thousand pairs by default; more with `XIAODAI_OVERLAYS=5000`.
"""

import os
import random
from collections import Counter
from typing import Any

import msgspec
import pytest

from backend.domains.decision import assess, county_moments, facts, lint
from backend.domains.decision.assessment import ASK, NONE, Assessment
from backend.domains.decision.contracts import ACTIONS, CHANNELS, DUNNING
from backend.domains.decision.model import COUNTY, MOMENTS, Case, Stage, StrategyRefused, canonical
from backend.domains.strategies import checks, composing, overlays, shipped, unfolding, verdicts
from backend.domains.strategies.model import CountyContent, Document, UnionContent
from tests.domains.decision.test_assess import FINE, case, say
from tests.domains.strategies import nested

OVERLAYS = int(os.environ.get("XIAODAI_OVERLAYS", "400"))
CASES_EACH = 8
KNOWN = facts.catalogue()
UNION = {
    stage: UnionContent(
        document=checks.shipped(stage), openings=shipped.openings(stage, checks.shipped(stage))
    )
    for stage in MOMENTS
}


def value(draw: random.Random, name: str) -> Any:
    """Near what decides, and now and then missing or wrong."""
    fact, fine = KNOWN[name], draw.random()
    if fine < 0.01:
        return draw.choice([..., None, "x"])
    if fine < 0.6:
        return next(given[name] for given in FINE.values() if name in given)
    if fact.kind == "bool":
        return draw.random() < 0.5
    if fact.kind == "enum":
        return draw.choice(fact.members)
    return max(fact.low, min(fact.high, draw.choice([0, 1, 3, 5, 8, 10, 20, 31, 65, 95, -6000, 600_000])))


def someone(draw: random.Random, stage: Stage) -> Case:
    return case(stage, **{name: value(draw, name) for name in FINE[stage]})


def condition(draw: random.Random, field: str) -> str:
    fact = KNOWN[field.removesuffix(nested.TWICE)]
    if fact.kind == "bool":
        return draw.choice(["true", "false"])
    if fact.kind == "enum":
        return ", ".join(f"'{m}'" for m in draw.sample(fact.members, draw.randint(1, len(fact.members))))
    middle = draw.choice([1, 2, 5, 9, 15, 30, 60, 400, -3000, 800_000])
    inside = max(fact.low + 1, min(fact.high - 1, middle))
    return f"{draw.choice(('<', '<=', '>', '>='))} {inside}"


def row(draw: random.Random, stage: Stage, table: dict[str, Any], number: int) -> dict[str, str]:
    filled = draw.sample(table["inputs"], draw.randint(1, min(2, len(table["inputs"]))))
    made = {"_id": f"mine-{number}", **{c["id"]: condition(draw, c["field"]) for c in filled}}
    action = draw.choice(DUNNING if stage is Stage.COLLECTION else ACTIONS)
    said = {
        "code": "'CT_RULE'",
        "severity": f"'{draw.choice(['decline', 'refer', 'note'])}'",
        "text": "'本行的规定'",
        "advice": "'问问客户经理'",
        "action": f"'{action}'",
        "channel": f"'{draw.choice(CHANNELS)}'",
        "pace_days": str(draw.choice([-3, 0, 1, 5, 14, 90])),
    }
    return made | {c["id"]: said[c["field"]] for c in table["outputs"]}


def layered(
    draw: random.Random, stage: Stage, union: UnionContent, run: Document, library: lint.Library
) -> assess.Prepared | None:
    """The union's document with a drawn overlay beside it; None for one that says nothing or would be refused. `union`
    is what runs with the tables of its sub-flows laid out."""
    parameters = {
        each.id: draw.choice([each.low, each.high, each.low - 3, each.high + 5, each.high * 3])
        for each in union.openings.parameters
        if draw.random() < 0.4
    }
    rows = {
        place: [row(draw, stage, node["content"], n) for n in range(draw.randint(1, 3))]
        for place, node in overlays.tables(union.document).items()
        if draw.random() < 0.7
    }
    document = composing.compose(stage, union, CountyContent(parameters=parameters, rows=rows), KNOWN)
    try:
        said = rows or parameters
        return assess.prepare(stage, run, overlay=document, library=library) if said else None
    except StrategyRefused:
        return None


def told(found: Assessment) -> set[str]:
    """Reasons that count against somebody; a plan's own words give way to the plan that stands in its place."""
    return {r.code for r in found.reasons if r.severity != "note" or r.code.startswith("CONDUCT_")}


def in_a_sub_flow(stage: Stage, *, computed: bool) -> tuple[UnionContent, Document, lint.Library]:
    """With everything the union opens opened there; `computed`: all its conditions look at was computed first."""
    own = UNION[stage].document
    document, flows = nested.wrapped(nested.computing(own) if computed else own)
    held = UNION[stage].openings
    opened = msgspec.structs.replace(
        held,
        parameters=tuple(
            msgspec.structs.replace(each, table=f"flow-1/{each.table}") for each in held.parameters
        ),
    )
    union = unfolding.laid_out(UnionContent(document=document, openings=opened), flows)
    return union, document, lint.Library(flows)


@pytest.mark.parametrize("inside", ["", "sub-flow", "computed"])
@pytest.mark.parametrize("stage", MOMENTS)
def test_no_case_is_looser_than_head_office(stage: Stage, inside: str) -> None:
    plain = (UNION[stage], UNION[stage].document, lint.NOTHING)
    union, run, library = in_a_sub_flow(stage, computed=inside == "computed") if inside else plain
    alone = {stage: assess.prepare(stage, run, library=library)}
    ways: Counter[str] = Counter()
    refused, pairs = 0, 0
    for seed in range(OVERLAYS):
        draw = random.Random(f"{stage}{seed}")
        county = layered(draw, stage, union, run, library)
        if county is None:
            refused += 1
            continue
        for _ in range(CASES_EACH):
            given = someone(draw, stage)
            floor = assess.assess(stage, given, alone)
            found = assess.assess(stage, given, {stage: county})
            assert verdicts.looser_moment(floor, found) == "", (seed, floor, found)
            assert told(floor) <= told(found), seed
            assert set(floor.gaps) <= set(found.gaps), seed
            assert found.trace[: len(floor.trace)] == floor.trace, "the union's part stays as it was"
            ways["same" if found.outcome == floor.outcome else f"{floor.outcome}>{found.outcome}"] += 1
            ways["other plan"] += found.contact != floor.contact
            ways["not taken"] += any(step.event == "not_taken" for step in found.trace)
            pairs += 1
    assert refused < OVERLAYS / 2
    # The draw reaches what it must: the county alone changes answers, and leaves others as they are.
    assert ways["same"] > pairs / 10
    for way in REACHED[stage]:
        assert ways[way] > pairs / 500, (way, ways)


REACHED = {
    Stage.MARKETING_GATE: ("allowed>ask", "allowed>not_allowed", "ask>not_allowed"),
    Stage.PRE_SCREEN: ("allowed>ask", "allowed>not_allowed", "ask>not_allowed"),
    Stage.DRAWDOWN_CHECK: ("allowed>ask", "allowed>not_allowed", "ask>not_allowed"),
    Stage.EARLY_WARNING: ("none>watch", "none>freeze", "watch>call", "call>visit"),
    Stage.COLLECTION: ("remind>none", "negotiate>remind", "other plan", "not taken"),
}


def overlay(stage: Stage, place: str, **cells: str) -> assess.Prepared:
    content = CountyContent(rows={place: [{"_id": "own", **cells}]})
    document = composing.compose(stage, UNION[stage], content, KNOWN)
    return assess.prepare(stage, UNION[stage].document, overlay=document)


def plan(using: assess.Prepared, **changed: Any) -> Assessment:
    return assess.assess(Stage.COLLECTION, case(Stage.COLLECTION, **changed), {Stage.COLLECTION: using})


def test_a_gentler_plan_of_the_county_stands_whole_with_the_longer_pace() -> None:
    using = overlay(
        Stage.COLLECTION, "plan", c4="'hardship'", r1="'remind'", r2="'sms'", r3="2", r4="'先发短信'"
    )
    found = plan(using, collection_segment="hardship")
    assert found.contact is not None
    assert (found.outcome, found.contact.channel, found.contact.pace_days) == ("remind", "sms", 7)
    assert [(r.text, r.layer) for r in found.reasons] == [("先发短信", COUNTY)]
    assert plan(using) == _with(say(Stage.COLLECTION), plan(using)), "other people's plans stay head office's"


def _with(floor: Assessment, found: Assessment) -> Assessment:
    return msgspec.structs.replace(floor, overlay=found.overlay, trace=found.trace)


@pytest.mark.parametrize(
    ("action", "channel"), [("visit", "call"), ("negotiate", "visit"), ("legal", "letter"), ("visit", "app")]
)
def test_a_plan_harder_in_anything_is_left_aside_and_traced(action: str, channel: str) -> None:
    using = overlay(
        Stage.COLLECTION, "plan", c4="'hardship'", r1=f"'{action}'", r2=f"'{channel}'", r3="30", r4="'本行'"
    )
    found = plan(using, collection_segment="hardship")
    assert found.contact is not None
    assert (found.outcome, found.contact.channel, found.contact.pace_days) == ("negotiate", "call", 7)
    assert [step.row for step in found.trace if step.event == "not_taken"] == ["own"]


@pytest.mark.parametrize(("action", "channel"), [("visit", "none"), ("none", "call")])
def test_a_plan_without_a_way_is_no_contact_whatever_it_calls_itself(action: str, channel: str) -> None:
    using = overlay(
        Stage.COLLECTION, "plan", c4="'hardship'", r1=f"'{action}'", r2=f"'{channel}'", r3="30", r4="'本行'"
    )
    found = plan(using, collection_segment="hardship")
    assert found.contact is not None
    assert (found.outcome, found.contact.action, found.contact.channel) == (NONE, NONE, "none")


def test_whom_head_office_does_not_contact_now_the_county_does_not_either() -> None:
    """A softer channel is no way round the guard of hours and counts, nor round a refusal of the customer."""
    using = overlay(Stage.COLLECTION, "plan", c5=">= 0", r1="'remind'", r2="'sms'", r3="1", r4="'短信'")
    used_up = plan(using, collection_segment="hardship", collection_calls_today=3)
    assert used_up.contact is not None
    assert (used_up.outcome, used_up.contact.held) == (NONE, ["calls_used_up"])
    assert plan(using, collection_do_not_contact=True).outcome == NONE
    assert plan(using, collection_hour=23).outcome == NONE


def test_what_only_the_county_looks_at_and_is_missing_allows_nothing_and_blinds_nobody() -> None:
    """A rule of the county's about a fact the union's document does not need."""
    union = checks.shipped(Stage.DRAWDOWN_CHECK)
    content = CountyContent(rows={"drawdown": [
        {"_id": "own", "c1": "> bureau_balance", "r1": "'CT'", "r2": "'refer'", "r3": "'比征信余额多'", "r4": "''"}
    ]})  # fmt: skip
    document = composing.compose(Stage.DRAWDOWN_CHECK, UNION[Stage.DRAWDOWN_CHECK], content, KNOWN)
    using = {Stage.DRAWDOWN_CHECK: assess.prepare(Stage.DRAWDOWN_CHECK, union, overlay=document)}
    found = assess.assess(Stage.DRAWDOWN_CHECK, case(Stage.DRAWDOWN_CHECK), using)
    assert (found.outcome, [r.code for r in found.reasons]) == (ASK, ["DATA_CREDIT_BUREAU"])
    refused = assess.assess(Stage.DRAWDOWN_CHECK, case(Stage.DRAWDOWN_CHECK, line_overdue_days=4), using)
    assert (refused.outcome, refused.reasons[0].code) == ("not_allowed", "DD_OVERDUE")


def test_a_warning_of_both_layers_is_the_strictest_with_every_action() -> None:
    using = overlay(
        Stage.EARLY_WARNING, "repayment", c1=">= 2", r1="'CT_EARLY'", r2="'visit'", r3="'本行早看'"
    )
    given = case(Stage.EARLY_WARNING, loan_days_past_due=3)
    found = assess.assess(Stage.EARLY_WARNING, given, {Stage.EARLY_WARNING: using})
    assert (found.outcome, found.actions) == ("visit", ["watch", "visit"])
    assert [(r.code, r.layer == COUNTY) for r in found.reasons] == [
        ("EW_DPD_SHORT", False),
        ("CT_EARLY", True),
    ]


@pytest.mark.parametrize("stage", MOMENTS)
def test_without_an_overlay_the_bytes_are_those_of_before_there_were_layers(stage: Stage) -> None:
    assert b'"overlay"' not in canonical(say(stage))
    assert b'"layer"' not in canonical(say(stage))


def test_channels_and_actions_all_have_their_place_in_the_order() -> None:
    assert set(county_moments.INTRUSION) == set(CHANNELS)
