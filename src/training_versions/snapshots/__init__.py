"""Snapshots: from what users hold to JSON that comes back equal, and from stored JSON to their types."""
