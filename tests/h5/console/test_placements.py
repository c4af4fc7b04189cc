"""A placement that stopped by itself (N15): what the scanner reads, what staff see, and how it goes on."""

import asyncpg

from backend.domains.campaigns import sentinel
from backend.domains.campaigns import service as campaigns
from tests.flows.conftest import JIA, Road, id_number
from tests.h5.conftest import Desks, anew
from tests.h5.studio.test_studio import LI_SI, bring, group_code


async def test_from_the_stop_to_the_release(road: Road, desks: Desks, owner: asyncpg.Connection) -> None:
    code = await group_code(road)
    async with road.db.read(JIA) as tx:
        token = (await campaigns.get_code(tx, code)).token
    for case in ("a", "b"):
        async with road.db.begin(JIA) as tx:
            await sentinel.signal(tx, code, "helper", case)
    page = await road.web.get(f"/q/{token}")
    assert page.status_code == 410
    for words in ("我们先停下来查一查，和您没有关系", "去官方页面", "有人用它向您收费？告诉我们"):
        assert words in page.text, words
    assert "代办好几家" not in page.text
    admin, reviewer = await desks.of("JX0101"), await desks.of("JX0201")
    assert "1 个码自动暂停" in admin.words
    await admin.get("/console/officers")
    assert "有人替好几家代办：7 天内 2，一般不超过 1" in admin.words
    path = f"/console/officers/4101/{LI_SI.id}"
    await reviewer.get(path)
    assert f"/console/codes/{code}/release" not in reviewer.reply.text
    await admin.get(path)
    form = admin.page.form(f"/console/codes/{code}/release")
    await admin.send(form, reason="")
    assert admin.reply.status_code == 422
    await admin.send(anew(form), reason="问过两家，是邻居帮着填的")
    assert "自动暂停" not in admin.words
    again = await road.web.get(f"/q/{token}")
    assert (again.status_code, "有人向您收费吗？" in again.text) == (200, True)


async def test_one_pair_of_hands_for_several_households_is_noticed_with_the_decision(
    road: Road, owner: asyncpg.Connection
) -> None:
    """The rule is the graph's own; the cases go on."""
    code, cases = await group_code(road), []
    for serial in range(901, 907):
        number = id_number(serial)
        await road.person(number, preset="good", phone="match")
        draft = await road.draft(number)
        await bring(owner, draft.id, code)
        await owner.execute(
            "update applications.applications set openid = 'o-helper' where id = $1", draft.id
        )
        cases.append(await road.submit(await road.see(draft)))
        await road.drain()
        told = await owner.fetchval("select count(*) from campaigns.signals")
        assert (told > 0) is (len(cases) > 3), "what a family shares is its own"
    async with road.db.read(JIA) as tx:
        [found] = await sentinel.standing(tx)
    assert (found.code_id, found.pattern) == (code, "helper")
    assert {case.status for case in cases} == {"submitted"}
