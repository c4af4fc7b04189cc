"""还款: what is owed. Days and amounts of the instalments stand in the mobile bank, which alone books them."""

from bot.handlers import personal
from bot.replies import Reply
from bot.talk import Talk, say


async def answer(talk: Talk) -> Reply:
    if talk.customer_id is None:
        return await personal.bind_first(talk)
    running = [
        loan for one in await personal.standings(talk) for loan in one.loans if loan.status == "active"
    ]
    assert talk.institution is not None
    return say(
        "repayment/show.txt",
        loans=running,
        total=sum(loan.outstanding_fen for loan in running),
        phone=talk.institution.service_phone,
    )
