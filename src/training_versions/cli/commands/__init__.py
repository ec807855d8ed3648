"""The commands, one module for each topic. A module is imported when its command is run."""
