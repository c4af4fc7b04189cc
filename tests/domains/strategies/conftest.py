"""The cast of strategies, on one transaction that is rolled back: everyone acts in turn."""

import copy
from typing import Any

import msgspec
import pytest

from backend import demo
from backend.core import ids
from backend.core.actor import Actor, system
from backend.db.database import Tx, introduce
from backend.domains.decision.model import Stage
from backend.domains.strategies import effects, repository, scenario_book, service
from backend.domains.strategies.model import (
    Content,
    CountyContent,
    Document,
    Report,
    UnionContent,
    Version,
)
from tests.acting import act_as


def staff(institution_id: str, number: int, role: str) -> Actor:
    who = (
        demo.staff_id(institution_id, number) if institution_id != "0000" else demo.UNION_STAFF[number - 1][0]
    )
    return Actor("staff", who, institution_id, frozenset({role}), name=role)


ADMIN, ANALYST = staff("0000", 1, "head_office_admin"), staff("0000", 2, "risk_analyst")
COUNTY_ADMIN, COUNTY_ANALYST = staff("4101", 3, "county_admin"), staff("4101", 6, "risk_analyst")
OFFICER, OTHER_ADMIN = staff("4101", 1, "officer"), staff("4102", 3, "county_admin")


async def due(job: Tx) -> list[tuple[str, str, str]]:
    """(institution, version, status) of everything the clock has to move."""
    return [(*each, status) for status in ("approved", "live") for each in await service.due(job, status)]


class Stagehand:
    """`await hand.as_(ADMIN)` gives the same transaction in another person's hands."""

    def __init__(self, tx: Tx) -> None:
        self._tx = tx

    async def as_(self, actor: Actor) -> Tx:
        await self._tx.connection.execute(introduce(actor))
        return Tx(self._tx.connection, actor, self._tx.now, self._tx.vault)

    async def measured(self, version: Version) -> None:
        """The effect on past cases is known (there are none in this transaction)."""
        office = "0000" if version.institution_id == "*" else version.institution_id
        tx = await self.as_(system(office, "measure"))
        begun = await effects.begin(tx, version, 0)
        await repository.advance_effect(tx, begun, 0, begun.figures, finished=True)

    async def through(self, version: Version, maker: Actor, checker: Actor, **dates: Any) -> Version:
        """Check, submit, measure, approve."""
        tx = await self.as_(maker)
        run = await service.check(tx, version.id)
        assert run.failures == 0, run.report
        await service.submit(tx, version.id)
        await self.measured(version)
        return await service.approve(await self.as_(checker), version.id, reason="看过了", **dates)

    async def overlay(self, stage: Stage, content: CountyContent, **dates: Any) -> Version:
        """A county's overlay all the way to live."""
        tx = await self.as_(COUNTY_ADMIN)
        begun = await service.draft(tx, "*", stage, reason="本县收紧")
        saved = await service.save(tx, begun.id, content, note="写内容")
        return await self.through(saved, COUNTY_ADMIN, COUNTY_ANALYST, **dates)

    async def union(self, stage: Stage, change: Any, *, product: str = "*", **dates: Any) -> Version:
        """Head office's version with a changed document, all the way to live."""
        tx = await self.as_(ADMIN)
        begun = await service.draft(tx, product, stage, reason="全省调整")
        assert isinstance(begun.content, UnionContent)
        document = copy.deepcopy(begun.content.document)
        change(document)
        content = UnionContent(document=document, openings=begun.content.openings)
        saved = await service.save(tx, begun.id, content, note="改一格")
        return await self.through(saved, ADMIN, ANALYST, **dates)


@pytest.fixture
def hand(tx: Tx) -> Stagehand:
    return Stagehand(tx)


def cell(document: Document, table: str, row: str, column: str, text: str) -> None:
    node = next(n for n in document["nodes"] if n["id"] == table)
    next(r for r in node["content"]["rules"] if r["_id"] == row)[column] = text


def stricter(document: Document) -> None:
    """One month late in two years is enough for a refusal."""
    cell(document, "bureau", "bureau-5", "c5", ">= 1")


async def stop_scenarios(tx: Tx, product_code: str, stage: str = "") -> None:
    """Those that hold a shipped document to its words go with the one that changes them: by two people."""
    me, second = tx.actor, msgspec.structs.replace(tx.actor, id=ids.new())
    for each in await scenario_book.of_product(tx, product_code, stage):
        await scenario_book.ask_to_stop(tx, each.id, "跟着新的规则换")
        await act_as(tx, second)
        await scenario_book.stop(tx, each.id)
        await act_as(tx, me)


async def previewed(tx: Tx, product_code: str, stage: Stage, content: Content) -> Report:
    """What the checks say of a content nobody stored, as a page asks while one types."""
    return (await service.to_preview(tx, product_code, stage, content)).report()
