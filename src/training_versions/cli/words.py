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
            "-h": "Show how it is used.",
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
            "--owner": "Whose it is; for the service role.",
            "--json": "Print JSON.",
            "-q": "Print ids only.",
            "--quiet": "Print ids only.",
            "--debug": "Say where an error came from.",
            "-h": "Show how it is used.",
            "--help": "Show how it is used."
        },
        "choices": {},
        "files": {
            "--config": ""
        },
        "parts": {}
    },
    "export": {
        "options": {
            "--yes": "Do not ask.",
            "-y": "Do not ask.",
            "--json": "Print JSON.",
            "-q": "Print ids only.",
            "--quiet": "Print ids only.",
            "--debug": "Say where an error came from.",
            "-h": "Show how it is used.",
            "--help": "Show how it is used."
        },
        "choices": {},
        "files": {
            "": ""
        },
        "parts": {}
    },
    "import": {
        "options": {
            "--into": "If not the package that the file names.",
            "--owner": "Of a new package; for the service role.",
            "--dry-run": "Show what would come of it, and change nothing.",
            "--json": "Print JSON.",
            "-q": "Print ids only.",
            "--quiet": "Print ids only.",
            "--debug": "Say where an error came from.",
            "-h": "Show how it is used.",
            "--help": "Show how it is used."
        },
        "choices": {},
        "files": {
            "": ""
        },
        "parts": {}
    },
    "versions": {
        "options": {
            "--status": "Only those: draft, published, archived. Can be repeated.",
            "--training": "Only those whose training is so: pending, running, completed, failed, cancelled. Can be repeated.",
            "--deployed": "Only those that are live.",
            "--text": "Only those with this in their name or summary.",
            "--oldest": "Oldest first.",
            "--limit": "At most so many.",
            "--json": "Print JSON.",
            "-q": "Print ids only.",
            "--quiet": "Print ids only.",
            "--debug": "Say where an error came from.",
            "-h": "Show how it is used.",
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
            "-h": "Show how it is used.",
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
            "-h": "Show how it is used.",
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
            "-h": "Show how it is used.",
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
            "-h": "Show how it is used.",
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
            "-h": "Show how it is used.",
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
            "-h": "Show how it is used.",
            "--help": "Show how it is used."
        },
        "choices": {},
        "files": {},
        "parts": {}
    },
    "restore": {
        "options": {
            "--name": "The name of the draft.",
            "--summary": "What is new; says by default what it was made from.",
            "--id": "The draft's id; repeats then do nothing.",
            "--force": "Make it even where no content would change.",
            "--dry-run": "Show what would come of it, and change nothing.",
            "--json": "Print JSON.",
            "-q": "Print ids only.",
            "--quiet": "Print ids only.",
            "--debug": "Say where an error came from.",
            "-h": "Show how it is used.",
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
            "--summary": "What is new; says by default what it was made from.",
            "--id": "The draft's id; repeats then do nothing.",
            "--dry-run": "Show what would come of it, and change nothing.",
            "--json": "Print JSON.",
            "-q": "Print ids only.",
            "--quiet": "Print ids only.",
            "--debug": "Say where an error came from.",
            "-h": "Show how it is used.",
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
            "-h": "Show how it is used.",
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
            "-h": "Show how it is used.",
            "--help": "Show how it is used."
        },
        "choices": {},
        "files": {},
        "parts": {}
    },
    "history": {
        "options": {
            "--kind": "Only those: created, restored, forked, imported, edited, published, archived, deleted, training_pending, training_started, training_completed, training_failed, training_cancelled, deployed, undeployed, cost_recorded, cost_alert. Can be repeated.",
            "--since": "From this day or moment on; a day begins in UTC.",
            "--until": "Before this day or moment.",
            "--oldest": "Oldest first.",
            "--limit": "At most so many.",
            "--json": "Print JSON.",
            "-q": "Print ids only.",
            "--quiet": "Print ids only.",
            "--debug": "Say where an error came from.",
            "-h": "Show how it is used.",
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
            "--all": "What was live before, too.",
            "--json": "Print JSON.",
            "-q": "Print ids only.",
            "--quiet": "Print ids only.",
            "--debug": "Say where an error came from.",
            "-h": "Show how it is used.",
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
            "-h": "Show how it is used.",
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
            "-h": "Show how it is used.",
            "--help": "Show how it is used."
        },
        "choices": {
            "": "local hf_space"
        },
        "files": {},
        "parts": {}
    },
    "train": {
        "options": {
            "-h": "Show how it is used.",
            "--help": "Show how it is used."
        },
        "choices": {},
        "files": {},
        "parts": {
            "start": "Start a training run of a draft or published version.",
            "log": "Record metrics, given as arguments or as lines of JSON on stdin.",
            "end": "End the running training run.",
            "runs": "List the training runs of a version, the newest first.",
            "curve": "Draw the curves of a run; through a pipe, print metric, step, value and moment."
        }
    },
    "train start": {
        "options": {
            "--run": "An id of your own: starting again with it returns the same run.",
            "--json": "Print JSON.",
            "-q": "Print ids only.",
            "--quiet": "Print ids only.",
            "--debug": "Say where an error came from.",
            "-h": "Show how it is used.",
            "--help": "Show how it is used."
        },
        "choices": {},
        "files": {},
        "parts": {}
    },
    "train log": {
        "options": {
            "--step": "Makes points of curves of them.",
            "--run": "The run; the latest if left out.",
            "--json": "Print JSON.",
            "-q": "Print ids only.",
            "--quiet": "Print ids only.",
            "--debug": "Say where an error came from.",
            "-h": "Show how it is used.",
            "--help": "Show how it is used."
        },
        "choices": {},
        "files": {},
        "parts": {}
    },
    "train end": {
        "options": {
            "--status": "Completed if left out, which is final.",
            "--reason": "Why it failed or was cancelled.",
            "--run": "Only if this is the run that is running.",
            "--json": "Print JSON.",
            "-q": "Print ids only.",
            "--quiet": "Print ids only.",
            "--debug": "Say where an error came from.",
            "-h": "Show how it is used.",
            "--help": "Show how it is used."
        },
        "choices": {
            "--status": "completed failed cancelled"
        },
        "files": {},
        "parts": {}
    },
    "train runs": {
        "options": {
            "--json": "Print JSON.",
            "-q": "Print ids only.",
            "--quiet": "Print ids only.",
            "--debug": "Say where an error came from.",
            "-h": "Show how it is used.",
            "--help": "Show how it is used."
        },
        "choices": {},
        "files": {},
        "parts": {}
    },
    "train curve": {
        "options": {
            "--metric": "The same as METRIC behind VERSION.",
            "--run": "The run; the latest if left out.",
            "--json": "Print JSON.",
            "-q": "Print ids only.",
            "--quiet": "Print ids only.",
            "--debug": "Say where an error came from.",
            "-h": "Show how it is used.",
            "--help": "Show how it is used."
        },
        "choices": {},
        "files": {},
        "parts": {}
    },
    "cost": {
        "options": {
            "-h": "Show how it is used.",
            "--help": "Show how it is used."
        },
        "choices": {},
        "files": {},
        "parts": {
            "record": "Record what a version cost, and say which part of the budget it reached.",
            "list": "List the cost entries of a version, or of all versions of a package, the...",
            "total": "Add up the costs of all versions of a package."
        }
    },
    "cost record": {
        "options": {
            "--note": "What it was for.",
            "--key": "Idempotency key: of all calls with the same one, only the first records something.",
            "--alert-at": "Of the budget; 50, 80 and 100 if left out. Can be repeated.",
            "--id": "Its id; repeats then do nothing.",
            "--json": "Print JSON.",
            "-q": "Print ids only.",
            "--quiet": "Print ids only.",
            "--debug": "Say where an error came from.",
            "-h": "Show how it is used.",
            "--help": "Show how it is used."
        },
        "choices": {},
        "files": {},
        "parts": {}
    },
    "cost list": {
        "options": {
            "--json": "Print JSON.",
            "-q": "Print ids only.",
            "--quiet": "Print ids only.",
            "--debug": "Say where an error came from.",
            "-h": "Show how it is used.",
            "--help": "Show how it is used."
        },
        "choices": {},
        "files": {},
        "parts": {}
    },
    "cost total": {
        "options": {
            "--json": "Print JSON.",
            "-q": "Print ids only.",
            "--quiet": "Print ids only.",
            "--debug": "Say where an error came from.",
            "-h": "Show how it is used.",
            "--help": "Show how it is used."
        },
        "choices": {},
        "files": {},
        "parts": {}
    },
    "watch": {
        "options": {
            "--lines": "Begin with the newest N events; 10 if left out.",
            "-n": "Begin with the newest N events; 10 if left out.",
            "--kind": "Only events of this kind: created, restored, forked, imported, edited, published, archived, deleted, training_pending, training_started, training_completed, training_failed, training_cancelled, deployed, undeployed, cost_recorded, cost_alert. Can be repeated.",
            "--interval": "How often to look; every 2 seconds if left out.",
            "--json": "Print JSON.",
            "-q": "Print ids only.",
            "--quiet": "Print ids only.",
            "--debug": "Say where an error came from.",
            "-h": "Show how it is used.",
            "--help": "Show how it is used."
        },
        "choices": {
            "--kind": "created restored forked imported edited published archived deleted training_pending training_started training_completed training_failed training_cancelled deployed undeployed cost_recorded cost_alert"
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
            "-h": "Show how it is used.",
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
            "-h": "Show how it is used.",
            "--help": "Show how it is used."
        },
        "choices": {},
        "files": {},
        "parts": {}
    },
    "doctor": {
        "options": {
            "--json": "Print JSON.",
            "-q": "Print ids only.",
            "--quiet": "Print ids only.",
            "--debug": "Say where an error came from.",
            "-h": "Show how it is used.",
            "--help": "Show how it is used."
        },
        "choices": {},
        "files": {},
        "parts": {}
    },
    "local": {
        "options": {
            "--data-dir": "Keep data, users and keys there, and find them again.",
            "--port": "A free one by default.",
            "--empty": "Apply no migrations.",
            "--json": "Print JSON.",
            "-q": "Print ids only.",
            "--quiet": "Print ids only.",
            "--debug": "Say where an error came from.",
            "-h": "Show how it is used.",
            "--help": "Show how it is used."
        },
        "choices": {},
        "files": {},
        "parts": {}
    },
    "demo": {
        "options": {
            "--port": "A free one by default.",
            "--open": "Open the page in your browser.",
            "--json": "Print JSON.",
            "-q": "Print ids only.",
            "--quiet": "Print ids only.",
            "--debug": "Say where an error came from.",
            "-h": "Show how it is used.",
            "--help": "Show how it is used."
        },
        "choices": {},
        "files": {},
        "parts": {}
    },
    "serve": {
        "options": {
            "--host": "127.0.0.1 by default.",
            "--port": "8000 by default; 0 for any free one.",
            "--api-only": "Serve no pages.",
            "--json": "Print JSON.",
            "-q": "Print ids only.",
            "--quiet": "Print ids only.",
            "--debug": "Say where an error came from.",
            "-h": "Show how it is used.",
            "--help": "Show how it is used."
        },
        "choices": {},
        "files": {},
        "parts": {}
    },
    "migrations": {
        "options": {
            "-h": "Show how it is used.",
            "--help": "Show how it is used."
        },
        "choices": {},
        "files": {},
        "parts": {
            "list": "the migrations of this release, with their hashes",
            "copy": "copy what a folder lacks, for `supabase db push`",
            "check": "compare them with a folder, and with the database of SUPABASE_DB_URL"
        }
    },
    "rollback": {
        "options": {
            "-h": "Show how it is used.",
            "--help": "Show how it is used."
        },
        "choices": {},
        "files": {},
        "parts": {}
    },
    "migrations list": {
        "options": {
            "--json": "Print JSON.",
            "-q": "Print names of files only.",
            "--quiet": "Print names of files only.",
            "-h": "Show how it is used.",
            "--help": "Show how it is used."
        },
        "choices": {},
        "files": {},
        "parts": {}
    },
    "migrations copy": {
        "options": {
            "--json": "Print JSON.",
            "-q": "Print names of files only.",
            "--quiet": "Print names of files only.",
            "-h": "Show how it is used.",
            "--help": "Show how it is used."
        },
        "choices": {},
        "files": {
            "": ""
        },
        "parts": {}
    },
    "migrations check": {
        "options": {
            "--json": "Print JSON.",
            "-q": "Print names of files only.",
            "--quiet": "Print names of files only.",
            "-h": "Show how it is used.",
            "--help": "Show how it is used."
        },
        "choices": {},
        "files": {
            "": ""
        },
        "parts": {}
    }
}
