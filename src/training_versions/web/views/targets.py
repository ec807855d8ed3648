"""Where versions are deployed, as people call it."""

from typing import Final

from training_versions import DeploymentTarget

TARGET_NAMES: Final[dict[str, str]] = {
    DeploymentTarget.LOCAL: "local",
    DeploymentTarget.HF_SPACE: "HF Space",
}


def target_name(target: str | None) -> str:
    """Name a target; one that a newer database adds keeps its own name."""
    if target is None:
        return ""
    return TARGET_NAMES.get(target, target)
