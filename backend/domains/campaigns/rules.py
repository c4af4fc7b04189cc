"""Tokens of responsible codes, the state a code is in, and what material may say."""

import hashlib
import json
import re
import secrets
from datetime import date, datetime

from backend.core import clock
from backend.core.crypto import Vault
from backend.domains.campaigns.model import Campaign, CodeState, ResponsibleCode
from backend.domains.identity.model import Staff
from backend.domains.regulation.model import InForce

ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
"""Crockford's base 32: no letter that looks like a figure, for codes read aloud from a printed page."""

_AS_PYTHON_COUNTS = str.maketrans(ALPHABET, "0123456789abcdefghijklmnopqrstuv")

SEALED_FOR = "responsible-code"
SERIAL_LENGTH = 10
_TOKEN = re.compile(
    rf"([0-9A-Za-z]{{1,12}})-(\d{{1,3}})-([{ALPHABET}]{{{SERIAL_LENGTH}}})-([{ALPHABET}]{{26}})"
)


def new_serial() -> str:
    """Fifty random bits: not to be guessed, and not a secret (the seal is)."""
    return "".join(secrets.choice(ALPHABET) for _ in range(SERIAL_LENGTH))


def institution_of(token: str) -> str | None:
    """For which institution a door must look the token up; None when it is no token at all."""
    parts = parse(token)
    return parts[0] if parts else None


def parse(token: str) -> tuple[str, int, str, bytes] | None:
    """(institution, key id, serial, seal). Nothing is verified here."""
    found = _TOKEN.fullmatch(token)
    if found is None:
        return None
    institution_id, key_id, serial, seal = found.groups()
    number = int(seal.translate(_AS_PYTHON_COUNTS), 32)
    if number >> 128:
        return None
    return institution_id, int(key_id), serial, number.to_bytes(16, "big")


def path(token: str) -> str:
    """Where the code in a QR leads on our own site."""
    return f"/q/{token}"


def token_of(institution_id: str, key_id: int, serial: str, seal: bytes) -> str:
    """≤64 characters of a WeChat string scene: institution, key, serial and 128-bit seal."""
    number = int.from_bytes(seal, "big")
    text = "".join(ALPHABET[number >> shift & 31] for shift in range(125, -1, -5))
    return f"{institution_id}-{key_id}-{serial}-{text}"


def claims(
    institution_id: str,
    serial: str,
    officer_id: str,
    qualification_no: str,
    campaign_id: str,
    placement: str,
    placement_label: str,
    material_id: str,
    expires_at: datetime,
) -> str:
    """Everything the seal vouches for: change any of it in the table and the code is unknown."""
    return json.dumps(
        [
            institution_id,
            serial,
            officer_id,
            qualification_no,
            campaign_id,
            placement,
            placement_label,
            material_id,
            int(expires_at.timestamp()),
        ],
        ensure_ascii=False,
        separators=(",", ":"),
    )


def claims_of(code: ResponsibleCode, serial: str) -> str:
    return claims(
        code.institution_id,
        serial,
        code.officer_id,
        code.qualification_no,
        code.campaign_id,
        code.placement,
        code.placement_label,
        code.material_id,
        code.expires_at,
    )


def genuine(vault: Vault, code: ResponsibleCode, token: str) -> bool:
    """Whether the token's seal is ours and still fits the row it found."""
    parts = parse(token)
    if parts is None:
        return False
    institution_id, key_id, serial, seal = parts
    return institution_id == code.institution_id and vault.signed(
        SEALED_FOR, claims_of(code, serial), key_id, seal
    )


def state_of(
    code: ResponsibleCode,
    campaign: Campaign,
    withdrawn_at: datetime | None,
    officer: Staff | None,
    now: datetime,
    *,
    authority_required: bool,
) -> tuple[CodeState, str, date | None]:
    """(state, reason, the day it ended). Revocation outweighs everything, then freezing, then time.

    `withdrawn_at` is the material's; `authority_required` whether D4-01 is in force.
    """
    today = clock.local(now).date()
    if code.revoked_at is not None:
        return CodeState.REVOKED, code.closed_reason or "已作废", clock.local(code.revoked_at).date()
    if officer is None or not officer.active:
        return CodeState.REVOKED, "客户经理已不在岗", None
    if withdrawn_at is not None:
        return CodeState.REVOKED, "宣传物料已撤回", clock.local(withdrawn_at).date()
    if code.frozen_at is not None:
        return CodeState.FROZEN, code.closed_reason or "核实中", clock.local(code.frozen_at).date()
    if now >= code.expires_at:
        return CodeState.EXPIRED, "码已过期", clock.local(code.expires_at).date()
    if campaign.status == "ended" or today > campaign.ends_on:
        return CodeState.EXPIRED, "活动已结束", campaign.ends_on
    if not authorised(officer, today, required=authority_required):
        return CodeState.EXPIRED, "客户经理的营销授权已到期", officer.authority_to
    return CodeState.REAL, "", None


def authorised(officer: Staff, on: date, *, required: bool) -> bool:
    """D4-01 where it is in force (`required`); before it, being on the staff is enough."""
    return officer.authorised(on) if required else officer.active


def material_problems(headline: str, risk_text: str, rules: InForce) -> dict[str, str]:
    """Why material cannot be approved, one sentence per field."""
    problems = {}
    found = rules.forbidden_in(headline + risk_text)
    if found:
        problems["headline"] = f"不能出现：{'、'.join(found)}"
    if not 4 <= len(headline) <= 18:
        problems["headline"] = problems.get("headline", "标题要 4 到 18 个字")
    if "风险" not in risk_text or len(risk_text) < 12:
        problems["risk_text"] = "要写明贷款风险提示"
    return problems


GREETING_LENGTH = 24


def greeting_problem(greeting: str, rules: InForce) -> str | None:
    """Why an officer's own line may not stand on a poster: the only free text there is (D4-07)."""
    if len(greeting) > GREETING_LENGTH:
        return f"问候语最多 {GREETING_LENGTH} 个字"
    found = rules.forbidden_in(greeting)
    if found:
        return f"不能出现：{'、'.join(found)}"
    if re.search(r"\d", greeting):
        return "问候语里不能写数字，额度和利率由系统标明"
    return None


def content_hash(headline: str, risk_text: str) -> bytes:
    return hashlib.sha256(f"{headline}\x00{risk_text}".encode()).digest()
