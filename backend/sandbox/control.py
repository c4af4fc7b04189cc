"""Control calls: faults, ledgers, people. For tests, the chaos run and the back office."""

from typing import Any

import msgspec
from litestar import Router, delete, get, post, put
from litestar.params import FromPath, FromQuery

from backend.sandbox import faults, world
from backend.sandbox.people import Script
from backend.sandbox.refusal import Refusal
from backend.sandbox.systems import liveness, sms, staff
from backend.sandbox.systems.wechat import accounts, phone, push
from backend.sandbox.world import AnyRequest


class NewFault(msgspec.Struct, forbid_unknown_fields=True):
    system: str
    fault: faults.Kind
    operation: str = "*"
    times: int | None = None
    rate: float | None = None
    args: dict[str, Any] = {}


class Reset(msgspec.Struct, forbid_unknown_fields=True):
    keep_people: bool = False


class Outcome(msgspec.Struct, forbid_unknown_fields=True):
    outcome: liveness.Act


@post("/faults")
async def set_fault(request: AnyRequest) -> dict[str, int]:
    wanted = await world.body_of(request, NewFault)
    return {"fault_id": world.of(request).faults.set(**msgspec.structs.asdict(wanted))}


@get("/faults")
async def list_faults(request: AnyRequest) -> list[faults.Fault]:
    return world.of(request).faults.all()


@delete("/faults")
async def clear_faults(request: AnyRequest) -> None:
    world.of(request).faults.clear()


@delete("/faults/{fault_id:int}")
async def clear_fault(request: AnyRequest, fault_id: FromPath[int]) -> None:
    world.of(request).faults.clear(fault_id)


@get("/ledger")
async def ledger(
    request: AnyRequest, system: FromQuery[str] = "", since: FromQuery[int] = 0, case: FromQuery[str] = ""
) -> Any:
    return world.of(request).ledger(system=system, since=since, case=case)


@get("/callbacks")
async def callbacks(request: AnyRequest) -> list[dict[str, Any]]:
    return world.of(request).callbacks.pending()


@post("/reset", status_code=204)
async def reset(request: AnyRequest) -> None:
    asked = await world.body_of(request, Reset)
    world.of(request).store.wipe(keep=("person",) if asked.keep_people else ())


@put("/people/{id_number:str}", status_code=204)
async def set_person(request: AnyRequest, id_number: FromPath[str]) -> None:
    world.of(request).people.set(id_number, await world.body_of(request, Script))


@get("/people/{id_number:str}")
async def person(request: AnyRequest, id_number: FromPath[str]) -> dict[str, Any]:
    people = world.of(request).people
    return {"script": people.script(id_number), "facts": people.facts(id_number)}


@get("/sms/{phone:str}")
async def messages(request: AnyRequest, phone: FromPath[str]) -> list[dict[str, Any]]:
    return sms.messages_to(world.of(request), phone)


@get("/sms/{phone:str}/code")
async def last_code(request: AnyRequest, phone: FromPath[str]) -> dict[str, str]:
    for message in sms.messages_to(world.of(request), phone):
        if message["template"] == "verification_code":
            return {"code": message["parameters"]["code"]}
    raise Refusal(404, "code_not_found", "还没有给这个号码发过验证码")


@post("/liveness/{session_id:str}", status_code=200)
async def act(request: AnyRequest, session_id: FromPath[str]) -> dict[str, str]:
    """Act as the person in front of the camera; the answer says where the provider sends them back to."""
    liveness.act(world.of(request), session_id, (await world.body_of(request, Outcome)).outcome)
    return {"return_url": liveness.way_back(world.of(request), session_id)}


@post("/wechat/verify-url", status_code=200)
async def verify_url(request: AnyRequest) -> dict[str, bool]:
    """Enter our address in the platform's console: does our door answer the echo?"""
    return {"accepted": await push.verify_url(world.of(request))}


@post("/wechat/expire-token", status_code=204)
async def expire_token(request: AnyRequest) -> None:
    accounts.expire(world.of(request))


class Poster(msgspec.Struct, forbid_unknown_fields=True):
    label: str
    kind: str
    content: str


@put("/wechat/posters", status_code=204)
async def hang_posters(request: AnyRequest) -> None:
    """What there is to scan: on walls, in groups. Replaces what hung before."""
    store = world.of(request).store
    posters = await world.body_of(request, list[Poster])
    store.put("wechat_posters", "all", {"posters": msgspec.to_builtins(posters)})


@get("/wechat/posters")
async def list_posters(request: AnyRequest) -> list[dict[str, str]]:
    return phone.posters(world.of(request))


@get("/staff")
async def list_staff() -> list[staff.Member]:
    return list(staff.EVERYBODY)


HANDLERS = [
    *(set_fault, list_faults, clear_faults, clear_fault, ledger, callbacks, reset),
    *(set_person, person, messages, last_code, act, verify_url, expire_token, list_staff),
    *(hang_posters, list_posters),
]
router = Router("/control", route_handlers=HANDLERS)
