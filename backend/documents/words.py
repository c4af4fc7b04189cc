"""Data of a document turned into the words its template sets; the templates hold no figures of their own."""

from datetime import date
from typing import Any

import msgspec

from backend.core.money import Schedule
from backend.documents import wording
from backend.documents.contract import ConsentDocument, GuaranteePaper, LoanContract
from backend.documents.disclosure import Disclosure, Line


def of_contract(contract: LoanContract) -> dict[str, Any]:
    c = contract
    return {
        "title": "个人循环借款合同",
        "contract_no": c.contract_no,
        "made_on": _date(c.made_on),
        "made_on_words": wording.day(c.made_on),
        "lender": msgspec.to_builtins(c.lender),
        "borrower": msgspec.to_builtins(c.borrower),
        "product_name": c.product_name,
        "limit": wording.yuan(c.limit),
        "limit_capital": wording.capital(c.limit),
        "annual_rate": wording.percent(c.annual_rate),
        "all_in_cost": wording.percent(c.all_in_cost),
        "day_count": c.schedule.day_count.label,
        "method": c.schedule.method.label,
        "term_months": str(c.term_months),
        "valid_until": wording.day(c.valid_until),
        "purpose": c.purpose_label,
        "overdue_rate": wording.percent(c.annual_rate * c.overdue_factor),
        "overdue_times": f"{c.overdue_factor.normalize():f}",
        "misuse_rate": wording.percent(c.annual_rate * c.misuse_factor),
        "misuse_times": f"{c.misuse_factor.normalize():f}",
        "plan": _plan(c.schedule),
        "plan_total": [wording.yuan(c.schedule.total_interest), wording.yuan(c.schedule.total_repayment)],
        "disclosure_sha256": c.disclosure_sha256,
        "sureties": [
            {
                "name": each.name,
                "amount": wording.yuan(each.amount),
                "until": wording.day(each.until),
                "terms_sha256": each.terms_sha256,
            }
            for each in c.sureties
        ],
        "form_version": c.form_version,
    }


def of_disclosure(disclosure: Disclosure) -> dict[str, Any]:
    d = disclosure
    return {
        "title": "综合融资成本明示表",
        "reference": d.reference,
        "made_on": _date(d.made_on),
        "made_on_words": wording.day(d.made_on),
        "lender": d.lender,
        "lender_phone": d.lender_phone,
        "borrower": d.borrower,
        "product_name": d.product_name,
        "principal": wording.yuan(d.principal),
        "term_months": str(d.term_months),
        "method": d.method_label,
        "annual_rate": wording.percent(d.annual_rate),
        "day_count": d.day_count_label,
        "lines": [_line(line) for line in d.lines],
        "annualised": wording.percent(d.annualised),
        "effective": wording.percent(d.effective),
        "total": wording.yuan(d.total),
        "contingent": [_line(line) for line in d.contingent],
        "statement": d.statement,
        "version": d.version,
        "sha256": d.sha256,
    }


def of_consent(consent: ConsentDocument) -> dict[str, Any]:
    return {**_given(consent), "channel": consent.channel_label, "consent_id": consent.consent_id}


def of_guarantee(paper: GuaranteePaper) -> dict[str, Any]:
    return {**_given(paper), "lender": paper.lender, "guarantee_id": paper.guarantee_id}


def _given(said: ConsentDocument | GuaranteePaper) -> dict[str, Any]:
    return {
        "title": said.title,
        "version": str(said.version),
        "sections": [{"heading": h, "paragraphs": list(ps)} for h, ps in said.sections],
        "text_sha256": said.text_sha256,
        "person_name": said.person_name,
        "id_number": said.id_number,
        "made_on": _date(said.given_on),
        "given_at": said.given_at_label,
    }


def _plan(schedule: Schedule) -> list[list[str]]:
    return [
        [
            str(i.number),
            wording.day(i.due_on),
            wording.yuan(i.payment),
            wording.yuan(i.principal),
            wording.yuan(i.interest),
            wording.yuan(i.balance),
        ]
        for i in schedule.instalments
    ]


def _line(line: Line) -> list[str]:
    amount = "视情况" if line.amount is None else f"{wording.yuan(line.amount)} 元"
    return [line.item, line.method, line.standard, line.collected_by, amount]


def _date(on: date) -> list[int]:
    return [on.year, on.month, on.day]
