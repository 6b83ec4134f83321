# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Note that this is a private part of the collection: no other collection may import it.

"""How to wait, and what a state means then: nothing that has to be loaded for waiting itself."""

from __future__ import annotations

import math
import typing as t

from ..._api.decoding import Record
from ..._api.errors import UsageError
from ..jobs.statuses import STATUSES, WAIT_TARGETS, has_reached, is_finished, status_of


class WaitOptions(t.NamedTuple):
    """How to wait.

    :param interval_seconds: the longest pause between two looks.
    :param pending_seconds: how long a job may sit in the queue, None for any time.
    :param targets: what to wait for; see `statuses.has_reached`.
    :param fail_on: end statuses that fail the task.
    :param log_follow: whether the log of the one job is shown as it grows.
    """

    wait: bool = False
    targets: tuple[str, ...] = ("finished",)
    interval_seconds: float = 10.0
    pending_seconds: float | None = None
    on_timeout: str = "fail"
    fail_on: tuple[str, ...] = ()
    ignore_allowed_failures: bool = False
    log_lines: int = 0
    log_follow: bool = False

    @classmethod
    def of(cls, options: t.Mapping[str, t.Any]) -> WaitOptions:
        """Return the waiting options of a task.

        :raises UsageError: for values that cannot be used.
        """
        targets = tuple(options.get("wait_for") or ("finished",))
        for name, values, known in (
            ("wait_for", targets, (*WAIT_TARGETS, *STATUSES)),
            ("fail_on", tuple(options.get("fail_on") or ()), tuple(STATUSES)),
        ):
            unknown = [value for value in values if value not in known]
            if unknown:
                raise UsageError(f"{name} holds {unknown[0]!r}, which is none of {', '.join(dict.fromkeys(known))}")
        interval = options.get("wait_interval")
        interval = 10.0 if interval is None else float(interval)
        if not interval > 0:
            raise UsageError(f"wait_interval is {interval:g}; give more than 0 seconds")
        pending = options.get("pending_timeout")
        log_lines = int(options.get("log_lines") or 0)
        if options.get("log_follow") and not options.get("wait"):
            raise UsageError("log_follow needs wait: true, since a log is followed while the job is waited for")
        for name, value in (("pending_timeout", pending), ("log_lines", log_lines)):
            if value is not None and (value < 0 or math.isnan(value)):
                raise UsageError(f"{name} is {value:g}; give 0 or more")
        return cls(
            wait=bool(options.get("wait")),
            targets=targets,
            interval_seconds=interval,
            pending_seconds=None if pending is None else float(pending),
            on_timeout=str(options.get("on_timeout") or "fail"),
            fail_on=tuple(options.get("fail_on") or ()),
            ignore_allowed_failures=bool(options.get("ignore_allowed_failures")),
            log_lines=log_lines,
            log_follow=bool(options.get("log_follow")),
        )


def is_there(record: Record, options: WaitOptions) -> bool:
    """Return whether a job, bridge or pipeline needs no more waiting: it has reached a target, or it has ended."""
    status = status_of(record)
    return has_reached(status, options.targets) or is_finished(status)


def end_problem(record: Record, options: WaitOptions, *, check_targets: bool = True) -> str:
    """Return why the state of a job fails the task, empty when it does not.

    :param check_targets: whether having ended elsewhere than at a target is a failure.
    """
    status = status_of(record)
    if not is_finished(status):
        return ""
    reason = record.get("failure_reason")
    ended = f"ended as {status}" + (f" ({reason})" if reason and status == "failed" else "")
    if status in options.fail_on:
        if record.get("allow_failure") and options.ignore_allowed_failures:
            return ""
        return ended
    if check_targets and options.wait and not has_reached(status, options.targets):
        return f"{ended} and can no longer become {' or '.join(options.targets)}"
    return ""
