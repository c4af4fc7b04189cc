"""What waits for me as the second person, or for my part, on pages of their own: counted and linked on 工作台."""

import msgspec

from backend.core import clock
from backend.db.database import Tx
from backend.domains.customers import erasure_requests
from backend.domains.institutions.model import HEAD_OFFICE
from backend.domains.models import line_ups, watching
from backend.domains.models import service as models
from backend.domains.post_loan import challenges, drawdowns, warnings
from backend.domains.relations import findings
from backend.domains.relations import lists as entries
from backend.domains.strategies import course, scenario_book
from backend.domains.strategies import service as strategies
from backend.flows import challenge_collection, erase_on_request
from backend.overview import source_health
from backend.web import staff
from backend.web.staff import Here
from h5.console import collection_trials, lists, model_line_ups, post_loan, relations, strategy_scenarios
from h5.console import models as register


class Wait(msgspec.Struct, frozen=True):
    """`told` follows the count: 3 + 份策略等您批."""

    path: str
    count: int
    told: str
    why: str


async def for_me(here: Here) -> tuple[Wait, ...]:
    async with here.context.db.read(here.actor) as tx:
        found = [await _strategies(here, tx), await _ended(here, tx), *await _scenarios(tx)]
        if here.head_office:
            found += [await _line_ups(tx), await _challenges(here, tx)]
        if here.has(*register.READERS):
            found.append(await _models(here, tx))
        found += [await _alarms(tx), *await _after_the_loan(here, tx), await _findings(here, tx)]
    return tuple(
        each
        for each in (*found, *await _lists(here), *await _erasures(here), *await _held(here))
        if each.count
    )


async def _strategies(here: Here, tx: Tx) -> Wait:
    waiting = await strategies.waiting(tx)
    count = sum(strategies.may_approve(here.actor, each) for each in waiting)
    return Wait("/console/strategies", count, "份策略等您批", "别人写好提交了，要由您看过才能生效")


async def _ended(here: Here, tx: Tx) -> Wait:
    """Of whoever may write another in its place."""
    mine = strategies.owner_of(here.actor) if strategies.may_write(here.actor) else None
    count = sum(each.version.institution_id == mine for each in await course.not_returned(tx))
    why = "它接替的那一版通不过现在的检查，没有回来；看要不要再写一版"
    return Wait("/console/strategies", count, "版策略到期了，没有接上", why)


async def _scenarios(tx: Tx) -> list[Wait]:
    return [
        Wait(
            strategy_scenarios.path_of(product, stage),
            count,
            "个场景等您同意停用",
            "别人提出来的，您同意以前照样跑",
        )
        for product, stage, count in await scenario_book.stops_asked(tx)
    ]


async def _line_ups(tx: Tx) -> Wait:
    count = sum(line_ups.may_agree(tx, each) for each in await line_ups.waiting(tx))
    return Wait(model_line_ups.PATH, count, "个换主模型的提议等您看", "您同意以后，审批才用新的")


async def _challenges(here: Here, tx: Tx) -> Wait:
    proposed = [each for each in await challenges.listed(tx) if each.status == "proposed"]
    count = sum(challenge_collection.may_answer(here.actor, each) for each in proposed)
    return Wait(collection_trials.PATH, count, "个催收策略试用等您看", "您同意以后，才拿一部分案件来试")


async def _models(here: Here, tx: Tx) -> Wait:
    count = sum(bool(register.waits(here, each)) for each in await models.all_models(tx))
    return Wait(register.HOME, count, "个模型等您办", "交验证报告、独立评审或批准")


async def _alarms(tx: Tx) -> Wait:
    count = len(await watching.owed(tx))
    return Wait(
        "/console/monitors#alarms", count, "条监控提醒归您处理", "模型或人群有了变化，查过以后写下怎么办"
    )


async def _after_the_loan(here: Here, tx: Tx) -> list[Wait]:
    """A customer who waits for the money is anybody's who may say; a warning its officer's until the day is over."""
    found, page = [], post_loan.PATH
    if not here.head_office and here.has(*post_loan.ANSWERERS):
        held = await drawdowns.held_total(tx)
        found.append(Wait(page, held, "笔用款等人核实", "客户在等钱，您和客户经理都可以核实"))
    if not here.head_office and here.has("county_admin"):
        open_ = await warnings.listed(tx, ["open"])
        stuck = sum(each.owner_id is None or each.due_on < clock.today() for each in open_)
        found.append(Wait(page, stuck, "条预警过了期或没人管", "客户经理没有处理，请催办或换人"))
    return found


async def _findings(here: Here, tx: Tx) -> Wait:
    handles = not here.head_office and here.has(*relations.HANDLERS)
    count = await findings.waiting(tx) if handles else 0
    return Wait(relations.PATH, count, "条关系疑点等您查", "没人接手的和您接手还没查完的")


async def _lists(here: Here) -> list[Wait]:
    """Head office may be the second person of every county's."""
    if not here.has(*lists.WRITERS):
        return []
    names = {each.id: each.short_name for each in await staff.counties(here)} if here.head_office else {}
    own = HEAD_OFFICE.id if here.head_office else here.person.institution_id
    async with here.context.db.read(here.reader) as tx:
        counts = await entries.waiting(tx, (own, *names))
    return [
        Wait(
            f"/console/lists?in={institution_id}",
            count,
            f"条名单等您看{f'（{names[institution_id]}）' if institution_id in names else ''}",
            "别人提出来的，您同意以后才起作用",
        )
        for institution_id, count in sorted(counts.items())
    ]


async def _erasures(here: Here) -> list[Wait]:
    """A county's own stand in its list of tickets; head office may be the second person of every county's."""
    if not here.head_office or not here.has(*erase_on_request.MAY):
        return []
    names = {each.id: each.short_name for each in await staff.counties(here)}
    async with here.context.db.read(here.reader) as tx:
        found = await erasure_requests.waiting(tx, tuple(names))
    return [
        Wait(
            f"/console/tickets/{institution_id}/{ticket_no}"
            if count == 1
            else f"/console/counties/{institution_id}",
            count,
            f"位客户要删信息，等您同意（{names[institution_id]}）",
            "县里核对过是本人，您同意以后才删",
        )
        for institution_id, count, ticket_no in found
    ]


async def _held(here: Here) -> list[Wait]:
    """A source that fails holds up customers of every county, and only head office can do something about it."""
    if not here.head_office or not here.has("head_office_admin"):
        return []
    async with here.context.db.read(here.reader) as tx:
        count = (await source_health.source_health(tx)).held
    why = "有来源答不上来。恢复以后自动接着办，到答应客户的时间还没有恢复就转人工"
    return [Wait("/console/sources", count, "笔申请在等数据来源恢复", why)]
