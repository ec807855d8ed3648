"""Translate messages of the SDK, which are for programmers, to those of the command line.

The SDK names arguments and methods, which mean nothing to users of the command line. This table has
the replacement for each such sentence. A test checks that the SDK has every sentence.
"""

from __future__ import annotations

import re
from typing import Final

from training_versions.cli.exits import CHECK_ADDRESS
from training_versions.wording import HINTS_FOR_JSON

_PROJECT_ALONE: Final = "SUPABASE_URL is the project's alone, as in https://<project>.supabase.co."
_OWNER: Final = "The secret key acts for nobody in particular: name a user with --owner."

SENTENCES: Final = {
    # Where and as whom
    "Use the URL and a key of the same project.": "Set SUPABASE_URL and SUPABASE_PUBLISHABLE_KEY "
    "of the same project, or sign in anew: `training-versions login`.",
    "Use the project's URL alone, as in https://<project>.supabase.co.": _PROJECT_ALONE,
    "Make it with the project's URL alone, as in https://<project>.supabase.co.": _PROJECT_ALONE,
    "client asks at": "address is",
    "Check the project's URL and the network, and try again.": CHECK_ADDRESS,
    "The URL of a LocalSupabase begins with http://, not https://.": "The address of "
    "training-versions local begins with http://, not https://.",
    "A LocalSupabase answers until its `with` block ends, or its program.": "Does "
    "training-versions local, or demo, still run?",
    "Check the identifier, and that the client is signed in as its owner.": "Check the id, and "
    "that you are signed in as its owner.",
    "Use the URL of the stack alone, without a path.": "SUPABASE_URL is that of the stack alone, "
    "without a path.",
    "db_url is no address": "SUPABASE_DB_URL is no address",
    "(db_url, or SUPABASE_DB_URL)": "(SUPABASE_DB_URL)",
    "(url and key)": "(SUPABASE_URL and SUPABASE_PUBLISHABLE_KEY)",
    "user_id must say whose package it is": "--owner must say whose package it is",
    "The service role acts for nobody in particular: pass the owner's user_id.": _OWNER,
    "user_id must be the user who creates": "--owner must be the user who creates",
    "Leave user_id out.": "Leave --owner out.",
    # What is stored
    **HINTS_FOR_JSON,
    "Start training first, or leave step out.": "Start training first, or leave --step out.",
    "Leave step out to keep it without a curve.": "Leave --step out to keep it without a curve.",
    "Pass the id of what starting the training returned.": "training-versions train runs VERSION "
    "lists the runs.",
    # What to do once a reply was lost
    "Make the same call again": "Run the same command again",
    "made twice, it has the effect of one": "run twice, it has the effect of one",
    "Read the version first: made again without run_id, this": "Look first, with "
    "`training-versions train runs VERSION`: run again without --run, this",
    "Read what is live first: made again, this": "Look first, with `training-versions live`: "
    "run again, this",
    # What came back
    "See .reply: it is text, so something in between answered.": "Something in between answered, "
    "such as a proxy.",
    "See .reply; where types do not fit what is stored, use a repository without types, or store "
    "what fits.": "Is there a newer release of training-versions?",
    "See .rows; where types do not fit what is stored, use a repository without types, or store "
    "what fits.": "Is there a newer release of training-versions?",
    "See .reply.": "Is SUPABASE_URL the address of a Supabase project?",
}
_ARGUMENT: Final = re.compile(r" (\w+_id)='([0-9a-f-]{36})'")
"""An argument of the SDK with the id of a created object."""


def in_shell_words(text: str) -> str:
    """Replace each sentence for programmers in a text by the one for users of a shell."""
    for sentence, shown in SENTENCES.items():
        text = text.replace(sentence, shown)
    return _ARGUMENT.sub(lambda found: f" {_option_of(found[1])} {found[2]}", text)


def _option_of(argument: str) -> str:
    # The option for the id of a created object is --id, except for training runs.
    return "--run" if argument == "run_id" else "--id"
