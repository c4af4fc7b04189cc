"""The product factory: one tree, versions that never change, four eyes (A3-19, A8)."""

from datetime import date, timedelta

import asyncpg
import msgspec
import pytest

from backend.core import clock
from backend.core.actor import Actor, system
from backend.domains.products import repository
from backend.domains.products import service as products
from backend.domains.products.model import (
    UNION,
    Overrides,
    ProductNotLive,
    SelfApproval,
    TermsRefused,
)
from tests.acting import act_as

DAY = date(2026, 11, 23)
SECOND = Actor("staff", "乙", "0000")


@pytest.fixture
async def head_office(db):
    async with db.begin(system("0000", "head office")) as tx:
        yield tx


async def test_a9_08_two_brands_eight_series_and_every_series_with_a_product(tx):
    brands = await products.tree(tx)
    assert [b.name for b in brands] == ["金燕e贷", "豫农e贷"]
    series = [s for b in brands for s in b.series]
    assert len(series) == 8
    assert all(s.products for s in series)
    leaves = [p for s in series for p in s.products]
    assert sum(p.parent_code is None for p in leaves) >= 8
    assert {(p.institution_id, p.name) for p in leaves if p.parent_code} == {
        ("4101", "柳林花木贷"),
        ("4102", "香菇快捷贷"),
    }
    assert all(s.target_customers and s.data_source and s.risk_mitigation for s in series)


async def test_a8_05_suixiang_is_on_offer_with_its_lineage(tx):
    found = await products.get_live(tx, "4101", "SXD", DAY)
    assert found.lineage == ("金燕e贷", "信用贷", "随享贷")
    assert found.version_label == "SXD@1"
    assert found.terms.is_internet_loan
    assert found.terms.amount_max == 200_000_00


async def test_a8_14_a_sub_product_inherits_and_shows_its_parent(tx):
    found = await products.get_live(tx, "4101", "LLHM", DAY)
    assert found.lineage == ("金燕e贷", "信用贷", "随享贷", "柳林花木贷")
    assert found.version_label == "SXD@1/LLHM@1"
    parent = await products.get_live(tx, "4101", "SXD", DAY)
    assert found.terms.amount_max == 100_000_00
    assert found.terms.data_sources == parent.terms.data_sources


async def test_another_county_does_not_offer_it(tx):
    with pytest.raises(ProductNotLive):
        await products.get_live(tx, "4102", "LLHM", DAY)
    assert "LLHM" not in {p.code for p in await products.list_live(tx, "4102", DAY)}


async def test_a10_01_the_legacy_product_was_on_offer_until_its_successors(tx):
    # Openings say when a county began; the legacy product was open to all since 2018.
    found = await products.get_live(tx, "4101", "JYED", date(2018, 9, 1))
    assert found.name == "金燕e贷"
    with pytest.raises(ProductNotLive):
        await products.get_live(tx, "4101", "JYED", date(2018, 8, 31))
    with pytest.raises(ProductNotLive):
        await products.get_live(tx, "4101", "JYED", DAY)


async def test_a_new_version_takes_over_on_its_day(db):
    today = clock.today()
    then = today + timedelta(days=7)
    async with db.begin(system("0000", "head office")) as tx:
        current = await repository.live_terms(tx, UNION, "SXD", today)
        smaller = msgspec.structs.replace(current, amount_max=150_000_00)
        version = await products.draft(tx, UNION, "SXD", smaller)
        await act_as(tx, SECOND)
        await products.publish(tx, UNION, "SXD", version, effective_from=then, reason="收紧")
    async with db.read(system("4101", "test")) as tx:
        before = await products.get_live(tx, "4101", "SXD", then - timedelta(days=1))
        after = await products.get_live(tx, "4101", "SXD", then)
    assert (before.version, before.terms.amount_max) == (1, 200_000_00)
    assert (after.version, after.terms.amount_max) == (2, 150_000_00)


async def test_a_tighter_parent_tightens_its_sub_products_at_once(db):
    today = clock.today()
    async with db.begin(system("0000", "head office")) as tx:
        current = await repository.live_terms(tx, UNION, "SXD", today)
        smaller = msgspec.structs.replace(current, amount_max=50_000_00)
        version = await products.draft(tx, UNION, "SXD", smaller)
        await act_as(tx, SECOND)
        await products.publish(tx, UNION, "SXD", version, effective_from=today, reason="收紧")
    async with db.read(system("4101", "test")) as tx:
        assert (await products.get_live(tx, "4101", "LLHM", today)).terms.amount_max == 50_000_00
        yesterday = await products.get_live(tx, "4101", "LLHM", today - timedelta(days=1))
        assert yesterday.terms.amount_max == 100_000_00


async def test_a_withdrawn_parent_takes_its_sub_products_along(db):
    today = clock.today()
    async with db.begin(system("0000", "head office")) as tx:
        await products.withdraw(tx, UNION, "SXD", on=today, reason="停办")
    async with db.read(system("4101", "test")) as tx:
        assert {"SXD", "LLHM"}.isdisjoint({p.code for p in await products.list_live(tx, "4101", today)})


async def test_terms_over_the_cap_are_refused_with_the_rule(head_office):
    tx = head_office
    current = await repository.live_terms(tx, UNION, "SXD", clock.today())
    over = msgspec.structs.replace(current, amount_max=200_000_01)
    version = await products.draft(tx, UNION, "SXD", over)
    await act_as(tx, SECOND)
    with pytest.raises(TermsRefused) as refused:
        await products.publish(tx, UNION, "SXD", version, effective_from=clock.today(), reason="放宽")
    assert [b.row_id for b in refused.value.breaches] == ["D1-01"]


async def test_a_county_cannot_publish_looser_terms(tx):
    version = await products.draft(tx, "4101", "LLHM", Overrides(amount_max=250_000_00))
    await act_as(tx, Actor("staff", "乙", "4101"))
    with pytest.raises(TermsRefused) as refused:
        await products.publish(tx, "4101", "LLHM", version, effective_from=clock.today(), reason="放宽")
    assert "A1-01" in {b.row_id for b in refused.value.breaches}


async def test_nobody_approves_their_own_version_not_even_in_sql(head_office):
    tx = head_office
    terms = await repository.live_terms(tx, UNION, "SXD", clock.today())
    version = await products.draft(tx, UNION, "SXD", terms)
    with pytest.raises(SelfApproval):
        await products.publish(tx, UNION, "SXD", version, effective_from=clock.today(), reason="自批")
    with pytest.raises(asyncpg.CheckViolationError):
        await repository.publish(
            tx, UNION, "SXD", clock.today(), version, "head office", "head office", "自批", tx.now
        )


async def test_a_county_cannot_write_the_unions_product(tx):
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await products.draft(tx, UNION, "SXD", Overrides())


async def test_a_county_cannot_write_another_countys_product(tx):
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        await products.draft(tx, "4102", "XGKJ", Overrides())


async def test_a_version_never_changes_once_written(owner):
    with pytest.raises(asyncpg.RestrictViolationError):
        await owner.execute("update products.versions set content = '{}'")
