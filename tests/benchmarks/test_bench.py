"""The bench is run on demand; what it stands on is held here, so that it runs when it is wanted."""

import argparse
import importlib
import json
from pathlib import Path
from types import ModuleType

import httpx
import pytest

from backend import app as studio_app
from backend import wiring
from backend.commands import bench
from backend.db.database import Database
from backend.settings import Settings
from tests.benchmarks import bench_web, figure

PARTS = sorted(path.stem for path in Path(__file__).parent.glob("bench_*.py"))


@pytest.mark.parametrize("name", PARTS)
def test_every_part_can_be_run(name: str) -> None:
    part: ModuleType = importlib.import_module(f"tests.benchmarks.{name}")
    assert callable(part.run)


async def test_what_the_web_figures_ask_for_is_answered(settings: Settings, db: Database) -> None:
    code, case = await bench_web.stage(db)
    made = studio_app.create_app(settings, db=db)
    async with wiring.opened(settings, db=db) as context:
        made.state.context = context
        transport = httpx.ASGITransport(made)
        async with httpx.AsyncClient(transport=transport, base_url=settings.public_base) as phone:
            landing = [await phone.get(path) for path in (code, f"/p/{bench_web.COUNTY}/{bench_web.PRODUCT}")]
            asked = bench_web.signed_question(settings, case)
            standing = await phone.get(asked[0], headers=asked[1])
    assert [reply.status_code for reply in (*landing, standing)] == [200, 200, 200]
    assert standing.json()["application_id"] == case


def test_a_goal_missed_is_the_exit_code_and_every_field_is_there(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def exit_code(value: float) -> int:
        monkeypatch.setattr(bench.signal, "signal", lambda *_: None)
        monkeypatch.setattr(bench_web, "run", lambda: [figure.over("a", value, "us", 2, 10, "b")])
        return bench.run(argparse.Namespace(json=True, only="bench_web"))

    assert exit_code(20) == 0
    [told] = json.loads(capsys.readouterr().out)
    assert set(told) == set(bench.COLUMNS)
    assert (told["ratio"], told["goal"], told["met"]) == (2.0, "≤2×", True)
    assert exit_code(21) == 1


def test_a_part_that_breaks_off_is_missed_and_costs_no_other_figure(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken() -> None:
        raise RuntimeError("no disk")

    for name in PARTS:
        part = importlib.import_module(f"tests.benchmarks.{name}")
        monkeypatch.setattr(part, "run", lambda name=name: [figure.over(name, 1, "us", 2, 10, "b")])
    monkeypatch.setattr(bench_web, "run", broken)
    monkeypatch.setattr(bench.signal, "signal", lambda *_: None)
    assert bench.run(argparse.Namespace(json=True, only="")) == 1
    said = capsys.readouterr()
    told = {each["name"]: each for each in json.loads(said.out)}
    assert set(PARTS) - set(told) == {"bench_web"}
    assert [each["met"] for name, each in told.items() if name.startswith("bench_web")] == [False]
    assert "no disk" in said.err
    assert bench.run(argparse.Namespace(json=False, only="bench_web")) == 1


def test_the_sign_of_a_goal() -> None:
    assert figure.share("a", 5, "/s", 0.5, 10, "b")["met"]
    assert not figure.share("a", 4.9, "/s", 0.5, 10, "b")["met"]
    assert figure.at_most("a", 300, "us", 300, 10, "b")["met"]
    assert not figure.at_most("a", 300.1, "us", 300, 10, "b")["met"]
