"""The road from a complete draft to the repaid loan: our whole application and the whole sandbox in one process."""

from collections.abc import AsyncIterator
from datetime import date, timedelta
from typing import Any

import httpx
import msgspec
import pytest

from backend import wiring
from backend.core import clock, ids, webhooks
from backend.core.actor import Actor, system
from backend.core.check_digits import id_number_check
from backend.db.database import Database, Tx
from backend.domains.applications import service as applications
from backend.domains.applications.model import Application, Declared
from backend.domains.contracts import service as contracts
from backend.domains.contracts.model import Contract
from backend.domains.customers import consents
from backend.domains.customers import service as customers
from backend.domains.customers.consent_texts import Purpose
from backend.domains.customers.model import Card
from backend.flows import confirm_disclosure, hand_off, show_disclosure, submit_application
from backend.flows.context import Context
from backend.jobs import worker
from backend.settings import Settings
from tests import ends

JIA, YI = system("4101", "test"), system("4102", "test")


def id_number(serial: int = 123, prefix: str = "411701") -> str:
    """A man or woman of the county born on 1980-03-07, with a true check digit."""
    body = f"{prefix}19800307{serial:03d}"
    return body + id_number_check(body)


class Road:
    """A customer's way, step by step, as the doors walk it."""

    def __init__(
        self, context: Context, sandbox: httpx.AsyncClient, web: httpx.AsyncClient, world: Any
    ) -> None:
        self.context, self.sandbox, self.web, self.outside = context, sandbox, web, world
        self.db = context.db
        self.actor: Actor = JIA

    async def draft(
        self,
        number: str,
        *,
        amount_fen: int = 3_000_000,
        liveness: str = "passed",
        product: str = "SXD",
        **declared: Any,
    ) -> Application:
        """Everything done up to the last button."""
        prefix = number[:6]
        actor = JIA if prefix == "411701" else YI
        card = Card(
            name="张三",
            id_number=number,
            sex="男" if int(number[16]) % 2 else "女",
            nation="汉",
            birth_on=date(1980, 3, 7),
            address=f"河南省甲县柳林镇柳林村{number[-4:]}号",
            issuer="甲县公安局",
            valid_from=date(2020, 1, 1),
            valid_until=date(2040, 1, 1),
        )
        said = Declared(
            purpose="farm_living", amount_fen=amount_fen, town="柳林镇",
            village="柳林村", occupation="farmer", **({"income_band": "50k_80k"} | declared),
        )  # fmt: skip
        async with self.db.begin(actor) as tx:
            application = await applications.begin(
                tx, product_code=product, product_version=f"{product}@1", channel="web", openid=f"o{number}"
            )
            customer_id = await customers.create_or_update_from_card(tx, card)
            await customers.set_phone(tx, customer_id, f"139{number[-8:-1]}0")
            await applications.belongs_to(tx, application, customer_id, "随享贷")
            for text in await consents.road(tx):
                if text.purpose is not Purpose.MARKETING:
                    await consents.give(tx, customer_id, text.purpose, text_sha256=text.sha256, channel="h5")
            await applications.set_liveness(tx, application, liveness)
            await applications.declare(tx, application, said)
            await applications.reach(tx, application, "details")
            return await applications.get(tx, application.id)

    async def person(self, number: str, **script: Any) -> None:
        reply = await self.sandbox.put(f"/control/people/{number}", json={"name": "张三", **script})
        assert reply.status_code < 300, reply.text

    async def submit(self, application: Application) -> Application:
        actor = self.actor.within(application.institution_id)
        return await submit_application.submit_application(self.context, actor, application.id)

    async def apply(self, number: str, *, script: dict[str, Any] | None = None, **draft: Any) -> Application:
        """From nothing to the decision."""
        await self.person(number, **({"preset": "good", "phone": "match"} | (script or {})))
        application = await self.draft(number, **draft)
        await self.submit(application)
        await self.drain()
        return await self.see(application)

    async def see(self, application: Application) -> Application:
        async with self.db.read(system(application.institution_id, "test")) as tx:
            return await applications.get(tx, application.id)

    async def see_in(self, tx: Tx, application: Application) -> Application:
        return await applications.get(tx, application.id)

    async def contract(self, application: Application) -> Contract:
        async with self.db.read(system(application.institution_id, "test")) as tx:
            return await contracts.get(tx, application.id)

    async def events(self, application: Application) -> list[str]:
        async with self.db.read(system(application.institution_id, "test")) as tx:
            return [event.event for event in await applications.events(tx, application.id)]

    async def confirm(self, application: Application) -> None:
        """Read the 明示表 for as long as one must, and confirm it."""
        context, actor = self.context, self.actor
        shown = await show_disclosure.show_disclosure(context, actor, application.id)
        with clock.at(clock.now() + timedelta(seconds=shown.wait_seconds)):
            await confirm_disclosure.confirm_disclosure(
                context, actor, application.id, shown.shown_token, shown.version
            )

    async def hand_off(self, application: Application) -> Application:
        await self.confirm(application)
        await hand_off.hand_off(self.context, self.actor, application.id)
        await self.drain()
        return await self.see(application)

    async def drain(self) -> None:
        await worker.drain(self.context)

    async def bank(self, application: Application, act: str, number: str, **more: Any) -> Any:
        """What the customer does at the bank, and what the bank then tells us."""
        reply = await self.sandbox.post(
            f"/bank/api/{application.id}/{act}", json={"id_number": number, **more}
        )
        assert reply.status_code == 200, reply.text
        return reply.json()

    async def settle(self) -> None:
        """Callbacks sent, effects delivered."""
        await self.outside.callbacks.idle(5)
        await self.drain()

    async def later(self, **delta: float) -> None:
        """Deliver what is due by then: postponed effects and safety nets."""
        with clock.at(clock.now() + timedelta(**delta)):
            await self.drain()

    async def fault(self, system_name: str, operation: str, fault: str, times: int = 1, **args: Any) -> None:
        body = {"system": system_name, "operation": operation, "fault": fault, "times": times, "args": args}
        reply = await self.sandbox.post("/control/faults", json=body)
        assert reply.status_code < 300, reply.text

    async def ledger(self, name: str) -> list[dict[str, Any]]:
        return list((await self.sandbox.get("/control/ledger", params={"system": name})).json())

    def signed(self, body: object, secret: str = "") -> tuple[bytes, dict[str, str]]:
        """Body and headers of a call of the bank, signed at this moment."""
        content = msgspec.json.encode(body)
        secret = secret or self.context.settings.mobile_bank_callback_secret
        return content, webhooks.headers(secret, ids.new(), clock.now(), content)

    async def call(self, path: str, body: object, *, secret: str = "", key: str = "") -> httpx.Response:
        """A signed call of the bank to our door."""
        content, headers = self.signed(body, secret)
        headers["Idempotency-Key"] = key or ids.new()
        return await self.web.post(f"/api/mobile-bank/{path}", content=content, headers=headers)

    async def ask(self, path: str, *, signed: str = "") -> httpx.Response:
        """A signed question of the bank; `signed` is the path the signature is for, if it is another."""
        path = f"/api/mobile-bank/{path}"
        secret = self.context.settings.mobile_bank_callback_secret
        headers = webhooks.headers(secret, ids.new(), clock.now(), (signed or path).encode())
        return await self.web.get(path, headers=headers)

    def hash_of(self, number: str) -> str:
        return self.context.clients.mobile_bank.customer_hash(number)


@pytest.fixture
async def road(settings: Settings, db: Database) -> AsyncIterator[Road]:
    # Not the app's lifespan: a fixture may not leave its cancel scope in another task than it entered.
    async with (
        ends.both(settings) as (made, sandbox_app),
        wiring.opened(settings, db=db, transport=httpx.ASGITransport(sandbox_app)) as context,
        httpx.AsyncClient(transport=httpx.ASGITransport(sandbox_app), base_url=settings.sandbox_base) as out,
        httpx.AsyncClient(transport=httpx.ASGITransport(made), base_url=settings.public_base) as web,
    ):
        made.state.context = context
        yield Road(context, out, web, sandbox_app.state.world)
        await sandbox_app.state.world.close()
