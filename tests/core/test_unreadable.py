"""What a person reads when a file is not what it should be: Chinese, and the place."""

import msgspec
import pytest

from backend.core import unreadable
from backend.domains.decision.model import Case

SOURCES = '{"product": "x", "as_of": "2026-11-23T10:00:00Z", "sources": %s}'
OBSERVED = '"observed_at": "2026-11-23T10:00:00Z"'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "文件是空的"),
        ("{", "没有写完，最后还缺引号或括号"),
        ("[]", "应当是对象（{…}），现在是列表（[…]）"),
        ('{"product": 1}', "product：应当是文字，现在是整数"),
        ('{"product": "x"}', "缺少 as_of"),
        ('{"product": "x", "as_of": "2026"}', "as_of：应当是时间，如 2026-11-23T10:00:00+08:00"),
        (
            '{"product": "x", "as_of": "2026-11-23T10:00:00"}',
            "as_of：这个时间应当带时区，如 2026-11-23T10:00:00+08:00",
        ),
        (SOURCES.replace("%s", "{}, \"extra\": 1"), "没有叫 extra 的项"),
        (SOURCES % '{"a": {%s, "withheld": ["b", 1]}}' % OBSERVED,
         "sources[某一项].withheld[1]：应当是文字，现在是整数"),
        (SOURCES % '{"a": {%s, "facts": []}}' % OBSERVED,
         "sources[某一项].facts：应当是对象（{…}），现在是列表（[…]）"),
        (SOURCES % '{"a": {%s, "facts": {"b": 1e999}}}' % OBSERVED, "sources[某一项].facts[某一项]：这个数太大或太小"),
        ('{\n"product": oops}', "第 2 行第 12 个字不是 JSON 的写法"),
    ],
)  # fmt: skip
def test_what_is_wrong_and_where(text: str, said: str) -> None:
    raw = text.encode()
    with pytest.raises(unreadable.NOT_DECODED) as caught:
        msgspec.json.decode(raw, type=Case)
    assert unreadable.why(caught.value, raw) == said  # type: ignore[arg-type]


def test_a_file_that_is_not_utf8_or_too_deep() -> None:
    raw = b'{"product":"\xff"}'
    with pytest.raises(UnicodeDecodeError) as caught:
        msgspec.json.decode(raw, type=Case)
    assert unreadable.why(caught.value, raw) == "里面有不是 UTF-8 的字"
    assert unreadable.why(RecursionError(), b"[") == "括号套得太深"


def test_a_new_sentence_of_the_decoder_is_not_shown_in_english() -> None:
    assert (
        unreadable.why(msgspec.ValidationError("Something new - at `$.a[3].b`"), b"{}") == "a[3].b：写法不对"
    )
    assert unreadable.system(OSError(12345, "Strange")) == "系统错误 12345"
