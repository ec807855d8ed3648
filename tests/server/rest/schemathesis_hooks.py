"""Hooks of schemathesis: what a valid request is, where no schema can say it."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import schemathesis

RANGES = (("since", "until"), ("created_after", "created_before"))


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: Any) -> None:
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return
    # Two requests with one key are one request.
    if "Idempotency-Key" in (case.headers or {}):
        case.headers["Idempotency-Key"] = str(uuid4())
    # A range does not end before it begins.
    for begin, end in RANGES:
        if begin in (case.query or {}) and end in case.query:
            del case.query[end]
