"""联网核查: does this name belong to this ID number, and this face and phone to them (A5-02)."""

from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Protocol

import msgspec

from backend.integrations.http import OutsideUnavailable


class Match(StrEnum):
    MATCH = "match"
    MISMATCH = "mismatch"
    NOT_FOUND = "not_found"
    NOT_COMPARED = "not_compared"
    UNKNOWN = "unknown"


class Verification(msgspec.Struct, frozen=True):
    """`result`: match · mismatch · not_found; `photo_result`: match · mismatch · not_compared;
    `phone_result`: match · mismatch · unknown (nothing known of this phone, or none given)."""

    query_id: str
    result: Match
    photo_result: Match
    phone_result: Match
    checked_at: datetime
    price_fen: int


class IdentityCheckUnavailable(OutsideUnavailable):
    code: ClassVar[str] = "identity_check_unavailable"
    message: ClassVar[str] = "身份核查系统暂时连不上，您的申请已经收好，连上以后接着办"
    system: ClassVar[str] = "identity_check"


class IdentityCheck(Protocol):
    async def verify(
        self,
        *,
        name: str,
        id_number: str,
        authorisation_id: str,
        case_id: str,
        key: str,
        phone: str = "",
        photo_sha256: str = "",
    ) -> Verification:
        """`authorisation_id` is the customer's consent; without one the other side refuses."""
        ...
