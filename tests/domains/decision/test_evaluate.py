"""What a decision says (A3-30, A6-01…A6-05, D1-01, D6-01, D3-03)."""

import re
import time
from datetime import timedelta

import msgspec
import pytest

from backend.domains.decision import bundle, county, evaluate, explain, facts, model
from backend.domains.decision.model import Cap, Outcome
from backend.domains.products.model import PURPOSES
from tests.domains.decision.conftest import CASES, decide, read, with_facts


@pytest.mark.parametrize("name", sorted(path.stem for path in CASES.glob("*.json")))
def test_every_sample_case_ends_as_its_name_says(name):
    assert decide(read(name)).outcome == name.split("_")[0]


def test_an_approval_carries_amount_rate_term_and_the_parts_that_made_them(good):
    decision = decide(good)
    assert (decision.amount_fen, decision.annual_rate_bp, decision.term_months) == (2_000_000, 535, 12)
    assert decision.annual_rate_bp == sum(part.bp for part in decision.price)
    assert decision.grade == "A"
    assert decision.completeness_bp == 10_000


def test_the_smallest_cap_sets_the_amount_and_every_cap_is_visible(good):
    """A6-03."""
    decision = decide(good)
    caps = {cap.name: cap for cap in decision.caps}
    assert {"product", "regulation", "income", "assets", "obligations", "requested"} <= set(caps)
    assert [cap.name for cap in decision.caps if cap.binding] == ["obligations"]
    assert decision.amount_fen <= caps["obligations"].amount_fen < decision.amount_fen + evaluate.WHOLE


def test_asking_for_less_than_the_limit_gives_what_was_asked(good):
    decision = decide(with_facts(good, requested_amount=500_000))
    assert decision.amount_fen == 500_000
    assert not any(reason.code.startswith("LIMIT_") for reason in decision.reasons)


def test_all_failing_reasons_are_told_not_the_first():
    """A6-02."""
    codes = {reason.code for reason in decide(read("declined_several_reasons")).reasons}
    assert codes == {"EL_PURPOSE", "EL_OVERDUE_NOW", "EL_QUERIES_1M", "EL_QUERIES_6M", "EL_LENDERS"}


def test_a_student_is_refused_on_either_signal(good):
    """D6-01."""
    for case in (with_facts(good, occupation="student"), with_facts(good, student_signal=True)):
        decision = decide(case)
        assert decision.outcome is Outcome.DECLINED
        assert [reason.code for reason in decision.reasons] == ["EL_STUDENT"]


def test_a_low_score_is_declined_with_one_to_four_reasons_and_advice():
    decision = decide(read("declined_low_score"))
    assert decision.grade is None
    assert 1 <= len(decision.reasons) <= 4
    assert all(reason.advice and reason.direction == "minus" for reason in decision.reasons)


def test_a_score_that_only_asks_for_a_person_is_not_told_as_a_refusal():
    """Where no characteristic stands out the score is told as a whole, in the words of what came of it."""
    refused, asked = explain.low_score("decline"), explain.low_score("refer")
    assert (refused.code, refused.severity, asked.severity) == ("SC_TOTAL", "decline", "refer")
    assert "这次还不能办" in refused.text
    assert "人工复核" in refused.advice
    assert "不能办" not in asked.text
    assert "人工复核" not in asked.advice


@pytest.mark.parametrize("used, amount", [(0, 2_000_000), (19_900_000, 100_000), (19_900_001, None)])
def test_the_persons_internet_consumer_credit_is_counted_over_all_lenders(good, used, amount):
    """D1-01 at its boundary: 200,000 yuan in all, smallest loan 1,000 yuan."""
    assert decide(with_facts(good, bureau_internet_consumer_credit=used)).amount_fen == amount
    assert decide(with_facts(good, core_internet_credit_granted=used)).amount_fen == amount


def test_what_is_promised_and_not_booked_counts_beside_what_is_booked(good):
    """D1-01: the larger of bureau and core, and on top of it what nobody else can know yet."""
    lent = with_facts(
        good, bureau_internet_consumer_credit=18_000_000, core_internet_credit_granted=15_000_000
    )
    assert decide(lent).amount_fen == 2_000_000
    assert decide(with_facts(lent, own_promised_credit=1_500_000)).amount_fen == 500_000
    assert decide(with_facts(lent, own_promised_credit=9_000_000)).outcome is Outcome.DECLINED


def test_a1_08_whom_a_person_answers_for_here_counts_before_the_bureau_hears_of_it(good):
    """The larger of the two, never both; more of it never gives more."""
    amounts = [
        decide(with_facts(good, own_guarantee_balance=fen, bureau_guarantee_balance=0)).amount_fen or 0
        for fen in (0, 10_000_000, 30_000_000, 60_000_000)
    ]
    assert amounts == sorted(amounts, reverse=True)
    assert amounts[-1] < amounts[0]
    same = with_facts(good, own_guarantee_balance=30_000_000, bureau_guarantee_balance=30_000_000)
    assert decide(same).amount_fen == decide(with_facts(good, own_guarantee_balance=30_000_000)).amount_fen
    assert decide(with_facts(good, own_guarantee_balance=...)).outcome is Outcome.REFERRED


def test_the_consumer_cap_is_a_dated_parameter_not_a_constant(good):
    """D1-01, D1-03: another cap in the regulation row, another result."""
    raised = with_facts(
        good, bureau_internet_consumer_credit=20_000_000, reg_internet_consumer_cap=30_000_000
    )
    assert decide(raised).outcome is Outcome.APPROVED


def test_a_business_loan_is_not_held_to_the_consumer_cap(good):
    full = with_facts(good, bureau_internet_consumer_credit=20_000_000, product_kind="business")
    assert decide(full).outcome is Outcome.APPROVED


def test_a_bullet_consumer_loan_is_never_longer_than_a_year(good):
    """D1-01: even if the product were set up for more."""
    longer = with_facts(good, requested_term_months=13, product_max_term_months=36)
    assert "EL_TERM_RULE" in {reason.code for reason in decide(longer).reasons}
    instalments = with_facts(longer, product_repayment_method="equal_instalments")
    assert decide(instalments).outcome is Outcome.APPROVED


@pytest.mark.parametrize("born_on, outcome", [("2008-11-23", "approved"), ("2008-11-24", "declined")])
def test_the_eighteenth_birthday_in_china_is_the_first_day_that_counts(good, born_on, outcome):
    assert decide(with_facts(good, birth_on=born_on)).outcome == outcome


def test_the_rate_stays_inside_the_band_and_the_difference_is_shown(good):
    """A6-04, D2-04."""
    floor = decide(with_facts(good, product_rate_floor_bp=600))
    assert floor.annual_rate_bp == 600
    assert [part.name for part in floor.price][-1] == "floor"
    cap = decide(with_facts(good, lpr_1y_bp=3000, product_rate_cap_bp=5000))
    assert cap.annual_rate_bp == 2400  # the regulation's cap is below the product's
    assert sum(part.bp for part in cap.price) == 2400


def test_a_campaign_discount_is_a_part_of_the_price(good):
    plain, campaign = decide(good), decide(with_facts(good, campaign_discount_bp=20))
    assert plain.annual_rate_bp - campaign.annual_rate_bp == 20


def test_like_customers_get_the_same_price_whatever_their_age_job_or_phone(good):
    """D3-03: nothing outside credit risk, cost and public discounts moves the price."""
    other = with_facts(
        good,
        birth_on="1970-01-01",
        occupation="worker",
        purpose="education",
        household_members=2,
        device_customers_30d=3,
    )
    assert decide(other).price == decide(good).price
    assert decide(other).score == decide(good).score


def test_silence_of_a_source_is_referred_and_told_in_plain_words():
    decision = decide(read("referred_bureau_down"))
    assert decision.amount_fen is None
    assert [reason.text for reason in decision.reasons] == ["征信还没有结果，您的申请已经收好"]
    assert decision.completeness_bp < 10_000


def test_a_fact_without_the_consent_it_needs_is_not_used(good):
    """D3-01: the answer may be there, but the customer has not agreed."""
    decision = decide(read("referred_no_bureau_consent"))
    assert {gap.problem for gap in decision.gaps} == {"no_consent"}
    assert decision.score is None


@pytest.mark.parametrize("consent_id", [None, "", " ", "\t\n"])
def test_a_consent_without_a_number_is_none(good, consent_id):
    bureau = msgspec.structs.replace(good.sources["credit_bureau"], consent_id=consent_id)
    decision = decide(msgspec.structs.replace(good, sources={**good.sources, "credit_bureau": bureau}))
    assert (decision.outcome, {gap.problem for gap in decision.gaps}) == (Outcome.REFERRED, {"no_consent"})


def test_withholding_what_is_optional_is_not_punished_by_referral_but_counts_as_nothing(good):
    kept, given = decide(read("approved_unwilling_to_share")), decide(good)
    assert kept.outcome is Outcome.APPROVED
    assert kept.score < given.score


@pytest.mark.parametrize("said", [True, False])
def test_what_is_not_optional_cannot_be_withheld(good, said):
    """Also where the source gave the value all the same: nobody agreed to its use."""
    source = good.sources["credit_bureau"]
    facts = {name: value for name, value in source.facts.items() if said or name != "bureau_queries_6m"}
    hidden = msgspec.structs.replace(source, facts=facts, withheld=["bureau_queries_6m"])
    case = msgspec.structs.replace(good, sources=good.sources | {"credit_bureau": hidden})
    assert decide(case).outcome is Outcome.REFERRED


def test_an_answer_from_the_future_or_too_old_is_not_used(good):
    source = good.sources["core_banking"]
    for days, problem in ((2, "from_future"), (-8, "stale")):
        moved = msgspec.structs.replace(source, observed_at=good.as_of + timedelta(days=days))
        decision = decide(msgspec.structs.replace(good, sources=good.sources | {"core_banking": moved}))
        assert decision.outcome is Outcome.REFERRED
        assert {gap.problem for gap in decision.gaps} == {problem}


@pytest.mark.parametrize(
    "low, high",
    [
        ("bureau_queries_1m", "bureau_queries_6m"),
        ("product_min_amount", "product_max_amount"),
        ("product_min_term_months", "product_max_term_months"),
        ("product_min_age", "product_max_age"),
        ("product_rate_floor_bp", "product_rate_cap_bp"),
    ],
)
def test_two_facts_that_cannot_both_be_true_are_neither_used(good, low, high):
    """The lower one above the higher one: a person looks; equal they may be."""
    held = {name: value for given in good.sources.values() for name, value in given.facts.items()}
    decision = decide(with_facts(good, **{low: held[high] + 1}))
    assert decision.outcome is Outcome.REFERRED
    assert {gap.fact for gap in decision.gaps if gap.problem == "contradictory"} == {low, high}
    assert not [g for g in decide(with_facts(good, **{low: held[high]})).gaps if g.problem == "contradictory"]


RECORDED = (
    "bureau_history_months",
    "bureau_overdue_amount",
    "bureau_overdue_months_24m",
    "bureau_lenders_open",
    "bureau_balance",
)


@pytest.mark.parametrize("name", RECORDED)
def test_a_bureau_that_knows_nobody_and_yet_says_something_is_not_believed(good, name):
    unknown = with_facts(good, bureau_found=False, **dict.fromkeys(RECORDED, 0))
    assert "contradictory" not in {gap.problem for gap in decide(unknown).gaps}
    found = decide(with_facts(unknown, **{name: 1}))
    assert found.outcome is Outcome.REFERRED
    assert {gap.fact for gap in found.gaps if gap.problem == "contradictory"} == {name, "bureau_found"}


def test_an_unknown_name_from_a_source_is_referred(good):
    source = good.sources["core_banking"]
    more = msgspec.structs.replace(source, facts=source.facts | {"core_vip_level": 9})
    decision = decide(msgspec.structs.replace(good, sources=good.sources | {"core_banking": more}))
    assert decision.outcome is Outcome.REFERRED
    assert [gap.problem for gap in decision.gaps] == ["unknown"]


@pytest.mark.parametrize("source, claim", [("stage", {"score": 800}), ("derived", {"age_years": 40})])
def test_nobody_outside_may_supply_a_score_or_an_age(good, source, claim):
    """Not even under the name of who computes it."""
    claimed = model.SourceFacts(observed_at=good.as_of, facts=claim)
    decision = decide(msgspec.structs.replace(good, sources=good.sources | {source: claimed}))
    assert decision.outcome is Outcome.REFERRED
    assert {(gap.fact, gap.problem) for gap in decision.gaps} == {(*claim, "unknown")}


def test_a_deadline_that_strikes_refers_and_replays_the_same(good):
    late = evaluate.evaluate(good, bundle.seeded(), deadline=time.monotonic() - 1)
    assert late.decision.outcome is Outcome.REFERRED
    assert [reason.code for reason in late.decision.reasons] == ["SYS"]
    assert model.canonical(evaluate.evaluate(late.case, bundle.seeded())) == model.canonical(late)


def test_the_guard_refers_what_a_wrong_table_would_grant(good, documents):
    """A limit table that ignores the regulation is caught by code."""
    rules = next(n for n in documents[model.Stage.LIMIT]["nodes"] if n["id"] == "caps")["content"]["rules"]
    for rule in rules:
        if "internet_credit_left" in rule["r3"]:
            rule["r3"] = "product_max_amount"
    schema = documents[model.Stage.LIMIT]["nodes"][0]["content"]
    declared = msgspec.json.decode(schema["schema"])
    for name in ("internet_credit_left", "own_promised_credit"):
        declared["required"].remove(name)
        declared["properties"].pop(name)
    schema["schema"] = msgspec.json.encode(declared).decode()
    loose = bundle.build(documents, bundle.seeded().card.card)
    decision = decide(with_facts(good, bureau_internet_consumer_credit=20_000_000), loose)
    assert decision.outcome is Outcome.REFERRED
    assert any(step.output.get("code") == "guard_above_internet_consumer_cap" for step in decision.trace)


def test_the_trace_names_the_rows_that_matched_and_what_they_saw():
    trace = decide(read("declined_many_queries")).trace
    rows = [(step.stage, step.row, step.facts) for step in trace if step.stage == "eligibility" and step.row]
    assert rows == [("eligibility", "bureau-4", {"bureau_queries_6m": 9})]


def test_reasons_speak_the_house_voice():
    """look/README.md: 您, no jargon, no forbidden words; every sentence of the tables and the catalogue."""
    texts = []
    for path in CASES.glob("*.json"):
        texts += [reason.text + reason.advice for reason in decide(read(path.stem)).reasons]
    assert len(texts) > 20
    for text in texts:
        assert not re.search(
            "秒批|必过|低门槛|零成本|恭喜|亲|系统异常|评分不足|准入|风控|[A-Za-z{}_]", text
        ), text


def test_purposes_are_those_of_the_products_and_their_labels():
    fact = facts.catalogue()["purpose"]
    assert dict(zip(fact.members, fact.labels, strict=True)) == PURPOSES | {"other": "别的用途"}


@pytest.mark.parametrize(
    "changed, code",
    [
        ({"purpose": "shares", "purpose_forbidden": True, "purpose_in_product": False}, "EL_PURPOSE"),
        ({"purpose": "planting", "purpose_in_product": False}, "EL_PURPOSE_PRODUCT"),
        ({"purpose": "other", "purpose_in_product": False}, "EL_PURPOSE_OTHER"),
    ],
)
def test_a_purpose_outside_the_rules_or_the_product_has_its_own_answer(good, changed, code):
    """D1-07: what is forbidden comes from the dated parameter."""
    assert [reason.code for reason in decide(with_facts(good, **changed)).reasons] == [code]


def test_nobody_without_a_credit_record_starts_with_more_than_a_first_loan(good):
    """No bureau record means nothing bad is known, not that all is well."""
    known = good.sources["credit_bureau"].facts
    empty = {name: False if isinstance(value, bool) else 0 for name, value in known.items()}
    rich = {"declared_annual_income": 30_000_000, "core_payroll_average": 2_500_000}
    thin = with_facts(good, **empty, **rich, requested_amount=10_000_000)
    decision = decide(thin)
    assert decision.amount_fen == 3_000_000
    assert [cap.name for cap in decision.caps if cap.binding] == ["history"]


def test_a_county_cap_called_as_the_law_s_does_not_hide_the_law_s():
    """Two people may go above a county's cap, nobody above the law's: it stays readable beside it (A7-05)."""
    law = Cap(name="regulation", label="监管上限", amount_fen=10_000_000)
    own = Cap(name="regulation", label="本行上限", amount_fen=5_000_000, layer="county")
    income = Cap(name="income", label="收入", amount_fen=8_000_000)
    tighter = Cap(name="income", label="收入", amount_fen=7_000_000, layer="county")
    caps, amount = county.smallest([law, income, own, tighter])
    assert amount == 5_000_000
    assert [(cap.label, cap.amount_fen, cap.binding) for cap in caps] == [
        ("监管上限", 10_000_000, False), ("收入", 7_000_000, False), ("本行上限", 5_000_000, True),
    ]  # fmt: skip


def test_what_was_kept_back_is_not_called_little():
    """It counts as the lowest; the reason says that it was not asked for, not that there is none."""
    kept_back = {reason.code: reason for reason in decide(read("approved_unwilling_to_share")).reasons}
    told = {reason.code: reason for reason in decide(read("declined_low_score")).reasons}
    for code in ("SC_HOUSING_FUND_MONTHS", "SC_SOCIAL_SECURITY_MONTHS_24M"):
        assert "没有查" in kept_back[code].text
        assert "没有缴" not in kept_back[code].text
        assert "没有缴" in told[code].text


def test_an_amount_that_only_rounding_makes_too_small_is_said_to_be_rounded(good):
    """1,900 is not less than 1,500; whole thousands of it are."""
    asked = decide(with_facts(good, product_min_amount=150_000, requested_amount=190_000))
    assert [reason.text for reason in asked.reasons] == [
        "您申请的金额取到整千元不到 1,500 元，这个产品最少借 1,500 元"
    ]
