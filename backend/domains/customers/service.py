"""What other code may ask about people. Consents have a page of their own: `consents.py`."""

from collections.abc import Iterable

from backend.core import clock, masking
from backend.db.database import Tx
from backend.domains.audit import service as audit
from backend.domains.customers import repository, rules
from backend.domains.customers.model import (
    ERASED,
    FROZEN_MARK,
    REVEALING_ROLES,
    AlreadyBound,
    Card,
    CustomerErased,
    CustomerNotFound,
    MaskedPerson,
    Person,
    PhoneTaken,
    ReasonNeeded,
    RevealRefused,
    SearchKind,
)
from backend.domains.regulation import service as regulation


async def create_or_update_from_card(tx: Tx, card: Card) -> str:
    """The person behind a confirmed card, new or known; returns the customer id.

    The card is checked before anything is stored (D3-05): raises `IdNumberInvalid`, `CardContradictsItself`,
    `UnderAge`, `NotYetAdult` or `CardExpired`. Two phones at once end with one person.
    """
    today = clock.today()
    rules.check_card(card, today, await regulation.in_force(tx, today))
    customer_id = await repository.claim_by_id_number(tx, card.id_number)
    if customer_id is None:
        customer_id = await repository.insert(tx, card)
        if customer_id is not None:
            audit.add(tx, "customer.created", customer_id)
            return customer_id
        customer_id = await repository.find_by_id_number(tx, card.id_number)
        assert customer_id is not None, "the insert lost a race, so the winner's row is there"
    await update_from_card(tx, customer_id, card)
    return customer_id


async def update_from_card(tx: Tx, customer_id: str, card: Card) -> None:
    """What a card of this person says is so; the number on it must be theirs. Raises `CustomerNotFound`."""
    if await repository.find_by_id_number(tx, card.id_number) != customer_id:
        raise CustomerNotFound()
    await repository.update_from_card(tx, customer_id, card)
    audit.add(tx, "customer.card_updated", customer_id)


async def get(tx: Tx, customer_id: str) -> Person:
    """Opened, for calls to systems that need the person. Pages take `view`. Raises `CustomerNotFound`,
    `CustomerErased`."""
    found = await _known(tx, customer_id)
    if found.status == "erased":
        raise CustomerErased()
    return found


async def _known(tx: Tx, customer_id: str) -> Person:
    found = await repository.get(tx, customer_id)
    if found is None:
        raise CustomerNotFound()
    return found


async def find_by_id_number(tx: Tx, id_number: str) -> str | None:
    return await repository.find_by_id_number(tx, id_number)


async def claim_by_id_number(tx: Tx, id_number: str) -> str | None:
    """As `find_by_id_number`, for a transaction that goes on with the person: until it ends they are not forgotten."""
    return await repository.claim_by_id_number(tx, id_number)


async def set_phone(tx: Tx, customer_id: str, phone: str) -> None:
    """Keep a phone just proved by SMS code. Raises `PhoneTaken` when it is another person's."""
    # The lock orders two people who bring the same number at once; the unique key is the last word.
    await repository.lock_phone(tx, phone)
    owner = await repository.phone_owner(tx, phone)
    if owner not in (None, customer_id):
        raise PhoneTaken()
    changed = await repository.set_phone(tx, customer_id, phone)
    if not changed:
        raise CustomerNotFound()
    audit.add(tx, "customer.phone_set", customer_id)


async def phone_owner(tx: Tx, phone: str) -> str | None:
    return await repository.phone_owner(tx, phone)


async def phone_owners_everywhere(tx: Tx, phone: str) -> list[tuple[str, str]]:
    """(institution, customer) who proved this phone; for the customer door's union-wide reader."""
    return await repository.phone_owners_everywhere(tx, phone)


async def same_person_everywhere(tx: Tx, id_number: str) -> list[tuple[str, str]]:
    """(institution, customer) of everybody with this ID number; needs a union-wide reader."""
    return await repository.same_person_everywhere(tx, id_number)


async def search(
    tx: Tx, institution_ids: list[str], kind: SearchKind, text: str, most: int
) -> list[tuple[str, str]]:
    """(institution, customer) of who carries exactly this, the newest first. The caller writes down who asked."""
    return await repository.search(tx, institution_ids, kind, text, most)


async def without_name_index(tx: Tx, most: int) -> list[tuple[str, str, str]]:
    """(institution, customer, name) of people known before names could be searched; for the job's reader."""
    return await repository.without_name_index(tx, most)


async def set_name_index(tx: Tx, customer_id: str, name: str) -> None:
    await repository.set_name_index(tx, customer_id, name)


async def get_many(tx: Tx, customer_ids: Iterable[str]) -> dict[str, Person]:
    """Many at once; for calculations in the process, never for a page. Who was forgotten is left out."""
    wanted = sorted(set(customer_ids))
    found = await repository.get_many(tx, wanted) if wanted else []
    return {each.id: each for each in found if each.status != "erased"}


async def view(tx: Tx, customer_id: str, *, own: bool = False) -> MaskedPerson:
    """Masked for whoever asks (D3-15): third eyes see the first and last character of a number.

    `own` is the customer door's word that the session belongs to this person; nobody else's counts.
    """
    own = own and tx.actor.kind == "customer"
    return masked(await _known(tx, customer_id), "owner" if own else masking.eyes_of(tx.actor.roles))


async def names(tx: Tx, customer_ids: Iterable[str | None]) -> dict[str | None, str]:
    """Masked names for a list; of who was forgotten that this is so. Unknown ids are left out."""
    return {key: name for key, (name, _) in (await _names(tx, customer_ids)).items()}


async def names_marked(tx: Tx, customer_ids: Iterable[str | None]) -> dict[str | None, str]:
    """As `names`, for staff who work through a list: who is frozen says so, before anybody goes on with them."""
    found = await _names(tx, customer_ids)
    return {key: f"{name}{FROZEN_MARK if frozen else ''}" for key, (name, frozen) in found.items()}


async def _names(tx: Tx, customer_ids: Iterable[str | None]) -> dict[str | None, tuple[str, bool]]:
    wanted = sorted({each for each in customer_ids if each})
    found = await repository.names(tx, wanted) if wanted else {}
    return {
        customer_id: (masking.name(name) if name else ERASED, status == "frozen")
        for customer_id, (name, status) in found.items()
    }


def masked(person: Person, eyes: masking.Eyes) -> MaskedPerson:
    own = eyes == "owner"
    return MaskedPerson(
        id=person.id,
        name=ERASED if person.status == "erased" else masking.name(person.name, eyes),
        id_number=masking.id_number(person.id_number, eyes),
        phone=masking.phone(person.phone or "", eyes),
        address=person.address if own or not person.address else masking.address(person.address),
        age=clock.years_between(person.birth_on, clock.today()),
        sex=person.sex,
        card_valid_until=person.card_valid_until,
        status=person.status,
        own=own,
    )


async def reveal(tx: Tx, customer_id: str, reason: str) -> Person:
    """Unmasked for staff with the role and a reason; leaves a row in the audit log.

    Raises `RevealRefused` or `ReasonNeeded`.
    """
    if tx.actor.kind != "staff" or not tx.actor.has(*REVEALING_ROLES):
        raise RevealRefused()
    if len(reason.strip()) < 4:
        raise ReasonNeeded(fields={"reason": ReasonNeeded.message})
    person = await get(tx, customer_id)
    audit.add(tx, "customer.revealed", customer_id, reason=reason.strip())
    return person


async def bind_openid(tx: Tx, openid: str, customer_id: str) -> None:
    """Let a WeChat account speak for a person whose ID was checked (A5-01). The same pair again is fine.

    Raises `AlreadyBound` when either side is bound to another, `CustomerErased`.
    """
    if not await repository.claim(tx, customer_id):
        raise CustomerErased()
    if await repository.bind(tx, openid, customer_id):
        audit.add(tx, "customer.bound", customer_id)
    elif await repository.customer_of(tx, openid) != customer_id:
        raise AlreadyBound()


async def customer_of(tx: Tx, openid: str) -> str | None:
    return await repository.customer_of(tx, openid)


async def openid_of(tx: Tx, customer_id: str) -> str | None:
    return await repository.openid_of(tx, customer_id)


async def refuses(tx: Tx, customer_id: str, topic: str) -> bool:
    """Whether the customer does not want to be told of `topic` (`due_date`)."""
    return await repository.refuses(tx, customer_id, topic)


async def choose_notice(tx: Tx, customer_id: str, topic: str, *, refused: bool) -> None:
    """As easy to take back as to say; counts from the commit on."""
    if await repository.choose_notice(tx, customer_id, topic, refused):
        audit.add(tx, "notice.refused" if refused else "notice.allowed", customer_id, about=topic)


async def unbind(tx: Tx, openid: str) -> None:
    """Ends the binding if there is one."""
    customer_id = await repository.customer_of(tx, openid)
    if customer_id is not None and await repository.unbind(tx, openid):
        audit.add(tx, "customer.unbound", customer_id)


async def bindings_everywhere(tx: Tx, openid: str) -> list[tuple[str, str]]:
    """(institution, customer) of a WeChat account, newest first; for the bot's union-wide reader."""
    return await repository.bindings_everywhere(tx, openid)
