"""Reading the form, comparing it with what is known elsewhere, and what of it becomes facts. Asks nobody."""

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta

from backend.core import clock
from backend.domains.surveys.model import (
    CHOICES,
    COUNTS,
    FEWEST_PHOTOS,
    OLDEST_VISIT_DAYS,
    YUAN,
    Answers,
    Check,
    Survey,
    SurveyRefused,
    Told,
)

MOST_YUAN = 100_000_000
INCOME_TOLERANCE = 30  # percent around the declared band
INFLOW_TIMES = 3  # an income this many times what came through the account wants a word
DEBT_TOLERANCE = 30  # percent above what was said


def read(form: Mapping[str, str], photos: int, villages: tuple[str, ...], today: date) -> Answers:
    """The form as answers. Raises `SurveyRefused` with one sentence per field."""
    wrong: dict[str, str] = {}
    found: dict[str, object] = {"said": form.get("said", ""), "location": ""}
    found["visited_on"] = _day(form.get("visited_on", ""), today, wrong)
    for name, options in CHOICES.items():
        found[name] = form.get(name, "")
        if found[name] not in options:
            wrong[name] = "请选一项"
    found["village"] = form.get("village", "")
    if found["village"] not in villages:
        wrong["village"] = "请选在哪个村"
    for name, (_, low, high) in COUNTS.items():
        found[name] = _whole(name, form.get(name, ""), low, high, wrong)
    for name in YUAN:
        found[name] = 100 * _whole(name, form.get(name, ""), 0, MOST_YUAN, wrong)
    if form.get("location"):
        if form.get("location_agreed") == "yes":
            found["location"] = form["location"]
        else:
            wrong["location_agreed"] = "客户没有同意记录位置，先清掉位置，或请客户同意后打勾"
    if photos < FEWEST_PHOTOS:
        wrong["photos"] = f"至少拍 {FEWEST_PHOTOS} 张：人和门口、住处或经营的地方、牲畜作物或存货"
    if wrong:
        raise SurveyRefused(fields=wrong, count=len(wrong))
    return Answers(**found)  # type: ignore[arg-type]


def _day(text: str, today: date, wrong: dict[str, str]) -> date:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        wrong["visited_on"] = "请选上门的日期"
        return today
    if not today - timedelta(days=OLDEST_VISIT_DAYS) <= day <= today:
        wrong["visited_on"] = f"上门的日期要在最近 {OLDEST_VISIT_DAYS} 天里"
    return day


def _whole(name: str, text: str, low: int, high: int, wrong: dict[str, str]) -> int:
    digits = text.replace(",", "").replace("，", "").replace(" ", "")
    if not (digits.isascii() and digits.isdigit() and len(digits) <= 9):
        wrong[name] = "请填整数，没有就填 0"
        return low
    value = int(digits)
    if not low <= value <= high:
        wrong[name] = f"要在 {low:,} 到 {high:,} 之间"
    return value


def answered(survey: Survey, villages: tuple[str, ...], today: date) -> Answers:
    """What a survey says, held to the day of the visit once it was handed in. Raises `SurveyRefused`."""
    day = survey.visited_on or today
    form = survey.form if survey.visited_on is None else {**survey.form, "visited_on": day.isoformat()}
    return read(form, survey.photos, villages, day)


def compare(answers: Answers, told: Told) -> list[Check]:
    """Every thing that can be held against another source, the differing ones marked. What the bureau and the
    account say is compared, not shown: an officer need not know the figures (D3-15)."""
    checks = []
    if told.villages:
        known = any(answers.village.replace(" ", "") in place.replace(" ", "") for place in told.villages)
        checks.append(
            Check(
                label="地点",
                seen=answers.village,
                told="、".join(told.villages[:1]),
                source="客户填的和身份证上的",
                differs=not known,
            )
        )
    if told.income is not None:
        checks.append(_income(answers.annual_income, told.income))
    if told.inflow:
        far = answers.annual_income > told.inflow * INFLOW_TIMES
        checks.append(
            Check(
                label="年收入", seen=_yuan(answers.annual_income), told="", source="本行账户流入", differs=far
            )
        )
    if told.household_members is not None:
        apart = abs(answers.household_members - told.household_members) > 1
        checks.append(
            Check(
                label="家庭人口",
                seen=f"{answers.household_members} 人",
                told=f"{told.household_members} 人",
                source="大数据平台",
                differs=apart,
            )
        )
    if told.bank_debt is not None:
        hidden = told.bank_debt * 100 > answers.bank_debt * (100 + DEBT_TOLERANCE)
        checks.append(
            Check(label="银行欠款", seen=_yuan(answers.bank_debt), told="", source="征信", differs=hidden)
        )
    return checks


def _income(seen: int, band: tuple[int, int | None]) -> Check:
    low, high = band
    below = seen * 100 < low * (100 - INCOME_TOLERANCE)
    above = high is not None and seen * 100 > high * (100 + INCOME_TOLERANCE)
    words = f"{_yuan(low)}到{_yuan(high)}" if high is not None else f"{_yuan(low)}以上"
    return Check(label="年收入", seen=_yuan(seen), told=words, source="客户自己填的", differs=below or above)


def facts(survey: Survey, answers: Answers, told: Told) -> dict[str, int | bool | str]:
    """The facts of `officer_survey`. Raises ValueError for a survey nobody confirmed: it must never count."""
    if survey.status != "confirmed":
        raise ValueError("only a confirmed survey counts")
    return {
        "survey_in_place": bool(survey.in_place),
        "survey_photos": survey.photos,
        "survey_second_confirmed": True,
        "survey_failed_cross_checks": sum(check.differs for check in compare(answers, told)),
        "survey_annual_income": answers.annual_income,
        "survey_annual_cost": answers.annual_cost,
        "survey_stock": answers.stock,
        "survey_equipment": answers.equipment,
        "survey_land_mu": answers.land_mu,
        "survey_private_debt": answers.private_debt,
        "survey_reputation": answers.reputation,
    }


def observed_at(survey: Survey) -> datetime:
    """The day of the visit: freshness counts from there, not from the day it was written up."""
    assert survey.visited_on is not None, "a confirmed survey has a day"
    return datetime.combine(survey.visited_on, time(), clock.LOCAL)


def _yuan(fen: int) -> str:
    return f"{fen // 100:,} 元"
