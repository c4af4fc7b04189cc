"""The whole studio and the whole sandbox in one process, joined by ASGI: real XML, signatures and encryption."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest

from backend import demo, wiring
from backend.core.actor import system
from backend.core.check_digits import id_number_check
from backend.db.database import Database
from backend.domains.campaigns.model import ResponsibleCode
from backend.flows.context import Context
from backend.settings import Settings
from tests import ends
from tests.officer_codes import codes_of


class Phone:
    """A WeChat phone, driven through the sandbox."""

    def __init__(self, sandbox: httpx.AsyncClient, openid: str) -> None:
        self.sandbox, self.openid = sandbox, openid

    async def act(self, **act: object) -> dict[str, Any]:
        reply = await self.sandbox.post(f"/phone/{self.openid}/send", json=act, timeout=30)
        assert reply.status_code == 200, reply.text
        return dict(reply.json())

    async def say(self, words: str, **more: object) -> str:
        """The text the account answers with."""
        answer = await self.act(kind="text", content=words, **more)
        assert answer["reply"] is not None, answer
        return str(answer["reply"]["content"])

    async def grant(self, template_id: str) -> None:
        reply = await self.sandbox.post(
            f"/phone/{self.openid}/subscribe-grants", json={"template_id": template_id}
        )
        assert reply.status_code == 204, reply.text

    async def inbox(self, *channels: str) -> list[dict[str, Any]]:
        items = (await self.sandbox.get(f"/phone/{self.openid}/inbox")).json()
        return [item for item in items if not channels or item["channel"] in channels]


class World:
    """Both ends, and what a test needs to look at."""

    def __init__(self, settings: Settings, context: Context, db: Database, sandbox_app: Any) -> None:
        self.settings, self.context, self.db = settings, context, db
        self.outside = sandbox_app.state.world
        self.sandbox: httpx.AsyncClient
        self.web: httpx.AsyncClient

    def phone(self, openid: str = "oZhangSan0001") -> Phone:
        return Phone(self.sandbox, openid)

    async def settle(self) -> None:
        """Wait for what the sandbox does by itself (events it pushes)."""
        await self.outside.idle()
        await asyncio.sleep(0)

    def ledger(self, name: str) -> list[dict[str, Any]]:
        return [dict(row) for row in self.outside.ledger(system=name)]


@pytest.fixture
async def world(settings: Settings, db: Database) -> AsyncIterator[World]:
    # Not the app's lifespan: a fixture may not leave its cancel scope in another task than it entered.
    async with (
        ends.both(settings) as (made, sandbox_app),
        wiring.opened(settings, db=db, transport=httpx.ASGITransport(sandbox_app)) as context,
        httpx.AsyncClient(
            transport=httpx.ASGITransport(sandbox_app), base_url=settings.sandbox_base
        ) as sandbox,
        httpx.AsyncClient(transport=httpx.ASGITransport(made), base_url=settings.public_base) as web,
    ):
        made.state.context = context
        here = World(settings, context, db, sandbox_app)
        here.sandbox, here.web = sandbox, web
        yield here
        await sandbox_app.state.world.close()


@pytest.fixture
def id_number() -> str:
    """Of 甲县, born 1980, with a true check digit."""
    body = "41170119800307123"
    return body + id_number_check(body)


async def code_of(db: Database, label: str, institution_id: str = "4101") -> ResponsibleCode:
    """李四's (or his colleague's) demo code by where it hangs: 朋友圈, 旧海报 (revoked), 上月台卡 (expired)."""
    first = demo.staff_id(institution_id, 1)
    async with db.begin(system(institution_id, "test")) as tx:
        codes = await codes_of(tx, first)
        return next(code for code in codes if code.placement_label == label)
