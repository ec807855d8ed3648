"""A wizard that autosaves its draft, and a second window that edits the same draft.

    .venv/bin/python examples/autosave.py

Runs on the embedded stack, or on your own project: see connect.py.
"""

import time

from connect import connect
from training_versions import PackageRepository, VersionRepository
from training_versions.autosave import AutosaveConflictError, DraftAutosaver


def main() -> None:
    """Edit a draft, meet two conflicts, and resolve them."""
    with connect() as (client, _):
        versions = VersionRepository(client)
        package = PackageRepository(client).create(
            "support-bot", template_type="lora_finetuning", config={}
        )
        draft = versions.create_draft(
            package.id,
            config={"learning_rate": 2e-4, "lora": {"r": 8, "alpha": 16}},
            model={"repo": "mistralai/Mistral-7B-v0.3"},
            dataset=[{"datasetId": "tickets-2025"}],
        )

        # By default there are 30 seconds between saves; here it is one, so that you need not wait.
        with DraftAutosaver(versions, draft, interval=1.0) as saver:
            lora = {"r": 8, "alpha": 16}
            for rank in range(9, 25):  # somebody moves a slider
                lora["r"] = rank
                saver.change(config={"learning_rate": 2e-4, "lora": lora})
                time.sleep(0.02)
            print(f"sixteen changes   not saved yet: {saver.pending}")
            while saver.pending:
                time.sleep(0.05)
            stored = versions.get(draft.id)
            print(f"one save          {stored.config_snapshot} is stored")

            # Another window of the same user edits the draft; this one does not know.
            versions.update_draft(
                draft.id, config={"learning_rate": 1e-4, "lora": lora}, change_summary="slower"
            )

            saver.change(config={"learning_rate": 2e-4, "lora": {"r": 24, "alpha": 48}})
            try:
                saver.flush()
            except AutosaveConflictError as conflict:
                print(f"conflict          {conflict.message}")
                print(f"  changed here    {', '.join(conflict.my_paths)}")
                print(f"  changed there   {', '.join(conflict.their_paths)}")
                saver.merge()
                merged = saver.draft
                print(f"merged            {merged.config_snapshot}, {merged.change_summary}")

            versions.update_draft(draft.id, name="the name of the other window")
            saver.change(name="the name of this window")
            try:
                saver.flush()
            except AutosaveConflictError:
                try:
                    saver.merge()
                except AutosaveConflictError as conflict:
                    print(f"not merged        {conflict.message}")
                saver.discard()
                print(f"discarded         it is {saver.draft.name!r} now")

            saver.change(change_summary="saved on leaving")
        summary = versions.get(draft.id).change_summary
        print(f"closed            {summary}; not saved: {saver.pending}")


if __name__ == "__main__":
    main()
