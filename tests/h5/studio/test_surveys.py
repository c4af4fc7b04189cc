"""上门调查 through the doors: written on the spot, nothing lost, confirmed by a second person, and only then a fact
(A6-20, A7-04, D3-04, A5-08)."""

import copy
import json
from typing import Any

import asyncpg
import httpx
import pytest

from backend.core import clock, ids
from backend.core.actor import system
from backend.domains.applications.model import Application
from backend.domains.customers import consents
from backend.domains.customers.consent_texts import Purpose
from backend.domains.decision import bundle, facts, gate
from backend.domains.decision import service as decisions
from backend.domains.decision.model import Capsule, Stage
from backend.flows import decide_application
from backend.sandbox import specimens
from tests.domains.decision import documents
from tests.flows.conftest import JIA, Road, id_number
from tests.h5.conftest import Desk, Desks, anew
from tests.h5.customer.conftest import Studio, photograph, reader, studio
from tests.h5.scene import SEEN, confirmed_survey, referred, survey
from tests.h5.studio.test_studio import bring
from tests.made_live import make_live

__all__ = ["reader", "studio"]


def looks_at_surveys() -> dict[str, Any]:
    """The shipped admission with one table more: who was not seen reliably goes to a person."""
    document = copy.deepcopy(bundle.seeded_documents()[Stage.ELIGIBILITY])
    rows = [["false", "'EL_SURVEY'", "'refer'", "'还没有可以采信的上门调查'", "'客户经理会和您约时间'"]]
    table = documents.table(Stage.ELIGIBILITY, ["survey_reliable"], rows, name="survey")
    [entry] = [node for node in document["nodes"] if node["type"] == "inputNode"]
    names = json.loads(entry["content"]["schema"])["required"]
    entry["content"]["schema"] = json.dumps(gate.schema((*names, "survey_reliable"), facts.catalogue()))
    document["nodes"].append(table)
    document["edges"] += [documents.line(entry["id"], "survey"), documents.line("survey", "result")]
    return document


async def wanted(road: Road) -> None:
    async with road.db.begin(system("0000", "test")) as tx:
        await make_live(tx, "SXD", Stage.ELIGIBILITY, looks_at_surveys())


async def mine(road: Road, owner: asyncpg.Connection, serial: int) -> Application:
    await road.person(id_number(serial), preset="good", phone="match")
    draft = await road.draft(id_number(serial))
    await bring(owner, draft.id)
    return await road.see(draft)


async def decided(road: Road, application: Application) -> tuple[Application, Capsule]:
    await road.submit(application)
    await road.drain()
    async with road.db.read(JIA) as tx:
        found = await decisions.latest_for(tx, application.id)
    assert found is not None
    return await road.see(application), found.opened


async def writing(desk: Desk, application: Application) -> str:
    """The page of a new survey; its path."""
    await desk.get(f"/studio/leads/{application.application_no}")
    await desk.send(desk.page.form("/survey"))
    assert desk.path.startswith("/studio/surveys/"), desk.words
    return desk.path


def seen(**changed: str) -> dict[str, str]:
    return {**SEEN, "visited_on": clock.today().isoformat(), **changed}


async def test_what_is_typed_is_kept_at_every_step_also_when_something_is_wrong(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    application = await mine(road, owner, 801)
    desk = await desks.of("JX0427")
    path = await writing(desk, application)
    form = desk.page.form(path)
    quiet = await desk.http.post(
        path, data={**form.filled(act="save", said="门口有两座大棚"), "form_key": ids.new()},
        headers={"HX-Request": "true"},
    )  # fmt: skip
    assert quiet.status_code == 204
    await desk.get(path)
    assert "门口有两座大棚" in desk.reply.text
    await desk.send(desk.page.form(path), act="submit", annual_income="六万", said="门口有三座大棚")
    assert desk.reply.status_code == 422
    for kept in ("门口有三座大棚", "六万", "请填整数，没有就填 0", "至少拍 3 张"):
        assert kept in desk.reply.text, kept
    await desk.get(path)
    assert "门口有三座大棚" in desk.reply.text
    stored = await owner.fetchval("select string_agg(t::text, '') from surveys.surveys t")
    assert "大棚".encode().hex() not in stored, "sealed"
    again = await writing(desk, application)
    assert again == path, "one survey of a case at a time"


async def test_a_real_photograph_is_rebuilt_sealed_shown_and_can_be_taken_off(
    studio: Studio, owner: asyncpg.Connection
) -> None:
    web = httpx.AsyncClient(
        transport=httpx.ASGITransport(studio.app), base_url=studio.context.settings.public_base
    )
    road = Road(studio.context, studio.control, web, studio.world)
    made = await survey(road, await referred(road, owner, "4101", 802), photos=0)
    desk = await Desk(road).sign_in("JX0427")
    path = f"/studio/surveys/{made}"
    await desk.get(path)
    form = desk.page.form(f"{path}/photos")
    plain = photograph(specimens.person(7), "front")
    marked = plain[:2] + b"\xff\xfe\x00\x10where I live 1" + plain[2:]
    for content, status in ((marked, 303), (b"GIF89a", 422), (b"", 422)):
        picture = {"image": ("p.jpg", content, "image/jpeg")}
        data = {**form.filled(), "form_key": ids.new()}
        reply = await desk.http.post(form.action, data=data, files=picture)
        assert reply.status_code == status, reply.text[:300]
        assert ("还没有照片。请先拍一张" in reply.text) is (content == b"")
    await desk.get(path)
    assert "1 张，至少 3 张" in desk.words
    [photo_id] = [
        row["id"] for row in await owner.fetch("select id from surveys.photos where survey_id = $1", made)
    ]
    shown = await desk.http.get(f"{path}/photos/{photo_id}")
    assert (shown.headers["content-type"], shown.content[:2]) == ("image/jpeg", b"\xff\xd8")
    assert b"where I live" not in shown.content
    assert shown.content not in await owner.fetchval(
        "select content from surveys.photos where id = $1", photo_id
    )
    await desk.send(desk.page.form(f"{path}/photos/{photo_id}"))
    assert await owner.fetchval("select count(*) from surveys.photos where survey_id = $1", made) == 0
    for client in (web, desk.http):
        await client.aclose()


async def test_only_this_page_may_ask_the_browser_where_it_is(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    desk = await desks.of("JX0427")
    await writing(desk, await mine(road, owner, 803))
    assert "geolocation=(self)" in desk.reply.headers["permissions-policy"]
    await desk.get("/studio")
    assert "geolocation=()" in desk.reply.headers["permissions-policy"]


async def test_unconfirmed_it_never_counts_confirmed_by_a_colleague_it_does(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    await wanted(road)
    first, second = await mine(road, owner, 804), await mine(road, owner, 805)
    for application in (first, second):
        made = await survey(road, application)
        desk = await desks.of("JX0427")
        await desk.get(f"/studio/surveys/{made}")
        await desk.send(desk.page.form(f"/studio/surveys/{made}"), act="submit")
        assert "等第二人确认" in desk.words, desk.words
        assert f"/studio/surveys/{made}/check" not in desk.reply.text
    # handed in and waiting: no fact
    after, capsule = await decided(road, first)
    assert after.status == "referred"
    assert "officer_survey" not in capsule.case.sources
    assert "survey_in_place" in {gap.fact for gap in capsule.decision.gaps}
    # the second person looks at it and confirms
    colleague = await desks.of("JX0428")
    await colleague.get("/studio/surveys")
    assert "等我确认 2 份" in colleague.words
    path = f"/studio/surveys/{made}"
    await colleague.get(path)
    await colleague.send(colleague.page.form(f"{path}/check"))
    assert colleague.reply.status_code == 422
    await colleague.send(
        colleague.page.form(f"{path}/check"), in_place="yes", outcome="confirmed", said="看过照片，是他家"
    )
    assert colleague.path == "/studio/surveys"
    assert "等我确认 1 份" in colleague.words
    after, capsule = await decided(road, second)
    source = capsule.case.sources["officer_survey"]
    assert (source.facts["survey_second_confirmed"], source.facts["survey_annual_income"]) == (
        True,
        6_000_000,
    )
    assert clock.local(source.observed_at).date() == clock.today()
    assert source.facts["survey_failed_cross_checks"] == 0, source.facts
    assert after.status == "approved"
    async with road.db.read(JIA) as tx:
        given = {c.id: c.purpose for c in await consents.given(tx, second.customer_id or "")}
    assert given[source.consent_id or ""] == Purpose.PERSONAL_INFO


async def test_no_one_confirms_their_own_not_even_in_the_table(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    application = await mine(road, owner, 806)
    made = await survey(road, application)
    desk = await desks.of("JX0427")
    path = f"/studio/surveys/{made}"
    await desk.get(path)
    token = desk.page.form(path).values["csrf_token"]
    await desk.send(desk.page.form(path), act="submit")
    said = {"csrf_token": token, "form_key": ids.new(), "in_place": "yes", "outcome": "confirmed", "said": ""}
    reply = await desk.http.post(f"{path}/check", data=said)
    assert (reply.status_code, "自己做的调查要由另一个人确认" in reply.text) == (422, True)
    with pytest.raises(asyncpg.CheckViolationError):
        await owner.execute(
            "update surveys.surveys set status = 'confirmed', checked_by = officer_id, checked_at = now(),"
            " in_place = true where id = $1",
            made,
        )


async def test_sent_back_it_is_mended_and_handed_in_again_and_confirmed_it_stands(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    made = await survey(road, await mine(road, owner, 807))
    path = f"/studio/surveys/{made}"
    desk, colleague = await desks.of("JX0427"), await desks.of("JX0428")
    await desk.get(path)
    await desk.send(desk.page.form(path), act="submit")
    await colleague.get(path)
    check = colleague.page.form(f"{path}/check")
    await colleague.send(check, in_place="no", outcome="returned", said="")
    assert "退回要写明缺什么" in colleague.words
    await colleague.send(anew(check), in_place="no", outcome="returned", said="照片看不出是谁家")
    await desk.get(path)
    assert "照片看不出是谁家" in desk.words
    await desk.send(desk.page.form(path), act="submit", said="补了门牌的照片")
    await colleague.send(anew(check), in_place="yes", outcome="confirmed", said="")
    await desk.get(path)
    assert "王芳" in desk.words
    assert "补了门牌的照片" in desk.words
    late = await colleague.send(anew(check), in_place="no", outcome="returned", said="再想想不对")
    assert late.status_code == 409
    assert await owner.fetchval("select status from surveys.surveys where id = $1", made) == "confirmed"


async def test_a_visit_that_is_too_old_or_whose_consent_was_taken_back_is_not_used(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    await wanted(road)
    old, withdrawn = await mine(road, owner, 808), await mine(road, owner, 809)
    for application in (old, withdrawn):
        await confirmed_survey(road, application)
    fresh_days = facts.catalogue()["survey_annual_income"].fresh_days
    assert fresh_days
    await owner.execute(
        "update surveys.surveys set visited_on = visited_on - $2::integer where application_id = $1",
        old.id, fresh_days + 1,
    )  # fmt: skip
    _, capsule = await decided(road, old)
    assert {gap.problem for gap in capsule.decision.gaps if gap.source == "officer_survey"} == {"stale"}
    await road.submit(withdrawn)
    async with road.db.begin(JIA) as tx:
        await consents.withdraw(tx, withdrawn.customer_id or "", Purpose.PERSONAL_INFO)
    await decide_application.decide_application(road.context, JIA, withdrawn.id)
    async with road.db.read(JIA) as tx:
        found = await decisions.latest_for(tx, withdrawn.id)
    assert found is not None
    gaps = {gap.problem for gap in found.opened.decision.gaps if gap.source == "officer_survey"}
    assert gaps == {"no_consent"}
    assert found.opened.decision.outcome == "referred"


async def test_confirmed_photographs_go_to_the_archive_once_and_are_still_seen(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    application = await mine(road, owner, 810)
    await road.fault("image_archive", "*", "status", times=1, status=503)
    made = await confirmed_survey(road, application)
    await road.drain()
    await road.later(hours=1)
    rows = await owner.fetch("select * from surveys.photos where survey_id = $1", made)
    assert {(row["content"], row["archive_receipt"] is not None) for row in rows} == {(None, True)}
    stored = [line for line in await road.ledger("image_archive") if line["effect"] == "image_stored"]
    assert len(stored) == 3
    reviewer = await desks.of("JX0201")
    await reviewer.get(f"/console/surveys/{made}")
    assert "第二人" not in reviewer.words
    assert "王芳" in reviewer.words
    picture = await reviewer.http.get(f"/console/surveys/{made}/photos/{rows[0]['id']}")
    assert (picture.status_code, picture.content[:2]) == (200, b"\xff\xd8")


async def test_differences_are_marked_for_both_people_and_for_the_reviewer(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    application = await mine(road, owner, 811)
    made = await survey(road, application)
    desk = await desks.of("JX0427")
    await desk.get(f"/studio/surveys/{made}")
    await desk.send(desk.page.form(f"/studio/surveys/{made}"), act="submit", annual_income="300000")
    assert "1 项对不上" in desk.words
    colleague = await desks.of("JX0428")
    await colleague.get(f"/studio/surveys/{made}")
    assert "调查：300,000 元" in colleague.words
    assert "家庭年收入 300,000 元" in colleague.words, colleague.words
    assert "50,000 元到80,000 元" in colleague.words


async def test_without_the_customers_consent_no_survey_begins(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    application = await mine(road, owner, 812)
    async with road.db.begin(JIA) as tx:
        await consents.withdraw(tx, application.customer_id or "", Purpose.PERSONAL_INFO)
    desk = await desks.of("JX0427")
    await desk.get(f"/studio/leads/{application.application_no}")
    await desk.send(desk.page.form("/survey"))
    assert desk.reply.status_code == 409
    assert "客户还没有同意处理个人信息" in desk.words


async def test_a_colleague_does_not_read_what_is_still_being_written(
    road: Road, desks: Desks, owner: asyncpg.Connection
) -> None:
    made = await survey(road, await mine(road, owner, 813))
    for staff_no in ("JX0428", "YX0427"):
        other = await desks.of(staff_no)
        assert (await other.http.get(f"/studio/surveys/{made}")).status_code == 404
    reviewer = await desks.of("JX0201")
    assert (await reviewer.http.get(f"/console/surveys/{made}")).status_code == 404
