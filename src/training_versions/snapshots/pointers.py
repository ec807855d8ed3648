"""JSON Pointers (RFC 6901), which say where in a document something is.

They are written here and never read.
"""

from collections.abc import Iterable


def escape_step(step: str) -> str:
    """Write one step of a pointer: a tilde as `~0`, a slash as `~1`."""
    # Tildes first, or those of "~1" would be escaped again.
    return step.replace("~", "~0").replace("/", "~1")


def pointer(path: Iterable[str | int]) -> str:
    """Write a path as a pointer, such as `/config_snapshot/lora/r`."""
    return "".join(f"/{escape_step(str(step))}" for step in path)
