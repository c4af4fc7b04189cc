"""All that waits for an officer can be reached, not only the first lines of the first page (A1-04, A10-06)."""

import asyncpg
import pytest

from backend.core import clock, ids
from backend.demo import staff_id
from backend.overview.officer_day import ToDo
from h5.studio import to_do
from tests.flows.conftest import Road
from tests.h5.conftest import Desks
from tests.h5.scene import scene


async def stopped(owner: asyncpg.Connection, count: int) -> None:
    """People of 李四 who stopped on the road just now."""
    await owner.executemany(
        "insert into applications.applications (institution_id, id, application_no, product_code, product_version,"
        " channel, officer_id, status, created_at, updated_at)"
        " values ('4101', $1, $2, 'SXD', 'SXD@1', 'qr', $3, 'draft', now(), now())",
        [(ids.new(), f"T{n:09d}", staff_id("4101", 1)) for n in range(count)],
    )


async def test_a_warning_and_an_overdue_customer_are_reached_from_the_first_page(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    made = await scene(road, owner)
    await stopped(owner, 9)
    desk = await desks.of("JX0427")
    await desk.get(next(link for link in desk.page.links if link.startswith("/studio/to-do")))
    assert {f"/studio/warnings/{made.warning}", f"/studio/collections/{made.overdue}"} <= set(desk.page.links)
    await desk.get("/studio/to-do?kind=warning")
    assert f"/studio/warnings/{made.warning}" in desk.page.links
    assert f"/studio/collections/{made.overdue}" not in desk.page.links


async def test_the_first_page_leads_to_the_rest_page_by_page(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    await stopped(owner, 140)
    desk = await desks.of("JX0427")
    assert "还有 92 件以上，都看看" in desk.words
    seen: list[str] = []
    for page in range(1, 6):
        await desk.get(f"/studio/to-do?page={page}")
        assert "140 件，" in desk.words
        assert any(link.endswith(f"page={page + 1}") for link in desk.page.links) == (page < 5)
        seen += [link for link in desk.page.links if link.startswith("/studio/leads/")]
    assert (len(seen), len(set(seen))) == (140, 140)


@pytest.mark.parametrize("page", ["0", "99", "-1", "²", "zwei", "9" * 5000])
async def test_a_page_that_is_none_is_no_error(desks: Desks, page: str) -> None:
    desk = await desks.of("JX0427")
    reply = await desk.get(f"/studio/to-do?page={page}&kind=nothing")
    assert reply.status_code == 200


def test_a_page_behind_the_last_is_the_last() -> None:
    tasks = [
        ToDo(kind="offer", key=str(n), title="", reason="", due_at=clock.now()) for n in range(to_do.PAGE + 1)
    ]
    shown = to_do.listed(tasks, "", 9)
    assert ([task.key for task, _ in shown.lines], shown.after) == ([str(to_do.PAGE)], "")
    assert shown.before.endswith("page=1")
