"""模型登记簿: every registered model with its state, owner, data list, figures and history (D1-04, D1-05)."""

from typing import Any

import msgspec
from litestar import get

from backend.domains.identity import service as identity
from backend.domains.models import service as models
from backend.domains.models.model import MODEL, TYPES, Event, LineUp, Model
from backend.web import staff
from backend.web.http import Request, Response

READERS = ("risk_analyst", "head_office_admin", "auditor")


class Told(msgspec.Struct, frozen=True):
    """One step of a model's life, in words."""

    event: Event
    state: str
    who: str


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """A model in words. `figures` are (what, value) of its report; `standing`: its part in who decides now."""

    model: Model
    kind: str
    state: str
    owner: str
    figures: tuple[tuple[str, str], ...]
    standing: str
    history: tuple[Told, ...]


class Register(msgspec.Struct, frozen=True):
    lines: tuple[Line, ...]


@get("/console/models", opt=staff.only(*READERS))
async def show(request: Request) -> Response:
    """The models are the union's; every county they may decide in can read what they are."""
    here = staff.here(request)
    async with here.context.db.read(here.reader) as tx:
        people = {person.id: person.name for person in await identity.all_staff(tx)}
        lines = [
            _line(each, await models.history(tx, each.id), await models.current(tx, each.family), people)
            for each in await models.all_models(tx)
        ]
    return here.show("console/models/show.html", Register(tuple(lines)))


def _line(model: Model, history: list[Event], line_up: LineUp | None, people: dict[str, str]) -> Line:
    return Line(
        model=model,
        kind=TYPES[model.type],
        state=MODEL.labels[model.status],
        owner=_who(model.owner, people),
        figures=_figures(model.report),
        standing=_standing(model, line_up),
        history=tuple(Told(each, MODEL.labels[each.to_status], _who(each.who, people)) for each in history),
    )


def _who(id_: str, people: dict[str, str]) -> str:
    """A county's reader knows its own people only."""
    return people.get(id_.removeprefix("staff:"), "省联社的人")


def _figures(report: dict[str, Any] | None) -> tuple[tuple[str, str], ...]:
    """What the validation report says first; nothing for a draft without one."""
    if report is None:
        return ()
    known = (("区分度（KS）", report["test"].get("ks")), ("排序能力（AUC）", report["test"].get("auc")))
    return tuple((label, f"{value:.3f}") for label, value in known if isinstance(value, int | float))


def _standing(model: Model, found: LineUp | None) -> str:
    if found is not None and found.champion == model.id:
        return "正在用它做审批"
    if found is not None and found.challenger == model.id:
        return f"正在用 {found.share_bp / 100:g}% 的申请试它"
    return "现在不用它做审批"
