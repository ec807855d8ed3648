"""How long an import and the command line take, beside the dependencies and bare Python.

Importing `training_versions` alone loads nothing (PEP 562), so what is measured is the import of a
name. Each runs in a fresh interpreter. They take turns, so that a busy machine slows all alike, and
the medians are compared.
"""

import os
import statistics
import subprocess
import sys
import time

OURS = "from training_versions import VersionRepository"
THEIRS = "import postgrest, pydantic"
COMMAND_LINE = "from training_versions.cli import main; main(['--help'])"
COMPLETION = """
import os
os.environ.update(_TRAINING_VERSIONS_COMPLETE='bash_complete', COMP_CWORD='2')
os.environ['COMP_WORDS'] = 'training-versions\\npublish\\n--'
from training_versions.cli import main; main()"""
BARE = "pass"
ROUNDS = 15


def measure(statement: str) -> float:
    """Return the seconds that a fresh interpreter takes for a statement."""
    env = dict(os.environ)
    # Users have compiled modules.
    env.pop("PYTHONDONTWRITEBYTECODE", None)
    command = [sys.executable, "-c", statement]

    start = time.perf_counter()
    subprocess.run(command, check=True, timeout=60, env=env, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def main() -> None:
    """Measure, and print the medians and their ratios."""
    statements = (OURS, THEIRS, COMMAND_LINE, COMPLETION, BARE)
    for statement in statements:
        measure(statement)  # compiles the modules and fills the file cache

    times: dict[str, list[float]] = {statement: [] for statement in statements}
    for _ in range(ROUNDS):
        for statement in statements:
            times[statement].append(measure(statement))

    medians = {statement: statistics.median(times[statement]) for statement in statements}
    for ours, theirs in ((OURS, THEIRS), (COMMAND_LINE, BARE), (COMPLETION, BARE)):
        print(f"{ours.splitlines()[-1]:<68}  {medians[ours] * 1000:6.0f} ms")
        print(f"{theirs:<68}  {medians[theirs] * 1000:6.0f} ms")
        print(f"{'ratio':<68}  {medians[ours] / medians[theirs]:6.2f}")


if __name__ == "__main__":
    main()
