"""A strategy with sub-flows as one archive of files, each of which GoRules' own editor opens, and back.

In the archive a sub-flow is named by the path of its file, as that editor does it; stored documents name it by its
hash. Nothing else differs from the files of `jdm`.
"""

import io
import re
import zipfile
from collections.abc import Mapping
from typing import Any

from backend.core import archives, files
from backend.domains.decision import gate, jdm

MAIN, INNER = "流程图.json", "子流程"
"""The flow, and the folder of the sub-flows."""
MOST_FILES = 40
_NOT_IN_NAMES = re.compile(r'[\\/:*?"<>|\x00-\x1f]')


def write(document: Mapping[str, Any], flows: Mapping[str, Any]) -> bytes:
    """A flow and the sub-flows it runs (`flows`, by hash) as one archive of files, each named as its node is. Equal
    flows give equal bytes."""
    names: dict[str, str] = {}
    _name(document, flows, names)
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, each in ((MAIN, document), *((path, flows[key]) for key, path in names.items())):
            archive.writestr(zipfile.ZipInfo(name), jdm.write(jdm.pinned(each, names)), zipfile.ZIP_DEFLATED)
    return made.getvalue()


def _name(document: Mapping[str, Any], flows: Mapping[str, Any], names: dict[str, str]) -> None:
    for node in jdm.flow_nodes(document):
        key = str(node["content"]["key"])
        if key in flows and key not in names:
            called = _NOT_IN_NAMES.sub("_", str(node["name"]))[:40]
            tries = (f"{INNER}/{called}{f' {n}' if n else ''}.json" for n in range(MOST_FILES * 10))
            names[key] = next(each for each in tries if each not in names.values())
            _name(flows[key], flows, names)


def read(content: bytes) -> tuple[dict[str, Any], dict[str, Any]]:
    """The flow of a file, or of an archive with the sub-flows it runs, by hash. Raises `jdm.FileUnreadable`."""
    if not content.startswith(b"PK\x03\x04"):
        return jdm.read(content), {}
    held = _files(content)
    if MAIN not in held:
        raise jdm.FileUnreadable(why=f"{files.said(content)}，要的是从这里导出的流程图文件（.json 或 .zip）")
    flows: dict[str, Any] = {}
    return _resolved(MAIN, held, {}, flows, ()), flows


def _files(content: bytes) -> dict[str, dict[str, Any]]:
    try:
        found = archives.unpack(content, most_files=MOST_FILES, largest=jdm.LARGEST)
    except archives.TooLarge as cause:
        raise jdm.FileUnreadable(why="文件太大") from cause
    except archives.NamedTwice as cause:
        raise jdm.FileUnreadable(why="压缩包里有两个同名的文件") from cause
    except archives.NotAnArchive as cause:
        raise jdm.FileUnreadable(why=f"{files.said(content)}，但文件坏了") from cause
    if MAIN not in found:
        return {}
    return {name: jdm.read(text) for name, text in found.items() if name.endswith(".json")}


def _resolved(
    name: str,
    held: Mapping[str, dict[str, Any]],
    hashes: dict[str, str],
    flows: dict[str, Any],
    within: tuple[str, ...],
) -> dict[str, Any]:
    """A file with the hashes of those it names in their place; these go into `flows`."""
    if name in within:
        raise jdm.FileUnreadable(why=f"“{name}”里的子流程绕成了圈")
    try:
        wanted = [key for key in jdm.flows(held[name]) if key in held]
    except (LookupError, TypeError, AttributeError) as cause:
        raise jdm.FileUnreadable(why=f"“{name}”里有没写完整的子流程") from cause
    for key in wanted:
        if key not in hashes:
            inner = _resolved(key, held, hashes, flows, (*within, name))
            hashes[key] = gate.hash_of(inner)
            flows[hashes[key]] = inner
    return jdm.pinned(held[name], hashes)
