"""Not wanted any more, to be forgotten, to be served in person: what there is, and what happens if nothing is done."""

from datetime import timedelta

import pytest

from backend.core import clock
from backend.core.actor import system
from backend.domains.applications import service as applications
from backend.domains.channels import tickets
from backend.domains.channels.model import Ticket
from tests.bot import people
from tests.bot.conftest import World

OPENID = "oZhangSan0001"
JIA = system("4101", "test")

# status → what 取消申请 must say, and whether it leads to the page that takes the application back
WITHDRAWAL = {
    "draft": ("90 天后填过的内容自动删掉", "/p/4101/SXD"),
    "submitted": ("这会儿撤不了", ""),
    "deciding": ("这会儿撤不了", ""),
    "held": ("可以撤回", "/my/"),
    "referred": ("不签约就不算借钱", "/my/"),
    "approved": ("额度自动收回", "/my/"),
    "handed_off": ("额度自动收回", "/my/"),
    "signed": ("要撤销合同，在手机银行里办", ""),
    "drawn": ("可以提前还", ""),
    "repaid": ("没有正在办的申请", ""),
    "declined": ("没有正在办的申请", ""),
    "cancelled": ("没有正在办的申请", ""),
}


async def open_tickets(world: World, institution_id: str = "4101") -> list[Ticket]:
    async with world.db.begin(system(institution_id, "test")) as tx:
        return await tickets.list_open(tx)


@pytest.mark.parametrize("status", WITHDRAWAL)
async def test_who_does_not_want_it_any_more_is_led_to_what_there_is(
    world: World, id_number: str, status: str
) -> None:
    customer_id = await people.customer(world.db, id_number)
    made = await people.application(world.db, customer_id, status)
    await people.bind(world.db, OPENID, customer_id)
    answer = await world.phone().say("不想借了")
    told, path = WITHDRAWAL[status]
    assert told in answer
    assert ("可以撤回" in answer) is (path == "/my/")
    assert ("href" in answer) is bool(path)
    assert not path or f"{path}{made.application_no if path == '/my/' else ''}" in answer
    async with world.db.begin(JIA) as tx:
        assert (await applications.get(tx, made.id)).status == status, "words alone take nothing back"


@pytest.mark.parametrize("words", ["不等了", "取消申请", "算了不借了", "我申请的那笔撤了吧", "不贷了"])
async def test_before_binding_nobody_hears_of_an_application(
    world: World, id_number: str, words: str
) -> None:
    customer_id = await people.customer(world.db, id_number)
    made = await people.application(world.db, customer_id, "referred")
    phone = world.phone()
    await phone.say("甲县")
    answer = await phone.say(words)
    assert "没在手机银行签约，就不算借钱" in answer
    assert "/wechat/bind/" in answer
    assert made.application_no not in answer
    assert "随享贷" not in answer


@pytest.mark.parametrize(
    "words", ["删除我的信息", "把俺的资料都删掉", "我要注销", "不办了，把我的身份证照片删了"]
)
async def test_who_wants_to_be_forgotten_gets_a_number_and_plain_words(world: World, words: str) -> None:
    phone = world.phone()
    await phone.say("甲县")
    answer = await phone.say(words)
    [ticket] = await open_tickets(world)
    assert (ticket.kind, ticket.text) == ("erasure", words)
    assert ticket.ticket_no in answer
    for told in ("90 天后删掉", "再保存 10 年", "说“解绑”", "/wechat/bind/"):
        assert told in answer
    assert "还在办，最迟" in await phone.say("答复")
    assert f"已经补进单号 {ticket.ticket_no}" in await phone.say("手机号也别留着")
    assert len(await open_tickets(world)) == 1


async def test_a_bound_customers_wish_to_be_forgotten_knows_whose_it_is(world: World, id_number: str) -> None:
    customer_id = await people.customer(world.db, id_number)
    made = await people.application(world.db, customer_id, "declined")
    await people.bind(world.db, OPENID, customer_id)
    phone = world.phone()
    answer = await phone.say("征信上的记录能删掉吗")
    assert "征信报告上的记录，银行删不了" in answer
    assert f"/my/{made.application_no}/consents" in answer
    [ticket] = await open_tickets(world)
    assert (ticket.kind, ticket.customer_id) == ("erasure", customer_id)
    assert ticket.due_at > clock.now() + timedelta(days=14)


async def test_a_consent_is_taken_back_on_its_page_and_needs_nobody(world: World, id_number: str) -> None:
    customer_id = await people.customer(world.db, id_number)
    made = await people.application(world.db, customer_id, "referred")
    phone = world.phone()
    await phone.say("甲县")
    assert "授权随时可以收回" in await phone.say("我要收回授权")
    await people.bind(world.db, OPENID, customer_id)
    assert f"/my/{made.application_no}/consents" in await phone.say("我要收回授权")
    assert await open_tickets(world) == []


async def test_a_booking_that_is_told_in_pieces_is_one_ticket(world: World) -> None:
    phone = world.phone()
    await phone.say("甲县")
    assert "想哪一天、在哪个网点" in await phone.say("我想预约")
    assert "柳林支行" in await phone.say("网点在哪")
    assert "已经替您记下" in await phone.say("那就后天上午，柳林支行")
    assert "已经替您记下" in await phone.say("带着俺老伴")
    [ticket] = await open_tickets(world)
    assert ticket.kind == "human"
    for words in ("我想预约", "那就后天上午，柳林支行", "带着俺老伴"):
        assert f"预约办理：{words}" in ticket.text


async def test_who_wants_to_go_there_is_told_where(world: World) -> None:
    phone = world.phone()
    await phone.say("甲县")
    answer = await phone.say("去柜台办行不行")
    assert "柳林支行：淮中省甲县柳林镇" in answer
    assert "说“预约”加上哪一天" in answer
    assert await open_tickets(world) == []


@pytest.mark.parametrize("where", ["甲县", "我是甲县的", "柳林镇的", "俺们在甲县农商银行这边"])
async def test_what_waited_for_the_county_is_answered_whatever_came_between(world: World, where: str) -> None:
    phone = world.phone()
    assert "您在哪个县" in await phone.say("明天想去柜台办，行吗")
    assert "您在哪个县" in await phone.say("啊？")
    assert "您在哪个县" in await phone.say("嘟嘟囔囔")
    assert "已经替您记下" in await phone.say(where)
    [ticket] = await open_tickets(world)
    assert ticket.text == "预约办理：明天想去柜台办，行吗"


async def test_a_town_two_counties_have_names_none(world: World, owner) -> None:  # type: ignore[no-untyped-def]
    await owner.execute("insert into institutions.areas values ('4102', '柳林乡', '{}')")
    phone = world.phone()
    await phone.say("有什么贷款")
    assert "您在哪个县" in await phone.say("柳林的")
    assert "甲县农商银行现在可以办" in await phone.say("柳林镇的")


async def test_a_tap_on_the_menu_waits_for_the_county_too(world: World) -> None:
    phone = world.phone()
    asked = await phone.act(kind="click", key="products")
    assert "您在哪个县" in asked["reply"]["content"]
    assert "甲县农商银行现在可以办" in await phone.say("甲县")


async def test_who_names_the_county_they_are_bound_in_gets_what_they_asked_for(
    world: World, id_number: str
) -> None:
    customer_id = await people.customer(world.db, id_number)
    made = await people.application(world.db, customer_id, "referred")
    await people.bind(world.db, OPENID, customer_id)
    phone = world.phone()
    assert "/wechat/bind/" in await phone.say("乙县的进度")
    assert made.application_no in await phone.say("甲县")


async def test_what_follows_a_tap_on_complaint_is_in_the_ticket(world: World) -> None:
    phone = world.phone()
    await phone.say("甲县")
    await phone.act(kind="click", key="complaint")
    assert "已经补进单号 T" in await phone.say("那天他在我家院子里说了好些话")
    [ticket] = await open_tickets(world)
    assert ticket.text == "那天他在我家院子里说了好些话"


async def test_a_complaint_that_sounds_like_a_question_is_answered_and_kept(
    world: World, id_number: str
) -> None:
    customer_id = await people.customer(world.db, id_number)
    await people.application(world.db, customer_id, "drawn")
    await people.bind(world.db, OPENID, customer_id)
    phone = world.phone()
    await phone.say("投诉")
    answer = await phone.say("我的还款日明明是十五号，上月就记成晚了")
    [ticket] = await open_tickets(world)
    assert f"这句话也补进了单号 {ticket.ticket_no}" in answer
    assert "现在一共欠本金" in answer
    assert "上月就记成晚了" in ticket.text
    assert "补进" not in await phone.say("进度")


async def test_a_complaint_that_is_asked_after_is_the_one_there_was(world: World) -> None:
    phone = world.phone()
    await phone.say("甲县")
    number = (await phone.say("他收了我五百块钱")).split("单号 ")[1][:10]
    with clock.at(clock.now() + timedelta(days=3)):
        assert number in await phone.say("我投诉的事怎么样了")
        assert len(await open_tickets(world)) == 1
        other = await phone.say("今天又有人来要茶水费，我要投诉")
        assert number not in other
        assert "单号 T" in other
    texts = [ticket.text for ticket in await open_tickets(world)]
    assert any("他收了我五百块钱" in text for text in texts)
    assert any("今天又有人来要茶水费" in text for text in texts)


async def test_no_word_of_a_long_complaint_is_lost(world: World) -> None:
    phone = world.phone()
    await phone.say("甲县")
    said = [f"投诉{n}：" + "那天他在我家院子里说了好些话，" * 120 for n in range(4)]
    for words in said:
        assert "单号 T" in await phone.say(words)
    kept = "\n".join(ticket.text for ticket in await open_tickets(world))
    assert all(words in kept for words in said)


async def test_a_photograph_for_a_complaint_is_not_refused_as_an_id_card(world: World) -> None:
    phone = world.phone()
    await phone.say("甲县")
    assert "证件照片请在申请页面里拍" in (await phone.act(kind="image"))["reply"]["content"]
    await phone.say("他收了我五百块钱")
    assert "工作人员联系您时给他看" in (await phone.act(kind="image"))["reply"]["content"]


async def test_a_complaint_that_was_answered_is_told_to_who_asks_and_opened_anew_by_who_is_not_content(
    world: World,
) -> None:
    phone = world.phone()
    await phone.say("甲县")
    number = (await phone.say("他收了我五百块钱")).split("单号 ")[1][:10]
    async with world.db.begin(JIA) as tx:
        await tickets.answer(tx, number, "钱已经退给您，人已经停职")
    answer = await phone.say("我投诉的事怎么样了")
    assert "钱已经退给您" in answer
    assert await open_tickets(world) == []
    assert "单号 T" in await phone.say("投诉了也没人理我")
    assert len(await open_tickets(world)) == 1


async def test_who_proves_who_they_are_after_asking_is_known_to_whoever_answers(
    world: World, id_number: str
) -> None:
    customer_id = await people.customer(world.db, id_number)
    phone = world.phone()
    await phone.say("甲县")
    await phone.say("删除我的信息")
    assert [ticket.customer_id for ticket in await open_tickets(world)] == [None]
    await people.bind(world.db, OPENID, customer_id)
    assert [ticket.customer_id for ticket in await open_tickets(world)] == [customer_id]
