"""The pretended systems know the further facts, and only what the catalogue calls possible (A6-08…A6-19)."""

from backend.domains.decision import facts
from backend.domains.evidence import sources
from backend.sandbox import people, synthetic, synthetic_business

KNOWN = facts.catalogue()


def test_what_is_invented_is_possible_and_the_same_every_time():
    for number in range(2000):
        known = synthetic.person(str(number))
        record = synthetic_business.person(str(number), known)
        assert record == synthetic_business.person(str(number), known)
        for name, value in record.items():
            assert KNOWN[name].problem(value) == "", (name, value)
        assert record["asset_due_3m"] + record["asset_due_12m"] + record["asset_due_later"] == (
            record["asset_large_cd"] + record["asset_term_deposit"] + known["core_wealth_balance"]
        )
        assert record["pos_volume_12m"] <= record["turnover_12m"]


def test_every_fact_that_is_asked_outside_is_answered_by_a_pretended_system():
    known = {
        "core_banking": set(people.CORE_NAMES),
        "data_platform": set(people.PLATFORM_NAMES),
        "business_data": set(people.PLATFORM_NAMES),
        "chain_records": set(people.PLATFORM_NAMES),
        "credit_bureau": {n for n in (*people.GOOD, *synthetic_business.NAMES) if n.startswith("bureau_")},
    }
    for fact in KNOWN.facts.values():
        if fact.source in known:
            assert fact.name in known[fact.source], fact.name


def test_the_platform_holds_yesterdays_books_for_when_the_core_is_away():
    """N19: what stands in for a source knows what the source knows."""
    assert sources.every()["core_banking"].substitute.source == "data_platform"
    assert set(people.CORE_NAMES) <= set(people.PLATFORM_NAMES)
