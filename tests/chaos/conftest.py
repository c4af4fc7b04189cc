"""The road of tests/flows, to be walked under deaths and mistakes."""

from tests.flows.conftest import road

__all__ = ["road"]
