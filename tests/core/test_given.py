"""What somebody names on the command line is read whole or not at all, and never for ever."""

from pathlib import Path

import pytest

from backend.core import given


def test_a_file_is_read_to_its_last_byte_and_no_further_than_agreed(tmp_path: Path) -> None:
    path = tmp_path / "file"
    for size in (0, 1, 10):
        path.write_bytes(b"x" * size)
        assert given.read(path, 10) == b"x" * size
    path.write_bytes(b"x" * 11)
    with pytest.raises(given.Unfit, match="文件太大"):
        given.read(path, 10)


def test_a_file_that_says_it_is_empty_and_is_not_is_read_and_bounded() -> None:
    told = given.read(Path("/proc/self/status"))
    assert told.startswith(b"Name:")
    with pytest.raises(given.Unfit):
        given.read(Path("/proc/self/status"), 10)
