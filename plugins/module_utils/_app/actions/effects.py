# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Note that this is a private part of the collection: no other collection may import it.

"""How a job shows that an action was executed: functions of the job before and after."""

from __future__ import annotations

import typing as t

from ..._api.decoding import Record
from ..fields import id_of, status_of, user_id_of
from ..jobs.statuses import is_finished, is_under_way, phase_of, unknown_status
from ..writes.decision import ActionOutcome

Effect = t.Callable[[Record, Record], bool]
# What a status after an accepted request without effect means: outcome and reason.
NoEffect = t.Callable[[str], tuple[ActionOutcome, str]]


def is_played(before: Record, after: Record) -> bool:
    """Return whether there is a new attempt, or the job is queued or has run since, or was canceled before it ran."""
    if is_retried(before, after):
        return True
    old, new = status_of(before), status_of(after)
    # whoever plays a job becomes its user
    is_set_off = is_under_way(new) or bool(after.get("started_at")) or user_id_of(after) != user_id_of(before)
    return new != old and not is_under_way(old) and is_set_off


def is_retried(before: Record, after: Record) -> bool:
    """Return whether there is a new attempt."""
    return id_of(after) > id_of(before)


def is_canceled(before: Record, after: Record) -> bool:
    return status_of(after) != status_of(before) and status_of(after) in ("canceled", "canceling")


def is_erased(before: Record, after: Record) -> bool:
    """Return whether the job tells since when it is erased; to servers before 15.9 only its files tell."""
    if "erased_at" in after:
        return bool(after["erased_at"]) and not before.get("erased_at")
    return bool(before.get("artifacts")) and not after.get("artifacts")


def is_kept(before: Record, after: Record) -> bool:
    is_there = bool(after.get("artifacts_file"))
    return is_there and bool(before.get("artifacts_expire_at")) and not after.get("artifacts_expire_at")


def has_other_artifacts(before: Record, after: Record) -> bool:
    return before.get("artifacts") != after.get("artifacts")


def not_done(status: str) -> tuple[ActionOutcome, str]:
    """Return that an accepted request should have shown its effect; what another status means is not guessed."""
    if phase_of(status) is None:
        return "failed", f"GitLab accepted the request, and {unknown_status(status)}; whether it was done is unknown"
    return "failed", f"GitLab accepted the request, and the job is still {status}"


def not_canceled(status: str) -> tuple[ActionOutcome, str]:
    """Return why a job is not canceled: GitLab accepts the request in every status."""
    if is_finished(status):
        return "unchanged", f"it ended as {status} before it could be canceled"
    if status == "canceling":
        return "refused", "GitLab did not force it: that needs version 17.11 and the Maintainer role"
    return not_done(status)
