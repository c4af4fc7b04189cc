"""A survey as people read it: answers in words, photographs, differences, who made and who confirmed it (A6-20)."""

from collections.abc import Mapping

import msgspec

from backend.db.database import Tx
from backend.domains.applications import service as applications
from backend.domains.customers import service as customers
from backend.domains.surveys import service as surveys
from backend.domains.surveys.model import CHOICES, COUNTS, YUAN, Check, Photo, Survey
from backend.flows import compare_survey

_CHOICE_LABELS = {"place": "在哪里看的", "met": "见到谁", "reputation": "邻里怎么说"}


class Sheet(msgspec.Struct, frozen=True, kw_only=True):
    """`pairs` are (label, words); `officer` and `checker` names."""

    survey: Survey
    name: str
    number: str
    officer: str
    checker: str
    pairs: tuple[tuple[str, str], ...]
    photos: tuple[Photo, ...]
    checks: tuple[Check, ...]

    @property
    def differing(self) -> int:
        return sum(check.differs for check in self.checks)


async def of(tx: Tx, survey: Survey, staff_names: Mapping[str, str]) -> Sheet:
    names = await customers.names(tx, [survey.customer_id])
    application = await applications.get(tx, survey.application_id)
    return Sheet(
        survey=survey,
        name=names.get(survey.customer_id, "客户"),
        number=application.application_no,
        officer=staff_names.get(survey.officer_id, "客户经理"),
        checker=staff_names.get(survey.checked_by or "", ""),
        pairs=_pairs(survey.form),
        photos=tuple(await surveys.photos(tx, survey.id)),
        checks=tuple(await compare_survey.compare_survey(tx, survey)),
    )


def _pairs(form: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    found = [("上门日期", form.get("visited_on", "")), ("地点", form.get("village", ""))]
    found += [(label, CHOICES[name].get(form.get(name, ""), "")) for name, label in _CHOICE_LABELS.items()]
    found += [(label, form.get(name, "")) for name, (label, _, _) in COUNTS.items()]
    found += [(label, _yuan(form.get(name, ""))) for name, label in YUAN.items()]
    found += [("记下的位置", form.get("location", "")), ("别的情况", form.get("said", ""))]
    return tuple((label, words) for label, words in found if words)


def _yuan(text: str) -> str:
    """As it was typed, where a draft holds no number yet."""
    return f"{int(text):,} 元" if text.isdecimal() else text and f"{text} 元"
