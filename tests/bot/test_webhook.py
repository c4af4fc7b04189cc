"""The account's door: what comes in signed and encrypted is answered once, everything else is refused (A11-01)."""

import time

import asyncpg
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


async def kept(world: World, openid: str = OPENID) -> int:
    from backend.core.actor import everywhere
    from backend.domains.channels import service as channels

    async with world.db.read(everywhere("test")) as tx:
        return sum((await channels.messages_everywhere(tx, openid)).values())


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


async def test_numbers_beyond_2_to_the_53_are_told_apart(world: World) -> None:
    phone = world.phone()
    for number in ("23000000000000001", "23000000000000002", "23000000000000003"):
        await phone.act(kind="text", content="你好", msg_id=number)
    assert await kept(world) == 3


@pytest.mark.parametrize("changed", ["CreateTime", "EventKey", "Event", "sender"])
async def test_events_are_told_apart_by_sender_time_event_and_key(world: World, changed: str) -> None:
    async def press(openid: str, fields: dict[str, str], at: str) -> None:
        await world.phone(openid).act(kind="event", fields=fields, create_time=at)

    fields = {"Event": "CLICK", "EventKey": "help"}
    await press(OPENID, fields, "1795000000")
    await press(OPENID, fields, "1795000000")
    assert await kept(world) == 1
    other = {
        **fields,
        **({changed: "VIEW" if changed == "Event" else "products"} if changed in fields else {}),
    }
    who = "oSomebodyElse" if changed == "sender" else OPENID
    await press(who, other, "1795000001" if changed == "CreateTime" else "1795000000")
    assert await kept(world, who) + (await kept(world) if who != OPENID else 0) == 2


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


@pytest.mark.parametrize(("size", "status"), [(65535, 200), (65536, 413), (10_000_000, 413)])
async def test_64_kilobytes_and_more_are_refused(world: World, size: int, status: int) -> None:
    body, query = sealed(world.settings, text_message())
    assert (await post(world, body + b" " * (size - len(body)), query)).status_code == status


async def test_the_address_is_not_proved_by_a_wrong_or_old_signature(world: World) -> None:
    def query(at: float, nonce: str = "n1") -> dict[str, str]:
        signed = envelope.signature(world.settings.wechat_token, str(int(at)), nonce)
        return {"signature": signed, "timestamp": str(int(at)), "nonce": nonce, "echostr": "<b>4321</b>"}

    now = time.time()
    good = await world.web.get("/wechat", params=query(now))
    assert (good.status_code, good.text) == (200, "<b>4321</b>")
    assert good.headers["content-type"].startswith("text/plain")
    assert good.headers["x-content-type-options"] == "nosniff"
    for wrong in (query(now - 301), query(now + 301), {**query(now), "nonce": "n2"}, {"echostr": "1"}):
        answer = await world.web.get("/wechat", params=wrong)
        assert (answer.status_code, "4321" in answer.text) == (403, False)


@pytest.mark.parametrize("name", ["signature", "msg_signature"])
def test_signatures_are_compared_in_constant_time(
    settings: Settings, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[bytes, bytes]] = []

    def compare(one: bytes, other: bytes) -> bool:
        asked.append((one, other))
        return False

    monkeypatch.setattr(envelope.hmac, "compare_digest", compare)
    with pytest.raises(envelope.NotFromWeChat):
        envelope.check(settings, {name: "x", "timestamp": "1", "nonce": "n"}, name)
    assert len(asked) == 1


async def test_our_answer_is_opened_by_the_librarys_own_crypto(world: World, settings: Settings) -> None:
    import xmltodict

    body, query = sealed(world.settings, text_message("你好"))
    answer = await post(world, body, query)
    assert answer.headers["content-type"].startswith("application/xml")
    outer = xmltodict.parse(answer.text)["xml"]
    crypto = WeChatCrypto(settings.wechat_token, settings.wechat_aes_key, settings.wechat_app_id)
    plain = crypto.decrypt_message(answer.text, outer["MsgSignature"], outer["TimeStamp"], outer["Nonce"])
    inner = xmltodict.parse(plain)["xml"]
    assert (inner["ToUserName"], inner["FromUserName"], inner["MsgType"]) == (OPENID, "gh_1", "text")
    assert list(inner) == ["ToUserName", "FromUserName", "CreateTime", "MsgType", "Content"]


EVENTS = [
    {"Event": "VIEW", "EventKey": "http://127.0.0.1:8000/resume"},
    {"Event": "LOCATION", "Latitude": "33.1", "Longitude": "114.1", "Precision": "30.0"},
    {"Event": "TEMPLATESENDJOBFINISH", "MsgID": "23000000000000123", "Status": "success"},
    {"Event": "TEMPLATESENDJOBFINISH", "MsgID": "23000000000000124", "Status": "failed:user block"},
    {"Event": "subscribe_msg_popup_event"},
    {"Event": "subscribe_msg_popup_event", "SubscribeMsgPopupEvent": {"List": "not a list"}},
    {"Event": "subscribe_msg_change_event", "SubscribeMsgChangeEvent": {"List": {}}},
    {"Event": "subscribe_msg_sent_event", "SubscribeMsgSentEvent": {"List": {"MsgID": ""}}},
    {"Event": "unsubscribe", "EventKey": ""},
    {"Event": "scancode_push", "EventKey": "k", "ScanCodeInfo": {"ScanType": "qrcode", "ScanResult": "1"}},
    {"Event": "MASSSENDJOBFINISH", "MsgID": "1"},
    {"Event": "user_info_modified"},
    {"Event": "something_of_tomorrow"},
    {"Event": ""},
]


@pytest.mark.parametrize("fields", EVENTS, ids=lambda fields: fields["Event"] or "none")
async def test_events_with_nothing_to_say_get_success(world: World, fields: dict[str, object]) -> None:
    answer = await world.phone().act(kind="event", fields=fields)
    assert (answer["status"], answer["empty"], answer["attempts"]) == (200, True, 1)


@pytest.mark.parametrize("event", ["subscribe", "SCAN"])
@pytest.mark.parametrize(
    "scene", ["", "qrscene_", "nonsense", "4101-", "9999-1-AAAA-BBBB", "x" * 64, "4101-1-\u4e2d"]
)
async def test_a_scene_that_is_no_code_of_ours_is_answered_in_words(
    world: World, event: str, scene: str
) -> None:
    key = f"qrscene_{scene}" if event == "subscribe" and scene else scene
    answer = await world.phone().act(kind="event", fields={"Event": event, "EventKey": key})
    assert (answer["status"], answer["attempts"]) == (200, 1)
    assert len(answer["reply"]["content"]) > 10


async def test_a_reply_that_takes_too_long_is_given_up_and_nothing_is_kept(
    world: World, owner: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    from bot import webhook

    monkeypatch.setattr(webhook, "ANSWER_SECONDS", 0.2)
    await world.phone().say("你好")
    block = owner.transaction()
    await block.start()
    await owner.execute("lock table channels.messages in access exclusive mode")
    answer = await world.phone().act(kind="text", content="我要投诉", msg_id="23000000000000901")
    assert "再说一次" in answer["reply"]["content"]
    assert answer["ms"] < 4000  # long before PostgreSQL gives up by itself
    event = await world.phone().act(kind="click", key="help")
    assert event["error"]  # the platform brings an event again by itself
    await block.rollback()
    monkeypatch.setattr(webhook, "ANSWER_SECONDS", 4.0)
    answer = await world.phone().act(kind="text", content="我要投诉", msg_id="23000000000000901")
    assert "单号 T" in answer["reply"]["content"]


@pytest.mark.parametrize("place", ["outside", "inside"])
async def test_a_document_type_is_refused(world: World, place: str) -> None:
    bomb = '<!DOCTYPE xml [<!ENTITY a "aaaa"><!ENTITY b "&a;&a;&a;">]>'
    if place == "inside":
        body, query = sealed(world.settings, bomb + text_message())
    else:
        body, query = sealed(world.settings, text_message())
        body = bomb.encode() + body
    assert (await post(world, body, query)).status_code == 400
    assert await kept(world) == 0


@pytest.mark.parametrize("body", [b"", b"<xml>", b"\xff\xfe", b"{}", b"<xml>" + b"<a>" * 2000])
async def test_rubbish_is_refused(world: World, body: bytes) -> None:
    _, query = sealed(world.settings, text_message())
    assert (await post(world, body, query)).status_code == 422


async def test_a_document_type_in_what_a_person_says_is_only_words(world: World) -> None:
    assert "我没听懂" in await world.phone().say("<!DOCTYPE a [ ]> ]]> <b>")


async def test_a_type_nobody_knows_gets_a_written_answer(world: World) -> None:
    plain = text_message().replace("<MsgType>text", "<MsgType>hologram").replace("Content", "Shape")
    body, query = sealed(world.settings, plain)
    answer = await post(world, body, query)
    assert (answer.status_code, b"<Encrypt>" in answer.content) == (200, True)


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


@pytest.mark.parametrize("word", ["还款日写在手机银行里\n", "还", "😀", "a还😀\n", "x"])
@pytest.mark.parametrize("lead", ["", "a", "ab"])
def test_a_text_is_cut_between_characters_at_the_platforms_bytes(word: str, lead: str) -> None:
    from bot import replies

    whole = lead + word * 3000
    cut = replies.shortened(whole, replies.MOST_TEXT_BYTES)
    assert 1000 < len(cut.encode()) <= 2048
    assert cut.endswith("…")
    assert whole.startswith(cut[:-1])
    assert replies.shortened("还" * 682, 2048) == "还" * 682  # 2046 bytes fit


def test_a_reply_cannot_break_out_of_its_element() -> None:
    from bot import replies, xml

    evil = "]]></Content><MsgType>news</MsgType>\x00\x0b"
    whole = replies.to_xml(replies.Stored(replies.Text(evil), "o", "gh", 1))
    read = xml.parse(whole.encode())
    assert read["MsgType"] == "text"
    assert read["Content"] == "]]></Content><MsgType>news</MsgType>"
