"""One running `up` for all journeys of this process: real processes, real ports, real photographs."""

from collections.abc import Iterator

import pytest

from tests.chaos.arena import Arena


@pytest.fixture(scope="session")
def arena() -> Iterator[Arena]:
    made = Arena()
    try:
        made.start()
        yield made
    finally:
        made.remove()
