"""A log line is one line of JSON, whatever somebody wrote into it (ASVS 16.2.5, 16.4.1)."""

import json
import logging

import pytest
import structlog

from backend.web import logs

HOSTILE = (
    'x"} {"level":"info"',
    "a\nb",
    "a\r\nb",
    "a\u2028b",
    "a\u2029b",
    "a\x85b",
    "\x1b[31m",
    "\u202egnp",
    "\x00",
    "\ud800",
)


@pytest.fixture(autouse=True)
def configured() -> object:
    """Put back what the other tests log with."""
    root = logging.getLogger()
    before = root.handlers[:], root.level, structlog.get_config()
    logs.configure("info")
    yield
    root.handlers[:], root.level = before[0], before[1]
    structlog.configure(**before[2])


@pytest.mark.parametrize("hostile", HOSTILE)
def test_nobody_adds_a_line_of_their_own(hostile: str, capfd: pytest.CaptureFixture[str]) -> None:
    logs.configure("info")
    structlog.get_logger("x").info("said", words=hostile, **{"k": {"deep": [hostile]}})
    logging.getLogger("library").warning("said %s", hostile)
    lines = capfd.readouterr().err.splitlines()
    assert len(lines) == 2, lines
    for line in lines:
        assert json.loads(line)["event"].startswith("said")
        assert not any(ord(c) < 32 or 0x7F <= ord(c) < 0xA0 or c in "\u202e\u2028" for c in line)


def test_numbers_of_people_and_words_of_exceptions_stay_out(capfd: pytest.CaptureFixture[str]) -> None:
    logs.configure("info")
    structlog.get_logger("x").info(
        "said", id="41170119800307123X", phones=["13812345678"], card={"no": "6222020000001234567"},
        cause=ValueError("张三 13812345678"),
    )  # fmt: skip
    try:
        raise ValueError("张三 13812345678")
    except ValueError:
        logging.getLogger("library").exception("failed for %s", "13812345678")
    told = capfd.readouterr().err
    for secret in ("41170119800307123X", "13812345678", "6222020000001234567", "张三"):
        assert secret not in told
    assert told.count("ValueError") == 2
