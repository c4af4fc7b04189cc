"""`./xiaodai test`: everything, browser tests included."""

import argparse
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("paths", nargs="*", help="只运行这些测试")


def run(args: argparse.Namespace) -> int:
    if problem := _ensure_browser():
        print(problem, file=sys.stderr)
        return 1
    command = [sys.executable, "-m", "pytest", *(args.paths or ["tests"]), "-q"]
    if not args.paths:
        command += ["-n", "2", "--dist", "loadfile", "-m", "not on_demand"]
    return subprocess.run(command, cwd=ROOT, check=False).returncode


def _ensure_browser() -> str:
    """Install Chromium, Chinese fonts and what opencv links where they are missing; "" when all is there."""
    if shutil.which("chromium") and Path("/usr/share/fonts/opentype/noto").exists():
        return ""
    if not shutil.which("apt-get") or os.geteuid() != 0:
        return "测试需要 Chromium 和中文字体：请用管理员运行 apt-get install chromium fonts-noto-cjk ffmpeg"
    names = ["chromium", "fonts-noto-cjk", "ffmpeg", "libgl1", "libglib2.0-0"]
    quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
    for command in (["update", "-qq"], ["install", "-y", "-qq", "--no-install-recommends", *names]):
        if subprocess.run(["apt-get", *command], env=quiet, check=False).returncode:
            return f"apt-get {command[0]} 没有成功，浏览器测试不能运行"
    return ""
