"""Masks for personal data in anything a third pair of eyes sees (D3-15, JR/T 0171-2020), as data.

Who looks decides how much: the person themselves (`owner`), the roles that work with whole accounts inside the
bank (`internal`), everybody else (`third`). What is whole on a screen is not masked here but revealed, with role,
reason and a row in the audit log (`customers.service.reveal`).
"""

from collections.abc import Iterable
from typing import Literal

Eyes = Literal["third", "internal", "owner"]
Kind = Literal["name", "id_number", "phone", "card", "openid"]

WHOLE = (1000, 0)

MASKS: dict[Kind, dict[Eyes, tuple[int, int]]] = {
    "name": {"third": (1, 0), "internal": (1, 0), "owner": WHOLE},
    "id_number": {"third": (1, 1), "internal": (1, 1), "owner": (3, 4)},
    "phone": {"third": (3, 4), "internal": (3, 4), "owner": (3, 4)},
    "card": {"third": (0, 4), "internal": (6, 4), "owner": (0, 4)},
    "openid": {"third": (4, 4), "internal": (4, 4), "owner": (4, 4)},
}
"""How many characters stay at the beginning and at the end."""

EYES: dict[str, Eyes] = {"reviewer": "internal", "risk_analyst": "internal", "auditor": "internal"}
"""Roles of staff whose eyes are not third ones."""


def eyes_of(roles: Iterable[str]) -> Eyes:
    """How staff with these roles look at a person who is not themselves."""
    return "internal" if any(EYES.get(role) == "internal" for role in roles) else "third"


def masked(kind: Kind, text: str, eyes: Eyes = "third") -> str:
    """The text with stars for what these eyes may not see; a text too short to keep both ends is all stars."""
    head, tail = MASKS[kind][eyes]
    if (head, tail) == WHOLE or not text:
        return text
    if head + tail >= len(text):
        return text[:head] + "*" if kind == "name" else "*" * len(text)
    return text[:head] + "*" * (len(text) - head - tail) + text[len(text) - tail :]


def name(text: str, eyes: Eyes = "third") -> str:
    """张三 → 张*, 欧阳小明 → 欧***: the first character stays."""
    return masked("name", text, eyes)


def id_number(text: str, eyes: Eyes = "third") -> str:
    """First and last character for third eyes; 411***********001X for the owner."""
    return masked("id_number", text, eyes)


def phone(text: str, eyes: Eyes = "third") -> str:
    """138****1234."""
    return masked("phone", text, eyes)


def card(text: str, eyes: Eyes = "third") -> str:
    """Last 4 for people, 6 + 4 inside the bank."""
    return masked("card", text, eyes)


def openid(text: str) -> str:
    """How an account is named to the support desk."""
    return masked("openid", text)


def address(text: str) -> str:
    """Down to the township; house numbers are masked."""
    for mark in ("镇", "乡", "街道", "县", "区"):
        at = text.find(mark)
        if at > 0:
            return text[: at + len(mark)] + "****"
    return text[:3] + "****"
