"""Hooks of schemathesis: what a valid request is, where no schema can say it."""

from __future__ import annotations

import json
from typing import Any
from uuid import uuid4

import schemathesis

# What stands for a text that is not the JSON its `contentSchema` describes: the coverage phase does
# not read that keyword, and sends texts of every length.
JSON_TEXTS = {"config_contains": "{}", "model_contains": "{}", "dataset_contains": "[{}]"}
RANGES = (("since", "until"), ("created_after", "created_before"))


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: Any) -> None:
    if case.meta is None or not case.meta.generation.mode.is_positive:
        return
    # Two requests with one key are one request.
    if "Idempotency-Key" in (case.headers or {}):
        case.headers["Idempotency-Key"] = str(uuid4())
    for name, text in JSON_TEXTS.items():
        if name in (case.query or {}) and not is_described(case.query[name], json.loads(text)):
            case.query[name] = text
    # A range does not end before it begins.
    for begin, end in RANGES:
        if begin in (case.query or {}) and end in case.query:
            del case.query[end]


def is_described(text: str, like: object) -> bool:
    try:
        value = json.loads(text)
    except ValueError:
        return False
    if isinstance(like, list):
        return isinstance(value, list) and all(isinstance(entry, dict) for entry in value)
    return isinstance(value, dict)
