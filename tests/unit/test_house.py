"""What keeps the house in order: exports, the derived face, documentation, imports."""

import ast
import inspect
import pickle
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any, cast, get_type_hints

import pytest

import training_versions
from training_versions import models

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "src" / "training_versions"
ASYNC = [training_versions.AsyncPackageRepository, training_versions.AsyncVersionRepository]
SYNC = [training_versions.PackageRepository, training_versions.VersionRepository]
EXPORTED = {name: getattr(training_versions, name) for name in training_versions.__all__}
CLASSES = {
    name: value
    for name, value in EXPORTED.items()
    if inspect.isclass(value) and value.__module__.startswith("training_versions")
}
HELD_BY_ANNOTATIONS = {"CostRule", "Record", "TextRule", "UuidRule"}
"""What `models` shares inside the package, and nobody outside makes or catches."""


def methods_of(kind: type) -> dict[str, Any]:
    return {name: getattr(kind, name) for name in dir(kind) if not name.startswith("_")}


METHODS = [
    pytest.param(method, kind in ASYNC, id=f"{kind.__name__}.{name}")
    for kind in [*ASYNC, *SYNC]
    for name, method in methods_of(kind).items()
]


def test_exports_are_sorted_and_whole() -> None:
    exported = training_versions.__all__
    constants = [name for name in exported if name.isupper()]
    others = [name for name in exported if not name.isupper()]
    public = {
        name
        for module in ("errors", "models", "diff", "bundle", "autosave")
        for name, value in vars(import_module(f"training_versions.{module}")).items()
        if inspect.isclass(value) and value.__module__.startswith("training_versions")
    }

    assert exported == sorted(constants) + sorted(others)
    assert public - HELD_BY_ANNOTATIONS <= set(exported)


@pytest.mark.parametrize("name", CLASSES)
def test_every_public_class_is_documented_and_says_where_users_find_it(name: str) -> None:
    assert CLASSES[name].__doc__
    assert CLASSES[name].__module__ == "training_versions"
    assert pickle.loads(pickle.dumps(CLASSES[name])) is CLASSES[name]


def test_what_the_type_checker_sees_is_what_is_exported() -> None:
    tree = ast.parse((PACKAGE / "__init__.py").read_text(encoding="utf-8"))

    seen = {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and str(node.module).startswith("training_versions")
        for alias in node.names
    }

    assert seen == set(training_versions.__all__)


def test_a_name_that_is_not_there_is_an_attribute_error() -> None:
    assert set(training_versions.__all__) <= set(dir(training_versions))
    with pytest.raises(AttributeError, match="has no attribute 'VersionRepo'"):
        _ = cast("Any", training_versions).VersionRepo


def derive(root: Path, *arguments: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, root / "scripts" / "derive_sync.py", *arguments],
        capture_output=True,
        text=True,
        check=False,
    )
    return done.returncode, done.stderr


def test_the_sync_face_is_fresh() -> None:
    assert derive(ROOT, "--check") == (0, "")


@pytest.fixture
def copied_house(tmp_path: Path) -> Path:
    """A copy of what the sync face is derived from, and of the face itself."""
    for name in ("scripts/derive_sync.py", "pyproject.toml"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes((ROOT / name).read_bytes())
    for source in [*PACKAGE.glob("_*sync/*.py"), *PACKAGE.glob("*repository.py")]:
        target = tmp_path / source.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(source.read_bytes())
    return tmp_path


@pytest.mark.parametrize(
    ("file", "old", "new", "problem"),
    [
        ("_sync/drafts.py", "Draft", "Daft", "_sync/drafts.py is stale: run `make twin` and"),
        ("_sync/gone.py", "", "", "_sync/gone.py has no twin in _async/: delete it."),
        (
            "_async/drafts.py",
            "\nclass ",
            "\nwith_async = 1\nclass ",
            "_async/drafts.py: an async name is left in line ",
        ),
        (
            "_async/transport.py",
            "from asyncio import sleep",
            "from time import sleep",
            "words that no file uses: \\bfrom asyncio import sleep\\b",
        ),
    ],
    ids=["stale", "without a twin", "an async name left", "an unused word"],
)
def test_a_twin_that_does_not_fit_is_reported(
    copied_house: Path, file: str, old: str, new: str, problem: str
) -> None:
    path = copied_house / "src" / "training_versions" / file
    text = path.read_text(encoding="utf-8") if path.exists() else ""
    path.write_text(text.replace(old, new), encoding="utf-8")

    status, errors = derive(copied_house, "--check")

    assert status == 1
    assert problem in errors


@pytest.mark.parametrize(("twin", "kind"), list(zip(ASYNC, SYNC, strict=True)))
def test_the_faces_have_the_same_methods_with_the_same_arguments(twin: type, kind: type) -> None:
    here, there = methods_of(twin), methods_of(kind)

    assert list(here) == list(there)
    for name, method in here.items():
        arguments = [list(inspect.signature(each).parameters) for each in (method, there[name])]
        assert arguments[0] == arguments[1]


@pytest.mark.parametrize(("method", "is_async"), METHODS)
def test_every_public_method_has_documentation_with_an_example(method: Any, is_async: bool) -> None:
    text = inspect.getdoc(method) or ""
    example = text.partition("\nExample:\n    >>> ")[2]

    assert example
    assert ("await " in example or "async for" in example) is is_async
    for name, parameter in inspect.signature(method).parameters.items():
        documented = f"    {name}:" in text or f"    **{name}:" in text
        assert documented or name == "self" or "Args:" not in text, f"{name} is not documented"
        assert parameter.annotation is not Any


def test_importing_the_package_loads_nothing_before_it_is_used() -> None:
    code = "import sys, training_versions; print([*sys.modules])"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    loaded = {name.partition(".")[0] for name in ast.literal_eval(done.stdout)}
    assert not loaded & {"supabase", "postgrest", "pydantic", "httpx"}


@pytest.mark.parametrize("module", ["autosave", "bundle", "diff", "errors", "models"])
def test_a_public_module_is_there_without_an_import_of_its_own(module: str) -> None:
    code = f"import training_versions; print(training_versions.{module}.__name__)"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert done.stdout == f"training_versions.{module}\n"


@pytest.mark.parametrize("name", CLASSES)
def test_the_annotations_of_every_public_class_can_be_read(name: str) -> None:
    assert get_type_hints(CLASSES[name]) is not None
    for _, method in inspect.getmembers(CLASSES[name], inspect.isfunction):
        if method.__module__.startswith("training_versions"):
            assert get_type_hints(method) is not None


def test_using_the_package_does_not_import_supabase_or_bundles() -> None:
    code = "import sys; from training_versions import VersionRepository; print([*sys.modules])"

    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    loaded = ast.literal_eval(done.stdout)
    assert not [name for name in loaded if name.startswith("supabase")]
    assert "training_versions.bundle.export" not in loaded


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
    identifier = cast("Any", "11111111-1111-4111-8111-111111111111")
    package = models.Package(
        id=identifier,
        name="bot",
        template_type="lora",
        config_json={"r": 8},
        user_id=identifier,
        current_version_id=None,
        version_count=0,
        latest_published_version=0,
    )

    assert pickle.loads(pickle.dumps(package)) == package
    with pytest.raises(ValueError, match="frozen"):
        package.name = "other"  # that it is refused is the point


ROOM = "training_versions"
LATER_PARTS = ("cli", "doctor", "rest", "web", "integrations", "testing")
PUBLIC_MODULES = {
    "autosave",
    "bundle",
    "diff",
    "errors",
    "local",
    "migrations",
    "models",
    "rest",
    "web",
    "doctor",
}
SHARED = {"project", "wording", "exact_numbers"}
"""What the later parts share, and users do not import."""


def private_imports(source: str, part: str) -> list[str]:
    """Return what a part imports of the package that is neither public nor its own."""
    found: list[str] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names if alias.name.startswith(f"{ROOM}.")]
        elif isinstance(node, ast.ImportFrom) and node.level > 1:
            found.append("." * node.level + (node.module or ""))
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            module = node.module or ""
            names = [alias.name for alias in node.names]
            found += [f"{module}.{name}" for name in names if not is_public(module, name, part)]
    return found


def is_public(module: str, name: str, part: str) -> bool:
    """Return whether users may import a name from there, or it is the part's own, or foreign."""
    if module == ROOM:
        return name in ("__version__", *training_versions.__all__, *PUBLIC_MODULES)
    room, _, inner = module.partition(".")
    if room != ROOM or inner.split(".")[0] == part:
        return True
    if inner in SHARED:
        return True
    if inner not in PUBLIC_MODULES:
        return False
    exported = getattr(import_module(module), "__all__", None)
    return not name.startswith("_") if exported is None else name in exported


def test_later_parts_use_public_names_only() -> None:
    for part in LATER_PARTS:
        for path in [PACKAGE / f"{part}.py", *PACKAGE.glob(f"{part}/**/*.py")]:
            if path.exists():
                assert private_imports(path.read_text(encoding="utf-8"), part) == [], path


def test_a_private_import_of_a_later_part_would_be_found() -> None:
    source = """
import httpx
from training_versions import Version, diff, operations
from training_versions.diff import Change
from training_versions.local import LocalSupabase, _stack
from training_versions.operations.drafts import publish
from training_versions.cli.tables import draw
from .tables import draw
from ..operations import drafts
import training_versions._sync.transport
"""

    assert private_imports(source, "cli") == [
        "training_versions.operations",
        "training_versions.local._stack",
        "training_versions.operations.drafts.publish",
        "..operations",
        "training_versions._sync.transport",
    ]


@pytest.mark.parametrize("path", sorted(PACKAGE.glob("_async/*.py")), ids=lambda path: path.stem)
def test_every_method_of_a_face_is_one_line(path: Path) -> None:
    if path.stem == "transport":
        return  # the one file of a face that does something
    methods = [
        node
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]

    long = [method.name for method in methods if len(method.body) > 2]

    assert long == []  # the documentation, and one statement


def test_no_test_is_named_by_chance() -> None:
    """Two processes that share the tests must collect the same ones."""
    by_chance: list[str] = []
    for path in sorted((ROOT / "tests").rglob("*.py")):
        for node in _run_at_collection(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) in ("uuid4", "uuid.uuid4"):
                by_chance.append(f"{path.relative_to(ROOT)}:{node.lineno}")

    assert by_chance == []


def _run_at_collection(node: ast.AST) -> Iterator[ast.AST]:
    """Iterate over what is run when a module is imported: all but the bodies of functions."""
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef):
            for decorator in child.decorator_list:
                yield from ast.walk(decorator)
        elif not isinstance(child, ast.Lambda):
            yield child
            yield from _run_at_collection(child)
