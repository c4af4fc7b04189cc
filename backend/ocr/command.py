"""`./xiaodai ocr FILE… --json`: read files on the command line, in this process."""

import json
import sys
from pathlib import Path
from typing import Any

import msgspec

from backend.ocr import formats, models, reading

_MOST_ON_DISK = formats.MOST_BYTES + 1


class Unreadable(formats.UnusableImage):
    code = "file_unreadable"
    message = "打不开这个文件"


def main(files: list[str], as_json: bool, kind: str | None, data: Path) -> int:
    """Read each file and print one line (JSON) or a small table; `data` holds the models.

    Exit status 2 on wrong use, 1 when at least one file could not be read.
    """
    if not files or (kind is not None and kind not in reading.KINDS):
        print(
            "用法：xiaodai ocr 文件… [--json] [--kind id_front|id_back|business_licence|bank_card]",
            file=sys.stderr,
        )
        return 2
    from backend.ocr import engine as engines

    engine = engines.Engine(models.prepare(data, lambda step: print(step, file=sys.stderr)))
    failed = 0
    for name in files:
        line = _read(engine, name, kind)
        failed += "error" in line
        print(json.dumps(line, ensure_ascii=False) if as_json else _table(line), flush=True)
    return 1 if failed else 0


def _read(engine: Any, name: str, kind: str | None) -> dict[str, Any]:
    from backend.ocr import intake, reader

    try:
        with Path(name).open("rb") as file:
            content = file.read(_MOST_ON_DISK)
    except OSError:
        return {"file": name, "code": Unreadable.code, "error": Unreadable().text}
    try:
        read = reader.read(engine, intake.pixels(content), kind)
    except formats.UnusableImage as problem:
        return {"file": name, "code": problem.code, "error": problem.text}
    kept = ("kind", "fields", "doubtful", "quality", "ms")
    values = msgspec.to_builtins(read)
    return {"file": name, **{key: values[key] for key in kept}}


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
