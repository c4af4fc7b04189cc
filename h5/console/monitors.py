"""模型和数据的监控: drift, rates, fairness, alarms and their answers, sources and completeness (D1-05, D3-03, N19)."""

import msgspec
from litestar import get, post
from litestar.params import FromPath

from backend.core.errors import Invalid
from backend.db.database import Tx
from backend.domains.decision import facts
from backend.domains.identity import service as identity
from backend.domains.institutions.model import HEAD_OFFICE, UNION, Institution
from backend.domains.models import drift, monitors, watching
from backend.domains.models import service as models
from backend.domains.models.model import MEASURES, Alarm
from backend.domains.regulation import service as regulation
from backend.overview import model_monitors, source_health
from backend.overview.model_monitors import RECHECKED_FOR, Rechecked
from backend.overview.source_health import Completeness, Picture
from backend.web import forms, staff
from backend.web.http import Request, Response
from backend.web.staff import Here
from h5.console import charts
from h5.console.charts import Chart

SHOW = "console/monitors/show.html"
READERS = ("risk_analyst", "county_admin", "head_office_admin", "auditor")


class Choice(msgspec.Struct, frozen=True):
    value: str
    label: str


class AlarmLine(msgspec.Struct, frozen=True):
    """An alarm in words; `model` is whose figures moved, `charts` the address where they are drawn. `action` is empty
    for who may not answer it; `error` stands under the note."""

    alarm: Alarm
    model: str
    charts: str
    what: str
    level: str
    value: str
    owner: str
    answered_by: str
    action: str
    note: str = ""
    error: str = ""


class Monitors(msgspec.Struct, frozen=True, kw_only=True):
    """`models` and `counties` to choose from; `told` says an alarm was just answered."""

    county: Institution
    counties: tuple[Institution, ...]
    models: tuple[Choice, ...]
    model: str
    open: tuple[AlarmLine, ...]
    answered: tuple[AlarmLine, ...]
    charts: tuple[Chart, ...]
    sources: Picture
    completeness: tuple[Completeness, ...]
    complete_chart: Chart
    told: bool


class Names(msgspec.Struct, frozen=True):
    """Words for the ids that figures stand under; `models` by hash."""

    people: dict[str, str]
    counties: dict[str, str]
    models: dict[str, str]

    def model(self, artefact: str) -> str:
        return self.models.get(artefact, "随系统的评分卡")

    def of(self, subject: str) -> str:
        """A county, an officer, a feature, or a group that is already words."""
        kind, colon, rest = subject.partition("：")
        if colon:
            return f"{kind}：{self.counties.get(rest, rest)}"
        known = facts.catalogue().facts
        label = known[subject].label if subject in known else charts.WHOLE if subject == "" else subject
        return self.people.get(subject) or self.counties.get(subject) or label

    def owner(self, owner: str) -> str:
        return (
            "风险分析员"
            if owner == watching.ANALYST
            else self.people.get(owner.removeprefix("staff:"), owner)
        )


@get("/console/monitors", opt=staff.only(*READERS))
async def show(request: Request) -> Response:
    here = staff.here(request)
    asked = request.query_params.get("in", "")
    county = (await staff.institution(here, asked)).id if asked else here.person.institution_id
    return here.show(SHOW, await _view(here, county, told="told" in request.query_params))


@post(
    "/console/monitors/{institution_id:str}/alarms/{alarm_id:str}",
    opt=staff.only(*watching.ANSWERING),
    fields=("note", "false_alarm"),
)
async def answer(request: Request, institution_id: FromPath[str], alarm_id: FromPath[str]) -> Response:
    """A person says what an alarm was, with the note in its row and the act in the audit log."""
    here, form = staff.here(request), await forms.texts(request)
    actor, note = here.within(institution_id), form.get("note", "")
    false = form.get("false_alarm") == "yes"
    try:
        async with here.context.db.begin(actor) as tx:
            await watching.acknowledge(tx, alarm_id, note, false_alarm=false)
    except Invalid as problem:
        return here.show(SHOW, await _view(here, institution_id, wrong=(alarm_id, note, problem.text)), 422)
    return here.go(f"/console/monitors?in={institution_id}&told=1#alarms")


async def _view(
    here: Here, county: str, *, told: bool = False, wrong: tuple[str, str, str] = ("", "", "")
) -> Monitors:
    institution, counties = await staff.institution(here, county), await staff.counties(here)
    asked = here.request.query_params.get("model", "")
    async with here.context.db.read(here.reader if county == UNION else here.within(county)) as tx:
        sources = await source_health.source_health(tx)
        complete = tuple(await source_health.completeness(tx))
        people = {person.id: person.name for person in await identity.all_staff(tx)}
        hashes = {each.artefact for each in await watching.watched(tx)}
        shown = asked if asked in hashes else watching.shipped().artefact
        looked = await model_monitors.rechecked(tx, shown, tx.now - RECHECKED_FOR)
    async with here.context.db.read(here.within(county)) as tx:
        watched = {each.artefact: each for each in await watching.watched(tx)}
        only_batches = {each.artefact: each for each in await watching.batches(tx)} if county == UNION else {}
        watched = {**only_batches, **watched}
        chosen = watched.get(asked, watching.shipped())
        registered = {each.artefact: each.name for each in await models.all_models(tx)}
        names = Names(people, {each.id: each.short_name for each in (*counties, institution)}, registered)
        lines = [_line(here, alarm, names, wrong) for alarm in await watching.alarms(tx, open_only=False)]
        if chosen.artefact in only_batches:
            drawn = await _batch_charts(tx, chosen, names)
        else:
            drawn = await _charts(tx, chosen, names, union=county == UNION)
    return Monitors(
        county=institution,
        counties=(HEAD_OFFICE, *counties) if here.head_office else (),
        models=tuple(Choice(each, names.model(each)) for each in watched),
        model=chosen.artefact,
        open=tuple(line for line in lines if line.alarm.status == "open"),
        answered=tuple(line for line in lines if line.alarm.status != "open"),
        charts=(*drawn, _looked_at(looked, names)),
        sources=sources,
        completeness=complete,
        complete_chart=_complete(complete),
        told=told,
    )


def _line(here: Here, alarm: Alarm, names: Names, wrong: tuple[str, str, str]) -> AlarmLine:
    say = charts.share if alarm.measure in {"approval", "override"} else charts.figure
    may = alarm.status == "open" and here.has(*watching.ANSWERING)
    mine = wrong[0] == alarm.id
    return AlarmLine(
        alarm,
        names.model(alarm.model_hash),
        f"/console/monitors?in={alarm.institution_id}&model={alarm.model_hash}",
        f"{MEASURES[alarm.measure]} · {names.of(alarm.subject)}",
        drift.LEVELS[alarm.level],
        charts.UNKNOWN if alarm.value is None else say(alarm.value),
        names.owner(alarm.owner),
        names.owner(alarm.acknowledged_by or ""),
        f"/console/monitors/{alarm.institution_id}/alarms/{alarm.id}" if may else "",
        wrong[1] if mine else "",
        wrong[2] if mine else "",
    )


async def _charts(tx: Tx, model: watching.Watched, names: Names, *, union: bool) -> tuple[Chart, ...]:
    """A county has its own drift and rates; discrimination, data items and fairness are the union's."""
    of = {measure: await watching.series(tx, model.artefact, measure) for measure in MEASURES}
    shape = await watching.distribution(tx, model.artefact)
    edges, figure, share = model.reference["score"]["edges"], charts.figure, charts.share
    who = "各行社" if union else "各客户经理"
    found = [
        charts.by_day(MEASURES["psi"], _PSI, of["psi"], figure, (drift.WATCH, drift.ACT)),
        charts.then_and_now("分数的分布", "每个分数段占多少，训练时和现在对着看。", shape, edges),
        charts.newest(f"{who}的通过率", _RATE, of["approval"], share, names.of),
        charts.newest(f"{who}的人工改判率", _RATE, of["override"], share, names.of),
    ]
    if union:
        lost = (round(model.ks * monitors.KS_NOTICE, 4), round(model.ks * monitors.KS_MOVED, 4))
        days = (await regulation.in_force(tx, tx.now.date())).count("loans.bad_after_days")
        found += [
            charts.newest(MEASURES["csi"], _CSI, of["csi"], figure, names.of, drifts=True),
            charts.by_day(MEASURES["ks"], _KS.format(days=days), of["ks"], figure, lost),
            charts.newest(
                MEASURES["fairness"], _FAIR, of["fairness"], figure, names.of, limits=monitors.FAIR
            ),
        ]
    return tuple(found)


async def _batch_charts(tx: Tx, model: watching.Watched, names: Names) -> tuple[Chart, ...]:
    """A model that scores batches only has drift, and nobody approved by it."""
    psi, csi = [await watching.series(tx, model.artefact, measure) for measure in ("psi", "csi")]
    shape = await watching.distribution(tx, model.artefact)
    edges = model.reference["score"]["edges"]
    found = (
        charts.by_day(MEASURES["psi"], _PSI, psi, charts.figure, (drift.WATCH, drift.ACT)),
        charts.then_and_now("分数的分布", "每个分数段占多少，训练时和最近一批对着看。", shape, edges),
        charts.newest(MEASURES["csi"], _CSI, csi, charts.figure, names.of, drifts=True),
    )
    return tuple(msgspec.structs.replace(chart, empty=_NO_BATCH) for chart in found)


_NO_BATCH = "还没有比过。批量打分时加 --watch，这一批就和训练时比，画在这里。"
_PSI = "打分的人群变了没有。满 500 件时，0.10 起要留意，0.25 起算明显偏移；件数少时按样本量放宽。"
_CSI = "每项数据的人群变了没有，偏得多的排在前面。"
_KS = (
    "只看已经知道结果的贷款。坏的：按还款计划，本金逾期超过 {days} 天；"
    "好的：结清了，或最后一期过了 {days} 天，都没有这样过。"
    "利息单独晚还的，这里看不出。好坏各满 30 笔才算。"
)
_RATE = "和其他合起来比，差得不像偶然的会提醒。不到 50 件不下结论。"
_FAIR = (
    "每组人的通过率和人数最多的一组比。两条红线标着 {:g} 和 {:g}，在中间算正常，出了线要有人查明原因。"
    "每组满 {} 人才看。"
).format(*monitors.FAIR, monitors.FEWEST)


def _looked_at(found: list[Rechecked], names: Names) -> Chart:
    """What people said of the automatic approvals they looked at again (D2-07)."""
    seen = [each for each in found if each.looked]
    spec = {
        "kind": "bar",
        "labels": [names.of(each.institution_id) for each in seen],
        "series": [{"name": "有问题", "values": [each.wrong / each.looked for each in seen]}],
        "limits": [],
        "percent": True,
    }
    rows = tuple(
        (names.of(each.institution_id), f"{each.looked:,}", f"{each.wrong:,}", f"{each.waiting:,}")
        for each in found
    )
    return charts.chart(
        "抽查看出问题的",
        "人工再看一遍自动通过的业务，有问题的占多少。最近 90 天。",
        spec,
        ("行社", "看过", "有问题", "还没看"),
        rows,
        "最近 90 天没有抽查过这个模型自动通过的业务。",
    )


def _complete(days: tuple[Completeness, ...]) -> Chart:
    spec = {
        "kind": "line",
        "labels": [each.day.isoformat() for each in days],
        "series": [{"name": "平均到齐", "values": [each.mean_bp / 10_000 for each in days]}],
        "limits": [],
        "percent": True,
    }
    rows = tuple(
        (each.day.isoformat(), charts.share(each.mean_bp / 10_000), f"{each.whole:,}", f"{each.cases:,}")
        for each in reversed(days)
    )
    return Chart(
        "审批数据到齐了多少",
        "每天的审批里，该用的数据有多少用上了。最近 30 天。",
        msgspec.json.encode(spec).decode(),
        ("日期", "平均到齐", "全部到齐的件数", "审批件数"),
        rows,
        "最近 30 天没有审批，有了会画在这里。",
    )
