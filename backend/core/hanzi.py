"""通用规范汉字表: the 8,105 characters a name, an address or a seal may be written with.

`hanzi.txt` holds them in the order of the table (1–3500 common, 3501–6500 less common, 6501–8105 names, places and
terms), derived from the field kTGH of the Unicode Unihan database 15.0 (Unicode licence v3).
"""

from functools import cache
from pathlib import Path

COMMON = 3500
LESS_COMMON = 6500


@cache
def standard() -> str:
    """All 8,105 characters in the order of the table."""
    return Path(__file__).with_name("hanzi.txt").read_text(encoding="utf-8").replace("\n", "")
