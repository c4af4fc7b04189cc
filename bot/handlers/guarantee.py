"""我是担保人: what a guarantor may read again, how to get out of it, whom to turn to (A1-08).

Who was asked by a link is told no more than the link's own pages show, and that only once the account is proved to be
theirs; how the borrower pays is never said.
"""

import re

from backend.core import clock, masking
from backend.domains.customers import service as customers
from backend.domains.guarantees import service as guarantees
from backend.domains.guarantees.model import Guarantee
from bot.handlers import guarantors, personal
from bot.replies import Reply
from bot.talk import Talk, say

MOST = 3
_OWN_WORD = re.compile(r"(我|俺|咱)(们)?(是|当|做|给|替|为|帮|担)")
"""Who says that they themselves answer for somebody is not told of their own loan."""


async def answer(talk: Talk) -> Reply:
    """Words of the two sides are alike: who answers for nobody and wants somebody of their own is told of those."""
    assert talk.institution is not None
    given = await standing(talk)
    if (
        talk.customer_id
        and not given
        and not _OWN_WORD.search(talk.words)
        and (cases := await guarantors.wanted(talk))
    ):
        return guarantors.told(cases)
    return await told(talk, given)


async def answer_borrower(talk: Talk) -> Reply:
    """我的担保人. Who wants nobody, and is asked or answers for somebody, is told of that."""
    if talk.customer_id and not await guarantors.wanted(talk) and (given := await standing(talk)):
        return await told(talk, given)
    return await guarantors.answer(talk)


async def standing(talk: Talk) -> list[Guarantee]:
    """What the person behind a bound account answers for or is asked for now."""
    if talk.customer_id is None:
        return []
    given = await guarantees.of_guarantor(talk.tx, talk.customer_id)
    return [each for each in given if not each.over(talk.tx.now)]


async def told(talk: Talk, given: list[Guarantee]) -> Reply:
    assert talk.institution is not None
    known = talk.customer_id is not None
    return say(
        "guarantee/show.txt",
        given=[await _line(talk, each) for each in given[:MOST]],
        more=len(given) - MOST,
        known=known,
        url="" if known else await personal.bind_url(talk),
        minutes=personal.LINK_MINUTES,
        name=talk.institution.short_name,
        phone=talk.institution.service_phone,
    )


async def _line(talk: Talk, each: Guarantee) -> dict[str, object]:
    return {
        "borrower": masking.name((await customers.get(talk.tx, each.borrower_id)).name),
        "status": each.status,
        "amount": each.amount_fen,
        "until_on": each.until_on,
        "past": each.until_on < clock.today(),
        "expires_at": each.expires_at,
        "confirmed_at": each.confirmed_at,
        "ended_at": each.ended_at,
    }
