"""The account's own calls against the platform's stand-in (A5-13, wechat.md)."""

from datetime import timedelta
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from backend.core import clock
from backend.integrations.registry import Clients
from backend.integrations.wechat import js_sdk
from backend.integrations.wechat.port import (
    CodeUsed,
    MemoryTokenStore,
    NoSubscription,
    NotFollowing,
    QuotaExhausted,
    WeChatRefused,
    WeChatUnavailable,
    WindowClosed,
)
from backend.sandbox.systems.wechat import scanner
from backend.sandbox.world import World
from backend.settings import Settings

OPENID = "oZhangSan0001"


async def phone(control: httpx.AsyncClient, **act: object) -> None:
    reply = await control.post(f"/phone/{OPENID}/send", json=act)
    assert reply.status_code == 200, reply.text


async def test_a_text_goes_out_in_the_window_after_a_message(
    clients: Clients, control: httpx.AsyncClient
) -> None:
    await phone(control, kind="subscribe")
    await phone(control, kind="text", content="进度")
    await clients.wechat.send_text(OPENID, "您的申请正在办理", key="k1")
    inbox = (await control.get(f"/phone/{OPENID}/inbox")).json()
    assert inbox[-1]["channel"] == "custom"
    assert inbox[-1]["body"] == {"type": "text", "content": "您的申请正在办理"}


async def test_five_messages_fit_the_48_hours_after_a_message(
    clients: Clients, control: httpx.AsyncClient
) -> None:
    await phone(control, kind="subscribe")
    await phone(control, kind="text", content="进度")
    with clock.at(clock.now() + timedelta(hours=47)):
        for number in range(5):
            await clients.wechat.send_text(OPENID, f"第 {number} 条")
        with pytest.raises(WindowClosed) as closed:
            await clients.wechat.send_text(OPENID, "第六条")
    assert closed.value.remote_code == "45047"


async def test_the_minute_after_a_scan_lets_three_through_and_then_closes(
    clients: Clients, control: httpx.AsyncClient
) -> None:
    await phone(control, kind="subscribe", scene="4101-A1")
    for number in range(3):
        await clients.wechat.send_text(OPENID, f"第 {number} 条")
    with pytest.raises(WindowClosed):
        await clients.wechat.send_text(OPENID, "第四条")
    with clock.at(clock.now() + timedelta(seconds=61)), pytest.raises(WindowClosed) as closed:
        await clients.wechat.send_text(OPENID, "一分钟以后")
    assert closed.value.remote_code == "45015"


async def test_nobody_who_left_gets_a_message(clients: Clients, control: httpx.AsyncClient) -> None:
    await phone(control, kind="subscribe")
    await phone(control, kind="unsubscribe")
    with pytest.raises(NotFollowing):
        await clients.wechat.send_text(OPENID, "您好")


async def test_the_same_key_reaches_the_phone_once(
    clients: Clients, control: httpx.AsyncClient, world: World
) -> None:
    await phone(control, kind="subscribe")
    await clients.wechat.send_text(OPENID, "您好", key="k1")
    await clients.wechat.send_text(OPENID, "您好", key="k1")
    assert [row["effect"] for row in world.ledger(system="wechat")] == ["custom_message"]


async def test_one_consent_is_one_notice_even_for_somebody_who_does_not_follow(
    clients: Clients, control: httpx.AsyncClient
) -> None:
    fields = {"thing1": "随享贷", "phrase2": "已通过", "time3": "2026年11月24日 10:00"}
    await control.post(f"/phone/{OPENID}/subscribe-grants", json={"template_id": "result"})
    await clients.wechat.send_subscription(OPENID, "result", fields, page="http://127.0.0.1:8000/p")
    with pytest.raises(NoSubscription):
        await clients.wechat.send_subscription(OPENID, "result", fields)
    inbox = (await control.get(f"/phone/{OPENID}/inbox")).json()
    assert inbox[-1]["body"]["fields"]["phrase2"] == "已通过"


@pytest.mark.parametrize(
    "fields", [{"first": "您好"}, {"thing1": "超过二十个字的内容放不进一个事项里面所以平台拒绝"}, {}]
)
async def test_a_notice_the_platform_would_not_show_is_refused(
    clients: Clients, control: httpx.AsyncClient, fields: dict[str, str]
) -> None:
    await phone(control, kind="subscribe")
    with pytest.raises(WeChatRefused) as refusal:
        data = {name: {"value": value} for name, value in fields.items()}
        asked = {"touser": OPENID, "template_id": "result", "data": data}
        await clients.wechat.post("message/template/send", data=asked)
    assert refusal.value.remote_code == "47003"


async def test_a_lost_token_is_renewed_once_and_the_call_repeated(
    clients: Clients, control: httpx.AsyncClient
) -> None:
    await phone(control, kind="subscribe")
    await clients.wechat.send_text(OPENID, "一")
    await control.post("/control/wechat/expire-token")
    await clients.wechat.send_text(OPENID, "二")
    bodies = [item["body"].get("content") for item in (await control.get(f"/phone/{OPENID}/inbox")).json()]
    assert bodies[-2:] == ["一", "二"]


async def test_a_token_refused_again_and_again_ends_as_unavailable(
    clients: Clients, control: httpx.AsyncClient
) -> None:
    fault = {"operation": "cgi-bin/user/info", "fault": "errcode", "times": 5, "args": {"errcode": 40001}}
    await control.post("/control/faults", json={"system": "wechat", **fault})
    with pytest.raises(WeChatUnavailable):
        await clients.wechat.user.get(OPENID)
    [left] = (await control.get("/control/faults")).json()
    assert left["hit"] == 2


async def test_no_call_ever_goes_through_requests(
    clients: Clients, control: httpx.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The library's client is blocking; ours replaces the one function that all its methods end in."""
    import requests
    from wechatpy.client.base import BaseWeChatClient

    from backend.integrations.wechat.client import WeChat

    def forbidden(*_: object, **__: object) -> None:
        raise AssertionError("a blocking call")

    monkeypatch.setattr(requests.Session, "request", forbidden)
    monkeypatch.setattr(requests.sessions.Session, "send", forbidden)
    await phone(control, kind="subscribe")
    await phone(control, kind="text", content="进度")
    await clients.wechat.send_text(OPENID, "您好")
    await clients.wechat.create_menu({"button": [{"type": "click", "name": "我的", "key": "progress"}]})
    assert (await clients.wechat.menu.get())["menu"]["button"]
    assert (await clients.wechat.user.get(OPENID))["subscribe"] == 1
    assert WeChat._request is not BaseWeChatClient._request
    assert not hasattr(clients.wechat, "_http")
    # What in the library still reaches for its session fails loudly instead of blocking.
    with pytest.raises(AttributeError):
        clients.wechat.fetch_access_token()


async def test_two_clients_with_one_store_share_one_token(
    app: object, settings: Settings, control: httpx.AsyncClient
) -> None:
    from backend.integrations import registry

    store, made = MemoryTokenStore(), []
    for _ in range(2):
        one = registry.build(settings, tokens=store, transport=httpx.ASGITransport(app))  # type: ignore[arg-type]
        made.append(await one.wechat._tokens.get(one.wechat._refresh("")))
        await one.close()
    assert made[0] == made[1]


async def test_todays_quota_used_up_is_told_apart(clients: Clients, control: httpx.AsyncClient) -> None:
    fault = {"operation": "cgi-bin/qrcode/create", "fault": "errcode", "args": {"errcode": 45009}}
    await control.post("/control/faults", json={"system": "wechat", **fault})
    with pytest.raises(QuotaExhausted):
        await clients.wechat.create_qr("4101-A1", 3600)


async def test_a_code_drawn_by_the_platform_brings_its_scene_back(
    clients: Clients, control: httpx.AsyncClient
) -> None:
    ticket = await clients.wechat.create_qr("4101-A1-XY", 3600)
    assert ticket.expires_at is not None
    picture = await control.get("/wechat/cgi-bin/showqrcode", params={"ticket": ticket.ticket})
    content = scanner.read(picture.content)
    assert content == ticket.url
    scanned = (await control.post(f"/phone/{OPENID}/scan", json={"content": content})).json()
    assert scanned["message"]["Event"] == "subscribe"
    assert scanned["message"]["EventKey"] == "qrscene_4101-A1-XY"
    again = (await control.post(f"/phone/{OPENID}/scan", json={"content": content})).json()
    assert (again["message"]["Event"], again["message"]["EventKey"]) == ("SCAN", "4101-A1-XY")


async def test_the_menu_is_checked_kept_and_deleted(clients: Clients) -> None:
    menu = {"button": [{"type": "click", "name": "我的", "key": "progress"}]}
    await clients.wechat.create_menu(menu)
    assert (await clients.wechat.menu.get())["menu"] == menu
    await clients.wechat.menu.delete()
    too_many = {"button": [{"type": "click", "name": str(n), "key": "k"} for n in range(4)]}
    with pytest.raises(WeChatRefused) as refusal:
        await clients.wechat.create_menu(too_many)
    assert refusal.value.remote_code == "40016"


async def test_media_tags_and_user_info(clients: Clients, control: httpx.AsyncClient) -> None:
    await phone(control, kind="subscribe", scene="4101-A1")
    form = httpx.Request(
        "POST", "http://x", files={"media": ("poster.jpg", b"\xff\xd8 picture", "image/jpeg")}
    )
    kept = await clients.wechat.post(
        "media/upload", params={"type": "image"}, data=form.read(), headers=dict(form.headers)
    )
    assert kept["media_id"]
    tag = (await clients.wechat.tag.create("柳林镇"))["id"]
    await clients.wechat.tag.tag_user(tag, [OPENID])
    info = await clients.wechat.user.get(OPENID)
    assert (info["subscribe"], info["qr_scene_str"], info["tagid_list"]) == (1, "4101-A1", [tag])


async def authorised_code(control: httpx.AsyncClient, url: str, **cookies: str) -> str:
    control.cookies.update(cookies)
    reply = await control.get(url.partition("#")[0])
    assert reply.status_code == 302, reply.text
    return parse_qs(urlsplit(reply.headers["location"]).query)["code"][0]


async def test_the_silent_redirect_tells_who_opened_the_page(
    clients: Clients, control: httpx.AsyncClient
) -> None:
    url = clients.wechat.authorize_url("http://127.0.0.1:8000/wechat/oauth", "abc123")
    code = await authorised_code(control, url, phone_openid=OPENID)
    identity = await clients.wechat.oauth_identity(code)
    assert (identity.openid, identity.is_snapshot_user) == (OPENID, False)
    with pytest.raises(CodeUsed):
        await clients.wechat.oauth_identity(code)


@pytest.mark.parametrize("body", [{"x": 1}, {"openid": ""}, {"openid": 5, "scope": "snsapi_base"}])
async def test_an_answer_of_somebody_else_at_the_platforms_address_is_a_platform_not_reached(
    clients: Clients, control: httpx.AsyncClient, body: dict[str, object]
) -> None:
    """The page opens all the same, as for nobody (identify_wechat); a message waits and is tried again."""
    everywhere = {"system": "wechat", "operation": "*", "fault": "status", "rate": 1.0}
    await control.post("/control/faults", json=everywhere | {"args": {"status": 200, "body": body}})
    with pytest.raises(WeChatUnavailable) as nobody:
        await clients.wechat.oauth_identity("code")
    assert nobody.value.reason == "incomplete"
    with pytest.raises(WeChatUnavailable):
        await clients.wechat.send_text(OPENID, "您的申请正在办理")
    with pytest.raises(WeChatUnavailable):
        await clients.wechat.create_qr("4101-A1")


async def test_a_message_counts_as_sent_only_when_the_platform_says_so(
    clients: Clients, control: httpx.AsyncClient
) -> None:
    await phone(control, kind="subscribe")
    fault = {"system": "wechat", "operation": "cgi-bin/message/custom/send", "fault": "status", "times": 1}
    await control.post("/control/faults", json=fault | {"args": {"status": 200, "body": {"x": 1}}})
    with pytest.raises(WeChatUnavailable) as nobody:
        await clients.wechat.send_text(OPENID, "您的申请正在办理", key="k1")
    assert nobody.value.unknown
    await clients.wechat.send_text(OPENID, "您的申请正在办理", key="k1")


async def test_a_code_is_worth_nothing_after_five_minutes(
    clients: Clients, control: httpx.AsyncClient
) -> None:
    url = clients.wechat.authorize_url("http://127.0.0.1:8000/wechat/oauth", "abc123")
    code = await authorised_code(control, url, phone_openid=OPENID)
    with clock.at(clock.now() + timedelta(minutes=5, seconds=1)), pytest.raises(CodeUsed):
        await clients.wechat.oauth_identity(code)


async def test_a_snapshot_visitor_is_recognised(clients: Clients, control: httpx.AsyncClient) -> None:
    url = clients.wechat.authorize_url("http://127.0.0.1:8000/wechat/oauth", "abc123")
    code = await authorised_code(control, url, phone_openid=OPENID, phone_snapshot="1")
    assert (await clients.wechat.oauth_identity(code)).is_snapshot_user


async def test_the_platform_sends_nobody_to_an_address_that_is_not_ours(
    clients: Clients, control: httpx.AsyncClient
) -> None:
    url = clients.wechat.authorize_url("http://evil.example/", "abc123")
    control.cookies.update({"phone_openid": OPENID})
    reply = await control.get(url.partition("#")[0])
    assert (reply.status_code, "10003" in reply.text) == (200, True)


async def test_a_page_is_signed_without_its_fragment(clients: Clients) -> None:
    from wechatpy.client.api.jsapi import WeChatJSAPI

    signed = await clients.wechat.page_config("http://127.0.0.1:8000/a?b=1#c")
    ticket = await clients.wechat.jsapi_ticket()
    expected = WeChatJSAPI(None).get_jsapi_signature(
        signed.nonce, ticket, signed.timestamp, "http://127.0.0.1:8000/a?b=1"
    )
    assert signed.signature == expected


def test_the_signature_is_the_one_of_the_platforms_own_example() -> None:
    """附录1 of its JS-SDK document."""
    ticket = "sM4AOVdWfPE4DxkXGEs8VMCPGGVi4C3VM0P37wVUCFvkVAy_90u5h9nbSlYy3-Sl-HhTdfl2fzFy1AOcHKP7qg"
    nonce, moment, url = "Wm3WZYTPz0wzccnW", "1414587457", "http://mp.weixin.qq.com?params=value"
    signed = js_sdk.signature(ticket, nonce, moment, url + "#anchor")
    assert signed == "0f9de62fce790f9a083d5c99e95740ceb90c27ed"


async def test_a_ticket_lives_its_time_and_is_then_fetched_anew(
    clients: Clients, control: httpx.AsyncClient
) -> None:
    await control.post("/control/faults", json={"system": "wechat", "operation": "cgi-bin/ticket/getticket",
                                                "fault": "delay", "times": 9, "args": {"seconds": 0}})  # fmt: skip

    async def fetched() -> int:
        [fault] = (await control.get("/control/faults")).json()
        return int(fault["hit"])

    first = await clients.wechat.jsapi_ticket()
    with clock.at(clock.now() + timedelta(seconds=7000)):
        assert (await clients.wechat.jsapi_ticket(), await fetched()) == (first, 1)
    with clock.at(clock.now() + timedelta(seconds=7150)):
        second = await clients.wechat.jsapi_ticket()
        assert (second != first, await fetched()) == (True, 2)
        await clients.wechat.page_config("http://127.0.0.1:8000/a")
        assert await fetched() == 2
