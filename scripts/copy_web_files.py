"""Copy what the pages are made of from npm into the package, with its licence beside it.

    python scripts/copy_web_files.py

`package.json` says which version of each; a test compares the copies with what npm installs.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path

ROOT = Path(__file__).parents[1]
MODULES = ROOT / "node_modules"
VENDOR = ROOT / "src" / "training_versions" / "web" / "static" / "vendor"
# The folder of each package, its name at npm, and its files.
PACKAGES: dict[str, tuple[str, tuple[str, ...]]] = {
    "htmx": ("htmx.org", ("dist/htmx.min.js", "LICENSE")),
    "uplot": ("uplot", ("dist/uPlot.iife.min.js", "dist/uPlot.min.css", "LICENSE")),
}


def copies() -> dict[Path, Path]:
    """Return for each file in the package which file of npm it is a copy of."""
    found: dict[Path, Path] = {}
    for folder, (name, files) in PACKAGES.items():
        package = MODULES / name
        version = json.loads((package / "package.json").read_text(encoding="utf-8"))["version"]
        for file in files:
            found[VENDOR / f"{folder}-{version}" / Path(file).name] = package / file
    return found


def main() -> None:
    """Replace what is vendored."""
    shutil.rmtree(VENDOR, ignore_errors=True)
    for target, source in copies().items():
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(source, target)
        print(target.relative_to(ROOT))


if __name__ == "__main__":
    main()
