"""`supabase/schema.sql` shows the schema as it is."""

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[3]


def test_the_schema_file_is_what_the_migrations_make():
    done = subprocess.run(
        [sys.executable, ROOT / "scripts" / "dump_schema.py", "--check"],
        text=True,
        capture_output=True,
        timeout=120,
    )

    assert done.returncode == 0, done.stderr
