"""Expressions of expression nodes and switches: read as zen reads them, and never claimed to hold where they do not."""

import math
import random
from itertools import product

import pytest
import zen

from backend.domains.decision import expressions, logic
from backend.domains.decision.facts import Fact

GIVEN = {"unit": "次", "family": "", "source": "", "absence": ""}
KNOWN = {
    "a": Fact(name="a", label="甲", kind="int", low=0, high=4, **GIVEN),
    "b": Fact(name="b", label="乙", kind="int", low=-2, high=2, **GIVEN),
    "c": Fact(name="c", label="丙", kind="int", low=1, high=3, **GIVEN),
    "yes": Fact(name="yes", label="是不是", kind="bool", **GIVEN),
    "kind": Fact(name="kind", label="种类", kind="enum", members=("x", "y", "z"), **GIVEN),
}
CASES = [
    dict(zip(KNOWN, each, strict=True))
    for each in product(range(5), range(-2, 3), range(1, 4), (False, True), ("x", "y", "z"))
]


def number(draw: random.Random, depth: int) -> str:
    if depth == 0 or draw.random() < 0.3:
        return draw.choice(["a", "b", "c", "2", "3", "0.5", "1"])
    one, two = number(draw, depth - 1), number(draw, depth - 1)
    kind = draw.randrange(7)
    if kind < 3:
        return f"{one} {draw.choice('+-*')} {two}"
    if kind == 3:
        return f"({one} / c)"
    if kind == 4:
        return f"floor({one})"
    return f"max([{one}, {two}])" if kind == 5 else f"({one} - {two})"


def condition(draw: random.Random, depth: int) -> str:
    if depth == 0 or draw.random() < 0.25:
        return draw.choice(
            [
                "yes",
                "not yes",
                "kind == 'x'",
                "kind != 'y'",
                "kind in ['x', 'z']",
                f"{draw.choice('abc')} {draw.choice(['<', '<=', '>', '>=', '==', '!='])} {number(draw, 1)}",
                f"{number(draw, 1)} {draw.choice(['<', '>=', '=='])} {draw.choice('abc')}",
            ]
        )
    one, two = condition(draw, depth - 1), condition(draw, depth - 1)
    kind = draw.randrange(4)
    if kind == 0:
        return f"not ({one})"
    return (
        f"{one} {draw.choice(['and', 'or'])} {two}"
        if kind < 3
        else f"({one}) {draw.choice(['and', 'or'])} {two}"
    )


def by_python(cell: str, case: dict[str, object]) -> object:
    names = {**case, "floor": math.floor, "ceil": math.ceil, "abs": abs, "max": max, "min": min}
    return eval(cell, {"__builtins__": {}}, names)


def within(case, found):
    def place(name):
        value = case[name]
        return KNOWN[name].members.index(value) if name == "kind" else int(value)

    return any(
        all(any(a <= place(n) <= b for a, b in part) for n, part in region.items()) for region in found
    )


def test_conditions_mean_what_zen_and_python_say_and_claims_are_sound():
    draw, read, exact = random.Random(11), 0, 0
    for _ in range(400):
        cell = condition(draw, 3)
        try:
            found = logic.branch(cell, KNOWN).claim
        except expressions.Unfit:
            continue
        read += 1
        exact += found.under == found.over
        for case in draw.sample(CASES, 20):
            true = zen.evaluate_expression(cell, case)
            assert type(true) is bool, cell
            assert true == by_python(cell, case), (cell, case)
            assert true or not within(case, found.under), (cell, case)
            assert not true or within(case, found.over), (cell, case)
    assert read > 300
    assert exact > 100


def test_values_stay_in_the_range_they_are_said_to_have():
    draw, read = random.Random(5), 0
    for _ in range(500):
        cell = number(draw, 3)
        if draw.random() < 0.4:
            cell = f"{condition(draw, 1)} ? floor({cell}) : {draw.choice('abc')}"
        try:
            fact = logic.value("v", cell, KNOWN).fact
        except expressions.Unfit:
            continue
        read += 1
        for case in draw.sample(CASES, 10):
            value = zen.evaluate_expression(cell, case)
            assert float(value).is_integer(), cell
            assert fact.low <= value <= fact.high, (cell, case)
    assert read > 150


@pytest.mark.parametrize(
    "cell, why",
    [
        ("a / b", "除号后面的数可能是 0"),
        ("a / (c - 1)", "除号后面的数可能是 0"),
        ("1 / 0", "除号后面的数可能是 0"),
        ("a / c", "可能不是整数"),
        ("a * 1000000000000000000", "太大"),
        ("a * 10000000000000000000000000000", "太大"),
        ("kind", "数字或是否"),
        ("'x'", "数字或是否"),
        ("kind == 'q'", "没有“q”这个选项"),
        ("kind > 'x'", "只能用 == 或 !="),
        ("a == yes", "同一种值"),
        ("a and yes", "都要是条件"),
        ("not a > 1", "not 后面"),
        ("yes ? 1 : true", "同一种值"),
        ("a ? 1 : 2", "问号前面"),
        ("rand(3)", "不能使用函数 rand"),
        ("date('now')", "不能使用函数 date"),
        ("d().year()", "看不懂"),
        ("$nodes.x", "看不懂"),
        ("$root['a']", "看不懂"),
        ("unknown + 1", "没有叫“unknown”"),
        ("null", "没有叫“null”"),
        ("len('张三')", "不能使用函数 len"),
        ("a +", "没有写完"),
        ("a b", "后面看不懂"),
        ("", "是空的"),
        ("(" * 60 + "a" + ")" * 60, "太深"),
        ("a ?? 1", "问号前面"),
        ("7" + "/7" * 1_000, "一格最多"),
    ],
)
def test_what_an_expression_may_not_say(cell, why):
    with pytest.raises(expressions.Unfit, match=why.replace("?", r"\?")):
        logic.value("v", cell, KNOWN)
