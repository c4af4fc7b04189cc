"""`./xiaodai lock`: resolve pyproject.toml into requirements.lock, with hashes and without addresses."""

import argparse
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
LOCK = ROOT / "requirements.lock"

_ADDRESS = re.compile(r"://|^\s*-(?:i|f|-index-url|-extra-index-url|-find-links|-trusted-host)\b", re.M)
_PINNED = re.compile(r"^[A-Za-z0-9._-]+(\[[^\]]*\])?==[^\s;]+", re.M)


def arguments(_: argparse.ArgumentParser) -> None:
    """No options."""


def run(_: argparse.Namespace) -> int:
    """The file is replaced whole, or stays as it is. What pip is told on this machine does not count; where the
    packages come from is not written."""
    with tempfile.TemporaryDirectory() as scratch:
        made = Path(scratch) / LOCK.name
        shutil.copy(LOCK, made)  # what is pinned stays pinned while it fits
        done = subprocess.run(command(made), cwd=ROOT, check=False)
        if done.returncode:
            print("没有算出来，requirements.lock 没有动。请检查网络和 pyproject.toml", file=sys.stderr)
            return 1
        text = made.read_text("utf-8")
    if problem := unusable(text):
        print(f"{problem}，requirements.lock 没有动", file=sys.stderr)
        return 1
    LOCK.write_text(text, "utf-8")
    return 0


def command(output: Path) -> list[str]:
    return [
        sys.executable, "-m", "uv", "pip", "compile", "pyproject.toml", "--extra", "dev",
        "--generate-hashes", "--no-emit-index-url", "--no-emit-find-links", "--no-annotate", "--no-header",
        "--python-version", "3.11", "--quiet", "--output-file", str(output),
    ]  # fmt: skip


def unusable(text: str) -> str:
    """Why a lock file must not be used; empty when it may. One machine's addresses are nobody else's."""
    if _ADDRESS.search(text):
        return "算出来的文件里有网址"
    blocks = text.replace("\\\n", " ").strip().splitlines()
    if not blocks or not all(_PINNED.match(line) and " --hash=sha256:" in line for line in blocks):
        return "算出来的文件里有没写版本或没写校验值的"
    return ""
