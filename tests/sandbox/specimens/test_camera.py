import io

import pytest
from PIL import Image

from backend.sandbox import specimens
from backend.sandbox.specimens import cards, licences


@pytest.mark.parametrize("degree", ["clean", "easy", "medium", "hard"])
def test_the_same_seed_is_the_same_photograph(degree: specimens.Degree) -> None:
    person = specimens.person(5)
    assert specimens.draw_front(person, 5, degree) == specimens.draw_front(person, 5, degree)
    assert specimens.draw_front(person, 5, degree) != specimens.draw_front(specimens.person(6), 5, degree)


def test_other_seeds_damage_the_same_card_differently() -> None:
    person = specimens.person(5)
    assert specimens.draw_back(person, 1, "hard") != specimens.draw_back(person, 2, "hard")


def test_photographs_are_small_jpegs_in_both_orientations() -> None:
    sizes = set()
    for seed in range(6):
        jpeg = specimens.draw_bank_card(specimens.bank_card(seed), seed, "medium")
        assert len(jpeg) < 1_000_000
        with Image.open(io.BytesIO(jpeg), formats=["JPEG"]) as photo:
            sizes.add(photo.size)
    assert sizes == {(1600, 1200), (1200, 1600)}


def test_every_drawing_is_marked_as_a_specimen(monkeypatch: pytest.MonkeyPatch) -> None:
    marked: list[str] = []
    written = cards.Sheet.text

    def watched(
        sheet: cards.Sheet, at: tuple[float, float], text: str, *rest: object, **named: object
    ) -> float:
        marked.append(text)
        return written(sheet, at, text, *rest, **named)  # type: ignore[arg-type]

    monkeypatch.setattr(cards.Sheet, "text", watched)
    person = specimens.person(1)
    for draw in (
        lambda: cards.front(person),
        lambda: cards.back(person),
        lambda: cards.bank_card(specimens.bank_card(1)),
        lambda: licences.licence(specimens.business(1)),
    ):
        marked.clear()
        draw()
        assert "样张" in marked


def test_no_line_of_a_licence_begins_with_punctuation() -> None:
    for seed in range(60):
        for line in licences.lines_of(specimens.business(seed).scope, 18):
            assert line[0] not in "，。、；：）"
