"""Request and Response as our doors use them."""

from typing import Any, TypeAlias

import litestar
from litestar.response.base import ASGIResponse

Request: TypeAlias = litestar.Request[Any, Any, Any]
Response: TypeAlias = litestar.Response[Any]


class Whole(litestar.Response[bytes]):
    """A page whose bytes and headers are ready: sent as it stands, without the general way's detours."""

    def to_asgi_response(self, app: object, request: object, **given: Any) -> ASGIResponse:  # noqa: ARG002
        """`given` is what the handler's declaration adds; our handlers declare nothing but a status."""
        return _Sent(self, bool(given.get("is_head_response")))


class _Sent(ASGIResponse):
    def __init__(self, page: Whole, head: bool) -> None:
        headers = [(name.lower().encode(), value.encode("latin-1")) for name, value in page.headers.items()]
        headers += (
            (b"content-type", b"text/html; charset=utf-8"),
            (b"content-length", b"%d" % len(page.content)),
        )
        headers += (cookie.to_encoded_header() for cookie in page.cookies)
        self._start: Any = {"type": "http.response.start", "status": page.status_code, "headers": headers}
        self.body = b"" if head else page.content

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:  # noqa: ARG002
        await send(self._start)
        await send({"type": "http.response.body", "body": self.body, "more_body": False})
