"""征信前置 over HTTP."""

import hashlib

import msgspec

from backend.integrations.credit_bureau.port import Report
from backend.integrations.http import Connection


class CreditBureauClient:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

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
        body = {
            "name": name,
            "id_number": id_number,
            "purpose": purpose,
            "authorisation_id": authorisation_id,
            "consent_sha256": consent_sha256,
            "case_id": case_id,
        }
        raw = await self._connection.effect("reports", "/reports", msgspec.Raw, key=key, body=body)
        report = self._connection.decode("reports", bytes(raw), Report, effect=True)
        return msgspec.structs.replace(report, raw=bytes(raw), sha256=hashlib.sha256(raw).hexdigest())
