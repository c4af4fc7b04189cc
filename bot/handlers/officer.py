"""客户经理: who stands behind the code the person came through. Public facts, no binding needed (N1)."""

import re

from msgspec.structs import replace

from backend.core import clock
from backend.domains.identity import service as identity
from backend.domains.institutions import service as institutions
from bot.handlers import visit
from bot.replies import Reply
from bot.talk import Talk, say

_PLACE = re.compile(
    r"网点|支行|营业|柜台|银行在|在哪|地址|怎么走|几点|开门|下班|上班|(镇|乡|村|附近)上?.{0,3}有.{0,3}(点|银行|信用社)"
)


async def answer(talk: Talk) -> Reply:
    assert talk.institution is not None
    person = None
    if talk.follower and talk.follower.officer_id:
        person = await identity.staff(talk.tx, talk.follower.officer_id)
    # Who asks where to go is told of every branch, who has an officer also of theirs.
    places = await visit.places(talk) if _PLACE.search(talk.words) else None
    if person is None or not person.active:
        if places:
            return places
        return say("officer/none.txt", name=talk.institution.short_name, phone=talk.institution.service_phone)
    branches = {branch.id: branch for branch in await institutions.branches(talk.tx)}
    told = say(
        "officer/show.txt",
        person=person,
        branch=branches.get(person.branch_id or ""),
        bank=talk.institution.short_name,
        authorised=person.authorised(clock.today()),
    )
    return replace(told, content=f"{told.content}\n{places.content}") if places else told
