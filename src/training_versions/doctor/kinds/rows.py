"""Kinds of findings about rows."""

from __future__ import annotations

from training_versions.doctor.kinds.kind import error, warning

ROWS = {
    "orphan-row": error(
        "Rows point at something that is gone.",
        "Somebody wrote with triggers off, or while a foreign key was missing.",
    ),
    "version-count": error(
        "version_count is not the number of versions.",
        "Lists of packages show a wrong number, and a package with versions may change its owner.",
    ),
    "latest-published": error(
        "latest_published_version is not the number of the newest published version.",
        "Whoever asks for the latest published version by it gets another one, or none.",
    ),
    "current-version": error(
        "current_version_id is not the newest published version.",
        "Whoever follows it gets another version, or none.",
    ),
    "last-number": error(
        "The highest number given in a package is above the one on record.",
        "The next draft takes longer, and a number may be given twice.",
    ),
    "number-reused": error(
        "A version has the number of a deleted draft.",
        "Whoever noted the number of that draft finds another version under it.",
    ),
    "number-below-one": error(
        "A version has a number below 1.",
        "Lists are paged by number from 1 on.",
    ),
    "version-of-another-user": warning(
        "A version was created by somebody else than the owner of its package.",
        "The owner does not see it, and it is never the latest published one.",
    ),
    "version-without-creator": error(
        "A version has no created_by, although its package has an owner.",
        "No user sees it.",
    ),
    "published-unsigned": error(
        "A published or archived version lacks published_at or published_by.",
        "Nobody can say who published it, and when.",
    ),
    "draft-signed": error(
        "A draft has published_at or published_by.",
        "It was published and taken back, around the rules.",
    ),
    "edit-token": error(
        "content_updated_at is later than updated_at.",
        "Every edit with `expected_updated_at` is refused, although nobody edited the draft.",
    ),
    "version-name": error(
        "The name of a version is blank or longer than 255 characters.",
        "The SDK would refuse it.",
    ),
    "snapshot-shape": error(
        "A snapshot is not of its shape: config and model are objects, data sets an array.",
        "Typed repositories cannot read it.",
    ),
    "version-cost": error(
        "A cost is negative, or not a number.",
        "Sums of a package are wrong.",
    ),
    "deployed-without-target": error(
        "A version is marked as deployed without a target.",
        "Nobody can say where it is live.",
    ),
    "parent-of-another-user": error(
        "The parent of a version was created by somebody else.",
        "Its owner cannot see where it comes from.",
    ),
    "parent-circle": error(
        "Versions are their own ancestors.",
        "Their line of descent has no beginning.",
    ),
    "run-not-running": error(
        "A version says that training is running, and no run is.",
        "Training can neither end nor start again by its run.",
    ),
    "run-left-running": error(
        "A run is running, and its version does not say so.",
        "The run never ends, and no other can start.",
    ),
    "run-disagrees": error(
        "The last run of a version has another outcome than the version.",
        "The version and its runs tell two stories.",
    ),
    "run-times": error(
        "The times of the last run are not those of the version, or a run ends before it starts.",
        "The version and its runs tell two stories.",
    ),
    "event-without-run": error(
        "The history names a run that is not there.",
        "The run and its curve are lost, and the version and its history tell two stories.",
    ),
    "run-without-event": error(
        "The history lacks the start of a run.",
        "The history is not complete.",
    ),
    "point-not-finite": error(
        "A curve has a value that is NaN or infinite.",
        "The SDK cannot read that curve.",
    ),
    "deployed-without-deployment": error(
        "A version is marked as deployed, and no deployment is live.",
        "`live` and the version tell two stories.",
    ),
    "live-not-shown": error(
        "A deployment is live, and its version shows none or another one.",
        "`live` and the version tell two stories.",
    ),
    "live-not-published": error(
        "A deployment of a version that is not published is live.",
        "Only published versions can be deployed.",
    ),
    "deployment-version": error(
        "A deployment names another package or number than its version has.",
        "`live` finds it under the wrong package.",
    ),
    "deployments-overlap": warning(
        "Two versions were live at one target at the same time.",
        "`live_at` cannot say which one was.",
    ),
    "deployment-without-event": error(
        "Deployments and the history disagree about how often a version was deployed or "
        "undeployed.",
        "The history is not complete.",
    ),
    "cost-sum": error(
        "actual_cost is not the sum of the entries.",
        "The cost of the package and its entries disagree.",
    ),
    "cost-total": error(
        "The kept sum of the entries of a version is wrong.",
        "The next direct write of actual_cost adds an entry of a wrong amount.",
    ),
    "cost-without-event": error(
        "Costs and the history disagree about the entries of a version.",
        "The history is not complete.",
    ),
    "alert-without-event": error(
        "Costs and the history disagree about the alerts of a version.",
        "The history is not complete.",
    ),
    "event-owner": error(
        "Events belong to another user than their version.",
        "The owner of the version does not see them, and somebody else does.",
    ),
    "run-owner": error(
        "A run belongs to another user than its version.",
        "The owner of the version does not see it, and somebody else does.",
    ),
    "point-owner": error(
        "Points of a curve belong to another user than their version.",
        "The owner of the version does not see them, and somebody else does.",
    ),
    "deployment-owner": error(
        "A deployment belongs to another user than its version.",
        "The owner of the version does not see it, and somebody else does.",
    ),
    "cost-owner": error(
        "A cost entry belongs to another user than its version.",
        "The owner of the version does not see it, and somebody else does.",
    ),
    "event-version": error(
        "An event names another package or number than its version has.",
        "The history of the package lacks it.",
    ),
    "history-without-beginning": error(
        "The history of a version does not begin with its creation.",
        "The history is not complete.",
    ),
    "history-of-publishing": error(
        "The history of a published or archived version lacks that it was published or archived.",
        "The history is not complete.",
    ),
    "status-went-back": error(
        "The history says that a version was published or archived, and its status does not.",
        "Published content was opened to edits, around the rules.",
    ),
    "origin-disagrees": error(
        "The history says otherwise how a version came to be than its origin on record.",
        "One of the two was written by hand.",
    ),
    "event-doubled": error(
        "The history has twice what happens once.",
        "Whoever counts or follows it is misled.",
    ),
    "deleted-and-there": error(
        "The history says that a version was deleted, and it is there.",
        "The history tells another story than the tables.",
    ),
    "deletion-without-event": error(
        "The history lacks that a draft was deleted.",
        "The history is not complete.",
    ),
    "deletion-not-recorded": error(
        "The history says that a draft was deleted, and there is neither the draft nor the record.",
        "Its number can be given again, and a repeated deletion fails.",
    ),
    "import-left-open": warning(
        "An import is on record as running, and is not.",
        "Nothing comes of it; it shows that somebody wrote to the internal tables.",
    ),
    "sequence-behind": error(
        "A sequence is behind the ids of its table.",
        "Every write that adds to the history fails with a duplicate key, until it has caught up.",
    ),
}
