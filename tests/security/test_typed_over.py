"""Whoever types something else than the card says gets no loan from a program: a person looks at the photographs."""

from datetime import timedelta

import pytest

from backend.core import clock
from backend.core.actor import system
from backend.domains.decision import service as decisions
from backend.sandbox import specimens
from backend.sandbox.specimens.people import Person
from tests.h5.customer.conftest import Phone, Studio

EXPIRED = specimens.person(78, county="411701", expired=True)
NEIGHBOUR = specimens.person(79, county="411702")
HERE = specimens.person(4242, county="411701")


def _later() -> str:
    return (clock.today() + timedelta(days=3000)).isoformat()


async def decided(studio: Studio, phone: Phone, card: Person, **typed: str) -> str:
    """The status of a case whose card shows `card`, confirmed as `typed`; every outside system says yes."""
    number, name = typed.get("id_number", card.id_number), typed.get("name", card.name)
    script = {"name": name, "preset": "good", "phone": "match"}
    await studio.control.put(f"/control/people/{number}", json=script)
    await phone.start()
    await phone.photograph(card)
    await phone.confirm(card, **typed)
    assert phone.path == "/apply/phone", phone.words
    await phone.prove(card)
    await phone.face()
    await phone.hand_in(income="120k_200k", amount="30000")
    assert phone.path.startswith("/my/"), phone.words
    await studio.drain()
    [application] = await studio.all_applications()
    return application.status


@pytest.mark.parametrize(
    "card, typed",
    [
        (EXPIRED, {"valid_until": "later"}),
        (EXPIRED, {"valid_until": "长期"}),
        (NEIGHBOUR, {"address": NEIGHBOUR.address.replace("乙县", "甲县"), "issuer": "甲县公安局"}),
        (specimens.person(81, county="411701"), {"name": HERE.name, "id_number": HERE.id_number}),
    ],
    ids=["a card that ran out", "for ever", "another county's address", "another person's card"],
)
async def test_what_was_typed_over_the_card_is_looked_at_by_a_person(
    studio: Studio, phone: Phone, card: Person, typed: dict[str, str]
) -> None:
    given = {name: _later() if value == "later" else value for name, value in typed.items()}
    assert await decided(studio, phone, card, **given) == "referred"
    [application] = await studio.all_applications()
    async with studio.context.db.read(system(application.institution_id, "test")) as tx:
        recorded = await decisions.latest_for(tx, application.id)
    assert recorded is not None
    told = [reason.text for reason in recorded.opened.decision.reasons]
    said = "您住的地方" if set(typed) == {"address", "issuer"} else "证件照片和填写的对不上"
    assert told == [f"{said}，要由工作人员核对"], "everything was filled in"


async def test_a_card_confirmed_as_it_is_printed_is_decided(studio: Studio, phone: Phone) -> None:
    """So that the referrals above mean something; a mended street is no other card."""
    assert await decided(studio, phone, HERE, address=HERE.address + "甲") == "approved"
