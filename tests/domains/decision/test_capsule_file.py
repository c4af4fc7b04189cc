"""One file per case, verified and decided again with nothing else; whatever is changed in it is named (N6)."""

import copy
import json
import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from backend import __main__ as command_line
from backend.domains.decision import bundle, capsule_file, evaluate, scorecard, service, verify_capsule
from backend.domains.decision.model import CapsuleTampered, CapsuleUnreadable, Stage, canonical
from tests.domains.decision.conftest import read
from tests.domains.decision.documents import rule, single
from tests.domains.decision.test_service import stricter

SCRIPT = Path(verify_capsule.__file__)
DECISION = "01a21f1f-ffd3-7ddd-b736-db671d133f47"


async def parts_of(tx, used: bundle.Bundle, name: str = "approved_payroll") -> list[tuple[str, str]]:
    capsule = evaluate.evaluate(read(name), used)
    versions = await service.version_texts(tx, capsule.decision.versions)
    about = canonical(
        {
            "application_no": "26112600018",
            "decision_id": DECISION,
            "officer": {"name": "李四", "staff_no": "JX0427"},
        }
    )
    return [("case", about.decode()), ("capsule", canonical(capsule).decode()), *versions, ("reviews", "[]")]


@pytest.fixture
async def held(tx) -> bytes:
    return capsule_file.write(await parts_of(tx, bundle.seeded()))


def test_it_verifies_and_decides_again(held):
    result = service.replay_capsule(held)
    assert result.same_bytes
    assert result.untouched
    assert result.same_code
    assert verify_capsule.first_wrong(json.loads(held)) == ""
    assert verify_capsule.wrong_version(json.loads(held)) == ""


async def test_it_needs_nothing_of_what_decides_today(tx, documents, monkeypatch):
    """Other strategies, another scorecard, a county's overlay: all from the file, in a process that knows none."""
    card = scorecard.seeded()
    other = msgspec.structs.replace(card, version=card.version + 1, base_points=card.base_points + 9)
    overlay = single(Stage.ELIGIBILITY, ["bureau_lenders_open"], [["> 90", *rule("CO_LENDERS")]])
    used = bundle.build(stricter(copy.deepcopy(documents)), other, overlays={Stage.ELIGIBILITY: overlay})
    assert used.versions.overlays
    await service.store(tx, Stage.ELIGIBILITY, overlay, county=True)
    made = capsule_file.write(await parts_of(tx, used, "declined_low_score"))
    monkeypatch.setattr(bundle, "_built", {})
    monkeypatch.setattr(bundle, "seeded_documents", lambda: 1 / 0)
    result = service.replay_capsule(made)
    assert result.same_bytes
    assert (
        msgspec.json.decode(result.stored)["decision"]["versions"]["scorecard"] != bundle.seeded().card.hash
    )


def changed(held: bytes, at: int, **values) -> bytes:
    found = json.loads(held)
    found["parts"][at] |= values
    return json.dumps(found, ensure_ascii=False).encode()


async def test_a_change_anywhere_is_found_and_named(tx, held):
    names = [name for name, _ in await parts_of(tx, bundle.seeded())]
    assert len(names) >= 9
    for at, name in enumerate(names):
        text = json.loads(held)["parts"][at]["text"]
        for spoiled in (
            changed(held, at, text=text[:-1] + " " + text[-1:]),
            changed(held, at, sha256="0" * 64),
            changed(held, at, link="0" * 64),
            changed(held, at, name="else"),
        ):
            with pytest.raises(CapsuleTampered) as problem:
                capsule_file.read(spoiled)
            assert problem.value.text.startswith("这份存证被改过，对不上的是：")
            wrong = verify_capsule.first_wrong(json.loads(spoiled))
            assert wrong == json.loads(spoiled)["parts"][at]["name"]
        assert capsule_file.label(name) != ""


@pytest.mark.parametrize("spoil", ["head", "masked", "order", "dropped", "twice"])
def test_the_chain_holds_the_parts_together(held, spoil):
    found = json.loads(held)
    if spoil == "head":
        found["head"] = "0" * 64
    elif spoil == "masked":
        found["masked"] = True
    elif spoil == "order":
        found["parts"][2], found["parts"][3] = found["parts"][3], found["parts"][2]
    elif spoil == "dropped":
        del found["parts"][-1]
    else:
        found["parts"].append(found["parts"][-1])
    with pytest.raises(CapsuleTampered):
        capsule_file.read(json.dumps(found).encode())
    assert verify_capsule.first_wrong(found) != ""


async def test_a_whole_chain_made_anew_over_another_version_is_found(tx):
    """Hashes made anew do not help: the decision names the versions it was made with."""
    parts = await parts_of(tx, bundle.seeded())
    at = next(n for n, (name, _) in enumerate(parts) if name == "strategy:limit")
    parts[at] = ("strategy:limit", parts[at][1].replace("0.55", "0.95"))
    made = capsule_file.write(parts)
    with pytest.raises(CapsuleTampered) as problem:
        service.replay_capsule(made)
    assert problem.value.text == "这份存证被改过，对不上的是：策略（定额）"
    assert verify_capsule.wrong_version(json.loads(made)) == "strategy:limit"


async def test_an_outcome_made_up_with_a_whole_new_chain_does_not_decide_to_the_same_bytes(tx):
    parts = await parts_of(tx, bundle.seeded())
    parts[1] = ("capsule", parts[1][1].replace('"outcome":"approved"', '"outcome":"declined"'))
    assert not service.replay_capsule(capsule_file.write(parts)).same_bytes


@pytest.mark.parametrize("name", ["capsule", "scorecard", "catalogue", "strategy:rating"])
async def test_a_part_that_is_missing_or_no_json_is_named(tx, name):
    parts = await parts_of(tx, bundle.seeded())
    with pytest.raises(CapsuleUnreadable) as problem:
        service.replay_capsule(capsule_file.write([each for each in parts if each[0] != name]))
    assert problem.value.text == f"这个文件不是存证：缺少“{capsule_file.label(name)}”"
    if name == "capsule":
        broken = [(each, "{" if each == name else text) for each, text in parts]
        with pytest.raises(CapsuleUnreadable):
            service.replay_capsule(capsule_file.write(broken))


def run(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *words], capture_output=True, text=True, check=False, timeout=60,
        env={"PATH": os.environ["PATH"]}, cwd="/",
    )  # fmt: skip


def test_the_script_alone_says_in_one_line_whether_it_holds(held, tmp_path):
    """Isolated Python: no package of ours or anybody's."""
    path = tmp_path / "case.json"
    path.write_bytes(held)
    done = run("-I", "-S", str(SCRIPT), str(path))
    assert (done.returncode, done.stderr) == (0, "")
    assert json.loads(held)["head"] in done.stdout
    path.write_bytes(changed(held, 1, text="{}"))
    done = run("-I", "-S", str(SCRIPT), str(path))
    assert (done.returncode, done.stdout) == (1, "对不上：capsule\n")
    for junk in (b"", b"[1]", b"[" * 100_000, b"\xff", b'{"parts": 3}'):
        path.write_bytes(junk)
        done = run("-I", "-S", str(SCRIPT), str(path))
        assert (done.returncode, done.stderr, done.stdout.count("\n")) == (1, "", 1)


def test_the_script_stays_about_sixty_lines():
    assert len(SCRIPT.read_text().splitlines()) <= 70


def test_the_command_names_what_is_wrong_in_one_line_and_exits_2(held, tmp_path, capsys):
    path = tmp_path / "case.json"
    path.write_bytes(held)
    assert command_line.main(["replay", str(path), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["same_bytes"], told["decision_id"]) == (True, DECISION)
    path.write_bytes(changed(held, 1, text="{}"))
    assert command_line.main(["replay", str(path)]) == 2
    assert capsys.readouterr().err == "这份存证被改过，对不上的是：资料和审批结果\n"
    path.write_bytes(held.replace(b'"format": 2', b'"format": 3'))
    assert command_line.main(["replay", str(path)]) == 2
    assert capsys.readouterr().err == "这个文件不是存证：格式不认识，可能是更新的版本做的\n"
    for junk in (b'{"kind":"xiaodai-capsule"}', b'{"parts":[]}', b'{"parts":[{}]}'):
        path.write_bytes(junk)
        assert command_line.main(["replay", str(path)]) == 2
        assert capsys.readouterr().err.count("\n") == 1


async def test_a_masked_file_holds_but_names_nobody(tx, tmp_path, capsys):
    parts = await parts_of(tx, bundle.seeded())
    hidden = [
        (
            name,
            canonical(capsule_file.mask(json.loads(text))).decode() if name in ("case", "capsule") else text,
        )
        for name, text in parts
    ]
    made = capsule_file.write(hidden, masked=True)
    born = read("approved_payroll").sources["application"].facts["birth_on"]
    assert str(born).encode() not in made
    assert "李四".encode() not in made
    path = tmp_path / "masked.json"
    path.write_bytes(made)
    assert command_line.main(["replay", str(path)]) == 0
    assert "不能重算" in capsys.readouterr().err
    assert command_line.main(["replay", str(path), "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"masked": True, "untouched": True, "recomputed": False}


def test_a_bare_capsule_of_format_1_still_replays():
    text = canonical(evaluate.evaluate(read("approved_small"), bundle.seeded()))
    assert service.replay_capsule(text).same_bytes
