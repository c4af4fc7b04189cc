"""The jobs' way through the lines, by the plan: the index finds the next page, and complaints of a customer."""

import asyncpg
import pytest

from backend.core import clock, ids
from backend.core.actor import everywhere
from backend.db.database import Tx
from backend.overview import loan_lines
from backend.overview.work_list import Q
from tests.flows.conftest import Road, road

__all__ = ["road"]

QUERIES = ["lines_unlooked", "lines_not_looked_for_dues"]


async def plan(tx: Tx, sql: str, *given: object) -> str:
    """What serves it where tables are too large to be read whole."""
    await tx.connection.execute("set local enable_seqscan = off")
    return "\n".join(row[0] for row in await tx.connection.fetch(f"explain {sql}", *given))


@pytest.mark.parametrize("name", QUERIES)
async def test_the_next_page_of_lines_begins_in_the_index(road: Road, name: str) -> None:
    query = getattr(Q, name)
    values = {
        "today": clock.today(),
        "after_institution": "4101",
        "after_application": ids.new(),
        "most": 200,
    }
    async with road.db.read(everywhere("test")) as tx:
        told = await plan(tx, query.sql, *(values[each] for each in query.parameters))
    assert "Index Cond: (ROW(institution_id, application_id) > ROW(" in told, told


async def test_both_begin_before_the_first_line(road: Road) -> None:
    async with road.db.read(everywhere("test")) as tx:
        assert await loan_lines.unlooked(tx, clock.today(), loan_lines.START, 10) == []
        assert await loan_lines.not_looked_for_dues(tx, clock.today(), loan_lines.START, 10) == []


async def test_the_complaints_of_a_customer_are_found_by_an_index(owner: asyncpg.Connection) -> None:
    rows = await owner.fetch(
        "select indexdef from pg_indexes where schemaname = 'channels' and tablename = 'tickets'"
    )
    assert any("(institution_id, customer_id)" in row["indexdef"] for row in rows)
