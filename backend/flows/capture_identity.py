"""拍身份证: read one side, say how to take a better picture, keep the sealed image for the archive (A5-03, A5-08)."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable
from datetime import date
from typing import Literal

import msgspec

from backend.core import check_digits, clock, ids
from backend.core.actor import Actor
from backend.core.errors import NotPermitted, TooMany
from backend.db.database import Tx
from backend.domains.applications import images
from backend.domains.applications import service as applications
from backend.domains.applications.model import Application
from backend.domains.identity.quota import Limit
from backend.domains.regulation import service as regulation
from backend.domains.regulation.model import InForce
from backend.flows import turn_away
from backend.flows.context import Context
from backend.ocr import reading
from backend.ocr.reading import Reading

Side = Literal["front", "back"]
KINDS: dict[str, str] = {"front": reading.ID_FRONT, "back": reading.ID_BACK}
_NEEDED = {"front": ("姓名", "公民身份号码"), "back": ("有效期限",)}
_RESHOT = "翻拍"


class TooManyPhotographs(TooMany):
    code = "too_many_photographs"
    message = "拍的次数有点多，请歇 {wait} 再拍，或到网点办"


class TooYoung(NotPermitted):
    """`adult_on`: from that day on they may come (D6-02). `child`: so young that a guardian speaks for them (D3-05)."""

    code = "too_young"
    message = "满 18 周岁才能申请，您的照片和内容没有保存"


PHOTOGRAPHS = Limit("photographs", 30, 3600, TooManyPhotographs)
FROM_ADDRESS = Limit("photographs-address", 1200, 3600, TooManyPhotographs)
"""A browser begins as many drafts as it likes; the reader is shared by all. Generous: a village shares an address."""


class Captured(msgspec.Struct, frozen=True):
    """`readable` False: nothing was kept, `advice` says what to do better."""

    readable: bool
    advice: str


async def capture_identity(
    context: Context, actor: Actor, application_id: str, side: Side, content: bytes, *, address: str = ""
) -> Captured:
    """Read one photograph and keep it, in place of an earlier one of the same side. `address` as in `send_code`.

    Raises an UnusableImage for a file that is no photograph, `ReadingDown`, `TooManyPhotographs`, `TooYoung`.
    """

    async def at_the_card(tx: Tx) -> Application:
        application = await applications.get(tx, application_id, lock=True)
        applications.require_at(application, "identity")
        return application

    try:
        return await take_side(context, actor, at_the_card, side, content, address=address)
    except TooYoung:
        await turn_away.turn_away(context, actor, application_id, "under_age")
        raise


Guard = Callable[[Tx], Awaitable[Application]]
"""The case a photograph belongs to, its row locked; raises when no photograph is wanted there now."""


async def take_side(
    context: Context,
    actor: Actor,
    guard: Guard,
    side: Side,
    content: bytes,
    *,
    address: str,
    guarantee_id: str | None = None,
) -> Captured:
    """As above for whoever's card it is, an applicant's or a guarantor's. After `TooYoung` nothing of this
    photograph is kept; what was kept before is the caller's to destroy."""
    async with context.db.begin(actor) as tx:
        await guard(tx)
        await PHOTOGRAPHS.take(tx, actor.id)
        await FROM_ADDRESS.take_at(tx, address)
        rules = await regulation.in_force(tx, clock.today())
    found, clean = await context.ocr.read_and_rebuild(content, KINDS[side])
    if side == "front" and (born_on := born_too_late(found, rules)):
        raise too_young(born_on, rules)
    advice = str(found.quality.get("advice", ""))
    if not _readable(found, side, advice):
        return Captured(False, advice or "没看清上面的字，放平、对准、避开反光，再拍一张")
    await _keep(context, actor, guard, side, found, clean, guarantee_id)
    return Captured(True, "" if not found.doubtful else advice)


def born_too_late(found: Reading, rules: InForce) -> date | None:
    """The day of birth when the card is a minor's beyond doubt; None otherwise."""
    number = found.fields.get("公民身份号码", "")
    if "公民身份号码" in found.doubtful or not check_digits.is_id_number(number):
        return None
    born_on = check_digits.id_number_born_on(number)
    assert born_on is not None, "is_id_number checked it"
    return born_on if clock.years_between(born_on, clock.today()) < rules.count("age.minimum") else None


def too_young(born_on: date, rules: InForce) -> TooYoung:
    child = clock.years_between(born_on, clock.today()) < rules.count("age.guardian")
    return TooYoung(adult_on=adult_on(born_on, rules.count("age.minimum")), child=child)


def adult_on(born_on: date, adult_age: int) -> date:
    """The birthday; somebody born on 29 February comes of age on 1 March (《民法典》第十三、二百零三条)."""
    year = born_on.year + adult_age
    try:
        return born_on.replace(year=year)
    except ValueError:
        return date(year, 3, 1)


def _readable(found: Reading, side: Side, advice: str) -> bool:
    return (
        found.kind == KINDS[side]
        and _RESHOT not in advice
        and all(found.fields.get(label) for label in _NEEDED[side])
    )


async def _keep(
    context: Context,
    actor: Actor,
    guard: Guard,
    side: Side,
    found: Reading,
    clean: bytes,
    guarantee_id: str | None,
) -> None:
    """The file first: a row without its file would promise an image that is not there."""
    data, capture_id, institution_id = context.settings.data, ids.new(), actor.institution_id
    await asyncio.to_thread(images.keep, data, context.db.vault, institution_id, capture_id, clean)
    try:
        async with context.db.begin(actor) as tx:
            application = await guard(tx)
            known = await applications.captures_with_us(tx, application.id, guarantee_id)
            earlier = [capture for capture in known if capture.kind == KINDS[side]]
            for capture in earlier:
                await applications.destroyed_capture(tx, capture.id, "replaced")
            content = msgspec.to_builtins(found)
            digest = hashlib.sha256(clean).digest()
            await applications.add_capture(
                tx,
                application,
                KINDS[side],
                digest,
                content,
                capture_id=capture_id,
                guarantee_id=guarantee_id,
            )
    except BaseException:
        images.destroy(data, institution_id, capture_id)
        raise
    for capture in earlier:
        await asyncio.to_thread(images.destroy, data, institution_id, capture.id)
