"""`./xiaodai decide CASE.json`: one decision from a file, no database. Wrong input exits 2 with one line."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec

from backend.core import given as given_files
from backend.core import unreadable
from backend.domains.decision import bundle, evaluate, facts, model

_WORDS = {model.Outcome.APPROVED: "通过", model.Outcome.DECLINED: "未通过", model.Outcome.REFERRED: "转人工"}


class CaseUnreadable(Exception):
    """The file is no case; the text is one line for the person at the terminal."""


def read_case(path: Path) -> model.Case:
    """A case from a file. Facts are not judged here, only the shape around them. Raises `CaseUnreadable`."""
    try:
        text = given_files.read(path)
    except OSError as cause:
        raise CaseUnreadable(f"读不到文件 {path}：{unreadable.system(cause)}") from cause
    try:
        case = msgspec.json.decode(text, type=model.Case)
        json.loads(text, object_pairs_hook=_once)
    except CaseUnreadable as twice:
        raise CaseUnreadable(f"{path} 不是一份申请资料：{twice}") from twice
    except unreadable.NOT_DECODED as cause:
        raise CaseUnreadable(f"{path} 不是一份申请资料：{unreadable.why(cause, text)}") from cause
    if case.interrupted_at and case.interrupted_at not in model.DECIDING:
        raise CaseUnreadable(f"{path} 不是一份申请资料：没有 {case.interrupted_at} 这一步")
    known = facts.catalogue()
    for source, given in case.sources.items():
        for name in (*given.facts, *given.withheld):
            if name not in known or known[name].source != source or source in facts.COMPUTED:
                raise CaseUnreadable(f"{path} 不是一份申请资料：{source} 里没有叫 {name} 的数据项")
    return case


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A file that says two things of one fact says nothing: the decoder would silently take the last."""
    said = dict(pairs)
    if len(said) != len(pairs):
        name = next(name for name in said if sum(name == other for other, _ in pairs) > 1)
        raise CaseUnreadable(f"{name} 写了两遍")
    return said


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("case", type=Path, help="申请资料，JSON（样例在 tests/data/cases/）")
    parser.add_argument("--text", action="store_true", help="打印给人看的几行字，而不是 JSON")
    parser.add_argument("--capsule", type=Path, help="把整份存证（资料和结果）写到这个文件")
    parser.add_argument("--json", action="store_true", help="打印 JSON（默认就是）")


def main(given: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="xiaodai decide", description="对一份申请资料做一次审批")
    arguments(parser)
    return run(parser.parse_args(given))


def run(given: argparse.Namespace) -> int:
    try:
        case = read_case(given.case)
    except CaseUnreadable as refusal:
        print(" ".join(str(refusal).split()), file=sys.stderr)
        return 2
    capsule = evaluate.evaluate(case, bundle.seeded())
    if given.capsule:
        try:
            given.capsule.write_bytes(model.canonical(capsule))
        except OSError as problem:
            print(f"写不了文件 {given.capsule}：{unreadable.system(problem)}", file=sys.stderr)
            return 2
    if given.text:
        print(in_words(capsule.decision))
    else:
        print(model.canonical(capsule.decision).decode())
    return 0


def in_words(decision: model.Decision) -> str:
    """The decision as a person reads it."""
    lines = [_WORDS[decision.outcome]]
    if decision.amount_fen is not None and decision.annual_rate_bp is not None:
        rate = f"{decision.annual_rate_bp / 100:g}%"
        lines.append(f"{decision.amount_fen // 100:,} 元，年利率 {rate}，{decision.term_months} 个月")
    lines += [
        f"{'+' if reason.direction == 'plus' else '-'} {reason.text}"
        + (f"（{reason.advice}）" if reason.advice else "")
        for reason in decision.reasons
    ]
    lines += [
        f"{'→' if cap.binding else ' '} {cap.label} {cap.amount_fen // 100:,} 元" for cap in decision.caps
    ]
    return "\n".join(lines)
