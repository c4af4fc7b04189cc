"""Who calls us has a secret of its own: what one leaks does not speak for the other (trust §2, A5-05, A5-14)."""

import msgspec

from backend.core import clock, ids, webhooks
from backend.domains.channels import sms
from tests.flows.conftest import JIA, Road, id_number
from tests.h5.conftest import road

__all__ = ["road"]


async def send(road: Road, path: str, secret: str, body: object) -> int:
    content = msgspec.json.encode(body)
    headers = webhooks.headers(secret, ids.new(), clock.now(), content) | {"Idempotency-Key": ids.new()}
    return (await road.web.post(path, content=content, headers=headers)).status_code


async def test_the_sms_platforms_secret_opens_nothing_of_the_banks_and_the_other_way_round(
    road: Road,
) -> None:
    settings = road.context.settings
    of_bank, of_sms = settings.mobile_bank_callback_secret, settings.sms_callback_secret
    async with road.db.begin(JIA) as tx:
        await sms.accepted(tx, "m-1", "case", "held", tx.now)
    receipt = {"message_id": "m-1", "status": "delivered", "at": clock.now().isoformat()}
    assert await send(road, "/api/sms/receipts", of_bank, receipt) == 401
    async with road.db.read(JIA) as tx:
        query = "select status from channels.sms_messages where message_id = 'm-1'"
        assert await tx.connection.fetchval(query) == "accepted"
    assert await send(road, "/api/sms/receipts", of_sms, receipt) == 204

    handed = await road.hand_off(await road.apply(id_number(631)))
    asked = {"application_id": handed.id, "customer_hash": road.hash_of(id_number(631))}
    assert await send(road, "/api/mobile-bank/package", of_sms, asked) == 401
    assert await send(road, "/api/mobile-bank/package", of_bank, asked) == 200
    path = f"/api/mobile-bank/standing/4101/{handed.id}"
    for secret, status in ((of_sms, 401), (of_bank, 200)):
        headers = webhooks.headers(secret, ids.new(), clock.now(), path.encode())
        assert (await road.web.get(path, headers=headers)).status_code == status
