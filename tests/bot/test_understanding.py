"""What the bot understands, measured on phrases nobody trained on (A11-02, D3-17)."""

import hashlib
from pathlib import Path

import pytest

from bot.understanding import classifier, rules, topic_of, train

HELD_OUT = train.phrases(Path(__file__).with_name("held_out_2.tsv"))


def test_the_held_out_phrases_are_not_trained_on() -> None:
    assert not {phrase for _, phrase in HELD_OUT} & {phrase for _, phrase in train.phrases()}


def test_the_committed_model_is_of_the_committed_phrases() -> None:
    text = "\n".join(f"{topic}\t{phrase}" for topic, phrase in train.phrases())
    assert classifier.model().phrases_sha256 == hashlib.sha256(text.encode()).hexdigest()


def test_the_classifier_measures_better_than_rules_alone() -> None:
    """The reason it is there at all; the figures stand in bot/README.md."""
    found = train.measure(HELD_OUT)
    assert found["both"][0] >= found["rules"][0] + 0.15
    assert found["both"][1] <= 0.10


@pytest.mark.parametrize("topic", [t for t in rules.TOPICS if t not in {"greeting", "thanks", "none"}])
def test_a_topics_own_name_is_understood(topic: str) -> None:
    assert topic_of(rules.TOPICS[topic]) == topic


@pytest.mark.parametrize("words", ["有人收我手续费，转人工", "客户经理骗我", "还款的事我要投诉"])
def test_a_complaint_comes_before_everything(words: str) -> None:
    assert topic_of(words) == "complaint"


def test_shares_of_certainty_are_shares() -> None:
    assert sum(classifier.probabilities("俺的事办得咋样").values()) == pytest.approx(1)
    assert topic_of("") == "none"
