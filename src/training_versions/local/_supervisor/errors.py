"""The one error of the local stack, raised here and by the code that uses this folder."""

from __future__ import annotations


class LocalStackError(RuntimeError):
    """The local stack cannot start, or one of its programs failed.

    The message says why and what to do.
    """
