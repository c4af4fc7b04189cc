"""A scorecard or model of the flow changed in place: which one it asks, and what its score is called (issue 3 §2, §8).

How far the score reaches is taken from the model, never from the form. As with a calculation, the form is sent to
`check` while one types, which stores nothing; a save is a new version of the draft.
"""

import msgspec
from litestar import get, post
from litestar.params import FromPath

from backend.core.errors import Invalid
from backend.db.database import Tx
from backend.domains.models import service as models
from backend.domains.strategies import inside, scored
from backend.domains.strategies.model import UnionContent, Version
from backend.domains.strategies.scored import Score, ScoreWrong
from backend.web import forms, staff
from backend.web.http import Request, Response
from backend.web.staff import Here
from h5.console import strategy_carried, strategy_edits, strategy_models, strategy_versions
from h5.console.strategies import HOME, READERS, WRITERS
from h5.console.strategy_carried import Brought, Carried
from h5.console.strategy_edits import InPlace, Looked, Problem
from h5.console.strategy_models import Told

SHOW = "console/strategies/score.html"
FIELDS = ("node", "act", "model", "result", "note")
NONE = "这张图里没有评分卡或模型节点，先在“排流程图”里加一个"


class ScorePage(msgspec.Struct, frozen=True, kw_only=True):
    """`asked` is the model as it is stored, None for one nobody registered here; `chosen` and `result` as the form has
    them. `checked`: this content was looked at; `others` are findings elsewhere."""

    version: Version
    score: Score
    asked: Told | None
    choices: tuple[Told, ...]
    chosen: str
    result: str
    may_edit: bool
    note: str = ""
    told: str = ""
    errors: dict[str, str] = {}
    checked: bool = False
    wrong: tuple[str, ...] = ()
    others: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    carried: Carried | None = None


@get(f"{HOME}/{{version_id:str}}/score", opt=staff.only(*READERS))
async def show(request: Request, version_id: FromPath[str]) -> Response:
    here, node = staff.here(request), request.query_params.get("node", "")
    return await strategy_edits.shown(here, version_id, EDITOR, {"node": node})


@post(f"{HOME}/{{version_id:str}}/score", opt=staff.only(*WRITERS), fields=FIELDS)
async def save(request: Request, version_id: FromPath[str]) -> Response:
    here, form = staff.here(request), await forms.texts(request)
    return await strategy_edits.saved_in_place(here, version_id, EDITOR, form)


@post(f"{HOME}/{{version_id:str}}/score/check", opt=staff.only(*WRITERS), fields=FIELDS)
async def check(request: Request, version_id: FromPath[str]) -> Response:
    """What the checks say of the node as it stands in the form; nothing is stored."""
    here, form = staff.here(request), await forms.texts(request)
    return await strategy_edits.checked(here, version_id, EDITOR, {**form, "act": "check"})


def _score(content: UnionContent, number: str) -> Score | None:
    """The node a form is about, the first where it names none; None: the flow has no such one."""
    held = scored.nodes_of(content.document)
    return next((each for each in held if each.node == number or not number), None)


async def _changed(tx: Tx, _version: Version, held: UnionContent, form: dict[str, str]) -> UnionContent:
    """Raises `ScoreWrong`."""
    score = _score(held, form.get("node", ""))
    if score is None:
        raise Invalid(fields={"note": NONE})
    model = scored.chosen(await models.nameable(tx), form.get("model", ""))
    document = scored.with_other(held.document, score.node, form.get("result", ""), model)
    return UnionContent(document=document, openings=held.openings)


async def _view(
    here: Here, version_id: str, form: dict[str, str], problem: Problem | None
) -> ScorePage | None:
    """None: a county's overlay, or a flow that asks no scorecard or model."""
    async with here.context.db.read(here.actor) as tx:
        version = await inside.opened(tx, version_id)
        if not isinstance(version.content, UnionContent):
            return None
        score = _score(version.content, form.get("node", ""))
        if score is None:
            return None
        told = await strategy_models.known(here, tx, [version.content.document])
        choices = await strategy_models.named(here, tx)
    sent = "act" in form
    return ScorePage(
        version=version,
        score=score,
        asked=told.get(score.model),
        choices=choices,
        chosen=form.get("model", "") if sent else score.model,
        result=form.get("result", "") if sent else score.result,
        may_edit=strategy_versions.acts_of(here, version).edit,
        note=form.get("note", ""),
        told="" if isinstance(problem, ScoreWrong) else strategy_edits.told(problem),
        errors=problem.fields if isinstance(problem, ScoreWrong) else {},
    )


def _seen(page: ScorePage, looked: Looked) -> ScorePage:
    assert isinstance(looked.content, UnionContent)
    mine = [each.node == page.score.node for each in looked.findings]
    return msgspec.structs.replace(
        page,
        score=_score(looked.content, page.score.node) or page.score,
        wrong=tuple(e.told for e, own in zip(looked.findings, mine, strict=True) if own),
        others=tuple(f"{e.place}：{e.told}" for e, own in zip(looked.findings, mine, strict=True) if not own),
    )


_SAID = {"model": "用哪一个", "result": "分数叫什么"}


def _onto(opened: Version, newest: Version, form: dict[str, str]) -> Brought | None:
    if not isinstance(opened.content, UnionContent) or not isinstance(newest.content, UnionContent):
        return None
    held = _score(opened.content, form.get("node", ""))
    now = _score(newest.content, held.node) if held else None
    if held is None or now is None:
        return None
    sides = [{"model": each.model, "result": each.result} for each in (held, now)]
    made, both = strategy_carried.together(sides[0], form, sides[1])
    return Brought({**form, **made, "node": now.node}, tuple(_SAID[each] for each in both))


EDITOR = InPlace(
    template=SHOW,
    view=_view,
    county="县行的版本没有自己的流程图",
    change=_changed,
    otherwise="改了评分卡或模型",
    seen=_seen,
    onto=_onto,
    at_fields=(ScoreWrong,),
)
