"""张三's loan of 52,000 yuan for a year, as documents."""

from datetime import date
from decimal import Decimal

import msgspec
import pytest

from backend.core import money
from backend.documents import contract, disclosure

DAY = date(2026, 11, 23)


def make_schedule(amount=52_000_00, rate="0.0615", months=12, method="equal_instalments"):
    return money.schedule(amount, Decimal(rate), months, money.RepaymentMethod(method), DAY)


def make_disclosure(schedule=None, **changed) -> disclosure.Disclosure:
    fields = {
        "reference": "4101-2026-SXD-0000001",
        "lender": "甲县农村商业银行",
        "lender_phone": "0371-5550101",
        "borrower": "张三",
        "product_name": "随享贷",
        "schedule": schedule or make_schedule(),
        "overdue_factor": Decimal("1.5"),
        "misuse_factor": Decimal("2.0"),
        "made_on": DAY,
    } | changed
    return disclosure.build(**fields)


@pytest.fixture
def sheet() -> disclosure.Disclosure:
    return make_disclosure()


@pytest.fixture
def agreement(sheet) -> contract.LoanContract:
    return contract.LoanContract(
        contract_no=sheet.reference,
        made_on=DAY,
        lender=contract.Lender(name=sheet.lender, address="河南省甲县中心路 1 号", phone=sheet.lender_phone),
        borrower=contract.Borrower(
            name="张三", id_number="411701198605170711", phone="13812341234", address="河南省甲县柳林镇"
        ),
        product_name="随享贷",
        limit=52_000_00,
        annual_rate=Decimal("0.0615"),
        all_in_cost=sheet.annualised,
        term_months=12,
        valid_until=date(2027, 11, 22),
        purpose_label="农村日常生活",
        overdue_factor=Decimal("1.5"),
        misuse_factor=Decimal("2.0"),
        schedule=make_schedule(),
        disclosure_sha256=sheet.sha256,
    )


@pytest.fixture
def consent() -> contract.ConsentDocument:
    return contract.ConsentDocument(
        title="征信查询授权书",
        version=1,
        sections=(("授权内容", ("本人授权甲县农村商业银行查询。",)),),
        text_sha256="ab" * 32,
        person_name="张三",
        id_number="411701198605170711",
        given_on=DAY,
        given_at_label="2026年11月23日 12:00:00",
        channel_label="微信网页",
        consent_id="0192",
    )


def replaced(struct, **changed):
    return msgspec.structs.replace(struct, **changed)
