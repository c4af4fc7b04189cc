"""额度: what was granted, what is used, what is left."""

from bot.handlers import personal
from bot.replies import Reply
from bot.talk import Talk, say

OFFERED = {"approved", "handed_off"}
IN_USE = {"signed", "drawn"}


async def answer(talk: Talk) -> Reply:
    if talk.customer_id is None:
        return await personal.bind_first(talk)
    lines = [
        {
            "number": one.application.application_no,
            "product": one.contract.product_name,
            "limit": one.contract.limit_fen,
            "rate": one.contract.annual_rate,
            "used": one.outstanding_fen,
            "left": max(0, one.contract.limit_fen - one.outstanding_fen),
            "until": one.contract.valid_until,
            "offered": one.application.status in OFFERED,
        }
        for one in await personal.standings(talk)
        if one.contract and one.application.status in OFFERED | IN_USE
    ]
    if not lines:
        return say("limit/none.txt")
    return say("limit/show.txt", lines=lines)
