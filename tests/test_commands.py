"""The command line as a shell uses it."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]


def test_output_that_nobody_reads_to_the_end_is_no_error() -> None:
    line = f"{sys.executable} -m backend settings | head -c 1 >/dev/null; echo ${{PIPESTATUS[0]}}"
    done = subprocess.run(
        ["bash", "-c", line], cwd=ROOT, capture_output=True, text=True, timeout=60, check=False
    )
    assert (done.stdout.strip(), "Traceback" in done.stderr) == ("0", False)
