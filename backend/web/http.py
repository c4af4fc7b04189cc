"""Request and Response as our doors use them."""

from typing import Any, TypeAlias

import litestar
from litestar.response.base import ASGIResponse

Request: TypeAlias = litestar.Request[Any, Any, Any]
Response: TypeAlias = litestar.Response[Any]


class Whole(litestar.Response[bytes]):
    """An answer whose bytes and headers are ready: sent as it stands, without the general way's detours.

    HTML unless `media_type` says otherwise.
    """

    def to_asgi_response(self, app: object, request: object, **given: Any) -> ASGIResponse:  # noqa: ARG002
        """`given` is what the handler's declaration adds; our handlers declare nothing but a status."""
        return _Sent(self, bool(given.get("is_head_response")))


class _Sent(ASGIResponse):
    def __init__(self, whole: Whole, head: bool) -> None:
        kind = str(whole.media_type or "text/html; charset=utf-8").encode()
        headers = [(name.lower().encode(), value.encode("latin-1")) for name, value in whole.headers.items()]
        headers += (b"content-type", kind), (b"content-length", b"%d" % len(whole.content))
        headers += (cookie.to_encoded_header() for cookie in whole.cookies)
        status = whole.status_code or 200
        self._start: Any = {"type": "http.response.start", "status": status, "headers": headers}
        self.body = b"" if head else whole.content

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:  # noqa: ARG002
        await send(self._start)
        await send({"type": "http.response.body", "body": self.body, "more_body": False})
