"""Cuts WeUI's style sheet to the classes our templates use: 23 kB gzip become about 2.

Run by hand after a template uses a WeUI class for the first time (a test says so):

    python static/vendor/build.py

Needs npm and the network; nothing of it is needed to run the product. Writes weui-2.6.26.cut.css beside itself.
"""

import gzip
import json
import re
import subprocess
import tempfile
from pathlib import Path

WEUI = "2.6.26"
PURGECSS = "8.0.0"
HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]

# WeUI states each coloured value twice (for browsers without variables) and with old prefixes: both go.
SCRIPT = """
const fs = require('fs'); const {PurgeCSS} = require('purgecss');
(async () => {
  const [cut] = await new PurgeCSS().purge({
    content: CONTENT, css: ['node_modules/weui/dist/style/weui.css'],
    variables: true, keyframes: true, fontFace: true,
    extractors: [{extensions: ['html', 'js'], extractor: text => text.match(/[A-Za-z0-9_-]+/g) || []}],
    blocklist: ['wx-root', 'page'],
  });
  fs.writeFileSync('cut.css', cut.css);
})();
"""


def cut() -> str:
    """The cut sheet's text."""
    content = [str(ROOT / "templates/**/*.html"), str(ROOT / "static/js/*.js")]
    with tempfile.TemporaryDirectory() as folder:
        packages = [f"weui@{WEUI}", f"purgecss@{PURGECSS}"]
        subprocess.run(["npm", "install", "--silent", "--no-save", *packages], cwd=folder, check=True)
        Path(folder, "cut.js").write_text(SCRIPT.replace("CONTENT", json.dumps(content)))
        subprocess.run(["node", "cut.js"], cwd=folder, check=True)
        return _without_fallbacks(Path(folder, "cut.css").read_text())


def _without_fallbacks(sheet: str) -> str:
    """Drops old prefixes, and a declaration directly followed by the same property with a variable."""
    kept: list[str] = []
    for line in sheet.splitlines():
        name = line.split(":")[0].strip()
        if name.startswith(("-webkit-", "-ms-", "-moz-")) and ";" in line and "tap-highlight" not in name:
            continue
        if "-webkit-box" in line or "-webkit-flex" in line:
            continue
        if kept and "var(" in line and kept[-1].split(":")[0].strip() == name and "{" not in line:
            kept.pop()
        kept.append(line)
    sheet = "\n".join(line for line in kept if line.strip()) + "\n"
    for _ in range(2):  # an empty rule, then the block it leaves empty
        sheet = re.sub(r"\n[^{}\n]*\{\s*\}", "", sheet)
    return sheet


if __name__ == "__main__":
    target = HERE / f"weui-{WEUI}.cut.css"
    target.write_text(cut())
    print(f"{target.name}: {len(gzip.compress(target.read_bytes(), 9)) / 1000:.1f} kB gzip")  # noqa: T201
