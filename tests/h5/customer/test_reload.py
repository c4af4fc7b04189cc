"""Back, reload and typed addresses: always a page of ours, at the step where one stands (A3-05)."""

import pytest

from backend.sandbox.specimens.people import Person
from h5.customer import reloaded
from tests.h5.customer.conftest import Phone, Studio
from tests.security.conftest import routes_of

ONLY_FORMS = sorted(path for path in reloaded.lead_on.paths if path.startswith("/apply/"))


def test_every_address_of_the_road_that_forms_are_sent_to_can_be_opened(studio: Studio) -> None:
    road = [route for route in routes_of(studio.app) if route.path.startswith(("/apply", "/my", "/resume"))]
    sent, opened = ({r.path for r in road if r.method == method} for method in ("POST", "GET"))
    assert ONLY_FORMS
    assert sent <= opened


@pytest.mark.parametrize("step", ["phone", "liveness", "details"])
async def test_an_address_only_forms_are_sent_to_leads_to_the_step_where_one_stands(
    studio: Studio, phone: Phone, zhang: Person, step: str
) -> None:
    await studio.draft_at(phone, step, zhang)
    [before] = await studio.all_applications()
    for typed in ONLY_FORMS:
        await phone.get(typed)
        assert (phone.reply.status_code, phone.path) == (200, f"/apply/{step}"), typed
    assert [before] == await studio.all_applications()


async def test_an_address_only_forms_are_sent_to_leads_on_when_there_is_no_draft(
    phone: Phone, zhang: Person
) -> None:
    for typed in (*ONLY_FORMS, "/resume/code"):
        await phone.get(typed)
        assert (phone.reply.status_code, phone.path) == (200, "/resume"), typed
    number = await phone.to_result(zhang)
    for typed, page in (
        ("cancel", ""),
        ("hand-off/code", "/hand-off"),
        ("consents/credit_query/withdraw", "/consents"),
        ("reminders", "/consents"),
    ):
        reply = await phone.http.get(f"/my/{number}/{typed}")
        assert (reply.status_code, reply.headers["location"]) == (303, f"/my/{number}{page}")


async def test_an_answer_to_a_form_says_at_which_page_it_stands(
    studio: Studio, phone: Phone, zhang: Person
) -> None:
    """The page's script puts it under that address; without it, back after a wrong code is a browser's error."""
    await studio.draft_at(phone, "phone", zhang)
    await phone.get("/apply/phone")
    assert "data-stands-at" not in phone.reply.text
    await phone.send(phone.page.form("/apply/consents"), phone=zhang.phone, code="000000")
    assert phone.reply.status_code == 422
    assert 'data-stands-at="/apply/phone"' in phone.reply.text
    assert 'name="back" value="/apply/phone"' in phone.reply.text
    refused = await phone.http.post("/my/261128000001/cancel", data={})
    assert 'data-stands-at=""' in refused.text, "the page's script asks the browser where it came from"
    refused = await phone.http.post("/apply/submit", data={})
    assert (refused.status_code, 'data-stands-at="/apply/details"' in refused.text) == (403, True)


async def test_after_the_last_wrong_code_the_button_is_named_as_it_is_called(
    studio: Studio, phone: Phone, zhang: Person
) -> None:
    await studio.draft_at(phone, "phone", zhang)
    await phone.get("/apply/phone")
    wrong = "000001" if await phone.code(zhang.phone) == "000000" else "000000"
    for _ in range(5):
        form = phone.page.form("/apply/consents")
        await phone.send(form, phone=zhang.phone, code=wrong, **phone.ticks())
    assert "验证码错了 5 次，点“再发一次”要个新的" in phone.words
    assert ">再发一次</button>" in phone.reply.text
