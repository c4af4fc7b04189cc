"""From what a person says to a topic: the rules that must never be missed, the classifier, the other rules."""

from bot.understanding import classifier, rules, wording

SURE, LIKELY = 0.5, 0.35
"""Shares of certainty at which the classifier speaks before the other rules, and after them. Chosen on
tests/bot/held_out.tsv and held_out_2.tsv (README)."""


def topic_of(words: str) -> str:
    """One of `rules.TOPICS`; `none` when nothing is likely enough."""
    text = wording.plain(words)
    bare = wording.without_greeting(text)
    topic = _topic_of(bare)
    return _topic_of(text) if topic == "none" and bare != text else topic


def _topic_of(text: str) -> str:
    ruled = rules.topic_of(text)
    if ruled in rules.FIRST or not text:
        return ruled
    guessed, share = classifier.likeliest(text)
    if share >= SURE and guessed != "none":
        return guessed
    if ruled != "none":
        return ruled
    return guessed if share >= LIKELY else "none"
