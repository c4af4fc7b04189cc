"""Every road that ends or turns has a written answer, and keeps no more than it must."""

import asyncio
from datetime import timedelta

import asyncpg

from backend.core import clock
from backend.core.actor import system
from backend.domains.campaigns import service as campaigns
from backend.domains.customers import service as customers
from backend.sandbox import specimens
from backend.sandbox.specimens.people import Person
from tests.h5.customer.conftest import Phone, Studio, photograph
from tests.ocr.test_intake import HOSTILE


async def test_a_minors_card_is_read_and_forgotten(studio: Studio, phone: Phone) -> None:
    child = specimens.person(77, county="411701", under_age=True)
    await phone.start()
    stopped = await phone.send(phone.page.form("/apply/identity/front"), image=photograph(child, "front"))
    if stopped.status_code != 409:  # read in doubt: the stop comes when the number is confirmed
        await phone.send(phone.page.form("/apply/identity/back"), image=photograph(child, "back"))
        stopped = await phone.confirm(child)
    assert stopped.status_code == 409
    assert "满 18 周岁才能借" in phone.words
    assert studio.images() == []
    [application] = await studio.all_applications()
    assert application.status == "abandoned"
    assert (application.session_id, application.openid, application.officer_id) == (None, None, None)
    async with studio.context.db.read(system("4101", "test")) as tx:
        assert await customers.find_by_id_number(tx, child.id_number) is None


async def test_an_expired_card_keeps_the_draft_and_not_the_photographs(studio: Studio, phone: Phone) -> None:
    late = specimens.person(78, county="411701", expired=True)
    await phone.start()
    await phone.photograph(late)
    stopped = await phone.confirm(late)
    assert stopped.status_code == 409
    assert "身份证到期了" in phone.words
    assert studio.images() == []
    [application] = await studio.all_applications()
    assert (application.status, application.step) == ("draft", "identity")


async def test_a_neighbour_is_shown_the_way_to_their_own_county(studio: Studio, phone: Phone) -> None:
    neighbour = specimens.person(79, county="411702")
    await phone.start()
    await phone.photograph(neighbour)
    stopped = await phone.confirm(neighbour)
    assert stopped.status_code == 409
    assert "您住在乙县" in phone.words
    assert "/p/4102/SXD" in phone.page.links
    assert studio.images() == []
    await phone.get("/p/4102/SXD")
    assert phone.reply.status_code == 200


async def test_a_number_that_cannot_be_is_mended_in_place(phone: Phone, zhang: Person) -> None:
    await phone.start()
    await phone.photograph(zhang)
    wrong = zhang.id_number[:17] + ("1" if zhang.id_number[17] != "1" else "2")
    refused = await phone.confirm(zhang, id_number=wrong)
    assert refused.status_code == 422
    assert "身份证号不对" in phone.words
    await phone.confirm(zhang)
    assert phone.path == "/apply/phone"


async def test_a_contradiction_somebody_typed_is_mended_in_place_and_keeps_the_photographs(
    studio: Studio, phone: Phone, zhang: Person
) -> None:
    await phone.start()
    await phone.photograph(zhang)
    before_birth = str(zhang.born_on.replace(year=zhang.born_on.year - 1))
    for name, typed, words in (
        ("valid_from", before_birth, "有效期的起期早于出生日期"),
        ("issuer", "乙县公安局", "签发机关是乙县的，住址在甲县，对不上"),
    ):
        refused = await phone.confirm(zhang, **{name: typed})
        assert refused.status_code == 422
        assert words in phone.words
        assert phone.page.form("/apply/identity/confirm").values[name] == typed
        assert len(studio.images()) == 2
    await phone.confirm(zhang)
    assert phone.path == "/apply/phone"


async def test_hostile_files_get_a_sentence_and_nothing_is_kept(studio: Studio, phone: Phone) -> None:
    await phone.start()
    for content, _, words in HOSTILE.values():
        refused = await phone.send(phone.page.form("/apply/identity/front"), image=content)
        assert refused.status_code == 422
        assert words in phone.words
    assert studio.images() == []


async def test_a_photograph_of_the_wrong_side_is_asked_for_again(phone: Phone, zhang: Person) -> None:
    await phone.start()
    refused = await phone.send(
        phone.page.form("/apply/identity/front"), part=True, image=photograph(zhang, "back")
    )
    assert refused.status_code == 200
    assert "<html" not in refused.text
    assert "国徽面" in phone.words


async def test_a_second_application_is_led_to_the_first_whose_number_a_card_alone_does_not_tell(
    studio: Studio, phone: Phone, zhang: Person
) -> None:
    number = await phone.to_result(zhang)
    second = studio.phone()
    await second.start()
    await second.photograph(zhang)
    stopped = await second.confirm(zhang)
    assert stopped.status_code == 409
    assert "申请还没办完" in second.words
    assert number not in second.words
    assert "/resume" in second.page.links


async def test_two_phones_at_once_end_with_one_application(
    studio: Studio, phone: Phone, zhang: Person
) -> None:
    other = studio.phone()
    for each in (phone, other):
        await each.start()
        await each.photograph(zhang)
    answers = await asyncio.gather(phone.confirm(zhang), other.confirm(zhang))
    assert {answer.status_code for answer in answers} <= {200, 409}
    open_ones = [a for a in await studio.all_applications() if a.status == "draft" and a.customer_id]
    assert len(open_ones) == 1


async def test_somebody_elses_phone_is_refused_in_words(studio: Studio, phone: Phone, zhang: Person) -> None:
    await phone.to_liveness(zhang)
    wife = specimens.person(4343, county="411701")
    other = studio.phone()
    await other.to_phone(wife)
    with clock.at(clock.now() + timedelta(seconds=61)):
        stopped = await other.prove(wife, phone=zhang.phone)
    assert stopped.status_code == 409
    assert "别人在用" in other.words
    assert zhang.phone not in stopped.text


async def test_a_customers_phone_is_not_moved_by_whoever_holds_the_card(
    studio: Studio, phone: Phone, zhang: Person
) -> None:
    await studio.control.put(
        f"/control/people/{zhang.id_number}",
        json={"name": zhang.name, "preset": "enforced", "phone": "match"},
    )
    await phone.to_result(zhang)
    await studio.drain()
    thief = studio.phone()
    await thief.to_phone(zhang)
    refused = await thief.prove(zhang, phone="13911112222")
    assert refused.status_code == 422
    assert "登记的是另一个手机号" in thief.words
    assert zhang.phone[-2:] not in thief.words.split("登记的是")[1][:30]


async def test_consents_are_unticked_and_none_can_be_left_out(phone: Phone, zhang: Person) -> None:
    await phone.to_phone(zhang)
    assert "checked" not in phone.reply.text
    code = await phone.code(zhang.phone)
    ticks = phone.ticks(without="bureau_query")
    refused = await phone.send(phone.page.form("/apply/consents"), phone=zhang.phone, code=code, **ticks)
    assert refused.status_code == 422
    assert "没有这项授权" in phone.words
    await phone.send(phone.page.form("/apply/consents"), phone=zhang.phone, code=code, **phone.ticks())
    assert phone.path == "/apply/liveness", "the code was not used up by the forgotten tick"


async def test_a_wrong_code_says_how_many_tries_are_left(studio: Studio, phone: Phone, zhang: Person) -> None:
    await phone.to_phone(zhang)
    code = await phone.code(zhang.phone)
    wrong = "000000" if code != "000000" else "111111"
    for left in (4, 3, 2, 1):
        await phone.send(phone.page.form("/apply/consents"), phone=zhang.phone, code=wrong, **phone.ticks())
        assert f"还可以再试 {left} 次" in phone.words
    for given in (wrong, code):
        await phone.send(phone.page.form("/apply/consents"), phone=zhang.phone, code=given, **phone.ticks())
    assert "不能再用" in phone.words


async def test_a_second_code_within_the_minute_is_not_sent(
    studio: Studio, phone: Phone, zhang: Person
) -> None:
    await phone.to_phone(zhang)
    await phone.code(zhang.phone)
    await phone.code(zhang.phone)
    assert len((await studio.control.get(f"/control/sms/{zhang.phone}")).json()) == 1


async def test_a_student_is_told_the_other_ways(studio: Studio, phone: Phone, zhang: Person) -> None:
    await phone.to_details(zhang)
    stopped = await phone.hand_in(income="student")
    assert stopped.status_code == 409
    assert "助学贷款" in phone.words
    [application] = await studio.all_applications()
    assert application.status == "draft"


async def test_closed_codes_say_why(studio: Studio, phone: Phone) -> None:
    tokens = await studio.tokens()
    for token, words in (
        (tokens["旧海报"], "作废"),
        ("4101-1-0000000000-" + "0" * 26, "不是我们的码"),
        ("x", "不是我们的码"),
    ):
        reply = await phone.get(f"/q/{token}")
        assert reply.status_code == 410
        assert words in phone.words


async def test_a_code_revoked_while_its_page_is_open_starts_nothing(studio: Studio, phone: Phone) -> None:
    """Phones remember nothing; the page may for a second, the first tap never."""
    token = (await studio.tokens())["柳林花木群"]
    opened = clock.now()
    with clock.at(opened):
        assert (await phone.get(f"/q/{token}")).status_code == 200
        form = phone.page.form("/apply/start")
        async with studio.context.db.begin(system("4101", "test")) as tx:
            code = next(each for each in await campaigns.list_codes(tx) if each.token == token)
            await campaigns.revoke(tx, code.id, "换岗")
        refused = await phone.send(form)
        assert refused.status_code == 410
        assert "作废" in phone.words
    with clock.at(opened + timedelta(seconds=1)):
        assert (await phone.get(f"/q/{token}")).status_code == 410
        assert "作废" in phone.words
    assert await studio.all_applications() == []


async def test_a_report_gets_a_number_and_a_double_tap_one_ticket(studio: Studio, phone: Phone) -> None:
    code = (await studio.tokens())["柳林花木群"]
    await phone.get(f"/report?code={code}")
    assert "李四" in phone.words
    form = phone.page.form("/report")
    assert (await phone.send(form)).status_code == 422
    one = await phone.send(form, kind="fee_asked", said="要五百元")
    two = await phone.send(form, kind="fee_asked", said="要五百元")
    assert one.text.count("JB4101") >= 1
    assert [line for line in one.text.splitlines() if "JB4101" in line] == [
        line for line in two.text.splitlines() if "JB4101" in line
    ]


async def test_who_gives_no_consent_online_is_expected_at_the_branch(
    studio: Studio, phone: Phone, zhang: Person
) -> None:
    await phone.to_phone(zhang)
    await phone.get("/apply/liveness/other-way")
    assert "不在网上授权也能办：到网点看过授权书再签" in phone.words
    assert "/apply/phone" in phone.page.links
    for untrue in ("换一种方式", "接着把申请填完", "人脸"):
        assert untrue not in phone.words
    form = phone.page.form("/apply/liveness/other-way")
    one = await phone.send(form, way="branch")
    two = await phone.send(form, way="branch")
    assert "到网点办" in phone.words
    assert "受理编号" in one.text
    assert _number(one.text) == _number(two.text)
    assert await studio.ledger("identity_check") == []


async def test_the_branch_is_shown_in_place_so_that_nothing_typed_is_lost(
    phone: Phone, zhang: Person
) -> None:
    """The page's script takes these parts of the other page; the phone's form is not left."""
    await phone.to_phone(zhang)
    assert "/apply/liveness/other-way" in phone.page.polls
    assert phone.page.marked["branch"]["aria-live"] == "polite"
    assert 'hx-select="main &gt; .card"' in phone.reply.text or 'hx-select="main > .card"' in phone.reply.text


def _number(html: str) -> str:
    return html.split('<b class="num">')[1].split("<")[0]


async def test_who_comes_from_elsewhere_by_a_code_is_counted_against_its_placement(
    studio: Studio, phone: Phone, owner: asyncpg.Connection
) -> None:
    """N15: nothing of the person is kept, the case counts once, and one alone stops nothing."""
    code = (await studio.tokens())["柳林花木群"]
    neighbour = specimens.person(79, county="411702")
    await phone.get(f"/q/{code}")
    await phone.send(phone.page.form("/apply/start"))
    await phone.photograph(neighbour)
    await phone.confirm(neighbour)
    assert "您住在乙县" in phone.words
    assert [row["kind"] for row in await owner.fetch("select kind from campaigns.signals")] == ["out_of_area"]
    assert (await phone.http.get(f"/q/{code}")).status_code == 200
