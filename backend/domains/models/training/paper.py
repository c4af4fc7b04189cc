"""The validation report as one HTML file that needs nothing else, and as a PDF (typst).

`python -m backend.domains.models.training.paper` draws the report on its input, in a process of its own: whoever
serves pages never loads the drawing library.
"""

import base64
import json
import sys
import tempfile
from datetime import date
from pathlib import Path
from typing import Any

import jinja2
import msgspec

from backend.documents import rendering
from backend.domains.models import apart
from backend.domains.models.training import plots, wording
from backend.domains.models.training.plots import Plot
from backend.domains.models.training.wording import Page

TEMPLATES = Path(__file__).parents[4] / "templates"
HTML, PAPER = "documents/model_report.html", "model_report.typ"


class Files(msgspec.Struct, frozen=True):
    html: str
    pdf: bytes


class Asked(msgspec.Struct, frozen=True):
    """What comes in on the standard input."""

    report: dict[str, Any]
    made_on: date


def made(report: dict[str, Any], made_on: date) -> Files:
    """Both from the report alone (`models.report`), so that the register draws what `train` drew."""
    drawn, page = plots.draw(report, wording.label), wording.page(report, wording.label)
    return Files(html(page, drawn), pdf(page, drawn, made_on, f"模型指纹 {report['model_sha256'][:16]}"))


def main() -> None:
    apart.limited()
    asked = msgspec.msgpack.decode(sys.stdin.buffer.read(), type=Asked)
    sys.stdout.buffer.write(msgspec.msgpack.encode(made(asked.report, asked.made_on)))


def html(page: Page, plots: list[Plot]) -> str:
    """Images inline, no script, no address: it can be mailed and opened anywhere."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES), autoescape=True, undefined=jinja2.StrictUndefined
    )
    drawn = [{"title": p.title, "alt": p.alt, "base64": base64.b64encode(p.png).decode()} for p in plots]
    return environment.get_template(HTML).render(page=msgspec.to_builtins(page) | {"plots": drawn})


def pdf(page: Page, plots: list[Plot], made_on: date, foot: str) -> bytes:
    """Characters our font does not have are shown as a question mark: a column may be called anything."""
    import typst

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        drawn = []
        for number, plot in enumerate(plots):
            file = f"plot{number}.png"
            (folder / file).write_bytes(plot.png)
            drawn.append({"title": plot.title, "alt": plot.alt, "file": file})
        told: dict[str, Any] = msgspec.to_builtins(page)
        told |= {"plots": drawn, "made_on": [made_on.year, made_on.month, made_on.day], "foot": foot}
        (folder / "data.json").write_text(_printable(json.dumps(told, ensure_ascii=False)), encoding="utf-8")
        for template in (PAPER, "_base.typ"):
            (folder / template).write_bytes((rendering.TEMPLATES / template).read_bytes())
        compiler = typst.Compiler(root=name, font_paths=[str(rendering.FONTS)], ignore_system_fonts=True)
        made = compiler.compile(str(folder / PAPER), format="pdf", pdf_standards="a-2b")
        assert isinstance(made, bytes)  # one file: only pictures come as a list
        return made


def _printable(text: str) -> str:
    covered = rendering.covered()
    return "".join(character if character in covered else "?" for character in text)


if __name__ == "__main__":
    main()
