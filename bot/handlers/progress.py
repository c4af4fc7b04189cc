"""进度: where each application stands, and what comes next."""

from backend.overview import application_result
from bot.handlers import personal
from bot.replies import Reply
from bot.talk import Talk, say

MOST = 3
EXPLAINED = frozenset({"approved", "handed_off", "signed", "declined"})
"""Statuses whose answer holds figures or reasons (A3-09)."""


async def answer(talk: Talk) -> Reply:
    if talk.customer_id is None:
        return await personal.bind_first(talk)
    found = await personal.standings(talk)
    if not found:
        return await personal.nothing_yet(talk)
    cases = []
    for one in found[:MOST]:
        result = None
        if one.application.status in EXPLAINED:
            result = await application_result.of(talk.tx, one.application)
        cases.append(_case(talk, one, result))
    return say("progress/show.txt", cases=cases)


def _case(
    talk: Talk, one: personal.Standing, result: application_result.ApplicationResult | None
) -> dict[str, object]:
    path = f"/my/{one.application.application_no}" if one.application.status != "draft" else "/resume"
    return {
        "number": one.application.application_no,
        "label": one.application.label,
        "status": one.application.status,
        "promised_at": one.application.promised_at,
        "offer": result.offer if result else None,
        "reasons": [r.text for r in result.reasons if r.effect == "minus"] if result else [],
        "outstanding": one.outstanding_fen,
        "url": talk.url(path),
    }
