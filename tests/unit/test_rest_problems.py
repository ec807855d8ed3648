"""Problems: every error of the SDK and every code of the migrations has its kind, with a page."""

from __future__ import annotations

import inspect
import re
from pathlib import Path

import pytest

import training_versions
from training_versions import DatabaseError, TrainingVersionsError, errors
from training_versions.rest import problems
from training_versions.rest.json_text import read_json
from training_versions.rest.problems import (
    KINDS,
    OF_CLASS,
    OF_CODE,
    Problem,
    kind_of,
    problem_of,
    problem_response,
)

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "problems.md").read_text(encoding="utf-8")
ERRORS: dict[str, type[TrainingVersionsError]] = {
    name: value
    for name in training_versions.__all__
    if inspect.isclass(value := getattr(training_versions, name))
    and issubclass(value, TrainingVersionsError)
}


def test_every_error_of_the_sdk_has_a_kind() -> None:
    assert set(OF_CLASS) == set(ERRORS.values())


def test_every_code_of_the_migrations_has_a_kind() -> None:
    codes = {code for code in errors.CODES if re.fullmatch(r"TV\d{3}", code)}

    assert {code for code in OF_CODE if code.startswith("TV")} == codes


def test_a_code_that_is_newer_has_the_kind_of_its_class() -> None:
    exc = errors.ConflictError("no", code="TV299")

    assert kind_of(exc) is problems.CONFLICT


@pytest.mark.parametrize(
    ("code", "slug"),
    [
        ("429", "too-many-requests"),
        ("40001", "unavailable"),
        ("40P01", "unavailable"),
        ("413", "body-too-large"),
    ],
)
def test_what_is_no_fault_of_the_input_is_told_so(code: str, slug: str) -> None:
    exc = errors.class_of(code)("no", code=code)

    assert kind_of(exc).slug == slug


@pytest.mark.parametrize(("seconds", "told"), [(37, "37"), (0, "0"), (None, "5")])
@pytest.mark.parametrize(
    "exc",
    [
        errors.UnavailableError("no", code="429"),
        errors.UnavailableError("no", code="PGRST002"),
        errors.ConnectionFailedError("no"),
    ],
    ids=repr,
)
def test_when_to_ask_again_is_what_the_project_says(
    exc: errors.UnavailableError | errors.ConnectionFailedError, seconds: int | None, told: str
) -> None:
    exc.retry_after = seconds

    response = problem_response(problem_of(exc))

    assert response.headers["Retry-After"] == told


def test_every_kind_has_its_place_on_the_page_and_in_its_table() -> None:
    headings = re.findall(r"^## (\S+)$", PAGE, re.MULTILINE)
    listed = {
        (slug, int(status))
        for status, row in re.findall(r"^\| (\d{3}) \| (.*) \|$", PAGE, re.MULTILINE)
        for slug in re.findall(r"\(#([a-z-]+)\)", row)
    }

    assert headings == list(KINDS)
    assert listed == {(kind.slug, kind.status) for kind in KINDS.values()}
    for kind in KINDS.values():
        assert re.search(rf"^## {kind.slug}\n\n{kind.status}\b", PAGE, re.MULTILINE)


def test_every_status_that_the_issue_names_has_a_kind() -> None:
    statuses = {400, 401, 403, 404, 405, 409, 412, 413, 415, 422, 428, 429, 500, 503}

    assert {kind.status for kind in KINDS.values()} == statuses


@pytest.mark.parametrize("kind", KINDS.values(), ids=list(KINDS))
def test_its_headers_go_with_its_status(kind: problems.Kind) -> None:
    assert ("WWW-Authenticate" in kind.headers) is (kind.status == 401)
    assert ("Retry-After" in kind.headers) is (kind.status in (429, 503))


@pytest.mark.parametrize("kind", ERRORS.values(), ids=list(ERRORS))
def test_what_an_error_inside_says_is_not_told(kind: type[TrainingVersionsError]) -> None:
    exc = kind("at http://10.0.0.1: eyJhbGciOi", hint="host 10.0.0.1")

    problem = problem_of(exc)

    if problem.status_code >= 500:
        assert "10.0.0.1" not in problem.as_model().model_dump_json()


def test_what_postgresql_itself_says_is_not_told() -> None:
    exc = errors.RejectedError('invalid input: "hf_secret"', code="22P02", details="hf_secret")

    assert "hf_secret" not in problem_of(exc).as_model().model_dump_json()


def test_a_database_error_of_an_unknown_code_is_one_inside() -> None:
    assert problem_of(DatabaseError("XX000: internal", code="XX000")).status_code == 500


class TestJson:
    @pytest.mark.parametrize(
        ("text", "line", "column"),
        [
            (b"", 1, 1),
            (b'{"a": 1', 1, 8),
            (b'{"a": 1,}', 1, 9),
            (b"{'a': 1}", 1, 2),
            (b'{"a": NaN}', 1, 7),
            (b'{"a": [1, "NaN",\n -Infinity]}', 2, 2),
            (b'{"a": 1,\n "b": {"a": 1, "b": [{"a": 2}],\n "a": 2}}', 3, 2),
            (b'{"\\u0061": 1, "a": 2}', 1, 15),
            (b'{"a": {"x": 1}, "b": {"x": 1}, "a": 1}', 1, 32),
            (b"[1, 1e999]", 1, 5),
            (b'{"a": 1} 2', 1, 10),
        ],
    )
    def test_a_mistake_is_told_with_its_place(self, text: bytes, line: int, column: int) -> None:
        with pytest.raises(Problem) as caught:
            read_json(text)

        assert (caught.value.members["line"], caught.value.members["column"]) == (line, column)

    @pytest.mark.parametrize(
        "text", [b"\xff", b"\xef\xbb\xbf{}", b"[" * 100_000, b"1" * 5000, '"é"'.encode("utf-16")]
    )
    def test_what_has_no_place_is_refused_too(self, text: bytes) -> None:
        with pytest.raises(Problem):
            read_json(text)

    def test_what_is_json_is_kept(self) -> None:
        text = b'{"a": [1, 1.0, 1e2, -0.0, 123456789012345678901, "NaN", null], "\\u00e9": {}}'

        value = read_json(text)

        assert repr(value) == (
            "{'a': [1, 1.0, 100.0, -0.0, 123456789012345678901, 'NaN', None], 'é': {}}"
        )
