"""经营信息授权: asked where a source needs it, unticked, refusable, and no source without it (D3-01, D3-12)."""

import copy
import json
from typing import Any

from backend.core.actor import system
from backend.domains.applications import service as applications
from backend.domains.customers import consents
from backend.domains.customers.consent_texts import Purpose
from backend.domains.decision import bundle, facts, gate
from backend.domains.decision import service as decisions
from backend.domains.decision.model import Stage
from backend.domains.evidence import service as evidence
from backend.sandbox.specimens.people import Person
from tests.domains.decision import documents
from tests.h5.customer.conftest import Phone, Studio
from tests.made_live import make_live

JIA = system("4101", "test")
TICK = f"consent_{Purpose.BUSINESS_DATA}"


def looks_at_tax() -> dict[str, Any]:
    """The shipped admission with one table more: arrears of tax go to a person."""
    document = copy.deepcopy(bundle.seeded_documents()[Stage.ELIGIBILITY])
    rows = [["> 0", "'EL_TAX'", "'refer'", "'税务上有欠税，要请人看看'", "'补缴以后再来'"]]
    table = documents.table(Stage.ELIGIBILITY, ["tax_arrears"], rows, name="tax")
    [entry] = [node for node in document["nodes"] if node["type"] == "inputNode"]
    names = json.loads(entry["content"]["schema"])["required"]
    entry["content"]["schema"] = json.dumps(gate.schema((*names, "tax_arrears"), facts.catalogue()))
    document["nodes"].append(table)
    document["edges"] += [documents.line(entry["id"], "tax"), documents.line("tax", "result")]
    return document


async def wanted(studio: Studio, product: str = "SXD") -> None:
    async with studio.context.db.begin(system("0000", "test")) as tx:
        await make_live(tx, product, Stage.ELIGIBILITY, looks_at_tax())


async def ready(studio: Studio, person: Person) -> None:
    script = {"name": person.name, "preset": "good", "phone": "match"}
    await studio.control.put(f"/control/people/{person.id_number}", json=script)


async def hand_in(studio: Studio, phone: Phone, person: Person, **ticks: str) -> applications.Application:
    """From the consent page to the decision, with exactly these ticks."""
    code = await phone.code(person.phone)
    await phone.send(phone.page.form("/apply/consents"), phone=person.phone, code=code, **ticks)
    assert phone.path == "/apply/liveness", phone.words
    await phone.face()
    await phone.hand_in(income="80k_120k", amount="30000")
    await studio.drain()
    [found] = await studio.all_applications()
    return found


async def asked(studio: Studio, application: applications.Application) -> set[str]:
    async with studio.context.db.read(JIA) as tx:
        return set(await evidence.answers(tx, application.id))


async def test_a_product_whose_strategies_do_not_look_at_it_never_asks(
    studio: Studio, phone: Phone, zhang: Person
) -> None:
    await wanted(studio, "GJJD")  # another product's
    await phone.to_phone(zhang)
    assert "经营信息查询授权书" not in phone.words


async def test_it_is_asked_unticked_and_with_it_the_source_is_asked(
    studio: Studio, phone: Phone, zhang: Person
) -> None:
    await wanted(studio)
    await ready(studio, zhang)
    await phone.to_phone(zhang)
    assert "经营信息查询授权书" in phone.words
    tick = phone.reply.text.split(f'name="{TICK}"', 1)[1].split(">", 1)[0]
    assert "checked" not in tick
    assert "required" not in tick
    found = await hand_in(studio, phone, zhang, **phone.ticks())
    assert "business_data" in await asked(studio, found)
    async with studio.context.db.read(JIA) as tx:
        recorded = await decisions.latest_for(tx, found.id)
        given = {c.id: c.purpose for c in await consents.given(tx, found.customer_id or "")}
    assert recorded is not None
    kept = recorded.opened.case.sources["business_data"]
    assert given[kept.consent_id or ""] == Purpose.BUSINESS_DATA
    await phone.get(f"/my/{found.application_no}/consents")
    assert "经营信息查询授权书" in phone.words


async def test_refused_nobody_asks_and_a_person_decides(studio: Studio, phone: Phone, zhang: Person) -> None:
    await wanted(studio)
    await ready(studio, zhang)
    await phone.to_phone(zhang)
    found = await hand_in(studio, phone, zhang, **phone.ticks(without=Purpose.BUSINESS_DATA))
    assert found.status == "referred"
    assert "business_data" not in await asked(studio, found)
    async with studio.context.db.read(JIA) as tx:
        events = [each.event for each in await applications.events(tx, found.id)]
    assert "no_consent.business_data" in events
    queries = await studio.ledger("data_platform")
    assert "tax_arrears" not in json.dumps(queries, ensure_ascii=False)


async def test_taken_back_before_the_decision_the_source_is_not_asked(
    studio: Studio, phone: Phone, zhang: Person
) -> None:
    await wanted(studio)
    await ready(studio, zhang)
    await phone.to_phone(zhang)
    code = await phone.code(zhang.phone)
    await phone.send(phone.page.form("/apply/consents"), phone=zhang.phone, code=code, **phone.ticks())
    await phone.face()
    [draft] = await studio.all_applications()
    async with studio.context.db.begin(JIA) as tx:
        await consents.withdraw(tx, draft.customer_id or "", Purpose.BUSINESS_DATA)
    await phone.hand_in(income="80k_120k", amount="30000")
    await studio.drain()
    [found] = await studio.all_applications()
    assert found.status == "referred"
    assert "business_data" not in await asked(studio, found)
