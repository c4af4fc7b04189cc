"""What other code may ask about surveys. Every act leaves a row in the audit log."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from typing import Any

import msgspec

from backend.core import ids
from backend.db.database import Tx
from backend.domains.audit import service as audit
from backend.domains.surveys import repository
from backend.domains.surveys.model import (
    FIELDS,
    MOST_PHOTOS,
    Answers,
    OwnSurvey,
    Photo,
    Survey,
    SurveyClosed,
    SurveyMissing,
    SurveyRefused,
    TooManyPhotos,
)
from backend.domains.surveys.repository import Q

MOST = 50
SHORTEST = 4  # characters of the second person's words


class Line(msgspec.Struct, frozen=True):
    id: str
    application_id: str
    customer_id: str
    status: str
    saved_at: datetime
    submitted_at: datetime | None


async def begin(tx: Tx, application_id: str, customer_id: str) -> str:
    """The id of the case's open survey, a new one of the acting officer where there is none."""
    survey_id = ids.new()
    made = await Q.begin(
        tx,
        institution_id=tx.institution_id,
        id=survey_id,
        application_id=application_id,
        customer_id=customer_id,
        officer_id=tx.actor.id,
        answers=repository.sealed(tx, survey_id, {}),
        now=tx.now,
    )
    if made:
        audit.add(tx, "survey.begun", survey_id, application=application_id)
        return survey_id
    found = await Q.open_of(tx, institution_id=tx.institution_id, application_id=application_id)
    return str(found)


async def get(tx: Tx, survey_id: str) -> Survey:
    """Raises `SurveyMissing`."""
    found = await repository.get(tx, survey_id)
    if found is None:
        raise SurveyMissing()
    return found


async def latest_confirmed(tx: Tx, customer_id: str) -> Survey | None:
    """The newest visit that counts."""
    return await repository.latest(tx, customer_id)


async def of_officer(tx: Tx) -> list[Line]:
    rows = await Q.of_officer(tx, institution_id=tx.institution_id, officer_id=tx.actor.id, most=MOST)
    return [Line(*row) for row in rows]


async def hand_over(tx: Tx, from_officer: str, to_officer: str) -> int:
    """One officer's unfinished surveys go to another, but for those the other sent back as second person."""
    moved: int = await Q.hand_over(
        tx, institution_id=tx.institution_id, from_officer=from_officer, to_officer=to_officer
    )
    return moved


async def waiting(tx: Tx) -> list[Line]:
    """What waits for somebody other than who is acting."""
    rows = await Q.waiting(tx, institution_id=tx.institution_id, but_not=tx.actor.id, most=MOST)
    return [Line(*row) for row in rows]


async def save(tx: Tx, survey: Survey, form: Mapping[str, str]) -> Survey:
    """Keep the fields as they were typed; what is not given stays. Raises `SurveyClosed`."""
    kept = {name: text for name, text in {**survey.form, **form}.items() if name in FIELDS and text}
    if not await Q.save(
        tx,
        institution_id=tx.institution_id,
        id=survey.id,
        answers=repository.sealed(tx, survey.id, kept),
        now=tx.now,
    ):
        raise SurveyClosed(label=(await get(tx, survey.id)).label)
    return msgspec.structs.replace(survey, form=kept)


async def submit(tx: Tx, survey: Survey, answers: Answers, consent_id: str) -> None:
    """To the second person. Raises `SurveyClosed`."""
    if not survey.editable or not await Q.submit(
        tx,
        institution_id=tx.institution_id,
        id=survey.id,
        from_status=survey.status,
        consent_id=consent_id,
        visited_on=answers.visited_on,
        now=tx.now,
    ):
        raise SurveyClosed(label=(await get(tx, survey.id)).label)
    audit.add(
        tx, "survey.submitted", survey.id, application=survey.application_id, located=bool(answers.location)
    )


async def check(tx: Tx, survey: Survey, outcome: str, place: str, said: str) -> bool:
    """The second person's word; True when it was confirmed. Raises `SurveyRefused` with a sentence per field,
    `OwnSurvey`, `SurveyClosed`."""
    wrong = {}
    if outcome not in ("confirmed", "returned"):
        wrong["outcome"] = "请选确认还是退回"
    if place not in ("yes", "no"):
        wrong["in_place"] = "请说是不是客户的住所或经营地"
    if outcome == "returned" and len(said.strip()) < SHORTEST:
        wrong["said"] = "退回要写明缺什么，至少四个字"
    if wrong:
        raise SurveyRefused(fields=wrong, count=len(wrong))
    if tx.actor.id == survey.officer_id:
        raise OwnSurvey()
    if not await Q.check(
        tx,
        institution_id=tx.institution_id,
        id=survey.id,
        status=outcome,
        checked_by=tx.actor.id,
        in_place=place == "yes",
        checker_said=_sealed_words(tx, survey.id, said),
        now=tx.now,
    ):
        raise SurveyClosed(label=(await get(tx, survey.id)).label)
    audit.add(tx, f"survey.{outcome}", survey.id, application=survey.application_id, in_place=place)
    return outcome == "confirmed"


def _sealed_words(tx: Tx, survey_id: str, said: str) -> Any:
    words = said.strip()
    return tx.vault.encrypt(repository.TABLE, "checker_said", survey_id, words) if words else None


async def add_photo(tx: Tx, survey: Survey, content: bytes) -> None:
    """Keep a rebuilt JPEG, sealed. Raises `SurveyClosed`, `TooManyPhotos`."""
    await _still_open(tx, survey)
    if survey.photos >= MOST_PHOTOS:
        raise TooManyPhotos(fields={"photos": TooManyPhotos.message})
    photo_id = ids.new()
    await Q.add_photo(
        tx,
        institution_id=tx.institution_id,
        id=photo_id,
        survey_id=survey.id,
        sha256=hashlib.sha256(content).digest(),
        content=tx.vault.seal(repository.PHOTOS, "content", photo_id, content),
        now=tx.now,
    )


async def remove_photo(tx: Tx, survey: Survey, photo_id: str) -> None:
    """Raises `SurveyClosed`, `SurveyMissing`."""
    await _still_open(tx, survey)
    await get_photo(tx, survey.id, photo_id)
    await Q.remove_photo(tx, institution_id=tx.institution_id, survey_id=survey.id, id=photo_id)


async def _still_open(tx: Tx, survey: Survey) -> None:
    status = await Q.lock(tx, institution_id=tx.institution_id, id=survey.id)
    if status not in ("draft", "returned"):
        raise SurveyClosed(label=(await get(tx, survey.id)).label)


async def photos(tx: Tx, survey_id: str) -> list[Photo]:
    return await repository.photos(tx, survey_id)


async def get_photo(tx: Tx, survey_id: str, photo_id: str) -> tuple[Photo, bytes | None]:
    """With its bytes while they are ours. Raises `SurveyMissing`, also for another survey's picture."""
    found = await repository.photo(tx, photo_id)
    if found is None or found[0].survey_id != survey_id:
        raise SurveyMissing()
    return found


async def archived(tx: Tx, photo_id: str, archive_id: str, receipt: str) -> None:
    """The archive has it; our copy goes."""
    await Q.archived(
        tx, institution_id=tx.institution_id, id=photo_id, archive_id=archive_id, receipt=receipt
    )


async def forget(tx: Tx, customer_id: str) -> dict[str, list[str]]:
    """Nothing of what was seen stays. Returns, by application, what the image archive is to destroy."""
    receipts: dict[str, list[str]] = {}
    for row in await Q.receipts_of(tx, institution_id=tx.institution_id, customer_id=customer_id):
        receipts.setdefault(row["application_id"], []).append(row["receipt"])
    await Q.forget(tx, institution_id=tx.institution_id, customer_id=customer_id)
    return receipts
