"""Checks a capsule file with nothing but Python: `python verify_capsule.py FILE` (N6).

For a court or an auditor who has neither our software nor our database. Every part is a text; the file gives its
SHA-256 and a link, SHA-256 of the link before, the part's name and that hash, one line each. The first link stands for
the kind, format and masking of the file; the last is the head, which the bank's audit chain noted when the file was
made. The versions inside must be the ones the decision names. Prints one line; returns 0 when all holds, 1 when not.
Deciding again needs the engine: `xiaodai replay FILE`.
"""

import hashlib
import json
import sys
from typing import Any


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def first_wrong(held: dict[str, Any]) -> str:
    """Where the file does not hold together: the name of the part, or '' when it does."""
    link = sha256(f"{held['kind']} {held['format']} {str(held['masked']).lower()}")
    for part in held["parts"]:
        if sha256(part["text"]) != part["sha256"]:
            return str(part["name"])
        link = sha256("\n".join((link, part["name"], part["sha256"])))
        if link != part["link"]:
            return str(part["name"])
    return "" if link == held["head"] else "head"


def wrong_version(held: dict[str, Any]) -> str:
    """The version that is not the one the decision was made with, '' when all are."""
    parts = {part["name"]: part for part in held["parts"]}
    capsule = json.loads(parts["capsule"]["text"])
    if "assessment" in capsule:  # turned away before a decision, by one stage alone
        said = capsule["assessment"]
        wanted = {f"strategy:{said['stage']}": said["strategy"], "catalogue": said["catalogue"]}
        wanted |= {f"overlay:{said['stage']}": said["overlay"]} if "overlay" in said else {}
    else:
        versions = capsule["decision"]["versions"]
        wanted = {f"strategy:{stage}": each for stage, each in versions["strategies"].items()}
        wanted |= {f"overlay:{stage}": each for stage, each in versions.get("overlays", {}).items()}
        wanted |= {"scorecard": versions["scorecard"], "catalogue": versions["catalogue"]}
    wanted |= {name: name.partition(":")[2] for name in parts if name.startswith(("flow:", "model:"))}
    return next((n for n, each in wanted.items() if n not in parts or parts[n]["sha256"] != each), "")


def say(line: str, code: int) -> int:
    sys.stdout.write(line + "\n")
    return code


def main(words: list[str]) -> int:
    if len(words) != 2:
        return say("用法：python verify_capsule.py 存证文件", 1)
    try:
        with open(words[1], encoding="utf-8") as file:
            held = json.load(file)
        wrong = first_wrong(held) or wrong_version(held)
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return say("这个文件读不出来，或者不是存证文件", 1)
    if wrong:
        return say(f"对不上：{wrong}", 1)
    return say(f"哈希和链都对得上，共 {len(held['parts'])} 份，链头 {held['head']}", 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv))
