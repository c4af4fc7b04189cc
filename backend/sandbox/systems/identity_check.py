"""联网核查."""

import msgspec
from litestar import Response, Router, get, post
from litestar.params import FromPath

from backend.core import ids
from backend.sandbox import world
from backend.sandbox.refusal import Refusal
from backend.sandbox.store import stamp
from backend.sandbox.world import AnyRequest, World

SYSTEM = "identity_check"
PRICE_FEN = 50


class Query(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    id_number: str
    authorisation_id: str
    case_id: str
    phone: str = ""
    photo_sha256: str = ""


@post("/verify")
async def verify(request: AnyRequest) -> Response[bytes]:
    query = await world.body_of(request, Query)
    if not query.authorisation_id:
        raise Refusal(400, "authorisation_missing", "没有客户授权编号，不能核查")
    here = world.of(request)
    if here.people.script(query.id_number).identity == "down":
        raise Refusal(503, "source_down", "核查源没有应答")
    return await world.effect(
        request,
        system=SYSTEM,
        effect="identity_queried",
        case=query.case_id,
        work=lambda: _verified(here, query),
    )


def _verified(here: World, query: Query) -> dict[str, object]:
    script = here.people.script(query.id_number)
    nobody = not script.name and here.people.nobody(query.id_number)
    registered = "" if nobody else here.people.registered_name(query.id_number, query.name)
    found = "not_found" if nobody else "match" if registered == query.name else "mismatch"
    result = script.identity or found
    photo = "not_compared"
    if query.photo_sha256 and result == "match":
        photo = here.people.face_matches(query.id_number)
    return {
        "query_id": ids.new(),
        "result": result,
        "photo_result": photo,
        "phone_result": _phone(here, query) if result == "match" else "unknown",
        "checked_at": stamp(),
        "price_fen": PRICE_FEN,
    }


def _phone(here: World, query: Query) -> str:
    """The operator knows whose a number is: the first person it was asked with (三要素)."""
    scripted = here.people.script(query.id_number).phone
    if scripted or not query.phone:
        return scripted or "unknown"
    neighbour = here.people.neighbour(query.id_number)
    if neighbour is not None and neighbour.phone == query.phone:
        return "match"
    owner = here.store.get("phone_owner", query.phone)
    if owner is None:
        here.store.put("phone_owner", query.phone, {"id_number": query.id_number.upper()})
        return "match"
    return "match" if owner["id_number"] == query.id_number.upper() else "mismatch"


@get("/effects/{key:str}")
async def effects(request: AnyRequest, key: FromPath[str]) -> dict[str, object]:
    return world.answered(world.of(request), SYSTEM, key)


router = Router("/identity-check", route_handlers=[verify, effects])
