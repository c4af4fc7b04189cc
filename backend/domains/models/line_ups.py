"""Who decides for a product family, changed by two people (A3-33, D1-05): one proposes, another agrees.

Going back to the line-up before is one act of one person, on the proposal that one once had. Head office's people
act; SQL holds that nobody agrees to their own.
"""

from backend.db.database import Tx
from backend.domains.audit import service as audit
from backend.domains.institutions.model import UNION
from backend.domains.models import repository
from backend.domains.models.model import (
    CannotDecide,
    LineUp,
    NothingBefore,
    NotYourProposal,
    OwnProposal,
    Proposal,
    ProposalAnswered,
    ProposalMissing,
    ProposalWaits,
    ShareUnfit,
    WhyMissing,
)
from backend.domains.models.service import require

MOST_SHARE_BP = 5_000
PROPOSING = ("risk_analyst", "head_office_admin")
AGREEING = ("head_office_admin",)


def _unfit(champion: str | None, challenger: str | None, share_bp: int) -> str:
    """What is wrong with who gets how much, '' where nothing is."""
    if challenger is None:
        return "没有选试用的模型，份额要空着" if share_bp else ""
    if champion is None:
        return (
            "随系统的评分卡不能和新模型分着试：主模型要选一个登记过、已启用的；"
            "想先和随系统的比，看新模型影子运行的对照"
        )
    if champion == challenger:
        return "主模型和试用的不能是同一个"
    if not 0 < share_bp <= MOST_SHARE_BP:
        return f"分给试用的份额要在 0.01% 到 {MOST_SHARE_BP // 100}% 之间"
    return ""


async def propose(
    tx: Tx, family: str, *, champion: str | None, challenger: str | None = None, share_bp: int = 0, why: str
) -> str:
    """A line-up for another person to agree to; `champion` None gives the family back to the shipped card.

    Returns the proposal's id. Raises `WhyMissing`, `ShareUnfit`, `NotYourJob`, `ProposalWaits`, `CannotDecide`.
    """
    if not why.strip():
        raise WhyMissing()
    if why_not := _unfit(champion, challenger, share_bp):
        raise ShareUnfit(why=why_not)
    require(tx.actor, PROPOSING)
    made = await repository.propose_line_up(tx, family, champion, challenger, share_bp, why.strip())
    if made is None:
        waiting = {each.family for each in await repository.proposals(tx)}
        raise ProposalWaits() if family in waiting else CannotDecide()
    audit.add(
        tx, "model.line_up_proposed", family, champion=champion, challenger=challenger, share_bp=share_bp
    )
    return made


async def answer(tx: Tx, proposal_id: str, why: str, *, agreed: bool) -> None:
    """Agreed, the line-up counts from the commit on. Raises `WhyMissing`, `NotYourJob`, `ProposalMissing`,
    `ProposalAnswered`, `OwnProposal`, `CannotDecide`."""
    if not why.strip():
        raise WhyMissing()
    require(tx.actor, AGREEING)
    found = await repository.proposal(tx, proposal_id)
    if found is None:
        raise ProposalMissing()
    if found.status != "proposed":
        raise ProposalAnswered()
    if found.maker == tx.actor.id:
        raise OwnProposal()
    if agreed:
        if await repository.agree_line_up(tx, proposal_id, why.strip()) is None:
            raise CannotDecide()
    elif not await repository.refuse_line_up(tx, proposal_id, why.strip()):
        raise ProposalAnswered()
    audit.add(
        tx, "model.line_up_agreed" if agreed else "model.line_up_refused", found.family,
        champion=found.champion, challenger=found.challenger, share_bp=found.share_bp, proposal=found.id,
    )  # fmt: skip


async def withdraw(tx: Tx, proposal_id: str, why: str) -> None:
    """Who proposed it takes it back, and another may be proposed. Raises `WhyMissing`, `NotYourJob`,
    `ProposalMissing`, `NotYourProposal`, `ProposalAnswered`."""
    if not why.strip():
        raise WhyMissing()
    require(tx.actor, PROPOSING)
    found = await repository.proposal(tx, proposal_id)
    if found is None:
        raise ProposalMissing()
    if found.maker != tx.actor.id:
        raise NotYourProposal()
    if not await repository.withdraw_line_up(tx, proposal_id, why.strip()):
        raise ProposalAnswered()
    audit.add(
        tx, "model.line_up_withdrawn", found.family,
        champion=found.champion, challenger=found.challenger, share_bp=found.share_bp, proposal=found.id,
    )  # fmt: skip


async def back(tx: Tx, family: str, why: str) -> None:
    """退回: what decided before decides again. Raises `WhyMissing`, `NotYourJob`, `NothingBefore`."""
    if not why.strip():
        raise WhyMissing()
    require(tx.actor, AGREEING)
    if await repository.back_line_up(tx, family, why.strip()) is None:
        raise NothingBefore()
    audit.add(tx, "model.line_up_taken_back", family)


async def waiting(tx: Tx) -> list[Proposal]:
    return await repository.proposals(tx)


async def history(tx: Tx, family: str) -> list[LineUp]:
    """Newest first."""
    return await repository.line_ups(tx, family)


def may_withdraw(tx: Tx, proposal: Proposal) -> bool:
    return tx.institution_id == UNION and tx.actor.has(*PROPOSING) and tx.actor.id == proposal.maker


def may_agree(tx: Tx, proposal: Proposal) -> bool:
    return tx.institution_id == UNION and tx.actor.has(*AGREEING) and tx.actor.id != proposal.maker
