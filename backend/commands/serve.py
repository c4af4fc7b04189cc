"""`./xiaodai serve`: only the web process, for a deployment with its own supervisor."""

import argparse
import os
import sys

from backend.commands import parts
from backend.settings import load


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", help="数据目录（默认 ./var）")
    parser.add_argument("--port", type=int, help="端口（默认 8000）")


def run(args: argparse.Namespace) -> int:
    settings = load(os.environ, xiaodai_data=args.data, port=args.port)
    try:
        parts.require_free({"--port": (settings.host, settings.port)})
    except parts.PortTaken as taken:
        print(taken, file=sys.stderr)
        return 2
    os.environ |= {"XIAODAI_DATA": str(settings.data), "PORT": str(settings.port)}
    return parts.become(parts.web(settings))
