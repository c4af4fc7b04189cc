import json
import subprocess
import sys
from pathlib import Path

import pytest

from backend.ocr import command, pool
from backend.sandbox import specimens
from tests.ocr.test_intake import HOSTILE

SEED = 90_031
KEYS = ["file", "kind", "fields", "doubtful", "quality", "ms"]


def drawn(folder: Path) -> dict[str, Path]:
    """A photograph of each kind."""
    person, business, card = specimens.person(SEED), specimens.business(SEED), specimens.bank_card(SEED)
    photographs = {
        "id_front": specimens.draw_front(person, SEED, "easy"),
        "id_back": specimens.draw_back(person, SEED, "easy"),
        "business_licence": specimens.draw_licence(business, SEED, "easy"),
        "bank_card": specimens.draw_bank_card(card, SEED, "easy"),
    }
    for kind, content in photographs.items():
        (folder / f"{kind}.jpg").write_bytes(content)
    return {kind: folder / f"{kind}.jpg" for kind in photographs}


def test_a_fresh_folder_is_enough_and_standard_output_holds_one_json_line_per_file(tmp_path: Path) -> None:
    files = drawn(tmp_path)
    (tmp_path / "renamed.jpg").write_bytes(b"%PDF-1.4")
    given = [tmp_path / "renamed.jpg", *files.values()]
    ran = subprocess.run(
        [sys.executable, "-m", "backend", "ocr", *map(str, given), "--json", "--data", str(tmp_path / "new")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 1
    assert "整理识别模型的字表" in ran.stderr
    refused, front, back, licence, card = (json.loads(line) for line in ran.stdout.splitlines())
    assert refused["error"] == "这是 PDF 文件，不是照片。请拍照，或选 JPG、PNG 图片"
    assert [line["kind"] for line in (front, back, licence, card)] == list(files)
    assert [line["file"] for line in (front, back, licence, card)] == [str(path) for path in files.values()]
    assert all(list(line) == KEYS for line in (front, back, licence, card))
    assert front["fields"] == specimens.person(SEED).front_fields()
    assert back["fields"] == specimens.person(SEED).back_fields()
    assert licence["fields"] == specimens.business(SEED).fields()
    assert card["fields"] == specimens.bank_card(SEED).fields()


def test_every_unusable_file_gets_its_sentence_and_the_rest_are_read(
    ocr_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    expected = {tmp_path / "absent.jpg": "没有找到这个文件", tmp_path: "这是文件夹，请给出里面照片的名字"}
    for number, (content, _, words) in enumerate(HOSTILE.values()):
        path = tmp_path / f"{number}.jpg"
        path.write_bytes(content)
        expected[path] = words
    good = drawn(tmp_path)["id_back"]
    assert command.main([*map(str, expected), str(good)], True, None, ocr_data) == 1
    *refused, read = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    for (path, words), line in zip(expected.items(), refused, strict=True):
        assert line["file"] == str(path)
        assert words in line["error"]
        assert line["quality"]["advice"] == line["error"]
        assert list(line) == [*KEYS, "code", "error"]
    assert read["fields"] == specimens.person(SEED).back_fields()


def test_a_reader_that_dies_costs_one_file_only(
    ocr_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    good = drawn(tmp_path)["id_back"]
    ask, asked = pool.Worker.ask, []

    def dying(worker: pool.Worker, content: bytes) -> bytes:
        asked.append(worker.pid)
        if len(asked) == 1:
            worker._process.kill()
        return ask(worker, content)

    monkeypatch.setattr(pool.Worker, "ask", dying)
    assert command.main([str(good), str(good)], True, "id_back", ocr_data) == 1
    first, second = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert first["code"] == "ocr_unavailable"
    assert second["fields"] == specimens.person(SEED).back_fields()
    assert asked[0] != asked[1]


def test_without_json_a_person_reads_labels_and_what_to_check(
    ocr_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    good = drawn(tmp_path)["id_back"]
    assert command.main([str(good)], False, None, ocr_data) == 0
    shown = capsys.readouterr().out
    assert "身份证国徽面" in shown
    assert f"签发机关  {specimens.person(SEED).authority}" in shown


def test_no_files_or_an_unknown_kind_is_wrong_use(ocr_data: Path) -> None:
    assert command.main([], True, None, ocr_data) == 2
    assert command.main(["a.jpg"], True, "passport", ocr_data) == 2
