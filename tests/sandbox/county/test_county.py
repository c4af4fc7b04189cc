"""The practice county: the same in every slicing, correlated as a county is, held to A10, nobody real (N20)."""

import numpy as np
import polars as pl
import pytest

from backend.core import check_digits
from backend.sandbox.county import calibrate, lending, plan, residents, tables
from backend.sandbox.county.plan import Plan
from backend.sandbox.county.tables import Slice

SIZE = 5_000


def made(seed: int = 3, households: int = SIZE) -> Plan:
    return calibrate.calibrated(Plan(name="演练县", prefix="99", households=households, seed=seed))


def together(frames: list[pl.DataFrame]) -> pl.DataFrame:
    found = pl.concat(frames)
    return found.sort(found.columns)


@pytest.fixture(scope="module")
def county() -> Plan:
    return made()


@pytest.fixture(scope="module")
def whole(county: Plan) -> Slice:
    return tables.slice_of(county, 0, SIZE)


@pytest.mark.parametrize("step", [1_237, 480, 4_999])
def test_a_county_is_the_same_in_every_slicing(county: Plan, whole: Slice, step: int) -> None:
    slices = [tables.slice_of(county, a, min(SIZE, a + step)) for a in range(0, SIZE, step)]
    totals = calibrate.Totals()
    for each in slices:
        totals.add(each.totals)
    assert totals == whole.totals
    for name, frame in whole.frames.items():
        assert together([each.frames[name] for each in slices]).equals(together([frame])), name


def test_one_household_alone_is_the_household_of_the_county(county: Plan, whole: Slice) -> None:
    alone = tables.slice_of(county, 4_321, 4_322)
    for name, frame in alone.frames.items():
        mine = whole.frames[name].filter(pl.col("household") == 4_321)
        assert together([frame]).equals(together([mine])), name


def test_another_seed_is_another_county(county: Plan) -> None:
    again, other = made(), made(seed=4)
    assert again == county
    first, second = tables.facts_of(county, 0, 500), tables.facts_of(other, 0, 500)
    assert tables.facts_of(again, 0, 500).equals(first)
    assert (first["declared_annual_income"] != second["declared_annual_income"]).mean() > 0.9  # type: ignore[operator]


def test_id_numbers_are_well_formed_unique_and_of_no_province(county: Plan, whole: Slice) -> None:
    people = whole.frames["people"]
    provinces = {
        *range(11, 16),
        *range(21, 24),
        *range(31, 38),
        *range(41, 47),
        *range(50, 55),
        *range(61, 66),
    }
    foreign = {71, 81, 82, 83, 91}
    assert not ({int(prefix) for prefix in plan.PREFIXES} & (provinces | foreign))
    assert people["id_number"].n_unique() == people.height
    assert people["phone"].n_unique() == people.height
    assert people["phone"].str.starts_with("100").all()
    for household, slot, number, sex, born in (
        people.head(4_000).select("household", "slot", "id_number", "sex", "born_on").iter_rows()
    ):
        assert check_digits.is_id_number(number)
        assert number.startswith("99")
        assert check_digits.id_number_born_on(number) == born
        assert check_digits.id_number_is_male(number) == (sex == "male")
        assert residents.locate(county, number) == (household, slot)


def test_ages_are_those_of_the_day_of_the_records(county: Plan) -> None:
    facts = tables.facts_of(county, 0, SIZE)
    ages = facts["birth_on"].map_elements(
        lambda born: (
            plan.AS_OF.year - born.year - ((plan.AS_OF.month, plan.AS_OF.day) < (born.month, born.day))
        ),
        return_dtype=pl.Int64,
    )
    assert ages.min() == 23
    assert ages.max() == 67


def test_causes_show_in_their_effects() -> None:
    """Village wealth → education and income; income → debt; a strained file → default."""
    facts = tables.facts_of(made(seed=9, households=40_000), 0, 40_000)
    level = pl.col("education").replace_strict({n: i for i, n in enumerate(tables.EDUCATION)})
    frame = facts.with_columns(level.alias("level"), pl.col("defaulted").cast(pl.Float64))

    def correlation(one: str, other: str) -> float:
        return float(frame.select(pl.corr(one, other, method="spearman")).item())

    by_village = frame.group_by("village").agg(pl.col("declared_annual_income").log().mean(), pl.len())
    between_villages = float(by_village["declared_annual_income"].std())  # type: ignore[arg-type]
    assert between_villages > 0.08, "villages differ in wealth"
    assert correlation("level", "declared_annual_income") > 0.25
    assert correlation("declared_annual_income", "core_inflow_12m") > 0.3
    assert correlation("bureau_overdue_months_24m", "defaulted") > 0.1
    assert correlation("bureau_queries_6m", "defaulted") > 0.05
    assert correlation("core_deposit_average_6m", "defaulted") < -0.08
    assert correlation("declared_annual_income", "defaulted") < -0.02
    assert 0.02 < float(frame["defaulted"].mean()) < 0.09  # type: ignore[arg-type]
    teachers = frame.filter(pl.col("occupation") == "public_employee")["level"].mean()
    farmers = frame.filter(pl.col("occupation") == "farmer")["level"].mean()
    assert teachers > farmers + 0.5  # type: ignore[operator]


def test_totals_are_those_of_a10_and_a_county_that_misses_them_says_so() -> None:
    """A10-02…A10-06, A10-11…A10-13, on a county of many slices and towns."""
    county = made(seed=5, households=150_000)
    totals = calibrate.Totals()
    for first in range(0, 150_000, tables.CHUNK):
        totals.add(tables.slice_of(county, first, min(150_000, first + tables.CHUNK)).totals)
    checks = calibrate.checks(county, totals)
    assert {check.row for check in checks} >= {
        "A10-02",
        "A10-03",
        "A10-04",
        "A10-05",
        "A10-06",
        "A10-11",
        "A10-12",
        "A10-13",
    }
    assert [check for check in checks if not check.ok] == []
    assert totals.granted / totals.households == pytest.approx(97_379_00, rel=0.001)
    assert totals.balance / totals.households == pytest.approx(96_950_00, rel=0.001)
    assert totals.cd_amount / totals.cd_loans == pytest.approx(117_604_00, rel=0.05)
    totals.granted = totals.granted * 98 // 100
    assert [check.name for check in calibrate.checks(county, totals) if not check.ok] == [
        "授信金额", "户均授信", "用信比例",
    ]  # fmt: skip


def test_loans_agree_with_lines_and_histories_with_defaults(whole: Slice) -> None:
    lines = whole.frames["credit_lines"]
    loans = whole.frames["loans"].filter(pl.col("kind") == "line").join(lines, on="household")
    assert (loans["amount_fen"] == loans["granted_fen"]).all()
    assert (loans["balance_fen"] == loans["used_fen"]).all()
    assert (loans["balance_fen"] <= loans["amount_fen"]).all()
    outcome = whole.frames["facts"].select("household", "defaulted")
    ended = loans.join(outcome, on="household").with_columns(last=pl.col("history").str.slice(23, 1))
    bad, good = ended.filter(pl.col("defaulted") == 1), ended.filter(pl.col("defaulted") == 0)
    assert bad.height > 50
    assert bad["days_past_due"].min() >= 90  # type: ignore[operator]
    assert set(bad["last"]) <= set("4567")
    assert good["days_past_due"].max() < 30  # type: ignore[operator]


def test_certificates_of_deposit_back_their_loans(county: Plan, whole: Slice) -> None:
    backed = whole.frames["loans"].filter(pl.col("kind") == "certificate")
    holders = whole.frames["accounts"].filter(pl.col("kind") == "certificate")
    assert set(backed["household"]) <= set(holders["household"])
    assert backed.group_by("household").len()["len"].mean() == pytest.approx(1.71, abs=0.25)


def test_rings_share_what_rings_share_and_end_badly() -> None:
    county = made(seed=2, households=60_000)
    made_slice = tables.slice_of(county, 0, 60_000)
    members = made_slice.frames["ring_members"].join(made_slice.frames["contacts"], on="household")
    assert set(members["kind"]) == {"impersonation", "stacking", "paid_helper"}
    shared = {
        "impersonation": ["device", "payee"],
        "stacking": ["payee", "place"],
        "paid_helper": ["device", "phone"],
    }
    for kind, names in shared.items():
        of_kind = members.filter(pl.col("kind") == kind)
        for name in ("device", "payee", "place", "phone"):
            per_ring = of_kind.group_by("ring").agg(pl.col(name).n_unique(), pl.len())
            assert ((per_ring[name] == 1) == (name in names)).all(), (kind, name)
        assert (of_kind.group_by("ring").len()["len"] >= 4).all()
    assert (members.group_by("ring").agg((pl.col("role") == "behind").sum())["role"] == 1).all()
    facts = made_slice.frames["facts"].select("household", "defaulted", "bureau_overdue_months_24m")
    ringed = members.join(facts, on="household")
    assert ringed["defaulted"].mean() > 0.4  # type: ignore[operator]


def test_officers_have_between_300_and_1500_households(county: Plan) -> None:
    numbers = plan.officer_of(county.draws, np.arange(2_880 * 30))
    counts = np.unique(numbers, return_counts=True)[1]
    assert counts.min() == 300
    assert counts.max() == 1_500


def test_sureties_are_other_households_of_the_county(whole: Slice) -> None:
    guarantees = whole.frames["guarantees"]
    assert guarantees.height > 200
    assert (guarantees["household"] != guarantees["surety"]).all()
    assert guarantees["surety"].is_between(0, SIZE - 1).all()


@pytest.mark.parametrize(
    ("name", "households"), [("", 10), ("县" * 21, 10), ("a;drop", 10), ("演练县", 0), ("演练县", 10**9)]
)
def test_what_cannot_be_a_county_is_told(name: str, households: int) -> None:
    assert plan.problem(name, households)


def test_the_smallest_county_has_one_household() -> None:
    county = made(households=1)
    only = tables.slice_of(county, 0, 1)
    assert only.totals.households == 1
    assert only.frames["guarantees"].is_empty()
    assert lending.LEAST <= only.totals.granted <= plan.LINE_CEILING
