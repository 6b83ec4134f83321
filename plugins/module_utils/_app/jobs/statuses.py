# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The statuses of jobs and pipelines: one table, and every question about them.

A new status of GitLab is one row here. A status that has no row counts as unfinished.
Source: GitLab's `Ci::HasStatus`, and https://docs.gitlab.com/api/jobs/.
"""

from __future__ import annotations

import collections
import dataclasses
import typing as t

from ..._api.decoding import Record
from ..fields import id_of, status_of

Phase = t.Literal["waiting", "blocked", "queued", "running", "ending", "finished"]
# The columns of the decision table of the actions.
Column = t.Literal["created", "blocked", "under_way", "canceling", "success", "ended", "skipped"]
# The classes of the report's style sheet.
Look = t.Literal["good", "bad", "busy", "still", "none"]


@dataclasses.dataclass(frozen=True)
class Status:
    """All that is known of one status.

    :param phase: how far a job with it has come.
    :param column: its column in the decision table of every action.
    :param look: its colour in the report, which is never alone: sign and word stand beside it.
    :param sign: its sign in the report.
    :param holdup: what a job with it waits for, in words; empty where these would say nothing.
    :param waits_for: where what holds a job up has to be looked up: among the jobs before it, or at its runner.
    :param can_end_unstarted: whether it is an end to which a job may come without ever having been playable or started.
    :param is_young: whether there are servers that do not know it; these refuse a list with it as scope.
    """

    name: str
    phase: Phase
    column: Column
    look: Look
    sign: str
    holdup: str = ""
    waits_for: t.Literal["", "jobs", "runner"] = ""
    can_end_unstarted: bool = False
    is_young: bool = False


# In the order in which a job goes through them.
_ROWS = (
    Status("created", "waiting", "created", "none", "·", waits_for="jobs"),
    Status("manual", "blocked", "blocked", "still", "‖", "waits to be played (manual)"),
    Status("scheduled", "blocked", "blocked", "still", "‖", "waits for its timer", is_young=True),
    Status("waiting_for_resource", "queued", "under_way", "busy", "…", "waits for its resource group", is_young=True),
    Status("preparing", "queued", "under_way", "busy", "…", "waits for its prerequisites", is_young=True),
    Status(
        "waiting_for_callback",
        "queued",
        "under_way",
        "busy",
        "…",
        "waits for a callback from an external service",
        is_young=True,
    ),
    Status("pending", "queued", "under_way", "busy", "…", waits_for="runner"),
    Status("running", "running", "under_way", "busy", "▶"),
    Status("canceling", "ending", "canceling", "bad", "⊘", is_young=True),
    Status("success", "finished", "success", "good", "✓"),
    Status("failed", "finished", "ended", "bad", "✗"),
    Status("canceled", "finished", "ended", "bad", "⊘", can_end_unstarted=True),
    Status("skipped", "finished", "skipped", "none", "·", can_end_unstarted=True),
)
STATUSES: dict[str, Status] = {row.name: row for row in _ROWS}

# How far a job is to come, and the phases in which it has come so far.
_MILESTONES: t.Mapping[str, tuple[Phase, ...]] = {
    "playable": ("blocked", "queued", "running", "ending", "finished"),
    "started": ("running", "ending", "finished"),
    "finished": ("finished",),
}
# What the option wait_for may say besides the other statuses.
WAIT_TARGETS = (*_MILESTONES, "success")


def phase_of(status: str) -> Phase | None:
    """Return how far a job with this status has come, None for an unknown one, which counts as unfinished."""
    row = STATUSES.get(status)
    return row.phase if row else None


def unknown_status(status: str) -> str:
    """Return what is said of a status that has no row, as part of a sentence."""
    return f"this collection does not know its status {status!r}"


def is_finished(status: str) -> bool:
    """Return whether nothing more will happen by itself."""
    return phase_of(status) == "finished"


def is_bad_end(status: str) -> bool:
    """Return whether a job with this status was to do something, and has not."""
    return is_finished(status) and status != "success"


def is_retryable(status: str) -> bool:
    """Return whether it is the end of a job that was begun, and not a good one."""
    row = STATUSES.get(status)
    return row is not None and row.column == "ended"


def has_ended_badly(record: Record) -> bool:
    """Return whether a job has failed or was canceled, and may not: what comes after it is skipped."""
    return is_retryable(status_of(record)) and not record.get("allow_failure")


def is_optional(record: Record) -> bool:
    """Return whether a job waits for somebody to play it, and nobody has to."""
    return status_of(record) == "manual" and bool(record.get("allow_failure"))


def is_playable(status: str) -> bool:
    """Return whether the job waits for a person, or for its timer."""
    return phase_of(status) == "blocked"


def is_under_way(status: str) -> bool:
    """Return whether the job is queued or running: GitLab's word is active."""
    return phase_of(status) in ("queued", "running")


def is_queued(status: str) -> bool:
    """Return whether the job waits for a runner; the earlier phases wait for something else."""
    row = STATUSES.get(status)
    return row is not None and row.waits_for == "runner"


def can_be_superseded(status: str) -> bool:
    """Return whether an attempt with this status may have a newer one: only an ended attempt is retried."""
    return phase_of(status) in ("finished", "ending", None)


def has_reached(status: str, targets: t.Sequence[str]) -> bool:
    """Return whether a status is what one of the targets of `wait_for` asks for: a status, or a milestone."""
    row = STATUSES.get(status)
    if status in targets or row is None:
        return status in targets
    reached = [target for target in targets if row.phase in _MILESTONES.get(target, ())]
    return "finished" in reached or (bool(reached) and not row.can_end_unstarted)


def newest_per_name(records: t.Iterable[Record]) -> list[Record]:
    """Return the newest attempt of each job name, newest first."""
    newest: dict[str, Record] = {}
    for record in sorted(records, key=lambda record: -id_of(record)):
        newest.setdefault(str(record.get("name")), record)
    return list(newest.values())


def runner_wish(record: Record) -> str:
    """Return which runner a queued job asks for, as part of a sentence."""
    tags = record.get("tag_list")
    if isinstance(tags, list) and tags:
        return f"a runner with the tag{'s' if len(tags) > 1 else ''} {', '.join(map(str, tags))}"
    return "a runner that takes untagged jobs"


def still(record: Record) -> str:
    """Return where a job stands that is not where it should be, as part of a sentence."""
    status = status_of(record)
    wish = f"; it requires {runner_wish(record)}" if is_queued(status) and "tag_list" in record else ""
    return f"is still {status}{wish}"


def count_statuses(records: t.Iterable[Record]) -> dict[str, int]:
    return dict(collections.Counter(map(status_of, records)))
