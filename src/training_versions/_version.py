"""The version of this package, where the build, the command line and users find it."""

__version__ = "0.1.0"
