"""The real models, derived once per machine and kept between runs (the engine checks their digests)."""

import os
import tempfile
from pathlib import Path

import pytest

from backend.ocr import models
from backend.ocr.engine import Engine


@pytest.fixture(scope="session")
def ocr_data() -> Path:
    """A data folder with prepared models."""
    data = Path(tempfile.gettempdir()) / f"xiaodai-test-models-{os.getuid()}"
    models.prepare(data)
    return data


@pytest.fixture(scope="session")
def engine(ocr_data: Path) -> Engine:
    return Engine(models.folder(ocr_data))
