"""The Chromium of the browser tests: it comes with npm, and needs neither root nor a download.

The package `@sparticuz/chromium` holds it compressed. It is unpacked once for each of its versions,
into a folder of `node_modules`, with the libraries and fonts that a bare machine lacks.
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[3]
PACKAGE = ROOT / "node_modules" / "@sparticuz" / "chromium"
UNPACK = 'import chromium from "@sparticuz/chromium"; await chromium.executablePath();'
UNPACK_TIMEOUT = 120

# Not the arguments of the package: they are for a function in a cloud, where the browser is one
# process, and they switch the same-origin policy off, which pages are tested under here.
ARGUMENTS = [
    "--headless=shell",
    "--no-sandbox",
    "--disable-background-networking",
    "--font-render-hinting=none",
]

# The font of the package for what asks for no particular one, so that pictures are alike on every
# machine; for other scripts those of the machine, if it has any.
FONTS = """<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <include ignore_missing="yes">/etc/fonts/fonts.conf</include>
  <dir prefix="relative">fonts</dir>
  <match target="pattern">
    <test name="family"><string>system-ui</string></test>
    <edit name="family" mode="prepend" binding="strong"><string>Open Sans</string></edit>
  </match>
  <match target="pattern">
    <test name="family"><string>sans-serif</string></test>
    <edit name="family" mode="prepend" binding="strong"><string>Open Sans</string></edit>
  </match>
  <cachedir prefix="relative">cache</cachedir>
</fontconfig>
"""


@dataclass(frozen=True)
class Chromium:
    """A browser that is ready to be started."""

    program: Path
    environment: dict[str, str]


def find_chromium() -> Chromium:
    """Return the browser, and unpack it if no test run did so before."""
    version = json.loads((PACKAGE / "package.json").read_text())["version"]
    cache = ROOT / "node_modules" / ".cache"
    cache.mkdir(exist_ok=True)
    folder = cache / f"chromium-{version}"

    # Two workers may want it at once.
    with (cache / "chromium.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.is_dir():
            _unpack(folder)
    return Chromium(folder / "chromium", _environment(folder))


def _unpack(folder: Path) -> None:
    # Under another name first: what an interrupted run left behind is no browser.
    unfinished = folder.with_suffix(".unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir()
    # The package unpacks into the folder for temporary files, and its libraries only where it
    # believes to be in that cloud.
    variables = {"TMPDIR": str(unfinished), "AWS_LAMBDA_JS_RUNTIME": "nodejs22.x"}
    command = ["node", "--input-type=module", "--eval", UNPACK]
    subprocess.run(
        command, cwd=ROOT, env=os.environ | variables, check=True, timeout=UNPACK_TIMEOUT
    )
    (unfinished / "fonts" / "fonts.conf").write_text(FONTS)
    unfinished.rename(folder)


def _environment(folder: Path) -> dict[str, str]:
    variables = os.environ | {"FONTCONFIG_FILE": str(folder / "fonts" / "fonts.conf")}
    if _lacks_libraries(folder / "chromium"):
        variables["LD_LIBRARY_PATH"] = str(folder / "al2023" / "lib")
    return variables


def _lacks_libraries(program: Path) -> bool:
    listed = subprocess.run(
        ["ldd", program], capture_output=True, text=True, check=True, timeout=UNPACK_TIMEOUT
    )
    return "not found" in listed.stdout
