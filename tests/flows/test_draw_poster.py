"""A poster from a code, through the flow a studio page calls (A11-05)."""

from backend.demo import staff_id
from backend.domains.campaigns import service as campaigns
from backend.flows import draw_poster
from backend.sandbox.systems.wechat import scanner
from tests.officer_codes import codes_of


async def test_an_officers_poster_leads_to_the_officers_code(road):
    async with road.db.read(road.actor) as tx:
        code = (await codes_of(tx, staff_id("4101", 2)))[0]
    picture = await draw_poster.draw_poster(road.context, road.actor, code.id, "花木周转找我")
    assert scanner.read(picture) == f"{road.context.settings.public_base}{campaigns.path(code.token)}"
