"""Institutions (市县行社): each a legal entity with its own area, officers and customers."""

import msgspec

from backend.core.errors import NotFound

UNION = "0000"
"""The provincial union's head office, as the institution its own staff belong to."""


class Institution(msgspec.Struct, frozen=True):
    id: str
    name: str
    short_name: str
    county: str
    service_phone: str
    address: str
    region_prefixes: list[str]


HEAD_OFFICE = Institution(UNION, "省联社", "省联社", "", "", "", [])
"""The union itself, where staff see it as a place that has work of its own; it is no tenant of the table."""


class Branch(msgspec.Struct, frozen=True):
    id: str
    name: str
    address: str


class Area(msgspec.Struct, frozen=True):
    town: str
    villages: list[str]


class InstitutionNotFound(NotFound):
    code = "institution_not_found"
    message = "没有找到这家机构，可能链接不完整"
