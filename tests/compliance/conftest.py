"""The road of tests/flows, under rules that a test changes."""

from collections.abc import Awaitable, Callable

import asyncpg
import pytest

from tests.flows.conftest import road

__all__ = ["road", "rule"]

Rule = Callable[[str, str], Awaitable[None]]


@pytest.fixture
async def rule(owner: asyncpg.Connection) -> Rule:
    """Set the value of a row as JSON; head office would write a new row with its own dates."""

    async def set_to(key: str, value: str) -> None:
        done = await owner.execute(
            "update regulation.parameters set value = $2::jsonb where key = $1 and enabled", key, value
        )
        assert done == "UPDATE 1", key

    return set_to
