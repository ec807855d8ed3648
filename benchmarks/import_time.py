"""How long importing training_versions takes, as a ratio to importing what it stands on, in the same run."""

import os
import statistics
import subprocess
import sys
import time

OURS = "import training_versions"
THEIRS = "import postgrest, pydantic"
ROUNDS = 15


def seconds(statement: str) -> float:
    """Time one statement in a fresh interpreter."""
    env = {
        name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"
    }  # as users have it
    start = time.perf_counter()
    subprocess.run([sys.executable, "-c", statement], check=True, timeout=60, env=env)
    return time.perf_counter() - start


def main() -> None:
    """Take turns, so that a busy machine slows both alike, and print the ratio of the medians."""
    for statement in (OURS, THEIRS):
        seconds(statement)  # compiles and warms the file cache
    rounds = [(seconds(OURS), seconds(THEIRS)) for _ in range(ROUNDS)]
    ours, theirs = (statistics.median(times) for times in zip(*rounds, strict=True))
    print(f"{OURS:28}  {ours * 1000:6.0f} ms")
    print(f"{THEIRS:28}  {theirs * 1000:6.0f} ms")
    print(f"ratio                         {ours / theirs:6.2f}")


if __name__ == "__main__":
    main()
