"""Counts for the monitors of models: what was decided, by whom, for whom, and how loans ended. No personal data."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

import msgspec

from backend.core import clock, money
from backend.db import queries
from backend.db.database import Tx
from backend.domains.loans import rules as loan_rules
from backend.domains.loans.model import Posting
from backend.domains.trials.model import RUN

Q = queries.load(__package__, "queries_models.sql")


class Verdicts(msgspec.Struct, frozen=True):
    """Cases that share everything beside the count."""

    institution_id: str
    officer: str
    sex: str
    age_band: str
    approved: bool
    seen_by_person: bool
    overridden: bool
    cases: int


async def unobserved(tx: Tx, since: datetime, most: int) -> list[tuple[str, str]]:
    """(institution, decision); needs a union-wide reader, as all below."""
    return [(row["institution_id"], row["id"]) for row in await Q.unobserved(tx, since=since, most=most)]


async def score_counts(
    tx: Tx, model_hash: str, since: datetime, edges: list[float]
) -> list[tuple[str, int, int]]:
    """(institution, bin, cases)."""
    return [tuple(row) for row in await Q.score_counts(tx, model_hash=model_hash, since=since, edges=edges)]


async def verdicts(tx: Tx, model_hash: str, since: datetime, today: date) -> list[Verdicts]:
    rows = await Q.verdicts(tx, model_hash=model_hash, since=since, today=today)
    return [Verdicts(*row) for row in rows]


RECHECKED_FOR = timedelta(days=90)


class Rechecked(msgspec.Struct, frozen=True):
    """What people said of a county's automatic approvals by one model (D2-07)."""

    institution_id: str
    waiting: int
    agreed: int
    wrong: int

    @property
    def looked(self) -> int:
        return self.agreed + self.wrong


async def rechecked(tx: Tx, model_hash: str, since: datetime) -> list[Rechecked]:
    """By county, of those the reader may see."""
    return [Rechecked(*row) for row in await Q.rechecked(tx, model_hash=model_hash, since=since)]


class Scored(msgspec.Struct, frozen=True):
    """A case that was scored; `approved` by the machine."""

    institution_id: str
    application_id: str
    score: int
    approved: bool


Ends = dict[tuple[str, str], bool]
"""(institution, application) → went bad; a case without a loan, or whose end is not known yet, is not in it."""
MOST_LOANS = 20_000
"""The newest loans: each one's plan is drawn up again."""


async def matured(tx: Tx, model_hash: str, today: date, days: int) -> list[tuple[str, int, int]]:
    """(institution, score, bad) of the loans of a model's cases whose end is known."""
    rows = await Q.scored_loans(tx, model_hash=model_hash, most=MOST_LOANS)
    cases = [Scored(*row) for row in rows]
    ended = await ends(tx, [(case.institution_id, case.application_id) for case in cases], today, days)
    known = [(case, ended.get((case.institution_id, case.application_id))) for case in cases]
    return [(case.institution_id, case.score, int(bad)) for case, bad in known if bad is not None]


class History(msgspec.Struct, frozen=True):
    """A loan with its plan and what was repaid."""

    plan: money.Schedule
    repaid: list[Posting]
    paid_off: bool


async def histories(tx: Tx, cases: Sequence[tuple[str, str]]) -> dict[tuple[str, str], list[History]]:
    """The loans of each (institution, application); a case without one is not in it."""
    rows = await Q.loan_histories(
        tx, institutions=[case[0] for case in cases], applications=[case[1] for case in cases]
    )
    found: dict[tuple[str, str], list[History]] = {}
    for row in rows:
        plan = money.schedule(
            money.fen(row["amount"]), row["annual_rate"], row["term_months"],
            money.RepaymentMethod(row["repayment_method"]), clock.local(row["drawn_at"]).date(),
        )  # fmt: skip
        repaid = [
            Posting("repaid", money.fen(principal), money.fen(interest), money.fen(left), at)
            for at, principal, interest, left in zip(
                row["days"], row["principals"], row["interests"], row["left_over"], strict=True
            )
        ]
        loan = History(plan, repaid, row["status"] == "paid_off")
        found.setdefault((row["institution_id"], str(row["application_id"])), []).append(loan)
    return found


async def ends(tx: Tx, cases: Sequence[tuple[str, str]], today: date, days: int) -> Ends:
    """How the loans of these cases ended: bad when any of a case's loans was more than `days` past due."""
    told: Ends = {}
    for case, loans in (await histories(tx, cases)).items():
        bad = [
            loan_rules.went_bad(each.plan, each.repaid, paid_off=each.paid_off, today=today, days=days)
            for each in loans
        ]
        if any(bad) or None not in bad:
            told[case] = any(bad)
    return told


class Paired(msgspec.Struct, frozen=True):
    """As `Scored`, with what a shadow said (`other`)."""

    institution_id: str
    application_id: str
    score: int
    other: int
    approved: bool


async def shadow_pairs(tx: Tx, model_id: str, since: datetime) -> tuple[list[Paired], int]:
    """The newest pairs, and how often the shadow failed."""
    rows = await Q.shadow_pairs(tx, model_id=model_id, since=since, most=MOST_LOANS)
    return [Paired(*row) for row in rows], int(await Q.shadow_failures(tx, model_id=model_id, since=since))


async def decided_with(tx: Tx, model_hash: str, since: datetime) -> list[Scored]:
    return [
        Scored(*row) for row in await Q.decided_with(tx, model_hash=model_hash, since=since, most=MOST_LOANS)
    ]


class Tried(msgspec.Struct, frozen=True):
    """A trial run whose draft scored with a model; `cases` tried so far."""

    id: str
    strategy: str
    against: str
    county: str
    status: str
    cases: int
    asked_at: datetime

    @property
    def state(self) -> str:
        return RUN.labels[self.status]


async def trials_of(tx: Tx, model_hash: str, most: int = 20) -> list[Tried]:
    """Newest first; a county's reader sees its own."""
    return [Tried(*row) for row in await Q.trials_of(tx, model_hash=model_hash, most=most)]
