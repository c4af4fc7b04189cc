"""What the bot says is what the database says, at every status, masked, in the house's voice (A11-02)."""

import re
from datetime import timedelta
from pathlib import Path

import pytest

from backend.core import clock
from backend.core.actor import system
from backend.domains.applications import service as applications
from backend.domains.applications.model import APPLICATION
from backend.domains.reviews import service as reviews
from tests.bot import people
from tests.bot.conftest import World, code_of

OPENID = "oZhangSan0001"
JIA = system("4101", "test")
NEVER = (
    "秒批",
    "必过",
    "低门槛",
    "零成本",
    "恭喜",
    "系统异常",
    "系统繁忙",
    "点击",
    "优惠",
    "立即",
    "None",
    "True",
)
FIGURES = "额度 52,000 元，年化利率（单利）6.15%，年化综合融资成本 6.15%，期限 12 个月"
NO_LIMIT, NO_DEBT = "现在没有可用的额度", "现在没有要还的借款"

# status → what 进度, 额度 and 还款 must say
SAID: dict[str, tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]] = {
    "draft": (("填写中", "接着填", "/resume"), (NO_LIMIT, "还没有填完"), (NO_DEBT,)),
    "submitted": (("已提交", "正在看"), (NO_LIMIT,), (NO_DEBT,)),
    "deciding": (("审批中", "正在看"), (NO_LIMIT, "还在审批"), (NO_DEBT,)),
    "held": (("从今天", "连不上", "最迟", "不用再交一次"), (NO_LIMIT, "最迟"), (NO_DEBT,)),
    "referred": (("不是没通过，是从今天", "由审批人员在看", "最迟", "前答复您"), (NO_LIMIT,), (NO_DEBT,)),
    "declined": (("未通过", "申请人工复核，3 个工作日内答复您"), (NO_LIMIT, "没能通过"), (NO_DEBT,)),
    "approved": ((FIGURES, "看完费用明示表"), ("批了 52,000 元", "还没有签约"), (NO_DEBT,)),
    "handed_off": ((FIGURES, "登录手机银行签约"), ("批了 52,000 元", "还没有签约"), (NO_DEBT,)),
    "signed": ((FIGURES, "在手机银行用款"), ("已用 0 元，还能用 52,000 元",), (NO_DEBT,)),
    "drawn": (
        ("现在欠本金 20,000 元",),
        ("已用 20,000 元，还能用 32,000 元",),
        ("还欠 20,000 元", "尾号 0001", "下一个还款日", "按计划还 1,722.71 元"),
    ),
    "repaid": (
        ("已经全部还清",),
        ("额度 52,000 元", "已用 0 元，还能用 52,000 元"),
        (NO_DEBT, "都还清了"),
    ),
    "expired": (("额度已经收回", "没有产生费用", "“产品”"), (NO_LIMIT,), (NO_DEBT,)),
    "cancelled": (("已经撤销", "没有产生费用", "“产品”"), (NO_LIMIT,), (NO_DEBT,)),
}


def sound(text: str, *secrets: str) -> None:
    """Nothing of a person, none of the words the house never says, an end to every sentence."""
    for word in (*NEVER, *secrets, "张三", people.PHONE, "柳林村"):
        assert word not in text, (word, text)
    assert "{{" not in text
    assert not re.search(r"\n\n|。。|，。", text), text


def test_every_status_has_its_sentences() -> None:
    assert set(SAID) == set(APPLICATION.labels) - {"abandoned"}, (
        "say in SAID what the bot answers in this status"
    )


@pytest.mark.parametrize("status", sorted(SAID))
async def test_the_answers_of_a_status_are_true(world: World, id_number: str, status: str) -> None:
    customer_id = await people.customer(world.db, id_number)
    made = await people.application(world.db, customer_id, status)
    await people.bind(world.db, OPENID, customer_id)
    for topic, wanted in zip(("进度", "额度", "还款"), SAID[status], strict=True):
        text = await world.phone().say(topic)
        print(f"--- {status} {topic}\n{text}")
        sound(text, id_number)
        for words in wanted:
            assert words in text, (words, text)
        if topic == "进度":
            assert f"随享贷（申请 {made.application_no}）" in text


async def test_nothing_is_left_to_say_of_a_draft_given_up(world: World, id_number: str) -> None:
    customer_id = await people.customer(world.db, id_number)
    made = await people.application(world.db, customer_id, "draft")
    async with world.db.begin(JIA) as tx:
        await applications.move(tx, made, "abandoned", "given_up")
    await people.bind(world.db, OPENID, customer_id)
    assert "还没有申请" in await world.phone().say("进度")


async def test_a_promise_that_was_not_kept_is_not_repeated(world: World, id_number: str) -> None:
    customer_id = await people.customer(world.db, id_number)
    await people.application(world.db, customer_id, "referred")
    await people.bind(world.db, OPENID, customer_id)
    with clock.at(clock.now() + timedelta(days=4)):
        text = await world.phone().say("进度")
    assert "比答应您的时间晚了" in text
    assert "最迟" not in text


async def test_a_review_asked_for_is_told_with_its_day(world: World, id_number: str) -> None:
    customer_id = await people.customer(world.db, id_number)
    made = await people.application(world.db, customer_id, "declined")
    await people.bind(world.db, OPENID, customer_id)
    async with world.db.begin(JIA) as tx:
        due = clock.now() + timedelta(days=3)
        await reviews.open_review(tx, made.id, "requested", due_at=due, ground="other")
    text = await world.phone().say("进度")
    asked, until = clock.local(clock.now()), clock.local(due).date()
    assert f"您今天 {asked.hour}:{asked.minute:02d} 申请了人工复核，现在由审批人员在看" in text
    assert f"最迟 {until.year}年{until.month}月{until.day}日前答复您" in text
    assert "觉得不对" not in text
    with clock.at(due + timedelta(days=1)):
        late = await world.phone().say("进度")
    assert "人工复核比答应的时间晚了" in late
    assert "最迟" not in late


async def test_a_review_of_an_amount_is_told_as_one_of_a_refusal(world: World, id_number: str) -> None:
    customer_id = await people.customer(world.db, id_number)
    made = await people.application(world.db, customer_id, "approved")
    await people.bind(world.db, OPENID, customer_id)
    async with world.db.begin(JIA) as tx:
        due = clock.now() + timedelta(days=3)
        await reviews.open_review(tx, made.id, "requested", due_at=due, ground="other")
    assert "申请了人工复核，现在由审批人员在看" in await world.phone().say("进度")


async def test_since_when_a_person_looks_is_told_of_the_day_it_came_to_them(
    world: World, id_number: str
) -> None:
    customer_id = await people.customer(world.db, id_number)
    with clock.at(clock.now() - timedelta(days=1)):
        await people.application(world.db, customer_id, "referred")
    await people.bind(world.db, OPENID, customer_id)
    assert "从昨天" in await world.phone().say("人工看要看到啥时候")


async def test_the_newest_three_are_told_and_the_rest_is_counted(world: World, id_number: str) -> None:
    customer_id = await people.customer(world.db, id_number)
    made = [await people.application(world.db, customer_id, "cancelled") for _ in range(5)]
    await people.bind(world.db, OPENID, customer_id)
    text = await world.phone().say("进度")
    assert [m.application_no in text for m in made] == [False, False, True, True, True]
    assert "还有 2 笔更早的" in text


async def test_every_text_without_a_person_is_sound(world: World) -> None:
    phone, said = world.phone(), []
    said.append((await phone.act(kind="subscribe"))["reply"]["content"])
    said += [await phone.say(words) for words in ("进度", "甲县", "你好", "谢谢")]
    said += [await phone.say(words) for words in ("进度", "产品", "客户经理", "解绑", "转账给我")]
    said += [await phone.say(words) for words in ("人工", "人工", "投诉", "他收了我五百", "帮助")]
    for label in ("旧海报", "上月台卡", "朋友圈"):
        code = await code_of(world.db, label)
        answer = (await phone.act(kind="scan", scene=code.token))["reply"]
        said.append(answer.get("content") or answer["articles"][0]["description"])
    said += [await phone.say(words) for words in ("客户经理", "产品", "人工")]
    said.append((await phone.act(kind="image"))["reply"]["content"])
    for text in said:
        print(f"---\n{text}")
        sound(text)
        assert text.rstrip().endswith(("。", "…", "</a>")), text


async def test_every_product_link_opens(world: World) -> None:
    phone = world.phone()
    await phone.say("甲县")
    links = re.findall(r'href="([^"]+)"', await phone.say("有什么贷款"))
    assert len(links) == 4
    for link in links:
        assert (await world.web.get(link)).status_code == 200, link


def test_no_template_says_what_the_house_never_says() -> None:
    for path in Path("templates/bot").rglob("*"):
        if path.is_file():
            assert not [word for word in NEVER[:9] if word in path.read_text()], path
