"""The people behind the systems: what a register, a bureau and a bank know of an ID number.

Everyone who was invented gets a believable record drawn from the ID number alone (`synthetic`), so the
same person is the same in every run; people of a loaded practice county (演练县) are answered from it, name and
records alike (N20). A control call writes over single facts or whole presets.
"""

from typing import Any, Literal

import msgspec

from backend.sandbox import synthetic, synthetic_business
from backend.sandbox.county.answers import Counties, Neighbour
from backend.sandbox.refusal import Refusal
from backend.sandbox.store import Store

Preset = Literal["", "good", "queries", "overdue", "blocked", "enforced", "thin_file", "no_income", "missing"]

GOOD: dict[str, int | bool | str] = {
    "bureau_found": True,
    "bureau_history_months": 60,
    "bureau_queries_1m": 0,
    "bureau_queries_6m": 1,
    "bureau_overdue_amount": 0,
    "bureau_overdue_months_24m": 0,
    "bureau_worst_overdue_24m": 0,
    "bureau_written_off": False,
    "bureau_lenders_open": 1,
    "bureau_balance": 3_000_000,
    "bureau_monthly_repayment": 60_000,
    "bureau_card_limit": 2_000_000,
    "bureau_card_used": 300_000,
    "bureau_guarantee_balance": 0,
    "bureau_internet_consumer_credit": 0,
    "core_known": True,
    "core_relationship_months": 84,
    "core_deposit_average_6m": 1_500_000,
    "core_wealth_balance": 0,
    "core_inflow_12m": 7_000_000,
    "core_inflow_months_12m": 12,
    "core_payroll_months": 24,
    "core_payroll_average": 450_000,
    "core_loan_overdue_days": 0,
    "core_internet_credit_granted": 0,
    "core_account_frozen": False,
    "core_related_party": False,
    "blocklist_hit": "none",
    "court_enforcement": False,
    "student_signal": False,
    "household_members": 4,
    "household_years_resident": 20,
    "household_rating": "good",
    "household_debt": 0,
    "social_security_months_24m": 12,
    "housing_fund_months": 0,
    "housing_fund_base": 0,
}
"""Approved by the demo product; the other presets change a few of these."""

_BUREAU_EMPTY = {
    name: (False if isinstance(value, bool) else 0)
    for name, value in GOOD.items()
    if name.startswith("bureau_")
}

PRESETS: dict[str, dict[str, int | bool | str | None]] = {
    "good": {**GOOD},
    "queries": {**GOOD, "bureau_queries_6m": 9, "bureau_queries_1m": 3},
    "overdue": {
        **GOOD,
        "bureau_overdue_amount": 120_000,
        "bureau_overdue_months_24m": 3,
        "bureau_worst_overdue_24m": 2,
    },
    "blocked": {**GOOD, "blocklist_hit": "blocked"},
    "enforced": {**GOOD, "court_enforcement": True},
    "thin_file": {**GOOD, **_BUREAU_EMPTY},
    "no_income": {
        **GOOD,
        "core_payroll_months": 0,
        "core_payroll_average": 0,
        "core_inflow_12m": 0,
        "core_inflow_months_12m": 0,
    },
    "missing": {**GOOD, "core_inflow_12m": None, "household_rating": None, "bureau_queries_6m": None},
}


class Script(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What a control call says of a person; empty means: as drawn from the ID number.

    In `profile` a null takes the fact away, as if the system could not say.
    """

    name: str = ""
    preset: Preset = ""
    profile: dict[str, int | bool | str | None] = {}
    identity: Literal["", "match", "mismatch", "not_found", "down"] = ""
    phone: Literal["", "match", "mismatch", "unknown"] = ""
    face: Literal["", "match", "mismatch", "not_compared"] = ""
    bureau: Literal["", "found", "none", "down"] = ""


class People:
    def __init__(self, store: Store, counties: Counties) -> None:
        self._store, self._counties = store, counties

    def set(self, id_number: str, script: Script) -> None:
        unknown = set(script.profile) - set(GOOD) - set(synthetic_business.NAMES)
        if unknown:
            raise Refusal(400, "fact_unknown", f"没有这些事实：{', '.join(sorted(unknown))}")
        name = script.name or self.script(id_number).name
        self._store.put("person", id_number.upper(), msgspec.structs.replace(script, name=name))

    def script(self, id_number: str) -> Script:
        found = self._store.get("person", id_number.upper())
        return msgspec.convert(found, Script) if found else Script()

    def registered_name(self, id_number: str, asked: str) -> str:
        """The name in the register. Somebody never heard of is entered under the first name asked."""
        script = self.script(id_number)
        if script.name:
            return script.name
        neighbour = self.neighbour(id_number)
        if neighbour is not None:
            return neighbour.name
        self.set(id_number, msgspec.structs.replace(script, name=asked))
        return asked

    def neighbour(self, id_number: str) -> Neighbour | None:
        """The person of a practice county behind an ID number; None for everybody else."""
        return self._counties.find(id_number)

    def nobody(self, id_number: str) -> bool:
        """A number of a practice county's region that none of its people has."""
        return self._counties.claims(id_number) and self.neighbour(id_number) is None

    def facts(self, id_number: str) -> dict[str, int | bool | str]:
        """Everything the three systems know; a fact taken away by a script is not in it."""
        script = self.script(id_number)
        neighbour = self.neighbour(id_number)
        own = neighbour.facts if neighbour else synthetic.person(id_number.upper())
        drawn: dict[str, Any] = dict(PRESETS.get(script.preset) or own)
        if script.bureau == "none":
            drawn |= _BUREAU_EMPTY
        drawn |= {n: v for n, v in script.profile.items() if n in GOOD}
        return {name: value for name, value in drawn.items() if value is not None}

    def every_fact(self, id_number: str) -> dict[str, int | bool | str]:
        """The same with what more is known of assets, work and trade."""
        more: dict[str, Any] = {
            **synthetic_business.person(id_number.upper(), self.facts(id_number)),
            **self.script(id_number).profile,
        }
        further = {n: v for n, v in more.items() if n in synthetic_business.NAMES and v is not None}
        return {**self.facts(id_number), **further}

    def face_matches(self, id_number: str) -> str:
        return self.script(id_number).face or "match"


def bureau_facts(facts: dict[str, int | bool | str]) -> dict[str, int | bool | str]:
    return {n: v for n, v in facts.items() if n.startswith("bureau_")}


CORE_NAMES = (*(n for n in GOOD if n.startswith("core_")), *synthetic_business.CORE_NAMES)
PLATFORM_NAMES = (
    *(n for n in GOOD if not n.startswith("bureau_")),  # the books of yesterday are there too
    *synthetic_business.PLATFORM_NAMES,
    *synthetic_business.CORE_NAMES,
)
