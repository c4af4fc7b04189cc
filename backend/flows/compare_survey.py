"""交叉核对: what an officer saw beside what the customer and other sources said (A6-20, A7-04)."""

from collections.abc import Mapping

from backend.core import clock
from backend.db.database import Tx
from backend.domains.applications import declarations
from backend.domains.applications import service as applications
from backend.domains.applications.model import Application
from backend.domains.customers import service as customers
from backend.domains.customers.model import Person
from backend.domains.evidence import service as evidence
from backend.domains.evidence.model import Answer
from backend.domains.institutions import service as institutions
from backend.domains.surveys import rules
from backend.domains.surveys.model import Check, Survey, SurveyRefused, Told


async def compare_survey(tx: Tx, survey: Survey) -> list[Check]:
    """Against what is known now of the case it was made for; empty while the form is not whole."""
    try:
        places = institutions.villages(await institutions.areas(tx, tx.institution_id))
        answers = rules.answered(survey, places, clock.today())
    except SurveyRefused:
        return []
    application = await applications.get(tx, survey.application_id)
    person = await customers.get(tx, survey.customer_id)
    return rules.compare(answers, told(application, person, await evidence.answers(tx, application.id)))


def told(application: Application, person: Person, answers: Mapping[str, Answer]) -> Told:
    """What the customer and the sources asked for this case say of the same things."""
    declared = application.declared
    account, platform, bureau = (
        _said(answers, name) for name in ("core_banking", "data_platform", "credit_bureau")
    )
    village = f"{declared.town} {declared.village}".strip()
    return Told(
        villages=tuple(each for each in (village, person.address) if each),
        income=_band(declared.income_band),
        inflow=_amount(account.get("core_inflow_12m")),
        household_members=_amount(platform.get("household_members")),
        bank_debt=_amount(bureau.get("bureau_balance")),
    )


def _said(answers: Mapping[str, Answer], source: str) -> Mapping[str, object]:
    return answers[source].facts if source in answers else {}


def _amount(value: object) -> int | None:
    return value if type(value) is int else None


def _band(code: str) -> tuple[int, int | None] | None:
    codes = list(declarations.INCOMES)
    if code not in codes:
        return None
    above = codes[codes.index(code) + 1 :]
    low = 0 if code == codes[0] else declarations.INCOMES[code].annual_fen
    return low, declarations.INCOMES[above[0]].annual_fen if above else None
