"""Where a request comes from, believed only through proxies we named; and where it may be sent on to."""

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


def local(path: str, otherwise: str = "/") -> str:
    """The path when it is one of ours, else `otherwise`: never an open redirect."""
    plain = path.startswith("/") and not path.startswith(("//", "/\\")) and "\\" not in path
    return path if plain and path.isprintable() and len(path) <= 500 else otherwise
