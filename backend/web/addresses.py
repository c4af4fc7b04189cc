"""Where a request comes from, believed only through proxies we named."""

from backend.settings import Settings
from backend.web.http import Request


def client(request: Request, settings: Settings) -> str:
    """The customer's network address; through trusted proxies the last address they did not add themselves."""
    trusted = {part.strip() for part in settings.trusted_proxies.split(",") if part.strip()}
    peer = request.client.host if request.client else ""
    chain = [part.strip() for part in request.headers.get("x-forwarded-for", "").split(",") if part.strip()]
    while peer in trusted and chain:
        peer = chain.pop()
    return peer


def countable(address: str, settings: Settings) -> str:
    """The address as quotas count it; empty on a developer's own machine, where everybody shares one."""
    local = address in {"", "127.0.0.1", "::1", "testclient"}
    return "" if local and not settings.production else address
