"""The customer's road through the pages, without JavaScript: every step, every turn, every stop."""

from datetime import timedelta

import httpx

from backend.core import clock
from backend.core.actor import Actor
from backend.demo import staff_id
from backend.domains.applications import service as applications
from backend.domains.customers import consents
from backend.domains.customers.consent_texts import Purpose
from backend.domains.reviews import service as reviews
from backend.flows import decide_anew
from backend.sandbox.forms import Form
from backend.sandbox.specimens.people import Person
from tests.h5.customer.conftest import Phone, Studio


async def test_the_whole_road_from_a_scanned_code_to_a_handed_in_application(
    studio: Studio, phone: Phone, zhang: Person
) -> None:
    code = (await studio.tokens())["柳林花木群"]
    await phone.get(f"/q/{code}")
    assert "李四" in phone.words
    await phone.send(phone.page.form("/apply/start"))
    assert phone.path == "/apply/identity"
    await phone.photograph(zhang)
    assert "看看读得对不对" in phone.words
    await phone.confirm(zhang)
    assert phone.path == "/apply/phone"
    await phone.prove(zhang)
    assert phone.path == "/apply/liveness", phone.words
    await phone.face()
    assert phone.path == "/apply/details", phone.words
    await phone.hand_in()
    [application] = await studio.all_applications()
    assert phone.path == f"/my/{application.application_no}"
    assert application.status == "submitted"
    assert application.liveness == "passed"
    assert application.officer_id is not None


async def test_a_scanned_code_chooses_no_purpose_for_the_person(
    studio: Studio, phone: Phone, zhang: Person
) -> None:
    """It goes into the contract, where another use costs penalty interest (A3-06)."""
    code = (await studio.tokens())["柳林花木群"]
    await phone.get(f"/q/{code}")
    await phone.send(phone.page.form("/apply/start"))
    await phone.photograph(zhang)
    await phone.confirm(zhang)
    await phone.prove(zhang)
    await phone.face()
    assert phone.path == "/apply/details", phone.words
    assert " checked" not in phone.reply.text
    form = phone.page.form("/apply/submit")
    await phone.send(form, amount="10000", income=form.first_choice("income"), village=form.values["village"])
    assert phone.reply.status_code == 422, "without a purpose nothing is handed in"
    [application] = await studio.all_applications()
    assert application.status == "draft"


async def test_from_the_decision_to_the_mobile_bank(studio: Studio, phone: Phone, zhang: Person) -> None:
    await studio.control.put(
        f"/control/people/{zhang.id_number}", json={"name": zhang.name, "preset": "good", "phone": "match"}
    )
    await phone.to_details(zhang)
    await phone.hand_in(income="120k_200k", amount="30000")
    number = phone.path.split("/")[2]
    await studio.drain()
    await phone.get(f"/my/{number}")
    assert "额度批下来了" in phone.words, phone.words
    await phone.get(f"/my/{number}/disclosure")
    form = phone.page.form("/disclosure")
    early = await phone.send(form)
    assert early.status_code == 422
    assert "请先看完" in phone.words
    token = phone.page.form("/disclosure").values["shown_token"]
    assert token == form.values["shown_token"], "reading time goes on counting"
    with clock.at(clock.now() + timedelta(seconds=16)):
        await phone.send(phone.page.form("/disclosure"))
    assert phone.path == f"/my/{number}/hand-off", phone.words
    link = await phone.send(phone.page.form("/hand-off"))
    assert "token=" in link.headers["location"]
    await phone.get(f"/my/{number}/hand-off")
    await phone.send(phone.page.form("/hand-off/code"))
    assert "短码" in phone.words


async def test_a_decline_says_why_and_a_person_may_be_asked(
    studio: Studio, phone: Phone, zhang: Person
) -> None:
    await studio.control.put(
        f"/control/people/{zhang.id_number}",
        json={"name": zhang.name, "preset": "enforced", "phone": "match"},
    )
    number = await phone.to_result(zhang)
    await studio.drain()
    await phone.get(f"/my/{number}")
    assert "这次没能通过" in phone.words
    await phone.get(f"/my/{number}/review-request")
    assert (await phone.send(phone.page.form("/review-request"))).status_code == 422
    await phone.send(phone.page.form("/review-request"), ground="wrong_data", said="那笔早还了")
    assert phone.path == f"/my/{number}"
    assert "前答复您" in phone.words


async def test_photographs_go_to_the_archive_and_nothing_stays_with_us(
    studio: Studio, phone: Phone, zhang: Person
) -> None:
    await phone.start()
    await phone.photograph(zhang)
    assert len(studio.images()) == 2
    assert all(b"JFIF" not in path.read_bytes() for path in studio.images()), "sealed on disk"
    await phone.confirm(zhang)
    await studio.drain()
    assert studio.images() == []
    stored = [row for row in await studio.ledger("image_archive") if row["effect"] == "image_stored"]
    assert len(stored) == 2


async def test_somebody_elses_application_is_not_found(studio: Studio, phone: Phone, zhang: Person) -> None:
    number = await phone.to_result(zhang)
    stranger = studio.phone()
    for path in ("", "/status", "/disclosure", "/hand-off", "/review-request", "/consents"):
        assert (await stranger.get(f"/my/{number}{path}")).status_code == 404
    assert (await stranger.get("/my/999999999999")).status_code == 404


async def test_steps_cannot_be_skipped_or_done_again(studio: Studio, phone: Phone, zhang: Person) -> None:
    await phone.start()
    for ahead in ("/apply/phone", "/apply/liveness", "/apply/details"):
        await phone.get(ahead)
        assert phone.path == "/apply/identity"
    csrf = {"csrf_token": phone.page.form("/apply/identity/front").values["csrf_token"]}
    for ahead in ("/apply/submit", "/apply/consents", "/apply/liveness", "/apply/liveness/other-way"):
        reply = await phone.http.post(ahead, data=csrf)
        assert (reply.status_code, reply.headers["location"]) == (303, "/apply/identity")
    [application] = await studio.all_applications()
    assert (application.status, application.step, application.version) == ("draft", "identity", 1)
    await phone.photograph(zhang)
    await phone.confirm(zhang)
    await phone.get("/apply/identity")
    assert phone.path == "/apply/phone", "the back button leads on"


async def test_a_post_without_its_token_is_refused(phone: Phone) -> None:
    assert (await phone.http.post("/apply/start", data={"product_code": "SXD"})).status_code == 403


async def test_tapped_twice_every_step_gives_the_same_answer(
    studio: Studio, phone: Phone, zhang: Person
) -> None:
    await phone.get("/p/4101/SXD")
    start = phone.page.form("/apply/start")
    cookies = dict(phone.http.cookies)
    first = await phone.send(start, follow=False)
    phone.http.cookies = httpx.Cookies(cookies)  # the first answer got lost on the way
    await phone.send(start)
    assert first.headers["location"] == "/apply/identity" == phone.path
    assert len(await studio.all_applications()) == 1

    await phone.photograph(zhang)
    await phone.confirm(zhang)
    code = await phone.code(zhang.phone)
    form, ticks = phone.page.form("/apply/consents"), phone.ticks()
    cookies = dict(phone.http.cookies)
    first = await phone.send(form, follow=False, phone=zhang.phone, code=code, **ticks)
    assert first.headers["location"] == "/apply/liveness"
    phone.http.cookies = httpx.Cookies(cookies)
    await phone.send(form, phone=zhang.phone, code=code, **ticks)
    assert phone.path == "/apply/liveness", phone.words

    await phone.face()
    form = phone.page.form("/apply/submit")
    chosen = {n: form.values.get(n) or form.first_choice(n) for n in form.choices}
    one = await phone.send(form, follow=False, **chosen)
    two = await phone.send(form, follow=False, **chosen)
    assert one.headers["location"] == two.headers["location"]


async def test_the_old_token_is_worth_nothing_after_the_phone_is_proved(
    studio: Studio, phone: Phone, zhang: Person
) -> None:
    await phone.to_phone(zhang)
    before = dict(phone.http.cookies)
    await phone.prove(zhang)
    thief = studio.phone()
    thief.http.cookies = httpx.Cookies(before)
    await thief.get("/apply/liveness")
    assert thief.path == "/resume"


async def test_gone_on_with_on_another_phone(studio: Studio, phone: Phone, zhang: Person) -> None:
    await phone.to_liveness(zhang)
    other = studio.phone()
    await other.get("/resume")
    with clock.at(clock.now() + timedelta(seconds=61)):
        await other.code(zhang.phone, "/resume")
        code = await studio.sms_code(zhang.phone)
        wrong = await other.send(
            other.page.form("/resume"), phone=zhang.phone, code="000000" if code != "000000" else "1"
        )
        assert wrong.status_code == 422
        await other.send(other.page.form("/resume"), phone=zhang.phone, code=code)
    assert other.path == "/apply/liveness", other.words
    await phone.get("/apply/liveness")
    assert phone.path == "/resume", "one phone at a time"


async def test_the_page_that_finds_applications_does_not_tell_whose_phone_it_knows(
    studio: Studio, phone: Phone
) -> None:
    await phone.get("/resume")
    form = phone.page.form("/resume")
    await phone.send(Form("/resume/code", "post", form.values), phone="13900000000")
    assert "验证码已发到 139****0000" in phone.words
    await studio.drain()
    assert (await studio.control.get("/control/sms/13900000000/code")).status_code == 404
    refused = await phone.send(phone.page.form("/resume"), phone="13900000000", code="123456")
    assert refused.status_code == 422
    assert "还可以再试" in phone.words


async def test_without_the_face_the_case_goes_to_a_person(
    studio: Studio, phone: Phone, zhang: Person
) -> None:
    await phone.to_liveness(zhang)
    await phone.get("/apply/liveness/other-way")
    await phone.send(phone.page.form("/apply/liveness/other-way"), way="branch")
    assert phone.path == "/apply/details"
    await phone.hand_in()
    await studio.drain()
    [application] = await studio.all_applications()
    assert (application.liveness, application.status) == ("declined", "referred")


async def test_who_is_asked_again_for_a_case_decided_anew_finds_it_filled_in_and_hands_it_in(
    studio: Studio, phone: Phone, zhang: Person
) -> None:
    """D3-04, D3-09: the same browser, without a new photograph: the face, then what lapsed, then the last button."""
    await phone.to_liveness(zhang)
    await phone.get("/apply/liveness/other-way")
    await phone.send(phone.page.form("/apply/liveness/other-way"), way="branch")
    await phone.hand_in()
    old = phone.path.split("/")[2]
    await studio.drain()
    reviewer = Actor("staff", staff_id("4101", 4), "4101", frozenset({"reviewer"}), "陈审")
    with clock.at(clock.now() + timedelta(days=31)):
        async with studio.context.db.read(reviewer) as tx:
            [review] = await reviews.waiting(tx)
        new = await decide_anew.decide_anew(studio.context, reviewer, review.id)
        async with studio.context.db.begin(reviewer) as tx:
            await consents.withdraw(tx, str(new.customer_id), Purpose.BUREAU_QUERY)
        await studio.drain()
        await phone.get(f"/my/{old}")
        assert "要重新审批" in phone.words
        assert new.application_no in phone.words
        await phone.get(f"/my/{new.application_no}")
        assert phone.path == "/apply/liveness", phone.words
        await phone.face()
        assert phone.path == "/apply/renewal", phone.words
        await phone.send(phone.page.form("/apply/renewal"), **phone.ticks("/apply/renewal"))
        assert phone.path == "/apply/details", phone.words
        kept = phone.page.form("/apply/submit").values
        assert kept.get("purpose")
        await phone.send(phone.page.form("/apply/submit"), **kept)
        assert phone.path == f"/my/{new.application_no}", phone.words
        await studio.drain()
        async with studio.context.db.read(reviewer) as tx:
            handed_in = await applications.get(tx, new.id)
    assert (handed_in.liveness, handed_in.declared) == ("passed", new.declared)
    assert handed_in.status not in ("draft", "submitted", "deciding")


async def test_a_failed_face_a_replayed_session_and_a_provider_that_is_down(
    studio: Studio, phone: Phone, zhang: Person
) -> None:
    await phone.to_liveness(zhang)
    unticked = await phone.send(phone.page.form("/apply/liveness"))
    assert unticked.status_code == 422
    await phone.face("failed")
    assert "没看清" in phone.words
    await phone.get("/apply/liveness/back?liveness_session=somebody-elses")
    assert "不算数" in phone.words
    await studio.fault("liveness", "sessions", "status", status=503)
    await phone.get("/apply/liveness")
    await phone.send(phone.page.form("/apply/liveness"), **phone.ticks("/apply/liveness"))
    assert "暂时连不上" in phone.words or phone.reply.status_code == 303
