"""The page of an overdue customer shows every contact: who, by what, and what held it back (A6-07, D5-05)."""

from datetime import datetime, time, timedelta

import asyncpg

from backend.core import clock
from backend.core.actor import system
from backend.domains.channels import notices
from backend.domains.post_loan import collections
from tests.flows.conftest import Road
from tests.h5.conftest import Desks
from tests.h5.scene import after_the_loan, referred
from tests.h5.studio.test_studio import LI_SI

TEN = datetime.combine(clock.today() + timedelta(days=1), time(10), clock.LOCAL)


async def test_reminders_and_calls_stand_beside_each_other_with_what_became_of_them(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    other = await referred(road, owner, "4101", 307)
    _, _, number = await after_the_loan(road, other, LI_SI.id)
    async with road.db.begin(system("4101", "collection")) as tx:
        case = await collections.get(tx, number)
        for key, means in (("told", "sms"), ("lost", None)):
            notice = await notices.open(tx, key, case.application_id, "overdue")
            if means:
                await notices.sent(tx, notice, "sms")
            else:
                await notices.ended(tx, notice, "no means left")
            await collections.contacted(tx, case, "sms", [], case.assessment_id, notice_key=key)
        await collections.contacted(tx, case, "app", ["quiet_hours"], case.assessment_id, notice_key="night")
    path = f"/studio/collections/{number}"
    with clock.at(TEN):
        desk = await desks.of("JX0427")
        await desk.get(path)
        await desk.send(desk.page.form(f"{path}/contact"))
        await desk.get(path)
    for words in (
        "短信 · 系统 已用短信送到",
        "短信 · 系统 没有送到",
        "没有联系：这个钟点不得联系",
        "打电话 客户经理联系",
    ):
        assert words in desk.words, (words, desk.words)
