"""How long the import of a repository takes, and how that compares with its dependencies.

Importing `training_versions` alone loads nothing (PEP 562), so what is measured is the import of a
name. Each import runs in a fresh interpreter. Ours and theirs take turns, so that a busy machine
slows both alike, and the medians are compared.
"""

import os
import statistics
import subprocess
import sys
import time

OURS = "from training_versions import VersionRepository"
THEIRS = "import postgrest, pydantic"
ROUNDS = 15


def measure(statement: str) -> float:
    """Return the seconds that a fresh interpreter takes for a statement."""
    env = dict(os.environ)
    # Users have compiled modules.
    env.pop("PYTHONDONTWRITEBYTECODE", None)
    command = [sys.executable, "-c", statement]

    start = time.perf_counter()
    subprocess.run(command, check=True, timeout=60, env=env)
    return time.perf_counter() - start


def main() -> None:
    """Measure both imports, and print the medians and their ratio."""
    # The first import compiles the modules and fills the file cache.
    measure(OURS)
    measure(THEIRS)

    our_times: list[float] = []
    their_times: list[float] = []
    for _ in range(ROUNDS):
        our_times.append(measure(OURS))
        their_times.append(measure(THEIRS))

    ours = statistics.median(our_times)
    theirs = statistics.median(their_times)
    print(f"{OURS:<47}  {ours * 1000:6.0f} ms")
    print(f"{THEIRS:<47}  {theirs * 1000:6.0f} ms")
    print(f"{'ratio':<47}  {ours / theirs:6.2f}")


if __name__ == "__main__":
    main()
