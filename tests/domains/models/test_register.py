"""The register: nothing goes live without a second and a third person; every act is on file (A3-33, D1-04, D1-05)."""

import asyncio
import contextvars
import uuid
from importlib import resources

import asyncpg
import msgspec
import pytest

from backend.core.actor import Actor, system
from backend.core.errors import Conflict
from backend.core.lifecycle import ForbiddenMove
from backend.domains.audit import service as audit
from backend.domains.decision import bundle, features, scorecard
from backend.domains.decision.model import Stage, canonical
from backend.domains.models import artefacts, line_ups, model, repository, service, watching

FOLDER = resources.files("backend.domains.decision") / "scorecards"
CARD = (FOLDER / "personal_credit.json").read_bytes()
REPORT = msgspec.json.decode((FOLDER / "personal_credit.report.json").read_bytes())
OWNER = "00000000-0000-7000-8000-000000000002"


def person(name: str, *roles: str, institution: str = "0000") -> Actor:
    return Actor(kind="staff", id=name, institution_id=institution, roles=frozenset(roles))


MAKER = person(OWNER, "risk_analyst")
SECOND = person("reviewer", "auditor")
THIRD = person("approver", "head_office_admin")


async def registered(db, body=CARD, **changed):
    given = {
        "name": "个人授信评分卡", "type": "approval", "purpose": "个人贷款授信审批", "owner": OWNER,
        "family": "consumer", "why": "县里坏账率变了",
    }  # fmt: skip
    async with db.begin(MAKER) as tx:
        return await service.register(tx, body, **(given | changed))


async def act(db, who, verb, *given, **named):
    async with db.begin(who) as tx:
        return await verb(tx, *given, **named)


async def brought_live(db, body=CARD, report=REPORT, **changed):
    new = await registered(db, body, **changed)
    await act(db, MAKER, service.test, new.id, report, "训练完")
    await act(db, SECOND, service.review, new.id, "独立评审", agreed=True)
    await act(db, THIRD, service.approve, new.id, "批准")
    await act(db, THIRD, service.bring, new.id, "shadow", "先影子运行")
    return await act(db, THIRD, service.bring, new.id, "live", "影子一个月，没有问题")


async def lined_up(db, family, **asked):
    """Proposed by one, agreed to by another."""
    proposal = await act(db, MAKER, line_ups.propose, family, **asked)
    await act(db, THIRD, line_ups.answer, proposal, "同意", agreed=True)
    return proposal


async def test_a_model_s_whole_life_is_on_file_with_who_and_why(db):
    live = await brought_live(db)
    for status in ("watch", "live", "retired"):
        live = await act(db, THIRD, service.bring, live.id, status, f"到{status}")
    async with db.read(THIRD) as tx:
        events = await service.history(tx, live.id)
        entries = await audit.of(tx, live.id)
    path = ["draft", "tested", "reviewed", "approved", "shadow", "live", "watch", "live", "retired"]
    assert [event.to_status for event in events] == path
    assert [event.from_status for event in events] == [None, *path[:-1]]
    assert [event.who for event in events[:4]] == [OWNER, OWNER, "reviewer", "approver"]
    assert all(event.why for event in events)
    assert len(entries) == len(path)


async def test_the_data_list_is_what_the_model_reads_down_to_the_sources(db):
    new = await registered(db)
    listed = {each["name"]: each for each in new.data_list}
    assert {part.name for part in scorecard.read(CARD).characteristics} <= set(listed)
    assert listed["bureau_card_used"]["source"] == "credit_bureau"  # behind card_use_bp
    assert all(each["label"] and each["source"] for each in listed.values())
    assert new.decides
    assert set(model.TYPES) >= {"identity", "anti_fraud", "aml", "compliance", "recovery"}


async def test_nobody_reviews_what_they_made_tested_or_own_nor_approves_what_they_made_tested_or_reviewed(
    db, owner
):
    """Four different people, each refused for what they did alone; SQL refuses them too."""
    roles = ("risk_analyst", "auditor", "head_office_admin")
    tester, keeper, reviewer = (person(name, *roles) for name in ("tester", "keeper", "reviewer"))
    maker = person(OWNER, *roles)
    new = await registered(db, owner="keeper")
    assert (new.made_by, new.owner) == (OWNER, "keeper")
    await act(db, tester, service.test, new.id, REPORT, "训练完")
    for who in (maker, tester, keeper):
        with pytest.raises(model.NotYourModel):
            await act(db, who, service.review, new.id, "独立评审", agreed=True)
        with pytest.raises(asyncpg.CheckViolationError):
            await owner.execute(f"update models.models set reviewed_by = '{who.id}'")
    await act(db, reviewer, service.review, new.id, "独立评审", agreed=True)
    for who in (maker, tester, reviewer):
        with pytest.raises(model.NotYourModel):
            await act(db, who, service.approve, new.id, "批准")
        with pytest.raises(asyncpg.CheckViolationError):
            await owner.execute(f"update models.models set approved_by = '{who.id}'")
    assert (await act(db, THIRD, service.approve, new.id, "批准")).approved_by == THIRD.id


@pytest.mark.parametrize(
    "change",
    [
        "reviewed_by = made_by, status = 'reviewed'",
        "reviewed_by = owner, status = 'reviewed'",
        "reviewed_by = tested_by, status = 'reviewed'",
        "status = 'reviewed'",
        "status = 'approved'",
        "status = 'live'",
        "status = 'draft', approved_by = made_by",
    ],
)
async def test_sql_holds_the_second_person_too(db, owner, change):
    new = await registered(db)
    await act(db, MAKER, service.test, new.id, REPORT, "训练完")
    with pytest.raises(asyncpg.CheckViolationError):
        await owner.execute(f"update models.models set {change} where id = '{new.id}'")


async def test_what_was_registered_cannot_be_exchanged_or_forgotten(db, database_dsn):
    new = await registered(db)
    connection = await asyncpg.connect(database_dsn)
    try:
        for statement in (
            "update models.models set artefact = repeat('0', 64)",
            "update models.models set purpose = 'x'",
            "delete from models.models",
            "update models.artefacts set body = 'x'",
            "delete from models.events",
        ):
            with pytest.raises(asyncpg.PostgresError):
                await connection.execute(statement)
    finally:
        await connection.close()
    async with db.read(MAKER) as tx:
        assert scorecard.read(await service.body(tx, new.artefact)) == scorecard.read(CARD)


async def test_a_draft_that_was_sent_back_starts_again(db):
    new = await registered(db)
    await act(db, MAKER, service.test, new.id, REPORT, "训练完")
    back = await act(db, SECOND, service.review, new.id, "样本期太短", agreed=False)
    assert (back.status, back.tested_by, back.report) == ("draft", None, None)
    with pytest.raises(ForbiddenMove):
        await act(db, SECOND, service.review, new.id, "再看", agreed=True)


@pytest.mark.parametrize("status", ["shadow", "live", "watch"])
async def test_no_status_is_skipped(db, status):
    new = await registered(db)
    with pytest.raises(ForbiddenMove):
        await act(db, THIRD, service.bring, new.id, status, "快一点")


async def test_a_report_of_another_model_or_without_results_tests_nothing(db):
    new = await registered(db)
    for report in ({**REPORT, "model_sha256": "0" * 64}, {"model_sha256": new.artefact}):
        with pytest.raises(model.ReportUnfit):
            await act(db, MAKER, service.test, new.id, report, "训练完")


async def test_only_head_office_and_only_the_right_role_acts_and_always_with_a_reason(db):
    new = await registered(db)
    county = person("x", "risk_analyst", institution="4101")
    with pytest.raises(model.NotYourJob):
        await act(db, county, service.test, new.id, REPORT, "训练完")
    with pytest.raises(model.NotYourJob):
        await act(db, THIRD, service.test, new.id, REPORT, "训练完")
    with pytest.raises(model.WhyMissing):
        await act(db, MAKER, service.test, new.id, REPORT, " ")
    with pytest.raises(model.WhyMissing):
        await registered(db, why="")


async def test_an_external_model_is_an_input_and_never_decides(db, owner):
    new = await registered(db, external=True)
    assert not new.decides
    with pytest.raises(asyncpg.CheckViolationError):
        await owner.execute("update models.models set decides = true")
    live = await _live_external(db, new)
    with pytest.raises(model.CannotDecide):
        await lined_up(db, "consumer", champion=live.id, why="用外面的模型")


async def _live_external(db, new):
    await act(db, MAKER, service.test, new.id, REPORT, "训练完")
    await act(db, SECOND, service.review, new.id, "独立评审", agreed=True)
    await act(db, THIRD, service.approve, new.id, "批准")
    await act(db, THIRD, service.bring, new.id, "shadow", "影子")
    return await act(db, THIRD, service.bring, new.id, "live", "作为分数输入")


async def test_the_same_model_for_the_same_use_is_registered_once(db):
    await registered(db)
    with pytest.raises(model.ModelUnfit):
        await registered(db)
    await registered(db, family="business")


async def test_two_people_at_once_one_of_them_is_told(db):
    new = await registered(db)
    await act(db, MAKER, service.test, new.id, REPORT, "训练完")
    async with db.begin(SECOND) as tx:
        seen = await service.get(tx, new.id)
    await act(db, SECOND, service.review, new.id, "独立评审", agreed=True)
    async with db.begin(MAKER) as tx:
        later = msgspec.structs.replace(seen, status="draft", report=None, tested_by=None)
        assert not await repository.move(tx, seen, later, "晚了一步")
    with pytest.raises(Conflict):
        await act(db, SECOND, service.review, new.id, "再评一次", agreed=True)


async def test_a_champion_decides_and_going_back_is_one_act(db):
    """A3-33: rollback."""
    live = await brought_live(db)
    easier = scorecard.read(CARD)
    second_body = canonical(msgspec.structs.replace(easier, version=2, base_points=easier.base_points + 5))
    report = {**REPORT, "model_sha256": artefacts.compile_model(second_body).hash}
    second = await brought_live(db, second_body, report)
    await lined_up(db, "consumer", champion=live.id, why="第一个")
    await lined_up(db, "consumer", champion=second.id, why="换新的")
    async with db.read(THIRD) as tx:
        assert (await service.chosen(tx, "consumer", "a")).version == 2
        assert await service.chosen(tx, "business", "a") is None
    await lined_up(db, "consumer", champion=live.id, why="退回")
    async with db.read(THIRD) as tx:
        assert (await service.chosen(tx, "consumer", "a")).version == 1
    with pytest.raises(model.StillDeciding) as still:
        await act(db, THIRD, service.bring, live.id, "retired", "不用了")
    assert service.families()["consumer"] in still.value.text
    await act(db, THIRD, service.bring, second.id, "retired", "不用了")
    with pytest.raises(model.CannotDecide):
        await lined_up(db, "consumer", champion=second.id, why="退出的又拿来")
    await lined_up(db, "consumer", champion=None, why="用发布的评分卡")
    async with db.read(THIRD) as tx:
        assert await service.chosen(tx, "consumer", "a") is None


async def test_of_retiring_a_model_and_letting_it_decide_the_second_is_refused(db):
    """Else its family would be decided by the shipped card, which nobody chose."""
    beside = contextvars.copy_context()  # of somebody who has no transaction open
    live = await brought_live(db)
    proposal = await act(db, MAKER, line_ups.propose, "consumer", champion=live.id, why="换")
    async with db.begin(THIRD) as tx:
        await line_ups.answer(tx, proposal, "同意", agreed=True)
        retired = act(db, THIRD, service.bring, live.id, "retired", "不用了")
        other = asyncio.create_task(retired, context=beside)
        await asyncio.sleep(0.3)
    with pytest.raises(model.StillDeciding):
        await other
    await lined_up(db, "consumer", champion=None, why="用发布的评分卡")
    proposal = await act(db, MAKER, line_ups.propose, "consumer", champion=live.id, why="再换回来")
    async with db.begin(THIRD) as tx:
        await service.bring(tx, live.id, "retired", "不用了")
        agreed = act(db, THIRD, line_ups.answer, proposal, "同意", agreed=True)
        other = asyncio.create_task(agreed, context=beside)
        await asyncio.sleep(0.3)
    with pytest.raises(model.CannotDecide):
        await other


async def test_sql_retires_no_champion_and_begins_no_line_up_without_one(db):
    live = await brought_live(db)
    await lined_up(db, "consumer", champion=live.id, why="换")
    with pytest.raises(asyncpg.RestrictViolationError):
        async with db.begin(THIRD) as tx:
            await tx.connection.execute("update models.models set status = 'retired' where id = $1", live.id)
    await lined_up(db, "consumer", champion=None, why="用发布的评分卡")
    await act(db, THIRD, service.bring, live.id, "retired", "不用了")
    with pytest.raises(asyncpg.RestrictViolationError):
        async with db.begin(THIRD) as tx:
            await tx.connection.execute(
                "insert into models.line_ups (family, champion, why, who, at, proposal, proposed_by)"
                " select family, champion, why, who, now(), proposal, proposed_by from models.line_ups limit 1"
            )


async def test_what_changed_is_told_in_sentences(db):
    """A3-33: diff."""
    card = scorecard.read(CARD)
    first = card.characteristics[0]
    longer = msgspec.structs.replace(first, points=[p + 1 for p in first.points])
    other = msgspec.structs.replace(
        card,
        version=2,
        base_points=card.base_points + 3,
        characteristics=[longer, *card.characteristics[1:-1]],
    )
    old, new = await registered(db), await registered(db, canonical(other))
    async with db.read(THIRD) as tx:
        told = await service.compare(tx, old.id, new.id)
        assert await service.compare(tx, old.id, old.id) == []
    assert told[0] == "去掉了“信用卡使用率”"
    assert f"基础分从 {card.base_points} 改为 {card.base_points + 3}" in told
    assert any(sentence.startswith("“信用历史”的分数从 -3、1、7、21 改为 -2、2、8、22") for sentence in told)


async def test_a_feature_with_an_unfair_fact_behind_it_is_refused(db, monkeypatch):
    """D3-03: like customers get like scores."""
    tainted = features.fact("bureau_card_used") + features.fact("household_members")
    monkeypatch.setitem(features.FEATURES, "card_use_bp", tainted)
    with pytest.raises(model.ModelUnfit) as caught:
        await registered(db)
    assert "家庭人口" in caught.value.text


async def test_a_challenger_gets_its_share_by_a_hash_that_never_moves(db):
    live = await brought_live(db)
    card = scorecard.read(CARD)
    body = canonical(msgspec.structs.replace(card, version=2, base_points=card.base_points + 5))
    second = await brought_live(db, body, {**REPORT, "model_sha256": artefacts.compile_model(body).hash})
    await lined_up(
        db,
        "consumer",
        champion=live.id,
        challenger=second.id,
        share_bp=1000,
        why="试一成",
    )
    async with db.read(THIRD) as tx:
        first = [(await service.chosen(tx, "consumer", f"case-{n}")).version for n in range(2000)]
        again = [(await service.chosen(tx, "consumer", f"case-{n}")).version for n in range(2000)]
    assert first == again
    assert 140 < first.count(2) < 260
    assert [v == 2 for v in first] == [service.bucket(f"case-{n}") < 1000 for n in range(2000)]
    assert service.bucket("case-0") == 1807  # pinned: another hash would move everybody
    for wrong in (
        {"champion": live.id, "challenger": live.id, "share_bp": 100},
        {"champion": live.id, "challenger": second.id, "share_bp": 0},
        {"champion": live.id, "challenger": second.id, "share_bp": 6000},
        {"champion": None, "challenger": second.id, "share_bp": 100},
    ):
        with pytest.raises(model.ShareUnfit):
            await lined_up(db, "consumer", why="不行", **wrong)


def test_another_model_keeps_the_county_s_layer_and_what_the_strategies_say():
    """N4: whoever swaps the model must not lose what tightens it."""
    documents = bundle.seeded_documents()
    overlay = {Stage.ELIGIBILITY: documents[Stage.ELIGIBILITY]}
    base = bundle.build(documents, scorecard.seeded(), overlays=overlay, price_band=(300, 900))
    card = msgspec.structs.replace(scorecard.seeded(), version=2, base_points=500)
    swapped = bundle.with_card(base, card)
    assert swapped.versions == msgspec.structs.replace(base.versions, scorecard=swapped.card.hash)
    assert swapped.versions.scorecard != base.versions.scorecard
    assert swapped.overlays == base.overlays
    assert swapped.price_band == base.price_band


async def test_a_line_up_takes_two_people_and_sql_holds_it(db, owner):
    """A3-33, D1-05: nobody agrees to their own; what two agreed on is taken back in one act."""
    live = await brought_live(db)
    admin = person("another", "head_office_admin")
    own = await act(db, admin, line_ups.propose, "consumer", champion=live.id, why="换上")
    with pytest.raises(model.OwnProposal):
        await act(db, admin, line_ups.answer, own, "我自己同意", agreed=True)
    with pytest.raises(model.ProposalWaits):
        await act(db, MAKER, line_ups.propose, "consumer", champion=None, why="又一份")
    with pytest.raises(model.NotYourJob):
        await act(db, MAKER, line_ups.answer, own, "我也想同意", agreed=True)
    for column in ("checker = maker", "checker = null, status = 'agreed'"):
        with pytest.raises(asyncpg.CheckViolationError):
            await owner.execute(
                f"update models.line_up_proposals set answer = 'x', answered_at = now(), {column}"
            )
    with pytest.raises(asyncpg.CheckViolationError):
        await owner.execute(
            "insert into models.line_ups (family, champion, why, who, at) values ('*', $1, 'x', 'x', now())",
            live.id,
        )
    await act(db, THIRD, line_ups.answer, own, "看过影子的结果", agreed=True)
    with pytest.raises(model.ProposalAnswered):
        await act(db, THIRD, line_ups.answer, own, "再同意一次", agreed=False)
    async with db.read(THIRD) as tx:
        assert (await service.current(tx, "consumer")).champion == live.id
    await act(db, THIRD, line_ups.back, "consumer", "先退回")
    async with db.read(THIRD) as tx:
        assert (await service.current(tx, "consumer")).champion is None
        assert [each.why for each in await line_ups.history(tx, "consumer")] == ["先退回", "换上"]
    await act(db, THIRD, line_ups.back, "consumer", "查清了，再换上")
    async with db.read(THIRD) as tx:
        assert (await service.current(tx, "consumer")).champion == live.id
    with pytest.raises(model.NothingBefore):
        await act(db, THIRD, line_ups.back, "business", "什么也没有")


async def test_who_proposed_a_line_up_takes_it_back_before_it_is_answered_and_nobody_else(db, owner):
    """It waited for another person's no (A3-33)."""
    live = await brought_live(db)
    wish = await act(db, MAKER, line_ups.propose, "consumer", champion=live.id, why="换上")
    with pytest.raises(model.NotYourProposal):
        await act(db, THIRD, line_ups.withdraw, wish, "写错了")
    with pytest.raises(asyncpg.CheckViolationError):
        await owner.execute(
            "update models.line_up_proposals set status = 'withdrawn', withdrawn_by = $1, answer = 'x', "
            "answered_at = now()",
            THIRD.id,
        )
    await act(db, MAKER, line_ups.withdraw, wish, "写错了")
    with pytest.raises(model.ProposalAnswered):
        await act(db, MAKER, line_ups.withdraw, wish, "写错了")
    with pytest.raises(model.ProposalAnswered):
        await act(db, THIRD, line_ups.answer, wish, "同意", agreed=True)
    async with db.read(THIRD) as tx:
        assert await service.current(tx, "consumer") is None
        assert await line_ups.waiting(tx) == []
        assert "model.line_up_withdrawn" in [entry.action for entry in await audit.of(tx, "consumer")]
    again = await act(db, MAKER, line_ups.propose, "consumer", champion=live.id, why="还是换上")
    await act(db, THIRD, line_ups.answer, again, "同意", agreed=True)
    with pytest.raises(model.ProposalAnswered):
        await act(db, MAKER, line_ups.withdraw, again, "写错了")


async def test_a_refused_line_up_changes_nothing(db):
    live = await brought_live(db)
    wish = await act(db, MAKER, line_ups.propose, "consumer", champion=live.id, why="换上")
    await act(db, THIRD, line_ups.answer, wish, "影子的样本还太少", agreed=False)
    async with db.read(THIRD) as tx:
        assert await service.current(tx, "consumer") is None
        assert await line_ups.waiting(tx) == []


@pytest.mark.parametrize("who", [person("officer", "officer", institution="4101"), system("0000", "models")])
async def test_an_alarm_is_answered_by_a_person_of_that_trade_alone(db, who) -> None:
    """D1-05: not by the job that raised it, nor by whoever comes by."""
    async with db.begin(who) as tx:
        with pytest.raises(model.NotYourAlarm):
            await watching.acknowledge(tx, str(uuid.uuid4()), "看过了", false_alarm=True)
