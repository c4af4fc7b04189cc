"""The catalogue of facts: families, sources, licences, parcels (A3-35, A6-08…A6-20, A2-04, D3-12)."""

import json
from importlib import resources

import msgspec
import pytest

from backend.commands import facts as facts_command
from backend.domains.customers.consent_texts import Purpose
from backend.domains.decision import bundle, explain, facts, features, lint, model, scorecard
from backend.domains.decision.model import Outcome, Stage
from backend.domains.evidence import sources
from backend.overview import case_file
from tests.domains.decision.conftest import decide, with_facts

KNOWN = facts.catalogue()
ROWS = {
    "A6-08": "financial_assets",
    "A6-09": "account_flow",
    "A6-10": "business_turnover",
    "A6-11": "payroll",
    "A6-12": "housing_fund",
    "A6-13": "social_security",
    "A6-14": "financial_assets",
    "A6-15": "trade",
    "A6-16": "mortgage",
    "A6-17": "pos",
    "A6-18": "tax",
    "A6-19": "chain",
    "A6-20": "survey",
}


@pytest.mark.parametrize("row, family", ROWS.items())
def test_every_family_the_requirements_name_is_in_the_catalogue(row, family):
    held = [fact for fact in KNOWN.facts.values() if fact.family == family]
    assert len(held) >= 4, row
    assert any(fact.source not in facts.COMPUTED for fact in held), row


def test_every_fact_says_where_it_comes_from_by_what_right_and_what_its_absence_means():
    """A3-35, D3-12: licence, consent, freshness and absence are stated for each, and agree with its source."""
    registry = sources.every()
    for fact in KNOWN.facts.values():
        assert fact.absence
        assert fact.family in facts_command.FAMILIES, fact.name
        if fact.source in facts.COMPUTED:
            assert not fact.licence
            continue
        source = registry[fact.source]
        assert fact.licence in facts.LICENCES, fact.name
        assert fact.licence in source.licences, fact.name
        if source.asked:
            assert fact.fresh_days, fact.name
            assert source.cache_days <= fact.fresh_days, fact.name


def test_every_source_states_its_licence_consent_price_deadline_and_ladder():
    """A5-10, D3-09, N19: an outside source is asked under a purpose a customer can agree to, or not at all."""
    for source in sources.every().values():
        assert source.basis
        assert set(source.licences) <= set(facts.LICENCES)
        assert source.consent in {"", *Purpose}
        if source.asked:
            assert source.consent, source.name
            assert source.ladder[0] == "fresh"
            assert source.ladder[-1] == "held"
            assert ("cached" in source.ladder) == (source.cache_days > 0)
            assert ("substitute" in source.ladder) == (source.substitute is not None)
            assert 0 < source.deadline_seconds <= 30
    assert sources.every()["credit_bureau"].cache_days == 0, "the consent covers one application only"


def test_whoever_is_asked_outside_has_words_for_the_customer_and_for_staff():
    """A source that stays away is never told as something we do not understand (D3-03)."""
    for source in (*sources.asked(), sources.every()["officer_survey"]):
        gap = model.Gap(fact="x", label="x", source=source.name, problem="missing")
        [reason] = explain.gaps([gap])
        assert "看不懂" not in reason.text, source.name
        assert source.name in case_file.SOURCES


def test_a_decision_looks_at_eight_families_at_least():
    """A2-04"""
    using = bundle.seeded()
    assert len({fact.family for fact in using.needed if fact.source not in ("product", "regulation")}) >= 8


def test_a_bundle_needs_only_the_parcels_its_strategies_look_at(good):
    """New facts of a source make no old case incomplete; inside a parcel an answer is still taken whole."""
    needed = {fact.name for fact in bundle.seeded().needed}
    assert not [fact.name for fact in KNOWN.facts.values() if fact.parcel and fact.name in needed]
    assert decide(good).outcome is Outcome.APPROVED
    whole = {fact.name for fact in KNOWN.parcels(["asset_large_cd"])}
    assert "asset_term_deposit" in whole
    assert "core_inflow_12m" not in whole
    assert {fact.name for fact in KNOWN.parcels(["core_inflow_12m"])} >= {"core_payroll_average"}


def test_a_further_fact_nobody_needs_changes_nothing(good):
    assert decide(with_facts(good, asset_large_cd=1_000_000)) == decide(good)
    assert decide(with_facts(good, asset_large_cd="much")) == decide(good)


def _unlicensed(name: str, licence: str) -> facts.Catalogue:
    text = json.loads(KNOWN.text)
    for fact in text:
        if fact["name"] == name:
            fact["licence"] = licence
    return facts.Catalogue(json.dumps(text).encode())


@pytest.mark.parametrize("licence", ["", "counterparty", "hearsay"])
def test_d3_12_a_source_without_a_licence_cannot_feed_a_score(licence):
    """Refused for the scorecard and for the rating table, also through a feature computed from it."""
    card = scorecard.seeded()
    assert scorecard.check(card, KNOWN) == []
    found = scorecard.check(card, _unlicensed("bureau_card_used", licence))
    assert found == ["信用卡使用率：来源没有征信许可，不能用来评分"]
    document = bundle.seeded_documents()[Stage.RATING]
    start = next(node for node in document["nodes"] if node["type"] == "inputNode")
    schema = json.loads(start["content"]["schema"])
    schema["properties"]["card_use_bp"] = {"type": "integer"}
    schema["required"] = sorted(schema["properties"])
    start["content"]["schema"] = json.dumps(schema)
    sentences = {finding.sentence for finding in lint.check(Stage.RATING, document, KNOWN)}
    assert not [text for text in sentences if "许可" in text]
    again = {
        finding.sentence
        for finding in lint.check(Stage.RATING, document, _unlicensed("bureau_card_used", licence))
    }
    assert "信用卡使用率 的来源没有征信许可，不能用来评级或定额定价" in again


def test_d3_12_what_a_counterparty_says_may_cap_but_not_score():
    assert KNOWN.may_grant("trade_funds_12m")
    assert not KNOWN.may_score("trade_funds_12m")
    assert not _unlicensed("trade_funds_12m", "").may_grant("trade_funds_12m")


def test_a_catalogue_stored_before_licences_still_replays(good):
    """Old decisions keep their bytes: their catalogue knew neither parcels nor licences."""
    old = [
        {
            key: value
            for key, value in json.loads(msgspec.json.encode(fact)).items()
            if key not in ("parcel", "licence")
        }
        for fact in KNOWN.facts.values()
        if not fact.parcel
    ]
    kept = {fact["name"] for fact in old}
    old = [fact for fact in old if fact["source"] != "derived" or features.closure([fact["name"]])[0] <= kept]
    using = bundle.build(
        bundle.seeded_documents(), scorecard.seeded(), catalogue=facts.Catalogue(json.dumps(old).encode())
    )
    then, now = decide(good, using), decide(good)
    assert msgspec.structs.replace(then, versions=now.versions) == now
    assert then.versions.catalogue != now.versions.catalogue


def test_the_catalogue_prints_for_people_and_for_programs(capsys):
    parser = __import__("argparse").ArgumentParser()
    facts_command.arguments(parser)
    assert facts_command.run(parser.parse_args([])) == 0
    printed = capsys.readouterr().out
    assert all(fact.label in printed for fact in KNOWN.facts.values())
    assert facts_command.run(parser.parse_args(["--sources"])) == 0
    printed = capsys.readouterr().out
    assert "最多批 30,000 元" in printed
    assert facts_command.run(parser.parse_args(["--family", "tax", "--json"])) == 0
    assert {fact["family"] for fact in json.loads(capsys.readouterr().out)} == {"tax"}
    assert facts_command.run(parser.parse_args(["--family", "weather"])) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_the_shipped_file_is_one_fact_a_line():
    """A change of one fact is a change of one line, whoever makes it."""
    lines = (
        resources.files("backend.domains.decision").joinpath("catalogue.json").read_text("utf-8").splitlines()
    )
    assert [json.loads(line.rstrip(","))["name"] for line in lines[1:-1]] == list(KNOWN.facts)


def test_families_a_case_may_carry_are_computed_from_each_other():
    """A6-08…A6-20: hair-cuts, stability, fake-flow tests, three flows, control and strength, the survey."""
    values: dict[str, facts.Value] = {
        "asset_freeze": "none", "asset_large_cd_pledgeable": 10_000_000, "asset_term_deposit_pledgeable": 2_000_000,
        "asset_wealth_pledgeable": 1_000_000, "asset_wealth_risk": "R2", "asset_pledged": 500_000,
        "turnover_12m": 100_000_000, "turnover_before_12m": 80_000_000, "turnover_round_bp": 4000,
        "turnover_same_day_bp": 2500, "turnover_circular_bp": 100, "turnover_related_bp": 0,
        "turnover_largest_payer_bp": 9000,
        "trade_orders_12m": 60_000_000, "trade_logistics_12m": 54_000_000, "trade_funds_12m": 48_000_000,
        "trade_months_12m": 10, "trade_returns_bp": 200, "chain_closed_account": True, "chain_goods_watched": False,
        "chain_buy_back": True, "chain_years": 4, "core_enterprise_grade": "AA", "core_enterprise_room": 50_000_000,
        "survey_in_place": True, "survey_second_confirmed": True, "survey_photos": 4,
        "survey_failed_cross_checks": 0, "survey_annual_income": 9_000_000, "survey_annual_cost": 4_000_000,
    }  # fmt: skip
    on = model.datetime(2026, 11, 26).date()
    features.extend(values, on, tuple(features.FEATURES))
    assert values["pledge_value"] == 9_000_000 + 1_900_000 + 700_000 - 500_000
    assert (values["turnover_growth_bp"], values["turnover_alarms"]) == (2500, 2)
    assert values["turnover_counted_12m"] == 75_000_000
    assert (values["three_flow_gap_bp"], values["three_flows_agree"]) == (2000, True)
    assert (values["chain_control"], values["core_enterprise_strength"]) == (75, 85)
    assert values["chain_limit_cap"] == 48_000_000 // 12 * 3 * 75 * 85 // 10_000
    assert (values["survey_reliable"], values["survey_net_income"]) == (True, 5_000_000)
    for unconfirmed in ({"survey_second_confirmed": False}, {"survey_photos": 2}, {"survey_in_place": False}):
        spoiled = {**values, **unconfirmed}
        features.extend(spoiled, on, ("survey_reliable", "survey_net_income"))
        assert (spoiled["survey_reliable"], spoiled["survey_net_income"]) == (False, 0)
