"""The last look at an approval, in code and independent of every table: what no strategy may ever grant.

A violation means a strategy or we are wrong; the case is then referred, and the trace names the rule.
"""

from collections.abc import Callable, Mapping, Sequence

from backend.domains.decision.facts import Value
from backend.domains.decision.model import Cap, Offer

Rule = Callable[[Offer, Mapping[str, Value], Sequence[Cap]], bool]


def _number(values: Mapping[str, Value], name: str) -> int:
    return int(values[name])


_RULES: dict[str, Rule] = {
    "above_a_cap": lambda offer, _, caps: all(offer.amount_fen <= cap.amount_fen for cap in caps),
    "amount_outside_product": lambda offer, v, _: (
        _number(v, "product_min_amount") <= offer.amount_fen <= _number(v, "product_max_amount")
    ),
    "more_than_asked": lambda offer, v, _: offer.amount_fen <= _number(v, "requested_amount"),
    "above_internet_consumer_cap": lambda offer, v, _: (  # D1-01
        v["product_kind"] != "consumer" or offer.amount_fen <= _number(v, "internet_credit_left")
    ),
    "term_outside_product": lambda offer, v, _: (
        _number(v, "product_min_term_months") <= offer.term_months <= _number(v, "product_max_term_months")
    ),
    "term_above_regulation": lambda offer, v, _: offer.term_months <= _number(v, "reg_term_cap_months"),
    "rate_outside_band": lambda offer, v, _: (
        _number(v, "product_rate_floor_bp") <= offer.annual_rate_bp <= _number(v, "rate_cap_bp")
    ),
    "under_age": lambda _, v, __: _number(v, "age_years") >= _number(v, "reg_min_age"),
    "card_expired": lambda _, v, __: _number(v, "id_days_left") >= 0,
}


def violations(offer: Offer, values: Mapping[str, Value], caps: Sequence[Cap]) -> list[str]:
    """Names of the rules an approval would break. A fact the guard cannot see counts as a violation."""
    broken = []
    for name, holds in _RULES.items():
        try:
            kept = holds(offer, values, caps)
        except KeyError:
            kept = False
        if not kept:
            broken.append(name)
    return broken
