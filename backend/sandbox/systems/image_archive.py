"""影像平台: bytes on disk under their hash, an index, and a log of who looked and why."""

import hashlib
import hmac
from pathlib import Path
from typing import Any

import msgspec
from litestar import Response, Router, get, post
from litestar.params import FromPath

from backend.core import ids
from backend.sandbox import world
from backend.sandbox.refusal import Refusal
from backend.sandbox.store import stamp
from backend.sandbox.world import AnyRequest, World

SYSTEM = "image_archive"
TYPES = {"image/jpeg", "image/png", "application/pdf"}
CAP = 8 * 1024 * 1024


class Index(msgspec.Struct, forbid_unknown_fields=True):
    institution_id: str
    case_id: str
    kind: str
    retention_class: str


class Wanted(msgspec.Struct, forbid_unknown_fields=True):
    reason: str
    requested_by: str


class Search(msgspec.Struct, forbid_unknown_fields=True):
    institution_id: str
    case_id: str


@post("/images", request_max_body_size=CAP + 1)
async def upload(request: AnyRequest) -> Response[bytes]:
    content, index = await request.body(), _index(request)
    sha256 = hashlib.sha256(content).hexdigest()
    if request.headers.get("x-content-sha256") != sha256:
        raise Refusal(400, "hash_mismatch", "收到的内容与声明的摘要不一致")
    content_type = request.headers.get("content-type", "")
    if content_type not in TYPES:
        raise Refusal(400, "type_unknown", "只收 JPEG、PNG 和 PDF")
    here = world.of(request)
    return await world.effect(
        request,
        system=SYSTEM,
        effect="image_stored",
        case=index.case_id,
        work=lambda: _stored(here, content, sha256, content_type, index),
    )


@post("/images/{image_id:str}/fetch")
async def fetch(request: AnyRequest, image_id: FromPath[str]) -> Response[bytes]:
    wanted = await world.body_of(request, Wanted)
    if not wanted.reason.strip() or not wanted.requested_by.strip():
        raise Refusal(400, "reason_missing", "调阅影像要写明谁看、为什么看")
    here = world.of(request)
    image = here.store.get("image", image_id)
    if not image:
        raise Refusal(404, "image_not_found", "没有这张影像")
    return await world.effect_bytes(
        request,
        system=SYSTEM,
        effect="image_fetched",
        case=image["index"]["case_id"],
        work=lambda: (_path(here, image["sha256"]).read_bytes(), {"X-Content-SHA256": image["sha256"]}),
        content_type=image["content_type"],
    )


@post("/images/{image_id:str}/remove")
async def remove(request: AnyRequest, image_id: FromPath[str]) -> Response[bytes]:
    here = world.of(request)
    image = here.store.get("image", image_id)
    return await world.effect(
        request,
        system=SYSTEM,
        effect="image_removed",
        case=image["index"]["case_id"] if image else "",
        work=lambda: _removed(here, image_id),
    )


@post("/images/find", status_code=200)
async def find(request: AnyRequest) -> list[dict[str, Any]]:
    search = await world.body_of(request, Search)
    found = world.of(request).store.all("image", ref=f"{search.institution_id}/{search.case_id}")
    return [{name: value for name, value in image.items() if name != "seq"} for image in found]


@get("/effects/{key:str}")
async def effects(request: AnyRequest, key: FromPath[str]) -> dict[str, object]:
    return world.answered(world.of(request), SYSTEM, key)


def _index(request: AnyRequest) -> Index:
    try:
        return msgspec.json.decode(request.headers.get("x-image-index", "").encode(), type=Index)
    except msgspec.DecodeError as cause:
        raise Refusal(400, "index_malformed", "影像索引不完整") from cause


def _path(here: World, sha256: str) -> Path:
    return here.settings.data / "sandbox-images" / sha256


def _stored(here: World, content: bytes, sha256: str, content_type: str, index: Index) -> dict[str, Any]:
    path = _path(here, sha256)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    image_id, moment = ids.new(), stamp()
    signed = f"{image_id} {sha256} {moment}".encode()
    secret = here.settings.outside_api_secret.encode()
    image = {
        "image_id": image_id,
        "sha256": sha256,
        "size": len(content),
        "content_type": content_type,
        "stored_at": moment,
        "receipt": hmac.new(secret, signed, hashlib.sha256).hexdigest(),
        "index": index,
    }
    here.store.put("image", image_id, image, ref=f"{index.institution_id}/{index.case_id}")
    return image


def _removed(here: World, image_id: str) -> dict[str, Any]:
    """The bytes stay while another picture has the same ones."""
    image = here.store.get("image", image_id)
    if image:
        here.store.delete("image", image_id)
        if not any(each["sha256"] == image["sha256"] for each in here.store.all("image")):
            _path(here, image["sha256"]).unlink(missing_ok=True)
    return {"image_id": image_id, "removed": True}


router = Router("/image-archive", route_handlers=[upload, fetch, remove, find, effects])
