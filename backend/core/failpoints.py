"""Named places where a test may make the process die or stumble, between every two effects (trust §1 no 10).

Off unless `XIAODAI_FAILPOINTS` names them: `name=kill:0.01,other=error:1` (action : probability).
A production settings check refuses to start with any set.
"""

import os
import random
import signal

_active: dict[str, tuple[str, float]] = {}
_hits: dict[str, int] = {}
_random = random.Random()

NAMES: dict[str, str] = {}
"""Every failpoint the code declares, with what lies before and after it; the sweep test walks over it."""


class FailpointError(RuntimeError):
    """What an `error` failpoint raises; nothing in the product catches it by name."""


def declare(name: str, meaning: str) -> str:
    NAMES[name] = meaning
    return name


def configure(text: str) -> None:
    """Parse `name=action:probability,…`; an empty text switches all off."""
    _active.clear()
    for part in filter(None, (p.strip() for p in text.split(","))):
        name, _, rule = part.partition("=")
        action, _, probability = rule.partition(":")
        if action not in {"kill", "error"}:
            raise ValueError(f"failpoint {name}: unknown action {action!r}")
        _active[name] = (action, float(probability or 1))


def hit(name: str) -> None:
    """Do nothing, or what the test asked for at this place."""
    if not _active:
        return
    rule = _active.get(name) or _active.get("*")
    if rule is None or _random.random() >= rule[1]:
        return
    _hits[name] = _hits.get(name, 0) + 1
    if rule[0] == "kill":
        os.kill(os.getpid(), signal.SIGKILL)
    raise FailpointError(name)
