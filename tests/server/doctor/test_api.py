"""What the doctor finds with an address and a key, and what it says where it gets no further."""

import json
import time

import psycopg
import pytest

from tests.server.doctor.conftest import upgrade
from training_versions import InvalidInputError
from training_versions.doctor import examine
from training_versions.doctor.database import connection_refused
from training_versions.local import LocalSupabase

VERSIONS = "public.training_package_versions"
DATABASE = ["migrations", "objects", "settings", "rows", "rights"]
NOTHING_LISTENS = "http://127.0.0.1:9"


def ids(report):
    return {finding.id for finding in report.findings}


def not_done(report):
    return [part.check for part in report.not_done]


@pytest.fixture(scope="module")
def admin(project):
    with psycopg.connect(project.admin_db_url, autocommit=True) as connection:
        yield connection


@pytest.fixture
def planted(project, admin):
    """Plants a fault that the API is to know of, and takes it back."""
    after = []

    def plant(sql, take_back):
        after.append(take_back)
        admin.execute(sql)
        project.reload_schema()

    yield plant
    for sql in after:
        admin.execute(sql)
    project.reload_schema()


def wait_for(found, report):
    """Wait until the API has noticed, for at most twenty seconds."""
    deadline = time.monotonic() + 20
    while ids(report()) != found:
        assert time.monotonic() < deadline, report().to_text()
        time.sleep(0.1)


class TestWithAKey:
    @pytest.mark.parametrize("key", ["publishable_key", "anon_key"])
    def test_a_public_one_says_what_it_cannot_check(self, project, key):
        report = examine(url=project.url, key=getattr(project, key))

        assert report.findings == ()
        assert report.done == ("api",)
        assert not_done(report) == [*DATABASE, "row cap"]
        assert report.exit_status == 0

    def test_a_proxy_is_not_asked_for_what_is_on_this_machine(self, project, monkeypatch):
        monkeypatch.setenv("HTTP_PROXY", NOTHING_LISTENS)

        report = examine(url=project.url, key=project.publishable_key)

        assert report.findings == ()

    @pytest.mark.parametrize("key", ["secret_key", "service_key"])
    def test_a_secret_one_counts_rows_too(self, project, key):
        report = examine(url=f"{project.url}/rest/v1/", key=getattr(project, key))

        assert report.findings == ()
        assert report.done == ("api", "row cap")
        assert not_done(report) == DATABASE

    def test_a_wrong_one_is_refused(self, project):
        report = examine(url=project.url, key="sb_secret_nonsense")

        assert ids(report) == {"api-key-refused"}
        assert "nonsense" not in report.to_text()

    def test_an_address_where_nothing_listens(self):
        assert ids(examine(url=NOTHING_LISTENS, key="sb_publishable_x")) == {"api-unreachable"}

    def test_an_address_of_something_else(self, project):
        report = examine(url=f"{project.url}/auth/v1", key=project.publishable_key)

        assert ids(report) == {"api-not-supabase"}


class TestFaultsOfTheApi:
    def test_a_function_that_it_does_not_know(self, project, planted):
        planted(
            "alter function public.get_package_cost rename to gone",
            "alter function public.gone rename to get_package_cost",
        )

        report = examine(url=project.url, key=project.publishable_key)

        assert ids(report) == {"api-function-missing"}
        assert "get_package_cost" in report.findings[0].what

    def test_a_schema_cache_that_is_stale(self, project, planted, admin):
        planted("alter function public.get_package_cost rename to gone", "select 1")
        admin.execute("alter event trigger pgrst_ddl_watch disable")
        admin.execute("alter function public.gone rename to get_package_cost")

        report = examine(db_url=project.db_url, url=project.url, key=project.secret_key)

        assert ids(report) == {"schema-cache-stale"}
        admin.execute(report.findings[0].fix)
        admin.execute("alter event trigger pgrst_ddl_watch enable")
        project.reload_schema()
        assert examine(db_url=project.db_url, url=project.url, key=project.secret_key).done

    def test_versions_that_are_open(self, project, planted):
        planted(f"grant select on {VERSIONS} to anon", f"revoke select on {VERSIONS} from anon")

        report = examine(url=project.url, key=project.publishable_key)

        assert ids(report) == {"api-open-to-anon"}

    def test_versions_that_the_service_role_cannot_read(self, project, planted):
        planted(
            f"revoke select on {VERSIONS} from service_role",
            f"grant select on {VERSIONS} to service_role",
        )

        report = examine(url=project.url, key=project.secret_key)

        assert ids(report) == {"api-read-refused"}

    @pytest.mark.parametrize(
        ("setting", "found"),
        [
            ("pgrst.db_schemas = 'public, training_versions_internal'", "internal-schema-exposed"),
            ("pgrst.db_schemas = 'extensions'", "public-not-exposed"),
            ("pgrst.db_max_rows = 7", "row-cap-small"),
        ],
    )
    def test_settings_that_it_runs_with(self, project, admin, setting, found):
        try:
            admin.execute(f"alter role authenticator set {setting}")
            admin.execute("notify pgrst, 'reload config'")
            admin.execute("notify pgrst, 'reload schema'")

            wait_for({found}, lambda: examine(url=project.url, key=project.secret_key))
        finally:
            admin.execute(f"alter role authenticator reset {setting.partition(' ')[0]}")
            admin.execute("notify pgrst, 'reload config'")
            admin.execute("notify pgrst, 'reload schema'")
            wait_for(set(), lambda: examine(url=project.url, key=project.secret_key))


class TestWithoutAConnection:
    def test_where_nothing_listens(self):
        report = examine(db_url="postgresql://postgres:geheim%21@127.0.0.1:9/postgres")

        assert ids(report) == {"database-unreachable"}
        assert not_done(report)[:5] == DATABASE
        assert report.exit_status == 2
        assert report.to_text().splitlines()[-1].startswith("Not examined: ")
        assert "geheim" not in json.dumps(report.to_dict())

    def test_with_a_wrong_password(self, project):
        url = project.db_url.replace(project.db_url.split(":")[2].split("@")[0], "geheim%21")

        report = examine(db_url=url)

        assert ids(report) == {"database-login"}
        assert "geheim" not in json.dumps(report.to_dict())

    def test_what_an_error_says_is_told_without_the_password(self):
        said = psycopg.OperationalError("invalid: geheim! in postgresql://postgres:geheim%21@host")

        refused = connection_refused(said, "postgresql://postgres:geheim%21@host/postgres")

        assert "invalid: … in postgresql://postgres:…@host" in refused.what

    def test_to_something_that_is_no_project(self, project):
        report = examine(db_url=project.admin_db_url.removesuffix("postgres") + "template1")

        assert ids(report) == {"not-supabase"}

    def test_as_a_role_that_may_not_read(self, project):
        report = examine(db_url=project.db_url.replace("//postgres:", "//authenticator:"))

        assert ids(report) == {"database-rights"}

    @pytest.mark.parametrize(
        ("arguments", "field"),
        [
            ({}, "db_url"),
            ({"url": "http://a"}, "key"),
            ({"key": "a"}, "url"),
            ({"db_url": " "}, "db_url"),
            ({"db_url": 3}, "db_url"),
            ({"db_url": "no address"}, "db_url"),
            *(
                ({"db_url": f"postgresql://postgres:{password}@127.0.0.1:9/postgres"}, "db_url")
                for password in (
                    "a@geheim",
                    "@geheim",
                    "geheim/a",
                    "geheim/9",
                    "9/geheim",
                    "a@geheim?sslmode=b",
                    "%geheim",
                )
            ),
            ({"url": "ftp://a", "key": "a"}, "url"),
            ({"url": "https://user:geheim@a", "key": "a"}, "url"),
            ({"url": "http://[::1", "key": "a"}, "url"),
            ({"url": "http://a", "key": "a\nb"}, "key"),
            ({"url": "http://a", "key": "schlüssel€"}, "key"),
        ],
    )
    def test_arguments_that_are_none(self, arguments, field):
        with pytest.raises(InvalidInputError) as refused:
            examine(**arguments)

        assert refused.value.field == field
        assert "geheim" not in str(refused.value)


class TestWithoutTheMigrations:
    def test_nothing_and_then_the_first_release(self, tmp_path):
        with LocalSupabase(migrations=None) as stack:
            report = examine(db_url=stack.db_url, url=stack.url, key=stack.publishable_key)
            assert ids(report) == {"migrations-not-applied"}
            assert "supabase db push" in report.findings[0].fix
            report = examine(url=stack.url, key=stack.publishable_key)
            assert ids(report) == {"migrations-not-applied"}

            upgrade(stack, until="20250131000001")
            report = examine(db_url=stack.db_url)
            assert ids(report) == {"first-release-only"}

            upgrade(stack, until="20261122000050")
            report = examine(db_url=stack.db_url)
            assert ids(report) == {"migration-missing"}
            assert not_done(report)[:3] == ["objects", "rows", "rights"]
