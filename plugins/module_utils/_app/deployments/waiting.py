# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Jobs whose deployment waits for approvals: they are manual, and their own record does not show the difference.

After the last approval, GitLab starts the job itself under the old setting, which is only a number. Under approval
rules, the job must still be played. In both cases the job is read once more before it is played, so it starts once.
"""

from __future__ import annotations

import typing as t

from ..._api.errors import GitLabError, RequestError, StatusError
from ..._api.pace.polls import polling
from ..fields import status_of
from ..jobs.attempts import newest_attempts
from ..jobs.query import FoundJob
from ..jobs.reasons import REJECTED
from ..session import Session
from ..writes.decision import Decision
from .find import deployments_of, read_deployment
from .records import BLOCKED, FoundDeployment, approvals_of, missing_text, rules_of, username_of

# The status in which a job waits for approvals, and the one before it.
MANUAL, CREATED = "manual", "created"
# The statuses of the deployments of such jobs.
_DEPLOYMENT_STATUSES = {MANUAL: BLOCKED, CREATED: "created"}


class ApprovalWait:
    """Adapts decisions about jobs to the approvals of their deployments.

    :param show: called with a job and what blocks it.
    """

    def __init__(self, session: Session, *, is_waiting: bool, show: t.Callable[[FoundJob, str], None]) -> None:
        # without waiting, approvals are only shown
        self._session = session if is_waiting else session.best_effort()
        self._is_waiting = is_waiting
        self._show = show
        self._jobs: list[FoundJob] = []
        # their deployments by job id; None for a job without one
        self._found: dict[int, FoundDeployment | None] = {}
        # the ids of jobs that have waited for approvals
        self._have_waited: set[int] = set()

    def expect(self, jobs: t.Sequence[FoundJob]) -> None:
        """Note the jobs to be judged; the deployments of all with the same status are searched together."""
        judged = [job for job in jobs if job.status in _DEPLOYMENT_STATUSES or _was_rejected(job)]
        self._jobs = [job for job in judged if not job.is_bridge]

    def judge(self, job: FoundJob, decision: Decision) -> Decision:
        """Return the decision about a job, or another one if its deployment was not approved.

        :raises RequestError: if the task waits for approvals and they cannot be read.
        """
        if job.is_bridge:
            return decision
        if _was_rejected(job) and decision.verdict in ("act", "refuse"):
            return Decision("refuse", _why_rejected(self._read_to_explain(job)))
        if job.id in self._have_waited and decision.verdict == "act" and job.status == "success":
            return Decision("same", "GitLab started it after the last approval")
        if not self._approvals_matter(job, decision):
            return decision
        deployment = self._read(job, self._session)
        missing = missing_text(deployment.record) if deployment else ""
        if not deployment or not missing:
            return decision if self._session.check_mode else self._if_unchanged(job, decision)
        if self._session.check_mode:
            return self._predict(deployment)
        self._have_waited.add(job.id)
        self._show(job, f"waits for approvals of its {deployment.called}: {missing}")
        return Decision("later", f"its {deployment.called} waits for approvals: {missing}")

    def why_refused(self, job: FoundJob, exc: StatusError) -> str:
        """Return an error if GitLab refused an action because the job waits for approvals, else an empty string."""
        is_unplayable = exc.status == 400 and "unplay" in exc.server_text.lower()
        if not is_unplayable or job.status not in _DEPLOYMENT_STATUSES or job.is_bridge:
            return ""
        deployment = self._read_to_explain(job)
        return _why_waiting(deployment) if deployment and missing_text(deployment.record) else ""

    def _approvals_matter(self, job: FoundJob, decision: Decision) -> bool:
        """Return whether approvals matter now, or in check mode, whether they would matter in a real run."""
        status, is_checked = job.status, self._session.check_mode
        if decision.verdict == "later":
            return is_checked and status == CREATED
        return decision.verdict == "act" and status == MANUAL and (self._is_waiting or is_checked)

    def _read(self, job: FoundJob, session: Session) -> FoundDeployment | None:
        """Return the present deployment of a job; an error counts only if the task waits for approvals."""
        try:
            if job.id not in self._found:
                self._find(job, session)
            known = self._found[job.id]
            return read_deployment(session, known.project, known.id) if known else None
        except RequestError:
            if self._is_waiting:
                raise
            # if the token cannot read one deployment, it cannot read the others
            self._found = {**{other.id: None for other in self._jobs}, **self._found, job.id: None}
            return None

    def _find(self, job: FoundJob, session: Session) -> None:
        same_status = [other for other in self._jobs if other.status == job.status and other.id not in self._found]
        status = _DEPLOYMENT_STATUSES.get(job.status)
        found = {one.job_id: one for one in deployments_of(session, [job, *same_status], status=status)}
        self._found.update({other.id: found.get(other.id) for other in (job, *same_status)})

    def _read_to_explain(self, job: FoundJob) -> FoundDeployment | None:
        """Return the deployment of a job to explain a known fact; errors do not count."""
        try:
            return self._read(job, self._session.best_effort())
        except GitLabError:
            return None

    def _if_unchanged(self, job: FoundJob, decision: Decision) -> Decision:
        """Return the decision if the job has not changed: GitLab may have started it since it was read.

        Reading a deployment can take long, and playing a job that has ended in the meantime would deploy again. For the
        same reason, the read does not share an answer with another gate.
        """
        with polling(None):
            (latest,) = newest_attempts(self._session, [job])
        if (latest.id, latest.status) == (job.id, job.status):
            return decision
        return Decision("later", f"it was approved, and its status is now {latest.status}")

    def _predict(self, deployment: FoundDeployment) -> Decision:
        if not self._is_waiting:
            return Decision("refuse", _why_waiting(deployment))
        text = f"its {deployment.called} has the missing approvals: {missing_text(deployment.record)}"
        if rules_of(deployment.record):
            return Decision("later", f"when {text}")
        return Decision("same", f"GitLab starts it when {text}")


def _was_rejected(job: FoundJob) -> bool:
    return job.record.get("failure_reason") == REJECTED


def _why_waiting(deployment: FoundDeployment) -> str:
    return (
        f"its {deployment.called} waits for approvals: {missing_text(deployment.record)}. Set wait_for_approval to "
        "wait for them, or have it approved"
    )


def _why_rejected(deployment: FoundDeployment | None) -> str:
    """Return who rejected the deployment of a job, as far as GitLab reports it, and what to do."""
    what, who = "its deployment", ""
    if deployment:
        what = f"its {deployment.called}"
        for approval in approvals_of(deployment.record):
            if status_of(approval) == "rejected":
                comment = f" ({approval['comment']})" if approval.get("comment") else ""
                who = f" by {username_of(approval)}{comment}"
    return f"{what} was rejected{who}, and GitLab does not start the job again; start a new pipeline"
