"""The platform pushes to our door as WeChat does: signed, encrypted, repeated, and strict about replies."""

import asyncio
import hashlib

import httpx
import pytest
import xmltodict
from wechatpy.crypto import WeChatCrypto

from backend.sandbox.systems.wechat import push
from backend.settings import Settings
from tests.integrations.conftest import Studio

OPENID = "oZhangSan0001"
OUT = f"/phone/{OPENID}/send"


class Door(Studio):
    """A bot which checks everything a bot must check, and echoes the text."""

    def __init__(self, settings: Settings) -> None:
        super().__init__()
        self.crypto = WeChatCrypto(settings.wechat_token, settings.wechat_aes_key, settings.wechat_app_id)
        self.token = settings.wechat_token
        self.messages: list[dict[str, str]] = []
        self.slow_first = 0.0
        self.plain: bytes | None = None

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        query = request.url.params
        signed = "".join(sorted([self.token, query["timestamp"], query["nonce"]]))
        assert hashlib.sha1(signed.encode()).hexdigest() == query["signature"]
        if request.method == "GET":
            return httpx.Response(200, text=query["echostr"])
        assert b"<FromUserName>" not in request.content
        plain = self.crypto.decrypt_message(
            request.content, query["msg_signature"], query["timestamp"], query["nonce"]
        )
        message = dict(xmltodict.parse(plain)["xml"])
        self.messages.append(message)
        if self.slow_first and len(self.messages) == 1:
            await asyncio.sleep(self.slow_first)
        if self.failures:
            self.failures -= 1
            return httpx.Response(500)
        if self.plain is not None:
            return httpx.Response(200, content=self.plain)
        if message["MsgType"] != "text":
            return httpx.Response(200, text="success")
        return httpx.Response(200, text=self.reply(message, "收到：" + message["Content"]))

    def reply(self, message: dict[str, str], text: str) -> str:
        fields = {
            "ToUserName": message["FromUserName"],
            "FromUserName": message["ToUserName"],
            "CreateTime": "1",
            "MsgType": "text",
            "Content": text,
        }
        return self.crypto.encrypt_message(push.to_xml(fields), "123", "1700000000")


@pytest.fixture
def studio(settings: Settings) -> Door:
    return Door(settings)


async def test_a_text_is_answered_in_the_chat(control: httpx.AsyncClient, studio: Door) -> None:
    answer = (await control.post(OUT, json={"kind": "text", "content": "额度 <&> ]]> 多少"})).json()
    assert answer["reply"] == {"type": "text", "content": "收到：额度 <&> ]]> 多少"}
    assert int(studio.messages[0]["MsgId"]) > 2**53
    channels = [item["channel"] for item in (await control.get(f"/phone/{OPENID}/inbox")).json()]
    assert channels == ["sent", "reply"]


async def test_an_event_answered_with_success_shows_nothing(control: httpx.AsyncClient) -> None:
    answer = (await control.post(OUT, json={"kind": "click", "key": "progress"})).json()
    assert (answer["reply"], answer["empty"], answer["attempts"]) == (None, True, 1)


async def test_the_console_checks_our_address(control: httpx.AsyncClient) -> None:
    assert (await control.post("/control/wechat/verify-url")).json() == {"accepted": True}


async def test_a_failing_door_is_tried_three_times_with_the_same_message(
    control: httpx.AsyncClient, studio: Door
) -> None:
    studio.failures = 2
    answer = (await control.post(OUT, json={"kind": "text", "content": "进度"})).json()
    assert (answer["attempts"], answer["reply"]["content"]) == (3, "收到：进度")
    assert len({message["MsgId"] for message in studio.messages}) == 1


async def test_three_failures_show_the_person_an_error(control: httpx.AsyncClient, studio: Door) -> None:
    studio.failures = 3
    answer = (await control.post(OUT, json={"kind": "text", "content": "进度"})).json()
    assert (answer["reply"], answer["error"]) == (None, push.OUT_OF_ORDER)


async def test_a_slow_first_call_overlaps_the_second(
    control: httpx.AsyncClient, studio: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(push, "SECONDS", 0.2)
    studio.slow_first = 0.6
    answer = (await control.post(OUT, json={"kind": "text", "content": "进度"})).json()
    assert (answer["attempts"], len(studio.messages)) == (2, 2)


async def test_copies_of_one_message_arrive_together(control: httpx.AsyncClient, studio: Door) -> None:
    answer = (await control.post(OUT, json={"kind": "text", "content": "进度", "copies": 3})).json()
    assert len(answer["copies"]) == 3
    assert len({message["MsgId"] for message in studio.messages}) == 1


@pytest.mark.parametrize("body", [b"{}", b"<xml><MsgType>text</MsgType></xml>", b"ok"])
async def test_anything_but_an_encrypted_reply_shows_an_error(
    control: httpx.AsyncClient, studio: Door, body: bytes
) -> None:
    studio.plain = body
    answer = (await control.post(OUT, json={"kind": "text", "content": "进度"})).json()
    assert answer["error"] == push.OUT_OF_ORDER


async def test_a_reply_longer_than_2048_bytes_is_not_shown(control: httpx.AsyncClient) -> None:
    answer = (await control.post(OUT, json={"kind": "text", "content": "长" * 683})).json()
    assert answer["error"] == push.OUT_OF_ORDER


async def test_a_message_can_be_repeated_as_it_was(control: httpx.AsyncClient, studio: Door) -> None:
    first = (await control.post(OUT, json={"kind": "text", "content": "进度"})).json()["message"]
    again = {"kind": "text", "content": "进度", "msg_id": first["MsgId"], "create_time": first["CreateTime"]}
    assert (await control.post(OUT, json=again)).json()["message"] == first


async def test_the_phone_opens_only_our_pages(control: httpx.AsyncClient) -> None:
    ours = await control.get(f"/phone/{OPENID}/open", params={"url": "http://127.0.0.1:8000/c/1"})
    assert ours.status_code == 302
    assert f"phone_openid={OPENID}" in ours.headers["set-cookie"]
    foreign = await control.get(f"/phone/{OPENID}/open", params={"url": "http://evil.example/"})
    assert foreign.status_code == 400


async def test_an_unknown_or_malformed_phone_is_refused(control: httpx.AsyncClient) -> None:
    reply = await control.post("/phone/a%20b/send", json={"kind": "text", "content": "进度"})
    assert reply.status_code == 400
