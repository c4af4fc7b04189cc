"""Licences laid out otherwise than our own specimens: labels inside sentences, the number of the paper, lost heads."""

import numpy as np
import pytest

from backend.ocr import business_licence
from backend.ocr.lines import Alphabet, Line
from backend.ocr.locate import Box, Word
from backend.ocr.reading import Field

CODE = "91420683MA4800000D"
_TEXT = "统一社会信用代码编号营业执照名称类型住所经营范围登记机关成立日期法定代表人公司凭依自主开展活动种植甲县村年月至"
ALPHABET = Alphabet(list(dict.fromkeys(_TEXT + "0123456789ABCDEFGHJKLMNPQRTUWXYZ")))
_RIGHT, _DOWN = np.array([1, 0], np.float32), np.array([0, 1], np.float32)
PITCH, HEIGHT = 30.0, 40.0


def word(text: str, left: float, y: float) -> Word:
    """A line whose characters stand `PITCH` pixels apart from `left`; a space leaves its place empty."""
    posteriors = np.zeros((3 * len(text), len(ALPHABET.characters)), np.float32)
    posteriors[:, 0] = 1
    for at, character in enumerate(text):
        if character != " ":
            posteriors[3 * at + 1] = 0
            posteriors[3 * at + 1, ALPHABET.index[character]] = 1
    right = left + PITCH * len(text)
    box = Box(np.array([(left + right) / 2, y], np.float32), _RIGHT, _DOWN, (right - left) / 2, HEIGHT / 2)
    return Word(Line(posteriors, ALPHABET), left, right, y, HEIGHT, box, 0.0)


def read(*words: Word) -> dict[str, str]:
    return {label: value.text for label, value in business_licence.licence(words).items()}


def test_a_label_inside_a_sentence_belongs_to_the_sentence() -> None:
    scope = [
        word("经营范围", 0, 0),
        word("种植凭营业执照依法自主", 200, 0),
        word("营业执照依法自主开展经营活动", 200, 60),
    ]
    assert read(*scope)["经营范围"] == "种植凭营业执照依法自主营业执照依法自主开展经营活动"


def test_a_label_apart_from_what_is_before_it_begins_the_next_column() -> None:
    found = read(word("名称", 0, 0), word("甲县种植公司  住所 甲县村", 200, 0))
    assert (found["名称"], found["住所"]) == ("甲县种植公司", "甲县村")


def test_the_papers_own_number_beside_the_credit_code_is_no_part_of_it() -> None:
    assert read(word(f"统一社会信用代码{CODE}编号N353360436", 0, 0))["统一社会信用代码"] == CODE


def test_a_character_of_the_code_read_as_a_chinese_one_does_not_take_the_rest_along() -> None:
    beside = word(f"统一社会信用代码{CODE[:14]}人{CODE[15:]}编号N353360436", 0, 0)
    found = business_licence.licence([beside])["统一社会信用代码"]
    assert (found.text, found.doubtful) == (CODE[:14] + CODE[15:], True)


def test_dates_are_no_credit_code() -> None:
    dates = word("2014年02月10日至2045年06月30日", 0, 200)
    found = read(word("统一社会信用代码", 0, 0), dates)
    assert "统一社会信用代码" not in found


def test_the_end_of_a_spread_label_stands_for_it() -> None:
    found = read(
        word("称", 120, 0), word("甲县种植公司", 200, 0), word("成立日期", 0, 80), word("经营范围", 0, 160)
    )
    assert found["名称"] == "甲县种植公司"


def test_who_registered_it_below_does_not_narrow_the_scope() -> None:
    found = read(word("经营范围", 0, 0), word("种植种植种植种植种植种植", 200, 0), word("登记机关", 300, 200))
    assert found["经营范围"] == "种植种植种植种植种植种植"


def shaped(kind: str, capital: str | None) -> dict[str, Field]:
    given = {"类型": Field(kind, 0.99, [], False)}
    if capital is not None:
        given["注册资本"] = Field(capital, 0.99, [], False)
    return business_licence.shaped(given)


@pytest.mark.parametrize(
    ("kind", "doubtful"),
    [
        ("个体工商户", False),
        ("有限责任公司（自然人投资或控股）", False),
        ("其他有限责任公司", False),
        ("农民专业合作社", False),
        ("有限责任公司分公司", False),
        ("普通合伙企业", False),
        ("体工商户", True),
        ("民专业合作社", True),
        ("有限责公司", True),
        ("乙县城关镇建设路2号", True),
    ],
)
def test_a_kind_of_business_that_does_not_exist_is_in_doubt(kind: str, doubtful: bool) -> None:
    assert shaped(kind, "伍佰万元整")["类型"].doubtful is doubtful


@pytest.mark.parametrize(
    ("capital", "doubtful"),
    [
        ("伍佰万元整", False),
        ("贰拾捌万圆整", False),
        ("500万元", False),
        ("人民币壹仟零伍拾万元整", False),
        ("叁万元伍角整", False),
        ("贰拾捌万元", True),
        ("佰万元整", True),
        ("伍佰万", True),
    ],
)
def test_an_amount_that_lost_its_head_or_end_is_in_doubt(capital: str, doubtful: bool) -> None:
    assert shaped("其他有限责任公司", capital)["注册资本"].doubtful is doubtful


def test_a_company_must_print_its_capital_and_a_shop_need_not() -> None:
    assert shaped("其他有限责任公司", None)["注册资本"].doubtful
    assert "注册资本" not in shaped("个体工商户", None)
    assert "注册资本" not in shaped("有限责任公司分公司", None)


def test_a_name_that_is_only_nearly_sure_is_asked_for() -> None:
    sure, nearly = Field("段玉兰", 0.97, [], False), Field("史萱链", 0.93, [], False)
    assert not business_licence.shaped({"法定代表人": sure})["法定代表人"].doubtful
    assert business_licence.shaped({"法定代表人": nearly})["法定代表人"].doubtful


@pytest.mark.parametrize(
    ("text", "doubtful"),
    [
        ("粮食收购、加工及销售。", False),
        ("种植（凭许可证经营）", False),
        ("零售***", False),
        ("粮食收购、加工及销", True),
    ],
)
def test_a_scope_without_its_end_is_in_doubt(text: str, doubtful: bool) -> None:
    assert (
        business_licence.shaped({"经营范围": Field(text, 0.99, [], False)})["经营范围"].doubtful is doubtful
    )
