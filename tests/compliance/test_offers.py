"""Everything on offer obeys the rules of the day, and a changed rule finds what no longer does (N7)."""

from datetime import date

import pytest

from backend.core.actor import system
from backend.domains.products import service as products


@pytest.mark.parametrize("institution_id", ["4101", "4102", "4103"])
async def test_n7_nothing_on_offer_breaks_a_rule_in_force(db, institution_id):
    async with db.read(system(institution_id, "nightly")) as tx:
        for day in (date(2026, 9, 30), date(2026, 11, 23)):
            assert await products.breaches_on(tx, institution_id, day) == []


async def test_n7_a_rule_that_tightens_names_the_offers_it_hits(db, owner):
    await owner.execute(
        "update regulation.parameters set effective_to = '2026-12-31' where key = 'internet_consumer.cap'"
    )
    await owner.execute(
        "insert into regulation.parameters select key, '2027-01-01', null, unit, '15000000', true, title,"
        " source, row_id from regulation.parameters where key = 'internet_consumer.cap'"
    )
    async with db.read(system("4101", "nightly")) as tx:
        assert await products.breaches_on(tx, "4101", date(2026, 12, 31)) == []
        hit = await products.breaches_on(tx, "4101", date(2027, 1, 1))
    assert {(label, b.row_id) for label, b in hit} == {
        ("SXD@1", "D1-01"),
        ("GJJ@1", "D1-01"),
        ("CDD@1", "D1-01"),
    }
