"""`./xiaodai lock`: resolve pyproject.toml into requirements.lock, with hashes and without addresses."""

import argparse
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def arguments(_: argparse.ArgumentParser) -> None:
    """No options."""


def run(_: argparse.Namespace) -> int:
    return subprocess.run(
        [
            sys.executable, "-m", "uv", "pip", "compile", "pyproject.toml", "--extra", "dev",
            "--generate-hashes", "--no-emit-index-url", "--no-annotate", "--no-header",
            "--python-version", "3.11", "--quiet", "--output-file", "requirements.lock",
        ],
        cwd=ROOT, check=False,
    ).returncode  # fmt: skip
