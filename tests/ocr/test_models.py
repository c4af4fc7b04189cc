import shutil
from pathlib import Path

import pytest

from backend.core import hanzi
from backend.ocr import models
from backend.ocr.engine import Engine


def test_preparing_again_does_nothing(ocr_data: Path) -> None:
    said: list[str] = []
    before = (models.folder(ocr_data) / "digests.json").stat().st_mtime_ns
    assert models.prepare(ocr_data, said.append) == models.folder(ocr_data)
    assert (models.folder(ocr_data) / "digests.json").stat().st_mtime_ns == before
    assert said == []


def test_a_changed_model_is_refused(ocr_data: Path, tmp_path: Path) -> None:
    copy = tmp_path / "models"
    shutil.copytree(models.folder(ocr_data), copy)
    with (copy / "det" / "inference.onnx").open("ab") as file:
        file.write(b"\0")
    with pytest.raises(models.ModelsDamaged):
        models.verify(copy)


def test_the_recogniser_knows_the_standard_characters_and_no_traditional_look_alike(engine: Engine) -> None:
    known = set(engine.alphabet.index)
    missing = [character for character in hanzi.standard() if character not in known]
    assert len(missing) <= 2, missing
    assert not set("漢緱鄉鎮縣號") & known
