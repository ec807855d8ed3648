"""Every page, light and dark, on a telephone and on a desk: what keeps nobody out."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from playwright.sync_api import Page
from starlette.applications import Starlette
from starlette.routing import Route

from tests.server.web.browsing import Watch, assert_is_for_everybody
from tests.server.web.editor_pages import status_code
from tests.server.web.hostile import Packages, make_packages, paths_of
from tests.server.web.visitor import make_account
from training_versions.local import LocalSupabase

ADA = "ada-of-every-page@example.com"
OTHER_PATHS = {
    "packages": "/",
    "packages-none-found": "/?text=nothing+like+it",
    "new-package": "/packages/new",
    "not-found": "/nowhere",
    "sign-in": "/sign-in",
}
NO_PAGES = {
    "/static/{release}/{path}",
    "/curves/{version_id}",
    "/packages/{package_id}/compare/patch",
    "/packages/{package_id}/v/{number}/content.json",
}
TURNS_DIRECTION = re.compile("[\u202a-\u202e\u2066-\u2069]")
PAGES = [
    *OTHER_PATHS,
    "package",
    "package-filtered",
    "new-draft",
    "history",
    "version",
    "version-failed",
    "version-archived",
    "content",
    "compare",
    "compare-all",
    "restore",
    "fork",
    "deploy",
    "undeploy",
    "archive",
    "publish",
    "delete",
    "editor",
    "editor-published",
]


@pytest.fixture(scope="module")
def ada(stack: LocalSupabase) -> Packages:
    """What belongs to Ada: hostile text in every field."""
    make_account(stack, ADA)
    return make_packages(stack, ADA)


def test_no_page_is_left_out(ada: Packages, web_app: Starlette) -> None:
    paths = OTHER_PATHS | paths_of(ada)
    assert sorted(PAGES) == sorted(paths)

    for route in web_app.routes:
        if not isinstance(route, Route) or re.sub(r":\w+", "", route.path) in NO_PAGES:
            continue
        if "GET" in (route.methods or ()):
            assert any(route.path_regex.match(path.partition("?")[0]) for path in paths.values()), (
                f"no test looks at {route.path}"
            )


@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing(
    ada: Packages, page_of: Callable[..., Page], watch: Watch, take_picture, name: str
) -> None:
    if name == "not-found":
        watch.expect(status_code(404))
    page = page_of(ADA)
    if name == "sign-in":
        page.context.clear_cookies()
    page.goto((OTHER_PATHS | paths_of(ada))[name])

    assert_is_for_everybody(page, take_picture, name)
    # Nothing that a user wrote became an element, or turns the direction of what stands around it.
    assert page.locator("main img, main script, main b").count() == 0
    read = (
        page.title()
        + page.locator("body:not(:has(#editor))").or_(page.locator("h1")).first.inner_text()
    )
    assert not TURNS_DIRECTION.search(read)
