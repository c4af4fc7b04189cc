"""The pages of the sandbox do with forms what programs do with JSON, and let nothing foreign in."""

import io
import re
from typing import Any

import httpx
import pytest
import qrcode
from PIL import Image

from backend.sandbox import faults, specimens
from backend.sandbox.pages import office
from backend.sandbox.systems.wechat import followers
from backend.sandbox.world import World
from backend.settings import Settings
from tests.integrations.test_mobile_bank import Us, offer
from tests.sandbox.test_platform import Door

__all__ = ["offer"]
PHONE = "/phone/oPhone_000003"


class Everything(Us):
    """Our side as a whole: the bot's door, the hand-off, and a page that tells who asked for it."""

    def __init__(self, settings: Settings) -> None:
        super().__init__(settings)
        self.door = Door(settings)
        self.pages: list[httpx.Request] = []

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path
        if path == "/wechat":
            return await self.door(request)
        if path.startswith("/api/"):
            return await super().__call__(request)
        self.pages.append(request)
        if path == "/away":
            return httpx.Response(302, headers={"location": "http://127.0.0.1:8000/landed?x=1"})
        if path == "/whole":
            return httpx.Response(200, html="<!doctype html><head><title>a</title></head>")
        headers = {"set-cookie": "session=of-this-phone; HttpOnly; Path=/"}
        policy = {"content-security-policy": "default-src 'self'; frame-ancestors 'none'"}
        return httpx.Response(200, html="<p>一页</p>", headers={**headers, **policy})


@pytest.fixture
def studio(settings: Settings) -> Everything:
    return Everything(settings)


async def hold(control: httpx.AsyncClient, seed: int) -> None:
    reply = await control.post("/phone", data={"seed": str(seed)})
    assert reply.headers["location"] == f"/phone/oPhone_{seed:06d}"


async def test_taking_up_a_phone_enters_its_holder_in_the_register(
    control: httpx.AsyncClient, world: World
) -> None:
    await hold(control, 3)
    person = specimens.person(3)
    assert world.people.script(person.id_number).name == person.name
    assert person.name in (await control.get(PHONE)).text


async def test_a_text_typed_on_the_page_is_answered_in_the_chat(
    control: httpx.AsyncClient, studio: Everything
) -> None:
    await hold(control, 3)
    reply = await control.post(f"{PHONE}/do", data={"content": "进度"})
    assert reply.status_code == 303
    page = (await control.get(PHONE)).text
    assert "收到：进度" in page
    assert [message["Content"] for message in studio.door.messages] == ["进度"]


async def test_what_anybody_writes_stays_text(control: httpx.AsyncClient) -> None:
    await hold(control, 3)
    hostile = '<script>alert(1)</script><a href="javascript:alert(1)">点</a><img src=x onerror=alert(1)>'
    await control.post(f"{PHONE}/do", data={"content": hostile})
    page = (await control.get(PHONE)).text
    assert "<script>alert" not in page
    assert "<img src=x" not in page
    assert 'href="javascript:' not in page
    link = re.search(r'href="(/phone/[^"]+javascript[^"]+)"', page)
    assert link is not None
    answer = await control.get(link[1].replace("&amp;", "&"))
    assert (answer.status_code, answer.headers["location"].startswith(f"{PHONE}?said=")) == (303, True)


async def test_a_poster_is_scanned_from_its_file(control: httpx.AsyncClient, studio: Everything) -> None:
    await hold(control, 3)
    poster = Image.new("RGB", (1080, 1920), "#00703a")
    code = qrcode.make("http://127.0.0.1:8000/c/4101-A1B2").get_image().convert("RGB").resize((360, 360))
    poster.paste(code, (360, 1400))
    file = io.BytesIO()
    poster.save(file, "JPEG", quality=85)
    reply = await control.post(
        f"{PHONE}/scanner", files={"picture": ("poster.jpg", file.getvalue(), "image/jpeg")}
    )
    assert reply.headers["location"] == f"{PHONE}/browser?url=http%3A%2F%2F127.0.0.1%3A8000%2Fc%2F4101-A1B2"


async def test_a_picture_without_a_code_says_so(control: httpx.AsyncClient) -> None:
    await hold(control, 3)
    file = io.BytesIO()
    Image.new("RGB", (200, 200), "white").save(file, "PNG")
    reply = await control.post(f"{PHONE}/scanner", files={"picture": ("a.png", file.getvalue(), "image/png")})
    assert "said=" in reply.headers["location"]


async def test_the_browser_inside_asks_as_wechat_and_every_phone_has_its_own_cookies(
    control: httpx.AsyncClient, studio: Everything, world: World
) -> None:
    for seed in (3, 4):
        await hold(control, seed)
        url = "http://127.0.0.1:8000/c/4101-A1B2"
        page = await control.get(f"/phone/oPhone_{seed:06d}/browser", params={"url": url})
        assert 'src="/c/4101-A1B2"' in page.text
        inside = await control.get("/c/4101-A1B2")
        assert inside.text == "<p>一页</p>"
        assert "frame-ancestors 'self'" in inside.headers["content-security-policy"]
        assert "set-cookie" not in inside.headers
        await control.post("/apply", data={"a": "1"}, headers={"Origin": "http://127.0.0.1:9000"})
    first, _, second, _ = studio.pages
    assert "MicroMessenger" in first.headers["user-agent"]
    assert "cookie" not in first.headers
    assert "cookie" not in second.headers
    posted = studio.pages[1]
    assert posted.headers["cookie"] == "session=of-this-phone"
    assert posted.headers["origin"] == "http://127.0.0.1:8000"


async def test_a_page_meets_wechats_bridge_first_and_a_part_of_a_page_does_not(
    control: httpx.AsyncClient, studio: Everything
) -> None:
    await hold(control, 3)
    await control.get(f"{PHONE}/browser", params={"url": "http://127.0.0.1:8000/whole"})
    whole = (await control.get("/whole")).text
    assert whole.startswith('<!doctype html><head><script src="/sandbox-static/wechat_browser.js" ')
    assert 'data-openid="oPhone_000003"' in whole
    assert "MicroMessenger" in whole
    assert whole.endswith("</script><title>a</title></head>")
    part = await control.get("/whole", headers={"HX-Request": "true"})
    assert "wechat_browser" not in part.text
    assert (await control.get("/sandbox-static/wechat_browser.js")).status_code == 200


async def test_the_sheet_names_known_templates_and_tells_the_account_of_all_at_once(
    control: httpx.AsyncClient, world: World, settings: Settings, studio: Everything
) -> None:
    known = settings.wechat_progress_template
    shown = (await control.post(f"{PHONE}/open-tag/templates", json={"template_ids": [known]})).json()
    assert shown == {"error": 0, "templates": [{"id": known, "title": "申请进度通知"}]}
    for wrong in (["nobody's"], [], [known, "nobody's"]):
        body = {"template_ids": wrong}
        assert (await control.post(f"{PHONE}/open-tag/templates", json=body)).json()["error"] == 10001
    both = {"template_ids": [known, "second"], "outcome": "accept"}
    await control.post(f"{PHONE}/open-tag/answer", json=both)
    await world.idle()
    [event] = studio.door.messages
    listed = event["SubscribeMsgPopupEvent"]["List"]
    assert [one["TemplateId"] for one in listed] == [known, "second"]
    assert {one["SubscribeStatusString"] for one in listed} == {"accept"}
    assert followers.get(world, "oPhone_000003")["grants"] == {known: 1, "second": 1}


async def test_a_redirect_to_us_stays_inside_the_phone(control: httpx.AsyncClient) -> None:
    await hold(control, 3)
    await control.get(f"{PHONE}/browser", params={"url": "http://127.0.0.1:8000/away"})
    assert (await control.get("/away")).headers["location"] == "/landed?x=1"


async def test_without_an_open_browser_nothing_is_passed_on(
    control: httpx.AsyncClient, studio: Everything
) -> None:
    assert (await control.get("/c/4101-A1B2")).status_code == 404
    assert studio.pages == []


async def test_the_album_shows_the_holders_card(control: httpx.AsyncClient) -> None:
    await hold(control, 3)
    picture = await control.get(f"{PHONE}/album/front.jpg", params={"degree": "clean"})
    assert picture.headers["content-type"] == "image/jpeg"
    assert picture.content == specimens.draw_front(specimens.person(3), 3, "clean")


async def test_a_grant_given_on_the_phone_can_be_used_once(control: httpx.AsyncClient, world: World) -> None:
    await hold(control, 3)
    await control.post(f"{PHONE}/do", data={"kind": "grant", "template_id": "result"})
    assert followers.get(world, "oPhone_000003")["grants"] == {"result": 1}


async def bank(control: httpx.AsyncClient, what: str, **given: str) -> str:
    """What the person reads after tapping a button of the offer's page."""
    reply = await control.post(f"/bank/offers/a1/{what}", data=given)
    return (await control.get(reply.headers["location"]) if reply.status_code == 303 else reply).text


async def test_sign_draw_and_repay_on_the_pages(
    control: httpx.AsyncClient, clients: Any, studio: Everything, offer: Any, world: World
) -> None:
    await clients.mobile_bank.put_offer(offer, key="k1")
    await control.post("/bank/login", data={"id_number": "411701198003071234"})
    assert "随享贷" in (await control.get("/bank")).text
    assert "个人借款合同" not in (await control.get("/bank/offers/a1")).text
    assert "请先看完合同并打勾" in await bank(control, "sign")
    assert "签约完成" in await bank(control, "sign", read="1")
    assert "用款成功" in await bank(control, "draw", amount="20000")
    assert "金额写数字" in await bank(control, "draw", amount="很多")
    assert "超过了可用额度" in await bank(control, "draw", amount="40000")
    assert "下一个还款日" in (await control.get("/bank/offers/a1")).text
    part = await bank(control, "repay", loan_no="JJ0000000001", amount="5000.50")
    assert "还款成功：本金 5,000.50 元，利息 0.00 元" in part
    assert "14,999.50 元" in part
    assert "已还清" in await bank(control, "repay", loan_no="JJ0000000001", amount="")
    await world.idle()
    assert sorted(event.type for event in studio.events) == ["drawn", "repaid", "repaid", "signed"]


async def test_tapped_twice_or_loaded_again_one_drawdown_comes_of_it(
    control: httpx.AsyncClient, clients: Any, studio: Everything, offer: Any, world: World
) -> None:
    await clients.mobile_bank.put_offer(offer, key="k1")
    await control.post("/bank/login", data={"id_number": "411701198003071234"})
    await control.get("/bank/offers/a1")
    await bank(control, "sign", read="1")
    key = re.search(r'name="form_key" value="([^"]+)"', (await control.get("/bank/offers/a1")).text)
    assert key
    said = [await bank(control, "draw", amount="1000", form_key=key[1]) for _ in range(2)]
    assert said[0] == said[1] or "JJ0000000001" in said[1]
    assert "JJ0000000002" not in said[1]
    await world.idle()
    assert [event.type for event in studio.events] == ["signed", "drawn"]


async def test_the_bank_shows_nothing_to_somebody_not_logged_in(control: httpx.AsyncClient) -> None:
    reply = await control.get("/bank/offers/a1", headers={"accept": "text/html"})
    assert (reply.status_code, "请先登录" in reply.text) == (401, True)


async def test_the_deep_link_opens_the_contract_after_logging_in(
    control: httpx.AsyncClient, studio: Everything, offer: Any
) -> None:
    page = await control.get("/bank/open", params={"token": "t.o.k"})
    assert 'value="t.o.k"' in page.text
    reply = await control.post("/bank/login", data={"id_number": "411701198003071234", "token": "t.o.k"})
    assert reply.headers["location"] == "/bank/offers/a1"


async def test_a_fault_set_in_the_office_strikes(control: httpx.AsyncClient) -> None:
    await control.post("/office/faults", data={"system": "sms", "fault": "status", "times": "2"})
    page = (await control.get("/office")).text
    assert "短信 *：返回错误状态（503），还剩 2 次" in page
    assert (await control.post("/sms/send", json={})).status_code == 503
    [fault] = (await control.get("/control/faults")).json()
    await control.post(f"/office/faults/{fault['fault_id']}/clear")
    assert (await control.get("/control/faults")).json() == []


async def test_every_kind_of_fault_can_be_set_in_the_office_and_has_a_name(
    control: httpx.AsyncClient,
) -> None:
    assert set(office.FAULTS) == set(faults.KINDS)
    for kind, name in office.FAULTS.items():
        await control.post("/office/faults", data={"system": "sms", "fault": kind})
        page = (await control.get("/office?system=sms")).text
        assert (f'value="{kind}"' in page, f"短信 *：{name}，还剩 1 次" in page) == (True, True), kind


@pytest.mark.parametrize("typed", ["两次", "-1", "0", "1001", "1.5", "9" * 5000])
async def test_times_that_are_no_number_are_asked_for_again_with_all_that_was_typed(
    control: httpx.AsyncClient, typed: str
) -> None:
    form = {"system": "sms", "fault": "half_open", "operation": "send", "times": typed}
    reply = await control.post("/office/faults", data=form)
    assert (reply.status_code, "次数要填 1 到 1000 的整数" in reply.text) == (422, True)
    assert f'value="{typed}"' in reply.text
    assert 'value="send"' in reply.text
    assert re.search(r'value="half_open"\s+selected', reply.text)
    assert re.search(r'value="sms"\s+selected', reply.text)
    assert (await control.get("/control/faults")).json() == []


async def test_a_fault_taken_away_leaves_the_chosen_system_chosen(control: httpx.AsyncClient) -> None:
    await control.post("/office/faults", data={"system": "sms", "fault": "status"})
    page = (await control.get("/office?system=sms")).text
    action = re.findall(r'action="(/office/faults/\d+/clear)"', page)[0]
    form = page[page.index(action) : page.index("撤掉")]
    given = dict(re.findall(r'name="(\w+)" value="(\w*)"', form))
    reply = await control.post(action, data=given)
    assert reply.headers["location"] == "/office?system=sms"
    reply = await control.post(action, data={"system": "//evil.example"})
    assert reply.headers["location"] == "/office"


async def test_who_only_answers_questions_has_no_count_and_the_office_says_so(
    control: httpx.AsyncClient,
) -> None:
    page = (await control.get("/office")).text
    for system, name in office.NAMES.items():
        counted = f"{name}<i>0</i>" in page
        assert counted == (system not in office.WITHOUT_EFFECTS), name
    for system in office.WITHOUT_EFFECTS:
        page = (await control.get(f"/office?system={system}")).text
        assert f"{office.NAMES[system]}只回答询问，不办事，所以没有账。" in page
        assert "还没有记录" not in page
