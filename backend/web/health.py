"""Whether this process lives, and whether it can serve."""

from litestar import Response, Router, get

from backend.core.actor import everywhere
from backend.web.http import Request


@get("/healthz")
async def alive() -> str:
    return "ok"


@get("/readyz")
async def ready(request: Request) -> Response[dict[str, str]]:
    """200 when the database answers; raises DatabaseDown (503) otherwise."""
    async with request.app.state.context.db.read(everywhere("ready")) as tx:
        await tx.connection.fetchval("select 1")
    return Response({"status": "ready"})


router = Router(path="/", route_handlers=[alive, ready])
