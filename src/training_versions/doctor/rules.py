"""Compare triggers, policies and functions, which enforce the rules, with the shipped ones."""

from __future__ import annotations

from collections.abc import Iterator

from training_versions.doctor.kinds import finding
from training_versions.doctor.report import Finding
from training_versions.doctor.shipped import (
    PACKAGES,
    Catalog,
    Facts,
    comments,
    function_sources,
    shipped,
)
from training_versions.doctor.sql import identifier, listed, transaction

_COMMANDS = {"r": "select", "a": "insert", "w": "update", "d": "delete", "*": "all"}


# --- triggers


def triggers(expected: dict[str, Facts], actual: dict[str, Facts]) -> Iterator[Finding]:
    """Compare the triggers. Those that the app added are ignored."""
    for name, wanted in expected.items():
        table = wanted["table"]
        trigger = name.removeprefix(f"{table}.")
        label = f"trigger {trigger} on {table}"
        facts = actual.get(name)
        if facts is None:
            what = f"The trigger {trigger} on {table} is missing."
            yield finding("trigger-missing", label, what, f"{wanted['definition']};")
            continue
        if facts["definition"] != wanted["definition"]:
            yield finding(
                "trigger-changed",
                label,
                f"{trigger} on {table} is another: {facts['definition']}.",
                transaction(f"drop trigger {trigger} on {table};", f"{wanted['definition']};"),
            )
        if not facts["enabled"]:
            yield finding(
                "trigger-disabled",
                label,
                f"{trigger} on {table} is disabled.",
                f"alter table {table} enable trigger {trigger};",
            )


# --- policies


def policies(expected: dict[str, Facts], actual: dict[str, Facts]) -> Iterator[Finding]:
    """Compare the policies. Additional ones are reported, except on training_configs."""
    for name, wanted in expected.items():
        policy, label = _policy(name, wanted)
        facts = actual.get(name)
        if facts is None:
            what = f"The policy {policy} on {wanted['table']} is missing."
            yield finding("policy-missing", label, what, _create_policy(policy, wanted))
        elif facts != wanted:
            different = [fact for fact in wanted if facts[fact] != wanted[fact]]
            yield finding(
                "policy-changed",
                label,
                f"{policy} on {wanted['table']} has another {listed(different)}.",
                transaction(
                    f"drop policy {policy} on {wanted['table']};", _create_policy(policy, wanted)
                ),
            )
    for name, facts in actual.items():
        if name in expected or facts["table"] == PACKAGES:
            continue
        policy, label = _policy(name, facts)
        kind = "policy-open" if facts["permissive"] else "policy-restrictive"
        yield finding(
            kind,
            label,
            f"{policy} on {facts['table']} is not one of ours"
            f" (for {_COMMANDS[facts['command']]} to {listed(facts['roles'])}).",
            f"drop policy {policy} on {facts['table']};",
        )


def _policy(name: str, facts: Facts) -> tuple[str, str]:
    policy = identifier(name.removeprefix(f"{facts['table']}."))
    return policy, f"policy {policy} on {facts['table']}"


def _create_policy(policy: str, wanted: Facts) -> str:
    lines = [
        f"create policy {policy} on {wanted['table']}",
        f"    for {_COMMANDS[wanted['command']]} to {', '.join(wanted['roles'])}",
    ]
    if wanted["using"]:
        lines.append(f"    using ({wanted['using']})")
    if wanted["check"]:
        lines.append(f"    with check ({wanted['check']})")
    return "\n".join(lines) + ";"


# --- functions

_DIFFERENCES = {
    "function-body": ("body",),
    "function-security": ("definer",),
    "function-search-path": ("settings",),
    "function-volatility": ("volatile", "strict", "language"),
}


def functions(actual: Catalog, owner: str) -> Iterator[Finding]:
    """Compare the functions."""
    for name, wanted in shipped()["function"].items():
        facts = actual["function"].get(name)
        if facts is None:
            yield finding(
                "function-missing",
                f"function {name}",
                f"The function {name} is missing.",
                transaction(*_create_function(name, wanted)),
            )
        else:
            yield from _function(name, wanted, facts, owner)
    for name, signatures in actual["overloaded"].items():
        wanted = shipped()["function"][name]
        extra = [text for text in signatures["signatures"] if text != wanted["signature"]]
        yield finding(
            "function-overloaded",
            f"function {name}",
            f"There are several functions {name}: {listed(signatures['signatures'])}.",
            "\n".join(f"drop function {signature};" for signature in extra),
        )


def _function(name: str, wanted: Facts, facts: Facts, owner: str) -> Iterator[Finding]:
    label = f"function {facts['signature']}"
    if (facts["arguments"], facts["result"]) != (wanted["arguments"], wanted["result"]):
        yield finding(
            "function-arguments",
            label,
            f"{name} takes ({facts['arguments']}) and returns {facts['result']}, "
            f"not ({wanted['arguments']}) and {wanted['result']}.",
            transaction(f"drop function {facts['signature']};", *_create_function(name, wanted)),
        )
        return
    for kind, names in _DIFFERENCES.items():
        different = [fact for fact in names if facts[fact] != wanted[fact]]
        if different:
            what = _difference(kind, name, wanted, facts)
            yield finding(kind, label, what, function_sources()[name])
    if facts["owner"] != owner:
        yield finding(
            "owner-changed",
            label,
            f"{name} belongs to {facts['owner']}, not to {owner}.",
            f"alter function {facts['signature']} owner to {identifier(owner)};",
        )
    if wanted["marked"] and not facts["marked"]:
        what = f"The comment of {name} does not begin with `training-versions: `."
        yield finding("mark-missing", label, what, "\n".join(comments(name)))


def _difference(kind: str, name: str, wanted: Facts, facts: Facts) -> str:
    if kind == "function-body":
        return f"The body of {name} is not the shipped one."
    if kind == "function-security":
        runs_as = "its owner" if facts["definer"] else "its caller"
        return f"{name} runs as {runs_as}."
    if kind == "function-search-path":
        return f"{name} has the settings {facts['settings']}, not {wanted['settings']}."
    return f"{name} is declared {_declaration(facts)}, not {_declaration(wanted)}."


_VOLATILITY = {"i": "immutable", "s": "stable", "v": "volatile"}


def _declaration(facts: Facts) -> str:
    words = [facts["language"], _VOLATILITY[facts["volatile"]]]
    if facts["strict"]:
        words.append("strict")
    return ", ".join(words)


def _create_function(name: str, wanted: Facts) -> list[str]:
    roles = ", ".join(wanted["grants"])
    signature = wanted["signature"]
    statements = [
        function_sources()[name],
        f"revoke all on function {signature} from public, anon, authenticated, service_role;",
    ]
    if roles:
        statements.append(f"grant execute on function {signature} to {roles};")
    statements += comments(name)
    if name.startswith("public."):
        statements.append("notify pgrst, 'reload schema';")
    return statements
