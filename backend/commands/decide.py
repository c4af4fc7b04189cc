"""`./xiaodai decide CASE.json`: one decision from a file, without a database."""

import argparse

from backend.domains.decision import decide_command


def arguments(parser: argparse.ArgumentParser) -> None:
    decide_command.arguments(parser)


def run(args: argparse.Namespace) -> int:
    return decide_command.run(args)
