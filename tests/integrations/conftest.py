"""The real clients against the real sandbox, joined in process; nothing is faked between them."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from backend import settings as settings_module
from backend.integrations import registry
from backend.integrations.registry import Clients
from backend.sandbox.app import create_app
from backend.sandbox.world import World
from backend.settings import Settings


class Studio:
    """Our side as the sandbox sees it: remembers what it was sent and answers as told."""

    def __init__(self) -> None:
        self.received: list[httpx.Request] = []
        self.answers: dict[str, httpx.Response] = {}
        self.failures = 0

    async def __call__(self, request: httpx.Request) -> httpx.Response:
        self.received.append(request)
        if self.failures:
            self.failures -= 1
            return httpx.Response(503)
        return self.answers.get(request.url.path, httpx.Response(204))


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return settings_module.load({}, xiaodai_data=str(tmp_path), outside_deadline=10.0)


@pytest.fixture
def studio() -> Studio:
    return Studio()


@pytest.fixture(scope="session")
def routes(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """The application is built once; every test puts a world of its own into it."""
    path = tmp_path_factory.mktemp("sandbox")
    return create_app(settings_module.load({}, xiaodai_data=str(path)))


@pytest.fixture
async def app(routes: Any, settings: Settings, studio: Studio) -> AsyncIterator[Any]:
    routes.state.world = World(settings, httpx.MockTransport(studio))
    yield routes
    await routes.state.world.close()


@pytest.fixture
def world(app: Any) -> World:
    return app.state.world


@pytest.fixture
async def clients(app: Any, settings: Settings) -> AsyncIterator[Clients]:
    clients = registry.build(settings, transport=httpx.ASGITransport(app))
    yield clients
    await clients.close()


@pytest.fixture
async def control(app: Any, settings: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """Calls the sandbox as a test or the back office does."""
    transport = httpx.ASGITransport(app)
    async with httpx.AsyncClient(transport=transport, base_url=settings.sandbox_base) as client:
        yield client


@pytest.fixture
def id_number() -> str:
    return "411701198003071234"
