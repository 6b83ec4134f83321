# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The cells of the decision table: what an action does with a job in one status, and why; and how a job shows it.

Act sends one request, Same changes nothing, Refuse fails with the reason and what to do, Later waits for the job's turn
and then acts. The rows are in `actions.py`. Source of what GitLab would do otherwise: https://docs.gitlab.com/api/jobs/
and its source code; playing a job that has succeeded would deploy again, which is why it is Same here.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ..._api.decoding import Record
from ..fields import artifact_kinds, id_of, status_of, user_id_of
from ..jobs.query import listed
from ..jobs.reasons import is_among
from ..jobs.statuses import Column, is_finished, is_under_way, phase_of, unknown_status
from ..writes.decision import ActionOutcome, Decision


@dataclasses.dataclass(frozen=True)
class ActionRequest:
    """What a user asked for: the action, and the options that it takes; and what is known of a job besides its record.

    :param attempts: how many the job has had.
    :param failed_before: what has failed in other stages of its pipeline, each with its stage.
    """

    action: str
    multiple: str = "error"
    variables: tuple[Record, ...] = ()
    inputs: t.Mapping[str, t.Any] | None = None
    replay: str = "never"
    force: bool = False
    retry_on: tuple[str, ...] = ()
    max_attempts: int | None = None
    wait: bool = False
    attempts: int = 1
    is_bridge: bool = False
    failed_before: tuple[str, ...] = ()

    @property
    def given(self) -> tuple[str, ...]:
        """Return the options that hold values for the job."""
        values = {"job_variables": self.variables, "job_inputs": self.inputs}
        return tuple(name for name, value in values.items() if value)


Cell = t.Callable[[str, Record, ActionRequest], Decision]
Cells = t.Mapping[Column, Cell]
# Whether a job, by its records before and after, shows that an action was executed.
Effect = t.Callable[[Record, Record], bool]
# What a status after an accepted request without effect means: outcome and reason.
NoEffect = t.Callable[[str], tuple[ActionOutcome, str]]


class Decisions:
    """The ways out that the hook `gitlab_decide_job_action` offers to an extension."""

    def __init__(self, built_in: Decision, *, wait: bool) -> None:
        self.built_in = built_in
        self._wait = wait

    def act(self, reason: str = "") -> Decision:
        """Return the decision to send the request."""
        return Decision("act", reason)

    def same(self, reason: str = "") -> Decision:
        """Return the decision that everything is as wished."""
        return Decision("same", reason)

    def refuse(self, reason: str) -> Decision:
        """Return the decision to fail with this reason."""
        return Decision("refuse", reason)

    def later(self, reason: str) -> Decision:
        """Return the decision to ask again when the job was read again; without `wait` to fail with this reason."""
        return Decision("later" if self._wait else "refuse", reason)


# ----- cells -----


def act(reason: str = "") -> Cell:
    return lambda status, job, request: Decision("act", reason)


def same(reason: str) -> Cell:
    return lambda status, job, request: Decision("same", reason.format(status=status))


def refuse(reason: str) -> Cell:
    return lambda status, job, request: Decision("refuse", reason.format(status=status))


def later(waiting_for: str, else_reason: str) -> Cell:
    """Return the cell that waits with `wait`, and refuses without."""
    wait, refusal = Decision("later", waiting_for), Decision("refuse", else_reason)
    return lambda status, job, request: wait if request.wait else refusal


# ----- cells that look at the job, or at the options -----


def skipped(verb: str) -> Cell:
    """Return the cell that refuses, and names the jobs that have failed before."""

    def cell(status: str, job: Record, request: ActionRequest) -> Decision:
        failed = ", ".join(request.failed_before)
        advice = (
            f"retry what has failed or was canceled before it: {failed}" if failed else "look at the jobs before it"
        )
        return Decision("refuse", f"it was skipped, and GitLab {verb} no skipped job; {advice}")

    return cell


def play_success(status: str, job: Record, request: ActionRequest) -> Decision:
    if request.replay != "always":
        return Decision("same", "it has succeeded already")
    return _replay(status, job, request)


def play_ended(status: str, job: Record, request: ActionRequest) -> Decision:
    if request.replay == "never":
        return Decision("refuse", f"it has ended as {status}; use action retry, or replay for a manual job")
    return _replay(status, job, request)


def _replay(status: str, job: Record, request: ActionRequest) -> Decision:
    if request.given:
        given = listed(request.given, "and")
        other = "start a new pipeline" if "job_variables" in request.given else "use action retry, which takes them"
        return Decision(
            "refuse",
            f"it has ended as {status}, and GitLab would run it again with the values of its earlier run instead of "
            f"{given}; leave {given} out, or {other}",
        )
    if request.is_bridge:
        return Decision(
            "refuse", f"it has ended as {status}, and GitLab plays a trigger job only once; use action retry"
        )
    return Decision("act", "played again")


def retry_success(status: str, job: Record, request: ActionRequest) -> Decision:
    if not request.force:
        return Decision("same", "it has succeeded; use force to run it again")
    return _retry_limited(request) or Decision("act", "forced")


_retry_when_canceled = later(
    "its cancellation has to end first",
    "it is being canceled; use wait to retry it when that is done, or try again later",
)


def retry_canceling(status: str, job: Record, request: ActionRequest) -> Decision:
    # it will have been canceled, which is no reason to retry it
    if request.retry_on:
        return _not_retried_on("it is being canceled", request)
    return _retry_limited(request) or _retry_when_canceled(status, job, request)


def retry_ended(status: str, job: Record, request: ActionRequest) -> Decision:
    reason = job.get("failure_reason") or "no reason given"
    if request.retry_on and (status != "failed" or not is_among(reason, request.retry_on)):
        how = f"failed with {reason}" if status == "failed" else f"has ended as {status}"
        return _not_retried_on(f"it {how}", request)
    return _retry_limited(request) or Decision("act")


def _not_retried_on(how: str, request: ActionRequest) -> Decision:
    return Decision("refuse", f"{how}, and retry_on allows only {', '.join(request.retry_on)}")


def _retry_limited(request: ActionRequest) -> Decision | None:
    if request.max_attempts is not None and request.attempts >= request.max_attempts:
        return Decision(
            "refuse", f"it has had {request.attempts} attempts already, and max_attempts is {request.max_attempts}"
        )
    return None


def cancel_canceling(status: str, job: Record, request: ActionRequest) -> Decision:
    return Decision("act", "forced") if request.force else Decision("same", "it is being canceled already")


def erase(status: str, job: Record, request: ActionRequest) -> Decision:
    if job.get("erased_at"):
        return Decision("same", "it was erased already")
    if not job.get("started_at") and not job.get("artifacts"):
        return Decision("same", "it never ran, so there is nothing to erase")
    # Servers before 15.9 do not tell erased_at. On others a log that was not archived yet is not among the artifacts.
    if job.get("artifacts") == [] and "erased_at" not in job:
        return Decision("same", "there is nothing to erase")
    return Decision("act")


def keep(status: str, job: Record, request: ActionRequest) -> Decision:
    if not job.get("artifacts_expire_at"):
        return Decision("same", "nothing of it expires")
    # GitLab tells of no archive where there is none, and where it has expired
    if not job.get("artifacts_file"):
        return Decision(
            "refuse", "it has no archive of artifacts, or the archive has expired; retry the job to make one"
        )
    return Decision("act")


def delete_artifacts(status: str, job: Record, request: ActionRequest) -> Decision:
    # deleting artifacts leaves the log alone
    has_artifacts = job.get("artifacts_file") or artifact_kinds(job)
    return Decision("act") if has_artifacts else Decision("same", "it has no artifacts")


# ----- trigger jobs -----


def play_of_trigger_job(job: Record, request: ActionRequest) -> str:
    """Return why a trigger job is not played, empty when it may be."""
    if status_of(job) == "scheduled":
        return "it starts by its timer, and GitLab plays trigger jobs only while they are manual"
    return f"GitLab drops the {listed(request.given, 'and')} of trigger jobs; leave them out" if request.given else ""


def retry_of_trigger_job(job: Record, request: ActionRequest) -> str:
    """Return why a trigger job is not retried, empty when it may be."""
    reason = job.get("failure_reason")
    if reason in ("pipeline_loop_detected", "reached_max_descendant_pipelines_depth"):
        return f"it failed with {reason}, and GitLab does not retry such jobs"
    return ""


# ----- effects -----


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
