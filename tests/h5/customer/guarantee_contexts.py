"""Contexts of the pages of guarantors, borrower's and guarantor's, as `contexts`; all invented."""

from datetime import date, timedelta
from decimal import Decimal

from msgspec import Struct
from msgspec.structs import replace

from backend.domains.guarantees import terms
from backend.flows.confirm_guarantee import AnswerMissing
from h5.customer import views
from h5.customer.guarantee_views import Ask, Asked, Ended, Guarantors, Identity, OtherWay, Promise

WORDS = {
    "borrower": "张*", "application_no": "261123000081", "lender": "甲县农村商业银行", "phone": "0371-5550101",
    "amount": "50,000", "months": "12", "line_until": "2027 年 11 月 23 日", "until_on": "2029 年 5 月 23 日",
    "period_months": "6",
}  # fmt: skip


def pages(
    now, identity: views.Identity, phone: views.Phone, face: views.Liveness
) -> dict[str, tuple[str, Struct]]:  # type: ignore[no-untyped-def]
    filled = terms.fill(WORDS)
    share = views.Consent(
        "guarantor_share", "把借款情况告诉保证人", "打开您转发的链接的人", "能看到您的姓、额度", "1"
    )
    link = "https://demo.example/g/4101/V3JhcHBlZCBpbiBvdXIgc2VjcmV0IG9mIHRoaXMgdGVzdA"
    waiting = Asked(
        "0193559b-7c1e-7a42-9d55-3f0a1b2c3d4e",
        "invited",
        "等保证人打开",
        now,
        now + timedelta(hours=72),
        "",
        link,
        f"我在甲县农商银行批了 50,000 元，想请您做保证人。{link}",
    )
    asking = Guarantors("261123000081", 1, 1, True, (), share)
    ask = Ask(
        borrower="张*",
        lender="甲县农村商业银行",
        product_name="乡邻贷",
        amount_fen=5_000_000,
        months=12,
        line_until=date(2027, 11, 23),
        until_on=date(2029, 5, 23),
        annual_rate=Decimal("0.0680"),
        expires_at=now + timedelta(hours=72),
        path="/g/4101/abc",
    )
    promise = Promise(
        borrower="张*",
        amount_fen=5_000_000,
        months=12,
        until_on=date(2029, 5, 23),
        title=filled.title,
        sections=filled.sections,
        version=filled.version,
        text_hash=filled.sha256,
        shown_token="t",
        wait_seconds=15,
    )
    show, steps = "customer/guarantors/show.html", "customer/guarantee_steps"
    over = "customer/guarantee/go_on.html"
    return {
        "guarantors-none": (show, asking),
        "guarantors-unticked": (show, replace(asking, consent=replace(share, error="要先勾选同意"))),
        "guarantors-waiting": (show, replace(asking, may_ask=False, asked=(waiting,))),
        "guarantors-opened": (
            show,
            replace(
                asking,
                may_ask=False,
                asked=(replace(waiting, state="opened", label="保证人正在看", link="", share=""),),
            ),
        ),
        "guarantors-again": (
            show,
            replace(asking, asked=(replace(waiting, state="refused", label="没有办成", link="", share=""),)),
        ),
        "guarantors-done": (
            show,
            replace(
                asking,
                missing=0,
                may_ask=False,
                asked=(
                    replace(waiting, state="confirmed", label="保证人已确认", name="王*", link="", share=""),
                ),
            ),
        ),
        "guarantee-link": ("customer/guarantee/show.html", ask),
        "guarantee-own-link": ("customer/guarantee/show.html", replace(ask, own=True)),
        "guarantee-identity": (f"{steps}/identity.html", Identity()),
        "guarantee-identity-read": (
            f"{steps}/identity.html",
            Identity(identity.front, identity.back, identity.fields),
        ),
        "guarantee-phone": (f"{steps}/phone_page.html", phone),
        "guarantee-face": (f"{steps}/liveness.html", face),
        "guarantee-face-down": (f"{steps}/liveness.html", replace(face, state="down", advice="暂时连不上")),
        "guarantee-other-way": (f"{steps}/other_way.html", OtherWay("柳林支行", "甲县柳林镇", "8:30–17:00")),
        "guarantee-promise": ("customer/guarantee/confirm_page.html", promise),
        "guarantee-promise-early": (
            "customer/guarantee/confirm_page.html",
            replace(promise, wait_seconds=6, error="请先看完，再过 6 秒可以确认"),
        ),
        "guarantee-promise-waits": (
            "customer/guarantee/confirm_page.html",
            replace(promise, error=AnswerMissing("credit_bureau").text),
        ),
        "guarantee-confirmed": (
            over,
            Ended("confirmed", "", date(2029, 5, 23), now, filled, "/g/4101/a/b/paper"),
        ),
        "guarantee-refused": (over, Ended("refused", "本人不愿意")),
        "guarantee-not-allowed": (over, Ended("refused", "自己有逾期")),
        "guarantee-withdrawn": (over, Ended("withdrawn")),
        "guarantee-expired": (over, Ended("expired")),
        "guarantee-released": (over, Ended("released")),
    }
