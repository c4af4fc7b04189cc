"""Masks for personal data in anything a third pair of eyes sees (D3-15, JR/T 0171-2020)."""


def name(text: str) -> str:
    """张三 → 张*, 欧阳小明 → 欧***: the first character stays."""
    return text[:1] + "*" * max(1, len(text) - 1) if text else ""


def id_number(text: str, *, owner: bool = False) -> str:
    """First and last character for third eyes; 4117**********001X for the owner."""
    if not text:
        return ""
    head, tail = (4, 4) if owner else (1, 1)
    return text[:head] + "*" * (len(text) - head - tail) + text[-tail:]


def phone(text: str) -> str:
    """138****1234."""
    return text[:3] + "****" + text[-4:] if len(text) >= 8 else "*" * len(text)


def card(text: str, *, internal: bool = False) -> str:
    """Last 4 for people, 6 + 4 inside the bank."""
    if not text:
        return ""
    head = text[:6] if internal else ""
    return head + "*" * (len(text) - len(head) - 4) + text[-4:]


def openid(text: str) -> str:
    return text[:4] + "…" + text[-4:] if len(text) > 8 else "…"


def address(text: str) -> str:
    """Down to the township; house numbers are masked."""
    for mark in ("镇", "乡", "街道", "县", "区"):
        at = text.find(mark)
        if at > 0:
            return text[: at + len(mark)] + "****"
    return text[:3] + "****"
