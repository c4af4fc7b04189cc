"""From rows of facts to the cases a live decision takes (A3-36): one applicant per row, nothing judged here."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import polars as pl

from backend.domains.decision import facts
from backend.domains.decision.model import Case, SourceFacts
from backend.domains.trials.model import Offered, Shelf

SOURCES = (
    "application", "own_records", "identity_check", "liveness", "credit_bureau", "core_banking", "data_platform",
)  # fmt: skip
AS_OF = datetime(2026, 11, 1, 2, tzinfo=UTC)
"""The moment cases of a practice county are judged at: its records are of that day."""
_BEFORE = AS_OF - timedelta(hours=1)
CONSENT = "practice"


def of_frame(frame: pl.DataFrame, shelf: Shelf) -> Iterator[Case]:
    """A case per row, in order. Columns that are no facts of an outside source are left out; a null is a fact
    that is not there. Dates are dates, choices texts, flags booleans."""
    known = facts.catalogue().facts
    table = _related(frame).with_columns(pl.selectors.date().dt.strftime("%Y-%m-%d"))
    names = {
        source: [n for n in table.columns if n in known and known[n].source == source] for source in SOURCES
    }
    rows = [_dicts(table, names[source]) for source in SOURCES]
    for given in zip(*rows, strict=True):
        yield _case(dict(zip(SOURCES, given, strict=True)), shelf)


def _related(frame: pl.DataFrame) -> pl.DataFrame:
    """A practice county has no graph: what its rings are known by stands in two counts, and its people share
    nothing else and are on no list of ours. A frame without those counts stays without these facts."""
    counts = ("device_customers_30d", "address_applications_90d")
    if not {*counts} <= {*frame.columns}:
        return frame
    hands, ring = pl.col(counts[0]), pl.max_horizontal(*counts)
    derived = {
        "device_customers_24h": hands.clip(upper_bound=2),
        "phone_customers_90d": pl.lit(1),
        "network_customers_24h": pl.lit(0),
        "own_list_hit": pl.lit("none"),
        "relation_ring_households": ring,
        "relation_device_households": hands,
        "relation_payee_households": pl.lit(1),
        "relation_helper_households_7d": hands,
        "relation_guarantee_ring": pl.lit(False),
        "relation_impersonation": pl.lit("none"),
        "relation_money_returns": pl.lit(False),
        "relation_staff_contact": pl.lit(False),
        "own_guarantee_balance": pl.lit(0),
    }
    return frame.with_columns(
        **{name: column for name, column in derived.items() if name not in frame.columns}
    )


def of_signals(frame: pl.DataFrame) -> Iterator[Case]:
    """A loan's day per row, for early warning."""
    known = facts.catalogue().facts
    names = [n for n in frame.columns if n in known and known[n].source == "post_loan"]
    for held in _dicts(frame, names):
        sources = {"post_loan": SourceFacts(observed_at=_BEFORE, facts=held)}
        yield Case(product="", as_of=AS_OF, sources=sources)


def _dicts(table: pl.DataFrame, names: list[str]) -> list[dict[str, Any]]:
    if not names:
        return [{} for _ in range(table.height)]
    columns = [table[name].to_list() for name in names]
    return [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]


def _case(given: dict[str, dict[str, Any]], shelf: Shelf) -> Case:
    asked = given["application"]
    product = chosen(shelf, str(asked.get("purpose")))
    term = min(product.terms, key=lambda months: (abs(months - int(asked["requested_term_months"])), months))
    low, high = product.facts["product_min_amount"], product.facts["product_max_amount"]
    amount = min(max(int(asked["requested_amount"]), low), high)
    given["application"] = {**asked, "requested_term_months": term, "requested_amount": amount}
    sources = {
        source: SourceFacts(observed_at=_BEFORE, consent_id=CONSENT, facts=held)
        for source, held in given.items()
    }
    in_product = asked.get("purpose") in product.purposes
    sources["product"] = SourceFacts(
        observed_at=_BEFORE,
        facts={**product.facts, **product.terms[term], "purpose_in_product": in_product},
    )
    forbidden = asked.get("purpose") in shelf.forbidden_purposes
    sources["regulation"] = SourceFacts(
        observed_at=_BEFORE, facts={**shelf.regulation, "purpose_forbidden": forbidden}
    )
    return Case(product=product.code, as_of=AS_OF, sources=sources)


def chosen(shelf: Shelf, purpose: str) -> Offered:
    """The first product for the purpose, as a customer finds it; the first of all for any other."""
    return next((each for each in shelf.products if purpose in each.purposes), shelf.products[0])
