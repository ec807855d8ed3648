"""The command line `training-versions`.

What is imported here is imported at every start, `--help` and completion included.
"""


def main() -> int:
    """Run the command line, and return its exit status."""
    from training_versions.migrations import main as migrations

    return migrations()
