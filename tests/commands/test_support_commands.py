"""`./xiaodai inspect` and `menu` as an operator meets them: a process of its own, one JSON, an exit code (8)."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from backend.commands import reach
from backend.settings import load
from tests.bot.conftest import World, world

__all__ = ["world"]

ROOT = Path(__file__).resolve().parents[2]
OPENID = "oZhangSan0001"


def run(*words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "backend", *words],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={**os.environ, **environment},
    )


async def test_inspect_prints_one_json_of_a_masked_account(world: World, owner_dsn: str) -> None:
    phone = world.phone(OPENID)
    await phone.act(kind="text", content="进度", copies=3)
    done = run("inspect", OPENID, "--json", DATABASE_URL=owner_dsn)
    assert done.returncode == 0, done.stderr
    seen = json.loads(done.stdout)
    assert seen["messages"] == 1
    for name in ("bindings", "leads", "applications", "effects", "events", "notices", "tickets"):
        assert isinstance(seen[name], list), name
    assert OPENID not in done.stdout


def test_inspect_of_nobody_is_a_json_with_an_error_and_exit_1(owner_dsn: str) -> None:
    done = run("inspect", "nobody-at-all", "--json", DATABASE_URL=owner_dsn)
    assert (done.returncode, json.loads(done.stdout)["error"]) == (1, "nobody_found")


@pytest.mark.parametrize("where", ["data", "url"])
def test_without_a_database_it_is_one_line_and_exit_1(tmp_path: Path, where: str) -> None:
    if where == "data":
        done = run("inspect", "somebody", "--json", "--data", str(tmp_path / "nothing"))
    else:
        done = run("inspect", "somebody", "--json", DATABASE_URL="postgresql://127.0.0.1:1/nothing")
    assert (done.returncode, json.loads(done.stdout)["error"]) == (1, "no_database")
    assert "Traceback" not in done.stderr


def test_menu_without_a_platform_is_one_line_and_exit_1(owner_dsn: str) -> None:
    done = run("menu", "show", DATABASE_URL=owner_dsn, WECHAT_API_BASE="http://127.0.0.1:1")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.strip() == "微信暂时连不上，请稍后再试"


def test_commands_speak_to_the_ports_up_was_started_with(tmp_path: Path) -> None:
    data = str(tmp_path)
    assert reach.settings_of({}, data).sandbox_port == 9000
    reach.keep_ports(load({}, xiaodai_data=data, port=8123, sandbox_port=9123))
    found = reach.settings_of({}, data)
    assert (found.public_base, found.wechat_api_base) == (
        "http://127.0.0.1:8123",
        "http://127.0.0.1:9123/wechat",
    )
    assert reach.settings_of({}, data, sandbox_port=9555).sandbox_port == 9555
    assert reach.settings_of({"SANDBOX_PORT": "9777"}, data).sandbox_port == 9777
    explicit = reach.settings_of({"WECHAT_API_BASE": "https://api.weixin.qq.com"}, data)
    assert explicit.wechat_api_base == "https://api.weixin.qq.com"
