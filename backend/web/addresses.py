"""Where a request comes from, believed only through proxies we named; and where it may be sent on to."""

import ipaddress

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
    """The address as quotas count it; empty on a developer's own machine, where everybody shares one.

    Of IPv6 it is the /64, which is what one line is given: its holder has more addresses than any quota counts.
    """
    local = address in {"", "127.0.0.1", "::1", "testclient"}
    if local and not settings.production:
        return ""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if found.version == 4:
        return address
    return str(found.ipv4_mapped or ipaddress.ip_network((found, 64), strict=False).network_address)


def counted(request: Request, settings: Settings) -> str:
    """What quotas count of where this request comes from."""
    return countable(client(request, settings), settings)


def local(path: str, otherwise: str = "/") -> str:
    """The path when it is one of ours, else `otherwise`: never an open redirect."""
    plain = path.startswith("/") and not path.startswith(("//", "/\\")) and "\\" not in path
    return path if plain and path.isprintable() and len(path) <= 500 else otherwise
