"""The invented people who lie ready with a phone and a card.

The drawing library is imported when somebody first looks: it would be a third of the sandbox's start.
"""

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from backend.sandbox.specimens import Person

COUNT = 12
Side = Literal["front.jpg", "back.jpg"]
Degree = Literal["clean", "easy", "medium", "hard"]


def everybody() -> "list[Person]":
    return [person(seed) for seed in range(1, COUNT + 1)]


def person(seed: int) -> "Person":
    from backend.sandbox import specimens

    return specimens.person(seed)


def draw(holder: "Person", side: Side, degree: Degree) -> bytes:
    """A photograph (JPEG) of one side of the holder's card. Slow: call it in a thread."""
    from backend.sandbox import specimens

    drawn = specimens.draw_front if side == "front.jpg" else specimens.draw_back
    return drawn(holder, holder.seed, degree)
