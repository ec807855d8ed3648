"""The content of the demo: two users and three packages, with some weeks of history.

`fill` writes it through the SDK, as any program would, and then moves the timestamps of all rows
into the past. Ids and contents are always the same. Timestamps are relative to the present.
"""

from training_versions.cli.demo.accounts import DemoAccounts, DemoUser
from training_versions.cli.demo.story import fill

__all__ = ["DemoAccounts", "DemoUser", "fill"]
