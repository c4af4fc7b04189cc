"""Text somebody else wrote, without the characters that no keyboard types and that mislead readers and programs."""

import unicodedata

_KEPT = frozenset("\n")
_DROPPED = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp", "Cn"})
"""Control characters (NUL ends a text in PostgreSQL), invisible and direction-changing ones (a name that reads
backwards), half characters, line ends only programs see, code points nobody assigned. Private-use characters
stay: old ID cards print rare names with them."""

_NARROW = str.maketrans("０１２３４５６７８９．－−＞＜＝％", "0123456789.--><=%")


def narrow(text: str) -> str:
    """Digits and signs as a Chinese keyboard gives them in its wide setting, and the minus of print, as plain ones."""
    return text.translate(_NARROW)


def plain(text: str) -> str:
    """The text without them; line breaks become `\\n`, the rest is as it was given."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if text.isascii() and text.isprintable():
        return text
    return "".join(c for c in text if c in _KEPT or unicodedata.category(c) not in _DROPPED)
