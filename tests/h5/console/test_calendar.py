"""节假日 through the door: head office puts a year in, everybody sees what is missing (D3-03, D4-09)."""

from datetime import datetime

from backend.core import clock
from tests.domains.regulation.test_calendar import YEAR
from tests.flows.conftest import Road
from tests.h5.conftest import Desks, anew


async def test_head_office_puts_a_year_in_and_the_warning_goes(road: Road, desks: Desks) -> None:
    november = datetime(2026, 11, 26, 10, tzinfo=clock.LOCAL)
    with clock.at(max(november, clock.now())):
        county = await desks.of("JX0101")
        assert "2027 年的节假日还没有录入" in county.words
        await county.get("/console/calendar")
        assert "国办发明电〔2025〕7号" in county.words
        assert 'name="days"' not in county.reply.text
        office = await desks.of("SL0001")
        assert "2027 年的节假日还没有录入" in office.words
        await office.get("/console/calendar")
        form = office.page.form("/console/calendar")
        await office.send(form, year="2027", source="国务院办公厅通知", days="2027-01-01 放假")
        assert (office.reply.status_code, "第 1 行要写成" in office.words) == (422, True)
        await office.send(anew(form), year="2027", source="国务院办公厅通知", days=YEAR)
        assert "2027 年 12 天" in office.words
        await county.get("/console")
        assert "还没有录入" not in county.words
