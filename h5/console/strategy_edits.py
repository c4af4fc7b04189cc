"""What the pages that change a flow of head office's share: a county's overlay, which has no flow of its own, is shown
itself; a save is a new version of the draft, and what is wrong is said on the page it came from."""

from collections.abc import Awaitable, Callable

import msgspec

from backend.core.errors import Conflict, Invalid, NotPermitted
from backend.db.database import Tx
from backend.domains.strategies import checks
from backend.domains.strategies import service as strategies
from backend.domains.strategies.arranging import ArrangementWrong
from backend.domains.strategies.model import UnionContent, Version
from backend.web.http import Response
from backend.web.staff import Here
from h5.console import strategy_models, strategy_versions
from h5.console.strategies import HOME
from h5.console.strategy_versions import code_of, found

Problem = Invalid | Conflict | NotPermitted
View = Callable[[Here, str, dict[str, str], Problem | None], Awaitable[msgspec.Struct | None]]
Change = Callable[[Tx, Version, UnionContent], Awaitable[UnionContent]]


class Editor(msgspec.Struct, frozen=True):
    """`view` gives None for a county's overlay; `county` is what is said when one is to be changed here; `done` where a
    save leads to, behind the version's address."""

    template: str
    view: View
    county: str
    done: str


async def shown(here: Here, version_id: str, editor: Editor, asked: dict[str, str] | None = None) -> Response:
    page = await editor.view(here, version_id, asked or {}, None)
    if page is None:
        return here.show(strategy_versions.SHOW, await strategy_versions.view(here, version_id))
    return here.show(editor.template, page)


async def saved(
    here: Here, version_id: str, editor: Editor, form: dict[str, str], otherwise: str, change: Change
) -> Response:
    """`otherwise` is the note where the form has none."""
    try:
        async with here.context.db.begin(here.actor) as tx:
            version = await found(tx, version_id)
            if not isinstance(version.content, UnionContent):
                raise Invalid(fields={"note": editor.county})
            content = await whole(tx, version, change(tx, version, version.content))
            note = (form.get("note") or otherwise)[:200]
            made = await strategies.save(tx, version_id, content, note=note)
    except (Invalid, Conflict, NotPermitted) as problem:
        return await refused(here, version_id, editor, form, problem)
    return here.go(f"{HOME}/{made.id}{editor.done}")


async def whole(tx: Tx, version: Version, change: Awaitable[UnionContent]) -> UnionContent:
    """What a change gives, without what nothing reads any more; raises `ArrangementWrong` where the flow of a file is
    not written out, which only the checks can tell from a mistake of ours."""
    try:
        content = await change
        document = await strategy_models.trimmed(tx, content.document)
        return UnionContent(document=document, openings=content.openings)
    except (LookupError, TypeError, AttributeError, ValueError) as cause:
        assert isinstance(version.content, UnionContent)
        said = await checks.document_findings(tx, version.stage, version.content.document)
        if not any(each.blocks for each in said):
            raise
        raise ArrangementWrong(why="这张图里有没写完整的节点，请用文件改好再来") from cause


async def refused(
    here: Here, version_id: str, editor: Editor, form: dict[str, str], problem: Problem
) -> Response:
    """The page again with what was written and what is wrong with it."""
    page = await editor.view(here, version_id, form, problem)
    if page is not None:
        return here.show(editor.template, page, code_of(problem))
    own = await strategy_versions.view(here, version_id, form, problem)
    return here.show(strategy_versions.SHOW, own, code_of(problem))


def told(problem: Problem | None) -> str:
    """The first sentence of a field, else the problem's own."""
    if problem is None:
        return ""
    fields = problem.fields if isinstance(problem, Invalid) else {}
    return next(iter(fields.values()), problem.text)
