"""存证文件: everything about one case in one file that verifies and decides again on its own (N6): its newest
decision, or what the pre-screen turned it away by."""

from datetime import datetime
from typing import Any

import msgspec

from backend.core.actor import Actor
from backend.core.errors import Invalid
from backend.db.database import Database, Tx
from backend.domains.applications import service as applications
from backend.domains.applications.model import Application
from backend.domains.audit import service as audit
from backend.domains.contracts import service as contracts
from backend.domains.customers import consents
from backend.domains.decision import capsule_file, moment_file, moments
from backend.domains.decision import service as decisions
from backend.domains.decision.model import DecisionForgotten, DecisionMissing, canonical
from backend.domains.evidence import service as evidence
from backend.domains.identity import service as identity
from backend.domains.reviews import exceedings
from backend.domains.reviews import service as reviews
from backend.domains.reviews.model import Exceeding

SHORTEST_REASON = 4  # characters


class ExportReasonNeeded(Invalid):
    code = "export_reason_needed"
    message = "取存证要写明理由，至少四个字"


async def export_capsule(
    db: Database, actor: Actor, application_id: str, reason: str, *, masked: bool = False
) -> bytes:
    """The file of a case. Who took it, why, and the head of its chain go into the audit chain, so that a file made up
    later as a whole does not match.

    Raises `ApplicationNotFound`, `DecisionMissing`, `DecisionForgotten`, `ExportReasonNeeded`.
    """
    if len(reason.strip()) < SHORTEST_REASON:
        raise ExportReasonNeeded(fields={"reason": ExportReasonNeeded.message})
    async with db.begin(actor) as tx:
        application = await applications.get(tx, application_id)
        held = await _held(tx, application_id)
        parts = await _parts(tx, application, held)
        if masked:
            parts = [(name, _masked(name, text)) for name, text in parts]
        made = capsule_file.write(parts, masked=masked)
        head = capsule_file.read(made).head
        audit.add(tx, "capsule.exported", held.id, reason=reason.strip(), masked=masked, head=head)
        return made


def _masked(name: str, text: str) -> str:
    """Versions are the union's own; they have nothing of a person, but names of things."""
    if ":" in name or name in ("scorecard", "catalogue"):
        return text
    return canonical(capsule_file.mask(msgspec.json.decode(text))).decode()


class _Held(msgspec.Struct, frozen=True, kw_only=True):
    """What ended the case, stored; `versions` the parts of what was stored and of all it was made with."""

    id: str
    attempt: int
    at: datetime
    sha256: bytes
    versions: list[tuple[str, str]]
    advice: Any


async def _held(tx: Tx, application_id: str) -> _Held:
    """Raises `DecisionMissing`, `DecisionForgotten`, `VersionMissing`."""
    recorded = await decisions.latest_for(tx, application_id)
    if recorded is not None:
        versions = await decisions.version_texts(tx, recorded.decision.versions)
        return _Held(
            id=recorded.id,
            attempt=recorded.attempt,
            at=recorded.decided_at,
            sha256=recorded.sha256,
            versions=[("capsule", recorded.capsule.decode()), *versions],
            advice=await decisions.nearest_of(tx, recorded.id),
        )
    away = await moments.away(tx, application_id)
    if away is None:
        raise DecisionForgotten() if await decisions.forgotten(tx, application_id) else DecisionMissing()
    return _Held(
        id=away.id,
        attempt=1,
        at=away.assessed_at,
        sha256=away.sha256,
        versions=await moment_file.parts(tx, away),
        advice=None,
    )


async def _parts(tx: Tx, application: Application, held: _Held) -> list[tuple[str, str]]:
    told: dict[str, Any] = {
        "case": await _case(tx, application, held),
        "consents": await _consents(tx, application),
        "evidence": await _evidence(tx, application),
        "disclosure": await _disclosure(tx, application),
        "reviews": await _reviews(tx, application),
        "advice": held.advice,
        "audit": await audit.position(tx, "decision.recorded", held.id),
    }
    parts = [(name, canonical(value).decode()) for name, value in told.items()]
    return [parts[0], *held.versions, *parts[1:]]


async def _case(tx: Tx, application: Application, held: _Held) -> dict[str, Any]:
    officer = await identity.staff(tx, application.officer_id) if application.officer_id else None
    return {
        "application_no": application.application_no,
        "institution_id": application.institution_id,
        "product": application.product_version,
        "channel": application.channel,
        "status": application.status,
        "submitted_at": application.submitted_at,
        "officer": {"name": officer.name, "staff_no": officer.staff_no} if officer else None,
        "decision_id": held.id,
        "attempt": held.attempt,
        "decided_at": held.at,
        "capsule_sha256": held.sha256.hex(),
        "events": await applications.events(tx, application.id),
    }


async def _consents(tx: Tx, application: Application) -> list[dict[str, Any]]:
    """Everything the person had agreed to, with the words they read."""
    if application.customer_id is None:
        return []
    given = await consents.given(tx, application.customer_id)
    texts = {each.text_sha256: await consents.text_of(tx, each) for each in given}
    return [{**msgspec.to_builtins(each), "text": texts[each.text_sha256].source} for each in given]


async def _evidence(tx: Tx, application: Application) -> list[dict[str, Any]]:
    """Of each source asked: whose answer it is, and the SHA-256 of its bytes as they came, so that a kept report can be
    held against the facts. The report itself stays in the books: a bureau's is not passed on (D3-09)."""
    found = await evidence.answers(tx, application.id)
    told = ("source", "consent_id", "reference", "sha256", "observed_at", "price_fen", "rung", "taken_from")
    return [{name: getattr(found[source], name) for name in told} for source in sorted(found)]


async def _disclosure(tx: Tx, application: Application) -> dict[str, Any] | None:
    contract = await contracts.of_application(tx, application.id)
    if contract is None:
        return None
    read = await contracts.confirmation(tx, contract)
    return {
        "contract_no": contract.contract_no,
        "agreed_by": contract.agreed_by,
        "limit_fen": contract.limit_fen,
        "annual_rate": contract.annual_rate,
        "term_months": contract.term_months,
        "confirmation": {
            "version": read.version,
            "sha256": read.sha256,
            "shown_at": read.shown_at,
            "confirmed_at": read.confirmed_at,
            "dwell_seconds": int((read.confirmed_at - read.shown_at).total_seconds()),
        }
        if read
        else None,
    }


async def _reviews(tx: Tx, application: Application) -> list[dict[str, Any]]:
    """A person's decisions beside the machine's, with their reasons and the caps they went above; the customer's own
    words stay in the books."""
    found = (await reviews.of_application(tx, application.id)).values()
    return [
        {
            name: getattr(each, name)
            for name in (
                "kind", "ground", "status", "outcome", "amount_fen", "annual_rate", "term_months",
                "reason", "answered_by", "opened_at", "due_at", "answered_at",
            )
        }
        | {"exceedings": [_exceeding(one) for one in await exceedings.of_review(tx, each.id)]}
        for each in found
    ]  # fmt: skip


def _exceeding(one: Exceeding) -> dict[str, Any]:
    told = msgspec.to_builtins(one)
    return {name: each for name, each in told.items() if name not in ("id", "review_id")}
