"""营业执照."""
from collections.abc import Sequence
from backend.ocr.locate import Word
from backend.ocr.reading import Field
def licence(words: Sequence[Word]) -> dict[str, Field]:
    return {}
