"""The session behind a cookie is that of one institution, and asking for it leaves nothing on the connection."""

from datetime import timedelta

from backend.core import clock
from backend.core.actor import everywhere, system
from backend.db.database import Database
from backend.domains.applications import service as applications
from backend.domains.identity import service as identity
from backend.domains.identity.model import CUSTOMER_SESSION
from backend.overview import browser


async def behind(db: Database, token: str, institution_id: str = "4101") -> browser.Browser | None:
    async with db.alone(everywhere("test")) as tx:
        return await browser.behind(tx, institution_id, token)


async def test_a_cookie_leads_to_its_session_and_application_in_its_own_institution_alone(
    db: Database,
) -> None:
    async with db.begin(system("4101", "test")) as tx:
        session, token = await identity.new_customer_session(tx, "oZhangSan0001")
    bare = await behind(db, token)
    assert bare == browser.Browser(session, None)
    async with db.begin(system("4101", "test")) as tx:
        made = await applications.begin(tx, product_code="SXD", product_version="SXD@1", channel="web")
        await identity.set_session_application(tx, session.id, made.id, None)
    found = await behind(db, token)
    assert found is not None
    assert (found.session.application_id, found.application) == (made.id, made)
    assert await behind(db, token, "4102") is None
    assert await behind(db, f"{token}x") is None
    with clock.at(clock.now() + CUSTOMER_SESSION + timedelta(seconds=1)):
        assert await behind(db, token) is None


async def test_the_institution_it_was_asked_for_does_not_stay_on_the_connection(db: Database) -> None:
    async with db.begin(system("4101", "test")) as tx:
        _, token = await identity.new_customer_session(tx)
    assert await behind(db, token) is not None
    async with db.alone(everywhere("test")) as tx:
        assert not await tx.reviewed.fetchval("select current_setting('app.institution', true)")
