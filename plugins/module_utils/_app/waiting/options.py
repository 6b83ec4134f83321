# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The options of a wait, and what a status means for it."""

from __future__ import annotations

import dataclasses

from ..._api.decoding import Record
from ..._api.errors import GitLabError, RequestError, TimedOutError
from ..fields import status_of
from ..jobs.statuses import failure_reason, has_reached, is_finished
from ..session import TASK_SECONDS, Session

# How long canceling may take, which starts after the timeout. A server needs about a second, and may be slow.
CANCEL_SECONDS = 10.0


@dataclasses.dataclass(frozen=True)
class WaitOptions:
    """How to wait.

    :param timeout_seconds: how long the whole task may take.
    :param interval_seconds: the longest pause between two polls.
    :param pending_seconds: how long a job may be in the queue, None for no limit.
    :param targets: what to wait for; see `statuses.has_reached`.
    :param fail_on: end statuses that fail the task.
    :param log_follow: whether to show the log of the one job as it grows.
    :param wait_for_approval: whether to wait for approvals of a job's deployment, also without `wait`.
    """

    wait: bool = False
    targets: tuple[str, ...] = ("finished",)
    timeout_seconds: float = TASK_SECONDS
    interval_seconds: float = 10.0
    pending_seconds: float | None = None
    on_timeout: str = "fail"
    fail_on: tuple[str, ...] = ()
    ignore_allowed_failures: bool = False
    log_lines: int = 0
    log_follow: bool = False
    wait_for_approval: bool = False

    @property
    def is_patient(self) -> bool:
        return self.wait or self.wait_for_approval


def ends_wait(record: Record, options: WaitOptions) -> bool:
    """Return whether a job, bridge or pipeline has reached a target or has ended."""
    status = status_of(record)
    return has_reached(status, options.targets) or is_finished(status)


def end_problem(record: Record, options: WaitOptions, *, check_targets: bool = True) -> str:
    """Return why the state of a job fails the task, empty if it does not.

    :param check_targets: whether it is a failure to end without reaching a target.
    """
    status = status_of(record)
    if not is_finished(status):
        return ""
    ended = f"ended as {status}{failure_reason(record)}"
    if status in options.fail_on and not _is_allowed(record, options):
        return ended
    if check_targets and options.wait and not is_reached(record, options):
        return f"{ended} and can no longer become {' or '.join(options.targets)}"
    return ""


def is_reached(record: Record, options: WaitOptions) -> bool:
    """Return whether a target is reached; an ignored allowed failure counts as success."""
    status = status_of(record)
    is_as_good = status == "failed" and "success" in options.targets and _is_allowed(record, options)
    return is_as_good or has_reached(status, options.targets)


def _is_allowed(record: Record, options: WaitOptions) -> bool:
    return bool(record.get("allow_failure")) and options.ignore_allowed_failures


def time_problem(options: WaitOptions, what: str) -> str:
    """Return why a timeout fails the task, empty if `on_timeout` is `continue`.

    :param what: the state at the timeout.
    """
    return "" if options.on_timeout == "continue" else f"{timed_out_text(options)}: {what}"


def timed_out(options: WaitOptions, what: str) -> TimedOutError:
    """Return the error for a wait that timed out before there was anything to return.

    :param what: continues the sentence of `timed_out_text`.
    """
    return TimedOutError(f"{timed_out_text(options)}{what}", is_failure=options.on_timeout != "continue")


def timed_out_text(options: WaitOptions) -> str:
    """Return the beginning of a sentence about a timeout; the state at the timeout follows."""
    return f"timed out after {options.timeout_seconds:.12g} s (wait_timeout)"


def is_late(session: Session, exc: RequestError) -> bool:
    """Return whether an error was caused by the timeout, so that known values should be returned instead."""
    return exc.is_out_of_time or session.deadline.has_passed()


def is_end_of_time(session: Session, exc: GitLabError) -> bool:
    """Return whether an error only means that a server was unreachable or busy until the timeout.

    It means more if the server requires a longer pause than the time that is left: then waiting is useless.
    """
    if not isinstance(exc, RequestError) or not exc.is_out_of_time:
        return False
    left = session.deadline.remaining()
    return not left or (exc.retry_after_seconds or 0.0) <= left
