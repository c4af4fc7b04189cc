"""From the approval into the mobile bank: the 明示表, the package, tokens and codes (A3-10, D2-09, trust §2)."""

import asyncio
import base64
import hashlib
import hmac
import json
from datetime import datetime, time, timedelta
from typing import Any

import asyncpg
import pytest
from joserfc import jwt
from joserfc.jwk import ECKey

from backend.core import clock, ids
from backend.documents import package
from backend.domains.applications.model import Application
from backend.domains.contracts import service as contracts
from backend.domains.contracts.model import (
    DisclosureChanged,
    DisclosureNotConfirmed,
    ReadTooFast,
    ShownTokenInvalid,
)
from backend.domains.handoff import tokens
from backend.domains.handoff.model import NotHandedOff
from backend.flows import (
    cancel_application,
    confirm_disclosure,
    draw_up_disclosure,
    hand_off,
    issue_short_code,
    open_mobile_bank,
    show_disclosure,
    withdraw_offer,
)
from backend.outbox import effects
from backend.overview import application_result

from .conftest import JIA, YI, Road, id_number

ME, OTHER = id_number(123), id_number(127)


@pytest.fixture
async def approved(road: Road) -> Application:
    application = await road.apply(ME)
    assert application.status == "approved"
    return application


@pytest.fixture
async def handed(road: Road, approved: Application) -> Application:
    return await road.hand_off(approved)


async def token_of(road: Road, application: Application) -> str:
    link = await open_mobile_bank.open_mobile_bank(road.context, JIA, application.id)
    return link.partition("?token=")[2]


async def redeem(road: Road, **body: str) -> Any:
    return await road.call("redeem", {"customer_hash": road.hash_of(ME), **body})


# The 明示表


async def test_confirming_before_the_reading_time_is_refused_and_says_how_long(
    road: Road, approved: Application
) -> None:
    shown = await show_disclosure.show_disclosure(road.context, JIA, approved.id)
    assert shown.wait_seconds == 15
    with clock.at(clock.now() + timedelta(seconds=10)), pytest.raises(ReadTooFast) as early:
        await confirm_disclosure.confirm_disclosure(
            road.context, JIA, approved.id, shown.shown_token, shown.version
        )
    assert 4 <= early.value.seconds_left <= 6
    with clock.at(clock.now() + timedelta(seconds=10)):
        again = await show_disclosure.show_disclosure(
            road.context, JIA, approved.id, shown_token=shown.shown_token
        )
    assert again.shown_token == shown.shown_token
    assert again.wait_seconds <= 6


async def test_showing_the_disclosure_writes_nothing(road: Road, approved: Application) -> None:
    before = await road.events(approved)
    await show_disclosure.show_disclosure(road.context, JIA, approved.id)
    assert await road.events(approved) == before


async def test_a_disclosure_token_of_our_own_making_is_needed(road: Road, approved: Application) -> None:
    shown = await show_disclosure.show_disclosure(road.context, JIA, approved.id)
    body, _, seal = shown.shown_token.partition(".")
    note = json.loads(base64.urlsafe_b64decode(body + "=="))
    earlier = base64.urlsafe_b64encode(json.dumps({**note, "shown_ms": note["shown_ms"] - 60_000}).encode())
    for forged in ("", "x", f"{earlier.decode()}.{seal}", f"{body}.", f"{body}.é"):
        with pytest.raises(ShownTokenInvalid):
            await confirm_disclosure.confirm_disclosure(road.context, JIA, approved.id, forged, shown.version)


async def test_another_version_than_the_one_shown_cannot_be_confirmed(
    road: Road, approved: Application
) -> None:
    shown = await show_disclosure.show_disclosure(road.context, JIA, approved.id)
    with clock.at(clock.now() + timedelta(seconds=20)), pytest.raises(DisclosureChanged):
        await confirm_disclosure.confirm_disclosure(
            road.context, JIA, approved.id, shown.shown_token, "2025-1"
        )


async def test_no_contract_starts_without_the_confirmed_disclosure_not_even_in_sql(
    road: Road, approved: Application
) -> None:
    with pytest.raises(DisclosureNotConfirmed):
        await hand_off.hand_off(road.context, JIA, approved.id)
    with pytest.raises(asyncpg.CheckViolationError):
        async with road.db.begin(JIA) as tx:
            await tx.connection.execute(
                "update contracts.contracts set status = 'ready', manifest_sha256 = 'x'"
            )


async def test_a_confirmed_case_is_handed_off_even_if_the_page_never_came_back(
    road: Road, approved: Application
) -> None:
    await road.confirm(approved)
    await road.later(minutes=2)
    assert (await road.see(approved)).status == "handed_off"
    assert [row["effect"] for row in await road.ledger("mobile_bank")] == ["offer_received"]


# The package


async def test_the_offer_waits_at_the_bank_with_the_hashes_of_every_document(
    road: Road, handed: Application
) -> None:
    offers = (await road.sandbox.post("/bank/api/offers", json={"id_number": ME})).json()
    [offer] = offers
    async with road.db.read(JIA) as tx:
        contract = await contracts.get(tx, handed.id)
        documents = await contracts.documents(tx, contract)
        for document in documents:
            _, content = await contracts.document(tx, contract, document.id)
            assert hashlib.sha256(content).hexdigest() == document.sha256
        stored = await tx.connection.fetchval("select content from contracts.documents limit 1")
    assert b"%PDF" not in stored
    assert [d["sha256"] for d in offer["documents"]] == [d.sha256 for d in documents]
    assert {d.kind for d in documents} == {"contract", "disclosure", "consent"}
    assert (offer["limit_fen"], offer["contract_no"]) == (contract.limit_fen, contract.contract_no)
    assert offer["customer_hash"] == road.hash_of(ME)


async def test_handing_off_twice_at_once_makes_one_package_and_one_offer(
    road: Road, approved: Application
) -> None:
    await road.confirm(approved)
    both = await asyncio.gather(
        *(hand_off.hand_off(road.context, JIA, approved.id) for _ in range(4)), return_exceptions=True
    )
    assert not [b for b in both if isinstance(b, BaseException)]
    await road.later(minutes=1)
    assert (await road.events(approved)).count("handed_off") == 1
    assert [row["effect"] for row in await road.ledger("mobile_bank")] == ["offer_received"]


async def test_a_bank_that_is_down_gets_the_offer_later_and_once(road: Road, approved: Application) -> None:
    await road.confirm(approved)
    await hand_off.hand_off(road.context, JIA, approved.id)
    await road.fault("mobile_bank", "offers", "status", times=1, status=503)
    await road.drain()
    await road.fault("mobile_bank", "offers", "drop_after", times=1)
    await road.later(minutes=1)
    assert (await road.contract(approved)).offer_no is None
    await road.later(minutes=10)
    assert (await road.contract(approved)).offer_no is not None
    assert [row["effect"] for row in await road.ledger("mobile_bank")] == ["offer_received"]


async def test_a_customer_who_signs_before_the_offer_arrives_leaves_no_dead_letter(
    road: Road, approved: Application
) -> None:
    await road.confirm(approved)
    await hand_off.hand_off(road.context, JIA, approved.id)
    token = await token_of(road, approved)
    redeemed = await road.sandbox.post("/bank/api/redeem", json={"id_number": ME, "token": token})
    assert redeemed.status_code == 200
    await road.fault("mobile_bank", "callback", "drop_before", times=1)  # we hear of the signature too late
    await road.bank(approved, "sign", ME)
    await road.drain()
    async with road.db.read(JIA) as tx:
        assert await effects.dead(tx) == []
    assert "offer_overtaken" in await road.events(approved)
    await road.settle()
    assert (await road.see(approved)).status == "signed"


async def test_an_offer_whose_case_ends_while_it_is_sent_is_withdrawn_again(
    road: Road, approved: Application
) -> None:
    await road.confirm(approved)
    await hand_off.hand_off(road.context, JIA, approved.id)
    await road.fault("mobile_bank", "offers", "delay", times=1, seconds=0.8)
    sending = asyncio.create_task(road.drain())
    await asyncio.sleep(0.4)
    await cancel_application.cancel_application(road.context, JIA, approved.id)
    await sending
    assert (await road.see(approved)).status == "cancelled"
    assert [r["effect"] for r in await road.ledger("mobile_bank")] == ["offer_received", "offer_withdrawn"]


async def test_an_offer_is_withdrawn_once_however_many_want_it_back(road: Road, handed: Application) -> None:
    for reason in ("customer", "expired", "overtaken", "customer"):
        await withdraw_offer.withdraw_offer(road.context, handed.id, reason)
    assert [r["effect"] for r in await road.ledger("mobile_bank")] == ["offer_received", "offer_withdrawn"]


async def test_an_offer_whose_answer_was_lost_is_withdrawn_when_its_case_ends_meanwhile(
    road: Road, approved: Application
) -> None:
    await road.confirm(approved)
    await hand_off.hand_off(road.context, JIA, approved.id)
    await road.fault("mobile_bank", "offers", "drop_after", times=1)
    await road.drain()
    await road.fault("mobile_bank", "offers", "status", times=1, status=404, body={"code": "offer_not_found"})
    await cancel_application.cancel_application(road.context, JIA, approved.id)
    await road.later(minutes=5)
    assert [r["effect"] for r in await road.ledger("mobile_bank")] == ["offer_received", "offer_withdrawn"]


async def test_the_package_is_for_its_customer_only(road: Road, handed: Application) -> None:
    mine = await road.call("package", {"application_id": handed.id, "customer_hash": road.hash_of(ME)})
    assert mine.status_code == 200
    other = await road.call("package", {"application_id": handed.id, "customer_hash": road.hash_of(OTHER)})
    unknown = await road.call("package", {"application_id": ids.new(), "customer_hash": road.hash_of(ME)})
    assert (other.status_code, unknown.status_code) == (404, 404)
    assert other.json()["code"] == unknown.json()["code"]


async def test_a_document_comes_byte_for_byte_and_only_with_its_application(
    road: Road, handed: Application
) -> None:
    mine = await road.call("package", {"application_id": handed.id, "customer_hash": road.hash_of(ME)})
    listed = mine.json()["documents"][0]
    reply = await road.call("document", {"application_id": handed.id, "document_id": listed["document_id"]})
    assert hashlib.sha256(reply.content).hexdigest() == listed["sha256"]
    assert reply.headers["content-type"] == "application/pdf"
    stray = await road.call("document", {"application_id": handed.id, "document_id": ids.new()})
    assert stray.status_code == 404


async def test_the_bank_asks_once_more_before_the_signature(road: Road, handed: Application) -> None:
    async def told(institution_id: str = "4101", application_id: str = handed.id) -> tuple[int, object]:
        reply = await road.ask(f"standing/{institution_id}/{application_id}")
        return reply.status_code, reply.json().get("open")

    assert await told() == (200, True)
    async with road.db.read(JIA) as tx:
        contract = await contracts.get(tx, handed.id)
    with clock.at(datetime.combine(contract.valid_until, time(23, 59), clock.LOCAL)):
        assert await told() == (200, True)
    with clock.at(datetime.combine(contract.valid_until + timedelta(days=1), time(0, 1), clock.LOCAL)):
        assert await told() == (200, False)
    assert await told("4102") == (404, None)
    assert await told(application_id=ids.new()) == (404, None)
    assert await told(application_id="x") == await told(institution_id="*") == (404, None)
    unsigned = await road.web.get(f"/api/mobile-bank/standing/4101/{handed.id}")
    other = await road.ask(f"standing/4101/{handed.id}", signed=f"/api/mobile-bank/standing/4101/{ids.new()}")
    assert (unsigned.status_code, other.status_code) == (401, 401)


async def test_one_cost_on_every_surface(road: Road, approved: Application) -> None:
    """N3: page, 明示表, contract, package and the bank's offer show one sum, one rate, one cost, one schedule."""
    async with road.db.read(JIA) as tx:
        contract = await contracts.get(tx, approved.id)
        drawn = await draw_up_disclosure.draw_up_disclosure(tx, contract)
        page = (await application_result.of(tx, await road.see_in(tx, approved))).offer
        printed = hand_off._fields(contract, drawn, ())
    table = drawn.disclosure
    assert page is not None
    assert {contract.limit_fen, table.principal, page.limit_fen, printed.limit} == {contract.limit_fen}
    assert {contract.annual_rate, table.annual_rate, page.annual_rate, printed.annual_rate} == {
        contract.annual_rate
    }
    assert {table.annualised, page.all_in_cost, printed.all_in_cost} == {table.annualised}
    assert printed.disclosure_sha256 == table.sha256
    planned = [(i.due_on, i.principal, i.interest) for i in printed.schedule.instalments]
    assert [(i.due_on, i.principal_fen, i.interest_fen) for i in page.schedule] == planned
    assert table.total == sum(principal + interest for _, principal, interest in planned)
    assert table.lines[0].amount == sum(interest for _, _, interest in planned)
    await road.hand_off(approved)
    [offer] = (await road.sandbox.post("/bank/api/offers", json={"id_number": ME})).json()
    assert (offer["limit_fen"], float(offer["annual_rate"])) == (table.principal, float(table.annual_rate))
    assert offer["term_months"] == table.term_months


async def test_a_package_drawn_twice_is_the_same_to_the_byte(road: Road, approved: Application) -> None:
    async with road.db.read(JIA) as tx:
        contract = await contracts.get(tx, approved.id)
        drawn = await draw_up_disclosure.draw_up_disclosure(tx, contract)
    fields = hand_off._fields(contract, drawn, ())
    one, two = (package.build(fields, drawn.disclosure, []) for _ in range(2))
    assert [d.sha256 for d in one.documents] == [d.sha256 for d in two.documents]
    assert [d.pdf for d in one.documents] == [d.pdf for d in two.documents]


# Tokens


async def test_a_token_opens_the_application_once(road: Road, handed: Application) -> None:
    token = await token_of(road, handed)
    first = await redeem(road, token=token)
    assert first.status_code == 200, first.text
    assert first.json()["application_id"] == handed.id
    second = await redeem(road, token=token)
    assert (second.status_code, second.json()["code"]) == (409, "already_redeemed")


async def test_of_a_hundred_redeems_at_once_one_succeeds(road: Road, handed: Application) -> None:
    token = await token_of(road, handed)
    replies = await asyncio.gather(*(redeem(road, token=token) for _ in range(100)))
    codes = [reply.status_code for reply in replies]
    assert codes.count(200) == 1
    assert set(codes) <= {200, 409, 503}


async def test_an_expired_token_is_gone(road: Road, handed: Application) -> None:
    token = await token_of(road, handed)
    with clock.at(clock.now() + timedelta(seconds=121)):
        reply = await redeem(road, token=token)
    assert (reply.status_code, reply.json()["code"]) == (410, "token_expired")


async def test_a_token_is_worthless_to_another_customer_and_stays_good_for_its_own(
    road: Road, handed: Application
) -> None:
    token = await token_of(road, handed)
    stolen = await road.call("redeem", {"customer_hash": road.hash_of(OTHER), "token": token})
    assert (stolen.status_code, stolen.json()["code"]) == (409, "other_customer")
    assert (await redeem(road, token=token)).status_code == 200


def forgeries(road: Road, token: str) -> dict[str, str]:
    """Tokens that look like ours: wrong algorithm, key, type, audience, issuer, life or binding."""
    key = tokens.key(road.context.settings)
    header, payload, signature = token.split(".")
    said = json.loads(base64.urlsafe_b64decode(payload + "=="))
    fresh = {**said, "jti": ids.new()}

    def signed(claims: dict[str, Any], with_key: Any = key, **more: Any) -> str:
        return jwt.encode({"alg": "ES256", "typ": tokens.TOKEN_TYPE, **more}, claims, with_key)

    def plain(value: object) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).decode().rstrip("=")

    hs_head = plain({"alg": "HS256", "typ": tokens.TOKEN_TYPE})
    mac = hmac.new(key.as_pem(private=False), f"{hs_head}.{payload}".encode(), hashlib.sha256).digest()
    hs256 = f"{hs_head}.{payload}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"
    return {
        "none": f"{plain({'alg': 'none', 'typ': tokens.TOKEN_TYPE})}.{payload}.",
        "none, signed": f"{plain({'alg': 'None', 'typ': tokens.TOKEN_TYPE})}.{payload}.{signature}",
        "HS256 with our public key": hs256,
        "another key": signed(said, ECKey.generate_key("P-256")),
        "another key by jku": signed(said, ECKey.generate_key("P-256"), jku="https://example.test/keys"),
        "another key in the header": signed(
            said, made := ECKey.generate_key("P-256"), jwk=made.as_dict(private=False)
        ),
        "another type": signed(said, typ="JWT"),
        "another audience": signed({**said, "aud": "somebody"}),
        "audience as a list": signed({**said, "aud": ["mobile-bank", "x"]}),
        "another issuer": signed({**said, "iss": "https://example.test"}),
        "no end": signed({k: v for k, v in said.items() if k != "exp"}),
        "a long life": signed({**said, "exp": said["exp"] + 3600}),
        "an end in words": signed({**said, "exp": "2099-01-01"}),
        "from the future": signed({**said, "iat": said["iat"] + 3600, "exp": said["exp"] + 3600}),
        "a ticket never issued": signed(fresh),
        "a ticket of another county": signed({**said, "ins": "4102"}),
        "no ticket": signed({**said, "jti": "x"}),
        "another application": signed({**said, "app": ids.new()}),
        "signature cut": f"{header}.{payload}.{signature[:-4]}",
        "payload changed": f"{header}.{plain({**said, 'app': ids.new()})}.{signature}",
        "empty parts": "..",
        "not a token": "鸡蛋",
        "too long": token + "A" * 1900,
    }


async def test_no_forged_token_opens_anything(road: Road, handed: Application) -> None:
    token = await token_of(road, handed)
    accepted = []
    for name, forged in forgeries(road, token).items():
        reply = await redeem(road, token=forged)
        if reply.status_code == 200 or reply.status_code >= 500:
            accepted.append((name, reply.status_code))
    assert accepted == []
    assert (await redeem(road, token=token)).status_code == 200  # and the genuine one was not spoilt


async def test_before_the_hand_off_there_is_no_way_in(road: Road, approved: Application) -> None:
    with pytest.raises(NotHandedOff):
        await open_mobile_bank.open_mobile_bank(road.context, JIA, approved.id)


async def test_the_signing_key_is_made_once_and_only_we_can_read_it(road: Road) -> None:
    settings = road.context.settings
    tokens.key(settings)
    path = settings.data / "keys" / "handoff.pem"
    assert path.stat().st_mode & 0o777 == 0o600
    tokens._key.cache_clear()
    before = path.read_bytes()
    tokens.key(settings)
    assert path.read_bytes() == before
    assert [p.name for p in path.parent.iterdir()] == ["handoff.pem"]


# Short codes


async def test_a_short_code_typed_carelessly_opens_the_application_once(
    road: Road, handed: Application
) -> None:
    issued = await issue_short_code.issue_short_code(road.context, JIA, handed.id)
    assert len(issued.short_code) == 8
    typed = f" {issued.short_code[:4].lower()}-{issued.short_code[4:]} "
    assert (await redeem(road, short_code=typed)).status_code == 200
    again = await redeem(road, short_code=issued.short_code)
    assert again.json()["code"] == "already_redeemed"


async def test_a_short_code_lives_ten_minutes_and_ends_with_the_next_one(
    road: Road, handed: Application
) -> None:
    first = await issue_short_code.issue_short_code(road.context, JIA, handed.id)
    second = await issue_short_code.issue_short_code(road.context, JIA, handed.id)
    assert (await redeem(road, short_code=first.short_code)).json()["code"] == "token_expired"
    with clock.at(clock.now() + timedelta(minutes=10, seconds=1)):
        assert (await redeem(road, short_code=second.short_code)).status_code == 410


async def test_guessing_codes_is_stopped_after_five_tries(road: Road, handed: Application) -> None:
    issued = await issue_short_code.issue_short_code(road.context, JIA, handed.id)
    codes = [(await redeem(road, short_code=f"2222222{n}")).status_code for n in "23456"]
    assert codes == [404] * 5
    assert (await redeem(road, short_code=issued.short_code)).status_code == 429


async def test_a_right_code_of_somebody_else_dies_after_five_tries(road: Road, handed: Application) -> None:
    issued = await issue_short_code.issue_short_code(road.context, JIA, handed.id)
    for n in range(5):
        thief = road.hash_of(id_number(200 + n))
        reply = await road.call("redeem", {"customer_hash": thief, "short_code": issued.short_code})
        assert reply.json()["code"] == "other_customer"
    assert (await redeem(road, short_code=issued.short_code)).status_code == 404


async def test_the_code_is_stored_as_a_blind_index_only(road: Road, handed: Application) -> None:
    issued = await issue_short_code.issue_short_code(road.context, JIA, handed.id)
    async with road.db.read(JIA) as tx:
        rows = await tx.connection.fetch("select t::text as text from handoff.tickets t")
    assert all(issued.short_code not in row["text"] for row in rows)


# The door


async def test_unsigned_stale_and_wrongly_signed_calls_are_refused(road: Road, handed: Application) -> None:
    body = {"application_id": handed.id, "customer_hash": road.hash_of(ME)}
    unsigned = await road.web.post("/api/mobile-bank/package", json=body)
    wrong = await road.call("package", body, secret="not the secret")
    with clock.at(clock.now() - timedelta(minutes=6)):
        content, headers = road.signed(body)
    stale = await road.web.post("/api/mobile-bank/package", content=content, headers=headers)
    assert [reply.status_code for reply in (unsigned, wrong, stale)] == [401, 401, 401]


async def test_unknown_fields_and_wrong_types_are_bad_requests(road: Road, handed: Application) -> None:
    good = {"application_id": handed.id, "customer_hash": road.hash_of(ME)}
    for bad in ({**good, "role": "admin"}, {"application_id": handed.id}, {**good, "application_id": 1},
                {**good, "customer_hash": "x"}, [], "x"):  # fmt: skip
        reply = await road.call("package", bad)
        assert (reply.status_code, reply.json()["code"]) == (400, "body_unreadable"), bad
    for path in ("redeem", "document", "events"):
        assert (await road.call(path, {"x": 1})).status_code == 400


async def test_another_county_sees_neither_contract_nor_way_in(road: Road, handed: Application) -> None:
    async with road.db.read(YI) as tx:
        assert await contracts.of_application(tx, handed.id) is None
        for table in ("contracts.contracts", "contracts.documents", "contracts.disclosures",
                      "handoff.tickets", "evidence.answers", "relations.sightings", "relations.edges"):  # fmt: skip
            assert await tx.connection.fetchval(f"select count(*) from {table}") == 0
