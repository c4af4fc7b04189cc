"""帮助"""

from bot.replies import Reply
from bot.talk import Talk, say


async def answer(talk: Talk) -> Reply:
    phone = talk.institution.service_phone if talk.institution else ""
    return say("help/show.txt", phone=phone)
