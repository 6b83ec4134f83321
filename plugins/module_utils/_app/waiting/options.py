# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""How to wait, and what a status means then."""

from __future__ import annotations

import dataclasses

from ..._api.decoding import Record
from ..._api.errors import GitLabError, RequestError, TimedOutError
from ..fields import status_of
from ..jobs.statuses import has_reached, is_finished
from ..session import TASK_SECONDS, Session

# How long canceling may take, which begins when the time is up: a server needs a second for it, and may be slow.
CANCEL_SECONDS = 10.0


@dataclasses.dataclass(frozen=True)
class WaitOptions:
    """How to wait: everything about time.

    :param timeout_seconds: how long everything the task does may take.
    :param interval_seconds: the longest pause between two polls.
    :param pending_seconds: how long a job may sit in the queue, None for any time.
    :param targets: what to wait for; see `statuses.has_reached`.
    :param fail_on: end statuses that fail the task.
    :param log_follow: whether the log of the one job is shown as it grows.
    :param wait_for_approval: whether the approvals of a job's deployment are waited for, also without `wait`.
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
    ended = f"ended as {status}{failure_reason(record)}"
    if status in options.fail_on and not _is_allowed(record, options):
        return ended
    if check_targets and options.wait and not is_reached(record, options):
        return f"{ended} and can no longer become {' or '.join(options.targets)}"
    return ""


def is_reached(record: Record, options: WaitOptions) -> bool:
    """Return whether a target is reached; an allowed failure that is ignored is as good as a success."""
    status = status_of(record)
    is_as_good = status == "failed" and "success" in options.targets and _is_allowed(record, options)
    return is_as_good or has_reached(status, options.targets)


def _is_allowed(record: Record, options: WaitOptions) -> bool:
    return bool(record.get("allow_failure")) and options.ignore_allowed_failures


def failure_reason(record: Record) -> str:
    """Return GitLab's reason for the failure of a job in brackets, empty where it has none."""
    reason = record.get("failure_reason")
    return f" ({reason})" if reason and status_of(record) == "failed" else ""


def time_problem(options: WaitOptions, what: str) -> str:
    """Return why the end of the time fails the task, empty when `on_timeout` says to go on.

    :param what: what there was by then.
    """
    return "" if options.on_timeout == "continue" else f"{timed_out_text(options)}: {what}"


def timed_out(options: WaitOptions, what: str) -> TimedOutError:
    """Return the error for a wait whose time was up before there was anything to return.

    :param what: goes on where `timed_out_text` stops.
    """
    return TimedOutError(f"{timed_out_text(options)}{what}", is_failure=options.on_timeout != "continue")


def timed_out_text(options: WaitOptions) -> str:
    """Return how a sentence about the end of the time begins; what was there by then follows."""
    return f"timed out after {options.timeout_seconds:.12g} s (wait_timeout)"


def is_late(session: Session, exc: RequestError) -> bool:
    """Return whether an error came when the time was up: what is known already is worth more."""
    return exc.is_out_of_time or session.deadline.has_passed()


def is_end_of_time(session: Session, exc: GitLabError) -> bool:
    """Return whether an error only says that a server was away, or busy, until the time was up.

    One that asks for a longer pause than there is time says itself that there is nothing to wait for.
    """
    if not isinstance(exc, RequestError) or not exc.is_out_of_time:
        return False
    left = session.deadline.remaining()
    return not left or (exc.wish_seconds or 0.0) <= left
