"""Every dated rule answers with its value on its days and with nothing on the day before (N7).

Each line cites the row of the requirements whose rule it is.
"""

from datetime import date, timedelta
from decimal import Decimal

import asyncpg
import pytest

from backend.core.actor import system
from backend.domains.regulation import service as regulation
from backend.domains.regulation.model import ParameterMissing

RULES = [
    # row, key, first day, value
    ("D1-01", "internet_consumer.cap", date(2020, 7, 12), 200_000_00),
    ("D1-01", "internet_consumer.bullet_months", date(2020, 7, 12), 12),
    ("D1-02", "reevaluation_months", date(2020, 7, 12), 12),
    ("D1-11", "joint_funding.partner_share", date(2022, 1, 1), Decimal("0.30")),
    ("D1-11", "joint_funding.partner_concentration", date(2022, 1, 1), Decimal("0.25")),
    ("D1-11", "joint_funding.balance_share", date(2022, 1, 1), Decimal("0.50")),
    ("D1-12", "local_only.required", date(2022, 1, 1), True),
    ("D2-04", "all_in_cost.cap", date(2025, 10, 1), Decimal("0.24")),
    ("D2-05", "consumer.term_months", date(2024, 7, 1), 60),
    ("D2-05", "business.term_months.usual", date(2024, 7, 1), 60),
    ("D2-05", "business.term_months", date(2024, 7, 1), 120),
    ("D2-06", "on_site.skip_amount", date(2024, 7, 1), 200_000_00),
    ("D1-05", "loans.bad_after_days", date(2023, 7, 1), 90),
    ("D2-07", "recheck.share", date(2024, 7, 1), Decimal("0.05")),
    ("D2-07", "recheck.challenger_share", date(2024, 7, 1), Decimal("1")),
    ("D2-07", "recheck.working_days", date(2024, 7, 1), 5),
    ("D2-08", "entrusted.business", date(2024, 7, 1), 500_000_00),
    ("D2-08", "entrusted.consumer", date(2024, 7, 1), 300_000_00),
    ("D2-09", "disclosure.required", date(2026, 8, 1), True),
    ("D2-09", "disclosure.reading_seconds", date(2026, 8, 1), 15),
    ("D3-03", "human_review.working_days", date(2021, 11, 1), 3),
    ("A7-05", "review.facts_days", date(2024, 7, 1), 30),
    ("D3-05", "age.guardian", date(2021, 11, 1), 14),
    ("D3-07", "trials.fewest", date(2021, 11, 1), 5),
    ("D3-07", "trials.a_day", date(2021, 11, 1), 20),
    ("D3-09", "bureau_consent.valid_days", date(2013, 3, 15), 30),
    ("D3-13", "face.filing_count", date(2025, 6, 1), 100_000),
    ("D4-01", "marketing.officer_authority.required", date(2026, 9, 30), True),
    ("D4-06", "sms.gap_seconds", date(2021, 11, 1), 60),
    ("D4-06", "sms.per_hour", date(2021, 11, 1), 5),
    ("D4-06", "sms.per_day", date(2021, 11, 1), 10),
    ("D4-06", "sms.tries", date(2021, 11, 1), 5),
    ("D4-06", "sms.valid_seconds", date(2021, 11, 1), 300),
    ("D4-08", "marketing.touches_30d", date(2026, 9, 30), 4),
    ("D4-07", "marketing.reviewed_material.required", date(2019, 12, 20), True),
    ("D4-09", "complaint.working_days", date(2023, 3, 1), 15),
    ("N17", "repayment.remind_days_before", date(2024, 7, 1), 3),
    ("D5-01", "contact.quiet_from_hour", date(2025, 2, 28), 22),
    ("D5-01", "contact.quiet_to_hour", date(2025, 2, 28), 8),
    ("D5-02", "contact.calls_per_day", date(2025, 2, 28), 3),
    ("D5-02", "contact.messages_per_day", date(2025, 2, 28), 1),
    ("A8-12", "guarantee.period_months", date(2021, 1, 1), 6),
    ("A1-08", "guarantee.most_borrowers", date(2026, 1, 4), 2),
    ("A1-08", "guarantee.most_amount", date(2026, 1, 4), 30_000_000),
    ("A1-08", "guarantee.link_hours", date(2026, 1, 4), 72),
    ("D6-02", "age.minimum", date(2021, 11, 1), 18),
    ("A6-02", "age.maximum", date(2021, 11, 1), 65),
    ("A6-04", "lpr.1y", date(2025, 5, 20), Decimal("0.030")),
    ("A6-04", "lpr.5y", date(2025, 5, 20), Decimal("0.035")),
    ("A7-05", "review.alone_amount", date(2026, 1, 1), 15_000_000),
    ("A7-06", "drawdown.minimum", date(2024, 7, 1), 100_00),
    ("A7-06", "drawdown.valid_minutes", date(2024, 7, 1), 30),
    ("A7-06", "drawdown.release_hours", date(2024, 7, 1), 24),
    ("A6-06", "warning.watch.working_days", date(2024, 7, 1), 5),
    ("A6-06", "warning.call.working_days", date(2024, 7, 1), 2),
    ("A6-06", "warning.visit.working_days", date(2024, 7, 1), 3),
    ("A6-06", "warning.freeze.working_days", date(2024, 7, 1), 1),
    ("A6-06", "warning.bureau_days", date(2024, 7, 1), 30),
    ("A6-06", "warning.quiet_days", date(2024, 7, 1), 14),
    ("A6-06", "warning.true_within_days", date(2024, 7, 1), 90),
    ("A6-06", "warning.true_days_past_due", date(2024, 7, 1), 30),
    ("A5-02", "identity_check.valid_days", date(2021, 11, 1), 90),
    ("D7", "retention.identity_months", date(2025, 1, 1), 120),
    ("D7", "retention.transactions_months", date(2025, 1, 1), 120),
    ("D7", "retention.impact_assessment_months", date(2021, 11, 1), 36),
    ("D7", "retention.disclosure_months", date(2023, 3, 1), 36),
    ("D7", "retention.collection_months", date(2025, 2, 28), 60),
    ("D7", "retention.signature_months", date(2019, 4, 23), 60),
    ("D7", "retention.bad_credit_months", date(2013, 3, 15), 60),
    ("D7", "retention.logs_months", date(2017, 6, 1), 6),
    ("D7", "retention.material_months", date(2026, 9, 30), 60),
    ("D3-08", "retention.relation_days", date(2021, 11, 1), 730),
    ("D3-08", "retention.sighting_days", date(2021, 11, 1), 180),
    ("D7", "retention.raw_image_hours", date(2021, 11, 1), 24),
    ("D7", "retention.abandoned_days", date(2021, 11, 1), 90),
    ("D7", "retention.list_days", date(2021, 11, 1), 180),
    ("D7", "retention.unfinished_days", date(2021, 11, 1), 90),
]
WORDS = {
    ("D1-07", "purposes.forbidden", date(2020, 7, 12), "house_purchase"),
    ("D4-02", "marketing.forbidden_words", date(2026, 9, 30), "秒批"),
}
OFF = [
    ("D1-03", "internet_consumer.cap.temporary"),
    ("D1-03", "consumer.term_months.temporary"),
]


async def test_each_rule_begins_on_its_day_with_its_value(tx):
    wrong = []
    for row_id, key, first_day, value in RULES:
        found = (await regulation.in_force(tx, first_day)).parameter(key)
        if (found.value, found.row_id, found.effective_from) != (value, row_id, first_day):
            wrong.append((key, found))
        before = await regulation.in_force(tx, first_day - timedelta(days=1))
        if key in before.parameters:
            wrong.append((key, "in force a day early"))
    assert not wrong


async def test_word_lists_hold_the_words_the_rule_names(tx):
    for row_id, key, first_day, word in WORDS:
        found = (await regulation.in_force(tx, first_day)).parameter(key)
        assert found.row_id == row_id
        assert isinstance(found.value, tuple)
        assert word in found.value


async def test_temporary_rises_of_d1_03_are_there_but_switched_off(tx, owner):
    in_force = await regulation.in_force(tx, date(2026, 11, 23))
    for row_id, key in OFF:
        assert key not in in_force.parameters
        assert await owner.fetchval("select row_id from regulation.parameters where key = $1", key) == row_id


async def test_every_row_of_the_table_has_a_test_here(owner):
    tested = {key for _, key, *_ in [*RULES, *WORDS, *OFF]}
    assert {r["key"] for r in await owner.fetch("select key from regulation.parameters")} == tested


async def test_a_missing_rule_is_never_read_as_permission(tx):
    early = await regulation.in_force(tx, date(2019, 1, 1))
    with pytest.raises(ParameterMissing):
        early.amount("internet_consumer.cap")


async def test_a_changed_rule_is_a_new_row_and_the_old_day_keeps_its_value(db, owner):
    await owner.execute(
        "update regulation.parameters set effective_to = '2027-06-30' where key = 'internet_consumer.cap'"
    )
    await owner.execute(
        "insert into regulation.parameters select key, '2027-07-01', null, unit, '30000000', true, title,"
        " source, row_id from regulation.parameters where key = 'internet_consumer.cap'"
    )
    async with db.read(system("4101", "test")) as tx:
        old = await regulation.in_force(tx, date(2027, 6, 30))
        new = await regulation.in_force(tx, date(2027, 7, 1))
    assert (old.amount("internet_consumer.cap"), new.amount("internet_consumer.cap")) == (20000000, 30000000)


async def test_two_values_on_one_day_are_refused_by_the_database(owner):
    with pytest.raises(asyncpg.ExclusionViolationError):
        await owner.execute(
            "insert into regulation.parameters select key, '2026-01-01', null, unit, '1', true, title,"
            " source, row_id from regulation.parameters where key = 'internet_consumer.cap'"
        )


async def test_the_application_cannot_change_a_rule(tx):
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await tx.connection.execute("update regulation.parameters set enabled = true")
