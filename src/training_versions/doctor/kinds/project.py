"""Kinds of findings about a project as a whole: connection, migrations, settings, rights, API."""

from __future__ import annotations

from training_versions.doctor.kinds.kind import error, warning

PROJECT = {
    "database-unreachable": error(
        "The database does not answer at the given address.",
        "Without it only the API can be examined.",
    ),
    "database-login": error(
        "The database refuses the user or the password.",
        "Without it only the API can be examined.",
    ),
    "not-supabase": error(
        "Something that every Supabase project has is missing.",
        "The migrations rely on the roles anon, authenticated and service_role, on auth.users and "
        "on auth.uid().",
    ),
    "database-rights": error(
        "The user of the database may not read what an examination needs.",
        "Only the role that applied the migrations, `postgres`, sees everything.",
    ),
}

MIGRATIONS = {
    "migrations-not-applied": error(
        "The project has nothing of training-versions.",
        "Every call of the SDK fails until the migrations are applied.",
    ),
    "first-release-only": error(
        "The project has the first release of the schema, and none of the later migrations.",
        "The functions that the SDK calls come with the later migrations.",
    ),
    "migration-missing": error(
        "A migration of this release is not in the project's history.",
        "What it makes is missing or old, and a later push applies it out of order.",
    ),
    "migration-changed": warning(
        "The text of an applied migration is not that of this release.",
        "The database may hold something else than this release expects; findings about objects "
        "say what.",
    ),
    "migration-history-missing": warning(
        "The objects are there, but the history of migrations has none of the files.",
        "The files were applied without the Supabase CLI, so its next push starts at the first "
        "file and stops there.",
    ),
    "rollback-pushed": error(
        "The history says that the rollback was applied as a migration.",
        "A push then drops all versions right after making the tables.",
    ),
}

SETTINGS = {
    "internal-schema-exposed": error(
        "The API exposes the schema training_versions_internal.",
        "Its functions trust their callers, who are other functions.",
    ),
    "public-not-exposed": error(
        "The API does not expose the schema public.",
        "The SDK finds none of its functions.",
    ),
    "role-skips-policies": error(
        "anon or authenticated bypasses row level security, or is a superuser.",
        "Every user reads and writes the rows of all others.",
    ),
    "role-member": error(
        "anon or authenticated belongs to a role that may do more with versions.",
        "Whoever acts as it can do what only that role should.",
    ),
    "service-role-bound": error(
        "The service role does not bypass row level security.",
        "A backend that uses the secret key sees nothing.",
    ),
    "authenticator-cannot-switch": error(
        "The role of the API may not become anon, authenticated or service_role.",
        "Requests fail before they reach a table.",
    ),
    "triggers-off": error(
        "A role or the database starts its sessions with triggers off.",
        "No rule is kept and no history is written.",
    ),
    "read-only": error(
        "A role or the database starts its transactions read-only.",
        "Every write fails.",
    ),
    "row-security-setting": error(
        "A role or the database starts its sessions with `row_security = off`.",
        "Every query of a user fails instead of being filtered.",
    ),
    "statement-timeout-short": warning(
        "Statements or transactions of a role end after less than a second.",
        "Large drafts cannot be saved, and imports break off.",
    ),
    "api-takes-back": error(
        "The API takes back whatever it has written.",
        "Every write reports success, and nothing is stored.",
    ),
    "anon-acts-as-another": error(
        "The API carries out the requests of callers without a key as another role than anon.",
        "They have the rights of that role.",
    ),
    "row-cap-small": warning(
        "Replies of the API have fewer than 100 rows.",
        "Lists are complete, but take many requests.",
    ),
}

RIGHTS = {
    "caller-not-known": error(
        "auth.uid() returns somebody else than the user of a request, or nobody.",
        "All policies and rules rest on it.",
    ),
    "policy-recursion": error(
        "Policies of training_configs and of training_package_versions read each other's tables.",
        "PostgreSQL refuses every query of a user with `infinite recursion detected` (42P17).",
    ),
    "owner-cannot": error(
        "The owner cannot do something that is theirs to do.",
        "It was tried, in a transaction that was rolled back.",
    ),
    "owner-can": error(
        "The owner can do something that nobody may.",
        "It was tried, in a transaction that was rolled back.",
    ),
    "stranger-can": error(
        "A user can read or write something of another user.",
        "It was tried, in a transaction that was rolled back.",
    ),
    "anon-can": error(
        "A caller who has not signed in can do something.",
        "It was tried, in a transaction that was rolled back.",
    ),
    "service-cannot": error(
        "The service role cannot do something that it is for.",
        "It was tried, in a transaction that was rolled back.",
    ),
    "service-can": error(
        "The service role can do something that nobody may.",
        "It was tried, in a transaction that was rolled back.",
    ),
}

API = {
    "api-unreachable": error(
        "The API does not answer at the given address.",
        "The SDK cannot reach the project either.",
    ),
    "api-not-supabase": error(
        "What answers at the given address is no REST API of a Supabase project.",
        "The SDK cannot work with it.",
    ),
    "api-key-refused": error(
        "The API refuses the key.",
        "The SDK is refused with it, too.",
    ),
    "api-function-missing": error(
        "The API does not know a function that the SDK calls.",
        "Calls of it fail with PGRST202.",
    ),
    "schema-cache-stale": error(
        "The API does not know a function or table that the database has.",
        "It has not noticed the migrations: calls fail with PGRST202 or PGRST205.",
    ),
    "api-open-to-anon": error(
        "The API answers a caller who has not signed in.",
        "Nothing of a version is for the public.",
    ),
    "api-read-refused": error(
        "The API refuses to read versions with the secret key.",
        "A backend that uses the key cannot work.",
    ),
}
