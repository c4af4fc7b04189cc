"""Running scenarios: what came of each against what must (issue 3 §2)."""

from collections.abc import Iterable

from backend.domains.decision.contracts import WORDS
from backend.domains.decision.model import Decision
from backend.domains.strategies import judging
from backend.domains.strategies.judging import Answer, Using
from backend.domains.strategies.model import Expected, Scenario, ScenarioResult


def run(scenarios: Iterable[Scenario], using: Using) -> list[ScenarioResult]:
    """One result each, in their order; pure CPU, about a millisecond a scenario."""
    return [_run(each, judging.answer(each.case, using)) for each in scenarios]


def _run(scenario: Scenario, found: Answer) -> ScenarioResult:
    amount, rate = (found.amount_fen, found.annual_rate_bp) if isinstance(found, Decision) else (None, None)
    return ScenarioResult(
        id=scenario.id,
        name=scenario.name,
        outcome=found.outcome,
        reasons=[reason.code for reason in found.reasons],
        amount_fen=amount,
        annual_rate_bp=rate,
        wrong=_wrong(scenario, found),
    )


def _wrong(scenario: Scenario, found: Answer) -> list[str]:
    wrong, expected, words = [], scenario.expected, judging.outcomes(scenario.stage)
    if found.outcome != expected.outcome:
        must, now = (words.get(each, each) for each in (expected.outcome, found.outcome))
        wrong.append(f"应当{must}，结果是{now}")
    codes = {reason.code for reason in found.reasons}
    if missing := [code for code in expected.codes if code not in codes]:
        wrong.append(f"应当有原因 {'、'.join(missing)}，结果没有")
    if isinstance(found, Decision):
        return wrong + _numbers(expected, found)
    channel = found.contact.channel if found.contact else "none"
    if expected.channel is not None and channel != expected.channel:
        wrong.append(f"方式应当是{WORDS[expected.channel]}，结果是{WORDS[channel]}")
    return wrong


def _numbers(expected: Expected, decision: Decision) -> list[str]:
    wrong = []
    if expected.grade is not None and decision.grade != expected.grade:
        told = f"是 {decision.grade} 级" if decision.grade else "没有等级"
        wrong.append(f"应当是 {expected.grade} 级，结果{told}")
    wrong += _outside(
        "金额", decision.amount_fen, expected.amount_min_fen, expected.amount_max_fen, 100, " 元"
    )
    wrong += _outside("年利率", decision.annual_rate_bp, expected.rate_min_bp, expected.rate_max_bp, 100, "%")
    return wrong


def _outside(
    label: str, value: int | None, low: int | None, high: int | None, unit: int, mark: str
) -> list[str]:
    if low is None and high is None:
        return []
    least = "不限" if low is None else f"{low / unit:,g}{mark}"
    most = "不限" if high is None else f"{high / unit:,g}{mark}"
    said = f"{label}应当在 {least} 到 {most} 之间，结果"
    if value is None:
        return [f"{said}没有{label}"]
    if (low is not None and value < low) or (high is not None and value > high):
        return [f"{said}是 {value / unit:,g}{mark}"]
    return []
