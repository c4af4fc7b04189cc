"""How the loans of decided cases ended, for the monitors (A3-37, D1-05)."""

from datetime import timedelta

import asyncpg

from backend.core import clock
from backend.core.actor import system
from backend.domains.models import watching
from backend.overview import model_monitors
from tests.bot import people
from tests.flows.conftest import Road, id_number, road

__all__ = ["road"]


async def test_ks_is_measured_by_days_past_due_of_each_loan_s_own_plan(
    road: Road, owner: asyncpg.Connection
) -> None:
    """A3-37, D1-05: the end of a loan is that of its plan; a case nobody knows the end of yet counts as neither."""
    hash_, cases = watching.shipped().artefact, []
    for serial, status in ((71, "drawn"), (73, "repaid")):
        customer = await people.customer(road.db, id_number(serial), phone=f"1380000{serial:04d}")
        if status == "repaid":
            await owner.execute("update loans.loans set loan_no = 'JJ-first'")
        made = await people.application(road.db, customer, status)
        cases.append(("4101", made.id))
        decision = await owner.fetchval(
            "insert into decision.decisions (institution_id, id, application_id, attempt, product_code, outcome, "
            "score, reason_codes, completeness_bp, versions, capsule, capsule_sha256, decided_at, amount_fen, "
            "annual_rate_bp, term_months) values ('4101', gen_random_uuid(), $1, 1, 'SXD', 'approved', $2, '{}', "
            "10000, '{}', '', $3, now(), 2000000, 615, 12) returning id",
            made.id, 600 + serial, bytes(32),
        )  # fmt: skip
        async with road.db.begin(system("4101", "test")) as tx:
            await watching.observe(tx, str(decision), hash_, {}, proposed=False)
    today = clock.today()
    async with road.db.read(system("*", "test")) as tx:
        assert await model_monitors.matured(tx, hash_, today, 90) == [("4101", 673, 0)]
        later = today + timedelta(days=31 + 91)
        found = await model_monitors.matured(tx, hash_, later, 90)
        assert sorted(found) == [("4101", 671, 1), ("4101", 673, 0)]
        assert await model_monitors.ends(tx, cases, later, 90) == {cases[0]: True, cases[1]: False}
        assert await model_monitors.ends(tx, [], later, 90) == {}


async def test_interest_alone_that_is_late_makes_a_loan_bad(road: Road, owner: asyncpg.Connection) -> None:
    customer = await people.customer(road.db, id_number(75), phone="13800000075")
    case = ("4101", (await people.application(road.db, customer, "drawn")).id)
    await owner.execute(
        "insert into loans.postings select institution_id, 'half', id, 'repaid', amount / 2, 0, amount / 2, "
        "drawn_at + interval '1 day' from loans.loans"
    )
    later = clock.today() + timedelta(days=31 + 91)
    async with road.db.read(system("*", "test")) as tx:
        assert await model_monitors.ends(tx, [case], later, 90) == {case: True}
    await owner.execute(
        "insert into loans.postings select institution_id, 'interest', loan_id, kind, 0, 500, outstanding, at "
        "from loans.postings where event_id = 'half'"
    )
    async with road.db.read(system("*", "test")) as tx:
        assert await model_monitors.ends(tx, [case], later, 90) == {}, "its end is not known yet"
