"""短信平台: templates only, receipts by callback (A5-14)."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Protocol

import msgspec

from backend.integrations.http import OutsideUnavailable


class ReceiptStatus(StrEnum):
    ACCEPTED = "accepted"
    DELIVERED = "delivered"
    FAILED = "failed"


class Sent(msgspec.Struct, frozen=True):
    message_id: str
    accepted_at: datetime


class Receipt(msgspec.Struct, frozen=True):
    """Also the body of the callback `POST /api/sms/receipts`."""

    message_id: str
    status: ReceiptStatus
    at: datetime
    reason: str = ""


class SmsUnavailable(OutsideUnavailable):
    code: ClassVar[str] = "sms_unavailable"
    message: ClassVar[str] = "短信暂时发不出去，请一分钟后再试"
    system: ClassVar[str] = "sms"


class Sms(Protocol):
    async def send(
        self, *, phone: str, template: str, parameters: Mapping[str, str], case_id: str, key: str
    ) -> Sent: ...

    async def status(self, message_id: str) -> Receipt: ...
