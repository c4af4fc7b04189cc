"""试一个案例: a scenario, or a changed copy of it, answered by a version that may be no more than a draft; outcome,
reasons, caps, price or plan, and the way through the drawn flow at once (A3-33, A6-02, A6-03). Nothing is stored."""

import json
from collections import Counter
from typing import Any

import msgspec
from litestar import get, post
from litestar.params import FromPath

from backend.core.errors import Conflict, Invalid
from backend.db.database import Tx
from backend.domains.decision import conduct, path
from backend.domains.decision.assessment import Assessment
from backend.domains.decision.contracts import WORDS
from backend.domains.decision.county import SILENT
from backend.domains.decision.model import COUNTY, Case, Decision
from backend.domains.decision.path import Lit
from backend.domains.strategies import (
    aside,
    checks,
    composing,
    judging,
    nesting,
    overlays,
    scenario_book,
    shipped,
    unfolding,
)
from backend.domains.strategies import service as strategies
from backend.domains.strategies.judging import Answer
from backend.domains.strategies.model import (
    ALL_PRODUCTS,
    Content,
    CountyContent,
    Document,
    Expected,
    Scenario,
    UnionContent,
    Version,
)
from backend.overview import case_file
from backend.web import forms, staff
from backend.web.http import Request, Response
from backend.web.staff import Here
from h5.console import (
    stored_trials,
    strategy_graph,
    strategy_levers,
    strategy_models,
    strategy_scenarios,
    strategy_tables,
)
from h5.console.strategies import HOME, READERS, WRITERS
from h5.console.strategy_graph import Drawing
from h5.console.strategy_levers import FACTS, Computed, Lever
from h5.console.strategy_tables import Inside, Sheet
from h5.console.strategy_versions import code_of, found, reader

SHOW = "console/strategies/trial.html"
SHORTEST_NAME = 4  # characters
MOST_STOPPED = 1000
SAMPLE = "样例资料（场景都停用了）"


class Plan(msgspec.Struct, frozen=True):
    """How collection would contact the person; `not_taken`: a plan of the county's was harder and does not count."""

    action: str
    channel: str
    pace_days: int
    not_taken: bool


class Trial(msgspec.Struct, frozen=True, kw_only=True):
    """`decision`, or `said` at a stage outside one; both None: there is nothing to try it with. `told` says why it
    cannot be tried, or what it was not tried with. `stored`: the facts are those of a real answer. `kept`: what the
    stage keeps of its questions."""

    version: Version
    cases: tuple[Scenario, ...]
    case: str
    levers: tuple[Lever, ...]
    computed: tuple[Computed, ...]
    decision: Decision | None
    said: Assessment | None
    plan: Plan | None
    outcome: str
    caps: tuple[tuple[Any, int], ...]
    drawing: Drawing
    sheet: Sheet
    inside: tuple[Inside, ...]
    may_keep: bool
    stored: stored_trials.Stored | None = None
    outcomes: dict[str, str]
    kept: str = ""
    tighter: str = ""
    told: str = ""


@get(f"{HOME}/{{version_id:str}}/try", opt=staff.only(*READERS))
async def show(request: Request, version_id: FromPath[str]) -> Response:
    here = staff.here(request)
    asked, number = (request.query_params.get(each, "") for each in ("case", "decision"))
    chosen = f"{stored_trials.PREFIX}{number}" if number else asked
    return here.show(SHOW, await _trial(here, version_id, {"case": chosen}))


@post(f"{HOME}/{{version_id:str}}/try", opt=staff.only(*READERS), fields=("case", "name", "outcome", *FACTS))
async def decide(request: Request, version_id: FromPath[str]) -> Response:
    """The same case with other facts. Nothing is stored."""
    here, form = staff.here(request), await forms.texts(request)
    return here.show(SHOW, await _trial(here, version_id, form))


@post(
    f"{HOME}/{{version_id:str}}/scenario",
    opt=staff.only(*WRITERS),
    fields=("case", "name", "outcome", *FACTS),
)
async def keep(request: Request, version_id: FromPath[str]) -> Response:
    """The case as it stands in the form becomes a scenario that every later version must meet."""
    here, form = staff.here(request), await forms.texts(request)
    try:
        async with here.context.db.begin(here.actor) as tx:
            version = await found(tx, version_id)
            case = await _case_of(tx, version, form)
            expected = Expected(outcome=_expected(form, judging.outcomes(version.stage)))
            name, product = form["name"][:60], version.product_code
            await scenario_book.add(tx, product, name, case, expected, stage=version.stage)
    except (Invalid, Conflict) as problem:
        view = msgspec.structs.replace(await _trial(here, version_id, form), told=_told(problem))
        return here.show(SHOW, view, code_of(problem))
    return here.go(strategy_scenarios.path_of(version.product_code, version.stage))


def _told(problem: Invalid | Conflict) -> str:
    """The sentence of the field, where there is one."""
    return next(iter(problem.fields.values()), problem.text) if isinstance(problem, Invalid) else problem.text


def _expected(form: dict[str, str], outcomes: dict[str, str]) -> str:
    if len(form.get("name", "")) < SHORTEST_NAME:
        raise Invalid(fields={"name": "给场景起个名字，别人一看就知道是谁、为什么"})
    if form.get("outcome") not in outcomes:
        raise Invalid(fields={"outcome": "请选一个应当的结果"})
    return form["outcome"]


async def _case_of(tx: Tx, version: Version, form: dict[str, str]) -> Case:
    """Raises `Invalid` when a fact of the form cannot be read."""
    held = await _offered(tx, version)
    chosen = next((each for each in held if each.id == form.get("case")), None)
    if chosen is None:
        raise Invalid(fields={"case": "请先选一个场景来改"})
    levers, case = strategy_levers.levers(await _looked_at(tx, version), chosen, form, {})
    if any(each.wrong for each in levers):
        raise Invalid(fields={"case": "有一项事实看不懂，先改好"})
    return case


async def _trial(here: Here, version_id: str, form: dict[str, str]) -> Trial:
    async with here.context.db.read(await reader(here, version_id)) as tx:
        version = await found(tx, version_id)
        floor = await strategies.floor(tx, version.product_code, version.stage)
        document = await checks.document_of(tx, version)
        flows = await nesting.flows_of(tx, document, floor.document)
        held = await _offered(tx, version)
        real = await stored_trials.opened(here, tx, form.get("case", ""), version.stage)
        if real is not None:
            held = [real.scenario, *held]
        chosen = next((each for each in held if each.id == form.get("case")), held[0] if held else None)
        names, levers, case = await _looked_at(tx, version), tuple[Lever, ...](), None
        if chosen is not None:
            edges = strategy_levers.edges([document, floor.document, *flows.values()])
            levers, case = strategy_levers.levers(names, chosen, form, edges)
        answer, told = await _answered(tx, version, document, case, stored=real is not None)
        told_models = await strategy_models.known(here, tx, [document, floor.document, *flows.values()])
    if any(each.wrong for each in levers):
        told = "。".join(each for each in (told, "有一项写得不对，下面先按它原来的值算") if each)
    laid = unfolding.laid_out(floor, flows)
    drawn = floor.document if version.layer == "county" else document
    own = path.lit(document, _steps(answer, county=version.layer == "county"), version.stage)
    if version.layer == "county":
        own = _placed(own, laid.document)
    trace = _steps(answer, county=False)
    way = path.lit(drawn, trace, version.stage)
    lit = own if answer else None
    added = _added(version.content, laid, lit)
    words, decided = judging.outcomes(version.stage), isinstance(answer, Decision)
    return Trial(
        version=version,
        cases=tuple(held),
        case=chosen.id if chosen else "",
        levers=levers,
        computed=strategy_levers.computed(names, case) if case else (),
        decision=answer if isinstance(answer, Decision) else None,
        said=answer if isinstance(answer, Assessment) else None,
        plan=_plan(answer),
        outcome=words[answer.outcome] if answer else "",
        caps=_shares(answer if isinstance(answer, Decision) else None),
        drawing=strategy_graph.draw(drawn, way if answer else None, added),
        sheet=strategy_tables.sheet(
            version.stage, version.content, laid, lit=lit, models=told_models, flows=flows
        ),
        inside=strategy_tables.inside(version.stage, drawn, flows, trace, told_models),
        may_keep=strategies.may_write(here.actor) and (version.layer == "union" or not here.head_office),
        stored=stored_trials.compared(real, answer) if real else None,
        outcomes=words,
        kept="" if decided else judging.KEPT.get(version.stage, ""),
        tighter=overlays.TIGHTER.get(version.stage, "") if version.layer == "county" else "",
        told=told,
    )


async def _offered(tx: Tx, version: Version) -> list[Scenario]:
    """The institution's own scenarios, then those that came with the code, to begin with; none that was stopped. The
    facts of one stay to begin with where all were."""
    stage = judging.moment(version.stage)
    held = await scenario_book.of_product(tx, version.product_code, stage)
    gone = await scenario_book.stopped(tx, version.product_code, stage, most=MOST_STOPPED)
    names = {each.name for each in (*held, *gone)}
    made = [
        Scenario(
            id=f"shipped-{n}",
            product_code="*",
            stage=stage,
            name=name,
            case=case,
            expected=must,
            made_by="",
            made_at=tx.now,
        )
        for n, (name, case, must) in enumerate(shipped.scenarios(stage), 1)
    ]
    offered = [*held, *(each for each in made if each.name not in names)]
    return offered or [msgspec.structs.replace(each, name=SAMPLE) for each in made[:1]]


def _steps(answer: Answer | None, *, county: bool) -> list[Any]:
    """The steps of one layer: both have tables of the same names."""
    return [step for step in answer.trace if (step.layer == COUNTY) is county] if answer else []


def _placed(own: Lit, laid_out: Document) -> Lit:
    """Rows of a county's document under the tables of head office's flow they stand in."""
    places = composing.places(laid_out)
    rows = {places.get(table, table): hit for table, hit in own.rows.items()}
    return msgspec.structs.replace(own, rows=rows)


def _added(content: Content, floor: UnionContent, lit: Lit | None) -> dict[str, str]:
    """Where a county's layer stands in head office's flow: node of the drawing → what of it stands there, or matched
    the case."""
    if not isinstance(content, CountyContent):
        return {}
    numbers = Counter(
        _drawn(each.table) for each in floor.openings.parameters if each.id in content.parameters
    )
    added, hit = Counter[str](), Counter[str]()
    for place, rows in content.rows.items():
        added[_drawn(place)] += len(rows)
    for place, matched in (lit.rows if lit else {}).items():
        hit[_drawn(place)] += sum(row != SILENT for row in matched)
    places = {place: f"本行改了 {count} 个数" for place, count in numbers.items()}
    places |= {place: f"本行加了 {count} 行" for place, count in added.items() if count}
    return places | {place: f"本行命中 {count} 行" for place, count in hit.items() if count}


def _drawn(place: str) -> str:
    """The node of the drawing: of a table inside it the sub-flow's."""
    return place.split("/")[0]


def _plan(answer: Answer | None) -> Plan | None:
    if not isinstance(answer, Assessment) or answer.contact is None:
        return None
    contact = answer.contact
    aside_left = any(step.event == "not_taken" for step in answer.trace)
    return Plan(WORDS[contact.action], WORDS[contact.channel], contact.pace_days, aside_left)


async def _answered(
    tx: Tx, version: Version, document: Document, case: Case | None, *, stored: bool
) -> tuple[Answer | None, str]:
    if case is None:
        return None, "还没有场景。先加一个场景，再来试。"
    said = ""
    try:
        product = case.product if version.product_code == ALL_PRODUCTS and stored else version.product_code
        if version.content == CountyContent(rows=_no_rows(version.content)):
            said = "本行还没有加规则，这里是只按省联社的规则办的结果"
            build = await judging.live_later(tx, product, version.stage, without_county=True)
        else:
            build = await judging.trial_later(tx, product, version.stage, version.content, document)
        using = await aside.run(build)
    except Invalid as problem:
        return None, problem.text
    return await aside.run(judging.answer, case, using), said


def _no_rows(content: Content) -> dict[str, list[dict[str, str]]]:
    """The tables of a county's layer, empty."""
    return {place: [] for place in content.rows} if isinstance(content, CountyContent) else {}


async def _looked_at(tx: Tx, version: Version) -> list[str]:
    """Names of facts the version looks at, those of head office's document beside a county's, and at a stage outside a
    decision those of the guard behind both."""
    names = _declared(await checks.document_of(tx, version))
    if not isinstance(version.content, UnionContent):
        floor = await strategies.floor(tx, version.product_code, version.stage)
        names += _declared(floor.document)
    guard = sorted(conduct.needs(version.stage)) if judging.moment(version.stage) else []
    return list(dict.fromkeys([*names, *guard]))


def _declared(document: Document) -> list[str]:
    entry = next((n for n in document["nodes"] if n["type"] == "inputNode"), None)
    return list(json.loads(entry["content"]["schema"])["properties"]) if entry else []


def _shares(decision: Decision | None) -> tuple[tuple[Any, int], ...]:
    """Each cap with its share of the largest, for bars of 100."""
    caps = decision.caps if decision else []
    largest = max((cap.amount_fen for cap in caps), default=0)
    return tuple(
        (case_file.of_customer(cap), max(0, cap.amount_fen) * 100 // largest if largest > 0 else 0)
        for cap in caps
    )
