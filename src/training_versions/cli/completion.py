"""Completion in bash, zsh and fish, with the protocol and the scripts of click.

It runs at every press of the tab key, so it uses plain tables: importing click would take three
times as long as starting Python. It sends no requests.
"""

import os
import sys

from training_versions.cli.index import SUMMARIES
from training_versions.cli.words import WORDS

_FLAGS = {"--help": "List the commands.", "--version": "Say which version this is."}


def complete(instruction: str) -> int:
    """Print the completion script of a shell, or the completions of a word."""
    shell, _, action = instruction.partition("_")
    if action == "source":
        return _print_script(shell)
    if action != "complete" or shell not in ("bash", "zsh", "fish"):
        return 1
    words, incomplete = _typed(shell)
    for kind, word, summary in _candidates(words, incomplete):
        if shell == "bash":
            line = f"{kind},{word}"
        elif shell == "zsh":
            line = f"{kind}\n{word}\n{summary or '_'}"
        else:
            line = f"{kind},{word}\t{summary}" if summary else f"{kind},{word}"
        sys.stdout.write(f"{line}\n")
    return 0


def _print_script(shell: str) -> int:
    try:
        from click.shell_completion import get_completion_class
    except ModuleNotFoundError:
        sys.stderr.write(
            "error: completion needs the extra 'cli'\nhint: pip install 'training-versions[cli]'\n"
        )
        return 2
    kind = get_completion_class(shell)
    if kind is None:
        sys.stderr.write(f"error: there is no completion for {shell}\n")
        return 2
    import click

    # The script holds only the names of the program and of the variable, so any command will do.
    # `source()` is not used: for bash, it starts bash to check its version.
    made = kind(click.Command("_"), {}, "training-versions", "_TRAINING_VERSIONS_COMPLETE")
    sys.stdout.write(made.source_template % made.source_vars())
    return 0


def _typed(shell: str) -> "tuple[list[str], str]":
    """Return the words before the incomplete word, without the program, and the incomplete word."""
    text = os.environ.get("COMP_WORDS", "")
    position = os.environ.get("COMP_CWORD", "")
    words = _split(text)
    if shell == "bash":
        words = text.split("\n")
    if shell == "fish":
        # fish passes the incomplete word, and the words before it, with or without it.
        if position and words and words[-1] == position:
            words.pop()
        return words[1:], position
    number = len(words)
    if position.isdecimal():
        number = int(position)
    if number < len(words):
        return words[1:number], words[number]
    return words[1:], ""


def _split(text: str) -> "list[str]":
    if not set("'\"\\") & set(text):
        return text.split()
    import shlex

    try:
        return shlex.split(text)
    except ValueError:
        # A quote is still open.
        return text.split()


def _candidates(words: "list[str]", incomplete: str) -> "list[tuple[str, str, str]]":
    """Return the possible completions, each with its kind and a summary."""
    if not words and incomplete.startswith("-"):
        return _matching(_FLAGS, incomplete)
    if not words:
        return _matching(SUMMARIES, incomplete)
    name = words[0]
    if " ".join(words[:2]) in WORDS:
        name = " ".join(words[:2])
    known = WORDS.get(name)
    if known is None:
        return []
    choices = known["choices"].get(words[-1])
    if choices is not None:
        return _matching(dict.fromkeys(choices.split(), ""), incomplete)
    if words[-1] in known["files"]:
        return [("file", incomplete, "")]
    if incomplete.startswith("-"):
        return _matching(known["options"], incomplete)
    if known["parts"] and len(words) == 1:
        return _matching(known["parts"], incomplete)
    if "" in known["choices"]:
        return _matching(dict.fromkeys(known["choices"][""].split(), ""), incomplete)
    if "" in known["files"]:
        return [("file", incomplete, "")]
    return []


def _matching(words: "dict[str, str]", incomplete: str) -> "list[tuple[str, str, str]]":
    return [
        ("plain", word, summary) for word, summary in words.items() if word.startswith(incomplete)
    ]
