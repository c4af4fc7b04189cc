"""Batches of scores over the own customers: the figures of a decision of today, kept through deaths and stops (issue 3
sections 6 and 8)."""

import asyncio
import json
import re
import threading
from datetime import timedelta
from html import unescape

import msgspec
import pytest

from backend.core import clock
from backend.core.actor import everywhere, system
from backend.core.crypto import Vault
from backend.domains.applications.model import Application
from backend.domains.audit import service as audit
from backend.domains.customers import consents
from backend.domains.customers.consent_texts import Purpose
from backend.domains.decision import bundle, evaluate
from backend.domains.decision.model import Capsule
from backend.domains.trials import batch_runs, stored_facts
from backend.flows import start_batch, step_batch
from backend.outbox.effects import Effect
from backend.overview import batch_customers
from h5.console import batch_results
from tests.domains.models.test_register import registered
from tests.domains.trials.test_versions import harder_card
from tests.flows.conftest import Road, id_number
from tests.h5.conftest import Desk, Desks

ANALYST, HEAD, AUDITOR, OTHER = "JX0301", "SL0001", "JX0401", "YX0301"
HOME = "/console/batches"
COUNTY = system("4101", "test")


async def customers(road: Road, count: int) -> list[Application]:
    return [await road.apply(id_number(500 + each)) for each in range(count)]


async def start(desk: Desk, **given: str) -> str:
    """The address of a new run."""
    await desk.get(HOME)
    form = next(each for each in desk.page.forms if each.action == HOME)
    await desk.send(form, **({"purpose": "pre_approval", "model": ""} | given))
    return desk.path


async def run_of(road: Road, path: str) -> batch_runs.Batch:
    async with road.db.read(everywhere("test")) as tx:
        return await batch_runs.get(tx, path.rpartition("/")[2])


async def kept(road: Road, path: str) -> dict[str, tuple[int | None, int | None, str]]:
    """(score, the score of the decision, what was wrong) by case."""
    run = await run_of(road, path)
    async with road.db.read(COUNTY) as tx:
        bodies = await batch_runs.bodies(tx, run)
    frames = [stored_facts.pl.read_parquet(body) for body in bodies]
    return {
        row["application_no"]: (row["score"], row["was"], row["problem"])
        for frame in frames
        for row in frame.to_dicts()
    }


async def today(road: Road) -> dict[str, int | None]:
    """What the live engine would score each customer now, by the facts that are stored and may be used."""
    async with road.db.read(COUNTY) as tx:
        rows = await batch_customers.page(tx, "pre_approval", "", 100)
    found = {}
    for row in rows:
        case = msgspec.json.decode(row.capsule, type=Capsule).case
        sources = {
            name: msgspec.structs.replace(
                given, consent_id=given.consent_id if given.consent_id in row.consents else None
            )
            for name, given in case.sources.items()
        }
        case = msgspec.structs.replace(case, as_of=clock.now(), sources=sources)
        found[row.application_no] = evaluate.evaluate(case, bundle.seeded()).decision.score
    return found


async def test_an_analyst_scores_the_own_customers_and_the_scores_are_those_of_a_decision_today(
    road: Road, desks: Desks
) -> None:
    good, silent, poor = await customers(road, 3)
    assert silent.customer_id
    async with road.db.begin(COUNTY) as tx:
        assert await consents.withdraw(tx, silent.customer_id, Purpose.BUREAU_QUERY)
    desk = await desks.of(ANALYST)
    await desk.get(HOME)
    assert "审批过的客户，3 位" in desk.words
    path = await start(desk)
    assert "等待开始" in desk.words
    assert f'hx-get="{path}/progress"' in desk.reply.text
    await road.drain()
    part = await desk.http.get(f"{path}/progress")
    assert (part.headers["hx-refresh"], "hx-get" in part.text) == ("true", False)
    found = await kept(road, path)
    assert {number: score for number, (score, _, _) in found.items()} == await today(road)
    assert found[good.application_no][0] == found[good.application_no][1] is not None
    assert found[silent.application_no][::2] == (None, "no_consent")
    await desk.get(path)
    for words in ("完成", "系统自带的评分卡", "授权已收回或到期", "分数怎么分布", "有分数 2 位"):
        assert words in re.sub(r"\s+", " ", desk.words), words
    [spec] = [json.loads(unescape(text)) for text in re.findall(r'data-chart="([^"]*)"', desk.reply.text)]
    assert sum(spec["series"][0]["values"]) == 2
    await desk.get(HOME)
    assert path in desk.page.links
    assert poor.application_no in found


async def test_facts_that_are_too_old_give_no_score(road: Road, desks: Desks) -> None:
    [old] = await customers(road, 1)
    run = await start_batch.start_batch(road.context, COUNTY, "pre_approval", "")
    with clock.at(clock.now() + timedelta(days=400)):
        await road.drain()
    assert (await kept(road, run.id))[old.application_no][0] is None
    async with road.db.read(COUNTY) as tx:
        assert (await batch_runs.scores(tx, run)).problems == {"stale": 1}


async def test_a_run_that_died_goes_on_behind_the_last_chunk_kept(
    road: Road, desks: Desks, monkeypatch: pytest.MonkeyPatch
) -> None:
    await customers(road, 3)
    monkeypatch.setattr(step_batch, "CHUNK", 1)
    run = await start_batch.start_batch(road.context, COUNTY, "pre_approval", "")
    keep, asked = batch_runs.keep, 0

    async def dies_after_one(*given: object) -> object:
        nonlocal asked
        asked += 1
        if asked == 2:
            raise asyncio.CancelledError  # as a process that is killed: nothing after it runs
        return await keep(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(batch_runs, "keep", dies_after_one)
    effect = Effect("4101", "e", step_batch.KIND, run.id, "k", {"turn": 1}, 1, clock.now())
    with pytest.raises(asyncio.CancelledError):
        await step_batch.step_batch(road.context, effect)
    assert ((await run_of(road, run.id)).status, (await run_of(road, run.id)).cases_done) == ("running", 1)
    await road.drain()
    done = await run_of(road, run.id)
    assert (done.status, done.cases_done, done.parts) == ("done", 3, 3)
    assert len(await kept(road, run.id)) == 3
    await step_batch.step_batch(road.context, effect)
    assert await run_of(road, run.id) == done, "delivered once more it changes nothing"


async def test_a_run_is_stopped_and_gone_on_with_and_the_old_turn_keeps_nothing(
    road: Road, desks: Desks
) -> None:
    await customers(road, 2)
    desk = await desks.of(ANALYST)
    path = await start(desk)
    await desk.send(desk.page.form(f"{path}/stop"))
    assert "停在这里" in desk.words
    await road.drain()
    assert (await run_of(road, path)).cases_done == 0
    head = await desks.of(HEAD)
    await head.get(path)
    await head.send(head.page.form(f"{path}/resume"))
    await road.drain()
    run = await run_of(road, path)
    assert (run.status, run.cases_done, run.turn) == ("done", 2, 2)
    async with road.db.read(COUNTY) as tx:
        acts = [entry.action for entry in await audit.of(tx, run.id)]
    assert acts == ["batch.done", "batch.resumed", "batch.stopped", "batch.asked"]


async def test_starts_at_once_are_no_more_runs_than_there_is_room_for(road: Road) -> None:
    await customers(road, 1)
    starts = [start_batch.start_batch(road.context, COUNTY, "pre_approval", "") for _ in range(6)]
    found = await asyncio.gather(*starts, return_exceptions=True)
    assert sorted(type(each).__name__ for each in found) == ["Batch"] * 2 + ["TooManyBatches"] * 4
    first = next(each for each in found if isinstance(each, batch_runs.Batch))
    async with road.db.begin(COUNTY) as tx:
        await batch_runs.stop(tx, first.id)
    both = (
        start_batch.resume_batch(road.context, COUNTY, first.id),
        start_batch.start_batch(road.context, COUNTY, "pre_approval", ""),
    )
    found = await asyncio.gather(*both, return_exceptions=True)
    assert len([each for each in found if isinstance(each, batch_runs.TooManyBatches)]) == 1, found


async def test_a_run_stopped_in_the_moment_it_begins_is_stopped(road: Road) -> None:
    await customers(road, 1)
    run = await start_batch.start_batch(road.context, COUNTY, "pre_approval", "")
    begun = asyncio.Event()

    async def stopped() -> batch_runs.Batch:
        await begun.wait()
        async with road.db.begin(COUNTY) as tx:
            return await batch_runs.stop(tx, run.id)

    stopping = asyncio.create_task(stopped())
    async with road.db.begin(COUNTY) as tx:
        assert await batch_runs.begin(tx, run.id, run.turn)
        begun.set()
        await asyncio.sleep(0.3)  # it has come as far as it can while this step has the run
    assert (await stopping).status == "stopped"
    await road.drain()
    assert (await run_of(road, run.id)).cases_done == 0


async def test_the_list_is_taken_along_masked_and_written_down(road: Road, desks: Desks) -> None:
    first, _ = await customers(road, 2)
    desk = await desks.of(ANALYST)
    path = await start(desk)
    await road.drain()
    await desk.get(path)
    reply = await desk.http.post(f"{path}/scores.csv", data=desk.page.form(f"{path}/scores.csv").filled())
    lines = reply.content.decode("utf-8-sig").splitlines()
    assert len(lines) == 3
    assert any(first.application_no in line and "张*" in line for line in lines)
    assert "张三" not in reply.text
    head = await desks.of(HEAD)
    await head.get(path)
    reply = await head.http.post(f"{path}/scores.csv", data=head.page.form(f"{path}/scores.csv").filled())
    assert "张" not in reply.text
    async with road.db.read(COUNTY) as tx:
        acts = await audit.of(tx, path.rpartition("/")[2])
    assert [entry.action for entry in acts].count("batch.exported") == 2


def test_no_name_in_the_list_is_a_formula() -> None:
    row = {"institution_id": "4101", "customer_id": "c", "application_no": "26", "score": 600, "was": None}
    made = batch_results._written([{**row, "default_bp": 120}], {"4101": "甲县"}, {"c": "=*"})
    assert made.decode("utf-8-sig").splitlines()[1] == "26,甲县,'=*,600,1.20,"


async def test_the_list_is_decrypted_beside_the_loop_that_serves_others(
    road: Road, desks: Desks, monkeypatch: pytest.MonkeyPatch
) -> None:
    await customers(road, 1)
    desk = await desks.of(ANALYST)
    path = await start(desk)
    await road.drain()
    await desk.get(path)
    form, known, on_loop = (
        desk.page.form(f"{path}/scores.csv").filled(),
        Vault.open,
        dict[tuple[str, str], bool](),
    )

    def opened(vault: Vault, table: str, column: str, row_id: str, stored: bytes) -> bytes:
        on_loop[table, column] = threading.current_thread() is threading.main_thread()
        return known(vault, table, column, row_id, stored)

    monkeypatch.setattr(Vault, "open", opened)
    assert "张*" in (await desk.http.post(f"{path}/scores.csv", data=form)).content.decode("utf-8-sig")
    of_list = {key: where for key, where in on_loop.items() if key[1] in ("body", "name_enc")}
    assert len(of_list) >= 2
    assert not any(of_list.values()), of_list


async def test_early_warning_is_for_those_with_a_loan_and_a_registered_model_may_score(
    road: Road, desks: Desks
) -> None:
    mine, _ = id_number(520), await road.apply(id_number(521))
    application = await road.hand_off(await road.apply(mine))
    body, _ = harder_card()
    model = await registered(road.db, body, name="更严的评分卡")
    desk = await desks.of(ANALYST)
    path = await start(desk, purpose="early_warning")
    assert (desk.reply.status_code, "要先有还没还清的借据" in desk.words) == (422, True)
    for act, more in (("open", {}), ("sign", {}), ("draw", {"amount_fen": 300_000})):
        await road.bank(application, act, mine, **more)
    await road.settle()
    path = await start(desk, purpose="early_warning", model=model.id)
    await road.drain()
    [(score, was, _)] = (await kept(road, path)).values()
    assert score is not None
    assert was is not None
    assert score == was - 60
    await desk.get(path)
    assert "比上次审批时低 1 位" in re.sub(r"\s+", " ", desk.words)


async def test_a_county_sees_its_own_runs_head_office_all_and_an_auditor_none(
    road: Road, desks: Desks
) -> None:
    await customers(road, 1)
    path = await start(await desks.of(ANALYST))
    other, head, auditor = await desks.of(OTHER), await desks.of(HEAD), await desks.of(AUDITOR)
    await other.get(HOME)
    assert path not in other.page.links
    token = next(each for each in other.page.forms if "csrf_token" in each.values).values
    for act in ("stop", "resume", "scores.csv"):
        assert (await other.http.post(f"{path}/{act}", data=token)).status_code == 404, act
    for address in (path, f"{path}/progress"):
        assert (await other.http.get(address)).status_code == 404
        assert (await auditor.http.get(address)).status_code == 403
    await head.get(HOME)
    assert path in head.page.links
    assert "甲县" in head.words
    whole = await start(head)
    await road.drain()
    assert (await run_of(road, whole)).cases_done == 1
    await other.get(HOME)
    assert whole not in other.page.links


@pytest.mark.parametrize("given", [{"purpose": "x"}, {"purpose": ""}, {"model": "没有"}])
async def test_what_cannot_be_scored_is_said_on_the_form(
    road: Road, desks: Desks, given: dict[str, str]
) -> None:
    await customers(road, 1)
    desk = await desks.of(ANALYST)
    assert (await start(desk, **given), desk.reply.status_code) == (HOME, 422)
    assert 'role="alert"' in desk.reply.text
