"""征信: one report per consent; every query is priced, logged and seen by other lenders (A5-10, D3-07)."""

from datetime import datetime
from typing import Any, ClassVar, Protocol

import msgspec

from backend.integrations.http import OutsideUnavailable


class Report(msgspec.Struct, frozen=True):
    """`facts` by the decision's fact names; `report` is for people to read; `raw` are the bytes as they
    came, kept for replay, and `sha256` is theirs. `found` false: no record (白户)."""

    report_id: str
    found: bool
    queried_at: datetime
    price_fen: int
    facts: dict[str, bool | int | str]
    report: dict[str, Any]
    raw: bytes = b""
    sha256: str = ""


class CreditBureauUnavailable(OutsideUnavailable):
    code: ClassVar[str] = "credit_bureau_unavailable"
    message: ClassVar[str] = "征信系统暂时连不上，您的申请已经收好，连上以后接着办"
    system: ClassVar[str] = "credit_bureau"


class CreditBureau(Protocol):
    async def report(
        self,
        *,
        name: str,
        id_number: str,
        purpose: str,
        authorisation_id: str,
        consent_sha256: str,
        case_id: str,
        key: str,
    ) -> Report:
        """`purpose`: loan_application · guarantee_review · post_loan_review. Refused without a stored consent."""
        ...
