"""Staff come in through the union's sign-on (A5-01): OpenID Connect code flow with PKCE, state and nonce.

The state is random and burned once. Nonce and PKCE verifier follow from it and the server's secret, so that they
never leave the server and are nowhere stored.
"""

import base64
import hashlib
import hmac
from datetime import UTC, datetime

import msgspec

from backend.core import ids
from backend.core.actor import Actor, everywhere, system
from backend.domains.audit import service as audit
from backend.domains.identity import service as identity
from backend.domains.identity.model import AnotherPerson, SignInFailed, SignInState, Staff, StaffUnknown
from backend.domains.identity.quota import Limit
from backend.domains.institutions.model import UNION
from backend.flows.context import Context
from backend.integrations.http import OutsideRefused
from backend.integrations.sign_on.port import StaffClaims, TokenRejected, challenge_of

RETURN = "/staff/sign-in/return"
STARTS = Limit("staff-sign-in", 60, 600)
"""Per network address; generous, since a whole branch shares one."""

_DOOR = system(UNION, "staff door")


class SignedIn(msgspec.Struct, frozen=True):
    person: Staff
    token: str
    next_path: str


async def begin(context: Context, visit: str, next_path: str, address: str, for_subject: str = "") -> str:
    """The address at the sign-on to send the browser to. `visit` ties the state to this browser.

    With `for_subject` the person must prove themself anew (step-up). Raises `SignOnUnavailable`, `TooMany`.
    """
    state = ids.token(24)
    nonce, verifier = _secrets(context, state)
    url = await context.clients.sign_on.authorize_url(
        redirect_uri=_return_url(context),
        state=state,
        nonce=nonce,
        code_challenge=challenge_of(verifier),
        prompt="login" if for_subject else "",
        login_hint=for_subject,
    )
    async with context.db.begin(_DOOR) as tx:
        if address:
            await STARTS.take(tx, tx.vault.blind("address", address).hex())
        await identity.new_state(tx, state, visit, next_path, for_subject)
    return url


async def sign_in_staff(
    context: Context, visit: str, state: str, code: str, present: tuple[str, str] | None
) -> SignedIn:
    """What the sign-on's answer comes to: a session for a person we know, or an error and nothing made.

    `present`: (institution, token) of the session this browser holds, which ends. Raises `SignInFailed`,
    `StaffUnknown`, `AnotherPerson`, `SignOnUnavailable`.
    """
    async with context.db.begin(_DOOR) as tx:
        known = await identity.use_state(tx, state, visit)
    if known is None:  # nothing is written: anybody may knock here as often as they like
        raise SignInFailed()
    claims = await _claims(context, state, code)
    person = await _person(context, claims)
    if known.for_subject and person.subject != known.for_subject:
        await _refused(context, _as(person), "another person", person.staff_no)
        raise AnotherPerson()
    return await _session(context, person, claims, known, present)


async def _claims(context: Context, state: str, code: str) -> StaffClaims:
    nonce, verifier = _secrets(context, state)
    try:
        return await context.clients.sign_on.exchange(
            code=code, code_verifier=verifier, redirect_uri=_return_url(context), nonce=nonce
        )
    except (TokenRejected, OutsideRefused) as cause:
        await _refused(context, _DOOR, "token")
        raise SignInFailed() from cause


async def _person(context: Context, claims: StaffClaims) -> Staff:
    """Our own record decides who may do what; the sign-on only says who it is, and where they work now."""
    async with context.db.read(everywhere("staff door")) as tx:
        person = await identity.staff_by_subject(tx, claims.subject)
    if person is None or person.institution_id != claims.institution_id:
        who = hashlib.sha256(claims.subject.encode()).hexdigest()[:16]
        await _refused(context, _DOOR, "unknown" if person is None else "works elsewhere", who)
        raise StaffUnknown()
    return person


async def _session(
    context: Context,
    person: Staff,
    claims: StaffClaims,
    known: SignInState,
    present: tuple[str, str] | None,
) -> SignedIn:
    ours = present[1] if present and present[0] == person.institution_id else ""
    if present and not ours:
        async with context.db.begin(system(present[0], "staff door")) as tx:
            await identity.end_staff_session(tx, present[1])
    async with context.db.begin(_as(person)) as tx:
        proved_at = datetime.fromtimestamp(claims.auth_time, UTC)
        token = await identity.sign_in(tx, person, proved_at, replaces=ours)
    return SignedIn(person, token, known.next_path)


def _as(person: Staff) -> Actor:
    return Actor("staff", person.id, person.institution_id, frozenset(person.roles), person.name)


async def _refused(context: Context, actor: Actor, why: str, who: str = "sign-on") -> None:
    async with context.db.begin(actor) as tx:
        audit.add(tx, "staff.sign_in_refused", who, why=why)


def _return_url(context: Context) -> str:
    return context.settings.public_base.rstrip("/") + RETURN


def _secrets(context: Context, state: str) -> tuple[str, str]:
    """(nonce, code_verifier) of a state; 43 characters each, as PKCE asks at least."""
    key = context.settings.session_secret.encode()
    made = (
        hmac.new(key, f"sign-on {name}\x00{state}".encode(), hashlib.sha256).digest()
        for name in ("nonce", "verifier")
    )
    nonce, verifier = (base64.urlsafe_b64encode(each).rstrip(b"=").decode() for each in made)
    return nonce, verifier
