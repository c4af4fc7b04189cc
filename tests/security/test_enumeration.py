"""Nobody finds out whose phone or ID number we know: not by words, not by how much work an answer took."""

from datetime import timedelta

import pytest

from backend.core import clock
from backend.domains.applications.model import Application
from backend.flows import resume_application
from backend.sandbox.specimens.people import Person
from tests.h5.customer.conftest import Phone, Studio


async def test_a_guess_at_the_page_that_finds_applications_looks_nobody_up(
    studio: Studio, phone: Phone, zhang: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A look-up takes time that only a known phone costs; guesses are free, so it could be measured."""
    await studio.draft_at(phone, "details", zhang)
    looked_up: list[str] = []
    newest = resume_application._newest

    async def watched(context: object, number: str) -> Application | None:
        looked_up.append(number)
        return await newest(context, number)  # type: ignore[arg-type]

    monkeypatch.setattr(resume_application, "_newest", watched)
    stranger = studio.phone()
    await stranger.get("/resume")
    for number in (zhang.phone, "13900000000"):
        refused = await stranger.send(stranger.page.form("/resume"), phone=number, code="123456")
        assert refused.status_code == 422
    assert looked_up == []
    with clock.at(clock.now() + timedelta(seconds=61)):
        code = await stranger.code(zhang.phone, "/resume")
        form = stranger.page.form("/resume")
        await stranger.send(form, phone=zhang.phone, code=code)
        assert (stranger.path, looked_up) == ("/apply/details", [zhang.phone])
        first = stranger.http.cookies["customer"]
        await stranger.send(form, phone=zhang.phone, code=code)
        assert (stranger.path, stranger.http.cookies["customer"]) == ("/apply/details", first), "tapped twice"
    with clock.at(clock.now() + timedelta(hours=1)):
        stranger.http.cookies.delete("customer")
        await stranger.send(form, phone=zhang.phone, code=code)
        assert (stranger.path, "customer" in stranger.http.cookies) == ("/resume", False), (
            "used: opens nothing"
        )
