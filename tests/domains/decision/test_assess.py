"""The five stages outside a decision: what they allow, and that absence never allows (A6-06, A6-07, D5-01, D5-02)."""

import copy
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from backend.domains.decision import assess, assessment, contracts, facts, lint, model
from backend.domains.decision.model import MOMENTS, Stage, StrategyRefused

NOW = datetime(2026, 11, 26, 3, 0, tzinfo=UTC)
CATALOGUE = facts.catalogue()
RULES = {"contact_quiet_from_hour": 22, "contact_quiet_to_hour": 8, "contact_calls_per_day": 3}
FINE: dict[Stage, dict[str, Any]] = {
    Stage.MARKETING_GATE: {
        "outreach_agreed": True,
        "outreach_opted_out": False,
        "outreach_listed": "none",
        "outreach_complaint_open": False,
        "outreach_in_area": True,
        "outreach_touches_30d": 1,
        "outreach_max_touches_30d": 4,
        "outreach_hour": 10,
        **RULES,
    },
    Stage.PRE_SCREEN: {
        "prospect_listed": True,
        "prospect_age_years": 40,
        "prospect_min_age": 20,
        "prospect_max_age": 60,
        "prospect_in_area": True,
        "prospect_risk_list": "none",
        "prospect_line_open": False,
        "prospect_overdue_days": 0,
    },
    Stage.DRAWDOWN_CHECK: {
        "line_status": "active",
        "line_available": 5_000_000,
        "line_days_left": 200,
        "line_overdue_days": 0,
        "line_account_frozen": False,
        "line_warning": "none",
        "drawdown_amount": 1_000_000,
        "drawdown_min_amount": 100_000,
        "drawdown_count_today": 0,
        "drawdown_purpose_forbidden": False,
        "drawdown_payee": "self",
    },
    Stage.EARLY_WARNING: {
        "loan_days_past_due": 0,
        "loan_overdue_times_6m": 0,
        "loan_inflow_change_bp": 300,
        "loan_deposit_change_bp": 0,
        "loan_new_lenders_3m": 0,
        "loan_court_case": False,
        "loan_guarantor_overdue": False,
        "loan_misuse": "none",
        "loan_contact_lost": False,
    },
    Stage.COLLECTION: {
        "collection_days_past_due": 20,
        "collection_segment": "willing",
        "collection_balance": 200_000,
        "collection_promise_open": False,
        "collection_disputed": False,
        "collection_do_not_contact": False,
        "collection_calls_today": 0,
        "collection_hour": 10,
        **RULES,
    },
}
BEST = {
    Stage.MARKETING_GATE: "allowed",
    Stage.PRE_SCREEN: "allowed",
    Stage.DRAWDOWN_CHECK: "allowed",
    Stage.EARLY_WARNING: "none",
    Stage.COLLECTION: "remind",
}
SILENT = {
    Stage.MARKETING_GATE: "not_allowed",
    Stage.PRE_SCREEN: "ask",
    Stage.DRAWDOWN_CHECK: "ask",
    Stage.EARLY_WARNING: "watch",
    Stage.COLLECTION: "ask",
}
PLACES = [(stage, name) for stage in MOMENTS for name in FINE[stage]]


def case(stage: Stage, **changed: Any) -> model.Case:
    sources: dict[str, dict[str, Any]] = {}
    for name, value in {**FINE[stage], **changed}.items():
        if value is not ...:
            sources.setdefault(CATALOGUE[name].source, {})[name] = value
    held = {name: model.SourceFacts(observed_at=NOW, facts=given) for name, given in sources.items()}
    return model.Case(product="SXD", as_of=NOW, sources=held)


def say(stage: Stage, **changed: Any) -> assessment.Assessment:
    return assess.assess(stage, case(stage, **changed), assess.seeded())


@pytest.mark.parametrize("stage", MOMENTS)
def test_a_seeded_document_passes_every_check_and_lets_a_good_case_through(stage):
    assert lint.check(stage, assess.seeded_document(stage), CATALOGUE) == []
    assert say(stage).outcome == BEST[stage]


@pytest.mark.parametrize("stage, name", PLACES)
@pytest.mark.parametrize("value", [..., None, "x", 1.5, -(10**6), [1]])
def test_a_fact_that_is_missing_or_wrong_never_allows(stage, name, value):
    found = say(stage, **{name: value})
    assert found.outcome == SILENT[stage]
    assert name in {gap.fact for gap in found.gaps}
    assert found.reasons
    assert found.completeness_bp < 10_000


@pytest.mark.parametrize("stage", MOMENTS)
def test_no_facts_at_all_never_allow(stage):
    nothing = model.Case(product="SXD", as_of=NOW, sources={})
    assert assess.assess(stage, nothing, assess.seeded()).outcome == SILENT[stage]


@pytest.mark.parametrize(
    "changed, code",
    [
        ({"outreach_agreed": False}, "MK_NO_CONSENT"),
        ({"outreach_opted_out": True}, "MK_OPTED_OUT"),
        ({"outreach_touches_30d": 4}, "MK_TOO_OFTEN"),
        ({"outreach_hour": 22}, "MK_QUIET"),
        ({"outreach_hour": 7}, "MK_QUIET"),
    ],
)
def test_who_may_not_be_written_to(changed, code):
    found = say(Stage.MARKETING_GATE, **changed)
    assert found.outcome == "not_allowed"
    assert code in {reason.code for reason in found.reasons}


def test_a_drawdown_beyond_the_line_is_refused_with_every_reason():
    found = say(
        Stage.DRAWDOWN_CHECK, drawdown_amount=6_000_000, line_overdue_days=3, drawdown_payee="forbidden"
    )
    assert found.outcome == "not_allowed"
    assert {reason.code for reason in found.reasons} == {"DD_AMOUNT", "DD_OVERDUE", "DD_PAYEE"}
    assert "可用额度是 50,000 元" in found.reasons[1].text + found.reasons[0].text + found.reasons[2].text
    assert say(Stage.DRAWDOWN_CHECK, line_warning="visit").outcome == "ask"


def test_the_strictest_signal_of_the_day_is_the_level_and_every_action_is_kept():
    """A6-06."""
    found = say(Stage.EARLY_WARNING, loan_days_past_due=3, loan_guarantor_overdue=True)
    assert (found.outcome, found.actions) == ("call", ["watch", "call"])
    assert {step.row for step in found.trace if step.row} == {"repayment-1", "events-2"}
    assert say(Stage.EARLY_WARNING, loan_court_case=True).outcome == "freeze"


@pytest.mark.parametrize(
    "hour, held", [(7, True), (8, False), (21, False), (22, True), (23, True), (0, True)]
)
def test_nobody_is_contacted_at_night_whatever_the_table_says(hour, held):
    """D5-01: 22:00–08:00."""
    found = say(Stage.COLLECTION, collection_hour=hour)
    assert (found.contact.held == ["quiet_hours"]) == held
    assert (found.outcome == "none") == held


def test_a_fourth_call_of_the_day_is_held_and_a_message_is_not():
    """D5-02: three effective calls a day."""
    call = {"collection_segment": "unwilling", "collection_days_past_due": 40}
    assert say(Stage.COLLECTION, **call, collection_calls_today=2).contact.held == []
    held = say(Stage.COLLECTION, **call, collection_calls_today=3)
    assert (held.outcome, held.contact.held) == ("none", ["calls_used_up"])
    assert say(Stage.COLLECTION, collection_calls_today=3).contact.channel == "sms"
    assert say(Stage.COLLECTION, collection_calls_today=3).outcome == "remind"


def test_a_plan_of_no_contact_has_no_way_of_contact():
    """Whatever the table says beside it: an officer calls by the way, not by the action."""
    document = copy.deepcopy(assess.seeded_document(Stage.COLLECTION))
    table = next(node for node in document["nodes"] if node["id"] == "plan")["content"]
    table["rules"][0]["r2"] = "'call'"
    using = {Stage.COLLECTION: assess.prepare(Stage.COLLECTION, document)}
    found = assess.assess(Stage.COLLECTION, case(Stage.COLLECTION, collection_do_not_contact=True), using)
    assert (found.contact.action, found.contact.channel) == ("none", "none")


def test_hard_limits_of_contact_are_facts_of_dated_rows_never_numbers_in_a_table():
    """D5: with other legal hours the same document decides otherwise."""
    late = {"collection_hour": 21, "contact_quiet_from_hour": 21}
    assert say(Stage.COLLECTION, **late).contact.held == ["quiet_hours"]
    assert say(Stage.MARKETING_GATE, outreach_hour=21, contact_quiet_from_hour=21).outcome == "not_allowed"


def _loosened(stage: Stage, table: str) -> dict[Stage, assess.Prepared]:
    """The seeded document with every row of one table made a note."""
    document = copy.deepcopy(assess.seeded_document(stage))
    for node in document["nodes"]:
        if node["id"] == table:
            for rule in node["content"]["rules"]:
                rule["r2"] = "'note'"
    return {**assess.seeded(), stage: assess.prepare(stage, document)}


def test_code_behind_the_tables_refuses_what_no_strategy_may_allow():
    cases = [
        (Stage.MARKETING_GATE, "consent", {"outreach_agreed": False}, "not_agreed"),
        (Stage.MARKETING_GATE, "pace", {"outreach_hour": 23}, "quiet_hours"),
        (Stage.PRE_SCREEN, "limits", {"prospect_age_years": 17}, "under_age"),
        (Stage.DRAWDOWN_CHECK, "drawdown", {"drawdown_amount": 9_000_000}, "above_available"),
        (Stage.DRAWDOWN_CHECK, "line", {"line_status": "frozen"}, "line_not_active"),
    ]
    for stage, table, changed, code in cases:
        found = assess.assess(stage, case(stage, **changed), _loosened(stage, table))
        assert found.outcome == SILENT[stage]
        assert [step.output["code"] for step in found.trace if step.event == "held"] == [code]


def test_an_action_or_channel_nobody_knows_is_refused_at_save():
    document = copy.deepcopy(assess.seeded_document(Stage.EARLY_WARNING))
    table = next(node for node in document["nodes"] if node["id"] == "events")["content"]
    table["rules"][0]["r2"] = "'ignore'"
    with pytest.raises(StrategyRefused) as caught:
        assess.prepare(Stage.EARLY_WARNING, document)
    assert "只能是 关注、电话、上门、冻结额度" in caught.value.findings[0]


def _values(name: str) -> st.SearchStrategy[Any]:
    fact = CATALOGUE[name]
    if fact.kind == "bool":
        return st.booleans()
    if fact.kind == "enum":
        return st.sampled_from(fact.members)
    near = [fact.low, fact.high, *range(max(fact.low, -1), min(fact.high, 100))]
    return st.sampled_from(near)


@given(
    st.sampled_from(MOMENTS).flatmap(
        lambda s: st.tuples(st.just(s), st.fixed_dictionaries({n: _values(n) for n in FINE[s]}))
    )
)
@settings(max_examples=600, deadline=None)
def test_no_case_is_allowed_against_the_law_and_equal_cases_give_equal_bytes(drawn):
    stage, values = drawn
    given_case = case(stage, **values)
    found = assess.assess(stage, given_case, assess.seeded())
    again = msgspec.json.decode(model.canonical(given_case), type=model.Case)
    assert model.canonical(assess.assess(stage, again, assess.seeded())) == model.canonical(found)
    if stage is Stage.MARKETING_GATE and found.outcome == "allowed":
        assert values["outreach_agreed"]
        assert not values["outreach_opted_out"]
        assert values["contact_quiet_to_hour"] <= values["outreach_hour"] < values["contact_quiet_from_hour"]
    if stage is Stage.DRAWDOWN_CHECK and found.outcome == "allowed":
        assert values["line_status"] == "active"
        assert values["drawdown_amount"] <= values["line_available"]
        assert not values["drawdown_purpose_forbidden"]
        assert values["line_overdue_days"] == 0
    if stage is Stage.PRE_SCREEN and found.outcome == "allowed":
        assert values["prospect_min_age"] <= values["prospect_age_years"] <= values["prospect_max_age"]
    if stage is Stage.COLLECTION and found.outcome not in ("none", "ask"):
        assert (
            values["contact_quiet_to_hour"] <= values["collection_hour"] < values["contact_quiet_from_hour"]
        )
        assert not values["collection_do_not_contact"]
        if found.contact.channel == "call":
            assert values["collection_calls_today"] < values["contact_calls_per_day"]
    if stage is Stage.EARLY_WARNING:
        assert found.outcome in ("none", *contracts.ACTIONS)
        assert (found.outcome == "none") == (not found.actions)
        if values["loan_days_past_due"] > 30 or values["loan_court_case"]:
            assert found.outcome == "freeze"
