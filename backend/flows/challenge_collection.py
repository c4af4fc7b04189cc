"""催收策略试用: which collection strategy a case follows, and how a challenger comes beside the live one (A6-07).

A debtor's cases that open while a challenger runs are parted by a stable hash, and each keeps its side. The challenger
counts only beside the very champion it was agreed to against: where another version goes live, every case follows
that. Whatever either says, the guard in code (`decision/conduct.py`) has the last word over both, and so has the
count of reminders a day (`collect.py`): a challenger can be stricter than they are, never looser.
"""

import msgspec

from backend.core.actor import Actor
from backend.db.database import Database, Tx
from backend.domains.decision import assess, moments
from backend.domains.decision import service as decisions
from backend.domains.decision.model import Stage, StrategyRefused
from backend.domains.institutions.model import UNION
from backend.domains.models.service import bucket
from backend.domains.post_loan import challenges
from backend.domains.post_loan.model import (
    Challenge,
    ChallengeAnswered,
    ChallengeNotYours,
    ChallengerUnfit,
    ChallengeUnfit,
    CollectionCase,
    OwnChallenge,
)
from backend.domains.strategies import service as strategies
from backend.domains.strategies.model import UnionContent, Version

PROPOSING = ("risk_analyst", "head_office_admin")
AGREEING = ("head_office_admin",)
MOST_SHARE_BP = 5_000
FIT = ("checked", "approved", "retired")
"""Statuses of a version that passed the checks and does not decide now."""
CHAMPION, CHALLENGER = "champion", "challenger"


class Side(msgspec.Struct, frozen=True):
    """What a case follows; `arm` and `challenge_id` are None where nothing is tried."""

    using: assess.Prepared | None
    challenge_id: str | None = None
    arm: str | None = None


async def side_of(tx: Tx, product_code: str, customer_id: str, case: CollectionCase | None) -> Side:
    """What a case follows now; of one that is not open yet (None), the side it would get."""
    live = await moments.live(tx, product_code, Stage.COLLECTION)
    if live is None:
        return Side(None)
    beside = [each for each in await challenges.running(tx) if each.champion_hash == live.stage.hash]
    if case is None:
        challenge = beside[0] if beside else None
        if challenge is None:
            return Side(live)
        arm = arm_of(challenge, customer_id)
    else:
        challenge = next((each for each in beside if each.id == case.challenge_id), None)
        arm = case.arm or CHAMPION
    if challenge is None or arm == CHAMPION:
        return Side(live, challenge.id if challenge else None, arm if challenge else None)
    # One that no longer passes this code's checks decides nothing: the champion stays.
    using = await moments.stored(tx, product_code, Stage.COLLECTION, challenge.document_hash) or live
    return Side(using, challenge.id, arm)


def arm_of(challenge: Challenge, customer_id: str) -> str:
    """By a stable hash of the debtor: all of a person's lines on one side, on every machine."""
    return CHALLENGER if bucket(f"{challenge.id}:{customer_id}") < challenge.share_bp else CHAMPION


async def choices(tx: Tx) -> list[Version]:
    """Versions of head office's collection strategy that could be tried, the newest first."""
    used = [each for each in await strategies.in_use(tx) if each.stage is Stage.COLLECTION]
    live = {(each.product_code, each.document_hash) for each in used}
    found = [
        version
        for product in sorted({code for code, _ in live})
        for version in await strategies.history(tx, "*", product, Stage.COLLECTION)
    ]
    return [v for v in found if v.status in FIT and (v.product_code, v.document_hash) not in live]


async def propose(db: Database, actor: Actor, version_id: str, share_bp: int, why: str) -> str:
    """For another person to agree to. Raises `ChallengeUnfit`, `ChallengeWaits`, `ChallengeNotYours`."""
    fields = {}
    if not 0 < share_bp <= MOST_SHARE_BP:
        fields["share"] = "份额写 1 到 50 之间的百分数"
    if not why.strip():
        fields["why"] = "请写为什么要试"
    if fields:
        raise ChallengeUnfit(fields=fields)
    async with db.begin(actor) as tx:
        _require(actor, PROPOSING)
        version = next((v for v in await choices(tx) if v.id == version_id), None)
        if version is None:
            raise ChallengeUnfit(fields={"version": "请从列表里选一版催收策略"})
        return await challenges.propose(
            tx,
            product_code=version.product_code,
            version_id=version.id,
            authors=list(version.authors),
            document_hash=version.document_hash,
            share_bp=share_bp,
            why=why.strip(),
        )


async def answer(db: Database, actor: Actor, challenge_id: str, why: str, *, agreed: bool) -> None:
    """The second person's word; agreed, cases that open from the commit on are parted. Raises `ChallengeUnfit`,
    `ChallengeMissing`, `ChallengeAnswered`, `OwnChallenge`, `ChallengerUnfit`, `ChallengeNotYours`."""
    _worded(why)
    async with db.begin(actor) as tx:
        _require(actor, AGREEING)
        found = await challenges.get(tx, challenge_id)
        if found.status != "proposed":
            raise ChallengeAnswered()
        if not may_answer(actor, found):
            raise OwnChallenge()
        if not agreed:
            await challenges.refuse(tx, found, why.strip())
            return
        version = await strategies.get(tx, found.version_id)
        live = await moments.live(tx, found.product_code, Stage.COLLECTION)
        if version.status not in FIT or live is None or live.stage.hash == found.document_hash:
            raise ChallengerUnfit()
        await _keep(tx, version)
        await challenges.agree(tx, found, live.stage.hash, why.strip())


async def end(db: Database, actor: Actor, challenge_id: str, why: str) -> None:
    """One person's act: every case follows what is live. Raises as `answer`."""
    _worded(why)
    async with db.begin(actor) as tx:
        _require(actor, PROPOSING)
        await challenges.end(tx, await challenges.get(tx, challenge_id), why.strip())


def may_answer(actor: Actor, challenge: Challenge) -> bool:
    """Neither who proposed it nor who wrote the version."""
    me = str(actor)
    return actor.has(*AGREEING) and me != challenge.maker and me not in challenge.authors


async def _keep(tx: Tx, version: Version) -> None:
    """Its text is stored for ever, for what it plans is replayed like anything else. Raises `ChallengerUnfit`."""
    assert isinstance(version.content, UnionContent)
    document = version.content.document
    await decisions.hold_named(tx, document)
    try:
        assess.prepare(Stage.COLLECTION, document, library=await decisions.referable(tx, [document]))
    except StrategyRefused as cause:
        raise ChallengerUnfit() from cause
    await decisions.store(tx, Stage.COLLECTION, document)


def _worded(why: str) -> None:
    if not why.strip():
        raise ChallengeUnfit(fields={"why": "请写意见"})


def _require(actor: Actor, roles: tuple[str, ...]) -> None:
    if actor.institution_id != UNION or not actor.has(*roles):
        raise ChallengeNotYours()
