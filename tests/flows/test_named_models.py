"""A flow that names a scorecard or model: it decides, is kept and replays for ever; nobody takes the model away from
under it (A3-32, A3-33, N6, issue 3 §2 and §8)."""

import asyncio
import copy
import json

import asyncpg
import msgspec
import pytest

from backend.core.actor import everywhere, system
from backend.domains.decision import bundle, evaluate, facts, gate, lint, named, scorecard, verify_capsule
from backend.domains.decision import service as decisions
from backend.domains.decision.model import Outcome, Stage, canonical
from backend.domains.models import model, offsets, watching
from backend.domains.models import service as models
from backend.domains.strategies import effects, service
from backend.domains.strategies.model import NotPassed, UnionContent
from backend.domains.trials import judging
from backend.domains.trials.model import Rules
from backend.domains.trials.strategy_file import Partial
from backend.flows import export_capsule, observe_decisions, watch_models
from backend.flows.gather_trial_rules import Place, gather_trial_rules
from backend.flows.name_trial_versions import Named
from backend.flows.preview_strategy import preview_strategy
from backend.overview import model_monitors
from tests.domains.decision.documents import custom, entry, flow, graph, line, rule, rules
from tests.domains.models.test_register import MAKER, REPORT, THIRD, act, brought_live, lined_up, registered
from tests.domains.strategies.conftest import ADMIN, ANALYST
from tests.domains.trials.conftest import recipe_of

from .conftest import JIA, Road, id_number
from .test_models import decided, grown
from .test_strategies import approved, past

__all__ = ["grown"]

CARD = msgspec.structs.replace(scorecard.seeded(), version=7, base_points=500)
SHIPPED = bundle.seeded().card
NOBODY, EVERYBODY = "< 1", "> 1"


def compiled(body: bytes) -> models.artefacts.Model:
    return models.artefacts.compile_model(body, decides=True)


def report_of(body: bytes) -> dict:
    return {**REPORT, "model_sha256": models.artefacts.compile_model(body).hash}


def node(hashed: str, low: int = 0, high: int = 1500) -> dict:
    made = custom("m", hashed, low=low, high=high)
    made["content"]["kind"] = "scorecard"
    return made


def naming(hashed: str, inputs: tuple[str, ...], cut: str = NOBODY, **ends: int) -> dict:
    """The shipped rules of who may borrow, and beside them a named model's score: `cut` of it is refused."""
    document = copy.deepcopy(bundle.seeded_documents()[Stage.ELIGIBILITY])
    declared = lint.declared(document["nodes"][0])
    document["nodes"][0]["content"] = entry(*dict.fromkeys((*declared, *inputs)))["content"]
    document["nodes"][1:1] = [node(hashed, **ends), rules("scored", ["points"], [[cut, *rule("NM_LOW")]])]
    document["edges"] += [line("facts", "m"), line("m", "scored"), line("scored", "result")]
    return document


async def drafted(road: Road, document: dict):
    async with road.db.begin(ADMIN) as tx:
        content = UnionContent(document=document)
        if len(document["nodes"]) > 3:  # the shipped tables, which are open to counties
            openings = (await service.floor(tx, "*", Stage.ELIGIBILITY)).openings
            content = UnionContent(document=document, openings=openings)
        begun = await service.draft(tx, "*", Stage.ELIGIBILITY, reason="加一个模型")
        return await service.save(tx, begun.id, content)


async def submitted(road: Road, document: dict):
    saved = await drafted(road, document)
    async with road.db.begin(ADMIN) as tx:
        run = await service.check(tx, saved.id)
        assert run.failures == 0, run.report
        version = await service.submit(tx, saved.id)
    await road.drain()
    return version


async def published(road: Road, document: dict):
    return await approved(road.db, ANALYST, await submitted(road, document))


def said(capsule) -> list[int]:
    """What the named model said."""
    return [step.output["points"] for step in capsule.decision.trace if step.event == "value"]


def asked(capsule, body: bytes) -> int:
    one = compiled(body)
    return one.score(decisions.inputs(capsule, set(one.inputs))).score


@pytest.fixture
def forgetful(monkeypatch):
    """A process that has compiled nothing yet."""

    def forget():
        for module, name in ((bundle, "_built"), (named, "_compiled"), (gate, "_models")):
            monkeypatch.setattr(module, name, {})

    return forget


@pytest.fixture(params=["scorecard", "trees"])
def mine(request, grown) -> tuple[bytes, dict]:
    if request.param == "trees":
        return grown
    return canonical(CARD), report_of(canonical(CARD))


async def test_a_named_model_decides_and_replays_when_strategy_and_model_are_gone(
    road: Road, mine, forgetful, tmp_path
):
    body, report = mine
    live = await brought_live(road.db, body, report)
    await published(road, naming(live.artefact, compiled(body).inputs))
    kept = await decided(road)
    assert kept.outcome is not Outcome.REFERRED
    assert said(kept.opened) == [asked(kept.opened, body)]
    whole, masked = [
        await export_capsule.export_capsule(road.db, JIA, kept.application_id, "法院要看", masked=hidden)
        for hidden in (False, True)
    ]
    await published(road, bundle.seeded_documents()[Stage.ELIGIBILITY])
    await act(road.db, THIRD, models.bring, live.id, "retired", "不用了")
    forgetful()
    async with road.db.read(JIA) as tx:
        again = await decisions.replay(tx, kept.id)
    assert (again.same_bytes, again.untouched) == (True, True)
    forgetful()
    offline = decisions.replay_capsule(whole)
    assert (offline.same_bytes, offline.stored) == (True, kept.capsule)
    assert decisions.is_masked(masked)
    for file in (whole, masked):
        held = json.loads(file)
        assert f"model:{live.artefact}" in [part["name"] for part in held["parts"]]
        assert (verify_capsule.first_wrong(held), verify_capsule.wrong_version(held)) == ("", "")
    held["parts"] = [
        {**each, "sha256": "0" * 64} if each["name"][:6] == "model:" else each for each in held["parts"]
    ]
    assert verify_capsule.wrong_version(held) == f"model:{live.artefact}"


@pytest.fixture
async def no_scenarios(road: Road, owner):
    """Else they would stop a version that decides otherwise."""
    await owner.execute(
        "update strategies.scenarios set stop_asked_by = 'test:1', stop_why = '换模型', stop_asked_at = now(),"
        " retired_by = 'test:2', retired_at = now()"
    )


@pytest.mark.usefixtures("no_scenarios")
async def test_what_the_named_model_says_decides(road: Road):
    live = await brought_live(road.db, canonical(CARD), report_of(canonical(CARD)))
    await past(road.db, "4101", 20)
    version = await submitted(road, naming(live.artefact, SHIPPED.inputs, EVERYBODY))
    async with road.db.read(ANALYST) as tx:
        tried = await effects.last_of(tx, version.id)
    assert tried.figures.before.declined < tried.figures.after.declined
    (seen,) = await preview_strategy(road.context, ADMIN, version.id, ["4101"], 20)
    assert seen.figures.after == tried.figures.after
    await approved(road.db, ANALYST, version)
    kept = await decided(road)
    assert kept.outcome == Outcome.DECLINED
    assert "NM_LOW" in [reason.code for reason in kept.decision.reasons]


@pytest.mark.parametrize("name_the_shipped", [False, True])
async def test_a_champion_scores_the_rating_beside_a_flow_that_names_another_model(
    road: Road, grown, forgetful, name_the_shipped
):
    body = canonical(scorecard.seeded() if name_the_shipped else CARD)
    other = SHIPPED.hash
    if not name_the_shipped:
        other = (await brought_live(road.db, body, report_of(body))).artefact
    champion = await brought_live(road.db, *grown, family="consumer")
    await lined_up(road.db, "consumer", champion=champion.id, why="换上树模型")
    await published(road, naming(other, SHIPPED.inputs))
    kept = await decided(road)
    assert kept.decision.versions.scorecard == champion.artefact
    assert kept.decision.score == asked(kept.opened, grown[0])
    assert said(kept.opened) == [asked(kept.opened, body)]
    file = await export_capsule.export_capsule(road.db, JIA, kept.application_id, "法院要看")
    forgetful()
    async with road.db.read(JIA) as tx:
        assert (await decisions.replay(tx, kept.id)).same_bytes
    forgetful()
    assert decisions.replay_capsule(file).same_bytes


@pytest.mark.parametrize("as_file", [False, True])
async def test_a_back_test_of_a_draft_that_names_a_model_is_the_live_decision(
    road: Road, mine, forgetful, as_file
):
    """Where its processes know nothing but the recipe."""
    body, report = mine
    live = await brought_live(road.db, body, report)
    document = naming(live.artefact, compiled(body).inputs)
    version = await submitted(road, document)
    files = Partial(strategies={Stage.ELIGIBILITY: canonical(document).decode()})
    wanted = Named(label="草稿", version=version, model=None, files=Partial())
    if as_file:
        wanted = Named(label="文件", version=None, model=None, files=files)
    place = Place(institution="4101", product="SXD", family="consumer")
    found = await gather_trial_rules(road.context, system("0000", "trial"), wanted, [place])
    sent = msgspec.json.encode(found)
    await approved(road.db, ANALYST, version)
    kept = await decided(road)
    assert said(kept.opened)
    forgetful()
    tried = judging.Compiled(msgspec.json.decode(sent, type=Rules)).at("4101", kept.opened.case.product)
    assert canonical(evaluate.evaluate(kept.opened.case, tried)) == kept.capsule


def test_a_recipe_from_before_models_were_kept_beside_it_is_still_read():
    documents = bundle.seeded_documents() | {Stage.ELIGIBILITY: naming(SHIPPED.hash, SHIPPED.inputs)}
    recipe = recipe_of(bundle.build(documents, scorecard.seeded(), keep=False))
    assert set(recipe.models) == {SHIPPED.hash}
    old = msgspec.to_builtins(recipe)
    del old["models"]
    assert judging.build(msgspec.convert(old, type(recipe))).versions == judging.build(recipe).versions


def broken(monkeypatch, hashed: str):
    asking = scorecard.CompiledScorecard.score

    def score(self, values):
        if self.hash == hashed:
            raise RuntimeError("the model fell over")
        return asking(self, values)

    monkeypatch.setattr(scorecard.CompiledScorecard, "score", score)


@pytest.mark.usefixtures("no_scenarios")
@pytest.mark.parametrize("what", ["falls over", "above", "below"])
async def test_a_named_model_without_a_proper_score_leaves_the_case_to_a_person(
    road: Road, monkeypatch, what
):
    ends = {"falls over": {}, "above": {"high": 400}, "below": {"low": 1000}}[what]
    live = await brought_live(road.db, canonical(CARD), report_of(canonical(CARD)))
    cut = f"<= {ends.get('low', 0)}"
    await published(road, naming(live.artefact, SHIPPED.inputs, cut, **ends))
    if what == "falls over":
        broken(monkeypatch, live.artefact)
    kept = await decided(road)
    assert kept.outcome == Outcome.REFERRED


async def unfit(road: Road, what: str) -> str:
    """A hash that may not be named."""
    body = canonical(CARD)
    if what == "unknown":
        return "0" * 64
    if what == "draft":
        return (await registered(road.db, body)).artefact
    if what == "external":
        return (await brought_live(road.db, body, report_of(body), external=True)).artefact
    if what == "county":
        county = offsets.County(
            county="4101", cases=900, bad=90, foreseen=60, offset=0.3, error=0.05, points=-9, enough=True
        )
        inner = msgspec.to_builtins(CARD)
        whole = canonical(
            offsets.CountyModel(
                kind="county_model", format=1, column="县", model=inner, spread=0.3, counties=[county]
            )
        )
        return (await brought_live(road.db, whole, report_of(whole))).artefact
    live = await brought_live(road.db, body, report_of(body))
    await act(road.db, THIRD, models.bring, live.id, "retired", "不用了")
    return live.artefact


@pytest.mark.parametrize("what", ["unknown", "draft", "external", "county", "retired"])
async def test_what_may_not_be_named_is_refused_at_the_check_and_in_sql(road: Road, owner, what):
    saved = await drafted(road, naming(await unfit(road, what), SHIPPED.inputs))
    async with road.db.begin(ADMIN) as tx:
        run = await service.check(tx, saved.id)
    (finding,) = [each for each in run.report.findings if each.blocks and each.node]
    assert (finding.place, finding.node) == ("模型 m", "m")
    assert "不能点名用它" in finding.sentence
    await owner.execute("update strategies.versions set status = 'checked' where id = $1", saved.id)
    with pytest.raises(asyncpg.CheckViolationError, match="may not be named"):
        await owner.execute("update strategies.versions set submitted_at = now() where id = $1", saved.id)


def wrapped(key: str, inputs: list[str]) -> dict:
    """A document that names the model in its sub-flow only."""
    return graph(entry(*inputs), [flow("f", key)], [line("facts", "f"), line("f", "result")])


@pytest.mark.parametrize("inside", [False, True])
@pytest.mark.parametrize("how", ["submitted", "approved", "live", "pinned"])
async def test_a_model_is_not_retired_while_a_strategy_names_it(road: Road, owner, how, inside):
    live = await brought_live(road.db, canonical(CARD), report_of(canonical(CARD)))
    document = naming(live.artefact, SHIPPED.inputs)
    if inside:
        async with road.db.begin(ADMIN) as tx:
            key = await decisions.store(tx, Stage.ELIGIBILITY, document)
        document = wrapped(key, lint.declared(document["nodes"][0]))
    version = await submitted(road, document)
    if how == "approved":
        tomorrow = version.submitted_at.replace(year=version.submitted_at.year + 1)
        await approved(road.db, ANALYST, version, effective_from=tomorrow)
    elif how != "submitted":
        await approved(road.db, ANALYST, version)
    if how == "pinned":
        after = await submitted(road, bundle.seeded_documents()[Stage.ELIGIBILITY])
        await road.person(id_number(), preset="good", phone="match")
        await road.submit(await road.draft(id_number()))
        await approved(road.db, ANALYST, after)
    with pytest.raises(model.StillNamed) as refused:
        await act(road.db, THIRD, models.bring, live.id, "retired", "不用了")
    assert f"准入 第 {version.number} 版" in refused.value.text
    with pytest.raises(asyncpg.RestrictViolationError):
        await owner.execute("update models.models set status = 'retired' where id = $1", live.id)


async def test_another_registration_of_the_same_artefact_keeps_it_nameable(road: Road):
    body = canonical(CARD)
    first = await brought_live(road.db, body, report_of(body))
    second = await brought_live(road.db, body, report_of(body), family="business")
    await submitted(road, naming(first.artefact, SHIPPED.inputs))
    await act(road.db, THIRD, models.bring, first.id, "retired", "不用了")
    with pytest.raises(model.StillNamed):
        await act(road.db, THIRD, models.bring, second.id, "retired", "不用了")


@pytest.mark.parametrize("first", ["publish", "retire"])
async def test_of_publishing_and_retiring_at_once_only_one_wins(road: Road, first):
    live = await brought_live(road.db, canonical(CARD), report_of(canonical(CARD)))
    saved = await drafted(road, naming(live.artefact, SHIPPED.inputs))
    async with road.db.begin(ADMIN) as tx:
        await service.check(tx, saved.id)
    steps = {
        "publish": (ADMIN, lambda tx: service.submit(tx, saved.id)),
        "retire": (THIRD, lambda tx: models.bring(tx, live.id, "retired", "不用了")),
    }
    second = "retire" if first == "publish" else "publish"
    begun = asyncio.Event()

    async def late():
        await begun.wait()
        who, step = steps[second]
        async with road.db.begin(who) as tx:
            await step(tx)

    waiting = asyncio.create_task(late())
    who, step = steps[first]
    async with road.db.begin(who) as tx:
        await step(tx)
        begun.set()
        await asyncio.sleep(0.3)
        assert not waiting.done()  # it does not look before the first has ended
    with pytest.raises(model.StillNamed if first == "publish" else NotPassed):
        await waiting


async def test_the_card_of_the_release_is_the_one_sql_knows(road: Road):
    async with road.db.read(MAKER) as tx:
        known = await tx.connection.fetch("select hash from decision.release_cards")
    assert SHIPPED.hash in {row["hash"] for row in known}, "add it by a migration"


async def test_a_node_that_tells_less_than_the_model_can_give_is_warned_of():
    card = SHIPPED
    library = lint.Library(models={card.hash: card})
    document = naming(card.hash, card.inputs, "< 600", low=500, high=700)
    found = lint.check(Stage.ELIGIBILITY, document, facts.catalogue(), library)
    assert [(each.severity, each.node, each.column) for each in found] == [
        ("warning", "m", "low"), ("warning", "m", "high"),
    ]  # fmt: skip
    assert "434" in found[0].sentence
    assert "801" in found[1].sentence
    whole = naming(card.hash, card.inputs, "< 600", low=434, high=801)
    assert lint.check(Stage.ELIGIBILITY, whole, facts.catalogue(), library) == []


def test_the_ends_of_trees_hold_whatever_is_asked(grown):
    trees = compiled(grown[0])
    low, high = trees.extremes()
    assert low < high
    known = facts.catalogue().facts
    for at in range(300):
        values = {
            name: known[name].low
            + (known[name].high - known[name].low) * ((at * 37 + place * 101) % 97) // 96
            for place, name in enumerate(trees.inputs)
        }
        assert low <= trees.score(values).score <= high


@pytest.mark.parametrize("inside", [False, True])
async def test_a_model_that_only_a_flow_names_is_watched_by_what_it_said(road: Road, inside):
    """Its own scores, not the rating's; beside the model of the rating, each with its own figures (D1-05)."""
    body = canonical(CARD)
    live = await brought_live(road.db, body, report_of(body))
    document = naming(live.artefact, SHIPPED.inputs)
    if inside:
        async with road.db.begin(ADMIN) as tx:
            key = await decisions.store(tx, Stage.ELIGIBILITY, document)
        document = wrapped(key, lint.declared(document["nodes"][0]))
    await published(road, document)
    cases = [await decided(road, id_number(serial)) for serial in (511, 513)]
    assert await observe_decisions.observe_decisions(road.context) == len(cases)
    edges = [float(asked(cases[0].opened, body))]
    async with road.db.read(everywhere("test")) as tx:
        rows = await tx.connection.fetch("select * from models.named_observations order by decision_id")
        counted = [await model_monitors.score_counts(tx, hash_, cases[0].decided_at, edges)
                   for hash_ in (live.artefact, SHIPPED.hash)]  # fmt: skip
        bins = await watching.feature_counts(tx, live.artefact, cases[0].decided_at)
        used = await watching.usage(tx, live.artefact)
    assert {str(row["decision_id"]): row["score"] for row in rows} == {
        case.id: asked(case.opened, body) for case in cases
    }
    assert {row["model_hash"] for row in rows} == {live.artefact}
    assert [sum(row[2] for row in each) for each in counted] == [len(cases)] * 2
    assert counted[0][0][1] == 1, "the bin of its own score"
    assert {feature for _, feature, _, _ in bins} == set(REPORT["reference"]["features"])
    assert used[JIA.institution_id]["cases"] == len(cases)
    await watch_models.watch_models(road.context)
    async with road.db.read(system("0000", "test")) as tx:
        for hash_ in (live.artefact, SHIPPED.hash):
            [point] = (await watching.series(tx, hash_, "psi"))[""]
            assert point["cases"] == len(cases)
