"""Which calls another process of this machine has taken (`outbox/queue.py`: all of them hear all).

A byte of one file for each call, locked by the kernel, which lets go of it when its process ends. It only spares asking
the database for what a neighbour has: whose an effect is, the database alone says.
"""

import fcntl
import uuid
from collections import deque
from pathlib import Path

LAST = 50
"""So many are kept from the neighbours, who may come to them later; the oldest is let go of."""


class Neighbours:
    """Raises `OSError` where the file cannot be written."""

    def __init__(self, data: Path) -> None:
        path = data / "run" / "calls"
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = path.open("ab")
        self._mine: deque[int] = deque()

    def leave_me(self, effect_id: str) -> bool:
        """Whether a call is ours to take: no neighbour was faster."""
        place = uuid.UUID(effect_id).int % 2**62
        try:
            fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, place)
        except OSError:
            return False
        self._mine.append(place)
        if len(self._mine) > LAST:
            fcntl.lockf(self._file, fcntl.LOCK_UN, 1, self._mine.popleft())
        return True

    def close(self) -> None:
        """All are let go of."""
        self._file.close()
