"""Staff sign in at the union's sign-on; only its own fresh token for this very sign-in counts (A5-01, 9.x)."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from backend import demo
from backend.core import clock
from backend.integrations.http import OutsideRefused
from backend.integrations.registry import Clients
from backend.integrations.sign_on.port import StaffClaims, TokenRejected, pkce
from backend.sandbox.systems import sign_on, staff
from backend.sandbox.world import World
from backend.settings import Settings

RETURN = "http://127.0.0.1:8000/staff/sign-in/return"


async def code_for(clients: Clients, control: httpx.AsyncClient, challenge: str) -> str:
    url = await clients.sign_on.authorize_url(
        redirect_uri=RETURN,
        state="s1",
        nonce="n1",
        code_challenge=challenge,
        prompt="none",
        login_hint="JX0427",
    )
    reply = await control.get(url)
    assert reply.status_code == 303, reply.text
    answer = parse_qs(urlsplit(reply.headers["location"]).query)
    assert answer["state"] == ["s1"]
    return answer["code"][0]


async def exchange(clients: Clients, code: str, verifier: str, **changed: str) -> StaffClaims:
    asked = {"code": code, "code_verifier": verifier, "redirect_uri": RETURN, "nonce": "n1", **changed}
    return await clients.sign_on.exchange(**asked)


async def test_li_si_signs_in(clients: Clients, control: httpx.AsyncClient) -> None:
    verifier, challenge = pkce()
    claims = await exchange(clients, await code_for(clients, control, challenge), verifier)
    assert (claims.name, claims.staff_no, claims.institution_id) == ("李四", "JX0427", "4101")
    assert (claims.roles, claims.amr) == (("officer",), ("pwd", "otp"))


async def test_the_page_lists_everybody_and_a_pick_signs_in(
    clients: Clients, control: httpx.AsyncClient
) -> None:
    verifier, challenge = pkce()
    url = await clients.sign_on.authorize_url(
        redirect_uri=RETURN, state="s1", nonce="n1", code_challenge=challenge
    )
    page = (await control.get(url)).text
    assert all(member.name in page for member in staff.EVERYBODY)
    form = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
    reply = await control.post("/sign-on/authorize", data={**form, "staff_no": "JX0201"})
    code = parse_qs(urlsplit(reply.headers["location"]).query)["code"][0]
    assert (await exchange(clients, code, verifier)).roles == ("reviewer",)


async def test_a_code_works_once(clients: Clients, control: httpx.AsyncClient) -> None:
    verifier, challenge = pkce()
    code = await code_for(clients, control, challenge)
    await exchange(clients, code, verifier)
    with pytest.raises(OutsideRefused) as refusal:
        await exchange(clients, code, verifier)
    assert refusal.value.remote_code == "invalid_grant"


@pytest.mark.parametrize(
    "changed", [{"code_verifier": "somebody else's"}, {"redirect_uri": RETURN + "/elsewhere"}]
)
async def test_a_stolen_code_is_worth_nothing(
    clients: Clients, control: httpx.AsyncClient, changed: dict[str, str]
) -> None:
    verifier, challenge = pkce()
    code = await code_for(clients, control, challenge)
    with pytest.raises(OutsideRefused):
        await exchange(clients, code, changed.get("code_verifier", verifier), **changed)


async def test_a_token_of_another_sign_in_is_rejected(clients: Clients, control: httpx.AsyncClient) -> None:
    verifier, challenge = pkce()
    code = await code_for(clients, control, challenge)
    with pytest.raises(TokenRejected):
        await exchange(clients, code, verifier, nonce="another")


async def test_nobody_is_sent_to_an_address_that_is_not_ours(
    clients: Clients, control: httpx.AsyncClient
) -> None:
    url = await clients.sign_on.authorize_url(
        redirect_uri="http://evil.example/", state="s1", nonce="n1", code_challenge=pkce()[1]
    )
    assert (await control.get(url)).status_code == 400


def genuine(world: World, **changed: Any) -> dict[str, Any]:
    now = int(clock.now().timestamp())
    claims = {
        "iss": world.settings.sign_on_issuer,
        "aud": "xiaodai",
        "sub": "JX0427",
        "iat": now,
        "exp": now + 600,
        "nonce": "n1",
        "auth_time": now,
        "name": "李四",
        "staff_no": "JX0427",
        "institution_id": "4101",
        "branch": "柳林支行",
        "roles": ["officer"],
        **changed,
    }
    return {name: value for name, value in claims.items() if value is not None}


def signed(world: World, claims: dict[str, Any], **header: Any) -> str:
    key = sign_on._key(world)
    return jwt.encode({"alg": "ES256", "kid": key.kid, **header}, claims, key, algorithms=["ES256"])


async def test_a_genuine_token_is_accepted_so_that_the_forgeries_below_mean_something(
    clients: Clients, world: World
) -> None:
    claims = await clients.sign_on._verified(signed(world, genuine(world)), "n1")
    assert claims.subject == "JX0427"


def _part(content: bytes) -> str:
    return base64.urlsafe_b64encode(content).rstrip(b"=").decode()


def _none(world: World) -> str:
    return f"{_part(json.dumps({'alg': 'none'}).encode())}.{_part(json.dumps(genuine(world)).encode())}."


def _public_key_as_a_password(world: World) -> str:
    """Made by hand, because joserfc refuses to make one."""
    key = sign_on._key(world)
    header = json.dumps({"alg": "HS256", "kid": key.kid}).encode()
    content = f"{_part(header)}.{_part(json.dumps(genuine(world)).encode())}"
    digest = hmac.new(key.as_pem(private=False), content.encode(), hashlib.sha256).digest()
    return f"{content}.{_part(digest)}"


def _own_key(world: World) -> str:
    stranger = ECKey.generate_key("P-256")
    header = {"alg": "ES256", "kid": sign_on._key(world).kid}
    return jwt.encode(header, genuine(world), stranger, algorithms=["ES256"])


def _own_key_in_the_header(world: World) -> str:
    stranger = ECKey.generate_key("P-256")
    header = {"alg": "ES256", "jwk": stranger.as_dict(private=False)}
    return jwt.encode(header, genuine(world), stranger, algorithms=["ES256"])


FORGERIES: dict[str, Callable[[World], str]] = {
    "no algorithm": _none,
    "a public key used as a password": _public_key_as_a_password,
    "another key": _own_key,
    "a key of its own in the header": _own_key_in_the_header,
    "keys from elsewhere": lambda w: signed(w, genuine(w), jku="http://evil.example/jwks"),
    "expired": lambda w: signed(w, genuine(w, exp=int(clock.now().timestamp()) - 60)),
    "without an end": lambda w: signed(w, genuine(w, exp=None)),
    "from the future": lambda w: signed(w, genuine(w, iat=int(clock.now().timestamp()) + 900)),
    "for another audience": lambda w: signed(w, genuine(w, aud="another")),
    "of another issuer": lambda w: signed(w, genuine(w, iss="http://evil.example")),
    "an access token": lambda w: signed(w, genuine(w), typ="at+jwt"),
    "without a nonce": lambda w: signed(w, genuine(w, nonce=None)),
    "roles that are no list": lambda w: signed(w, genuine(w, roles="officer")),
    "nothing at all": lambda w: "",
    "not a token": lambda w: "a.b.c",
    "cut short": lambda w: signed(w, genuine(w))[:-4],
}


@pytest.mark.parametrize("forgery", FORGERIES)
async def test_a_forged_token_is_rejected(clients: Clients, world: World, forgery: str) -> None:
    with pytest.raises(TokenRejected):
        await clients.sign_on._verified(FORGERIES[forgery](world), "n1")


async def test_a_key_changed_by_the_sign_on_is_fetched_once_more(clients: Clients, world: World) -> None:
    await clients.sign_on._verified(signed(world, genuine(world)), "n1")
    world.store.delete("sign_on_key", "current")
    assert (await clients.sign_on._verified(signed(world, genuine(world)), "n1")).name == "李四"


async def test_the_sign_on_knows_the_staff_of_the_demo_union(settings: Settings) -> None:
    here = {(m.staff_no, m.name, m.institution_id, m.roles) for m in staff.EVERYBODY}
    union = {(no, name, "0000", tuple(roles)) for _, no, name, roles in demo.UNION_STAFF}
    county = {
        (prefix + digits, name, code, tuple(roles))
        for code, (prefix, names) in demo.NAMES.items()
        for (_, digits, roles), name in zip(demo.COUNTY_STAFF, names, strict=True)
    }
    assert here == union | county


async def test_a_minute_old_code_is_refused(clients: Clients, control: httpx.AsyncClient) -> None:
    verifier, challenge = pkce()
    code = await code_for(clients, control, challenge)
    with clock.at(clock.now() + timedelta(seconds=61)), pytest.raises(OutsideRefused):
        await exchange(clients, code, verifier)
