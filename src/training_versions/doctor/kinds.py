"""Every kind of finding: its level, what it means and why it matters.

`docs/doctor.md` lists them from here, and a test compares the two.
"""

from __future__ import annotations

from dataclasses import dataclass

from .report import Finding, Level


@dataclass(frozen=True)
class Kind:
    """What findings of one id have in common."""

    level: Level
    means: str
    why: str


def finding(id: str, object: str, what: str, fix: str) -> Finding:
    """Return a finding of a known kind."""
    kind = KINDS[id]
    return Finding(id, kind.level, object, what, kind.why, fix)


def _error(means: str, why: str) -> Kind:
    return Kind("error", means, why)


def _warning(means: str, why: str) -> Kind:
    return Kind("warning", means, why)


_PROJECT = {
    "database-unreachable": _error(
        "The database does not answer at the given address.",
        "Without it only the API can be examined.",
    ),
    "database-login": _error(
        "The database refuses the user or the password.",
        "Without it only the API can be examined.",
    ),
    "not-supabase": _error(
        "Something that every Supabase project has is missing.",
        "The migrations rely on the roles anon, authenticated and service_role, on auth.users and "
        "on auth.uid().",
    ),
    "database-rights": _error(
        "The user of the database may not read what an examination needs.",
        "Only the role that applied the migrations, `postgres`, sees everything.",
    ),
}

_MIGRATIONS = {
    "migrations-not-applied": _error(
        "The project has nothing of training-versions.",
        "Every call of the SDK fails until the migrations are applied.",
    ),
    "first-release-only": _error(
        "The project has the first release of the schema, and none of the later migrations.",
        "The functions that the SDK calls come with the later migrations.",
    ),
    "migration-missing": _error(
        "A migration of this release is not in the project's history.",
        "What it makes is missing or old, and a later push applies it out of order.",
    ),
    "migration-changed": _warning(
        "The text of an applied migration is not that of this release.",
        "The database may hold something else than this release expects; findings about objects "
        "say what.",
    ),
    "migration-history-missing": _warning(
        "The objects are there, but the history of migrations has none of the files.",
        "The files were applied without the Supabase CLI, so its next push starts at the first "
        "file and stops there.",
    ),
    "rollback-pushed": _error(
        "The history says that the rollback was applied as a migration.",
        "A push then drops all versions right after making the tables.",
    ),
}

_TABLES = {
    "schema-open": _error(
        "Somebody has a right on the internal schema who should have none.",
        "It holds bookkeeping of all users, and functions that trust their callers.",
    ),
    "schema-closed": _error(
        "A role lacks the right to use a schema.",
        "Its calls fail with `permission denied for schema`.",
    ),
    "table-missing": _error(
        "A table is missing.",
        "Functions that read or write it fail.",
    ),
    "view-missing": _error(
        "A view is missing.",
        "Lists and functions that return summaries fail.",
    ),
    "row-security-off": _error(
        "Row level security is off for a table.",
        "Every user reads, and maybe writes, the rows of all others.",
    ),
    "package-row-security-off": _warning(
        "Row level security is off for training_configs.",
        "Every user who was granted the table sees and changes the packages of all others.",
    ),
    "row-security-forced": _warning(
        "Row level security is forced upon the owner of a table.",
        "The functions that keep the rules run as that owner and must see every row.",
    ),
    "table-unlogged": _error(
        "A table is unlogged.",
        "PostgreSQL empties it after a crash, and no replica or backup by log has its rows.",
    ),
    "table-rule": _error(
        "A rule rewrites what is written to a table.",
        "Writes may do something else than they say, and still report success.",
    ),
    "owner-changed": _error(
        "An object belongs to another role than the internal schema.",
        "The functions that keep the rules run as their owner, who must own what they write.",
    ),
    "view-not-invoker": _error(
        "A view reads with the rights of its owner instead of those of the caller.",
        "It shows the versions of all users to everybody who may read it.",
    ),
    "view-changed": _error(
        "A view has another definition than the shipped one.",
        "Lists lack columns or rows, or show too many.",
    ),
    "view-shows-all": _warning(
        "A view of the app reads versions with the rights of its owner, and users may read it.",
        "Row level security does not apply to it: it shows the versions of all users.",
    ),
    "mark-missing": _warning(
        "The comment that marks an object as ours is missing.",
        "The rollback leaves it behind, and a repeated push takes it for the app's and stops.",
    ),
    "table-open-to-anon": _error(
        "Callers who have not signed in have a right on a table.",
        "Nothing of a version is for the public.",
    ),
    "table-open-to-users": _error(
        "Signed-in users have a right on a table that they should not have.",
        "Row level security does not hold for `truncate`, and tables without policies for writing "
        "are written by the database only.",
    ),
    "table-open-to-service": _warning(
        "The service role has a right on a table that it should not have.",
        "Histories, runs, deployments and costs are written by the database only; a direct write "
        "makes them disagree.",
    ),
    "table-grant-missing": _error(
        "A role lacks a right on a table.",
        "Its calls fail with `permission denied for table`.",
    ),
    "column-missing": _error(
        "A column is missing.",
        "Functions and models that name it fail.",
    ),
    "column-type": _error(
        "A column has another type.",
        "Values are cut, rounded or refused, and functions that return the row fail.",
    ),
    "column-nullable": _error(
        "A column may be null that may not.",
        "The models of the SDK refuse to read such a row.",
    ),
    "column-default-missing": _error(
        "A column has lost its default.",
        "Inserts that leave the column to the database fail.",
    ),
    "column-default-changed": _error(
        "A column has another default.",
        "Inserts that leave the column to the database store something else.",
    ),
    "column-generated": _error(
        "A column is no longer filled in by the database, or otherwise than shipped.",
        "Its values are missing or wrong in new rows, or may be forged.",
    ),
    "column-blocks-versions": _error(
        "A column that the app added to training_package_versions must be given and has no "
        "default.",
        "No version can be created: the functions of the SDK do not know the column.",
    ),
    "column-blocks-packages": _warning(
        "A column that the app added to training_configs must be given and has no default.",
        "The SDK cannot create packages: its function does not know the column.",
    ),
    "primary-key-missing": _error(
        "A table has no primary key.",
        "Two rows may have one id, and idempotent calls fail.",
    ),
    "unique-missing": _error(
        "A unique constraint is missing.",
        "What must be there once may be there twice: numbers of versions, costs with one key.",
    ),
    "check-missing": _error(
        "A check constraint is missing.",
        "Values are stored that no reader expects.",
    ),
    "check-changed": _error(
        "A check constraint has another condition.",
        "Values are stored that no reader expects, or good ones are refused.",
    ),
    "foreign-key-missing": _error(
        "A foreign key is missing.",
        "Rows may point at something that is gone, and stay behind when it is deleted.",
    ),
    "foreign-key-changed": _error(
        "A foreign key acts otherwise when what it points at is deleted, or is checked too early.",
        "Deleting a package, a version or a user fails, or leaves rows behind.",
    ),
    "foreign-key-off": _error(
        "The triggers that keep a foreign key are disabled.",
        "Rows may point at something that is gone, and stay behind when it is deleted.",
    ),
    "constraint-not-valid": _error(
        "A constraint holds for new rows only.",
        "Rows that break it may be stored, and nothing says so.",
    ),
    "index-missing": _warning(
        "An index is missing.",
        "Reads that used it read whole tables.",
    ),
    "unique-index-missing": _error(
        "A unique index is missing.",
        "Two runs of a version may run at once, two versions be live at one target, or one event "
        "be imported twice.",
    ),
    "index-changed": _warning(
        "An index has another definition.",
        "Reads that used it may read whole tables.",
    ),
    "unique-index-changed": _error(
        "A unique index has another definition.",
        "It may not keep unique what it is there for: the runs, the live versions, the imported "
        "events.",
    ),
    "index-invalid": _error(
        "An index is invalid: building it was broken off.",
        "It is written and never read, and a unique one keeps nothing unique.",
    ),
    "index-settings": _warning(
        "An index of snapshots has lost its setting gin_pending_list_limit.",
        "Every save of a large draft takes longer.",
    ),
}

_RULES = {
    "trigger-missing": _error(
        "A trigger is missing.",
        "The rule that it keeps, or the record that it writes, is gone.",
    ),
    "trigger-disabled": _error(
        "A trigger is disabled.",
        "The rule that it keeps does not hold, or the record that it writes is not written.",
    ),
    "trigger-changed": _error(
        "A trigger fires at other times, or calls another function.",
        "The rule that it keeps does not always hold.",
    ),
    "policy-missing": _error(
        "A policy is missing.",
        "Users cannot see or write what is theirs.",
    ),
    "policy-changed": _error(
        "A policy has another condition, command or role.",
        "Users may see or write what is not theirs, or cannot see what is.",
    ),
    "policy-open": _error(
        "A policy was added that allows more.",
        "PostgreSQL combines policies with `or`, so it opens rows that the shipped ones close.",
    ),
    "policy-restrictive": _warning(
        "A restrictive policy was added.",
        "It hides rows from their owners, whom the SDK then tells that there is no such version.",
    ),
    "function-missing": _error(
        "A function is missing.",
        "Calls of it fail, or a rule that it keeps.",
    ),
    "function-body": _error(
        "A function does something else than the shipped one.",
        "What it promises may not hold any more.",
    ),
    "function-arguments": _error(
        "A function takes or returns something else than the shipped one.",
        "The API does not find it, or the SDK cannot read its reply.",
    ),
    "function-security": _error(
        "A function runs with the rights of somebody else: of its owner instead of its caller, or "
        "the reverse.",
        "As its owner in an exposed schema it skips all policies; as its caller it may not do what "
        "it is for.",
    ),
    "function-search-path": _error(
        "A function has lost its setting `search_path = ''`, or has other settings.",
        "A caller can put objects of their own in the place of those that it names.",
    ),
    "function-volatility": _error(
        "A function is declared otherwise: volatile, strict, or its language.",
        "PostgreSQL may answer from an older state, or skip the call.",
    ),
    "function-overloaded": _error(
        "There are several functions of one name.",
        "The API does not know which one to call (PGRST203).",
    ),
    "function-open-to-anon": _error(
        "Callers who have not signed in may execute a function.",
        "Nothing of a version is for the public.",
    ),
    "function-open-to-users": _error(
        "Signed-in users, or the service role, may execute an internal function.",
        "It trusts its callers, who are other functions.",
    ),
    "execute-missing": _error(
        "A role may not execute a function.",
        "Its calls fail with `permission denied for function`.",
    ),
}

_SETTINGS = {
    "internal-schema-exposed": _error(
        "The API exposes the schema training_versions_internal.",
        "Its functions trust their callers, who are other functions.",
    ),
    "public-not-exposed": _error(
        "The API does not expose the schema public.",
        "The SDK finds none of its functions.",
    ),
    "role-skips-policies": _error(
        "anon or authenticated bypasses row level security, or is a superuser.",
        "Every user reads and writes the rows of all others.",
    ),
    "role-member": _error(
        "anon or authenticated belongs to a role that may do more with versions.",
        "Whoever acts as it can do what only that role should.",
    ),
    "service-role-bound": _error(
        "The service role does not bypass row level security.",
        "A backend that uses the secret key sees nothing.",
    ),
    "authenticator-cannot-switch": _error(
        "The role of the API may not become anon, authenticated or service_role.",
        "Requests fail before they reach a table.",
    ),
    "triggers-off": _error(
        "A role or the database starts its sessions with triggers off.",
        "No rule is kept and no history is written.",
    ),
    "read-only": _error(
        "A role or the database starts its transactions read-only.",
        "Every write fails.",
    ),
    "row-security-setting": _error(
        "A role or the database starts its sessions with `row_security = off`.",
        "Every query of a user fails instead of being filtered.",
    ),
    "statement-timeout-short": _warning(
        "Statements or transactions of a role end after less than a second.",
        "Large drafts cannot be saved, and imports break off.",
    ),
    "api-takes-back": _error(
        "The API takes back whatever it has written.",
        "Every write reports success, and nothing is stored.",
    ),
    "anon-acts-as-another": _error(
        "The API carries out the requests of callers without a key as another role than anon.",
        "They have the rights of that role.",
    ),
    "row-cap-small": _warning(
        "Replies of the API have fewer than 100 rows.",
        "Lists are complete, but take many requests.",
    ),
}

_ROWS = {
    "orphan-row": _error(
        "Rows point at something that is gone.",
        "Somebody wrote with triggers off, or while a foreign key was missing.",
    ),
    "version-count": _error(
        "version_count is not the number of versions.",
        "Lists of packages show a wrong number, and a package with versions may change its owner.",
    ),
    "latest-published": _error(
        "latest_published_version is not the number of the newest published version.",
        "Whoever asks for the latest published version by it gets another one, or none.",
    ),
    "current-version": _error(
        "current_version_id is not the newest published version.",
        "Whoever follows it gets another version, or none.",
    ),
    "last-number": _error(
        "The highest number given in a package is above the one on record.",
        "The next draft takes longer, and a number may be given twice.",
    ),
    "number-reused": _error(
        "A version has the number of a deleted draft.",
        "Whoever noted the number of that draft finds another version under it.",
    ),
    "number-below-one": _error(
        "A version has a number below 1.",
        "Lists are paged by number from 1 on.",
    ),
    "version-of-another-user": _warning(
        "A version was created by somebody else than the owner of its package.",
        "The owner does not see it, and it is never the latest published one.",
    ),
    "version-without-creator": _error(
        "A version has no created_by, although its package has an owner.",
        "No user sees it.",
    ),
    "published-unsigned": _error(
        "A published or archived version lacks published_at or published_by.",
        "Nobody can say who published it, and when.",
    ),
    "draft-signed": _error(
        "A draft has published_at or published_by.",
        "It was published and taken back, around the rules.",
    ),
    "edit-token": _error(
        "content_updated_at is later than updated_at.",
        "Every edit with `expected_updated_at` is refused, although nobody edited the draft.",
    ),
    "version-name": _error(
        "The name of a version is blank or longer than 255 characters.",
        "The SDK would refuse it.",
    ),
    "snapshot-shape": _error(
        "A snapshot is not of its shape: config and model are objects, data sets an array.",
        "Typed repositories cannot read it.",
    ),
    "version-cost": _error(
        "A cost is negative, or not a number.",
        "Sums of a package are wrong.",
    ),
    "deployed-without-target": _error(
        "A version is marked as deployed without a target.",
        "Nobody can say where it is live.",
    ),
    "parent-of-another-user": _error(
        "The parent of a version was created by somebody else.",
        "Its owner cannot see where it comes from.",
    ),
    "parent-circle": _error(
        "Versions are their own ancestors.",
        "Their line of descent has no beginning.",
    ),
    "run-not-running": _error(
        "A version says that training is running, and no run is.",
        "Training can neither end nor start again by its run.",
    ),
    "run-left-running": _error(
        "A run is running, and its version does not say so.",
        "The run never ends, and no other can start.",
    ),
    "run-disagrees": _error(
        "The last run of a version has another outcome than the version.",
        "The version and its runs tell two stories.",
    ),
    "run-times": _error(
        "The times of the last run are not those of the version, or a run ends before it starts.",
        "The version and its runs tell two stories.",
    ),
    "event-without-run": _error(
        "The history names a run that is not there.",
        "The run and its curve are lost, and the version and its history tell two stories.",
    ),
    "run-without-event": _error(
        "The history lacks the start of a run.",
        "The history is not complete.",
    ),
    "point-not-finite": _error(
        "A curve has a value that is NaN or infinite.",
        "The SDK cannot read that curve.",
    ),
    "deployed-without-deployment": _error(
        "A version is marked as deployed, and no deployment is live.",
        "`live` and the version tell two stories.",
    ),
    "live-not-shown": _error(
        "A deployment is live, and its version shows none or another one.",
        "`live` and the version tell two stories.",
    ),
    "live-not-published": _error(
        "A deployment of a version that is not published is live.",
        "Only published versions can be deployed.",
    ),
    "deployment-version": _error(
        "A deployment names another package or number than its version has.",
        "`live` finds it under the wrong package.",
    ),
    "deployments-overlap": _warning(
        "Two versions were live at one target at the same time.",
        "`live_at` cannot say which one was.",
    ),
    "deployment-without-event": _error(
        "Deployments and the history disagree about how often a version was deployed or "
        "undeployed.",
        "The history is not complete.",
    ),
    "cost-sum": _error(
        "actual_cost is not the sum of the entries.",
        "The cost of the package and its entries disagree.",
    ),
    "cost-total": _error(
        "The kept sum of the entries of a version is wrong.",
        "The next direct write of actual_cost adds an entry of a wrong amount.",
    ),
    "cost-without-event": _error(
        "Costs and the history disagree about the entries of a version.",
        "The history is not complete.",
    ),
    "alert-without-event": _error(
        "Costs and the history disagree about the alerts of a version.",
        "The history is not complete.",
    ),
    "event-owner": _error(
        "Events belong to another user than their version.",
        "The owner of the version does not see them, and somebody else does.",
    ),
    "run-owner": _error(
        "A run belongs to another user than its version.",
        "The owner of the version does not see it, and somebody else does.",
    ),
    "point-owner": _error(
        "Points of a curve belong to another user than their version.",
        "The owner of the version does not see them, and somebody else does.",
    ),
    "deployment-owner": _error(
        "A deployment belongs to another user than its version.",
        "The owner of the version does not see it, and somebody else does.",
    ),
    "cost-owner": _error(
        "A cost entry belongs to another user than its version.",
        "The owner of the version does not see it, and somebody else does.",
    ),
    "event-version": _error(
        "An event names another package or number than its version has.",
        "The history of the package lacks it.",
    ),
    "history-without-beginning": _error(
        "The history of a version does not begin with its creation.",
        "The history is not complete.",
    ),
    "history-of-publishing": _error(
        "The history of a published or archived version lacks that it was published or archived.",
        "The history is not complete.",
    ),
    "status-went-back": _error(
        "The history says that a version was published or archived, and its status does not.",
        "Published content was opened to edits, around the rules.",
    ),
    "origin-disagrees": _error(
        "The history says otherwise how a version came to be than its origin on record.",
        "One of the two was written by hand.",
    ),
    "event-doubled": _error(
        "The history has twice what happens once.",
        "Whoever counts or follows it is misled.",
    ),
    "deleted-and-there": _error(
        "The history says that a version was deleted, and it is there.",
        "The history tells another story than the tables.",
    ),
    "deletion-without-event": _error(
        "The history lacks that a draft was deleted.",
        "The history is not complete.",
    ),
    "deletion-not-recorded": _error(
        "The history says that a draft was deleted, and there is neither the draft nor the record.",
        "Its number can be given again, and a repeated deletion fails.",
    ),
    "import-left-open": _warning(
        "An import is on record as running, and is not.",
        "Nothing comes of it; it shows that somebody wrote to the internal tables.",
    ),
    "sequence-behind": _error(
        "A sequence is behind the ids of its table.",
        "Every write that adds to the history fails with a duplicate key, until it has caught up.",
    ),
}

_RIGHTS = {
    "caller-not-known": _error(
        "auth.uid() returns somebody else than the user of a request, or nobody.",
        "All policies and rules rest on it.",
    ),
    "policy-recursion": _error(
        "Policies of training_configs and of training_package_versions read each other's tables.",
        "PostgreSQL refuses every query of a user with `infinite recursion detected` (42P17).",
    ),
    "owner-cannot": _error(
        "The owner cannot do something that is theirs to do.",
        "It was tried, in a transaction that was rolled back.",
    ),
    "owner-can": _error(
        "The owner can do something that nobody may.",
        "It was tried, in a transaction that was rolled back.",
    ),
    "stranger-can": _error(
        "A user can read or write something of another user.",
        "It was tried, in a transaction that was rolled back.",
    ),
    "anon-can": _error(
        "A caller who has not signed in can do something.",
        "It was tried, in a transaction that was rolled back.",
    ),
    "service-cannot": _error(
        "The service role cannot do something that it is for.",
        "It was tried, in a transaction that was rolled back.",
    ),
    "service-can": _error(
        "The service role can do something that nobody may.",
        "It was tried, in a transaction that was rolled back.",
    ),
}

_API = {
    "api-unreachable": _error(
        "The API does not answer at the given address.",
        "The SDK cannot reach the project either.",
    ),
    "api-not-supabase": _error(
        "What answers at the given address is no REST API of a Supabase project.",
        "The SDK cannot work with it.",
    ),
    "api-key-refused": _error(
        "The API refuses the key.",
        "The SDK is refused with it, too.",
    ),
    "api-function-missing": _error(
        "The API does not know a function that the SDK calls.",
        "Calls of it fail with PGRST202.",
    ),
    "schema-cache-stale": _error(
        "The API does not know a function or table that the database has.",
        "It has not noticed the migrations: calls fail with PGRST202 or PGRST205.",
    ),
    "api-open-to-anon": _error(
        "The API answers a caller who has not signed in.",
        "Nothing of a version is for the public.",
    ),
    "api-read-refused": _error(
        "The API refuses to read versions with the secret key.",
        "A backend that uses the key cannot work.",
    ),
}

KINDS: dict[str, Kind] = {
    **_PROJECT,
    **_MIGRATIONS,
    **_TABLES,
    **_RULES,
    **_SETTINGS,
    **_ROWS,
    **_RIGHTS,
    **_API,
}
"""By id."""
