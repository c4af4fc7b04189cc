"""联网核查 over HTTP."""

from backend.integrations.http import Connection
from backend.integrations.identity_check.port import Verification


class IdentityCheckClient:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

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
        body = {
            "name": name,
            "id_number": id_number,
            "phone": phone,
            "photo_sha256": photo_sha256,
            "authorisation_id": authorisation_id,
            "case_id": case_id,
        }
        return await self._connection.effect("verify", "/verify", Verification, key=key, body=body)
