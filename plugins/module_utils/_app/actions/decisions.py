# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The cells of the decision table: what an action does with a job in one status, and how a job shows the effect.

Act sends one request. Same changes nothing. Refuse fails with the reason and what to do. Later waits until the action
is possible and then acts. The rows are in `actions.py`. Playing a job that has succeeded would deploy again, so it is
Same here. Source of GitLab's own behavior: https://docs.gitlab.com/api/jobs/ and GitLab's source code.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ..._api.decoding import Record
from ..fields import artifact_kinds, id_of, status_of, user_id_of
from ..jobs.query import listed
from ..jobs.reasons import is_among
from ..jobs.statuses import Column, is_active, is_finished, phase_of, unknown_status
from ..writes.decision import ActionOutcome, Decision


@dataclasses.dataclass(frozen=True)
class ActionRequest:
    """The requested action and its options, and facts about the job that its record does not contain.

    :param attempts: how many attempts the job has had.
    :param failed_before: the jobs of other stages of its pipeline that have failed, each with its stage.
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
        """Return the names of the options that contain values for the job."""
        values = {"job_variables": self.variables, "job_inputs": self.inputs}
        return tuple(name for name, value in values.items() if value)


Cell = t.Callable[[str, Record, ActionRequest], Decision]
Cells = t.Mapping[Column, Cell]
# Whether the records of a job before and after an action show that it was executed.
Effect = t.Callable[[Record, Record], bool]
# The outcome and reason for the status of a job that shows no effect of an accepted request.
NoEffect = t.Callable[[str], tuple[ActionOutcome, str]]


class Decisions:
    """The decisions that an extension can return from the hook `gitlab_decide_job_action`."""

    def __init__(self, built_in: Decision, *, wait: bool) -> None:
        self.built_in = built_in
        self._wait = wait

    def act(self, reason: str = "") -> Decision:
        """Return the decision to send the request."""
        return Decision("act", reason)

    def same(self, reason: str = "") -> Decision:
        """Return the decision that nothing has to be done."""
        return Decision("same", reason)

    def refuse(self, reason: str) -> Decision:
        """Return the decision to fail with this reason."""
        return Decision("refuse", reason)

    def later(self, reason: str) -> Decision:
        """Return the decision to decide again after the next read; without `wait`, to fail with this reason."""
        return Decision("later" if self._wait else "refuse", reason)


# ----- cells -----


def act(reason: str = "") -> Cell:
    return lambda status, job, request: Decision("act", reason)


def same(reason: str) -> Cell:
    return lambda status, job, request: Decision("same", reason.format(status=status))


def refuse(reason: str) -> Cell:
    return lambda status, job, request: Decision("refuse", reason.format(status=status))


def later(waiting_for: str, refusal_text: str) -> Cell:
    """Return a cell that waits if `wait` is set, and else refuses."""
    wait, refusal = Decision("later", waiting_for), Decision("refuse", refusal_text)
    return lambda status, job, request: wait if request.wait else refusal


# ----- cells that depend on the job or on the options -----


def skipped(verb: str) -> Cell:
    """Return a cell that refuses and names the jobs that failed before the skipped one.

    :param verb: what GitLab does not do with skipped jobs.
    """

    def cell(status: str, job: Record, request: ActionRequest) -> Decision:
        failed = ", ".join(request.failed_before)
        advice = f"retry the failed or canceled jobs before it: {failed}" if failed else "check the jobs before it"
        return Decision("refuse", f"it was skipped, and GitLab does not {verb} skipped jobs; {advice}")

    return cell


def play_success(status: str, job: Record, request: ActionRequest) -> Decision:
    if request.replay != "always":
        return Decision("same", "it has already succeeded")
    return _replay(status, job, request)


def play_ended(status: str, job: Record, request: ActionRequest) -> Decision:
    if request.replay == "never" and not request.is_bridge:
        return Decision("refuse", f"its status is {status}; use action retry, or set replay if it is a manual job")
    return _replay(status, job, request)


def _replay(status: str, job: Record, request: ActionRequest) -> Decision:
    if request.is_bridge:
        return Decision("refuse", f"its status is {status}, and GitLab plays trigger jobs only once; use action retry")
    if request.given:
        given = listed(request.given, "and")
        other = "start a new pipeline" if "job_variables" in request.given else "use action retry, which accepts them"
        return Decision(
            "refuse",
            f"its status is {status}, and GitLab would run it again with the values of its earlier run instead of "
            f"{given}; omit {given}, or {other}",
        )
    return Decision("act", "played again")


def retry_success(status: str, job: Record, request: ActionRequest) -> Decision:
    if not request.force:
        return Decision("same", "it has already succeeded; use force to run it again")
    return _retry_limited(request) or Decision("act", "forced")


_retry_when_canceled = later(
    "its cancellation must finish first",
    "it is being canceled; use wait to retry it once it is canceled, or try again later",
)


def retry_canceling(status: str, job: Record, request: ActionRequest) -> Decision:
    # it will end as canceled, which is not a failure reason
    if request.retry_on:
        return _not_retried_on("it is being canceled", request)
    return _retry_limited(request) or _retry_when_canceled(status, job, request)


def retry_ended(status: str, job: Record, request: ActionRequest) -> Decision:
    reason = job.get("failure_reason") or "no reason given"
    if request.retry_on and (status != "failed" or not is_among(reason, request.retry_on)):
        how = f"it failed with {reason}" if status == "failed" else f"its status is {status}"
        return _not_retried_on(how, request)
    return _retry_limited(request) or Decision("act")


def _not_retried_on(how: str, request: ActionRequest) -> Decision:
    return Decision("refuse", f"{how}, and retry_on allows only {', '.join(request.retry_on)}")


def _retry_limited(request: ActionRequest) -> Decision | None:
    if request.max_attempts is not None and request.attempts >= request.max_attempts:
        return Decision(
            "refuse", f"it has already had {request.attempts} attempts, and max_attempts is {request.max_attempts}"
        )
    return None


def cancel_canceling(status: str, job: Record, request: ActionRequest) -> Decision:
    return Decision("act", "forced") if request.force else Decision("same", "it is already being canceled")


def erase(status: str, job: Record, request: ActionRequest) -> Decision:
    if job.get("erased_at"):
        return Decision("same", "it was already erased")
    if not job.get("started_at") and not job.get("artifacts"):
        return Decision("same", "it never ran, so there is nothing to erase")
    # Servers before 15.9 do not return erased_at. On newer ones, artifacts lacks a log that is not archived yet.
    if job.get("artifacts") == [] and "erased_at" not in job:
        return Decision("same", "there is nothing to erase")
    return Decision("act")


def keep(status: str, job: Record, request: ActionRequest) -> Decision:
    if not job.get("artifacts_expire_at"):
        return Decision("same", "it has no artifacts that expire")
    # GitLab returns no archive if there is none, and also if it has expired
    if not job.get("artifacts_file"):
        return Decision("refuse", "it has no artifacts archive, or its archive has expired; retry it to create one")
    return Decision("act")


def delete_artifacts(status: str, job: Record, request: ActionRequest) -> Decision:
    # deleting artifacts does not delete the log
    has_artifacts = job.get("artifacts_file") or artifact_kinds(job)
    return Decision("act") if has_artifacts else Decision("same", "it has no artifacts")


# ----- trigger jobs -----


def play_of_trigger_job(job: Record, request: ActionRequest) -> str:
    """Return why a trigger job is not played, empty if it may be."""
    if status_of(job) == "scheduled":
        return "its status is scheduled, and GitLab plays trigger jobs only if they are manual"
    if not request.given:
        return ""
    given = listed(request.given, "and")
    return f"GitLab ignores {given} for trigger jobs; omit {given}"


def retry_of_trigger_job(job: Record, request: ActionRequest) -> str:
    """Return why a trigger job is not retried, empty if it may be."""
    reason = job.get("failure_reason")
    if reason in ("pipeline_loop_detected", "reached_max_descendant_pipelines_depth"):
        return f"it failed with {reason}, and GitLab does not retry such jobs"
    return ""


# ----- effects -----


def is_played(before: Record, after: Record) -> bool:
    """Return whether there is a new attempt, or the job was queued, started, or canceled before it ran."""
    if is_retried(before, after):
        return True
    old, new = status_of(before), status_of(after)
    # the user who plays a job becomes the user of the job
    was_played = is_active(new) or bool(after.get("started_at")) or user_id_of(after) != user_id_of(before)
    return new != old and not is_active(old) and was_played


def is_retried(before: Record, after: Record) -> bool:
    """Return whether there is a new attempt."""
    return id_of(after) > id_of(before)


def is_canceled(before: Record, after: Record) -> bool:
    return status_of(after) != status_of(before) and status_of(after) in ("canceled", "canceling")


def is_erased(before: Record, after: Record) -> bool:
    """Return whether `erased_at` was set; servers before 15.9 do not return it, so there the files must be gone."""
    if "erased_at" in after:
        return bool(after["erased_at"]) and not before.get("erased_at")
    return bool(before.get("artifacts")) and not after.get("artifacts")


def is_kept(before: Record, after: Record) -> bool:
    has_archive = bool(after.get("artifacts_file"))
    return has_archive and bool(before.get("artifacts_expire_at")) and not after.get("artifacts_expire_at")


def has_other_artifacts(before: Record, after: Record) -> bool:
    return before.get("artifacts") != after.get("artifacts")


def not_done(status: str) -> tuple[ActionOutcome, str]:
    """Return the failure of an accepted request that shows no effect; an unknown status leaves the outcome open."""
    if phase_of(status) is None:
        return "failed", f"GitLab accepted the request, but {unknown_status(status)}; the outcome is unknown"
    return "failed", f"GitLab accepted the request, but the job is still {status}"


def not_canceled(status: str) -> tuple[ActionOutcome, str]:
    """Return why a job is not canceled although GitLab accepted the request, which it does in every status."""
    if is_finished(status):
        return "unchanged", f"it ended as {status} before it could be canceled"
    if status == "canceling":
        return "refused", "GitLab did not force it: this requires GitLab 17.11 and the Maintainer role"
    return not_done(status)
