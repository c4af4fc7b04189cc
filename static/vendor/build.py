"""Makes two vendored files beside itself; by hand, with npm and the network, nothing of it is needed to run.

    python static/vendor/build.py           weui-2.6.26.cut.css
    python static/vendor/build.py sdk       weixin-js-sdk-1.6.5.js and its licence

WeUI's style sheet is cut to the classes our templates use (23 kB gzip become about 2), again after a template uses
one for the first time (a test says so). WeChat's JS-SDK comes as the CommonJS module of a package; between OPENING
and CLOSING, where a browser finds the `module` it asks for, its text stands unchanged (a test holds its hash).
"""

import gzip
import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path

WEUI = "2.6.26"
PURGECSS = "8.0.0"
WEIXIN = "1.6.5"
OPENING, CLOSING = "(function (module) {\n", "\nwindow.wx = window.jWeixin = module.exports;\n})({});\n"
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


def sdk() -> None:
    """Write the JS-SDK for a browser, and the package's licence."""
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run(["npm", "pack", "--silent", f"weixin-js-sdk@{WEIXIN}"], cwd=folder, check=True)
        subprocess.run(["tar", "xzf", f"weixin-js-sdk-{WEIXIN}.tgz"], cwd=folder, check=True)
        package = Path(folder, "package")
        text = OPENING + (package / "index.js").read_text() + CLOSING
        (HERE / f"weixin-js-sdk-{WEIXIN}.js").write_text(text)
        (HERE / f"weixin-js-sdk-{WEIXIN}.LICENSE").write_text((package / "LICENSE").read_text())


if __name__ == "__main__":
    if sys.argv[1:] == ["sdk"]:
        sdk()
        sys.exit()
    target = HERE / f"weui-{WEUI}.cut.css"
    target.write_text(cut())
    print(f"{target.name}: {len(gzip.compress(target.read_bytes(), 9)) / 1000:.1f} kB gzip")  # noqa: T201
