"""One stage's rules asked about one case: the whole decision where the stage belongs to it, else its own moment.

What checks, scenarios, trials and effects do is the same for both; here is all in which they differ.
"""

from collections.abc import Callable, Mapping

from backend.db.database import Tx
from backend.domains.decision import assess, bundle, evaluate, moments
from backend.domains.decision import service as decisions
from backend.domains.decision.assessment import Assessment
from backend.domains.decision.model import DECIDING, Case, Decision, Stage
from backend.domains.strategies.model import Content, Document, UnionContent

Using = bundle.Bundle | assess.Prepared
Answer = Decision | Assessment

DECIDED = {"approved": "通过", "declined": "未通过", "referred": "转人工"}
_OUTCOMES: dict[Stage, dict[str, str]] = {
    Stage.MARKETING_GATE: {"allowed": "可以联系", "ask": "由人看了再定", "not_allowed": "不联系"},
    Stage.PRE_SCREEN: {"allowed": "接着办", "ask": "接着办，由人看", "not_allowed": "不往下办"},
    Stage.DRAWDOWN_CHECK: {"allowed": "放行", "ask": "等人核实", "not_allowed": "不放"},
    Stage.EARLY_WARNING: {
        "none": "没有预警", "watch": "关注", "call": "电话核实", "visit": "上门核实", "freeze": "冻结额度",
    },
    Stage.COLLECTION: {
        "none": "不联系", "remind": "提醒", "negotiate": "协商", "visit": "上门", "legal": "诉讼",
        "ask": "资料不全，先不联系",
    },
}  # fmt: skip


KEPT: dict[Stage, str] = {
    Stage.MARKETING_GATE: "客户经理每次打营销电话前问过的，都留着当时的资料，可以拿来试。",
    Stage.PRE_SCREEN: "每笔申请提交时问过的，都留着当时的资料，可以拿来试。",
    Stage.DRAWDOWN_CHECK: "手机银行每次放款前来问过的，都留着当时的资料，可以拿来试。",
    Stage.EARLY_WARNING: (
        "每笔还在看的贷款，最近一晚看到的资料都留着，有没有预警都在内：按它数得出会多报多少、少报多少。"
        "报了以后是不是真的坏了，要在演练县的案例上试算。"
    ),
    Stage.COLLECTION: "每晚的催收计划和每次联系前问过的，都留着当时的资料，可以拿来试。按计划的做法数，不看钟点。",
}
"""What a stage outside a decision keeps of what it was asked, in a person's words."""


def outcomes(stage: str) -> dict[str, str]:
    """The answers of a stage in a person's words; '' and the stages of a decision: the decision's."""
    return _OUTCOMES.get(Stage(stage), DECIDED) if stage else DECIDED


def moment(stage: str) -> str:
    """The stage where it is asked alone; '' for the decision and the stages that belong to it."""
    return "" if not stage or stage in DECIDING else str(stage)


def answer(case: Case, using: Using) -> Answer:
    """Pure CPU, under a millisecond."""
    if isinstance(using, bundle.Bundle):
        return evaluate.evaluate(case, using).decision
    stage = using.stage.stage
    return assess.assess(stage, case, {stage: using})


def said(found: Answer) -> str:
    """What is counted: the outcome; of collection the plan, also at an hour at which nobody is contacted."""
    if isinstance(found, Decision) or found.contact is None:
        return str(found.outcome)
    return found.contact.action


async def trial_later(
    tx: Tx,
    product_code: str,
    stage: Stage,
    content: Content,
    document: Document,
    *,
    unstored: Mapping[str, Document] | None = None,
) -> Callable[[], Using]:
    """What would say something in the county of `tx` with this content live, read; building it is left to the caller,
    and raises `StrategyRefused`. `unstored`: sub-flows by hash that are not kept yet. Raises `VersionMissing`."""
    if stage not in DECIDING and isinstance(content, UnionContent):
        return await moments.trial_later(tx, product_code, stage, document=document, unstored=unstored)
    if stage not in DECIDING:
        return await moments.trial_later(tx, product_code, stage, overlay=document)
    if isinstance(content, UnionContent):
        band, changed = content.openings.price_band, {stage: document}
        return await decisions.trial_later(
            tx, product_code, documents=changed, price_band=band, unstored=unstored
        )
    return await decisions.trial_later(tx, product_code, overlays={stage: document})


async def live_later(
    tx: Tx, product_code: str, stage: str, *, without_county: bool = False
) -> Callable[[], Using]:
    """The same of what is live; `without_county`: head office's floor alone."""
    if moment(stage):
        return await moments.trial_later(tx, product_code, Stage(stage), without_county=without_county)
    return await decisions.trial_later(tx, product_code, without_county=without_county)


async def past(
    tx: Tx, stage: Stage, product_code: str, *, before: str = decisions.LAST, most: int = 200
) -> list[tuple[str, Case]]:
    """(id, case) of the stored answers of a stage in the county of `tx`, newest first, older than `before`."""
    if moment(stage):
        return await moments.past(tx, stage, product_code, before=before, most=most)
    found = await decisions.past(tx, product_code, before=before, most=most)
    return [(number, capsule.case) for number, capsule in found]


async def count_past(tx: Tx, stage: Stage, product_code: str, *, after: str = decisions.FIRST) -> int:
    if moment(stage):
        return await moments.count_past(tx, stage, product_code, after=after)
    return await decisions.count_past(tx, product_code, after=after)
