"""The words a guarantor gives their word to (A1-08)."""

import hashlib

import pytest

from backend.domains.guarantees import terms
from tests.h5.customer.guarantee_contexts import WORDS

PUBLISHED = {"surety-1": "a33d1fae5cc1e0dd"}


def test_a_published_promise_never_changes() -> None:
    found = {p.stem: hashlib.sha256(p.read_bytes()).hexdigest()[:16] for p in terms.FOLDER.glob("*.md")}
    assert found == PUBLISHED


def test_the_promise_says_plainly_for_whom_how_much_how_long_and_what_it_means() -> None:
    filled = terms.fill(WORDS)
    told = "".join(text for _, texts in filled.sections for text in texts)
    assert filled.title == "连带责任保证承诺"
    assert "{" not in filled.source
    for said in ("50,000", "直接找您还", "可以不签", "不收", "2029 年 5 月 23 日", "张*", "甲县农村商业银行"):
        assert said in told, said


def test_the_hash_covers_every_word_and_a_word_left_out_is_no_promise() -> None:
    assert terms.fill(WORDS).sha256 != terms.fill(WORDS | {"amount": "60,000"}).sha256
    with pytest.raises(KeyError):
        terms.fill({"borrower": "张*"})
