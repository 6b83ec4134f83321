# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The statuses of jobs and pipelines: one table, and the functions that read it.

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
Column = t.Literal["created", "blocked", "active", "canceling", "success", "ended", "skipped"]
# The classes of the report's style sheet.
Tone = t.Literal["good", "bad", "busy", "still", "none"]


@dataclasses.dataclass(frozen=True)
class Status:
    """Everything known about one status.

    :param phase: the progress of a job with this status.
    :param column: its column in the decision table of every action.
    :param tone: its color in the report, always shown together with sign and name.
    :param sign: its sign in the report.
    :param blocker: what a job with this status waits for, as part of a sentence; empty if there is nothing to say.
    :param waits_for: where to look up what a job waits for: among the jobs before it, or at its runner.
    :param can_end_unstarted: whether a job may end with this status without ever having been playable or started.
    :param is_young: whether some servers do not know it; these refuse lists with this scope.
    """

    name: str
    phase: Phase
    column: Column
    tone: Tone
    sign: str
    blocker: str = ""
    waits_for: t.Literal["", "jobs", "runner"] = ""
    can_end_unstarted: bool = False
    is_young: bool = False


# In the order in which jobs go through them.
_ROWS = (
    Status("created", "waiting", "created", "none", "·", waits_for="jobs"),
    Status("manual", "blocked", "blocked", "still", "‖", "waits to be played (manual)"),
    Status("scheduled", "blocked", "blocked", "still", "‖", "waits for its timer", is_young=True),
    Status("waiting_for_resource", "queued", "active", "busy", "…", "waits for its resource group", is_young=True),
    Status("preparing", "queued", "active", "busy", "…", "waits for its prerequisites", is_young=True),
    Status(
        "waiting_for_callback",
        "queued",
        "active",
        "busy",
        "…",
        "waits for a callback from an external service",
        is_young=True,
    ),
    Status("pending", "queued", "active", "busy", "…", waits_for="runner"),
    Status("running", "running", "active", "busy", "▶"),
    Status("canceling", "ending", "canceling", "bad", "⊘", is_young=True),
    Status("success", "finished", "success", "good", "✓"),
    Status("failed", "finished", "ended", "bad", "✗"),
    Status("canceled", "finished", "ended", "bad", "⊘", can_end_unstarted=True),
    Status("skipped", "finished", "skipped", "none", "·", can_end_unstarted=True),
)
STATUSES: dict[str, Status] = {row.name: row for row in _ROWS}

# The milestones of wait_for, and the phases of jobs that have reached them.
_MILESTONES: t.Mapping[str, tuple[Phase, ...]] = {
    "playable": ("blocked", "queued", "running", "ending", "finished"),
    "started": ("running", "ending", "finished"),
    "finished": ("finished",),
}
# The values of the option wait_for in addition to the other statuses.
WAIT_TARGETS = (*_MILESTONES, "success")


def phase_of(status: str) -> Phase | None:
    """Return the phase of a status; None if it is unknown, which counts as unfinished."""
    row = STATUSES.get(status)
    return row.phase if row else None


def unknown_status(status: str) -> str:
    """Return that a status is unknown, as part of a sentence."""
    return f"this collection does not know its status {status!r}"


def is_finished(status: str) -> bool:
    """Return whether a job or pipeline with this status has ended."""
    return phase_of(status) == "finished"


def is_unsuccessful(status: str) -> bool:
    """Return whether a job or pipeline with this status has ended without success."""
    return is_finished(status) and status != "success"


def is_retryable(status: str) -> bool:
    """Return whether a job with this status failed or was canceled."""
    row = STATUSES.get(status)
    return row is not None and row.column == "ended"


def is_blocking_failure(record: Record) -> bool:
    """Return whether a job failed or was canceled without `allow_failure`; jobs after it are skipped."""
    return is_retryable(status_of(record)) and not record.get("allow_failure")


def is_optional(record: Record) -> bool:
    """Return whether a job is manual and allowed to fail, so that no one has to play it."""
    return status_of(record) == "manual" and bool(record.get("allow_failure"))


def is_playable(status: str) -> bool:
    """Return whether a job with this status waits to be played, or for its timer."""
    return phase_of(status) == "blocked"


def is_active(status: str) -> bool:
    """Return whether a job with this status is queued or running, which GitLab calls active."""
    return phase_of(status) in ("queued", "running")


def is_queued(status: str) -> bool:
    """Return whether a job with this status waits for a runner, and not for something else."""
    row = STATUSES.get(status)
    return row is not None and row.waits_for == "runner"


def can_be_superseded(status: str) -> bool:
    """Return whether an attempt may have a newer one: jobs that wait or run cannot be retried."""
    return phase_of(status) in ("finished", "ending", None)


def has_reached(status: str, targets: t.Sequence[str]) -> bool:
    """Return whether a status satisfies one of the targets of `wait_for`: a status or a milestone."""
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


def needed_runner(record: Record) -> str:
    """Return which runner a queued job needs, as part of a sentence."""
    tags = record.get("tag_list")
    if isinstance(tags, list) and tags:
        return f"a runner with the tag{'s' if len(tags) > 1 else ''} {', '.join(map(str, tags))}"
    return "a runner that takes untagged jobs"


def still_text(record: Record) -> str:
    """Return the current status of a late job, as part of a sentence."""
    status = status_of(record)
    runner = f"; it requires {needed_runner(record)}" if is_queued(status) and "tag_list" in record else ""
    return f"is still {status}{runner}"


def failure_reason(record: Record) -> str:
    """Return GitLab's reason for the failure of a job in parentheses, empty if there is none."""
    reason = record.get("failure_reason")
    return f" ({reason})" if reason and status_of(record) == "failed" else ""


def count_statuses(records: t.Iterable[Record]) -> dict[str, int]:
    return dict(collections.Counter(map(status_of, records)))
