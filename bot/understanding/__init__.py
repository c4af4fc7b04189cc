"""From what a person says to a topic: rules first, the classifier for what no rule knows."""

from bot.understanding import classifier, rules


def topic_of(words: str) -> str:
    """One of `rules.TOPICS`; `none` when neither knows."""
    topic = rules.topic_of(words)
    return topic if topic != "none" else classifier.topic_of(words)
