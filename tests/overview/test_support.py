"""The support desk sees everything of one account or case, masked, and leaves a trace (issue §8)."""

import msgspec
import pytest

from backend.core.actor import everywhere, system
from backend.domains.audit import service as audit
from backend.flows import notify
from backend.jobs import worker
from backend.overview import support
from tests.bot import people
from tests.bot.conftest import World, code_of, id_number, world

__all__ = ["id_number", "world"]

OPENID = "oZhangSan0001"
DESK = everywhere("inspect-test")


async def test_a_repeated_message_is_counted_once(world: World) -> None:
    phone = world.phone(OPENID)
    await phone.act(kind="text", content="进度", msg_id="23000000000000009", copies=3)
    await phone.act(kind="text", content="进度", msg_id="23000000000000009")
    assert (await support.look_up(world.db, DESK, OPENID)).messages == 1


async def test_account_and_number_lead_to_the_same_case(world: World, id_number: str) -> None:
    phone = world.phone(OPENID)
    await phone.act(kind="scan", scene=(await code_of(world.db, "朋友圈")).token)
    customer_id = await people.customer(world.db, id_number)
    await people.bind(world.db, OPENID, customer_id)
    made = await people.application(world.db, customer_id, "approved")
    async with world.db.begin(system("4101", "test")) as tx:
        await notify.announce(tx, made)
    await worker.drain(world.context)
    await phone.say("人工")
    for who in (OPENID, made.application_no):
        seen = await support.look_up(world.db, DESK, who)
        [effect] = [e for e in seen.effects if e.kind == notify.KIND]
        assert (effect.status, effect.attempts) == ("delivered", 1)
        assert [e.to_status for e in seen.events][-1] == "approved"
        assert (len(seen.leads), len(seen.bindings), len(seen.tickets)) == (1, 1, 1)
        assert [(n.about, n.means) for n in seen.notices] == [("approved", "custom")]
        assert [a.application_no for a in seen.applications] == [made.application_no]


async def test_nothing_is_shown_unmasked(world: World, id_number: str) -> None:
    customer_id = await people.customer(world.db, id_number)
    await people.bind(world.db, OPENID, customer_id)
    await people.application(world.db, customer_id, "drawn")
    shown = msgspec.json.encode(await support.look_up(world.db, DESK, OPENID)).decode()
    for secret in (id_number, people.PHONE, "张三", "柳林村", OPENID):
        assert secret not in shown


async def test_every_look_is_audited(world: World, id_number: str) -> None:
    customer_id = await people.customer(world.db, id_number)
    made = await people.application(world.db, customer_id, "approved")
    await support.look_up(world.db, DESK, made.application_no)
    async with world.db.begin(system("4101", "test")) as tx:
        entries = await audit.of(tx, made.application_no)
    assert ("support.inspect", "system:inspect-test") in {(e.action, e.actor) for e in entries}


async def test_nobody_is_said_to_be_nobody(world: World) -> None:
    with pytest.raises(support.NobodyFound):
        await support.look_up(world.db, DESK, "oNobodyAtAll")
