"""A model file is tried out before it is registered: what `train` makes passes, anything else is told why not."""

import base64
import hashlib

import msgspec
import pytest

from backend.domains.decision import trees
from backend.domains.decision.model import canonical
from backend.domains.models import apart, offsets, probe
from tests.domains.models.test_register import CARD


def test_every_kind_of_model_train_makes_can_be_registered(card_folder, trees_folder):
    county = offsets.CountyModel(
        kind="county_model",
        format=1,
        column="county",
        model=msgspec.json.decode(CARD),
        spread=0.1,
        counties=[],
    )
    bodies = [CARD, canonical(county), *((card_folder / "scorecard.json").read_bytes(),)]
    bodies.append((trees_folder / "trees.json").read_bytes())
    assert [probe.why(body) for body in bodies] == [""] * 4


def test_a_graph_of_other_operators_is_not_run(trees_folder):
    import onnx

    read = trees.read((trees_folder / "trees.json").read_bytes())
    graph = onnx.load_model_from_string(base64.b64decode(read.onnx))
    graph.graph.node.append(onnx.helper.make_node("Sin", [graph.graph.input[0].name], ["strange"]))
    made = graph.SerializeToString()
    changed = msgspec.structs.replace(
        read, onnx=base64.b64encode(made).decode(), onnx_sha256=hashlib.sha256(made).hexdigest()
    )
    assert "不认识的算子：Sin" in probe.why(canonical(changed))


async def test_a_process_that_fails_or_is_not_there_changes_nothing():
    assert await apart.run("backend.domains.models.probe", CARD) == b""
    with pytest.raises(apart.ApartFailed):
        await apart.run("backend.domains.models.training.paper", b"no message")


def test_trees_that_go_against_their_own_word_are_refused(trees_folder):
    """Reasons for a refusal are told by the trend the file claims: turned round, they would be lies."""
    read = trees.read((trees_folder / "trees.json").read_bytes())
    [name, *_] = [each.name for each in read.features if each.trend]
    turned = [
        msgspec.structs.replace(each, worst=each.best, best=each.worst) if each.name == name else each
        for each in read.features
    ]
    assert probe.why(canonical(read)) == ""
    assert name in probe.why(canonical(msgspec.structs.replace(read, features=turned)))
