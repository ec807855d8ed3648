"""What the README, the guide and the examples show passes mypy and pyright, both strict, as pasted.

That they run and print what they say is in `tests/server/test_docs.py`.
"""

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PYRIGHT = ROOT / "node_modules" / ".bin" / "pyright"
PYTHON_BLOCK = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
CLIENT = """import supabase
client = supabase.create_client("https://your-project.supabase.co", "your publishable key")
"""


def blocks_of(file: str) -> list[str]:
    return PYTHON_BLOCK.findall((ROOT / file).read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def programs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what a reader would paste: a file for each block that stands alone."""
    folder = tmp_path_factory.mktemp("programs")
    example, refused_write, *alone = blocks_of("README.md")
    texts = {
        # The second block says that it belongs to the `with` block of the first.
        "readme_first": example + refused_write,
        **{f"readme_{number}": block for number, block in enumerate(alone)},
        "readme_whole": "".join(alone),
        # The guide says that it is one program, and needs a client.
        "guide": CLIENT + "".join(blocks_of("docs/after-the-draft.md")),
        **{
            file.stem: file.read_text(encoding="utf-8") for file in (ROOT / "examples").glob("*.py")
        },
    }
    for name, text in texts.items():
        (folder / f"{name}.py").write_text(text, encoding="utf-8")
    (folder / "pyrightconfig.json").write_text('{"typeCheckingMode": "strict"}')
    return folder


def check(*command: str | Path, folder: Path) -> str:
    done = subprocess.run(
        [*map(str, command)], cwd=folder, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_mypy_accepts_what_the_docs_show(programs: Path) -> None:
    mypy = (sys.executable, "-m", "mypy", "--strict", "--cache-dir", programs / "cache")

    assert "no issues found" in check(*mypy, *programs.glob("*.py"), folder=programs)


def test_pyright_accepts_what_the_docs_show(programs: Path) -> None:
    pyright = (PYRIGHT, "--pythonpath", sys.executable)

    assert "0 errors" in check(*pyright, *programs.glob("*.py"), folder=programs)


def test_mypy_and_the_type_variables_of_a_repository_agree(programs: Path) -> None:
    fits = ROOT / "tests" / "typing" / "fits.py"
    mypy = (sys.executable, "-m", "mypy", "--strict", "--cache-dir", programs / "cache")

    check(*mypy, fits, folder=programs)
