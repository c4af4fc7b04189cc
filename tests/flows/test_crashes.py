"""The process dies or stumbles between any two effects; the road is walked to its end all the same (trust §1)."""

import contextlib
from collections.abc import Iterator

import pytest

from backend.core import failpoints
from backend.core.failpoints import FailpointError
from backend.overview import invariants

from .conftest import Road, id_number

ME = id_number(123)

OURS = sorted(
    name
    for name in failpoints.NAMES
    if name.split(".")[0] in {"decide", "disclosure", "hand_off", "offer", "bank_event", "effect"}
)


@pytest.fixture(autouse=True)
def _off() -> Iterator[None]:
    yield
    failpoints.configure("")


def test_there_is_a_failpoint_between_every_two_effects() -> None:
    assert len(OURS) >= 11


@pytest.mark.parametrize("name", OURS)
async def test_the_road_survives_a_stumble(road: Road, name: str) -> None:
    await road.person(ME, preset="good", phone="match")
    application = await road.draft(ME)
    await road.submit(application)
    failpoints.configure(f"{name}=error:1")
    hit = await stumble(road)
    application = await road.see(application)

    if application.status == "approved":
        failpoints.configure(f"{name}=error:1" if not hit else "")
        try:
            await road.hand_off(application)
        except FailpointError:
            hit = True
            failpoints.configure("")
        hit |= await stumble(road)
    assert (await road.see(application)).status == "handed_off"

    failpoints.configure(f"{name}=error:1" if not hit else "")
    await road.bank(application, "open", ME)
    await road.bank(application, "sign", ME)
    await road.outside.callbacks.idle(0.3)
    hit |= await stumble(road) or failpoints._hits.get(name, 0) > 0
    await road.outside.callbacks.idle(5)
    await road.later(minutes=5)

    assert hit, f"{name} was never reached"
    assert (await road.see(application)).status == "signed"
    assert await invariants.ask(road.db) == {}
    for system, effects in {
        "identity_check": ["identity_queried"],
        "credit_bureau": ["report_queried"],
        "mobile_bank": ["offer_received", "offer_signed"],
    }.items():
        assert [row["effect"] for row in await road.ledger(system)] == effects


async def stumble(road: Road) -> bool:
    """Deliver with the failpoint on, then as a healthy worker after the leases ran out. True if it was hit."""
    before = sum(failpoints._hits.values())
    with contextlib.suppress(FailpointError):
        await road.drain()
    hit = sum(failpoints._hits.values()) > before
    if hit:
        failpoints.configure("")
    await road.later(minutes=3)
    return hit
