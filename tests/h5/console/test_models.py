"""The register as staff read it and act on it: what a model is, who is behind it, how it came here (D1-04, D1-05)."""

import html
import json
import re
from typing import Any

import asyncpg
import msgspec
import pytest

from backend.core.actor import system
from backend.domains.audit import service as audit
from backend.domains.decision import trees
from backend.domains.decision.model import canonical
from backend.domains.models import apart, offsets, service
from backend.domains.models.model import Drawn
from tests.domains.models.test_register import CARD, MAKER, OWNER, REPORT, act, brought_live, registered
from tests.flows.conftest import Road
from tests.h5.conftest import Desk, Desks

DRAWN = msgspec.msgpack.encode({"html": "<p>报告</p>", "pdf": b"%PDF-1.7"})
ENTRY = {
    "name": "个人授信评分卡二", "type": "approval", "family": "consumer", "purpose": "个人贷款授信审批",
    "owner": OWNER, "external": "no", "why": "县里坏账率变了",
}  # fmt: skip


async def nothing_drawn(module: str, message: bytes) -> bytes:
    """`apart.run` without the half minute of drawing; `test_the_files_are_drawn…` draws."""
    return DRAWN if module.endswith("paper") else await REALLY(module, message)


REALLY = apart.run


@pytest.fixture
def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apart, "run", nothing_drawn)


async def upload(desk: Desk, action: str, file: str, content: bytes, **fields: str) -> None:
    """The form with this action on the open page, with a file."""
    values = {**desk.page.form(action).values, **fields}
    await desk._arrive(await desk.http.post(action, data=values, files={file: (f"{file}.json", content)}))


async def handed_in(desk: Desk, body: bytes = CARD, **changed: str) -> str:
    await desk.get("/console/models/new")
    await upload(desk, "/console/models", "model", body, **(ENTRY | changed))
    return desk.path


async def decide(desk: Desk, path: str, status: str, why: str = "看过，同意") -> None:
    """The button of the page for one step."""
    await desk.get(path)
    await desk.send(desk.page.form(f"{path}/act"), act=status, why=why)


async def test_the_register_tells_state_owner_figures_data_and_every_step(road: Road, desks: Desks) -> None:
    desk = await desks.of("SL0001")
    await desk.get("/console/models")
    assert "还没有登记模型" in desk.words
    live = await brought_live(road.db)
    draft = await registered(road.db, family="business", name="另一个草稿")
    county = await desks.of("JX0301")
    for reader in (desk, county):
        await reader.get("/console/models")
        for words in ("个人授信评分卡", "已启用", "另一个草稿", "授信审批", "消费", "现在不用它做审批"):
            assert words in reader.words, words
        await reader.get(f"/console/models/{live.id}")
        for words in (
            live.artefact,
            live.data_list[0]["label"],
            "已独立评审：独立评审",
            "征信报告",
            "KS 0.5",
        ):
            assert words in reader.words, words
        await reader.get(f"/console/models/{draft.id}")
        assert "还没有验证报告" in reader.words


async def test_a_model_that_does_not_separate_says_so_where_it_is_registered(
    road: Road, desks: Desks
) -> None:
    test = {**REPORT["test"], "auc": 0.504, "auc_low": 0.472}
    live = await brought_live(road.db, report={**REPORT, "test": test})
    desk = await desks.of("SL0003")
    await desk.get(f"/console/models/{live.id}")
    assert "和随便排一样，分不开好坏" in desk.words


async def test_the_report_is_drawn_and_every_drawing_says_its_figures_in_a_table(
    road: Road, desks: Desks
) -> None:
    report = {
        **REPORT,
        "fairness": {"性别": [_group("男", 1.0, "fair", reference=True), _group("女", 0.71, "review")]},
        "stability": [_period("2026-01", 0.8), _period("2026-02", None)],
        "swap": _swap(),
    }
    live = await brought_live(road.db, report=report)
    desk = await desks.of("SL0003")
    await desk.get(f"/console/models/{live.id}")
    for title in (
        "区分度（KS）", "ROC 曲线和 AUC", "校准：预计和实际", "提升和捕获", "门槛怎么定", "稳定性（PSI）",
        "随时间的表现", "和现用模型的换手", "公平：性别", "分箱和坏账率",
    ):  # fmt: skip
        assert title in desk.words, title
    assert "要复核" in desk.words
    assert "换出" in desk.words
    drawings = desk.reply.text.count("data-chart=")
    assert drawings == desk.reply.text.count("看数字") == 10 + len(REPORT["features"])
    assert REPORT["features"][0]["bins"][0]["bin"] in desk.words
    specs = [json.loads(html.unescape(each)) for each in re.findall(r'data-chart="([^"]*)"', desk.reply.text)]
    for spec in specs:
        if spec["kind"] in ("curve", "columns"):
            assert spec["up"], "the axis says what it counts"


def _group(name: str, ratio: float, verdict: str, *, reference: bool = False) -> dict[str, Any]:
    return {
        "group": name, "people": 400, "approved": 0.7, "ratio": ratio, "bad_rate": 0.05,
        "reference": reference, "verdict": verdict,
    }  # fmt: skip


def _period(name: str, auc: float | None) -> dict[str, Any]:
    return {
        "period": name, "people": 300, "bad_rate": 0.06, "mean_score": 590.1, "auc": auc, "psi": 0.02,
        "level": "steady",
    }  # fmt: skip


def _swap() -> dict[str, Any]:
    cell = {"people": 90, "bad_rate": 0.04}
    names = ("both", "swapped_in", "swapped_out", "neither")
    return {**dict.fromkeys(names, cell), "approved": 0.7, "live": REPORT["test"]}


async def test_three_people_bring_a_model_from_a_file_into_use_and_out_again(
    road: Road, desks: Desks, owner: asyncpg.Connection, quickly: None
) -> None:
    """D1-05: who made it does not review it, who reviewed it does not approve it; every act has who, why and when."""
    maker, second, third = [await desks.of(each) for each in ("SL0002", "SL0003", "SL0001")]
    path = await handed_in(maker)
    assert (maker.reply.status_code, "草稿" in maker.words) == (200, True)
    report = json.dumps(REPORT).encode()
    await upload(maker, f"{path}/report", "report", report, why="训练完")
    assert ("已测试" in maker.words, "要由另一个人来办" in maker.words) == (True, True)
    assert not any(f.action == f"{path}/act" and "评审通过" in maker.words for f in maker.page.forms)
    await second.get("/console/models")
    assert "等您独立评审" in second.words
    admin = await desks.of("SL0001")
    await admin.get("/console/models")
    assert "等您" not in admin.words, "who can only send it back is not waited for"
    await decide(second, path, "reviewed")
    assert "下一步是批准，由没有做过、测过、评审过它的省联社管理员来办" in second.words, second.words[:600]
    await second.get(path)
    assert "批准" not in [each for each in second.words.split() if each == "批准"]
    for status, state in (
        ("approved", "已批准"),
        ("shadow", "影子运行"),
        ("live", "已启用"),
        ("watch", "观察"),
    ):
        await decide(third, path, status)
        assert f"{state}：看过，同意" in third.words, status
    await decide(third, path, "retired", "换了新的")
    assert "已退出：换了新的" in third.words
    model_id = path.rsplit("/", 1)[1]
    whos = await owner.fetch("select who from models.events where model_id = $1 order by seq", model_id)
    assert len({row["who"] for row in whos}) == 3
    async with road.db.read(system("0000", "test")) as tx:
        acts = [entry.action for entry in await audit.of(tx, model_id)]
    assert acts[::-1][:4] == ["model.registered", "model.tested", "model.reviewed", "model.approved"]


async def test_nobody_does_what_is_not_theirs_and_no_step_goes_without_a_reason(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    new = await registered(road.db)
    await act(road.db, MAKER, service.test, new.id, REPORT, "训练完")
    path = f"/console/models/{new.id}"
    second = await desks.of("SL0003")
    await second.get(path)
    form = second.page.form(f"{path}/act")
    await second.send(form, act="reviewed", why=" ")
    assert (second.reply.status_code, "要写明为什么" in second.words) == (422, True)
    await second.get(path)
    await second.send(second.page.form(f"{path}/act"), act="live", why="快一点")
    assert (second.reply.status_code, "不能再这样办" in second.words) == (409, True)
    for staff_no, status, words in (("SL0002", "reviewed", "您做过"), ("JX0301", "reviewed", "要由省联社的")):
        desk = await desks.of(staff_no)
        token = await token_and_key(desk, path)
        reply = await desk.http.post(f"{path}/act", data={**token, "act": status, "why": "我看行"})
        assert (reply.status_code, words in reply.text) == (403, True), staff_no
    assert await owner.fetchval("select status from models.models where id = $1", new.id) == "tested"


async def token_and_key(desk: Desk, path: str) -> dict[str, str]:
    await desk.get(path)
    values = next(form.values for form in desk.page.forms if "form_key" in form.values)
    return {name: values[name] for name in ("csrf_token", "form_key")}


async def test_a_file_that_is_no_model_or_cannot_score_is_not_taken(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    desk = await desks.of("SL0002")
    for body, words in (
        (b"", "没有选模型文件"),
        (b"%PDF", "不是 JSON 的写法"),
        (b'{"kind": "magic"}', "没有叫 magic 的模型种类"),
        (b'{"x":' * 100_000, "括号套得太深"),
        (no_graph(), "不是 ONNX"),
        (b'{"kind": "trees", "x": "' + b"x" * (8 * 1024 * 1024) + b'"}', "超过 8 MB"),
    ):
        await handed_in(desk, body)
        assert (desk.reply.status_code, words in desk.words) == (422, True), (words, desk.words[-300:])
        assert "个人贷款授信审批" in desk.reply.text, "what was written is still there"
    await handed_in(desk, CARD, purpose="", type="magic")
    assert ("请写明用在哪里" in desk.words, "请选一个类型" in desk.words) == (True, True)
    assert await owner.fetchval("select count(*) from models.models") == 0


def no_graph() -> bytes:
    import base64
    import hashlib

    feature = trees.TreeFeature(name="bureau_queries_6m", trend="descending", best=0, worst=9, typical=2)
    graph = b"no graph at all"
    card = trees.Trees(
        kind="trees", format=1, name="x", version=1, features=[feature], offset=1.0, factor=1.0,
        onnx=base64.b64encode(graph).decode(), onnx_sha256=hashlib.sha256(graph).hexdigest(), scale={}, trained={},
    )  # fmt: skip
    return canonical(card)


async def test_a_report_of_another_model_or_with_a_hole_tests_nothing(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    new = await registered(road.db)
    desk, path = await desks.of("SL0002"), f"/console/models/{new.id}"
    holes = {name: value for name, value in REPORT.items() if name != "calibration"}
    for report, words in (
        ({**REPORT, "model_sha256": "0" * 64}, "指纹不一样"),
        (holes, "缺少 calibration"),
        ({**REPORT, "test": {**REPORT["test"], "auc": 7}}, "test.auc"),
        ({**REPORT, "reference": {**REPORT["reference"], "score": {"edges": [1], "counts": [1]}}}, "对不上"),
        ([], "不是一份报告"),
        ({"kind": "scorecard"}, "里面没有写是哪个模型的。要的是和模型文件在同一个目录里的 report.json"),
    ):
        await desk.get(path)
        await upload(desk, f"{path}/report", "report", json.dumps(report).encode(), why="训练完")
        assert (desk.reply.status_code, words in desk.words) == (422, True), (words, desk.words[:400])
    assert await owner.fetchval("select status from models.models where id = $1", new.id) == "draft"


async def test_the_files_are_drawn_by_us_kept_with_the_act_and_only_downloaded(
    road: Road, desks: Desks
) -> None:
    """A report that was sent back is still on file (whole-life records, D1-05)."""
    new = await registered(road.db)
    desk, path = await desks.of("SL0002"), f"/console/models/{new.id}"
    hostile = {**REPORT, "notes": ["<script>alert(1)</script>"]}
    await desk.get(path)
    await upload(desk, f"{path}/report", "report", json.dumps(hostile).encode(), why="训练完")
    assert "下载 PDF" in desk.words, desk.words[:600]
    page = await desk.http.get(f"{path}/report/2/html")
    assert "attachment" in page.headers["content-disposition"]
    assert ("data:image/png;base64" in page.text, "<script" in page.text) == (True, False)
    paper = await desk.http.get(f"{path}/report/2/pdf")
    assert paper.content.startswith(b"%PDF-")
    second = await desks.of("SL0003")
    await decide(second, path, "draft", "样本期太短")
    assert ("草稿：样本期太短" in second.words, "还没有验证报告" in second.words) == (True, True)
    assert (await second.http.get(f"{path}/report/2/pdf")).content == paper.content
    for other in ("report/9/pdf", "report/2/exe", "report/99999999999/pdf"):
        assert (await second.http.get(f"{path}/{other}")).status_code == 404


async def test_what_a_model_is_used_for_and_what_it_gives_a_county_stand_on_its_page(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    county = {"cases": 900, "bad": 20, "foreseen": 30.0, "error": 0.1}
    made = offsets.CountyModel(
        kind="county_model", format=1, column="county", model=json.loads(CARD), spread=0.2,
        counties=[
            offsets.County(county="4101", offset=-0.4, points=12, enough=True, **county),
            offsets.County(county="4102", offset=0.01, points=0, enough=False, **county),
        ],
    )  # fmt: skip
    new = await registered(road.db, canonical(made))
    desk = await desks.of("SL0001")
    await desk.get(f"/console/models/{new.id}")
    for words in ("比全省多给 12 分", offsets.NOT_ENOUGH, "还没有用它试算过", "没有用它审批过"):
        assert words in desk.words, words
    assert offsets.NOT_ENOUGH == "数据不足，暂看不出差异"
    await owner.execute(
        "insert into models.observations values ('4101', gen_random_uuid(), $1, '{}', false, now())",
        new.artefact,
    )
    await desk.get(f"/console/models/{new.id}")
    assert "最近 90 天用它审批了多少" in desk.words


def test_what_is_drawn_is_a_pair_of_files() -> None:
    assert msgspec.msgpack.decode(DRAWN, type=Drawn).pdf.startswith(b"%PDF")
