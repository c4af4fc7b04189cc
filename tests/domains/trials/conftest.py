"""A practice county loaded into a clone of the database, and a context to run trials in."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from backend.commands import practice
from backend.core.actor import Actor, system
from backend.db.database import Database
from backend.domains.decision import bundle
from backend.domains.decision.bundle import Bundle
from backend.domains.decision.model import canonical
from backend.domains.trials.model import Offered, Plan, Recipe, Shelf, rules_of
from backend.flows.context import Context
from backend.sandbox.county import calibrate, plan, tables
from backend.settings import Settings, load
from tests.domains.decision.conftest import read

NAME, SIZE = "演练县", 3_000


@pytest.fixture
def head_office() -> Actor:
    return system("0000", "test")


@pytest.fixture
def context(db: Database, settings: Settings) -> Context:
    nothing: Any = None
    return Context(settings, db, nothing, nothing)


@pytest.fixture
def loading(owner_dsn: str, tmp_path: Path) -> Settings:
    return load({"DATABASE_URL": owner_dsn}, xiaodai_data=str(tmp_path))


@pytest.fixture
async def county(loading: Settings) -> practice.Loaded:
    return await practice.load(loading, NAME, SIZE, 5, lambda _: None)


def recipe_of(using: Bundle) -> Recipe:
    """What a trial would be handed of these versions."""
    return Recipe(
        strategies={str(stage): text for stage, text in using.texts.items()},
        card=canonical(using.card.card).decode(),
        catalogue=using.catalogue.text.decode(),
        flows={key: text for key, (_, text) in using.flows.items()},
        models=using.models,
        overlays={str(stage): text for stage, text in using.overlay_texts.items()},
        price_band=using.price_band,
    )


def facts(count: int, seed: int = 5) -> pl.DataFrame:
    """Facts of a county as `trials.service.county_facts` gives them, without a database."""
    made = calibrate.calibrated(plan.Plan(name=NAME, prefix="99", households=count, seed=seed))
    places = tables.villages(made).rename({"name": "village_name"}).drop("town")
    frame = tables.facts_of(made, 0, count)
    return frame.join(places, on="village", how="left", maintain_order="left")


def shelf() -> Shelf:
    """One consumer product and one for business, from the case that is approved."""
    sources = read("approved_payroll").sources
    product, rules = dict(sources["product"].facts), dict(sources["regulation"].facts)
    terms = {
        months: {
            name: product[name]
            for name in ("product_min_term_months", "product_max_term_months", "product_repayment_method")
        }
        for months in (3, 6, 12)
    }
    product = {n: v for n, v in product.items() if n not in terms[3] and n != "purpose_in_product"}
    rules.pop("purpose_forbidden")
    consumer = ("decoration", "appliance", "education", "medical", "vehicle", "farm_living")
    return Shelf(
        products=[
            Offered(code="SXD", purposes=consumer, facts=product, terms=terms),
            Offered(
                code="JYXY",
                purposes=("planting", "breeding", "shop", "stock", "equipment"),
                facts={**product, "product_kind": "business"},
                terms=terms,
            ),
        ],
        regulation=rules,
        forbidden_purposes=("shares",),
    )


def seeded_plan(**more: Any) -> Plan:
    return Plan(draft=rules_of({"": recipe_of(bundle.seeded())}), shelf=shelf(), **more)
