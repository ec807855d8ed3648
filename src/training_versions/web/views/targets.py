"""Names of deployment targets for people."""

from typing import Final

from training_versions import DeploymentTarget

TARGET_NAMES: Final[dict[str, str]] = {
    DeploymentTarget.LOCAL: "local",
    DeploymentTarget.HF_SPACE: "HF Space",
}


def target_name(target: str | None) -> str:
    """Return the name of a target. A target that only a newer database knows keeps its own name."""
    if target is None:
        return ""
    return TARGET_NAMES.get(target, target)
