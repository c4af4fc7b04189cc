"""A trial names a version of a strategy or a registered model, put in its place with all else live (A3-33, N4)."""

import copy
from typing import Any

import msgspec
import pytest

from backend.commands import practice
from backend.core import ids
from backend.core.actor import Actor, system
from backend.domains.decision import bundle, scorecard, service
from backend.domains.decision.model import Stage, canonical
from backend.domains.strategies import service as strategies
from backend.domains.strategies.model import CountyContent, UnionContent, Version
from backend.domains.trials import report
from backend.domains.trials import service as trials
from backend.domains.trials.model import (
    ModelNotTried,
    NothingToTry,
    NotOfTheseCases,
    StageNotTried,
    WarningsNeedCounty,
)
from backend.flows import run_trial, start_trial
from backend.flows.context import Context
from backend.flows.name_trial_versions import ModelUnknown, Versions, VersionUnclear, VersionUnknown
from backend.flows.start_trial import Asked
from tests.domains.decision.conftest import read
from tests.domains.decision.test_service import stricter
from tests.domains.models.test_register import REPORT, brought_live, lined_up, registered
from tests.domains.strategies.conftest import ADMIN, COUNTY_ADMIN
from tests.domains.trials.conftest import NAME
from tests.domains.trials.test_warnings import quieter
from tests.made_live import make_live

LIVE = Versions()
CASES = ("approved_payroll", "approved_small", "declined_court", "referred_missing_fact")


async def drafted(context: Context, stage: Stage, document: Any, product: str = "*") -> Version:
    """A draft of head office; a trial does not wait for an approval."""
    async with context.db.begin(ADMIN) as tx:
        begun = await strategies.draft(tx, product, stage, reason="试一试")
        assert isinstance(begun.content, UnionContent)
        content = msgspec.structs.replace(begun.content, document=document)
        return await strategies.save(tx, begun.id, content, note="改一格")


async def stricter_draft(context: Context, product: str = "*") -> Version:
    document = stricter(copy.deepcopy(bundle.seeded_documents()))[Stage.ELIGIBILITY]
    return await drafted(context, Stage.ELIGIBILITY, document, product)


async def tried(context: Context, actor: Actor, asked: Asked) -> tuple[Any, Any]:
    """(run, the row of all cases)."""
    run = await start_trial.start_trial(context, actor, asked, queued=False)
    done = await run_trial.run_trial(context, actor, run.id, workers=1)
    assert done.status == "done", done.error
    async with context.db.read(actor) as tx:
        return done, report.rows(await trials.results(tx, run.id), "all")[0]


async def decided_in(context: Context, *counties: str) -> None:
    for county in counties:
        async with context.db.begin(system(county, "test")) as tx:
            using = await service.bundle_for(tx, "SXD")
            for name in CASES:
                await service.record(tx, ids.new(), service.decide(read(name), using))


def harder_card() -> tuple[bytes, str]:
    """A card of 60 points less for everybody, and its hash."""
    card = scorecard.seeded()
    body = canonical(msgspec.structs.replace(card, version=2, base_points=card.base_points - 60))
    return body, scorecard.CompiledScorecard(scorecard.read(body), bundle.seeded().catalogue).hash


async def test_a_draft_is_tried_by_its_number_or_its_id_against_live(
    context: Context, county: practice.Loaded, head_office: Actor
) -> None:
    draft = await stricter_draft(context)
    rows = []
    for name in (draft.id, f"eligibility:{draft.number}", f"准入：{draft.number}"):
        asked = Asked(draft=Versions(strategy=name), against=LIVE, county=NAME, limit=600)
        run, row = await tried(context, head_office, asked)
        assert (run.strategy, run.against) == (f"省联社准入 第 {draft.number} 版", "在用的版本")
        assert (run.strategy_id, run.model_id) == (draft.id, None)
        rows.append(row)
    assert rows[0] == rows[1] == rows[2]
    assert rows[0].swap_out > 0
    assert rows[0].swap_in == 0
    async with context.db.read(head_office) as tx:
        assert len(await trials.listed(tx, strategy_id=draft.id)) == 3
        assert await trials.listed(tx, strategy_id=ids.new()) == []


async def test_a_version_of_one_product_changes_the_cases_of_that_product_only(
    context: Context, county: practice.Loaded, head_office: Actor
) -> None:
    draft = await stricter_draft(context, "SXD")
    asked = Asked(draft=Versions(strategy=draft.id), against=LIVE, county=NAME, limit=900)
    run = await start_trial.start_trial(context, head_office, asked, queued=False)
    await run_trial.run_trial(context, head_office, run.id, workers=1)
    async with context.db.read(head_office) as tx:
        rows = {r.member: r for r in report.rows(await trials.results(tx, run.id), "product")}
    assert rows["SXD"].swap_out > 0
    assert [row.swap_out for name, row in rows.items() if name != "SXD"] == [0] * (len(rows) - 1)
    assert len(rows) > 1
    elsewhere = await stricter_draft(context, "NOT-SOLD")
    with pytest.raises(NotOfTheseCases):
        await tried(context, head_office, Asked(draft=Versions(strategy=elsewhere.id), county=NAME))


async def test_every_countys_own_layer_stands_on_both_sides_of_a_trial_of_head_office(
    context: Context, head_office: Actor
) -> None:
    """4101 refuses after one query: its cases are declined live, whatever head office's draft says."""
    await decided_in(context, "4101", "4102")
    overlay = stricter(copy.deepcopy(bundle.seeded_documents()))[Stage.ELIGIBILITY]
    async with context.db.begin(system("4101", "test")) as tx:
        await make_live(tx, "*", Stage.ELIGIBILITY, overlay, owner="4101")
    draft = await drafted(context, Stage.RATING, bundle.seeded_documents()[Stage.RATING])
    run, row = await tried(context, head_office, Asked(draft=Versions(strategy=draft.id), against=LIVE))
    assert (row.swap_in, row.swap_out) == (0, 0), "nothing but the draft differs"
    async with context.db.read(head_office) as tx:
        counties = {r.member: r for r in report.rows(await trials.results(tx, run.id), "county")}
        months = report.rows(await trials.results(tx, run.id), "month")
    assert counties["4101"].draft.approved < counties["4102"].draft.approved
    assert sum(each.cases for each in months) == 2 * len(CASES)


async def test_a_countys_own_draft_is_tried_beside_the_floor(context: Context) -> None:
    await decided_in(context, "4101", "4102")
    home = system("4101", "test")
    async with context.db.begin(COUNTY_ADMIN) as tx:
        begun = await strategies.draft(tx, "*", Stage.ELIGIBILITY, reason="本县收紧")
        content = CountyContent(parameters={"queries_6m": 4})
        saved = await strategies.save(tx, begun.id, content, note="收紧")
    asked = Asked(draft=Versions(strategy=f"eligibility:{saved.number}"), against=LIVE)
    run, row = await tried(context, home, asked)
    assert run.strategy == f"本县准入 第 {saved.number} 版"
    assert row.draft.approved <= row.base.approved
    assert row.cases == len(CASES)
    async with context.db.read(home) as tx:
        kept = (await trials.plan_of(tx, run.id)).draft
    assert [set(each.overlays) for each in kept.recipes] == [{"eligibility"}]
    with pytest.raises(VersionUnknown):
        await tried(context, system("4102", "test"), Asked(draft=Versions(strategy=saved.id)))


async def test_a_registered_model_is_tried_before_anybody_approves_it(
    context: Context, county: practice.Loaded, head_office: Actor
) -> None:
    body, _ = harder_card()
    draft = await registered(context.db, body, name="更严的评分卡")
    asked = Asked(draft=Versions(model="更严的评分卡"), against=LIVE, county=NAME, limit=600)
    run, row = await tried(context, head_office, asked)
    assert (run.strategy, run.model_id) == ("模型 更严的评分卡", draft.id)
    assert row.draft.amount_fen < row.base.amount_fen
    twice = Asked(draft=Versions(model=draft.id), against=Versions(model=draft.id), county=NAME, limit=300)
    _, same = await tried(context, head_office, twice)
    assert same.draft.amount_fen == same.base.amount_fen


async def test_live_is_with_the_champion_of_each_line_up(
    context: Context, county: practice.Loaded, head_office: Actor
) -> None:
    body, digest = harder_card()
    asked = Asked(draft=LIVE, county=NAME, limit=400)
    _, before = await tried(context, head_office, asked)
    model = await brought_live(context.db, body, report={**REPORT, "model_sha256": digest}, family="*")
    await lined_up(context.db, "*", champion=model.id, why="换")
    _, after = await tried(context, head_office, asked)
    assert after.draft.amount_fen < before.draft.amount_fen


async def test_early_warning_is_held_against_the_version_that_is_live(
    context: Context, county: practice.Loaded, head_office: Actor, monkeypatch: pytest.MonkeyPatch
) -> None:
    draft = await drafted(context, Stage.EARLY_WARNING, quieter())
    asked = Asked(draft=Versions(strategy=draft.id), against=LIVE, county=NAME)
    first = await _alarms(context, head_office, asked)
    assert first[0].alarms < first[1].alarms

    async def floor(*_: Any) -> UnionContent:
        return UnionContent(document=quieter())

    monkeypatch.setattr(strategies, "floor", floor)  # as if head office had put it live
    now = await _alarms(context, head_office, asked)
    assert now[0] == now[1] == first[0]


async def test_a_countys_layer_of_early_warning_is_tried_on_top_of_head_offices(
    context: Context, county: practice.Loaded
) -> None:
    """It adds alarms and takes none away, however little it says itself."""
    content = CountyContent(rows={"money": [
        {"c3": "1", "r1": "'CT_ONE'", "r2": "'watch'", "r3": "'新增一家也看'"}]})  # fmt: skip
    async with context.db.begin(COUNTY_ADMIN) as tx:
        begun = await strategies.draft(tx, "*", Stage.EARLY_WARNING, reason="早一点看")
        draft = await strategies.save(tx, begun.id, content)
    asked = Asked(draft=Versions(strategy=draft.id), against=LIVE, county=NAME)
    tried_now, live = await _alarms(context, COUNTY_ADMIN, asked)
    assert tried_now.alarms > live.alarms
    assert (tried_now.right >= live.right, tried_now.cases) == (True, live.cases)


async def _alarms(context: Context, actor: Actor, asked: Asked) -> tuple[Any, Any]:
    run = await start_trial.start_trial(context, actor, asked, queued=False)
    assert run.stage == "early_warning"
    await run_trial.run_trial(context, actor, run.id, workers=1)
    async with context.db.read(actor) as tx:
        [(_, draft, base)] = report.warning_rows(await trials.results(tx, run.id), "all")
    return draft, base


async def test_what_no_version_is_gets_a_sentence(context: Context, head_office: Actor) -> None:
    await decided_in(context, "4101")
    for name, error in (
        ("limit:99", VersionUnknown), (ids.new(), VersionUnknown), ("3", VersionUnclear), ("什么:1", VersionUnclear),
        ("limit:0", VersionUnclear), ("limit:", VersionUnclear), ("NONE/limit:1", VersionUnknown),
    ):  # fmt: skip
        with pytest.raises(error):
            await tried(context, head_office, Asked(draft=Versions(strategy=name)))
    with pytest.raises(ModelUnknown):
        await tried(context, head_office, Asked(draft=Versions(model="没有")))
    with pytest.raises(StageNotTried):
        await tried(context, head_office, Asked(draft=Versions(strategy="collection:1")))
    with pytest.raises(WarningsNeedCounty):
        await tried(context, head_office, Asked(draft=Versions(strategy="early_warning:1")))
    external = await registered(context.db, name="外面的分", external=True)
    with pytest.raises(ModelNotTried):
        await tried(context, head_office, Asked(draft=Versions(model=external.id)))
    with pytest.raises(NothingToTry):
        await tried(context, system("4102", "test"), Asked(draft=LIVE))


async def test_some_of_a_history_are_drawn_over_all_counties(context: Context, head_office: Actor) -> None:
    for _ in range(12):
        await decided_in(context, "4101", "4102")
    run, row = await tried(context, head_office, Asked(draft=LIVE, limit=40))
    assert 15 <= run.cases_total <= 40
    assert row.cases == run.cases_total
    async with context.db.read(head_office) as tx:
        counties = {r.member for r in report.rows(await trials.results(tx, run.id), "county")}
    assert counties == {"4101", "4102"}
