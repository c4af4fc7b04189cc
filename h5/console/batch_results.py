"""One batch of scores: how far it is, how the scores lie, and the list taken along, masked and written down."""

import asyncio
import csv
import io
from collections.abc import Mapping
from itertools import pairwise
from typing import Any
from urllib.parse import quote

import litestar
import msgspec
from litestar import get, post
from litestar.params import FromPath

from backend.core import clock, csv_text
from backend.db.database import Tx
from backend.domains.audit import service as audit
from backend.domains.customers import service as customers
from backend.domains.trials import batch_runs, stored_facts
from backend.domains.trials.batch_runs import Batch, Scores
from backend.web import staff
from backend.web.http import Request, Response
from backend.web.staff import Here
from h5.console import charts
from h5.console.batches import HOME, ROLES, Line, found, lines
from h5.console.charts import Chart

SHOW = "console/batches/show.html"
BAND = 20
"""Points of a band; the double of the odds of a scorecard is 20 to 50."""
MOST_EXPORTED = 5_000
HEADS = ("申请编号", "机构", "姓名", "分数", "估计违约率（%）", "上次审批时的分数")


class Band(msgspec.Struct, frozen=True, kw_only=True):
    """Scores from `low` on, below the next band; `chance` the mean chance of default in basis points."""

    low: int
    customers: int
    chance: int


class Result(msgspec.Struct, frozen=True, kw_only=True):
    line: Line
    unscored: tuple[tuple[str, str], ...]
    mean: str
    fell: str
    chart: Chart | None
    resumable: bool
    most: int = MOST_EXPORTED


@get(f"{HOME}/{{batch_id:str}}", opt=staff.only(*ROLES))
async def show(request: Request, batch_id: FromPath[str]) -> Response:
    here = staff.here(request)
    run = await found(here, batch_id)
    async with here.context.db.read(here.within(run.institution_id)) as tx:
        scores = await batch_runs.scores(tx, run)
    [line] = await lines(here, [run])
    return here.show(SHOW, _result(line, scores))


@get(f"{HOME}/{{batch_id:str}}/progress", opt=staff.only(*ROLES))
async def progress(request: Request, batch_id: FromPath[str]) -> Response:
    """How far it is, asked every two seconds; once it is over the page is shown anew."""
    here = staff.here(request)
    run = await found(here, batch_id)
    [line] = await lines(here, [run])
    answer = here.show("console/batches/_progress.html", line)
    if not run.open:
        answer.headers["HX-Refresh"] = "true"
    return answer


@post(f"{HOME}/{{batch_id:str}}/scores.csv", opt=staff.only(*ROLES))
async def take_scores(request: Request, batch_id: FromPath[str]) -> Response:
    """At most `MOST_EXPORTED`: for pre-approval the best first, for early warning the worst."""
    here = staff.here(request)
    run = await found(here, batch_id)
    async with here.context.db.read(here.within(run.institution_id)) as tx:
        body, count = await _csv(tx, here, run)
    async with here.context.db.begin(here.within(run.institution_id)) as tx:
        audit.add(tx, "batch.exported", run.id, count=count)
    name = quote(f"批量评分 {run.model} {clock.local(run.asked_at):%Y-%m-%d}.csv", safe="")
    headers = {"Content-Disposition": f"attachment; filename*=UTF-8''{name}"}
    return litestar.Response(body, media_type="text/csv; charset=utf-8", headers=headers, status_code=200)


def bands(scores: Scores) -> list[Band]:
    """All bands between the lowest and the highest score, empty ones too."""
    lows = sorted({score // BAND * BAND for score in scores.scores})
    if not lows:
        return []
    made = []
    for low in range(lows[0], lows[-1] + BAND, BAND):
        inside = [scores.scores[at] for at in range(low, low + BAND) if at in scores.scores]
        count = sum(each for each, _ in inside)
        chance = sum(each * bp for each, bp in inside)
        made.append(Band(low=low, customers=count, chance=round(chance / count) if count else 0))
    return made


def _result(line: Line, scores: Scores) -> Result:
    found = bands(scores)
    total = sum(band.customers for band in found)
    weighed = sum(score * count for score, (count, _) in scores.scores.items())
    return Result(
        line=line,
        unscored=tuple(
            (words, f"{scores.problems[name]:,}")
            for name, words in stored_facts.PROBLEMS.items()
            if scores.problems.get(name)
        ),
        mean=f"{weighed / total:.0f}" if total else "",
        fell=f"{scores.fell:,}",
        chart=_chart(found, total) if total else None,
        resumable=batch_runs.BATCH.allows(line.run.status, "waiting"),
    )


def _chart(found: list[Band], total: int) -> Chart:
    labels = [
        f"{low}–{after - 1}" for low, after in pairwise([each.low for each in found] + [found[-1].low + BAND])
    ]
    spec = {
        "kind": "columns",
        "labels": labels,
        "series": [{"name": "客户", "values": [each.customers for each in found]}],
        "limits": [],
        "percent": False,
        "fit": True,
        "across": "分数",
        "up": "客户（位）",
    }
    rows = [
        (label, f"{each.customers:,}", charts.share(each.customers / total),
         f"{each.chance / 100:.2f}%" if each.customers else charts.UNKNOWN)
        for label, each in zip(labels, found, strict=True)
    ]  # fmt: skip
    return charts.chart(
        "分数怎么分布",
        f"每 {BAND} 分一段，每段有多少位客户。",
        spec,
        ("分数段", "客户", "占有分数的", "估计违约率"),
        rows,
    )


async def _csv(tx: Tx, here: Here, run: Batch) -> tuple[bytes, int]:
    """The file and its number of rows. Head office, which reads a person on the page of the case, gets no names."""
    counties = {each.id: each.short_name for each in (*await staff.counties(here), here.institution)}
    bodies, best = await batch_runs.bodies(tx, run), run.purpose == "pre_approval"
    frame = await asyncio.to_thread(stored_facts.unpacked, bodies, best_first=best, most=MOST_EXPORTED)
    rows = frame.to_dicts()
    names = {} if here.head_office else await customers.names(tx, (row["customer_id"] for row in rows))
    return await asyncio.to_thread(_written, rows, counties, names), len(rows)


def _written(
    rows: list[dict[str, Any]], counties: Mapping[str, str], names: Mapping[str | None, str]
) -> bytes:
    """With a mark at its head so that Excel reads it as UTF-8; no cell begins like a formula."""
    file = io.StringIO()
    writer = csv.writer(file)
    writer.writerow(HEADS)
    for row in rows:
        county, name = counties.get(row["institution_id"], ""), names.get(row["customer_id"], "")
        was = "" if row["was"] is None else row["was"]
        chance = f"{row['default_bp'] / 100:.2f}"
        number = csv_text.cell(row["application_no"])
        writer.writerow([number, county, csv_text.cell(name), row["score"], chance, was])
    return file.getvalue().encode("utf-8-sig")
