"""Households in causal order: town and village → land, education → occupation → income (in yuan, floats).

`Home` holds arrays with one entry per household. Nothing here knows of debts.
"""

from typing import Any

import msgspec
import numpy as np

from backend.sandbox.county import plan as plans
from backend.sandbox.county.draws import Array, Draws, between
from backend.sandbox.county.plan import Plan

FARMER, WORKER, OWNER, PUBLIC, OTHER, STUDENT, RETIRED = range(7)
OCCUPATIONS = ("farmer", "worker", "business_owner", "public_employee", "other", "student", "retired")
CROPS = (
    # name, kg per mu, yuan per kg, share of revenue left after costs
    ("wheat", 450, 2.5, 0.5),
    ("maize", 480, 2.3, 0.5),
    ("peanut", 300, 6.2, 0.55),
    ("vegetable", 2600, 2.4, 0.45),
    ("mushroom", 1500, 7.0, 0.4),
)
YEARS = (2024, 2025)
WEATHER = {2024: 0.96, 2025: 1.04}


class Home(msgspec.Struct, frozen=True, kw_only=True):
    """Arrays by household. `wealth` of the village and `quality` of the head (reliability nobody records) are
    standard scores; money is yuan a year unless the name says month."""

    household: Array
    village: Array
    town: Array
    officer: Array
    wealth: Array
    quality: Array
    education: Array
    head_age: Array
    head_male: Array
    occupation: Array
    members: Array
    earners: Array
    land: Array  # tenths of a mu
    crop: Array  # the second crop beside wheat: index into CROPS
    farm_net: Array
    head_month: Array
    others_income: Array
    certificate: Array  # holds a certificate of deposit and borrows on it


def homes(plan: Plan, households: Array) -> Home:
    d, h = plan.draws, households.astype(np.int64)
    town, village = plans.town_of(h), plans.village_of(d, h)
    wealth = 0.7 * d.normal("town wealth", town) + 0.7 * d.normal("village wealth", village)
    certificate = plans.chosen(d, "certificate", h, plans.CD_HOUSEHOLDS / plans.HOUSEHOLDS)
    age = between(d.normal("head age", h, 45, 10.5), 23, 67)
    schooling = 0.45 * wealth + 0.75 * d.normal("schooling", h) - 0.03 * (age - 45)
    education = np.digitize(schooling, (-1.1, 0.35, 1.2, 1.9))
    quality = 0.25 * schooling + 0.95 * d.normal("quality", h)
    land_latent = d.normal("land", h)
    occupation = _occupation(d, h, schooling, wealth, age)
    land = np.where(
        d.chance("landless", h, np.where(occupation == FARMER, 0.02, 0.45)),
        0,
        between(np.exp(np.where(occupation == FARMER, 4.45, 3.6) + 0.55 * land_latent), 3, 3000),
    )
    crop = _second_crop(d, h, wealth, quality)
    farm_net = _farm_net(land, crop)
    boost = np.where(certificate, 0.45, 0.0)
    base = np.array([7.75, 8.3, 8.55, 8.5, 7.7, 7.0, 7.5])[occupation]
    earned = np.exp(
        base + 0.14 * wealth + 0.16 * schooling + 0.08 * quality + 0.33 * d.normal("wage", h) + boost
    )
    members = _members(d, h, age)
    earners = _earners(d, h, members)
    others = earners * np.exp(d.normal("others income", h, 10.1 + 0.16 * wealth, 0.35))
    return Home(
        household=h, village=village, town=town, officer=plans.officer_of(d, h), wealth=wealth, quality=quality,
        education=education, head_age=age, head_male=d.chance("head male", h, 0.78), occupation=occupation,
        members=members, earners=earners, land=land, crop=crop, farm_net=farm_net,
        head_month=earned + farm_net / 12, others_income=others, certificate=certificate,
    )  # fmt: skip


def _occupation(d: Draws, h: Array, schooling: Array, wealth: Array, age: Array) -> Array:
    """Schooling leads to offices, wealth to shops, youth to factories, age back to the field."""
    return d.pick(
        "occupation",
        h,
        [
            np.exp(0.55 + 0.03 * (age - 45) - 0.45 * schooling),
            np.exp(0.6 - 0.035 * (age - 45)),
            np.exp(-0.75 + 0.45 * wealth + 0.2 * schooling),
            np.exp(-1.9 + 1.1 * schooling),
            np.exp(-1.5 + 0.0 * age),
        ],
    )


def _second_crop(d: Draws, h: Array, wealth: Array, quality: Array) -> Array:
    """Maize for most; crops that ask for money and care where there is some."""
    chosen: Array = 1 + d.pick(
        "crop",
        h,
        [1.0, 0.25, 0.18 * np.exp(0.4 * wealth + 0.2 * quality), 0.05 * np.exp(0.6 * wealth)],
    )
    return chosen


def _farm_net(land: Array, crop: Array) -> Array:
    """Yuan a year left of an ordinary harvest: wheat on all land, the second crop on what it takes."""
    mu = land / 10
    per_mu = np.array([kg * price * left for _, kg, price, left in CROPS])
    net: Array = mu * per_mu[0] + np.minimum(mu, second_crop_limit(crop)) * per_mu[crop]
    return net


def second_crop_limit(crop: Array) -> Array:
    """Mu a family can look after: vegetables and mushrooms are work of hands."""
    limit: Array = np.array([1e9, 1e9, 40.0, 5.0, 2.0])[crop]
    return limit


def _members(d: Draws, h: Array, age: Array) -> Array:
    drawn = between(d.normal("members", h, 3.7, 1.3), 1, 7)
    most: Array = np.where(age < 26, 2, np.where(age < 31, 4, 7))
    return np.minimum(drawn, most)


def _earners(d: Draws, h: Array, members: Array) -> Array:
    """Earners beside the head."""
    drawn = d.poisson("earners", h, np.full(len(h), 0.85), most=4)
    fewer: Array = np.minimum(drawn, np.maximum(members - 1, 0))
    return fewer


def harvests(plan: Plan, home: Home) -> dict[str, Array]:
    """One row per farming household, crop and year: area in tenths of a mu, kg, revenue in fen."""
    d = plan.draws
    rows: dict[str, list[Any]] = {
        n: [] for n in ("household", "year", "crop", "area_tenths", "kg", "revenue_fen")
    }
    for year in YEARS:
        for number in range(len(CROPS)):
            grown = (home.land > 0) & ((number == 0) | (home.crop == number))
            h = home.household[grown]
            limit = second_crop_limit(np.full(len(h), number)) * 10
            area = np.minimum(home.land[grown], limit if number else 1e9).astype(np.int64)
            luck = np.exp(d.normal(f"harvest {year} {number}", h, 0.0, 0.15)) * WEATHER[year]
            luck *= np.exp(0.1 * d.normal(f"hail {year}", home.village[grown]))
            kg = np.rint(area / 10 * CROPS[number][1] * luck).astype(np.int64)
            price = CROPS[number][2] * d.uniform(f"price {year} {number}", home.town[grown], 0.94, 1.06)
            rows["household"].append(h)
            rows["year"].append(np.full(len(h), year))
            rows["crop"].append(np.full(len(h), number))
            rows["area_tenths"].append(area)
            rows["kg"].append(kg)
            rows["revenue_fen"].append(np.rint(kg * price * 100).astype(np.int64))
    return {name: np.concatenate(parts) for name, parts in rows.items()}
