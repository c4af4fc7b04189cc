"""Every client keeps the same bargain, whatever system it speaks to (trust §1.6, §1.7)."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import httpx
import msgspec
import pytest

from backend.db import database
from backend.integrations import http, registry
from backend.integrations.http import CallInsideTransaction, OutsideRefused, OutsideUnavailable
from backend.integrations.image_archive.port import ImageIndex
from backend.integrations.registry import Clients
from backend.sandbox.pages import office
from backend.sandbox.world import World
from backend.settings import Settings

Call = Callable[[Clients, str], Awaitable[Any]]
ID = "411701198003071234"
IMAGE = b"\xff\xd8\xff\xe0 not really a picture"


def verify(clients: Clients, key: str, name: str = "张三") -> Awaitable[Any]:
    return clients.identity_check.verify(
        name=name, id_number=ID, authorisation_id="a1", case_id="c1", key=key
    )


def send(clients: Clients, key: str, code: str = "123456") -> Awaitable[Any]:
    return clients.sms.send(
        phone="13800000000",
        template="verification_code",
        parameters={"code": code, "minutes": "5"},
        case_id="c1",
        key=key,
    )


def report(clients: Clients, key: str, name: str = "张三") -> Awaitable[Any]:
    return clients.credit_bureau.report(
        name=name,
        id_number=ID,
        purpose="loan_application",
        authorisation_id="a1",
        consent_sha256="0" * 64,
        case_id="c1",
        key=key,
    )


def start(clients: Clients, key: str, name: str = "张三") -> Awaitable[Any]:
    return clients.liveness.start(
        case_id="c1",
        consent_id="a1",
        return_url="http://127.0.0.1:8000/apply/1/face",
        name=name,
        id_number=ID,
        key=key,
    )


def open_customer(clients: Clients, key: str, name: str = "张三") -> Awaitable[Any]:
    return clients.core_banking.open_customer(
        name=name, id_number=ID, phone="13800000000", institution_id="4101", case_id="c1", key=key
    )


def upload(clients: Clients, key: str, content: bytes = IMAGE) -> Awaitable[Any]:
    import hashlib

    return clients.image_archive.upload(
        content=content,
        content_type="image/jpeg",
        sha256=hashlib.sha256(content).hexdigest(),
        index=ImageIndex("4101", "c1", "id_front", "identity"),
        key=key,
    )


EFFECTS: dict[str, tuple[str, str, Call, Any]] = {
    "identity_check": ("identity_queried", "verify", verify, "李四"),
    "sms": ("sms_sent", "send", send, "654321"),
    "credit_bureau": ("report_queried", "reports", report, "李四"),
    "liveness": ("liveness_started", "sessions", start, "李四"),
    "core_banking": ("customer_opened", "customers", open_customer, "李四"),
    "image_archive": ("image_stored", "images", upload, b"\xff\xd8 another"),
}


def test_every_system_has_its_contract_its_name_in_the_back_office_and_its_line_in_the_readme() -> None:
    folders = {p.name for p in Path(registry.__file__).parent.iterdir() if (p / "port.py").exists()}
    assert set(office.NAMES) == folders, "its name in backend/sandbox/pages/office.py NAMES"
    readme = (Path(registry.__file__).parent / "README.md").read_text()
    assert set(re.findall(r"^\| `(\w+)` \|", readme, re.M)) == folders
    nameless = {effect for effect, *_ in EFFECTS.values()} - set(office.EFFECTS)
    assert nameless == set(), "its words in backend/sandbox/pages/office.py EFFECTS"
    # These have tests of their own beside this one, or no effects.
    assert folders - set(EFFECTS) == {"wechat", "mobile_bank", *office.WITHOUT_EFFECTS}, "its line in EFFECTS"


every_effect = pytest.mark.parametrize("system", EFFECTS)


def count(world: World, system: str) -> int:
    return sum(row["effect"] == EFFECTS[system][0] for row in world.ledger(system=system))


@every_effect
async def test_an_effect_happens_and_is_written_in_the_ledger(
    clients: Clients, world: World, system: str
) -> None:
    await EFFECTS[system][2](clients, "k1")
    [row] = world.ledger(system=system)
    assert (row["effect"], row["case"], row["key"]) == (EFFECTS[system][0], "c1", "k1")


@every_effect
async def test_the_same_key_gets_the_same_answer_and_no_second_effect(
    clients: Clients, world: World, system: str
) -> None:
    first = await EFFECTS[system][2](clients, "k1")
    assert await EFFECTS[system][2](clients, "k1") == first
    assert count(world, system) == 1


@every_effect
async def test_the_same_key_with_another_request_is_refused_with_422(
    clients: Clients, world: World, system: str
) -> None:
    _, _, call, other = EFFECTS[system]
    await call(clients, "k1")
    with pytest.raises(OutsideRefused) as refusal:
        await call(clients, "k1", other)  # type: ignore[call-arg]
    assert (refusal.value.status, refusal.value.remote_code) == (422, "idempotency_key_reused")
    assert count(world, system) == 1


@every_effect
async def test_a_drop_after_the_effect_is_unknown_and_the_retry_does_not_double_it(
    clients: Clients, world: World, control: httpx.AsyncClient, system: str
) -> None:
    _, operation, call, _ = EFFECTS[system]
    fault = {"system": system, "operation": operation, "fault": "drop_after"}
    assert (await control.post("/control/faults", json=fault)).status_code == 201
    with pytest.raises(OutsideUnavailable) as failure:
        await call(clients, "k1")
    assert failure.value.unknown
    assert failure.value.system == system
    assert count(world, system) == 1
    await call(clients, "k1")
    assert count(world, system) == 1


@every_effect
async def test_a_drop_before_the_effect_is_unknown_too_because_nobody_can_tell(
    clients: Clients, world: World, control: httpx.AsyncClient, system: str
) -> None:
    fault = {"system": system, "operation": "*", "fault": "drop_before"}
    await control.post("/control/faults", json=fault)
    with pytest.raises(OutsideUnavailable) as failure:
        await EFFECTS[system][2](clients, "k1")
    assert failure.value.unknown
    assert count(world, system) == 0


@every_effect
async def test_a_hang_ends_at_the_deadline_as_unknown(
    app: Any, settings: Settings, control: httpx.AsyncClient, system: str
) -> None:
    impatient = registry.build(
        msgspec.structs.replace(settings, outside_deadline=0.3), transport=httpx.ASGITransport(app)
    )
    fault = {"system": system, "operation": "*", "fault": "hang", "args": {"seconds": 20}}
    await control.post("/control/faults", json=fault)
    async with asyncio.timeout(10):
        with pytest.raises(OutsideUnavailable) as failure:
            await EFFECTS[system][2](impatient, "k1")
    await impatient.close()
    assert (failure.value.reason, failure.value.unknown) == ("timeout", True)


@every_effect
async def test_a_server_error_on_an_effect_is_unknown(
    clients: Clients, control: httpx.AsyncClient, system: str
) -> None:
    fault = {"system": system, "fault": "status", "args": {"status": 500}}
    await control.post("/control/faults", json=fault)
    with pytest.raises(OutsideUnavailable) as failure:
        await EFFECTS[system][2](clients, "k1")
    assert (failure.value.reason, failure.value.unknown) == ("status 500", True)


@every_effect
async def test_a_request_delivered_twice_has_one_effect(
    clients: Clients, world: World, control: httpx.AsyncClient, system: str
) -> None:
    await control.post("/control/faults", json={"system": system, "fault": "duplicate"})
    await EFFECTS[system][2](clients, "k1")
    assert count(world, system) == 1


@every_effect
async def test_a_call_inside_a_transaction_is_a_mistake_and_is_not_sent(
    clients: Clients, world: World, system: str
) -> None:
    token = database._open.set(True)
    try:
        with pytest.raises(CallInsideTransaction):
            await EFFECTS[system][2](clients, "k1")
    finally:
        database._open.reset(token)
    assert world.ledger() == []


@every_effect
async def test_one_can_ask_whether_a_key_took_effect_before_sending_again(
    clients: Clients, system: str
) -> None:
    assert await clients.applied(system, "k1") is None
    await EFFECTS[system][2](clients, "k1")
    found = await clients.applied(system, "k1")
    assert found is not None, "the system answers GET /effects/{key} with `world.answered`"
    assert (found.effect, found.reference) == (EFFECTS[system][0], "c1")


async def test_a_read_is_tried_again_within_its_deadline(
    clients: Clients, control: httpx.AsyncClient
) -> None:
    fault = {"system": "data_platform", "fault": "status", "times": 2, "args": {"status": 503}}
    await control.post("/control/faults", json=fault)
    answer = await clients.data_platform.features(
        id_number=ID, names=["blocklist_hit"], authorisation_id="a1", case_id="c1"
    )
    assert answer.values["blocklist_hit"].value in {"none", "watch", "blocked"}


async def test_a_read_that_stays_down_is_unavailable_but_never_unknown(
    clients: Clients, control: httpx.AsyncClient
) -> None:
    fault = {"system": "core_banking", "fault": "status", "times": 9, "args": {"status": 503}}
    await control.post("/control/faults", json=fault)
    with pytest.raises(OutsideUnavailable) as failure:
        await clients.core_banking.find_customer(id_number=ID)
    assert not failure.value.unknown


async def test_a_wait_asked_for_is_passed_on_and_not_hammered(
    clients: Clients, control: httpx.AsyncClient
) -> None:
    args = {"status": 429, "retry_after": 7}
    fault = {"system": "data_platform", "fault": "status", "times": 1, "args": args}
    await control.post("/control/faults", json=fault)
    with pytest.raises(OutsideUnavailable) as failure:
        await clients.data_platform.features(
            id_number=ID, names=["blocklist_hit"], authorisation_id="a1", case_id="c1"
        )
    assert (failure.value.reason, failure.value.retry_after) == ("rate_limited", 7.0)


async def test_nobody_listening_is_unavailable_and_certainly_without_effect(tmp_path: Any) -> None:
    from backend import settings as settings_module

    closed = settings_module.load({}, sandbox_base="http://127.0.0.1:9", xiaodai_data=str(tmp_path))
    clients = registry.build(closed)
    with pytest.raises(OutsideUnavailable) as failure:
        await send(clients, "k1")
    await clients.close()
    assert (failure.value.reason, failure.value.unknown) == ("connect", False)


async def test_a_wrong_secret_is_refused(app: Any, settings: Settings) -> None:
    wrong = msgspec.structs.replace(settings, outside_api_secret="somebody else")
    clients = registry.build(wrong, transport=httpx.ASGITransport(app))
    with pytest.raises(OutsideRefused) as refusal:
        await send(clients, "k1")
    await clients.close()
    assert refusal.value.status == 401


async def test_a_redirect_is_not_followed(clients: Clients, control: httpx.AsyncClient, world: World) -> None:
    args = {"status": 302}
    await control.post("/control/faults", json={"system": "sms", "fault": "status", "times": 1, "args": args})
    with pytest.raises(OutsideUnavailable) as failure:
        await send(clients, "k1")
    assert failure.value.reason == "status 302"


async def test_no_cookie_of_one_call_rides_on_the_next() -> None:
    seen: list[str] = []

    async def outside(request: httpx.Request) -> httpx.Response:
        seen.append(request.headers.get("cookie", ""))
        return httpx.Response(200, headers={"set-cookie": "session=somebody; Path=/"})

    async with http.open_client(deadline=1, transport=httpx.MockTransport(outside)) as client:
        for _ in range(2):
            await client.get("http://127.0.0.1:9000/sms")
    assert seen == ["", ""]


async def test_an_answer_without_end_is_cut_off(
    clients: Clients, control: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    body = {"filler": "x" * (http.ANSWER_CAP + 1)}
    fault = {"system": "sms", "fault": "status", "args": {"status": 200, "body": body}}
    await control.post("/control/faults", json=fault)
    with pytest.raises(OutsideUnavailable) as failure:
        await send(clients, "k1")
    assert failure.value.reason == "too_large"


async def test_an_answer_of_another_shape_is_unavailable_not_a_crash(
    clients: Clients, control: httpx.AsyncClient
) -> None:
    fault = {"system": "sms", "fault": "status", "args": {"status": 200, "body": {"hello": 1}}}
    await control.post("/control/faults", json=fault)
    with pytest.raises(OutsideUnavailable) as failure:
        await send(clients, "k1")
    assert (failure.value.reason, failure.value.unknown) == ("not_json", True)


@pytest.mark.parametrize("hostile", ["", "..", "../control/reset", "a/b", "a?x=1", "\u2044etc"])
async def test_an_identifier_cannot_leave_its_place_in_the_address(clients: Clients, hostile: str) -> None:
    with pytest.raises((ValueError, OutsideRefused)):
        await clients.core_banking.line(hostile)


async def test_the_wait_between_question_and_answer_leaves_no_personal_data_in_the_log(
    clients: Clients, capsys: pytest.CaptureFixture[str]
) -> None:
    await report(clients, "k1")
    await clients.core_banking.find_customer(id_number=ID)
    printed = capsys.readouterr()
    assert ID not in printed.out + printed.err
    assert "张三" not in printed.out + printed.err


async def test_the_core_keeps_its_books(clients: Clients, world: World) -> None:
    core = clients.core_banking
    customer = await open_customer(clients, "k1")
    line = await core.open_line(
        customer_no=customer.customer_no,
        contract_no="HT1",
        institution_id="4101",
        limit_fen=5_000_000,
        annual_rate=Decimal("0.0720"),
        starts_on=date(2026, 1, 1),
        ends_on=date(2099, 1, 1),
        case_id="c1",
        key="k2",
    )
    account = customer.accounts[0].account_no
    loan = await core.post_drawdown(
        line_no=line.line_no,
        account_no=account,
        amount_fen=2_000_000,
        term_months=12,
        repayment_method="interest_first",
        case_id="c1",
        key="k3",
    )
    assert (await core.line(line.line_no)).available_fen == 3_000_000
    with pytest.raises(OutsideRefused) as refusal:
        await core.post_drawdown(
            line_no=line.line_no,
            account_no=account,
            amount_fen=3_000_001,
            term_months=12,
            repayment_method="interest_first",
            case_id="c1",
            key="k4",
        )
    assert refusal.value.remote_code == "line_exceeded"
    posting = await core.post_repayment(loan_no=loan.loan_no, amount_fen=2_000_000, case_id="c1", key="k5")
    assert (posting.principal_fen, posting.outstanding_fen) == (2_000_000, 0)
    assert (await core.loan(loan.loan_no)).status == "paid_off"
    assert (await core.line(line.line_no)).available_fen == 5_000_000
    from backend.core import clock

    file = await core.day_end("4101", clock.today())
    assert [one.posting_no for one in file.postings] == [posting.posting_no]
    assert len(await core.flows(customer_no=customer.customer_no, months=3)) == 3
