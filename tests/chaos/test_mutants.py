"""Mistakes planted on purpose: each must be caught, or the chaos tests prove nothing (trust §1).

A mutant is a mistake somebody could make, put in place of our code for one test. Its check is the walk of
tests/chaos/walk.py with deaths or a bad line, and the very questions of the smoke run; without the mutant the
same walk leaves no question open.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import msgspec
import pytest

from backend.core import clock, ids
from backend.core.actor import Actor, system
from backend.domains.applications.model import Application
from backend.domains.contracts import service as contracts
from backend.flows import apply_bank_events, receive_bank_event, start_application, submit_application
from backend.flows.context import Context
from backend.integrations.mobile_bank.port import Event
from backend.jobs import worker
from backend.outbox import effects, idempotency, inbox
from backend.outbox.effects import Effect
from tests.chaos.walk import Died, mortal, violations, walk
from tests.flows.conftest import JIA, Road

Plant = Callable[[pytest.MonkeyPatch], None]


def dual_write(patch: pytest.MonkeyPatch) -> None:
    """The state in one transaction, the effect it causes in a second one."""
    forgotten: list[dict[str, Any]] = []
    submit = submit_application.submit_application

    class Later:
        @staticmethod
        async def add(_: object, **effect: Any) -> str:
            forgotten.append(effect)
            return "later"

    async def submit_then_add(context: Context, actor: Actor, application_id: str) -> Application:
        forgotten.clear()
        submitted = await submit(context, actor, application_id)
        for effect in forgotten:
            async with context.db.begin(actor) as tx:
                await effects.add(tx, **effect)
        return submitted

    patch.setattr(submit_application, "effects", Later)
    patch.setattr(submit_application, "submit_application", submit_then_add)


def ack_before_effect(patch: pytest.MonkeyPatch) -> None:
    """Marked as delivered before it is."""
    handled = worker._handled

    async def mark_then_handle(context: Context, effect: Effect, delivery: Any) -> tuple[str, bool]:
        async with context.db.begin(system(effect.institution_id, "worker")) as tx:
            await effects.delivered(tx, effect)
        return await handled(context, effect, delivery)

    patch.setattr(worker, "_handled", mark_then_handle)


def new_key_per_retry(patch: pytest.MonkeyPatch) -> None:
    lease = effects.lease

    async def with_a_new_key(tx: Any, effect_id: str) -> Effect | None:
        taken = await lease(tx, effect_id)
        return taken and msgspec.structs.replace(taken, key=f"{taken.key}#{ids.new()}")

    patch.setattr(effects, "lease", with_a_new_key)


def out_of_order_ignored(patch: pytest.MonkeyPatch) -> None:
    """What comes before its turn is thrown away instead of kept."""
    unapplied = inbox.unapplied

    async def only_the_next(tx: Any, *, source: str, case_id: str) -> list[inbox.Message]:
        reached = (await contracts.get(tx, case_id)).bank_sequence
        kept = []
        for message in sorted(
            await unapplied(tx, source=source, case_id=case_id), key=lambda m: int(str(m.payload["sequence"]))
        ):
            if int(str(message.payload["sequence"])) > reached + 1:
                await inbox.applied(tx, source=source, message_id=message.message_id, outcome="early")
                continue
            kept.append(message)
            reached += 1
        return kept

    patch.setattr(apply_bank_events.inbox, "unapplied", only_the_next)


def no_inbox(patch: pytest.MonkeyPatch) -> None:
    """Applied as it comes and answered with 204, whatever became of it; nothing is kept."""

    async def apply_at_once(context: Context, event: Event) -> bool:
        async with context.db.begin(system(event.institution_id, "mobile bank")) as tx:
            contract = await contracts.get(tx, event.application_id, lock=True)
            if event.sequence == contract.bank_sequence + 1:
                await apply_bank_events._apply(tx, contract, event)
                contract = await contracts.get(tx, event.application_id)
                await contracts.set_sequence(tx, contract, event.sequence)
        return True

    patch.setattr(receive_bank_event, "receive_bank_event", apply_at_once)


def client_key_ignored(patch: pytest.MonkeyPatch) -> None:
    async def never_seen(self: idempotency.Claim) -> tuple[bool, bytes | None]:
        return False, None

    async def let_in(self: idempotency.Claim, tx: Any) -> bool:
        return True

    patch.setattr(idempotency.Claim, "look", never_seen)
    patch.setattr(idempotency.Claim, "began", let_in)


def missing_lease(patch: pytest.MonkeyPatch) -> None:
    """Taken without looking whether somebody has it."""

    async def anyway(tx: Any, effect_id: str) -> Effect | None:
        row = await tx.connection.fetchrow(
            "update outbox.effects set status = 'delivering', attempts = attempts + 1"
            " where institution_id = $1 and id = $2 and status in ('waiting', 'delivering')"
            " returning id, kind, case_id, key, payload, attempts, created_at",
            tx.institution_id,
            effect_id,
        )
        if row is None:
            return None
        opened = tx.vault.open("outbox.effects", "payload", str(row["id"]), row["payload"])
        values = [row[name] for name in ("kind", "case_id", "key")]
        payload = msgspec.json.decode(opened)
        return Effect(tx.institution_id, str(row["id"]), *values, payload, row["attempts"], row["created_at"])

    patch.setattr(effects, "lease", anyway)


async def dying_while_handing_in(road: Road) -> dict[str, object]:
    """Place 2 is right after the commit that hands the application in."""
    await walk(road, die_at=2)
    return await violations(road)


async def dying_while_delivering(road: Road) -> dict[str, object]:
    """In the middle of the first decision."""
    await walk(road, die_at=9)
    return await violations(road)


async def losing_answers(road: Road) -> dict[str, object]:
    await walk(road, faults=(("mobile_bank", "offers", "drop_after", 0),))
    return await violations(road)


async def disordered_callbacks(road: Road) -> dict[str, object]:
    """The first word of the bank comes after the others."""
    await walk(road, faults=(("mobile_bank", "callback", "delay", 2.0),))
    return await violations(road)


async def tapping_twice(road: Road) -> dict[str, object]:
    """The first tap's answer is lost after its commit; the page sends the same form again, twice."""

    async def tap(token: str) -> None:
        claim = idempotency.Claim(road.db, "visit", "one-page", idempotency.request_hash("SXD"))
        answered, _ = await claim.look()
        if not answered:
            with claim.open():
                await start_application.start_application(road.context, JIA, token=token, product_code="SXD")
            await claim.answered(b"303")

    with mortal(road, die_at=2), pytest.raises(Died):
        await tap("a" * 43)
    with clock.at(clock.now() + idempotency.LEASE):
        await tap("b" * 43)
        await tap("c" * 43)
    async with road.db.read(JIA) as tx:
        drafts = await tx.connection.fetchval("select count(*) from applications.applications")
    return {} if drafts == 1 else {"drafts of one tap": drafts}


async def two_workers(road: Road) -> dict[str, object]:
    """Both get the job at once, and the other side is slow."""
    await road.person("411701198003071234", preset="good")
    async with road.db.begin(JIA) as tx:
        message: dict[str, object] = {
            "phone": "13800000000",
            "template": "application_held",
            "parameters": {},
        }
        effect_id = await effects.add(tx, kind="sms.send", case_id="c", payload=message)
    assert effect_id is not None
    await road.fault("sms", "*", "delay", times=2, seconds=0.3)
    await asyncio.gather(*(worker.deliver(road.context, "4101", effect_id) for _ in range(2)))
    async with road.db.read(JIA) as tx:
        [effect] = await effects.of_case(tx, "c")
    return {} if effect.attempts == 1 else {"sent by two at once": effect.attempts}


MUTANTS: dict[str, tuple[Plant, Callable[[Road], Awaitable[dict[str, object]]], set[str]]] = {
    "dual write": (dual_write, dying_while_handing_in, {"case_without_end"}),
    "ack before effect": (ack_before_effect, dying_while_delivering, {"case_without_end"}),
    "new key per retry": (new_key_per_retry, losing_answers, {"an effect twice"}),
    "out-of-order ignored": (
        out_of_order_ignored,
        disordered_callbacks,
        {"known there and not here", "paid off there and not here"},
    ),
    "no inbox": (no_inbox, disordered_callbacks, {"known there and not here", "paid off there and not here"}),
    "client key ignored": (client_key_ignored, tapping_twice, {"drafts of one tap"}),
    "missing lease": (missing_lease, two_workers, {"sent by two at once"}),
}


@pytest.mark.slow
@pytest.mark.parametrize("name", MUTANTS)
async def test_the_mutant_is_caught(road: Road, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    put, check, caught_by = MUTANTS[name]
    put(monkeypatch)
    assert caught_by <= set(await check(road))


@pytest.mark.slow
@pytest.mark.parametrize(
    "check", dict.fromkeys(check for _, check, _ in MUTANTS.values()), ids=lambda c: c.__name__
)
async def test_without_the_mutant_the_same_check_finds_nothing(
    road: Road, check: Callable[[Road], Awaitable[dict[str, object]]]
) -> None:
    assert await check(road) == {}
