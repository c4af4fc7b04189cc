"""A status is told once, by the first means that is allowed and works (A3-04, A3-09, N17)."""

from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from backend.core import clock
from backend.core.actor import everywhere, system
from backend.domains.applications.model import Application
from backend.domains.channels import grants, notices
from backend.flows import carry_notice, notify
from backend.jobs import worker
from tests.bot import people
from tests.bot.conftest import World, id_number, world

__all__ = ["id_number", "world"]

OPENID = "oZhangSan0001"
JIA = system("4101", "test")


async def bound_customer(world: World, id_number: str) -> str:
    """Bound, follows, and wrote something just now."""
    customer_id = await people.customer(world.db, id_number)
    phone = world.phone(OPENID)
    await phone.act(kind="subscribe")
    await phone.say("甲县")
    await people.bind(world.db, OPENID, customer_id)
    return customer_id


async def announce(world: World, application: Application) -> None:
    async with world.db.begin(JIA) as tx:
        await notify.announce(tx, application)


async def told(world: World) -> list[tuple[str, str]]:
    """(effect at the platform, key) of everything that went out about the case."""
    rows = world.ledger("wechat") + world.ledger("sms")
    return [(r["effect"], r["key"]) for r in rows if r["effect"].endswith(("message", "sent"))]


async def notice_of(world: World, application: Application) -> notices.Notice:
    async with world.db.begin(JIA) as tx:
        [found] = await notices.of_case(tx, application.id)
    return found


async def fault(world: World, **one: Any) -> None:
    answer = await world.sandbox.post("/control/faults", json=one)
    assert answer.status_code < 300, answer.text


async def allow_notice(world: World, times: int = 1) -> None:
    for _ in range(times):
        with clock.at(clock.now() + timedelta(seconds=_)):
            await world.phone(OPENID).grant(world.settings.wechat_progress_template)
            await world.settle()


LATER = timedelta(hours=49)


async def test_in_the_window_it_is_a_customer_service_message_and_only_that(
    world: World, id_number: str
) -> None:
    made = await people.application(world.db, await bound_customer(world, id_number), "approved")
    await announce(world, made)
    await announce(world, made)
    await worker.drain(world.context)
    [message] = await world.phone(OPENID).inbox("custom")
    assert made.application_no in message["body"]["content"]
    assert "额度 52,000 元，年化利率（单利）6.15%，年化综合融资成本 6." in message["body"]["content"]
    assert [effect for effect, _ in await told(world)] == ["custom_message"]
    assert (await notice_of(world, made)).means == "custom"


async def test_a_refusal_names_the_days_of_a_review_that_are_in_force(
    world: World, id_number: str, owner: asyncpg.Connection
) -> None:
    """D3-03: a dated parameter, never a number in a text."""
    sql = "update regulation.parameters set value = '2' where key = 'human_review.working_days' and enabled"
    assert await owner.execute(sql) == "UPDATE 1"
    made = await people.application(world.db, await bound_customer(world, id_number), "declined")
    await announce(world, made)
    await worker.drain(world.context)
    [message] = await world.phone(OPENID).inbox("custom")
    assert "人工复核，2 个工作日内答复" in message["body"]["content"]


async def test_after_the_window_it_is_a_subscription_notice_and_uses_the_grant(
    world: World, id_number: str
) -> None:
    made = await people.application(world.db, await bound_customer(world, id_number), "approved")
    await allow_notice(world)
    with clock.at(clock.now() + LATER):
        await announce(world, made)
        await worker.drain(world.context)
    [notice] = await world.phone(OPENID).inbox("subscription")
    assert notice["body"]["fields"]["phrase2"] == "已通过"
    assert [effect for effect, _ in await told(world)] == ["subscription_message"]
    async with world.db.read(everywhere("test")) as tx:
        assert await grants.left(tx, OPENID) == {}


async def test_without_a_grant_it_is_an_sms(world: World, id_number: str) -> None:
    made = await people.application(world.db, await bound_customer(world, id_number), "declined")
    with clock.at(clock.now() + LATER):
        await announce(world, made)
        await worker.drain(world.context)
    [sms] = (await world.sandbox.get(f"/control/sms/{people.PHONE}")).json()
    assert (sms["template"], made.application_no in sms["text"]) == ("application_declined", True)
    assert [effect for effect, _ in await told(world)] == ["sms_sent"]
    steps = [(s["means"], s["outcome"]) for s in (await notice_of(world, made)).steps]
    assert steps == [("custom", "window closed"), ("subscription", "no grant"), ("sms", "trying")]


async def test_a_window_the_platform_calls_closed_passes_on(world: World, id_number: str) -> None:
    made = await people.application(world.db, await bound_customer(world, id_number), "approved")
    await fault(
        world,
        system="wechat",
        operation="cgi-bin/message/custom/send",
        fault="errcode",
        args={"errcode": 45015},
    )
    await announce(world, made)
    await worker.drain(world.context)
    assert [effect for effect, _ in await told(world)] == ["sms_sent"]


async def test_who_has_left_the_account_is_told_by_sms(world: World, id_number: str) -> None:
    made = await people.application(world.db, await bound_customer(world, id_number), "approved")
    await world.phone(OPENID).act(kind="unsubscribe")
    await announce(world, made)
    await worker.drain(world.context)
    assert [effect for effect, _ in await told(world)] == ["sms_sent"]


async def test_a_grant_the_platform_has_forgotten_is_written_off_and_the_next_tried(
    world: World, id_number: str
) -> None:
    made = await people.application(world.db, await bound_customer(world, id_number), "approved")
    await allow_notice(world, times=2)
    await fault(
        world,
        system="wechat",
        operation="cgi-bin/message/subscribe/bizsend",
        fault="errcode",
        args={"errcode": 43101},
    )
    with clock.at(clock.now() + LATER):
        await announce(world, made)
        await worker.drain(world.context)
    assert [effect for effect, _ in await told(world)] == ["subscription_message"]
    async with world.db.read(everywhere("test")) as tx:
        assert await grants.left(tx, OPENID) == {}


async def test_an_unbound_account_hears_nothing_of_it(world: World, id_number: str) -> None:
    customer_id = await people.customer(world.db, id_number)
    phone = world.phone(OPENID)
    await phone.act(kind="subscribe")
    await phone.say("甲县")
    made = await people.application(world.db, customer_id, "approved")
    await announce(world, made)
    await worker.drain(world.context)
    assert [effect for effect, _ in await told(world)] == ["sms_sent"]
    assert await phone.inbox("custom") == []


async def drain_in_time(world: World, rounds: int = 6) -> None:
    """Deliver, letting the back-off of failed attempts pass."""
    moment = clock.now()
    for number in range(rounds):
        with clock.at(moment + timedelta(minutes=2 * number)):
            await worker.drain(world.context)


@pytest.mark.parametrize("when", ["drop_before", "drop_after"])
async def test_a_lost_answer_is_repeated_with_the_same_key_by_the_same_means(
    world: World, id_number: str, when: str
) -> None:
    made = await people.application(world.db, await bound_customer(world, id_number), "approved")
    await fault(world, system="wechat", operation="cgi-bin/message/custom/send", fault=when)
    await announce(world, made)
    await drain_in_time(world)
    assert await told(world) == [("custom_message", f"notice:{made.id}:approved:custom")]


@pytest.mark.parametrize("name", [carry_notice.TRYING, carry_notice.CARRIED])
async def test_a_crash_between_means_and_record_tells_nobody_twice(
    world: World, id_number: str, name: str
) -> None:
    from backend.core import failpoints

    made = await people.application(world.db, await bound_customer(world, id_number), "declined")
    await announce(world, made)
    failpoints.configure(f"{name}=error:1")
    try:
        await worker.drain(world.context)
    finally:
        failpoints.configure("")
    await drain_in_time(world)
    assert [effect for effect, _ in await told(world)] == ["custom_message"]
    assert (await notice_of(world, made)).sent_at is not None


async def test_what_is_no_longer_true_is_not_sent_late(world: World, id_number: str) -> None:
    from backend.domains.applications import service as applications

    made = await people.application(world.db, await bound_customer(world, id_number), "held")
    await announce(world, made)
    async with world.db.begin(JIA) as tx:
        await applications.move(tx, made, "deciding", "resume")
    await worker.drain(world.context)
    assert await told(world) == []
    assert (await notice_of(world, made)).ended_at is not None


async def test_what_may_have_arrived_is_not_repeated_once_it_is_no_longer_true(
    world: World, id_number: str
) -> None:
    from backend.domains.applications import service as applications

    made = await people.application(world.db, await bound_customer(world, id_number), "held")
    await announce(world, made)
    await fault(world, system="wechat", operation="cgi-bin/message/custom/send", fault="drop_before", times=1)
    await worker.drain(world.context)
    assert (await notice_of(world, made)).means == "custom"
    async with world.db.begin(JIA) as tx:
        await applications.move(tx, made, "deciding", "resume")
    await drain_in_time(world)
    assert await told(world) == []
    notice = await notice_of(world, made)
    assert (notice.sent_at, notice.ended_at is None) == (None, False)


async def test_a_passing_status_never_uses_up_a_grant(world: World, id_number: str) -> None:
    made = await people.application(world.db, await bound_customer(world, id_number), "submitted")
    await allow_notice(world)
    with clock.at(clock.now() + LATER):
        await announce(world, made)
        await worker.drain(world.context)
    assert await told(world) == []
    async with world.db.read(everywhere("test")) as tx:
        assert await grants.left(tx, OPENID) == {world.settings.wechat_progress_template: 1}


@pytest.mark.parametrize("status", sorted({*notify.TOLD, notify.ASKED_AGAIN}))
def test_every_status_told_has_a_sentence_and_a_phrase(status: str) -> None:
    from backend.domains.channels import texts

    values = {"offer": None, "outstanding": "", "reasons": [], "review_days": 3, "guarantors_missing": 0}
    text = texts.notice(status, number="260101000001", until="", url="http://x/my/1", **values)
    assert "260101000001" in text
    assert 0 < len(notify.PHRASES[status]) <= 5
    assert not any(word in text for word in ("恭喜", "优惠", "秒批", "立即", "点击"))


@pytest.mark.parametrize(("missing", "said"), [(0, "看完费用明示表"), (1, "还差 1 位保证人")])
def test_an_approval_names_the_guarantor_before_the_signing(missing: int, said: str) -> None:
    from backend.domains.channels import texts

    values = {"offer": None, "until": "", "url": "http://x/my/1", "guarantors_missing": missing}
    text = texts.notice("approved", number="260101000001", **values)
    assert said in text
    assert ("再到手机银行签约" in text) is (missing == 0)


async def test_a_receipt_of_the_sms_platform_is_kept(world: World, id_number: str) -> None:
    made = await people.application(world.db, await bound_customer(world, id_number), "declined")
    with clock.at(clock.now() + LATER):
        await announce(world, made)
        await worker.drain(world.context)
        await world.settle()
    async with world.db.begin(JIA) as tx:
        [message] = await tx.connection.fetch(
            "select * from channels.sms_messages where case_id = $1", made.id
        )
    assert (message["status"], message["receipt_at"] is not None) == ("delivered", True)


CUSTOM, BIZSEND = "cgi-bin/message/custom/send", "cgi-bin/message/subscribe/bizsend"


@pytest.mark.parametrize("errcode", [45015, 45047, 43004, 45009, 48001, 40003])
async def test_a_custom_message_the_platform_refuses_goes_on_to_the_notice(
    world: World, id_number: str, errcode: int
) -> None:
    made = await people.application(world.db, await bound_customer(world, id_number), "approved")
    await allow_notice(world)
    await fault(world, system="wechat", operation=CUSTOM, fault="errcode", args={"errcode": errcode})
    await announce(world, made)
    await worker.drain(world.context)
    assert [effect for effect, _ in await told(world)] == ["subscription_message"]


@pytest.mark.parametrize("errcode", [47003, 45009, 40037])
async def test_a_notice_the_platform_refuses_goes_on_to_the_sms_and_keeps_its_grant(
    world: World, id_number: str, errcode: int
) -> None:
    made = await people.application(world.db, await bound_customer(world, id_number), "approved")
    await allow_notice(world)
    await fault(world, system="wechat", operation=BIZSEND, fault="errcode", args={"errcode": errcode})
    with clock.at(clock.now() + LATER):
        await announce(world, made)
        await worker.drain(world.context)
    assert [effect for effect, _ in await told(world)] == ["sms_sent"]
    async with world.db.read(everywhere("test")) as tx:
        assert await grants.left(tx, OPENID) == {world.settings.wechat_progress_template: 1}


@pytest.mark.parametrize("errcode", [40001, 40014, 42001])
async def test_a_token_refused_once_is_renewed_and_the_message_goes_out_once(
    world: World, id_number: str, errcode: int
) -> None:
    made = await people.application(world.db, await bound_customer(world, id_number), "approved")
    await fault(world, system="wechat", operation=CUSTOM, fault="errcode", args={"errcode": errcode})
    await announce(world, made)
    await worker.drain(world.context)
    assert [effect for effect, _ in await told(world)] == ["custom_message"]


@pytest.mark.parametrize(("broken", "args"), [("errcode", {"errcode": 40001}), ("status", {"status": 429})])
async def test_a_platform_that_takes_nothing_is_given_up_for_the_sms(
    world: World, id_number: str, broken: str, args: dict[str, int]
) -> None:
    made = await people.application(world.db, await bound_customer(world, id_number), "approved")
    await allow_notice(world)
    await fault(world, system="wechat", operation="cgi-bin/message/*", fault=broken, times=99, args=args)
    await announce(world, made)
    await worker.drain(world.context)
    assert await told(world) == []  # a blip would pass by itself
    await drain_in_time(world, rounds=8)
    assert [effect for effect, _ in await told(world)] == ["sms_sent"]
    assert (await notice_of(world, made)).means == "sms"
    async with world.db.read(everywhere("test")) as tx:
        assert await grants.left(tx, OPENID) == {world.settings.wechat_progress_template: 1}


async def test_what_may_have_arrived_is_never_told_by_another_means(world: World, id_number: str) -> None:
    made = await people.application(world.db, await bound_customer(world, id_number), "approved")
    await fault(world, system="wechat", operation=CUSTOM, fault="drop_after")
    await announce(world, made)
    await worker.drain(world.context)
    await fault(world, system="wechat", operation=CUSTOM, fault="status", times=6, args={"status": 429})
    await drain_in_time(world, rounds=12)
    assert [effect for effect, _ in await told(world)] == ["custom_message"]
    assert (await notice_of(world, made)).means == "custom"


async def test_the_platforms_report_is_the_proof_that_a_notice_was_shown(
    world: World, id_number: str, owner: asyncpg.Connection
) -> None:
    made = await people.application(world.db, await bound_customer(world, id_number), "approved")
    await allow_notice(world)
    with clock.at(clock.now() + LATER):
        await announce(world, made)
        await worker.drain(world.context)
        await world.settle()
        await drain_in_time(world, rounds=2)
    row = await owner.fetchrow("select message_id, report, reported_at from channels.grants")
    assert (int(row["message_id"]) > 2**53, row["report"], row["reported_at"] is not None) == (
        True,
        "success",
        True,
    )
    assert [effect for effect, _ in await told(world)] == ["subscription_message"]


async def test_a_notice_that_was_not_shown_is_told_by_sms_once(world: World, id_number: str) -> None:
    made = await people.application(world.db, await bound_customer(world, id_number), "approved")
    await allow_notice(world)
    await fault(world, system="wechat", operation="report", fault="errcode", args={"errcode": 107001})
    with clock.at(clock.now() + LATER):
        await announce(world, made)
        await worker.drain(world.context)
        await world.settle()
        await drain_in_time(world, rounds=3)
    assert sorted(effect for effect, _ in await told(world)) == ["sms_sent", "subscription_message"]
    notice = await notice_of(world, made)
    assert (notice.means, notice.sent_at is not None) == ("sms", True)
    assert ("subscription", "report 107001") in {(s["means"], s["outcome"]) for s in notice.steps}


async def test_a_report_of_something_we_never_sent_changes_nothing(world: World, id_number: str) -> None:
    await bound_customer(world, id_number)
    one = {"TemplateId": "t", "MsgID": "23999", "ErrorCode": "1", "ErrorStatus": "system failed"}
    fields = {"Event": "subscribe_msg_sent_event", "SubscribeMsgSentEvent": {"List": one}}
    assert (await world.phone(OPENID).act(kind="event", fields=fields))["empty"]
    await drain_in_time(world, rounds=8)
    assert await told(world) == []


async def test_refusals_in_the_settings_void_what_is_left_and_give_nothing(
    world: World, id_number: str
) -> None:
    await bound_customer(world, id_number)
    template = world.settings.wechat_progress_template
    await allow_notice(world, times=2)
    for status, left in (("accept", {template: 2}), ("reject", {})):
        one = {"TemplateId": template, "SubscribeStatusString": status}
        fields = {"Event": "subscribe_msg_change_event", "SubscribeMsgChangeEvent": {"List": one}}
        assert (await world.phone(OPENID).act(kind="event", fields={**fields, "EventKey": status}))["empty"]
        async with world.db.read(everywhere("test")) as tx:
            assert await grants.left(tx, OPENID) == left


async def test_a_refusal_in_the_settings_counts_in_every_county_and_not_against_a_later_yes(
    world: World, id_number: str
) -> None:
    """The setting is the follower's, not the county's that serves them when they change it."""
    template, phone = world.settings.wechat_progress_template, world.phone(OPENID)
    async with world.db.begin(JIA) as tx:
        await grants.granted(tx, OPENID, template)
        await grants.granted(tx, OPENID, "another template")
        await grants.granted(tx, "oSomebodyElse", template)
    await phone.say("乙县")
    await allow_notice(world)
    one = {"TemplateId": template, "SubscribeStatusString": "reject"}
    await phone.act(
        kind="event",
        fields={"Event": "subscribe_msg_change_event", "SubscribeMsgChangeEvent": {"List": one}},
    )
    async with world.db.begin(JIA) as tx:
        await grants.granted(tx, OPENID, template)
    await worker.drain(world.context)
    async with world.db.read(everywhere("test")) as tx:
        assert await grants.left(tx, OPENID) == {"another template": 1, template: 1}
        assert await grants.left(tx, "oSomebodyElse") == {template: 1}
