"""Files of GoRules' editor: written, opened, changed and read back (A3-20)."""

import json

import pytest

from backend.core import ids
from backend.domains.decision import assess, bundle, evaluate, facts, gate, jdm, lint, repository, service
from backend.domains.decision.lint import Library
from backend.domains.decision.model import DECIDING, MOMENTS, Stage, canonical
from tests.domains.decision import documents as nodes

CATALOGUE = facts.catalogue()


def every_document():
    yield from bundle.seeded_documents().items()
    for stage in MOMENTS:
        yield stage, assess.seeded_document(stage)
    for document in (
        nodes.chained(),
        nodes.branched("bureau_queries_6m < 5", "*"),
        nodes.outer(),
        nodes.with_model(),
    ):
        yield Stage.ELIGIBILITY, document


def test_what_is_written_reads_back_as_the_same_document_and_the_same_bytes():
    seen = 0
    for _, document in every_document():
        file = jdm.write(document)
        assert json.loads(file)["contentType"] == "application/vnd.gorules.decision"
        assert jdm.read(file) == document
        assert gate.hash_of(jdm.read(file)) == gate.hash_of(document)
        assert jdm.write(jdm.read(file)) == file
        seen += 1
    assert seen == 14


def as_the_editor_saves(file: bytes) -> bytes:
    """What the editor does to a file: compact text, new keys of its own, columns typed, handles spelled out."""
    document = json.loads(file)
    for node in document["nodes"]:
        node["position"] = {"x": node["position"]["x"] + 12.5, "y": node["position"]["y"] - 3}
        if node["type"] == "decisionTableNode":
            for column in (*node["content"]["inputs"], *node["content"]["outputs"]):
                column |= {"defaultValue": None}
            for column in node["content"]["inputs"]:
                column["fieldType"] = {"type": "number"}
            for column in node["content"]["outputs"]:
                column["outputFieldType"] = {"type": "auto"}
            for rule in node["content"]["rules"]:
                rule["_description"] = ""
    for edge in document["edges"]:
        edge.setdefault("sourceHandle", None)
        edge["targetHandle"] = None
    return json.dumps(document).encode()


def test_what_comes_back_from_the_editor_passes_the_same_checks_and_decides_the_same(good):
    saved = {
        stage: jdm.read(as_the_editor_saves(jdm.write(document)))
        for stage, document in bundle.seeded_documents().items()
    }
    for stage in DECIDING:
        errors = [each for each in lint.check(stage, saved[stage], CATALOGUE) if each.severity == "error"]
        assert errors == []
    again = evaluate.evaluate(good, bundle.build(saved, bundle.seeded().card.card)).decision
    before = evaluate.evaluate(good, bundle.seeded()).decision
    assert (again.outcome, again.amount_fen, again.trace) == (before.outcome, before.amount_fen, before.trace)


def test_a_table_newly_drawn_in_the_editor_is_refused_by_the_setting_to_switch_off():
    """The editor (1.52) sets passThrough on each new table; a sentence that named no setting left nothing to do."""
    document = nodes.chained()
    table = next(node for node in document["nodes"] if node["type"] == "decisionTableNode")
    table["content"] |= {"passThrough": True, "inputField": "customer", "executionMode": "loop"}
    said = [each.sentence for each in lint.check(Stage.ELIGIBILITY, document, CATALOGUE)]
    assert said == [
        f"这张表的设置 {name} 会改变输入，请在编辑器里关掉"
        for name in ("passThrough", "inputField", "executionMode")
    ]


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"nodes",
        b"[]",
        b"{}",
        b'{"nodes": 1}',
        b'{"nodes": [], "nodes": []}',
        b'{"nodes": [NaN]}',
        b'{"contentType": "application/json", "nodes": []}',
        b"\xff\xfe",
        b'{"nodes": ' + b"[" * 100_000,
        b'{"nodes": []}' + b" " * 2_000_000,
    ],
)
def test_a_file_that_is_no_strategy_is_told_in_a_sentence(text):
    with pytest.raises(jdm.FileUnreadable) as caught:
        jdm.read(text)
    assert str(caught.value)


async def test_a_decision_by_a_sub_flow_replays_from_stored_versions(tx, good, documents, monkeypatch):
    """A sub-flow is stored with the strategy that runs it (N6)."""
    whole = documents[Stage.ELIGIBILITY]
    entry = next(node for node in whole["nodes"] if node["type"] == "inputNode")
    key = gate.hash_of(whole)
    documents[Stage.ELIGIBILITY] = nodes.graph(
        entry, [nodes.flow("f", key)], [nodes.line("facts", "f"), nodes.line("f", "result")]
    )
    library = Library(flows={key: whole})
    using = bundle.build(documents, bundle.seeded().card.card, library=library)
    capsule = evaluate.evaluate(good, using)
    assert capsule.decision.outcome == evaluate.evaluate(good, bundle.seeded()).decision.outcome
    kept = await service.record(tx, ids.new(), capsule)
    assert key in await repository.bodies(tx, [key])
    monkeypatch.setattr(bundle, "_built", {})  # another process, which never saw these versions
    result = await service.replay(tx, kept.id)
    assert result.same_bytes
    assert result.stored == canonical(capsule)


BLANKS = [*"\x00\x1c\x1d\x1e\x1f\x85\xa0\u2000\u200b\u2028\u3000\ufeff\t\n ", "> 3\u3000", "\u200b> 3"]


@pytest.mark.parametrize("cell", BLANKS, ids=ascii)
def test_a_cell_that_only_looks_empty_is_refused(cell: str):
    """Python takes U+001C for blank, zen does not: the row would never match and the decline rule be off (A3-05)."""
    document = json.loads(json.dumps(bundle.seeded_documents()[Stage.ELIGIBILITY]))
    table = next(n for n in document["nodes"] if n["id"] == "bureau")["content"]
    column = next(c["id"] for c in table["inputs"] if not table["rules"][0].get(c["id"]))
    table["rules"][0][column] = cell
    assert any(each.severity == lint.ERROR for each in lint.check(Stage.ELIGIBILITY, document, CATALOGUE))


@pytest.mark.parametrize("number", ["1e400", "-1e999", "NaN", "Infinity"])
def test_a_number_without_end_is_no_number(number: str):
    with pytest.raises(jdm.FileUnreadable):
        jdm.read(b'{"nodes": [], "edges": [], "x": ' + number.encode() + b"}")


@pytest.mark.parametrize("hidden", ["\x00", "\u202e", "\u200b", "\ud800", "\u2028"], ids=ascii)
@pytest.mark.parametrize("where", ["name", "key", "cell"])
def test_what_nobody_sees_is_in_no_text_of_a_file(hidden: str, where: str):
    """A name that reads backwards is agreed to as another; and the database takes no NUL, as late as on the day it is
    to go live."""
    document = json.loads(json.dumps(bundle.seeded_documents()[Stage.ELIGIBILITY]))
    table = next(n for n in document["nodes"] if n["id"] == "bureau")
    if where == "name":
        table["name"] = f"准入{hidden}拒绝"
    elif where == "key":
        table[f"width{hidden}"] = 1
    else:
        table["content"]["rules"][0]["_description"] = f"说明{hidden}"
    with pytest.raises(jdm.FileUnreadable) as refused:
        jdm.read(json.dumps(document).encode())
    assert "里有看不见的字符" in refused.value.text


def test_a_name_longer_than_anybody_reads_is_refused():
    document = json.loads(json.dumps(bundle.seeded_documents()[Stage.ELIGIBILITY]))
    next(n for n in document["nodes"] if n["id"] == "bureau")["name"] = "长" * 61
    said = lint.check(Stage.ELIGIBILITY, document, CATALOGUE)
    assert [each.sentence for each in said] == ["名称太长，最多 60 个字"]
