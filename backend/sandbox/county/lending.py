"""Debt and default: what was asked for, the line granted, loans on it, certificates lent on, months of repayment.

One row per household unless said otherwise; amounts are fen. Totals are held to A10 by `calibrate`.
"""

import msgspec
import numpy as np
import polars as pl

from backend.sandbox.county import plan as plans
from backend.sandbox.county import records
from backend.sandbox.county.draws import Array, Draws, between, fen
from backend.sandbox.county.homes import FARMER, OWNER, PUBLIC, WORKER, Home
from backend.sandbox.county.plan import SLOTS, Plan
from backend.sandbox.county.records import Adult, Facts
from backend.sandbox.county.rings import Rings

STEP = 100_000  # limits are whole thousands of yuan
LEAST = 1_000_000
MONTHS = 24
PURPOSES = (
    "decoration", "appliance", "education", "medical", "vehicle", "farm_living", "planting", "breeding",
    "shop", "stock", "equipment", "other",
)  # fmt: skip
TERMS = np.array([6, 12, 12, 12, 24, 36])


class Borrowing(msgspec.Struct, frozen=True, kw_only=True):
    """`raw` is the line before it is scaled, in yuan; `defaulted` 90 days past due within a year of `opened`."""

    raw: Array
    asked: Facts
    defaulted: Array
    late_share: Array
    opened: Array  # months ago
    idle: Array  # uniform: below the plan's `idle_share` only `idle_part` of the line is used
    idle_part: Array
    rate_bp: Array


def heads(plan: Plan, home: Home, found: Rings) -> Adult:
    """The head of each household as the outside systems know them."""
    d, h = plan.draws, home.household
    occupation = home.occupation
    return Adult(
        key=h * SLOTS,
        age=home.head_age,
        quality=home.quality,
        month=home.head_month,
        employed=(occupation == WORKER) | (occupation == PUBLIC),
        merchant=occupation == OWNER,
        members=home.members,
        residence=between(d.normal("residence", h, 20 + 4 * home.quality, 11), 0, 60),
        certificate=home.certificate,
        ring=found.ring > 0,
    )


def applied(plan: Plan, home: Home, found: Rings) -> Facts:
    """What the head declares and what our own records count (catalogue names; choices as positions)."""
    d, h = plan.draws, home.household
    month = home.head_month
    size = np.maximum(found.size, 1)
    helper = (found.ring > 0) & (found.kind == 2)
    crowd = (found.ring > 0) & (found.kind == 1)
    wish = fen(month * np.exp(d.normal("wish", h, 1.9, 0.6)), STEP)
    wish = np.where(found.ring > 0, 20_000_000, np.clip(wish, 200_000, 30_000_000))
    return {
        "in_service_area": d.chance("served", h, 0.985),
        "id_days": d.whole("card days", h, -20, 7000),
        "requested_amount": wish,
        "requested_term_months": TERMS[d.whole("term", h, 0, len(TERMS) - 1)],
        "purpose": _purpose(d, home),
        "declared_annual_income": fen(month * 12 * d.uniform("boast", h, 0.9, 1.3), STEP),
        "occupation": home.occupation,
        "device_customers_30d": np.where(helper, size, 1 + d.chance("same device", h, 0.02)),
        "person_applications_30d": 1 + d.poisson("again", h, np.full(len(h), 0.12), most=9),
        "address_applications_90d": np.where(crowd, size, 1 + d.chance("same place", h, 0.05)),
        "own_promised_credit": np.zeros(len(h), dtype=np.int64),
        "identity_match": np.digitize(d.uniform("identity", h), (0.994, 0.997, 0.9985)),
        "phone_match": np.digitize(d.uniform("phone known", h), (0.98, 0.99)),
        "liveness_result": np.digitize(d.uniform("live", h), (0.96, 0.97, 0.99)),
    }


def _purpose(d: Draws, home: Home) -> Array:
    farm, owner = home.occupation == FARMER, home.occupation == OWNER
    return d.pick(
        "purpose",
        home.household,
        [3.0, 2.0, 1.6, 1.0, 1.4, 1 + 3.0 * farm, 0.2 + 2.0 * farm, 0.1 + farm, 0.1 + 3.0 * owner,
         0.1 + 2.0 * owner, 0.3 + farm, np.full(len(farm), 0.15)],
    )  # fmt: skip


def borrowing(plan: Plan, home: Home, who: Adult, known: Facts) -> Borrowing:
    """`known` are all facts, declared ones too."""
    d, h = plan.draws, home.household
    chance = records.default_chance(known, who)
    total = home.head_month * 12 + 0.5 * home.others_income
    strength = 1 / (1 + np.exp(-0.7 * home.quality))
    raw = total * (0.5 + strength) * np.exp(d.normal("line", h, 0.0, 0.3))
    return Borrowing(
        raw=raw,
        asked=known,
        defaulted=d.chance("default", h, chance),
        late_share=np.minimum(0.5, 0.012 + chance * 0.4),
        opened=d.whole("opened", h, 13, 60),
        idle=d.uniform("idle", h),
        idle_part=d.uniform("idle part", h, 0.7, 1.0),
        rate_bp=435 + 5 * between(d.normal("rate", h, 62 - 16 * home.quality, 12), 10, 150),
    )


def granted(plan: Plan, owed: Borrowing) -> Array:
    """Lines in fen: whole thousands of yuan, 10,000 to 300,000 (A10-02)."""
    return scaled(owed.raw, plan.limit_scale)


def scaled(raw: Array, scale: float) -> Array:
    lines: Array = np.clip(fen(raw * scale, STEP), LEAST, plans.LINE_CEILING)
    return lines


def balances(plan: Plan, owed: Borrowing, lines: Array) -> Array:
    return used(lines, owed.idle, owed.idle_part, plan.idle_share)


def used(lines: Array, idle: Array, part: Array, share: float) -> Array:
    held: Array = np.where(idle < share, (lines * part).astype(np.int64), lines)
    return held


def history(plan: Plan, home: Home, owed: Borrowing) -> tuple[Array, Array]:
    """(24 months as the bureau prints them, oldest first; days past due now). `*` no loan yet, `N` on time,
    1-7 instalments late; a default ends in 1, 2, 3, 4 …"""
    d, h = plan.draws, home.household
    months = np.full((len(h), MONTHS), ord("N"), dtype=np.uint8)
    # A default lies between one month ago and the end of the first year.
    since = np.where(owed.defaulted, d.whole("default since", h, 4, 9), 0)
    for column in range(MONTHS):
        ago = MONTHS - 1 - column
        late = d.chance(f"late {column}", h, owed.late_share)
        months[:, column] = np.where(late, ord("1"), ord("N"))
        behind = since - ago
        months[:, column] = np.where(behind > 0, ord("0") + np.minimum(behind, 7), months[:, column])
        months[:, column] = np.where(ago >= owed.opened, ord("*"), months[:, column])
    text = months.view(f"S{MONTHS}")[:, 0]
    days = np.where(owed.defaulted, since * 30 - d.whole("due day", h, 0, 25), 0)
    days = np.where(~owed.defaulted & (months[:, -1] == ord("1")), d.whole("late day", h, 1, 29), days)
    return text, days


def signals(plan: Plan, home: Home, found: Rings, owed: Borrowing) -> Facts:
    """What post-loan monitoring saw a quarter before the end was known (catalogue names). Trouble shows in some of
    those it comes to, and in some it does not come to: that is what false alarms are. `loan_misuse` as position."""
    d, h = plan.draws, home.household
    bad = owed.defaulted
    late = d.chance("signal late", h, np.where(bad, 0.4, owed.late_share * 0.6))
    days = np.where(bad, d.whole("signal days", h, 1, 45), d.whole("signal short", h, 1, 9))
    misuse = d.uniform("signal misuse", h)
    suspected = np.where(found.ring > 0, 0.3, np.where(bad, 0.05, 0.01))
    return {
        "loan_days_past_due": np.where(late, days, 0),
        "loan_overdue_times_6m": d.poisson("signal times", h, owed.late_share * 6 + 0.9 * bad, most=12),
        "loan_inflow_change_bp": between(
            d.normal("signal inflow", h, -2600.0 * bad, 2300.0), -10_000, 30_000
        ),
        "loan_deposit_change_bp": between(
            d.normal("signal deposit", h, -2600.0 * bad, 3500.0), -10_000, 60_000
        ),
        "loan_new_lenders_3m": d.poisson("signal lenders", h, 0.15 + 1.2 * bad, most=12),
        "loan_court_case": d.chance("signal court", h, np.where(bad, 0.06, 0.003)),
        "loan_guarantor_overdue": d.chance("signal surety", h, np.where(bad, 0.05, 0.01)),
        "loan_misuse": np.select([misuse < 0.002, misuse < suspected], [2, 1], 0),
        "loan_contact_lost": d.chance("signal lost", h, np.where(bad, 0.06, 0.003)),
    }


class Certificates(msgspec.Struct, frozen=True, kw_only=True):
    """存单贷: one row per loan. `at` is the place of the household in its `Home`."""

    at: Array
    seq: Array
    amount: Array
    balance: Array
    opened: Array


_MORE = plans.CD_LOANS / plans.CD_HOUSEHOLDS - 1
_MEAN = plans.CD_AMOUNT / plans.CD_LOANS / 100  # yuan per loan
_SPREAD = 0.7


def certificates(plan: Plan, home: Home) -> Certificates:
    d = plan.draws
    holders = np.flatnonzero(home.certificate)
    count = 1 + d.poisson("more certificates", home.household[holders], np.full(len(holders), _MORE), most=9)
    at = np.repeat(holders, count)
    first = np.concatenate([[0], np.cumsum(count)[:-1]]) if len(count) else np.zeros(0, dtype=np.int64)
    seq = np.arange(len(at)) - np.repeat(first, count).astype(np.int64)
    key = home.household[at] * 16 + seq
    middle = np.log(_MEAN) - _SPREAD**2 / 2
    amount = np.maximum(STEP, fen(np.exp(d.normal("certificate loan", key, middle, _SPREAD)), STEP))
    return Certificates(
        at=at,
        seq=seq,
        amount=amount,
        balance=np.where(d.chance("certificate used", key, 0.9), amount, 0),
        opened=d.whole("certificate opened", key, 1, 12),
    )


def guarantees(plan: Plan, home: Home, lines: Array) -> pl.DataFrame:
    """One household in twelve has a neighbour as surety (保证人)."""
    d, h = plan.draws, home.household
    has = d.chance("guaranteed", h, 1 / 12)
    asked, block = h[has], plans.block_of(h[has]) * plans.BLOCK
    room = np.minimum(plans.BLOCK, plan.households - block)
    place = d.bits("surety", asked).astype(np.uint64) % np.maximum(room - 1, 1).astype(np.uint64)
    surety = block + (asked - block + 1 + place.astype(np.int64)) % np.maximum(room, 1)
    frame = pl.DataFrame({"household": asked, "surety": surety, "amount_fen": lines[has]})
    return frame.filter(pl.col("household") != pl.col("surety"))
