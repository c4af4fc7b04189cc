"""短信平台 over HTTP."""

from collections.abc import Mapping

from backend.integrations.http import Connection, segment
from backend.integrations.sms.port import Receipt, Sent


class SmsClient:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def send(
        self, *, phone: str, template: str, parameters: Mapping[str, str], case_id: str, key: str
    ) -> Sent:
        body = {"phone": phone, "template": template, "parameters": dict(parameters), "case_id": case_id}
        return await self._connection.effect("send", "/send", Sent, key=key, body=body)

    async def status(self, message_id: str) -> Receipt:
        return await self._connection.read("messages", f"/messages/{segment(message_id)}", Receipt)
