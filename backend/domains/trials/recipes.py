"""What the documents of a recipe name by hash, from the recipe's own texts."""

import msgspec

from backend.domains.decision import cards, facts, lint
from backend.domains.trials.model import Recipe


def library(recipe: Recipe, catalogue: facts.Catalogue) -> lint.Library:
    """Raises `StrategyRefused` for a model that the catalogue does not let score."""
    return lint.Library(
        {key: msgspec.json.decode(text) for key, text in recipe.flows.items()},
        {
            key: cards.compile_card(cards.read(text.encode()), catalogue)
            for key, text in recipe.models.items()
        },
    )
