"""The account's door: what comes in signed and encrypted is answered once, everything else is refused (A11-01)."""

import time

import httpx
import pytest
from wechatpy.crypto import WeChatCrypto

from backend.core import clock
from backend.settings import Settings
from bot import envelope
from tests.bot.conftest import World

OPENID = "oZhangSan0001"


def sealed(
    settings: Settings, plain: str, *, at: int | None = None, nonce: str = "12345"
) -> tuple[bytes, dict[str, str]]:
    """Body and query as the platform makes them."""
    timestamp = str(at or int(clock.now().timestamp()))
    crypto = WeChatCrypto(settings.wechat_token, settings.wechat_aes_key, settings.wechat_app_id)
    whole = crypto.encrypt_message(plain, nonce, timestamp)
    encrypt = whole.split("<Encrypt><![CDATA[")[1].split("]]>")[0]
    query = {
        "signature": envelope.signature(settings.wechat_token, timestamp, nonce),
        "timestamp": timestamp,
        "nonce": nonce,
        "encrypt_type": "aes",
        "msg_signature": envelope.signature(settings.wechat_token, timestamp, nonce, encrypt),
    }
    return f"<xml><ToUserName>gh</ToUserName><Encrypt>{encrypt}</Encrypt></xml>".encode(), query


def text_message(content: str = "进度", number: int = 1) -> str:
    return (
        f"<xml><ToUserName>gh_1</ToUserName><FromUserName>{OPENID}</FromUserName><CreateTime>1</CreateTime>"
        f"<MsgType>text</MsgType><Content><![CDATA[{content}]]></Content><MsgId>2300000000000000{number}</MsgId></xml>"
    )


async def post(world: World, body: bytes, query: dict[str, str]) -> httpx.Response:
    return await world.web.post("/wechat", content=body, params=query, headers={"Content-Type": "text/xml"})


async def kept(world: World) -> int:
    from backend.core.actor import everywhere
    from backend.domains.channels import service as channels

    async with world.db.read(everywhere("test")) as tx:
        return sum((await channels.messages_everywhere(tx, OPENID)).values())


async def test_the_address_proves_itself_to_the_platform(world: World) -> None:
    answer = await world.sandbox.post("/control/wechat/verify-url")
    assert answer.json() == {"accepted": True}


async def test_a_message_is_answered_in_its_envelope(world: World) -> None:
    answer = await world.phone().act(kind="text", content="你好")
    assert (answer["status"], answer["attempts"], answer["reply"]["type"]) == (200, 1, "text")


async def test_three_overlapping_copies_are_one_message_with_one_answer(world: World) -> None:
    answer = await world.phone().act(kind="text", content="我要投诉，有人收我手续费", copies=3)
    replies = [copy["reply"]["content"] for copy in answer["copies"]]
    assert len(set(replies)) == 1
    assert "单号 T" in replies[0]
    assert await kept(world) == 1


async def test_a_late_repeat_gets_the_answer_of_the_first(world: World) -> None:
    phone = world.phone()
    first = await phone.act(kind="text", content="人工", msg_id="23000000000000777")
    await phone.act(kind="scan", scene="4102-nothing")
    again = await phone.act(kind="text", content="人工", msg_id="23000000000000777")
    assert again["reply"] == first["reply"]
    assert (await kept(world)) == 2


async def test_a_repeat_after_the_person_moved_to_another_county_is_still_a_repeat(world: World) -> None:
    phone = world.phone()
    await phone.say("甲县")
    first = await phone.act(kind="text", content="人工", msg_id="23000000000000778")
    await phone.say("乙县")
    again = await phone.act(kind="text", content="人工", msg_id="23000000000000778")
    assert again["reply"] == first["reply"]


async def test_overlapping_events_have_one_effect(world: World, owner: object) -> None:
    from tests.bot.conftest import code_of

    code = await code_of(world.db, "朋友圈")
    await world.phone().act(kind="scan", scene=code.token, copies=3)
    scans = await owner.fetchval("select count(*) from channels.leads")  # type: ignore[attr-defined]
    assert scans == 1


async def test_a_forged_signature_is_refused(world: World) -> None:
    body, query = sealed(world.settings, text_message())
    for name in ("msg_signature", "nonce", "timestamp"):
        wrong = {**query, name: query[name][:-1] + ("0" if query[name][-1] != "0" else "1")}
        assert (await post(world, body, wrong)).status_code == 403
    assert (await post(world, body, {})).status_code == 403
    assert await kept(world) == 0


async def test_the_signature_of_the_address_alone_opens_nothing(world: World) -> None:
    body, query = sealed(world.settings, text_message())
    other, _ = sealed(world.settings, text_message("额度", 2))
    assert (await post(world, other, query)).status_code == 403
    assert (await post(world, body, query)).status_code == 200


@pytest.mark.parametrize("seconds", [-301, 301])
async def test_an_old_or_future_timestamp_is_refused(world: World, seconds: int) -> None:
    body, query = sealed(world.settings, text_message(), at=int(time.time()) + seconds)
    assert (await post(world, body, query)).status_code == 403


async def test_plaintext_is_refused_even_with_a_right_signature(world: World) -> None:
    _, query = sealed(world.settings, text_message())
    assert (await post(world, text_message().encode(), query)).status_code == 422
    assert await kept(world) == 0


async def test_a_message_for_another_account_is_refused(world: World, settings: Settings) -> None:
    import msgspec

    stranger = msgspec.structs.replace(settings, wechat_app_id="wx_other")
    body, query = sealed(stranger, text_message())
    assert (await post(world, body, query)).status_code == 403


async def test_a_giant_is_refused(world: World) -> None:
    body, query = sealed(world.settings, text_message())
    assert (await post(world, body + b" " * 65536, query)).status_code == 413


@pytest.mark.parametrize("place", ["outside", "inside"])
async def test_a_document_type_is_refused(world: World, place: str) -> None:
    bomb = '<!DOCTYPE xml [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>'
    if place == "inside":
        body, query = sealed(world.settings, bomb + text_message())
    else:
        body, query = sealed(world.settings, text_message())
        body = bomb.encode() + body
    assert (await post(world, body, query)).status_code == 422
    assert await kept(world) == 0


@pytest.mark.parametrize("body", [b"", b"<xml>", b"\xff\xfe", b"{}", b"<xml>" + b"<a>" * 2000])
async def test_rubbish_is_refused(world: World, body: bytes) -> None:
    _, query = sealed(world.settings, text_message())
    assert (await post(world, body, query)).status_code == 422


async def test_a_document_type_in_what_a_person_says_is_only_words(world: World) -> None:
    assert "我没听懂" in await world.phone().say("<!DOCTYPE a [ ]> ]]> <b>")


async def test_unknown_events_and_types_get_success(world: World) -> None:
    phone = world.phone()
    await phone.act(kind="subscribe")
    for fields in ({"Event": "LOCATION"}, {"Event": "something_of_tomorrow"}, {"Event": ""}):
        answer = await phone.act(kind="event", fields=fields)
        assert (answer["status"], answer["empty"]) == (200, True)
    plain = text_message().replace("<MsgType>text", "<MsgType>hologram").replace("Content", "Shape")
    body, query = sealed(world.settings, plain)
    assert (await post(world, body, query)).status_code == 200


async def test_a_message_without_a_sender_gets_success(world: World) -> None:
    body, query = sealed(world.settings, "<xml><MsgType>text</MsgType></xml>")
    assert (await post(world, body, query)).text == "success"


@pytest.mark.parametrize("kind", ["image", "video", "location", "link", "voice"])
async def test_what_the_chat_cannot_use_gets_a_written_answer(world: World, kind: str) -> None:
    answer = await world.phone().act(kind=kind)
    assert "“人工”" in answer["reply"]["content"]


async def test_recognised_speech_is_understood_like_text(world: World) -> None:
    answer = await world.phone().act(kind="voice", content="我要投诉")
    assert "单号 T" in answer["reply"]["content"]


async def test_a_text_never_exceeds_the_platforms_bytes(world: World) -> None:
    from bot import replies

    long = replies.shortened("还款日写在手机银行里\n" * 400, replies.MOST_TEXT_BYTES)
    assert len(long.encode()) <= 2048
    assert long.endswith("…")


def test_a_reply_cannot_break_out_of_its_element() -> None:
    from bot import replies, xml

    evil = "]]></Content><MsgType>news</MsgType>\x00\x0b"
    whole = replies.to_xml(replies.Stored(replies.Text(evil), "o", "gh", 1))
    read = xml.parse(whole.encode())
    assert read["MsgType"] == "text"
    assert read["Content"] == "]]></Content><MsgType>news</MsgType>"


async def test_every_answer_comes_within_a_second(world: World) -> None:
    """The target is p99; here every one of twenty, each with its overlapping repeat."""
    phone, slowest = world.phone(), 0.0
    await phone.act(kind="text", content="你好")
    for words in ("进度", "额度", "产品", "人工", "这是什么话") * 4:
        answer = await phone.act(kind="text", content=words, copies=2)
        slowest = max(slowest, *(copy["ms"] for copy in answer["copies"]))
    assert slowest < 1000
