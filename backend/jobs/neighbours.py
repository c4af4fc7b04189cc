"""Which calls another process of this machine has taken (`outbox/queue.py`: all of them hear all).

A byte of one file for each call, locked by the kernel, which lets go of it when its process ends. It only spares asking
the database for what a neighbour has: whose an effect is, the database alone says.
"""

import contextlib
import fcntl
import uuid
from collections import deque
from pathlib import Path
from typing import BinaryIO

LAST = 50
"""So many are kept from the neighbours, who may come to them later; the oldest is let go of."""


class Neighbours:
    """Without the file (a full disk) or its locks every call is ours to ask for."""

    def __init__(self, data: Path) -> None:
        path = data / "run" / "calls"
        self._file: BinaryIO | None = None
        with contextlib.suppress(OSError):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._file = path.open("ab")
        self._mine: deque[int] = deque()

    def leave_me(self, effect_id: str) -> bool:
        """Whether a call is ours to take: no neighbour was faster."""
        if self._file is None:
            return True
        place = uuid.UUID(effect_id).int % 2**62
        try:
            fcntl.lockf(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, place)
        except BlockingIOError:
            return False
        except OSError:
            return True
        self._mine.append(place)
        if len(self._mine) > LAST:
            fcntl.lockf(self._file, fcntl.LOCK_UN, 1, self._mine.popleft())
        return True

    def close(self) -> None:
        """All are let go of."""
        if self._file is not None:
            self._file.close()
