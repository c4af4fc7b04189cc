"""The last look at what an assessment lets happen, in code and independent of every table.

As `guard.py` does for approvals: a contact, a drawdown or a message no strategy may ever allow. The hours and
counts of GB/T 45251-2025 (D5-01, D5-02) come as facts from dated rows of the regulation.
"""

from collections.abc import Callable, Mapping

from backend.domains.decision.facts import Value
from backend.domains.decision.model import Stage

Values = Mapping[str, Value]
Rule = Callable[[Values, str], bool]
"""Whether the facts allow it; the second argument is the way of contact, '' where there is none."""


def _number(values: Values, name: str) -> int:
    return int(values[name])


def _awake(values: Values, hour: str) -> bool:
    at = _number(values, hour)
    return _number(values, "contact_quiet_to_hour") <= at < _number(values, "contact_quiet_from_hour")


RULES: dict[Stage, dict[str, tuple[str, Rule]]] = {
    Stage.MARKETING_GATE: {
        "not_agreed": ("没有同意接收营销信息", lambda v, _: v["outreach_agreed"] is True),
        "opted_out": ("已经退订", lambda v, _: v["outreach_opted_out"] is False),
        "quiet_hours": ("这个钟点不得联系", lambda v, _: _awake(v, "outreach_hour")),
    },
    Stage.PRE_SCREEN: {
        "under_age": (
            "年龄不够",
            lambda v, _: _number(v, "prospect_age_years") >= _number(v, "prospect_min_age"),
        ),
        "blocked": ("在黑名单里", lambda v, _: v["prospect_risk_list"] != "blocked"),
    },
    Stage.DRAWDOWN_CHECK: {
        "line_not_active": ("额度不是正常状态", lambda v, _: v["line_status"] == "active"),
        "above_available": (
            "超过可用额度",
            lambda v, _: _number(v, "drawdown_amount") <= _number(v, "line_available"),
        ),
        "expired": ("额度过了有效期", lambda v, _: _number(v, "line_days_left") >= 0),
        "forbidden_purpose": ("用途被监管禁止", lambda v, _: v["drawdown_purpose_forbidden"] is False),
        "forbidden_payee": ("不能付给这个收款人", lambda v, _: v["drawdown_payee"] != "forbidden"),
    },
    Stage.COLLECTION: {
        "quiet_hours": ("这个钟点不得联系", lambda v, _: _awake(v, "collection_hour")),
        "calls_used_up": (
            "今天的通话次数已经用完",
            lambda v, way: (
                way != "call" or _number(v, "collection_calls_today") < _number(v, "contact_calls_per_day")
            ),
        ),
        "do_not_contact": ("本人要求不再联系", lambda v, _: v["collection_do_not_contact"] is False),
        "disputed": ("客户有异议还没核实", lambda v, _: v["collection_disputed"] is False),
    },
}
"""By stage: code, why in words, and what must hold."""


def needs(stage: Stage) -> frozenset[str]:
    """Facts the rules of a stage look at, whatever its tables use."""
    return _NEEDS.get(stage, frozenset())


_HOURS = {"contact_quiet_from_hour", "contact_quiet_to_hour"}
_NEEDS = {
    Stage.MARKETING_GATE: frozenset({"outreach_agreed", "outreach_opted_out", "outreach_hour", *_HOURS}),
    Stage.PRE_SCREEN: frozenset({"prospect_age_years", "prospect_min_age", "prospect_risk_list"}),
    Stage.DRAWDOWN_CHECK: frozenset(
        {"line_status", "drawdown_amount", "line_available", "line_days_left", "drawdown_purpose_forbidden"}
        | {"drawdown_payee"}
    ),
    Stage.COLLECTION: frozenset(
        {"collection_hour", "collection_calls_today", "contact_calls_per_day", "collection_do_not_contact"}
        | {"collection_disputed", *_HOURS}
    ),
}


def violations(stage: Stage, values: Values, way: str = "") -> list[tuple[str, str]]:
    """(code, why) of every rule broken. A fact the rule cannot see counts as broken."""
    broken = []
    for code, (why, holds) in RULES.get(stage, {}).items():
        try:
            kept = holds(values, way)
        except KeyError:
            kept = False
        if not kept:
            broken.append((code, why))
    return broken
