"""`./xiaodai ocr FILE… --json`: read documents, one JSON line per file."""

import argparse
import os
from pathlib import Path

KINDS = ("id_front", "id_back", "business_licence", "bank_card")


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", nargs="+", metavar="FILE", help="JPEG 或 PNG 照片")
    parser.add_argument("--json", action="store_true", help="每个文件输出一行 JSON")
    parser.add_argument("--kind", choices=KINDS, help="已知是哪种证件")
    parser.add_argument("--data", help="数据目录（默认 ./var），模型在这里")


def run(args: argparse.Namespace) -> int:
    from backend.ocr import command

    data = Path(args.data or os.environ.get("XIAODAI_DATA") or "var").resolve()
    return command.main(args.files, args.json, args.kind, data)
