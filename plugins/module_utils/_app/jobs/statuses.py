# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Note that this is a private part of the collection: no other collection may import it.

"""The vocabulary of job and pipeline statuses, and every predicate about them: one table.

Source: GitLab's `Ci::HasStatus`, and https://docs.gitlab.com/api/jobs/.
"""

from __future__ import annotations

import typing as t

from ..._api.decoding import Record

Phase = t.Literal["waiting", "blocked", "queued", "running", "ending", "finished"]

# Every status GitLab knows, in the order a job goes through them, and what it means for somebody who waits.
STATUSES: t.Mapping[str, Phase] = {
    "created": "waiting",
    "manual": "blocked",
    "scheduled": "blocked",
    "waiting_for_resource": "queued",
    "preparing": "queued",
    "waiting_for_callback": "queued",
    "pending": "queued",
    "running": "running",
    "canceling": "ending",
    "success": "finished",
    "failed": "finished",
    "canceled": "finished",
    "skipped": "finished",
}

# The phases in which a job has come at least so far.
_PLAYABLE_OR_PAST: frozenset[str] = frozenset({"blocked", "queued", "running", "ending", "finished"})
_STARTED_OR_PAST: frozenset[str] = frozenset({"running", "ending", "finished"})

# What the option wait_for may say besides statuses.
WAIT_TARGETS = ("playable", "started", "finished", "success")


def status_of(record: Record) -> str:
    """Return the status of a job, bridge or pipeline, empty when the server sent none."""
    status = record.get("status")
    return status if isinstance(status, str) else ""


def id_of(record: Record) -> int:
    """Return the id of a job, bridge or pipeline, 0 when the server sent none."""
    return int_of(record, "id")


def int_of(record: Record, name: str) -> int:
    """Return an id that a record holds under a name, 0 when it is none."""
    value = record.get(name)
    # what comes from a variable of Ansible is of a type of its own
    return value if isinstance(value, int) and not isinstance(value, bool) and value > 0 else 0


def is_known(status: str) -> bool:
    """Return whether the status is in the table; an unknown one counts as unfinished."""
    return status in STATUSES


def is_finished(status: str) -> bool:
    """Return whether nothing more will happen by itself."""
    return STATUSES.get(status) == "finished"


def is_playable(status: str) -> bool:
    """Return whether the job waits for a person, or for its timer."""
    return STATUSES.get(status) == "blocked"


def is_under_way(status: str) -> bool:
    """Return whether the job is queued or running: GitLab's word is active."""
    return STATUSES.get(status) in ("queued", "running")


def is_queued(status: str) -> bool:
    """Return whether the job waits for a runner; the earlier phases wait for something else."""
    return status == "pending"


def can_be_superseded(status: str) -> bool:
    """Return whether an attempt with this status may have a newer one: only an ended attempt is retried."""
    return is_finished(status) or STATUSES.get(status) == "ending" or not is_known(status)


def has_reached(status: str, targets: t.Sequence[str]) -> bool:
    """Return whether a status is what one of the targets of `wait_for` asks for.

    A target is a status, or `playable` (or past it), `started` (or past it), `finished`.
    """
    phase = STATUSES.get(status)
    for target in targets:
        if target == status or (target == "finished" and phase == "finished"):
            return True
        if target == "playable" and phase in _PLAYABLE_OR_PAST and status not in ("skipped", "canceled"):
            return True
        if target == "started" and phase in _STARTED_OR_PAST and status not in ("skipped", "canceled"):
            return True
    return False


def newest_per_name(records: t.Iterable[Record]) -> list[Record]:
    """Return the newest attempt of each job name, newest first."""
    newest: dict[str, Record] = {}
    for record in sorted(records, key=lambda record: -id_of(record)):
        newest.setdefault(str(record.get("name")), record)
    return list(newest.values())


def runner_wish(record: Record) -> str:
    """Return the runner tags a queued job asks for, as part of a sentence."""
    tags = record.get("tag_list")
    if isinstance(tags, list) and tags:
        return f"it asks for a runner with the tags {', '.join(map(str, tags))}"
    return "it asks for any runner that takes untagged jobs"


def count_statuses(records: t.Iterable[Record]) -> dict[str, int]:
    """Return how many records have each status."""
    counts: dict[str, int] = {}
    for record in records:
        status = status_of(record)
        counts[status] = counts.get(status, 0) + 1
    return counts
