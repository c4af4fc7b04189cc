"""The kept state of the graph is what its edges say, whatever happened in whatever order (N9)."""

import asyncio
import random
from datetime import timedelta

import pytest

from backend.core import clock
from backend.core.actor import Actor, system
from backend.db.database import Database, Tx
from backend.domains.relations import findings, lists
from backend.domains.relations import service as relations
from backend.domains.relations.model import WINDOWS
from tests.acting import act_as
from tests.domains.relations.conftest import ByHand, application, expected, homes, kept, person, share, sight

KINDS = ("phone", "openid", "device", "payee", "address", "household", "guarantor", "phone", "phone")


@pytest.mark.parametrize("seed", range(24))
async def test_random_graphs_are_kept_as_they_are_by_hand(tx: Tx, seed: int) -> None:
    """Sharing, one by one or several at once, hubs that appear and fall apart again, edges that age out: after each
    burst all must agree."""
    draw, hand, case = random.Random(seed), ByHand(), await application(tx)
    people = [person(n) for n in range(draw.choice((12, 30, 60)))]
    things = draw.choice((3, 8, 20))
    for _ in range(4):
        for _ in range(draw.choice((10, 40))):
            tx.now += timedelta(minutes=draw.randint(1, 900))
            one = draw.choice(people)
            used = {(draw.choice(KINDS), str(draw.randrange(things))) for _ in range(draw.choice((1, 1, 4)))}
            edges = [relations.Edge(kind, text, "application") for kind, text in sorted(used)]
            await sight(tx, case, one, {}, edges)
            for edge in edges:
                hand.connect(one, edge.kind, edge.text, tx.now)
        assert await kept(tx) == expected(hand, tx)
        before = tx.now - timedelta(days=draw.choice((2, 5, 400)))
        while await findings.age(tx, before, draw.choice((1, 3, 1000))):
            pass
        hand.age(before)
        assert await kept(tx) == expected(hand, tx)
    assert (await findings.compare(tx))[1] == 0, "the nightly look finds nothing to repair"


@pytest.mark.parametrize("seed", range(8))
async def test_the_night_finds_and_repairs_what_was_kept_wrong(tx: Tx, seed: int) -> None:
    draw, hand = random.Random(seed), ByHand()
    for _ in range(150):
        tx.now += timedelta(minutes=1)
        one, kind, text = person(draw.randrange(40)), draw.choice(KINDS), str(draw.randrange(12))
        await relations.connect(tx, one, kind, text, source="application")
        hand.connect(one, kind, text, tx.now)
    right = await kept(tx)
    assert right == expected(hand, tx)
    spoil = (
        "update relations.members set component = customer_id where component <> customer_id",
        "update relations.members set household = '\\x00'",
        "update relations.nodes set customers = customers + 1 where kind = 'phone'",
        "delete from relations.nodes where kind = 'payee'",
        "delete from relations.members where customer_id::text < '8'",
        "update relations.members set component = (select max(customer_id::text)::uuid from relations.members)",
        "update relations.nodes set allowed = true where kind = 'openid'",
        "insert into relations.nodes values ('4101', 'device', '\\x01', 3)",
    )
    await tx.connection.execute(spoil[seed])
    customers, differing = await findings.compare(tx)
    assert differing > 0
    assert customers == len(right)
    assert await kept(tx) == right
    assert await findings.compare(tx) == (len(right), 0)


async def test_a_newcomer_has_no_home_where_too_many_are(tx: Tx) -> None:
    """What else comes up with it at once may be."""
    await share(tx, "address", "村委会", [person(n) for n in range(13)])
    case, hub = await application(tx), relations.Edge("address", "村委会", "application")
    await sight(tx, case, person(13), {}, [hub])
    await sight(tx, case, person(14), {}, [hub, relations.Edge("address", "柳林村1号", "application")])
    found = await kept(tx)
    assert found[person(13)] == (person(13), None)
    assert found[person(14)] == (person(14), relations.key(tx, "address", "柳林村1号"))


async def test_a_hub_joins_nobody_and_what_hung_by_it_falls_apart(tx: Tx) -> None:
    """A branch's wireless network, a trader's account: counted, and no ring."""
    people = [person(n) for n in range(7)]
    await homes(tx, people)
    await share(tx, "phone", "139", people[:6])
    assert (await relations.neighbourhood(tx, people[0])).ring_customers == 6
    await share(tx, "phone", "139", people[6:])
    around = await relations.neighbourhood(tx, people[0])
    assert (around.ring_customers, around.links[1].hub, around.links[1].customers) == (1, True, 7)


async def test_a_village_address_is_nobodys_home(tx: Tx) -> None:
    people = [person(n) for n in range(13)]
    await share(tx, "address", "甲县柳林镇柳林村", people[:12])
    around = await relations.neighbourhood(tx, people[0])
    assert (around.ring_customers, around.ring_households) == (12, 1)
    await share(tx, "address", "甲县柳林镇柳林村", people[12:])
    assert all(home is None for _, home in (await kept(tx)).values())
    assert (await relations.neighbourhood(tx, people[0])).ring_households == 1


async def test_the_same_thing_written_a_little_differently_is_the_same(tx: Tx) -> None:
    pairs = (
        ("address", "甲县柳林镇柳林村 12 号", "甲县柳林镇柳林村１２号"),
        ("phone", "139 1234-5678", "13912345678"),
        ("payee", "6212 3400 0000 0001", "6212340000000001"),
        ("id_number", "41170119800307123x", "41170119800307123X"),
    )
    for kind, one, other in pairs:
        assert relations.key(tx, kind, one) == relations.key(tx, kind, other), kind
    assert relations.key(tx, "phone", "1") != relations.key(tx, "payee", "1")


async def test_nothing_readable_is_kept(tx: Tx) -> None:
    await share(tx, "phone", "13912345678", [person(1)])
    case = await application(tx)
    await sight(tx, case, person(1), {"phone": "13912345678", "openid": "", "network": "203.0.113.7"})
    for table in ("edges", "nodes", "sightings", "members"):
        rows = await tx.connection.fetch(f"select t::text as text from relations.{table} t")
        assert rows
        assert not any("13912345678" in row["text"] or "203.0.113" in row["text"] for row in rows)


async def test_counts_are_exact_when_many_hand_in_at_once(db: Database, actor: Actor) -> None:
    """Each of 24 sees exactly those whose transaction ended before its own: 1, 2, …, 24, none twice."""

    async def hand_in(number: int) -> str:
        async with db.begin(actor) as tx:
            case = await application(tx)
            relations.sight(tx, case, person(number), {"device": "one phone", "person": person(number)})
            await relations.connect(tx, person(number), "openid", "one phone", source="application")
            return case

    cases = await asyncio.gather(*(hand_in(n) for n in range(24)))
    async with db.read(actor) as tx:
        counted = [(await relations.velocity(tx, case)).of("device", "24h").customers for case in cases]
        assert sorted(counted) == list(range(1, 25))
        again = [(await relations.velocity(tx, case)).of("device", "24h").customers for case in cases]
        assert again == counted, "counted later, it is the same"
        around = await relations.neighbourhood(tx, person(0))
        assert [(link.customers, link.hub) for link in around.links] == [(24, True)]
    async with db.begin(actor) as tx:
        assert (await findings.compare(tx))[1] == 0


@pytest.mark.parametrize(
    "hours, found", [(0, (1, 1, 1)), (30, (0, 1, 1)), (24 * 31, (0, 0, 1)), (24 * 91, (0, 0, 0))]
)
async def test_every_window_counts_back_from_the_submission(
    tx: Tx, hours: int, found: tuple[int, ...]
) -> None:
    earlier, now = await application(tx), tx.now
    await sight(tx, earlier, person(1), {"device": "a", "address": "b", "phone": "c", "payee": "d"})
    tx.now = now + timedelta(hours=hours)
    later = await application(tx)
    await sight(tx, later, person(2), {"device": "a", "address": "b", "phone": "c", "payee": "d"})
    counted = await relations.velocity(tx, later)
    for kind in ("device", "address", "phone", "payee"):
        assert tuple(counted.of(kind, w).customers - 1 for w in WINDOWS) == found
        assert tuple(counted.of(kind, w).applications - 1 for w in WINDOWS) == found


@pytest.mark.parametrize("hours, others", [(0, 1), (23, 1), (25, 0)])
async def test_a_network_counts_over_a_day_alone(tx: Tx, hours: int, others: int) -> None:
    earlier, now = await application(tx), tx.now
    await sight(tx, earlier, person(1), {"network": "203.0.113.7"})
    tx.now = now + timedelta(hours=hours)
    later = await application(tx)
    await sight(tx, later, person(2), {"network": "203.0.113.7"})
    counted = await relations.velocity(tx, later)
    assert counted.of("network", "24h").customers - 1 == others
    assert counted.of("network", "90d").customers == 0, "not counted"


async def test_another_county_sees_no_node_and_learns_only_how_many(db: Database, actor: Actor) -> None:
    """A1-02: figures of the whole union, nobody's id, institution or key."""
    other = system("4102", "test")
    async with db.begin(other) as tx:
        await share(tx, "phone", "13900000001", [person(1), person(2), person(3)])
    async with db.begin(actor) as tx:
        await share(tx, "phone", "13900000001", [person(9)])
        await share(tx, "phone", "13900000002", [person(9)])
    async with db.read(actor) as tx:
        for table in ("edges", "nodes", "members"):
            rows = await tx.connection.fetch(f"select institution_id from relations.{table}")
            assert {row["institution_id"] for row in rows} == {"4101"}
        around = await relations.neighbourhood(tx, person(9))
        assert [link.customers for link in around.links] == [1, 1]
        assert await relations.elsewhere(tx, around) == {relations.key(tx, "phone", "13900000001"): (1, 3)}
        assert await tx.connection.fetchval("select current_setting('app.institution')") == "4101"


async def test_what_is_allowed_joins_nobody_until_it_is_taken_off_again(tx: Tx) -> None:
    people = [person(n) for n in range(5)]
    await homes(tx, people)
    await share(tx, "payee", "6212", people)
    entry = await lists.propose(
        tx, list_name="allow", kind="payee", text="6212", reason="县里的农资公司", source="客户部",
        expires_on=clock.local(tx.now).date(),
    )  # fmt: skip
    assert (await relations.neighbourhood(tx, people[0])).ring_customers == 5, (
        "one person's word is not enough"
    )
    await act_as(tx, system("4101", "second"))
    await lists.approve(tx, entry)
    around = await relations.neighbourhood(tx, people[0])
    assert (around.ring_customers, around.links[1].allowed, around.links[1].others) == (1, True, ())
    await share(tx, "payee", "6212", [person(7)])
    assert (await findings.compare(tx))[1] == 0
    await lists.end(tx, entry, "公司关门了")
    assert (await relations.neighbourhood(tx, people[0])).ring_customers == 6
    assert (await findings.compare(tx))[1] == 0
