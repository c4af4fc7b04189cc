"""An officer sees who may be invited now, and notes an invitation; the gate rules both (A3-25, D3-03)."""

import re
from datetime import datetime, time, timedelta

import asyncpg
import pytest

from backend.core import clock
from backend.core.actor import Actor
from backend.db import queries
from backend.demo import staff_id
from backend.domains.applications.model import Application
from backend.domains.channels import tickets
from backend.domains.customers import consents
from backend.domains.customers.consent_texts import Purpose
from backend.domains.decision import moments
from backend.domains.decision.model import Stage
from backend.domains.relations import lists
from backend.flows import contact_lead, invite_lead, list_invitations
from tests.flows.conftest import JIA, Road, id_number
from tests.flows.test_contact_lead import agree
from tests.h5.conftest import Desks
from tests.h5.studio.test_studio import LI_SI, bring

PATH = "/studio/invitations"
TEN = datetime.combine(clock.today() + timedelta(days=1), time(10), clock.LOCAL)


async def prospect(road: Road, owner: asyncpg.Connection, serial: int, *, agreed: bool = True) -> Application:
    """Somebody of 李四's who stopped on the road."""
    draft = await road.draft(id_number(serial))
    if agreed:
        await agree(road, draft)
    await bring(owner, draft.id)
    return draft


async def numbers(road: Road, at: datetime = TEN, who: Actor = LI_SI) -> list[str]:
    with clock.at(at):
        found = await list_invitations.list_invitations(road.db, who, None)
    return [each.prospect.application_no for each in found.lines]


async def held(road: Road, at: datetime = TEN) -> dict[str, int]:
    with clock.at(at):
        return dict((await list_invitations.list_invitations(road.db, LI_SI, None)).held)


async def test_only_who_agreed_and_only_mine_masked_and_with_why(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    mine = await prospect(road, owner, 801)
    silent = await prospect(road, owner, 802, agreed=False)
    other = await road.draft(id_number(803))
    await agree(road, other)
    with clock.at(TEN):
        desk = await desks.of("JX0427")
        await desk.get("/studio/leads")
        assert f'href="{PATH}"' in desk.reply.text
        await desk.get(PATH)
    assert mine.application_no in desk.reply.text
    assert silent.application_no not in desk.reply.text
    assert other.application_no not in desk.reply.text
    assert "名下 2 户里，同意接收营销信息、现在没有在办业务的有 1 户" in desk.words
    assert "停在填用途和金额" in desk.words
    assert "30 天内联系过 0 次，最多 4 次" in desk.words
    assert "张三" not in desk.words, "masked"
    assert id_number(801) not in desk.reply.text


async def test_who_took_the_agreement_back_is_gone_at_once(road: Road, owner: asyncpg.Connection) -> None:
    """D3-03: refusing is one tap on the page of consents."""
    mine = await prospect(road, owner, 804)
    assert await numbers(road) == [mine.application_no]
    async with road.db.begin(JIA) as tx:
        await consents.withdraw(tx, str(mine.customer_id), Purpose.MARKETING)
    assert await numbers(road) == []
    assert await held(road) == {}, "nor among those held for another reason"


async def test_nobody_at_night_and_the_page_says_why(road: Road, owner: asyncpg.Connection) -> None:
    await prospect(road, owner, 805)
    assert await numbers(road, TEN.replace(hour=23)) == []
    assert await held(road, TEN.replace(hour=23)) == {"现在太晚，不能联系": 1}


async def test_an_open_complaint_a_list_and_business_under_way_keep_people_off(
    road: Road, owner: asyncpg.Connection
) -> None:
    complains, _, busy = [await prospect(road, owner, serial) for serial in (806, 807, 808)]
    async with road.db.begin(JIA) as tx:
        await tickets.open(tx, kind="complaint", text="别再打了", customer_id=complains.customer_id)
        entry = await lists.propose(
            tx, list_name="watch", kind="id_number", text=id_number(807), reason="多人合用", source="县行核查",
            expires_on=clock.today() + timedelta(days=30),
        )  # fmt: skip
    second = Actor("staff", staff_id("4101", 3), "4101", frozenset({"county_admin"}), "赵长根")
    async with road.db.begin(second) as tx:
        await lists.approve(tx, entry)
    await owner.execute("update applications.applications set status = 'submitted' where id = $1", busy.id)
    assert await numbers(road) == []
    found = await held(road)
    assert sum(found.values()) == 2
    assert found.get("这位客户有投诉还没办完") == 1
    assert found.get("这位客户在关注名单里") == 1


async def test_the_list_says_of_each_what_the_gate_says_when_one_is_called(
    road: Road, owner: asyncpg.Connection
) -> None:
    people = [await prospect(road, owner, serial) for serial in (809, 810, 811)]
    async with road.db.begin(JIA) as tx:
        await tickets.open(tx, kind="complaint", text="别再打了", customer_id=people[1].customer_id)
    listed = set(await numbers(road))
    for each in people:
        with clock.at(TEN):
            called = await contact_lead.contact_lead(road.db, LI_SI, each, "帮客户填完")
        assert (called.refused == "") == (each.application_no in listed), called


async def test_an_invitation_is_noted_by_leave_of_the_gate_and_counts_for_everybody(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    mine = await prospect(road, owner, 812)
    for day in range(4):
        with clock.at(TEN + timedelta(days=day)):
            desk = await desks.of("JX0427")
            await desk.get(PATH)
            await desk.send(desk.page.form(f"{PATH}/{mine.application_no}"))
            assert desk.path == PATH
    assert await owner.fetchval("select count(*) from campaigns.touches where kind = 'invite'") == 4
    async with road.db.read(JIA) as tx:
        kept = await moments.last_of(tx, mine.id, Stage.MARKETING_GATE)
        assert kept is not None
        assert (kept.outcome, await moments.replay(tx, kept.id)) == ("allowed", (True, True))
    fifth = TEN + timedelta(days=4)
    assert await numbers(road, fifth) == []
    assert list(await held(road, fifth)) == ["30 天里已经联系过 4 次"]
    with clock.at(fifth):
        assert (
            "已经联系过 4 次" in (await contact_lead.contact_lead(road.db, LI_SI, mine, "再问一次")).refused
        )
        refused = await invite_lead.invite_lead(road.db, LI_SI, mine.application_no)
    assert "已经联系过 4 次" in refused
    assert await owner.fetchval("select count(*) from campaigns.touches") == 4


async def test_a_page_opened_by_day_and_sent_at_night_notes_nothing(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    mine = await prospect(road, owner, 813)
    with clock.at(TEN.replace(hour=21, minute=57)):
        desk = await desks.of("JX0427")
        await desk.get(PATH)
    with clock.at(TEN.replace(hour=22, minute=1)):
        await desk.send(desk.page.form(f"{PATH}/{mine.application_no}"))
    assert (desk.reply.status_code, "现在不能邀请：现在太晚" in desk.words) == (422, True)
    assert await owner.fetchval("select count(*) from campaigns.touches") == 0


async def test_a_colleague_s_customer_and_one_with_business_are_not_noted(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    mine = await prospect(road, owner, 814)
    with clock.at(TEN):
        desk, colleague = await desks.of("JX0427"), await desks.of("JX0428")
        await desk.get(PATH)
        form = desk.page.form(f"{PATH}/{mine.application_no}")
        await colleague.get("/studio/leads")
        token = next(f for f in colleague.page.forms if "csrf_token" in f.values).values
        reply = await colleague.http.post(
            form.action, data={**form.values, "csrf_token": token["csrf_token"]}
        )
        assert reply.status_code == 404
        await owner.execute(
            "update applications.applications set status = 'submitted' where id = $1", mine.id
        )
        await desk.send(form)
    assert (desk.reply.status_code, "按业务联系" in desk.words) == (422, True)
    assert await owner.fetchval("select count(*) from campaigns.touches") == 0


async def test_page_by_page_with_the_same_questions_however_many(
    road: Road, desks: Desks, owner: asyncpg.Connection, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    real = queries.Query.__call__

    async def counted(self: queries.Query, *args: object, **named: object) -> object:
        asked.append(self.name)
        return await real(self, *args, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(queries.Query, "__call__", counted)
    await prospect(road, owner, 820)
    asked.clear()
    await numbers(road)
    one = len(asked)
    for serial in range(821, 821 + list_invitations.PAGE + 1):
        await prospect(road, owner, serial)
    asked.clear()
    with clock.at(TEN):
        first = await list_invitations.list_invitations(road.db, LI_SI, None)
    assert len(asked) == one
    assert (len(first.lines), first.passing) == (list_invitations.PAGE, list_invitations.PAGE + 2)
    with clock.at(TEN):
        rest = await list_invitations.list_invitations(road.db, LI_SI, first.next_key)
        desk = await desks.of("JX0427")
        await desk.get(PATH)
        behind = re.search(r'href="(/studio/invitations\?after=[^"]+)"', desk.reply.text)
        assert behind
        await desk.get(behind[1])
        assert desk.reply.text.count("记下已邀请") == 2
        await desk.get(f"{PATH}?after=not-ours")
        assert "后面的" in desk.words, "anything else begins at the beginning"
    assert rest.next_key is None
    both = [*first.lines, *rest.lines]
    assert len({each.prospect.customer_id for each in both}) == len(both) == first.passing
