"""Nobody is called to be won without the marketing gate's leave (A3-25, D3-03, D4-08, D5-01)."""

from datetime import datetime, time, timedelta

import asyncpg
import pytest

from backend.core import clock
from backend.core.actor import Actor
from backend.core.errors import Invalid
from backend.demo import staff_id
from backend.domains.applications.model import Application
from backend.domains.channels import tickets
from backend.domains.customers import consents
from backend.domains.customers.consent_texts import Purpose
from backend.domains.decision import moments
from backend.domains.decision.model import Stage
from backend.flows import contact_lead

from .conftest import JIA, Road, id_number

ME = id_number(201)
OFFICER = Actor("staff", staff_id("4101", 1), "4101", frozenset({"officer"}), "李四")
TEN = datetime.combine(clock.today() + timedelta(days=1), time(10), clock.LOCAL)


@pytest.fixture
async def stopped(road: Road) -> Application:
    """Stopped on the road; agreed to be told of offers."""
    await road.person(ME, preset="good", phone="match")
    draft = await road.draft(ME)
    await agree(road, draft)
    return draft


async def agree(road: Road, draft: Application) -> None:
    async with road.db.begin(JIA) as tx:
        [text] = [each for each in await consents.road(tx) if each.purpose is Purpose.MARKETING]
        await consents.give(
            tx, str(draft.customer_id), Purpose.MARKETING, text_sha256=text.sha256, channel="h5"
        )


async def call(road: Road, application: Application, at: datetime = TEN) -> contact_lead.Contact:
    with clock.at(at):
        return await contact_lead.contact_lead(road.db, OFFICER, application, "帮客户填完")


async def test_who_agreed_is_called_by_day_and_the_touch_is_kept_with_what_the_gate_said(
    road: Road, stopped: Application, owner: asyncpg.Connection
) -> None:
    found = await call(road, stopped)
    assert (found.refused, found.phone[:3]) == ("", "139")
    assert await owner.fetchval("select count(*) from campaigns.touches") == 1
    async with road.db.read(JIA) as tx:
        kept = await moments.last_of(tx, stopped.id, Stage.MARKETING_GATE)
        assert kept is not None
        assert (kept.outcome, await moments.replay(tx, kept.id)) == ("allowed", (True, True))


@pytest.mark.parametrize("hour,word", [(7, "太早"), (22, "太晚"), (23, "太晚")])
async def test_nobody_at_night(road: Road, stopped: Application, hour: int, word: str) -> None:
    found = await call(road, stopped, TEN.replace(hour=hour))
    assert (found.phone, word in found.refused) == ("", True)


async def test_who_took_their_agreement_back_is_left_alone_from_that_moment(
    road: Road, stopped: Application, owner: asyncpg.Connection
) -> None:
    """关闭营销 on the page of consents is all it takes (D3-03)."""
    async with road.db.begin(JIA) as tx:
        await consents.withdraw(tx, str(stopped.customer_id), Purpose.MARKETING)
    found = await call(road, stopped)
    assert found.phone == ""
    assert "已经退订" in found.refused
    assert await owner.fetchval("select count(*) from campaigns.touches") == 0
    revealed = "select count(*) from audit.entries where action like 'customer.reveal%'"
    assert await owner.fetchval(revealed) == 0, "the number was not shown"


async def test_who_never_agreed_is_not_called(road: Road) -> None:
    draft = await road.draft(id_number(202))
    assert "没有同意接收营销信息" in (await call(road, draft)).refused


async def test_not_more_often_than_the_rule_says(road: Road, stopped: Application) -> None:
    said = [(await call(road, stopped, TEN + timedelta(days=day))).refused for day in range(5)]
    assert said[:4] == ["", "", "", ""]
    assert "30 天里已经联系过 4 次" in said[4]
    assert (await call(road, stopped, TEN + timedelta(days=45))).refused == ""


async def test_nobody_whose_complaint_is_open(road: Road, stopped: Application) -> None:
    async with road.db.begin(JIA) as tx:
        await tickets.open(tx, kind="complaint", text="别再打了", customer_id=stopped.customer_id)
    assert "投诉还没办完" in (await call(road, stopped)).refused


async def test_a_case_under_way_is_called_about_itself_without_the_gate(road: Road) -> None:
    application = await road.apply(id_number(203))
    assert application.status == "approved"
    assert (await call(road, application, TEN.replace(hour=23))).phone


async def test_a_call_needs_its_reason(road: Road, stopped: Application) -> None:
    with clock.at(TEN), pytest.raises(Invalid):
        await contact_lead.contact_lead(road.db, OFFICER, stopped, "")


async def test_a_strategy_that_no_longer_passes_lets_nobody_call(
    road: Road, stopped: Application, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def none(*_: object) -> None:
        return None

    monkeypatch.setattr(moments, "live", none)
    found = await call(road, stopped)
    assert found.phone == ""
    assert found.refused
