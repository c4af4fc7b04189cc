"""Bodies that trickle hold neither their place nor everybody else's (trust §2, §4)."""

import asyncio
from collections.abc import AsyncIterator
from types import SimpleNamespace
from typing import Any

import pytest
from litestar.exceptions import HTTPException

from backend.settings import load
from backend.web import bodies, edge
from backend.web.bodies import Patience

LONG = 60.0
"""Seconds no test waits for."""
FORM, PHOTOGRAPH = SimpleNamespace(opt={}), SimpleNamespace(opt={"files": ("image",)})
PROXY, VILLAGE = "10.0.0.1", "203.0.113.9"


class Door:
    """An application that reads the whole body, behind our edge."""

    def __init__(self, **patience: Any) -> None:
        settings = load({}, trusted_proxies=PROXY)
        self._edge = edge.edge(settings, [], Patience(**patience))(self._read)  # type: ignore[arg-type]
        self.read: list[str] = []

    async def _read(self, scope: Any, receive: Any, send: Any) -> None:
        status, heard, more = 200, b"", scope["method"] == "POST"
        try:
            while more:
                message = await receive()
                heard, more = heard + message["body"], message["more_body"]
        except HTTPException as refusal:
            status = refusal.status_code
        await send({"type": "http.response.start", "status": status, "headers": []})
        await send({"type": "http.response.body", "body": heard})

    async def ask(
        self, pieces: AsyncIterator[bytes] | None, route: Any = FORM, peer: str = "127.0.0.1", said: str = ""
    ) -> tuple[int, bytes]:
        """(status, body that arrived) of a POST whose body comes in these pieces; of a GET without any."""
        answer: list[Any] = []

        async def receive() -> Any:
            assert pieces is not None
            piece = await anext(pieces, None)
            return {"type": "http.request", "body": piece or b"", "more_body": piece is not None}

        async def send(message: Any) -> None:
            answer.append(message)

        forwarded = [(b"x-forwarded-for", said.encode())] if said else []
        scope = {"type": "http", "method": "POST" if pieces else "GET", "path": "/", "headers": forwarded,
                 "client": (peer, 1), "route_handler": route}  # fmt: skip
        await self._edge(scope, receive, send)  # type: ignore[arg-type]
        return answer[0]["status"], answer[1]["body"]


async def trickle(seconds: float, pieces: int = 10_000, size: int = 1) -> AsyncIterator[bytes]:
    for _ in range(pieces):
        await asyncio.sleep(seconds)
        yield b"x" * size


async def never() -> AsyncIterator[bytes]:
    await asyncio.Event().wait()
    yield b""


@pytest.mark.parametrize("pieces", [trickle(0.01), never()], ids=["a byte now and then", "not a byte"])
async def test_a_form_must_be_whole_soon(pieces: AsyncIterator[bytes]) -> None:
    door = Door(form=0.2, unnoticed=0.05)
    assert (await asyncio.wait_for(door.ask(pieces), LONG))[0] == 408


@pytest.mark.parametrize(
    "pieces, patience",
    [
        (never(), {"silence": 0.1}),
        (trickle(0.01), {"silence": 0.1, "least_rate": 10_000.0}),
        (trickle(0.01, size=10_000), {"photograph": 0.2}),
    ],
    ids=["not a byte", "a byte now and then", "without end"],
)
async def test_a_photograph_must_keep_coming(
    pieces: AsyncIterator[bytes], patience: dict[str, float]
) -> None:
    door = Door(unnoticed=0.05, **patience)
    assert (await asyncio.wait_for(door.ask(pieces, PHOTOGRAPH), LONG))[0] == 408


async def test_a_photograph_over_a_weak_network_arrives_whole() -> None:
    door = Door(form=0.0, unnoticed=0.0, silence=LONG, photograph=LONG)
    assert await door.ask(trickle(0.02, 20, 5), PHOTOGRAPH) == (200, b"x" * 100)


async def test_a_form_that_pauses_arrives_whole() -> None:
    assert await Door(form=LONG, unnoticed=0.01).ask(trickle(0.02, 3)) == (200, b"xxx")


async def _waiting(door: Door, count: int, **where: Any) -> list["asyncio.Task[tuple[int, bytes]]"]:
    """So many bodies of which not a byte comes, after those without a place were sent away."""
    asked = [asyncio.ensure_future(door.ask(never(), **where)) for _ in range(count)]
    await asyncio.wait(asked, timeout=LONG, return_when=asyncio.FIRST_COMPLETED)
    await asyncio.sleep(0.1)
    return asked


async def test_the_process_bears_so_many_slow_bodies_and_every_visitor() -> None:
    door = Door(unnoticed=0.01, form=LONG, places=3)
    asked = await _waiting(door, 20)
    assert [one.result()[0] for one in asked if one.done()] == [503] * 17
    assert (await door.ask(None))[0] == 200
    assert (await door.ask(trickle(0, 3)))[0] == 200, "a form that comes at once needs no place"
    for one in asked:
        one.cancel()
    await asyncio.gather(*asked, return_exceptions=True)
    assert (await door.ask(trickle(0.02, 3)))[0] == 200, "the places are free again"


async def test_one_address_holds_so_many_places_and_leaves_the_others() -> None:
    door = Door(unnoticed=0.01, form=LONG, places=100, places_of_address=3)
    asked = await _waiting(door, 20, peer=VILLAGE)
    assert [one.result()[0] for one in asked if one.done()] == [503] * 17
    for peer, said, status in (
        (VILLAGE, "", 503),
        (VILLAGE, "198.51.100.7", 503),
        (PROXY, VILLAGE, 503),
        (PROXY, "198.51.100.7", 200),
        ("198.51.100.7", VILLAGE, 200),
    ):
        assert (await door.ask(trickle(0.02, 3), peer=peer, said=said))[0] == status, (peer, said)
    for one in asked:
        one.cancel()
    await asyncio.gather(*asked, return_exceptions=True)


def test_the_places_are_fewer_than_the_connections_the_server_bears() -> None:
    from backend.commands import parts

    command = parts.granian("web", "127.0.0.1", 1, 1)
    assert bodies.Patience().places <= int(command[command.index("--backpressure") + 1]) / 2
    assert bodies.Patience().places_of_address >= 32, "a village shares its carrier's address"
