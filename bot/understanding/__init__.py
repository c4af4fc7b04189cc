"""From what a person says to a topic: the rules that must never be missed, the classifier, the other rules."""

from bot.understanding import classifier, rules, wording

SURE, LIKELY = 0.5, 0.45
"""Shares of certainty at which the classifier speaks before the other rules, and after them. Chosen on the held-out
phrases up to the seventh list: a wrong answer costs more than a question (README)."""
RATHER = 3
"""How many times as likely another topic must be than that of a rule, to be taken instead."""
POSSIBLE, MOST = 0.15, 2
"""What is worth a question "do you mean …?", and how many of them."""
UNASKED = frozenset({"none", "greeting", "thanks", "help"})


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
    shares = classifier.probabilities(text)
    guessed = max(shares, key=shares.__getitem__)
    share = shares[guessed]
    if share >= SURE and guessed != "none":
        return guessed
    if ruled == "none":
        return guessed if share >= LIKELY else "none"
    rather = guessed != "none" and share >= LIKELY and share >= RATHER * shares.get(ruled, 0)
    return guessed if rather else ruled


def perhaps(words: str) -> tuple[str, ...]:
    """For words that were not understood: topics to ask about, the likelier one first."""
    shares = classifier.probabilities(wording.without_greeting(wording.plain(words)))
    topics = sorted(shares, key=shares.__getitem__, reverse=True)
    if topics[0] == "none":
        return ()
    return tuple(topic for topic in topics if shares[topic] >= POSSIBLE and topic not in UNASKED)[:MOST]
