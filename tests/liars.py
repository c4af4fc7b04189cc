"""Archives that are not what they say."""

import io
import struct
import zipfile
import zlib

LARGE = 64 << 20
"""Bytes; a kilobyte or sixty when packed."""
_LOCAL, _CENTRAL = b"PK\x03\x04", b"PK\x01\x02"


def liar(files: dict[str, int], kind: int, told: int | None = None) -> bytes:
    """An archive of files of so many blanks; `told`: what the first says its size is, with the sum of so many."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", kind) as archive:
        for name, size in files.items():
            archive.writestr(name, b" " * size)
    raw = bytearray(made.getvalue())
    if told is not None:
        for start, sum_at, size_at in ((raw.find(_LOCAL), 14, 22), (raw.find(_CENTRAL), 16, 24)):
            struct.pack_into("<L", raw, start + sum_at, zlib.crc32(b" " * told))
            struct.pack_into("<L", raw, start + size_at, told)
    return bytes(raw)
