"""活体检测 over HTTP."""

from backend.integrations.http import Connection
from backend.integrations.liveness.port import Outcome, Session


class LivenessClient:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def start(
        self, *, case_id: str, consent_id: str, return_url: str, name: str, id_number: str, key: str
    ) -> Session:
        body = {
            "case_id": case_id,
            "consent_id": consent_id,
            "return_url": return_url,
            "name": name,
            "id_number": id_number,
        }
        return await self._connection.effect("sessions", "/sessions", Session, key=key, body=body)

    async def result(self, session_id: str, *, key: str) -> Outcome:
        body = {"session_id": session_id}
        return await self._connection.effect("results", "/results", Outcome, key=key, body=body)
