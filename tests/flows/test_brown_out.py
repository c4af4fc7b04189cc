"""断供阶梯 (N19, A5-10, D3-09): fresh, cached, substitute, held; and back to work by itself."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from backend.core import clock
from backend.core.actor import everywhere
from backend.domains.applications import service as applications
from backend.domains.customers import consents
from backend.domains.customers.consent_texts import Purpose
from backend.domains.decision import service as decisions
from backend.domains.evidence import breakers, sources
from backend.domains.evidence import service as evidence
from backend.domains.evidence.model import Answer
from backend.flows import cancel_application, decide_application, prove_consents, resume_held
from backend.overview import invariants
from backend.overview.source_health import source_health
from tests.flows.conftest import JIA, Road, id_number


async def decided(road: Road, application):
    async with road.db.read(JIA) as tx:
        recorded = await decisions.latest_for(tx, application.id)
        assert recorded is not None
        return recorded.opened


async def answers(road: Road, application):
    async with road.db.read(JIA) as tx:
        return await evidence.answers(tx, application.id)


async def state(road: Road, source: str) -> str:
    async with road.db.read(everywhere("test")) as tx:
        found = (await breakers.every(tx)).get(source)
    return found.state if found else "closed"


async def twice(road: Road, number: str):
    """A person who applied before: the first case is cancelled, the second stands at its last button."""
    first = await road.apply(number)
    assert first.status == "approved"
    await cancel_application.cancel_application(road.context, JIA, first.id)
    await road.drain()
    return first, await road.draft(number)


async def test_every_source_of_a_decision_says_when_under_which_consent_and_on_which_rung(road: Road) -> None:
    """A3-35, D3-09: each fact stands under a source with its time and consent; completeness is on the decision."""
    application = await road.apply(id_number())
    capsule = await decided(road, application)
    given = capsule.case.sources
    about_the_person = [name for name, source in sources.every().items() if source.consent and name in given]
    assert set(about_the_person) >= {"application", "identity_check", "core_banking", "data_platform"}
    async with road.db.read(JIA) as tx:
        assert application.customer_id
        known = {c.id: c.purpose for c in await consents.given(tx, application.customer_id)}
    for name in about_the_person:
        if name == "liveness":
            continue  # the road's test fixture proves the face without its screen
        assert known[given[name].consent_id] == sources.every()[name].consent, name
        assert given[name].observed_at <= capsule.case.as_of + timedelta(minutes=5)
    outside = [source.name for source in sources.asked() if source.name in given]
    assert {given[name].standing.rung for name in outside} == {"fresh"}
    assert set(outside) == {"identity_check", "core_banking", "data_platform", "credit_bureau"}
    assert capsule.decision.completeness_bp == 10_000
    assert await prove_consents.prove_consents(road.context) == []


async def test_only_what_the_strategies_look_at_is_asked_for_and_passed_on(road: Road) -> None:
    """A5-10: no fact, no source and no cost without need."""
    application = await road.apply(id_number())
    capsule = await decided(road, application)
    assert "business_data" not in capsule.case.sources
    assert "asset_large_cd" not in capsule.case.sources["core_banking"].facts
    assert "bureau_mortgage_open" not in capsule.case.sources["credit_bureau"].facts
    kept = await answers(road, application)
    assert "asset_large_cd" not in kept["core_banking"].facts
    assert {name: answer.price_fen for name, answer in kept.items()}["core_banking"] == 0
    assert kept["credit_bureau"].price_fen > 0


async def test_an_answer_of_days_ago_stands_in_while_the_same_consent_holds(road: Road) -> None:
    number = id_number()
    first, second = await twice(road, number)
    await road.fault("core_banking", "*", "status", times=99, status=503)
    await road.submit(second)
    await road.drain()
    assert (await road.see(second)).status == "approved"
    kept = (await answers(road, second))["core_banking"]
    before = (await answers(road, first))["core_banking"]
    assert (kept.rung, kept.taken_from, kept.price_fen) == ("cached", first.id, 0)
    assert (kept.observed_at, kept.facts, kept.sha256) == (before.observed_at, before.facts, before.sha256)
    assert (await decided(road, second)).case.sources["core_banking"].standing.rung == "cached"
    assert "cached.core_banking" in await road.events(second)
    assert await prove_consents.prove_consents(road.context) == []


async def test_an_answer_of_before_that_lacks_what_is_wanted_now_is_not_used(
    road: Road, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Half an answer would be a person's work for want of a fact; waiting for the source is not."""
    number = id_number()
    _, second = await twice(road, number)
    kept = evidence.cached

    async def lacking(*given: Any) -> Answer | None:
        found = await kept(*given)
        assert found is not None
        return msgspec.structs.replace(found, facts=dict([*found.facts.items()][1:]))

    monkeypatch.setattr(evidence, "cached", lacking)
    await road.fault("core_banking", "*", "status", times=99, status=503)
    await road.submit(second)
    await road.drain()
    assert (await road.see(second)).status == "held"
    assert "core_banking" not in await answers(road, second)


async def test_an_answer_under_a_consent_that_was_withdrawn_is_not_used_again(road: Road) -> None:
    number = id_number()
    _, second = await twice(road, number)
    async with road.db.begin(JIA) as tx:
        assert second.customer_id
        await consents.withdraw(tx, second.customer_id, Purpose.DATA_PLATFORM)
    async with road.db.begin(JIA) as tx:
        text = await consents.text(tx, Purpose.DATA_PLATFORM)
        await consents.give(
            tx, second.customer_id, Purpose.DATA_PLATFORM, text_sha256=text.sha256, channel="h5"
        )
    await road.fault("data_platform", "*", "status", times=99, status=503)
    await road.submit(second)
    await road.drain()
    assert (await road.see(second)).status == "held"
    assert "data_platform" not in await answers(road, second)


async def test_a_report_of_the_bureau_is_never_used_for_another_application(road: Road) -> None:
    """Its consent says: for this application only (D3-09)."""
    number = id_number()
    _, second = await twice(road, number)
    await road.fault("credit_bureau", "*", "status", times=99, status=503)
    await road.submit(second)
    await road.drain()
    assert (await road.see(second)).status == "held"


async def test_an_answer_that_is_too_old_is_not_used(road: Road) -> None:
    number = id_number()
    with clock.at(clock.now() - timedelta(days=2)):
        first = await road.apply(number)
        await cancel_application.cancel_application(road.context, JIA, first.id)
        await road.drain()
    second = await road.draft(number)
    await road.fault("core_banking", "*", "status", times=99, status=503)
    await road.submit(second)
    await road.drain()
    assert (await road.see(second)).status == "held"


async def test_after_a_while_the_platform_stands_in_for_the_core_and_carries_only_so_much(
    road: Road, monkeypatch: pytest.MonkeyPatch
) -> None:
    core = sources.every()["core_banking"]
    assert core.substitute
    small = msgspec.structs.replace(core.substitute, cap_fen=1_000_000)
    capped = {**sources.every(), "core_banking": msgspec.structs.replace(core, substitute=small)}
    monkeypatch.setattr(sources, "every", lambda: capped)
    number = id_number()
    await road.person(number, preset="good", phone="match")
    application = await road.draft(number, amount_fen=4_500_000)
    await road.fault("core_banking", "*", "status", times=999, status=503)
    await road.submit(application)
    await road.drain()
    held = await road.see(application)
    assert held.status == "held"
    assert held.promised_at == held.submitted_at + decide_application.HELD_FOR
    instead = sources.every()["core_banking"].substitute
    assert instead
    with clock.at(clock.now() + timedelta(minutes=instead.after_minutes, seconds=5)):
        assert await resume_held.resume_held(road.context) == 1
    assert (await road.see(application)).status == "approved"
    kept = (await answers(road, application))["core_banking"]
    assert (kept.rung, kept.taken_from) == ("substitute", "data_platform")
    assert kept.consent_id == (await answers(road, application))["data_platform"].consent_id
    capsule = await decided(road, application)
    assert capsule.case.sources["core_banking"].standing.cap_fen == instead.cap_fen
    assert capsule.decision.amount_fen == instead.cap_fen
    async with road.db.read(JIA) as tx:
        recorded = await decisions.latest_for(tx, application.id)
        assert recorded
        replayed = await decisions.replay(tx, recorded.id)
    assert replayed.same_bytes
    assert await prove_consents.prove_consents(road.context) == []


async def test_a_dead_source_is_asked_no_more_and_all_waiting_cases_go_on_when_it_is_back(road: Road) -> None:
    """The breaker opens for everybody; the first case that finds the source back wakes the others at once."""
    source = sources.every()["data_platform"]
    waiting = []
    await road.fault("data_platform", "*", "status", times=999, status=503)
    for serial in range(source.failures + 2):
        number = id_number(200 + serial)
        await road.person(number, preset="good", phone="match")
        waiting.append(await road.draft(number))
        await road.submit(waiting[-1])
        await road.drain()
    assert await state(road, "data_platform") == "open"
    assert {(await road.see(one)).status for one in waiting} == {"held"}
    assert "asked.data_platform" in await road.events(waiting[0])
    assert "asked.data_platform" not in await road.events(waiting[-1]), "nobody is asked in vain"
    async with road.db.read(everywhere("test")) as tx:
        picture = await source_health(tx)
    [shown] = [one for one in picture.sources if one.source == "data_platform"]
    assert (shown.state_label, shown.last_error, picture.held) == ("已停问", "status 503", len(waiting))

    await road.sandbox.delete("/control/faults")
    with clock.at(clock.now() + timedelta(seconds=source.pause_seconds + 1)):
        number = id_number(299)
        await road.person(number, preset="good", phone="match")
        latest = await road.draft(number)
        await road.submit(latest)
        await road.drain()
    assert {(await road.see(one)).status for one in (*waiting, latest)} == {"approved"}
    assert await state(road, "data_platform") == "closed"
    assert await invariants.ask(road.db) == {}
    queries = [row["effect"] for row in await road.ledger("credit_bureau")]
    assert queries == ["report_queried"] * (len(waiting) + 1), "asked once each, paid once each"


@pytest.mark.parametrize("fault", ["status", "drop_before", "drop_after", "half_open"])
@pytest.mark.parametrize("system", ["core_banking", "credit_bureau"])
async def test_a_flapping_source_loses_nobody_and_approves_nobody_by_absence(
    road: Road, system: str, fault: str
) -> None:
    """Every second call fails: whoever is approved was approved on whole facts, and everybody ends."""
    args = {"status": 502} if fault == "status" else {"seconds": 0.2}
    reply = await road.sandbox.post(
        "/control/faults",
        json={"system": system, "operation": "*", "fault": fault, "rate": 0.75, "args": args},
    )
    assert reply.status_code < 300
    cases = []
    for serial in range(3):
        number = id_number(300 + serial)
        await road.person(number, preset="good", phone="match")
        cases.append(await road.draft(number))
        await road.submit(cases[-1])
        await road.drain()
    for one in cases:
        if (await road.see(one)).status != "held":
            assert (await decided(road, one)).decision.completeness_bp == 10_000
    await road.sandbox.delete("/control/faults")
    for minute in range(1, 4):
        with clock.at(clock.now() + timedelta(minutes=minute)):
            await resume_held.resume_held(road.context)
            await road.drain()
    assert {(await road.see(one)).status for one in cases} == {"approved"}
    for one in cases:
        assert (await decided(road, one)).decision.completeness_bp == 10_000
    assert await invariants.ask(road.db) == {}


async def test_a_slow_source_is_given_up_at_its_own_deadline(
    road: Road, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick = {n: msgspec.structs.replace(s, deadline_seconds=0.2) for n, s in sources.every().items()}
    slow = {**sources.every(), "core_banking": quick["core_banking"]}
    monkeypatch.setattr(sources, "every", lambda: slow)
    await road.fault("core_banking", "*", "hang", times=99, seconds=3)
    number = id_number()
    await road.person(number, preset="good", phone="match")
    application = await road.draft(number)
    await road.submit(application)
    await road.drain()
    assert (await road.see(application)).status == "held"
    async with road.db.read(JIA) as tx:
        told = [(e.event, e.why) for e in await applications.events(tx, application.id)]
    assert ("down.core_banking", "timeout") in told


async def test_a_consent_withdrawn_while_others_answer_stops_the_question(road: Road) -> None:
    """D3-09: the consent is looked at again at the moment of asking; the nightly proof finds nothing."""
    number = id_number()
    await road.person(number, preset="good", phone="match")
    application = await road.draft(number)
    await road.submit(application)
    asked = road.context.clients.identity_check.verify

    async def verify(**about):
        async with road.db.begin(JIA) as tx:
            assert application.customer_id
            await consents.withdraw(tx, application.customer_id, Purpose.BUREAU_QUERY)
        return await asked(**about)

    road.context.clients.identity_check.verify = verify
    await road.drain()
    assert (await road.see(application)).status == "referred"
    assert await road.ledger("credit_bureau") == []
    assert "no_consent.credit_bureau" in await road.events(application)
    assert await prove_consents.prove_consents(road.context) == []


@pytest.mark.parametrize("system", ["credit_bureau", "identity_check", "core_banking", "data_platform"])
@pytest.mark.parametrize("status", [400, 401, 403])
async def test_a_case_waits_when_a_system_refuses_how_we_ask(road: Road, system: str, status: int) -> None:
    """A8-12: our own bad request, signature or licence hardens no case; mended, it goes on as if nothing was."""
    number = id_number()
    await road.person(number, preset="good", phone="match")
    application = await road.draft(number)
    await road.fault(system, "*", "status", times=99, status=status, body={"code": "licence_expired"})
    await road.submit(application)
    await road.drain()
    assert (await road.see(application)).status == "held"
    assert f"refused.{system}" in await road.events(application)
    assert await state(road, system) == "closed"
    await road.sandbox.delete("/control/faults")
    with clock.at(clock.now() + timedelta(minutes=1)):
        await resume_held.resume_held(road.context)
    assert (await road.see(application)).status == "approved"


async def test_facts_whose_consent_was_withdrawn_while_the_case_waited_are_not_used(road: Road) -> None:
    """D3-09, D3-04: the answer is there, the consent is not: a person decides."""
    number = id_number()
    await road.person(number, preset="good", phone="match")
    application = await road.draft(number)
    await road.fault("credit_bureau", "*", "status", times=99, status=503)
    await road.submit(application)
    await road.drain()
    assert "data_platform" in await answers(road, application)
    async with road.db.begin(JIA) as tx:
        assert application.customer_id
        await consents.withdraw(tx, application.customer_id, Purpose.DATA_PLATFORM)
    await road.sandbox.delete("/control/faults")
    with clock.at(clock.now() + timedelta(minutes=1)):
        await resume_held.resume_held(road.context)
    assert (await road.see(application)).status == "referred"
    capsule = await decided(road, application)
    problems = {gap.problem for gap in capsule.decision.gaps if gap.source == "data_platform"}
    assert problems == {"no_consent"}
    assert await prove_consents.prove_consents(road.context) == []


async def test_the_proof_finds_a_question_nobody_agreed_to(road: Road) -> None:
    """D3-09: the proof is not blind: an answer kept under a consent that ended before is found."""
    application = await road.apply(id_number())
    async with road.db.begin(JIA) as tx:
        await tx.connection.execute(
            "update customers.consents set withdrawn_at = given_at where purpose = 'bureau_query'"
        )
    found = await prove_consents.prove_consents(road.context)
    assert found == [f"4101/{application.id}/credit_bureau"]
    assert "question_without_consent" in await invariants.ask(road.db)
