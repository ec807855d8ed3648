"""A repository after a fork, and after its event loop: never the reply to somebody else's request.

Both happen in programs of their own, since the process of the tests has threads.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from typing import Any

import pytest

SETUP = """
    import asyncio, json, os, sys
    from supabase import AsyncClientOptions, ClientOptions, acreate_client, create_client
    from training_versions import *

    URL, KEY, TOKEN = os.environ["URL"], os.environ["KEY"], os.environ["TOKEN"]

    def options(kind):
        made = kind(auto_refresh_token=False, persist_session=False)
        made.headers["Authorization"] = f"Bearer {TOKEN}"
        return made

    def outcome(act):
        try:
            return act()
        except TrainingVersionsError as exc:
            return f"{type(exc).__name__}: {exc}"

    def in_child(act):
        # What `act` returns in a fork, whose connections this process goes on to use meanwhile.
        readable, writable = os.pipe()
        if os.fork() == 0:
            os.write(writable, json.dumps(act()).encode())
            os._exit(0)
        os.wait()
        return json.loads(os.read(readable, 100_000))
"""

SYNC = """
    client = create_client(URL, KEY, options(ClientOptions))
    packages, versions = PackageRepository(client), VersionRepository(client)
    made = [packages.create(f"p{n}", template_type="t", config={}) for n in range(3)]
    walk = packages.iterate(page_size=1)
    begun = next(walk)

    def child():
        return [
            outcome(lambda: packages.get(made[0].id).name),
            outcome(lambda: packages.update(made[0].id, name="x").name),
            outcome(lambda: versions.count()),
            outcome(lambda: next(walk).name),
            outcome(lambda: PackageRepository(client) and None),
        ]

    print(json.dumps([in_child(child), [packages.get(each.id) == each for each in made]]))
"""

ASYNC = """
    async def main():
        client = await acreate_client(URL, KEY, options(AsyncClientOptions))
        packages = AsyncPackageRepository(client)
        made = [await packages.create(f"p{n}", template_type="t", config={}) for n in range(3)]

        async def attempt():
            try:
                return (await packages.get(made[0].id)).name
            except TrainingVersionsError as exc:
                return f"{type(exc).__name__}: {exc}"

        readable, writable = os.pipe()
        if os.fork() == 0:
            os.write(writable, json.dumps([await attempt()]).encode())
            os._exit(0)
        os.wait()
        told = json.loads(os.read(readable, 100_000))
        print(json.dumps([told, [await packages.get(each.id) == each for each in made]]))

    asyncio.run(main())
"""


@pytest.fixture
def run(stack, ada):
    """Runs a program as ada, and returns the JSON that it prints."""

    def program(text: str) -> Any:
        done = subprocess.run(
            [sys.executable, "-W", "ignore", "-c", textwrap.dedent(SETUP) + textwrap.dedent(text)],
            env={**os.environ, "URL": stack.url, "KEY": stack.anon_key, "TOKEN": ada.token},
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    return program


@pytest.mark.parametrize("program", [SYNC, ASYNC], ids=["sync", "async"])
def test_a_fork_is_refused_and_its_parent_goes_on(run, program):
    told, parent_reads_its_own = run(program)

    for words in told:
        assert words.startswith("InvalidInputError: The client belongs to another process, ")
        assert "after the fork" in words
    assert all(parent_reads_its_own)


def test_a_process_that_makes_its_own_client_after_the_fork_is_served(run):
    told = run(
        """
        PackageRepository(create_client(URL, KEY, options(ClientOptions))).list()

        def child():
            packages = PackageRepository(create_client(URL, KEY, options(ClientOptions)))
            return packages.create("of the child", template_type="t", config={}).name

        print(json.dumps(in_child(child)))
        """
    )

    assert told == "of the child"


def test_a_second_event_loop_is_told_with_what_became_of_the_call(run):
    first, read, write, stored = run(
        """
        async def make():
            client = await acreate_client(URL, KEY, options(AsyncClientOptions))
            return AsyncPackageRepository(client)

        async def keep():
            return await packages.create("kept", template_type="t", config={})

        packages = asyncio.run(make())
        first = asyncio.run(keep())
        read = outcome(lambda: asyncio.run(packages.get(first.id)))
        asyncio.run(packages.get(first.id))  # the connection of the first loop is gone now
        write = outcome(lambda: asyncio.run(packages.update(first.id, name="kept twice")))
        client = create_client(URL, KEY, options(ClientOptions))
        stored = PackageRepository(client).get(first.id).name
        print(json.dumps([first.name, read, write, stored]))
        """
    )

    assert first == "kept"
    for words, kind in ((read, "ConnectionFailedError"), (write, "OutcomeUnknownError")):
        assert words.startswith(f"{kind}: ")
        assert "the client was used in another event loop before" in words
        assert "inside of the asyncio.run that uses them" in words
    assert stored == "kept twice"  # it was sent, and the error says that it may have been


def test_an_autosaver_saves_in_its_own_process_only(run):
    told, pending_there, stored = run(
        """
        client = create_client(URL, KEY, options(ClientOptions))
        package = PackageRepository(client).create("p", template_type="t", config={})
        versions = VersionRepository(client)
        draft = versions.create_draft(package.id, config={}, model={}, dataset=[])
        with DraftAutosaver(versions, draft, interval=3600) as saver:
            saver.change(name="of the parent")

            def child():
                acts = (lambda: saver.change(name="x"), saver.flush, saver.discard, saver.close)
                with saver:
                    return [[outcome(act) for act in acts], saver.pending]

            told = in_child(child)
        print(json.dumps([*told, versions.get(draft.id).name]))
        """
    )

    for words in told:
        assert words.startswith("InvalidInputError: The autosaver belongs to another process, ")
    assert pending_there == {"name": "of the parent"}
    assert stored == "of the parent"


EXITS = {
    "a thread": """
        saver = DraftAutosaver(versions, draft, interval=3600)
        saver.change(name="saved at exit")
    """,
    "a thread, dropped at the end": """
        saver = DraftAutosaver(versions, draft, interval=3600)
        saver.change(name="saved at exit")
        del saver
    """,
    "a task": """
        async def main():
            global saver
            client = await acreate_client(URL, KEY, options(AsyncClientOptions))
            saver = AsyncDraftAutosaver(AsyncVersionRepository(client), draft, interval=3600)
            saver.change(name="saved at exit")

        asyncio.run(main())
    """,
    "a task, dropped at the end": """
        async def main():
            client = await acreate_client(URL, KEY, options(AsyncClientOptions))
            saver = AsyncDraftAutosaver(AsyncVersionRepository(client), draft, interval=3600)
            saver.change(name="saved at exit")

        asyncio.run(main())
    """,
}


@pytest.mark.parametrize("program", EXITS.values(), ids=EXITS)
def test_a_program_that_ends_without_closing_its_autosaver_saves(run, ada, program):
    draft = """
        client = create_client(URL, KEY, options(ClientOptions))
        package = PackageRepository(client).create("p", template_type="t", config={})
        versions = VersionRepository(client)
        draft = versions.create_draft(package.id, config={}, model={}, dataset=[])
        print(json.dumps(str(draft.id)))
    """

    draft_id = run(textwrap.dedent(draft) + textwrap.dedent(program))

    assert ada.versions.get(draft_id).name == "saved at exit"
