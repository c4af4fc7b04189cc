"""用款核查: what we answered the mobile bank before each drawdown (A7-06, A3-25).

Money goes out only on an allowed check of this very amount, once, while it is valid. A held one waits for a person;
what they let pass is asked anew, since a release says nothing of the facts of later.
"""

from datetime import datetime, timedelta
from typing import Any

from backend.core import ids, money
from backend.db import queries
from backend.db.database import Tx
from backend.domains.audit import service as audit
from backend.domains.post_loan.model import AnswerInvalid, CheckAnswered, CheckMissing, DrawdownCheck

Q = queries.load(__package__, "queries_drawdowns.sql")
_TABLE = "post_loan.drawdown_checks"
LATELY = timedelta(days=7)
"""Who was held longer ago and did not ask again wants no money any more."""
SHORTEST = 4  # characters of what a person found


def payee_key(tx: Tx, account: str) -> bytes:
    """How the account the money goes on to is remembered."""
    return tx.vault.blind("payee", account)


async def keep(
    tx: Tx,
    *,
    application_id: str,
    customer_id: str,
    request_no: str,
    amount_fen: int,
    payee: bytes | None,
    status: str,
    reason_codes: list[str],
    said: str,
    assessment_id: str,
    release_id: str | None,
    valid_until: datetime | None,
) -> DrawdownCheck:
    """Keep an answer; a question asked before keeps its first one."""
    check_id = ids.new()
    first = await Q.keep(
        tx,
        institution_id=tx.institution_id,
        id=check_id,
        application_id=application_id,
        customer_id=customer_id,
        request_no=request_no,
        amount=money.yuan(amount_fen),
        payee=payee,
        status=status,
        reason_codes=reason_codes,
        said=tx.vault.encrypt(_TABLE, "said", check_id, said),
        assessment_id=assessment_id,
        release_id=release_id,
        valid_until=valid_until,
        now=tx.now,
    )
    if first:
        audit.add(tx, f"drawdown.{status}", check_id, request=request_no, codes=reason_codes)
    found = await of_request(tx, application_id, request_no)
    assert found is not None
    return found


async def of_request(tx: Tx, application_id: str, request_no: str) -> DrawdownCheck | None:
    row = await Q.of_request(
        tx, institution_id=tx.institution_id, application_id=application_id, request_no=request_no
    )
    return _check(tx, row) if row else None


async def last_of(tx: Tx, application_id: str) -> DrawdownCheck | None:
    """The newest of a line."""
    row = await Q.last_of(tx, institution_id=tx.institution_id, application_id=application_id)
    return _check(tx, row) if row else None


async def get(tx: Tx, check_id: str) -> DrawdownCheck:
    """Locked in a writing transaction's `tx`. Raises `CheckMissing`."""
    row = await Q.get(tx, institution_id=tx.institution_id, id=check_id) if ids.is_uuid(check_id) else None
    if row is None:
        raise CheckMissing()
    return _check(tx, row)


async def held(tx: Tx, most: int = 100, skipped: int = 0) -> list[DrawdownCheck]:
    """What waits for a person lately, the oldest first."""
    rows = await Q.held(
        tx, institution_id=tx.institution_id, since=tx.now - LATELY, most=most, skipped=skipped
    )
    return [_check(tx, row) for row in rows]


async def held_total(tx: Tx) -> int:
    return int(await Q.held_total(tx, institution_id=tx.institution_id, since=tx.now - LATELY))


async def count_today(tx: Tx, customer_id: str, since: datetime) -> int:
    """Drawdowns of a customer since then: made, or allowed and still possible."""
    return int(
        await Q.count_since(
            tx, institution_id=tx.institution_id, customer_id=customer_id, since=since, now=tx.now
        )
    )


async def lock_borrower(tx: Tx, customer_id: str) -> None:
    """Until the transaction ends no other drawdown of this customer is answered."""
    await Q.lock_borrower(tx, customer_id=customer_id)


async def verified(tx: Tx, customer_id: str, payee: bytes) -> bool:
    """Whether a person found before that this customer may pay this account."""
    return bool(await Q.verified(tx, institution_id=tx.institution_id, customer_id=customer_id, payee=payee))


async def release_for(
    tx: Tx, application_id: str, amount_fen: int, payee: bytes | None
) -> DrawdownCheck | None:
    """A release of this very drawdown that is still good."""
    row = await Q.release_for(
        tx,
        institution_id=tx.institution_id,
        application_id=application_id,
        amount=money.yuan(amount_fen),
        payee=payee,
        now=tx.now,
    )
    return _check(tx, row) if row else None


async def passed(tx: Tx, release: DrawdownCheck) -> None:
    """A release is good for one drawdown. Raises `CheckAnswered` when another was first."""
    if not await Q.passed(tx, institution_id=tx.institution_id, id=release.id):
        raise CheckAnswered()


async def answer(tx: Tx, check: DrawdownCheck, status: str, found: str, good_for: timedelta) -> None:
    """What a person found of a held one: released or rejected. Raises `AnswerInvalid`, `CheckAnswered`."""
    fields = {}
    if status not in ("released", "rejected"):
        fields["status"] = "请选放行还是不同意"
    if len(found.strip()) < SHORTEST:
        fields["found"] = "请写明核实了什么，至少四个字"
    if fields:
        raise AnswerInvalid(fields=fields)
    if not await Q.answer(
        tx,
        institution_id=tx.institution_id,
        id=check.id,
        status=status,
        found=tx.vault.encrypt(_TABLE, "found", check.id, found.strip()),
        valid_until=tx.now + good_for if status == "released" else None,
        answered_by=str(tx.actor),
        now=tx.now,
    ):
        raise CheckAnswered()
    audit.add(tx, f"drawdown.{status}", check.id, codes=list(check.reason_codes))


async def use(tx: Tx, application_id: str, loan_no: str, amount_fen: int, at: datetime) -> bool:
    """A drawdown was reported: take the allowed check of this amount that was valid at that moment; False when there
    is none. The same loan reported again finds its own."""
    return bool(
        await Q.use(
            tx,
            institution_id=tx.institution_id,
            application_id=application_id,
            loan_no=loan_no,
            amount=money.yuan(amount_fen),
            at=at,
        )
    )


def _check(tx: Tx, row: Any) -> DrawdownCheck:
    values = dict(row)
    values["amount_fen"] = money.fen(values.pop("amount"))
    for column in ("said", "found"):
        stored = values[column]
        values[column] = tx.vault.decrypt(_TABLE, column, values["id"], stored) if stored else ""
    del values["institution_id"]
    return DrawdownCheck(**values | {"reason_codes": tuple(values["reason_codes"])})
