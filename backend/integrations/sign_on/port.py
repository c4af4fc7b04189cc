"""统一身份认证: the union's sign-on for staff, by OpenID Connect (A5-01)."""

import base64
import hashlib
from typing import ClassVar, Protocol

import msgspec

from backend.core import ids
from backend.core.errors import NotPermitted
from backend.integrations.http import OutsideUnavailable


class StaffClaims(msgspec.Struct, frozen=True):
    """Who signed in, as the sign-on vouches. `auth_time` in seconds since 1970, for step-up."""

    subject: str
    name: str
    staff_no: str
    institution_id: str
    branch: str
    roles: tuple[str, ...]
    auth_time: int
    acr: str
    amr: tuple[str, ...]


class SignOnUnavailable(OutsideUnavailable):
    code: ClassVar[str] = "sign_on_unavailable"
    message: ClassVar[str] = "统一身份认证暂时连不上，请稍后再登录"
    system: ClassVar[str] = "sign_on"


class TokenRejected(NotPermitted):
    """The token is not what the sign-on would give for this sign-in. Never says why to the person."""

    code: ClassVar[str] = "token_rejected"
    message: ClassVar[str] = "登录没有完成，请重新登录"


def pkce() -> tuple[str, str]:
    """(code_verifier, code_challenge) for S256; the verifier stays in the session."""
    verifier = ids.token(48)
    return verifier, challenge_of(verifier)


def challenge_of(verifier: str) -> str:
    """The S256 challenge of a verifier (RFC 7636)."""
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


class SignOn(Protocol):
    async def authorize_url(
        self,
        *,
        redirect_uri: str,
        state: str,
        nonce: str,
        code_challenge: str,
        prompt: str = "",
        login_hint: str = "",
    ) -> str: ...

    async def exchange(self, *, code: str, code_verifier: str, redirect_uri: str, nonce: str) -> StaffClaims:
        """Raises TokenRejected, or OutsideRefused when the code is not accepted."""
        ...

    async def logout_url(self, post_logout_redirect_uri: str) -> str: ...
