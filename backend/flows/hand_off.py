"""移交手机银行签约: fix the contract package and send the offer over; the studio never signs (A3-10, A3-21)."""

import asyncio

from backend.core import clock, failpoints
from backend.core.actor import Actor
from backend.db.database import Tx
from backend.documents import package
from backend.documents.contract import Borrower, ConsentDocument, Lender, LoanContract, Surety
from backend.domains.applications import service as applications
from backend.domains.applications.model import ApplicationMoved
from backend.domains.contracts import rules as contract_rules
from backend.domains.contracts import service as contracts
from backend.domains.contracts.model import Contract, DisclosureChanged, DisclosureNotConfirmed
from backend.domains.contracts.service import NewDocument
from backend.domains.customers import consents
from backend.domains.customers import service as customers
from backend.domains.customers.model import Consent, CustomerFrozen, Person
from backend.domains.guarantees import service as guarantees
from backend.domains.guarantees.model import GuaranteeMoved
from backend.domains.products.model import PURPOSES
from backend.flows import draw_up_disclosure, notify, require_guarantors
from backend.flows.context import Context
from backend.outbox import effects

OFFER = "mobile_bank.offer"
DRAWN_UP = failpoints.declare("hand_off.drawn_up", "the documents are drawn; nothing is recorded")
HANDED_OFF = failpoints.declare("hand_off.recorded", "the case is handed off; the bank has nothing yet")

_IN_PACKAGE = ("personal_info", "identity_check", "data_platform", "bureau_query", "liveness")
_CHANNELS = {"h5": "手机网页", "web": "手机网页", "wechat": "微信", "branch": "网点"}


async def hand_off(context: Context, actor: Actor, application_id: str) -> Contract:
    """approved → handed_off with the documents fixed, once; later calls return the same contract.

    Raises `DisclosureNotConfirmed`, `DisclosureChanged`, `ApplicationMoved`, `GuaranteeOutstanding`,
    `GuaranteeMoved`.
    """
    async with context.db.read(actor) as tx:
        application = await applications.get(tx, application_id)
        contract = await contracts.get(tx, application_id)
        if contract.status != "draft":
            return contract
        confirmation = await contracts.confirmation(tx, contract)
        if confirmation is None:
            raise DisclosureNotConfirmed()
        drawn = await draw_up_disclosure.draw_up_disclosure(tx, contract)
        if drawn.person.status == "frozen":
            raise CustomerFrozen()
        given = await _consents(tx, drawn.person)
        sureties = await _sureties(tx, application_id)
    if drawn.disclosure.sha256 != confirmation.sha256:
        raise DisclosureChanged()
    fields = _fields(contract, drawn, sureties)
    made = await asyncio.to_thread(package.build, fields, drawn.disclosure, given)
    documents = [NewDocument(d.name, d.title, d.sha256, d.pdf) for d in made.documents]
    failpoints.hit(DRAWN_UP)
    async with context.db.begin(actor) as tx:
        application = await applications.get(tx, application_id, lock=True)
        contract = await contracts.get(tx, application_id, lock=True)
        if contract.status != "draft":
            return contract
        if application.status != "approved":
            raise ApplicationMoved(label=application.label)
        await require_guarantors.require_guarantors(tx, contract)
        if await _sureties(tx, application_id) != sureties:  # the documents name others
            raise GuaranteeMoved()
        contract = await contracts.fix(tx, contract, documents)
        moved = await applications.move(tx, application, "handed_off", "handed_off", contract.contract_no)
        await effects.add(tx, kind=OFFER, case_id=application.id, key=f"offer:{application.id}", payload={})
        await notify.announce(tx, moved)
    failpoints.hit(HANDED_OFF)
    return contract


async def _sureties(tx: Tx, application_id: str) -> tuple[Surety, ...]:
    found = []
    for each in await guarantees.confirmed(tx, application_id):
        assert each.guarantor_id is not None
        assert each.terms_sha256 is not None
        person = await customers.get(tx, each.guarantor_id)
        sha256 = each.terms_sha256.hex()
        found.append(
            Surety(name=person.name, amount=each.amount_fen, until=each.until_on, terms_sha256=sha256)
        )
    return tuple(found)


def _fields(
    contract: Contract, drawn: draw_up_disclosure.DrawnUp, sureties: tuple[Surety, ...]
) -> LoanContract:
    institution, person, terms = drawn.institution, drawn.person, drawn.product.terms
    return LoanContract(
        contract_no=contract.contract_no,
        made_on=contract.agreed_on,
        lender=Lender(name=institution.name, address=institution.address, phone=institution.service_phone),
        borrower=Borrower(
            name=person.name,
            id_number=person.id_number,
            phone=person.phone or "",
            address=person.address,
        ),
        product_name=contract.product_name,
        limit=contract.limit_fen,
        annual_rate=contract.annual_rate,
        all_in_cost=drawn.disclosure.annualised,
        term_months=contract.term_months,
        valid_until=contract_rules.line_until(contract),
        purpose_label=PURPOSES.get(contract.purpose, contract.purpose),
        overdue_factor=terms.overdue_factor,
        misuse_factor=terms.misuse_factor,
        schedule=drawn.schedule,
        disclosure_sha256=drawn.disclosure.sha256,
        sureties=sureties,
    )


async def _consents(tx: Tx, person: Person) -> list[ConsentDocument]:
    """The latest standing consent of each purpose this loan rests on, in the order of the page."""
    latest: dict[str, Consent] = {}
    for consent in await consents.given(tx, person.id):
        if consent.withdrawn_at is None:
            latest.setdefault(consent.purpose, consent)
    found = []
    for purpose in _IN_PACKAGE:
        if purpose in latest:
            found.append(await _consent(tx, person, latest[purpose]))
    return found


async def _consent(tx: Tx, person: Person, consent: Consent) -> ConsentDocument:
    text, given_at = await consents.text_of(tx, consent), clock.local(consent.given_at)
    return ConsentDocument(
        title=text.title,
        version=text.version,
        sections=text.sections,
        text_sha256=consent.text_sha256,
        person_name=person.name,
        id_number=person.id_number,
        given_on=given_at.date(),
        given_at_label=f"{given_at.year}年{given_at.month}月{given_at.day}日 {given_at:%H:%M:%S}",
        channel_label=_CHANNELS.get(consent.channel, consent.channel),
        consent_id=consent.id,
    )
