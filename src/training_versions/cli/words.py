"""The words of every command, for completion; written by `make reference`."""

# ruff: noqa: E501
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
    "create": {
        "options": {
            "--type": "Kind of training.",
            "--config": "JSON that a first draft starts from; - is stdin.",
            "--if-missing": "Use the package of this name, if there is one.",
            "--id": "Its id; repeats then do nothing.",
            "--json": "Print JSON.",
            "-q": "Print ids only.",
            "--quiet": "Print ids only.",
            "--debug": "Say where an error came from.",
            "--help": "Show how it is used."
        },
        "choices": {},
        "files": {
            "--config": ""
        },
        "parts": {}
    },
    "versions": {
        "options": {
            "--status": "Only those; may be given twice.",
            "--training": "Only those whose training is so.",
            "--deployed": "Only those that are live.",
            "--text": "Only those with this in their name or summary.",
            "--oldest": "Oldest first.",
            "--limit": "At most so many.",
            "--json": "Print JSON.",
            "-q": "Print ids only.",
            "--quiet": "Print ids only.",
            "--debug": "Say where an error came from.",
            "--help": "Show how it is used."
        },
        "choices": {
            "--status": "draft published archived",
            "--training": "pending running completed failed cancelled"
        },
        "files": {},
        "parts": {}
    },
    "show": {
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
    },
    "diff": {
        "options": {
            "--only": "Only what lies at or below it.",
            "--patch": "Print a JSON Patch (RFC 6902).",
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
    "draft": {
        "options": {
            "--config": "The config: a JSON object; - is stdin.",
            "--model": "The base model: a JSON object.",
            "--dataset": "The data sets: a JSON list of objects.",
            "--name": "Its name.",
            "--summary": "What is new; '' empties it.",
            "--estimated-cost": "What training should cost.",
            "--budget": "What training may cost.",
            "--parent": "The version that it comes from.",
            "--id": "Its id; repeats then do nothing.",
            "--json": "Print JSON.",
            "-q": "Print ids only.",
            "--quiet": "Print ids only.",
            "--debug": "Say where an error came from.",
            "--help": "Show how it is used."
        },
        "choices": {},
        "files": {
            "--config": "",
            "--model": "",
            "--dataset": ""
        },
        "parts": {}
    },
    "edit": {
        "options": {
            "--from": "Take the content from it; - is stdin.",
            "--config": "The config: a JSON object; - is stdin.",
            "--model": "The base model: a JSON object.",
            "--dataset": "The data sets: a JSON list of objects.",
            "--name": "Its name.",
            "--summary": "What is new; '' empties it.",
            "--estimated-cost": "What training should cost.",
            "--budget": "What training may cost.",
            "--overwrite": "Save it even if somebody else edited the draft since.",
            "--json": "Print JSON.",
            "-q": "Print ids only.",
            "--quiet": "Print ids only.",
            "--debug": "Say where an error came from.",
            "--help": "Show how it is used."
        },
        "choices": {},
        "files": {
            "--from": "",
            "--config": "",
            "--model": "",
            "--dataset": ""
        },
        "parts": {}
    },
    "publish": {
        "options": {
            "--name": "Its name from now on.",
            "--yes": "Do not ask.",
            "-y": "Do not ask.",
            "--dry-run": "Show what would come of it, and change nothing.",
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
    "archive": {
        "options": {
            "--yes": "Do not ask.",
            "-y": "Do not ask.",
            "--dry-run": "Show what would come of it, and change nothing.",
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
    "restore": {
        "options": {
            "--name": "The name of the draft.",
            "--summary": "What is new; says by default what was restored.",
            "--id": "The draft's id; repeats then do nothing.",
            "--dry-run": "Show what would come of it, and change nothing.",
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
    "fork": {
        "options": {
            "--into": "The package for the draft.",
            "--name": "The name of the draft.",
            "--summary": "What is new; says by default what was forked.",
            "--id": "The draft's id; repeats then do nothing.",
            "--dry-run": "Show what would come of it, and change nothing.",
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
    "delete": {
        "options": {
            "--yes": "Do not ask.",
            "-y": "Do not ask.",
            "--dry-run": "Show what would come of it, and change nothing.",
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
    "lineage": {
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
    },
    "history": {
        "options": {
            "--kind": "Only those; may be given twice.",
            "--since": "From this day or moment on; a day begins in UTC.",
            "--until": "Before this day or moment.",
            "--oldest": "Oldest first.",
            "--limit": "At most so many.",
            "--json": "Print JSON.",
            "-q": "Print ids only.",
            "--quiet": "Print ids only.",
            "--debug": "Say where an error came from.",
            "--help": "Show how it is used."
        },
        "choices": {
            "--kind": "created restored forked imported edited published archived deleted training_pending training_started training_completed training_failed training_cancelled deployed undeployed cost_recorded cost_alert"
        },
        "files": {},
        "parts": {}
    },
    "live": {
        "options": {
            "--on": "What was live at the end of that day, in UTC.",
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
    "deploy": {
        "options": {
            "--url": "Where it answers.",
            "--deployment-id": "What the target calls it.",
            "--id": "Its id; repeats then do nothing.",
            "--yes": "Do not ask.",
            "-y": "Do not ask.",
            "--dry-run": "Show what would come of it, and change nothing.",
            "--json": "Print JSON.",
            "-q": "Print ids only.",
            "--quiet": "Print ids only.",
            "--debug": "Say where an error came from.",
            "--help": "Show how it is used."
        },
        "choices": {
            "": "local hf_space"
        },
        "files": {},
        "parts": {}
    },
    "undeploy": {
        "options": {
            "--yes": "Do not ask.",
            "-y": "Do not ask.",
            "--dry-run": "Show what would come of it, and change nothing.",
            "--json": "Print JSON.",
            "-q": "Print ids only.",
            "--quiet": "Print ids only.",
            "--debug": "Say where an error came from.",
            "--help": "Show how it is used."
        },
        "choices": {
            "": "local hf_space"
        },
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
