"""A draft's changes carried onto another version: neither side's are lost, what both changed is told."""

import copy
from typing import Any

from backend.domains.decision.model import Stage
from backend.domains.strategies import checks, merging
from backend.domains.strategies.model import CountyContent, Openings, UnionContent


def document() -> Any:
    return checks.shipped(Stage.ELIGIBILITY)


def rows(held: Any, table: str = "bureau") -> list[dict[str, str]]:
    found: list[dict[str, str]] = next(n for n in held["nodes"] if n["id"] == table)["content"]["rules"]
    return found


def text_of(held: Any) -> str:
    return next(c["id"] for c in _bureau(held)["content"]["outputs"] if c["field"] == "advice")


def _bureau(held: Any) -> Any:
    return next(n for n in held["nodes"] if n["id"] == "bureau")


def union(held: Any, **more: Any) -> UnionContent:
    return UnionContent(document=held, openings=Openings(**more))


def merged(base: Any, mine: Any, theirs: Any) -> tuple[Any, tuple[str, ...]]:
    found = merging.merged(union(base), union(mine), union(theirs), {})
    assert isinstance(found.content, UnionContent)
    return found.content.document, found.both


def test_an_untouched_draft_becomes_what_decides_byte_for_byte_and_the_other_way_round() -> None:
    base, other = document(), document()
    rows(other)[2][text_of(other)] = "'等一等'"
    other["nodes"][0]["position"] = {"x": 1, "y": 2}
    assert merged(base, base, other) == (other, ())
    assert merged(base, other, base) == (other, ())


def test_two_cells_of_one_row_a_new_row_and_a_row_taken_away_come_together() -> None:
    base = document()
    mine, theirs = copy.deepcopy(base), copy.deepcopy(base)
    advice = text_of(base)
    rows(mine)[0][advice] = "'甲'"
    rows(mine).insert(1, {**rows(mine)[0], "_id": "mine"})
    text = next(c["id"] for c in _bureau(base)["content"]["outputs"] if c["field"] == "text")
    rows(theirs)[0][text] = "'乙'"
    gone = rows(theirs).pop(3)["_id"]
    rows(theirs).append({**rows(theirs)[0], "_id": "theirs"})
    found, both = merged(base, mine, theirs)
    made = rows(found)
    assert (made[0][advice], made[0][text]) == ("'甲'", "'乙'")
    ids = [row["_id"] for row in made]
    assert (ids[1], ids[-1], gone in ids, both) == ("mine", "theirs", False, ())
    assert len(ids) == len(rows(base)) + 1


def test_what_both_changed_is_the_drafts_and_is_told_by_its_place() -> None:
    base = document()
    mine, theirs = copy.deepcopy(base), copy.deepcopy(base)
    for side, said in ((mine, "'甲'"), (theirs, "'乙'")):
        rows(side)[1][text_of(base)] = said
    found, both = merged(base, mine, theirs)
    assert (rows(found)[1][text_of(base)], both) == ("'甲'", ("征信 第 2 行",))


def test_a_table_and_its_lines_of_either_side_stay_and_a_cut_line_stays_cut() -> None:
    base = document()
    mine, theirs = copy.deepcopy(base), copy.deepcopy(base)
    node = {**copy.deepcopy(_bureau(base)), "id": "extra", "name": "加的表"}
    mine["nodes"].append(node)
    mine["edges"].append({"id": "line-1", "type": "edge", "sourceId": "extra", "targetId": "bureau"})
    cut = theirs["edges"].pop(0)
    found, both = merged(base, mine, theirs)
    lines = {(e["sourceId"], e["targetId"]) for e in found["edges"]}
    assert ("extra", "bureau") in lines
    assert (cut["sourceId"], cut["targetId"]) not in lines
    assert {n["id"] for n in found["nodes"]} == {n["id"] for n in mine["nodes"]}
    assert both == ()


def test_a_countys_numbers_and_rows_come_together() -> None:
    base = CountyContent(parameters={"a": 1, "b": 2}, rows={"bureau": [{"_id": "x", "c": "1"}]})
    mine = CountyContent(
        parameters={"a": 3, "b": 2, "c": 9}, rows={"bureau": [{"_id": "x", "c": "1"}, {"_id": "y", "c": "2"}]}
    )
    theirs = CountyContent(parameters={"a": 1}, rows={"person": [{"_id": "z", "c": "1"}]})
    found = merging.merged(base, mine, theirs, {"bureau": "征信"})
    assert found.content == CountyContent(
        parameters={"a": 3, "c": 9},
        rows={"person": [{"_id": "z", "c": "1"}], "bureau": [{"_id": "y", "c": "2"}]},
    )
    assert found.both == ()


def test_a_number_both_changed_is_told_by_its_name() -> None:
    base, mine, theirs = (CountyContent(parameters={"a": n}) for n in (1, 2, 3))
    found = merging.merged(base, mine, theirs, {"a": "近 6 个月贷款查询到几次拒绝"})
    assert found == merging.Merged(mine, ("近 6 个月贷款查询到几次拒绝",))
