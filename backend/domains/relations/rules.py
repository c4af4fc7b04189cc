"""Pure: what the graph around a customer means. Families share everything, so people of one household count once."""

import unicodedata
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta

from backend.core import clock
from backend.domains.relations.model import (
    LISTS,
    Hit,
    Kind,
    Link,
    ListHit,
    Neighbourhood,
    Other,
    Pattern,
    Velocity,
)

Facts = dict[str, int | bool | str]

HANDS = ("openid", "device")
"""What an application is filled in with."""

OWN_THINGS = ("phone", "openid", "device", "payee")
"""What is a person's own: two of them at another household's is somebody else's identity (冒名)."""

_MOST = 999


def plain(kind: str, text: str) -> str:
    """The same thing written a little differently is the same: widths, blanks, dashes, small letters."""
    folded = unicodedata.normalize("NFKC", text)
    if kind == "address":
        return "".join(c for c in folded if c.isalnum())
    if kind in ("phone", "payee", "id_number"):
        return "".join(c for c in folded if c.isalnum()).upper()
    return folded


def households(around: Neighbourhood, link: Link, since: datetime | None = None) -> int:
    """Homes on a key, the customer's own included; `since` counts only who came to it from then on."""
    found = {other.household for other in link.others if since is None or other.first_at >= since}
    return len(found | {around.household})


def strangers(around: Neighbourhood, link: Link) -> list[Other]:
    return [other for other in link.others if other.household != around.household]


def impersonation(around: Neighbourhood) -> str:
    """none, possible (one thing of another household's) or likely (its phone, or two of its things at once)."""
    by_home: dict[str, set[str]] = {}
    for link in _counted(around, OWN_THINGS):
        for other in _theirs(around, link):
            by_home.setdefault(other.household, set()).add(link.kind)
    if any("phone" in kinds or len(kinds) > 1 for kinds in by_home.values()):
        return "likely"
    return "possible" if by_home else "none"


def _theirs(around: Neighbourhood, link: Link) -> list[Other]:
    """Strangers whose own thing this is. A trader's account is many people's payee: only who owns it counts."""
    if link.hub:
        return []
    return [o for o in strangers(around, link) if link.kind != "payee" or o.role == "own"]


def money_returns(around: Neighbourhood) -> bool:
    """Money paid out ends on an account of somebody outside the household, or the customer's is that account for
    two other households."""
    for link in _counted(around, ("payee",)):
        away = strangers(around, link)
        if link.role == "used" and any(other.role == "own" for other in away):
            return True
        if link.role == "own" and len({other.household for other in away}) >= 2:
            return True
    return False


def facts(
    around: Neighbourhood, velocity: Velocity, listed: Iterable[ListHit], *, now: datetime, staff_number: bool
) -> Facts:
    """What decisions may use, by the catalogue's names. `staff_number`: the phone is a member of staff's."""
    hits = list(listed)
    return {
        "device_customers_24h": _within(velocity.of("device", "24h").customers),
        "device_customers_30d": _within(velocity.of("device", "30d").customers),
        "person_applications_30d": _within(velocity.of("person", "30d").applications),
        "address_applications_90d": _within(velocity.of("address", "90d").customers),
        "phone_customers_90d": _within(velocity.of("phone", "90d").customers),
        "network_customers_24h": _within(velocity.of("network", "24h").customers),
        "own_list_hit": list_standing(hits),
        "relation_ring_households": _within(around.ring_households),
        "relation_device_households": _most(around, HANDS),
        "relation_payee_households": _most(around, ("payee",)),
        "relation_helper_households_7d": _most(around, HANDS, now - timedelta(days=7)),
        "relation_guarantee_ring": bool(around.guaranteed_back),
        "relation_impersonation": impersonation(around),
        "relation_money_returns": money_returns(around),
        "relation_staff_contact": staff_number or any(hit.list == "staff" for hit in hits),
    }


def list_standing(hits: Iterable[ListHit]) -> str:
    """blocked only by the ID number itself: a phone or address on a block list may have changed hands, so a person
    looks at it."""
    standing = "none"
    for hit in hits:
        if hit.list == "block" and hit.kind == "id_number":
            return "blocked"
        if hit.list in ("block", "watch"):
            standing = "watch"
    return standing


def hits(around: Neighbourhood, patterns: Mapping[str, Pattern], now: datetime) -> list[Hit]:
    """The patterns of the nightly look at one customer, with what is shared, with how many, since when."""
    return [hit for pattern in patterns.values() if (make := _HITS.get(pattern.code))
             for hit in make(around, pattern, now)]  # fmt: skip


def list_hits(
    found: Iterable[ListHit], kinds: Mapping[str, Kind], staff_number: bool, pattern: Pattern
) -> list[Hit]:
    """What lists say of a customer, and whether a number is a member of staff's (`pattern` is 员工's)."""
    told = []
    for hit in found:
        whose = "省联社" if hit.union else "本行"
        label, code = (pattern.label, pattern.code) if hit.list == "staff" else (LISTS[hit.list], "RL_LIST")
        severity = "decline" if hit.list == "block" and hit.kind == "id_number" else "refer"
        evidence = f"{kinds[hit.kind].label}在{whose}的名单上"
        told.append(Hit(code=code, label=label, severity=severity, evidence=evidence))
    if staff_number:
        evidence = "手机号是本行员工登记的号码"
        told.append(Hit(code=pattern.code, label=pattern.label, severity="refer", evidence=evidence))
    return told


def describe(around: Neighbourhood, link: Link) -> str:
    """One line of a picture in words: 手机号：和另外 2 人（2 户）共用，从 2026-10-01 起."""
    others = link.customers - 1
    if link.allowed:
        return f"{link.label}：在放行名单上，不算共用"
    if not others:
        return f"{link.label}：只有本人用"
    homes = len({other.household for other in strangers(around, link)})
    more = "以上" if others > len(link.others) else ""
    whose = f"{homes} 户{more}" if homes else "都是一家人"
    crowd = "，人多，只计数" if link.hub else ""
    return f"{link.label}：和另外 {others} 人（{whose}）共用，从 {_day(_since(link))} 起{crowd}"


def _counted(around: Neighbourhood, kinds: Iterable[str]) -> list[Link]:
    wanted = set(kinds)
    return [link for link in around.links if link.kind in wanted and not link.allowed]


def _most(around: Neighbourhood, kinds: Iterable[str], since: datetime | None = None) -> int:
    """Households on the most shared of these, at least the customer's own."""
    return _within(max((households(around, link, since) for link in _counted(around, kinds)), default=1))


def _within(count: int) -> int:
    return min(_MOST, count)


def _since(link: Link) -> datetime:
    """When it began to be shared: the second of all who came to it."""
    return sorted([link.first_at, *(other.first_at for other in link.others)])[: 2 if link.others else 1][-1]


def _day(at: datetime) -> str:
    return clock.local(at).date().isoformat()


def _cases(others: Iterable[Other]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(o.application_id for o in others if o.application_id))[:10]


def _shared(*kinds: str) -> Callable[[Neighbourhood, Pattern, datetime], list[Hit]]:
    def make(around: Neighbourhood, pattern: Pattern, now: datetime) -> list[Hit]:
        since = now - timedelta(days=pattern.days) if pattern.days else None
        return [
            _hit(around, pattern, link)
            for link in _counted(around, kinds)
            if households(around, link, since) >= pattern.least
        ]

    return make


def _hit(around: Neighbourhood, pattern: Pattern, link: Link) -> Hit:
    return Hit(
        code=pattern.code,
        label=pattern.label,
        severity=pattern.severity,
        evidence=describe(around, link),
        since=_since(link),
        applications=_cases(link.others),
    )


def _impersonated(around: Neighbourhood, pattern: Pattern, _: datetime) -> list[Hit]:
    if impersonation(around) != "likely":
        return []
    return [_hit(around, pattern, link) for link in _counted(around, OWN_THINGS) if _theirs(around, link)]


def _returned(around: Neighbourhood, pattern: Pattern, _: datetime) -> list[Hit]:
    if not money_returns(around):
        return []
    return [_hit(around, pattern, link) for link in _counted(around, ("payee",)) if strangers(around, link)]


def _ring(around: Neighbourhood, pattern: Pattern, _: datetime) -> list[Hit]:
    if around.ring_households < pattern.least:
        return []
    evidence = f"和 {around.ring_households - 1} 户 {around.ring_customers - 1} 人连在一起"
    return [Hit(code=pattern.code, label=pattern.label, severity=pattern.severity, evidence=evidence)]


def _guaranteed(around: Neighbourhood, pattern: Pattern, _: datetime) -> list[Hit]:
    if not around.guaranteed_back:
        return []
    evidence = f"{len(around.guaranteed_back) + 1} 人一个保一个，最后保回本人"
    return [Hit(code=pattern.code, label=pattern.label, severity=pattern.severity, evidence=evidence)]


_HITS: dict[str, Callable[[Neighbourhood, Pattern, datetime], list[Hit]]] = {
    "RL_IMPERSONATION": _impersonated,
    "RL_PAYEE": _shared("payee"),
    "RL_RETURNS": _returned,
    "RL_HELPER": _shared(*HANDS),
    "RL_GUARANTEE": _guaranteed,
    "RL_RING": _ring,
    "RL_PHONE": _shared("phone"),
    "RL_DEVICE": _shared(*HANDS),
}
"""By pattern; 员工 is told from the lists and the staff table, not from the graph."""
