"""Stored decisions and their replay (A3-30, A3-33, N6)."""

import asyncio

import asyncpg
import msgspec
import pytest

from backend import __main__ as command_line
from backend.core import ids
from backend.core.actor import everywhere, system
from backend.domains.decision import bundle, model, scorecard, service
from backend.domains.decision.model import Outcome, Stage
from tests.domains.decision.conftest import publish, read, with_facts


async def stored(tx, case, application_id=None, attempt=1, card=None):
    """As the road decides: the live versions, with the model its line-up gives it."""
    using = await service.bundle_for(tx, case.product)
    using = using if card is None else service.with_card(using, card)
    capsule = service.decide(case, using)
    return await service.record(tx, application_id or ids.new(), capsule, attempt=attempt)


def stricter(documents):
    """The seeded strategies, where one query in six months is as much as eight were."""
    table = next(n for n in documents[Stage.ELIGIBILITY]["nodes"] if n["id"] == "bureau")["content"]
    column = next(c["id"] for c in table["inputs"] if c["field"] == "bureau_queries_6m")
    rule = next(rule for rule in table["rules"] if rule[column] == ">= 8")
    rule[column] = ">= 1"
    return documents


async def test_a_recorded_decision_is_read_back_as_it_was_made(tx, good):
    application = ids.new()
    kept = await stored(tx, good, application)
    assert kept.decision == service.decide(good, bundle.seeded()).decision
    assert (await service.latest_for(tx, application)).id == kept.id
    assert await service.latest_for(tx, ids.new()) is None


async def test_a_second_result_for_the_same_attempt_is_a_conflict(tx, good):
    application = ids.new()
    await stored(tx, good, application)
    with pytest.raises(model.AlreadyDecided):
        await stored(tx, read("declined_court"), application)
    second = await stored(tx, read("declined_court"), application, attempt=2)
    assert (await service.latest_for(tx, application)).id == second.id


async def test_replay_gives_the_same_bytes_also_after_strategies_and_scorecard_changed(tx, good, documents):
    cases = [good, read("declined_many_queries"), read("referred_bureau_down"), read("approved_small")]
    before = [await stored(tx, case) for case in cases]
    card = scorecard.seeded()
    easier = msgspec.structs.replace(card, version=2, base_points=card.base_points - 40)
    await publish(tx, stricter(documents))
    after = await stored(tx, good, card=easier)
    assert after.decision.outcome is Outcome.DECLINED
    assert after.decision.versions.strategies != before[0].decision.versions.strategies
    for kept in [*before, after]:
        result = await service.replay(tx, kept.id)
        assert result.same_bytes
        assert result.untouched
        assert result.same_code


async def test_a_replay_sees_an_answer_that_was_not_decided_and_bytes_that_were_exchanged(
    db, owner, actor, good
):
    """The two verdicts every other test wants to be true can each be false, and alone."""
    capsule = service.decide(good, bundle.seeded())
    dearer = msgspec.structs.replace(capsule.decision, annual_rate_bp=capsule.decision.annual_rate_bp + 1)
    made_up = msgspec.structs.replace(capsule, decision=dearer)
    async with db.begin(actor) as tx:
        first = await service.record(tx, ids.new(), made_up)
        second = await stored(tx, good)
        result = await service.replay(tx, first.id)
        assert (result.same_bytes, result.untouched) == (False, True)
    await owner.execute("set session_replication_role = replica")
    await owner.execute(
        "update decision.decisions set capsule_sha256 = sha256('another') where id = $1", second.id
    )
    async with db.read(actor) as tx:
        result = await service.replay(tx, second.id)
    assert (result.same_bytes, result.untouched) == (True, False)


async def test_going_back_is_one_more_approval_of_the_old_versions(tx, good, documents):
    await publish(tx, stricter(bundle.seeded_documents()))
    assert (await stored(tx, good)).outcome is Outcome.DECLINED
    await publish(tx, documents)
    assert (await stored(tx, good)).outcome is Outcome.APPROVED
    assert (await service.bundle_for(tx, "SXD")).versions.strategies == bundle.seeded().versions.strategies


async def test_a_broken_strategy_is_never_published(tx, documents):
    documents[Stage.RATING]["edges"] = []
    with pytest.raises(model.StrategyRefused):
        await publish(tx, documents)
    assert (await service.bundle_for(tx, "SXD")).versions == bundle.seeded().versions


async def test_versions_and_decisions_cannot_be_changed_not_even_by_the_owner(db, owner, actor, good):
    async with db.begin(actor) as tx:
        await stored(tx, good)
    for table in ("versions", "decisions"):
        with pytest.raises(asyncpg.PostgresError, match="append-only"):
            await owner.execute(f"delete from decision.{table}")


async def test_another_county_sees_nothing_of_it(db, actor, good):
    async with db.begin(actor) as tx:
        kept = await stored(tx, good)
    async with db.read(system("4102", "test")) as tx:
        with pytest.raises(model.DecisionMissing):
            await service.get(tx, kept.id)
        with pytest.raises(model.DecisionMissing):
            await service.replay(tx, kept.id)
    async with db.read(everywhere("test")) as tx:
        assert await service.institution_of(tx, kept.id) == "4101"
        assert await service.institution_of(tx, kept.application_id) == "4101"


async def test_facts_and_reasons_are_sealed_in_the_table(db, owner, actor):
    async with db.begin(actor) as tx:
        await stored(tx, with_facts(read("declined_many_queries"), bureau_balance=12_345_678))
    text = str(await owner.fetchrow("select * from decision.decisions"))
    assert "12345678" not in text
    assert "贷款查询" not in text
    assert "consent-bureau-1" not in text
    assert "EL_QUERIES_6M" in text  # codes only, for statistics


async def test_a_decision_of_versions_nobody_loaded_is_not_recorded(tx, good):
    capsule = service.decide(good, bundle.seeded())
    foreign = msgspec.structs.replace(capsule.decision.versions, scorecard="0" * 64)
    forged = msgspec.structs.replace(
        capsule, decision=msgspec.structs.replace(capsule.decision, versions=foreign)
    )
    with pytest.raises(model.VersionMissing):
        await service.record(tx, ids.new(), forged)


async def test_a_process_that_starts_later_replays_from_the_stored_versions_alone(
    tx, good, documents, monkeypatch
):
    await publish(tx, stricter(documents))
    kept = await stored(tx, good)
    monkeypatch.setattr(bundle, "_built", {})
    result = await service.replay(tx, kept.id)
    assert result.same_bytes


async def test_the_replay_command_says_in_a_sentence_that_it_is_the_same(
    db, actor, good, database_dsn, monkeypatch, capsys
):
    """By the decision's id or the application's; another number is a plain sentence."""
    async with db.begin(actor) as tx:
        kept = await stored(tx, good)
    monkeypatch.setenv("DATABASE_URL", database_dsn)
    monkeypatch.setenv("DATABASE_OWNER_URL", database_dsn)
    for number in (kept.id, kept.application_id):
        assert await asyncio.to_thread(command_line.main, ["replay", number]) == 0
        assert capsys.readouterr().out == "和存证一字不差：按当时的规则再算一遍，结果完全一样\n"
    assert await asyncio.to_thread(command_line.main, ["replay", ids.new()]) == 2
    assert capsys.readouterr().err == "没有找到这次的审批结果\n"
