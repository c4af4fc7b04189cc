"""Reading pages as a program: the forms, links and state of an H5 page (for the travellers of `journey`)."""

from html.parser import HTMLParser

import msgspec


class Form(msgspec.Struct):
    """One form: where it goes and what it would send as it stands.

    `choices` holds what a radio group, select or check box offers, in page order.
    """

    action: str
    method: str = "get"
    values: dict[str, str] = {}
    choices: dict[str, list[str]] = {}
    files: list[str] = []

    def filled(self, **given: str) -> dict[str, str]:
        return {**self.values, **given}

    def first_choice(self, name: str) -> str:
        return next((c for c in self.choices.get(name, []) if c), "")


class PageReader(HTMLParser):
    """Collects forms, links, the `hx-get` addresses, the attributes of what has an id, and the text of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self.links: list[str] = []
        self.polls: list[str] = []
        self.marked: dict[str, dict[str, str]] = {}
        self._words: list[str] = []
        self._form: Form | None = None
        self._select = ""
        self._area = ""
        self.feed(text)

    @property
    def words(self) -> str:
        return " ".join(" ".join(self._words).split())

    def form(self, action: str) -> Form:
        """The form that posts to a path (its end is enough). Raises LookupError with what the page says."""
        for found in self.forms:
            if found.action.split("?")[0].endswith(action):
                return found
        raise LookupError(f"no form for {action}: {self.words[:160]}")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        if "id" in given:
            self.marked[given["id"]] = given
        if "hx-get" in given:
            self.polls.append(given["hx-get"])
        if tag == "a" and given.get("href"):
            self.links.append(given["href"])
        elif tag == "form":
            self._form = Form(action=given.get("action", ""), method=given.get("method", "get").lower())
            self.forms.append(self._form)
        elif tag == "select":
            self._select = given.get("name", "")
        elif tag == "option" and self._form is not None and self._select:
            self._form.choices.setdefault(self._select, []).append(given.get("value", ""))
            if "selected" in given:
                self._form.values[self._select] = given.get("value", "")
        elif tag in {"input", "textarea"} and self._form is not None and given.get("name"):
            self._input(self._form, given)
            self._area = given["name"] if tag == "textarea" else ""

    def _input(self, form: Form, given: dict[str, str]) -> None:
        name, kind, value = given["name"], given.get("type", "text"), given.get("value", "")
        if kind == "file":
            form.files.append(name)
        elif kind in {"radio", "checkbox"}:
            form.choices.setdefault(name, []).append(value)
            if "checked" in given:
                form.values[name] = value
        elif kind != "submit":
            form.values[name] = value

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._form = None
        elif tag == "select":
            self._select = ""
        elif tag == "textarea":
            self._area = ""

    def handle_data(self, data: str) -> None:
        if self._area and self._form is not None:
            held = self._form.values[self._area]
            self._form.values[self._area] = held + data if held else data.removeprefix("\n")
        if data.strip():
            self._words.append(data.strip())
