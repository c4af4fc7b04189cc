"""统一身份认证: an OIDC provider with a pick list of staff instead of passwords (A5-01)."""

import base64
import binascii
import hashlib
import hmac
from datetime import datetime, timedelta
from itertools import groupby
from typing import Any
from urllib.parse import urlencode, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey
from litestar import Response, Router, get, post
from litestar.response import Redirect, Template

from backend.core import clock, ids
from backend.sandbox import world
from backend.sandbox.refusal import Refusal
from backend.sandbox.systems import staff
from backend.sandbox.world import AnyRequest, World

CODE_LIFE = timedelta(seconds=60)
TOKEN_LIFE = timedelta(minutes=10)
ASKED = ("client_id", "redirect_uri", "response_type", "scope", "state", "nonce")
PKCE = ("code_challenge", "code_challenge_method")


@get("/.well-known/openid-configuration")
async def discovery(request: AnyRequest) -> dict[str, Any]:
    issuer = _issuer(world.of(request))
    return {
        "issuer": issuer,
        "authorization_endpoint": f"{issuer}/authorize",
        "token_endpoint": f"{issuer}/token",
        "userinfo_endpoint": f"{issuer}/userinfo",
        "end_session_endpoint": f"{issuer}/logout",
        "jwks_uri": f"{issuer}/jwks",
        "response_types_supported": ["code"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": ["ES256"],
        "code_challenge_methods_supported": ["S256"],
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
        "scopes_supported": ["openid", "profile"],
        "acr_values_supported": ["urn:xiaodai:two-factor"],
    }


@get("/jwks")
async def jwks(request: AnyRequest) -> dict[str, Any]:
    return {"keys": [_key(world.of(request)).as_dict(private=False)]}


@get("/authorize")
async def authorize(request: AnyRequest) -> Response[Any]:
    """The pick list; with `prompt=none` and a `login_hint` the redirect at once, for programs."""
    here, asked = world.of(request), dict(request.query_params)
    _check(here, asked)
    hint = asked.get("login_hint", "")
    if asked.get("prompt") == "none":
        if not staff.find(hint):
            return _back(asked, {"error": "login_required"})
        return _signed_in(here, asked, hint)
    groups = [
        {"name": name, "members": list(members)}
        for name, members in groupby(staff.EVERYBODY, key=lambda member: member.institution_name)
    ]
    context = {"groups": groups, "labels": staff.ROLE_LABELS, "asked": {n: asked[n] for n in ASKED + PKCE}}
    return Template("sign_on.html", context=context)


@post("/authorize")
async def pick(request: AnyRequest) -> Redirect:
    form = {name: str(value) for name, value in (await request.form()).items()}
    here = world.of(request)
    _check(here, form)
    return _signed_in(here, form, form.get("staff_no", ""))


@post("/token", status_code=200)
async def token(request: AnyRequest) -> dict[str, Any]:
    here = world.of(request)
    form = {name: str(value) for name, value in (await request.form()).items()}
    _check_client(here, request, form)
    if form.get("grant_type") != "authorization_code":
        raise Refusal(400, "unsupported_grant_type")
    code = _burned(here, form.get("code", ""))
    digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
    challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
    if not hmac.compare_digest(challenge, code["code_challenge"]):
        raise Refusal(400, "invalid_grant", "code_verifier 不对")
    if form.get("redirect_uri") != code["redirect_uri"]:
        raise Refusal(400, "invalid_grant", "redirect_uri 与发起时不同")
    access = ids.token()
    here.store.put("sign_on_token", access, {"staff_no": code["staff_no"]})
    return {
        "access_token": access,
        "token_type": "Bearer",
        "expires_in": int(TOKEN_LIFE.total_seconds()),
        "id_token": _id_token(here, code),
    }


@get("/userinfo")
async def userinfo(request: AnyRequest) -> dict[str, Any]:
    given = request.headers.get("authorization", "").removeprefix("Bearer ")
    found = world.of(request).store.get("sign_on_token", given)
    if not found:
        raise Refusal(401, "invalid_token")
    return _profile(str(found["staff_no"]))


@get("/logout")
async def logout(request: AnyRequest) -> Response[Any]:
    target = request.query_params.get("post_logout_redirect_uri", "")
    here = world.of(request)
    if target and _origin(target) == _origin(here.settings.public_base):
        return Redirect(target, status_code=303)
    return Response("已退出统一身份认证", media_type="text/plain; charset=utf-8")


def _issuer(here: World) -> str:
    return here.settings.sign_on_issuer.rstrip("/")


def _check(here: World, asked: dict[str, str]) -> None:
    """Refused on the spot and not by redirect: until now nothing says the address is a friend's."""
    if asked.get("client_id") != here.settings.sign_on_client_id:
        raise Refusal(400, "invalid_client", "应用编号不对")
    if _origin(asked.get("redirect_uri", "")) != _origin(here.settings.public_base):
        raise Refusal(400, "invalid_redirect_uri", "返回地址没有登记")
    if asked.get("response_type") != "code" or "openid" not in asked.get("scope", "").split():
        raise Refusal(400, "invalid_request", "只支持授权码方式")
    if asked.get("code_challenge_method") != "S256" or not asked.get("code_challenge"):
        raise Refusal(400, "invalid_request", "必须使用 PKCE（S256）")
    if not asked.get("state") or not asked.get("nonce"):
        raise Refusal(400, "invalid_request", "缺少 state 或 nonce")


def _check_client(here: World, request: AnyRequest, form: dict[str, str]) -> None:
    client_id, secret = form.get("client_id", ""), form.get("client_secret", "")
    header = request.headers.get("authorization", "")
    if header.startswith("Basic "):
        try:
            client_id, _, secret = base64.b64decode(header[6:]).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            client_id = secret = ""
    settings = here.settings
    if client_id != settings.sign_on_client_id or not hmac.compare_digest(
        secret.encode(), settings.sign_on_client_secret.encode()
    ):
        raise Refusal(401, "invalid_client", "应用密钥不对")


def _signed_in(here: World, asked: dict[str, str], staff_no: str) -> Redirect:
    if not staff.find(staff_no):
        raise Refusal(400, "staff_unknown", "没有这位员工")
    code = ids.token(24)
    now = clock.now()
    here.store.put(
        "sign_on_code",
        code,
        {
            "staff_no": staff_no,
            "redirect_uri": asked["redirect_uri"],
            "code_challenge": asked["code_challenge"],
            "nonce": asked["nonce"],
            "auth_time": int(now.timestamp()),
            "until": (now + CODE_LIFE).isoformat(),
        },
    )
    return _back(asked, {"code": code, "iss": _issuer(here)})


def _back(asked: dict[str, str], answer: dict[str, str]) -> Redirect:
    target = asked["redirect_uri"]
    query = urlencode({**answer, "state": asked["state"]})
    return Redirect(target + ("&" if "?" in target else "?") + query, status_code=303)


def _burned(here: World, code: str) -> dict[str, Any]:
    """What a code stands for; it works once and for a minute."""
    found = here.store.get("sign_on_code", code)
    if not found or clock.now() > datetime.fromisoformat(found["until"]):
        raise Refusal(400, "invalid_grant", "授权码无效或已过期")
    here.store.delete("sign_on_code", code)
    return found


def _id_token(here: World, code: dict[str, Any]) -> str:
    now, key = clock.now(), _key(here)
    claims = {
        "iss": _issuer(here),
        "aud": here.settings.sign_on_client_id,
        "iat": int(now.timestamp()),
        "exp": int((now + TOKEN_LIFE).timestamp()),
        "auth_time": code["auth_time"],
        "nonce": code["nonce"],
        "acr": "urn:xiaodai:two-factor",
        "amr": ["pwd", "otp"],
        **_profile(code["staff_no"]),
    }
    return jwt.encode({"alg": "ES256", "kid": key.kid, "typ": "JWT"}, claims, key, algorithms=["ES256"])


def _profile(staff_no: str) -> dict[str, Any]:
    member = staff.find(staff_no)
    assert member is not None
    return {
        "sub": member.staff_no,
        "name": member.name,
        "staff_no": member.staff_no,
        "institution_id": member.institution_id,
        "branch": member.branch,
        "roles": list(member.roles),
    }


def _key(here: World) -> ECKey:
    kept = here.store.get("sign_on_key", "current")
    if kept:
        return ECKey.import_key(kept)
    key = ECKey.generate_key("P-256", {"use": "sig", "alg": "ES256"}, auto_kid=True)
    here.store.put("sign_on_key", "current", key.as_dict(private=True))
    return key


def _origin(url: str) -> tuple[str, str]:
    parts = urlsplit(url)
    return parts.scheme, parts.netloc


router = Router("/sign-on", route_handlers=[discovery, jwks, authorize, pick, token, userinfo, logout])
