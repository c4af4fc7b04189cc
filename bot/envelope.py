"""AES mode (安全模式): what the platform wraps around a message. Plaintext is refused (wechat.md).

The signature in the address does not cover the body, so only the decrypted fields are believed; comparisons
take constant time; a timestamp more than 300 s off is refused, so that a recorded call cannot be played back.
"""

import base64
import hashlib
import hmac
from collections.abc import Mapping

from wechatpy.crypto import PrpCrypto, WeChatCrypto

from backend.core import clock
from backend.core.errors import Invalid, NotPermitted
from backend.settings import Settings
from bot import xml

TOLERANCE_SECONDS = 300


class NotFromWeChat(NotPermitted):
    """Always the same answer, whatever was wrong with the signature, the time or the key."""

    code = "not_from_wechat"
    message = "来源没有通过验证"


class NotAMessage(Invalid):
    code = "not_a_message"
    message = "内容不是公众号消息"


def signature(*parts: str) -> str:
    """The platform's SHA-1 over the sorted parts; its strength is not ours to choose."""
    return hashlib.sha1("".join(sorted(parts)).encode(), usedforsecurity=False).hexdigest()


def check(settings: Settings, query: Mapping[str, str], name: str, *more: str) -> None:
    """Raises `NotFromWeChat` unless `query[name]` signs token, timestamp, nonce (and `more`) of now."""
    timestamp, nonce = query.get("timestamp", ""), query.get("nonce", "")
    expected = signature(settings.wechat_token, timestamp, nonce, *more)
    if not hmac.compare_digest(expected.encode(), query.get(name, "").encode()):
        raise NotFromWeChat()
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= 12):
        raise NotFromWeChat()
    if abs(int(timestamp) - clock.now().timestamp()) > TOLERANCE_SECONDS:
        raise NotFromWeChat()


def opened(settings: Settings, query: Mapping[str, str], body: bytes) -> xml.Fields:
    """The decrypted fields. Raises `NotAMessage` (malformed, plaintext, DTD) or `NotFromWeChat`."""
    try:
        sealed = xml.text(xml.parse(body), "Encrypt")
    except xml.Unreadable as cause:
        raise NotAMessage() from cause
    if not sealed:
        raise NotAMessage()
    check(settings, query, "msg_signature", sealed)
    try:
        plain = PrpCrypto(_key(settings)).decrypt(sealed, settings.wechat_app_id)
    except Exception as cause:  # wechatpy raises a dozen kinds; all of them mean a wrong key or account
        raise NotFromWeChat() from cause
    try:
        return xml.parse(plain.encode())
    except xml.Unreadable as cause:
        raise NotAMessage() from cause


def sealed(settings: Settings, plain: str, nonce: str) -> str:
    """The reply in its envelope."""
    crypto = WeChatCrypto(settings.wechat_token, settings.wechat_aes_key, settings.wechat_app_id)
    return str(crypto.encrypt_message(plain, nonce, str(int(clock.now().timestamp()))))


def _key(settings: Settings) -> bytes:
    return base64.b64decode(settings.wechat_aes_key + "=")
