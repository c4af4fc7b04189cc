"""Random numbers by key: the same seed, field and number give the same draw, in whatever order they are asked.

A counter run through the SplitMix64 finaliser, as whole arrays. No state, so nothing depends on chunks.
"""

import hashlib
import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

Array = npt.NDArray[Any]
_STEP = np.uint64(0x9E3779B97F4A7C15)
_FIRST, _SECOND = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)


class Draws:
    """All draws of one seed; `keys` are whole numbers, one draw each."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._fields: dict[str, np.uint64] = {}

    def bits(self, field: str, keys: Array) -> Array:
        """64 mixed bits per key."""
        start = self._fields.get(field)
        if start is None:
            digest = hashlib.sha256(f"{self._seed}:{field}".encode()).digest()
            start = self._fields[field] = np.uint64(int.from_bytes(digest[:8], "big"))
        with np.errstate(over="ignore"):
            x = keys.astype(np.uint64) * _STEP + start
            x = (x ^ (x >> np.uint64(30))) * _FIRST
            x = (x ^ (x >> np.uint64(27))) * _SECOND
        mixed: Array = x ^ (x >> np.uint64(31))
        return mixed

    def uniform(self, field: str, keys: Array, low: float = 0.0, high: float = 1.0) -> Array:
        """In (low, high), never the ends."""
        share = ((self.bits(field, keys) >> np.uint64(11)).astype(np.float64) + 0.5) * 2.0**-53
        drawn: Array = low + (high - low) * share
        return drawn

    def normal(self, field: str, keys: Array, mean: Any = 0.0, deviation: Any = 1.0) -> Array:
        radius = np.sqrt(-2.0 * np.log(self.uniform(field, keys)))
        turn = np.cos(2.0 * math.pi * self.uniform(f"{field} turn", keys))
        drawn: Array = mean + deviation * radius * turn
        return drawn

    def exponential(self, field: str, keys: Array, mean: Any) -> Array:
        drawn: Array = -np.log(self.uniform(field, keys)) * mean
        return drawn

    def chance(self, field: str, keys: Array, probability: Any) -> Array:
        happened: Array = self.uniform(field, keys) < probability
        return happened

    def whole(self, field: str, keys: Array, low: int, high: int) -> Array:
        """A whole number from low to high, both possible."""
        drawn: Array = low + (self.uniform(field, keys) * (high - low + 1)).astype(np.int64)
        return drawn

    def poisson(self, field: str, keys: Array, mean: Array, most: int = 40) -> Array:
        """By inversion of one uniform; cut off at `most`."""
        left = self.uniform(field, keys)
        term = np.exp(-mean)
        total = term.copy()
        count = np.zeros(len(keys), dtype=np.int64)
        for number in range(1, most + 1):
            above = left > total
            if not above.any():
                break
            count += above
            term = term * mean / number
            total = total + term
        return count

    def pick(self, field: str, keys: Array, weights: Sequence[Any]) -> Array:
        """The number of the chosen weight; each weight is one number or one per key."""
        total = np.zeros(len(keys)) + sum(weights)
        left = self.uniform(field, keys) * total
        chosen = np.zeros(len(keys), dtype=np.int64)
        reached = np.zeros(len(keys))
        for weight in weights[:-1]:
            reached = reached + weight
            chosen += left >= reached
        return chosen


def logistic(x: Array) -> Array:
    chance: Array = 1.0 / (1.0 + np.exp(-x))
    return chance


def between(x: Array, low: Any, high: Any) -> Array:
    """Rounded and held inside, as whole numbers."""
    held: Array = np.clip(np.rint(x), low, high).astype(np.int64)
    return held


def fen(yuan: Array, step: int = 100) -> Array:
    """Yuan to whole fen, rounded to `step` fen."""
    rounded: Array = np.rint(yuan * 100 / step).astype(np.int64) * step
    return rounded
