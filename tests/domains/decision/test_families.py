"""Each data family decides where a rule looks at it: at its edge, by its feature, never by its absence (A6-08…A6-20).

What the rows of the requirements name is asked here by name: hair-cuts, seasons, employers and gaps, alarms, arrears.
"""

from typing import Any

import msgspec
import pytest

from backend.domains.decision import bundle, facts, features, scorecard
from backend.domains.decision.model import Case, Outcome, SourceFacts, Stage
from backend.sandbox import synthetic, synthetic_business
from tests.domains.decision.conftest import decide, read
from tests.domains.decision.documents import rule, single

KNOWN = facts.catalogue()
GOOD = read("approved_payroll")
INVENTED = synthetic_business.person("7", synthetic.person("7"))
SURVEYED = {
    "survey_in_place": True, "survey_second_confirmed": True, "survey_photos": 4, "survey_failed_cross_checks": 0,
}  # fmt: skip
OWN = {"core_enterprise_grade": "AA", "core_enterprise_room": 50_000_000}
TURNOVER = {
    "turnover_round_bp": 3000, "turnover_same_day_bp": 5000, "turnover_circular_bp": 2000, "turnover_related_bp": 0,
    "turnover_largest_payer_bp": 0,
}  # fmt: skip
SETTLED = {
    "settle_months_12m": 10, "settle_variation_bp": 8000, "settle_largest_payer_bp": 6000,
    "settle_own_transfer_bp": 3000, "settle_in_12m": 10_000_000, "settle_out_12m": 4_000_000,
    "settle_peak_3m": 6_000_000,
}  # fmt: skip
PLEDGED = {
    "asset_freeze": "none", "asset_large_cd_pledgeable": 1_000_000, "asset_term_deposit_pledgeable": 0,
    "asset_wealth_pledgeable": 0, "asset_pledged": 0,
}  # fmt: skip
POS = {
    "pos_volume_12m": 1_000_000, "pos_refund_bp": 1500, "pos_night_bp": 4000, "pos_credit_card_bp": 8000,
    "pos_largest_bp": 3000,
}  # fmt: skip
TAX = {
    "tax_paid_12m": 800_000, "tax_paid_before_12m": 1_000_000, "tax_grade": "M", "tax_arrears": 0,
    "tax_late_filings_24m": 1, "tax_months_12m": 10,
}  # fmt: skip
TRADE = {
    "trade_orders_12m": 10_000, "trade_logistics_12m": 8_000, "trade_funds_12m": 9_000, "trade_months_12m": 6,
    "trade_returns_bp": 1500,
}  # fmt: skip
CHAIN = {
    "chain_closed_account": True, "chain_goods_watched": False, "chain_buy_back": True, "chain_years": 4,
    "trade_orders_12m": 48_000_000, "trade_logistics_12m": 48_000_000, "trade_funds_12m": 48_000_000,
}  # fmt: skip

LOOKED_AT: list[tuple[str, str, str, dict[str, Any], dict[str, Any]]] = [
    # row, what the rule looks at, when it refuses, just not, just so
    ("A6-08", "counted_assets", "< 1000000",
     {"core_deposit_average_6m": 200_000, "core_wealth_balance": 1_000_000}, {"core_wealth_balance": 999_998}),
    ("A6-09", "settle_steady", "false", SETTLED, {"settle_months_12m": 9}),
    ("A6-09", "settle_steady", "false", SETTLED, {"settle_variation_bp": 8001}),
    ("A6-09", "settle_steady", "false", SETTLED, {"settle_largest_payer_bp": 6001}),
    ("A6-09", "settle_steady", "false", SETTLED, {"settle_own_transfer_bp": 3001}),
    ("A6-09", "settle_seasonality_bp", "> 6000", SETTLED, {"settle_peak_3m": 6_001_000}),
    ("A6-09", "settle_net_12m", "< 6000000", SETTLED, {"settle_out_12m": 4_000_001}),
    ("A6-10", "turnover_alarms", "> 0", TURNOVER, {"turnover_circular_bp": 2001}),
    ("A6-10", "turnover_growth_bp", "< -2000",
     {"turnover_12m": 8_000, "turnover_before_12m": 10_000}, {"turnover_12m": 7_999}),
    ("A6-11", "core_payroll_months", "< 6", {"core_payroll_months": 6}, {"core_payroll_months": 5}),
    ("A6-11", "payroll_employer_kind", "'private', 'individual'",
     {"payroll_employer_kind": "institution"}, {"payroll_employer_kind": "individual"}),
    ("A6-11", "payroll_trend_bp", "< -2000",
     {"payroll_recent_3m": 8_000, "payroll_before_9m": 10_000}, {"payroll_recent_3m": 7_999}),
    ("A6-12", "housing_fund_months", "< 12", {"housing_fund_months": 12}, {"housing_fund_months": 11}),
    ("A6-12", "housing_fund_base", "< 300000", {"housing_fund_base": 300_000}, {"housing_fund_base": 299_999}),
    ("A6-12", "housing_fund_employers_24m", "> 3",
     {"housing_fund_employers_24m": 3}, {"housing_fund_employers_24m": 4}),
    ("A6-13", "social_security_gap_months_24m", "> 3",
     {"social_security_gap_months_24m": 3}, {"social_security_gap_months_24m": 4}),
    ("A6-13", "social_security_kind", "'none', 'resident'",
     {"social_security_kind": "employee"}, {"social_security_kind": "resident"}),
    ("A6-14", "pledge_value", "< 900000", PLEDGED, {"asset_large_cd_pledgeable": 999_998}),
    ("A6-14", "pledge_value", "< 900000", PLEDGED, {"asset_freeze": "judicial"}),
    ("A6-14", "pledge_value", "< 900000", PLEDGED, {"asset_pledged": 1}),
    ("A6-15", "three_flows_agree", "false", TRADE, {"trade_logistics_12m": 7_999}),
    ("A6-15", "three_flows_agree", "false", TRADE, {"trade_months_12m": 5}),
    ("A6-15", "three_flows_agree", "false", TRADE, {"trade_returns_bp": 1501}),
    ("A6-16", "bureau_mortgage_months", "< 12", {"bureau_mortgage_months": 12}, {"bureau_mortgage_months": 11}),
    ("A6-16", "bureau_mortgage_late_24m", "> 1",
     {"bureau_mortgage_late_24m": 1}, {"bureau_mortgage_late_24m": 2}),
    ("A6-17", "pos_alarms", "> 0", POS, {"pos_refund_bp": 1501}),
    ("A6-17", "pos_alarms", "> 0", POS, {"pos_night_bp": 4001}),
    ("A6-17", "pos_alarms", "> 0", POS, {"pos_credit_card_bp": 8001}),
    ("A6-17", "pos_alarms", "> 0", POS, {"pos_largest_bp": 3001}),
    ("A6-17", "pos_counted_12m", "< 850000", POS, {"pos_volume_12m": 999_998}),
    ("A6-18", "tax_clear", "false", TAX, {"tax_arrears": 1}),
    ("A6-18", "tax_clear", "false", TAX, {"tax_grade": "C"}),
    ("A6-18", "tax_clear", "false", TAX, {"tax_late_filings_24m": 2}),
    ("A6-18", "tax_clear", "false", TAX, {"tax_months_12m": 9}),
    ("A6-18", "tax_growth_bp", "< -2000", TAX, {"tax_paid_12m": 799_999}),
    ("A6-19", "chain_limit_cap", "< 7650000", CHAIN, {"chain_buy_back": False}),
    ("A6-19", "chain_limit_cap", "< 7650000", CHAIN, {"core_enterprise_grade": "BBB"}),
    ("A6-20", "survey_reliable", "false", SURVEYED, {"survey_second_confirmed": False}),
    ("A6-20", "survey_reliable", "false", SURVEYED, {"survey_failed_cross_checks": 9}),
]  # fmt: skip


def carrying(needed: list[facts.Fact], values: dict[str, Any]) -> Case:
    """The good case with whole parcels of what a rule needs; `...` leaves one fact out."""
    sources = dict(GOOD.sources)
    invented = {**INVENTED, **SURVEYED, **OWN}
    for fact in needed:
        held = sources.get(fact.source, SourceFacts(observed_at=GOOD.as_of))
        held = msgspec.structs.replace(held, consent_id=held.consent_id or f"consent-{fact.source}")
        harmless = fact.members[0] if fact.members else fact.low
        value = values.get(fact.name, held.facts.get(fact.name, invented.get(fact.name, harmless)))
        given = {**held.facts, fact.name: value}
        if value is ...:
            del given[fact.name]
        sources[fact.source] = msgspec.structs.replace(held, facts=given)
    return msgspec.structs.replace(GOOD, sources=sources)


@pytest.mark.parametrize("row, name, refuses, fine, wrong", LOOKED_AT, ids=lambda each: str(each)[:40])
def test_a_rule_over_a_family_decides_at_its_edge_and_a_missing_fact_is_a_question(
    row: str, name: str, refuses: str, fine: dict[str, Any], wrong: dict[str, Any]
) -> None:
    document = single(Stage.ELIGIBILITY, [name], [[refuses, *rule("CT_FAMILY")]])
    using = bundle.build(
        {**bundle.seeded_documents(), Stage.ELIGIBILITY: document}, scorecard.seeded(), code="x", keep=False
    )
    plain, _ = features.closure([name])
    needed = KNOWN.parcels(plain)
    outcomes = {}
    gone = {next(iter(wrong)): ...}
    for said, changed in (("fine", {}), ("wrong", wrong), ("missing", gone)):
        decision = decide(carrying(needed, fine | changed), using)
        outcomes[said] = (decision.outcome, "CT_FAMILY" in {reason.code for reason in decision.reasons})
    assert outcomes == {
        "fine": (Outcome.APPROVED, False),
        "wrong": (Outcome.DECLINED, True),
        "missing": (Outcome.REFERRED, False),
    }, row
