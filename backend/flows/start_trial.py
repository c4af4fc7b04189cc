"""Make a trial (回测): which versions, on which cases, with the products and rules a case meets today (A3-33)."""

import asyncio
from datetime import date

import msgspec

from backend.core import clock
from backend.core.actor import Actor, everywhere, system
from backend.db.database import Tx
from backend.domains.decision.model import Stage
from backend.domains.institutions import service as institutions
from backend.domains.products import service as products
from backend.domains.products.model import Product
from backend.domains.regulation import service as regulation
from backend.domains.trials import judging
from backend.domains.trials import service as trials
from backend.domains.trials.model import (
    NothingOnOffer,
    NothingToTry,
    Offered,
    Plan,
    Rules,
    Run,
    Shelf,
    StageNotTried,
    WarningsNeedCounty,
)
from backend.flows import gather_facts, step_trial
from backend.flows.context import Context
from backend.flows.gather_trial_rules import Place, gather_trial_rules, gather_warning_rules
from backend.flows.name_trial_versions import Named, Versions, name_trial_versions
from backend.outbox import effects
from backend.overview import decided

WARNING = str(Stage.EARLY_WARNING)
WHOLE = 65_536


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """`county` the name of a practice county, '' for stored decisions; `against` None: nothing for a county, the
    stored outcomes for a history. `stage` '' for decisions, early_warning for a county's loans (a version of early
    warning says so itself). `limit` at most so many cases; `institutions` whose history, all that may be
    read where none is named."""

    draft: Versions
    against: Versions | None = None
    county: str = ""
    stage: str = ""
    limit: int | None = None
    institutions: tuple[str, ...] = ()


class _Cases(msgspec.Struct, frozen=True, kw_only=True):
    """`county` digits of the practice county; `total` cases there are, `share` of 65536 of a history."""

    county: str
    total: int
    share: int
    shelf: Shelf | None
    places: list[Place]


async def start_trial(context: Context, actor: Actor, asked: Asked, *, queued: bool) -> Run:
    """A waiting trial; `queued` lets the worker run it. Raises what `name_trial_versions` and `gather_trial_rules`
    do, `StrategyRefused` (with every finding), `CountyNotLoaded`, `NothingOnOffer`, `NothingToTry`,
    `WarningsNeedCounty`, `StageNotTried`, on real customers `TooManyToday`, and when queued `TooManyTrials`."""
    async with context.db.read(actor) as tx:
        if queued:  # asked again below: this spares the work of a trial that has no room
            await trials.require_room(tx)
        if not asked.county:
            await trials.require_turn(tx)
        draft = await name_trial_versions(tx, asked.draft)
        base = None if asked.against is None else await name_trial_versions(tx, asked.against)
    stage = _stage(asked, draft, base)
    found = await _cases(context, actor, asked, stage)
    plan = Plan(
        draft=await _rules(context, actor, draft, stage, found.places),
        base=None if base is None else await _rules(context, actor, base, stage, found.places),
        stage=stage,
        shelf=found.shelf,
        share=found.share,
    )
    await asyncio.to_thread(judging.check, plan)
    async with context.db.begin(actor) as tx:
        if queued:
            await trials.require_room(tx)
        if not asked.county:
            await trials.require_turn(tx)
        run = await trials.create(
            tx,
            kind="county" if asked.county else "history",
            strategy=draft.label,
            against=base.label if base else "" if asked.county else "当时的决定",
            plan=plan,
            cases_total=found.total,
            county=found.county,
            county_name=asked.county,
            institutions=asked.institutions,
            strategy_id=draft.version.id if draft.version else None,
            model_id=draft.model.id if draft.model else None,
        )
        if queued:
            await effects.add(tx, kind=step_trial.KIND, case_id=run.id, payload={}, key=f"trial:{run.id}:")
    return run


def _stage(asked: Asked, draft: Named, base: Named | None) -> str:
    """'' or early_warning; both sides are of one kind."""
    stages = {str(each.version.stage) for each in (draft, base) if each is not None and each.version}
    stages |= set(draft.files.strategies) | (set(base.files.strategies) if base else set())
    warns = WARNING in stages or asked.stage == WARNING
    if not warns:
        return ""
    if not asked.county:
        raise WarningsNeedCounty()
    if stages - {WARNING} or draft.model or (base and base.model):
        raise StageNotTried(stage="贷后预警和审批一起")
    return WARNING


async def _rules(context: Context, actor: Actor, wanted: Named, stage: str, places: list[Place]) -> Rules:
    if not stage:
        return await gather_trial_rules(context, actor, wanted, places)
    async with context.db.read(actor) as tx:
        return await gather_warning_rules(tx, wanted)


async def _cases(context: Context, actor: Actor, asked: Asked, stage: str) -> _Cases:
    if not asked.county:
        return await _history(context, actor, asked)
    today = clock.today()
    async with context.db.read(actor) as tx:
        code, households = await trials.county_named(tx, asked.county)
    total = households if asked.limit is None else min(households, asked.limit)
    if stage:
        return _Cases(county=code, total=total, share=WHOLE, shelf=None, places=[])
    async with context.db.read(everywhere("trial")) as tx:
        live = [each.id for each in await institutions.all_live(tx)]
    if not live:
        raise NothingOnOffer()
    home = actor.institution_id if actor.institution_id in live else live[0]
    async with context.db.read(actor.within(home)) as tx:
        shelf, offered = await _shelf(tx, home, today)
    if not offered:
        raise NothingOnOffer()
    places = [Place(institution="", product=each.code, family=_family(each)) for each in offered]
    return _Cases(county=code, total=total, share=WHOLE, shelf=shelf, places=places)


async def _history(context: Context, actor: Actor, asked: Asked) -> _Cases:
    """About `limit` decisions drawn by their ids, evenly over counties and years."""
    limit, only = asked.limit, asked.institutions
    async with context.db.read(decided.reader_of(actor)) as tx:
        every = await decided.count(tx, WHOLE, only)
        share = WHOLE if limit is None or limit >= every else max(1, -(-limit * WHOLE // every))
        total = min(await decided.count(tx, share, only), limit or every)
        wanted = await decided.products(tx, only)
    if not total:
        raise NothingToTry()
    today, places = clock.today(), []
    for institution in sorted({each for each, _ in wanted}):
        async with context.db.read(system(institution, "trial")) as tx:
            sold = {each.code: each for each in await products.list_live(tx, institution, today)}
        places += [
            Place(institution=institution, product=code, family=_family(sold.get(code)))
            for at, code in wanted
            if at == institution
        ]
    return _Cases(county="", total=total, share=share, shelf=None, places=places)


def _family(product: Product | None) -> str:
    """The line-up a product's model is of; of one no longer sold, that of all."""
    return "*" if product is None else product.terms.purpose_class


async def _shelf(tx: Tx, institution_id: str, on: date) -> tuple[Shelf, list[Product]]:
    """The products a person can apply for on the phone, and the rules of the day."""
    rules = await regulation.in_force(tx, on)
    found = [
        product
        for product in await products.list_live(tx, institution_id, on)
        if product.terms.online_road and product.terms.judgement == "model"
    ]
    shelf = Shelf(
        products=[_offered(product) for product in found],
        regulation=gather_facts.rule_facts(rules),
        forbidden_purposes=tuple(rules.words("purposes.forbidden")),
    )
    return shelf, found


def _offered(product: Product) -> Offered:
    terms = product.terms
    return Offered(
        code=product.code,
        purposes=tuple(terms.purposes),
        facts=gather_facts.product_facts(product),
        terms={months: gather_facts.term_facts(product, months) for months in terms.months},
    )
