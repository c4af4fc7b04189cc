"""Words as they come (typed, dictated, misspelt) brought to one form before anything is understood."""

import re
import unicodedata

_SLIPS = {
    **dict.fromkeys(("进渡", "近度"), "进度"),
    **dict.fromkeys(("额渡", "额都"), "额度"),
    **dict.fromkeys(("还欵", "环款"), "还款"),
    **dict.fromkeys(("代款", "货款"), "贷款"),
    **dict.fromkeys(("投拆", "投述", "头诉"), "投诉"),
    **dict.fromkeys(("经里", "精理"), "经理"),
    "查寻": "查询",
    "利西": "利息",
    "人功": "人工",
}
"""What an input method or a dialect makes of the words that matter here."""

_POLITE = re.compile(
    r"^(你好|您好|哈喽|早上好|下午好|晚上好)?(请问|问一下|麻烦问下|打听一下|我想问问?)?(?=..)"
)
_DECORATION = re.compile(r"[^\w\u4e00-\u9fff]+")


def plain(words: str) -> str:
    """Width and case unified, emoji and punctuation gone, slips mended. Empty when nothing was said; question
    marks alone stay one."""
    text = unicodedata.normalize("NFKC", words).lower().strip()
    if text and not text.strip("? "):
        return "?"
    # English needs its spaces, Chinese has none that mean anything.
    gap = " " if text.isascii() else ""
    text = gap.join(_DECORATION.sub(" ", text).split())
    for slip, meant in _SLIPS.items():
        text = text.replace(slip, meant)
    return text


def without_greeting(text: str) -> str:
    """What follows 您好，请问 … in a plain text."""
    return _POLITE.sub("", text, count=1)
