"""问好 and 道谢: short, and the way on."""

from bot.replies import Reply
from bot.talk import Talk, say


async def greet(talk: Talk) -> Reply:
    name = talk.institution.short_name if talk.institution else "农商银行"
    return say("smalltalk/greet.txt", name=name)


async def thank(_talk: Talk) -> Reply:
    return say("smalltalk/thank.txt")
