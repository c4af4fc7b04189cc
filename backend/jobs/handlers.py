"""Which flow delivers which kind of effect. A new effect: one line here, one flow, one test."""

from collections.abc import Awaitable, Callable

import msgspec

from backend.core.actor import Actor, system
from backend.db.database import Tx
from backend.domains.strategies import effects as strategy_effects
from backend.flows import (
    apply_bank_events,
    archive_image,
    archive_survey_photo,
    check_survey,
    confirm_disclosure,
    confirm_identity,
    decide_application,
    finish_forgetting,
    hand_off,
    measure_strategy,
    notify,
    put_offer,
    receive_bank_event,
    remind_due,
    remind_overdue,
    send_answer,
    send_sms,
    step_batch,
    step_trial,
    submit_application,
    take_notice_report,
    take_rejection,
    train_model,
)
from backend.flows.context import Context
from backend.outbox import effects
from backend.outbox.effects import Effect

Handler = Callable[[Context, Effect], Awaitable[None]]


def _for_case(name: str, flow: Callable[[Context, Actor, str], Awaitable[object]]) -> Handler:
    """The handler of an effect whose only content is the application it is about."""

    async def handle(context: Context, effect: Effect) -> None:
        await flow(context, system(effect.institution_id, name), effect.case_id)

    return handle


class Delivery:
    """One attempt at a leased effect: what its handler found with the lease, and whether the handler has recorded the
    delivery itself, in the transaction of what it changed. `at_once`: it may be done with the lease."""

    def __init__(self, effect: Effect, *, at_once: bool = False) -> None:
        self.effect, self.at_once = effect, at_once
        self.found: object = None
        self._recorded = False

    def is_recorded(self) -> bool:
        return self._recorded

    async def record(self, tx: Tx) -> None:
        await effects.delivered(tx, self.effect)
        self._recorded = True


class Joined(msgspec.Struct, frozen=True):
    """An effect that changes nothing but our own books: its first step goes with the lease, and its last one records
    the delivery. Two transactions less, and never the one without the other; one in all where it is done at once."""

    begin: Callable[[Tx, Delivery], Awaitable[object]]
    go_on: Callable[[Context, Delivery], Awaitable[object]]


def decider(institution_id: str) -> Actor:
    """Whose name stands below a decision. It takes the leases, too, which leave no name anywhere: the first step of
    an effect goes with its lease, and the database is told once who works."""
    return system(institution_id, "decide")


async def _take(tx: Tx, delivery: Delivery) -> None:
    at_once = delivery.record if delivery.at_once else None
    delivery.found = await decide_application.take(tx, delivery.effect.case_id, at_once=at_once)


async def _decide(context: Context, delivery: Delivery) -> None:
    if delivery.is_recorded():
        return
    effect, found = delivery.effect, delivery.found
    taken = found if isinstance(found, decide_application.Taken) else None
    await decide_application.decide_application(
        context, decider(effect.institution_id), effect.case_id, taken=taken, done=delivery.record
    )


async def _measure(context: Context, effect: Effect) -> None:
    before = str(effect.payload.get("instead_of", ""))
    await measure_strategy.measure_strategy(context, effect.institution_id, effect.case_id, instead_of=before)


HANDLERS: dict[str, Handler | Joined] = {
    submit_application.DECIDE: Joined(_take, _decide),
    confirm_disclosure.HAND_OFF: _for_case("hand off", hand_off.hand_off),
    hand_off.OFFER: put_offer.put_offer,
    receive_bank_event.APPLY: _for_case("mobile bank", apply_bank_events.apply_bank_events),
    confirm_identity.ARCHIVE: archive_image.archive_image,
    check_survey.ARCHIVE: archive_survey_photo.archive_survey_photo,
    send_sms.KIND: send_sms.send_sms,
    finish_forgetting.KIND: finish_forgetting.finish_forgetting,
    notify.KIND: notify.notify,
    send_answer.KIND: send_answer.send_answer,
    remind_due.KIND: remind_due.tell_due,
    remind_overdue.KIND: remind_overdue.remind_overdue,
    take_notice_report.KIND: take_notice_report.take_notice_report,
    strategy_effects.MEASURE: _measure,
    take_rejection.KIND: take_rejection.take_rejection,
    step_trial.KIND: step_trial.step_trial,
    step_batch.KIND: step_batch.step_batch,
    train_model.KIND: train_model.train_model,
}

LONGER: dict[str, float] = {train_model.KIND: train_model.SECONDS}
"""Seconds of the few that cannot be cut into jobs of `worker.HANDLER_SECONDS`."""
