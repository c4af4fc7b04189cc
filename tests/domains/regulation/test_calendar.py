"""Working days by the State Council's calendar (D3-03: 三个工作日; D4-09)."""

from datetime import date, datetime

import pytest

from backend.core import clock
from backend.core.actor import system
from backend.domains.regulation import calendar

YEAR = "\n".join(f"2027-01-{day:02d} 放假 元旦" for day in range(1, 12)) + "\n2027-01-16 上班 元旦调休\n"


@pytest.fixture
async def tx(db):
    async with db.begin(system("0000", "test")) as tx:
        yield tx
        await tx.connection.execute("delete from regulation.calendar_days where year = 2027")


async def test_2026_as_the_notice_says(tx) -> None:
    known = await calendar.known(tx, date(2026, 1, 1))
    off = [date(2026, 1, 2), date(2026, 2, 16), date(2026, 2, 23), date(2026, 4, 6), date(2026, 5, 5),
           date(2026, 6, 19), date(2026, 9, 25), date(2026, 10, 1), date(2026, 10, 7)]  # fmt: skip
    made_up = [date(2026, 1, 4), date(2026, 2, 14), date(2026, 2, 28), date(2026, 5, 9), date(2026, 9, 20),
               date(2026, 10, 10)]  # fmt: skip
    assert not any(known.is_workday(day) for day in off)
    assert all(known.is_workday(day) and day.weekday() >= 5 for day in made_up)
    assert len([day for day, worked in known.exceptions.items() if not worked]) == 33


@pytest.mark.parametrize(
    ("asked", "days", "ends"),
    [
        (
            datetime(2026, 9, 30, 10, tzinfo=clock.LOCAL),
            3,
            date(2026, 10, 10),
        ),  # 8, 9 and the made-up Saturday
        (datetime(2026, 2, 13, 23, 30, tzinfo=clock.LOCAL), 1, date(2026, 2, 14)),
        (datetime(2026, 11, 26, 9, tzinfo=clock.LOCAL), 3, date(2026, 12, 1)),  # an ordinary weekend
        (datetime(2026, 12, 31, 9, tzinfo=clock.LOCAL), 1, date(2027, 1, 1)),  # unknown year: early, not late
    ],
)
async def test_a_promise_ends_on_the_nth_working_day_at_six(tx, asked, days, ends) -> None:
    found = clock.local(await calendar.due(tx, days, asked))
    assert (found.date(), found.hour) == (ends, 18)


async def test_a_missing_year_is_said_from_november_and_a_year_put_in_counts_at_once(tx) -> None:
    known = await calendar.known(tx, date(2026, 1, 1))
    assert [known.missing(day) for day in (date(2026, 10, 31), date(2026, 11, 1), date(2027, 3, 1))] == [
        (), (2027,), (2027,),
    ]  # fmt: skip
    await calendar.set_year(tx, 2027, "国务院办公厅通知", YEAR)
    known = await calendar.known(tx, date(2026, 1, 1))
    assert known.missing(date(2026, 11, 1)) == ()
    assert known.after(date(2026, 12, 31), 1) == date(2027, 1, 12)
    assert known.is_workday(date(2027, 1, 16))
    assert calendar.written(await calendar.days(tx, 2027)) + "\n" == YEAR


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("2027-01-01 休息 元旦", "第 1 行要写成"), ("2027-02-30 放假 春节", "第 1 行日期不对"),
        ("2026-01-01 放假 元旦", "不是 2027 年的"), ("2027-01-04 上班 元旦调休", "应当是周六或周日"),
        ("2027-01-01 放假 元旦\n2027-01-01 放假 元旦", "第 2 行这一天前面已经写过"), ("", "不够 11 天"),
        ("2027-01-01 放假 元旦", "不够 11 天"),
    ],
)  # fmt: skip
async def test_a_year_with_a_slip_in_it_changes_nothing(tx, text: str, said: str) -> None:
    with pytest.raises(calendar.CalendarRefused) as refused:
        await calendar.set_year(tx, 2027, "国务院办公厅通知", text)
    assert said in refused.value.fields["days"]
    assert [each.year for each in await calendar.years(tx)] == [2026]
