"""张三 as the bank knows him, at any stage, made through the domains."""

from datetime import date, timedelta
from decimal import Decimal

from backend.core import clock
from backend.core.actor import system
from backend.core.money import RepaymentMethod
from backend.db.database import Database, Tx
from backend.domains.applications import service as applications
from backend.domains.applications.model import Application
from backend.domains.contracts import service as contracts
from backend.domains.contracts.model import Terms
from backend.domains.customers import service as customers
from backend.domains.customers.model import Card
from backend.domains.loans import service as loans

PHONE = "13812345678"


async def customer(db: Database, id_number: str, *, institution_id: str = "4101", phone: str = PHONE) -> str:
    """A person whose card and phone were checked."""
    card = Card(
        name="张三",
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
    db: Database, customer_id: str, status: str, *, institution_id: str = "4101"
) -> Application:
    """An application walked to a status; with its contract from `approved` on, and a loan from `drawn` on."""
    async with db.begin(system(institution_id, "test")) as tx:
        made = await applications.begin(
            tx, product_code="SXD", product_version="SXD@1", channel="qr", officer_id=None
        )
        await applications.belongs_to(tx, made, customer_id, "随享贷")
        made = await applications.get(tx, made.id)
        for to_status in ROAD[status]:
            promised = clock.now() + timedelta(hours=6) if to_status in {"held", "referred"} else None
            made = await applications.move(tx, made, to_status, to_status, promised_at=promised)
        if {"approved", "handed_off", "signed", "drawn"} & set(ROAD[status]):
            contract = await contracts.prepare(tx, made.id, await customers.get(tx, customer_id), terms())
            if "drawn" in ROAD[status]:
                await _draw(tx, made, contract.id)
            if status == "repaid":
                await _repay(tx, made, 2_000_000)
    return made


def terms() -> Terms:
    return Terms(
        agreed_by="decision",
        product_code="SXD",
        product_name="随享贷",
        internet_consumer=True,
        limit_fen=5_200_000,
        annual_rate=Decimal("0.0615"),
        term_months=12,
        repayment_method=RepaymentMethod.EQUAL_INSTALMENTS,
        purpose="farm_living",
        agreed_on=clock.today(),
        valid_until=clock.today() + timedelta(days=30),
    )


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
