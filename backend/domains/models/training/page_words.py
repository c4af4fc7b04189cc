"""The command's sentences as they read on the page, where no option is typed."""

_INSTEAD = (
    ("；用 --exclude 去掉再训练", "；请把它选成“不用”再训练"),
    ("或用 --exclude 去掉这一列", "或把这一列选成“不用”"),
    ("只做批量评分时加 --free", "只做批量评分时请勾上“只做批量评分”"),
    ("（要按时间检验，用 --out-of-time）", "（要按时间检验，请在“按时间检验”里选它）"),
    ("（--target）", ""),
    ("（--exclude）", ""),
    ("（--only）", ""),
    ("（--monotone）", ""),
    ("（--group）", ""),
    ("（--out-of-time）", ""),
    ("（--county）", ""),
    ("不能又写在 --out-of-time 里", "不能又选来按时间检验"),
)


def of(sentence: str) -> str:
    for typed, chosen in _INSTEAD:
        sentence = sentence.replace(typed, chosen)
    return sentence
