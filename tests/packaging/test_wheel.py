"""What a user gets: the built wheel, alone, in an empty environment."""

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PYRIGHT = ROOT / "node_modules" / ".bin" / "pyright"


def run(*command: str | Path, cwd: Path, status: int = 0) -> str:
    env = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("PYTHON", "VIRTUAL"))
    }
    done = subprocess.run(
        [str(part) for part in command],
        cwd=cwd,
        env=env,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    pip = (
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--disable-pip-version-check",
        "--no-deps",
    )
    run(*pip, "--wheel-dir", folder, ROOT, cwd=folder)
    (built,) = folder.glob("*.whl")
    return built


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs of an environment that holds nothing but the wheel and what it needs."""
    folder = tmp_path_factory.mktemp("environment")
    run(sys.executable, "-m", "venv", folder, cwd=folder)
    run(
        folder / "bin" / "pip",
        "install",
        "--quiet",
        "--disable-pip-version-check",
        wheel,
        cwd=folder,
    )
    return folder / "bin"


def test_the_wheel_holds_every_migration_and_rollback_and_no_test(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()

    for folder in ("migrations", "rollbacks"):
        shipped = {
            f"training_versions/_sql/{folder}/{file.name}"
            for file in (ROOT / "supabase" / folder).iterdir()
        }
        assert shipped <= set(names)
    assert "training_versions/py.typed" in names
    assert not [
        name for name in names if not name.startswith(("training_versions/", "training_versions-"))
    ]


def test_the_wheel_imports_alone_and_brings_no_supabase_client_into_memory(
    environment: Path, tmp_path: Path
) -> None:
    script = "import sys, training_versions; print('supabase' in sys.modules)"

    assert run(environment / "python", "-W", "error", "-c", script, cwd=tmp_path).strip() == "False"


def test_a_users_program_is_type_checked_against_the_wheel(
    environment: Path, tmp_path: Path
) -> None:
    program = tmp_path / "program.py"
    program.write_text(
        "from pydantic import BaseModel\n"
        "from supabase import create_client\n"
        "from training_versions import VersionRepository\n"
        "class Lora(BaseModel):\n"
        "    r: int\n"
        "versions = VersionRepository(create_client('http://localhost', 'key'), config=Lora)\n"
        "for version in versions.iterate(snapshots=True):\n"
        "    print(version.config_snapshot.r, version.model_snapshot)\n"
    )
    (tmp_path / "pyrightconfig.json").write_text('{"typeCheckingMode": "strict"}')

    assert "0 errors" in run(PYRIGHT, "--pythonpath", environment / "python", program, cwd=tmp_path)

    program.write_text(program.read_text().replace("config_snapshot.r,", "config_snapshot.rank,"))

    assert "rank" in run(
        PYRIGHT, "--pythonpath", environment / "python", program, cwd=tmp_path, status=1
    )


def test_the_command_copies_the_migrations_and_never_overwrites_a_changed_file(
    environment: Path, tmp_path: Path
) -> None:
    command = environment / "training-versions"
    shipped = {
        file.name: file.read_text() for file in (ROOT / "supabase" / "migrations").glob("*.sql")
    }
    folder = tmp_path / "supabase" / "migrations"

    first = run(command, "migrations", cwd=tmp_path)

    assert {file.name: file.read_text() for file in folder.iterdir()} == shipped
    assert first.count("copied") == len(shipped)

    changed = sorted(folder.iterdir())[0]
    changed.write_text("-- mine\n")
    sorted(folder.iterdir())[1].unlink()
    second = run(command, "migrations", folder, cwd=tmp_path, status=1)

    assert changed.read_text() == "-- mine\n"
    assert f"kept       {changed}" in second
    assert second.count("copied") == 1
    assert {file.name for file in folder.iterdir()} == set(shipped)


def test_a_full_disk_leaves_no_half_of_a_migration(environment: Path, tmp_path: Path) -> None:
    command = environment / "training-versions"
    # A limit on the size of files: the first migration is larger.
    limited = f"ulimit -f 4; exec '{command}' migrations"

    said = run("sh", "-c", limited, cwd=tmp_path, status=1)

    folder = tmp_path / "supabase" / "migrations"
    assert said.startswith("error: cannot write to supabase/migrations: File too large")
    assert list(folder.iterdir()) == []
    copied = run(command, "migrations", cwd=tmp_path)
    assert copied.count("copied") == len(list(folder.iterdir())) > 1


def test_the_command_says_its_version(environment: Path, tmp_path: Path) -> None:
    assert run(environment / "training-versions", "--version", cwd=tmp_path).startswith(
        "training-versions 0."
    )


def test_the_command_prints_the_rollback(environment: Path, tmp_path: Path) -> None:
    (rollback,) = (ROOT / "supabase" / "rollbacks").glob("*.sql")

    assert run(environment / "training-versions", "rollback", cwd=tmp_path) == rollback.read_text()


def test_the_command_says_what_is_wrong_with_a_folder(environment: Path, tmp_path: Path) -> None:
    (tmp_path / "file").touch()

    said = run(environment / "training-versions", "migrations", "file", cwd=tmp_path, status=1)

    assert said.startswith("error: cannot write to file")


def test_without_the_extra_the_command_line_lists_commands_and_says_what_to_install(
    environment: Path, tmp_path: Path
) -> None:
    command = environment / "training-versions"

    assert "\n  publish " in run(command, "--help", cwd=tmp_path)
    said = run(command, "packages", cwd=tmp_path, status=2)
    assert said == (
        "error: this command needs the extra 'cli'\nhint: pip install 'training-versions[cli]'\n"
    )


def test_the_wheel_holds_the_schema_of_what_commands_print(wheel: Path) -> None:
    assert "training_versions/cli/output-schema.json" in zipfile.ZipFile(wheel).namelist()


def test_without_the_extra_the_local_stack_says_what_to_install(
    environment: Path, tmp_path: Path
) -> None:
    script = "from training_versions.local import LocalSupabase; LocalSupabase().start()"

    said = run(environment / "python", "-c", script, cwd=tmp_path, status=1)

    assert (
        'LocalStackError: PostgreSQL is not installed: pip install "training-versions[local]"'
        in said
    )


@pytest.mark.parametrize(("part", "extra"), [("rest", "api"), ("web", "web")])
def test_without_the_extra_a_server_says_what_to_install(
    environment: Path, tmp_path: Path, part: str, extra: str
) -> None:
    script = f"from training_versions.{part} import create_app"

    said = run(environment / "python", "-c", script, cwd=tmp_path, status=1)

    last = said.splitlines()[-1]
    assert last.startswith(f"ModuleNotFoundError: training_versions.{part} needs ")
    assert last.endswith(f": pip install 'training-versions[{extra}]'")
