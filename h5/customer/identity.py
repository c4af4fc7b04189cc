"""Photograph the ID card, look over what was read."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from litestar import get as get_page
from litestar import post
from litestar.datastructures import UploadFile

from backend.core.errors import Invalid, Problem, TooMany, Unavailable
from backend.domains.applications import service as applications
from backend.domains.applications.model import Capture
from backend.domains.customers import card_form
from backend.flows import capture_identity, confirm_identity
from backend.flows.capture_identity import Side
from backend.ocr import reading
from backend.web import addresses, customer, forms
from backend.web.customer import Draft
from backend.web.http import Request, Response
from h5.customer import stops, views

SHOW, PART = "customer/identity/show.html", "customer/identity/_capture.html"
READER_AWAY = "认字的机器正忙，照片没有留下，过一会儿再拍一次"
FIELD_LABELS = {
    "name": ("姓名", "姓名"),
    "sex": ("性别", "性别"),
    "id_number": ("身份证号", "公民身份号码"),
    "valid_from": ("开始日期", "有效期限"),
    "valid_until": ("到期日期", "有效期限"),
    "issuer": ("签发机关", "签发机关"),
    "address": ("住址", "住址"),
}
"""Form field → (label on the page, label printed on the card)."""


@get_page("/apply/identity")
async def show(request: Request) -> Response:
    draft = await customer.draft(request, "identity")
    return draft.here.show(SHOW, await identity(draft))


@post("/apply/identity/front", files=("image",), request_max_body_size=forms.PHOTOGRAPH_BODY)
async def front(request: Request) -> Response:
    return await _capture(request, "front")


@post("/apply/identity/back", files=("image",), request_max_body_size=forms.PHOTOGRAPH_BODY)
async def back(request: Request) -> Response:
    return await _capture(request, "back")


@post("/apply/identity/confirm", fields=card_form.EDITABLE)
async def confirm(request: Request) -> Response:
    draft = await customer.draft(request, "identity")
    form, here = await forms.texts(request), draft.here
    try:
        application = await confirm_identity.confirm_identity(
            here.context, here.actor, draft.application.id, form
        )
    except Problem as problem:
        if stopped := await stops.answer(draft, problem):
            return stopped
        if not isinstance(problem, Invalid):
            raise
        view = await identity(draft, typed=form, errors=problem.fields, error=problem.text)
        return here.show(SHOW, view, 422)
    return here.go(customer.STEP_PATHS[application.step])


async def _capture(request: Request, side: Side) -> Response:
    """One photograph: the part, or the page again for a phone without JavaScript."""
    draft = await customer.draft(request, "identity")
    here = draft.here
    content = await uploaded(request)
    try:
        taken = await capture_identity.capture_identity(
            here.context,
            here.actor,
            draft.application.id,
            side,
            content,
            address=addresses.counted(request, here.settings),
        )
        view = await identity(draft, **_advised(side, taken.readable, taken.advice))
    except Problem as problem:
        if stopped := await stops.answer(draft, problem):
            return stopped
        if not isinstance(problem, Invalid | TooMany | Unavailable):
            raise
        # A reader that is away: the page's script tries again by itself.
        down = isinstance(problem, Unavailable)
        view = await identity(draft, **_advised(side, False, READER_AWAY if down else problem.text))
        return here.show(PART if here.is_part else SHOW, view, 503 if down else 422)
    if here.is_part:
        return here.show(PART, view)
    return here.go("/apply/identity") if taken.readable else here.show(SHOW, view, 422)


async def uploaded(request: Request) -> bytes:
    """The photograph of the form; empty when none came."""
    image = (await request.form()).get("image")
    return await image.read() if isinstance(image, UploadFile) else b""


def _advised(side: Side, readable: bool, advice: str) -> dict[str, Any]:
    return {side: views.Side("read" if readable else "retake", advice)}


async def identity(
    draft: Draft,
    *,
    front: views.Side | None = None,
    back: views.Side | None = None,
    typed: Mapping[str, str] | None = None,
    errors: Mapping[str, str] | None = None,
    error: str = "",
) -> views.Identity:
    """Both sides as they stand; the fields once both are read and none is to be taken again."""
    async with draft.here.context.db.read(draft.here.actor) as tx:
        found = [
            await applications.latest_capture(tx, draft.application, kind)
            for kind in (reading.ID_FRONT, reading.ID_BACK)
        ]
    return views.Identity(*drawn(found, (front, back), typed or {}, errors or {}), error)


def drawn(
    found: Sequence[Capture | None],
    told: tuple[views.Side | None, views.Side | None],
    typed: Mapping[str, str],
    errors: Mapping[str, str],
) -> tuple[views.Side, views.Side, tuple[views.IdField, ...]]:
    """Front, back and fields of whoever's card it is; `told` is what was just said of a side."""
    front, back = [given or _side(capture) for given, capture in zip(told, found, strict=True)]
    fields: tuple[views.IdField, ...] = ()
    if front.state == back.state == "read":
        fields = _fields([_reading(cast(Capture, capture)) for capture in found], typed, errors)
    return front, back, fields


def _side(capture: Capture | None) -> views.Side:
    return views.Side("read" if capture is not None and capture.destroyed_at is None else "empty")


def _reading(capture: Capture) -> dict[str, Any]:
    return cast(dict[str, Any], capture.reading or {})


def _fields(
    readings: list[dict[str, Any]], typed: Mapping[str, str], errors: Mapping[str, str]
) -> tuple[views.IdField, ...]:
    read = {label: text for each in readings for label, text in each["fields"].items()}
    doubtful = {label for each in readings for label in each["doubtful"]}
    unsure = {label: places for each in readings for label, places in each["unsure"].items()}
    values = {**card_form.values(read), "sex": read.get("性别", ""), **{k: v for k, v in typed.items() if v}}
    fields = []
    for name, (label, printed) in FIELD_LABELS.items():
        value, text = values.get(name, ""), read.get(printed, "")
        unclear = "".join(dict.fromkeys(text[at] for at in unsure.get(printed, ()) if at < len(text)))
        fields.append(
            views.IdField(
                name,
                label,
                value,
                doubt=_doubt(value, unclear) if printed in doubtful and value != typed.get(name) else "",
                unclear=unclear,
                editable=name in card_form.EDITABLE,
                error=errors.get(name, ""),
            )
        )
    return tuple(fields)


def _doubt(value: str, unclear: str) -> str:
    if not value:
        return "这一项没读出来"
    here = "".join(c for c in unclear if c in value)
    return f"“{here}”看不太清" if here and len(here) <= 4 else "这一项看不太清"
