"""What is asked in a villager's words is answered from the case or the product named, not with a text for everybody."""

from datetime import timedelta

import pytest

from backend.core import clock, money
from backend.core.actor import system
from backend.domains.loans import service as loans
from tests.bot import people
from tests.bot.conftest import World

OPENID = "oZhangSan0001"
LOAN = "JJ202611230001"


async def bound(world: World, id_number: str, status: str) -> str:
    customer_id = await people.customer(world.db, id_number)
    made = await people.application(world.db, customer_id, status)
    await people.bind(world.db, OPENID, customer_id)
    return made.application_no


@pytest.mark.parametrize("words", ["还款日是哪天", "这个月得还多少", "还款金额"])
async def test_day_and_amount_of_the_next_instalment_are_told(
    world: World, id_number: str, words: str
) -> None:
    await bound(world, id_number, "drawn")
    answer = await world.phone().say(words)
    due = money.add_months(clock.today(), 1)
    assert f"下一个还款日 {due.year}年{due.month}月{due.day}日" in answer
    assert "按计划还 1,722.71 元（本金 1,620.21 元，利息 102.50 元）" in answer
    assert "以手机银行“我的贷款”里的为准" in answer


async def test_who_is_late_is_told_since_when_and_no_amount_that_does_not_hold(
    world: World, id_number: str
) -> None:
    await bound(world, id_number, "drawn")
    with clock.at(clock.now() + timedelta(days=36)):
        answer = await world.phone().say("这个月得还多少")
    assert "过了还款日" in answer
    assert "天还没还，本金 1,620.21 元" in answer
    assert "下一个还款日" in answer
    assert "按计划还" not in answer


async def test_who_paid_ahead_is_told_no_amount_that_does_not_hold(world: World, id_number: str) -> None:
    await bound(world, id_number, "drawn")
    async with world.db.begin(system("4101", "test")) as tx:
        await loans.repay(
            tx, event_id="ahead", loan_no=LOAN, principal_fen=500_000, interest_fen=2_000,
            outstanding_fen=1_500_000, at=clock.now(),
        )  # fmt: skip
    answer = await world.phone().say("这个月得还多少")
    assert "还欠 15,000 元" in answer
    assert "按计划还" not in answer
    assert "还多少在手机银行里看" in answer


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("declined", "这次没能通过"),
        ("referred", "还在由人看，结果出来才有额度，最迟"),
        ("held", "还在审批，结果出来才有额度，最迟"),
        ("draft", "还没有填完"),
    ],
)
async def test_no_limit_is_explained_by_the_case(
    world: World, id_number: str, status: str, words: str
) -> None:
    number = await bound(world, id_number, status)
    answer = await world.phone().say("给俺批了几万")
    assert words in answer
    assert number in answer


async def test_a_line_that_was_paid_back_is_still_there_until_its_last_day(
    world: World, id_number: str
) -> None:
    await bound(world, id_number, "repaid")
    assert "还能用 52,000 元" in await world.phone().say("俺那个额度还剩多少")
    with clock.at(clock.now() + timedelta(days=900)):
        assert "没有可用的额度" in await world.phone().say("俺那个额度还剩多少")


async def test_who_finds_the_limit_too_small_is_shown_the_way_to_a_person(
    world: World, id_number: str
) -> None:
    number = await bound(world, id_number, "approved")
    phone = world.phone()
    assert "人工复核" not in await phone.say("额度")
    answer = await phone.say("为啥额度这么低")
    assert "申请人工复核" in answer
    assert f"/my/{number}" in answer


@pytest.mark.parametrize(
    ("words", "told", "untold"),
    [
        ("公积金贷", "连续缴存公积金满 12 个月", "随享贷"),
        ("公积金贷咋办", "带身份证到网点办", "随享贷"),
        ("花木贷要啥条件", "柳林花木贷：", "随享贷"),
        ("乡邻贷", "要 1 位保证人", "随享贷"),
        ("快捷贷利率多少", "快捷贷：上门核定", "随享贷"),
        ("信用贷", "金燕信用贷：", "豫农"),
        ("豫农信用贷", "豫农信用贷：", "金燕"),
        ("公司能贷款吗", "豫农信用贷：", "随享贷"),
        ("交公积金的能贷多少钱", "公积金贷：", "住房公积金中心"),
        ("公积金咋提取", "住房公积金中心", "随享贷"),
        ("能贷款买房吗", "不能拿去买房", "None"),
        ("有什么贷款", "还有", "None"),
        ("信用不好能贷款吗", "现在可以办", "None"),
    ],
)
async def test_a_product_that_is_named_is_the_one_told(
    world: World, words: str, told: str, untold: str
) -> None:
    phone = world.phone()
    await phone.say("甲县")
    answer = await phone.say(words)
    assert told in answer
    assert untold not in answer
    assert "年化综合融资成本" in answer


async def test_a_product_of_another_county_is_not_told_here(world: World) -> None:
    phone = world.phone()
    await phone.say("乙县")
    assert "柳林花木贷" not in await phone.say("花木贷")
