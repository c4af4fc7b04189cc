"""The role × route matrix, driven from the application's own route table (ASVS 8.2.1): a new staff route must be
given an example here, and then answers exactly the roles it declares."""

import asyncpg
import msgspec
import pytest
from litestar import get
from litestar.handlers import HTTPRouteHandler

from backend.core import clock, ids
from backend.core.actor import ROLES
from backend.web import staff
from h5.console.routes import router as console
from tests.flows.conftest import Road
from tests.h5.conftest import Desk, Desks, desks, road, written
from tests.h5.scene import Scene, scene

__all__ = ["desks", "road"]

STAFF_NO = {
    "officer": "JX0427",
    "county_admin": "JX0101",
    "reviewer": "JX0201",
    "risk_analyst": "JX0301",
    "auditor": "JX0401",
    "head_office_admin": "SL0001",
}
LEAVES = "/staff/sign-out"


def handlers(road: Road) -> list[tuple[str, str, HTTPRouteHandler]]:
    """(method, path, handler) of everything under the staff doors' paths, whoever registered it."""
    app = road.web._transport.app
    return [
        (method, route.path, handler)
        for route in app.routes
        if route.path.split("/")[1] in {"console", "studio", "staff"}
        for handler in route.route_handlers
        for method in sorted(handler.http_methods - {"OPTIONS"})
    ]


def example(path: str, made: Scene) -> str:
    """A path with ids that exist."""
    for part in path.split("/"):
        if part.startswith("{"):
            name = part[1:].split(":")[0]
            path = path.replace(part, value(name, path, made))
    return path


def value(name: str, path: str, made: Scene) -> str:
    if name == "number":
        by_folder = {
            "tickets": made.ticket,
            "calls": made.call,
            "reports": made.report,
            "cases": made.number,
            "leads": made.number,
            "invitations": made.number,
        }
        assert path.split("/")[2] in by_folder, f"{path}: say here which number of the scene it takes"
        return by_folder[path.split("/")[2]]
    read_only = path.startswith("/console/")
    known = {
        "survey_id": made.checked_survey if read_only else made.survey,
        "photo_id": made.checked_photo if read_only else made.photo,
        "institution_id": made.institution,
        "review_id": made.review,
        "recheck_id": made.recheck,
        "check_id": made.held,
        "warning_id": made.warning,
        "case_id": made.overdue,
        "inquiry_id": made.inquiry,
        "effect_id": made.dead,
        "code_id": made.code,
        "staff_id": made.officer,
        "finding_id": made.finding,
        "entry_id": made.entry,
        "version_id": made.version,
        "alarm_id": made.alarm,
        "run_id": made.trial,
        "batch_id": made.batch,
        "training_id": made.training,
        "model_id": made.model,
        "proposal_id": made.proposal,
        "challenge_id": made.challenge,
        "guarantee_id": made.guarantee,
        "customer_id": made.application.customer_id or "",
        "seq": "2",
        "form": "pdf",
    }
    assert name in known, f"a new kind of id, {name}: make one in tests/h5/scene.py and name it here"
    return known[name]


def seen_by(role: str, made: Scene) -> Scene:
    """Head office works on its own strategies and trials, a county on its own."""
    if role != "head_office_admin":
        return made
    return msgspec.structs.replace(made, version=made.union_version, trial=made.union_trial)


async def ask(desk: Desk, method: str, path: str, token: str) -> tuple[int, str]:
    """(status, where it leads); a POST carries the token of the page and, for the search, a number nobody has."""
    if method == "GET":
        reply = await desk.http.get(path)
    else:
        searched = {"what": "26110199999"} if path == "/console/support" else {}
        reply = await desk.http.post(path, data={"csrf_token": token, "form_key": ids.new(), **searched})
    return reply.status_code, reply.headers.get("location", "")


async def token_of(desk: Desk) -> str:
    """The cross-site token of this browser, from any form it was shown."""
    await desk.get("/staff/sign-in")
    return next(form.values["csrf_token"] for form in desk.page.forms if "csrf_token" in form.values)


async def test_exactly_the_declared_roles_may_use_a_route_and_a_refusal_writes_nothing(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    shared, routes = await scene(road, owner), handlers(road)
    wrong: list[str] = []
    for role in ROLES:
        made = seen_by(role, shared)
        desk = await desks.of(STAFF_NO[role])
        token = await token_of(desk)
        with clock.at(clock.now()):
            before = await written(owner)
            for method, path, handler in routes:
                if role in handler.opt["roles"] or handler.opt["roles"] == staff.ANYONE:
                    continue
                status, _ = await ask(desk, method, example(path, made), token)
                wrong += [] if status == 403 else [f"{role} {method} {path}: {status} instead of 403"]
            assert await written(owner) == before, f"a refusal of {role} wrote something"
            for method, path, handler in routes:
                if role not in handler.opt["roles"] or path == LEAVES:
                    continue
                status, target = await ask(desk, method, example(path, made), token)
                searched = status == 404 and path == "/console/support"
                if not (status in {200, 303, 422} or searched) or target.startswith(staff.SIGN_IN):
                    wrong.append(f"{role} {method} {path}: {status} {target}")
        assert (await ask(desk, "POST", LEAVES, token))[0] == 303
    assert wrong == [], "\n".join(wrong)


async def test_nobody_is_sent_to_the_sign_in_and_changes_nothing(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    made, nobody = await scene(road, owner), desks.new()
    token = await token_of(nobody)
    before = await written(owner)
    wrong = []
    for method, path, handler in handlers(road):
        if handler.opt["roles"] == staff.ANYONE:
            continue
        status, target = await ask(nobody, method, example(path, made), token)
        sent = status == 303 and target.startswith(staff.SIGN_IN)
        if not (sent if method == "GET" else status == 403):
            wrong.append(f"{method} {path}: {status} {target}")
    assert wrong == [], "\n".join(wrong)
    assert await written(owner) == before


async def test_no_page_of_staff_writes_when_it_is_only_looked_at(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    made = await scene(road, owner)
    for role, staff_no in STAFF_NO.items():
        desk = await desks.of(staff_no)
        with clock.at(clock.now()):
            before = await written(owner)
            for method, path, handler in handlers(road):
                if method == "GET" and role in handler.opt["roles"]:
                    at = example(path, seen_by(role, made))
                    assert (await desk.http.get(at)).status_code == 200, path
            assert await written(owner) == before, role


async def test_a_field_a_staff_form_does_not_have_is_refused_and_nothing_written(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    made = await scene(road, owner)
    for role, staff_no in STAFF_NO.items():
        desk = await desks.of(staff_no)
        token = await token_of(desk)
        with clock.at(clock.now()):
            before = await written(owner)
            for method, path, handler in handlers(road):
                if method == "POST" and role in handler.opt["roles"]:
                    for name in ("role", "institution_id", "officer_id", "status", "__proto__"):
                        sent = {"csrf_token": token, name: "head_office_admin"}
                        reply = await desk.http.post(example(path, made), data=sent)
                        assert reply.status_code == 400, f"{role} {path} {name}"
            assert await written(owner) == before, role


def test_a_handler_that_names_no_roles_or_unknown_ones_stops_the_start() -> None:
    async def page() -> str:
        return ""

    for opt in ({}, staff.only(), staff.only("boss"), {"roles": None}):
        with pytest.raises(staff.Undeclared):
            staff.router([get("/console/new", opt=opt)(page)])
    with pytest.raises(staff.Undeclared):
        staff.router([console])  # type: ignore[list-item]


def test_every_staff_path_is_behind_the_guard(road: Road) -> None:
    for _, path, handler in handlers(road):
        assert staff.guard in handler.resolve_guards(), path
    assert len(handlers(road)) > 25


async def test_only_the_way_in_is_open_to_anyone(road: Road) -> None:
    opened = {(m, p) for m, p, h in handlers(road) if h.opt["roles"] == staff.ANYONE}
    assert opened == {
        ("GET", "/staff/sign-in"),
        ("POST", "/staff/sign-in"),
        ("GET", "/staff/sign-in/return"),
    }
