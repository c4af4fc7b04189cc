"""Institutions, their areas and branches."""

from backend.db import queries, reference
from backend.db.database import Tx
from backend.domains.institutions.model import Area, Branch, Institution, InstitutionNotFound

Q = queries.load(__package__)


async def get(tx: Tx, institution_id: str) -> Institution:
    async def ask() -> Institution:
        row = await Q.get(tx, id=institution_id)
        if row is None:
            raise InstitutionNotFound()
        return Institution(*row)

    return await reference.kept(tx, "institutions", "one", institution_id, ask=ask)


async def all_live(tx: Tx) -> list[Institution]:
    return [Institution(*row) for row in await Q.all(tx)]


async def areas(tx: Tx, institution_id: str) -> list[Area]:
    async def ask() -> list[Area]:
        return [Area(*row) for row in await Q.areas(tx, institution_id=institution_id)]

    return await reference.kept(tx, "institutions", "areas", institution_id, ask=ask)


def villages(areas: list[Area]) -> tuple[str, ...]:
    """As forms offer them: "town village"."""
    return tuple(f"{area.town} {village}" for area in areas for village in area.villages)


async def of_town(tx: Tx, words: str) -> tuple[str, str] | None:
    """(institution, the town as it was said) when the words name a town of one institution alone; 柳林镇 is
    closer than 柳林."""
    found = [(row["institution_id"], row["found"]) for row in await Q.of_town(tx, words=words)]
    longest = max((len(town) for _, town in found), default=0)
    closest = [each for each in found if len(each[1]) == longest]
    return closest[0] if len(closest) == 1 else None


async def branches(tx: Tx) -> list[Branch]:
    return [Branch(*row) for row in await Q.branches(tx, institution_id=tx.institution_id)]


def covers(institution: Institution, id_number: str, address: str) -> bool:
    """Whether a person belongs to this institution's area by registration or by printed address (D1-12)."""
    return id_number[:6] in institution.region_prefixes or institution.county in address


def serving(institutions: list[Institution], id_number: str, address: str) -> Institution | None:
    """The institution that serves a person: by address first (people move), then by registration."""
    by_address = [i for i in institutions if i.county in address]
    by_number = [i for i in institutions if id_number[:6] in i.region_prefixes]
    return next(iter(by_address or by_number), None)
