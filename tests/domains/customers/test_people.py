"""People: checked before stored, sealed in the table, found by number, masked for third eyes."""

import asyncio
from datetime import UTC, date, datetime

import asyncpg
import msgspec
import pytest

from backend.core import clock
from backend.core.actor import Actor, system
from backend.core.crypto import Unreadable
from backend.core.lifecycle import ForbiddenMove
from backend.domains.audit import service as audit
from backend.domains.customers import freezing, model
from backend.domains.customers import service as customers
from tests.domains.customers.conftest import make_card, number

NOON = datetime(2026, 11, 23, 4, 0, tzinfo=UTC)


async def test_a_confirmed_card_becomes_a_person(tx, card):
    customer_id = await customers.create_or_update_from_card(tx, card)
    person = await customers.get(tx, customer_id)
    assert (person.name, person.id_number, person.address) == (card.name, card.id_number, card.address)
    assert person.phone is None
    assert await customers.find_by_id_number(tx, card.id_number) == customer_id


async def test_the_same_number_is_the_same_person_with_the_newer_card(tx, card):
    first = await customers.create_or_update_from_card(tx, card)
    moved = msgspec.structs.replace(card, address="河南省甲县颍河镇颍北村 1 号", valid_from=date(2026, 1, 1))
    assert await customers.create_or_update_from_card(tx, moved) == first
    assert (await customers.get(tx, first)).address == moved.address
    # An older card photographed later does not bring the old address back.
    assert await customers.create_or_update_from_card(tx, card) == first
    assert (await customers.get(tx, first)).address == moved.address


async def test_nothing_that_names_a_person_lies_in_clear(tx, card):
    customer_id = await customers.create_or_update_from_card(tx, card)
    await customers.set_phone(tx, customer_id, "13812341234")
    row = await tx.connection.fetchrow("select p::text as t, * from customers.people p")
    for secret in (card.name, card.id_number, card.address, card.issuer, "13812341234"):
        assert secret not in row["t"]
        assert secret.encode().hex() not in row["t"]


async def test_a_field_moved_to_another_row_no_longer_opens(tx):
    one = await customers.create_or_update_from_card(tx, make_card(serial=7))
    two = await customers.create_or_update_from_card(tx, make_card(serial=8))
    await tx.connection.execute(
        "update customers.people set name_enc = (select name_enc from customers.people where id = $1)"
        " where id = $2",
        one,
        two,
    )
    with pytest.raises(Unreadable):
        await customers.get(tx, two)


@pytest.mark.parametrize(
    ("born_on", "problem"),
    [
        (date(2012, 11, 24), model.UnderAge),
        (date(2012, 11, 23), model.NotYetAdult),
        (date(2008, 11, 24), model.NotYetAdult),
        (date(2008, 11, 23), None),
    ],
)
async def test_d3_05_and_d6_02_ages_turn_on_the_birthday_and_nothing_is_kept(tx, born_on, problem):
    with clock.at(NOON):
        card = make_card(birth_on=born_on, valid_from=date(2020, 1, 1), valid_until=date(2030, 1, 1))
        if problem is None:
            await customers.create_or_update_from_card(tx, card)
            return
        with pytest.raises(problem):
            await customers.create_or_update_from_card(tx, card)
    assert await tx.connection.fetchval("select count(*) from customers.people") == 0


async def test_an_expired_card_is_refused_from_the_day_after_its_end(tx):
    card = make_card(valid_from=date(2016, 11, 23), valid_until=date(2026, 11, 23))
    with clock.at(NOON):
        await customers.create_or_update_from_card(tx, card)
    with clock.at(datetime(2026, 11, 23, 16, 0, tzinfo=UTC)), pytest.raises(model.CardExpired) as refused:
        await customers.create_or_update_from_card(tx, card)  # already the 24th in China
    assert "2026-11-23" in refused.value.text


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"sex": "女"}, "sex"),
        ({"birth_on": date(1986, 5, 18), "id_number": number(date(1986, 5, 17))}, "birth_on"),
        ({"valid_until": date(2019, 3, 1)}, "valid_until"),
        ({"valid_from": date(1980, 1, 1)}, "valid_from"),
    ],
)
async def test_a_card_that_contradicts_itself_says_where(tx, changed, field):
    with pytest.raises(model.CardContradictsItself) as refused:
        await customers.create_or_update_from_card(tx, make_card(**changed))
    assert set(refused.value.fields) == {field}


async def test_a_wrong_check_character_is_no_number(tx, card):
    wrong = card.id_number[:-1] + ("1" if card.id_number[-1] != "1" else "2")
    with pytest.raises(model.IdNumberInvalid):
        await customers.create_or_update_from_card(tx, msgspec.structs.replace(card, id_number=wrong))


async def test_a_long_valid_card_has_no_end(tx):
    customer_id = await customers.create_or_update_from_card(tx, make_card(valid_until=None))
    assert (await customers.get(tx, customer_id)).card_valid_until is None


async def test_two_phones_at_once_end_with_one_person(db, card):
    async def arrive():
        async with db.begin(system("4101", "test")) as tx:
            return await customers.create_or_update_from_card(tx, card)

    assert len(set(await asyncio.gather(*(arrive() for _ in range(5))))) == 1


async def test_another_county_does_not_see_the_person(db, card):
    async with db.begin(system("4101", "test")) as tx:
        customer_id = await customers.create_or_update_from_card(tx, card)
    async with db.begin(system("4102", "test")) as tx:
        assert await customers.find_by_id_number(tx, card.id_number) is None
        with pytest.raises(model.CustomerNotFound):
            await customers.get(tx, customer_id)
        # The same person may be a customer there too: the keys hold the institution.
        assert await customers.create_or_update_from_card(tx, card) != customer_id


async def test_someone_elses_phone_is_refused(tx):
    one = await customers.create_or_update_from_card(tx, make_card(serial=7))
    two = await customers.create_or_update_from_card(tx, make_card(serial=8))
    await customers.set_phone(tx, one, "13812341234")
    await customers.set_phone(tx, one, "13812341234")
    assert await customers.phone_owner(tx, "13812341234") == one
    with pytest.raises(model.PhoneTaken):
        await customers.set_phone(tx, two, "13812341234")


async def test_two_people_with_one_phone_at_once_end_with_one_owner(db):
    async with db.begin(system("4101", "test")) as tx:
        people = [await customers.create_or_update_from_card(tx, make_card(serial=n)) for n in range(20, 25)]

    async def bring(customer_id):
        async with db.begin(system("4101", "test")) as tx:
            await customers.set_phone(tx, customer_id, "13900001111")

    results = await asyncio.gather(*map(bring, people), return_exceptions=True)
    assert sum(r is None for r in results) == 1
    assert all(r is None or isinstance(r, model.PhoneTaken) for r in results)


async def test_d3_15_masks_for_third_eyes_and_for_the_person(db, card):
    async with db.begin(system("4101", "test")) as tx:
        customer_id = await customers.create_or_update_from_card(tx, card)
        await customers.set_phone(tx, customer_id, "13812341234")
    officer = Actor("staff", "s", "4101", frozenset({"officer"}))
    async with db.read(officer) as tx:
        seen = await customers.view(tx, customer_id, own=True)  # the word of a staff door does not count
        assert (seen.name, seen.phone, seen.own) == ("张*", "138****1234", False)
        assert seen.id_number == "4" + "*" * 16 + card.id_number[-1]
        assert "垸子村" not in seen.address
    async with db.read(Actor("customer", "session", "4101")) as tx:
        own = await customers.view(tx, customer_id, own=True)
        assert own.name == "张三"
        assert own.id_number == card.id_number[:3] + "*" * 11 + card.id_number[-4:]


async def test_d3_15_the_full_view_needs_role_and_reason_and_leaves_a_row(db, card):
    """Who may is who speaks with customers or answers for them: the county's admin answers complaints and calls by
    phone, so the role is in the set. Who only reads figures or runs the union is not."""
    assert set(model.REVEALING_ROLES) == {"officer", "county_admin", "reviewer", "auditor"}
    async with db.begin(system("4101", "test")) as tx:
        customer_id = await customers.create_or_update_from_card(tx, card)
    async with db.begin(Actor("staff", "s", "4101", frozenset({"risk_analyst", "head_office_admin"}))) as tx:
        with pytest.raises(model.RevealRefused):
            await customers.reveal(tx, customer_id, "核对合同")
    for role in model.REVEALING_ROLES:
        async with db.begin(Actor("staff", "s", "4101", frozenset({role}))) as tx:
            with pytest.raises(model.ReasonNeeded):
                await customers.reveal(tx, customer_id, " ")
            assert (await customers.reveal(tx, customer_id, "核对合同")).name == "张三"
    async with db.read(system("4101", "test")) as tx:
        assert "customer.revealed" in [e.action for e in await audit.of(tx, customer_id)]


async def test_a5_01_one_wechat_account_speaks_for_one_person(tx):
    one = await customers.create_or_update_from_card(tx, make_card(serial=7))
    two = await customers.create_or_update_from_card(tx, make_card(serial=8))
    await customers.bind_openid(tx, "o-one", one)
    await customers.bind_openid(tx, "o-one", one)
    with pytest.raises(model.AlreadyBound):
        await customers.bind_openid(tx, "o-one", two)
    with pytest.raises(model.AlreadyBound):
        await customers.bind_openid(tx, "o-two", one)
    assert await customers.customer_of(tx, "o-one") == one
    assert await customers.openid_of(tx, one) == "o-one"
    await customers.unbind(tx, "o-one")
    assert await customers.customer_of(tx, "o-one") is None
    await customers.bind_openid(tx, "o-two", one)
    await customers.bind_openid(tx, "o-one", two)


async def test_binding_races_end_with_one_binding(db):
    async with db.begin(system("4101", "test")) as tx:
        people = [await customers.create_or_update_from_card(tx, make_card(serial=n)) for n in range(10, 15)]

    async def bind(customer_id):
        async with db.begin(system("4101", "test")) as tx:
            await customers.bind_openid(tx, "o-race", customer_id)

    results = await asyncio.gather(*map(bind, people), return_exceptions=True)
    assert sum(r is None for r in results) == 1
    assert all(r is None or isinstance(r, model.AlreadyBound) for r in results)


async def test_the_bot_finds_the_institutions_of_an_account(db, card):
    for code in ("4101", "4102"):
        async with db.begin(system(code, "test")) as tx:
            await customers.bind_openid(tx, "o-two", await customers.create_or_update_from_card(tx, card))
    async with db.read(system("*", "bot")) as tx:
        assert {i for i, _ in await customers.bindings_everywhere(tx, "o-two")} == {"4101", "4102"}


async def test_freezing_follows_the_lifecycle(tx, card):
    customer_id = await customers.create_or_update_from_card(tx, card)
    await freezing.freeze(tx, customer_id, "96110 来电")
    with pytest.raises(ForbiddenMove):
        await freezing.freeze(tx, customer_id, "96110 来电")
    rows = await tx.connection.fetch(
        "select from_status, to_status from xd.lifecycle where name = 'customer'"
    )
    assert {(r[0], r[1]) for r in rows} == model.CUSTOMER.pairs()


async def test_the_database_refuses_a_move_outside_the_lifecycle(tx, card):
    customer_id = await customers.create_or_update_from_card(tx, card)
    await freezing.freeze(tx, customer_id, "96110 来电")
    with pytest.raises(asyncpg.CheckViolationError):
        async with tx.savepoint():
            await tx.connection.execute("update customers.people set status = 'erased'")
