"""OpenID Connect against the union's sign-on: discovery, code with PKCE, a checked id_token."""

from typing import Any
from urllib.parse import urlencode

import httpx
import msgspec
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from backend.core import clock
from backend.integrations.http import Connection
from backend.integrations.sign_on.port import SignOnUnavailable, StaffClaims, TokenRejected

ALGORITHMS = ["ES256"]
"""Pinned: what a token says of its own algorithm is no reason to believe it (ASVS 9.x)."""

LEEWAY_SECONDS = 10
KEPT_SECONDS = 600
SCOPE = "openid profile"
_POINTS_TO_KEYS = ("jku", "jwk", "x5u", "x5c", "crit")


class Discovery(msgspec.Struct, frozen=True):
    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    end_session_endpoint: str


class _Tokens(msgspec.Struct, frozen=True):
    id_token: str


class SignOnClient:
    def __init__(self, connection: Connection, *, issuer: str, client_id: str, client_secret: str) -> None:
        self._connection, self._issuer = connection, issuer.rstrip("/")
        self._client_id, self._client_secret = client_id, client_secret
        self._discovery: tuple[Discovery, float] | None = None
        self._keys: tuple[KeySet, float] | None = None

    async def authorize_url(
        self,
        *,
        redirect_uri: str,
        state: str,
        nonce: str,
        code_challenge: str,
        prompt: str = "",
        login_hint: str = "",
    ) -> str:
        query = {
            "client_id": self._client_id,
            "redirect_uri": redirect_uri,
            "response_type": "code",
            "scope": SCOPE,
            "state": state,
            "nonce": nonce,
            "code_challenge": code_challenge,
            "code_challenge_method": "S256",
        }
        query |= {"prompt": prompt} if prompt else {}
        query |= {"login_hint": login_hint} if login_hint else {}
        return f"{(await self._discover()).authorization_endpoint}?{urlencode(query)}"

    async def exchange(self, *, code: str, code_verifier: str, redirect_uri: str, nonce: str) -> StaffClaims:
        path = self._path((await self._discover()).token_endpoint)
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "code_verifier": code_verifier,
            "redirect_uri": redirect_uri,
            "client_id": self._client_id,
            "client_secret": self._client_secret,
        }
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
        request = self._connection.request("POST", path, urlencode(form).encode(), headers)
        # The code is spent by the call, so an unknown outcome means signing in again.
        answer = await self._connection.send("token", request, effect=True)
        tokens = self._connection.decode("token", answer.body, _Tokens, effect=True)
        return await self._verified(tokens.id_token, nonce)

    async def logout_url(self, post_logout_redirect_uri: str) -> str:
        query = urlencode({"post_logout_redirect_uri": post_logout_redirect_uri})
        return f"{(await self._discover()).end_session_endpoint}?{query}"

    async def _verified(self, token: str, nonce: str) -> StaffClaims:
        """Signature and claims are separate steps: joserfc's decode alone takes an expired token (trust §2)."""
        try:
            decoded = jwt.decode(token, await self._key_set(fresh=False), algorithms=ALGORITHMS)
        except (JoseError, ValueError):
            # The sign-on may have changed its key since we read it.
            decoded = await self._decoded_with_fresh_keys(token)
        header = decoded.header
        if header.get("typ", "JWT") != "JWT" or any(name in header for name in _POINTS_TO_KEYS):
            raise TokenRejected()
        try:
            self._registry(nonce).validate(decoded.claims)
            return _claims(decoded.claims)
        except (JoseError, KeyError, TypeError, ValueError) as cause:
            raise TokenRejected() from cause

    async def _decoded_with_fresh_keys(self, token: str) -> jwt.Token:
        keys = await self._key_set(fresh=True)
        try:
            return jwt.decode(token, keys, algorithms=ALGORITHMS)
        except (JoseError, ValueError) as cause:
            raise TokenRejected() from cause

    def _registry(self, nonce: str) -> jwt.JWTClaimsRegistry:
        return jwt.JWTClaimsRegistry(
            now=int(clock.now().timestamp()),
            leeway=LEEWAY_SECONDS,
            iss={"essential": True, "value": self._issuer},
            aud={"essential": True, "value": self._client_id},
            nonce={"essential": True, "value": nonce},
            exp={"essential": True},
            iat={"essential": True},
            sub={"essential": True},
        )

    async def _discover(self) -> Discovery:
        now = clock.now().timestamp()
        if self._discovery and now < self._discovery[1]:
            return self._discovery[0]
        found = await self._connection.read("discovery", "/.well-known/openid-configuration", Discovery)
        if found.issuer.rstrip("/") != self._issuer:
            raise SignOnUnavailable(operation="discovery", reason="another issuer")
        self._discovery = found, now + KEPT_SECONDS
        return found

    async def _key_set(self, *, fresh: bool) -> KeySet:
        now = clock.now().timestamp()
        if self._keys and now < self._keys[1] and not fresh:
            return self._keys[0]
        path = self._path((await self._discover()).jwks_uri)
        found = await self._connection.read("jwks", path, dict[str, Any])
        try:
            keys = KeySet.import_key_set(found)  # type: ignore[arg-type]
        except (JoseError, KeyError, ValueError) as cause:
            raise SignOnUnavailable(operation="jwks", reason="not_json") from cause
        self._keys = keys, now + KEPT_SECONDS
        return keys

    def _path(self, address: str) -> str:
        """Our own calls go to the issuer and nowhere else, whatever discovery says (ASVS 1.3.6)."""
        if not address.startswith(self._issuer + "/"):
            raise SignOnUnavailable(operation="discovery", reason="another address")
        return httpx.URL(address.removeprefix(self._issuer)).path


def _claims(claims: dict[str, Any]) -> StaffClaims:
    return msgspec.convert(
        {**claims, "subject": claims["sub"], "acr": claims.get("acr", ""), "amr": claims.get("amr", [])},
        StaffClaims,
    )
