"""保证人: the borrower passes a link on, the guarantor goes their own road on their own phone (A1-08, A8-12)."""

import asyncio
from datetime import timedelta

import asyncpg
import httpx
import pytest

from backend.core import clock
from backend.core.actor import Actor, system
from backend.demo import staff_id
from backend.domains.applications import service as applications
from backend.domains.audit import service as audit
from backend.domains.customers import consents
from backend.domains.customers import service as customers
from backend.domains.customers.consent_texts import Purpose
from backend.domains.decision import service as decisions
from backend.domains.guarantees import service as guarantees
from backend.domains.guarantees.model import Guarantee, NotYoursToSee
from backend.domains.relations import service as relations
from backend.flows import expire_guarantees, give_guarantee_copy, see_guarantor
from backend.overview import story
from backend.sandbox import specimens
from backend.sandbox.forms import Form
from backend.sandbox.specimens.people import Person
from tests.flows.conftest import Road
from tests.h5.conftest import Desk, anew
from tests.h5.customer.conftest import Phone, Studio, photograph

PRODUCT = "XLD"


@pytest.fixture
def wang() -> Person:
    return specimens.person(4343, county="411701")


@pytest.fixture
def zhao() -> Person:
    return specimens.person(4444, county="411701")


async def known(studio: Studio, person: Person, **more: object) -> None:
    body = {"name": person.name, "preset": "good", "phone": "match", **more}
    await studio.control.put(f"/control/people/{person.id_number}", json=body)


async def approved(studio: Studio, phone: Phone, person: Person) -> str:
    """The borrower's case, approved and waiting for a guarantor; returns its number."""
    await known(studio, person)
    await phone.get(f"/p/4101/{PRODUCT}")
    assert "要请保证人" in phone.words, "said before anything is typed (A8-12)"
    await studio.draft_at(phone, "details", person, product=PRODUCT)
    await phone.get("/apply/details")
    await phone.hand_in(income="120k_200k", amount="30000")
    number = phone.path.split("/")[2]
    await studio.drain()
    await phone.get(f"/my/{number}")
    assert "还差 1 位保证人" in phone.words, phone.words
    return number


async def link(phone: Phone, number: str) -> str:
    """Ask for one more; the link the borrower's page then shows, as a path."""
    await phone.get(f"/my/{number}/guarantors")
    action = f"/my/{number}/guarantors"
    await phone.send(phone.page.form(action), **phone.ticks(action))
    assert phone.reply.status_code == 200, phone.words
    return shown(phone)


def shown(phone: Phone) -> str:
    text = phone.reply.text
    at = text.index("/g/4101/")
    return text[at:].split("<")[0].split('"')[0].strip()


async def take_up(guarantor: Phone, path: str) -> None:
    await guarantor.get(path)
    await guarantor.send(guarantor.page.form(path), answer="yes")


async def card(guarantor: Phone, person: Person) -> None:
    assert guarantor.path == "/guarantee/identity", guarantor.words
    for side in ("front", "back"):
        form = guarantor.page.form(f"/guarantee/identity/{side}")
        await guarantor.send(form, image=photograph(person, side))
    until = person.valid_until.isoformat() if person.valid_until else "长期"
    await guarantor.send(
        guarantor.page.form("/guarantee/identity/confirm"),
        name=person.name, id_number=person.id_number, address=person.address, issuer=person.authority,
        valid_from=person.valid_from.isoformat(), valid_until=until,
    )  # fmt: skip


async def proof(guarantor: Phone, number: str) -> None:
    assert guarantor.path == "/guarantee/phone", guarantor.words
    form = guarantor.page.form("/guarantee/consents")
    await guarantor.send(anew(Form("/guarantee/phone", "post", form.values)), phone=number)
    code = await guarantor.studio.sms_code(number)
    form = guarantor.page.form("/guarantee/consents")
    await guarantor.send(form, phone=number, code=code, **guarantor.ticks("/guarantee/consents"))


async def face(guarantor: Phone, outcome: str = "passed") -> None:
    assert guarantor.path == "/guarantee/liveness", guarantor.words
    form = guarantor.page.form("/guarantee/liveness")
    await guarantor.send(form, **guarantor.ticks("/guarantee/liveness"))
    session = guarantor.reply.headers["location"].split("?")[0].rsplit("/", 1)[-1]
    done = await guarantor.studio.control.post(f"/control/liveness/{session}", json={"outcome": outcome})
    back = done.json()["return_url"].split("/guarantee", 1)[1]
    await guarantor.get(f"/guarantee{back}")


async def to_promise(studio: Studio, guarantor: Phone, path: str, person: Person, **more: object) -> None:
    await known(studio, person, **more)
    await take_up(guarantor, path)
    await card(guarantor, person)
    await proof(guarantor, person.phone)
    await face(guarantor)
    assert guarantor.path == "/guarantee/confirm", guarantor.words


async def promise(guarantor: Phone) -> None:
    form = guarantor.page.form("/guarantee/confirm")
    with clock.at(clock.now() + timedelta(seconds=16)):
        await guarantor.send(form, agree="yes")


async def of_case(studio: Studio, number: str) -> list[Guarantee]:
    async with studio.context.db.read(system("4101", "test")) as tx:
        application = await applications.by_number(tx, number)
        return await guarantees.of_application(tx, application.id)


async def test_what_was_promised_cannot_be_changed_by_the_applications_own_role(
    studio: Studio, phone: Phone, zhang: Person, wang: Person
) -> None:
    number = await approved(studio, phone, zhang)
    guarantor = studio.phone()
    await to_promise(studio, guarantor, await link(phone, number), wang)
    await promise(guarantor)
    for change in (
        "amount = amount * 10",
        "until_on = until_on + 900",
        "terms = ''",
        "guarantor_id = borrower_id",
    ):
        with pytest.raises(asyncpg.CheckViolationError):
            async with studio.context.db.begin(system("4101", "test")) as tx:
                await tx.connection.execute(f"update guarantees.guarantees set {change}")


async def test_from_the_approval_over_the_guarantors_word_to_the_mobile_bank(
    studio: Studio, phone: Phone, zhang: Person, wang: Person
) -> None:
    number = await approved(studio, phone, zhang)
    await phone.get(f"/my/{number}/disclosure")
    assert phone.path == f"/my/{number}/guarantors", "nothing is disclosed or handed over before"
    path = await link(phone, number)
    guarantor = studio.phone()
    await guarantor.get(path)
    assert f"{zhang.name[0]}*" in guarantor.words
    assert zhang.name not in guarantor.words
    assert zhang.id_number not in guarantor.reply.text
    assert "甲县农村商业银行" in guarantor.words
    assert "银行可以直接找您还" in guarantor.words
    for said in ("连带责任保证", "加在本金上面", "年化利率（单利）", "担保最晚到"):
        assert said in guarantor.words, said
    await to_promise(studio, guarantor, path, wang)
    early = guarantor.page.form("/guarantee/confirm")
    await guarantor.send(early, agree="yes")
    assert guarantor.reply.status_code == 422
    [waiting] = await of_case(studio, number)
    assert waiting.status == "opened"
    await promise(guarantor)
    assert "您已确认担保" in guarantor.words, guarantor.words
    del guarantor.http.cookies["guarantor"]
    await guarantor.get(path)
    assert "连带责任保证承诺" in guarantor.words, "the copy opens again by the link"
    assert "下面就是您确认的承诺书" in guarantor.words
    assert f"申请编号 {number}" in guarantor.words
    [given] = await of_case(studio, number)
    assert given.status == "confirmed"
    await phone.get(f"/my/{number}/guarantors")
    assert f"{wang.name[0]}*" in phone.words
    assert wang.name not in phone.words
    await phone.get(f"/my/{number}/disclosure")
    with clock.at(clock.now() + timedelta(seconds=16)):
        await phone.send(phone.page.form("/disclosure"))
    assert phone.path == f"/my/{number}/hand-off", phone.words
    with clock.at(clock.now() + timedelta(seconds=60)):
        await studio.drain()
    offer = studio.world.store.get("offer", given.application_id)
    [surety] = offer["sureties"]
    assert (surety["name"], surety["amount_fen"]) == (wang.name, given.amount_fen)
    assert given.terms_sha256 is not None
    assert surety["terms_sha256"] == given.terms_sha256.hex()


async def test_the_word_is_an_edge_an_event_consents_of_ones_own_and_counts_as_exposure(
    studio: Studio, phone: Phone, zhang: Person, wang: Person
) -> None:
    number = await approved(studio, phone, zhang)
    guarantor = studio.phone()
    await to_promise(studio, guarantor, await link(phone, number), wang)
    await promise(guarantor)
    async with studio.context.db.read(system("4101", "test")) as tx:
        [given] = await guarantees.of_application(tx, (await applications.by_number(tx, number)).id)
        assert given.guarantor_id is not None
        around = await relations.neighbourhood(tx, given.borrower_id)
        [edge] = [each for each in around.links if each.kind == "guarantor"]
        assert [other.customer_id for other in edge.others] == [given.guarantor_id]
        exposure = await guarantees.exposure(tx, given.guarantor_id)
        assert (exposure.borrowers, exposure.amount_fen) == (1, given.amount_fen)
        theirs = {c.purpose: c.recipient for c in await consents.given(tx, given.guarantor_id)}
        assert theirs == {
            Purpose.GUARANTEE_INFO: "lender", Purpose.IDENTITY_CHECK: "identity_check",
            Purpose.GUARANTEE_BUREAU: "credit_bureau", Purpose.GUARANTEE_RESULT: "borrower",
            Purpose.LIVENESS: "liveness",
        }  # fmt: skip
        events = [e.event for e in await applications.events(tx, given.application_id)]
        assert [e for e in events if e.startswith("guarantor_")] == [
            "guarantor_asked", "guarantor_opened", "guarantor_identified", "guarantor_phone_proved",
            "guarantor_face_started", "guarantor_face_passed", "guarantor_confirmed",
        ]  # fmt: skip
    with clock.at(clock.now() + timedelta(seconds=60)):
        await studio.drain()
    told = [e for e in await studio.ledger("sms") if "guarantor_confirmed" in str(e)]
    assert len(told) == 1, "the borrower hears of it once"


async def test_the_guarantor_hears_of_it_on_their_own_number_and_keeps_a_copy_on_any_phone(
    studio: Studio, phone: Phone, zhang: Person, wang: Person
) -> None:
    number = await approved(studio, phone, zhang)
    guarantor = studio.phone()
    path = await link(phone, number)
    await to_promise(studio, guarantor, path, wang)
    await promise(guarantor)
    assert "点里面的链接随时能看，换了手机也能看" in guarantor.words, guarantor.words
    with clock.at(clock.now() + timedelta(seconds=60)):
        await studio.drain()
    sent = [e["response"]["message_id"] for e in await studio.ledger("sms") if e["key"].endswith(":given")]
    [message] = [studio.world.store.get("sms", each) for each in sent]
    [given] = await of_case(studio, number)
    assert message["phone"] == wang.phone, "not the borrower's"
    for said in (number, f"{given.amount_fen // 100:,} 元", "不是您本人办的，请打"):
        assert said in message["text"], message["text"]
    copy = "/g/" + message["text"].split("/g/")[1].split(" ")[0]
    other = studio.phone()
    await other.get(copy)
    assert ("连带责任保证承诺" in other.words, f"申请编号 {number}" in other.words) == (True, True), (
        other.words
    )
    assert wang.name not in other.words
    paper = await other.http.get(f"{copy}/paper")
    assert (paper.status_code, paper.headers["content-type"]) == (200, "application/pdf")
    assert paper.content.startswith(b"%PDF-1.")
    assert paper.content == (await guarantor.http.get(f"{copy}/paper")).content, "the same bytes every time"
    wrong = f"{copy[:-4]}AAAA"
    for guess in (
        wrong,
        f"{wrong}/paper",
        copy.replace("/g/4101", "/g/4102"),
        f"{path.rsplit('/', 1)[0]}/x/y",
    ):
        reply = await other.http.get(guess)
        assert (reply.status_code, "连带责任" in reply.text) == (404, False), guess
    await other.get(path)
    assert "连带责任保证承诺" not in other.words, "the borrower's link opens no copy"


async def test_a_copy_is_of_what_was_confirmed_and_there_is_none_before(
    studio: Studio, phone: Phone, zhang: Person, wang: Person
) -> None:
    number = await approved(studio, phone, zhang)
    guarantor = studio.phone()
    await to_promise(studio, guarantor, await link(phone, number), wang)
    [opened] = await of_case(studio, number)
    early = give_guarantee_copy.path(studio.context.settings, opened)
    assert (await guarantor.http.get(early)).status_code == 404
    await guarantor.get("/guarantee/confirm")
    fold = guarantor.reply.text.split("<details", 1)[1].split("</details>", 1)[0]
    assert "/guarantee/refuse" in fold, "for good: not by one tap beside the main button"
    await guarantor.send(guarantor.page.form("/guarantee/refuse"))
    assert (await guarantor.http.get(early)).status_code == 404
    with clock.at(clock.now() + timedelta(seconds=60)):
        await studio.drain()
    assert not [e for e in await studio.ledger("sms") if e["key"].endswith(":given")]


async def test_the_approvals_sms_asks_for_the_guarantor_and_not_for_a_signature(
    studio: Studio, phone: Phone, zhang: Person
) -> None:
    await approved(studio, phone, zhang)
    with clock.at(clock.now() + timedelta(seconds=60)):
        await studio.drain()
    [approval] = [e["response"] for e in await studio.ledger("sms") if ":approved:" in e["key"]]
    text = studio.world.store.get("sms", approval["message_id"])["text"]
    assert "还要请保证人确认才能签约" in text


async def test_the_borrower_must_agree_that_the_guarantor_sees_the_loan_and_nothing_is_ticked(
    studio: Studio, phone: Phone, zhang: Person
) -> None:
    number = await approved(studio, phone, zhang)
    await phone.get(f"/my/{number}/guarantors")
    action = f"/my/{number}/guarantors"
    assert "checked" not in phone.reply.text
    await phone.send(phone.page.form(action))
    assert phone.reply.status_code == 422
    assert "要先勾选同意" in phone.words
    assert await of_case(studio, number) == []


async def test_every_consent_of_the_guarantor_is_unticked_and_needed(
    studio: Studio, phone: Phone, zhang: Person, wang: Person
) -> None:
    number = await approved(studio, phone, zhang)
    guarantor = studio.phone()
    await known(studio, wang)
    await take_up(guarantor, await link(phone, number))
    await card(guarantor, wang)
    assert "checked" not in guarantor.reply.text
    form = guarantor.page.form("/guarantee/consents")
    await guarantor.send(anew(Form("/guarantee/phone", "post", form.values)), phone=wang.phone)
    code = await studio.sms_code(wang.phone)
    ticks = guarantor.ticks("/guarantee/consents", without="bureau")
    await guarantor.send(guarantor.page.form("/guarantee/consents"), phone=wang.phone, code=code, **ticks)
    assert guarantor.reply.status_code == 422
    [asked] = await of_case(studio, number)
    assert asked.step == "phone"


async def test_a_forwarded_link_is_good_for_the_first_phone_only(
    studio: Studio, phone: Phone, zhang: Person, wang: Person
) -> None:
    number = await approved(studio, phone, zhang)
    path = await link(phone, number)
    first, second = studio.phone(), studio.phone()
    await first.get(path)
    await second.get(path)
    late = second.page.form(path)
    await first.send(first.page.form(path), answer="yes")
    assert first.path == "/guarantee/identity"
    await second.send(late, answer="yes")
    assert second.reply.status_code == 409
    assert "另一部手机" in second.words
    await second.get(path)
    assert second.reply.status_code == 409
    await second.get("/guarantee/identity")
    assert second.reply.status_code == 404
    await second.send(anew(late), answer="no")
    assert [g.status for g in await of_case(studio, number)] == ["opened"], (
        "nor can the second refuse for them"
    )


async def test_the_link_opened_again_on_the_same_phone_goes_on_where_it_was(
    studio: Studio, phone: Phone, zhang: Person, wang: Person
) -> None:
    number = await approved(studio, phone, zhang)
    path, guarantor = await link(phone, number), studio.phone()
    await known(studio, wang)
    await take_up(guarantor, path)
    await card(guarantor, wang)
    await guarantor.get(path)
    assert guarantor.path == "/guarantee/phone"
    del guarantor.http.cookies["guarantor"]
    await guarantor.get(path)
    assert guarantor.path == "/guarantee/phone", "the visit is enough on this phone"


async def test_the_borrowers_own_browser_and_own_card_are_refused(
    studio: Studio, phone: Phone, zhang: Person
) -> None:
    number = await approved(studio, phone, zhang)
    path = await link(phone, number)
    await phone.get(path)
    assert "不能给自己担保" in phone.words
    other = studio.phone()
    await other.get(path)
    stolen = other.page.form(path)
    reply = await phone.http.post(path, data=stolen.filled(answer="yes"))
    assert reply.status_code in (403, 409)
    await take_up(other, path)
    await card(other, zhang)
    assert "是借款人本人" in other.words
    [asked] = await of_case(studio, number)
    assert (asked.status, asked.why, asked.guarantor_id) == ("refused", "borrower", None)


async def test_no_card_of_a_minor_becomes_a_guarantor_and_nothing_of_it_is_kept(
    studio: Studio, phone: Phone, zhang: Person
) -> None:
    number = await approved(studio, phone, zhang)
    guarantor = studio.phone()
    child = specimens.person(5000, county="411701", under_age=True)
    await take_up(guarantor, await link(phone, number))
    await guarantor.send(guarantor.page.form("/guarantee/identity/front"), image=photograph(child, "front"))
    assert "未满 18 周岁" in guarantor.words, guarantor.words
    assert [g.why for g in await of_case(studio, number)] == ["under_age"]
    async with studio.context.db.read(system("4101", "test")) as tx:
        assert await customers.find_by_id_number(tx, child.id_number) is None
    assert studio.images() == []


async def test_a_guarantors_card_that_contradicts_itself_is_taken_again_and_a_slip_of_theirs_is_not(
    studio: Studio, phone: Phone, zhang: Person, wang: Person
) -> None:
    number = await approved(studio, phone, zhang)
    guarantor, neighbour = studio.phone(), specimens.person(79, county="411702")
    await take_up(guarantor, await link(phone, number))
    before, confirm = len(studio.images()), "/guarantee/identity/confirm"
    for side, whose in (("front", wang), ("back", neighbour)):
        form = guarantor.page.form(f"/guarantee/identity/{side}")
        await guarantor.send(form, image=photograph(whose, side))
    refused = await guarantor.send(guarantor.page.form(confirm))
    assert refused.status_code == 422
    assert "签发机关是乙县的，住址在甲县，对不上" in guarantor.words
    assert "请把两面重新拍一次" in guarantor.words
    assert confirm not in guarantor.reply.text, "nothing of the old pictures is shown"
    assert len(studio.images()) == before
    for side in ("front", "back"):
        form = guarantor.page.form(f"/guarantee/identity/{side}")
        await guarantor.send(form, image=photograph(wang, side))
    await guarantor.send(guarantor.page.form(confirm), issuer="乙县公安局")
    assert guarantor.page.form(confirm).values["issuer"] == "乙县公安局", "mended in place"
    await guarantor.send(guarantor.page.form(confirm), issuer=wang.authority)
    assert guarantor.path == "/guarantee/phone", guarantor.words


async def test_withdrawn_while_the_guarantor_is_on_it_stops_them_and_another_may_be_asked(
    studio: Studio, phone: Phone, zhang: Person, wang: Person
) -> None:
    number = await approved(studio, phone, zhang)
    guarantor = studio.phone()
    await to_promise(studio, guarantor, await link(phone, number), wang)
    form = guarantor.page.form("/guarantee/confirm")
    await phone.get(f"/my/{number}/guarantors")
    assert "正在看" in phone.words
    await phone.send(phone.page.form("/withdraw"))
    with clock.at(clock.now() + timedelta(seconds=16)):
        await guarantor.send(form, agree="yes")
    assert "链接收回了" in guarantor.words
    [gone] = await of_case(studio, number)
    assert (gone.status, gone.why) == ("withdrawn", "borrower_withdrew")
    async with studio.context.db.read(system("4101", "test")) as tx:
        assert gone.guarantor_id is not None
        standing = [c.purpose for c in await consents.given(tx, gone.guarantor_id) if not c.withdrawn_at]
        application = await applications.get(tx, gone.application_id)
        assert await applications.latest_capture(tx, application, "id_front", gone.id) is not None
    assert set(standing) == {Purpose.IDENTITY_CHECK, Purpose.LIVENESS}
    again = await link(phone, number)
    assert again.startswith("/g/4101/")
    assert len(await of_case(studio, number)) == 2


async def test_a_link_past_its_day_is_dead_before_and_after_the_timetable_has_seen_it(
    studio: Studio, phone: Phone, zhang: Person
) -> None:
    number = await approved(studio, phone, zhang)
    path, guarantor = await link(phone, number), studio.phone()
    await guarantor.get(path)
    form = guarantor.page.form(path)
    with clock.at(clock.now() + timedelta(hours=73)):
        await guarantor.send(form, answer="yes")
        assert guarantor.reply.status_code == 404
        await guarantor.get(path)
        assert guarantor.reply.status_code == 404
        assert await expire_guarantees.expire_guarantees(studio.context) == 1
        assert await expire_guarantees.expire_guarantees(studio.context) == 0
    assert [g.status for g in await of_case(studio, number)] == ["expired"]


async def test_a_refusal_needs_no_reason_and_tells_the_borrower_nothing_but_that(
    studio: Studio, phone: Phone, zhang: Person, wang: Person
) -> None:
    number = await approved(studio, phone, zhang)
    guarantor = studio.phone()
    await to_promise(studio, guarantor, await link(phone, number), wang)
    await guarantor.send(guarantor.page.form("/guarantee/refuse"))
    assert "没有担保" in guarantor.words
    await phone.get(f"/my/{number}/guarantors")
    assert "没有办成" in phone.words
    assert wang.name[0] + "*" not in phone.words
    assert "不愿意" not in phone.words
    await studio.drain()
    [told] = [e for e in await studio.ledger("sms") if "guarantor_refused" in str(e)]
    assert wang.name not in str(told)


@pytest.mark.parametrize(
    ("more", "why"),
    [
        ({"profile": {"bureau_overdue_amount": 120_000}}, "own_overdue"),
        ({"identity": "mismatch"}, "identity"),
    ],
)
async def test_what_others_know_of_the_guarantor_ends_it_without_telling_the_borrower(
    studio: Studio, phone: Phone, zhang: Person, wang: Person, more: dict[str, object], why: str
) -> None:
    number = await approved(studio, phone, zhang)
    guarantor = studio.phone()
    await to_promise(studio, guarantor, await link(phone, number), wang, **more)
    await promise(guarantor)
    assert "您不能做" in guarantor.words, guarantor.words
    assert [(g.status, g.why) for g in await of_case(studio, number)] == [("refused", why)]
    await phone.get(f"/my/{number}/guarantors")
    assert "逾期。" not in phone.words
    assert "没有办成" in phone.words


async def test_every_end_of_a_guarantors_face_check_is_an_event_and_in_the_audit_chain(
    studio: Studio, phone: Phone, zhang: Person, wang: Person
) -> None:
    """A5-04: also one that was not passed."""
    number = await approved(studio, phone, zhang)
    guarantor = studio.phone()
    await known(studio, wang)
    await take_up(guarantor, await link(phone, number))
    await card(guarantor, wang)
    await proof(guarantor, wang.phone)
    for outcome in ("failed", "cancelled", "passed"):
        await guarantor.get("/guarantee/liveness")
        await face(guarantor, outcome)
    async with studio.context.db.read(system("4101", "test")) as tx:
        case = await applications.by_number(tx, number)
        events = [e.event for e in await applications.events(tx, case.id) if "_face_" in e.event]
        acts = [e.action for e in await audit.of(tx, number) if "_face_" in e.action]
    said = ["started", "failed", "started", "cancelled", "started", "passed"]
    assert events == [f"guarantor_face_{each}" for each in said]
    assert acts[::-1] == [f"application.{each}" for each in events]


@pytest.mark.parametrize("system_name", ["identity_check", "credit_bureau"])
async def test_a_system_that_refuses_how_we_ask_does_not_end_the_guarantee(
    studio: Studio, phone: Phone, zhang: Person, wang: Person, system_name: str
) -> None:
    """A8-12: our own bad signature or licence is no answer about the person; they may try again."""
    number = await approved(studio, phone, zhang)
    guarantor = studio.phone()
    await to_promise(studio, guarantor, await link(phone, number), wang)
    await studio.fault(system_name, "*", "status", status=403, body={"code": "licence_expired"})
    await promise(guarantor)
    assert guarantor.reply.status_code == 503
    assert [g.status for g in await of_case(studio, number)] == ["opened"]
    await guarantor.get("/guarantee/confirm")
    await promise(guarantor)
    assert [g.status for g in await of_case(studio, number)] == ["confirmed"], guarantor.words


@pytest.mark.parametrize(
    ("more", "source"),
    [
        ({"profile": {"bureau_overdue_amount": None}}, "credit_bureau"),
        ({"identity": "not_found"}, "identity_check"),
    ],
)
async def test_what_nobody_knows_ends_no_guarantee_and_is_asked_again_the_next_day(
    studio: Studio, phone: Phone, zhang: Person, wang: Person, more: dict[str, object], source: str
) -> None:
    """A8-12: a report without the amount, or a register without the person, says nothing against them."""
    number = await approved(studio, phone, zhang)
    guarantor = studio.phone()
    await to_promise(studio, guarantor, await link(phone, number), wang, **more)
    for _ in range(2):
        await promise(guarantor)
        assert guarantor.reply.status_code == 503
        assert "明天再来" in guarantor.words
        assert guarantor.page.form("/guarantee/confirm"), "said on the page itself"
        assert [g.status for g in await of_case(studio, number)] == ["opened"]
        await guarantor.get("/guarantee/confirm")
    async with studio.context.db.read(system("4101", "test")) as tx:
        case = (await applications.by_number(tx, number)).id
        told = await story.told(tx, await applications.events(tx, case))
    asked = [row for row in await studio.ledger(source) if row["case"] == case]
    assert len(asked) == 2, "the borrower's question, and one of the guarantor"
    assert any(each.text.startswith("保证人的核对还没有结果") for each in told)
    await known(studio, wang)
    with clock.at(clock.now() + timedelta(days=1)):
        await guarantor.get("/guarantee/confirm")
        await promise(guarantor)
    assert [g.status for g in await of_case(studio, number)] == ["confirmed"], guarantor.words


@pytest.mark.parametrize(
    ("key", "value", "why"),
    [("guarantee.most_borrowers", "0", "too_many"), ("guarantee.most_amount", "100000", "too_much")],
)
async def test_somebody_who_answers_for_enough_already_is_refused_by_the_dated_rule(
    studio: Studio, phone: Phone, zhang: Person, wang: Person, owner: asyncpg.Connection,
    key: str, value: str, why: str,
) -> None:  # fmt: skip
    number = await approved(studio, phone, zhang)
    guarantor = studio.phone()
    await to_promise(studio, guarantor, await link(phone, number), wang)
    await owner.execute("update regulation.parameters set value = $2 where key = $1", key, value)
    await promise(guarantor)
    assert "上限" in guarantor.words
    assert [(g.status, g.why) for g in await of_case(studio, number)] == [("refused", why)]


async def test_a_colleague_of_the_bank_is_no_guarantor(
    studio: Studio, phone: Phone, zhang: Person, wang: Person, owner: asyncpg.Connection
) -> None:
    number = await approved(studio, phone, zhang)
    guarantor = studio.phone()
    await to_promise(studio, guarantor, await link(phone, number), wang)
    await owner.execute("update identity.staff set phone = $1 where staff_no = 'JX0427'", wang.phone)
    await promise(guarantor)
    assert [g.why for g in await of_case(studio, number)] == ["staff"]


async def test_two_confirmations_of_one_person_at_once_do_not_pass_the_limit_together(
    studio: Studio, phone: Phone, zhang: Person, wang: Person, zhao: Person, owner: asyncpg.Connection
) -> None:
    """Two borrowers ask the same person; the second word waits for the first and is counted with it."""
    await owner.execute("update regulation.parameters set value = '1' where key = 'guarantee.most_borrowers'")
    roads = []
    for borrower in (zhang, zhao):
        theirs, guarantor = studio.phone(), studio.phone()
        number = await approved(studio, theirs, borrower)
        with clock.at(clock.now() + timedelta(minutes=2 * len(roads))):
            await to_promise(studio, guarantor, await link(theirs, number), wang)
        roads.append((number, guarantor))
    with clock.at(clock.now() + timedelta(minutes=3)):
        forms = [(g, g.page.form("/guarantee/confirm")) for _, g in roads]
        await asyncio.gather(*(g.send(form, agree="yes") for g, form in forms))
    ended = sorted([(await of_case(studio, number))[0].status for number, _ in roads])
    assert ended == ["confirmed", "refused"]


async def test_two_borrowers_do_not_answer_for_each_other(
    studio: Studio, phone: Phone, zhang: Person, zhao: Person
) -> None:
    """互相担保: the rules look at circles when a case is decided, and a guarantee comes after that."""
    theirs = studio.phone()
    mine, other = await approved(studio, phone, zhang), await approved(studio, theirs, zhao)
    first, second = studio.phone(), studio.phone()
    await to_promise(studio, first, await link(phone, mine), zhao)
    await promise(first)
    assert [g.status for g in await of_case(studio, mine)] == ["confirmed"], first.words
    with clock.at(clock.now() + timedelta(minutes=2)):
        await to_promise(studio, second, await link(theirs, other), zhang)
        await promise(second)
    assert "互相担保" in second.words
    assert [(g.status, g.why) for g in await of_case(studio, other)] == [("refused", "circle")]


async def test_no_more_links_than_wanted_even_at_once(studio: Studio, phone: Phone, zhang: Person) -> None:
    number = await approved(studio, phone, zhang)
    action = f"/my/{number}/guarantors"
    await phone.get(action)
    form, ticks = phone.page.form(action), phone.ticks(action)
    replies = await asyncio.gather(
        *(phone.http.post(action, data=anew(form).filled(**ticks)) for _ in range(3))
    )
    assert sorted(reply.status_code for reply in replies) == [303, 409, 409]
    assert len(await of_case(studio, number)) == 1


async def test_without_the_guarantors_word_nothing_is_handed_over_by_any_way(
    studio: Studio, phone: Phone, zhang: Person
) -> None:
    number = await approved(studio, phone, zhang)
    [asked_of] = [a for a in await studio.all_applications() if a.application_no == number]
    for path in ("disclosure", "hand-off"):
        await phone.get(f"/my/{number}/{path}")
        assert phone.path != f"/my/{number}/{path}"
    [now] = [a for a in await studio.all_applications() if a.application_no == number]
    assert now.status == "approved"
    assert asked_of.id == now.id


async def test_a_cancelled_case_releases_who_answered_for_it(
    studio: Studio, phone: Phone, zhang: Person, wang: Person
) -> None:
    number = await approved(studio, phone, zhang)
    guarantor = studio.phone()
    await to_promise(studio, guarantor, await link(phone, number), wang)
    await promise(guarantor)
    await phone.get(f"/my/{number}")
    await phone.send(phone.page.form("/cancel"))
    [given] = await of_case(studio, number)
    assert (given.status, given.why) == ("released", "case_ended")
    async with studio.context.db.read(system("4101", "test")) as tx:
        assert given.guarantor_id is not None
        assert (await guarantees.exposure(tx, given.guarantor_id)).amount_fen == 0
    await guarantor.get("/guarantee")
    assert "担保已经解除" in guarantor.words


async def test_the_guarantors_session_opens_nothing_of_the_borrowers(
    studio: Studio, phone: Phone, zhang: Person, wang: Person
) -> None:
    number = await approved(studio, phone, zhang)
    guarantor = studio.phone()
    await to_promise(studio, guarantor, await link(phone, number), wang)
    for path in (f"/my/{number}", f"/my/{number}/guarantors", f"/my/{number}/consents"):
        await guarantor.get(path)
        assert guarantor.reply.status_code == 404
    guarantor.http.cookies.set("customer", guarantor.http.cookies["guarantor"])
    await guarantor.get(f"/my/{number}")
    assert guarantor.reply.status_code == 404, "nor does it as a customer's cookie"


async def test_a_borrower_who_takes_the_consent_back_closes_the_link(
    studio: Studio, phone: Phone, zhang: Person
) -> None:
    number = await approved(studio, phone, zhang)
    path = await link(phone, number)
    await phone.get(f"/my/{number}/consents")
    await phone.send(phone.page.form("/guarantor_share/withdraw"))
    guarantor = studio.phone()
    await guarantor.get(path)
    assert guarantor.reply.status_code == 404


async def test_a_link_of_another_county_and_a_made_up_one_are_the_same_nothing(
    studio: Studio, phone: Phone, zhang: Person
) -> None:
    number = await approved(studio, phone, zhang)
    path, guarantor = await link(phone, number), studio.phone()
    for wrong in (path.replace("4101", "4102"), path[:-1], "/g/4101/x", "/g/9999/x"):
        await guarantor.get(wrong)
        assert guarantor.reply.status_code == 404, wrong


async def test_who_wants_no_face_check_is_seen_in_person_and_still_gives_the_word_alone(
    studio: Studio, phone: Phone, zhang: Person, wang: Person, owner: asyncpg.Connection
) -> None:
    number = await approved(studio, phone, zhang)
    guarantor = studio.phone()
    await known(studio, wang)
    await take_up(guarantor, await link(phone, number))
    await card(guarantor, wang)
    await proof(guarantor, wang.phone)
    await guarantor.get("/guarantee/liveness/other-way")
    assert "当面核对" in guarantor.words
    await guarantor.get("/guarantee/confirm")
    assert guarantor.path == "/guarantee/liveness", "nobody says of themself that they were seen"
    [asked] = await of_case(studio, number)
    reviewer = Actor("staff", staff_id("4101", 4), "4101", frozenset({"reviewer"}), "陈审")
    officer = Actor("staff", staff_id("4101", 1), "4101", frozenset({"officer", "county_admin"}), "李四")
    brought = "update applications.applications set officer_id = $2 where id = $1"
    await owner.execute(brought, asked.application_id, officer.id)
    with pytest.raises(NotYoursToSee):
        await see_guarantor.see_guarantor(studio.context, officer, asked.id)
    await see_guarantor.see_guarantor(studio.context, reviewer, asked.id)
    await see_guarantor.see_guarantor(studio.context, reviewer, asked.id)
    async with studio.context.db.read(system("4101", "test")) as tx:
        events = [e.event for e in await applications.events(tx, asked.application_id)]
    assert events.count("guarantor_seen") == 1
    await guarantor.get("/guarantee")
    assert guarantor.path == "/guarantee/confirm"
    await promise(guarantor)
    [given] = await of_case(studio, number)
    assert (given.status, given.liveness) == ("confirmed", "seen")


async def test_what_a_guarantor_answers_for_is_a_fact_of_their_own_application(
    studio: Studio, phone: Phone, zhang: Person, wang: Person
) -> None:
    number = await approved(studio, phone, zhang)
    guarantor = studio.phone()
    await to_promise(studio, guarantor, await link(phone, number), wang)
    await promise(guarantor)
    [given] = await of_case(studio, number)
    own = studio.phone()
    await studio.draft_at(own, "details", wang)
    await own.get("/apply/details")
    await own.hand_in(income="120k_200k", amount="30000")
    await studio.drain()
    [theirs] = [a for a in await studio.all_applications() if a.customer_id == given.guarantor_id]
    async with studio.context.db.read(system("4101", "test")) as tx:
        recorded = await decisions.latest_for(tx, theirs.id)
    assert recorded is not None
    facts = recorded.opened.case.sources["own_records"].facts
    assert facts["own_guarantee_balance"] == given.amount_fen


async def test_staff_see_who_answers_masked_and_the_officer_what_is_missing(
    studio: Studio, phone: Phone, zhang: Person, wang: Person, owner: asyncpg.Connection
) -> None:
    number = await approved(studio, phone, zhang)
    await owner.execute("update applications.applications set officer_id = $1", staff_id("4101", 1))
    web = httpx.AsyncClient(
        transport=httpx.ASGITransport(studio.app), base_url=studio.context.settings.public_base
    )
    road = Road(studio.context, studio.control, web, studio.world)
    officer, reviewer = await Desk(road).sign_in("JX0427"), await Desk(road).sign_in("JX0201")
    await officer.get("/studio")
    assert "还差 1 位保证人确认" in officer.words
    guarantor = studio.phone()
    await to_promise(studio, guarantor, await link(phone, number), wang)
    await promise(guarantor)
    await reviewer.get(f"/console/cases/{number}")
    assert f"{wang.name[0]}*" in reviewer.words
    assert "保证人已确认" in reviewer.words
    for whole in (wang.name, wang.id_number, wang.phone):
        assert whole not in reviewer.reply.text
    await officer.get("/studio")
    assert "等客户看明示表" in officer.words
    for client in (web, officer.http, reviewer.http):
        await client.aclose()


async def test_the_example_of_what_it_costs_is_no_more_than_the_line(
    studio: Studio, phone: Phone, zhang: Person
) -> None:
    await known(studio, zhang)
    await studio.draft_at(phone, "details", zhang)
    await phone.get("/apply/details")
    await phone.hand_in(income="120k_200k", amount="5000")
    number = phone.path.split("/")[2]
    await studio.drain()
    await phone.get(f"/my/{number}")
    assert "借 5,000 元，用 30 天" in phone.words, phone.words
