"""A county's spreadsheet is read in the letters it was saved in, and what is neither is not guessed at."""

import io

import pytest

from backend.core import csv_text

TABLE = "客户,村\r\n1,㐂善村\r\n2,𠮷塘乡\r\n" * 3


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
def test_both_encodings_and_the_mark_give_the_same_text(encoding: str) -> None:
    assert csv_text.decode(TABLE.encode(encoding)) == TABLE


def test_plain_figures_are_taken_as_they_are(tmp_path) -> None:
    path = tmp_path / "plain.csv"
    path.write_bytes(b"a,b\n1,2\n")
    assert csv_text.readable(path) == path


def test_a_large_file_is_read_in_blocks_that_end_with_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(csv_text, "BLOCK", 7)
    assert csv_text.as_utf8(io.BytesIO(TABLE.encode())) is None
    assert csv_text.decode(TABLE.encode("gb18030")) == TABLE


@pytest.mark.parametrize(
    ("raw", "why"),
    [
        (TABLE.encode("utf-16"), csv_text.NEITHER),
        (TABLE.encode("utf-16-be"), csv_text.NO_TEXT),
        (b"\xff\xfe\xff\n", csv_text.NEITHER),
        (b"a,b\n\xff\n", csv_text.NEITHER),
        (TABLE.encode("gb18030")[:-3], csv_text.NEITHER),
        (b"\x89PNG\r\n\x1a\n\x00\x00", csv_text.NO_TEXT),
        (TABLE.encode() + "村".encode()[:2], csv_text.DAMAGED.format(line=10)),
        (b"\xef\xbb\xbfa,b\n1,\xb0\xa1\n", csv_text.DAMAGED.format(line=2)),
    ],
)
def test_what_is_neither_is_refused_with_what_to_do(raw: bytes, why: str) -> None:
    with pytest.raises(csv_text.NotText) as refused:
        csv_text.decode(raw)
    assert refused.value.why == why


@pytest.mark.parametrize(
    ("text", "kept"), [("=1+1", "'=1+1"), ("-5", "'-5"), ("\r=1", "'\r=1"), ("张*", "张*"), ("", "")]
)
def test_no_cell_of_a_file_is_a_formula(text: str, kept: str) -> None:
    assert csv_text.cell(text) == kept


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("260728000123", "\t260728000123"),
        ("13800000071", "\t13800000071"),
        ("0012", "\t0012"),
        ("0", "0"),
        ("20000.00", "20000.00"),
        ("2026-07-28 10:00", "2026-07-28 10:00"),
        ("612", "612"),
        ("SQ260728000123", "SQ260728000123"),
        ("=260728000123", "'=260728000123"),
    ],
)
def test_a_number_of_many_digits_stays_whole_in_a_spreadsheet(text: str, kept: str) -> None:
    """The text of a cell: Excel makes 2.6E+11 of twelve digits, and drops zeros at the head."""
    assert csv_text.cell(text) == kept
