# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Note that this is a private part of the collection: no other collection may import it.

"""Giving an approval: sent once, and after any doubt the deployment is read again and the decision is made anew."""

from __future__ import annotations

import dataclasses
import typing as t

from ..._api.decoding import NOT_GITLAB, Record
from ..._api.errors import BadAnswerError, NotFoundError, RequestError, SelectionError, StatusError
from ..fields import status_of, user_id_of
from ..jobs.query import listed
from ..session import Session
from ..writes.decision import ActionOutcome, Decision
from ..writes.sending import Looks, Write, is_lock, was_refused
from .decisions import NO_FEATURE, ApprovalRequest, decide_approval, explained_refusal, foreseen_refusal, has_given
from .find import DeploymentQuery, find_deployments, read_all, read_deployment
from .records import BLOCKED, FoundDeployment, approvals_of, is_waiting, tells_approvals

# Of so many deployments of an environment it is looked up whether they wait for an approval; of jobs, of all.
MOST_CANDIDATES = 20
_NEEDED = "The user of the token needs at least the Reporter role in the project, and the token the scope api"


@dataclasses.dataclass(frozen=True)
class ApprovalResult:
    """What became of it.

    :param before: the deployment as it was found.
    :param deployment: as it was read last.
    """

    outcome: ActionOutcome
    before: FoundDeployment
    deployment: FoundDeployment
    reason: str = ""
    has_changed: bool = False


def choose_deployment(session: Session, query: DeploymentQuery) -> FoundDeployment | None:
    """Return the one deployment that is meant: the one that waits for an approval, else the newest.

    None when there is none, and that is a fine answer.

    :raises SelectionError: when several wait, or there is none.
    """
    candidates = _candidates(session, query)
    # only what is blocked can wait for an approval
    blocked = [one for one in candidates if status_of(one.record) == BLOCKED]
    found = read_all(session, blocked or candidates[:1])
    waiting = [deployment for deployment in found if is_waiting(deployment.record)]
    if len(waiting) > 1:
        texts = [f"{deployment.called} ({deployment.details})" for deployment in waiting]
        raise SelectionError(
            f"{len(waiting)} deployments wait for approvals: {listed(texts, 'and')}. Choose one with deployment_id, or "
            "by its pipeline and job"
        )
    return next(iter(waiting or found), None)


def _candidates(session: Session, query: DeploymentQuery) -> list[FoundDeployment]:
    if query.jobs is not None:
        return find_deployments(session, query)
    query = dataclasses.replace(query, limit=MOST_CANDIDATES)
    if query.status is not None or query.deployment_id is not None:
        return find_deployments(session, query)
    blocked = find_deployments(session, dataclasses.replace(query, status=BLOCKED))
    return blocked or find_deployments(session, dataclasses.replace(query, limit=1))


class Approval(Write[FoundDeployment, ApprovalResult]):
    """An approval or a rejection."""

    noun = "deployment"

    def __init__(self, session: Session, deployment: FoundDeployment, wanted: ApprovalRequest) -> None:
        super().__init__(session, deployment)
        self._latest = deployment
        self._wanted = wanted

    def run(self) -> ApprovalResult:
        """Return what became of it; in check mode what would become of it.

        :raises RequestError: when GitLab cannot be asked before anything was sent.
        """
        decision = self._decide()
        if decision.verdict == "same":
            return self._told("unchanged", decision.reason)
        if decision.verdict == "refuse":
            return self._told("refused", decision.reason)
        if self._session.check_mode:
            reason = self._foreseen_refusal()
            return self._told("refused", reason) if reason else self._told("applied", has_changed=True)
        return self.send()

    def _request(self) -> Record:
        answer = self._session.client.call(
            "approve_deployment",
            project=self._before.project,
            deployment_id=self._before.id,
            status=self._wanted.state,
            comment=self._wanted.comment or None,
            represented_as=self._wanted.represented_as or None,
        )
        if status_of(answer) != self._wanted.state:
            raise BadAnswerError(f"the answer does not say that it was {self._wanted.state}", advice=NOT_GITLAB)
        return t.cast(Record, answer)

    def _read(self, targets: t.Sequence[FoundDeployment]) -> list[FoundDeployment]:
        latest = read_deployment(self._session, self._before.project, self._before.id)
        if not tells_approvals(latest.record):  # it did before
            raise BadAnswerError("the deployment does not tell of its approvals any more", advice=NOT_GITLAB)
        self._latest = latest
        return [latest]

    def _settled(self, exc: RequestError, latest: FoundDeployment) -> ApprovalResult | None:
        is_ours = self._shows_ours() if self._is_in_doubt else False
        if is_ours:
            return self._told("applied", "the answer was lost, but the deployment shows the approval", has_changed=True)
        if is_ours is None:
            exc.further = (
                "Whether it was done is unknown, since the deployment shows another one and GitLab does not tell who "
                "the user of the token is"
            )
            return self._failed(str(exc))
        decision = self._decide()
        if decision.verdict == "same":
            return self._told("unchanged", decision.reason)
        if decision.verdict == "act" and (not was_refused(exc) or is_lock(exc)):
            return None
        if decision.verdict == "refuse" and _state(self._before.record) != _state(latest.record):
            return self._told("refused", decision.reason)
        return self._told("refused" if was_refused(exc) else "failed", self._explained(exc))

    def _accepted(self, answer: Record) -> Looks[FoundDeployment, ApprovalResult]:
        """Return the result by the answer: GitLab also accepts what was said before."""
        is_old = has_given(self._before.record, user_id_of(answer) or None, self._wanted)
        reason = ""
        try:
            yield
        except RequestError as exc:
            reason = f"done, but reading the deployment again failed: {exc}"
        return self._told("unchanged" if is_old else "applied", reason, has_changed=not is_old)

    def _failed(self, reason: str) -> ApprovalResult:
        return self._told("failed", reason)

    def _decide(self) -> Decision:
        # who we are is worth a request only where somebody has said something
        user_id = self._user_id() if approvals_of(self._latest.record) else None
        return decide_approval(self._latest.record, user_id, self._wanted)

    def _shows_ours(self) -> bool | None:
        """Return whether the deployment shows an approval of ours that it did not show at first.

        None when that cannot be told: of an unknown user only the comment tells.
        """
        user_id = self._user_id()
        old, latest = self._before.record, self._latest.record
        if user_id is not None:
            return has_given(latest, user_id, self._wanted) and not has_given(old, user_id, self._wanted)
        comment = self._wanted.comment or None
        is_there = any(
            approval not in approvals_of(old)
            and status_of(approval) == self._wanted.state
            and (approval.get("comment") or None) == comment
            for approval in approvals_of(latest)
        )
        return None if is_there and not comment else is_there

    def _foreseen_refusal(self) -> str:
        """Return why GitLab would refuse it, as far as that can be known."""
        try:
            project = self._session.client.call("get_project", project=self._before.project)
        except RequestError:
            project = {}
        return foreseen_refusal(self._latest.record, self._user_id(), project, self._wanted)

    def _explained(self, exc: RequestError) -> str:
        if not isinstance(exc, StatusError):
            return str(exc)
        reason = explained_refusal(exc.server_text, self._latest.record, self._wanted)
        if isinstance(exc, NotFoundError) and exc.is_missing_endpoint:
            reason = NO_FEATURE
        if exc.status == 403 and not exc.has_reason:
            exc.advice = exc.advice or _NEEDED
        return f"{reason} ({exc})" if reason else str(exc)

    def _told(self, outcome: ActionOutcome, reason: str = "", *, has_changed: bool = False) -> ApprovalResult:
        return ApprovalResult(outcome, self._before, self._latest, reason, has_changed)


def failure_text(session: Session, result: ApprovalResult, request: ApprovalRequest) -> str | None:
    """Return why the task fails, None when it does not."""
    called = f"{result.deployment.called} in project {session.client.project_called(result.deployment.project)}"
    if result.outcome == "refused":
        return f"{called} cannot be {request.state}: {result.reason}"
    return f"{called} was not {request.state}: {result.reason}" if result.outcome == "failed" else None


def prediction_text(result: ApprovalResult, request: ApprovalRequest) -> str:
    """Return what check mode says would be done."""
    verb = {"approved": "approve", "rejected": "reject"}[request.state]
    text = f"would {verb} {result.deployment.called}"
    return text if result.has_changed else f"would leave {result.deployment.called} alone: {result.reason}"


def _state(deployment: Record) -> tuple[str, list[Record]]:
    return status_of(deployment), approvals_of(deployment)
