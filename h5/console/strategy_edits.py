"""The frame of the pages that change a flow of head office's in place: show, say what the checks find, save.

A county's overlay, which has no flow of its own, is shown itself; a save is a new version of the draft, and what is
wrong is said on the page it came from. An address is a version's, or of one of its sub-flows (`inside.opened`): the
same pages change both, and what is checked and saved is always the whole.
"""

from collections.abc import Awaitable, Callable
from typing import Any

import msgspec

from backend.core.errors import Conflict, Invalid, NotPermitted
from backend.db.database import Tx
from backend.domains.decision import facts
from backend.domains.strategies import aside, calculations, checks, inside, nesting
from backend.domains.strategies import service as strategies
from backend.domains.strategies.arranging import ArrangementWrong
from backend.domains.strategies.inside import Written
from backend.domains.strategies.model import (
    Content,
    ContentInvalid,
    Finding,
    Report,
    UnionContent,
    Version,
)
from backend.web.http import Response
from backend.web.staff import Here
from h5.console import strategy_models, strategy_sub_flows, strategy_versions
from h5.console.strategies import HOME
from h5.console.strategy_carried import Brought, Carried
from h5.console.strategy_versions import code_of

Problem = Invalid | Conflict | NotPermitted
Page = Any
"""A struct of the editor's own, with `told` and, where it is checked as one types, `checked`."""
View = Callable[[Here, str, dict[str, str], Problem | None], Awaitable[Page | None]]
Change = Callable[[Tx, Version, UnionContent], Awaitable[UnionContent]]
Asked = Callable[[Tx, Version, UnionContent, dict[str, str]], Awaitable[UnionContent]]


class Looked(msgspec.Struct, frozen=True):
    """What the checks say of a content nobody stored, as the place it stands in sees it. `failed` are scenarios."""

    content: Content
    findings: list[Finding]
    failed: tuple[str, ...]


class Editor(msgspec.Struct, frozen=True, kw_only=True):
    """`view` gives None for a county's overlay, or where the flow has nothing of the kind; `county` is what is said
    when one is to be changed here; `done` where a save leads to, behind the version's address."""

    template: str
    view: View
    county: str
    done: str = "?saved=1"


class InPlace(Editor, frozen=True, kw_only=True):
    """`change` makes a form's content, `otherwise` is the note of a form without one. `seen` puts what the checks say
    into the page; `at_fields`: problems that the page shows at its fields. `onto` brings a form typed on a draft onto
    the one somebody made of it meanwhile; None where that has no such place."""

    change: Asked
    otherwise: str
    seen: Callable[[Page, Looked], Page]
    onto: Callable[[Version, Version, dict[str, str]], Brought | None]
    at_fields: tuple[type[Invalid], ...] = ()


async def shown(here: Here, address: str, editor: Editor, asked: dict[str, str] | None = None) -> Response:
    page = await editor.view(here, address, asked or {}, None)
    if page is None:
        return here.show(*await strategy_sub_flows.page(here, address))
    return here.show(editor.template, page)


async def saved(
    here: Here, address: str, editor: Editor, form: dict[str, str], otherwise: str, change: Change
) -> Response:
    """`otherwise` is the note where the form has none."""
    try:
        async with here.context.db.begin(here.actor) as tx:
            version = await inside.opened(tx, address)
            if not isinstance(version.content, UnionContent):
                raise Invalid(fields={"note": editor.county})
            written = await whole(tx, version, change(tx, version, version.content))
            note = (form.get("note") or otherwise)[:200]
            made = await inside.save(tx, version, written, note=note)
    except (Invalid, Conflict, NotPermitted) as problem:
        return await refused(here, address, editor, form, problem)
    return here.go(f"{HOME}/{made.address}{editor.done}")


async def saved_in_place(here: Here, address: str, editor: InPlace, form: dict[str, str]) -> Response:
    async def change(tx: Tx, version: Version, held: UnionContent) -> UnionContent:
        return await editor.change(tx, version, held, form)

    return await saved(here, address, editor, form, editor.otherwise, change)


async def checked(
    here: Here, address: str, editor: InPlace, form: dict[str, str], *, changed: bool = True
) -> Response:
    """The page with what the checks say of the form; nothing is stored. `changed` false: the form holds what is
    stored."""
    page = await editor.view(here, address, form, None)
    if page is None:
        return await shown(here, address, editor)
    version, held = page.version, page.version.content

    async def made(tx: Tx) -> Written:
        if not changed:
            return await written(tx, version, held)
        return await whole(tx, version, editor.change(tx, version, held, form))

    try:
        found = await looked(here, version, made)
    except Invalid as problem:
        at_fields = isinstance(problem, editor.at_fields)
        if at_fields:
            page = await editor.view(here, address, form, problem) or page
        said = "" if at_fields else told(problem)
        return here.show(editor.template, msgspec.structs.replace(page, checked=at_fields, told=said))
    said = await _overtaken(here, version)
    page = msgspec.structs.replace(page, checked=not said, failed=found.failed, told=said)
    return here.show(editor.template, editor.seen(page, found))


async def _overtaken(here: Here, version: Version) -> str:
    """What to say at once of a draft somebody went on with; '' of any other."""
    async with here.context.db.read(here.actor) as tx:
        newest = await strategy_versions.newest_draft(tx, version)
    if newest is None:
        return ""
    return f"这份草稿有人接着改了，现在是第 {newest.number} 版。点“存成草稿”，您写的会搬到那一版上"


async def whole(tx: Tx, version: Version, change: Awaitable[UnionContent]) -> Written:
    """What a change gives, without what nothing reads any more; raises `ArrangementWrong` where the flow of a file is
    not written out, which only the checks can tell from a mistake of ours."""
    try:
        return await written(tx, version, await change, trim=True)
    except (LookupError, TypeError, AttributeError, ValueError) as cause:
        assert isinstance(version.content, UnionContent)
        said = await checks.document_findings(tx, version.stage, version.content.document)
        if not any(each.blocks for each in said):
            raise
        raise ArrangementWrong(why="这张图里有没写完整的节点，请用文件改好再来") from cause


async def written(tx: Tx, version: Version, content: Content, *, trim: bool = False) -> Written:
    """As `inside.written`."""
    needed = isinstance(content, UnionContent) and strategy_models.asks(content.document)
    reads = await strategy_models.reads(tx) if needed or version.within else {}
    return await inside.written(tx, version, content, reads, trim=trim)


async def looked(here: Here, version: Version, made: Callable[[Tx], Awaitable[Written]]) -> Looked:
    """The checks over what is made; nothing is stored. Raises `Invalid` for what cannot be read."""
    try:
        async with here.context.db.read(here.actor) as tx:
            found = await made(tx)
            ready = await strategies.to_preview(
                tx, version.product_code, version.stage, found.content, found.flows
            )
    except ContentInvalid as problem:
        return _said(version, version.content, Report(findings=problem.findings, scenarios=[]))
    return _said(version, found.here, await aside.run(ready.report))


def _said(version: Version, content: Content, report: Report) -> Looked:
    """With the names people gave instead of the letters behind them."""
    findings = nesting.seen_from(report.findings, version.within)
    if isinstance(content, UnionContent):
        known = calculations.words(content.document, facts.catalogue())
        findings = [
            msgspec.structs.replace(
                each,
                place=calculations.plainly(each.place, known),
                sentence=calculations.plainly(each.sentence, known),
            )
            for each in findings
        ]
    failed = tuple(f"场景“{each.name}”：{each.wrong[0]}" for each in report.scenarios if each.wrong)
    return Looked(content, findings, failed)


async def refused(
    here: Here, address: str, editor: Editor, form: dict[str, str], problem: Problem
) -> Response:
    """The page again with what was written and what is wrong with it; of a draft somebody went on with, what was
    written on the newest."""
    carried = await _carried(here, address, editor, form) if isinstance(editor, InPlace) else None
    if carried is not None:
        return here.show(editor.template, carried, 409)
    page = await editor.view(here, address, form, problem)
    if page is not None:
        return here.show(editor.template, page, code_of(problem))
    return here.show(*await strategy_sub_flows.page(here, address, form, problem), code_of(problem))


async def _carried(here: Here, address: str, editor: InPlace, form: dict[str, str]) -> Page | None:
    async with here.context.db.read(here.actor) as tx:
        opened = await inside.opened(tx, address)
        newest = await strategy_versions.newest_draft(tx, opened)
    if newest is None or newest.within != opened.within:
        return None
    brought = editor.onto(opened, newest, form)
    if brought is None:
        return None
    page = await editor.view(here, newest.address, brought.form, None)
    said = Carried(opened.number, brought.both, brought.lost)
    return page and msgspec.structs.replace(page, carried=said)


def told(problem: Problem | None) -> str:
    """The first sentence of a field, else the problem's own."""
    if problem is None:
        return ""
    fields = problem.fields if isinstance(problem, Invalid) else {}
    return next(iter(fields.values()), problem.text)
