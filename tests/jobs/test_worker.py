"""What goes wrong before a handler has the effect: it is counted, comes again later each time, and is said aloud."""

from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from backend.core import clock
from backend.jobs import timetable, worker
from backend.outbox import effects
from tests.flows.conftest import JIA, Road, road

__all__ = ["road"]


async def test_an_effect_that_cannot_be_opened_comes_again_later_and_is_a_dead_letter_in_the_end(
    road: Road, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with road.db.begin(JIA) as tx:
        made = await effects.add(tx, kind="sms.send", case_id="c", payload={})
    assert made

    def broken(*_: object) -> bytes:
        raise ValueError("planted")

    monkeypatch.setattr(type(road.db.vault), "open", broken)
    for at_once in (False, True):
        with clock.at(clock.now() + timedelta(minutes=1)):
            assert await worker.deliver(road.context, "4101", made, at_once=at_once) == "nothing"
            assert await worker.deliver(road.context, "4101", made, at_once=at_once) == "nothing"
    async with road.db.read(JIA) as tx:
        [known] = await effects.of_case(tx, "c")
    assert (known.status, known.attempts, known.last_error) == ("waiting", 1, "ValueError")
    with clock.at(clock.now() + effects.GIVE_UP_AFTER + timedelta(hours=1)):
        await road.drain()
    async with road.db.read(JIA) as tx:
        assert [letter.id for letter in await effects.dead(tx)] == [made]


async def test_what_fails_again_and_again_is_an_alarm_long_before_it_is_a_dead_letter(road: Road) -> None:
    async with road.db.begin(JIA) as tx:
        made = await effects.add(tx, kind="sms.send", case_id="c", payload={})
    assert made
    moment = clock.now()
    for tried in range(effects.FAILING):
        moment += timedelta(hours=1)
        with clock.at(moment), capture_logs() as said:
            await timetable._sound_alarms(road.context)
            assert said == [], tried
            async with road.db.begin(JIA) as tx:
                taken = await effects.lease(tx, made)
                assert taken
                await effects.failed(tx, taken, "outside_unavailable")
    with capture_logs() as said:
        await timetable._sound_alarms(road.context)
    [told] = said
    assert (told["log_level"], told["kind"], told["count"]) == ("error", "sms.send", 1)
    assert told["last_error"] == "outside_unavailable"
