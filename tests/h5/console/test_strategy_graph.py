"""The drawing of a flow: every node and line once, the way of a case marked (A3-33)."""

from backend.domains.decision.path import Lit
from backend.domains.strategies import checks
from backend.domains.strategies.model import CountyContent, Finding, UnionContent
from h5.console import strategy_graph, strategy_tables
from tests.domains.strategies import test_scored


def test_every_shipped_flow_is_drawn_whole_and_inside_its_frame() -> None:
    for document in checks.shipped_documents().values():
        made = strategy_graph.draw(document)
        assert (len(made.boxes), len(made.lines)) == (len(document["nodes"]), len(document["edges"]))
        assert all(0 <= b.x <= made.width - strategy_graph.WIDE for b in made.boxes)
        assert all(0 <= b.y <= made.height - strategy_graph.HIGH for b in made.boxes)
        assert not any(b.lit for b in made.boxes)


def test_only_the_way_of_the_case_is_lit_and_told_in_words() -> None:
    document = {
        "nodes": [
            {"id": "a", "type": "inputNode", "name": "输入", "position": {"x": -50, "y": 0}},
            {"id": "b", "type": "outputNode", "name": "结果", "position": {"x": 200, "y": 10}},
            {"id": "c", "type": "outputNode", "name": "一个非常非常非常长的名字", "position": None},
        ],
        "edges": [
            {"id": "1", "sourceId": "a", "targetId": "b"},
            {"id": "2", "sourceId": "a", "targetId": "gone"},
        ],
    }
    made = strategy_graph.draw(document, Lit(frozenset({"a", "b"}), frozenset({"1"}), {}, {}))
    assert [b.lit for b in made.boxes] == [True, True, False]
    assert [line.lit for line in made.lines] == [True]
    assert made.said == "这个案例走过：输入、结果"
    assert made.boxes[2].name.endswith("…")
    assert min(b.x for b in made.boxes) == strategy_graph.MARGIN


def test_a_score_says_what_it_gave_a_case_that_came_by_it_and_nothing_otherwise() -> None:
    document = test_scored.placed()
    way = Lit(frozenset({"facts", "score-1"}), frozenset(), {}, {"score-1": {"value_1": 1612}})
    made = strategy_graph.draw(document, way)
    box = next(each for each in made.boxes if each.name == "农户评分")
    assert (box.note, box.lit, box.link) == ("得 1,612 分", True, "#t-score-1")
    assert "农户评分（1,612 分）" in made.said
    for lit in (None, Lit(frozenset({"facts"}), frozenset(), {}, {})):
        box = next(each for each in strategy_graph.draw(document, lit).boxes if each.name == "农户评分")
        assert (box.note, box.lit) == ("评分卡", False)


def test_a_county_reads_the_score_of_head_office_s_flow_on_its_own_page() -> None:
    floor = UnionContent(document=test_scored.placed())
    said = [
        Finding(kind="document", place="农户评分", sentence=f"{column}不够", node="score-1", column=column)
        for column in ("", "low", "high")
    ]
    sheet = strategy_tables.sheet(test_scored.STAGE, CountyContent(), floor, said)
    (asked,) = sheet.scores
    assert (asked.wrong, sheet.elsewhere) == (("不够", "low不够", "high不够"), ())
    assert (asked.score.result, asked.score.span, asked.points) == ("信用分", "434 到 801 分", None)
