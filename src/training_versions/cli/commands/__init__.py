"""The commands, a file for each topic, imported when they are run."""
