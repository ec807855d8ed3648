"""The index of commands: the module and the summary of each.

It is a plain table, as it is read at every start. A test compares it with the commands.
"""

TOPICS = {
    "Packages": {
        "packages": ("packages", "List packages."),
        "create": ("packages", "Create a package."),
        "export": ("bundles", "Write a package with its versions and history into a file."),
        "import": ("bundles", "Read a package with its versions and history from a file."),
    },
    "Versions": {
        "versions": ("versions", "List the versions of a package."),
        "show": ("versions", "Show a package, or a version with its content."),
        "diff": ("versions", "Show what differs between two versions."),
        "draft": ("drafts", "Create a draft in a package."),
        "edit": ("edit", "Edit a draft: in your editor, from a file, or field by field."),
        "publish": ("publishing", "Publish a draft; from then on its content never changes."),
        "archive": ("publishing", "Archive a published version."),
        "restore": ("copies", "Make a draft with the content of an old version."),
        "fork": ("copies", "Make a draft in another package with the content of a version."),
        "delete": ("publishing", "Delete a draft, or a package with its drafts."),
        "lineage": ("history", "Show where a version comes from, and what was made from it."),
        "history": ("history", "Show who did what, and when."),
    },
    "Training and deployment": {
        "live": ("deployments", "Show what is live, or was."),
        "deploy": ("deployments", "Make a published version live."),
        "undeploy": ("deployments", "Take a version down."),
        "train": ("training", "Record training: start, log, end, curve."),
        "cost": ("costs", "Show costs, or record one."),
        "watch": ("watch", "Print events as they come."),
    },
    "Projects": {
        "login": ("login", "Sign in, and stay signed in."),
        "logout": ("login", "Sign out."),
        "migrations": ("", "Copy, list or check the migrations."),
        "rollback": ("", "Print the SQL that takes everything back."),
        "doctor": ("doctor", "Check that a project is fit."),
        "local": ("local", "Run a Supabase project on this machine."),
        "demo": ("demo", "Look around in a project with content."),
        "serve": ("serve", "Serve the page and the REST endpoints."),
    },
}
"""The commands by topic, each with its module in `commands/` and one sentence.

Commands without a module work without the extra, and are in `migrations.py`.
"""

MODULES = {
    name: module for topic in TOPICS.values() for name, (module, _) in topic.items() if module
}
SUMMARIES = {name: summary for topic in TOPICS.values() for name, (_, summary) in topic.items()}

_HEAD = """\
Usage: training-versions COMMAND [OPTIONS] …

A version history for training packages in your Supabase project.
"""
_EXAMPLES = """\
Examples:
  training-versions login
  training-versions packages
  training-versions versions support-bot
  training-versions diff support-bot@2 support-bot@3
  training-versions restore support-bot@2

Names:
  support-bot            a package
  support-bot@3          its version 3
  support-bot@latest     its newest version; also
                         @published and @draft
  support-bot@live       what is live; also
                         @live:hf_space
  support-bot@2026-05-03 what was live that day

  training-versions COMMAND --help
"""
_NARROW = 70
"""On a terminal with fewer columns, each sentence has its own line."""


def help_text() -> str:
    """Return the list of commands, as wide as the terminal."""
    lines = [_HEAD]
    is_narrow = terminal_columns() < _NARROW
    for topic, commands in TOPICS.items():
        lines.append(f"{topic}:")
        for name, (_, summary) in commands.items():
            if is_narrow:
                lines += [f"  {name}", *_wrap(summary, 34)]
            else:
                lines.append(f"  {name:12} {summary}")
        lines.append("")
    lines.append(_EXAMPLES)
    return "\n".join(lines)


def _wrap(sentence: str, width: int) -> list[str]:
    # Importing `textwrap` would take a third of the time that Python takes to start.
    lines: list[str] = []
    line = ""
    for word in sentence.split():
        if line and len(line) + 1 + len(word) > width:
            lines.append(f"      {line}")
            line = word
        else:
            line = f"{line} {word}".strip()
    return [*lines, f"      {line}"]


def terminal_columns(descriptor: int = 1) -> int:
    """Return the width of the terminal.

    It is like `shutil.get_terminal_size`, but `shutil` takes long to import.

    Args:
        descriptor: The file descriptor of the terminal, by default stdout.
    """
    import os

    given = os.environ.get("COLUMNS", "")
    if given.isdecimal() and int(given) > 0:
        return int(given)
    try:
        return os.get_terminal_size(descriptor).columns or 80
    except OSError:
        return 80
