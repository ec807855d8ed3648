"""What the doctor compares with is what the migrations make, and so are its fixes."""

import re
import subprocess
import sys
from pathlib import Path

import psycopg

from tests.server.schema.supabase_cli import Cli
from training_versions.doctor import examine
from training_versions.doctor.shipped import comments, function_sources, shipped
from training_versions.local import LocalSupabase

ROOT = Path(__file__).parents[3]


def test_the_reference_and_the_page_are_fresh():
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / "dump_catalog.py", "--check"],
        text=True,
        capture_output=True,
        timeout=120,
    )

    assert done.returncode == 0, done.stderr


def test_the_source_of_every_function_is_the_shipped_one(project):
    assert shipped()["function"].keys() <= function_sources().keys()
    with psycopg.connect(project.db_url) as connection:
        for name in shipped()["function"]:
            connection.execute(function_sources()[name].encode())
        connection.commit()

    assert examine(db_url=project.db_url).findings == ()


def test_everything_that_is_marked_has_its_comment():
    marked = {
        name
        for kind in ("relation", "function")
        for name, facts in shipped()[kind].items()
        if facts["marked"]
    }

    assert marked
    assert all("training-versions: " in "".join(comments(name)) for name in marked)


def test_the_example_on_the_page_prints_what_the_page_says(capsys):
    page = (ROOT / "docs" / "doctor.md").read_text(encoding="utf-8")
    code, printed = re.search(r"```python\n(.*?)```\n\n```text\n(.*?)```", page, re.S).groups()

    exec(compile(code, "docs/doctor.md", "exec"), {})

    assert capsys.readouterr().out == printed


def test_a_push_by_the_cli_is_found_unchanged(tmp_path):
    cli = Cli.in_copy_of_our_project(tmp_path)
    with LocalSupabase(migrations=None) as stack:
        cli.push(stack_database(stack))
        assert examine(db_url=stack.db_url).findings == ()

        kept = "select array_to_string(statements, ';') from supabase_migrations.schema_migrations"
        assert len(stack.psql(kept)) > 100_000
        file = tmp_path / "project/supabase/migrations/20261122000025_policies.sql"
        file.write_text(re.sub("A user sees", "A user may see", file.read_text()))
        cli.revert(stack_database(stack), ["20261122000025"])
        cli.push(stack_database(stack), "--include-all")
        assert {f.id for f in examine(db_url=stack.db_url).findings} == {"migration-changed"}


def stack_database(stack):
    """The one thing that the CLI asks of a database."""

    class Address:
        url = stack.db_url

    return Address()
