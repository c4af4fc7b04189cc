"""Send a one-time code by SMS within the caps that hold across processes (ASVS 2.4.1, trust §2 SMS)."""

from backend.core import clock
from backend.core.errors import Invalid, TooMany
from backend.db.database import Tx
from backend.domains.identity import quota
from backend.domains.identity import service as identity
from backend.domains.identity.model import CodeTooSoon
from backend.domains.regulation import service as regulation
from backend.flows import send_sms


class PhoneInvalid(Invalid):
    code = "phone_invalid"
    message = "手机号要 11 位数字，请再看一下"


class TooManyCodes(TooMany):
    code = "too_many_codes"
    message = "今天发的验证码太多了，请过 {wait} 再试，或打客服电话"


def check_phone(phone: str) -> str:
    """The number without blanks. Raises `PhoneInvalid`."""
    plain = "".join(phone.split())
    if not (
        len(plain) == 11 and plain.isascii() and plain.isdigit() and plain[0] == "1" and plain[1] in "3456789"
    ):
        raise PhoneInvalid(fields={"phone": PhoneInvalid.message})
    return plain


PER_ADDRESS, PER_INSTITUTION = 20, 1000
"""How many phones' worth of codes one network address and one institution may ask for; many share an address."""


async def send_code(
    tx: Tx, session_id: str, purpose: str, phone: str, *, silently: bool = False, address: str = ""
) -> int:
    """Queue a code for this session and purpose; returns after how many seconds the next may be asked for.
    Raises `CodeTooSoon`, `TooManyCodes`.

    `silently` does everything but the sending: the page must not tell whose phones we know, neither now nor
    when a guess comes back. `address` is the network address, empty where none can be counted.
    """
    who = tx.vault.blind("sms-quota", phone).hex()
    in_force = await regulation.in_force(tx, clock.today())
    gap = in_force.count("sms.gap_seconds")
    await quota.Gap("sms-gap", gap, CodeTooSoon).take(tx, who)
    places = [("sms", who, 1), ("sms-institution", tx.institution_id, PER_INSTITUTION)]
    if address:
        places.append(("sms-address", tx.vault.blind("sms-address", address).hex(), PER_ADDRESS))
    for name, place, times in places:
        hour, day = (times * in_force.count(key) for key in ("sms.per_hour", "sms.per_day"))
        await quota.Limit(f"{name}-hour", hour, 3600, TooManyCodes).take(tx, place)
        await quota.Limit(f"{name}-day", day, 86400, TooManyCodes).take(tx, place)
    sent = await identity.new_code(tx, session_id, purpose, phone)
    if not silently:
        parameters = {"code": sent.code, "minutes": str(sent.valid_seconds // 60)}
        await send_sms.queue(tx, phone, send_sms.CODE_TEMPLATE, parameters, session_id, f"code:{sent.id}")
    return gap
