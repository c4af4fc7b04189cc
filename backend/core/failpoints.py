"""Named places where a test may make the process die or stumble, between every two effects (trust §1 no 10).

Off unless `XIAODAI_FAILPOINTS` names them: `name=kill:0.01,other=error:3x`, action : probability, or how many
times in all; `*` means every place without a rule of its own. A production settings check refuses to start
with any set. With `record`, a directory all processes share, every hit is one byte in a file of the place's
name: a count outlives the process that was killed, and nothing is hit any more once the file `calm` is there.
"""

import os
import random
import signal
from pathlib import Path

import msgspec

CALM = "calm"


class Rule(msgspec.Struct, frozen=True):
    action: str  # kill | error
    probability: float = 1.0
    most: int | None = None


_active: dict[str, Rule] = {}
_record: Path | None = None
_hits: dict[str, int] = {}
_random = random.Random()

NAMES: dict[str, str] = {}
"""Every failpoint the code declares, with what lies before and after it; the sweep test walks over it."""


class FailpointError(RuntimeError):
    """What an `error` failpoint raises; nothing in the product catches it by name."""


def declare(name: str, meaning: str) -> str:
    NAMES[name] = meaning
    return name


def configure(text: str, record: Path | None = None) -> None:
    """Parse `name=action:probability,…`; an empty text switches all off. Raises ValueError."""
    global _record
    _active.clear()
    _record = record if text else None
    if _record:
        _record.mkdir(parents=True, exist_ok=True)
    for part in filter(None, (p.strip() for p in text.split(","))):
        name, _, rule = part.partition("=")
        action, _, often = rule.partition(":")
        if action not in {"kill", "error"}:
            raise ValueError(f"failpoint {name}: unknown action {action!r}")
        if often.endswith("x"):
            _active[name] = Rule(action, most=int(often[:-1]))
        else:
            _active[name] = Rule(action, probability=float(often or 1))


def hit(name: str) -> None:
    """Do nothing, or what the test asked for at this place."""
    if not _active:
        return
    rule = _active.get(name) or _active.get("*")
    if rule is None or _random.random() >= rule.probability or _is_calm():
        return
    if rule.most is not None and count(name) >= rule.most:
        return
    _note(name)
    if rule.action == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    raise FailpointError(name)


def count(name: str) -> int:
    """How often a place was hit: by all processes with a record, else by this one."""
    if _record is None:
        return _hits.get(name, 0)
    try:
        return (_record / name).stat().st_size
    except FileNotFoundError:
        return 0


def _note(name: str) -> None:
    _hits[name] = _hits.get(name, 0) + 1
    if _record is not None:
        with (_record / name).open("ab") as file:
            file.write(b".")


def _is_calm() -> bool:
    return _record is not None and (_record / CALM).exists()
