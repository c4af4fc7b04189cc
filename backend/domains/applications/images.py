"""Photographs of documents while they lie with us: sealed, one file each, never longer than a day (A5-08, D7).

`data/images/<institution>/<capture id>`; the vault's seal binds a file to its capture. These functions block
for a few milliseconds: call them through a thread.
"""

import contextlib
import os
from pathlib import Path

from backend.core.crypto import Vault

_TABLE, _COLUMN = "applications.captures", "image"


def keep(data: Path, vault: Vault, institution_id: str, capture_id: str, content: bytes) -> None:
    """Write sealed, then make it appear under its name; nobody but this user may read it."""
    path = _path(data, institution_id, capture_id)
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    beside = path.with_suffix(".part")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(vault.seal(_TABLE, _COLUMN, capture_id, content))
    beside.rename(path)


def read(data: Path, vault: Vault, institution_id: str, capture_id: str) -> bytes | None:
    """The JPEG, or None when it is destroyed."""
    try:
        sealed = _path(data, institution_id, capture_id).read_bytes()
    except FileNotFoundError:
        return None
    return vault.open(_TABLE, _COLUMN, capture_id, sealed)


def destroy(data: Path, institution_id: str, capture_id: str) -> None:
    """Nothing happens when it is gone already."""
    _path(data, institution_id, capture_id).unlink(missing_ok=True)


def sweep(data: Path, before: float) -> int:
    """Destroy every file last written before a moment (seconds since 1970), known to the database or not."""
    gone = 0
    for path in (data / "images").glob("*/*"):
        with contextlib.suppress(FileNotFoundError):
            if path.stat().st_mtime < before:
                path.unlink()
                gone += 1
    return gone


def _path(data: Path, institution_id: str, capture_id: str) -> Path:
    if not institution_id.isdigit() or not capture_id.replace("-", "").isalnum():
        raise ValueError("not the name of a capture")
    return data / "images" / institution_id / capture_id
