"""Capsule files somebody made to hurt whoever replays them: each hash holds, and still every one ends in a sentence."""

import base64
import contextlib
import hashlib
import json
import time
from typing import Any

import pytest

from backend.core.errors import Problem
from backend.domains.decision import (
    assess,
    bundle,
    capsule_file,
    evaluate,
    facts,
    moment_file,
    moments,
    service,
    trees,
)
from backend.domains.decision.model import (
    DECIDING,
    CapsuleUnreadable,
    Stage,
    canonical,
)
from backend.domains.strategies import checks
from tests.domains.decision.conftest import read

Parts = dict[str, str]


@pytest.fixture(scope="module")
def decided() -> Parts:
    used = bundle.seeded()
    capsule = evaluate.evaluate(read("approved_payroll"), used)
    strategies = {f"strategy:{stage}": text for stage, text in used.texts.items()}
    return {
        "case": "{}",
        "capsule": canonical(capsule).decode(),
        **strategies,
        "scorecard": canonical(used.card.card).decode(),
        "catalogue": used.catalogue.text.decode(),
    }


@pytest.fixture(scope="module")
def screened() -> Parts:
    document = checks.shipped_documents()[Stage.PRE_SCREEN]
    case = read("approved_payroll")
    said = assess.assess(
        Stage.PRE_SCREEN, case, {Stage.PRE_SCREEN: assess.prepare(Stage.PRE_SCREEN, document)}
    )
    return {
        "case": "{}",
        "capsule": canonical(moments.MomentCapsule(format=1, case=case, assessment=said)).decode(),
        "strategy:pre_screen": canonical(document).decode(),
        "catalogue": facts.catalogue().text.decode(),
    }


def sha(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def replay(parts: Parts) -> service.ReplayResult:
    file = capsule_file.write(parts.items())
    return (moment_file.replay if moment_file.is_one(file) else service.replay_capsule)(file)


def changed(parts: Parts, name: str, value: Any) -> Parts:
    """Another part, and the capsule naming it."""
    text, capsule = json.dumps(value, ensure_ascii=False), json.loads(parts["capsule"])
    said = capsule["decision"]["versions"] if "decision" in capsule else capsule["assessment"]
    if name.startswith("strategy:") and "strategies" in said:
        said["strategies"][name.partition(":")[2]] = sha(text)
    else:
        said["strategy" if name.startswith("strategy:") else name] = sha(text)
    return {**parts, name: text, "capsule": json.dumps(capsule)}


def test_what_was_not_touched_replays(decided, screened):
    assert replay(decided).same_bytes
    assert replay(screened).same_bytes


@pytest.mark.parametrize("kind", ["decided", "screened"])
def test_a_catalogue_without_any_one_fact_ends_in_a_sentence(kind, request):
    """Some of them ended in a KeyError: rules ask for a fact that is computed from one that is not there."""
    parts = request.getfixturevalue(kind)
    whole = json.loads(parts["catalogue"])
    for at, fact in enumerate(whole):
        with contextlib.suppress(Problem):
            result = replay(changed(parts, "catalogue", whole[:at] + whole[at + 1 :]))
            assert not result.same_bytes, fact["name"]


@pytest.mark.parametrize("value", [None, 1, {}, [1], [{}], [[]]])
@pytest.mark.parametrize("name", ["catalogue", "strategy"])
@pytest.mark.parametrize("kind", ["decided", "screened"])
def test_a_part_of_another_shape_ends_in_a_sentence(kind, name, value, request):
    parts = request.getfixturevalue(kind)
    part = next(each for each in parts if each.startswith(name))
    with pytest.raises(Problem) as told:
        replay(changed(parts, part, value))
    assert told.value.text


@pytest.mark.parametrize("stage", DECIDING)
def test_a_decision_without_one_of_its_stages_says_which_is_missing(decided, stage):
    capsule = json.loads(decided["capsule"])
    del capsule["decision"]["versions"]["strategies"][stage]
    parts = {**decided, "capsule": json.dumps(capsule)}
    del parts[f"strategy:{stage}"]
    with pytest.raises(CapsuleUnreadable) as told:
        replay(parts)
    assert "缺少“策略" in told.value.text


def test_a_stage_nobody_knows_is_said(screened):
    capsule = json.loads(screened["capsule"])
    capsule["assessment"]["stage"] = "no_stage"
    with pytest.raises(CapsuleUnreadable) as told:
        replay(
            {**screened, "capsule": json.dumps(capsule), "strategy:no_stage": screened["strategy:pre_screen"]}
        )
    assert "no_stage" in told.value.text


def test_a_file_of_very_many_parts_is_refused_at_once(decided):
    """40,000 empty parts took 20 seconds."""
    file = capsule_file.write({**decided, **{f"p{n}": "" for n in range(40_000)}}.items())
    begun = time.process_time()
    with pytest.raises(CapsuleUnreadable):
        service.replay_capsule(file)
    assert time.process_time() - begun < 3


def endless() -> bytes:
    """A graph that never ends: `while true`."""
    from onnx import TensorProto, helper

    info, number = helper.make_tensor_value_info, TensorProto.FLOAT
    inside = helper.make_graph(
        [helper.make_node("Identity", ["on"], ["go"]), helper.make_node("Identity", ["old"], ["new"])],
        "inside",
        [info("at", TensorProto.INT64, []), info("on", TensorProto.BOOL, []), info("old", number, [None, 1])],
        [info("go", TensorProto.BOOL, []), info("new", number, [None, 1])],
    )
    start = helper.make_tensor("true", TensorProto.BOOL, [], [True])
    made = helper.make_graph(
        [
            helper.make_node("Constant", [], ["start"], value=start),
            helper.make_node("Loop", ["", "start", "x"], ["probabilities"], body=inside),
        ],
        "endless",
        [info("x", number, [None, 1])],
        [info("probabilities", number, [None, 1])],
    )
    opset = [helper.make_opsetid("", 17)]
    return bytes(helper.make_model(made, opset_imports=opset, ir_version=8).SerializeToString())


def test_a_model_that_is_no_trees_is_not_run_from_a_capsule_either(decided):
    graph = endless()
    card = {
        "kind": "trees", "format": 1, "name": "x", "version": 1, "offset": 600.0, "factor": 28.0,
        "features": [{"name": "bureau_queries_6m", "trend": "descending", "best": 0, "worst": 9, "typical": 1}],
        "onnx": base64.b64encode(graph).decode(), "onnx_sha256": hashlib.sha256(graph).hexdigest(),
        "scale": {}, "trained": {},
    }  # fmt: skip
    text, capsule = canonical(trees.read(json.dumps(card).encode())).decode(), json.loads(decided["capsule"])
    capsule["decision"]["versions"]["scorecard"] = sha(text)
    result = replay({**decided, "scorecard": text, "capsule": json.dumps(capsule)})
    trace = json.loads(result.replayed)["decision"]["trace"]
    assert {"stage": "rating", "event": "error", "output": {"code": "StrategyRefused"}}.items() <= trace[
        -1
    ].items()
