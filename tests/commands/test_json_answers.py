"""`--json` is JSON and nothing else on standard output, whatever is logged meanwhile (issue 3 §9)."""

import argparse
import importlib
import json
import subprocess
import sys

from backend.__main__ import COMMANDS
from tests.commands.test_support_commands import ROOT

STANDING_IN = """
import importlib, logging, runpy, sys
import structlog

def run(args):
    structlog.get_logger("outside").info("outside_call")
    structlog.get_logger("outside").warning("planted", logger="ours")
    logging.getLogger("library").warning("planted by a library")
    print('{"answer": "%s"}' % args.command)
    return 0

for name in sys.argv[1:]:
    module = importlib.import_module("backend.commands." + name.replace("-", "_"))
    module.arguments, module.run = lambda parser: parser.add_argument("--json", action="store_true"), run
    sys.argv = ["xiaodai", name, "--json"]
    try:
        runpy.run_module("backend", run_name="__main__", alter_sys=True)
    except SystemExit as ended:
        assert ended.code == 0, ended.code
"""


def commands_with_json() -> list[str]:
    found = []
    for name in COMMANDS:
        parser = argparse.ArgumentParser()
        importlib.import_module(f"backend.commands.{name.replace('-', '_')}").arguments(parser)
        if "--json" in parser._option_string_actions:
            found.append(name)
    return found


def test_what_is_logged_never_stands_among_the_json() -> None:
    """Each command stands in for itself with one that logs: the process around it is the real one."""
    names = commands_with_json()
    assert {"bench", "journey", "train", "backtest", "seed", "decide", "inspect", "ocr"} <= set(names)
    done = subprocess.run(
        [sys.executable, "-c", STANDING_IN, *names],
        cwd=ROOT, capture_output=True, text=True, timeout=120, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert [json.loads(line)["answer"] for line in done.stdout.splitlines()] == names
    said = [json.loads(line)["event"] for line in done.stderr.splitlines() if line.startswith("{")]
    assert said.count("planted") == said.count("planted by a library") == len(names)
    assert "outside_call" not in said, "a call that went well is no news for a person at a terminal"


def test_processes_that_a_trial_starts_log_to_standard_error_too() -> None:
    """A spawned process imports the main module by another name before it works."""
    work = (
        "import runpy, structlog; runpy.run_module('backend', run_name='__mp_main__');"
        "structlog.get_logger('decision').warning('planted')"
    )
    done = subprocess.run(
        [sys.executable, "-c", work], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.returncode, done.stdout) == (0, "")
    assert json.loads(done.stderr.splitlines()[-1])["event"] == "planted"
