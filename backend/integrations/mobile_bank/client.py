"""手机银行 over HTTP."""

from datetime import date
from urllib.parse import quote

from backend.integrations.http import Connection, segment
from backend.integrations.mobile_bank import port
from backend.integrations.mobile_bank.port import DayFile, Offer, OfferReceipt, OfferStatus, Told


class MobileBankClient:
    """`secret` names customers to the bank (see `port.customer_hash`); `app_base` is its app's deep link."""

    def __init__(self, connection: Connection, *, secret: str, app_base: str) -> None:
        self._connection, self._secret, self._app_base = connection, secret, app_base

    def customer_hash(self, id_number: str) -> str:
        return port.customer_hash(self._secret, id_number)

    def link(self, token: str) -> str:
        return f"{self._app_base}?token={quote(token, safe='')}"

    async def put_offer(self, offer: Offer, *, key: str) -> OfferReceipt:
        return await self._connection.effect("offers", "/offers", OfferReceipt, key=key, body=offer)

    async def status(self, application_id: str) -> OfferStatus:
        return await self._connection.read("offers", f"/offers/{segment(application_id)}", OfferStatus)

    async def withdraw(self, application_id: str, *, reason: str, key: str) -> OfferStatus:
        path = f"/offers/{segment(application_id)}/withdraw"
        return await self._connection.effect("withdraw", path, OfferStatus, key=key, body={"reason": reason})

    async def reconciliation(self, institution_id: str, on: date) -> DayFile:
        path = f"/reconciliation/{segment(institution_id)}/{on.isoformat()}"
        return await self._connection.read("reconciliation", path, DayFile)

    async def tell(self, *, customer_hash: str, case_id: str, title: str, text: str, key: str) -> Told:
        body = {"customer_hash": customer_hash, "case_id": case_id, "title": title, "text": text}
        return await self._connection.effect("messages", "/messages", Told, key=key, body=body)
