"""How much the road asks of a person and of a weak network, and how long we keep what was left."""

import gzip
import os
from datetime import timedelta

import asyncpg

from backend.core import clock
from backend.flows import destroy_old_images, give_up_drafts
from backend.sandbox.specimens.people import Person
from backend.web import templates
from tests.h5.customer.conftest import Phone, Studio


async def test_screens_taps_and_digits_of_the_whole_road(studio: Studio, phone: Phone, zhang: Person) -> None:
    """≤6 screens, ≤20 taps, ≤17 typed digits (issue §3), counted on the pages as they come."""
    screens, taps, digits, sizes = [], 0, 0, {}

    def arrived() -> None:
        sizes[phone.path] = max(sizes.get(phone.path, 0), len(gzip.compress(phone.reply.content, 6)))
        if phone.path not in screens:
            screens.append(phone.path)

    await phone.get(f"/q/{(await studio.tokens())['柳林花木群']}")
    arrived()
    await phone.send(phone.page.form("/apply/start"))
    taps += 1
    arrived()
    await phone.photograph(zhang)
    taps += 4  # each side: the frame, the shutter
    arrived()
    await phone.confirm(zhang)
    taps += 1
    arrived()
    code = await phone.code(zhang.phone)
    taps += 1
    digits += len(zhang.phone) + len(code)
    ticks = phone.ticks(without="marketing")
    await phone.send(phone.page.form("/apply/consents"), phone=zhang.phone, code=code, **ticks)
    taps += len(ticks) + 1
    arrived()
    taps += len(phone.ticks("/apply/liveness")) + 1
    await phone.face()
    arrived()
    form = phone.page.form("/apply/submit")
    given = {"purpose": "", "income": "80k_120k", "amount": "30000", "village": ""}
    asked = [name for name in given if not form.values.get(name)]
    assert "village" not in asked, "the card or the code brings the village"
    taps += len(asked) + 1
    await phone.hand_in(income="80k_120k", amount="30000")
    arrived()
    screens = [path for path in screens if not path.startswith("/my/")]
    assert len(screens) <= 6, screens
    assert taps <= 20, taps
    assert digits <= 17, digits
    assert max(sizes.values()) <= 5_000, sizes


async def test_the_landing_with_all_it_loads_is_at_most_60_kb(studio: Studio, phone: Phone) -> None:
    await phone.get(f"/q/{(await studio.tokens())['柳林花木群']}")
    files, html = templates.files(), phone.reply.text
    loaded = [name for name in files._urls if files.url(name) in html]
    assert "customer.css" in loaded
    total = len(gzip.compress(phone.reply.content, 6)) + sum(files.packed_size(name) for name in loaded)
    assert total <= 60_000, total


async def test_a_photograph_older_than_a_day_is_destroyed(
    studio: Studio, phone: Phone, zhang: Person
) -> None:
    await phone.start()
    await phone.photograph(zhang)
    orphan = studio.images()[0].with_name("left-over-from-a-crash")
    orphan.write_bytes(b"sealed")
    for path in studio.images():
        os.utime(path, (clock.now().timestamp(), clock.now().timestamp()))
    await destroy_old_images.destroy_old_images(studio.context)
    assert len(studio.images()) == 3
    with clock.at(clock.now() + timedelta(hours=25)):
        await destroy_old_images.destroy_old_images(studio.context)
    assert studio.images() == []
    await phone.get("/apply/identity")
    assert "拍一下身份证" in phone.words, "both sides are taken again"


async def test_a_draft_left_for_ninety_days_is_given_up_and_leads_to_nobody(
    studio: Studio, phone: Phone, zhang: Person, owner: asyncpg.Connection
) -> None:
    await phone.to_details(zhang)
    with clock.at(clock.now() + timedelta(days=89)):
        await give_up_drafts.give_up_drafts(studio.context)
    [application] = await studio.all_applications()
    assert application.status == "draft"
    with clock.at(clock.now() + timedelta(days=91)):
        await give_up_drafts.give_up_drafts(studio.context)
    [application] = await studio.all_applications()
    assert (application.status, application.customer_id) == ("abandoned", None)
    rows = await owner.fetch("select reading, confirmed from applications.captures")
    assert all(row["reading"] is None and row["confirmed"] is None for row in rows)
