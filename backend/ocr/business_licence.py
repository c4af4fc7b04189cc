"""营业执照: two columns of labels, values right of them and in the lines below, the credit code with its check sum.

A 个体工商户 prints 经营者, 经营场所 and 注册日期 where a company prints 法定代表人, 住所 and 成立日期; the reading
always uses the company's words, so that what follows needs only one.
"""

import re
from collections.abc import Sequence
from datetime import date
from itertools import pairwise

import msgspec
import numpy as np

from backend.core import check_digits
from backend.ocr import fields, labels, places
from backend.ocr.labels import Piece
from backend.ocr.lines import Character
from backend.ocr.locate import Word
from backend.ocr.reading import Field

_SAME = {
    "统一社会信用代码": ("统一社会信用代码", "社会信用代码", "信用代码"),
    "名称": ("名称",),
    "类型": ("类型", "主体类型"),
    "法定代表人": ("法定代表人", "经营者", "负责人", "投资人", "执行事务合伙人"),
    "注册资本": ("注册资本", "出资额", "成员出资总额"),
    "成立日期": ("成立日期", "注册日期"),
    "住所": ("住所", "经营场所", "主要经营场所", "营业场所"),
    "经营范围": ("经营范围", "业务范围"),
}
_OTHERS = ("营业期限", "组成形式", "登记机关", "营业执照", "副本", "正本")
_MEANING = {printed: label for label, forms in _SAME.items() for printed in forms}
_PRINTED = (*_MEANING, *_OTHERS)
_SPREAD = ("名称", "类型", "住所")  # stretched to the width of four characters, often found as two boxes
_CAPITAL = "零壹贰叁肆伍陆柒捌玖拾佰仟万亿圆元角分整人民币美港〇一二三四五六七八九十百千0123456789.()（）"
_TYPE = re.compile(
    r"(一人|其他)?有限责任公司.*|股份有限公司.*|.*分公司|个人独资企业.*|个体工商户|农民专业合作社(联合社)?(分支机构)?|"
    r"(普通|有限|特殊普通)合伙(企业)?.*|合伙企业.*|(全民|集体)所有制.*|股份合作(制|企业).*|联营.*|(外商|港澳台)投资.*|家庭农场"
)
"""The kinds of business a licence prints (市场主体类型); anything else lost or gained a character."""
_AMOUNT = re.compile(
    r"(人民币)?([0-9][0-9.]*[万亿]?[元圆]整?|[零壹贰叁肆伍陆柒捌玖〇一二三四五六七八九十][零壹贰叁肆伍陆柒捌玖拾佰仟万亿〇一二三四五六七八九十百千]*"
    r"[元圆](整|[零壹贰叁肆伍陆柒捌玖]角([零壹贰叁肆伍陆柒捌玖]分)?整?))(人民币|美元|港元)?"
)
"""An amount as a licence prints it: in capital numerals it ends in 整 or with its 角."""
_SURE_OF_NAME = 0.94
"""On the `tune` seeds' hard licences this asks for one more name in twenty, and for five of the six that were silently
read as a commoner character."""
_SCOPE_END = re.compile(r"[。．.）)*#]$")
"""A scope ends with its last full stop, a remark in brackets, or the registry's mark that nothing follows."""
_WITHOUT_CAPITAL = re.compile(r"个体工商户|个人独资.*|.*合伙.*|.*分公司|.*分支机构|家庭农场|")
_NOISE = re.compile(r"^(样张|样本|[（(]?副本[)）]?.*|[（(]?正本[)）]?.*)$")
_CODE = re.compile(r"[0-9A-Za-z]{12,}")
_CODE_LENGTH = 18
_TITLE_LENGTH = 8
_APART = 1.6  # steps of its line between a value and a label that begins the next column


def licence(words: Sequence[Word]) -> dict[str, Field]:
    """Fields under the company's labels; a label whose value was not found is missing."""
    pieces = [piece for word in words for piece in labels.split([word], _printed_in(word))]
    page = _Page(_join_spread(pieces))
    found: dict[str, Field] = {}
    for label in _SAME:
        if label == "统一社会信用代码":
            value = _credit_code(page)
        elif label == "成立日期":
            value = _founded(page)
        else:
            value = _text(page, label)
        if value:
            found[label] = value
    return shaped(found)


def shaped(found: dict[str, Field]) -> dict[str, Field]:
    """Values that have a known shape and do not show it are in doubt; so is the capital a company must print, and a
    person's name, which nothing else on the paper confirms, when it is only nearly sure."""
    kind, capital = found.get("类型"), found.get("注册资本")
    name, scope = found.get("法定代表人"), found.get("经营范围")
    if name and name.confidence < _SURE_OF_NAME:
        found["法定代表人"] = msgspec.structs.replace(name, doubtful=True)
    if scope and not _SCOPE_END.search(scope.text):
        found["经营范围"] = msgspec.structs.replace(scope, doubtful=True)
    if kind and not _TYPE.fullmatch(kind.text):
        found["类型"] = msgspec.structs.replace(kind, doubtful=True)
    if capital and not _AMOUNT.fullmatch(capital.text):
        found["注册资本"] = msgspec.structs.replace(capital, doubtful=True)
    if capital is None and kind and not _WITHOUT_CAPITAL.fullmatch(kind.text):
        found["注册资本"] = Field("", 0.0, [], True)
    return found


def _printed_in(word: Word) -> list[str]:
    """The labels that begin this line or stand apart from what is before them; inside a sentence (凭营业执照依法自主
    开展经营活动) the same words are no labels."""
    text, characters = word.line.text, word.line.characters
    steps = [right.column - left.column for left, right in pairwise(characters)]
    gap = _APART * float(np.median(steps)) if steps else 0.0
    found = []
    for label in _PRINTED:
        at = text.find(label)
        if label == "营业执照" and len(text) > _TITLE_LENGTH:
            continue
        after_label = any(text[:at].endswith(other) for other in _PRINTED)
        if at == 0 or label.endswith("信用代码") or (at > 0 and (after_label or steps[at - 1] > gap)):
            found.append(label)
    return found


class _Page:
    """Labels in their columns and what stands between them."""

    def __init__(self, pieces: Sequence[Piece]) -> None:
        self.values = [piece for piece in pieces if not piece.label and not _NOISE.match(piece.text)]
        self.printed = [piece for piece in pieces if piece.label]
        self.labels: dict[str, Piece] = {}
        for piece in self.printed:
            meaning = _MEANING.get(piece.label)
            if meaning and meaning not in self.labels:
                self.labels[meaning] = piece

    def value(self, label: str) -> list[Piece]:
        """The row of a label and the lines under it, up to the next label of the column and of the row."""
        anchor = self.labels.get(label)
        if anchor is None:
            return []
        height = anchor.word.height
        limit = self._next_column(anchor)
        first = labels.row(anchor, self.values, limit)
        left = first[0].word.left if first else anchor.word.right
        floor = self._next_row(anchor)
        lower = [
            (labels.below(piece, anchor), piece)
            for piece in labels.outside(self.values, first)
            if left - 1.2 * height < piece.word.left
            and piece.middle < limit
            and piece.word.height > 0.45 * height
        ]
        lower = [(down, piece) for down, piece in lower if 0.5 * height < down < floor]
        return first + labels.in_rows(self._unbroken(lower, first, height), height)

    def _unbroken(
        self, lower: list[tuple[float, Piece]], first: list[Piece], height: float
    ) -> list[tuple[float, Piece]]:
        """Lines follow each other closely; what comes after a gap belongs to something else."""
        kept: list[tuple[float, Piece]] = []
        previous = 0.0
        for down, piece in sorted(lower, key=lambda pair: pair[0]):
            if down - previous > 2.1 * height:
                break
            kept.append((down, piece))
            previous = down
        return kept if first else []

    def _next_column(self, anchor: Piece) -> float:
        """Level x where the labels of the column to the right begin."""
        height = anchor.word.height
        starts = [
            piece.word.left
            for piece in self.printed
            if piece.label in _MEANING or piece.label in _OTHERS[:2]
            if piece.word.left > anchor.word.right + 3 * height
            and abs(labels.below(piece, anchor)) < 9 * height
        ]
        return min(starts, default=float("inf")) - 0.5 * height

    def _next_row(self, anchor: Piece) -> float:
        """How far below the next label of the same column stands."""
        height = anchor.word.height
        downs = [
            labels.below(piece, anchor)
            for piece in self.printed
            if abs(piece.word.left - anchor.word.left) < 3 * height
        ]
        foot = [labels.below(piece, anchor) for piece in self.printed if piece.label == "登记机关"]
        return (
            min((down for down in downs + foot if down > 0.8 * height), default=float("inf")) - 0.5 * height
        )


def _join_spread(pieces: list[Piece]) -> list[Piece]:
    """Join labels whose two characters were found apart: 名 … 称. Where the first was not read, the second alone stands
    for both, as far left as the other labels of its column."""
    joined = list(pieces)
    for label in _SPREAD:
        if any(_MEANING.get(piece.label) == label for piece in joined):
            continue
        for head in [piece for piece in joined if piece.text == label[0]]:
            tail = _tail(head, label[1], joined)
            if tail is not None:
                joined = _replace(joined, head, tail, label)
                break
        else:
            joined = [_widened(piece, label, pieces) if piece.text == label[1] else piece for piece in joined]
    return joined


def _widened(tail: Piece, label: str, pieces: Sequence[Piece]) -> Piece:
    """The last character of a spread label as the whole label, when other labels begin where it must."""
    height = tail.word.height
    lefts = [
        piece.word.left
        for piece in pieces
        if piece.label in _MEANING and 0 < tail.word.left - piece.word.left < 6 * height
    ]
    if not lefts:
        return tail
    return Piece(label, tail.word._replace(left=float(np.median(lefts))))


def _tail(head: Piece, character: str, pieces: list[Piece]) -> Piece | None:
    near = [
        piece
        for piece in pieces
        if not piece.label
        and piece.text.startswith(character)
        and abs(labels.below(piece, head)) < 0.6 * head.word.height
        and 0 < piece.word.left - head.word.left < 6 * head.word.height
    ]
    return min(near, key=lambda piece: piece.word.left, default=None)


def _replace(pieces: list[Piece], head: Piece, tail: Piece, label: str) -> list[Piece]:
    mark, *rest = labels.split([tail.word], [label[1]])
    whole = Piece(label, mark.word._replace(left=head.word.left, height=head.word.height))
    kept = [piece for piece in pieces if piece not in (head, tail)]
    return [*kept, whole, *rest]


def _credit_code(page: _Page) -> Field | None:
    """The code beside its label or anywhere on the page, without what follows it in the same box (编号)."""
    near = page.value("统一社会信用代码")
    lines = []
    for piece in [*near, *page.values]:
        run = _CODE.search(piece.text)
        if run is None and not (piece in near and len(piece.text) >= 12):
            continue
        if run and len(piece.text) > _CODE_LENGTH + 1:
            # Its length and not where the run ends: a character of it may have been read as a Chinese one.
            piece = labels.part(piece, run.start(), min(run.start() + _CODE_LENGTH, len(piece.text)))
        lines.append(piece.word.line)
    return fields.digits(lines, check_digits.CREDIT_ALPHABET, 18, check_digits.is_credit_code)


def _founded(page: _Page) -> Field | None:
    read: list[Character] = []
    for piece in page.value("成立日期"):
        read += piece.word.line.restricted("0123456789年月日")[0]
    match = fields.DATE.search("".join(character.text for character in read))
    if not match:
        return None
    used = [character for character in read[match.start() : match.end()] if character.text.isdigit()]
    year, month, day = (int(part) for part in match.groups())
    try:
        return fields.field(used, text=date(year, month, day).isoformat())
    except ValueError:
        return None


def _text(page: _Page, label: str) -> Field | None:
    pieces = [piece for piece in page.value(label) if piece.word.line.confidence > 0.35]
    read = fields.characters(pieces, places.ADDRESS if label in ("住所", "名称") else None)
    if label == "注册资本":
        read = [character for character in read if character.text in _CAPITAL]
    return fields.field(read) if read else None
