"""The numbers head office opened to a county: set inside their bands, checked while one types (N4, A3-33)."""

import msgspec
from litestar import post
from litestar.params import FromPath

from backend.core.errors import Conflict, Invalid, NotPermitted
from backend.domains.decision import facts
from backend.domains.strategies import aside, cells, overlays
from backend.domains.strategies import service as strategies
from backend.domains.strategies.cells import CellUnreadable, Column
from backend.domains.strategies.model import ContentInvalid, CountyContent, Report, UnionContent, Version
from backend.web import forms, staff
from backend.web.http import Request, Response
from backend.web.staff import Here
from h5.console import strategy_carried, strategy_versions
from h5.console.strategies import HOME, WRITERS
from h5.console.strategy_carried import Carried
from h5.console.strategy_knobs import knobs
from h5.console.strategy_versions import VersionPage, code_of, found

MOST = 20
FIELDS = ("note", *(f"knob_{n}" for n in range(MOST)))


@post(f"{HOME}/{{version_id:str}}/parameters", opt=staff.only(*WRITERS), fields=FIELDS)
async def save(request: Request, version_id: FromPath[str]) -> Response:
    """A county's numbers; an empty field is head office's own number."""
    here, form = staff.here(request), await forms.texts(request)
    try:
        async with here.context.db.begin(here.actor) as tx:
            version = await found(tx, version_id)
            content = _numbers(
                version, await strategies.laid_out_floor(tx, version.product_code, version.stage), form
            )
            if not form.get("note"):
                raise Invalid(fields={"note": "请写一句改了什么、为什么"})
            made = await strategies.save(tx, version_id, content, note=form["note"][:200])
    except (Invalid, Conflict, NotPermitted) as problem:
        carried = await _carried(here, version_id, form)
        if carried is not None:
            return here.show(strategy_versions.SHOW, carried, 409)
        page = await strategy_versions.view(here, version_id, form, problem)
        return here.show(strategy_versions.SHOW, page, code_of(problem))
    return here.go(f"{HOME}/{made.id}?saved=1#knobs")


@post(f"{HOME}/{{version_id:str}}/parameters/check", opt=staff.only(*WRITERS), fields=FIELDS)
async def check(request: Request, version_id: FromPath[str]) -> Response:
    """What the checks say of the numbers as they stand in the form; nothing is stored."""
    here, form = staff.here(request), await forms.texts(request)
    return here.show(strategy_versions.SHOW, await _checked(here, version_id, form))


async def _carried(here: Here, version_id: str, form: dict[str, str]) -> VersionPage | None:
    """The newest draft with what was typed on the one before it; None where nobody went on with that."""
    async with here.context.db.read(here.actor) as tx:
        opened = await found(tx, version_id)
        newest = await strategy_versions.newest_draft(tx, opened)
        if newest is None:
            return None
        floor = await strategies.laid_out_floor(tx, opened.product_code, opened.stage)
    held, now = (
        {f"knob_{n}": each.value for n, each in enumerate(knobs(version, floor, [])[:MOST])}
        for version in (opened, newest)
    )
    fields, both = strategy_carried.together(held, form, now)
    page = await strategy_versions.view(here, newest.id, {**fields, "note": form.get("note", "")})
    labels = tuple(page.knobs[int(each.removeprefix("knob_"))].parameter.label for each in both)
    return msgspec.structs.replace(page, carried=Carried(opened.number, labels))


async def _checked(here: Here, version_id: str, form: dict[str, str]) -> VersionPage:
    try:
        async with here.context.db.read(here.actor) as tx:
            version = await found(tx, version_id)
            floor = await strategies.laid_out_floor(tx, version.product_code, version.stage)
            content = _numbers(version, floor, form)
            ready = await strategies.to_preview(tx, version.product_code, version.stage, content)
        report = await aside.run(ready.report)
    except ContentInvalid as problem:
        report = Report(findings=problem.findings, scenarios=[])
    except Invalid as problem:
        return await strategy_versions.view(here, version_id, form, problem)
    said = [f"{each.place}：{each.sentence}" for each in report.findings if each.blocks]
    said += [f"场景“{each.name}”：{each.wrong[0]}" for each in report.scenarios if each.wrong]
    page = await strategy_versions.view(here, version_id, form)
    if page.newest:
        said = [f"这份草稿有人接着改了，现在是第 {page.newest.number} 版。点“存成草稿”，您写的会搬到那一版上"]
    return msgspec.structs.replace(page, checked=True, wrong=tuple(said))


def _numbers(version: Version, floor: UnionContent, form: dict[str, str]) -> CountyContent:
    """The content with the form's numbers. Raises `Invalid` with each field that is no number, not in its band or
    looser than head office's."""
    if not isinstance(version.content, CountyContent):
        raise Invalid(fields={"note": "省联社的版本没有县行参数"})
    wrong, numbers = {}, {}
    opened = overlays.opened_cells(floor, version.stage, facts.catalogue())
    for number, (parameter, _) in enumerate(opened[:MOST]):
        text, unit = form.get(f"knob_{number}", ""), overlays.unit(floor, parameter)
        if text:
            column = Column(id=parameter.id, label=parameter.label, kind="number", unit=unit)
            try:
                numbers[parameter.id] = value = int(cells.read(text, column, facts.catalogue()))
            except (CellUnreadable, ValueError):
                wrong[f"knob_{number}"] = "这里只能写一个数"
                continue
            said = overlays.check_value(version.stage, floor.document, parameter, value, facts.catalogue())
            if said:
                wrong[f"knob_{number}"] = said[0].sentence
    if wrong:
        raise Invalid(fields=wrong)
    return CountyContent(parameters=numbers, rows=version.content.rows)
