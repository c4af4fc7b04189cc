"""`./xiaodai sandbox`: only the pretend outside world."""

import argparse
import os
import sys

from backend.commands import parts
from backend.settings import load


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--data", help="数据目录（默认 ./var）")
    parser.add_argument("--sandbox-port", type=int, help="端口（默认 9000）")


def run(args: argparse.Namespace) -> int:
    settings = load(os.environ, xiaodai_data=args.data, sandbox_port=args.sandbox_port)
    try:
        parts.require_free({"--sandbox-port": (settings.host, settings.sandbox_port)})
    except parts.PortTaken as taken:
        print(taken, file=sys.stderr)
        return 2
    os.environ |= {"XIAODAI_DATA": str(settings.data), "SANDBOX_PORT": str(settings.sandbox_port)}
    return parts.become(parts.sandbox(settings))
