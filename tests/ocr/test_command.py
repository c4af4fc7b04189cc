import json
from pathlib import Path

import pytest

from backend.ocr import command
from backend.sandbox import specimens


def test_one_json_line_per_file_and_a_bad_file_does_not_stop_the_rest(
    ocr_data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    person = specimens.person(90_031)
    good, bad, absent = tmp_path / "good.jpg", tmp_path / "renamed.jpg", tmp_path / "absent.jpg"
    good.write_bytes(specimens.draw_front(person, 90_031, "easy"))
    bad.write_bytes(b"%PDF-1.4")
    assert command.main([str(bad), str(good), str(absent)], True, None, ocr_data) == 1
    first, second, third = (json.loads(line) for line in capsys.readouterr().out.splitlines())
    assert first == {
        "file": str(bad),
        "code": "image_wrong_format",
        "error": "这是 PDF 文件，不是照片。请拍照，或选 JPG、PNG 图片",
    }
    assert list(second) == ["file", "kind", "fields", "doubtful", "quality", "ms"]
    assert second["fields"] == person.front_fields()
    assert third["code"] == "file_unreadable"


def test_no_files_or_an_unknown_kind_is_wrong_use(ocr_data: Path) -> None:
    assert command.main([], True, None, ocr_data) == 2
    assert command.main(["a.jpg"], True, "passport", ocr_data) == 2
