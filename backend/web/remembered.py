"""Public facts that many ask for at once, remembered by a process for a moment."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, Generic, TypeVar

from backend.core import clock
from backend.web.http import Request

T = TypeVar("T")
MOST = 1024


class Remembered(Generic[T]):
    """Asked at most once in `seconds` for each key; nothing is kept of an asking that raised."""

    def __init__(self, seconds: float) -> None:
        self._span = timedelta(seconds=seconds)
        self._kept: dict[object, tuple[Any, T]] = {}

    async def get(self, key: object, ask: Callable[[], Awaitable[T]]) -> T:
        now, found = clock.now(), self._kept.get(key)
        if found is not None and found[0] <= now < found[0] + self._span:
            return found[1]
        answer = await ask()
        if len(self._kept) >= MOST:
            self._kept.clear()
        self._kept[key] = now, answer
        return answer


def of(request: Request, name: str, seconds: float) -> Remembered[Any]:
    """This application's memory of one kind of fact."""
    state = request.app.state
    found = state.get(name)
    if found is None:
        found = Remembered[Any](seconds)
        state[name] = found
    return found
