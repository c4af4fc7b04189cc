"""Edge cases of the road through the door: each has an answer in the house's words, and keeps its promise.

Drafts begin at the step a test is about (`Studio.draft_at`); the photographs have tests of their own.
"""

import asyncio
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlparse

import asyncpg
import httpx
import pytest
from msgspec.structs import replace

from backend.core import clock, ids
from backend.core.actor import system
from backend.core.check_digits import id_number_check
from backend.domains.applications.declarations import UNLISTED
from backend.domains.campaigns import service as campaigns
from backend.domains.customers import consents
from backend.domains.customers import service as customers
from backend.domains.customers.consent_texts import Purpose
from backend.domains.products import service as products
from backend.flows import decide_application, expire_offers, give_up_drafts, resume_held
from backend.sandbox import specimens
from backend.sandbox.forms import Form
from backend.sandbox.specimens.people import Person
from tests.h5.customer.conftest import Phone, Studio, photograph

JIA, YI = system("4101", "test"), system("4102", "test")


async def known(studio: Studio, person: Person, preset: str = "good", **more: Any) -> None:
    body = {"name": person.name, "preset": preset, "phone": "match", **more}
    reply = await studio.control.put(f"/control/people/{person.id_number}", json=body)
    assert reply.status_code < 300, reply.text


def born(person: Person, on: date) -> Person:
    """The same person with another birthday, on the card and in the number."""
    body = f"{person.id_number[:6]}{on:%Y%m%d}{person.id_number[14:17]}"
    return replace(
        person, born_on=on, id_number=body + id_number_check(body), valid_from=on + timedelta(days=400)
    )


@pytest.mark.parametrize(
    "years, words",
    [(10, "这是小朋友的身份证"), (15, "还没到 18 周岁")],
)
async def test_a_child_and_a_minor_are_stopped_and_forgotten(
    studio: Studio, phone: Phone, zhang: Person, years: int, words: str
) -> None:
    """D3-05 under 14, D6-02 under 18: at the photograph, or at the number when it was read in doubt."""
    young = born(zhang, clock.today() - timedelta(days=366 * years))
    await phone.start()
    stopped = await phone.send(phone.page.form("/apply/identity/front"), image=photograph(young, "front"))
    if stopped.status_code != 409:
        await phone.send(phone.page.form("/apply/identity/back"), image=photograph(young, "back"))
        stopped = await phone.confirm(young)
    assert stopped.status_code == 409
    assert words in phone.words
    assert studio.images() == []
    [application] = await studio.all_applications()
    assert (application.status, application.customer_id, application.openid) == ("abandoned", None, None)
    async with studio.context.db.read(JIA) as tx:
        assert await customers.find_by_id_number(tx, young.id_number) is None


async def test_a_card_that_ran_out_years_ago_has_the_same_answer(
    studio: Studio, phone: Phone, zhang: Person
) -> None:
    """The rule of today says how long a draft is kept, not the rule of the day the card ran out."""
    old = replace(zhang, valid_from=date(2009, 3, 8), valid_until=date(2019, 3, 8))
    await phone.start()
    await phone.photograph(old)
    stopped = await phone.confirm(old)
    assert stopped.status_code == 409
    assert "2019年3月8日到期" in phone.words
    assert "/apply/identity" in phone.page.links


async def test_a_card_that_runs_out_while_the_draft_lies_is_photographed_anew_and_nothing_else_is_lost(
    studio: Studio, phone: Phone, zhang: Person
) -> None:
    soon = replace(zhang, valid_until=clock.today() + timedelta(days=1))
    await studio.draft_at(phone, "details", soon)
    await phone.get("/apply/details")
    with clock.at(clock.now() + timedelta(days=3)):
        stopped = await phone.hand_in(income="80k_120k", amount="30000")
        assert stopped.status_code == 409
        assert "身份证到期了" in phone.words
        await phone.get("/apply/identity")
        assert "拍一下身份证" in phone.words
        [application] = await studio.all_applications()
    assert (application.status, application.step, application.liveness) == ("draft", "identity", "none")
    assert application.declared.amount_fen == 3_000_000


async def test_two_sides_of_two_cards_are_noticed_and_taken_again(
    studio: Studio, phone: Phone, zhang: Person
) -> None:
    neighbour = specimens.person(79, county="411702")
    await phone.start()
    for side, whose in (("front", zhang), ("back", neighbour)):
        form = phone.page.form(f"/apply/identity/{side}")
        await phone.send(form, image=photograph(whose, side))
    stopped = await phone.send(phone.page.form("/apply/identity/confirm"))
    assert stopped.status_code == 409, phone.words
    assert "签发机关是乙县的，住址在甲县，对不上" in phone.words
    assert "两面不是同一张证" in phone.words
    await phone.get("/apply/identity")
    assert "/apply/identity/confirm" not in phone.reply.text, "nothing of the old pictures is shown"
    assert studio.images() == []
    await phone.photograph(zhang)
    await phone.confirm(zhang)
    assert phone.path == "/apply/phone"


async def test_who_lives_outside_the_union_is_told_where_to_go(
    studio: Studio, phone: Phone, zhang: Person
) -> None:
    """D1-12: another province; nothing is kept."""
    body = "110105" + zhang.id_number[6:17]
    far = replace(
        zhang,
        id_number=body + id_number_check(body),
        address="北京市朝阳区幸福路 8 号",
        authority="北京市公安局朝阳分局",
    )
    await phone.start()
    await phone.photograph(far)
    stopped = await phone.confirm(far)
    assert stopped.status_code == 409
    assert "不在甲县、乙县、丙县" in phone.words
    assert "居住证" in phone.words
    assert studio.images() == []
    async with studio.context.db.read(JIA) as tx:
        assert await customers.find_by_id_number(tx, far.id_number) is None


async def test_a_student_the_register_knows_is_declined_with_the_other_way(
    studio: Studio, phone: Phone, zhang: Person
) -> None:
    """D6-01: not only the person's own word counts."""
    await known(studio, zhang, profile={"student_signal": True})
    await studio.draft_at(phone, "details", zhang)
    await phone.get("/apply/details")
    await phone.hand_in(income="80k_120k", amount="30000")
    await studio.drain()
    await phone.get(phone.path)
    assert "在校学生现在不能办" in phone.words
    assert "助学贷款" in phone.words


async def test_a_phone_the_carrier_knows_under_another_name_is_declined_in_words(
    studio: Studio, phone: Phone, zhang: Person
) -> None:
    await known(studio, zhang, phone="mismatch")
    await studio.draft_at(phone, "details", zhang)
    await phone.get("/apply/details")
    await phone.hand_in(income="80k_120k", amount="30000")
    await studio.drain()
    await phone.get(phone.path)
    assert "这个手机号不是您本人办的" in phone.words
    assert "换成您本人名下的手机号再来" in phone.words
    assert await studio.ledger("credit_bureau") == [], "a report about a doubtful person is not asked for"


async def test_an_application_open_in_another_county_is_named_and_goes_first(
    studio: Studio, phone: Phone, zhang: Person
) -> None:
    """Registered in 甲县, living in 乙县: two counties serve this person, one at a time."""
    both = replace(zhang, address=f"河南省乙县青石镇石桥村{zhang.address[-4:]}", authority="乙县公安局")
    await known(studio, both, preset="no_income")
    other = studio.phone()
    await studio.draft_at(other, "details", both, institution="4102")
    await other.get("/apply/details")
    await other.hand_in()
    await studio.drain()
    await phone.start()
    await phone.photograph(both)
    stopped = await phone.confirm(both)
    assert stopped.status_code == 409
    assert "您在乙县有一笔正在办" in phone.words
    assert "/resume" in phone.page.links
    assert studio.images() == []


async def test_what_one_county_promised_counts_in_the_other(
    studio: Studio, phone: Phone, zhang: Person
) -> None:
    """D1-01 caps the person's total, not each county's share; also when both drafts were begun before."""
    rich = {"core_payroll_average": 5_000_000, "core_deposit_average_6m": 200_000_000,
            "core_inflow_12m": 60_000_000, "bureau_internet_consumer_credit": 8_000_000}  # fmt: skip
    both = replace(zhang, address="河南省乙县青石镇石桥村8号", authority="乙县公安局")
    await known(studio, both, profile=rich)
    one, two = phone, studio.phone()
    await studio.draft_at(one, "details", both)
    await studio.draft_at(two, "details", both, institution="4102")
    for each in (one, two):
        await each.get("/apply/details")
        await each.hand_in(income="over_200k", amount="200000")
    await studio.drain()
    with clock.at(clock.now() + timedelta(minutes=2)):
        await studio.drain()
    promised = 0
    for actor in (JIA, YI):
        async with studio.context.db.read(actor) as tx:
            promised += await tx.connection.fetchval(
                "select coalesce(sum(limit_amount), 0) from contracts.contracts where status in ('draft', 'ready')"
            )
    assert 0 < promised <= 120_000, "80,000 of the 200,000 is lent elsewhere already"


async def test_a_code_older_than_the_rule_says_is_worth_nothing(
    studio: Studio, phone: Phone, zhang: Person
) -> None:
    await studio.draft_at(phone, "phone", zhang)
    await phone.get("/apply/phone")
    code = await phone.code(zhang.phone)
    with clock.at(clock.now() + timedelta(seconds=301)):
        late = await phone.send(
            phone.page.form("/apply/consents"), phone=zhang.phone, code=code, **phone.ticks()
        )
    assert late.status_code == 422
    assert "点“再发一次”要个新的" in phone.words


async def test_who_never_asked_for_a_code_is_not_told_that_one_was_sent(
    studio: Studio, phone: Phone, zhang: Person
) -> None:
    await studio.draft_at(phone, "phone", zhang)
    await phone.get("/apply/phone")
    form = phone.page.form("/apply/consents")
    await phone.send(form, phone=zhang.phone, code="123456", **phone.ticks())
    assert (phone.reply.status_code, "验证码已发到" in phone.words) == (422, False)
    assert "还没有要过验证码" in phone.words
    assert ">发验证码</button>" in phone.reply.text
    await phone.code(zhang.phone)
    await phone.send(phone.page.form("/apply/consents"), phone=zhang.phone, code="000000", **phone.ticks())
    assert "验证码已发到" in phone.words


async def test_asking_again_within_the_minute_says_that_nothing_was_sent_and_how_long_to_wait(
    studio: Studio, phone: Phone, zhang: Person
) -> None:
    await studio.draft_at(phone, "phone", zhang)
    await phone.get("/apply/phone")
    await phone.code(zhang.phone)
    assert "这次没有再发" not in phone.words
    await phone.code(zhang.phone)
    assert "这次没有再发" in phone.words
    assert "秒再点" in phone.words


async def test_too_many_codes_are_refused_with_the_time_to_come_back(
    studio: Studio, phone: Phone, zhang: Person
) -> None:
    await studio.draft_at(phone, "phone", zhang)
    await phone.get("/apply/phone")
    now = (clock.now() + timedelta(hours=1)).replace(minute=5)  # the hour of the rule is the clock's
    for minute in range(5):
        with clock.at(now + timedelta(minutes=2 * minute)):
            form = phone.page.form("/apply/consents")
            await phone.send(Form("/apply/phone", "post", form.values), phone=zhang.phone)
    with clock.at(now + timedelta(minutes=10)):
        form = phone.page.form("/apply/consents")
        refused = await phone.send(Form("/apply/phone", "post", form.values), phone=zhang.phone)
    assert refused.status_code == 429
    assert "验证码太多了，请过" in phone.words


async def test_a_lost_cookie_leads_to_the_page_that_finds_the_application(
    studio: Studio, phone: Phone, zhang: Person
) -> None:
    await studio.draft_at(phone, "details", zhang)
    await phone.get("/apply/details")
    form = phone.page.form("/apply/submit")
    phone.http.cookies = httpx.Cookies()
    lost = await phone.send(form, purpose="appliance", income="80k_120k", amount="30000")
    assert lost.status_code == 403
    assert "/resume" in phone.page.links
    await phone.get("/apply/details")
    assert phone.path == "/resume"
    assert zhang.name not in phone.reply.text
    with clock.at(clock.now() + timedelta(seconds=61)):
        code = await phone.code(zhang.phone, "/resume")
        await phone.send(phone.page.form("/resume"), phone=zhang.phone, code=code)
    assert phone.path == "/apply/details", phone.words


async def test_a_session_that_ended_in_the_middle_costs_nothing_but_a_code(
    studio: Studio, phone: Phone, zhang: Person, owner: asyncpg.Connection
) -> None:
    await studio.draft_at(phone, "details", zhang)
    await phone.get("/apply/details")
    form = phone.page.form("/apply/submit")
    await owner.execute("update identity.customer_sessions set expires_at = now() - interval '1 second'")
    ended = await phone.send(form, income="80k_120k", amount="30000")
    assert (ended.status_code, phone.path) == (200, "/resume")
    [application] = await studio.all_applications()
    assert (application.status, application.step) == ("draft", "details")


async def test_two_phones_at_once_on_one_application_end_with_one_of_them(
    studio: Studio, phone: Phone, zhang: Person
) -> None:
    await studio.draft_at(phone, "details", zhang)
    await phone.get("/apply/details")
    mine = phone.page.form("/apply/submit")
    other = studio.phone()
    await other.get("/resume")
    with clock.at(clock.now() + timedelta(seconds=61)):
        code = await other.code(zhang.phone, "/resume")
        await other.send(other.page.form("/resume"), phone=zhang.phone, code=code)
    assert other.path == "/apply/details"
    theirs = other.page.form("/apply/submit")
    given = {"purpose": "appliance", "income": "80k_120k", "amount": "30000",
             "village": theirs.first_choice("village")}  # fmt: skip
    await asyncio.gather(phone.send(mine, **given), other.send(theirs, **given))
    [application] = await studio.all_applications()
    assert other.path == f"/my/{application.application_no}"
    # One phone at a time: the first one is led away, or to what the same person's second one has handed in by then.
    assert phone.path in {"/resume", other.path}
    assert application.status == "submitted"


async def test_the_back_button_never_undoes_a_step(studio: Studio, phone: Phone, zhang: Person) -> None:
    await known(studio, zhang, preset="no_income")
    await studio.draft_at(phone, "details", zhang)
    for behind in ("/apply/identity", "/apply/phone", "/apply/liveness"):
        await phone.get(behind)
        assert phone.path == "/apply/details"
    old = phone.page.form("/apply/submit")
    await phone.hand_in()
    number = phone.path
    await phone.get("/apply/details")
    assert phone.path == number, "what is handed in is not filled in again"
    changed = await phone.send(old, purpose="travel", income="80k_120k", amount="50000")
    assert (changed.status_code, "已经提交过一次" in phone.words) == (422, True)
    await phone.get(next(path for path in phone.page.links if path == "/apply/details"))
    assert phone.path == number
    [application] = await studio.all_applications()
    assert application.amount_fen != 5_000_000


@pytest.mark.parametrize("outcome, words", [("failed", "没看清"), ("cancelled", "您退出了人脸核对")])
async def test_a_face_check_that_did_not_pass_is_told_and_tried_again(
    studio: Studio, phone: Phone, zhang: Person, outcome: str, words: str
) -> None:
    await studio.draft_at(phone, "liveness", zhang)
    await phone.get("/apply/liveness")
    await phone.face(outcome)
    assert words in phone.words
    assert "/apply/liveness/other-way" in phone.page.links
    await phone.face("passed")
    assert phone.path == "/apply/details"


async def test_a_face_check_left_alone_has_run_out_and_is_begun_again(
    studio: Studio, phone: Phone, zhang: Person
) -> None:
    await studio.draft_at(phone, "liveness", zhang)
    await phone.get("/apply/liveness")
    await phone.send(phone.page.form("/apply/liveness"), **phone.ticks("/apply/liveness"))
    session = urlparse(phone.reply.headers["location"]).path.rsplit("/", 1)[-1]
    with clock.at(clock.now() + timedelta(minutes=20)):
        await phone.get(f"/apply/liveness/back?liveness_session={session}")
        assert "隔的时间太久了" in phone.words
        await phone.face("passed")
    assert phone.path == "/apply/details"


async def test_a_face_that_is_not_the_cards_does_not_pass(
    studio: Studio, phone: Phone, zhang: Person
) -> None:
    await known(studio, zhang, face="mismatch")
    await studio.draft_at(phone, "liveness", zhang)
    await phone.get("/apply/liveness")
    await phone.face("passed")
    assert "没对上" in phone.words
    [application] = await studio.all_applications()
    assert application.liveness == "none"


async def test_a_provider_that_goes_down_after_the_face_loses_nothing(
    studio: Studio, phone: Phone, zhang: Person
) -> None:
    await studio.draft_at(phone, "liveness", zhang)
    await phone.get("/apply/liveness")
    await studio.fault("liveness", "results", "status", times=20, status=503)
    await phone.face("passed")
    assert phone.reply.status_code == 503
    assert "暂时连不上，您填的都在" in phone.words
    back = str(phone.reply.request.url.raw_path.decode())
    await studio.control.delete("/control/faults")
    await phone.get(back)
    assert phone.path == "/apply/details"


async def test_after_eight_tries_the_other_way_is_shown(studio: Studio, phone: Phone, zhang: Person) -> None:
    await studio.draft_at(phone, "liveness", zhang)
    await phone.get("/apply/liveness")
    for _ in range(8):
        await phone.face("failed")
    await phone.send(phone.page.form("/apply/liveness"), **phone.ticks("/apply/liveness"))
    assert phone.reply.status_code == 429
    assert "今天试的次数多了" in phone.words
    assert "/apply/liveness/other-way" in phone.page.links


async def test_a_consent_that_ran_out_while_the_draft_lay_is_asked_for_again_alone(
    studio: Studio, phone: Phone, zhang: Person
) -> None:
    """D3-09: thirty days for the bureau, ninety for the draft."""
    await known(studio, zhang)
    await studio.draft_at(phone, "details", zhang)
    with clock.at(clock.now() + timedelta(days=40)):
        await phone.get("/apply/details")
        assert phone.path == "/apply/renewal"
        assert phone.ticks("/apply/renewal").keys() == {"consent_bureau_query"}
        assert "checked" not in phone.reply.text
        unticked = await phone.send(phone.page.form("/apply/renewal"))
        assert unticked.status_code == 422
        await phone.send(phone.page.form("/apply/renewal"), **phone.ticks("/apply/renewal"))
        assert phone.path == "/apply/details"
        await phone.hand_in(income="80k_120k", amount="30000")
        await studio.drain()
        await phone.get(phone.path)
        assert "额度批下来了" in phone.words
    [query] = await studio.ledger("credit_bureau")
    assert query["effect"] == "report_queried"


async def test_a_consent_taken_back_on_the_page_stops_the_road_until_it_is_given_again(
    studio: Studio, phone: Phone, zhang: Person
) -> None:
    """D3-01: as easy as giving; a second tap changes nothing."""
    number = await studio.draft_at(phone, "details", zhang)
    await phone.get("/apply/details")
    form = phone.page.form("/apply/submit")
    await phone.get(f"/my/{number}/consents")
    taking_back = phone.page.form("/bureau_query/withdraw")
    for _ in range(2):
        await phone.send(taking_back)
        assert "已收回" in phone.words
    await phone.send(form, purpose="appliance", income="80k_120k", amount="30000",
                     village=form.first_choice("village"))  # fmt: skip
    assert phone.path == "/apply/renewal"
    [application] = await studio.all_applications()
    assert application.status == "draft"


async def test_who_wants_no_reminder_of_due_dates_says_so_with_one_tap_and_takes_it_back_with_another(
    studio: Studio, phone: Phone, zhang: Person
) -> None:
    """N17."""
    number = await studio.draft_at(phone, "details", zhang)
    await phone.get(f"/my/{number}/consents")
    assert "每个还款日前 3 天" in phone.words
    await phone.send(phone.page.form("/reminders"))
    assert (phone.path, "已关掉" in phone.words) == (f"/my/{number}/consents", True)
    await phone.send(phone.page.form("/reminders"))
    assert "每个还款日前 3 天" in phone.words


async def test_a_text_that_changed_between_reading_and_ticking_is_read_again(
    studio: Studio, phone: Phone, zhang: Person
) -> None:
    """The very words agreed to are kept by their hash (D3-01)."""
    await studio.draft_at(phone, "phone", zhang)
    await phone.get("/apply/phone")
    code = await phone.code(zhang.phone)
    old = phone.ticks() | {"consent_bureau_query": "0"}
    refused = await phone.send(phone.page.form("/apply/consents"), phone=zhang.phone, code=code, **old)
    assert refused.status_code == 422
    assert "授权书刚刚更新了" in phone.words
    await phone.send(phone.page.form("/apply/consents"), phone=zhang.phone, code=code, **phone.ticks())
    async with studio.context.db.read(JIA) as tx:
        customer_id = await customers.find_by_id_number(tx, zhang.id_number)
        given = await consents.given(tx, customer_id or "")
        texts = {c.purpose: await consents.text_of(tx, c) for c in given}
    assert {c.purpose for c in given} >= {Purpose.BUREAU_QUERY, Purpose.IDENTITY_CHECK}
    assert all(c.text_sha256 == texts[c.purpose].sha256 for c in given)
    assert len({c.recipient for c in given}) >= 3, "one consent per recipient (D3-02)"


@pytest.mark.parametrize(
    "amount, words",
    [("100", "可以借 1,000 元到 200,000 元"), ("300000", "可以借"), ("31500", "请填整千元"), ("abc", "可以借"),
     ("9" * 30, "可以借"), ("-5", "可以借")],
)  # fmt: skip
async def test_an_amount_outside_the_product_is_answered_in_place(
    studio: Studio, phone: Phone, zhang: Person, amount: str, words: str
) -> None:
    await studio.draft_at(phone, "details", zhang)
    await phone.get("/apply/details")
    refused = await phone.hand_in(income="80k_120k", amount=amount)
    assert refused.status_code == 422
    assert words in phone.words
    [application] = await studio.all_applications()
    assert application.status == "draft"


async def test_an_amount_on_no_chip_is_typed_within_the_products_limits_and_kept(
    studio: Studio, phone: Phone, zhang: Person
) -> None:
    await studio.draft_at(phone, "details", zhang)
    await phone.get("/apply/details")
    for amount, typed, words in (
        ("other", "45500", "请填整千元"),
        ("other", "45", "可以借 1,000 元到 200,000 元"),
        ("other", "", "可以借 1,000 元到 200,000 元"),
        ("30000", "45000", "点的和填的不是一个数"),
    ):
        refused = await phone.hand_in(income="80k_120k", amount=amount, amount_other=typed)
        assert refused.status_code == 422
        assert words in phone.words
    await phone.send(Form("/apply/details", "post", phone.page.form("/apply/submit").values | {"form_key": ids.new()}),
                     amount="other", amount_other="45,000", follow=False)  # fmt: skip
    await phone.get("/apply/details")
    form = phone.page.form("/apply/submit")
    assert (form.values["amount"], form.values["amount_other"]) == ("other", "45000")
    await phone.hand_in(income="80k_120k")
    [application] = await studio.all_applications()
    assert (application.status, application.declared.amount_fen) == ("submitted", 4_500_000)


async def test_whose_village_is_not_in_the_list_is_looked_at_by_a_person(
    studio: Studio, phone: Phone, zhang: Person
) -> None:
    await studio.control.put(
        f"/control/people/{zhang.id_number}", json={"name": zhang.name, "preset": "good", "phone": "match"}
    )
    await studio.draft_at(phone, "details", zhang)
    await phone.get("/apply/details")
    assert "不在上面" in phone.reply.text
    await phone.hand_in(income="80k_120k", amount="30000", village=UNLISTED)
    await studio.drain()
    [application] = await studio.all_applications()
    assert (application.status, application.declared.village) == ("referred", UNLISTED)
    await phone.get(phone.path)
    assert "您住的地方，要由工作人员核对" in phone.words
    assert "对不上" not in phone.words, "nobody typed over the card"


async def test_a_village_the_county_does_not_have_is_asked_for_again_in_place(
    studio: Studio, phone: Phone, zhang: Person
) -> None:
    """A page's list is no check: what is posted is held against the county's own villages (A3-06, D1-12)."""
    await studio.draft_at(phone, "details", zhang)
    await phone.get("/apply/details")
    kept = phone.page.form("/apply/submit")
    for foreign in ("乙镇 没有的村", "柳林镇", "柳林村 柳林镇"):
        values = kept.values | {"form_key": ids.new(), "village": foreign}
        await phone.send(Form("/apply/details", "post", values), follow=False)
        [application] = await studio.all_applications()
        assert (application.declared.town, application.declared.village) == ("", "")
        refused = await phone.send(
            kept, income="80k_120k", amount="30000", village=foreign, purpose="appliance"
        )
        assert refused.status_code == 422
        assert "请从名单里选您住在哪个村，没有就选“不在上面”" in phone.words
        kept = phone.page.form("/apply/submit")
    await phone.send(kept, income="80k_120k", amount="30000", purpose="appliance",
                     village=kept.first_choice("village"))  # fmt: skip
    [application] = await studio.all_applications()
    assert (application.status, application.declared.town) == ("submitted", "垸子乡")


async def test_the_link_of_somebody_elses_application_tells_nothing_and_leads_on(
    studio: Studio, phone: Phone, zhang: Person
) -> None:
    await studio.draft_at(phone, "details", zhang)
    await phone.get("/apply/details")
    await phone.hand_in(income="80k_120k", amount="30000")
    number, stranger = phone.path.split("/")[2], studio.phone()
    for found in (number, "99999999999"):
        reply = await stranger.get(f"/my/{found}")
        assert reply.status_code == 404
        assert "申请只给本人看" in stranger.words
        assert found not in reply.text
        assert "/resume" in stranger.page.links
        assert any(link.startswith("tel:") for link in stranger.page.links)
    await stranger.start()
    await stranger.get(f"/my/{number}")
    assert "/apply/identity" in stranger.page.links, "to their own"


async def test_a_product_that_ended_on_the_way_stops_with_a_way_to_the_others(
    studio: Studio, phone: Phone, zhang: Person
) -> None:
    await studio.draft_at(phone, "details", zhang)
    await phone.get("/apply/details")
    form = phone.page.form("/apply/submit")
    await withdraw(studio)
    for go in (
        lambda: phone.get("/apply/details"),
        lambda: phone.send(form, income="80k_120k", amount="30000"),
    ):
        stopped = await go()
        assert stopped.status_code == 409
        assert "这个产品停办了" in phone.words
        assert "/" in phone.page.links
    assert (await phone.get("/p/4101/SXD")).status_code == 404


async def withdraw(studio: Studio) -> None:
    """Head office takes the product off the counter today."""
    async with studio.context.db.begin(system("*", "test")) as tx:
        await products.withdraw(tx, "*", "SXD", on=clock.today(), reason="停办")


async def test_an_application_handed_in_before_the_product_ended_is_decided_by_a_person(
    studio: Studio, phone: Phone, zhang: Person
) -> None:
    await known(studio, zhang)
    await studio.draft_at(phone, "details", zhang)
    await phone.get("/apply/details")
    await phone.hand_in(income="80k_120k", amount="30000")
    await withdraw(studio)
    await studio.drain()
    await phone.get(phone.path)
    assert "正在由人工来看" in phone.words


async def test_a_code_revoked_while_the_customer_is_on_the_road_does_not_stop_the_customer(
    studio: Studio, phone: Phone, zhang: Person
) -> None:
    code = (await studio.tokens())["柳林花木群"]
    await phone.get(f"/q/{code}")
    start = phone.page.form("/apply/start")
    await phone.send(start)
    assert phone.path == "/apply/identity"
    late = studio.phone()
    await late.get(f"/q/{code}")
    tapped = late.page.form("/apply/start")
    async with studio.context.db.begin(JIA) as tx:
        for each in await campaigns.list_codes(tx):
            await campaigns.revoke(tx, each.id, "客户经理调岗")
    await late.send(tapped)
    assert late.reply.status_code == 410
    assert "这张码已经作废" in late.words
    await phone.photograph(zhang)
    await phone.confirm(zhang)
    assert phone.path == "/apply/phone", "the draft is the customer's, not the code's"


@pytest.mark.parametrize(
    "name, words",
    [("identity_check", "身份核对"), ("core_banking", "账户情况"), ("data_platform", "本地资料"),
     ("credit_bureau", "征信报告")],
)  # fmt: skip
async def test_a_source_that_is_down_holds_the_case_with_the_hour_of_the_answer(
    studio: Studio, phone: Phone, zhang: Person, name: str, words: str
) -> None:
    """N19 on the page: what is away, until when, and on it goes by itself."""
    await known(studio, zhang)
    await studio.draft_at(phone, "details", zhang)
    await studio.fault(name, "*", "status", times=50, status=503)
    await phone.get("/apply/details")
    await phone.hand_in(income="80k_120k", amount="30000")
    await studio.drain()
    await phone.get(phone.path)
    assert f"{words}暂时连不上" in phone.words
    assert "最迟告诉您结果" in phone.words
    [application] = await studio.all_applications()
    assert application.promised_at == application.submitted_at + decide_application.HELD_FOR
    await studio.control.delete("/control/faults")
    with clock.at(clock.now() + timedelta(minutes=1)):
        await resume_held.resume_held(studio.context)
    await phone.get(phone.path)
    assert "额度批下来了" in phone.words


async def test_a_silent_sms_gateway_delays_the_code_and_says_nothing_wrong(
    studio: Studio, phone: Phone, zhang: Person
) -> None:
    await studio.draft_at(phone, "phone", zhang)
    await phone.get("/apply/phone")
    await studio.fault("sms", "*", "status", times=1, status=503)
    form = phone.page.form("/apply/consents")
    sent = await phone.send(Form("/apply/phone", "post", form.values), phone=zhang.phone)
    assert sent.status_code == 200
    await studio.drain()
    with clock.at(clock.now() + timedelta(minutes=1)):
        assert await studio.sms_code(zhang.phone)


async def test_a_reader_that_is_away_says_so_and_keeps_nothing(
    studio: Studio, phone: Phone, zhang: Person
) -> None:
    await phone.start()
    away = type(studio.context.ocr)(studio.context.settings.data / "nobody.sock")
    studio.app.state.context = replace(studio.context, ocr=away)
    refused = await phone.send(phone.page.form("/apply/identity/front"), image=photograph(zhang, "front"))
    assert refused.status_code == 503
    assert "认字的机器正忙，照片没有留下" in phone.words
    assert studio.images() == []


async def test_a_mobile_bank_that_is_down_gets_the_offer_later_and_the_page_stays(
    studio: Studio, phone: Phone, zhang: Person
) -> None:
    number = await to_approved(studio, phone, zhang)
    await studio.fault("mobile_bank", "*", "status", times=30, status=503)
    await confirm_disclosure(phone, number)
    assert phone.path == f"/my/{number}/hand-off"
    await studio.drain()
    await phone.get(f"/my/{number}")
    assert "等您到手机银行签约" in phone.words
    cancelled = await phone.send(phone.page.form("/cancel"))
    assert cancelled.status_code == 503, "an offer that may be there is not called back blindly"
    assert "暂时连不上" in phone.words
    await studio.control.delete("/control/faults")
    with clock.at(clock.now() + timedelta(minutes=30)):
        await studio.drain()
    assert [row["effect"] for row in await studio.ledger("mobile_bank")] == ["offer_received"]


async def to_approved(studio: Studio, phone: Phone, person: Person) -> str:
    await known(studio, person)
    number = await studio.draft_at(phone, "details", person)
    await phone.get("/apply/details")
    await phone.hand_in(income="80k_120k", amount="30000")
    await studio.drain()
    await phone.get(f"/my/{number}")
    assert "额度批下来了" in phone.words, phone.words
    return number


async def confirm_disclosure(phone: Phone, number: str) -> None:
    await phone.get(f"/my/{number}/disclosure")
    with clock.at(clock.now() + timedelta(seconds=16)):
        await phone.send(phone.page.form("/disclosure"))


async def test_an_approval_shows_amount_rate_term_schedule_and_cost(
    studio: Studio, phone: Phone, zhang: Person
) -> None:
    number = await to_approved(studio, phone, zhang)
    for words in ("您的额度", "年化利率（单利）", "年化综合融资成本", "12 个月", "借满了怎么还", "还款日"):
        assert words in phone.words
    await phone.get(f"/my/{number}/disclosure")
    for words in ("贷款本金", "利息", "年利率", "甲县农村商业银行收取", "逾期罚息", "挪用罚息", "提前还款",
                  "不再收任何费用", "年化综合融资成本"):  # fmt: skip
        assert words in phone.words, words


async def test_a_forged_confirmation_hands_nothing_over(studio: Studio, phone: Phone, zhang: Person) -> None:
    """D2-09: neither the token nor the time can be made up, and nothing starts without them."""
    number = await to_approved(studio, phone, zhang)
    await phone.get(f"/my/{number}/disclosure")
    form = phone.page.form("/disclosure")
    for forged in ({"shown_token": "x.y"}, {"shown_token": ""}, {"version": "2020-1"}, {}):
        refused = await phone.send(form, **forged)
        assert refused.status_code == 422, forged
    keys = {name: form.values[name] for name in ("csrf_token", "form_key")}
    for path in ("hand-off", "hand-off/code"):
        await phone.send(Form(f"/my/{number}/{path}", "post", keys))
        assert phone.path == f"/my/{number}"
    [application] = await studio.all_applications()
    assert application.status == "approved"
    assert await studio.ledger("mobile_bank") == []


async def test_the_last_day_of_an_offer_is_its_last(studio: Studio, phone: Phone, zhang: Person) -> None:
    """Between midnight and the timetable nothing can be confirmed; afterwards the page says what is so."""
    number = await to_approved(studio, phone, zhang)
    await phone.get(f"/my/{number}/disclosure")
    form = phone.page.form("/disclosure")
    with clock.at(clock.now() + timedelta(days=31)):
        for go in (lambda: phone.get(f"/my/{number}/disclosure"), lambda: phone.send(form)):
            late = await go()
            assert late.status_code == 409
            assert "额度过期了" in phone.words
            assert "/p/4101/SXD" in phone.page.links
    with clock.at(clock.now() + timedelta(days=32)):
        assert await expire_offers.expire_offers(studio.context) == 1
        await phone.get(f"/my/{number}")
    assert "过了有效期" in phone.words
    assert "/p/4101/SXD" in phone.page.links


async def test_an_offer_handed_over_and_left_lying_opens_no_bank_after_its_last_day(
    studio: Studio, phone: Phone, zhang: Person
) -> None:
    number = await to_approved(studio, phone, zhang)
    await confirm_disclosure(phone, number)
    form = phone.page.form("/hand-off")
    with clock.at(clock.now() + timedelta(days=31)):
        late = await phone.send(form)
    assert late.status_code == 409
    assert "额度过期了" in phone.words


@pytest.mark.parametrize(
    "preset, status", [("good", "approved"), ("no_income", "referred"), ("down", "held")]
)
async def test_what_is_handed_in_can_be_taken_back(
    studio: Studio, phone: Phone, zhang: Person, preset: str, status: str
) -> None:
    """The last page promises it: 交上来以后还能撤回."""
    await known(studio, zhang, **({"bureau": "down"} if preset == "down" else {"preset": preset}))
    number = await studio.draft_at(phone, "details", zhang)
    await phone.get("/apply/details")
    assert "交上来以后还能撤回" in phone.words
    await phone.hand_in(income="80k_120k", amount="30000")
    await studio.drain()
    await phone.get(f"/my/{number}")
    [application] = await studio.all_applications()
    assert application.status == status
    form = phone.page.form("/cancel")
    for _ in range(2):
        await phone.send(form)
        assert "申请已撤回" in phone.words
    assert "没有产生任何费用" in phone.words
    with clock.at(clock.now() + timedelta(hours=5)):
        await resume_held.resume_held(studio.context)
        await studio.drain()
    [application] = await studio.all_applications()
    assert application.status == "cancelled"
    again = studio.phone()
    await studio.draft_at(again, "details", zhang)  # and begin anew


async def test_a_draft_given_up_leaves_nothing(
    studio: Studio, phone: Phone, zhang: Person, owner: asyncpg.Connection
) -> None:
    await phone.start()
    await phone.photograph(zhang)
    await phone.get("/p/4101/SXD")
    await phone.send(phone.page.form("/apply/give-up"))
    assert "填过的都删掉了" in phone.words
    assert studio.images() == []
    [application] = await studio.all_applications()
    assert (application.status, application.session_id, application.customer_id) == ("abandoned", None, None)
    rows = await owner.fetch("select reading from applications.captures")
    assert all(row["reading"] is None for row in rows)
    await phone.get("/p/4101/SXD")
    assert "看看我能借多少" in phone.words, "begin again whenever one likes"


async def test_a_line_paid_back_and_used_again_is_told_as_it_is(
    studio: Studio, phone: Phone, zhang: Person
) -> None:
    """A3-13: the line stands until its last day."""
    number = await to_approved(studio, phone, zhang)
    await confirm_disclosure(phone, number)
    with clock.at(clock.now() + timedelta(seconds=30)):
        await studio.drain()
    [application] = await studio.all_applications()
    bank = At(studio, application.id, zhang.id_number)
    for act, more in (("open", {}), ("sign", {}), ("draw", {"amount_fen": 500_000})):
        drawn = await bank.do(act, **more)
    await bank.do("repay", loan_no=drawn["loan_no"])
    await phone.get(f"/my/{number}")
    assert "已经还清" in phone.words
    assert "额度还在" in phone.words
    assert f"/my/{number}/hand-off" in phone.page.links
    await phone.get(f"/my/{number}/hand-off")
    assert "用款、还款都在手机银行" in phone.words
    assert "token=" in (await phone.send(phone.page.form("/hand-off"))).headers["location"]
    again = await bank.do("draw", amount_fen=300_000)
    await phone.get(f"/my/{number}")
    assert "钱已经到账" in phone.words
    assert "还清 ，已完成" not in phone.words, "what was paid back before is not the end of this"
    await bank.do("repay", loan_no=again["loan_no"], amount_fen=100_000)
    await bank.do("repay", loan_no=again["loan_no"])
    await phone.get(f"/my/{number}")
    assert "已经还清" in phone.words


@dataclass
class At:
    """The customer at the mobile bank."""

    studio: Studio
    application_id: str
    id_number: str

    async def do(self, act: str, **more: Any) -> Any:
        body = {"id_number": self.id_number, **more}
        reply = await self.studio.control.post(f"/bank/api/{self.application_id}/{act}", json=body)
        assert reply.status_code == 200, reply.text
        await self.studio.world.callbacks.idle(5)
        await self.studio.drain()
        return reply.json()


async def test_drafts_nobody_came_back_to_are_forgotten_even_when_the_phone_was_proved(
    studio: Studio, phone: Phone, zhang: Person
) -> None:
    await studio.draft_at(phone, "details", zhang)
    with clock.at(clock.now() + timedelta(days=91)):
        await give_up_drafts.give_up_drafts(studio.context)
        await phone.get("/resume")
        code = await phone.code(zhang.phone, "/resume")
        await phone.send(phone.page.form("/resume"), phone=zhang.phone, code=code)
    assert phone.reply.status_code == 422
    assert "还没有申请" in phone.words


def test_a_specimen_of_every_county_agrees_with_itself() -> None:
    """The check of two sides never stops an honest card."""
    from backend.domains.customers import rules

    for seed in range(300):
        person = specimens.person(seed)
        issuing, living = rules._COUNTY_ISSUER.search(person.authority), rules._COUNTY.search(person.address)
        assert issuing
        assert living
        assert issuing[1] == living[1], person.address
