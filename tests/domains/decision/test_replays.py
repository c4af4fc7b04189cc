"""Stored decisions replay byte for byte after strategy and scorecard have changed (A3-30, trust §3).

300 by default; on demand as many as one likes: `XIAODAI_REPLAYS=10000 pytest tests/domains/decision/test_replays.py`.
"""

import copy
import os
from collections import Counter

import msgspec

from backend.core import ids
from backend.domains.decision import bundle, evaluate, scorecard, service
from backend.domains.decision.model import Outcome, Stage
from tests.domains.decision.conftest import publish
from tests.domains.decision.test_properties import someone
from tests.domains.decision.test_service import stricter

COUNT = int(os.environ.get("XIAODAI_REPLAYS", "300"))


async def test_stored_decisions_replay_byte_for_byte_whatever_decides_today(tx, documents):
    kept: list[str] = []
    outcomes: Counter[Outcome] = Counter()
    for seed in range(COUNT):
        capsule = evaluate.evaluate(someone(seed), await service.bundle_for(tx, "SXD"))
        kept.append((await service.record(tx, ids.new(), capsule)).id)
        outcomes[capsule.decision.outcome] += 1
    assert set(outcomes) == set(Outcome)

    card = scorecard.seeded()
    other = msgspec.structs.replace(card, version=card.version + 1, base_points=card.base_points - 40)
    await publish(tx, stricter(copy.deepcopy(documents)))
    today = service.with_card(await service.bundle_for(tx, "SXD"), other)
    assert today.versions != bundle.seeded().versions
    changed = evaluate.evaluate(someone(1), today).decision
    assert (
        changed.versions.strategies[Stage.ELIGIBILITY] != bundle.seeded().versions.strategies["eligibility"]
    )

    differing = [number for number in kept if not (await service.replay(tx, number)).same_bytes]
    assert differing == []
