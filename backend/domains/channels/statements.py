"""The statements of this domain, read once."""

from backend.db import queries

Q = queries.load(__package__)
