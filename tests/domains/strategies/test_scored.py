"""Scorecards and models inside a flow (issue 3 §2, §8): placed, changed, told, and held to the checks of a file."""

import copy
import json

import msgspec
import pytest

from backend.domains.decision import bundle, facts, gate, lint
from backend.domains.decision.model import Stage
from backend.domains.models.model import Nameable
from backend.domains.strategies import arranging, calculations, diff, naming, scored, service
from backend.domains.strategies.arranging import ArrangementWrong
from backend.domains.strategies.calculations import Row
from backend.domains.strategies.model import UnionContent
from backend.domains.strategies.scored import ScoreWrong
from tests.domains.strategies.conftest import ADMIN, Stagehand

KNOWN = facts.catalogue()
STAGE = Stage.ELIGIBILITY
DOCUMENT = bundle.seeded_documents()[STAGE]
CARD = bundle.seeded().card
LOW, HIGH = CARD.extremes()
SHIPPED = Nameable(
    artefact=CARD.hash, label="随系统发布的评分卡", kind="scorecard", low=LOW, high=HIGH, inputs=CARD.inputs,
    status="",
)  # fmt: skip
OTHER = msgspec.structs.replace(
    SHIPPED, artefact="a" * 64, label="树模型", kind="model", low=300, high=900, inputs=("age_years",)
)
NAMES = {each.artefact: each.label for each in (SHIPPED, OTHER)}


def placed(result: str = "信用分", before: str = arranging.ENTRY):
    made = scored.with_score(DOCUMENT, "农户评分", result, SHIPPED)
    return arranging.inserted(made, made["nodes"][-1]["id"], before)


def wrong(document) -> list[str]:
    library = lint.Library({}, {CARD.hash: CARD})
    return [str(each) for each in lint.check(STAGE, document, KNOWN, library) if each.severity == "error"]


def declared(document) -> set[str]:
    entry = next(node for node in document["nodes"] if node["type"] == "inputNode")
    return set(json.loads(entry["content"]["schema"])["properties"])


def told(before, after) -> list[str]:
    contents = (UnionContent(document=before), UnionContent(document=after))
    return [each.sentence for each in diff.between(STAGE, *contents, KNOWN, models=NAMES)]


def test_a_score_in_front_of_everything_has_the_range_of_its_model_and_a_name_later_steps_can_use():
    before = copy.deepcopy(DOCUMENT)
    made = placed()
    assert before == DOCUMENT
    assert wrong(made) == []
    assert declared(made) >= set(CARD.inputs)
    assert gate.compile_stage(STAGE, made, KNOWN, lint.Library({}, {CARD.hash: CARD})).plan, "and it runs"
    (score,) = scored.nodes_of(made)
    assert (score.model, score.result, score.span) == (CARD.hash, "信用分", "434 到 801 分")
    known = calculations.words(made, KNOWN)
    fact = next(each for each in known.facts.values() if each.label == "信用分")
    assert (fact.kind, fact.low, fact.high) == ("int", LOW, HIGH)
    later = calculations.with_calculation(made, "折算", [Row("", "半分", "取整(【信用分】 ÷ 2)")])
    later = arranging.inserted(later, later["nodes"][-1]["id"], "bureau")
    assert wrong(later) == []
    split = arranging.with_switch(made, "按分走", fact, ["低于 500"], known)
    assert split["nodes"][-1]["content"]["statements"][0]["condition"] == f"{fact.name} < 500"


@pytest.mark.parametrize("result", ["", "年龄", "【信用分】", "长" * 31])
def test_a_name_that_is_there_already_or_is_none_is_refused(result):
    with pytest.raises(ScoreWrong) as caught:
        placed(result)
    assert caught.value.fields["result"]
    with pytest.raises(ScoreWrong):
        scored.with_other(placed(), "score-1", result, OTHER)


def test_two_scores_keep_apart_and_a_score_may_keep_its_own_name():
    made = placed()
    with pytest.raises(ScoreWrong) as caught:
        scored.with_score(made, "再来一个", "信用分", SHIPPED)
    assert "已经有叫“信用分”的了" in caught.value.fields["result"]
    twice = scored.with_score(made, "再来一个", "另一个分", OTHER)
    outputs = [each["content"]["config"]["output"] for each in twice["nodes"] if each["type"] == "customNode"]
    assert len(set(outputs)) == 2
    same = scored.with_other(made, "score-1", "信用分", SHIPPED)
    assert same == made, "nothing changed: the very same document"
    with pytest.raises(ArrangementWrong):
        scored.with_score(made, " ", "第三个分", OTHER)


def test_a_model_that_is_not_offered_cannot_be_chosen():
    assert scored.chosen([SHIPPED, OTHER], OTHER.artefact) is OTHER
    with pytest.raises(ScoreWrong):
        scored.chosen([SHIPPED], OTHER.artefact)


def test_another_model_and_another_name_are_told_in_a_sentence_and_the_letters_stay():
    made = placed()
    other = scored.with_other(made, "score-1", "信用分", OTHER)
    renamed = scored.with_other(made, "score-1", "农户分", SHIPPED)
    configs = [
        next(n for n in each["nodes"] if n["id"] == "score-1")["content"]["config"] for each in (made, other)
    ]
    assert configs[0]["output"] == configs[1]["output"]
    assert (configs[1]["low"], configs[1]["high"]) == (300, 900)
    inputs, node = told(DOCUMENT, placed())
    assert inputs.startswith("输入：新增要用的数据项，")
    assert node == "农户评分：新增节点，用随系统发布的评分卡打分，结果叫“信用分”，434 到 801 分"
    assert told(made, other) == [
        "农户评分 用的评分卡或模型：随系统发布的评分卡（434 到 801 分） 改为 树模型（300 到 900 分）"
    ]
    assert told(made, renamed) == ["农户评分 结果的名字：“信用分” 改为 “农户分”"]
    gone = told(made, DOCUMENT)
    assert any(each.startswith("输入：删除要用的数据项，") for each in gone), gone
    assert "农户评分：删除节点" in gone
    unknown = msgspec.structs.replace(SHIPPED, artefact="b" * 64)
    (sentence,) = told(made, scored.with_other(made, "score-1", "信用分", unknown))
    assert "没有登记过的模型 bbbbbbbb" in sentence


def test_two_models_of_one_name_and_range_are_told_apart_by_their_hashes():
    twin = msgspec.structs.replace(SHIPPED, artefact="c" * 64)
    contents = [UnionContent(document=placed())]
    contents.append(UnionContent(document=scored.with_other(contents[0].document, "score-1", "信用分", twin)))
    names = {SHIPPED.artefact: "评分卡", twin.artefact: "评分卡"}
    (change,) = diff.between(STAGE, *contents, KNOWN, models=names)
    assert (CARD.hash[:8] in change.before, "cccccccc" in change.after) == (True, True)


def test_what_only_a_model_read_goes_with_it_and_what_it_reads_stays_declared():
    made = placed()
    reads = {each.artefact: each.inputs for each in (SHIPPED, OTHER)}
    assert scored.declaring_less(made, reads) == made
    other = scored.declaring_less(scored.with_other(made, "score-1", "信用分", OTHER), reads)
    assert declared(other) == declared(DOCUMENT) | {"age_years"}
    assert scored.declaring_less(made, {}) == made, "beside a model nobody knows all stays"
    rows = [Row("", "合计", "【近 6 个月贷款查询】 + 1")]
    assert declared(calculations.with_calculation(made, "合计", rows)) >= set(CARD.inputs)
    asked = arranging.Arrangement(
        spots={},
        gone=frozenset({"score-1"}),
        lines=frozenset((e["sourceId"], e.get("sourceHandle") or "", e["targetId"]) for e in made["edges"]),
    )
    assert declared(arranging.arranged(made, asked)) == declared(DOCUMENT)


def test_a_node_that_is_not_written_out_is_left_to_the_checks():
    made = copy.deepcopy(placed())
    node = next(each for each in made["nodes"] if each["id"] == "score-1")
    for content in (None, {}, {"kind": "model", "config": None}, {"kind": "model", "config": {"model": 1}}):
        node["content"] = content
        assert scored.nodes_of(made) == []


async def test_who_asks_a_model_is_known_when_it_waits_for_approval_and_not_before(hand: Stagehand):
    tx = await hand.as_(ADMIN)
    begun = await service.draft(tx, "*", STAGE, reason="用评分")
    made = await service.save(tx, begun.id, UnionContent(document=placed()), note="加评分")
    await service.check(tx, made.id)
    assert await naming.by_model(tx) == {}
    await service.submit(tx, made.id)
    found = await naming.by_model(tx)
    assert [each.id for each in found[CARD.hash]] == [made.id]
