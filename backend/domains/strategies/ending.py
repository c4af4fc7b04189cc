"""结束时间: when the time of a version is over, and what decides from then on (A3-33)."""

from datetime import datetime

from backend.core import clock
from backend.core.errors import Problem
from backend.db.database import Tx
from backend.domains.audit import service as audit
from backend.domains.decision import service as decisions
from backend.domains.strategies import checks, moving, repository
from backend.domains.strategies.model import ALL_PRODUCTS, UNION, EndsTooSoon, MustNotEnd, NotPassed, Version


def must_decide(version: Version) -> bool:
    """The union's document of all products: every decision needs it, so it has no end."""
    return version.institution_id == UNION and version.product_code == ALL_PRODUCTS


def require(version: Version, start: datetime, end: datetime | None, now: datetime) -> None:
    """Raises `MustNotEnd`, and `EndsTooSoon` for an end that is over or not after the start."""
    if end is None:
        return
    if must_decide(version):
        raise MustNotEnd()
    if end <= now:
        raise EndsTooSoon(fields={"effective_until": "结束时间要在现在以后"})
    if end <= start:
        raise EndsTooSoon(fields={"effective_until": EndsTooSoon.message})


def over(version: Version, now: datetime) -> bool:
    return version.effective_until is not None and version.effective_until <= now


async def finish(tx: Tx, version: Version, why: str, until_now: Version | None = None) -> None:
    """A live version decides no more. What it took the place of does again, on the approval it had, where it passes
    today's checks; else what `_then` says, and the move says why. `until_now` decided until this very transaction: it
    goes on unasked, as if the version that never decided had not been. Raises `StrategyMoved`."""
    before = await _before(tx, version, tx.now)
    if before is None:
        await moving.move(tx, version, "retired", why)
        await _leave(tx, version)
        return
    goes_on = until_now is not None and until_now.id == before.id
    unfit, apart = ("", "") if goes_on else await _unfit(tx, before)
    told = {
        "number": before.number,
        "stage": before.stage,
        "product": before.product_code,
        "after": version.number,
    }
    if unfit:
        await moving.move(tx, version, "retired", f"{why}；第 {before.number} 版没有回来：{unfit}")
        await _leave(tx, version)
        audit.add(tx, "strategy.not_returned", before.id, why=unfit, **told)
        return
    await moving.move(tx, version, "retired", f"{why}；第 {before.number} 版回来")
    said = f"第 {version.number} 版{why}，它接替的这一版回来{f'；{apart}' if apart else ''}"
    await moving.take_over(tx, before, said, before.effective_until, tx.now)
    audit.add(tx, "strategy.returned", before.id, apart=apart, **told)


async def _leave(tx: Tx, version: Version) -> None:
    await decisions.end_live(tx, version.institution_id, version.product_code, version.stage)


async def _unfit(tx: Tx, version: Version) -> tuple[str, str]:
    """Why it may not decide again, '' where it may: as an approval asks, by today's floor, catalogue and scenarios. And
    what a county's scenarios say against it: anybody there adds one alone, and so would keep away what two people
    approved and what only tightens; it comes back, and people are told."""
    apart = ""
    try:
        run = await repository.add_check(tx, version, await checks.examine(tx, version))
        if version.layer == "county":
            wrong = [each.name for each in run.report.scenarios if each.wrong]
            apart = f"它和场景{'、'.join(f'“{each}”' for each in wrong)}不符，请看一看" if wrong else ""
        if run.failures and (not apart or any(each.blocks for each in run.report.findings)):
            raise NotPassed(run.report)
        await moving.hold_named(tx, version)
    except Problem as problem:
        return problem.text, ""
    return "", apart


async def _before(tx: Tx, version: Version, at: datetime) -> Version | None:
    """What this version took the place of when it first decided, if nobody did anything to it since; one whose own
    time is over by then has given its place back as well."""
    found = await repository.stood_before(tx, version)
    while found is not None and over(found, at):
        found = await repository.stood_before(tx, found)
    return found


async def afterwards(tx: Tx, version: Version) -> str:
    """What decides once this version does not any more, to be read after 到期以后: what it takes the place of; else the
    same strategy of all products, or head office's floor alone."""
    then = await _then(tx, version)
    if version.status == "live":
        before, named = await _before(tx, version, version.effective_until or tx.now), "它接替的"
    else:
        before = await repository.live(tx, version.institution_id, version.product_code, version.stage)
        named = "现在在用的"
    if before is None or before.product_code != version.product_code:
        return then
    own = ""
    if before.effective_until is not None:
        own = f"（它自己只用到 {clock.local(before.effective_until):%Y-%m-%d %H:%M}，过了就看它接替的那一版）"
    return f"换回{named}第 {before.number} 版{own}；它那时要是通不过检查，{then}"


async def _then(tx: Tx, version: Version) -> str:
    general = None
    if version.product_code != ALL_PRODUCTS:
        general = await repository.live(tx, version.institution_id, ALL_PRODUCTS, version.stage)
    if version.institution_id == UNION:
        return f"改用所有产品的{f'第 {general.number} 版' if general else '原版，随系统的那一份'}"
    if general is not None:
        return f"改用本行所有产品的加严层（第 {general.number} 版）"
    return "本行在这一环节不再加严，只按省联社的规则办"
