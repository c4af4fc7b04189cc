"""What a flow works with: the database, the outside world, the reading of documents, the settings."""

import msgspec

from backend.db.database import Database
from backend.integrations.registry import Clients
from backend.ocr.client import OcrClient
from backend.settings import Settings


class Context(msgspec.Struct, frozen=True):
    """Made once per process by `backend.wiring`; passed first to every flow."""

    settings: Settings
    db: Database
    clients: Clients
    ocr: OcrClient
