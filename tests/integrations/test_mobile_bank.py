"""The hand-off seen from both ends: our client pushes, the customer acts at the bank, we are told (A5-05)."""

import asyncio
import hashlib
from datetime import timedelta
from decimal import Decimal
from typing import Any

import httpx
import msgspec
import pytest

from backend.core import clock, webhooks
from backend.integrations.http import OutsideRefused, OutsideUnavailable
from backend.integrations.mobile_bank.port import Document, Event, Offer, OfferState
from backend.integrations.registry import Clients
from backend.sandbox import callbacks
from backend.sandbox.world import World
from backend.settings import Settings
from tests.integrations.conftest import Studio

ID = "411701198003071234"
OTHER = "411701199001011234"
PDF = b"%PDF-1.7 an invented contract"
SHA256 = hashlib.sha256(PDF).hexdigest()


class Us(Studio):
    """Our side of the hand-off: a package, its documents, and the events we take in."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self.secret = settings.mobile_bank_callback_secret
        self.offer: Offer | None = None
        self.pdf = PDF
        self.refusal: httpx.Response | None = None
        self.stands = True
        self.word = {"answer": "allow", "text": ""}

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        content = request.content or request.url.path.encode()
        message_id = webhooks.verify(self.secret, request.headers, content, clock.now())
        self.received.append(request)
        path = request.url.path
        if path == "/api/mobile-bank/events":
            assert message_id == msgspec.json.decode(request.content)["event_id"]
            if self.failures:
                self.failures -= 1
                return httpx.Response(503)
            return httpx.Response(204)
        if self.refusal:
            return self.refusal
        if path == "/api/mobile-bank/document":
            return httpx.Response(200, content=self.pdf)
        if path == "/api/mobile-bank/drawdown":
            return httpx.Response(200, json=self.word)
        if path == "/api/mobile-bank/standing/4101/a1":
            return httpx.Response(200, json={"open": self.stands})
        return httpx.Response(200, content=msgspec.json.encode(self.offer))

    @property
    def events(self) -> list[Event]:
        """In the order of arrival, repetitions included."""
        return [
            msgspec.json.decode(request.content, type=Event)
            for request in self.received
            if request.url.path == "/api/mobile-bank/events"
        ]


@pytest.fixture
def studio(settings: Settings) -> Us:
    return Us(settings)


@pytest.fixture
def offer(clients: Clients, studio: Us) -> Offer:
    studio.offer = Offer(
        application_id="a1",
        application_no="SQ001",
        institution_id="4101",
        customer_hash=clients.mobile_bank.customer_hash(ID),
        product_code="SXD",
        product_name="随享贷",
        limit_fen=5_000_000,
        annual_rate=Decimal("0.0720"),
        term_months=12,
        repayment_method="interest_first",
        purpose="decoration",
        valid_until=clock.now() + timedelta(days=7),
        contract_no="HT001",
        documents=(Document("d1", "contract", "借款合同", SHA256),),
    )
    return studio.offer


async def act(control: httpx.AsyncClient, what: str, id_number: str = ID, **body: Any) -> httpx.Response:
    return await control.post(f"/bank/api/{what}", json={"id_number": id_number, **body})


async def test_the_whole_road_from_offer_to_repaid(
    clients: Clients, control: httpx.AsyncClient, studio: Us, offer: Offer, world: World
) -> None:
    await clients.mobile_bank.put_offer(offer, key="k1")
    [waiting] = (await act(control, "offers")).json()
    assert (waiting["status"], waiting["application_id"]) == ("waiting", "a1")
    assert (await act(control, "a1/open")).json()["status"] == "opened"
    assert (await act(control, "a1/sign")).json()["status"] == "signed"
    loan = (await act(control, "a1/draw", amount_fen=2_000_000)).json()
    await act(control, "a1/repay", loan_no=loan["loan_no"])
    await world.idle()
    events = sorted(studio.events, key=lambda event: event.sequence)
    assert [(event.sequence, event.type) for event in events] == [(1, "signed"), (2, "drawn"), (3, "repaid")]
    assert events[0].document_hashes == (SHA256,)
    assert (events[1].loan_no, events[1].amount_fen) == (loan["loan_no"], 2_000_000)
    assert (events[2].principal_fen, events[2].outstanding_fen, events[2].paid_off) == (2_000_000, 0, True)
    status = await clients.mobile_bank.status("a1")
    assert (status.status, list(status.events)) == (OfferState.REPAID, events)
    day = await clients.mobile_bank.reconciliation("4101", clock.today())
    assert list(day.events) == events
    core = [row["effect"] for row in world.ledger(system="core_banking")]
    assert core == ["line_opened", "loan_posted", "repayment_posted"]


async def test_nobody_else_sees_the_offer(clients: Clients, control: httpx.AsyncClient, offer: Offer) -> None:
    await clients.mobile_bank.put_offer(offer, key="k1")
    assert (await act(control, "offers", OTHER)).json() == []
    assert (await act(control, "a1/open", OTHER)).status_code == 404


async def test_a_token_brings_the_package_even_before_the_offer_arrived(
    control: httpx.AsyncClient, studio: Us, offer: Offer
) -> None:
    reply = await act(control, "redeem", token="t.o.k")
    assert (reply.status_code, reply.json()["status"]) == (200, "opened")
    sent = msgspec.json.decode(studio.received[0].content)
    assert sent == {"token": "t.o.k", "customer_hash": offer.customer_hash}


async def test_our_refusal_of_a_code_is_shown_in_our_words(
    control: httpx.AsyncClient, studio: Us, offer: Offer
) -> None:
    studio.refusal = httpx.Response(410, json={"code": "handoff_expired", "message": "短码过期了"})
    reply = await act(control, "redeem", short_code="123456")
    assert (reply.status_code, reply.json()["message"]) == (409, "短码过期了")


async def test_an_altered_document_stops_the_signing(
    clients: Clients, control: httpx.AsyncClient, studio: Us, offer: Offer, world: World
) -> None:
    await clients.mobile_bank.put_offer(offer, key="k1")
    await act(control, "a1/open")
    studio.pdf = PDF + b" and one word more"
    reply = await act(control, "a1/sign")
    assert (reply.status_code, reply.json()["code"]) == (409, "document_altered")
    assert (await clients.mobile_bank.status("a1")).events == ()


async def test_an_offer_that_ended_meanwhile_is_not_signed(
    clients: Clients, control: httpx.AsyncClient, studio: Us, offer: Offer, world: World
) -> None:
    await clients.mobile_bank.put_offer(offer, key="k1")
    await act(control, "a1/open")
    studio.stands = False
    reply = await act(control, "a1/sign")
    assert (reply.status_code, reply.json()["code"]) == (410, "offer_gone")
    assert (await clients.mobile_bank.status("a1")).events == ()


async def test_signing_twice_at_once_signs_once(
    clients: Clients, control: httpx.AsyncClient, studio: Us, offer: Offer, world: World
) -> None:
    await clients.mobile_bank.put_offer(offer, key="k1")
    await act(control, "a1/open")
    replies = await asyncio.gather(*(act(control, "a1/sign") for _ in range(5)))
    assert {reply.json()["status"] for reply in replies} == {"signed"}
    await world.idle()
    assert len(studio.events) == 1


async def test_no_more_than_the_line_can_be_drawn(
    clients: Clients, control: httpx.AsyncClient, offer: Offer
) -> None:
    await clients.mobile_bank.put_offer(offer, key="k1")
    assert (await act(control, "a1/draw", amount_fen=100)).json()["code"] == "not_signed"
    await act(control, "a1/open")
    await act(control, "a1/sign")
    await act(control, "a1/draw", amount_fen=4_000_000)
    reply = await act(control, "a1/draw", amount_fen=1_000_001)
    assert (reply.status_code, reply.json()["code"]) == (409, "line_exceeded")


@pytest.mark.parametrize("answer,code", [("hold", "drawdown_held"), ("refuse", "drawdown_refused")])
async def test_no_money_goes_out_without_our_leave(
    clients: Clients,
    control: httpx.AsyncClient,
    studio: Us,
    offer: Offer,
    world: World,
    answer: str,
    code: str,
) -> None:
    """A7-06: the bank asks before it pays, and says to its customer what we said."""
    await clients.mobile_bank.put_offer(offer, key="k1")
    await act(control, "a1/open")
    await act(control, "a1/sign")
    studio.word = {"answer": answer, "text": "收款人还没有核实。客户经理会和您核对"}
    reply = await act(control, "a1/draw", amount_fen=100_000)
    assert (reply.status_code, reply.json()["code"]) == (409, code)
    assert "收款人还没有核实" in reply.json()["message"]
    studio.refusal = httpx.Response(503)
    assert (await act(control, "a1/draw", amount_fen=100_000)).status_code == 503
    await world.idle()
    assert [event.type for event in studio.events] == ["signed"]


async def test_an_expired_offer_cannot_be_opened(
    clients: Clients, control: httpx.AsyncClient, offer: Offer
) -> None:
    await clients.mobile_bank.put_offer(offer, key="k1")
    with clock.at(clock.now() + timedelta(days=8)):
        assert (await act(control, "a1/open")).status_code == 410
        assert (await clients.mobile_bank.status("a1")).status == OfferState.EXPIRED


async def test_what_was_withdrawn_cannot_be_signed_and_what_was_signed_not_withdrawn(
    clients: Clients, control: httpx.AsyncClient, offer: Offer
) -> None:
    await clients.mobile_bank.put_offer(offer, key="k1")
    await act(control, "a1/open")
    withdrawn = await clients.mobile_bank.withdraw("a1", reason="客户取消", key="k2")
    assert withdrawn.status == OfferState.CANCELLED
    assert (await act(control, "a1/sign")).status_code == 409
    await clients.mobile_bank.put_offer(offer, key="k3")
    await act(control, "a1/open")
    await act(control, "a1/sign")
    with pytest.raises(OutsideRefused) as refusal:
        await clients.mobile_bank.withdraw("a1", reason="客户取消", key="k4")
    assert refusal.value.remote_code == "already_signed"


async def test_the_customer_cancels_and_we_are_told(
    clients: Clients, control: httpx.AsyncClient, studio: Us, offer: Offer, world: World
) -> None:
    await clients.mobile_bank.put_offer(offer, key="k1")
    await act(control, "a1/cancel", reason="利息高")
    await world.idle()
    assert [(event.type, event.reason) for event in studio.events] == [("cancelled", "利息高")]


async def test_an_event_we_do_not_take_is_sent_again_with_the_same_id(
    clients: Clients, control: httpx.AsyncClient, studio: Us, offer: Offer, world: World, monkeypatch: Any
) -> None:
    monkeypatch.setattr(callbacks, "FIRST_PAUSE", 0.01)
    studio.failures = 3
    await clients.mobile_bank.put_offer(offer, key="k1")
    await act(control, "a1/cancel")
    await world.idle()
    assert (len(studio.events), len({event.event_id for event in studio.events})) == (4, 1)


@pytest.mark.parametrize(("fault", "copies"), [("duplicate", 2), ("drop_after", 2), ("drop_before", 1)])
async def test_events_are_doubled_or_lost_on_demand(
    clients: Clients,
    control: httpx.AsyncClient,
    studio: Us,
    offer: Offer,
    world: World,
    monkeypatch: Any,
    fault: str,
    copies: int,
) -> None:
    monkeypatch.setattr(callbacks, "FIRST_PAUSE", 0.01)
    body = {"system": "mobile_bank", "operation": "callback", "fault": fault}
    await control.post("/control/faults", json=body)
    await clients.mobile_bank.put_offer(offer, key="k1")
    await act(control, "a1/cancel")
    await world.idle()
    assert [event.sequence for event in studio.events] == [1] * copies


async def test_events_come_in_the_wrong_order_on_demand(
    clients: Clients, control: httpx.AsyncClient, studio: Us, offer: Offer, world: World
) -> None:
    body = {"system": "mobile_bank", "operation": "callback", "fault": "reorder"}
    await control.post("/control/faults", json=body)
    await clients.mobile_bank.put_offer(offer, key="k1")
    await act(control, "a1/open")
    await act(control, "a1/sign")
    await act(control, "a1/draw", amount_fen=100_000)
    await world.idle()
    assert [event.type for event in studio.events] == ["drawn", "signed"]


async def test_an_event_nobody_took_is_sent_after_a_restart(
    clients: Clients, control: httpx.AsyncClient, studio: Us, offer: Offer, world: World, settings: Settings
) -> None:
    studio.failures = 1
    await clients.mobile_bank.put_offer(offer, key="k1")
    await act(control, "a1/cancel")
    await asyncio.sleep(0.1)
    await world.close()
    again = World(settings, httpx.MockTransport(studio))
    again.callbacks.resume()
    await again.idle()
    assert [event.sequence for event in studio.events] == [1, 1]
    await again.close()


async def test_putting_the_offer_again_with_its_key_is_one_offer(
    clients: Clients, control: httpx.AsyncClient, offer: Offer, world: World
) -> None:
    fault = {"system": "mobile_bank", "operation": "offers", "fault": "drop_after"}
    await control.post("/control/faults", json=fault)
    with pytest.raises(OutsideUnavailable) as failure:
        await clients.mobile_bank.put_offer(offer, key="k1")
    assert failure.value.unknown
    await clients.mobile_bank.put_offer(offer, key="k1")
    assert [row["effect"] for row in world.ledger(system="mobile_bank")] == ["offer_received"]


async def test_our_side_being_down_leaves_the_offer_waiting(
    clients: Clients, control: httpx.AsyncClient, studio: Us, offer: Offer
) -> None:
    await clients.mobile_bank.put_offer(offer, key="k1")
    studio.refusal = httpx.Response(503)
    assert (await act(control, "a1/open")).status_code == 503
    studio.refusal = None
    assert (await act(control, "a1/open")).json()["status"] == "opened"


async def test_a_message_is_shown_once_to_the_customer_alone(
    clients: Clients, control: httpx.AsyncClient, offer: Offer, world: World
) -> None:
    await clients.mobile_bank.put_offer(offer, key="k1")
    told = [
        await clients.mobile_bank.tell(
            customer_hash=offer.customer_hash, case_id="a1", title="还款提醒", text="请看金额", key="m1"
        )
        for _ in range(2)
    ]
    assert told[0] == told[1]
    assert [row["effect"] for row in world.ledger(system="mobile_bank")] == [
        "offer_received",
        "message_shown",
    ]
    for person, seen in ((ID, True), (OTHER, False)):
        page = await control.post("/bank/login", data={"id_number": person}, follow_redirects=True)
        assert ("请看金额" in page.text) == seen
        control.cookies.clear()


async def test_a_message_for_somebody_the_bank_does_not_know_is_refused(clients: Clients) -> None:
    with pytest.raises(OutsideRefused) as refused:
        await clients.mobile_bank.tell(
            customer_hash="0" * 64, case_id="a1", title="还款提醒", text="请看金额", key="m1"
        )
    assert refused.value.remote_code == "customer_unknown"
