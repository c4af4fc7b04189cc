"""The platform's XML, read without trusting it (ASVS 1.5.1) and written so that nothing escapes its place."""

import re
from typing import Any
from xml.parsers import expat

Fields = dict[str, Any]
"""Element name → text, or → Fields, or a list of either when a name repeats."""

MOST_DEPTH = 6
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff\ufffe\uffff]")


class Unreadable(Exception):
    """Not XML of the platform: malformed, too deep or not UTF-8."""


class DocumentType(Unreadable):
    """It brings a document type, which a message never has and an attack on a parser always."""


def parse(body: bytes) -> Fields:
    """The children of the root element. Raises `DocumentType` or `Unreadable`."""
    reader = _Reader()
    try:
        body.decode("utf-8")
        reader.parser.Parse(body, True)
    except (expat.ExpatError, UnicodeDecodeError, _Refused) as cause:
        raise Unreadable() from cause
    root = reader.root
    if not isinstance(root, dict):
        raise Unreadable()
    return root


def text(fields: Fields, name: str) -> str:
    """The text of an element; empty when it is missing or no text."""
    value = fields.get(name, "")
    return value if isinstance(value, str) else ""


def element(name: str, value: str) -> str:
    """`<name><![CDATA[value]]></name>`; `]]>` inside is split, characters XML forbids are dropped."""
    safe = _FORBIDDEN.sub("", value).replace("]]>", "]]]]><![CDATA[>")
    return f"<{name}><![CDATA[{safe}]]></{name}>"


class _Refused(Exception):
    pass


class _Reader:
    def __init__(self) -> None:
        self.root: Fields | str | None = None
        self._stack: list[tuple[str, Fields, list[str]]] = []
        self.parser = expat.ParserCreate("utf-8")
        self.parser.StartDoctypeDeclHandler = self._document_type
        self.parser.EntityDeclHandler = self._document_type
        self.parser.StartElementHandler = self._start
        self.parser.CharacterDataHandler = self._characters
        self.parser.EndElementHandler = self._end

    def _document_type(self, *_: object) -> None:
        raise DocumentType

    def _start(self, name: str, _: object) -> None:
        if len(self._stack) >= MOST_DEPTH:
            raise _Refused
        self._stack.append((name, {}, []))

    def _characters(self, text: str) -> None:
        self._stack[-1][2].append(text)

    def _end(self, _: str) -> None:
        name, children, words = self._stack.pop()
        value: Fields | str = children or "".join(words).strip()
        if not self._stack:
            self.root = value
            return
        siblings = self._stack[-1][1]
        if name not in siblings:
            siblings[name] = value
        elif isinstance(siblings[name], list):
            siblings[name].append(value)
        else:
            siblings[name] = [siblings[name], value]
