"""Archives whose makers lie about what is in them."""

import io
import tracemalloc
import zipfile

import pytest

from backend.core import archives
from tests.liars import LARGE, liar


def unpacked(file: bytes) -> tuple[dict[str, bytes], int]:
    """The files, and the most memory that was held meanwhile."""
    tracemalloc.start()
    try:
        found = archives.unpack(file, most_files=4, largest=2_000_000)
        return found, tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("kind", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
def test_of_a_file_that_is_larger_than_it_says_no_more_is_unpacked(kind: int):
    found, held = unpacked(liar({"a.json": LARGE}, kind, told=1_000))
    assert (found, held < 1_000_000) == ({"a.json": b" " * 1_000}, True)


@pytest.mark.parametrize("kind", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_what_can_only_be_unpacked_whole_is_refused(kind: int):
    with pytest.raises(archives.NotAnArchive):
        unpacked(liar({"a.json": 1_000}, kind))


def test_the_bound_is_of_all_files_together_and_of_their_number():
    file = liar({"a": 600, "b": 600}, zipfile.ZIP_DEFLATED)
    assert archives.unpack(file, most_files=2, largest=1_200) == {"a": b" " * 600, "b": b" " * 600}
    for bounds in ({"most_files": 2, "largest": 1_199}, {"most_files": 1, "largest": 1_200}):
        with pytest.raises(archives.TooLarge):
            archives.unpack(file, **bounds)


def test_what_is_packed_again_holds_the_same():
    held = {"xl/a.xml": b"<a/>", "长.bin": bytes(range(256))}
    again = archives.pack(held)
    assert archives.unpack(again, most_files=2, largest=1_000) == held
    with zipfile.ZipFile(io.BytesIO(again)) as read:
        assert read.namelist() == list(held)
