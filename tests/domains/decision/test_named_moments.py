"""A stage outside a decision that names a model: said, kept and said again once the model may not be named (A3-38)."""

import msgspec

from backend.domains.decision import bundle, facts, moments, named, scorecard, service
from backend.domains.decision.model import Stage, canonical
from backend.domains.trials import warnings
from backend.domains.trials.model import Recipe
from tests.domains.decision.conftest import read
from tests.domains.decision.documents import custom, entry, graph, line, rules

QUERIES = "bureau_queries_6m"
SEEDED = scorecard.seeded()
CARD = msgspec.structs.replace(
    SEEDED, version=9, characteristics=[part for part in SEEDED.characteristics if part.name == QUERIES]
)
HASH = scorecard.CompiledScorecard(CARD, facts.catalogue()).hash


STAGE = Stage.EARLY_WARNING
DOCUMENT = graph(
    entry(QUERIES),
    [
        custom("m", HASH, high=1500),
        rules("t", ["points"], [["> 1", "'ASKED'", "'visit'", "'有一件事要看一看'"]], STAGE),
    ],
    [line("facts", "m"), line("m", "t"), line("t", "result")],
)


async def test_what_was_said_with_a_named_model_is_said_again_for_ever(tx, monkeypatch):
    """Nobody registered this one: what is stored decides, only new documents are asked whether they may name it."""
    await service.keep_card(tx, CARD)
    digest = await service.store(tx, STAGE, DOCUMENT)
    using = await moments.stored(tx, "SXD", STAGE, digest)
    case = read("approved_payroll")
    said = moments.say(STAGE, case, using)
    points = scorecard.CompiledScorecard(CARD, facts.catalogue())
    known = service.inputs(service.decide(case, bundle.seeded()), {QUERIES})
    assert [s.output for s in said.trace if s.event == "value"] == [{"points": points.score(known).score}]
    assert (said.outcome, said.reasons[0].code) == ("visit", "ASKED")
    number = await moments.record(tx, case, said, subject="test")
    monkeypatch.setattr(named, "_compiled", {})
    assert await moments.replay(tx, number) == (True, True)
    assert HASH not in (await service.referable(tx, [DOCUMENT])).models


async def test_a_replay_sees_what_was_never_said_and_bytes_that_were_exchanged(db, owner, actor):
    case = read("approved_payroll")
    async with db.begin(actor) as tx:
        said = moments.say(STAGE, case, await moments.live(tx, "SXD", STAGE))
        first = await moments.record(tx, case, said, subject="test")
        fuller = msgspec.structs.replace(said, completeness_bp=said.completeness_bp + 1)
        second = await moments.record(tx, case, fuller, subject="test")
        assert await moments.replay(tx, first) == (True, True)
        assert await moments.replay(tx, second) == (False, True)
    await owner.execute("set session_replication_role = replica")
    await owner.execute(
        "update decision.assessments set capsule_sha256 = sha256('another') where id = $1", first
    )
    async with db.read(actor) as tx:
        assert await moments.replay(tx, first) == (True, False)


def test_a_trial_of_early_warning_finds_the_model_in_its_recipe():
    recipe = Recipe(
        strategies={STAGE: canonical(DOCUMENT).decode()},
        card="",
        catalogue=facts.catalogue().text.decode(),
        models={HASH: canonical(CARD).decode()},
    )
    assert warnings.build(recipe).stage.inputs == (QUERIES,)
