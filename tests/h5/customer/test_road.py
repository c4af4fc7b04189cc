"""The customer's road through the pages, without JavaScript: every step, every turn, every stop."""

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
