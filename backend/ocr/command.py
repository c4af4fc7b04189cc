"""`./xiaodai ocr FILE… --json`: read files on the command line, in a recycled worker like the service's own."""

import json
import os
import sys
from pathlib import Path
from typing import Any

import msgspec

from backend.core.errors import Problem
from backend.ocr import formats, frames, models, reading

_MOST_ON_DISK = formats.MOST_BYTES + 1


class Absent(formats.UnusableImage):
    code = "file_absent"
    message = "没有找到这个文件"


class Folder(formats.UnusableImage):
    code = "file_is_folder"
    message = "这是文件夹，请给出里面照片的名字"


class Unreadable(formats.UnusableImage):
    code = "file_unreadable"
    message = "打不开这个文件"


def main(files: list[str], as_json: bool, kind: str | None, data: Path) -> int:
    """Read each file and print one line (JSON) or a small table; `data` holds the models.

    A JSON line always has file, kind, fields, doubtful, quality and ms; a file that could not be read has kind "",
    no fields, and `code` and `error` besides. Exit status 2 on wrong use, 1 when at least one file could not be read.
    """
    if not files or (kind is not None and kind not in reading.KINDS):
        print(
            "用法：xiaodai ocr 文件… [--json] [--kind id_front|id_back|business_licence|bank_card]",
            file=sys.stderr,
        )
        return 2
    from backend.ocr import pool

    folder = models.prepare(data, lambda step: print(step, file=sys.stderr, flush=True))
    try:
        workers = pool.Pool(folder, 1, pool.Limits())
    except pool.WorkerGone:
        print("识别程序没能启动", file=sys.stderr)
        return 1
    failed = 0
    try:
        for name in files:
            line = {"file": _printable(name), **_read(workers, name, kind)}
            failed += "error" in line
            print(json.dumps(line, ensure_ascii=False) if as_json else _table(line), flush=True)
    finally:
        workers.close()
    return 1 if failed else 0


def _read(workers: Any, name: str, kind: str | None) -> dict[str, Any]:
    try:
        content = _content(Path(name))
        formats.glance(content)
        answer = frames.answer(workers.answer(frames.pack(frames.Request(content, kind))))
        if answer.reading is None:
            raise formats.problem(answer.code, answer.details)
    except Problem as problem:
        return _refusal(problem)
    kept = ("kind", "fields", "doubtful", "quality", "ms")
    values = msgspec.to_builtins(answer.reading)
    return {key: values[key] for key in kept}


def _content(path: Path) -> bytes:
    """At most one byte more than may come in. Raises an UnusableImage."""
    try:
        with path.open("rb") as file:
            return file.read(_MOST_ON_DISK)
    except FileNotFoundError:
        raise Absent from None
    except IsADirectoryError:
        raise Folder from None
    except OSError:
        raise Unreadable from None


def _refusal(problem: Problem) -> dict[str, Any]:
    quality = {"advice": problem.text}
    empty = {"kind": "", "fields": {}, "doubtful": [], "quality": quality, "ms": 0}
    return {**empty, "code": problem.code, "error": problem.text}


def _printable(name: str) -> str:
    """A file's name may hold bytes that are no text."""
    return os.fsencode(name).decode("utf-8", "replace")


def _table(line: dict[str, Any]) -> str:
    if "error" in line:
        return f"{line['file']}\n  {line['error']}"
    rows = [f"{line['file']}  {reading.KIND_NAMES.get(line['kind'], '没有认出证件')}  {line['ms']} 毫秒"]
    for label, value in line["fields"].items():
        rows.append(f"  {label}  {value}{'  ← 请核对' if label in line['doubtful'] else ''}")
    rows += [f"  {label}  没有读到" for label in line["doubtful"] if label not in line["fields"]]
    if line["quality"].get("advice"):
        rows.append(f"  {line['quality']['advice']}")
    return "\n".join(rows)
