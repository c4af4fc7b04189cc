"""What a decision says of itself on the road: the way to more, one file per case, a second look (N5, N6, D2-07)."""

from backend.domains.decision import nearest
from backend.domains.decision import service as decisions
from backend.domains.decision.model import Outcome
from backend.overview import application_result, case_file
from tests.flows.conftest import JIA, Road, id_number


async def overdue_here(road: Road, serial: int = 123):
    """Declined for nothing but a debt at our own bank."""
    script = {"preset": "good", "profile": {"core_loan_overdue_days": 20}}
    application = await road.apply(id_number(serial), script=script)
    assert application.status == "declined"
    return application


async def test_the_way_to_more_stands_on_every_page_that_tells_of_the_decline(road: Road) -> None:
    application = await overdue_here(road)
    async with road.db.read(JIA) as tx:
        page = await application_result.of(tx, application)
        file = await case_file.of(tx, application)
        recorded = await decisions.latest_for(tx, application.id)
        bundle = await decisions.bundle_for(tx, "SXD", application.id)
    assert page.nearest == file.nearest
    assert page.nearest.startswith("还清在本行到期没还的钱")
    assert "额度约可到" in page.nearest
    assert recorded is not None
    found = decisions.nearest_change(recorded.opened, bundle)
    assert found is not None
    again = decisions.decide(nearest.apply(recorded.opened.case, found.changes), bundle).decision
    assert (again.outcome, found.text) == (Outcome.APPROVED, page.nearest)


async def test_an_approval_in_full_needs_no_advice(road: Road) -> None:
    application = await road.apply(id_number(), amount_fen=500_000)
    assert application.status == "approved"
    async with road.db.read(JIA) as tx:
        assert (await application_result.of(tx, application)).nearest == ""
