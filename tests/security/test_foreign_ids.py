"""Every route with ids of another county: 404 (or a page that tells nothing), and nothing is written (ASVS 8.2.2).

Driven from the application's route table: a route that is in none of the tables below fails the first test, so that
nobody adds a door without saying what a foreign id does there.
"""

from datetime import timedelta
from typing import Any

import asyncpg
import httpx
import msgspec
import pytest

from backend.core import clock, ids
from backend.core.actor import system
from backend.domains.applications.model import Application
from backend.domains.contracts import service as contracts
from backend.domains.identity import service as identity
from backend.sandbox.forms import PageReader
from tests.flows.conftest import JIA, YI, Road, id_number
from tests.h5.conftest import Desk, Desks, desks, road
from tests.h5.scene import Scene, scene
from tests.house.test_staff_roles import STAFF_NO, example, handlers, token_of
from tests.security.conftest import STATIC, Census, Route, routes_of

__all__ = ["desks", "road"]

PUBLIC = {
    "/": "the entry page of the union",
    "/healthz": "no id",
    "/readyz": "no id",
    "/display": "no id; the size of type of a browser",
    "/q/{code:str}": "a code is printed to be scanned by anybody, of any county; its page shows public facts",
    "/p/{institution_id:str}/{product_code:str}": "the public page of a product",
    "/consents/{key:str}/{version:str}": "public texts",
    "/report": "anybody may report any code; the page shows what a scan shows",
    "/apply/start": "a public code or product begins a draft of the visitor's own",
    "/wechat": "signed by the platform; a scene is a public code (tests/bot/test_webhook.py)",
    "/wechat/oauth/start": "no id; the path it returns to is checked to be ours",
    "/api/sms/receipts": "signed by the platform; a receipt names a message and nobody",
}
OWN_SESSION = {
    "/apply/identity",
    "/apply/identity/front",
    "/apply/identity/back",
    "/apply/identity/confirm",
    "/apply/phone",
    "/apply/consents",
    "/apply/liveness",
    "/apply/liveness/other-way",
    "/apply/details",
    "/apply/submit",
    "/apply/renewal",
    "/apply/give-up",
    "/resume",
    "/resume/code",
    "/guarantee",
    "/guarantee/identity",
    "/guarantee/identity/front",
    "/guarantee/identity/back",
    "/guarantee/identity/confirm",
    "/guarantee/phone",
    "/guarantee/consents",
    "/guarantee/liveness",
    "/guarantee/liveness/other-way",
    "/guarantee/confirm",
    "/guarantee/refuse",
}
"""Take no id: they work on the draft of the browser's own session."""

FOREIGN_TOKENS = {
    "/apply/liveness/back": "GET",
    "/guarantee/liveness/back": "GET",
    "/g/{institution_id:str}/{link:str}": "GET POST",
    "/g/{institution_id:str}/{guarantee_id:str}/{key:str}": "GET",
    "/g/{institution_id:str}/{guarantee_id:str}/{key:str}/paper": "GET",
    "/wechat/oauth/callback": "GET",
    "/wechat/bind/{token:str}": "GET POST",
    "/wechat/bind/{token:str}/code": "POST",
}
"""Carry a secret of their own; one that is not this browser's leads nowhere."""

SIGNED_BY_BANK = {
    "/api/mobile-bank/package",
    "/api/mobile-bank/document",
    "/api/mobile-bank/drawdown",
    "/api/mobile-bank/events",
    "/api/mobile-bank/redeem",
    "/api/mobile-bank/standing/{institution_id:str}/{application_id:str}",
}
NOT_AN_ID = {
    "/console": "own county, or all of them for head office",
    "/console/audit": "query and field `in`, swept in tests/h5/console/test_audit_trail.py",
    "/console/audit/verify": "field `in`, swept there too",
    "/console/dead-letters": "query `in`, swept below",
    "/console/frozen": "query `in`, swept below",
    "/console/decisions": "filters; what of another county is not found (tests/h5/console/test_decisions.py)",
    "/console/decisions/export": "the same filters, the same test",
    "/console/collection-trials": "the union's strategies; the counts are head office's",
    "/console/models": "the models of the union, the same for everybody",
    "/console/models/new": "no id",
    "/console/models/line-up": "the union's, the same for everybody; acts are head office's",
    "/console/models/line-up/back": "a kind of product; head office's act",
    "/console/models/trainings": "the own institution's; cases are chosen, not named by an id",
    "/console/models/trainings/table": "no id",
    "/console/monitors": "query `in`, swept in tests/h5/console/test_monitors.py",
    "/console/officers": "query `in`, swept below",
    "/console/rechecks": "query `in`, swept below",
    "/console/sources": "the sources of the union; who counts sees the own county's cases",
    "/console/calendar": "no id; the calendar is one",
    "/console/post-loan": "query `in`, swept below",
    "/console/support": "form field `what`, swept below",
    "/console/relations": "query `in`, swept below",
    "/console/lists": "query `in`, swept below",
    "/console/strategies": "own county and the union's, by row-level security",
    "/console/strategies/of": "a product and a stage, both public; own county's versions",
    "/console/strategies/compare": "query `before` and `after`, swept in tests/h5/console/test_strategy_compare.py",
    "/console/strategies/scenarios": "a product; a scenario of another county is not there (tests/h5/console)",
    "/console/strategies/drafts": "a product and a stage; made for the own county",
    "/console/strategies/roll-back": "a product and a stage; of the own county",
    "/console/trials": "own trials; a version, model or practice county is chosen (tests/h5/console/test_trials.py)",
    "/console/batches": "own runs; a model of the union (tests/h5/console/test_batches.py)",
    "/console/trials/compare": "two own trials, another county's is not there (tests/h5/console/test_trials.py)",
    "/studio": "own cases",
    "/studio/to-do": "own cases; a kind and the number of a page",
    "/studio/codes": "own codes",
    "/studio/poster": "own codes",
    "/studio/surveys": "own surveys, and those of the own county that wait for a second person",
    "/studio/invitations": "own people; the key of a page is a place in the own list",
    "/studio/leads": "own customers; a place in the own list, or who is looked for among them",
    "/staff/sign-in": "no id",
    "/staff/sign-in/return": "state and code of the sign-on (tests/h5/console/test_sign_in.py)",
    "/staff/confirm": "no id; the path it returns to is checked to be ours",
    "/staff/sign-out": "no id",
}


OF_THE_UNION = {
    "/console/collection-trials/{challenge_id:str}/answer",
    "/console/collection-trials/{challenge_id:str}/end",
    "/console/models/line-up/{proposal_id:str}/answer",
    "/console/models/line-up/{proposal_id:str}/withdraw",
    *(
        f"/console/models/{{model_id:str}}{each}"
        for each in ("", "/act", "/comparison", "/report", "/report/{seq:int}/{form:str}")
    ),
}
"""Ids of no institution: everybody who may read models reads them; acts are head office's alone
(tests/h5/console/test_models.py)."""


def staff_with_ids(path: str) -> bool:
    return path.startswith(("/console", "/studio", "/staff")) and "{" in path and path not in OF_THE_UNION


def test_every_route_of_the_application_says_what_a_foreign_id_does(road: Road) -> None:
    told = {*PUBLIC, *OWN_SESSION, *FOREIGN_TOKENS, *SIGNED_BY_BANK, *NOT_AN_ID, *OF_THE_UNION}
    found = {route.path for route in routes_of(road.web._transport.app)}  # type: ignore[attr-defined]
    swept = {path for path in found if staff_with_ids(path) or path.startswith("/my/")}
    assert found - swept - told == set(), "a new route: say here what a foreign id does"
    assert told - found == set(), "told of, and gone"
    assert not {path for path in OWN_SESSION | set(NOT_AN_ID) if "{" in path}
    assert STATIC not in found


async def customer(road: Road, application: Application) -> tuple[httpx.AsyncClient, str]:
    """The browser of the person who made an application, and its cross-site token."""
    actor = system(application.institution_id, "test")
    async with road.db.begin(actor) as tx:
        session, token = await identity.new_customer_session(tx, application.openid)
        await identity.set_session_application(tx, session.id, application.id, application.customer_id)
    client = httpx.AsyncClient(
        transport=road.web._transport,
        base_url=road.context.settings.public_base,
        headers={"Accept": "text/html"},
        cookies={"customer": f"{application.institution_id}.{token}"},
    )
    page = PageReader((await client.get("/report")).text)
    return client, page.form("/report").values["csrf_token"]


async def approved(road: Road, prefix: str, serial: int) -> Application:
    road.actor = YI if prefix == "411702" else JIA
    return await road.apply(id_number(serial, prefix))


async def test_a_customer_sees_and_changes_nothing_of_another_countys_application(
    road: Road, census: Census
) -> None:
    mine, foreign = await approved(road, "411701", 401), await approved(road, "411702", 402)
    client, token = await customer(road, mine)
    await road.settle()
    before, wrong, swept = await census.digests(), [], 0
    for route in routes_of(road.web._transport.app):  # type: ignore[attr-defined]
        if not route.path.startswith("/my/"):
            continue
        swept += 1
        path = route.at(number=foreign.application_no, key="bureau_query")
        reply = await (client.get(path) if route.method == "GET" else _post(client, path, token))
        if reply.status_code != 404 or foreign.application_no in reply.text:
            wrong.append(f"{route}: {reply.status_code}")
    own = await client.get(f"/my/{mine.application_no}")
    await client.aclose()
    assert (wrong, own.status_code) == ([], 200)
    assert swept >= 8
    assert await census.changed(before) == set()


async def _post(client: httpx.AsyncClient, path: str, token: str) -> httpx.Response:
    return await client.post(path, data={"csrf_token": token, "form_key": ids.new()})


async def test_secrets_of_other_browsers_lead_nowhere(road: Road, census: Census) -> None:
    draft = await road.draft(id_number(403))
    client, token = await customer(road, draft)
    await road.settle()
    before = await census.digests()
    for path, methods in FOREIGN_TOKENS.items():
        for method in methods.split():
            address = Route(method, path).at(token=ids.token())
            if method == "GET":
                reply = await client.get(
                    address, params={"liveness_session": ids.new(), "state": "x", "code": "x"}
                )
            else:
                reply = await _post(client, address, token)
            assert reply.status_code in {303, 404}, f"{method} {path}: {reply.status_code}"
    await client.aclose()
    assert await census.changed(before) == set()


async def test_staff_of_a_county_find_none_of_another_countys_ids(
    road: Road, desks: Desks, owner: asyncpg.Connection, census: Census
) -> None:
    own, foreign = await scene(road, owner, "4101", 411), await scene(road, owner, "4102", 412)
    mixed = msgspec.structs.replace(foreign, institution=own.institution)
    wrong, swept = [], set()
    for role in ("officer", "county_admin", "reviewer", "risk_analyst", "auditor"):
        desk = await desks.of(STAFF_NO[role])
        token = await token_of(desk)
        with clock.at(clock.now()):
            before = await census.digests()
            for method, path, handler in handlers(road):
                if role not in handler.opt["roles"] or not staff_with_ids(path):
                    continue
                swept.add(path)
                for told in (foreign, mixed):
                    status = await _ask(
                        desk, method, example(path, told), token, handler.opt.get("fields", ())
                    )
                    # A path that names only the county: the own one is no foreign id.
                    harmless = told is mixed and path == "/console/counties/{institution_id:str}"
                    if status != 404 and not harmless:
                        wrong.append(f"{role} {method} {example(path, told)}: {status}")
            assert await census.changed(before) == set(), (
                f"{role}: an id that is not theirs changed something; {wrong}"
            )
    missing = {p for _, p, h in handlers(road) if staff_with_ids(p)} - swept
    assert wrong == [], "an id of another county is answered 404: no row touched is no success"
    assert missing == set(), "routes no role of the list above may use"


async def _ask(desk: Desk, method: str, path: str, token: str, fields: tuple[str, ...]) -> int:
    """A complete form, so that only the id can be what is wrong with it."""
    if method == "GET":
        return (await desk.http.get(path)).status_code
    filled = {"outcome": "approved", "amount": "10000", "rate": "6", "term": "12"}
    sent = {name: filled.get(name, "写得够长的一句话") for name in fields}
    return (await desk.http.post(path, data={"csrf_token": token, "form_key": ids.new(), **sent})).status_code


async def test_a_county_chooses_no_other_county_and_finds_no_other_customer(
    road: Road, desks: Desks, owner: asyncpg.Connection, census: Census
) -> None:
    foreign = await scene(road, owner, "4102", 413)
    desk = await desks.of(STAFF_NO["county_admin"])
    token = await token_of(desk)
    with clock.at(clock.now()):
        before = await census.digests()
        for path in (
            "/console/dead-letters",
            "/console/frozen",
            "/console/officers",
            "/console/relations",
            "/console/lists",
            "/console/rechecks",
            "/console/post-loan",
        ):
            assert (await desk.http.get(path, params={"in": "4102"})).status_code == 404
        by_number = {"csrf_token": token, "form_key": ids.new(), "what": foreign.number}
        reply = await desk.http.post("/console/support", data=by_number)
        assert reply.status_code == 404
        tried = {"audit.entries", "audit.heads", "outbox.idempotency", "xd.quota"}  # written down and counted
        assert await census.changed(before) - tried == set()
        openid = foreign.application.openid or ""
        for what in (openid, id_number(413, "411702"), "张三"):
            asked = {"csrf_token": token, "form_key": ids.new(), "what": what}
            reply = await desk.http.post("/console/support", data=asked)
            assert (reply.status_code, foreign.number in reply.text) == (404, False), what
    head_office = await desks.of(STAFF_NO["head_office_admin"])
    await head_office.get(f"/console/cases/{foreign.number}")
    assert head_office.reply.status_code == 200, "head office answers for every county"


async def test_a_colleagues_codes_customers_and_questions_are_not_mine(
    road: Road, desks: Desks, owner: asyncpg.Connection, census: Census
) -> None:
    made = await scene(road, owner)
    colleague = await desks.of("JX0428")
    token = await token_of(colleague)
    with clock.at(clock.now()):
        before = await census.digests()
        for method, path, handler in handlers(road):
            if path.startswith("/studio/") and "{" in path:
                fields = handler.opt.get("fields", ())
                assert await _ask(colleague, method, example(path, made), token, fields) == 404, path
        assert await census.changed(before) == set()


@pytest.fixture
async def offers(road: Road) -> tuple[Application, Application]:
    """One of each county, with its documents at the bank."""
    found = []
    for prefix, serial in (("411701", 421), ("411702", 422)):
        found.append(await road.hand_off(await approved(road, prefix, serial)))
    await road.settle()
    return found[0], found[1]


async def test_the_banks_calls_mix_no_two_counties(
    road: Road, offers: tuple[Application, Application], census: Census
) -> None:
    mine, foreign = offers
    async with road.db.read(YI) as tx:
        contract = await contracts.get(tx, foreign.id)
        papers = await contracts.documents(tx, contract)
    me = road.hash_of(id_number(421))
    event = {
        "event_id": ids.new(), "sequence": 1, "type": "signed", "application_id": foreign.id,
        "institution_id": "4101", "contract_no": contract.contract_no,
        "at": (clock.now() - timedelta(minutes=1)).isoformat(),
    }  # fmt: skip
    draw = {
        "application_id": foreign.id, "customer_hash": me, "request_no": "YK1", "line_no": "ED1", "amount_fen": 100,
        "account_no": "6212",
    }  # fmt: skip
    calls: list[tuple[str, dict[str, Any], set[int]]] = [
        ("package", {"application_id": foreign.id, "customer_hash": me}, {404}),
        ("document", {"application_id": mine.id, "document_id": papers[0].id}, {404}),
        ("drawdown", draw, {404}),
        ("events", event, {404}),
    ]
    before = await census.digests()
    for path, body, expected in calls:
        reply = await road.call(path, body)
        assert reply.status_code in expected, f"{path}: {reply.status_code} {reply.text}"
    standing = "/api/mobile-bank/standing/{institution_id:str}/{application_id:str}"
    assert (await road.ask(f"standing/4101/{foreign.id}")).status_code == 404
    assert await census.changed(before) == set()
    assert {f"/api/mobile-bank/{path}" for path, _, _ in calls} | {
        "/api/mobile-bank/redeem", standing,
    } == SIGNED_BY_BANK  # fmt: skip


async def test_a_short_code_opens_nothing_for_another_countys_customer(
    road: Road, offers: tuple[Application, Application], owner: asyncpg.Connection
) -> None:
    from backend.flows import issue_short_code

    _, foreign = offers
    issued = await issue_short_code.issue_short_code(road.context, YI, foreign.id)
    before = await owner.fetchval("select count(*) from applications.events")
    body = {"customer_hash": road.hash_of(id_number(421)), "short_code": issued.short_code}
    reply = await road.call("redeem", body)
    assert reply.status_code in {403, 404, 409, 422}, reply.text
    assert foreign.id not in reply.text
    assert await owner.fetchval("select count(*) from applications.events") == before


def test_the_scene_has_something_for_every_kind_of_id() -> None:
    assert {"number", "review", "inquiry", "ticket", "call", "report", "dead", "code"} <= set(
        Scene.__struct_fields__
    )
