"""Invented people and photographs of their invented papers (样张), the same for the same seed.

person = specimens.person(7)
jpeg = specimens.draw_front(person, seed=7, degree="medium")
person.front_fields()  # what a perfect reader would say
"""

from backend.sandbox.specimens import camera, cards, licences
from backend.sandbox.specimens.camera import Degree, Flaw
from backend.sandbox.specimens.people import BankCard, Business, Person, bank_card, business, person

__all__ = [
    "BankCard",
    "Business",
    "Degree",
    "Flaw",
    "Person",
    "bank_card",
    "business",
    "draw_back",
    "draw_bank_card",
    "draw_front",
    "draw_licence",
    "person",
]


def draw_front(person: Person, seed: int, degree: Degree = "easy", flaw: Flaw = "") -> bytes:
    """A photograph (JPEG) of the front of the ID card; `seed` chooses the damage."""
    return camera.photograph(cards.front(person), f"front {seed}", degree, flaw)


def draw_back(person: Person, seed: int, degree: Degree = "easy", flaw: Flaw = "") -> bytes:
    """A photograph (JPEG) of the back of the ID card."""
    return camera.photograph(cards.back(person), f"back {seed}", degree, flaw)


def draw_licence(business: Business, seed: int, degree: Degree = "easy", flaw: Flaw = "") -> bytes:
    """A photograph (JPEG) of the business licence."""
    drawing = licences.licence(business)
    return camera.photograph(drawing, f"licence {seed}", degree, flaw, camera.SHEET_PHOTO)


def draw_bank_card(card: BankCard, seed: int, degree: Degree = "easy", flaw: Flaw = "") -> bytes:
    """A photograph (JPEG) of the bank card."""
    return camera.photograph(cards.bank_card(card), f"bank card {seed}", degree, flaw)
