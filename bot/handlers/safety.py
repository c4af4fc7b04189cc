"""转账, 验证码: who asks for money or codes is not us (反电信网络诈骗法, D6-05)."""

from bot.replies import Reply
from bot.talk import Talk, say


async def answer(talk: Talk) -> Reply:
    phone = talk.institution.service_phone if talk.institution else ""
    return say("safety/show.txt", phone=phone)
