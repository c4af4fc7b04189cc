"""What the words most likely mean, for wordings no rule knows: a linear model over character n-grams.

Trained by `train.py` with scikit-learn on the committed phrases and kept as JSON, so that serving needs neither
scikit-learn nor a model file of code. It only chooses which approved text is shown; it decides and promises
nothing (D3-17).
"""

import math
from collections import Counter
from functools import cache
from pathlib import Path

import msgspec

MODEL = Path(__file__).with_name("model.json")
LONGEST = 3


class Model(msgspec.Struct, frozen=True):
    """`weights[gram][i]` belongs to `topics[i]`; `idf` as scikit-learn's smooth idf, rows of unit length."""

    topics: list[str]
    intercepts: list[float]
    idf: dict[str, float]
    weights: dict[str, list[float]]
    phrases_sha256: str


@cache
def model() -> Model:
    return msgspec.json.decode(MODEL.read_bytes(), type=Model)


def grams(words: str) -> Counter[str]:
    """Runs of 1 to 3 characters of the words with a mark at each end."""
    text = f"^{''.join(words.lower().split())}$"
    return Counter(
        text[i : i + n]
        for n in range(1, LONGEST + 1)
        for i in range(len(text) - n + 1)
        if text[i : i + n] not in "^$"
    )


def probabilities(words: str) -> dict[str, float]:
    """Topic → share of certainty; all of it together is 1."""
    made = model()
    values = {gram: count * made.idf[gram] for gram, count in grams(words).items() if gram in made.idf}
    length = math.sqrt(sum(value * value for value in values.values())) or 1.0
    scores = list(made.intercepts)
    for gram, value in values.items():
        for index, weight in enumerate(made.weights[gram]):
            scores[index] += weight * value / length
    highest = max(scores)
    shares = [math.exp(score - highest) for score in scores]
    return {topic: share / sum(shares) for topic, share in zip(made.topics, shares, strict=True)}


def likeliest(words: str) -> tuple[str, float]:
    """(topic, its share of certainty); the topic may be `none`."""
    shares = probabilities(words)
    topic = max(shares, key=shares.__getitem__)
    return topic, shares[topic]
