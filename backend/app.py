"""`create_app`: the web process. The only place that wires doors, pool and clients together."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import httpx
from litestar import Litestar
from litestar.datastructures import State
from litestar.types import ControllerRouterHandler

from backend import wiring
from backend.db.database import Database
from backend.settings import Settings
from backend.web import edge, errors, forms, health, request_keys, staff, static_files, templates


def doors() -> list[ControllerRouterHandler]:
    """Every door's routes."""
    from backend.api.routes import router as api
    from bot.routes import router as bot
    from h5.console.routes import router as console
    from h5.customer.routes import router as customer
    from h5.studio.routes import router as studio

    return [health.router, static_files.handler(templates.files()), customer, studio, console, bot, api]


def create_app(
    settings: Settings, *, db: Database | None = None, transport: httpx.AsyncBaseTransport | None = None
) -> Litestar:
    """The ASGI application. `db` and `transport` are for tests: a clone, and the sandbox in process."""

    @asynccontextmanager
    async def lifespan(app: Litestar) -> AsyncIterator[None]:
        async with wiring.opened(settings, db=db, transport=transport) as context:
            app.state.context = context
            yield

    return put_up(routed([lifespan]), settings)


def routed(lifespan: Sequence[Callable[[Litestar], AbstractAsyncContextManager[None]]] = ()) -> Litestar:
    """Every door with its errors, of no settings yet."""
    return Litestar(
        route_handlers=doors(),
        lifespan=list(lifespan),
        exception_handlers=errors.HANDLERS | request_keys.HANDLERS | staff.EVERYWHERE,  # type: ignore[arg-type]
        openapi_config=None,  # no /schema outside development (13.x); partners get theirs by hand
        request_max_body_size=forms.SMALL_BODY,
        multipart_form_part_limit=forms.MOST_PARTS,
        debug=False,
    )


def put_up(made: Litestar, settings: Settings) -> Litestar:
    """What was just routed, for one place: its settings, and what stands around the router."""
    targets = [settings.liveness_api_base, settings.mobile_bank_api_base, settings.wechat_open_base,
               settings.sign_on_issuer]  # fmt: skip
    origins = sorted({str(httpx.URL(t).copy_with(path="/")).rstrip("/") for t in targets if t})
    made.state = State({"settings": settings})
    # Around the router, not inside it: an address nobody serves gets the headers and the log line too.
    made.asgi_handler = edge.edge(settings, origins)(request_keys.keyed(made.asgi_handler))
    return made
