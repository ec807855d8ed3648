"""The OpenAPI description is true and complete: for a fuzzer, and for a generated client."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.server.rest.conftest import PREFIX, Api, Person
from tests.server.rest.servers import Server, serve
from training_versions.local import LocalSupabase

ROOT = Path(__file__).parents[3]
HERE = Path(__file__).parent
COMPILER = {
    "strict": True,
    "noUncheckedIndexedAccess": True,
    "exactOptionalPropertyTypes": True,
    "module": "nodenext",
    "target": "es2022",
    "lib": ["es2022", "dom"],
    "types": [],
}


@pytest.fixture(scope="module")
def server(stack: LocalSupabase) -> Iterator[Server]:
    with serve(stack) as running:
        yield running


def test_schemathesis_finds_nothing(
    server: Server, person: Callable[[], Person], tmp_path: Path
) -> None:
    command = [str(Path(sys.executable).with_name("schemathesis")), "--no-color"]
    command += ["--config-file", str(HERE / "schemathesis.toml")]
    command += ["run", f"{server.url}{PREFIX}/openapi.json", "--seed", "20250131"]
    command += ["--max-examples", "3", "--header", f"Authorization: Bearer {person().token}"]

    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        timeout=240,
        cwd=tmp_path,
        env={"PATH": "/usr/bin:/bin", "PYTHONPATH": str(HERE), "PYTHONIOENCODING": "utf-8"},
    )

    assert done.returncode == 0, done.stdout + done.stderr
    assert "Stateful" in done.stdout


def test_a_generated_typescript_client_drafts_edits_publishes_compares_and_restores(
    server: Server, person: Callable[[], Person], tmp_path: Path
) -> None:
    description = httpx.get(f"{server.url}{PREFIX}/openapi.json").json()
    (tmp_path / "openapi.json").write_text(json.dumps(description))
    (tmp_path / "package.json").write_text('{"type": "module"}')
    (tmp_path / "tsconfig.json").write_text(json.dumps({"compilerOptions": COMPILER}))
    (tmp_path / "client.ts").write_text((ROOT / "tests" / "js" / "rest_client.ts").read_text())
    (tmp_path / "node_modules").symlink_to(ROOT / "node_modules")

    def run(*command: str) -> str:
        done = subprocess.run(
            command, capture_output=True, text=True, timeout=120, cwd=tmp_path, check=False
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    run("node_modules/.bin/openapi-typescript", "openapi.json", "-o", "schema.d.ts")
    run("node_modules/.bin/tsc", "--project", ".")
    printed = json.loads(run("node", "client.js", server.url, person().token))

    assert printed == {
        "status": "published",
        "config": {"r": 16},
        "restored": [2, "draft", True],
        "changes": [["/change_summary", "once more"]],
        "published": [1],
    }


@pytest.fixture(scope="module")
def description(running: Any) -> dict[str, Any]:
    return Api(running, None).get("/openapi.json").json()


OPERATIONS = ("get", "put", "post", "patch", "delete", "head", "options")


def operations(description: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {
        f"{method} {path}": operation
        for path, methods in description["paths"].items()
        for method, operation in methods.items()
    }


def test_every_operation_is_described(description: dict[str, Any]) -> None:
    assert description["openapi"].startswith("3.1")
    for name, operation in operations(description).items():
        assert name.split()[0] in OPERATIONS
        assert operation["summary"], name
        assert operation["description"], name
        assert operation["tags"], name
        for answer in operation["responses"].values():
            assert answer["description"].endswith("."), name
            assert answer["description"] != "Successful Response.", name
        for parameter in operation.get("parameters", []):
            assert parameter.get("description"), (name, parameter["name"])


def test_every_error_is_described_as_a_problem(description: dict[str, Any]) -> None:
    schema = {"$ref": "#/components/schemas/TrainingProblem"}
    assert "TrainingProblem" in description["components"]["schemas"]
    for name, operation in operations(description).items():
        for status, answer in operation["responses"].items():
            if int(status) >= 400:
                assert answer["content"] == {"application/problem+json": {"schema": schema}}, name


def test_every_reference_and_link_leads_somewhere(description: dict[str, Any]) -> None:
    text = json.dumps(description)
    names = set(description["components"]["schemas"])
    ids = {operation["operationId"] for operation in operations(description).values()}

    referred = {part.partition('"')[0] for part in text.split("#/components/schemas/")[1:]}
    linked = {
        link["operationId"]
        for operation in operations(description).values()
        for answer in operation["responses"].values()
        for link in answer.get("links", {}).values()
    }

    assert referred <= names
    assert linked <= ids
    assert len(ids) == len(operations(description))


def test_whoever_is_not_signed_in_needs_no_token_for_health_alone(
    description: dict[str, Any],
) -> None:
    free = [name for name, each in operations(description).items() if "security" not in each]

    assert free == [f"get {PREFIX}/health", f"get {PREFIX}/ready"]
