"""查决策: search over decisions, with counts, pages, and a masked list to take away (A6-03, A10-14).

By POST, because every search is written down (and no number stands in an address); a link leads to the case's page.
"""

import csv
import io
import re
import unicodedata
from datetime import date, datetime, time, timedelta

import litestar
import msgspec
from litestar import get, post

from backend.core import clock, csv_text
from backend.core.errors import Invalid
from backend.db.database import Tx
from backend.domains.decision import bundle, facts
from backend.domains.decision.contracts import NAMES
from backend.domains.decision.model import DECIDING
from backend.domains.models import service as models
from backend.domains.strategies import checks, nesting, overlays
from backend.domains.strategies import service as strategies
from backend.domains.strategies.judging import DECIDED
from backend.domains.strategies.model import ALL_PRODUCTS, UNION, UnionContent, Version
from backend.overview import case_file, decision_search
from backend.overview.decision_search import MOST_EXPORTED, PERSON, Asked, Found, Page
from backend.web import forms, staff
from backend.web.http import Request, Response
from backend.web.staff import Here
from h5.console.strategies import product_names
from h5.console.strategy_versions import found as version_of
from h5.console.strategy_versions import reader

HOME = "/console/decisions"
SHOW = "console/decisions/show.html"
READERS = ("county_admin", "reviewer", "risk_analyst", "auditor", "head_office_admin")
EXPORTERS = ("risk_analyst", "auditor", "head_office_admin")
FIELDS = ("number", "since", "until", "outcome", "person", "code", "product", "version", "model", "county")
USUAL, LONGEST = timedelta(days=30), timedelta(days=1100)
EVER = date(2000, 1, 1)
"""Who knows the number need not know the day: the form comes with the last thirty filled in."""
_HOLE = re.compile(r"\{([^{}]*)\}")
UNREGISTERED = "随系统的评分卡"


class Choices(msgspec.Struct, frozen=True, kw_only=True):
    """What can be chosen from, each (value, what is read). `reasons` code → the sentence of a rule."""

    products: dict[str, str]
    versions: tuple[tuple[str, str], ...]
    models: tuple[tuple[str, str], ...]
    reasons: dict[str, str]
    counties: dict[str, str]


class Search(msgspec.Struct, frozen=True, kw_only=True):
    """`found` None: nothing was asked yet."""

    choices: Choices
    form: dict[str, str]
    found: Page | None = None
    may_export: bool
    head_office: bool
    told: str = ""
    errors: dict[str, str] = {}
    outcomes: dict[str, str] = msgspec.field(default_factory=DECIDED.copy)
    people: dict[str, str] = msgspec.field(default_factory=PERSON.copy)
    most: int = MOST_EXPORTED


@get(HOME, opt=staff.only(*READERS))
async def show(request: Request) -> Response:
    here = staff.here(request)
    return here.show(SHOW, await _view(here, _usual()))


@post(HOME, opt=staff.only(*READERS), fields=(*FIELDS, "place"))
async def search(request: Request) -> Response:
    """One page of what was found; who asked for what is written down."""
    here, form = staff.here(request), _usual() | await forms.texts(request)
    try:
        asked = await _asked(here, form)
        async with here.context.db.read(here.reader) as tx:
            page = await decision_search.search(tx, asked, form.get("place", ""))
    except Invalid as problem:
        return here.show(SHOW, await _view(here, form, problem=problem), 422)
    async with here.context.db.begin(here.actor) as tx:
        decision_search.note(tx, asked, "searched", page.total)
    return here.show(SHOW, await _view(here, form, page))


@post(f"{HOME}/export", opt=staff.only(*EXPORTERS), fields=FIELDS)
async def export(request: Request) -> Response:
    """The same list as CSV, masked, at most `MOST_EXPORTED` rows, newest first."""
    here, form = staff.here(request), await forms.texts(request)
    try:
        asked = await _asked(here, form)
        async with here.context.db.read(here.reader) as tx:
            page = await decision_search.search(tx, asked, most=MOST_EXPORTED)
    except Invalid as problem:
        return here.show(SHOW, await _view(here, form, problem=problem), 422)
    async with here.context.db.begin(here.actor) as tx:
        decision_search.note(tx, asked, "exported", len(page.rows))
    headers = {"Content-Disposition": 'attachment; filename="decisions.csv"'}
    body = await _csv(here, page)
    return litestar.Response(body, media_type="text/csv; charset=utf-8", headers=headers, status_code=200)


def _usual() -> dict[str, str]:
    today = clock.today()
    return {"since": (today - USUAL).isoformat(), "until": today.isoformat()}


async def _asked(here: Here, form: dict[str, str]) -> Asked:
    """Raises `Invalid` with what is wrong by field, `StrategyMissing` for a version nobody may see."""
    wrong: dict[str, str] = {}
    usual = _usual()
    since, until = (_day(form.get(each) or usual[each]) for each in ("since", "until"))
    if since is None or until is None:
        wrong["since"] = "日期写成 2026-12-01 这样"
    elif not timedelta() <= until - since <= LONGEST:
        wrong["since"] = "开始的一天要在结束的一天以前，最多查三年"
    if form.get("outcome") and form["outcome"] not in DECIDED:
        wrong["outcome"] = "请从列表里选结果"
    if form.get("person") and form["person"] not in PERSON:
        wrong["person"] = "请从列表里选人工结果"
    counties = {each.id: each.short_name for each in await staff.counties(here)}
    if form.get("county") and form["county"] not in counties:
        wrong["county"] = "请从列表里选县行"
    if wrong or since is None or until is None:
        raise Invalid(fields=wrong)
    own = (here.person.institution_id,) if not here.head_office else tuple(counties)
    number = unicodedata.normalize("NFKC", form.get("number", "")).strip()[:40]
    return Asked(
        institutions=(form["county"],) if form.get("county") else own,
        since=_midnight(EVER if number else since),
        until=_midnight((clock.today() if number else until) + timedelta(days=1)),
        number=number,
        outcome=form.get("outcome", ""),
        person=form.get("person", ""),
        code=form.get("code", "").split(" ")[0][:64],
        product_code=form.get("product", "")[:20],
        version=await _version(here, form.get("version", "")),
        scorecard=form.get("model", "")[:64],
    )


async def _version(here: Here, version_id: str) -> Version | None:
    if not version_id:
        return None
    async with here.context.db.read(await reader(here, version_id)) as tx:
        return await version_of(tx, version_id)


def _day(text: str) -> date | None:
    """None for what is no day of our time."""
    try:
        day = date.fromisoformat(text)
    except ValueError:
        return None
    return day if 2000 <= day.year < 2200 else None


def _midnight(day: date) -> datetime:
    return datetime.combine(day, time(), clock.LOCAL)


async def _view(
    here: Here, form: dict[str, str], found: Page | None = None, problem: Invalid | None = None
) -> Search:
    errors = problem.fields if problem else {}
    return Search(
        choices=await _choices(here),
        form=form,
        found=found,
        may_export=here.has(*EXPORTERS),
        head_office=here.head_office,
        told=problem.text if problem and not errors else "",
        errors=errors,
    )


async def _choices(here: Here) -> Choices:
    async with here.context.db.read(here.actor) as tx:
        names = await product_names(tx)
        versions = await _versions(tx)
        held = await models.all_models(tx)
        reasons = await _reasons(tx)
    shipped = {bundle.seeded().versions.scorecard: UNREGISTERED}
    cards = shipped | {each.artefact: each.name for each in held if each.decides}
    return Choices(
        products={code: name for code, name in names.items() if code != ALL_PRODUCTS},
        versions=tuple((each.id, _label(each, names)) for each in versions),
        models=tuple(cards.items()),
        reasons=reasons,
        counties={each.id: each.short_name for each in await staff.counties(here)},
    )


async def _versions(tx: Tx) -> list[Version]:
    """Versions that decide or once did, of what the institution of `tx` reads."""
    found = []
    for live in await strategies.in_use(tx):
        if live.stage in DECIDING:
            several = await strategies.history(tx, live.institution_id, live.product_code, live.stage)
            found += [each for each in several if each.status in ("live", "retired")]
    return found


def _label(version: Version, names: dict[str, str]) -> str:
    whose = "省联社" if version.institution_id == UNION else "本行"
    product = names.get(version.product_code, version.product_code)
    return f"{whose} {product} {version.label}（{version.status_label}）"


async def _reasons(tx: Tx) -> dict[str, str]:
    """Code → what it means: of every rule that is live or came with the code, and those the engine itself gives."""
    found = {"SC_TOTAL": "综合评分", "SYS": "系统没有算完"}
    found |= {f"SC_{f.name.upper()}": f"评分：{f.label}" for f in facts.catalogue().facts.values() if f.minus}
    found |= {f"LIMIT_{name.upper()}": f"额度受“{label}”限制" for name, label in NAMES.items()}
    found |= {f"DATA_{name.upper()}": f"缺资料：{label}" for name, label in case_file.SOURCES.items()}
    documents = list(checks.shipped_documents().values())
    documents += [
        v.content.document for v in await strategies.in_use(tx) if isinstance(v.content, UnionContent)
    ]
    documents += (await nesting.flows_of(tx, *documents)).values()
    for document in documents:
        for node in overlays.tables(document).values():
            columns = {column["field"]: column["id"] for column in node["content"]["outputs"]}
            if "code" in columns and "text" in columns:
                for rule in node["content"]["rules"]:
                    code, text = (str(rule.get(columns[each], "")).strip("'\"") for each in ("code", "text"))
                    found[code] = _whole(text)
    return found


def _whole(text: str) -> str:
    """A rule's sentence with the names of its figures where a case has the figures themselves."""
    known = facts.catalogue()
    return _HOLE.sub(lambda m: f"〔{known[m[1]].label if m[1] in known else m[1]}〕", text)


HEADS = (
    "申请编号",
    "第几次",
    "时间",
    "县行",
    "客户",
    "产品",
    "系统的结果",
    "额度（元）",
    "年利率（%）",
    "等级",
    "理由",
    "人工结果",
    "人工给的额度（元）",
    "人工给的年利率（%）",
)


async def _csv(here: Here, page: Page) -> bytes:
    """With a mark at its head so that Excel reads it as UTF-8; no cell begins like a formula."""
    choices = await _choices(here)
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(HEADS)
    for row in page.rows:
        writer.writerow([csv_text.cell(each) for each in _line(row, choices, here)])
    return file.getvalue().encode("utf-8-sig")


def _line(row: Found, choices: Choices, here: Here) -> tuple[str, ...]:
    county = choices.counties.get(row.institution_id, here.institution.short_name)
    return (
        row.application_no,
        str(row.attempt),
        f"{clock.local(row.decided_at):%Y-%m-%d %H:%M}",
        county,
        row.name,
        choices.products.get(row.product_code, row.product_code),
        DECIDED[row.outcome],
        _hundredths(row.amount_fen),
        _hundredths(row.annual_rate_bp),
        row.grade or "",
        "；".join(choices.reasons.get(code, code) for code in row.reason_codes),
        PERSON.get(row.person or "", ""),
        _hundredths(row.person_amount_fen),
        _hundredths(row.person_rate_bp),
    )


def _hundredths(count: int | None) -> str:
    """Fen as yuan, basis points as percent."""
    return "" if count is None else f"{count / 100:.2f}"
