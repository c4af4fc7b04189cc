"""One account serves the whole union: who came through no code says which county they belong to (D1-12)."""

from bot.replies import Reply
from bot.talk import Talk, say


async def ask(talk: Talk) -> Reply:
    return say("county/ask.txt", counties=[i.county for i in talk.institutions])


async def chosen(talk: Talk) -> Reply:
    """The person named a county and nothing else."""
    assert talk.institution is not None
    return say("county/chosen.txt", name=talk.institution.short_name)
