"""Champion, challenger and shadow on the real road; monitors over what was decided (A1-05, A6-21, D1-05, D3-03)."""

import base64
import os
import signal
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest
from structlog.testing import capture_logs

from backend.core import clock, failpoints, ids
from backend.core.actor import everywhere, system
from backend.domains.applications import service as applications
from backend.domains.decision import scorecard
from backend.domains.decision import service as decisions
from backend.domains.decision.model import Outcome, canonical
from backend.domains.models import artefacts, drift, model, service, watching
from backend.domains.models.training import command
from backend.domains.reviews import rechecks
from backend.flows import observe_decisions, watch_models
from backend.sandbox import synthetic
from tests.domains.models.test_register import (
    CARD,
    MAKER,
    REPORT,
    SECOND,
    THIRD,
    act,
    brought_live,
    lined_up,
    registered,
)
from tests.domains.trials.test_versions import harder_card

from .conftest import JIA, Road, id_number

ME, YOU = id_number(123), id_number(145)
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def grown(tmp_path_factory) -> tuple[bytes, dict]:
    """Trees that may decide, and their report."""
    folder = tmp_path_factory.mktemp("grown")
    synthetic.write_csv(folder / "county.csv", 6000, 3)
    given = [str(folder / "county.csv"), "--kind", "trees", "--out", str(folder), "--json"]
    assert command.main(given) == 0
    report = msgspec.json.decode((folder / "report.json").read_bytes())
    return (folder / "trees.json").read_bytes(), report


@pytest.fixture(autouse=True)
def _off():
    yield
    failpoints.configure("")


async def decided(road: Road, number: str = ME):
    await road.person(number, preset="good", phone="match")
    application = await road.draft(number)
    await road.submit(application)
    await road.drain()
    await road.settle()
    async with road.db.read(JIA) as tx:
        return await decisions.latest_for(tx, application.id)


async def shadowed(db, body: bytes, report: dict, **changed) -> model.Model:
    new = await registered(db, body, **changed)
    await act(db, MAKER, service.test, new.id, report, "训练完")
    await act(db, SECOND, service.review, new.id, "独立评审", agreed=True)
    await act(db, THIRD, service.approve, new.id, "批准")
    return await act(db, THIRD, service.bring, new.id, "shadow", "影子运行")


async def test_trees_decide_a_real_case_with_reasons_and_it_replays_after_they_went(road: Road, grown):
    body, report = grown
    live = await brought_live(road.db, body, report, family="consumer")
    await lined_up(road.db, "consumer", champion=live.id, why="换上树模型")
    kept = await decided(road)
    assert kept.decision.versions.scorecard == live.artefact
    assert kept.decision.score is not None
    await lined_up(road.db, "consumer", champion=None, why="退回评分卡")
    await act(road.db, THIRD, service.bring, live.id, "retired", "不用了")
    async with road.db.read(JIA) as tx:
        result = await decisions.replay(tx, kept.id)
    assert result.same_bytes
    assert result.untouched


async def test_a_shadow_scores_what_was_decided_and_the_deciding_model_is_observed(road: Road, grown):
    new = await shadowed(road.db, *grown, family="*")
    kept = await decided(road)
    assert await observe_decisions.observe_decisions(road.context) == 1
    assert await observe_decisions.observe_decisions(road.context) == 0
    async with road.db.read(JIA) as tx:
        row = await tx.connection.fetchrow("select * from models.shadow_scores")
        seen = await tx.connection.fetchrow("select * from models.observations")
    assert (row["decision_id"], row["model_id"], row["error"]) == (kept.id, new.id, "")
    expected = artefacts.compile_model(grown[0], decides=True)
    values = decisions.inputs(kept.opened, set(expected.inputs))
    assert row["score"] == expected.score(values).score
    assert seen["model_hash"] == kept.decision.versions.scorecard == watching.shipped().artefact
    assert set(seen["bins"]) == set(REPORT["reference"]["features"])


async def everything(road: Road) -> dict[str, str]:
    """A hash of every table but the three the job may write."""
    tables = (
        "select n.nspname || '.' || c.relname as name from pg_class c "
        "join pg_namespace n on n.oid = c.relnamespace where c.relkind = 'r' and n.nspname not in "
        "('pg_catalog', 'information_schema', 'queue') and has_table_privilege(c.oid, 'select')"
    )
    found = {}
    async with road.db.read(everywhere("test")) as tx:
        for row in await tx.connection.fetch(tables):
            name = row["name"]
            if name not in ("models.shadow_scores", "models.observations", "models.named_observations"):
                content = f"select md5(string_agg(t::text, '' order by t::text)) from {name} t"
                found[name] = await tx.connection.fetchval(content)
    return found


async def broken(db) -> model.Model:
    """A shadow whose graph is no graph: registered by its bytes, it falls over when it is asked."""
    from backend.domains.decision import trees

    feature = trees.TreeFeature(name="bureau_queries_6m", trend="descending", best=0, worst=9, typical=2)
    graph = b"no graph at all"
    import hashlib

    card = trees.Trees(
        kind="trees", format=1, name="x", version=1, features=[feature], offset=1.0, factor=1.0,
        onnx=base64.b64encode(graph).decode(), onnx_sha256=hashlib.sha256(graph).hexdigest(), scale={}, trained={},
    )  # fmt: skip
    body = canonical(card)
    return await shadowed(
        db, body, {**REPORT, "model_sha256": artefacts.compile_model(body).hash}, family="*"
    )


async def test_a_shadow_that_falls_over_changes_nothing_but_its_own_table(road: Road, grown):
    """trust.md §3: its crash changes 0 decisions."""
    bad, good = await broken(road.db), await shadowed(road.db, *grown, family="consumer")
    kept = await decided(road)
    before = await everything(road)
    await observe_decisions.observe_decisions(road.context)
    assert await everything(road) == before
    async with road.db.read(JIA) as tx:
        rows = {r["model_id"]: r for r in await tx.connection.fetch("select * from models.shadow_scores")}
        assert (await decisions.get(tx, kept.id)).capsule == kept.capsule
    assert rows[bad.id]["score"] is None
    assert rows[bad.id]["error"]
    assert rows[good.id]["score"] is not None  # the other one was asked all the same


KILLED = """
import asyncio, os
from backend import wiring
from backend.core import failpoints
from backend.db.database import Database
from backend.domains.audit import service as audit
from backend.flows import observe_decisions
from backend.flows.context import Context
from backend.settings import load

async def main():
    settings = load(os.environ)
    failpoints.configure("models.shadowed=kill:1")
    db = Database(os.environ["DSN"], wiring.vault(settings), flush_audit=audit.flush)
    await db.open()
    await observe_decisions.observe_decisions(Context(settings, db, None, None))

asyncio.run(main())
"""


async def test_a_worker_killed_while_shadows_score_loses_nothing(road: Road, grown, database_dsn):
    await shadowed(road.db, *grown, family="*")
    kept = await decided(road)
    before = await everything(road)
    done = subprocess.run(
        [sys.executable, "-c", KILLED],
        cwd=ROOT,
        env={**os.environ, "DSN": database_dsn},
        timeout=120,
        check=False,
    )
    assert done.returncode == -signal.SIGKILL
    assert await everything(road) == before
    async with road.db.read(JIA) as tx:
        assert await tx.connection.fetchval("select count(*) from models.shadow_scores") == 0
        assert (await decisions.get(tx, kept.id)).capsule == kept.capsule
    assert await observe_decisions.observe_decisions(road.context) == 1
    async with road.db.read(JIA) as tx:
        assert await tx.connection.fetchval("select count(*) from models.shadow_scores") == 1


async def test_a_champion_that_no_longer_fits_leaves_its_cases_to_a_person(road: Road, monkeypatch):
    """The shipped card, which head office chose not to have, approves nobody in its place."""
    live = await brought_live(road.db)
    await lined_up(road.db, "consumer", champion=live.id, why="换")

    async def unfit(*_):
        raise artefacts.ArtefactUnreadable(why="目录变了")

    monkeypatch.setattr(service, "chosen", unfit)
    kept = await decided(road)
    assert (kept.decision.outcome, kept.decision.proposal) == (Outcome.REFERRED, None)
    assert kept.decision.score is None


async def test_a_county_s_offset_shifts_its_own_cases_and_only_those(road: Road):
    from backend.domains.models import offsets

    county = offsets.County(
        county="4101", cases=900, bad=90, foreseen=60, offset=0.3, error=0.05, points=-9, enough=True
    )
    inner = msgspec.to_builtins(scorecard.read(CARD))
    whole = offsets.CountyModel(
        kind="county_model", format=1, column="县", model=inner, spread=0.3, counties=[county]
    )
    body = canonical(whole)
    report = {**REPORT, "model_sha256": artefacts.compile_model(body).hash}
    plain = await decided(road)
    live = await brought_live(road.db, body, report)
    await lined_up(road.db, "consumer", champion=live.id, why="分县")
    moved = await decided(road, YOU)
    values = decisions.inputs(moved.opened, set(_inputs()))
    assert moved.decision.score == _score(values) - 9
    assert plain.decision.score == _score(decisions.inputs(plain.opened, set(_inputs())))
    await observe_decisions.observe_decisions(road.context)
    async with road.db.read(JIA) as tx:
        hashes = [
            r["model_hash"] for r in await tx.connection.fetch("select model_hash from models.observations")
        ]
        assert (await decisions.replay(tx, moved.id)).same_bytes
    assert sorted(hashes) == sorted([live.artefact, watching.shipped().artefact])


def _inputs() -> tuple[str, ...]:
    from backend.domains.decision import bundle

    return bundle.seeded().card.inputs


def _score(values) -> int:
    from backend.domains.decision import bundle

    return bundle.seeded().card.score(values).score


async def history(owner, db, count: int = 240) -> None:
    """Decided cases of two officers of 甲县 and one of 乙县, men and women; women are refused far more often."""
    hash_ = watching.shipped().artefact
    edges = REPORT["reference"]["score"]["edges"]
    for number in range(count):
        at, sex = ("4101", "4102")[number % 4 == 3], "男女"[number // 4 % 5 >= 3]
        case, person_, decision = ids.new(), ids.new(), ids.new()
        outcome = "approved" if sex == "男" or number % 10 == 1 else "declined"
        score = edges[-1] + 5 if outcome == "approved" else edges[0] - 5
        await owner.execute(
            "insert into customers.people (institution_id, id, name_enc, id_number_enc, id_number_blind, address_enc, "
            "issuer_enc, birth_on, sex, nation, card_valid_from, created_at, updated_at) "
            "values ($1, $2, '', '', $3, '', '', '1980-03-07', $4, '汉', '2020-01-01', now(), now())",
            at, person_, person_.encode(), sex,
        )  # fmt: skip
        await owner.execute(
            "insert into applications.applications (institution_id, id, application_no, customer_id, product_code, "
            "product_version, channel, officer_id, status, created_at, updated_at) "
            "values ($1, $2, $3, $4, 'SXD', 'SXD@1', 'qr', $5, $6, now(), now())",
            at, case, f"T{number}", person_, f"00000000-0000-7000-8000-00000000000{number % 2}", outcome,
        )  # fmt: skip
        amount = (1_000_000, 500, 12) if outcome == "approved" else (None, None, None)
        await owner.execute(
            "insert into decision.decisions (institution_id, id, application_id, attempt, product_code, outcome, "
            "score, reason_codes, completeness_bp, versions, capsule, capsule_sha256, decided_at, amount_fen, "
            "annual_rate_bp, term_months) "
            "values ($1, $2, $3, 1, 'SXD', $4, $5, '{}', 10000, '{}', '', $6, now(), $7, $8, $9)",
            at, decision, case, outcome, score, bytes(32), *amount,
        )  # fmt: skip
        async with db.begin(system(at, "test")) as tx:
            await watching.observe(tx, decision, hash_, {"bureau_queries_6m": 0}, proposed=False)


async def test_a_watched_model_the_catalogue_no_longer_takes_stops_no_observation(
    road: Road, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a release took a fact away: the cases are looked at, and the model is said aloud."""
    body, hash_ = harder_card()
    await brought_live(road.db, body, {**REPORT, "model_sha256": hash_})
    application = await road.apply(id_number(931))

    def refused(*_: object, **__: object) -> object:
        raise artefacts.ArtefactUnreadable(why="数据目录里没有这一项了")

    monkeypatch.setattr(artefacts, "compile_model", refused)
    with capture_logs() as said:
        assert await observe_decisions.observe_decisions(road.context) == 1
    assert any(each["event"] == "a watched model cannot be read" for each in said)
    async with road.db.read(JIA) as tx:
        recorded = await decisions.latest_for(tx, application.id)
        rows = await tx.connection.fetch(
            "select model_hash from models.observations where decision_id = $1", recorded.id
        )
    assert [row["model_hash"] for row in rows] == [recorded.opened.decision.versions.scorecard]


async def test_a_model_that_cannot_be_measured_does_not_keep_the_others_from_it(
    road: Road, owner, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Edges of a report of elsewhere need not be whole numbers; one without any is told and passed by."""
    await history(owner, road.db)
    shipped = watching.shipped()
    score = shipped.reference["score"]
    halves = {**shipped.reference, "score": {**score, "edges": [edge + 0.5 for edge in score["edges"]]}}
    unfit = msgspec.structs.replace(shipped, reference={})

    async def watched(_: object) -> list[watching.Watched]:
        return [unfit, msgspec.structs.replace(shipped, reference=halves)]

    monkeypatch.setattr(watching, "watched", watched)
    assert await watch_models.watch_models(road.context) > 0
    async with road.db.read(system("0000", "test")) as tx:
        assert (await watching.series(tx, shipped.artefact, "psi"))[""]


async def test_the_monitors_find_drift_and_unfairness_and_a_person_answers(road: Road, owner):
    await history(owner, road.db)
    assert await watch_models.watch_models(road.context) > 0
    first = await watch_models.watch_models(road.context)  # the same day again: the same alarms, not more
    hash_ = watching.shipped().artefact
    async with road.db.read(system("0000", "test")) as tx:
        alarms = await watching.alarms(tx)
        fair = await watching.series(tx, hash_, "fairness")
        drifted = await watching.series(tx, hash_, "csi")
        shape = await watching.distribution(tx, hash_)
    found = {(alarm.measure, alarm.subject) for alarm in alarms}
    assert ("fairness", "性别：女") in found
    assert ("psi", "") in found
    assert ("csi", "bureau_queries_6m") in found
    assert ("fairness", "县：4102") not in found
    assert len(found) == len(alarms)
    assert fair["性别：女"][0]["value"] < 0.8
    assert fair["性别：男"][0]["level"] == drift.STEADY
    assert drifted["card_use_bp"][0]["level"] == drift.TOO_FEW  # nothing observed of it
    assert sum(shape["actual"]) == 240
    assert all(alarm.owner == watching.ANALYST for alarm in alarms)
    await _answered(road, alarms, first)


async def _answered(road: Road, alarms: list[model.Alarm], standing: int) -> None:
    analyst = THIRD
    women = next(alarm for alarm in alarms if alarm.subject == "性别：女")
    with pytest.raises(model.NotYourAlarm):
        await act(road.db, system("0000", "job"), watching.acknowledge, women.id, "x", false_alarm=True)
    with pytest.raises(model.WhyMissing):
        await act(road.db, analyst, watching.acknowledge, women.id, " ", false_alarm=False)
    await act(road.db, analyst, watching.acknowledge, women.id, "查过：样本是造的", false_alarm=True)
    with pytest.raises(model.ModelMoved):
        await act(road.db, analyst, watching.acknowledge, women.id, "再答一次", false_alarm=True)
    with pytest.raises(model.AlarmMissing):
        await act(road.db, analyst, watching.acknowledge, ids.new(), "没有的", false_alarm=True)
    await watch_models.watch_models(road.context)
    async with road.db.read(analyst) as tx:
        still = await watching.alarms(tx)
        rate = await watching.false_alarm_rate(tx)
        answered = [each for each in await watching.alarms(tx, open_only=False) if each.id == women.id]
    assert women.subject not in {alarm.subject for alarm in still}  # answered within the week
    assert rate["fairness"] == {"answered": 1, "false": 1, "rate": 1.0}
    assert answered[0].acknowledged_by == "approver"
    assert answered[0].acknowledged_at is not None
    assert standing >= len(still)


async def test_a_county_sees_its_own_figures_and_not_another_s(road: Road, owner):
    await history(owner, road.db)
    await watch_models.watch_models(road.context)
    hash_ = watching.shipped().artefact
    seen = {}
    for county in ("4101", "4102", "4103"):
        async with road.db.read(system(county, "test")) as tx:
            seen[county] = await watching.series(tx, hash_, "approval")
    assert len(seen["4101"]) == 2  # its two officers
    assert len(seen["4102"]) == 1
    assert seen["4103"] == {}
    cases = sum(points[0]["cases"] for points in seen["4101"].values())
    assert cases == 180
    async with road.db.read(everywhere("test")) as tx:
        assert {c: u["cases"] for c, u in (await watching.usage(tx, hash_)).items()} == {
            "4101": 180,
            "4102": 60,
        }
    assert clock.today().isoformat() == next(iter(seen["4101"].values()))[0]["day"]


def stricter(points: int) -> bytes:
    """The shipped card with so many points less for everybody."""
    shipped = scorecard.seeded()
    return canonical(msgspec.structs.replace(shipped, base_points=shipped.base_points - points))


async def test_an_approval_a_shadow_would_not_have_given_is_looked_at_again(road: Road):
    """D2-07: the trigger joins what sampled the case already; the approval and the customer's answer stay."""
    harsh, mild = stricter(400), stricter(1)
    for body in (harsh, mild):
        report = {**REPORT, "model_sha256": artefacts.compile_model(body).hash}
        await shadowed(
            road.db, body, report, family="*", name=f"影子{len(report)}{report['model_sha256'][:4]}"
        )
    kept = await decided(road)
    assert kept.outcome == "approved"
    assert await observe_decisions.observe_decisions(road.context) == 1
    async with road.db.read(JIA) as tx:
        [found] = [each for each in await rechecks.listed(tx, "open") if each.decision_id == kept.id]
        errors = [row["error"] for row in await tx.connection.fetch("select error from models.shadow_scores")]
        application = await applications.get(tx, kept.application_id)
    assert "challenger" in found.triggers
    assert errors == ["", ""]
    assert application.status == "approved"


async def test_a_shadow_that_agrees_doubts_nothing(road: Road):
    body = stricter(1)
    report = {**REPORT, "model_sha256": artefacts.compile_model(body).hash}
    await shadowed(road.db, body, report, family="*")
    kept = await decided(road)
    await observe_decisions.observe_decisions(road.context)
    async with road.db.read(JIA) as tx:
        found = [each for each in await rechecks.listed(tx, "open") if each.decision_id == kept.id]
    assert not any("challenger" in each.triggers for each in found)
