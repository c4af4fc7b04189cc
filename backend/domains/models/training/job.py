"""`python -m backend.domains.models.training.job`: train as `./xiaodai train` does, for a page. The order comes on the
standard input, what is being done goes to the error stream step by step, the answer to the standard output."""

import os
import sys
from datetime import date
from typing import Any

import msgspec

from backend.core.errors import Problem
from backend.domains.models import apart
from backend.domains.models.training import page_words, paper, run
from backend.domains.models.training.look import Held
from backend.domains.models.training.options import Options
from backend.domains.models.trainings import Choices, Made, Order
from backend.settings import load

SECONDS = 540


def made(order: Order) -> Made:
    try:
        held: Any = Held(order.table)
        result = run.run(held, options(order.choices), apart.tell)
        apart.tell("画图")
        drawn = paper.made(result.report, date.fromisoformat(order.made_on))
    except Problem as problem:
        return Made(why=page_words.of(problem.text))
    report = msgspec.json.decode(msgspec.json.encode(result.report))
    return Made(artefact=result.artefact, report=report, html=drawn.html, pdf=drawn.pdf)


def options(choices: Choices) -> Options:
    """The scale is that of the settings, as in the command."""
    settings = load(os.environ)
    return Options(
        target=choices.target, kind=choices.kind, out_of_time=choices.out_of_time, monotone=choices.monotone,
        exclude=choices.exclude, group=choices.group, free=choices.free, base_score=settings.model_base_score,
        base_odds=settings.model_base_odds, points_to_double=settings.model_points_to_double,
    )  # fmt: skip


if __name__ == "__main__":
    os.nice(10)  # customers come first
    apart.limited(SECONDS)
    order = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=Order)
    sys.stdout.buffer.write(msgspec.msgpack.encode(made(order)))
