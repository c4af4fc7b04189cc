"""客户经理: who stands behind the code the person came through. Public facts, no binding needed (N1)."""

from backend.core import clock
from backend.domains.identity import service as identity
from backend.domains.institutions import service as institutions
from bot.replies import Reply
from bot.talk import Talk, say


async def answer(talk: Talk) -> Reply:
    assert talk.institution is not None
    person = None
    if talk.follower and talk.follower.officer_id:
        person = await identity.staff(talk.tx, talk.follower.officer_id)
    if person is None or not person.active:
        return say("officer/none.txt", name=talk.institution.short_name, phone=talk.institution.service_phone)
    branches = {branch.id: branch for branch in await institutions.branches(talk.tx)}
    return say(
        "officer/show.txt",
        person=person,
        branch=branches.get(person.branch_id or ""),
        bank=talk.institution.short_name,
        authorised=person.authorised(clock.today()),
    )
