"""活体检测: the face is seen by the provider only; we fetch the result from server to server (A5-04)."""

from datetime import datetime
from enum import StrEnum
from typing import ClassVar, Protocol

import msgspec

from backend.integrations.http import OutsideUnavailable
from backend.integrations.identity_check.port import Match


class LivenessStatus(StrEnum):
    PENDING = "pending"
    PASSED = "passed"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"


class Session(msgspec.Struct, frozen=True):
    """Send the person to `url`; it leads back to our return address with `liveness_session` added."""

    session_id: str
    url: str
    expires_at: datetime


class Outcome(msgspec.Struct, frozen=True):
    """`score` is decimal text from 0 to 1; `completed_at` is None while pending."""

    session_id: str
    status: LivenessStatus
    face_match: Match
    score: str
    photo_sha256: str
    completed_at: datetime | None


class LivenessUnavailable(OutsideUnavailable):
    code: ClassVar[str] = "liveness_unavailable"
    message: ClassVar[str] = "刷脸暂时用不了，您可以稍后再试，也可以请客户经理当面核对"
    system: ClassVar[str] = "liveness"


class Liveness(Protocol):
    async def start(
        self, *, case_id: str, consent_id: str, return_url: str, name: str, id_number: str, key: str
    ) -> Session: ...

    async def result(self, session_id: str, *, key: str) -> Outcome:
        """A finished result is given out once (replay protection): to this key, again and again."""
        ...
