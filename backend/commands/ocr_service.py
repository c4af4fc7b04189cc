"""`./xiaodai ocr-service`: only the document reader, on its Unix socket."""

import argparse
import os

from backend.ocr import service
from backend.settings import load
from backend.web import logs


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", help="数据目录（默认 ./var）")


def run(args: argparse.Namespace) -> int:
    settings = load(os.environ, xiaodai_data=args.data)
    logs.configure(settings.log_level)
    settings.ocr_socket.parent.mkdir(parents=True, exist_ok=True)
    service.main(settings.ocr_socket, settings.data, settings.ocr_workers, settings.ocr_memory_mb)
    return 0
