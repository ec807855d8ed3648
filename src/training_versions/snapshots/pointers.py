"""JSON Pointers (RFC 6901), which say where in a document something is."""

from collections.abc import Iterable


def escaped(step: str) -> str:
    """Write one step of a pointer."""
    return step.replace("~", "~0").replace("/", "~1")


def pointer(path: Iterable[str | int]) -> str:
    """Write a path as a pointer, such as `/config_snapshot/lora/r`."""
    return "".join(f"/{escaped(str(step))}" for step in path)
