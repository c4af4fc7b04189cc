"""The county as frames, one per table of the schema `practice`, for a range of households.

Column names and order are the tables' own (migration 0140). Amounts are fen. `slice_of` makes everything of a range;
the frames of two ranges put together are those of the range of both.
"""

from collections.abc import Mapping
from datetime import date, timedelta
from typing import Any

import msgspec
import numpy as np
import polars as pl

from backend.sandbox.county import calibrate, lending, records, residents
from backend.sandbox.county import homes as living
from backend.sandbox.county import plan as plans
from backend.sandbox.county import rings as fraud
from backend.sandbox.county.draws import Array, Draws, between, fen
from backend.sandbox.county.homes import Home
from backend.sandbox.county.plan import AS_OF, Plan
from backend.sandbox.county.residents import Residents
from backend.sandbox.specimens import names

CHUNK = plans.BLOCK * 40
"""Households per slice when a county is loaded: memory stays under half a gigabyte."""

CHOICES: dict[str, tuple[str, ...]] = {
    "occupation": living.OCCUPATIONS,
    "purpose": lending.PURPOSES,
    "household_rating": records.RATINGS,
    "blocklist_hit": records.BLOCKED,
    "identity_match": ("match", "no_record", "photo_mismatch", "name_mismatch"),
    "phone_match": ("match", "unknown", "mismatch"),
    "liveness_result": ("passed", "officer_verified", "skipped", "failed"),
}
"""Facts that are choices, by position as the generator draws them."""

EDUCATION = ("primary", "middle", "high", "college", "university")


class Slice(msgspec.Struct, frozen=True, kw_only=True):
    frames: dict[str, pl.DataFrame]
    totals: calibrate.Totals


class _Made(msgspec.Struct, frozen=True, kw_only=True):
    """All arrays of a range, before they are frames."""

    plan: Plan
    home: Home
    people: Residents
    found: fraud.Rings
    known: records.Facts
    owed: lending.Borrowing
    lines: Array
    balances: Array
    phones: pl.Series


def slice_of(plan: Plan, first: int, end: int) -> Slice:
    """Everything about households `first` to `end` - 1."""
    made = _made(plan, first, end)
    certificates = lending.certificates(plan, made.home)
    frames = {
        "households": _households(made),
        "people": _people(made),
        "harvests": _harvests(made),
        "incomes": _incomes(made),
        "accounts": _accounts(made),
        **_records(made),
        "facts": facts_frame(plan, made.home, made.known, made.owed, made.lines),
        "credit_lines": _credit_lines(made),
        "loans": _loans(made, certificates),
        "guarantees": lending.guarantees(plan, made.home, made.lines),
        "signals": _signals(made),
        "ring_members": _ring_members(made),
        "contacts": fraud.contacts(
            plan, made.home.household, made.found, made.phones.filter(pl.Series(made.people.slot == 0)),
            made.home.village,
        ),
    }  # fmt: skip
    return Slice(frames=frames, totals=_totals(made, certificates))


def facts_of(plan: Plan, first: int, end: int) -> pl.DataFrame:
    """Only the facts and the outcome of a range: what training and trials need."""
    home = living.homes(plan, np.arange(first, end))
    found = fraud.rings(plan, home.household)
    known, owed = _borrowed(plan, home, found)
    return facts_frame(plan, home, known, owed, lending.granted(plan, owed))


def _borrowed(plan: Plan, home: Home, found: fraud.Rings) -> tuple[records.Facts, lending.Borrowing]:
    who = lending.heads(plan, home, found)
    known = records.facts(plan.draws, who) | lending.applied(plan, home, found)
    return known, lending.borrowing(plan, home, who, known)


def _made(plan: Plan, first: int, end: int) -> _Made:
    home = living.homes(plan, np.arange(first, end))
    found = fraud.rings(plan, home.household)
    known, owed = _borrowed(plan, home, found)
    lines = lending.granted(plan, owed)
    people = residents.residents(plan, home)
    return _Made(
        plan=plan, home=home, people=people, found=found, known=known, owed=owed, lines=lines,
        balances=lending.balances(plan, owed, lines), phones=residents.phones(people),
    )  # fmt: skip


def facts_frame(
    plan: Plan, home: Home, known: Mapping[str, Array], owed: lending.Borrowing, lines: Array
) -> pl.DataFrame:
    """One applicant per household: facts by their catalogue names, groups to report by, and how it ended."""
    born = AS_OF.toordinal() - date(1970, 1, 1).toordinal()
    columns: dict[str, Any] = {
        "household": home.household,
        "village": home.village,
        "town": home.town,
        "sex": pl.Series(["female", "male"]).gather(home.head_male.astype(np.int64)),
        "birth_on": pl.Series(residents.head_born(plan, home)).cast(pl.Int32).cast(pl.Date),
        "education": pl.Series(list(EDUCATION)).gather(home.education),
        "id_expires_on": pl.Series(known["id_days"] + born).cast(pl.Int32).cast(pl.Date),
    }
    for name, value in known.items():
        if name == "id_days":
            continue
        if name in CHOICES:
            columns[name] = pl.Series(list(CHOICES[name])).gather(value)
        else:
            columns[name] = value
    columns["granted_fen"] = lines
    columns["annual_rate_bp"] = owed.rate_bp
    columns["defaulted"] = owed.defaulted.astype(np.int64)
    return pl.DataFrame(columns)


def _households(made: _Made) -> pl.DataFrame:
    home = made.home
    number = made.plan.draws.whole("house", home.household, 1, 299)
    return pl.DataFrame(
        {
            "household": home.household,
            "village": home.village,
            "officer": home.officer,
            "house_no": number,
            "members": home.members,
            "years_resident": made.known["household_years_resident"],
            "rating": pl.Series(list(records.RATINGS)).gather(made.known["household_rating"]),
            "land_tenths": home.land,
            "income_fen": fen(home.head_month * 12 + home.others_income),
        }
    )


def _people(made: _Made) -> pl.DataFrame:
    plan, people = made.plan, made.people
    return pl.DataFrame(
        {
            "household": people.household,
            "slot": people.slot,
            "id_number": residents.id_numbers(plan, people),
            "name": residents.names_of(plan, people),
            "sex": pl.Series(["female", "male"]).gather(people.male.astype(np.int64)),
            "born_on": pl.Series(people.born).cast(pl.Int32).cast(pl.Date),
            "relation": pl.Series(list(residents.RELATIONS)).gather(people.relation),
            "occupation": pl.Series(list(living.OCCUPATIONS)).gather(people.occupation),
            "phone": made.phones,
        }
    )


def _harvests(made: _Made) -> pl.DataFrame:
    rows = living.harvests(made.plan, made.home)
    crops = pl.Series([name for name, *_ in living.CROPS])
    return pl.DataFrame(rows | {"crop": crops.gather(rows["crop"])})


def _incomes(made: _Made) -> pl.DataFrame:
    """By earner: farm income of the head apart from wages, a subsidy per mu for the land (耕地地力补贴)."""
    home, people = made.home, made.people
    earning = people.month > 0
    farm = np.where(people.slot == 0, home.farm_net[people.at], 0.0)
    words = pl.Series(["farm_work", "wages", "business", "wages", "odd_jobs", "odd_jobs", "odd_jobs"])
    main = pl.DataFrame(
        {
            "household": people.household[earning],
            "slot": people.slot[earning],
            "source": words.gather(people.occupation[earning]),
            "year_fen": fen((people.month * 12 - farm)[earning]),
        }
    )
    tilled = home.land > 0
    extra = [
        pl.DataFrame(
            {
                "household": home.household[tilled],
                "slot": np.zeros(int(tilled.sum()), dtype=np.int64),
                "source": pl.repeat(source, int(tilled.sum()), eager=True),
                "year_fen": amount[tilled],
            }
        )
        for source, amount in (("harvest", fen(home.farm_net)), ("subsidy", home.land * 1_000))
    ]
    return pl.concat([main, *extra])


def _accounts(made: _Made) -> pl.DataFrame:
    """Deposits by kind: on demand, certificates (存单), wealth products. Certificates back the 存单贷."""
    d, home, known = made.plan.draws, made.home, made.known
    h = home.household
    saved = known["core_deposit_average_6m"]
    part = np.where(home.certificate, 0.75, np.where(saved > 2_000_000, 0.4, 0.0))
    fixed = (saved * part).astype(np.int64)
    rows = []
    for kind, amount in (
        ("demand", saved - fixed),
        ("certificate", fixed),
        ("wealth", known["core_wealth_balance"]),
    ):
        held = known["core_known"] & ((amount > 0) | (kind == "demand"))
        months = np.minimum(
            known["core_relationship_months"][held], d.whole(f"{kind} since", h[held], 1, 120)
        )
        rows.append(
            pl.DataFrame(
                {
                    "household": h[held],
                    "kind": pl.repeat(kind, int(held.sum()), eager=True),
                    "opened_on": _months_ago(months),
                    "balance_fen": amount[held],
                }
            )
        )
    return pl.concat(rows)


def _records(made: _Made) -> dict[str, pl.DataFrame]:
    """Payroll, social security, housing fund, tax and card-terminal takings, each where there is any."""
    d, home, known = made.plan.draws, made.home, made.known
    h = home.household
    employer = d.whole("employer", h, 1, 60) + home.town * 60
    words = pl.Series([a + b for a in names.FIRM_WORDS for b, _ in names.TRADES])
    firms = words.gather(employer % len(words))
    base = fen(home.head_month * d.uniform("social base", h, 0.6, 0.9), 10_000)
    owner = home.occupation == living.OWNER
    takings = fen(home.head_month * 12 * d.uniform("takings", h, 2.0, 5.0))
    taxed = fen(np.maximum(0.0, home.head_month - 5_000) * 12 * 0.03)
    columns: dict[str, tuple[str, dict[str, Any]]] = {
        "payroll": ("core_payroll_months", {"employer": firms, "average_fen": known["core_payroll_average"]}),
        "social_security": ("social_security_months_24m", {"base_fen": base}),
        "housing_fund": ("housing_fund_months", {"base_fen": known["housing_fund_base"]}),
    }
    found = {}
    for table, (name, more) in columns.items():
        frame = pl.DataFrame({"household": h, "months": known[name], **more})
        found[table] = frame.filter(pl.col("months") > 0)
    found["taxes"] = pl.DataFrame(
        {"household": h, "year_fen": taxed + np.where(owner, takings // 100, 0)}
    ).filter(pl.col("year_fen") > 0)
    months = between(d.normal("takings months", h, 9 + home.quality, 2.5), 1, 12)
    shops = owner & d.chance("terminal", h, 0.7)
    found["pos"] = pl.DataFrame({"household": h, "months": months, "year_fen": takings}).filter(
        pl.Series(shops)
    )
    return found


def _credit_lines(made: _Made) -> pl.DataFrame:
    return pl.DataFrame(
        {
            "household": made.home.household,
            "granted_fen": made.lines,
            "used_fen": made.balances,
            "annual_rate_bp": made.owed.rate_bp,
            "opened_on": _months_ago(made.owed.opened),
        }
    )


def _loans(made: _Made, certificates: lending.Certificates) -> pl.DataFrame:
    """One loan on each line, and the loans on certificates (never late: the certificate pays)."""
    home = made.home
    text, days = lending.history(made.plan, home, made.owed)
    lined = pl.DataFrame(
        {
            "household": home.household,
            "seq": np.zeros(len(home.household), dtype=np.int64),
            "kind": pl.repeat("line", len(home.household), eager=True),
            "opened_on": _months_ago(made.owed.opened),
            "amount_fen": made.lines,
            "balance_fen": made.balances,
            "days_past_due": days,
            "history": pl.Series(text).cast(pl.String),
        }
    )
    months = np.minimum(certificates.opened, lending.MONTHS)
    backed = pl.DataFrame(
        {
            "household": home.household[certificates.at],
            "seq": certificates.seq + 1,
            "kind": pl.repeat("certificate", len(months), eager=True),
            "opened_on": _months_ago(certificates.opened),
            "amount_fen": certificates.amount,
            "balance_fen": certificates.balance,
            "days_past_due": np.zeros(len(months), dtype=np.int64),
            "history": _paid(months),
        }
    )
    return pl.concat([lined, backed])


def _paid(months: Array) -> pl.Series:
    texts = ["*" * (lending.MONTHS - n) + "N" * n for n in range(lending.MONTHS + 1)]
    return pl.Series(texts).gather(months)


def _signals(made: _Made) -> pl.DataFrame:
    found = lending.signals(made.plan, made.home, made.found, made.owed)
    misuse = pl.Series(["none", "suspected", "confirmed"]).gather(found["loan_misuse"])
    return pl.DataFrame({"household": made.home.household, **found, "loan_misuse": misuse})


def _ring_members(made: _Made) -> pl.DataFrame:
    found, inside = made.found, made.found.ring > 0
    role = pl.Series(["member", "behind"]).gather((found.rank[inside] == 0).astype(np.int64))
    return pl.DataFrame(
        {
            "household": made.home.household[inside],
            "ring": found.ring[inside],
            "kind": pl.Series(list(fraud.KINDS)).gather(found.kind[inside]),
            "role": role,
        }
    )


def _months_ago(months: Array) -> pl.Series:
    first = np.datetime64(AS_OF.replace(day=1), "M") - months
    return pl.Series(first.astype("datetime64[D]").astype(np.int64)).cast(pl.Int32).cast(pl.Date)


def _totals(made: _Made, certificates: lending.Certificates) -> calibrate.Totals:
    numbers, counts = np.unique(made.home.officer, return_counts=True)
    return calibrate.Totals(
        households=len(made.lines),
        people=len(made.people.key),
        granted=int(made.lines.sum()),
        balance=int(made.balances.sum()),
        cd_households=int(made.home.certificate.sum()),
        cd_loans=len(certificates.amount),
        cd_amount=int(certificates.amount.sum()),
        defaulted=int(made.owed.defaulted.sum()),
        farmers=int((made.home.occupation == living.FARMER).sum()),
        ring_members=int((made.found.ring > 0).sum()),
        highest_line=int(made.lines.max()),
        officers=dict(zip(numbers.tolist(), counts.tolist(), strict=True)),
    )


def villages(plan: Plan) -> pl.DataFrame:
    """Every village there is; the last block may have only the first of its two."""
    last = int(plans.village_of(plan.draws, np.array([plan.households - 1]))[0])
    numbers = range(last + 1)
    per_town = plans.TOWN_BLOCKS * 2
    return pl.DataFrame(
        {
            "village": list(numbers),
            "name": [residents.village_name(n) for n in numbers],
            "town": [n // per_town for n in numbers],
            "town_name": [residents.town_name(n // per_town) for n in numbers],
        }
    )


def officers(plan: Plan, counts: Mapping[int, int]) -> pl.DataFrame:
    """客户经理 and how many households each has (A10-06)."""
    numbers = np.array(sorted(counts), dtype=np.int64)
    d: Draws = plan.draws
    surname = pl.Series(list(names.SURNAMES)).gather(d.bits("officer surname", numbers) % np.uint64(100))
    given = pl.Series(list(names.MALE_GIVEN)).gather(d.bits("officer name", numbers) % np.uint64(60))
    return pl.DataFrame(
        {
            "officer": numbers,
            "staff_no": [f"YL{plan.prefix}{n:05d}" for n in numbers.tolist()],
            "name": surname + given,
            "households": [counts[n] for n in numbers.tolist()],
            "since_on": [AS_OF - timedelta(days=200 + n % 2000) for n in numbers.tolist()],
        }
    )
