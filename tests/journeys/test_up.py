"""`./xiaodai up` as an operator meets it: starts, heals, ends without a trace."""

import contextlib
import json
import signal
import subprocess
import sys
import time

import httpx
import psutil
import pytest

from tests.chaos.arena import ROOT, Arena


def wait_until(true: object, seconds: float = 40) -> bool:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if true():  # type: ignore[operator]
            return True
        time.sleep(0.2)
    return False


def answers(url: str) -> bool:
    try:
        return httpx.get(url, timeout=3, trust_env=False).status_code == 200
    except httpx.HTTPError:
        return False


def left(processes: list[psutil.Process]) -> list[psutil.Process]:
    """Those that still run."""
    found = []
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            if process.is_running() and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


@pytest.mark.slow
def test_up_starts_heals_and_ends_without_a_trace() -> None:
    arena = Arena()
    try:
        arena.start()
        assert f"ready {arena.web}" in arena.output
        assert "▀" in arena.output or "█" in arena.output  # the entry page as a QR code
        first = arena.pids()

        refused = subprocess.run(
            [sys.executable, "-m", "backend", "up", "--data", str(arena.data), "--port", str(arena.port)],
            cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert (refused.returncode, "已经有一个" in refused.stderr) == (2, True)

        old = arena.processes()[1:]
        parts = first.keys() - {"supervisor"}
        assert {"web", "worker", "decider", "sandbox", "ocr", "postgres"} == parts
        for part in parts:
            psutil.Process(first[part]).kill()
        assert wait_until(lambda: all(arena.pids()[part] != first[part] for part in parts))
        assert wait_until(lambda: answers(arena.web + "/readyz"))
        assert wait_until(lambda: left(old) == []), "a killed server's workers would go on serving"

        family = arena.processes()
        arena.stop(signal.SIGTERM)
        assert left(family) == []
        assert not (arena.data / "run" / "pids.json").exists()
        assert not (arena.data / "postgres" / "postmaster.pid").exists()

        arena.start()  # the same data again, no stale lock in the way
        family = arena.processes()
        arena.process.kill()  # type: ignore[union-attr]
        assert wait_until(lambda: left(family[1:]) == [])
    finally:
        arena.remove()


@pytest.mark.slow
def test_a_journey_needs_no_more_than_the_address_of_the_site(arena: Arena) -> None:
    """The sandbox is found by the site's own sign-on; acts are counted where the database is known."""
    counted = travel("--url", arena.web, "--count", "2", "--concurrency", "2", "--data", str(arena.data))
    assert (counted["errors"], counted["human_actions"], counted["journeys"]) == (0, 0, 2), counted
    alone = travel("--url", arena.web)
    assert (alone["errors"], alone["human_actions"]) == (0, None), alone


def travel(*options: str) -> dict[str, object]:
    done = subprocess.run(
        [sys.executable, "-m", "backend", "journey", "--json", *options],
        cwd=ROOT, capture_output=True, text=True, timeout=240, check=False,
    )  # fmt: skip
    found: dict[str, object] = json.loads(done.stdout)
    return found


def test_a_journey_to_nowhere_is_one_line_and_exit_2() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "backend", "journey", "--url", "http://127.0.0.1:9"],
        cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stderr.count("\n"), "没有应答" in done.stderr) == (2, 1, True), done.stderr
