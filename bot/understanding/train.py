"""Train the classifier: `python -m bot.understanding.train`. Writes model.json; the same phrases, the same bytes.

`measure` compares rules, classifier and both on any set of phrases; the figures stand in bot/README.md.
"""

import hashlib
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec

from bot.understanding import LIKELY, classifier, rules, topic_of, wording

PHRASES = Path(__file__).with_name("train.tsv")
STRENGTH = 12.0  # inverse regularisation, chosen by cross-validation on the training phrases


def phrases(path: Path = PHRASES) -> list[tuple[str, str]]:
    """(topic, phrase) of every line; of a phrase that wants several things `one|another`, either is right."""
    pairs = [line.split("\t") for line in path.read_text().splitlines() if line]
    return [(topic, phrase) for topic, phrase in pairs]


def fit(pairs: list[tuple[str, str]], strength: float = STRENGTH) -> classifier.Model:
    """Multinomial logistic regression over tf-idf; topics weigh the same however many phrases they have."""
    pairs = [(topic, wording.plain(phrase)) for topic, phrase in pairs]
    from sklearn.feature_extraction.text import TfidfVectorizer
    from sklearn.linear_model import LogisticRegression

    vectors = TfidfVectorizer(analyzer=lambda words: list(classifier.grams(words).elements()))
    rows = vectors.fit_transform([phrase for _, phrase in pairs])
    model = LogisticRegression(C=strength, class_weight="balanced", max_iter=2000)
    model.fit(rows, [topic for topic, _ in pairs])
    names = vectors.get_feature_names_out()
    return classifier.Model(
        topics=[str(topic) for topic in model.classes_],
        intercepts=[round(float(value), 4) for value in model.intercept_],
        idf={str(name): round(float(value), 4) for name, value in zip(names, vectors.idf_, strict=True)},
        weights={
            str(name): [round(float(value), 3) for value in model.coef_[:, index]]
            for index, name in enumerate(names)
        },
        phrases_sha256=fingerprint(pairs),
    )


def fingerprint(pairs: list[tuple[str, str]]) -> str:
    """Says of which phrases, as they are understood, a model is."""
    lines = "\n".join(f"{topic}\t{wording.plain(phrase)}" for topic, phrase in pairs)
    return hashlib.sha256(lines.encode()).hexdigest()


def measure(pairs: list[tuple[str, str]]) -> dict[str, tuple[float, float]]:
    """(share understood rightly, share answered with a wrong topic) by method."""
    methods: dict[str, Callable[[str], str]] = {
        "rules": lambda words: rules.topic_of(wording.plain(words)),
        "classifier": _classifier_alone,
        "both": topic_of,
    }
    found = {}
    for name, method in methods.items():
        given = [(topic.split("|"), method(phrase)) for topic, phrase in pairs]
        right = sum(guess in topics for topics, guess in given)
        wrong = sum(guess not in topics and guess != "none" for topics, guess in given)
        found[name] = (right / len(pairs), wrong / len(pairs))
    return found


def _classifier_alone(words: str) -> str:
    topic, share = classifier.likeliest(wording.plain(words))
    return topic if share >= LIKELY else "none"


def main() -> None:
    classifier.MODEL.write_bytes(msgspec.json.encode(fit(phrases()), order="sorted") + b"\n")
    classifier.model.cache_clear()
    for path in [PHRASES, *map(Path, sys.argv[1:])]:
        for name, (right, wrong) in measure(phrases(path)).items():
            sys.stdout.write(f"{path.name} {name}: right {right:.3f}, wrong topic {wrong:.3f}\n")


if __name__ == "__main__":
    main()
