"""The command line `training-versions`.

The imports of this module run at every start. The list of commands and the completion use plain
tables, as importing click takes three times as long as starting Python.
"""

import codecs
import os
import sys
from io import TextIOWrapper

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

_ESCAPES = "training_versions.json_escapes"
_COMPLETE = "_TRAINING_VERSIONS_COMPLETE"
# Commands that work without the extra, with a parser of the standard library.
_PLAIN = ("--version", "migrations", "rollback")
# The extras of commands that need more than `cli`.
_EXTRAS = {
    "demo": "cli,local,web",
    "doctor": "cli,doctor",
    "local": "cli,local",
    "serve": "cli,web",
}


def main(arguments: "Sequence[str] | None" = None) -> int:
    """Run the command line and return its exit status."""
    _open_closed_streams()
    _escape_what_cannot_be_written()
    try:
        return _main(sys.argv[1:] if arguments is None else arguments)
    except KeyboardInterrupt:
        # Ctrl-C during the start.
        return 130


def _open_closed_streams() -> None:
    """Open the null device for each standard stream that was closed at the start."""
    if sys.stdin is None:
        sys.stdin = open(os.devnull, encoding="utf-8")  # noqa: SIM115
    if sys.stdout is None:
        sys.stdout = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115


def _escape_what_cannot_be_written() -> None:
    """Escape the characters that the encoding of a terminal or a pipe lacks."""
    codecs.register_error(_ESCAPES, _escape_as_json)
    for stream in (sys.stdout, sys.stderr):
        # Those of tests need not be files.
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors=_ESCAPES)


def _escape_as_json(error: UnicodeError) -> "tuple[str, int]":
    r"""Return `\uXXXX` for each UTF-16 unit, so that what `--json` prints stays JSON."""
    assert isinstance(error, UnicodeEncodeError)
    lacking = error.object[error.start : error.end]
    units = lacking.encode("utf-16-be", "surrogatepass")
    pairs = zip(units[::2], units[1::2], strict=True)
    return "".join(f"\\u{high:02x}{low:02x}" for high, low in pairs), error.end


def _main(arguments: "Sequence[str]") -> int:
    if _COMPLETE in os.environ:
        from training_versions.cli.completion import complete

        return complete(os.environ[_COMPLETE])
    if not arguments or arguments[0] in ("--help", "-h"):
        return _print_commands(is_mistake=not arguments)
    if arguments[0] in _PLAIN:
        from training_versions.cli.migrations import run as run_plain

        return run_plain(arguments)
    if not _has_extra():
        # Name all extras of the command, so that nobody has to install twice.
        extras = _EXTRAS.get(arguments[0], "cli")
        sys.stderr.write(
            "error: this command needs the extra 'cli'\n"
            f"hint: pip install 'training-versions[{extras}]'\n"
        )
        return 2
    from training_versions.cli.app import run

    return run(arguments)


def _print_commands(*, is_mistake: bool) -> int:
    from training_versions.cli.index import help_text

    # Running without a command is a usage error, so its list goes to stderr.
    stream = sys.stderr if is_mistake else sys.stdout
    try:
        stream.write(help_text())
        stream.flush()
    except OSError as exc:
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
        if isinstance(exc, BrokenPipeError):
            return 141
        sys.stderr.write(f"error: cannot write: {exc.strerror}\n")
        return 1
    return 2 if is_mistake else 0


def _has_extra() -> bool:
    """Return whether the extra is complete. Other extras install click without the rest."""
    from importlib.util import find_spec

    return all(find_spec(name) is not None for name in ("click", "rich", "rich_click"))
