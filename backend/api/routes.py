"""Routes of this door."""

from litestar import Router

from backend.api import mobile_bank, sms_receipts

router = Router(path="/", route_handlers=[sms_receipts.receive, mobile_bank.router])
