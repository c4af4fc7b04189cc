"""Bodies packed with gzip: whole ones as they leave, and kept pages from parts that were packed once.

What differs from visitor to visitor (the cross-site token, the form key) is put into a kept page as stored
blocks, so that drawing it again costs a join and a checksum.
"""

import struct
import zlib
from collections.abc import Iterable
from gzip import compress

WORTH_BYTES = 600
LEVEL = 5
_TEXT = (b"text/html", b"application/json", b"text/plain")
_HEAD = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\xff"
_LAST_BLOCK = b"\x03\x00"

Headers = list[tuple[bytes, bytes]]


def accepted(headers: Iterable[tuple[bytes, bytes]]) -> bool:
    """Whether the client takes gzip (request headers as ASGI has them, names in lower case)."""
    return any(name == b"accept-encoding" and b"gzip" in value for name, value in headers)


def packed(headers: Headers, body: bytes) -> tuple[Headers, bytes]:
    """A text answer worth it, packed, with its headers put right; anything else as it came."""
    present = dict(headers)
    worth = len(body) >= WORTH_BYTES and present.get(b"content-type", b"").startswith(_TEXT)
    if not worth or b"content-encoding" in present:
        return headers, body
    body = compress(body, LEVEL, mtime=0)
    kept = [pair for pair in headers if pair[0] != b"content-length"]
    return [*kept, (b"content-length", str(len(body)).encode()), *ENCODED], body


ENCODED: Headers = [(b"content-encoding", b"gzip"), (b"vary", b"accept-encoding")]


class Kept:
    """A page cut at the places of its tokens. `places` stand in the text once or more each."""

    def __init__(self, text: str, places: tuple[str, ...]) -> None:
        self._plain: list[bytes] = []
        self._packed: list[bytes] = []
        self._holes: list[int] = []
        rest = text
        while found := sorted((rest.index(p), n) for n, p in enumerate(places) if p in rest):
            at, number = found[0]
            self._add(rest[:at])
            self._holes.append(number)
            rest = rest[at + len(places[number]) :]
        self._add(rest)

    def _add(self, text: str) -> None:
        plain = text.encode()
        packer = zlib.compressobj(9, zlib.DEFLATED, -zlib.MAX_WBITS)
        self._plain.append(plain)
        self._packed.append(packer.compress(plain) + packer.flush(zlib.Z_SYNC_FLUSH))

    def plain(self, *values: bytes) -> bytes:
        parts = [self._plain[0]]
        for hole, text in zip(self._holes, self._plain[1:], strict=True):
            parts += values[hole], text
        return b"".join(parts)

    def packed(self, *values: bytes) -> bytes:
        """The same page as one gzip member. Values are at most 65,535 bytes."""
        blocks = [struct.pack("<BHH", 0, len(v), len(v) ^ 0xFFFF) + v for v in values]
        parts = [_HEAD, self._packed[0]]
        for hole, text in zip(self._holes, self._packed[1:], strict=True):
            parts += blocks[hole], text
        plain = self.plain(*values)
        parts += _LAST_BLOCK, struct.pack("<II", zlib.crc32(plain), len(plain))
        return b"".join(parts)
