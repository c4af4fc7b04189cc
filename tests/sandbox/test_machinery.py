"""The machinery under every pretended system: memory, ledger, faults, invented people."""

from datetime import timedelta
from typing import Any

import httpx
import pytest

from backend.core import clock, webhooks
from backend.sandbox import synthetic
from backend.sandbox.people import GOOD, Script
from backend.sandbox.travellers import Patient
from backend.sandbox.world import World
from backend.settings import Settings
from tests.integrations.conftest import Studio
from tests.integrations.test_contract import report, send, verify

ID = "411701198003071234"


async def test_what_was_done_is_still_known_after_a_restart(
    clients: Any, app: Any, world: World, settings: Settings, studio: Studio
) -> None:
    first = await send(clients, "k1")
    await world.close()
    app.state.world = World(settings, httpx.MockTransport(studio))
    assert await send(clients, "k1") == first
    assert len(app.state.world.ledger(system="sms")) == 1


async def test_a_reset_forgets_everything_but_the_people_if_asked(
    clients: Any, control: httpx.AsyncClient, world: World
) -> None:
    world.people.set(ID, Script(name="张三"))
    await send(clients, "k1")
    await control.post("/control/reset", json={"keep_people": True})
    assert world.ledger() == []
    assert world.people.script(ID).name == "张三"


async def test_a_rate_is_kept_exactly_and_without_dice(control: httpx.AsyncClient, world: World) -> None:
    await control.post("/control/faults", json={"system": "sms", "fault": "status", "rate": 0.2})
    hits = [bool(world.faults.firing("sms", "send")) for _ in range(100)]
    assert sum(hits) == 20
    assert hits == ([False] * 4 + [True]) * 20


async def test_a_fault_meant_for_one_operation_leaves_the_others_alone(world: World) -> None:
    world.faults.set(
        system="wechat", operation="cgi-bin/message/*", fault="delay", times=5, rate=None, args={}
    )
    assert not world.faults.firing("wechat", "cgi-bin/menu/get")
    assert not world.faults.firing("sms", "cgi-bin/message/x")
    assert world.faults.firing("wechat", "cgi-bin/message/custom/send")


async def test_the_receipt_of_a_message_is_signed_and_names_no_phone(
    clients: Any, world: World, studio: Studio, settings: Settings
) -> None:
    sent = await send(clients, "k1")
    await world.idle()
    [receipt] = studio.received
    assert receipt.url.path == "/api/sms/receipts"
    assert webhooks.verify(settings.sms_callback_secret, receipt.headers, receipt.content, clock.now())
    assert sent.message_id.encode() in receipt.content
    assert b"13800000000" not in receipt.content


async def test_the_last_code_can_be_read_by_tests(clients: Any, control: httpx.AsyncClient) -> None:
    assert (await control.get("/control/sms/13800000000/code")).status_code == 404
    await send(clients, "k1", "111111")
    await send(clients, "k2", "222222")
    assert (await control.get("/control/sms/13800000000/code")).json() == {"code": "222222"}


async def test_an_unscripted_person_is_drawn_from_the_id_number_alone(world: World) -> None:
    facts = world.people.facts(ID)
    assert facts == synthetic.person(ID)
    assert set(facts) == set(GOOD)


@pytest.mark.parametrize(
    ("script", "fact", "value"),
    [
        ({"preset": "good"}, "bureau_queries_6m", 1),
        ({"preset": "queries"}, "bureau_queries_6m", 9),
        ({"preset": "overdue"}, "bureau_overdue_amount", 120_000),
        ({"preset": "thin_file"}, "bureau_found", False),
        ({"preset": "good", "profile": {"court_enforcement": True}}, "court_enforcement", True),
        ({"preset": "good", "profile": {"core_inflow_12m": None}}, "core_inflow_12m", None),
    ],
)
async def test_a_script_changes_what_the_systems_say(
    control: httpx.AsyncClient, script: dict[str, Any], fact: str, value: Any
) -> None:
    await control.put(f"/control/people/{ID}", json=script)
    assert (await control.get(f"/control/people/{ID}")).json()["facts"].get(fact) == value


async def test_a_fact_nobody_knows_is_a_mistake_in_the_script(control: httpx.AsyncClient) -> None:
    reply = await control.put(f"/control/people/{ID}", json={"profile": {"shoe_size": 42}})
    assert reply.json()["code"] == "fact_unknown"


async def test_a_fact_taken_away_is_missing_not_zero(clients: Any, control: httpx.AsyncClient) -> None:
    await control.put(f"/control/people/{ID}", json={"preset": "missing"})
    answer = await clients.core_banking.facts(
        id_number=ID, names=["core_inflow_12m", "core_known"], case_id="c1"
    )
    assert (answer.missing, answer.facts) == (("core_inflow_12m",), {"core_known": True})


async def test_the_register_tells_match_mismatch_and_not_found_apart(
    clients: Any, control: httpx.AsyncClient
) -> None:
    assert (await verify(clients, "k1")).result == "match"
    assert (await verify(clients, "k2", "李四")).result == "mismatch"
    await control.put(f"/control/people/{ID}", json={"identity": "not_found"})
    assert (await verify(clients, "k3")).result == "not_found"


async def test_a_phone_belongs_to_the_first_person_it_was_asked_with(clients: Any) -> None:
    async def ask(id_number: str, name: str, key: str) -> str:
        answer = await clients.identity_check.verify(
            name=name,
            id_number=id_number,
            phone="13800000000",
            authorisation_id="a1",
            case_id="c1",
            key=key,
        )
        return str(answer.phone_result)

    assert await ask(ID, "张三", "k1") == "match"
    assert await ask("411701199001011234", "李四", "k2") == "mismatch"


async def test_the_bureau_has_nothing_on_a_thin_file_but_answers(
    clients: Any, control: httpx.AsyncClient
) -> None:
    await control.put(f"/control/people/{ID}", json={"preset": "thin_file"})
    answer = await report(clients, "k1")
    assert (answer.found, answer.facts["bureau_found"], answer.report) == (False, False, {})
    assert len(answer.sha256) == 64


async def test_the_accounts_of_a_report_add_up_to_its_facts(clients: Any, control: httpx.AsyncClient) -> None:
    profile = {"bureau_lenders_open": 3, "bureau_balance": 1_000_001}
    await control.put(f"/control/people/{ID}", json={"preset": "good", "profile": profile})
    accounts = (await report(clients, "k1")).report["accounts"]
    assert sum(account["balance_fen"] for account in accounts) == 1_000_001


async def test_a_liveness_result_is_given_once_and_only_to_its_asker(
    clients: Any, control: httpx.AsyncClient
) -> None:
    from backend.integrations.http import OutsideRefused
    from tests.integrations.test_contract import start

    session = await start(clients, "k1")
    assert (await clients.liveness.result(session.session_id, key="r1")).status == "pending"
    await control.post(f"/control/liveness/{session.session_id}", json={"outcome": "passed"})
    first = await clients.liveness.result(session.session_id, key="r1")
    assert (first.status, first.face_match) == ("passed", "match")
    assert await clients.liveness.result(session.session_id, key="r1") == first
    with pytest.raises(OutsideRefused) as refusal:
        await clients.liveness.result(session.session_id, key="r2")
    assert refusal.value.remote_code == "result_already_fetched"


async def test_the_liveness_page_leads_back_to_the_application(
    clients: Any, control: httpx.AsyncClient
) -> None:
    from tests.integrations.test_contract import start

    session = await start(clients, "k1")
    assert "眨眼" in (await control.get(session.url)).text
    reply = await control.post(session.url, data={"outcome": "failed"})
    expected = f"http://127.0.0.1:8000/apply/1/face?liveness_session={session.session_id}"
    assert reply.headers["location"] == expected
    assert (await clients.liveness.result(session.session_id, key="r1")).status == "failed"


async def test_a_session_left_alone_expires(clients: Any) -> None:
    from tests.integrations.test_contract import start

    session = await start(clients, "k1")
    with clock.at(clock.now() + timedelta(minutes=16)):
        assert (await clients.liveness.result(session.session_id, key="r1")).status == "expired"


async def test_an_image_comes_back_as_it_was_stored_and_somebody_answers_for_looking(
    clients: Any, world: World
) -> None:
    from tests.integrations.test_contract import IMAGE, upload

    stored = await upload(clients, "k1")
    archive = clients.image_archive
    assert await archive.find(institution_id="4101", case_id="c1") == (stored,)
    assert await archive.find(institution_id="4102", case_id="c1") == ()
    assert await archive.fetch(stored.image_id, reason="人工复核", requested_by="JX0201", key="k2") == IMAGE
    assert [row["effect"] for row in world.ledger()] == ["image_stored", "image_fetched"]


async def test_an_image_that_is_removed_is_gone_twice_over_but_not_another_with_the_same_bytes(
    clients: Any, world: World
) -> None:
    from tests.integrations.test_contract import IMAGE, upload

    archive = clients.image_archive
    first, second = await upload(clients, "k1"), await upload(clients, "k2")
    for key in ("r1", "r2"):
        await archive.remove(first.image_id, key=key)
    assert await archive.find(institution_id="4101", case_id="c1") == (second,)
    assert await archive.fetch(second.image_id, reason="人工复核", requested_by="JX0201", key="f") == IMAGE
    await archive.remove(second.image_id, key="r3")
    kept = world.settings.data / "sandbox-images"
    assert [each for each in kept.rglob("*") if each.is_file()] == []


@pytest.mark.parametrize(
    ("said", "taps"),
    [
        ([httpx.Response(503), httpx.Response(200)], 2),
        ([httpx.Response(409, headers={"retry-after": "0.01"}), httpx.Response(200)], 2),
        ([httpx.Response(409)], 1),
        ([httpx.Response(422)], 1),
    ],
)
async def test_a_patient_traveller_taps_again_while_the_first_tap_is_at_work(
    said: list[httpx.Response], taps: int
) -> None:
    """The smoke run of faults met a web process killed over a photograph; all five stopped at its 409."""
    given, patient = iter(said), Patient(5)
    patient._inner = httpx.MockTransport(lambda _: next(given))  # type: ignore[assignment]
    reply = await patient.handle_async_request(httpx.Request("POST", "http://xiaodai/apply/identity/front"))
    assert reply is said[taps - 1]
