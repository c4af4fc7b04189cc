"""What stands between the page and the training of the command (A1-05, A3-37, D3-01)."""

import ast
import os
import signal
from pathlib import Path

import polars as pl
import pytest

from backend.domains.decision import train as facts_training
from backend.domains.models import apart, training, trainings
from backend.domains.models.training import look, page_words, personal
from tests.domains.models.conftest import invented

ID_NUMBERS = ["11010519491231002X", "440524188001010014"]


def sentences() -> list[str]:
    """Every text of ours with an option of the command in it, out of the training's own sources."""
    folder = Path(training.__file__ or "").parent
    files = [each for each in folder.glob("*.py") if each.stem not in ("command", "page_words")]
    found = []
    for file in [*files, Path(facts_training.__file__)]:
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and "--" in node.value:
                found.append(node.value)
    return [each for each in found if any("\u4e00" <= letter <= "\u9fff" for letter in each)]


def test_no_sentence_of_the_training_names_an_option_on_the_page() -> None:
    found = sentences()
    assert len(found) >= 4
    assert [page_words.of(each) for each in found if "--" in page_words.of(each)] == []
    for option in ("target", "exclude", "monotone", "group", "out-of-time"):
        assert "--" not in page_words.of(f"没有 x 这一列（--{option}），表里有：y")
    assert "--" not in page_words.of("目标列 坏 不能又写在 --out-of-time 里")


@pytest.mark.parametrize(
    ("name", "values", "said"),
    [
        ("联系电话", [f"010-{n:08d}" for n in range(300)], "姓名、证件、电话"),
        ("customer_name", [f"Zhang {n}" for n in range(300)], "姓名、证件、电话"),
        ("x", ID_NUMBERS * 150, "身份证号"),
        ("x", [13900000000 + n for n in range(300)], "手机号"),
        ("x", ["6222020200112233440"[:18] + "0"] * 10, ""),
        ("客户编号", [f"K{n:08d}" for n in range(300)], ""),
        ("有没有手机", ["有", "没有"] * 150, ""),
        ("address_applications_90d", list(range(300)), ""),
        ("收入", [1000 + n for n in range(300)], ""),
    ],
)
def test_a_column_that_names_people_is_found_by_its_name_or_by_what_is_in_it(
    name: str, values: list[object], said: str
) -> None:
    found = personal.why(pl.DataFrame({name: values}))
    assert (said in found and f"“{name}”" in found) if said else found == ""


def test_a_look_tells_each_column_and_keeps_no_value() -> None:
    found = look.look(invented(500).write_csv().encode())
    assert (found.why, found.cases) == ("", 500)
    kinds = {each.name: each.kind for each in found.columns}
    assert (kinds["年龄"], kinds["职业"], kinds["常数"], kinds["客户编号"]) == (
        "number", "category", "none", "none",
    )  # fmt: skip
    wide = pl.DataFrame({f"c{n}": [1, 2] for n in range(trainings.MOST_COLUMNS + 1)})
    assert "最多 150 列" in look.look(wide.write_csv().encode()).why


async def test_a_process_tells_its_steps_alone_and_its_death_is_an_answer_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "speaks.py").write_text(
        "import os, signal, sys\nfrom backend.domains.models import apart\n"
        "word = sys.stdin.buffer.read()\napart.tell('分箱')\nprint('张三 13900000000', file=sys.stderr)\n"
        "if word == b'die': os.kill(os.getpid(), signal.SIGKILL)\nsys.stdout.buffer.write(word * 2)\n"
    )
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{Path.cwd()}")
    steps: list[str] = []
    assert await apart.run("speaks", b"ab", hear=steps.append) == b"abab"
    assert steps == ["分箱"]
    with pytest.raises(apart.ApartFailed):
        await apart.run("speaks", b"die")


async def test_a_process_that_takes_too_long_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "sleeps.py").write_text(
        "import os, pathlib, time\n"
        f"pathlib.Path({str(tmp_path)!r}, 'pid').write_text(str(os.getpid()))\ntime.sleep(60)\n"
    )
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{Path.cwd()}")
    with pytest.raises(apart.ApartFailed):
        await apart.run("sleeps", b"", seconds=3)
    with pytest.raises(ProcessLookupError):
        os.kill(int((tmp_path / "pid").read_text()), signal.SIG_DFL)
