"""The small words: clock, ids, masks, lifecycles, errors, failpoints."""

from datetime import UTC, date, datetime

import pytest

from backend.core import clock, failpoints, ids, masking
from backend.core.errors import TooMany
from backend.core.lifecycle import ForbiddenMove, Lifecycle


def test_ids_are_unique_and_ordered_by_time() -> None:
    made = [ids.new() for _ in range(2000)]
    assert len(set(made)) == 2000
    assert [i[:13] for i in made] == sorted(i[:13] for i in made)
    assert all(ids.is_uuid(i) and i[14] == "7" for i in made)


def test_the_legal_day_is_the_day_in_china() -> None:
    with clock.at(datetime(2026, 9, 29, 16, 30, tzinfo=UTC)):
        assert clock.today() == date(2026, 9, 30)


def test_a_clock_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError), clock.at(datetime(2026, 1, 1)):
        pass


def test_someone_born_on_this_day_is_18_today_and_17_yesterday() -> None:
    born = date(2008, 11, 23)
    assert clock.years_between(born, date(2026, 11, 23)) == 18
    assert clock.years_between(born, date(2026, 11, 22)) == 17


def test_masks_show_what_the_rule_allows() -> None:  # D3-15
    assert masking.name("张三") == "张*"
    assert masking.id_number("41170119900101001X") == "4****************X"
    assert masking.id_number("41170119900101001X", "owner") == "411***********001X"
    assert masking.phone("13812345678") == "138****5678"
    assert masking.card("6222020000001234") == "************1234"
    assert masking.card("6222020000001234", "internal") == "622202******1234"
    assert masking.address("河南省甲县柳林镇垸子村12号") == "河南省甲县柳林镇****"


@pytest.mark.parametrize(
    ("roles", "eyes"),
    [
        ((), "third"),
        (("officer",), "third"),
        (("head_office_admin", "county_admin"), "third"),
        (("reviewer",), "internal"),
        (("officer", "auditor"), "internal"),
        (("risk_analyst",), "internal"),
    ],
)
def test_only_roles_that_work_with_whole_accounts_see_more_of_a_card(
    roles: tuple[str, ...], eyes: str
) -> None:
    assert masking.eyes_of(roles) == eyes  # D3-15


def test_a_move_that_is_not_in_the_table_says_from_and_to() -> None:
    table = Lifecycle("x", {"a": "甲", "b": "乙"}, {"a": ("b",)})
    table.check("a", "b")
    with pytest.raises(ForbiddenMove) as error:
        table.check("b", "a")
    assert "乙" in error.value.text
    assert table.final == {"b"}


def test_a_lifecycle_with_an_unnamed_status_is_refused() -> None:
    with pytest.raises(ValueError, match="without a label"):
        Lifecycle("x", {"a": "甲"}, {"a": ("b",)})


def test_waiting_times_are_spoken() -> None:
    assert TooMany(retry_after=45).text == "操作太频繁了，请过 45 秒 再试"
    assert "10 分钟" in TooMany(retry_after=600).text


def test_failpoints_do_nothing_until_they_are_set() -> None:
    failpoints.configure("")
    failpoints.hit("anything")
    failpoints.configure("here=error:1")
    try:
        failpoints.hit("elsewhere")
        with pytest.raises(failpoints.FailpointError):
            failpoints.hit("here")
    finally:
        failpoints.configure("")
    with pytest.raises(ValueError):
        failpoints.configure("here=explode")
