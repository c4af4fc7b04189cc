"""Entry points for the ASGI server: each process reads its own settings from the environment."""

import gc
import os

from litestar import Litestar

from backend.core import failpoints
from backend.settings import load
from backend.web import logs


def web() -> Litestar:
    from backend.app import create_app

    settings = load(os.environ)
    logs.configure(settings.log_level)
    failpoints.configure(settings.xiaodai_failpoints, settings.failpoint_record)
    made = create_app(settings)
    # What is loaded by now stays: no collection need walk over it again while somebody waits for a page.
    gc.collect()
    gc.freeze()
    return made


def sandbox() -> Litestar:
    from backend.sandbox.app import create_app

    settings = load(os.environ)
    logs.configure("warning")
    return create_app(settings)
