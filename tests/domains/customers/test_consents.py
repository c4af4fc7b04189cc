"""Consents: one per purpose and recipient, for the words shown, until withdrawn or run out (D3)."""

import hashlib
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from backend.core import clock
from backend.core.actor import system
from backend.domains.customers import consent_texts, consents
from backend.domains.customers import service as customers
from backend.domains.customers.consent_texts import Purpose
from backend.domains.customers.model import ConsentMissing, ConsentTextChanged
from backend.domains.regulation import service as regulation
from tests.domains.customers.conftest import make_card

PUBLISHED = {
    "bureau_query-1": "90de57b53be1ac30",
    "business_data-1": "1f03fa45d97d4f79",
    "data_platform-1": "b7c9d8a36a23ddda",
    "guarantee_bureau-1": "dc40685e3506a1d5",
    "guarantee_info-1": "21fa910f918c26ae",
    "guarantee_result-1": "8b2949f59d694b31",
    "guarantor_share-1": "56360f43936d8ef2",
    "identity_check-1": "2292b4a249535de8",
    "liveness-1": "92d7341d29a42503",
    "marketing-1": "4e5ba6a574900ff1",
    "personal_info-1": "e20e8760cd53342a",
    "personal_info-2": "ddcb86307425cb7e",
}
"""SHA-256 of every published text: one that changes needs a new number, not an edit."""


@pytest.fixture
async def zhang(tx) -> str:
    return await customers.create_or_update_from_card(tx, make_card())


async def give(tx, customer_id, purpose=Purpose.BUREAU_QUERY, **more):
    shown = await consents.text(tx, purpose)
    return await consents.give(tx, customer_id, purpose, text_sha256=shown.sha256, channel="h5", **more)


async def test_d3_09_without_consent_nobody_is_asked(tx, zhang):
    with pytest.raises(ConsentMissing):
        await consents.require(tx, zhang, Purpose.BUREAU_QUERY, "credit_bureau", clock.today())
    consent_id = await give(tx, zhang)
    assert (
        await consents.require(tx, zhang, Purpose.BUREAU_QUERY, "credit_bureau", clock.today()) == consent_id
    )


async def test_d3_02_a_consent_names_one_recipient_and_one_purpose(tx, zhang):
    await give(tx, zhang, Purpose.BUREAU_QUERY)
    for purpose, recipient in (
        (Purpose.BUREAU_QUERY, "data_platform"),
        (Purpose.DATA_PLATFORM, "data_platform"),
        (Purpose.IDENTITY_CHECK, "credit_bureau"),
    ):
        with pytest.raises(ConsentMissing):
            await consents.require(tx, zhang, purpose, recipient, clock.today())


async def test_d3_09_a_bureau_consent_runs_out_after_its_days(tx, zhang):
    await give(tx, zhang)
    today = clock.today()
    days = (await regulation.in_force(tx, today)).count("bureau_consent.valid_days")
    last = today + timedelta(days=days)
    await consents.require(tx, zhang, Purpose.BUREAU_QUERY, "credit_bureau", last)
    with pytest.raises(ConsentMissing):
        await consents.require(tx, zhang, Purpose.BUREAU_QUERY, "credit_bureau", last + timedelta(days=1))
    with pytest.raises(ConsentMissing):
        await consents.require(tx, zhang, Purpose.BUREAU_QUERY, "credit_bureau", today - timedelta(days=1))


async def test_the_days_in_the_text_are_the_days_of_the_rule(tx):
    shown = await consents.text(tx, Purpose.BUREAU_QUERY)
    days = (await regulation.in_force(tx, clock.today())).count(shown.valid_days_key)
    assert f"{days} 天内" in shown.source


async def test_d3_01_withdrawing_takes_effect_at_once_and_giving_again_is_a_new_row(tx, zhang):
    first = await give(tx, zhang)
    assert await consents.withdraw(tx, zhang, Purpose.BUREAU_QUERY)
    assert not await consents.withdraw(tx, zhang, Purpose.BUREAU_QUERY)
    with pytest.raises(ConsentMissing):
        await consents.require(tx, zhang, Purpose.BUREAU_QUERY, "credit_bureau", clock.today())
    second = await give(tx, zhang)
    assert second != first
    assert [c.id for c in await consents.given(tx, zhang)] == [second, first]


async def test_a_double_tap_gives_one_consent(tx, zhang):
    assert await give(tx, zhang) == await give(tx, zhang)
    assert len(await consents.given(tx, zhang)) == 1


async def test_agreeing_to_other_words_than_the_current_ones_is_a_conflict(tx, zhang):
    with pytest.raises(ConsentTextChanged):
        await consents.give(tx, zhang, Purpose.BUREAU_QUERY, text_sha256="00" * 32, channel="h5")


async def test_another_banks_text_is_other_words(db):
    async with db.read(system("4102", "test")) as tx:
        theirs = await consents.text(tx, Purpose.BUREAU_QUERY)
    async with db.begin(system("4101", "test")) as tx:
        zhang = await customers.create_or_update_from_card(tx, make_card())
        with pytest.raises(ConsentTextChanged):
            await consents.give(tx, zhang, Purpose.BUREAU_QUERY, text_sha256=theirs.sha256, channel="h5")


async def test_the_words_agreed_to_can_be_shown_for_ever(tx, zhang):
    await give(tx, zhang)
    (kept,) = await consents.given(tx, zhang)
    shown = await consents.text_of(tx, kept)
    assert hashlib.sha256(shown.source.encode()).hexdigest() == kept.text_sha256
    assert "甲县农村商业银行" in shown.source


async def test_a_consent_given_before_the_person_was_known_keeps_its_time(tx, zhang):
    earlier = clock.now() - timedelta(minutes=4)
    await give(tx, zhang, Purpose.PERSONAL_INFO, given_at=earlier)
    (kept,) = await consents.given(tx, zhang)
    assert kept.given_at == earlier


async def test_a_consent_cannot_be_backdated_into_the_future(tx, zhang):
    await give(tx, zhang, Purpose.PERSONAL_INFO, given_at=clock.now() + timedelta(days=1))
    (kept,) = await consents.given(tx, zhang)
    assert kept.given_at <= clock.now()


async def test_the_road_asks_for_four_consents_and_offers_one(tx, zhang):
    shown = await consents.road(tx)
    assert [t.required for t in shown] == [True, True, True, True, False]
    assert await consents.missing(tx, zhang) == tuple(t.purpose for t in shown if t.required)
    for one in shown[:4]:
        await give(tx, zhang, one.purpose)
    assert await consents.missing(tx, zhang) == ()


@pytest.mark.parametrize("change", ["purpose = 'x'", "withdrawn_at = null", "valid_until = '2099-01-01'"])
async def test_the_database_lets_a_consent_only_be_withdrawn_once(tx, zhang, change):
    await give(tx, zhang)
    if "withdrawn" in change:
        await consents.withdraw(tx, zhang, Purpose.BUREAU_QUERY)
    with pytest.raises(asyncpg.RestrictViolationError):
        async with tx.savepoint():
            await tx.connection.execute(f"update customers.consents set {change}")


async def test_consents_cannot_be_deleted(tx, zhang):
    await give(tx, zhang)
    with pytest.raises(asyncpg.InsufficientPrivilegeError):
        async with tx.savepoint():
            await tx.connection.execute("delete from customers.consents")


@pytest.mark.parametrize("purpose", list(Purpose))
async def test_d3_01_every_text_says_what_the_law_wants_said(tx, purpose):
    shown = await consents.text(tx, purpose)
    assert "甲县农村商业银行" in shown.source, "who handles the information"
    assert "0371-5550101" in shown.source, "how to reach them"
    headings = "".join(h for h, _ in shown.sections)
    assert "保存多久" in headings or "关闭" in headings
    assert "撤回" in shown.source
    assert shown.recipient_name
    assert "{" not in shown.source
    if purpose not in (Purpose.PERSONAL_INFO, Purpose.MARKETING):
        assert "敏感个人信息" in shown.source, "Art. 30: necessity and effect of sensitive data"
        assert shown.recipient_name in shown.source or shown.recipient_name.split("（")[0] in shown.source


async def test_d3_13_the_face_is_never_the_only_way(tx):
    shown = await consents.text(tx, Purpose.LIVENESS)
    assert not shown.required
    assert "不用人脸" in shown.source
    assert Purpose.LIVENESS not in {t.purpose for t in await consents.road(tx)}


def test_a_published_text_never_changes():
    files = {p.stem: p for p in consent_texts.FOLDER.glob("*.md")}
    found = {name: hashlib.sha256(p.read_bytes()).hexdigest()[:16] for name, p in files.items()}
    assert found == PUBLISHED


async def test_a_text_published_in_another_time_stays_readable(tx, zhang):
    with clock.at(datetime(2026, 12, 1, tzinfo=UTC)):
        await give(tx, zhang, Purpose.MARKETING)
    (kept,) = await consents.given(tx, zhang)
    assert (await consents.text_of(tx, kept)).title.startswith("接收产品信息")
