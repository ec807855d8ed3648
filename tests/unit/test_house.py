"""What keeps the house in order: exports, the derived twin, documentation, a lean import, types."""

import inspect
import json
import pickle
import subprocess
import sys
from pathlib import Path
from typing import Any, cast

import pytest

import training_versions
from training_versions import async_life, async_repository, diff, errors, life, models

ROOT = Path(__file__).parents[2]
ASYNC = [training_versions.AsyncPackageRepository, training_versions.AsyncVersionRepository]
SYNC = [training_versions.PackageRepository, training_versions.VersionRepository]
METHODS = [
    pytest.param(method, id=f"{kind.__name__}.{name}")
    for kind in [*ASYNC, async_life.AsyncVersionLife, *SYNC, life.VersionLife]
    for name, method in vars(kind).items()
    if not name.startswith("_")
]


def test_exports_are_sorted_and_whole() -> None:
    exported = training_versions.__all__
    constants = sorted(name for name in exported if name.isupper())
    public = {
        name
        for module in (diff, errors)
        for name, value in vars(module).items()
        if inspect.isclass(value) and value.__module__ == module.__name__
        if name not in INTERNAL and not name.startswith("_")
    }

    assert exported == constants + sorted(name for name in exported if not name.isupper())
    assert public <= set(exported)
    assert all(hasattr(training_versions, name) for name in exported)


INTERNAL = {
    "DataclassLike",
    "HasToDict",
    "Record",
}  # what annotations say, not what anybody makes or catches


def test_the_sync_twin_is_fresh() -> None:
    script = ROOT / "scripts" / "derive_sync.py"

    done = subprocess.run(
        [sys.executable, script, "--check"], capture_output=True, text=True, check=False
    )

    assert (done.returncode, done.stderr) == (0, "")


def test_a_stale_twin_is_told(tmp_path: Path) -> None:
    script = tmp_path / "scripts" / "derive_sync.py"
    package = tmp_path / "src" / "training_versions"
    script.parent.mkdir()
    package.mkdir(parents=True)
    script.write_text(
        (ROOT / "scripts" / "derive_sync.py").read_text(encoding="utf-8"), encoding="utf-8"
    )
    for source in ("_async_shell", "async_life", "async_repository"):
        (package / f"{source}.py").write_text(
            '"""Doc."""\n\nasync def f() -> None: ...\n', encoding="utf-8"
        )
    subprocess.run([sys.executable, script], check=True)
    (package / "life.py").write_text("# edited by hand\n", encoding="utf-8")

    done = subprocess.run(
        [sys.executable, script, "--check"], capture_output=True, text=True, check=False
    )

    assert done.returncode == 1
    assert (
        done.stderr
        == "life.py is stale: run `python scripts/derive_sync.py` and keep its result.\n"
    )


@pytest.mark.parametrize(("twin", "kind"), list(zip(ASYNC, SYNC, strict=True)))
def test_the_twins_have_the_same_methods_with_the_same_arguments(twin: type, kind: type) -> None:
    methods = [
        {name: getattr(each, name) for name in dir(each) if not name.startswith("_")}
        for each in (twin, kind)
    ]

    assert list(methods[0]) == list(methods[1])
    for name, method in methods[0].items():
        assert list(inspect.signature(method).parameters) == list(
            inspect.signature(methods[1][name]).parameters
        )


@pytest.mark.parametrize("method", METHODS)
def test_every_public_method_has_documentation_with_an_example(method: object) -> None:
    text = inspect.getdoc(method) or ""

    assert "\nExample:\n    >>> " in text
    for name, parameter in inspect.signature(cast("Any", method)).parameters.items():
        documented = (
            name == "self"
            or "Args:" not in text
            or f"    {name}:" in text
            or f"    **{name}:" in text
        )
        assert documented, f"{name} is not documented"
        assert parameter.annotation is not Any


@pytest.mark.parametrize("method", METHODS)
def test_examples_await_in_the_async_twin_only(method: object) -> None:
    is_async = cast("Any", method).__module__ in (async_repository.__name__, async_life.__name__)
    example = (inspect.getdoc(method) or "").partition("Example:")[2]

    assert ("await " in example or "async for" in example) is is_async


def test_every_public_class_is_documented() -> None:
    for name in training_versions.__all__:
        value = getattr(training_versions, name)
        if inspect.isclass(value) and value.__module__.startswith("training_versions"):
            assert value.__doc__, name


def test_importing_the_package_does_not_import_supabase() -> None:
    code = "import sys, training_versions; print([name for name in sys.modules if name.startswith('supabase')])"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == "[]\n"


@pytest.mark.parametrize(
    "client",
    [
        None,
        3,
        object(),
        "https://example.supabase.co",
        type("Odd", (), {"schema": staticmethod(len)})(),
    ],
)
@pytest.mark.parametrize("kind", ASYNC + SYNC)
def test_what_is_no_client_is_refused(kind: Any, client: object) -> None:
    with pytest.raises(training_versions.InvalidInputError, match="needs a supabase client"):
        kind(client)


def test_records_are_frozen_and_survive_pickle() -> None:
    package = models.Package(
        id=cast("Any", "11111111-1111-4111-8111-111111111111"),
        name="bot",
        template_type="lora",
        config_json={"r": 8},
        user_id=cast("Any", "11111111-1111-4111-8111-111111111111"),
        current_version_id=None,
        version_count=0,
        latest_published_version=0,
    )

    assert pickle.loads(pickle.dumps(package)) == package
    with pytest.raises(ValueError, match="frozen"):
        package.name = "other"  # pyright: ignore[reportAttributeAccessIssue]  # that it is refused is the point


def test_pyright_reads_typed_snapshots_and_finds_a_misspelt_field() -> None:
    pyright = ROOT / "node_modules" / ".bin" / "pyright"
    files = ["tests/typing/fits.py", "tests/typing/misspelt.py"]

    done = subprocess.run(
        [pyright, "--outputjson", *files],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    found = {
        (Path(problem["file"]).name, problem["range"]["start"]["line"] + 1)
        for problem in json.loads(done.stdout)["generalDiagnostics"]
        if problem["severity"] == "error"
    }
    wrong = (ROOT / "tests" / "typing" / "misspelt.py").read_text(encoding="utf-8").splitlines()
    assert found == {
        ("misspelt.py", line) for line, text in enumerate(wrong, 1) if text.endswith("# wrong")
    }
