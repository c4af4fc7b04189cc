"""A log line is one line of JSON, whatever somebody wrote into it (ASVS 16.2.5, 16.4.1)."""

import asyncio
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


async def test_lines_of_a_busy_moment_leave_together_and_a_grave_one_at_once(
    capfd: pytest.CaptureFixture[str],
) -> None:
    logs.configure("info")
    log = structlog.get_logger("x")
    for number in range(3):
        log.info("said", number=number)
    assert capfd.readouterr().err == ""
    log.warning("grave")
    told = [json.loads(line) for line in capfd.readouterr().err.splitlines()]
    assert [each.get("number") for each in told] == [0, 1, 2, None]
    log.info("later")
    await asyncio.sleep(0.1)
    assert "later" in capfd.readouterr().err


def test_a_line_of_a_loop_that_ended_is_not_kept_back(capfd: pytest.CaptureFixture[str]) -> None:
    logs.configure("info")
    log = structlog.get_logger("x")

    async def say(words: str) -> None:
        log.info(words)

    asyncio.run(say("first"))
    asyncio.run(say("second"))
    log.info("third")
    assert [json.loads(line)["event"] for line in capfd.readouterr().err.splitlines()] == [
        "first", "second", "third",
    ]  # fmt: skip
