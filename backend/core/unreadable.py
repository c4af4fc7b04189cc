"""Why a file could not be read, in Chinese and with the place: decoders and the system say it in English."""

import errno
import re

import msgspec

from backend.core import given

_KINDS = {
    "int": "整数",
    "float": "数",
    "str": "文字",
    "bool": "true 或 false",
    "null": "空（null）",
    "object": "对象（{…}）",
    "array": "列表（[…]）",
    "datetime": "时间",
    "date": "日期",
    "decimal": "小数",
    "uuid": "编号",
}
_PATTERNS: tuple[tuple[str, str], ...] = (
    (r"Expected `datetime` with a timezone component", "这个时间应当带时区，如 2026-11-23T10:00:00+08:00"),
    (r"Invalid RFC3339 encoded datetime", "应当是时间，如 2026-11-23T10:00:00+08:00"),
    (r"Invalid RFC3339 encoded date", "应当是日期，如 2026-11-23"),
    (r"Object missing required field `(?P<name>.+?)`", "缺少 {name}"),
    (r"Object contains unknown field `(?P<name>.+?)`", "没有叫 {name} 的项"),
    (r"Invalid enum value (?P<name>.+)", "不能是 {name}"),
    (r"Number out of range", "这个数太大或太小"),
    (r"Expected `array` of length (?P<name>\d+).*", "应当正好有 {name} 项"),
)
_EXPECTED = re.compile(r"Expected `(?P<wanted>[^`]+)`(?:, got `(?P<given>[^`]+)`)?")
_WHERE = re.compile(r" - at (?:`?key`? in )?`(?P<path>\$[^`]*)`$")
_BYTE = re.compile(r"\(byte (?P<at>\d+)\)")
_SYSTEM = {
    errno.ENOENT: "没有这个文件或目录",
    errno.EACCES: "没有权限",
    errno.EPERM: "没有权限",
    errno.EISDIR: "这是文件夹",
    errno.ENOTDIR: "路径里有一段不是文件夹",
    errno.EEXIST: "已经有同名的文件",
    errno.ENAMETOOLONG: "名字太长",
    errno.ENOSPC: "磁盘满了",
    errno.EROFS: "这里只能读，不能写",
    errno.ENXIO: "这不是一般的文件",
    errno.EADDRNOTAVAIL: "本机没有这个地址",
}

Cause = msgspec.DecodeError | UnicodeDecodeError | RecursionError
NOT_DECODED = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
"""What `msgspec.json.decode` raises on a file that is not what it should be; a ValidationError is a DecodeError."""


def why(cause: Cause, text: bytes) -> str:
    """One clause, `sources[某一项].facts：应当是对象（{…}），现在是列表（[…]）`; `text` is what was decoded."""
    if isinstance(cause, RecursionError):
        return "括号套得太深"
    if isinstance(cause, UnicodeDecodeError):
        return "里面有不是 UTF-8 的字"
    if isinstance(cause, msgspec.ValidationError):
        return _misfit(str(cause))
    if not text.strip():
        return "文件是空的"
    if found := _BYTE.search(str(cause)):
        return f"{_line_of(text, int(found['at']))}不是 JSON 的写法"
    return "没有写完，最后还缺引号或括号"


def system(cause: OSError) -> str:
    """Why the system did not open or write a file, or listen at a port."""
    if isinstance(cause, given.Unfit):
        return cause.why
    return _SYSTEM.get(cause.errno or 0, f"系统错误 {cause.errno}")


def _misfit(message: str) -> str:
    where = _WHERE.search(message)
    path = where["path"].lstrip("$").removeprefix(".").replace("[...]", "[某一项]") if where else ""
    return (f"{path}：" if path else "") + _meaning(message[: where.start()] if where else message)


def _meaning(said: str) -> str:
    for pattern, words in _PATTERNS:
        if found := re.fullmatch(pattern, said, re.S):
            return words.format(**found.groupdict())
    if found := _EXPECTED.match(said):
        given = f"，现在是{_kinds(found['given'])}" if found["given"] else ""
        return f"应当是{_kinds(found['wanted'])}{given}"
    return "写法不对"


def _kinds(names: str) -> str:
    return "或".join(_KINDS.get(name.strip(), "别的写法") for name in names.split("|"))


def _line_of(text: bytes, at: int) -> str:
    before = text[:at].decode("utf-8", "replace").split("\n")
    return f"第 {len(before)} 行第 {len(before[-1]) + 1} 个字"
