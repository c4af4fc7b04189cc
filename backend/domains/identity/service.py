"""Sessions, staff and one-time codes."""

import hashlib
import hmac
from datetime import datetime, timedelta

from backend.core import clock, ids
from backend.db import queries
from backend.db.database import Tx
from backend.domains.audit import service as audit
from backend.domains.identity.model import (
    CUSTOMER_SESSION,
    STAFF_ABSOLUTE,
    STAFF_IDLE,
    STATE_LIFE,
    AlreadyLeft,
    CodeSent,
    CodeUsedUp,
    CustomerSession,
    SignInState,
    Staff,
    StaffSession,
    TriesSpent,
    WrongCode,
)
from backend.domains.regulation import service as regulation

Q = queries.load(__package__)

_STAFF = tuple(Staff.__struct_fields__)


def token_hash(token: str) -> bytes:
    """What is kept of a secret in somebody's cookie or address."""
    return hashlib.sha256(token.encode()).digest()


async def staff_by_subject(tx: Tx, subject: str) -> Staff | None:
    """The member of staff a sign-on subject stands for; needs a union-wide reader. None for leavers too, and
    for a subject that two institutions claim: nobody may be let in by guess."""
    found = [Staff(**dict(row)) for row in await Q.staff_by_subject(tx, subject=subject)]
    active = [person for person in found if person.active]
    return active[0] if len(active) == 1 else None


async def staff(tx: Tx, staff_id: str) -> Staff | None:
    row = await Q.staff(tx, institution_id=tx.institution_id, id=staff_id)
    return Staff(**dict(row)) if row is not None else None


async def all_staff(tx: Tx) -> list[Staff]:
    return [Staff(**dict(row)) for row in await Q.all_staff(tx, institution_id=tx.institution_id)]


async def is_staff_phone(tx: Tx, phone: str) -> bool:
    """Whether a member of staff, present or past, has this number."""
    return bool(await Q.is_staff_phone(tx, institution_id=tx.institution_id, phone=phone))


async def new_state(tx: Tx, state: str, visit: str, next_path: str, for_subject: str = "") -> None:
    """Remember that this browser was sent to the sign-on with `state`."""
    await Q.insert_state(
        tx,
        state_hash=token_hash(state),
        visit_hash=token_hash(visit),
        next_path=next_path,
        for_subject=for_subject,
        expires_at=tx.now + STATE_LIFE,
    )


async def use_state(tx: Tx, state: str, visit: str) -> SignInState | None:
    """Burn a state; None when it is unknown, used, run out, or began in another browser."""
    row = await Q.use_state(tx, state_hash=token_hash(state), visit_hash=token_hash(visit), now=tx.now)
    return None if row is None else SignInState(row["next_path"], row["for_subject"])


async def forget_states(tx: Tx) -> int:
    return int(await Q.forget_states(tx, before=tx.now - timedelta(days=1)))


async def sign_in(tx: Tx, person: Staff, authenticated_at: datetime, *, replaces: str = "") -> str:
    """A new session; returns the token for the cookie, which is kept only as a hash.

    `replaces`: the token of this browser's session of the same institution, which ends here.
    """
    token = ids.token()
    if replaces:
        await Q.revoke_staff_session(
            tx, institution_id=tx.institution_id, token_hash=token_hash(replaces), now=tx.now
        )
    await Q.insert_staff_session(
        tx,
        institution_id=person.institution_id,
        token_hash=token_hash(token),
        staff_id=person.id,
        now=tx.now,
        authenticated_at=min(authenticated_at, tx.now),
        expires_at=tx.now + STAFF_ABSOLUTE,
    )
    audit.add(tx, "staff.sign_in", person.staff_no)
    return token


async def staff_session(tx: Tx, token: str) -> StaffSession | None:
    """Who a staff cookie belongs to; None when idle 15 min, older than 8 h, revoked or unknown."""
    row = await Q.staff_session(
        tx,
        institution_id=tx.institution_id,
        token_hash=token_hash(token),
        now=tx.now,
        idle_since=tx.now - STAFF_IDLE,
    )
    if row is None:
        return None
    person = Staff(**{name: row[name] for name in _STAFF})
    return StaffSession(person=person, seen_at=row["seen_at"], authenticated_at=row["authenticated_at"])


async def touch_staff_session(tx: Tx, token: str) -> None:
    await Q.touch_staff_session(
        tx, institution_id=tx.institution_id, token_hash=token_hash(token), now=tx.now
    )


async def end_staff_session(tx: Tx, token: str) -> None:
    """End a session that another institution's sign-in replaces."""
    await Q.revoke_staff_session(
        tx, institution_id=tx.institution_id, token_hash=token_hash(token), now=tx.now
    )


async def sign_out(tx: Tx, token: str, staff_no: str) -> None:
    await Q.revoke_staff_session(
        tx, institution_id=tx.institution_id, token_hash=token_hash(token), now=tx.now
    )
    audit.add(tx, "staff.sign_out", staff_no)


async def end_posting(tx: Tx, person: Staff) -> int:
    """离岗: from the commit on nobody is let in as this person; returns how many sessions ended.

    Raises `AlreadyLeft`.
    """
    if await Q.end_posting(tx, institution_id=tx.institution_id, id=person.id, now=tx.now) is None:
        raise AlreadyLeft()
    ended: int = await Q.revoke_sessions_of(
        tx, institution_id=tx.institution_id, staff_id=person.id, now=tx.now
    )
    audit.add(tx, "staff.left", person.staff_no, sessions=ended)
    return ended


async def new_customer_session(
    tx: Tx, openid: str | None = None, *, token: str = ""
) -> tuple[CustomerSession, str]:
    """A session for a browser, and the token for its cookie.

    A door may bring the `token`: derived from its secret, so that a repeated tap gets the same cookie.
    """
    token, session_id = token or ids.token(), ids.new()
    expires_at = tx.now + CUSTOMER_SESSION
    await Q.insert_customer_session(
        tx,
        institution_id=tx.institution_id,
        id=session_id,
        token_hash=token_hash(token),
        openid=openid,
        now=tx.now,
        expires_at=expires_at,
    )
    session = CustomerSession(
        institution_id=tx.institution_id,
        id=session_id,
        openid=openid,
        customer_id=None,
        application_id=None,
        expires_at=expires_at,
    )
    return session, token


async def customer_session(tx: Tx, token: str) -> CustomerSession | None:
    row = await Q.customer_session(
        tx, institution_id=tx.institution_id, token_hash=token_hash(token), now=tx.now
    )
    return CustomerSession(**dict(row)) if row is not None else None


async def set_session_application(
    tx: Tx, session_id: str, application_id: str | None, customer_id: str | None
) -> None:
    await Q.set_session_application(
        tx,
        institution_id=tx.institution_id,
        id=session_id,
        application_id=application_id,
        customer_id=customer_id,
    )


async def rotate_customer_session(tx: Tx, session_id: str, *, token: str = "") -> str:
    """A new token for the same session, after the person proved who they are; `token` as above."""
    token = token or ids.token()
    await Q.set_session_token(
        tx, institution_id=tx.institution_id, id=session_id, token_hash=token_hash(token)
    )
    return token


async def new_code(tx: Tx, session_id: str, purpose: str, phone: str) -> CodeSent:
    """A six-digit code for a phone, bound to session and purpose. The caller sends it as an SMS effect."""
    code_id, code = ids.new(), ids.digits(6)
    valid = (await regulation.in_force(tx, clock.today())).count("sms.valid_seconds")
    await Q.insert_code(
        tx,
        institution_id=tx.institution_id,
        id=code_id,
        session_id=session_id,
        purpose=purpose,
        phone_index=tx.vault.blind("phone", phone),
        code_hash=_code_hash(tx, code_id, code),
        now=tx.now,
        expires_at=tx.now + timedelta(seconds=valid),
    )
    audit.add(tx, "code.new", session_id, purpose=purpose)
    return CodeSent(code_id, code, valid)


async def code_asked(tx: Tx, session_id: str, purpose: str, phone: str) -> bool:
    """Whether a code was ever sent to this phone for this browser, right or used up or not."""
    return bool(
        await Q.code_asked(
            tx,
            institution_id=tx.institution_id,
            session_id=session_id,
            purpose=purpose,
            phone_index=tx.vault.blind("phone", phone),
        )
    )


async def check_code(
    tx: Tx, session_id: str, purpose: str, phone: str, code: str
) -> CodeUsedUp | WrongCode | None:
    """None when the code is right (it is used up then), else the error for the caller to raise.

    Returned, not raised: the counted try must be committed although the answer is no.
    """
    tries = (await regulation.in_force(tx, clock.today())).count("sms.tries")
    row = await Q.try_code(
        tx,
        institution_id=tx.institution_id,
        session_id=session_id,
        purpose=purpose,
        now=tx.now,
        most=tries,
    )
    if row is None:
        return CodeUsedUp(fields={"code": CodeUsedUp.message})
    right = hmac.compare_digest(row["code_hash"], _code_hash(tx, row["id"], code)) and hmac.compare_digest(
        row["phone_index"], tx.vault.blind("phone", phone)
    )
    if right:
        await Q.use_code(tx, institution_id=tx.institution_id, id=row["id"], now=tx.now)
        return None
    left = tries - row["tries"]
    if left <= 0:
        return TriesSpent(most=tries, fields={"code": TriesSpent.message.format(most=tries)})
    return WrongCode(left=left, fields={"code": WrongCode.message.format(left=left)})


def _code_hash(tx: Tx, code_id: str, code: str) -> bytes:
    return tx.vault.blind("one-time-code", f"{code_id}:{code}")


async def forget_customer(
    tx: Tx, customer_id: str, application_ids: list[str], openids: list[str], phone: str | None
) -> list[str]:
    """No browser and no code leads to a person who was forgotten. Returns the browsers' ids, which messages with codes
    were about."""
    mine = {"institution_id": tx.institution_id, "customer_id": customer_id, "applications": application_ids}
    index = tx.vault.blind("phone", phone) if phone else None
    await Q.forget_codes(tx, **mine, phone_index=index)
    return [row["id"] for row in await Q.forget_sessions(tx, **mine, openids=openids)]
