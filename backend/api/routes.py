"""Routes of this door."""

from litestar import Router

from backend.api import sms_receipts

router = Router(path="/", route_handlers=[sms_receipts.receive])
