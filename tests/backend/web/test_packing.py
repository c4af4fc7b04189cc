"""What leaves packed must be what was written, and must not betray a token."""

import gzip
from typing import Any

import pytest

from backend.settings import load
from backend.web import cookies, edge, packing

PAGE = ("<p>这一页够长，值得压缩</p>" * 60).encode()


async def sent(app: Any, **scope: Any) -> tuple[dict[bytes, bytes], bytes, int]:
    """(headers, body, number of start messages) as a client would see them."""
    messages: list[Any] = []

    async def send(message: Any) -> None:
        messages.append(dict(message))

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    asked = {
        "type": "http",
        "method": "GET",
        "path": "/",
        "headers": [(b"accept-encoding", b"br, gzip")],
        **scope,
    }
    await edge.edge(load({}), [])(app)(asked, receive, send)  # type: ignore[arg-type]
    starts = [m for m in messages if m["type"] == "http.response.start"]
    assert messages[0] is starts[0]
    return dict(starts[0]["headers"]), b"".join(m["body"] for m in messages[1:]), len(starts)


def answering(*bodies: bytes, **headers: str) -> Any:
    async def app(scope: Any, receive: Any, send: Any) -> None:
        pairs = [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": 200, "headers": pairs})
        for number, body in enumerate(bodies, 1):
            await send({"type": "http.response.body", "body": body, "more_body": number < len(bodies)})

    return app


async def test_a_page_leaves_packed_with_its_length_put_right() -> None:
    app = answering(PAGE, content_type="text/html; charset=utf-8", content_length=str(len(PAGE)))
    headers, body, _ = await sent(app)
    assert gzip.decompress(body) == PAGE
    assert headers[b"content-length"] == str(len(body)).encode()
    assert (headers[b"content-encoding"], headers[b"vary"]) == (b"gzip", b"accept-encoding")
    assert b"content-security-policy" in headers


@pytest.mark.parametrize(
    ("bodies", "kind", "accepts"),
    [
        ((PAGE,), "text/html", b"identity"),
        ((PAGE,), "application/pdf", b"gzip"),
        ((b"short",), "text/html", b"gzip"),
        ((PAGE, PAGE), "text/html", b"gzip"),
    ],
)
async def test_what_is_not_worth_it_or_not_understood_leaves_as_it_is(
    bodies: tuple[bytes, ...], kind: str, accepts: bytes
) -> None:
    headers, body, starts = await sent(
        answering(*bodies, content_type=kind), headers=[(b"accept-encoding", accepts)]
    )
    assert body == b"".join(bodies)
    assert b"content-encoding" not in headers
    assert starts == 1


async def test_an_answer_packed_already_is_not_packed_again() -> None:
    app = answering(gzip.compress(PAGE), content_type="text/html", content_encoding="gzip")
    _, body, _ = await sent(app)
    assert gzip.decompress(body) == PAGE


@pytest.mark.parametrize("values", [(b"one", b"k"), (b"", b"\xe5\xad\x97"), (b"x" * 4000, b"0" * 36)])
def test_a_kept_page_unpacks_to_what_it_says(values: tuple[bytes, bytes]) -> None:
    kept = packing.Kept("<a>AA</a>中文 BB <b>AA</b>" * 5, ("AA", "BB"))
    plain = kept.plain(*values)
    assert plain == ("<a>AA</a>中文 BB <b>AA</b>" * 5).encode().replace(b"AA", values[0]).replace(
        b"BB", values[1]
    )
    assert gzip.decompress(kept.packed(*values)) == plain


def test_the_cross_site_token_looks_different_on_every_page() -> None:
    class Request:
        def __init__(self, token: str) -> None:
            self.scope = {"visit": "v" * 22, "scheme": "http"}
            self.cookies = {"visit": "v" * 22}
            self.headers = {"x-csrf-token": token}
            self.method = "POST"

    settings = load({})
    seen = {cookies.csrf_token(Request(""), settings) for _ in range(20)}  # type: ignore[arg-type]
    assert len(seen) == 20
    starts = {token[:8] for token in seen}
    assert len(starts) == 20, "no part of it stays"


@pytest.mark.parametrize("spoil", ["", "x", "AAAA", "=" * 44, "é" * 44, "A" * 44])
async def test_a_spoiled_token_is_refused_and_a_good_one_is_not(spoil: str) -> None:
    class Request:
        scope = {"visit": "v" * 22, "scheme": "http"}
        cookies = {"visit": "v" * 22}
        headers: dict[str, str] = {}
        method = "POST"

        async def form(self) -> dict[str, str]:
            return {"csrf_token": spoil}

    settings, request = load({}), Request()
    with pytest.raises(cookies.ForeignRequest):
        await cookies.require_csrf(request, settings)  # type: ignore[arg-type]
    request.headers = {"x-csrf-token": cookies.csrf_token(request, settings)}  # type: ignore[arg-type]
    await cookies.require_csrf(request, settings)  # type: ignore[arg-type]
