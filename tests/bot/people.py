"""张三 as the bank knows him, at any stage, made through the domains."""

from datetime import date, timedelta
from decimal import Decimal

from backend.core import clock, ids
from backend.core.actor import system
from backend.core.money import RepaymentMethod
from backend.db.database import Database, Tx
from backend.domains.applications import service as applications
from backend.domains.applications.model import Application
from backend.domains.contracts import service as contracts
from backend.domains.contracts.model import Terms
from backend.domains.customers import service as customers
from backend.domains.customers.model import Card
from backend.domains.guarantees import service as guarantees
from backend.domains.guarantees import terms as promise
from backend.domains.guarantees.model import Guarantee
from backend.domains.identity import service as identity
from backend.domains.loans import service as loans
from tests.h5.customer.guarantee_contexts import WORDS

PHONE = "13812345678"
NAMES = {"SXD": "随享贷", "XLD": "乡邻贷"}


async def customer(
    db: Database, id_number: str, *, institution_id: str = "4101", phone: str = PHONE, name: str = "张三"
) -> str:
    """A person whose card and phone were checked."""
    card = Card(
        name=name,
        id_number=id_number,
        sex="男",
        nation="汉",
        birth_on=date(1980, 3, 7),
        address="河南省甲县柳林镇柳林村 1 号",
        issuer="甲县公安局",
        valid_from=date(2020, 1, 1),
        valid_until=date(2040, 1, 1),
    )
    async with db.begin(system(institution_id, "test")) as tx:
        customer_id = await customers.create_or_update_from_card(tx, card)
        await customers.set_phone(tx, customer_id, phone)
    return customer_id


async def bind(db: Database, openid: str, customer_id: str, institution_id: str = "4101") -> None:
    from backend.flows import bind_wechat

    async with db.begin(system(institution_id, "test")) as tx:
        await bind_wechat.bind_wechat(tx, openid, customer_id)


ROAD = {
    "draft": (),
    "submitted": ("submitted",),
    "deciding": ("submitted", "deciding"),
    "held": ("submitted", "deciding", "held"),
    "referred": ("submitted", "deciding", "referred"),
    "declined": ("submitted", "deciding", "declined"),
    "approved": ("submitted", "deciding", "approved"),
    "handed_off": ("submitted", "deciding", "approved", "handed_off"),
    "signed": ("submitted", "deciding", "approved", "handed_off", "signed"),
    "drawn": ("submitted", "deciding", "approved", "handed_off", "signed", "drawn"),
    "repaid": ("submitted", "deciding", "approved", "handed_off", "signed", "drawn", "repaid"),
    "expired": ("submitted", "deciding", "approved", "handed_off", "expired"),
    "cancelled": ("submitted", "deciding", "referred", "cancelled"),
}


async def application(
    db: Database, customer_id: str, status: str, *, institution_id: str = "4101", product: str = "SXD"
) -> Application:
    """An application walked to a status; with its contract from `approved` on, and a loan from `drawn` on."""
    async with db.begin(system(institution_id, "test")) as tx:
        made = await applications.begin(
            tx, product_code=product, product_version=f"{product}@1", channel="qr", officer_id=None
        )
        await applications.belongs_to(tx, made, customer_id, NAMES[product])
        made = await applications.get(tx, made.id)
        for to_status in ROAD[status]:
            promised = clock.now() + timedelta(hours=6) if to_status in {"held", "referred"} else None
            made = await applications.move(tx, made, to_status, to_status, promised_at=promised)
        if {"approved", "handed_off", "signed", "drawn"} & set(ROAD[status]):
            contract = await contracts.prepare(
                tx, made.id, await customers.get(tx, customer_id), terms(product)
            )
            if "drawn" in ROAD[status]:
                await _draw(tx, made, contract.id)
            if status == "repaid":
                await _repay(tx, made, 2_000_000)
    return made


def terms(product: str = "SXD") -> Terms:
    return Terms(
        agreed_by="decision",
        product_code=product,
        product_name=NAMES[product],
        internet_consumer=True,
        limit_fen=5_200_000,
        annual_rate=Decimal("0.0615"),
        term_months=12,
        repayment_method=RepaymentMethod.EQUAL_INSTALMENTS,
        purpose="farm_living",
        agreed_on=clock.today(),
        valid_until=clock.today() + timedelta(days=30),
    )


async def asked(db: Database, made: Application) -> Guarantee:
    """Somebody is asked by link to answer for an approved case."""
    async with db.begin(system(made.institution_id, "test")) as tx:
        contract, until = await contracts.get(tx, made.id), clock.today() + timedelta(days=700)
        return await guarantees.invite(
            tx, guarantee_id=guarantees.new_id(), token=ids.token(), application_id=made.id,
            borrower_id=contract.customer_id, amount_fen=contract.limit_fen, line_until=until, until_on=until,
            expires_at=tx.now + timedelta(days=3), wanted=1,
        )  # fmt: skip


async def vouch(db: Database, guarantee: Guarantee, guarantor_id: str, *, step: str = "confirmed") -> None:
    """The guarantor's road up to `step`: identity shown, phone proved or the word given."""
    async with db.begin(system(guarantee.institution_id, "test")) as tx:
        session, _ = await identity.new_customer_session(tx)
        await guarantees.open_up(tx, guarantee, session.id)
        await guarantees.set_guarantor(tx, guarantee, guarantor_id)
        if step == "phone":
            return
        await guarantees.reach(tx, await guarantees.get(tx, guarantee.id), "liveness")
        if step == "liveness":
            return
        await guarantees.pass_liveness(tx, guarantee, "passed")
        await guarantees.confirm(tx, guarantee, promise.fill(WORDS), shown_at=tx.now, required_seconds=15)


async def _draw(tx: Tx, made: Application, contract_id: str) -> None:
    await loans.draw(
        tx,
        event_id=f"e-{made.id}",
        application_id=made.id,
        contract_id=contract_id,
        loan_no="JJ202611230001",
        line_no="L1",
        amount_fen=2_000_000,
        term_months=12,
        drawn_at=clock.now(),
    )


async def _repay(tx: Tx, made: Application, principal_fen: int) -> None:
    await loans.repay(
        tx,
        event_id=f"r-{made.id}",
        loan_no="JJ202611230001",
        principal_fen=principal_fen,
        interest_fen=0,
        outstanding_fen=0,
        at=clock.now(),
    )
