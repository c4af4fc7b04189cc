"""Nothing about a person is said to an account that was not proved to be theirs (A11-02)."""

import msgspec

from backend.domains.applications import service as applications
from backend.domains.applications.model import Application
from backend.domains.channels import links
from backend.domains.contracts import service as contracts
from backend.domains.contracts.model import Contract
from backend.domains.loans import service as loans
from backend.domains.loans.model import Loan
from bot.replies import Text
from bot.talk import Talk, say

LINK_MINUTES = int(links.LINK_LIFE.total_seconds() // 60)


class Standing(msgspec.Struct, frozen=True):
    """One application with what became of it."""

    application: Application
    contract: Contract | None
    loans: list[Loan]

    @property
    def outstanding_fen(self) -> int:
        return sum(loan.outstanding_fen for loan in self.loans)


async def bind_url(talk: Talk) -> str:
    """The one-time link that binds this account."""
    token = await links.new_link(talk.tx, talk.openid)
    return talk.url(f"/wechat/bind/{token}")


async def bind_first(talk: Talk, about: str = "") -> Text:
    """`about` is what can be said of the matter to anybody: withdraw, consent, guarantors."""
    assert talk.institution is not None
    return say(
        "personal/bind_first.txt",
        url=await bind_url(talk),
        name=talk.institution.short_name,
        elsewhere=talk.bound_at,
        minutes=LINK_MINUTES,
        about=about,
    )


async def standings(talk: Talk) -> list[Standing]:
    """The person's applications, newest first."""
    assert talk.customer_id is not None
    found = await applications.of_customer(talk.tx, talk.customer_id)
    found.sort(key=lambda a: a.created_at, reverse=True)
    return [
        Standing(
            one,
            await contracts.of_application(talk.tx, one.id),
            await loans.of_application(talk.tx, one.id),
        )
        for one in found
        if one.status != "abandoned"
    ]


async def nothing_yet(talk: Talk) -> Text:
    assert talk.institution is not None
    return say("personal/nothing.txt", name=talk.institution.short_name)
