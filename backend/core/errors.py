"""The six kinds of error below the doors; `backend/web/errors.py` alone turns them into pages, parts or JSON.

Every situation is a named subclass with a stable `code` and a Chinese `message`; placeholders in the
message are filled from the keyword arguments of the constructor.
"""

from typing import ClassVar


class Problem(Exception):
    """Base of everything a person may be told. Never raised itself."""

    code: ClassVar[str] = "problem"
    message: ClassVar[str] = "这一步没有办成，请稍后再试"

    def __init__(self, **details: object) -> None:
        self.details = details
        super().__init__(self.code)

    @property
    def text(self) -> str:
        """The sentence for the person."""
        return self.message.format(**self.details)

    def __str__(self) -> str:
        # Details may hold what a person typed, so only the code is printed (16.2.5).
        return self.code


class NotFound(Problem):
    code = "not_found"
    message = "没有找到这一页，可能链接不完整"


class NotPermitted(Problem):
    code = "not_permitted"
    message = "您现在不能办这一步"


class Invalid(Problem):
    """What the person gave cannot be used. `fields` maps a form field to its sentence."""

    code = "invalid"
    message = "有内容需要改一下"

    def __init__(self, *, fields: dict[str, str] | None = None, **details: object) -> None:
        self.fields = fields or {}
        super().__init__(**details)


class Conflict(Problem):
    code = "conflict"
    message = "这一步刚才已经办过了，请看最新进度"


class TooMany(Problem):
    """A quota is used up; `retry_after` is in seconds."""

    code = "too_many"
    message = "操作太频繁了，请过 {wait} 再试"

    def __init__(self, *, retry_after: int, **details: object) -> None:
        self.retry_after = max(1, retry_after)
        details.setdefault("wait", _spoken(self.retry_after))
        super().__init__(**details)


class Unavailable(Problem):
    """Something outside does not answer. `unknown` is true when its effect may still have happened."""

    code = "unavailable"
    message = "对方系统暂时连不上，您填的内容已经保存，请稍后再试"

    def __init__(self, *, unknown: bool = False, **details: object) -> None:
        self.unknown = unknown
        super().__init__(**details)


def _spoken(seconds: int) -> str:
    if seconds < 90:
        return f"{seconds} 秒"
    if seconds < 5400:
        return f"{-(-seconds // 60)} 分钟"
    return f"{-(-seconds // 3600)} 小时"
