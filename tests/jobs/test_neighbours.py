"""Who hears the same calls leaves to the other what it was faster to take; the database alone says whose it is."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from backend.core import ids
from backend.jobs.neighbours import LAST, Neighbours
from tests.chaos.arena import ROOT

_TAKES = """
import sys
from pathlib import Path
from backend.jobs.neighbours import Neighbours
mine = Neighbours(Path(sys.argv[1]))
print(*(int(mine.leave_me(each)) for each in sys.argv[2:]), flush=True)
sys.stdin.read()
"""


@contextmanager
def another(data: Path, *calls: str) -> Iterator[list[bool]]:
    """A process that takes these calls, and has them until the end: whether each was free."""
    command = [sys.executable, "-c", _TAKES, str(data), *calls]
    with subprocess.Popen(
        command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        try:
            yield [said == "1" for said in process.stdout.readline().split()]
        finally:
            process.kill()


def test_one_takes_a_call_and_the_other_leaves_it_until_that_process_is_gone(tmp_path: Path) -> None:
    first, second = ids.new(), ids.new()
    mine = Neighbours(tmp_path)
    assert mine.leave_me(first)
    with another(tmp_path, first, second) as free:
        assert free == [False, True]
        assert not mine.leave_me(second)
    assert mine.leave_me(second), "its process is dead: it holds nothing"


def test_only_the_last_calls_are_kept_and_none_after_the_end(tmp_path: Path) -> None:
    calls = [ids.new() for _ in range(LAST + 2)]
    mine = Neighbours(tmp_path)
    assert all(map(mine.leave_me, calls))
    with another(tmp_path, *calls) as free:
        assert free == [True] * 2 + [False] * LAST
    mine.close()
    with another(tmp_path, *calls) as free:
        assert all(free)


def test_without_its_file_it_takes_every_call(tmp_path: Path) -> None:
    (tmp_path / "run").write_text("no directory")
    mine = Neighbours(tmp_path)
    assert mine.leave_me(ids.new())
    mine.close()
