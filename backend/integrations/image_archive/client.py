"""影像平台 over HTTP."""

import hashlib

import msgspec

from backend.integrations.http import Connection, segment
from backend.integrations.image_archive.port import ImageArchiveUnavailable, ImageIndex, StoredImage

IMAGE_CAP = 9 * 1024 * 1024


class ImageArchiveClient:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    async def upload(
        self, *, content: bytes, content_type: str, sha256: str, index: ImageIndex, key: str
    ) -> StoredImage:
        headers = {
            "Content-Type": content_type,
            "X-Content-SHA256": sha256,
            "X-Image-Index": msgspec.json.encode(index).decode(),
            "Idempotency-Key": key,
        }
        request = self._connection.request("POST", "/images", content, headers)
        answer = await self._connection.send("images", request, effect=True)
        return self._connection.decode("images", answer.body, StoredImage, effect=True)

    async def fetch(self, image_id: str, *, reason: str, requested_by: str, key: str) -> bytes:
        body = msgspec.json.encode({"reason": reason, "requested_by": requested_by})
        headers = {"Content-Type": "application/json", "Idempotency-Key": key}
        request = self._connection.request("POST", f"/images/{segment(image_id)}/fetch", body, headers)
        answer = await self._connection.send("fetch", request, effect=True, cap=IMAGE_CAP)
        if hashlib.sha256(answer.body).hexdigest() != answer.headers.get("x-content-sha256"):
            raise ImageArchiveUnavailable(operation="fetch", reason="broken", unknown=False)
        return answer.body

    async def remove(self, image_id: str, *, key: str) -> None:
        headers = {"Idempotency-Key": key}
        request = self._connection.request("POST", f"/images/{segment(image_id)}/remove", b"", headers)
        await self._connection.send("remove", request, effect=True)

    async def find(self, *, institution_id: str, case_id: str) -> tuple[StoredImage, ...]:
        body = {"institution_id": institution_id, "case_id": case_id}
        return await self._connection.read("find", "/images/find", tuple[StoredImage, ...], body=body)
