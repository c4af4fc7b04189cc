"""保证 behind the pages: nothing is handed over without it, and what the guarantor owes is watched (A1-08, A6-06)."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from backend.core import clock, ids
from backend.documents import package
from backend.domains.applications.model import Application
from backend.domains.contracts import service as contracts
from backend.domains.guarantees import service as guarantees
from backend.domains.guarantees import terms
from backend.domains.guarantees.model import Exposure, GuaranteeMoved, GuaranteeOutstanding
from backend.domains.identity import service as identity
from backend.domains.post_loan import warnings
from backend.flows import confirm_disclosure, draw_up_disclosure, hand_off, watch_loans
from tests.h5.customer.guarantee_contexts import WORDS

from .conftest import JIA, Road, id_number

BORROWER, GUARANTOR = id_number(171), id_number(172)


async def vouched(road: Road, application: Application, guarantor_id: str, wanted: int = 1) -> None:
    """The guarantor's word, without the pages."""
    async with road.db.begin(JIA) as tx:
        contract = await contracts.get(tx, application.id)
        until = clock.today() + timedelta(days=700)
        made = await guarantees.invite(
            tx, guarantee_id=guarantees.new_id(), token=ids.token(), application_id=application.id,
            borrower_id=contract.customer_id, amount_fen=contract.limit_fen, line_until=until, until_on=until,
            expires_at=tx.now + timedelta(days=3), wanted=wanted,
        )  # fmt: skip
        session, _ = await identity.new_customer_session(tx)
        await guarantees.open_up(tx, made, session.id)
        await guarantees.set_guarantor(tx, made, guarantor_id)
        await guarantees.reach(tx, await guarantees.get(tx, made.id), "liveness")
        await guarantees.pass_liveness(tx, made, "passed")
        await guarantees.confirm(tx, made, terms.fill(WORDS), shown_at=tx.now, required_seconds=15)


async def drawn(road: Road, application: Application, number: str) -> None:
    for act, more in (("open", {}), ("sign", {}), ("draw", {"amount_fen": 300_000})):
        await road.bank(application, act, number, **more)
    await road.settle()


async def test_a_circle_over_others_is_one_too_until_a_guarantee_in_it_ends(road: Road) -> None:
    numbers = [id_number(serial) for serial in (181, 182, 183)]
    cases = [await road.apply(number) for number in numbers]
    people = [case.customer_id for case in cases]
    assert None not in people
    a, b, c = (str(person) for person in people)
    await vouched(road, cases[0], b)  # b answers for a
    await vouched(road, cases[1], c)  # c answers for b
    async with road.db.begin(JIA) as tx:
        assert await guarantees.comes_back(tx, a, c), "a for c closes the circle"
        assert await guarantees.comes_back(tx, a, b)
        assert not await guarantees.comes_back(tx, c, a), "once more in the same direction is none"
        [given] = await guarantees.of_application(tx, cases[1].id)
        await guarantees.end(tx, given, "released", "case_ended")
        assert not await guarantees.comes_back(tx, a, c)
        assert await guarantees.comes_back(tx, a, b)


async def test_no_flow_confirms_or_hands_over_a_case_whose_guarantor_is_missing(road: Road) -> None:
    application = await road.apply(BORROWER, product="XLD")
    assert application.status == "approved"
    with pytest.raises(GuaranteeOutstanding):
        await road.confirm(application)
    with pytest.raises(GuaranteeOutstanding):
        await confirm_disclosure.confirm_disclosure(road.context, JIA, application.id, "", "")
    async with road.db.begin(JIA) as tx:
        contract = await contracts.get(tx, application.id)
        table = (await draw_up_disclosure.draw_up_disclosure(tx, contract)).disclosure
        told = {"version": table.version, "sha256": table.sha256, "shown_at": tx.now, "required_seconds": 0}
        await contracts.confirm(tx, contract, **told)
    with pytest.raises(GuaranteeOutstanding):
        await hand_off.hand_off(road.context, JIA, application.id)
    assert (await road.see(application)).status == "approved"


async def test_no_contract_is_fixed_whose_guarantors_changed_while_it_was_drawn(
    road: Road, monkeypatch: pytest.MonkeyPatch
) -> None:
    """XLD wants one guarantor; a second one confirms, which leaves enough of them, but not those of the documents."""
    known = [await road.apply(number) for number in (GUARANTOR, id_number(173))]
    application = await road.apply(BORROWER, product="XLD")
    await vouched(road, application, known[0].customer_id or "")
    await road.confirm(application)
    build, drawn_for = package.build, []

    async def another() -> None:
        await vouched(road, application, known[1].customer_id or "", wanted=2)

    loop = asyncio.get_running_loop()

    def meanwhile(*given: Any) -> Any:
        drawn_for.append([each.name for each in given[0].sureties])
        if len(drawn_for) == 1:
            asyncio.run_coroutine_threadsafe(another(), loop).result(30)
        return build(*given)

    monkeypatch.setattr(package, "build", meanwhile)
    with pytest.raises(GuaranteeMoved):
        await hand_off.hand_off(road.context, JIA, application.id)
    assert (await road.see(application)).status == "approved"
    assert (await road.contract(application)).status == "draft"
    contract = await hand_off.hand_off(road.context, JIA, application.id)
    assert contract.status != "draft"
    assert [len(names) for names in drawn_for] == [1, 2], "drawn again with both"


async def test_a_guarantor_late_with_a_loan_of_their_own_is_a_warning_on_the_line(road: Road) -> None:
    theirs = await road.hand_off(await road.apply(GUARANTOR))
    await drawn(road, theirs, GUARANTOR)
    application = await road.apply(BORROWER, product="XLD")
    await vouched(road, application, theirs.customer_id or "")
    async with road.db.read(JIA) as tx:
        limit = (await contracts.get(tx, application.id)).limit_fen
        assert await guarantees.exposure(tx, theirs.customer_id or "") == Exposure(1, limit)
        again = await guarantees.exposure(tx, theirs.customer_id or "", but_for=application.customer_id)
        assert again == Exposure(0, limit), "another line of the same borrower counts no second one"
    application = await road.hand_off(application)
    assert application.status == "handed_off"
    await drawn(road, application, BORROWER)

    async def codes(days: int) -> set[str]:
        with clock.at(clock.now() + timedelta(days=days)):
            await watch_loans.watch_loans(road.context)
        async with road.db.read(JIA) as tx:
            found = await warnings.listed(tx, ["open", "standing"])
        return {code for each in found if each.application_id == application.id for code in each.codes}

    assert await codes(1) == set(), "who answers for it is known and pays"
    assert "EW_GUARANTOR" in await codes(45)
