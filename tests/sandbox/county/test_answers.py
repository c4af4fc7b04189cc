"""The sandbox's systems answer from a loaded practice county, and as before when there is none (N20, A3-36)."""

import polars as pl
import pytest

from backend.integrations.registry import Clients
from backend.sandbox.county import answers, calibrate, tables
from backend.sandbox.county.plan import Plan
from backend.sandbox.people import Script
from backend.sandbox.world import World
from backend.settings import Settings
from tests.integrations.conftest import app, clients, routes, settings, studio, world

__all__ = ["app", "clients", "routes", "settings", "studio", "world"]

SIZE = 2_000


@pytest.fixture(scope="module")
def county() -> Plan:
    return calibrate.calibrated(Plan(name="演练县", prefix="99", households=SIZE, seed=11))


@pytest.fixture
def people(county: Plan, settings: Settings) -> pl.DataFrame:
    answers.save(settings.data, county)
    return tables.slice_of(county, 700, 900).frames["people"]


async def verify(
    clients: Clients, name: str, number: str, phone: str = "", case: str = "c"
) -> tuple[str, str]:
    said = await clients.identity_check.verify(
        name=name,
        id_number=number,
        phone=phone,
        authorisation_id="a1",
        case_id=case,
        key=f"{case}:{len(name)}:{number}",
    )
    return str(said.result), str(said.phone_result)


async def test_the_register_knows_the_countys_people(clients: Clients, people: pl.DataFrame) -> None:
    for number, name, phone in people.head(20).select("id_number", "name", "phone").iter_rows():
        assert await verify(clients, name, number, phone) == ("match", "match")
        assert (await verify(clients, f"{name}二", number))[0] == "mismatch"


async def test_a_number_of_the_region_that_nobody_has_is_not_found(
    clients: Clients, people: pl.DataFrame
) -> None:
    stranger = "990001198001010018"
    assert stranger not in set(people["id_number"])
    assert (await verify(clients, "张三", stranger, case="one"))[0] == "not_found"
    assert (await verify(clients, "张三", stranger, case="two"))[0] == "not_found"


async def test_heads_have_the_facts_of_the_tables_in_every_system(
    clients: Clients, people: pl.DataFrame, county: Plan
) -> None:
    facts = tables.facts_of(county, 700, 720)
    heads = people.filter(pl.col("slot") == 0).head(20)
    for number, row in zip(heads["id_number"], facts.iter_rows(named=True), strict=True):
        core = [name for name in row if name.startswith("core_")]
        told = await clients.core_banking.facts(id_number=number, names=core, case_id="c")
        assert told.facts == {name: row[name] for name in core}
        platform = ["household_rating", "blocklist_hit", "household_members", "social_security_months_24m"]
        told = await clients.data_platform.features(
            id_number=number, names=platform, authorisation_id="a", case_id="c"
        )
        assert told.facts == {name: row[name] for name in platform}
        report = await clients.credit_bureau.report(
            name="某人", id_number=number, purpose="loan_application", authorisation_id="a",
            consent_sha256="0" * 64, case_id="c", key=f"b:{number}",
        )  # fmt: skip
        bureau = {name: row[name] for name in row if name.startswith("bureau_")}
        assert {name: report.facts[name] for name in bureau} == bureau


async def test_others_of_a_house_share_its_facts_and_not_its_debts(
    world: World, people: pl.DataFrame
) -> None:
    for _, house in people.head(60).group_by("household"):
        known = [world.people.facts(number) for number in house["id_number"]]
        assert len({facts["household_members"] for facts in known}) == 1
    adults = people.filter(pl.col("slot") < 2)
    balances = [world.people.facts(number)["bureau_balance"] for number in adults["id_number"]]
    assert len(set(balances)) > 10


async def test_it_survives_a_restart_and_ends_with_the_county(
    settings: Settings, people: pl.DataFrame, world: World
) -> None:
    number = people["id_number"][0]
    before = world.people.facts(number)
    later = World(settings, None)
    assert later.people.facts(number) == before
    answers.forget(settings.data, "99")
    assert later.people.neighbour(number) is None
    assert later.people.registered_name(number, "谁先问") == "谁先问"
    assert world.people.facts(number) != before
    await later.close()


async def test_without_a_county_the_sandbox_answers_as_ever(world: World) -> None:
    number = "990001198001010018"
    assert world.people.registered_name(number, "张三") == "张三"
    assert world.people.facts(number) == world.people.facts(number)


async def test_a_broken_file_counts_as_no_county(settings: Settings, world: World) -> None:
    path = answers.path_of(settings.data, "99")
    path.parent.mkdir(parents=True)
    path.write_bytes(b"{")
    assert world.people.neighbour("990001198001010018") is None


async def test_a_script_writes_over_a_fact_and_leaves_the_name(world: World, people: pl.DataFrame) -> None:
    number = people["id_number"][0]
    before = world.people.facts(number)
    world.people.set(number, Script(profile={"bureau_queries_6m": 33}))
    assert world.people.facts(number) == {**before, "bureau_queries_6m": 33}
    assert world.people.registered_name(number, "别人") == people["name"][0]
