"""Who does something, and for which institution: the first thing every transaction is told."""

from typing import Literal

import msgspec

ALL_INSTITUTIONS = "*"
"""Institution of a union-wide actor. It may read everywhere and write nowhere (see `xd.protect`)."""

Kind = Literal["customer", "staff", "system", "partner"]

Role = Literal["head_office_admin", "county_admin", "officer", "reviewer", "risk_analyst", "auditor"]
ROLES: dict[str, str] = {
    "head_office_admin": "省联社管理员",
    "county_admin": "县行管理员",
    "officer": "客户经理",
    "reviewer": "审查人",
    "risk_analyst": "风险分析员",
    "auditor": "审计员",
}


class Actor(msgspec.Struct, frozen=True):
    """`id` is a staff id, a customer session id or the name of a job; it goes into every audit row."""

    kind: Kind
    id: str
    institution_id: str
    roles: frozenset[str] = frozenset()
    name: str = ""
    request_id: str = ""

    def __str__(self) -> str:
        """As it stands in the audit chain, and in every column that says who signed."""
        return f"{self.kind}:{self.id}"

    def has(self, *roles: str) -> bool:
        return not self.roles.isdisjoint(roles)

    def within(self, institution_id: str) -> "Actor":
        """The same actor working for one institution (a job that serves them in turn)."""
        return msgspec.structs.replace(self, institution_id=institution_id)


def system(institution_id: str, name: str) -> Actor:
    return Actor(kind="system", id=name, institution_id=institution_id, name=name)


def everywhere(name: str) -> Actor:
    """A job or door that must look across institutions before it knows which one it serves."""
    return system(ALL_INSTITUTIONS, name)
