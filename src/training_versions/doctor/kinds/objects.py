"""Kinds of findings about objects, from tables to the triggers and policies that enforce rules."""

from __future__ import annotations

from training_versions.doctor.kinds.kind import error, warning

TABLES = {
    "schema-open": error(
        "Somebody has a right on the internal schema who should have none.",
        "It holds bookkeeping of all users, and functions that trust their callers.",
    ),
    "schema-closed": error(
        "A role lacks the right to use a schema.",
        "Its calls fail with `permission denied for schema`.",
    ),
    "table-missing": error(
        "A table is missing.",
        "Functions that read or write it fail.",
    ),
    "view-missing": error(
        "A view is missing.",
        "Lists and functions that return summaries fail.",
    ),
    "row-security-off": error(
        "Row level security is off for a table.",
        "Every user reads, and maybe writes, the rows of all others.",
    ),
    "package-row-security-off": warning(
        "Row level security is off for training_configs.",
        "Every user who was granted the table sees and changes the packages of all others.",
    ),
    "row-security-forced": warning(
        "Row level security is forced upon the owner of a table.",
        "The functions that keep the rules run as that owner and must see every row.",
    ),
    "table-unlogged": error(
        "A table is unlogged.",
        "PostgreSQL empties it after a crash, and no replica or backup by log has its rows.",
    ),
    "table-rule": error(
        "A rule rewrites what is written to a table.",
        "Writes may do something else than they say, and still report success.",
    ),
    "owner-changed": error(
        "An object belongs to another role than the internal schema.",
        "The functions that keep the rules run as their owner, who must own what they write.",
    ),
    "view-not-invoker": error(
        "A view reads with the rights of its owner instead of those of the caller.",
        "It shows the versions of all users to everybody who may read it.",
    ),
    "view-changed": error(
        "A view has another definition than the shipped one.",
        "Lists lack columns or rows, or show too many.",
    ),
    "view-shows-all": warning(
        "A view of the app reads versions with the rights of its owner, and users may read it.",
        "Row level security does not apply to it: it shows the versions of all users.",
    ),
    "mark-missing": warning(
        "The comment that marks an object as ours is missing.",
        "The rollback leaves it behind, and a repeated push takes it for the app's and stops.",
    ),
    "table-open-to-anon": error(
        "Callers who have not signed in have a right on a table.",
        "Nothing of a version is for the public.",
    ),
    "table-open-to-users": error(
        "Signed-in users have a right on a table that they should not have.",
        "Row level security does not hold for `truncate`, and tables without policies for writing "
        "are written by the database only.",
    ),
    "table-open-to-service": warning(
        "The service role has a right on a table that it should not have.",
        "Histories, runs, deployments and costs are written by the database only; a direct write "
        "makes them disagree.",
    ),
    "table-grant-missing": error(
        "A role lacks a right on a table.",
        "Its calls fail with `permission denied for table`.",
    ),
    "column-missing": error(
        "A column is missing.",
        "Functions and models that name it fail.",
    ),
    "column-type": error(
        "A column has another type.",
        "Values are cut, rounded or refused, and functions that return the row fail.",
    ),
    "column-nullable": error(
        "A column may be null that may not.",
        "The models of the SDK refuse to read such a row.",
    ),
    "column-default-missing": error(
        "A column has lost its default.",
        "Inserts that leave the column to the database fail.",
    ),
    "column-default-changed": error(
        "A column has another default.",
        "Inserts that leave the column to the database store something else.",
    ),
    "column-generated": error(
        "A column is no longer filled in by the database, or otherwise than shipped.",
        "Its values are missing or wrong in new rows, or may be forged.",
    ),
    "column-blocks-versions": error(
        "A column that the app added to training_package_versions must be given and has no "
        "default.",
        "No version can be created: the functions of the SDK do not know the column.",
    ),
    "column-blocks-packages": warning(
        "A column that the app added to training_configs must be given and has no default.",
        "The SDK cannot create packages: its function does not know the column.",
    ),
    "primary-key-missing": error(
        "A table has no primary key.",
        "Two rows may have one id, and idempotent calls fail.",
    ),
    "unique-missing": error(
        "A unique constraint is missing.",
        "What must be there once may be there twice: numbers of versions, costs with one key.",
    ),
    "check-missing": error(
        "A check constraint is missing.",
        "Values are stored that no reader expects.",
    ),
    "check-changed": error(
        "A check constraint has another condition.",
        "Values are stored that no reader expects, or good ones are refused.",
    ),
    "foreign-key-missing": error(
        "A foreign key is missing.",
        "Rows may point at something that is gone, and stay behind when it is deleted.",
    ),
    "foreign-key-changed": error(
        "A foreign key acts otherwise when what it points at is deleted, or is checked too early.",
        "Deleting a package, a version or a user fails, or leaves rows behind.",
    ),
    "foreign-key-off": error(
        "The triggers that keep a foreign key are disabled.",
        "Rows may point at something that is gone, and stay behind when it is deleted.",
    ),
    "constraint-not-valid": error(
        "A constraint holds for new rows only.",
        "Rows that break it may be stored, and nothing says so.",
    ),
    "index-missing": warning(
        "An index is missing.",
        "Reads that used it read whole tables.",
    ),
    "unique-index-missing": error(
        "A unique index is missing.",
        "Two runs of a version may run at once, two versions be live at one target, or one event "
        "be imported twice.",
    ),
    "index-changed": warning(
        "An index has another definition.",
        "Reads that used it may read whole tables.",
    ),
    "unique-index-changed": error(
        "A unique index has another definition.",
        "It may not keep unique what it is there for: the runs, the live versions, the imported "
        "events.",
    ),
    "index-invalid": error(
        "An index is invalid: building it was broken off.",
        "It is written and never read, and a unique one keeps nothing unique.",
    ),
    "index-settings": warning(
        "An index of snapshots has lost its setting gin_pending_list_limit.",
        "Every save of a large draft takes longer.",
    ),
}

RULES = {
    "trigger-missing": error(
        "A trigger is missing.",
        "The rule that it keeps, or the record that it writes, is gone.",
    ),
    "trigger-disabled": error(
        "A trigger is disabled.",
        "The rule that it keeps does not hold, or the record that it writes is not written.",
    ),
    "trigger-changed": error(
        "A trigger fires at other times, or calls another function.",
        "The rule that it keeps does not always hold.",
    ),
    "policy-missing": error(
        "A policy is missing.",
        "Users cannot see or write what is theirs.",
    ),
    "policy-changed": error(
        "A policy has another condition, command or role.",
        "Users may see or write what is not theirs, or cannot see what is.",
    ),
    "policy-open": error(
        "A policy was added that allows more.",
        "PostgreSQL combines policies with `or`, so it opens rows that the shipped ones close.",
    ),
    "policy-restrictive": warning(
        "A restrictive policy was added.",
        "It hides rows from their owners, whom the SDK then tells that there is no such version.",
    ),
    "function-missing": error(
        "A function is missing.",
        "Calls of it fail, or a rule that it keeps.",
    ),
    "function-body": error(
        "A function does something else than the shipped one.",
        "What it promises may not hold any more.",
    ),
    "function-arguments": error(
        "A function takes or returns something else than the shipped one.",
        "The API does not find it, or the SDK cannot read its reply.",
    ),
    "function-security": error(
        "A function runs with the rights of somebody else: of its owner instead of its caller, or "
        "the reverse.",
        "As its owner in an exposed schema it skips all policies; as its caller it may not do what "
        "it is for.",
    ),
    "function-search-path": error(
        "A function has lost its setting `search_path = ''`, or has other settings.",
        "A caller can put objects of their own in the place of those that it names.",
    ),
    "function-volatility": error(
        "A function is declared otherwise: volatile, strict, or its language.",
        "PostgreSQL may answer from an older state, or skip the call.",
    ),
    "function-overloaded": error(
        "There are several functions of one name.",
        "The API does not know which one to call (PGRST203).",
    ),
    "function-open-to-anon": error(
        "Callers who have not signed in may execute a function.",
        "Nothing of a version is for the public.",
    ),
    "function-open-to-users": error(
        "Signed-in users, or the service role, may execute an internal function.",
        "It trusts its callers, who are other functions.",
    ),
    "execute-missing": error(
        "A role may not execute a function.",
        "Its calls fail with `permission denied for function`.",
    ),
}
