"""The story of the demo, in chronological order."""

from __future__ import annotations

from datetime import datetime

from training_versions.cli.demo import content
from training_versions.cli.demo.accounts import DemoAccounts, sign_up
from training_versions.cli.demo.author import Author, id_of
from training_versions.cli.demo.content import lora
from training_versions.cli.demo.curves import Curves
from training_versions.cli.demo.past import Past
from training_versions.local import LocalSupabase


def fill(supabase: LocalSupabase, *, now: datetime | None = None) -> DemoAccounts:
    """Fill an empty stack with the content of the demo, and return its users.

    Args:
        supabase: A running, empty stack.
        now: The present of the story, by default the real one.
    """
    accounts = sign_up(supabase)
    past = Past(now)
    ada = Author(supabase, accounts.ada.email, past)
    grace = Author(supabase, accounts.grace.email, past)
    _begin_support_bot(ada)
    _overfit_and_go_back(ada)
    _branch_off_sales_assistant(ada)
    _take_minutes(grace)
    _change_the_base_model(ada)
    _borrow_the_tone(ada)
    _work_on_today(ada, grace)
    past.rewrite(supabase)
    return accounts


def _begin_support_bot(ada: Author) -> None:
    ada.past.at(46, "09:12")
    ada.create_package("support-bot", lora(8, 2e-4))
    first = ada.draft(
        "support-bot@1",
        "FAQ baseline",
        "Baseline: small adapters on the attention, the FAQ and nothing else.",
        config=lora(8, 2e-4),
        model=content.MISTRAL,
        dataset=[content.FAQ, content.HELD_OUT],
        costs=("6.00", "15.00"),
    )
    ada.past.at(46, "11:40")
    ada.versions.publish(first)
    curves = Curves(2e-4, loss=(2.3, 1.05), points=30, seed=1)
    ada.train(first, curves, start=(46, "11:52"), end=(46, "14:31"))
    ada.pay(first, "5.32", "2.6 h on an A10G")
    ada.deploy_locally(first, (46, "15:05"))

    ada.past.at(41, "09:30")
    second = ada.draft(
        "support-bot@2",
        "With real chats",
        "Twice the rank, and the chats of the second quarter beside the FAQ: "
        "version 1 knew the answers and not how people ask.",
        config=lora(16, 2e-4),
        model=content.MISTRAL,
        dataset=[content.FAQ, content.CHATS, content.HELD_OUT],
        parent="support-bot@1",
        costs=("14.00", "20.00"),
    )
    short = Curves(2e-4, loss=(2.1, 0.9), stops_after=8, seed=2)
    failure = "CUDA out of memory at step 212: tried to allocate 2.25 GiB on an A10G"
    ada.train(second, short, start=(41, "10:02"), end=(41, "10:48"), failure=failure)
    ada.pay(second, "1.04", "0.8 h on an A10G, out of memory")
    ada.past.at(41, "11:15")
    smaller = lora(16, 2e-4, training=content.SMALL_BATCHES)
    ada.versions.update_draft(second, config=smaller)
    ada.past.at(41, "11:20")
    ada.versions.publish(second)
    curves = Curves(2e-4, loss=(2.1, 0.9), seed=3)
    ada.train(second, curves, start=(41, "11:31"), end=(41, "19:47"))
    ada.pay(second, "11.87", "8.3 h on an A10G")
    ada.deploy_to_space(second, "support-bot", (40, "08:55"))


def _overfit_and_go_back(ada: Author) -> None:
    longer = {"num_train_epochs": 6, "warmup_ratio": 0.0}
    ada.past.at(35, "13:05")
    third = ada.draft(
        "support-bot@3",
        "Hotter, longer",
        "Learning rate up to 5e-4 and six epochs, to get the tone right at last.",
        config=lora(16, 5e-4, training=content.SMALL_BATCHES | longer),
        model=content.MISTRAL,
        dataset=[content.FAQ, content.CHATS, content.HELD_OUT],
        parent="support-bot@2",
        costs=("16.00", "20.00"),
    )
    ada.past.at(35, "13:30")
    ada.versions.publish(third)
    curves = Curves(5e-4, loss=(2.1, 0.42), overfits=True, points=42, seed=4)
    ada.train(third, curves, start=(35, "13:34"), end=(34, "05:20"))
    ada.pay(third, "17.15", "15.8 h on an A10G")
    ada.deploy_to_space(third, "support-bot", (34, "09:10"))
    # The version made up answers, so an earlier version is deployed again.
    ada.deploy_to_space(id_of("support-bot@2"), "support-bot", (33, "16:42"))
    ada.past.at(32, "09:03")
    ada.versions.archive(third)

    ada.past.at(32, "09:20")
    fourth = id_of("support-bot@4")
    ada.versions.restore(
        id_of("support-bot@2"),
        name="Back to the chats, cooler",
        change_summary="Back to version 2: version 3 learned the chats by heart. "
        "Half the learning rate, more dropout.",
        new_version_id=fourth,
    )
    ada.past.at(32, "09:44")
    cooler = lora(16, 1e-4, dropout=0.1, training=content.SMALL_BATCHES)
    ada.versions.update_draft(fourth, config=cooler, estimated_cost="12.00", budget_limit="15.00")
    ada.past.at(32, "10:01")
    ada.versions.publish(fourth)
    curves = Curves(1e-4, loss=(2.1, 0.86), seed=5)
    ada.train(fourth, curves, start=(32, "10:04"), end=(32, "18:40"))
    ada.pay(fourth, "12.21", "8.6 h on an A10G")
    ada.deploy_to_space(fourth, "support-bot", (31, "10:30"))
    ada.past.at(31, "10:45")
    ada.versions.archive(id_of("support-bot@1"))


def _branch_off_sales_assistant(ada: Author) -> None:
    ada.past.at(27, "14:10")
    ada.create_package("sales-assistant", lora(16, 1e-4))
    first = id_of("sales-assistant@1")
    ada.versions.fork(
        id_of("support-bot@4"),
        into=id_of("sales-assistant"),
        name="From the support bot",
        change_summary="Starts where support-bot 4 is, on recorded sales calls.",
        new_version_id=first,
    )
    ada.past.at(27, "14:32")
    ada.versions.update_draft(
        first,
        dataset=[content.CALLS, content.PRICES, content.SALES_HELD_OUT],
        estimated_cost="7.00",
        budget_limit="10.00",
    )
    ada.past.at(26, "09:15")
    ada.versions.publish(first)
    curves = Curves(1e-4, loss=(2.4, 1.1), points=30, seed=6)
    ada.train(first, curves, start=(26, "09:20"), end=(26, "13:55"))
    ada.pay(first, "6.44", "4.6 h on an A10G")
    ada.deploy_locally(first, (25, "10:00"))


def _take_minutes(grace: Author) -> None:
    grace.past.at(23, "08:20")
    grace.create_package("meeting-notes", lora(8, 3e-4))
    first = grace.draft(
        "meeting-notes@1",
        "Minutes from transcripts",
        "First try, on the minutes of last year.",
        config=lora(8, 3e-4, training={"num_train_epochs": 2}),
        model=content.QWEN,
        dataset=[content.MINUTES],
        costs=("2.00", "5.00"),
    )
    grace.past.at(23, "08:45")
    grace.versions.publish(first)
    curves = Curves(3e-4, loss=(1.9, 1.2), points=15, seed=7)
    grace.train(first, curves, start=(23, "08:50"), end=(23, "10:05"))
    grace.pay(first, "1.38", "1.2 h on an L4")


def _change_the_base_model(ada: Author) -> None:
    ada.past.at(20, "09:05")
    fifth = ada.draft(
        "support-bot@5",
        "Llama 3.1, cleaner chats",
        "Llama 3.1 8B as the base, all linear layers, and the chats without duplicates.",
        config=lora(
            16, 1e-4, modules=content.ALL_LINEAR, dropout=0.1, training=content.MEDIUM_BATCHES
        ),
        model=content.LLAMA,
        dataset=[content.FAQ, content.CLEAN_CHATS, content.HELD_OUT],
        parent="support-bot@4",
        costs=("18.00", "20.00"),
    )
    ada.past.at(20, "09:40")
    ada.versions.publish(fifth)
    curves = Curves(1e-4, loss=(1.8, 0.71), points=40, seed=8)
    ada.train(fifth, curves, start=(20, "09:44"), end=(19, "01:12"))
    ada.pay(fifth, "18.60", "15.5 h on an A10G")
    ada.pay(fifth, "2.75", "evaluation by 1,200 rated answers")
    ada.deploy_to_space(fifth, "support-bot", (18, "11:20"))

    # An abandoned draft, whose number is not used again.
    ada.past.at(16, "15:10")
    sixth = ada.draft(
        "support-bot@6",
        "Rank 64",
        "Is more rank worth it?",
        config=lora(64, 1e-4, modules=content.ALL_LINEAR),
        model=content.LLAMA,
        dataset=[content.FAQ, content.CLEAN_CHATS, content.HELD_OUT],
        parent="support-bot@5",
        costs=("40.00", "20.00"),
    )
    ada.past.at(16, "15:55")
    ada.versions.delete_draft(sixth)


def _borrow_the_tone(ada: Author) -> None:
    ada.past.at(14, "10:20")
    second = ada.draft(
        "sales-assistant@2",
        "Friendlier",
        "Pairs of answers that colleagues rated, for the tone.",
        config=lora(16, 8e-5, dropout=0.1, training=content.NOISY),
        model=content.MISTRAL,
        dataset=[content.CALLS, content.PRICES, content.TONE, content.SALES_HELD_OUT],
        parent="sales-assistant@1",
        costs=("8.00", "10.00"),
    )
    ada.past.at(14, "11:00")
    ada.versions.publish(second)
    curves = Curves(8e-5, loss=(1.7, 0.94), points=30, seed=9)
    ada.train(second, curves, start=(14, "11:06"), end=(14, "16:30"))
    ada.pay(second, "7.56", "5.4 h on an A10G")
    ada.deploy_to_space(second, "sales-assistant", (13, "09:00"))

    ada.past.at(10, "09:30")
    seventh = id_of("support-bot@7")
    ada.versions.fork(
        second,
        into=id_of("support-bot"),
        name="The tone of sales",
        change_summary="The rated pairs made sales friendlier; the same for support.",
        new_version_id=seventh,
    )
    ada.past.at(10, "10:05")
    ada.versions.update_draft(
        seventh,
        model=content.LLAMA,
        dataset=[content.FAQ, content.CLEAN_CHATS, content.TONE, content.HELD_OUT],
        estimated_cost="20.00",
        budget_limit="25.00",
    )
    ada.past.at(10, "10:30")
    ada.versions.publish(seventh)
    curves = Curves(8e-5, loss=(1.5, 0.66), points=40, seed=10)
    ada.train(seventh, curves, start=(10, "10:34"), end=(9, "02:20"))
    ada.pay(seventh, "18.90", "15.8 h on an A10G")
    ada.deploy_locally(seventh, (9, "09:15"))


def _work_on_today(ada: Author, grace: Author) -> None:
    ada.past.at(3, "16:20")
    eighth = ada.draft(
        "support-bot@8",
        "Rank 32, rank-stabilized",
        "Twice the rank with rsLoRA, on version 7.",
        config=lora(32, 8e-5, modules=content.ALL_LINEAR, dropout=0.1, training=content.NOISY),
        model=content.LLAMA,
        dataset=[content.FAQ, content.CLEAN_CHATS, content.TONE, content.HELD_OUT],
        parent="support-bot@7",
        costs=("24.00", "30.00"),
    )
    grace.past.at(2, "10:00")
    grace.draft(
        "meeting-notes@2",
        "Shorter minutes",
        "At most ten lines; nobody read the long ones.",
        config=lora(8, 2e-4, training={"num_train_epochs": 3}),
        model=content.QWEN,
        dataset=[content.MINUTES],
        parent="meeting-notes@1",
        costs=("2.00", "5.00"),
    )
    ada.past.at(1, "09:10")
    third = ada.draft(
        "sales-assistant@3",
        "New prices",
        "The price list of this month.",
        config=lora(16, 8e-5, dropout=0.1, training=content.NOISY),
        model=content.MISTRAL,
        dataset=[
            content.CALLS,
            content.data("acme/price-list", 655, revision="v32", format="instruction"),
            content.TONE,
            content.SALES_HELD_OUT,
        ],
        parent="sales-assistant@2",
        costs=("8.00", "10.00"),
    )
    ada.past.at(1, "09:30")
    ada.versions.publish(third)
    # This run is still running.
    ada.past.hours_ago(4.2)
    run = ada.versions.start_training(third, run_id=id_of("sales-assistant@3/run"))
    ada.past.spread_until_hours_ago(1.5)
    for step, metrics in Curves(8e-5, loss=(1.4, 0.9), stops_after=17, seed=11).walk():
        ada.versions.record_metrics(third, metrics, step=step, run_id=run.id)
    ada.past.hours_ago(1.3)
    ada.versions.update_draft(
        eighth,
        config=lora(
            32,
            8e-5,
            alpha=32,
            modules=content.ALL_LINEAR,
            dropout=0.1,
            rank_stabilized=True,
            training=content.NOISY,
        ),
        change_summary="Twice the rank with rsLoRA, on version 7. "
        "Not trained yet: waits for the chats of this quarter.",
    )
    ada.past.hours_ago(0.5)
    ada.pay(third, "3.10", "the first 2.2 h on an A10G")
