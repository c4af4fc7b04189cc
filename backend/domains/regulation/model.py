"""A dated parameter and the set of them in force on one day."""

import re
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Literal, TypeVar

import msgspec

from backend.core.errors import Unavailable

Unit = Literal["fen", "rate", "count", "flag", "words"]
T = TypeVar("T")


class ParameterMissing(Unavailable):
    """No value is in force on the day asked about: nothing may be decided by its absence."""

    code = "parameter_missing"
    message = "业务规则没有配置齐全，已通知管理人员，请稍后再试"


class Parameter(msgspec.Struct, frozen=True, kw_only=True):
    """`effective_to` is the last day in force; `value` is fen or a count as int, a rate as Decimal."""

    key: str
    effective_from: date
    effective_to: date | None
    unit: Unit
    value: int | Decimal | bool | tuple[str, ...]
    title: str
    source: str
    row_id: str


class InForce(msgspec.Struct, frozen=True):
    """All parameters in force on `on`; the typed readers raise `ParameterMissing` for an absent key."""

    on: date
    parameters: Mapping[str, Parameter]

    def parameter(self, key: str) -> Parameter:
        try:
            return self.parameters[key]
        except KeyError:
            raise ParameterMissing(key=key) from None

    def amount(self, key: str) -> int:
        """Fen."""
        return self._read(key, "fen", int)

    def count(self, key: str) -> int:
        """Months, days, seconds or times, as the key's last word says."""
        return self._read(key, "count", int)

    def rate(self, key: str) -> Decimal:
        return self._read(key, "rate", Decimal)

    def words(self, key: str) -> tuple[str, ...]:
        return self._read(key, "words", tuple)

    def forbidden_in(self, text: str) -> list[str]:
        """Phrases of the blocker list found in a text (D4-02); spaces do not hide them."""
        bare = re.sub(r"\s+", "", text)
        return [word for word in self.words("marketing.forbidden_words") if word in bare]

    def flag(self, key: str) -> bool:
        """False before the rule takes effect: a duty that is not yet in force is not a duty."""
        found = self.parameters.get(key)
        return found is not None and found.value is True

    def _read(self, key: str, unit: Unit, kind: type[T]) -> T:
        found = self.parameter(key)
        if found.unit != unit or not isinstance(found.value, kind):
            raise TypeError(f"{key} is a {found.unit}, not a {unit}")
        return found.value
