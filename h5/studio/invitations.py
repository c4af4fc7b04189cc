"""可邀请: who of my people the marketing gate lets me invite now, and one noted as invited (A3-25, D3-03, D4-08)."""

import base64
import binascii

import msgspec
from litestar import get, post
from litestar.params import FromPath

from backend.core import ids
from backend.domains.campaigns.model import NothingToInviteTo
from backend.flows import invite_lead, list_invitations
from backend.flows.list_invitations import Invitations, Key
from backend.overview import work_list
from backend.overview.officer_day import STEPS
from backend.web import staff
from backend.web.http import Request, Response
from backend.web.staff import Here

SHOW, PATH = "studio/invitations/show.html", "/studio/invitations"
WHY = {
    "repaid": "以前的借款还清了，可以再用",
    "expired": "批过的额度没签就到期了",
    "cancelled": "自己撤销过申请",
    "abandoned": "很久以前没填完",
    "declined": "上次没有通过，情况变了可以再试",
}
"""Why an invitation may help the person, by how their last case ended; of a draft, where it stopped."""


class Line(msgspec.Struct, frozen=True):
    number: str
    name: str
    product: str
    why: str
    touched: str


class Shown(msgspec.Struct, frozen=True, kw_only=True):
    """`refused` is the gate's answer to an invitation that could not be noted."""

    found: Invitations
    lines: tuple[Line, ...]
    next_path: str
    first: bool
    refused: str = ""


@get(PATH, opt=staff.only("officer"))
async def show(request: Request) -> Response:
    here = staff.here(request)
    return here.show(SHOW, await _view(here, request.query_params.get("after", "")))


@post(f"{PATH}/{{number:str}}", opt=staff.only("officer"), fields=())
async def note(request: Request, number: FromPath[str]) -> Response:
    """Invited. The gate is asked anew; without its leave nothing is noted."""
    here = staff.here(request)
    try:
        refused = await invite_lead.invite_lead(here.context.db, here.actor, number)
    except NothingToInviteTo as problem:
        refused = problem.text
    if refused:
        view = msgspec.structs.replace(await _view(here, ""), refused=refused)
        return here.show(SHOW, view, 422)
    return here.go(PATH)


async def _view(here: Here, after: str) -> Shown:
    key = _read_key(after)
    found = await list_invitations.list_invitations(here.context.db, here.actor, key)
    async with here.context.db.read(here.actor) as tx:
        names = await work_list.product_names(tx)
    lines = tuple(
        Line(
            each.prospect.application_no,
            each.name,
            names.get(each.prospect.product_code, each.prospect.product_code),
            WHY.get(each.prospect.status) or f"停在{STEPS[each.prospect.step]}",
            f"30 天内联系过 {each.prospect.touches} 次，最多 {each.most_touches} 次",
        )
        for each in found.lines
    )
    next_path = f"{PATH}?after={_key(found.next_key)}" if found.next_key else ""
    return Shown(found=found, lines=lines, next_path=next_path, first=key is None)


def _key(key: Key) -> str:
    text = f"{key[0]}|{key[1]!r}|{key[2]}"
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


def _read_key(text: str) -> Key | None:
    """The place in the list, or its beginning for anything we did not write."""
    try:
        rank, moment, who = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)).decode().split("|")
        found = (int(rank), float(moment), who)
    except (ValueError, binascii.Error):
        return None
    return found if ids.is_uuid(who) else None
