"""The demo union's posters, hung up in the sandbox: what there is to scan after `up` (README, the tour)."""

import httpx
import msgspec

from backend import wiring
from backend.core.actor import system
from backend.domains.campaigns import service as campaigns
from backend.domains.identity import service as identity
from backend.domains.institutions import service as institutions
from backend.flows.context import Context
from backend.flows.make_scene_code import make_scene_code
from backend.settings import Settings


class Poster(msgspec.Struct, frozen=True):
    """`content` is what its QR says: a page of ours, or a code of the official account."""

    label: str
    kind: str
    content: str


async def hang(settings: Settings) -> None:
    """Once; what hangs already is left alone."""
    path = f"{settings.sandbox_base}/control/wechat/posters"
    async with httpx.AsyncClient(trust_env=False, timeout=10) as http:
        if (await http.get(path)).json():
            return
        async with wiring.opened(settings) as context:
            posters = await _drawn(context)
        await http.put(path, content=msgspec.json.encode(posters))


async def _drawn(context: Context) -> list[Poster]:
    async with context.db.read(system("*", "posters")) as tx:
        live = await institutions.all_live(tx)
    found: list[Poster] = []
    for institution in live:
        actor = system(institution.id, "posters")
        async with context.db.read(actor) as tx:
            codes = await campaigns.list_codes(tx)
            names = {person.id: person.name for person in await identity.all_staff(tx)}
            usable = [c for c in codes if (await campaigns.verify_id(tx, c.id)).usable]
        # What can be used stands first; closed ones are there to be tried too.
        for code in sorted(codes, key=lambda c: c not in usable):
            label = f"{institution.county} · {names.get(code.officer_id, '')} · {code.placement_label}"
            page = f"{context.settings.public_base.rstrip('/')}/q/{code.token}"
            found.append(Poster(label, "网页码", page))
            if code in usable:
                found.append(Poster(label, "公众号码", (await make_scene_code(context, actor, code.id)).url))
    return found
