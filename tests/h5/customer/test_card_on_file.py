"""Whoever knows an ID number, or holds a card, changes nothing of a customer whom we rely on (A3-07, A5-01, D1-12)."""

import pytest

from backend.core.actor import Actor, system
from backend.demo import staff_id
from backend.domains.customers import consents
from backend.domains.customers import service as customers
from backend.domains.customers.model import Person as Customer
from backend.flows import forget_guarantor, see_guarantor
from backend.sandbox.specimens.people import Person
from tests.h5.customer.conftest import Phone, Studio, photograph
from tests.h5.customer.test_guarantee import (
    PRODUCT,
    approved,
    card,
    known,
    link,
    of_case,
    promise,
    proof,
    take_up,
    to_promise,
    wang,
    zhao,
)

__all__ = ["wang", "zhao"]
FORGED = {
    "name": "王二假",
    "address": "河南省演练市甲县假地址1号",
    "valid_from": "2026-11-02",
    "valid_until": "2046-11-02",
}
OTHER_PHONE = "13900001234"


async def on_file(studio: Studio, person: Person) -> Customer:
    async with studio.context.db.read(system("4101", "test")) as tx:
        customer_id = await customers.find_by_id_number(tx, person.id_number)
        assert customer_id is not None
        return await customers.get(tx, customer_id)


async def handed_in(studio: Studio, person: Person) -> Phone:
    victim = studio.phone()
    await known(studio, person)
    await studio.draft_at(victim, "details", person)
    await victim.get("/apply/details")
    await victim.hand_in(income="120k_200k", amount="30000")
    return victim


async def test_another_ones_number_typed_over_my_card_does_not_touch_their_application(
    studio: Studio, wang: Person, zhao: Person
) -> None:
    victim = await handed_in(studio, zhao)
    number, before = victim.path.split("/")[2], await on_file(studio, zhao)
    attacker = studio.phone()
    await attacker.start(product=PRODUCT)
    await attacker.photograph(wang)
    await attacker.confirm(wang, id_number=zhao.id_number, **FORGED)
    await attacker.prove(wang, OTHER_PHONE)
    assert "登记的" in attacker.words, attacker.words
    assert await on_file(studio, zhao) == before
    await studio.drain()
    await victim.get(f"/my/{number}")
    assert "额度批下来了" in victim.words, victim.words


async def test_the_same_product_tells_a_stranger_no_number(
    studio: Studio, wang: Person, zhao: Person
) -> None:
    victim = await handed_in(studio, zhao)
    stranger = studio.phone()
    await stranger.start()
    await stranger.photograph(wang)
    await stranger.confirm(wang, id_number=zhao.id_number, **FORGED)
    assert stranger.reply.status_code == 409
    assert victim.path.split("/")[2] not in stranger.reply.text


@pytest.mark.parametrize("own_card", [True, False])
async def test_a_guarantors_record_and_phone_stay_theirs(
    studio: Studio, phone: Phone, zhang: Person, wang: Person, zhao: Person, own_card: bool
) -> None:
    """Of a confirmed guarantor nobody has an application: the guarantee alone protects them."""
    number = await approved(studio, phone, zhang)
    path = await link(phone, number)
    guarantor = studio.phone()
    await to_promise(studio, guarantor, path, wang)
    await promise(guarantor)
    before = await on_file(studio, wang)
    attacker = studio.phone()
    await attacker.start()
    await attacker.photograph(wang if own_card else zhao)
    await attacker.confirm(wang, **FORGED)
    await attacker.prove(wang, OTHER_PHONE)
    assert "登记的" in attacker.words, attacker.words
    assert await on_file(studio, wang) == before
    assert [each.status for each in await of_case(studio, number)] == ["confirmed"]


async def test_who_was_seen_in_person_is_protected_before_the_word_is_given(
    studio: Studio, phone: Phone, zhang: Person, wang: Person
) -> None:
    """D3-13: being looked at beside one's card counts as the face check does."""
    number = await approved(studio, phone, zhang)
    guarantor = studio.phone()
    await known(studio, wang)
    await take_up(guarantor, await link(phone, number))
    await card(guarantor, wang)
    await proof(guarantor, wang.phone)
    [asked] = await of_case(studio, number)
    reviewer = Actor("staff", staff_id("4101", 4), "4101", frozenset({"reviewer"}), "陈审")
    await see_guarantor.see_guarantor(studio.context, reviewer, asked.id)
    before = await on_file(studio, wang)
    attacker = studio.phone()
    await attacker.start()
    await attacker.photograph(wang)
    await attacker.confirm(wang, **FORGED)
    await attacker.prove(wang, OTHER_PHONE)
    assert "登记的" in attacker.words, attacker.words
    assert await on_file(studio, wang) == before


async def test_the_guarantors_road_changes_nobody_else_either(
    studio: Studio, phone: Phone, zhang: Person, wang: Person, zhao: Person
) -> None:
    await handed_in(studio, zhao)
    before = await on_file(studio, zhao)
    number = await approved(studio, phone, zhang)
    path = await link(phone, number)
    stranger = studio.phone()
    await take_up(stranger, path)
    for side in ("front", "back"):
        form = stranger.page.form(f"/guarantee/identity/{side}")
        await stranger.send(form, image=photograph(wang, side))
    form = stranger.page.form("/guarantee/identity/confirm")
    await stranger.send(form, id_number=zhao.id_number, issuer=wang.authority, **FORGED)
    assert stranger.path == "/guarantee/phone", stranger.words
    assert await on_file(studio, zhao) == before


async def test_who_proves_the_phone_on_file_brings_a_new_card(studio: Studio, zhao: Person) -> None:
    """The customer themselves, with a new address: taken once their own phone is proved, not before."""
    await handed_in(studio, zhao)
    before = await on_file(studio, zhao)
    moved = {**FORGED, "name": zhao.name, "address": "河南省演练市甲县新址8号"}
    again = studio.phone()
    await again.start(product=PRODUCT)
    await again.photograph(zhao)
    await again.confirm(zhao, **moved)
    assert (await on_file(studio, zhao)).address == before.address
    assert before.phone is not None
    await again.prove(zhao, before.phone)
    assert (await on_file(studio, zhao)).address == moved["address"]


async def test_who_holds_only_the_card_of_a_guarantor_takes_back_none_of_their_consents(
    studio: Studio, phone: Phone, zhang: Person, wang: Person, zhao: Person
) -> None:
    """Another borrower's link, opened with photographs of the card, and refused (D3-01)."""
    first = await approved(studio, phone, zhang)
    guarantor = studio.phone()
    await to_promise(studio, guarantor, await link(phone, first), wang)
    await promise(guarantor)
    other = studio.phone()
    second = await approved(studio, other, zhao)
    path = await link(other, second)
    stranger = studio.phone()
    await take_up(stranger, path)
    await card(stranger, wang)
    await stranger.get(path)
    await stranger.send(stranger.page.form("/guarantee/refuse"))
    assert [each.status for each in await of_case(studio, second)] == ["refused"]
    assert [each.status for each in await of_case(studio, first)] == ["confirmed"]
    async with studio.context.db.read(system("4101", "test")) as tx:
        customer_id = await customers.find_by_id_number(tx, wang.id_number)
        assert customer_id is not None
        standing = {each.purpose for each in await consents.given(tx, customer_id) if not each.withdrawn_at}
    assert set(forget_guarantor.PURPOSES) <= standing
