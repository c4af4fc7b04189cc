"""活体检测: a session, a page for the person, and a result that is handed out once."""

from datetime import datetime, timedelta
from typing import Any, Literal
from urllib.parse import urlencode, urlsplit

import msgspec
from litestar import Response, Router, get, post
from litestar.params import FromPath
from litestar.response import Redirect, Template

from backend.core import clock, ids
from backend.sandbox import world
from backend.sandbox.refusal import Refusal
from backend.sandbox.store import stamp
from backend.sandbox.world import AnyRequest, World

SYSTEM = "liveness"
VALID = timedelta(minutes=15)

Act = Literal["passed", "failed", "cancelled"]


class Start(msgspec.Struct, forbid_unknown_fields=True):
    case_id: str
    consent_id: str
    return_url: str
    name: str
    id_number: str


class Fetch(msgspec.Struct, forbid_unknown_fields=True):
    session_id: str


@post("/sessions")
async def start(request: AnyRequest) -> Response[bytes]:
    asked = await world.body_of(request, Start)
    if not asked.consent_id:
        raise Refusal(400, "consent_missing", "人脸信息要先取得单独同意")
    here = world.of(request)
    if _origin(asked.return_url) != _origin(here.settings.public_base):
        raise Refusal(400, "return_url_not_allowed", "返回地址没有登记")
    return await world.effect(
        request,
        system=SYSTEM,
        effect="liveness_started",
        case=asked.case_id,
        work=lambda: _started(here, asked),
    )


@post("/results")
async def result(request: AnyRequest) -> Response[bytes]:
    session_id = (await world.body_of(request, Fetch)).session_id
    here = world.of(request)
    session = _session(here, session_id)
    key = request.headers.get("idempotency-key", "")
    if session["status"] == "pending" and not here.store.row(
        "select 1 from answers where system = ? and key = ?", SYSTEM, key
    ):
        # Asking too early consumes nothing, so it is no effect either.
        return Response(msgspec.json.encode(_outcome(session)), media_type="application/json")
    if session["given_to"] not in {"", key}:
        raise Refusal(409, "result_already_fetched", "这次检测的结果已经取走")
    return await world.effect(
        request,
        system=SYSTEM,
        effect="liveness_result_given",
        case=session["case_id"],
        work=lambda: _given(here, session, key),
    )


@get("/effects/{key:str}")
async def effects(request: AnyRequest, key: FromPath[str]) -> dict[str, object]:
    return world.answered(world.of(request), SYSTEM, key)


@get("/page/{session_id:str}")
async def page(request: AnyRequest, session_id: FromPath[str]) -> Template:
    session = _session(world.of(request), session_id)
    return Template("liveness.html", context={"session": session})


@post("/page/{session_id:str}", status_code=303)
async def act_on_page(request: AnyRequest, session_id: FromPath[str]) -> Redirect:
    form = await request.form()
    here = world.of(request)
    act(here, session_id, form.get("outcome", "cancelled"))
    return Redirect(_back(_session(here, session_id)), status_code=303)


def act(here: World, session_id: str, outcome: Act) -> None:
    """What the person does in front of the camera; the first act counts."""
    session = _session(here, session_id)
    if outcome not in {"passed", "failed", "cancelled"}:
        raise Refusal(400, "outcome_unknown", "没有这种结果")
    if session["status"] == "pending":
        done = {**session, "status": outcome, "completed_at": stamp()}
        here.store.put("liveness", session_id, done)


def way_back(here: World, session_id: str) -> str:
    """Where the provider's page leads to when the person is done."""
    return _back(_session(here, session_id))


def _started(here: World, asked: Start) -> dict[str, object]:
    session_id = ids.new()
    expires_at = (clock.now() + VALID).isoformat()
    here.store.put(
        "liveness",
        session_id,
        {
            **msgspec.to_builtins(asked),
            "session_id": session_id,
            "status": "pending",
            "expires_at": expires_at,
            "completed_at": None,
            "given_to": "",
            "face": here.people.face_matches(asked.id_number),
        },
    )
    base = here.settings.sandbox_base.rstrip("/")
    return {"session_id": session_id, "url": f"{base}/liveness/page/{session_id}", "expires_at": expires_at}


def _session(here: World, session_id: str) -> dict[str, Any]:
    session = here.store.get("liveness", session_id)
    if not session:
        raise Refusal(404, "session_not_found", "没有这次检测")
    late = clock.now() > datetime.fromisoformat(session["expires_at"])
    if session["status"] == "pending" and late:
        return {**session, "status": "expired"}
    return session


def _given(here: World, session: dict[str, Any], key: str) -> dict[str, Any]:
    here.store.put("liveness", session["session_id"], {**session, "given_to": key})
    return _outcome(session)


def _outcome(session: dict[str, Any]) -> dict[str, Any]:
    passed = session["status"] == "passed"
    return {
        "session_id": session["session_id"],
        "status": session["status"],
        "face_match": session["face"] if passed else "not_compared",
        "score": "0.97" if passed else "0.12" if session["status"] == "failed" else "0",
        "photo_sha256": "",
        "completed_at": session["completed_at"],
    }


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc


def _back(session: dict[str, Any]) -> str:
    url = str(session["return_url"])
    return url + ("&" if "?" in url else "?") + urlencode({"liveness_session": session["session_id"]})


router = Router("/liveness", route_handlers=[start, result, effects, page, act_on_page])
