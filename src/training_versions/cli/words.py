"""The words of every command, for completion; written by `make reference`."""

# fmt: off
WORDS: "dict[str, dict[str, dict[str, str]]]" = {
    "packages": {
        "options": {
            "--text": "Only those with this in their name.",
            "--type": "Only those of this type.",
            "--limit": "At most so many.",
            "--json": "Print JSON.",
            "-q": "Print ids only.",
            "--quiet": "Print ids only.",
            "--debug": "Say where an error came from.",
            "--help": "Show how it is used."
        },
        "choices": {},
        "files": {},
        "parts": {}
    },
    "login": {
        "options": {
            "--url": "The project; by default SUPABASE_URL.",
            "--key": "Its publishable key; by default SUPABASE_PUBLISHABLE_KEY.",
            "--email": "Your address; asked for otherwise.",
            "--password-stdin": "Read the password from stdin.",
            "--json": "Print JSON.",
            "-q": "Print ids only.",
            "--quiet": "Print ids only.",
            "--debug": "Say where an error came from.",
            "--help": "Show how it is used."
        },
        "choices": {},
        "files": {},
        "parts": {}
    },
    "logout": {
        "options": {
            "--json": "Print JSON.",
            "-q": "Print ids only.",
            "--quiet": "Print ids only.",
            "--debug": "Say where an error came from.",
            "--help": "Show how it is used."
        },
        "choices": {},
        "files": {},
        "parts": {}
    }
}
