"""交给第二人: the form is whole, the customer's consent stands, and somebody else looks at it (A6-20)."""

from collections.abc import Mapping

from backend.core import clock
from backend.core.actor import Actor
from backend.domains.customers import consents
from backend.domains.customers.consent_texts import Purpose
from backend.domains.customers.model import ConsentMissing
from backend.domains.institutions import service as institutions
from backend.domains.surveys import rules
from backend.domains.surveys import service as surveys
from backend.domains.surveys.model import NotAgreed, SurveyMissing, SurveyRefused
from backend.flows.context import Context


async def submit_survey(context: Context, actor: Actor, survey_id: str, form: Mapping[str, str]) -> None:
    """Whatever is wrong, what was typed is kept first. Raises `SurveyRefused`, `SurveyClosed`, `NotAgreed`;
    `SurveyMissing` for a colleague's as for an unknown one."""
    async with context.db.begin(actor) as tx:
        survey = await surveys.get(tx, survey_id)
        if survey.officer_id != actor.id:
            raise SurveyMissing()
        survey = await surveys.save(tx, survey, form)
        try:
            answers = rules.read(
                survey.form,
                survey.photos,
                institutions.villages(await institutions.areas(tx, tx.institution_id)),
                clock.today(),
            )
        except SurveyRefused as problem:
            refusal = problem
        else:
            text = await consents.text(tx, Purpose.PERSONAL_INFO)
            try:
                consent_id = await consents.require(
                    tx, survey.customer_id, Purpose.PERSONAL_INFO, text.recipient, clock.today()
                )
            except ConsentMissing as missing:
                raise NotAgreed() from missing
            await surveys.submit(tx, survey, answers, consent_id)
            return
    raise refusal
