"""What a version does to customers of many counties, as head office may see it: rounded as its trials are (D3-07)."""

import msgspec

from backend.db.database import Tx
from backend.domains.strategies.model import Effect, EffectFigures, Side
from backend.domains.trials import service as trials
from backend.domains.trials.small_cells import Rounding

OUTCOMES = ("approved", "referred", "declined")


async def of(tx: Tx, effect: Effect | None) -> tuple[Effect | None, int]:
    """(the effect as head office may see it, the fewest customers one of its figures is of)."""
    rounding = await trials.rounding_of(tx)
    if effect is None:
        return None, rounding.fewest
    figures = rounded(effect.figures, rounding)
    return msgspec.structs.replace(effect, figures=figures), rounding.fewest


def rounded(figures: EffectFigures, rounding: Rounding) -> EffectFigures:
    """Without examples; what changed for fewer than may be told is not told from what did not change."""
    before, after = figures.before, figures.after
    everybody = [getattr(side, f"{name}_mark") for side in (before, after) for name in OUTCOMES]

    def count(name: str, number: int) -> int:
        return rounding.count(number, (name, everybody))

    def counts(name: str, held: dict[str, int]) -> dict[str, int]:
        return {key: shown for key, number in held.items() if (shown := count(f"{name} {key}", number))}

    return EffectFigures(
        before=_side(before, rounding),
        after=_side(after, rounding),
        said_before=counts("said", figures.said_before),
        said_after=counts("said", figures.said_after),
        other_ways=count("other_ways", figures.other_ways),
        swaps=counts("swaps", figures.swaps),
        lower_amounts=count("lower", figures.lower_amounts),
        higher_amounts=count("higher", figures.higher_amounts),
        looser=figures.looser,
        skipped=figures.skipped,
        resume_before=figures.resume_before,
        newest=figures.newest,
    )


def _side(side: Side, rounding: Rounding) -> Side:
    counts = {n: rounding.count(getattr(side, n), getattr(side, f"{n}_mark")) for n in OUTCOMES}
    shown = msgspec.structs.replace(side, **counts, amount_fen=0, rate_bp_sum=0)
    if not counts["approved"]:
        return shown
    rates = (side.average_rate_bp,)
    mean, (rate,) = rounding.averages(side.average_fen, rates, side.approved, side.approved_mark)
    approved = counts["approved"]
    return msgspec.structs.replace(shown, amount_fen=mean * approved, rate_bp_sum=rate * approved)
