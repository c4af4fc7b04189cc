"""Staff come in through the union's sign-on and nowhere else (A5-01, ASVS 6.x, 7.x)."""

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import asyncpg
import pytest

from backend.core import clock, ids
from backend.core.actor import system
from backend.domains.audit import service as audit
from backend.settings import Settings
from tests.flows.conftest import Road
from tests.h5.conftest import Desk, Desks, written

OUT = "/staff/sign-in"


async def acts(road: Road, institution: str = "4101") -> list[str]:
    async with road.db.read(system(institution, "test")) as tx:
        return [entry.action for entry in await audit.trail(tx, audit.Filter(), None, 50)]


async def test_an_officer_and_a_reviewer_arrive_where_they_work(road: Road, desks: Desks) -> None:
    assert (await desks.of("JX0427")).path == "/studio"
    assert (await desks.of("JX0201")).path == "/console"
    assert (await acts(road)).count("staff.sign_in") == 2


async def test_the_page_that_was_asked_for_opens_after_the_sign_in(desks: Desks) -> None:
    desk = desks.new()
    await desk.get("/console/dead-letters")
    assert desk.path == OUT
    address = str((await desk.send(desk.page.form(OUT))).headers["location"])
    await desk.get(await desk.pick(address, "JX0301"))
    assert desk.path == "/console/dead-letters"


@pytest.mark.parametrize("elsewhere", ["//evil.example/", "https://evil.example/", "/\\evil.example"])
async def test_the_sign_in_leads_to_our_own_pages_only(desks: Desks, elsewhere: str) -> None:
    desk = desks.new()
    await desk.get(OUT)
    form = desk.page.form(OUT)
    address = str((await desk.send(form, next=elsewhere)).headers["location"])
    await desk.get(await desk.pick(address, "JX0427"))
    assert (desk.path, desk.reply.url.host) == ("/studio", "127.0.0.1")


async def test_the_code_flow_carries_pkce_state_and_nonce(desks: Desks) -> None:
    asked = parse_qs(urlsplit(await desks.new().to_sign_on()).query)
    assert asked["code_challenge_method"] == ["S256"]
    assert min(len(asked[name][0]) for name in ("state", "nonce", "code_challenge")) >= 32


async def test_an_answer_counts_once_and_only_in_its_own_browser(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    mine, thief = desks.new(), desks.new()
    back = await mine.pick(await mine.to_sign_on(), "JX0427")
    await thief.get(OUT)
    assert (await thief.get(back)).status_code == 403
    assert "登录没有完成" in thief.words
    assert (await mine.get(back)).status_code == 200, "a try in another browser does not burn it"
    assert (await mine.get(back)).status_code == 403
    assert await owner.fetchval("select count(*) from identity.staff_sessions") == 1
    assert await acts(road, "0000") == [], "whoever knocks without a state leaves no row"


async def test_a_state_older_than_ten_minutes_is_refused(desks: Desks) -> None:
    desk = desks.new()
    back = await desk.pick(await desk.to_sign_on(), "JX0427")
    with clock.at(clock.now() + timedelta(minutes=11)):
        assert (await desk.get(back)).status_code == 403


@pytest.mark.parametrize(
    "change",
    [
        "update identity.staff set active = false where staff_no = 'JX0427'",
        "update identity.staff set subject = 'left' where staff_no = 'JX0427'",
        "update identity.staff set subject = 'JX0427' where staff_no = 'YX0427'",
    ],
    ids=["inactive", "unknown", "claimed by two counties"],
)
async def test_who_we_do_not_know_is_told_so_and_nothing_is_made(
    road: Road, desks: Desks, owner: asyncpg.Connection, change: str
) -> None:
    await owner.execute(change)
    desk = desks.new()
    back = await desk.pick(await desk.to_sign_on(), "JX0427")
    assert (await desk.get(back)).status_code == 403
    assert "还没有开通小贷云工作室，或者已经停用" in desk.words
    assert await owner.fetchval("select count(*) from identity.staff_sessions") == 0
    assert "staff" not in {cookie.name for cookie in desk.http.cookies.jar}
    assert "staff.sign_in_refused" in await acts(road, "0000")


async def test_who_moved_on_within_the_union_is_found_where_they_work_now(
    desks: Desks, owner: asyncpg.Connection
) -> None:
    """The old row stays, inactive; the sign-on names the county of the new one."""
    await owner.execute(
        "insert into identity.staff select '4102', id, 'YX9999', name, null, roles, subject, phone, qualification_no,"
        " authority_from, authority_to, false from identity.staff where staff_no = 'JX0427'"
    )
    assert (await desks.of("JX0427")).path == "/studio"


async def test_the_session_is_a_hash_and_the_token_has_256_bits(
    desks: Desks, owner: asyncpg.Connection
) -> None:
    desk = await desks.of("JX0427")
    token = desk.http.cookies["staff"].partition(".")[2]
    assert len(token) >= 43
    kept = await owner.fetchval("select string_agg(t::text, '') from identity.staff_sessions t")
    assert token not in kept
    assert token.encode().hex() not in kept


async def test_signing_in_again_gives_a_new_token_and_ends_the_old_one(desks: Desks) -> None:
    desk = await desks.of("JX0427")
    old = desk.http.cookies["staff"]
    back = await desk.pick(await _button(desk), "JX0201")
    await desk.get(back)
    assert desk.http.cookies["staff"] != old
    desk.http.cookies.set("staff", old, domain="127.0.0.1")
    fresh = desks.new()
    fresh.http.cookies.set("staff", old)
    await fresh.get("/studio")
    assert fresh.path == OUT


async def _button(desk: Desk) -> str:
    """The sign-in form as an open tab still holds it, posted although a session is there."""
    token = desk.page.form("/staff/sign-out").values["csrf_token"]
    reply = await desk.http.post(OUT, data={"csrf_token": token, "form_key": ids.new(), "next": ""})
    return str(reply.headers["location"])


async def test_fifteen_idle_minutes_end_a_session_and_work_keeps_it(desks: Desks) -> None:
    desk, start = await desks.of("JX0427"), clock.now()
    for minutes in (14, 28):
        with clock.at(start + timedelta(minutes=minutes)):
            await desk.get("/studio")
            assert desk.path == "/studio"
    with clock.at(start + timedelta(minutes=44)):
        await desk.get("/studio")
        assert desk.path == OUT


async def test_eight_hours_end_a_session_however_busy(desks: Desks) -> None:
    desk, start = await desks.of("JX0427"), clock.now()
    for quarter in range(1, 48):
        with clock.at(start + timedelta(minutes=10 * quarter)):
            await desk.get("/studio")
            assert desk.path == "/studio", quarter
    with clock.at(start + timedelta(hours=8, seconds=1)):
        await desk.get("/studio")
        assert desk.path == OUT


@pytest.mark.parametrize(
    "change",
    [
        "update identity.staff_sessions set revoked_at = now()",
        "update identity.staff set active = false where staff_no = 'JX0427'",
    ],
    ids=["revoked", "left the bank"],
)
async def test_a_revocation_counts_at_the_next_request(
    desks: Desks, owner: asyncpg.Connection, change: str
) -> None:
    desk = await desks.of("JX0427")
    await owner.execute(change)
    await desk.get("/studio")
    assert desk.path == OUT


async def test_a_role_taken_away_counts_at_the_next_request(desks: Desks, owner: asyncpg.Connection) -> None:
    desk = await desks.of("JX0427")
    await owner.execute("update identity.staff set roles = '{auditor}' where staff_no = 'JX0427'")
    assert (await desk.get("/studio")).status_code == 403


async def test_leaving_ends_the_session_here_and_at_the_sign_on(road: Road, desks: Desks) -> None:
    desk = await desks.of("JX0427")
    cookie = desk.http.cookies["staff"]
    reply = await desk.send(desk.page.form("/staff/sign-out"))
    assert reply.headers["location"].startswith(f"{road.context.settings.sign_on_issuer}/logout")
    assert "staff" not in desk.http.cookies
    desk.http.cookies.set("staff", cookie)
    await desk.get("/studio")
    assert desk.path == OUT
    assert (await acts(road))[0] == "staff.sign_out"


async def test_when_the_sign_on_is_down_the_page_says_so_plainly(road: Road, desks: Desks) -> None:
    await road.fault("sign_on", "*", "status", times=20, status=503)
    desk = desks.new()
    await desk.get(OUT)
    assert (await desk.send(desk.page.form(OUT))).status_code == 503
    assert "统一身份认证暂时连不上，请稍后再登录" in desk.words


async def test_leaving_works_while_the_sign_on_is_down(road: Road, desks: Desks) -> None:
    desk = await desks.of("JX0427")
    road.context.clients.sign_on._discovery = None
    await road.fault("sign_on", "*", "status", times=20, status=503)
    reply = await desk.send(desk.page.form("/staff/sign-out"))
    assert reply.headers["location"].endswith("/staff/sign-in?left=1")


async def test_a_post_without_the_token_of_the_page_changes_nothing(
    desks: Desks, owner: asyncpg.Connection
) -> None:
    desk = await desks.of("JX0427")
    before = await written(owner)
    for data in ({}, {"csrf_token": "0" * 64}):
        assert (await desk.http.post("/staff/sign-out", data=data)).status_code == 403
    form = desk.page.form("/staff/sign-out")
    foreign = {"origin": "https://evil.example"}
    assert (await desk.http.post(form.action, data=form.values, headers=foreign)).status_code == 403
    assert await written(owner) == before


async def test_the_cookie_is_for_this_host_and_no_script(road: Road, desks: Desks) -> None:
    from backend.web import cookies

    https = Settings(public_base="https://xd.example")
    made = cookies.make(https, cookies.STAFF, "4101.token").to_header(header="")
    assert made.strip().startswith("__Host-staff=")
    assert all(flag in made for flag in ("HttpOnly", "Secure", "SameSite=lax", "Path=/"))
    assert "Domain" not in made


async def test_a_step_up_renews_the_proof_of_the_same_person_only(road: Road, desks: Desks) -> None:
    desk = await desks.of("JX0201")
    token = desk.page.form("/staff/sign-out").values["csrf_token"]
    asked = {"csrf_token": token, "form_key": ids.new(), "next": "/console"}
    other = str((await desk.http.post("/staff/confirm", data=asked)).headers["location"])
    query = parse_qs(urlsplit(other).query)
    assert (query["prompt"], query["login_hint"]) == (["login"], ["JX0201"])
    assert (await desk.get(await desk.pick(other, "JX0202"))).status_code == 403
    assert "用您自己的账号" in desk.words
    asked["form_key"] = ids.new()
    same = str((await desk.http.post("/staff/confirm", data=asked)).headers["location"])
    await desk.get(await desk.pick(same, "JX0201"))
    assert desk.path == "/console"
    assert "staff.sign_in_refused" in await acts(road)
