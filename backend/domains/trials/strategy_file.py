"""A strategy from files: one stage's document (`limit.json`), a folder of them, or one file with all and a scorecard.

What is not in the files comes from the version it is tried in place of.
"""

from pathlib import Path
from typing import Any

import msgspec

from backend.core import given, unreadable
from backend.domains.decision.model import DECIDING, Stage, canonical
from backend.domains.trials.model import Recipe, StrategyUnreadable

STAGES = (*DECIDING, Stage.EARLY_WARNING)
"""What can be tried."""


class Partial(msgspec.Struct, frozen=True, kw_only=True):
    """Canonical texts by stage, and a scorecard's."""

    strategies: dict[str, str] = {}
    card: str | None = None

    def onto(self, base: Recipe) -> Recipe:
        return msgspec.structs.replace(
            base, strategies={**base.strategies, **self.strategies}, card=self.card or base.card
        )


def read(path: Path) -> Partial:
    """Only shapes are judged here; whether the rules may be used says the build. Raises `StrategyUnreadable`."""
    if path.is_dir():
        files = [path / f"{stage}.json" for stage in STAGES if (path / f"{stage}.json").is_file()]
        if not files:
            raise StrategyUnreadable(
                why=f"{path} 里没有 {'、'.join(f'{stage}.json' for stage in STAGES)} 中的任何一个"
            )
        return Partial(strategies={file.stem: _document(_json(file), file) for file in files})
    content = _json(path)
    if "nodes" in content:
        if path.stem not in {str(stage) for stage in STAGES}:
            raise StrategyUnreadable(why=f"文件名要是步骤的名字，如 {Stage.LIMIT}.json")
        return Partial(strategies={path.stem: _document(content, path)})
    unknown = set(content) - {"strategies", "scorecard"}
    given = content.get("strategies", {})
    if unknown or not content or not isinstance(given, dict) or set(given) - {str(stage) for stage in STAGES}:
        raise StrategyUnreadable(why="应当是一张流程图，或 strategies（按步骤）和 scorecard 两项")
    card = content.get("scorecard")
    return Partial(
        strategies={stage: _document(each, path) for stage, each in given.items()},
        card=None if card is None else canonical(card).decode(),
    )


def _json(path: Path) -> dict[str, Any]:
    try:
        text = given.read(path)
    except OSError as cause:
        raise StrategyUnreadable(why=f"读不到 {path}（{unreadable.system(cause)}）") from cause
    try:
        content = msgspec.json.decode(text)
    except unreadable.NOT_DECODED as cause:
        raise StrategyUnreadable(why=unreadable.why(cause, text)) from cause
    if not isinstance(content, dict):
        raise StrategyUnreadable(why="最外层要是一个 JSON 对象")
    return content


def _document(content: Any, path: Path) -> str:
    if not isinstance(content, dict) or "nodes" not in content:
        raise StrategyUnreadable(why=f"{path.name} 不是一张流程图")
    return canonical(content).decode()
