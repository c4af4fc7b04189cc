"""The drawing of a neighbourhood is a function of it alone, and stays inside its frame (N9)."""

import random
from datetime import UTC, datetime, timedelta

import pytest

from backend.domains.relations.model import Link, Neighbourhood, Other
from backend.overview import relation_picture

AT = datetime(2026, 11, 1, tzinfo=UTC)
KINDS = (("address", "住址"), ("phone", "手机号"), ("openid", "微信号"), ("payee", "收款账户"))


def neighbourhood(seed: int) -> Neighbourhood:
    draw = random.Random(seed)
    links = []
    for n in range(draw.randint(1, 7)):
        kind, label = draw.choice(KINDS)
        others = tuple(
            Other(
                customer_id=f"c{who}", role=draw.choice(("own", "used")), household=f"h{who // 2}",
                first_at=AT + timedelta(days=who),
            )
            for who in sorted(draw.sample(range(40), draw.choice((0, 1, 3, 30))))
        )  # fmt: skip
        hub = len(others) == 30
        links.append(
            Link(
                kind=kind, label=label, key=bytes([n]), role="used", first_at=AT, last_at=AT,
                customers=len(others) + 1, hub=hub, allowed=False, others=others,
            )
        )  # fmt: skip
    return Neighbourhood(
        customer_id="me", household="h3", links=tuple(links), ring_customers=5, ring_households=3
    )


def wide(text: str, size: int) -> float:
    """About how wide a line is: Chinese letters are square, the others a little over half."""
    return sum(size if ord(c) > 255 else size * 0.6 for c in text)


@pytest.mark.parametrize("seed", range(60))
def test_every_box_is_inside_none_covers_another_and_words_say_every_thing(seed: int) -> None:
    around = neighbourhood(seed)
    picture = relation_picture.draw(around, {"c1": "王*"}, [], {})
    assert picture == relation_picture.draw(around, {"c1": "王*"}, [], {})
    for box in picture.boxes:
        assert 0 <= box.x <= box.x + box.width <= picture.width
        assert 0 <= box.y <= box.y + 34 <= picture.height
        assert wide(box.title, 12) <= box.width - 7
        assert wide(box.note, 11) <= box.width - 7
    for one in picture.boxes:
        for other in picture.boxes:
            if one is not other and one.x == other.x:
                assert abs(one.y - other.y) >= 34
    ends = {(box.x, box.y + 17) for box in picture.boxes} | {(b.x + b.width, b.y + 17) for b in picture.boxes}
    assert all({(line.x1, line.y1), (line.x2, line.y2)} <= ends for line in picture.lines)
    assert len([word for word in picture.words if "图上画了" not in word]) == len(around.links)
    drawn = sum(1 for box in picture.boxes if box.x > 200)
    homes = len({o.household for link in around.links if not link.hub for o in link.others})
    assert drawn == min(homes, relation_picture.MOST_HOMES)


def test_other_institutions_are_told_by_figures() -> None:
    around = neighbourhood(1)
    picture = relation_picture.draw(around, {}, [], {around.links[0].key: (2, 7)})
    assert picture.elsewhere == [f"{around.links[0].label}：其他 2 家机构，7 人"]
