# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Note that this is a private part of the collection: no other collection may import it.

"""What an action does with a job in a given state: the decision table as data, and nothing else.

Act sends one request, Same changes nothing, Refuse fails with the reason and what to do, Later waits for the job's turn
and then acts. Source of what GitLab would do otherwise: https://docs.gitlab.com/api/jobs/ and its source code; playing
a job that has succeeded would deploy again, which is why it is Same here.
"""

from __future__ import annotations

import dataclasses
import typing as t

from ..._api.decoding import Record
from ..jobs.statuses import is_known, status_of

Verdict = t.Literal["act", "same", "refuse", "later"]

# GitLab keeps old jobs for reading only; cancel and erase of an archived job are still tried.
_WITHDRAWN_BY_ARCHIVING = ("play", "retry", "keep_artifacts")

ACTIONS = ("play", "retry", "cancel", "erase", "keep_artifacts", "delete_artifacts")


@dataclasses.dataclass(frozen=True)
class Decision:
    """What to do with one job, and why, in words for the user."""

    verdict: Verdict
    reason: str = ""


@dataclasses.dataclass(frozen=True)
class Policy:
    """The options that move a cell of the table."""

    wait: bool = False
    replay: str = "never"
    force: bool = False
    has_variables: bool = False
    retry_on: tuple[str, ...] = ()
    max_attempts: int | None = None
    attempts: int = 1
    is_bridge: bool = False


_Cell = t.Callable[[str, Record, Policy], Decision]


def decide(action: str, job: Record, policy: Policy) -> Decision:
    """Return what an action does with the newest attempt of a job."""
    status = status_of(job)
    if policy.is_bridge:
        refusal = _bridge_refusal(action, status, job, policy)
        if refusal:
            return refusal
    if not is_known(status):
        return Decision("refuse", f"its status {status!r} is unknown to this collection; nothing was done")
    decision = _TABLE[action][status](status, job, policy)
    if decision.verdict in ("act", "later") and job.get("archived") is True and action in _WITHDRAWN_BY_ARCHIVING:
        return Decision("refuse", "it is archived, which takes this action away from everybody; start a new pipeline")
    return decision


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


def _act(reason: str = "") -> _Cell:
    return lambda status, job, policy: Decision("act", reason)


def _same(reason: str) -> _Cell:
    return lambda status, job, policy: Decision("same", reason.format(status=status))


def _refuse(reason: str) -> _Cell:
    return lambda status, job, policy: Decision("refuse", reason.format(status=status))


def _later(waiting_for: str, else_reason: str) -> _Cell:
    """Return the cell that waits with `wait`, and refuses without."""

    def cell(status: str, job: Record, policy: Policy) -> Decision:
        if policy.wait:
            return Decision("later", waiting_for)
        return Decision("refuse", else_reason.format(status=status))

    return cell


def _play_success(status: str, job: Record, policy: Policy) -> Decision:
    if policy.replay != "always":
        return Decision("same", "it has succeeded already")
    return _replay(status, job, policy)


def _play_ended(status: str, job: Record, policy: Policy) -> Decision:
    if policy.replay == "never":
        return Decision(
            "refuse", f"it has ended as {status}; use action retry, or replay to start this manual job once more"
        )
    return _replay(status, job, policy)


def _replay(status: str, job: Record, policy: Policy) -> Decision:
    if policy.has_variables:
        return Decision(
            "refuse",
            f"it has ended as {status}, and GitLab would run it again with the variables of its earlier run instead of "
            "job_variables; leave job_variables out, or start a new pipeline",
        )
    if policy.is_bridge:
        return Decision(
            "refuse", f"it has ended as {status}, and GitLab plays a trigger job only once; use action retry"
        )
    return Decision("act", "played again")


def _retry_success(status: str, job: Record, policy: Policy) -> Decision:
    if not policy.force:
        return Decision("same", "it has succeeded; use force to run it again")
    return _retry_limited(policy) or Decision("act", "forced")


def _retry_ended(status: str, job: Record, policy: Policy) -> Decision:
    reason = job.get("failure_reason")
    if policy.retry_on and status == "failed" and reason not in policy.retry_on:
        return Decision(
            "refuse",
            f"it failed with {reason or 'no reason given'}, and retry_on allows only {', '.join(policy.retry_on)}",
        )
    if policy.retry_on and status == "canceled":
        return Decision("refuse", f"it was canceled, and retry_on allows only {', '.join(policy.retry_on)}")
    return _retry_limited(policy) or Decision("act")


def _retry_limited(policy: Policy) -> Decision | None:
    if policy.max_attempts is not None and policy.attempts >= policy.max_attempts:
        return Decision(
            "refuse", f"it has had {policy.attempts} attempts already, and max_attempts is {policy.max_attempts}"
        )
    return None


def _cancel_canceling(status: str, job: Record, policy: Policy) -> Decision:
    return Decision("act", "forced") if policy.force else Decision("same", "it is being canceled already")


def _erase_finished(status: str, job: Record, policy: Policy) -> Decision:
    if job.get("erased_at"):
        return Decision("same", "it was erased already")
    # servers before 15.9 do not tell erased_at, and a job that never started left nothing behind
    has_nothing = "artifacts" in job and not job["artifacts"]
    if has_nothing and ("erased_at" not in job or not job.get("started_at")):
        return Decision("same", "there is nothing to erase")
    return Decision("act")


def _erase_skipped(status: str, job: Record, policy: Policy) -> Decision:
    if job.get("erased_at") or not job.get("artifacts"):
        return Decision("same", "it never ran, so there is nothing to erase")
    return Decision("act")


def _keep(status: str, job: Record, policy: Policy) -> Decision:
    if not job.get("artifacts_expire_at"):
        return Decision("same", "nothing of it expires")
    return Decision("act")


def _delete_artifacts(status: str, job: Record, policy: Policy) -> Decision:
    artifacts = job.get("artifacts")
    entries = artifacts if isinstance(artifacts, list) else []
    # the log is listed among the artifacts as a trace, and deleting artifacts leaves it alone
    has_artifacts = job.get("artifacts_file") or any(
        isinstance(entry, dict) and entry.get("file_type") != "trace" for entry in entries
    )
    return Decision("act") if has_artifacts else Decision("same", "it has no artifacts")


def _bridge_refusal(action: str, status: str, job: Record, policy: Policy) -> Decision | None:
    if action not in ("play", "retry"):
        words = {"cancel": "canceled", "erase": "erased"}.get(action, "given artifacts to keep or delete")
        return Decision(
            "refuse",
            f"it is a trigger job, which cannot be {words} through GitLab's API; act on the jobs of its "
            "downstream pipeline",
        )
    if action == "play" and policy.has_variables:
        return Decision("refuse", "it is a trigger job, and GitLab drops job_variables for these; leave them out")
    loops = ("pipeline_loop_detected", "reached_max_descendant_pipelines_depth")
    if action == "retry" and job.get("failure_reason") in loops:
        return Decision("refuse", f"it failed with {job['failure_reason']}, which GitLab does not allow to retry")
    return None


# ----- the table: one row per action, one cell per status -----

_QUEUED = ("waiting_for_resource", "preparing", "waiting_for_callback", "pending")


def _row(
    *,
    created: _Cell,
    manual: _Cell,
    under_way: _Cell,
    canceling: _Cell,
    success: _Cell,
    ended: _Cell,
    skipped: _Cell,
) -> dict[str, _Cell]:
    row = {"created": created, "manual": manual, "scheduled": manual, "running": under_way, "canceling": canceling}
    row.update({status: under_way for status in _QUEUED})
    row.update(success=success, failed=ended, canceled=ended, skipped=skipped)
    return row


_NOT_FINISHED = "its status is {status}; only a finished job can be erased, so wait for it or cancel it first"
_NOT_KEPT = "its status is {status}; artifacts can be kept when the job has finished"
_TABLE: dict[str, dict[str, _Cell]] = {
    "play": _row(
        created=_later(
            "it waits for its turn",
            "its status is created: earlier jobs have not finished yet; use wait to play it when its turn comes",
        ),
        manual=_act(),
        under_way=_same("it is {status} already"),
        canceling=_refuse("it is being canceled; retry it when that is done"),
        success=_play_success,
        ended=_play_ended,
        skipped=_refuse("it was skipped, and GitLab plays no skipped job; look at the jobs before it"),
    ),
    "retry": _row(
        created=_refuse("its status is created: it never ran; use action play with wait"),
        manual=_refuse("its status is {status}: it never ran; use action play"),
        under_way=_same("it is {status} already"),
        canceling=_later(
            "it is being canceled", "it is being canceled; use wait to retry it when that is done, or try again later"
        ),
        success=_retry_success,
        ended=_retry_ended,
        skipped=_refuse("it was skipped, and GitLab retries no skipped job; retry the job that failed before it"),
    ),
    "cancel": _row(
        created=_act(),
        manual=_act(),
        under_way=_act(),
        canceling=_cancel_canceling,
        success=_same("it has ended as {status} already"),
        ended=_same("it has ended as {status} already"),
        skipped=_same("it was skipped"),
    ),
    "erase": _row(
        created=_refuse(_NOT_FINISHED),
        manual=_refuse(_NOT_FINISHED),
        under_way=_refuse(_NOT_FINISHED),
        canceling=_refuse(_NOT_FINISHED),
        success=_erase_finished,
        ended=_erase_finished,
        skipped=_erase_skipped,
    ),
    "keep_artifacts": _row(
        created=_refuse(_NOT_KEPT),
        manual=_refuse(_NOT_KEPT),
        under_way=_refuse(_NOT_KEPT),
        canceling=_refuse(_NOT_KEPT),
        success=_keep,
        ended=_keep,
        skipped=_refuse("it was skipped, so it has no artifacts"),
    ),
    "delete_artifacts": _row(
        created=_delete_artifacts,
        manual=_delete_artifacts,
        under_way=_delete_artifacts,
        canceling=_delete_artifacts,
        success=_delete_artifacts,
        ended=_delete_artifacts,
        skipped=_delete_artifacts,
    ),
}
