"""A limit set by a rule-maker stands in `regulation.parameters` and nowhere else (part D: dated, never a constant)."""

import ast
import re
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import asyncpg

ROOT = Path(__file__).resolve().parents[2]
SOURCES = [
    path
    for folder in ("backend", "h5", "bot")
    for path in sorted((ROOT / folder).rglob("*.py"))
    if "sandbox" not in path.parts
]
TELLING = re.compile(
    r"(^|_)(AGE|ADULT|GUARDIAN|CAP|TERM|READING|REVIEW|RETENTION|RETAIN|ABANDON|KEEP|CALLS|TRIES|RESEND|COST|LPR)(_|$)"
    r"|LIMIT_FEN|QUIET_HOUR|CODE_LIFE|GAP_SECONDS|PER_HOUR|PER_DAY|CONSENT_DAYS"
)
"""Words in the name of a constant that speak of what a rule sets."""

OURS = {
    # Names that a rule does not set, with the reason.
    "backend/core/money.py": {"_TOLERANCE"},
    "backend/domains/handoff/model.py": {"CODE_LIFE", "CODE_TRIES"},  # the hand-off's own security
    "h5/customer/details.py": {"SCHOOL_AGE"},  # whom the page asks; the rule is D6-01's refusal
    "backend/integrations/http.py": {"ANSWER_CAP"},
    "backend/flows/identify_wechat.py": {"MOST_TRIES"},  # how often WeChat is asked who opened a page
}


def _constants(path: Path) -> dict[str, Any]:
    """Module-level numbers, durations and rates by name."""
    found = {}
    for node in ast.parse(path.read_text()).body:
        targets = node.targets if isinstance(node, ast.Assign) else []
        for target in targets:
            if isinstance(target, ast.Name) and (value := _value(node.value)) is not None:
                found[target.id] = value
    return found


def _value(node: ast.expr) -> Any:
    if isinstance(node, ast.Constant) and isinstance(node.value, int | float) and node.value is not True:
        return node.value
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
        if node.func.id == "timedelta":
            return timedelta(**{k.arg: ast.literal_eval(k.value) for k in node.keywords if k.arg})
        if node.func.id == "Decimal" and node.args:
            return Decimal(str(ast.literal_eval(node.args[0])))
    return None


def test_no_constant_is_named_after_what_a_rule_sets() -> None:
    strays = []
    for path in SOURCES:
        name = path.relative_to(ROOT).as_posix()
        allowed = OURS.get(name, set())
        strays += [
            f"{name}: {each}" for each in _constants(path) if TELLING.search(each) and each not in allowed
        ]
    assert strays == []


async def test_no_amount_or_rate_of_a_rule_is_written_in_code(owner: asyncpg.Connection) -> None:
    """200,000 yuan, 24 %, LPR …: as fen, yuan, basis points or text, anywhere in an expression."""
    rows = await owner.fetch("select key, unit, value #>> '{}' as text from regulation.parameters")
    forbidden: dict[object, str] = {}
    for row in rows:
        if row["unit"] == "fen":
            forbidden |= {int(row["text"]): row["key"], int(row["text"]) // 100: row["key"]}
    amounts = {value for value in forbidden if isinstance(value, int) and value >= 200_000}
    rates = {Decimal(row["text"]): row["key"] for row in rows if row["unit"] == "rate"}
    capped = {rate for rate, key in rates.items() if key.startswith("all_in_cost")}
    strays = []
    for path in SOURCES:
        name = path.relative_to(ROOT).as_posix()
        if name in ELSEWHERE:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Constant):
                continue
            value = node.value
            if type(value) is int and value in amounts:
                strays.append(f"{name}:{node.lineno} {value}")
            if isinstance(value, float | str) and _rate(value) in capped:
                strays.append(f"{name}:{node.lineno} {value}")
    assert strays == []


ELSEWHERE = {
    "backend/domains/applications/declarations.py",  # amounts and incomes people may tap, cut to the product's limits
    "backend/domains/products/demo.py",  # invented offers, held to the rules when they are published
    "backend/domains/campaigns/demo.py",
}


def _rate(value: float | str) -> Decimal | None:
    text = str(value)
    return Decimal(text) if re.fullmatch(r"0?\.\d{2,6}", text) else None


def test_every_rule_of_this_road_is_read_where_it_binds() -> None:
    """A row nobody reads binds nobody: the keys of the customer's road, each read by code that acts on it."""
    text = "\n".join(path.read_text() for path in SOURCES)
    unread = [key for key in ROAD if f'"{key}"' not in text]
    assert unread == []


ROAD = (
    "internet_consumer.cap", "internet_consumer.bullet_months", "local_only.required", "purposes.forbidden",
    "all_in_cost.cap", "consumer.term_months", "on_site.skip_amount", "disclosure.required",
    "disclosure.reading_seconds", "lpr.1y", "age.minimum", "age.guardian", "age.maximum",
    "human_review.working_days", "sms.gap_seconds", "sms.per_hour", "sms.per_day", "sms.tries", "sms.valid_seconds",
    "retention.raw_image_hours", "retention.abandoned_days", "retention.unfinished_days",
)  # fmt: skip
