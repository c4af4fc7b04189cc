"""A strategy with sub-flows as an archive of files of GoRules' editor, and back (A3-20, issue 3 §8)."""

import io
import json
import time
import tracemalloc
import warnings
import zipfile

import pytest

from backend.domains.decision import facts, gate, jdm, jdm_archive, lint
from backend.domains.decision.model import Stage
from tests.domains.decision import documents as nodes
from tests.liars import LARGE, liar

INNER = nodes.INNER
OTHER = nodes.single(Stage.ELIGIBILITY, [nodes.QUERIES], [["> 5", *nodes.rule("C")]])
LIMIT = jdm_archive.MOST_FILES


def running(*flows: tuple[str, str]) -> dict:
    """A flow that runs these (name, hash), each named as it is called."""
    document = nodes.outer(flows[0][1])
    held = next(node for node in document["nodes"] if node["type"] == "decisionNode")
    entry, end = document["nodes"][0], document["nodes"][-1]
    made = [
        {**held, "id": f"f{n}", "name": name, "content": {"key": key}} for n, (name, key) in enumerate(flows)
    ]
    lines = [
        line
        for each in made
        for line in (nodes.line(entry["id"], each["id"]), nodes.line(each["id"], end["id"]))
    ]
    return {"nodes": [entry, *made, end], "edges": lines}


def twice() -> bytes:
    made = io.BytesIO(archive(**{jdm_archive.MAIN: INNER}))
    with zipfile.ZipFile(made, "a") as held, warnings.catch_warnings(action="ignore"):
        held.writestr(jdm_archive.MAIN, json.dumps(OTHER))
    return made.getvalue()


def archive(**files: object) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as held:
        for name, body in files.items():
            held.writestr(name, body if isinstance(body, bytes | str) else json.dumps(body))
    return made.getvalue()


def test_what_is_packed_is_read_back_as_the_same_flows_and_the_same_bytes():
    one, two = (gate.hash_of(each) for each in (INNER, OTHER))
    middle = running(("同名", two), ("内层", one))
    flows = {one: INNER, two: OTHER, gate.hash_of(middle): middle}
    document = running(("同名", one), ("同名", gate.hash_of(middle)), ("再一次", one))
    file = jdm_archive.write(document, flows)
    assert jdm_archive.read(file) == (document, flows)
    assert jdm_archive.write(*jdm_archive.read(file)) == file
    with zipfile.ZipFile(io.BytesIO(file)) as held:
        names = held.namelist()
        assert names == [jdm_archive.MAIN, "子流程/同名.json", "子流程/同名 1.json", "子流程/同名 2.json"]
        for name in names:
            keys = jdm.flows(jdm.read(held.read(name)))
            assert set(keys) <= set(names), "each is named by the path of its file"


def test_a_name_nobody_may_give_a_file_is_given_to_none():
    key = gate.hash_of(INNER)
    file = jdm_archive.write(running(("../../etc/甲:乙", key)), {key: INNER})
    with zipfile.ZipFile(io.BytesIO(file)) as held:
        assert held.namelist()[1] == "子流程/.._.._etc_甲_乙.json"


def test_a_flow_alone_is_read_as_ever_and_a_hash_that_is_not_in_the_archive_stays():
    assert jdm_archive.read(jdm.write(INNER)) == (INNER, {})
    document = running(("外面的", "0" * 64))
    assert jdm_archive.read(jdm_archive.write(document, {})) == (document, {})


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"PK\x03\x04 broken", "给的是 压缩包（ZIP），但文件坏了"),
        (archive(other="{}"), "给的是 压缩包（ZIP），要的是"),
        (twice(), "两个同名的文件"),
        (archive(**{jdm_archive.MAIN: "no"}), "不是一份流程图"),
        (
            archive(**{jdm_archive.MAIN: running(("甲", "a.json")), "a.json": running(("乙", "a.json"))}),
            "绕成了圈",
        ),
        (
            archive(**{jdm_archive.MAIN: {"nodes": [{"type": "decisionNode"}], "edges": []}}),
            "没写完整的子流程",
        ),
        (archive(**{jdm_archive.MAIN: INNER, "large.json": b" " * (jdm.LARGEST + 1)}), "文件太大"),
        (archive(**{jdm_archive.MAIN: INNER}, **{f"{n}.json": "{}" for n in range(LIMIT)}), "文件太大"),
    ],
)
def test_an_archive_that_is_none_is_refused_in_words(content: bytes, why: str):
    with pytest.raises(jdm.FileUnreadable) as told:
        jdm_archive.read(content)
    assert why in told.value.text


def test_a_file_that_lies_about_its_size_is_never_unpacked():
    file = liar({jdm_archive.MAIN: LARGE}, zipfile.ZIP_DEFLATED, told=1_000)
    tracemalloc.start()
    with pytest.raises(jdm.FileUnreadable):
        jdm_archive.read(file)
    held = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert held < 4_000_000


def test_a_small_archive_whose_flows_run_each_other_many_times_is_refused_soon():
    """Four kilobytes, and checking them would have taken an hour: also of a capsule somebody sends."""
    names = ["a.json", "b.json", "c.json", "d.json"]
    files = {
        name: running(*((f"{n}", inner) for n in range(20)))
        for name, inner in zip([jdm_archive.MAIN, *names], names, strict=False)
    }
    document, flows = jdm_archive.read(archive(**files, **{names[-1]: INNER}))
    begun = time.process_time()
    found = lint.check(Stage.ELIGIBILITY, document, facts.catalogue(), lint.Library(flows))
    assert time.process_time() - begun < 5
    assert any(f"加起来太多，最多 {lint.MOST_FLOWS} 个" in each.sentence for each in found)
