"""Members of staff at a browser: our whole application, with the sandbox's sign-on at the other end."""

from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import asyncpg
import httpx
import msgspec
import pytest

from backend.core import ids
from backend.sandbox.forms import Form, PageReader
from tests.flows.conftest import Road, road

__all__ = ["road"]


class Desk:
    """One browser of a member of staff: cookies, the page that is open, its forms."""

    def __init__(self, road: Road) -> None:
        self.road = road
        self.http = httpx.AsyncClient(
            transport=road.web._transport,
            base_url=road.context.settings.public_base,
            headers={"Accept": "text/html"},
        )
        self.reply = httpx.Response(200)
        self.page = PageReader("")

    @property
    def words(self) -> str:
        return self.page.words

    @property
    def path(self) -> str:
        return self.reply.url.path

    async def get(self, path: str) -> httpx.Response:
        return await self._arrive(await self.http.get(path))

    async def send(self, form: Form, **given: str) -> httpx.Response:
        return await self._arrive(await self.http.post(form.action, data=form.filled(**given)))

    async def _arrive(self, reply: httpx.Response) -> httpx.Response:
        for _ in range(6):
            if reply.status_code not in {302, 303} or not reply.headers["location"].startswith("/"):
                break
            reply = await self.http.get(reply.headers["location"])
        else:
            raise AssertionError(f"it goes round in circles at {reply.headers['location']}")
        self.reply, self.page = reply, PageReader(reply.text)
        return reply

    async def to_sign_on(self, path: str = "/staff/sign-in") -> str:
        """The button on the sign-in page; where it leads outside."""
        await self.get(path)
        return str((await self.send(self.page.form("/staff/sign-in"))).headers["location"])

    async def pick(self, address: str, staff_no: str) -> str:
        """Choose a person at the sign-on; the address it sends back to."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
        reply = await self.road.sandbox.post("/sign-on/authorize", data={**asked, "staff_no": staff_no})
        assert reply.status_code == 303, reply.text
        return str(reply.headers["location"])

    async def sign_in(self, staff_no: str, path: str = "/staff/sign-in") -> "Desk":
        await self.get(await self.pick(await self.to_sign_on(path), staff_no))
        return self

    async def confirm(self) -> httpx.Response:
        """Step-up from the page that is open, as the same person."""
        form = self.page.form("/staff/confirm")
        address = str((await self.send(form)).headers["location"])
        hint = parse_qs(urlsplit(address).query)["login_hint"][0]
        return await self.get(await self.pick(address, hint))


class Desks:
    """Opens browsers and closes them again."""

    def __init__(self, road: Road) -> None:
        self.road, self.opened = road, []  # type: Road, list[Desk]

    def new(self) -> Desk:
        self.opened.append(Desk(self.road))
        return self.opened[-1]

    async def of(self, staff_no: str) -> Desk:
        return await self.new().sign_in(staff_no)


@pytest.fixture
async def desks(road: Road) -> AsyncIterator[Desks]:
    made = Desks(road)
    yield made
    for desk in made.opened:
        await desk.http.aclose()


def anew(form: Form) -> Form:
    """The same form on the page opened once more, as in a second tab: with a key of its own."""
    return msgspec.structs.replace(form, values=form.values | {"form_key": ids.new()})


async def written(owner: asyncpg.Connection) -> dict[str, Any]:
    """A digest of every row of every table of ours, to show that nothing was written."""
    tables = await owner.fetch(
        "select n.nspname || '.' || c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace "
        "where c.relkind = 'r' and n.nspname not in ('pg_catalog', 'information_schema', 'queue') "
        "and n.nspname not like 'pg_t%' order by 1"
    )
    found = {}
    for row in tables:
        found[row["name"]] = await owner.fetchval(
            f"select count(*)::text || ':' || coalesce(sum(hashtext(t::text)::bigint), 0) from {row['name']} t"
        )
    return found
