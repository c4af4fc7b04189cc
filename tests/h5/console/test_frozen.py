"""冻结和解除: one person stops everything with a customer at once, two let it go on (D1-10)."""

import asyncpg
import pytest

from backend.domains.audit import service as audit
from backend.domains.customers import freezing
from backend.domains.customers.model import CustomerFrozen
from backend.domains.reviews.model import VerdictInvalid
from backend.flows import hand_off, review_case
from tests.flows.conftest import JIA, Road, id_number
from tests.flows.test_endings import REVIEWER, YES, only_review
from tests.h5.conftest import Desks
from tests.h5.scene import after_the_loan, referred

WHY = {"reason": "公安来函，疑似被人冒名"}


async def test_one_freezes_at_once_and_another_releases(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    application = await referred(road, owner, "4101", 601)
    page = f"/console/customers/4101/{application.customer_id}"
    desk = await desks.of("JX0101")
    await desk.get(f"/console/cases/{application.application_no}")
    assert page in desk.page.links
    await desk.get(page)
    await desk.send(desk.page.form("/freeze"), reason="无")
    assert (desk.reply.status_code, "请写明原因" in desk.words) == (422, True)
    await desk.send(desk.page.form("/freeze"), **WHY)
    assert "已冻结" in desk.words
    sealed = await owner.fetchval("select reason from customers.freezes")
    assert WHY["reason"].encode() not in sealed

    await desk.get("/console/frozen")
    assert WHY["reason"] in desk.words
    assert page in desk.page.links
    await desk.get(page)
    await desk.send(desk.page.form("/release"), reason="公安已经撤函")
    assert "另一个人同意以前照样冻结" in desk.words
    form = desk.page.form("/release")
    await desk.send(form, act="agree")
    assert (desk.reply.status_code, "要由另一个人同意" in desk.words) == (409, True)
    assert await owner.fetchval("select status from customers.people") == "frozen"

    second = await desks.of("JX0301")
    await second.get(page)
    await second.send(second.page.form("/release"), act="agree")
    assert await owner.fetchval("select status from customers.people") == "active"
    await second.get("/console/frozen")
    assert "没有冻结的客户" in second.words
    async with road.db.read(JIA) as tx:
        kinds = [each.action for each in await audit.of(tx, application.customer_id or "")]
    acts = ("customer.frozen", "customer.release_asked", "customer.released")
    assert [k for k in reversed(kinds) if k in acts] == list(acts)


async def test_the_table_itself_refuses_one_person_alone(road: Road, owner: asyncpg.Connection) -> None:
    application = await referred(road, owner, "4101", 602)
    async with road.db.begin(JIA) as tx:
        await freezing.freeze(tx, application.customer_id or "", "疑似冒名")
        await freezing.ask_release(tx, application.customer_id or "", "查清不是")
    with pytest.raises(asyncpg.CheckViolationError):
        await owner.execute(
            "update customers.freezes set released_by = release_asked_by, released_at = now()"
        )


async def test_who_only_reads_may_not_freeze_and_another_county_sees_nobody(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    application = await referred(road, owner, "4101", 603)
    page = f"/console/customers/4101/{application.customer_id}"
    reviewer = await desks.of("JX0201")
    await reviewer.get(page)
    with pytest.raises(LookupError):
        reviewer.page.form("/freeze")
    elsewhere = await desks.of("YX0101")
    assert (await elsewhere.get(page)).status_code == 404


async def test_who_is_frozen_is_decided_by_no_machine_and_granted_by_no_reviewer(road: Road) -> None:
    number = id_number(604)
    await road.person(number, preset="good", phone="match")
    draft = await road.draft(number)
    await road.submit(draft)
    async with road.db.begin(JIA) as tx:
        await freezing.freeze(tx, draft.customer_id or "", "疑似冒名")
    await road.drain()
    assert (await road.see(draft)).status == "referred"
    review = await only_review(road)
    with pytest.raises(VerdictInvalid) as refused:
        await review_case.review_case(road.context, REVIEWER, review.id, YES)
    assert "客户已冻结" in refused.value.fields["outcome"]


async def test_who_is_frozen_is_not_handed_off(road: Road) -> None:
    approved = await road.apply(id_number(605))
    await road.confirm(approved)
    async with road.db.begin(JIA) as tx:
        await freezing.freeze(tx, approved.customer_id or "", "疑似冒名")
    with pytest.raises(CustomerFrozen):
        await hand_off.hand_off(road.context, road.actor, approved.id)


async def test_who_is_frozen_says_so_in_every_list_that_staff_work_through(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    """The lists showed the name alone, and somebody went on with a customer until the page told (D1-10)."""
    application = await referred(road, owner, "4101", 604)
    await after_the_loan(road, application, str(application.officer_id))
    lists = {
        "JX0201": ("/console", "/console/post-loan"),
        "JX0427": ("/studio", "/studio/leads"),
    }
    opened = {(who, path): await desks.of(who) for who, paths in lists.items() for path in paths}
    for marked in (False, True):
        for (who, path), desk in opened.items():
            await desk.get(path)
            assert desk.reply.status_code == 200, path
            assert ("张*（已冻结）" in desk.words) == marked, (who, path)
        async with road.db.begin(JIA) as tx:
            if not marked:
                await freezing.freeze(tx, application.customer_id or "", "疑似冒名")
