"""`doctor` and `migrations check`: what they print of what the doctor finds."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from training_versions.local import LocalSupabase
from training_versions.migrations import migrations_dir

OURS = sorted(file.name for file in migrations_dir().glob("*.sql"))


@pytest.fixture(scope="module")
def project() -> Iterator[LocalSupabase]:
    """A project for these tests alone: one of them spoils it for a while."""
    with LocalSupabase() as running:
        yield running


@pytest.fixture
def spoilt(project: LocalSupabase) -> Iterator[None]:
    """The last migration is not recorded, and a table is open to everybody."""
    version = OURS[-1][:14]
    history = "update supabase_migrations.schema_migrations set version"
    project.psql(
        f"{history} = '{version}-hidden' where version = '{version}';"
        "alter table training_costs disable row level security;",
        admin=True,
    )
    yield
    project.psql(
        f"{history} = '{version}' where version = '{version}-hidden';"
        "alter table training_costs enable row level security;",
        admin=True,
    )


@pytest.fixture(autouse=True)
def environment(project: LocalSupabase, monkeypatch, clean_environment) -> None:
    monkeypatch.setenv("SUPABASE_URL", project.url)
    monkeypatch.setenv("SUPABASE_PUBLISHABLE_KEY", project.publishable_key)
    monkeypatch.setenv("SUPABASE_DB_URL", project.db_url)


def test_what_is_wrong_is_shown_with_what_mends_it(
    run, terminal, validated, spoilt, tmp_path
) -> None:
    report = validated("doctor", status=2)
    text = run("doctor")
    shown = terminal("doctor", columns=40)
    status, rows = check_migrations(run, tmp_path)

    found = [finding["id"] for finding in report["findings"]]
    assert "migration-missing" in found
    assert run("doctor", "-q").lines == found
    assert (text.status, shown.status) == (2, 2)
    assert text.lines[-1].startswith("Not fit: ")
    for finding in report["findings"]:
        assert finding["fix"].splitlines()[0] in text.out
        assert finding["fix"].splitlines()[0].split()[0] in shown.plain
    assert status == 1
    assert [row["file"] for row in rows if row["database"] != "applied"] == [OURS[-1]]


def test_a_fit_project_has_no_error_and_the_verdict_is_the_last_line(
    run, terminal, validated, monkeypatch, project: LocalSupabase
) -> None:
    # The public key does not show the row cap.
    monkeypatch.setenv("SUPABASE_SECRET_KEY", project.secret_key)

    report = validated("doctor")
    text = run("doctor")
    shown = terminal("doctor", columns=40)

    assert (report["exit_status"], report["findings"]) == (0, [])
    assert (text.status, shown.status) == (0, 0)
    assert text.lines[-1].startswith("Fit")
    assert "Fit" in shown.plain.rstrip().splitlines()[-1]
    assert run("doctor", "-q").out == ""


def test_migrations_of_a_fresh_project_are_applied(run, terminal, tmp_path) -> None:
    status, rows = check_migrations(run, tmp_path)
    shown = terminal("migrations", "check", tmp_path)

    assert {row["database"] for row in rows} == {"applied"}
    assert status == 0
    assert "Asking the database..." in shown.plain
    assert "Asking" not in shown.plain.rpartition("\r")[2]


def test_what_migrations_print_fits_the_schema(validated, tmp_path) -> None:
    folder = tmp_path / "migrations"
    copied = validated("migrations", "copy", folder)
    listed = validated("migrations", "list")
    checked = validated("migrations", "check", folder)

    assert [row["file"] for row in listed] == OURS
    assert {row["outcome"] for row in copied} == {"copied"}
    assert {(row["folder"], row["database"]) for row in checked} == {("same", "applied")}


def check_migrations(run, folder) -> tuple[int, list[dict[str, str]]]:
    ran = run("migrations", "check", folder, "--json")
    return ran.status, ran.json


def test_a_database_that_does_not_answer_is_said_without_its_password(
    run, monkeypatch, tmp_path
) -> None:
    url = "postgresql://postgres:hunter2secret@127.0.0.1:1/postgres"
    monkeypatch.setenv("SUPABASE_DB_URL", url)

    doctor = run("doctor")
    check = run("migrations", "check", tmp_path)

    assert doctor.status == 2
    assert "127.0.0.1:1" in doctor.out
    assert check.status == 6
    assert "127.0.0.1:1 does not answer" in check.err
    assert "hunter2secret" not in doctor.out + doctor.err + check.out + check.err


def test_without_a_project_it_says_what_to_set(run, monkeypatch) -> None:
    monkeypatch.delenv("SUPABASE_DB_URL")
    monkeypatch.delenv("SUPABASE_URL")

    refused = run("doctor")

    assert refused.status == 2
    assert "SUPABASE_DB_URL" in refused.err


def test_with_a_key_alone_it_says_what_it_could_not_do(validated, monkeypatch) -> None:
    monkeypatch.delenv("SUPABASE_DB_URL")

    report = validated("doctor")

    assert {"migrations", "objects", "rows"} <= {part["check"] for part in report["not_done"]}


def test_a_project_that_was_not_checked_whole_is_not_called_fit(
    run, terminal, validated, monkeypatch
) -> None:
    monkeypatch.delenv("SUPABASE_DB_URL")

    report = validated("doctor")
    text = run("doctor")
    shown = terminal("doctor")

    verdict = "Nothing was found in what could be checked, in "
    assert report["verdict"].startswith(verdict)
    assert text.lines[-1].startswith(verdict)
    assert shown.plain.rstrip().splitlines()[-1].startswith(verdict)
    assert "not checked: migrations, objects, settings, rows, rights\n" in shown.plain
    assert "(SUPABASE_DB_URL)" in shown.plain
    assert "db_url" not in text.out + shown.plain
    assert (text.status, shown.status) == (0, 0)
    assert "Fit" not in text.out + shown.plain
