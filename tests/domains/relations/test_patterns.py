"""What the graph means for one customer, and what the night raises for staff (A6-01, N9)."""

from collections.abc import Callable, Coroutine
from datetime import timedelta
from itertools import pairwise
from typing import Any

import asyncpg
import msgspec
import pytest

from backend.core import clock
from backend.core.actor import Actor, system
from backend.core.errors import Problem
from backend.db.database import Tx
from backend.domains.relations import findings, lists, rules
from backend.domains.relations import service as relations
from backend.domains.relations.model import (
    EntryIncomplete,
    EntryMoved,
    EntryThere,
    FindingMoved,
    NotYourEntry,
    SayMore,
)
from tests.acting import act_as
from tests.domains.relations.conftest import application, homes, person, share, sight
from tests.domains.savepoint import savepoint

ME, A, B, C, D = (person(n) for n in range(5))

QUIET = {
    "own_list_hit": "none",
    "relation_ring_households": 1,
    "relation_device_households": 1,
    "relation_payee_households": 1,
    "relation_helper_households_7d": 1,
    "relation_guarantee_ring": False,
    "relation_impersonation": "none",
    "relation_money_returns": False,
    "relation_staff_contact": False,
}


async def facts(tx: Tx, one: str = ME, *numbers: tuple[str, str], staff: bool = False) -> dict[str, Any]:
    case = await application(tx)
    await sight(tx, case, one, {"device": one, "person": one, "address": one})
    return rules.facts(
        await relations.neighbourhood(tx, one),
        await relations.velocity(tx, case),
        await relations.listed(tx, one, case, numbers),
        now=tx.now,
        staff_number=staff,
    )


def loud(found: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in found.items() if name in QUIET and value != QUIET[name]}


async def family(tx: Tx) -> None:
    """One roof, one telephone, one account: nothing to see."""
    await share(tx, "address", "柳林村 1 号", [ME, A, B, C])
    for kind in ("openid", "device", "payee", "phone"):
        await share(tx, kind, "ours", [ME, A, B, C])


async def neighbours_phone(tx: Tx) -> None:
    await homes(tx, (ME, A))
    await share(tx, "openid", "o1", [ME, A])


async def others_phone_number(tx: Tx) -> None:
    await homes(tx, (ME, A))
    await share(tx, "phone", "139", [A], role="own")
    await share(tx, "phone", "139", [ME], role="own")


async def two_things_of_one_home(tx: Tx) -> None:
    await homes(tx, (ME, A, B))
    await share(tx, "openid", "o1", [ME, A])
    await share(tx, "payee", "acc", [A], role="own")
    await share(tx, "payee", "acc", [ME])


async def two_things_of_two_homes(tx: Tx) -> None:
    await homes(tx, (ME, A, B))
    await share(tx, "openid", "o1", [ME, A])
    await share(tx, "device", "d1", [ME, B])


async def many_to_one_account(tx: Tx) -> None:
    """垒大户: borrowers of many homes, one user of the money, who owns none of the accounts we know."""
    await homes(tx, (ME, A, B, C))
    await share(tx, "payee", "trader", [ME, A, B, C])


async def i_am_the_account(tx: Tx) -> None:
    await homes(tx, (ME, A, B))
    await share(tx, "payee", "mine", [ME], role="own")
    await share(tx, "payee", "mine", [A, B])


async def my_account_for_one_other_home(tx: Tx) -> None:
    """Mother and son next door are paid through mine: one household, however many of it."""
    await homes(tx, (ME,))
    await share(tx, "address", "隔壁", [A, B])
    await share(tx, "payee", "mine", [ME], role="own")
    await share(tx, "payee", "mine", [A, B])


async def everybodys_phone(tx: Tx) -> None:
    """The number of the village's shop stands in many forms: shown, and nobody's identity."""
    people = [ME, *(person(n) for n in range(30, 36))]
    await homes(tx, people)
    await share(tx, "phone", "shop", people, role="own")


async def paid_helper(tx: Tx) -> None:
    await homes(tx, (ME, A, B, C, D))
    await share(tx, "openid", "broker", [A, B, C, D, ME])


async def old_helper(tx: Tx) -> None:
    """The village's committee lent its phone over a year: many homes, no burst."""
    await homes(tx, (ME, A, B, C))
    for one in (A, B, C, ME):
        await share(tx, "openid", "committee", [one])
        tx.now += timedelta(days=30)


async def guarantee_circle(tx: Tx) -> None:
    await homes(tx, (ME, A, B))
    case = await application(tx)
    await relations.guarantee(tx, ME, A, case)
    await relations.guarantee(tx, A, B, case)
    await relations.guarantee(tx, B, ME, case)


async def guarantee_one_way(tx: Tx) -> None:
    await homes(tx, (ME, A, B))
    case = await application(tx)
    await relations.guarantee(tx, ME, A, case)
    await relations.guarantee(tx, A, B, case)


async def nine_homes_in_a_chain(tx: Tx) -> None:
    """No key has more than two people; together they are one ring."""
    people = [ME, *(person(n) for n in range(10, 18))]
    await homes(tx, people)
    for n, (one, other) in enumerate(pairwise(people)):
        await share(tx, "device", f"d{n}", [one, other])


SCENES: list[tuple[Callable[[Tx], Coroutine[Any, Any, None]], dict[str, Any], set[str]]] = [
    (family, {}, set()),
    (
        neighbours_phone,
        {
            "relation_impersonation": "possible",
            "relation_ring_households": 2,
            "relation_device_households": 2,
            "relation_helper_households_7d": 2,
        },
        set(),
    ),
    (
        others_phone_number,
        {"relation_impersonation": "likely", "relation_ring_households": 2},
        {"RL_IMPERSONATION", "RL_PHONE"},
    ),
    (
        two_things_of_one_home,
        {
            "relation_impersonation": "likely",
            "relation_ring_households": 2,
            "relation_device_households": 2,
            "relation_helper_households_7d": 2,
            "relation_payee_households": 2,
            "relation_money_returns": True,
        },
        {"RL_IMPERSONATION", "RL_RETURNS"},
    ),
    (
        two_things_of_two_homes,
        {
            "relation_impersonation": "possible",
            "relation_ring_households": 3,
            "relation_device_households": 2,
            "relation_helper_households_7d": 2,
        },
        set(),
    ),
    (
        many_to_one_account,
        {"relation_payee_households": 4, "relation_ring_households": 4},
        {"RL_PAYEE"},
    ),
    (
        i_am_the_account,
        {"relation_payee_households": 3, "relation_ring_households": 3, "relation_money_returns": True},
        {"RL_PAYEE", "RL_RETURNS"},
    ),
    (
        my_account_for_one_other_home,
        {"relation_payee_households": 2, "relation_ring_households": 2},
        set(),
    ),
    (everybodys_phone, {}, {"RL_PHONE"}),
    (
        paid_helper,
        {
            "relation_helper_households_7d": 5,
            "relation_device_households": 5,
            "relation_ring_households": 5,
            "relation_impersonation": "possible",
        },
        {"RL_HELPER", "RL_DEVICE"},
    ),
    (
        old_helper,
        {
            "relation_device_households": 4,
            "relation_ring_households": 4,
            "relation_impersonation": "possible",
        },
        {"RL_DEVICE"},
    ),
    (guarantee_circle, {"relation_guarantee_ring": True, "relation_ring_households": 3}, {"RL_GUARANTEE"}),
    (guarantee_one_way, {"relation_ring_households": 3}, set()),
    (
        nine_homes_in_a_chain,
        {
            "relation_ring_households": 9,
            "relation_impersonation": "possible",
            "relation_device_households": 2,
            "relation_helper_households_7d": 2,
        },
        {"RL_RING"},
    ),
]


@pytest.mark.parametrize("scene, said, codes", SCENES, ids=lambda x: getattr(x, "__name__", ""))
async def test_what_is_shared_becomes_facts_and_hits_with_evidence(
    tx: Tx, scene: Callable[[Tx], Coroutine[Any, Any, None]], said: dict[str, Any], codes: set[str]
) -> None:
    await scene(tx)
    assert loud(await facts(tx)) == said
    hits = await relations.hits(tx, await relations.neighbourhood(tx, ME))
    assert {hit.code for hit in hits} == codes
    assert all(hit.evidence and hit.severity in ("refer", "note") for hit in hits)


async def test_evidence_says_what_with_how_many_since_when(tx: Tx) -> None:
    await homes(tx, (ME, A, B, C))
    began = tx.now
    for one in (A, B, ME, C):
        await share(tx, "payee", "trader", [one], application_id=await application(tx))
        tx.now += timedelta(days=1)
    [hit] = await relations.hits(tx, await relations.neighbourhood(tx, ME))
    day = clock.local(began + timedelta(days=1)).date()
    assert hit.evidence == f"收款账户：和另外 3 人（3 户）共用，从 {day} 起"
    assert len(hit.applications) == 3


async def test_a_line_of_the_picture_says_what_does_not_count_and_that_there_are_more_than_it_names(
    tx: Tx,
) -> None:
    await homes(tx, (ME, A))
    await share(tx, "phone", "139", [ME, A])
    around = await relations.neighbourhood(tx, ME)
    [link] = [each for each in around.links if each.kind == "phone"]
    day = clock.local(tx.now).date()
    assert rules.describe(around, link) == f"手机号：和另外 1 人（1 户）共用，从 {day} 起"
    many = msgspec.structs.replace(link, customers=9, hub=True)
    assert rules.describe(around, many) == f"手机号：和另外 8 人（1 户以上）共用，从 {day} 起，人多，只计数"
    let_be = msgspec.structs.replace(link, allowed=True)
    assert rules.describe(around, let_be) == "手机号：在放行名单上，不算共用"
    alone = msgspec.structs.replace(link, customers=1, others=())
    assert rules.describe(around, alone) == "手机号：只有本人用"
    allowed = msgspec.structs.replace(around, links=(let_be,))
    assert rules.impersonation(around) == "likely"
    assert rules.impersonation(allowed) == "none", "what is allowed is nobody's identity"


@pytest.mark.parametrize("name, kind, found", [
    ("block", "id_number", "blocked"), ("block", "phone", "watch"), ("block", "openid", "watch"),
    ("watch", "id_number", "watch"), ("watch", "phone", "watch"), ("allow", "phone", "none"),
])  # fmt: skip
async def test_a_list_stops_by_the_id_number_only_and_counts_when_two_have_agreed(
    tx: Tx, name: str, kind: str, found: str
) -> None:
    texts = {"id_number": "411701198003071233", "phone": "13900000000", "openid": "o1"}
    await share(tx, "openid", "o1", [ME])
    numbers = [(k, t) for k, t in texts.items() if k != "openid"]
    entry = await propose(tx, name, kind, texts[kind])
    assert (await facts(tx, ME, *numbers))["own_list_hit"] == "none"
    with pytest.raises(NotYourEntry):
        await lists.approve(tx, entry)
    await as_another(tx)
    await lists.approve(tx, entry)
    assert (await facts(tx, ME, *numbers))["own_list_hit"] == found
    with pytest.raises(EntryMoved):
        await lists.approve(tx, entry)
    tx.now += timedelta(days=11)
    assert (await facts(tx, ME, *numbers))["own_list_hit"] == "none", "its last day is over"


async def test_what_is_refused_or_ended_counts_no_more(tx: Tx) -> None:
    number = ("id_number", "411701198003071233")
    first = await propose(tx, "block", *number)
    with pytest.raises(EntryThere):
        await propose(tx, "block", *number)
    await as_another(tx)
    await lists.refuse(tx, first)
    second = await propose(tx, "block", *number)
    await as_another(tx, "third")
    await lists.approve(tx, second)
    assert (await facts(tx, ME, number))["own_list_hit"] == "blocked"
    await lists.end(tx, second, "查清不是本人")
    assert (await facts(tx, ME, number))["own_list_hit"] == "blocked", "nobody lets go alone"
    with pytest.raises(EntryMoved):
        await lists.end(tx, second, "查清不是本人")
    with pytest.raises(NotYourEntry):
        await lists.agree_to_end(tx, second)
    await as_another(tx, "fourth")
    assert await lists.waiting(tx, ["4101"]) == {"4101": 1}
    await lists.keep(tx, second)
    with pytest.raises(EntryMoved):
        await lists.agree_to_end(tx, second)
    await lists.end(tx, second, "确实查清了")
    await as_another(tx, "third")
    await lists.agree_to_end(tx, second)
    assert (await facts(tx, ME, number))["own_list_hit"] == "none"
    assert {entry.status for entry in await lists.entries(tx)} == {"ended", "refused"}
    told = {"proposed", "refused", "active", "end_asked", "kept", "ended"}
    assert {e["action"] for e in tx.audit} == {f"list.{each}" for each in told}


async def test_a_list_ends_by_two_people_in_sql_too(tx: Tx) -> None:
    entry = await propose(tx, "block", "id_number", "411701198003071233")
    await as_another(tx)
    await lists.approve(tx, entry)
    end = "update relations.list_entries set status = 'ended', ended_by = xd.actor(), ended_at = now()"
    for alone in (end, end + ", end_asked_by = xd.actor(), end_asked_at = now(), end_why = 'x'"):
        with pytest.raises(asyncpg.CheckViolationError, match="two people"):
            async with savepoint(tx):
                await tx.connection.execute(alone)


async def test_a_line_past_its_last_day_makes_room_for_a_new_one(tx: Tx) -> None:
    number = ("id_number", "411701198003071233")
    entry = await propose(tx, "block", *number)
    await as_another(tx)
    await lists.approve(tx, entry)
    await tx.connection.execute("update relations.list_entries set expires_on = current_date - 2")
    again = await propose(tx, "block", *number)
    await as_another(tx, "third")
    await lists.approve(tx, again)
    assert (await facts(tx, ME, number))["own_list_hit"] == "blocked"


async def test_self_approval_is_impossible_even_in_sql(tx: Tx) -> None:
    entry = await propose(tx, "block", "phone", "13900000000")
    with pytest.raises(Exception, match="list_entries"):
        await tx.connection.execute(
            "update relations.list_entries set status = 'active', checked_by = made_by, checked_at = now() "
            "where id = $1",
            entry,
        )


@pytest.mark.parametrize("wrong, field", [
    ({"list_name": "black"}, "list"), ({"kind": "face"}, "kind"), ({"text": " "}, "text"),
    ({"reason": "因为"}, "reason"), ({"source": ""}, "source"), ({"expires_on": None}, "expires_on"),
    ({"list_name": "allow", "kind": "id_number", "text": "411701198003071233"}, "kind"), ({"text": "123"}, "text"),
    ({"kind": "id_number", "text": "411701198003071230"}, "text"), ({"kind": "payee", "text": "工行 1234"}, "text"),
])  # fmt: skip
async def test_a_line_without_what_it_needs_is_refused_by_field(
    tx: Tx, wrong: dict[str, Any], field: str
) -> None:
    given = {"list_name": "block", "kind": "phone", "text": "13900000000", "reason": "冒名申请", "source": "公安协查函",
             "expires_on": clock.local(tx.now).date()}  # fmt: skip
    with pytest.raises(EntryIncomplete) as refused:
        await lists.propose(tx, **{**given, **wrong})
    assert set(refused.value.fields) == {field}


async def test_an_officers_account_or_phone_at_a_customer_is_told(tx: Tx) -> None:
    await share(tx, "payee", "officer", [ME])
    assert (await facts(tx, ME, staff=True))["relation_staff_contact"] is True
    assert (await facts(tx, ME))["relation_staff_contact"] is False
    entry = await propose(tx, "staff", "payee", "officer")
    await as_another(tx)
    await lists.approve(tx, entry)
    assert (await facts(tx, ME))["relation_staff_contact"] is True


async def test_the_night_raises_once_what_grows_again_and_counts_false_alarms(tx: Tx) -> None:
    await many_to_one_account(tx)
    await guarantee_circle(tx)
    await paid_helper(tx)
    assert await findings.raise_all(tx) == 3
    assert await findings.raise_all(tx) == 0, "open ones are not raised twice"
    found = {each.code: each for each in await findings.all_findings(tx)}
    assert set(found) == {"RL_PAYEE", "RL_GUARANTEE", "RL_HELPER"}
    assert (found["RL_PAYEE"].customers, found["RL_PAYEE"].households) == (4, 4)
    await answered(tx, found["RL_PAYEE"].id)
    assert await findings.raise_all(tx) == 0, "answered, and not grown since"
    await share(tx, "payee", "trader", [D])
    assert await findings.raise_all(tx) == 1, "one more borrower: look again"
    told = {
        each.code: (each.confirmed, each.false_alarms, each.open) for each in await findings.false_alarms(tx)
    }
    assert told == {"RL_PAYEE": (0, 1, 1), "RL_GUARANTEE": (0, 0, 1), "RL_HELPER": (0, 0, 1)}


async def test_rings_and_phones_of_two_homes_are_raised(tx: Tx) -> None:
    await nine_homes_in_a_chain(tx)
    await share(tx, "phone", "139", [ME, person(10)])
    assert await findings.raise_all(tx) == 3
    found = {each.code: (each.customers, each.households) for each in await findings.all_findings(tx)}
    assert found == {"RL_RING": (9, 9), "RL_PHONE": (2, 2), "RL_IMPERSONATION": (2, 2)}
    assert await findings.raise_all(tx) == 0


async def test_money_that_returns_and_another_homes_things_are_raised(tx: Tx) -> None:
    await homes(tx, (A, B, C, D))
    await share(tx, "payee", "hub", [A], role="own")
    await share(tx, "payee", "hub", [B])
    await share(tx, "openid", "o1", [C, D])
    await share(tx, "phone", "138", [C, D])
    await findings.raise_all(tx)
    found = {each.code: (each.kind, each.households) for each in await findings.all_findings(tx)}
    assert found["RL_RETURNS"] == ("payee", 2)
    assert found["RL_IMPERSONATION"][1] == 2
    assert set(found) == {"RL_RETURNS", "RL_IMPERSONATION", "RL_PHONE"}
    assert await findings.raise_all(tx) == 0


async def test_a_finding_has_one_owner_who_alone_answers_it_with_words(tx: Tx) -> None:
    await many_to_one_account(tx)
    await findings.raise_all(tx)
    [finding] = await findings.all_findings(tx)
    with pytest.raises(FindingMoved):
        await findings.answer(tx, finding.id, outcome="confirmed", said="还没有人接手")
    await findings.take_in_hand(tx, finding.id)
    with pytest.raises(FindingMoved):
        await findings.take_in_hand(tx, finding.id)
    with pytest.raises(SayMore):
        await findings.answer(tx, finding.id, outcome="confirmed", said="是")
    owner = tx.actor
    await act_as(tx, system("4101", "another"))
    with pytest.raises(FindingMoved):
        await findings.answer(tx, finding.id, outcome="confirmed", said="不是我的")
    await act_as(tx, owner)
    await findings.answer(tx, finding.id, outcome="confirmed", said="四户的钱都由一个人用")
    [closed] = await findings.all_findings(tx)
    assert (closed.status, closed.said) == ("confirmed", "四户的钱都由一个人用")


async def propose(tx: Tx, name: str, kind: str, text: str) -> str:
    return await lists.propose(
        tx, list_name=name, kind=kind, text=text, reason="冒名申请", source="公安协查函 15 号",
        expires_on=clock.local(tx.now).date() + timedelta(days=10),
    )  # fmt: skip


async def as_another(tx: Tx, name: str = "second") -> None:
    await act_as(tx, Actor("staff", name, "4101"))


async def answered(tx: Tx, finding_id: str) -> None:
    await findings.take_in_hand(tx, finding_id)
    await findings.answer(tx, finding_id, outcome="false_alarm", said="上门看过，是农资公司")


def test_every_refusal_speaks_chinese() -> None:
    for kind in (EntryIncomplete, EntryMoved, EntryThere, FindingMoved, NotYourEntry, SayMore):
        assert issubclass(kind, Problem)
        assert any("一" <= c <= "鿿" for c in kind.message)
