"""Static files: read once at start, packed once, sent under a name that holds their content's hash.

A name with the hash may be kept for ever by phones and proxies; a changed file gets a new name. Only what
is listed by suffix is served, nothing else of the folder.
"""

import gzip
import hashlib
import re
from pathlib import Path
from typing import TYPE_CHECKING

from litestar import asgi
from litestar.exceptions import NotFoundException
from litestar.handlers import ASGIRouteHandler
from msgspec import Struct

if TYPE_CHECKING:
    from litestar.types import Receive, Scope, Send

ROOT = Path(__file__).resolve().parents[2] / "static"
PREFIX = "/static/"

# Bundles: several style sheets sent as one file, in this order.
BUNDLES: dict[str, tuple[str, ...]] = {
    "customer.css": ("vendor/weui-2.6.26.cut.css", "css/tokens.css", "css/customer.css"),
    "staff.css": ("css/tokens.css", "css/staff.css"),
}

_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".jpg": "image/jpeg",
    ".webp": "image/webp",
    ".woff2": "font/woff2",
    ".json": "application/json",
}
_PACKED = {".css", ".js", ".svg", ".json"}
_HIDDEN = {"fonts"}  # whole Chinese fonts are for posters and documents, never for phones


class Asset(Struct, frozen=True):
    """One file as it is sent. `packed` is the gzip body, None where packing gains nothing."""

    content_type: bytes
    body: bytes
    packed: bytes | None


class StaticFiles:
    """All static files under their hashed addresses."""

    def __init__(self, root: Path = ROOT) -> None:
        self._assets: dict[str, Asset] = {}
        self._urls: dict[str, str] = {}
        for path in sorted(root.rglob("*")):
            name = path.relative_to(root).as_posix()
            if path.suffix in _TYPES and name.split("/")[0] not in _HIDDEN:
                self._add(name, _lean(path))
        for name, parts in BUNDLES.items():
            self._add(name, b"\n".join(_lean(root / part) for part in parts))

    def _add(self, name: str, body: bytes) -> None:
        stem, suffix = name.rsplit(".", 1)
        hashed = f"{stem}.{hashlib.sha256(body).hexdigest()[:10]}.{suffix}"
        packed = gzip.compress(body, 9, mtime=0) if f".{suffix}" in _PACKED else None
        self._assets[hashed] = Asset(_TYPES[f".{suffix}"].encode(), body, packed)
        self._urls[name] = PREFIX + hashed

    def url(self, name: str) -> str:
        """Address of `name` ('customer.css', 'vendor/htmx-2.0.11.min.js'); KeyError when there is no such file."""
        return self._urls[name]

    def find(self, hashed: str) -> Asset | None:
        """The file behind a hashed name (without the prefix), None when unknown."""
        return self._assets.get(hashed)

    def packed_size(self, name: str) -> int:
        """Bytes that go over the wire for `name`: what the size budgets are checked against."""
        asset = self._assets[self._urls[name].removeprefix(PREFIX)]
        return len(asset.packed or asset.body)


def _lean(path: Path) -> bytes:
    """Style sheets lose comments and indentation, so that they may be commented freely."""
    body = path.read_bytes()
    if path.suffix != ".css" or ".min." in path.name:
        return body
    text = re.sub(r"/\*(?!!).*?\*/", "", body.decode(), flags=re.DOTALL)
    return re.sub(r"\s*\n\s*", "\n", text).strip().encode()


def handler(files: StaticFiles) -> ASGIRouteHandler:
    """ASGI handler for `/static`, to be given to Litestar's `route_handlers`."""

    @asgi(PREFIX.rstrip("/"), is_mount=True, copy_scope=True)
    async def static_files(scope: "Scope", receive: "Receive", send: "Send") -> None:  # noqa: ARG001
        # The mount leaves the whole path or the rest, depending on how the application is served.
        asset = files.find(scope["path"].removeprefix(PREFIX).strip("/"))
        if asset is None:
            raise NotFoundException
        await _send(asset, scope, send)

    return static_files


async def _send(asset: Asset, scope: "Scope", send: "Send") -> None:
    accepts = next((value for name, value in scope["headers"] if name == b"accept-encoding"), b"")
    packed = asset.packed if asset.packed is not None and b"gzip" in accepts else None
    body = packed or asset.body
    headers = [
        (b"content-type", asset.content_type),
        (b"content-length", str(len(body)).encode()),
        (b"cache-control", b"public, max-age=31536000, immutable"),
        (b"x-content-type-options", b"nosniff"),
        (b"vary", b"Accept-Encoding"),
    ]
    if packed:
        headers.append((b"content-encoding", b"gzip"))
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    sent = b"" if scope.get("method") == "HEAD" else body
    await send({"type": "http.response.body", "body": sent, "more_body": False})
