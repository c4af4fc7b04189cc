"""进度: where each application stands, and what comes next."""

from bot.handlers import personal
from bot.replies import Reply
from bot.talk import Talk, say

MOST = 3


async def answer(talk: Talk) -> Reply:
    if talk.customer_id is None:
        return await personal.bind_first(talk)
    found = await personal.standings(talk)
    if not found:
        return await personal.nothing_yet(talk)
    cases = [
        {
            "number": one.application.application_no,
            "label": one.application.label,
            "status": one.application.status,
            "promised_at": one.application.promised_at,
            "contract": one.contract,
            "outstanding": one.outstanding_fen,
            "url": talk.url(
                f"/my/{one.application.application_no}" if one.application.status != "draft" else "/resume"
            ),
        }
        for one in found[:MOST]
    ]
    return say("progress/show.txt", cases=cases)
