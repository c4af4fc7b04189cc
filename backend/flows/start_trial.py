"""Make a trial (回测): which versions, on which cases, with the products and rules a case meets today (A3-33)."""

import asyncio
from datetime import date

import msgspec

from backend.core import clock
from backend.core.actor import Actor, everywhere
from backend.db.database import Tx
from backend.domains.decision import assess
from backend.domains.decision import service as decisions
from backend.domains.decision.model import Stage, canonical
from backend.domains.institutions import service as institutions
from backend.domains.products import service as products
from backend.domains.products.model import Product
from backend.domains.regulation import service as regulation
from backend.domains.trials import judging
from backend.domains.trials import service as trials
from backend.domains.trials.model import NothingOnOffer, Offered, Plan, Recipe, Run, Shelf
from backend.domains.trials.strategy_file import Partial
from backend.flows import gather_facts, step_trial
from backend.flows.context import Context
from backend.outbox import effects
from backend.overview import decided


class Versions(msgspec.Struct, frozen=True, kw_only=True):
    """A set of versions: live, or a release by number; with the files' parts in place of its own."""

    label: str = "live"
    release: int | None = None
    files: Partial = Partial()


class Asked(msgspec.Struct, frozen=True, kw_only=True):
    """`county` the name of a practice county, '' for stored decisions; `against` None: nothing for a county, the
    stored outcomes for a history. `stage` '' for decisions, early_warning for a county's loans. `limit` at
    most so many cases."""

    draft: Versions
    against: Versions | None = None
    county: str = ""
    stage: str = ""
    limit: int | None = None


async def start_trial(context: Context, actor: Actor, asked: Asked, *, queued: bool) -> Run:
    """A waiting trial; `queued` lets the worker run it. Raises `StrategyRefused` (with every finding),
    `VersionMissing`, `CountyNotLoaded`, `NothingOnOffer`, `NothingToTry`."""
    async with context.db.read(actor) as tx:
        draft = await _recipe(tx, asked.draft, asked.stage)
        base = None if asked.against is None else await _recipe(tx, asked.against, asked.stage)
    plan = Plan(draft=draft, base=base, stage=asked.stage)
    await asyncio.to_thread(judging.Judge, plan)  # compiles both, or says why not
    county, total, shelf = await _cases(context, actor, asked)
    total = total if asked.limit is None else min(total, asked.limit)
    async with context.db.begin(actor) as tx:
        run = await trials.create(
            tx,
            kind="county" if asked.county else "history",
            strategy=asked.draft.label,
            against=asked.against.label if asked.against else "" if asked.county else "当时的决定",
            plan=msgspec.structs.replace(plan, shelf=shelf),
            cases_total=total,
            county=county,
            county_name=asked.county,
        )
        if queued:
            await effects.add(tx, kind=step_trial.KIND, case_id=run.id, payload={}, key=f"trial:{run.id}:")
    return run


async def _recipe(tx: Tx, wanted: Versions, stage: str) -> Recipe:
    if wanted.release is None:
        used = await decisions.bundle_for(tx, "*")
    else:
        used = await decisions.bundle_of_release(tx, wanted.release)
    recipe = judging.recipe_of(used)
    if stage:
        text = canonical(assess.seeded_document(Stage(stage))).decode()
        recipe = msgspec.structs.replace(recipe, strategies={**recipe.strategies, stage: text})
    return wanted.files.onto(recipe)


async def _cases(context: Context, actor: Actor, asked: Asked) -> tuple[str, int, Shelf | None]:
    """(digits of the practice county, cases there are, what stands around them)."""
    if not asked.county:
        async with context.db.read(decided.reader_of(actor)) as tx:
            return "", await decided.count(tx), None
    today = clock.today()
    async with context.db.read(actor) as tx:
        code, households = await trials.county_named(tx, asked.county)
    if asked.stage:
        return code, households, None
    async with context.db.read(everywhere("trial")) as tx:
        live = [each.id for each in await institutions.all_live(tx)]
    if not live:
        raise NothingOnOffer()
    home = actor.institution_id if actor.institution_id in live else live[0]
    async with context.db.read(actor.within(home)) as tx:
        shelf = await _shelf(tx, home, today)
    if not shelf.products:
        raise NothingOnOffer()
    return code, households, shelf


async def _shelf(tx: Tx, institution_id: str, on: date) -> Shelf:
    """The products a person can apply for on the phone, and the rules of the day."""
    rules = await regulation.in_force(tx, on)
    found = [
        product
        for product in await products.list_live(tx, institution_id, on)
        if product.terms.online_road and product.terms.judgement == "model"
    ]
    return Shelf(
        products=[_offered(product) for product in found],
        regulation=gather_facts.rule_facts(rules),
        forbidden_purposes=tuple(rules.words("purposes.forbidden")),
    )


def _offered(product: Product) -> Offered:
    terms = product.terms
    return Offered(
        code=product.code,
        purposes=tuple(terms.purposes),
        facts=gather_facts.product_facts(product),
        terms={months: gather_facts.term_facts(product, months) for months in terms.months},
    )
