"""合同包: the offer as the mobile bank receives it, pushed or asked for (A3-10, A3-21)."""

from datetime import datetime, time

from backend.core import clock
from backend.core.errors import Conflict
from backend.db.database import Tx
from backend.domains.applications.model import Application
from backend.domains.contracts import service as contracts
from backend.domains.contracts.model import Contract
from backend.domains.customers import service as customers
from backend.domains.guarantees import service as guarantees
from backend.domains.products.model import PURPOSES
from backend.flows.context import Context
from backend.integrations.mobile_bank.port import Document, Offer, Surety


class OfferGone(Conflict):
    """Nothing is waiting to be signed (any more)."""

    code = "offer_gone"
    message = "这笔额度已经{label}，不能再签约。想重新申请，请联系客户经理"


async def describe_offer(context: Context, tx: Tx, application: Application, contract: Contract) -> Offer:
    """Raises `OfferGone` for a contract that is void, ended or not yet fixed."""
    if contract.status in ("draft", "void", "terminated"):
        raise OfferGone(label=application.label)
    person = await customers.get(tx, contract.customer_id)
    return Offer(
        application_id=application.id,
        application_no=application.application_no,
        institution_id=application.institution_id,
        customer_hash=context.clients.mobile_bank.customer_hash(person.id_number),
        product_code=contract.product_code,
        product_name=contract.product_name,
        limit_fen=contract.limit_fen,
        annual_rate=contract.annual_rate,
        term_months=contract.term_months,
        repayment_method=str(contract.repayment_method),
        purpose=PURPOSES.get(contract.purpose, contract.purpose),
        valid_until=datetime.combine(contract.valid_until, time(23, 59, 59), tzinfo=clock.LOCAL),
        contract_no=contract.contract_no,
        documents=tuple(
            Document(document_id=d.id, kind=d.kind, title=d.title, sha256=d.sha256)
            for d in await contracts.documents(tx, contract)
        ),
        sureties=await _sureties(context, tx, application),
    )


async def _sureties(context: Context, tx: Tx, application: Application) -> tuple[Surety, ...]:
    """Whom the contract names beside the borrower (A8-12)."""
    found = []
    for each in await guarantees.confirmed(tx, application.id):
        assert each.guarantor_id is not None
        assert each.terms_sha256 is not None
        assert each.confirmed_at is not None
        person = await customers.get(tx, each.guarantor_id)
        found.append(
            Surety(
                guarantor_hash=context.clients.mobile_bank.customer_hash(person.id_number),
                name=person.name,
                amount_fen=each.amount_fen,
                until=each.until_on,
                terms_sha256=each.terms_sha256.hex(),
                confirmed_at=each.confirmed_at,
            )
        )
    return tuple(found)
