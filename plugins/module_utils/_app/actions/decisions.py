# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Note that this is a private part of the collection: no other collection may import it.

"""The cells of the decision table: what an action does with a job in one status, and why.

Act sends one request, Same changes nothing, Refuse fails with the reason and what to do, Later waits for the job's turn
and then acts. The rows are in `actions.py`. Source of what GitLab would do otherwise: https://docs.gitlab.com/api/jobs/
and its source code; playing a job that has succeeded would deploy again, which is why it is Same here.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ..._api.decoding import Record
from ..fields import artifact_kinds, status_of
from ..jobs.query import listed
from ..jobs.reasons import is_among
from ..jobs.statuses import Column
from ..writes.decision import Decision


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
