"""Which scorecards and models a flow may name by hash (A3-32, A3-33, issue 3 §2)."""

import msgspec

from backend.core.actor import Actor
from backend.domains.decision import bundle, facts, scorecard
from backend.domains.decision.model import canonical
from backend.domains.models import service
from tests.domains.models.test_register import (
    MAKER,
    REPORT,
    SECOND,
    THIRD,
    act,
    brought_live,
    registered,
)

SHIPPED = bundle.seeded().card
OTHER = msgspec.structs.replace(scorecard.seeded(), version=7, base_points=500)
COUNTY = Actor(kind="staff", id="x", institution_id="4101", roles=frozenset({"county_risk"}))


async def named(db, who=MAKER):
    async with db.read(who) as tx:
        return await service.nameable(tx)


def _report(card):
    return {**REPORT, "model_sha256": scorecard.CompiledScorecard(card, facts.catalogue()).hash}


async def test_the_card_of_the_release_can_always_be_named_with_the_ends_of_its_scores(db):
    (shipped,) = await named(db)
    assert (shipped.artefact, shipped.kind, shipped.status) == (SHIPPED.hash, "scorecard", "")
    assert (shipped.low, shipped.high) == (434, 801)
    assert shipped.inputs == SHIPPED.inputs


async def test_a_registered_card_can_be_named_from_its_approval_to_its_end(db):
    new = await registered(db, canonical(OTHER))
    await act(db, MAKER, service.test, new.id, _report(OTHER), "训练完")
    await act(db, SECOND, service.review, new.id, "独立评审", agreed=True)
    assert len(await named(db)) == 1
    await act(db, THIRD, service.approve, new.id, "批准")
    for who in (MAKER, COUNTY):
        _, mine = await named(db, who)
        assert (mine.artefact, mine.label, mine.status) == (new.artefact, new.name, "approved")
        assert (mine.low, mine.high) == (434 - 61, 801 - 61)
    for status in ("shadow", "live", "watch"):
        await act(db, THIRD, service.bring, new.id, status, f"到{status}")
        assert [each.status for each in await named(db)] == ["", status]
    await act(db, THIRD, service.bring, new.id, "retired", "不用了")
    assert len(await named(db)) == 1


async def test_the_card_of_the_release_registered_too_is_told_once(db):
    await brought_live(db)
    assert [each.status for each in await named(db)] == [""]


async def test_an_artefact_registered_twice_is_told_once_in_its_furthest_status(db):
    await brought_live(db, canonical(OTHER), _report(OTHER))
    await registered(db, canonical(OTHER), family="business")
    assert [each.status for each in await named(db)] == ["", "live"]


async def test_another_s_model_cannot_be_named(db):
    await brought_live(db, canonical(OTHER), _report(OTHER), external=True)
    assert len(await named(db)) == 1
