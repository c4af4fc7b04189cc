"""向县行开放: the numbers a county may set inside a band, the tables it may add rows to, the band of its price (N4).

Part of a version of head office like its tables: saved as a draft, checked, approved by a second person, dated. A
county's overlay that no longer fits is shown, and decides on until the county renews it, for it only tightens.
"""

import re
from decimal import Decimal, InvalidOperation

import msgspec
from litestar import get, post
from litestar.params import FromPath

from backend.core.errors import Invalid
from backend.core.plain_text import narrow
from backend.db.database import Tx
from backend.domains.decision import facts
from backend.domains.decision.model import Stage
from backend.domains.strategies import composing, nesting, openings, overlays, unfolding
from backend.domains.strategies.counties import Overlay
from backend.domains.strategies.model import (
    Openings,
    Parameter,
    StrategyMissing,
    UnionContent,
    Version,
)
from backend.domains.strategies.openings import Openable
from backend.web import forms, staff
from backend.web.http import Request, Response
from backend.web.staff import Here
from h5.console import strategy_carried, strategy_edits, strategy_versions
from h5.console.strategies import HOME, READERS, WRITERS, overlays_of
from h5.console.strategy_carried import Carried
from h5.console.strategy_edits import Editor, Problem
from h5.console.strategy_knobs import plain_number
from h5.console.strategy_versions import found

SHOW = "console/strategies/openings.html"
MOST, MOST_PLACES, LONGEST_BAND = 120, 40, 500  # basis points a county may add at most: 5 %
FIELDS = (
    *(f"{part}_{n}" for part in ("open", "label", "low", "high") for n in range(MOST)),
    *(f"place_{n}" for n in range(MOST_PLACES)),
    "band_low",
    "band_high",
    "note",
)
_NUMBER = re.compile(r"([+-]?\d[\d,，]*(?:\.\d+)?)\s*(万元|万|元|%|％)?")


class Knob(msgspec.Struct, frozen=True, kw_only=True):
    """One number that could be opened, as it stands in the form; `wrong` what is not right about it."""

    at: Openable
    unit: str
    open: bool
    label: str
    low: str
    high: str
    wrong: str = ""


class Place(msgspec.Struct, frozen=True):
    id: str
    name: str
    open: bool


class OpeningsPage(msgspec.Struct, frozen=True, kw_only=True):
    """`pricing`: the page has the county's band on the price. `overlays` are (county, overlay), held against this
    version. `carried`: the form was typed on the draft before this one."""

    version: Version
    knobs: tuple[Knob, ...]
    places: tuple[Place, ...]
    pricing: bool
    band_low: str
    band_high: str
    may_edit: bool
    overlays: tuple[tuple[str, Overlay], ...] = ()
    note: str = ""
    told: str = ""
    carried: Carried | None = None
    errors: dict[str, str] = {}


@get(f"{HOME}/{{version_id:str}}/openings", opt=staff.only(*READERS))
async def show(request: Request, version_id: FromPath[str]) -> Response:
    return await strategy_edits.shown(staff.here(request), version_id, EDITOR)


@post(f"{HOME}/{{version_id:str}}/openings", opt=staff.only(*WRITERS), fields=FIELDS)
async def save(request: Request, version_id: FromPath[str]) -> Response:
    """A new version of the draft with other openings; its tables stay byte for byte."""
    here, form = staff.here(request), await forms.texts(request)

    async def change(tx: Tx, version: Version, held: UnionContent) -> UnionContent:
        if version.within:
            raise StrategyMissing()  # what is opened is the version's as a whole
        return _read(version.stage, held, await _laid_out(tx, held), form)

    return await strategy_edits.saved(here, version_id, EDITOR, form, "", change)


async def _laid_out(tx: Tx, content: UnionContent) -> UnionContent:
    return unfolding.laid_out(content, await nesting.flows_of(tx, content.document))


def _read(stage: Stage, content: UnionContent, laid: UnionContent, form: dict[str, str]) -> UnionContent:
    """`laid`: the content with the tables of its sub-flows. Raises `Invalid` with what is wrong by field."""
    wrong: dict[str, str] = {}
    held = {(p.table, p.row, p.column): p for p in content.openings.parameters}
    parameters = []
    offered = openings.openable(stage, laid.document, facts.catalogue())[:MOST]
    for number, at in enumerate(offered):
        if form.get(f"open_{number}") == "yes":
            try:
                parameters.append(_parameter(number, at, held.get(at.spot), form))
            except _Unread as cause:
                wrong[f"low_{number}"] = str(cause)
    tables = list(overlays.tables(laid.document))[:MOST_PLACES]
    places = tuple(each for n, each in enumerate(tables) if form.get(f"place_{n}") == "yes")
    band = None
    try:
        band = _price_band(stage, form)
    except _Unread as cause:
        wrong["band_low"] = str(cause)
    if not form.get("note"):
        wrong["note"] = "请写一句改了什么、为什么"
    made = UnionContent(
        document=content.document,
        openings=Openings(parameters=tuple(parameters), places=places, price_band=band),
    )
    spots = {at.spot: number for number, at in enumerate(offered)}
    opened = UnionContent(document=laid.document, openings=made.openings)
    for each in overlays.check_openings(stage, opened, facts.catalogue()):
        place = spots.get((each.node, each.row, each.column))
        whole = "band_low" if each.place == overlays.PRICE_BAND else "note"
        wrong.setdefault(whole if place is None else f"low_{place}", each.sentence)
    if wrong:
        raise Invalid(fields=wrong)
    return made


class _Unread(Exception):
    """What a person wrote is no number of this kind; the text says it."""


def _parameter(number: int, at: Openable, held: Parameter | None, form: dict[str, str]) -> Parameter:
    return Parameter(
        id=held.id if held else _id(at),
        label=(form.get(f"label_{number}") or at.label)[:60],
        table=at.table,
        row=at.row,
        column=at.column,
        low=_value(form.get(f"low_{number}", ""), at.unit),
        high=_value(form.get(f"high_{number}", ""), at.unit),
        tighter=at.tighter,
    )


def _id(at: Openable) -> str:
    """Rows of a sub-flow may be called as others are outside."""
    inside = f"{composing.called(at.table)}-" if "/" in at.table else ""
    return f"{inside}{at.row}-{at.column}"


def _price_band(stage: Stage, form: dict[str, str]) -> tuple[int, int] | None:
    """None: a county may add nothing to the price."""
    low, high = form.get("band_low", ""), form.get("band_high", "")
    if stage is not Stage.PRICING or not (low or high):
        return None
    band = _value(low or "0", "bp"), _value(high or "0", "bp")
    if max(abs(each) for each in band) > LONGEST_BAND:
        raise _Unread(f"加减点最多 {LONGEST_BAND / 100:g}%")
    return band


def _value(text: str, unit: str) -> int:
    """A whole number of fen, hundredths of a percent or units. Raises `_Unread`."""
    match = _NUMBER.fullmatch(narrow(text.strip()))
    if match is None:
        raise _Unread("最低和最高都要写一个数")
    mark, wanted = match[2] or "", {"fen": ("元", "万"), "bp": ("%", "％")}.get(unit, ())
    if mark and not any(each in mark for each in wanted):
        raise _Unread(f"“{text}”的单位不对")
    try:
        value = Decimal(match[1].replace(",", "").replace("，", "")) * (10_000 if "万" in mark else 1)
    except InvalidOperation as cause:
        raise _Unread("最低和最高都要写一个数") from cause
    value *= 100 if unit in ("fen", "bp") else 1
    if value != value.to_integral_value() or abs(value) >= 10**15:
        raise _Unread(f"“{text}”写得太细或太大")
    return int(value)


async def _view(
    here: Here, version_id: str, form: dict[str, str], problem: Problem | None
) -> OpeningsPage | None:
    """None: a county's overlay, which opens nothing."""
    async with here.context.db.read(here.actor) as tx:
        version = await found(tx, version_id)
        if not isinstance(version.content, UnionContent):
            return None
        laid = await _laid_out(tx, version.content)
        carried = None
        if problem is not None and (newest := await strategy_versions.newest_draft(tx, version)) is not None:
            assert isinstance(newest.content, UnionContent)
            onto = await _laid_out(tx, newest.content)
            form, carried = _brought(version, laid, onto, form)
            version, laid = newest, onto
    assert isinstance(version.content, UnionContent)
    errors = problem.fields if isinstance(problem, Invalid) and carried is None else {}
    ends = _band(version.content)
    written = form if problem is not None else None
    return OpeningsPage(
        version=version,
        knobs=_knobs(version.stage, laid, written, errors),
        places=_places(laid, written),
        pricing=version.stage is Stage.PRICING,
        band_low=form.get("band_low", ends[0]),
        band_high=form.get("band_high", ends[1]),
        may_edit=strategy_versions.acts_of(here, version).edit,
        overlays=await overlays_of(here, version.product_code, version.stage, version.content),
        note=form.get("note", ""),
        told=problem.text if problem is not None and not errors and carried is None else "",
        carried=carried,
        errors=errors,
    )


class _Field(msgspec.Struct, frozen=True):
    """A field of the form: its name, what it is of in words, what stands in it."""

    name: str
    of: str
    text: str


def _brought(
    version: Version, laid: UnionContent, onto: UnionContent, form: dict[str, str]
) -> tuple[dict[str, str], Carried]:
    """What was typed, in the fields of the newest draft: rows may have come and gone, so each by what it is of."""
    held, newest = (_fields(version.stage, each) for each in (laid, onto))
    typed = {key: form.get(field.name, "") for key, field in held.items()}
    sides = [{key: field.text for key, field in side.items()} for side in (held, newest)]
    made, both = strategy_carried.together(sides[0], typed, sides[1])
    told = tuple(dict.fromkeys(newest[key].of for key in both))
    fields = {newest[key].name: text for key, text in made.items()}
    return {**fields, "note": form.get("note", "")}, Carried(version.number, told)


def _fields(stage: Stage, laid: UnionContent) -> dict[str, _Field]:
    """By what each is of: the part of the form, then table, row and column."""
    found = {}
    for n, knob in enumerate(_knobs(stage, laid, None, {})):
        parts = {"open": "yes" if knob.open else "", "label": knob.label, "low": knob.low, "high": knob.high}
        for part, text in parts.items():
            found[" ".join((part, *knob.at.spot))] = _Field(f"{part}_{n}", knob.at.place, text)
    for n, place in enumerate(_places(laid, None)):
        found[f"place {place.id}"] = _Field(f"place_{n}", place.name, "yes" if place.open else "")
    for end, text in zip(("band_low", "band_high"), _band(laid), strict=True):
        found[end] = _Field(end, "县行加减点", text)
    return found


def _band(content: UnionContent) -> tuple[str, str]:
    band = content.openings.price_band
    return (plain_number(band[0], "bp"), plain_number(band[1], "bp")) if band else ("", "")


def _knobs(
    stage: Stage, content: UnionContent, form: dict[str, str] | None, errors: dict[str, str]
) -> tuple[Knob, ...]:
    held = {(p.table, p.row, p.column): p for p in content.openings.parameters}
    made = []
    for number, at in enumerate(openings.openable(stage, content.document, facts.catalogue())[:MOST]):
        mine = held.get(at.spot)
        kept = {
            "label": mine.label if mine else at.label,
            "low": _end(mine.low if mine else None, at, "higher"),
            "high": _end(mine.high if mine else None, at, "lower"),
        }
        written = {part: form.get(f"{part}_{number}", "") for part in kept} if form is not None else kept
        made.append(
            Knob(
                at=at,
                unit={"fen": "元", "bp": "%"}.get(at.unit, at.counts),
                open=bool(mine) if form is None else form.get(f"open_{number}") == "yes",
                wrong=errors.get(f"low_{number}", ""),
                **written,
            )
        )
    return tuple(made)


def _end(value: int | None, at: Openable, own: str) -> str:
    """An end of a band; of a number not opened yet head office's own, on the side where a county may not pass it."""
    if value is None:
        return plain_number(at.number, at.unit) if at.tighter == own else ""
    return plain_number(value, at.unit)


def _places(content: UnionContent, form: dict[str, str] | None) -> tuple[Place, ...]:
    return tuple(
        Place(
            each["id"],
            each["name"],
            each["id"] in content.openings.places if form is None else form.get(f"place_{n}") == "yes",
        )
        for n, each in enumerate(list(overlays.tables(content.document).values())[:MOST_PLACES])
    )


EDITOR = Editor(template=SHOW, view=_view, county="县行的版本不向谁开放")
