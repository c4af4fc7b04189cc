"""Loading paddleocr without what reading text never uses.

`import paddleocr` pulls in every model family of paddlex and with them pandas, scikit-learn, scipy, matplotlib and
three download clients: 13 s and 240 MB where 3 s and 90 MB do. While `skipping()` is open those packages are
replaced by empty stand-ins; afterwards they are forgotten again, so that nobody else meets them.
"""

import importlib.abc
import importlib.machinery
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import ModuleType
from typing import Any

_UNUSED = (
    "aiohttp aistudio_sdk huggingface_hub joblib matplotlib modelscope modelscope_hub mpl_toolkits "
    "narwhals openai pandas scipy sklearn"
)
UNUSED = frozenset(_UNUSED.split())


class _Anything(type):
    """A class that has every attribute and may be called with anything."""

    def __getattr__(cls, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _nothing(name)

    def __call__(cls, *_: object, **__: object) -> Any:
        return cls


def _nothing(name: str) -> Any:
    return _Anything(name, (), {})


class _StandIn(ModuleType):
    """A module where every name exists and means nothing."""

    __path__: list[str] = []

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return _nothing(name)


class _Finder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def find_spec(
        self, fullname: str, _path: Sequence[str] | None = None, _target: ModuleType | None = None, /
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname.partition(".")[0] not in UNUSED:
            return None
        return importlib.machinery.ModuleSpec(fullname, self, is_package=True)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType:
        return _StandIn(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Nothing to run."""


@contextmanager
def skipping() -> Iterator[None]:
    """Import inside this block without the unused packages (those already imported stay as they are)."""
    finder = _Finder()
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
        for name in [name for name, module in sys.modules.items() if isinstance(module, _StandIn)]:
            del sys.modules[name]
