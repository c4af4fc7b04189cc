"""Who was asked to answer for somebody, and who asked them: each hears what their own page shows, no more (A1-08)."""

from datetime import timedelta

import pytest

from backend.core import clock
from backend.core.actor import system
from backend.core.check_digits import id_number_check
from backend.domains.guarantees import service as guarantees
from tests.bot import people
from tests.bot.conftest import World

BORROWER, GUARANTOR = "oZhangSan0001", "oWangWu0001"
BODY = "41170119800307171"
WANG_WU = BODY + id_number_check(BODY)
SECRET = ("张三", "王五", people.PHONE, "13900001111", "柳林村")


async def wang_wu(world: World) -> str:
    return await people.customer(world.db, WANG_WU, phone="13900001111", name="王五")


@pytest.mark.parametrize(
    "words", ["我担保的那个怎么样了", "我是担保人", "我不想担保了", "他不还是不是找我还"]
)
async def test_a_guarantor_nobody_knows_is_told_how_to_read_and_whom_to_ask(
    world: World, id_number: str, words: str
) -> None:
    customer_id = await people.customer(world.db, id_number)
    made = await people.application(world.db, customer_id, "approved", product="XLD")
    await people.vouch(world.db, await people.asked(world.db, made), await wang_wu(world))
    phone = world.phone(GUARANTOR)
    await phone.say("甲县")
    answer = await phone.say(words)
    for told in ("点“不担保”", "承诺书", "银行可以直接找您还", "说“人工”", "0371-5550101", "/wechat/bind/"):
        assert told in answer
    for secret in (*SECRET, made.application_no, "52,000", "张*"):
        assert secret not in answer


async def test_a_bound_guarantor_hears_what_their_page_shows(world: World, id_number: str) -> None:
    customer_id, guarantor = await people.customer(world.db, id_number), await wang_wu(world)
    made = await people.application(world.db, customer_id, "approved", product="XLD")
    asked = await people.asked(world.db, made)
    await people.bind(world.db, GUARANTOR, guarantor)
    phone = world.phone(GUARANTOR)
    assert "没有查到您替别人做的担保" in await phone.say("我担保的那个怎么样了")
    await people.vouch(world.db, asked, guarantor)
    answer = await phone.say("我担保的那个怎么样了")
    until = asked.until_on
    assert f"您为 张* 担保，最高本金 52,000 元，最晚到 {until.year}年{until.month}月{until.day}日" in answer
    assert "/wechat/bind/" not in answer
    for secret in (*SECRET, made.application_no, "6.15%"):
        assert secret not in answer
    async with world.db.begin(system("4101", "test")) as tx:
        await guarantees.end(tx, await guarantees.get(tx, asked.id), "released", "case_ended")
    assert "已经解除，不用再负责" in await phone.say("我是担保人")


@pytest.mark.parametrize(("step", "told"), [("phone", False), ("liveness", True)])
async def test_who_only_had_their_card_shown_is_told_of_nobody(
    world: World, id_number: str, step: str, told: bool
) -> None:
    """Whoever holds a card may begin in its owner's name: before the phone is proved the borrower is not theirs to
    know, and after the link's day there is nothing to say of it."""
    customer_id, guarantor = await people.customer(world.db, id_number), await wang_wu(world)
    made = await people.application(world.db, customer_id, "approved", product="XLD")
    await people.vouch(world.db, await people.asked(world.db, made), guarantor, step=step)
    await people.bind(world.db, GUARANTOR, guarantor)
    assert ("张* 请您担保" in await world.phone(GUARANTOR).say("我是担保人")) is told
    with clock.at(clock.now() + timedelta(days=4)):
        assert "张*" not in await world.phone(GUARANTOR).say("我是担保人")


async def test_the_borrower_hears_how_far_the_guarantors_are(world: World, id_number: str) -> None:
    customer_id, guarantor = await people.customer(world.db, id_number), await wang_wu(world)
    made = await people.application(world.db, customer_id, "approved", product="XLD")
    phone = world.phone(BORROWER)
    await phone.say("甲县")
    assert "/wechat/bind/" in await phone.say("担保人确认了吗")
    await people.bind(world.db, BORROWER, customer_id)
    assert "还差 1 位" in await phone.say("担保人确认了吗")
    asked = await people.asked(world.db, made)
    answer = await phone.say("我的保证人弄好没有")
    assert "1. 今天" in answer
    assert "等保证人打开，" in answer
    assert f"/my/{made.application_no}/guarantors" in answer
    with clock.at(clock.now() + timedelta(days=4)):
        assert "链接已过期" in await phone.say("担保人确认了吗")
    await people.vouch(world.db, asked, guarantor)
    answer = await phone.say("担保人确认了吗")
    assert "保证人已确认" in answer
    assert "保证人齐了" in answer
    assert "王五" not in answer


@pytest.mark.parametrize(
    ("status", "product", "words"),
    [
        ("referred", "XLD", "批下来以后再请"),
        ("approved", "SXD", "都不要保证人"),
        ("declined", "XLD", "都不要保证人"),
    ],
)
async def test_the_borrower_hears_whether_anybody_is_wanted(
    world: World, id_number: str, status: str, product: str, words: str
) -> None:
    customer_id = await people.customer(world.db, id_number)
    await people.application(world.db, customer_id, status, product=product)
    await people.bind(world.db, BORROWER, customer_id)
    assert words in await world.phone(BORROWER).say("担保人确认了吗")


async def test_a_guarantee_nobody_gave_is_a_complaint(world: World) -> None:
    assert "单号 T" in await world.phone().say("我没给谁担保过咋说我是担保人")


async def test_the_county_asked_for_leads_back_to_the_guarantee(world: World) -> None:
    phone = world.phone(GUARANTOR)
    assert "您在哪个县" in await phone.say("我不想给他担保了")
    assert "点“不担保”" in await phone.say("甲县")


async def test_words_of_the_other_side_still_reach_what_the_person_means(
    world: World, id_number: str
) -> None:
    customer_id, guarantor = await people.customer(world.db, id_number), await wang_wu(world)
    made = await people.application(world.db, customer_id, "approved", product="XLD")
    asked = await people.asked(world.db, made)
    await people.bind(world.db, BORROWER, customer_id)
    assert "等保证人打开" in await world.phone(BORROWER).say("担保那边咋还没动静")
    await people.vouch(world.db, asked, guarantor)
    await people.bind(world.db, GUARANTOR, guarantor)
    assert "您为 张* 担保" in await world.phone(GUARANTOR).say("我的担保人确认了吗")
    assert "您为 张* 担保" in await world.phone(GUARANTOR).say("我是担保人")


async def test_who_says_that_they_answer_for_somebody_is_not_told_of_their_own_case(
    world: World, id_number: str
) -> None:
    customer_id = await people.customer(world.db, id_number)
    await people.application(world.db, customer_id, "approved", product="XLD")
    await people.bind(world.db, BORROWER, customer_id)
    answer = await world.phone(BORROWER).say("我给人家做了担保咋退")
    assert "没有查到您替别人做的担保" in answer
    assert "乡邻贷" not in answer


async def test_the_progress_of_an_approved_case_says_who_is_still_missing(
    world: World, id_number: str
) -> None:
    customer_id, guarantor = await people.customer(world.db, id_number), await wang_wu(world)
    made = await people.application(world.db, customer_id, "approved", product="XLD")
    await people.bind(world.db, BORROWER, customer_id)
    assert "还差 1 位保证人" in await world.phone(BORROWER).say("进度")
    await people.vouch(world.db, await people.asked(world.db, made), guarantor)
    answer = await world.phone(BORROWER).say("进度")
    assert "位保证人" not in answer
    assert "下一步：点下面看完费用明示表" in answer
