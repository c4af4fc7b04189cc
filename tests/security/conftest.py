"""The doors as an attacker meets them: every route of the running app, found in its own route table."""

from collections.abc import AsyncIterator
from typing import Any

import asyncpg
import httpx
import msgspec
import pytest

from tests.h5.customer.conftest import Phone, Studio, phone, reader, studio, zhang

__all__ = ["phone", "reader", "studio", "zhang"]

STATIC = "/static"


class Route(msgspec.Struct, frozen=True, order=True):
    """One method of one path template, as Litestar prints it (`/my/{number:str}`)."""

    method: str
    path: str

    def __str__(self) -> str:
        return f"{self.method} {self.path}"

    def at(self, **given: str) -> str:
        """The path with its holes filled; a hole nobody fills gets a harmless word."""
        filled = self.path
        while "{" in filled:
            start, end = filled.index("{"), filled.index("}")
            name = filled[start + 1 : end].split(":")[0]
            filled = filled[:start] + given.get(name, "x") + filled[end + 1 :]
        return filled


def routes_of(app: Any) -> list[Route]:
    """Every route of the application; static files are one mount and have tests of their own."""
    found = set()
    for route in app.routes:
        if route.path.startswith(STATIC):
            continue
        for method in route.methods - {"OPTIONS", "HEAD"}:
            found.add(Route(method, route.path))
    return sorted(found)


class Census:
    """How many rows every table has, and whether anything was written since: by transaction id."""

    def __init__(self, owner: asyncpg.Connection) -> None:
        self._owner = owner

    async def tables(self) -> list[str]:
        rows = await self._owner.fetch(
            "select format('%I.%I', n.nspname, c.relname) as name from pg_class c "
            "join pg_namespace n on n.oid = c.relnamespace "
            "where c.relkind = 'r' and n.nspname not in ('pg_catalog', 'information_schema') order by 1"
        )
        return [row["name"] for row in rows]

    async def digests(self) -> dict[str, str]:
        """Table → a hash over all its rows: equal before and after means nothing was written, not even in place.
        When a session was last seen is left out: any request half a minute later writes that."""
        found = {}
        for name in await self.tables():
            row = "to_jsonb(t) - 'seen_at'" if name == "identity.staff_sessions" else "t"
            found[name] = await self._owner.fetchval(
                f"select md5(coalesce(string_agg(({row})::text, chr(10) order by ({row})::text), '')) from {name} t"
            )
        return found

    async def changed(self, before: dict[str, str]) -> set[str]:
        after = await self.digests()
        return {name for name in after if after[name] != before.get(name)}


@pytest.fixture
async def census(owner: asyncpg.Connection) -> Census:
    return Census(owner)


@pytest.fixture
async def web(studio: Studio) -> AsyncIterator[httpx.AsyncClient]:
    """A client that is nobody: no cookies, no token. An error inside the app is its answer 500, not ours."""
    transport = httpx.ASGITransport(studio.app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url=studio.context.settings.public_base) as client:
        yield client


async def with_token(who: Phone) -> str:
    """The cross-site token of a phone that opened a page."""
    await who.get("/report")
    return who.page.form("/report").values["csrf_token"]
