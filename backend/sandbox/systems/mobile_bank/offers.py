"""What the bank knows of an offer: its state, its events, and who it is for."""

import hashlib
import hmac
from datetime import date, datetime
from typing import Any

import msgspec

from backend.core import clock, ids
from backend.sandbox.refusal import Refusal
from backend.sandbox.store import stamp
from backend.sandbox.world import World

SYSTEM = "mobile_bank"
OPEN_STATES = {"waiting", "opened"}


class Document(msgspec.Struct, forbid_unknown_fields=True):
    document_id: str
    kind: str
    title: str
    sha256: str


class Surety(msgspec.Struct, forbid_unknown_fields=True):
    guarantor_hash: str
    name: str
    amount_fen: int
    until: date
    terms_sha256: str
    confirmed_at: datetime


class Offer(msgspec.Struct, forbid_unknown_fields=True):
    application_id: str
    application_no: str
    institution_id: str
    customer_hash: str
    product_code: str
    product_name: str
    limit_fen: int
    annual_rate: str
    term_months: int
    repayment_method: str
    purpose: str
    valid_until: datetime
    contract_no: str
    documents: list[Document]
    sureties: list[Surety] = []


EMPTY_EVENT: dict[str, Any] = {
    "signature_no": "",
    "document_hashes": [],
    "line_no": "",
    "loan_no": "",
    "amount_fen": 0,
    "principal_fen": 0,
    "interest_fen": 0,
    "outstanding_fen": 0,
    "term_months": 0,
    "paid_off": False,
    "reason": "",
}


def customer_hash(here: World, id_number: str) -> str:
    """The only form in which a customer's ID number passes between us and the bank's app."""
    secret = here.settings.outside_api_secret.encode()
    return hmac.new(secret, f"customer {id_number.upper()}".encode(), hashlib.sha256).hexdigest()


def receive(here: World, offer: Offer) -> dict[str, Any]:
    """A new offer, or new terms for one nobody has signed."""
    known = here.store.get("offer", offer.application_id)
    if known and known["status"] not in {"waiting", "opened", "cancelled", "expired"}:
        raise Refusal(409, "already_signed", "这笔申请已经签约，不能再改")
    if (
        known
        and known["status"] in OPEN_STATES
        and known["documents"] == msgspec.to_builtins(offer.documents)
    ):
        # The customer came with it before it was sent: nothing new, and what was opened stays open.
        return {"offer_no": known["offer_no"], "received_at": known["received_at"]}
    number = known["offer_no"] if known else f"YX{here.store.next('offer'):010d}"
    body = {
        **msgspec.to_builtins(offer),
        "offer_no": number,
        "received_at": stamp(),
        "status": "waiting",
        "package": None,
        "line_no": "",
    }
    save(here, body)
    return {"offer_no": number, "received_at": body["received_at"]}


def save(here: World, offer: dict[str, Any]) -> None:
    here.store.put("offer", offer["application_id"], offer, ref=offer["customer_hash"])


def find(here: World, application_id: str) -> dict[str, Any]:
    offer = here.store.get("offer", application_id)
    if not offer:
        raise Refusal(404, "offer_not_found", "手机银行没有这笔申请")
    return _aged(offer)


def of_customer(here: World, id_number: str) -> list[dict[str, Any]]:
    """Newest first."""
    return [_aged(o) for o in here.store.all("offer", ref=customer_hash(here, id_number))][::-1]


def mine(here: World, application_id: str, id_number: str) -> dict[str, Any]:
    """The offer, if it is for the person who is logged in; somebody else's does not exist."""
    offer = find(here, application_id)
    if not hmac.compare_digest(offer["customer_hash"], customer_hash(here, id_number)):
        raise Refusal(404, "offer_not_found", "手机银行没有这笔申请")
    return offer


def events(here: World, application_id: str) -> list[dict[str, Any]]:
    return [_plain(event) for event in here.store.all("bank_event", ref=application_id)]


def events_of_day(here: World, institution_id: str, on: date) -> list[dict[str, Any]]:
    return [
        _plain(event)
        for event in here.store.all("bank_event")
        if event["institution_id"] == institution_id
        and clock.local(datetime.fromisoformat(event["at"])).date() == on
    ]


def knows(here: World, name: str) -> bool:
    """Whether anybody of this name (`customer_hash`) ever came to the bank."""
    return bool(here.store.all("offer", ref=name))


def show_message(here: World, name: str, title: str, text: str) -> dict[str, Any]:
    body = {"message_id": ids.new(), "title": title, "text": text, "at": stamp()}
    here.store.put("bank_message", body["message_id"], body, ref=name)
    return {"message_id": body["message_id"], "accepted_at": body["at"]}


def messages_of(here: World, id_number: str) -> list[dict[str, Any]]:
    """Newest first."""
    return here.store.all("bank_message", ref=customer_hash(here, id_number))[::-1]


def status(here: World, application_id: str) -> dict[str, Any]:
    offer = find(here, application_id)
    listed = events(here, application_id)
    return {"application_id": application_id, "status": offer["status"], "events": listed}


def tell(here: World, offer: dict[str, Any], kind: str, **values: Any) -> dict[str, Any]:
    """Write an event into the books and the ledger, and send it to us. Inside a transaction."""
    application_id = offer["application_id"]
    event = {
        **EMPTY_EVENT,
        "event_id": ids.new(),
        "sequence": here.store.next(f"events of {application_id}"),
        "type": kind,
        "application_id": application_id,
        "institution_id": offer["institution_id"],
        "contract_no": offer["contract_no"],
        "at": stamp(),
        **values,
    }
    here.store.put("bank_event", event["event_id"], event, ref=application_id)
    here.record(SYSTEM, f"offer_{kind}", application_id, event, key=event["event_id"])
    here.callbacks.add(SYSTEM, "/api/mobile-bank/events", event, message_id=event["event_id"])
    return event


def _aged(offer: dict[str, Any]) -> dict[str, Any]:
    late = clock.now() > datetime.fromisoformat(offer["valid_until"])
    return {**offer, "status": "expired"} if late and offer["status"] in OPEN_STATES else offer


def _plain(event: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in event.items() if name != "seq"}
