"""影像平台: keeps the pictures for us; our copy is destroyed on its receipt (A5-08)."""

from datetime import datetime
from typing import ClassVar, Protocol

import msgspec

from backend.integrations.http import OutsideUnavailable


class ImageIndex(msgspec.Struct, frozen=True):
    """What the picture is filed under. `kind`: id_front · id_back · …; `retention_class`: by the rules."""

    institution_id: str
    case_id: str
    kind: str
    retention_class: str


class StoredImage(msgspec.Struct, frozen=True):
    """`receipt` is the archive's own mark that it holds exactly these bytes."""

    image_id: str
    sha256: str
    size: int
    content_type: str
    stored_at: datetime
    receipt: str
    index: ImageIndex


class ImageArchiveUnavailable(OutsideUnavailable):
    code: ClassVar[str] = "image_archive_unavailable"
    message: ClassVar[str] = "影像平台暂时连不上，照片先留在本地加密保存，稍后再传"
    system: ClassVar[str] = "image_archive"


class ImageArchive(Protocol):
    async def upload(
        self, *, content: bytes, content_type: str, sha256: str, index: ImageIndex, key: str
    ) -> StoredImage: ...

    async def fetch(self, image_id: str, *, reason: str, requested_by: str, key: str) -> bytes:
        """Raises ImageArchiveUnavailable("broken") when the bytes are not those of the receipt."""
        ...

    async def remove(self, image_id: str, *, key: str) -> None:
        """The picture is destroyed; one that is gone already is no error."""
        ...

    async def find(self, *, institution_id: str, case_id: str) -> tuple[StoredImage, ...]: ...
