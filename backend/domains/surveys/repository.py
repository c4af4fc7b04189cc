"""Rows in and out; sealing and opening happens here and nowhere else."""

from typing import Any

import msgspec

from backend.core import ids
from backend.db import queries
from backend.db.database import Tx
from backend.domains.surveys.model import Photo, Survey

Q = queries.load(__package__)

TABLE, PHOTOS = "surveys.surveys", "surveys.photos"


def sealed(tx: Tx, survey_id: str, form: dict[str, str]) -> bytes:
    return tx.vault.seal(TABLE, "answers", survey_id, msgspec.json.encode(form, order="deterministic"))


async def get(tx: Tx, survey_id: str) -> Survey | None:
    row = await Q.get(tx, institution_id=tx.institution_id, id=survey_id) if ids.is_uuid(survey_id) else None
    return _survey(tx, row) if row else None


async def latest(tx: Tx, customer_id: str) -> Survey | None:
    row = await Q.latest(tx, institution_id=tx.institution_id, customer_id=customer_id)
    return _survey(tx, row) if row else None


async def photos(tx: Tx, survey_id: str) -> list[Photo]:
    rows = await Q.photos(tx, institution_id=tx.institution_id, survey_id=survey_id)
    return [_photo(row) for row in rows]


async def photo(tx: Tx, photo_id: str) -> tuple[Photo, bytes | None] | None:
    """With its bytes while they are ours."""
    row = await Q.photo(tx, institution_id=tx.institution_id, id=photo_id) if ids.is_uuid(photo_id) else None
    if row is None:
        return None
    content = row["content"]
    return _photo(row), tx.vault.open(PHOTOS, "content", row["id"], content) if content is not None else None


def _photo(row: Any) -> Photo:
    return Photo(
        id=row["id"],
        survey_id=row["survey_id"],
        sha256=row["sha256"],
        taken_at=row["taken_at"],
        archived=row["archive_id"],
    )


def _survey(tx: Tx, row: Any) -> Survey:
    values = dict(row)
    answers = values.pop("answers")  # empty of who was forgotten
    form = msgspec.json.decode(tx.vault.open(TABLE, "answers", row["id"], answers)) if answers else {}
    said = values.pop("checker_said")
    words = tx.vault.decrypt(TABLE, "checker_said", row["id"], said) if said else ""
    return Survey(form=form, checker_said=words, **values)
