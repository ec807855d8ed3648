"""What the demo shows: two users and three packages, with a past of some weeks.

`fill` writes it through the SDK, as any program would, and then moves the moments of all rows into
the past. Identifiers and contents are the same each time; moments count from today.
"""

from training_versions.cli.demo.accounts import DemoAccounts, DemoUser
from training_versions.cli.demo.story import fill

__all__ = ["DemoAccounts", "DemoUser", "fill"]
