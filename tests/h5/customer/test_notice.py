"""A page asks for one subscription notice, in WeChat only, and the ledger hears of it from WeChat only (N17)."""

import asyncio
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from msgspec.structs import replace

from backend.core import clock
from backend.core.actor import everywhere, system
from backend.domains.applications import service as applications
from backend.domains.applications.model import Application
from backend.domains.channels import grants
from backend.domains.customers import service as customers
from backend.flows import invite_notice, notify, remind_due
from backend.jobs import worker
from backend.sandbox.forms import PageReader
from h5.customer import notice
from tests.bot import people
from tests.bot.conftest import World, id_number, world
from tests.bot.test_binding import AGENT, Browser

__all__ = ["id_number", "world"]

OPENID = "oZhangSan0001"
JIA = system("4101", "test")
ASKED = sorted(invite_notice.MOMENTS)


async def case(world: World, id_number: str, status: str = "referred") -> Application:
    customer_id = await people.customer(world.db, id_number)
    made = await people.application(world.db, customer_id, status)
    await people.bind(world.db, OPENID, customer_id)
    return made


async def opened(world: World, made: Application, openid: str = OPENID) -> httpx.Response:
    return await Browser(world, openid).get(f"/my/{made.application_no}")


async def part(world: World, made: Application, url: str = "", agent: str = AGENT) -> httpx.Response:
    """What the open page asks for a moment later."""
    address = f"{world.settings.public_base}/my/{made.application_no}"
    return await world.web.get(
        f"/my/{made.application_no}/notice",
        headers={"User-Agent": agent, "HX-Request": "true", "HX-Current-URL": url or address},
    )


def asks(page: httpx.Response) -> bool:
    assert page.status_code == 200
    asked = "/notice" in "".join(PageReader(page.text).polls)
    assert asked == ("weixin-js-sdk" in page.text) == ("js/notice." in page.text)
    return asked


async def left(world: World) -> dict[str, int]:
    async with world.db.read(everywhere("test")) as tx:
        return await grants.left(tx, OPENID)


async def told(world: World, made: Application, card: PageReader, outcome: str) -> httpx.Response:
    form = card.form("/notice")
    given = form.filled(template=world.settings.wechat_progress_template, outcome=outcome)
    return await world.web.post(form.action, data=given, headers={"User-Agent": AGENT})


async def verified(world: World, card: dict[str, str], url: str) -> dict[str, Any]:
    """What WeChat's browser says to the page that `url` names."""
    check = {
        "app_id": card["data-app-id"],
        "timestamp": card["data-timestamp"],
        "nonce": card["data-nonce"],
        "signature": card["data-signature"],
        "url": url,
        "tags": ["wx-open-subscribe", "wx-open-launch-app"],
    }
    return dict((await world.sandbox.post(f"/phone/{OPENID}/open-tag/verify", json=check)).json())


@pytest.mark.parametrize("status", sorted(people.ROAD.keys() - {"draft"}))
async def test_the_page_asks_where_a_notice_is_still_to_come(
    world: World, id_number: str, status: str
) -> None:
    made = await case(world, id_number, status)
    assert asks(await opened(world, made)) == (status in ASKED)
    if status in ASKED:
        card = PageReader((await part(world, made)).text).marked["notice"]
        assert "微信告诉我一声" in card["data-button"]
        assert "hidden" in card
    else:
        assert (await part(world, made)).status_code == 204


async def test_another_browser_than_wechats_is_asked_nothing(world: World, id_number: str) -> None:
    made = await case(world, id_number)
    await opened(world, made)  # keeps who this is
    plain = await world.web.get(f"/my/{made.application_no}", headers={"User-Agent": "Chrome/116"})
    assert not asks(plain)
    assert (await part(world, made, agent="Chrome/116")).status_code == 204


async def test_the_signature_counts_for_this_page_and_no_other(world: World, id_number: str) -> None:
    made = await case(world, id_number)
    await opened(world, made)
    url = f"{world.settings.public_base}/my/{made.application_no}"
    with_query = f"{url}?from=singlemessage&isappinstalled=0"
    card = PageReader((await part(world, made, with_query + "#top")).text).marked["notice"]
    assert await verified(world, card, with_query) == {"problem": "", "tags": ["wx-open-subscribe"]}
    assert (await verified(world, card, url))["problem"] == "fail_invalid signature"
    assert (await verified(world, card | {"data-app-id": "wx_other"}, with_query))["problem"]
    with clock.at(clock.now().replace(year=clock.now().year + 1)):
        assert (await verified(world, card, with_query))["problem"] == "fail_invalid signature"


@pytest.mark.parametrize(
    "url", ["http://evil.example/x", "/my/1", "{base}/", "{base}/my/{number}/consents", "::"]
)
async def test_nothing_is_signed_for_another_page(world: World, id_number: str, url: str) -> None:
    made = await case(world, id_number)
    await opened(world, made)
    given = url.format(base=world.settings.public_base, number=made.application_no)
    assert (await part(world, made, given)).status_code == 204


async def test_a_foreign_host_in_the_header_signs_our_own_address(world: World, id_number: str) -> None:
    made = await case(world, id_number)
    await opened(world, made)
    answer = await part(world, made, f"http://evil.example/my/{made.application_no}")
    card = PageReader(answer.text).marked["notice"]
    assert (await verified(world, card, f"http://evil.example/my/{made.application_no}"))["problem"]
    assert not (await verified(world, card, f"{world.settings.public_base}/my/{made.application_no}"))[
        "problem"
    ]


async def test_only_wechats_own_event_raises_the_ledger_and_once(world: World, id_number: str) -> None:
    made = await case(world, id_number)
    await opened(world, made)
    card = PageReader((await part(world, made)).text)
    template = world.settings.wechat_progress_template
    for _ in range(3):
        assert (await told(world, made, card, "accept")).status_code == 204
    assert await left(world) == {}
    answer = {"template_ids": [template], "outcome": "accept"}
    said = (await world.sandbox.post(f"/phone/{OPENID}/open-tag/answer", json=answer)).json()
    assert (said["errMsg"], said["subscribeDetails"]) == ("subscribe:ok", f'{{"{template}":"accept"}}')
    await world.settle()
    assert (await told(world, made, card, "accept")).status_code == 204
    assert await left(world) == {template: 1}
    world.web.cookies.delete("notice")
    assert not asks(await opened(world, made)), "a grant is left"
    assert (await part(world, made)).status_code == 204


@pytest.mark.parametrize("outcome", sorted(notice.SILENT_SECONDS))
async def test_after_any_answer_the_visit_is_not_asked_again(
    world: World, id_number: str, outcome: str
) -> None:
    made = await case(world, id_number)
    assert asks(await opened(world, made))
    reply = await told(world, made, PageReader((await part(world, made)).text), outcome)
    [cookie] = [one for one in reply.headers.get_list("set-cookie") if one.startswith("notice=")]
    assert f"Max-Age={notice.SILENT_SECONDS[outcome]}" in cookie
    assert "HttpOnly" in cookie
    assert not asks(await opened(world, made))
    assert (await part(world, made)).status_code == 204
    assert await left(world) == {}


async def test_a_refused_sheet_and_a_closed_one_give_no_grant(world: World, id_number: str) -> None:
    await case(world, id_number)
    for outcome in ("reject", "cancel"):
        given = {"template_ids": [world.settings.wechat_progress_template], "outcome": outcome}
        await world.sandbox.post(f"/phone/{OPENID}/open-tag/answer", json=given)
        await world.settle()
    assert await left(world) == {}


async def test_an_account_that_is_not_this_persons_is_not_asked(world: World, id_number: str) -> None:
    """The notice would go to the bound account; a grant of another one is worth nothing (A11-02)."""
    made = await case(world, id_number)
    for openid in (None, "oSomebodyElse"):
        assert not await invite_notice.worth_asking(world.context, JIA, made, openid)
    assert await invite_notice.worth_asking(world.context, JIA, made, OPENID)


async def test_who_wants_no_reminder_of_due_dates_is_not_asked_for_a_grant_of_one(
    world: World, id_number: str
) -> None:
    drawn = await case(world, id_number, "drawn")
    assert await invite_notice.worth_asking(world.context, JIA, drawn, OPENID)
    assert drawn.customer_id
    async with world.db.begin(JIA) as tx:
        await customers.choose_notice(tx, drawn.customer_id, remind_due.TOPIC, refused=True)
    assert not await invite_notice.worth_asking(world.context, JIA, drawn, OPENID)


async def test_without_a_template_nothing_is_asked(world: World, id_number: str) -> None:
    made = await case(world, id_number)
    bare = replace(world.context, settings=replace(world.settings, wechat_progress_template=""))
    assert not await invite_notice.worth_asking(bare, JIA, made, OPENID)


async def test_the_page_opens_and_asks_nothing_while_wechat_gives_no_ticket(
    world: World, id_number: str
) -> None:
    made = await case(world, id_number)
    fault = {"system": "wechat", "operation": "cgi-bin/ticket/getticket", "fault": "status", "times": 50}
    await world.sandbox.post("/control/faults", json=fault)
    assert asks(await opened(world, made))
    assert (await part(world, made)).status_code == 204


async def test_many_pages_at_once_fetch_one_ticket(world: World, id_number: str) -> None:
    made = await case(world, id_number)
    await opened(world, made)
    slow = {"system": "wechat", "operation": "cgi-bin/ticket/getticket", "fault": "delay", "times": 50}
    await world.sandbox.post("/control/faults", json={**slow, "args": {"seconds": 0.2}})
    answers = await asyncio.gather(*(part(world, made) for _ in range(8)))
    assert {answer.status_code for answer in answers} == {200}
    [fault] = (await world.sandbox.get("/control/faults")).json()
    assert fault["hit"] == 1
    signed = {PageReader(answer.text).marked["notice"]["data-signature"] for answer in answers}
    assert len(signed) == 8, "every page has a nonce of its own"


async def test_somebody_elses_case_is_not_there(world: World, id_number: str) -> None:
    made = await case(world, id_number)
    await Browser(world, "oSomebodyElse").get("/resume")
    assert (await part(world, made)).status_code == 404


async def test_a_result_goes_by_the_grant_and_the_next_by_sms(world: World, id_number: str) -> None:
    """The whole of it: the page asks, the person allows, the notice comes; used up, the SMS takes over."""
    made = await case(world, id_number, "referred")
    await opened(world, made)
    template = PageReader((await part(world, made)).text).marked["notice"]["data-template"]
    given = {"template_ids": [template], "outcome": "accept"}
    await world.sandbox.post(f"/phone/{OPENID}/open-tag/answer", json=given)
    await world.settle()
    await _announced(world, made)
    assert await left(world) == {template: 1}, "not spent on saying that a person looks at it"
    async with world.db.begin(JIA) as tx:
        made = await applications.move(tx, made, "declined", "test")
    await _announced(world, made)
    [shown] = await world.phone(OPENID).inbox("subscription")
    assert shown["body"]["fields"]["phrase2"] == "未通过"
    assert urlsplit(shown["body"]["url"]).path == f"/my/{made.application_no}"
    assert await left(world) == {}
    again = await people.application(world.db, str(made.customer_id), "declined")
    await _announced(world, again)
    assert len(await world.phone(OPENID).inbox("subscription")) == 1
    messages = (await world.sandbox.get(f"/control/sms/{people.PHONE}")).json()
    assert {m["template"] for m in messages} == {"application_referred", "application_declined"}
    [declined] = [m for m in messages if m["template"] == "application_declined"]
    assert again.application_no in declined["text"]


async def _announced(world: World, made: Application) -> None:
    async with world.db.begin(JIA) as tx:
        await notify.announce(tx, made)
    await worker.drain(world.context)
    await world.settle()
