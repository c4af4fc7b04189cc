"""解绑: the account that reads is the account that may let go; asked back once, since words can be misread."""

from backend.domains.customers import service as customers
from bot.replies import Reply
from bot.talk import Talk, say

SURE = "确认解绑"


async def answer(talk: Talk) -> Reply:
    """Ends the binding in the county that serves; applications and loans stay as they are."""
    assert talk.institution is not None
    name = talk.institution.short_name
    if talk.customer_id is None:
        return say("unbind/none.txt", name=name, elsewhere=talk.bound_at)
    if SURE not in talk.words:
        return say("unbind/ask.txt", name=name, sure=SURE)
    await customers.unbind(talk.tx, talk.openid)
    return say("unbind/done.txt", name=name, elsewhere=[n for n in talk.bound_at if n != name])
