"""大数据平台: features of a person by name, each with its day and its origin (A5-09, A3-36)."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import ClassVar, Protocol

import msgspec

from backend.integrations.http import OutsideUnavailable


class Feature(msgspec.Struct, frozen=True):
    value: bool | int | str
    as_of_on: date
    source: str


class Features(msgspec.Struct, frozen=True):
    """`missing`: known features this system has no value of for this person at the moment."""

    values: dict[str, Feature]
    missing: tuple[str, ...]
    observed_at: datetime

    @property
    def facts(self) -> dict[str, bool | int | str]:
        """Only the values, by fact name."""
        return {name: feature.value for name, feature in self.values.items()}


class DataPlatformUnavailable(OutsideUnavailable):
    code: ClassVar[str] = "data_platform_unavailable"
    message: ClassVar[str] = "数据平台暂时连不上，您的申请已经收好，连上以后接着办"
    system: ClassVar[str] = "data_platform"


class DataPlatform(Protocol):
    async def features(
        self, *, id_number: str, names: Sequence[str], authorisation_id: str, case_id: str
    ) -> Features: ...
