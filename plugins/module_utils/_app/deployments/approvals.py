# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Sending an approval. In doubt, the deployment is read again and the decision is made anew."""

from __future__ import annotations

import dataclasses
import typing as t

from ..._api.decoding import NOT_GITLAB, Record
from ..._api.errors import BadAnswerError, NotFoundError, RequestError, SelectionError, StatusError
from ..fields import status_of, user_id_of
from ..jobs.query import MAX_NAMES_IN_TEXT, listed
from ..session import Session
from ..writes.decision import Decision, Result
from ..writes.sending import Reads, Write
from .decisions import NO_FEATURE, ApprovalRequest, decide_approval, explained_refusal, has_given, predicted_refusal
from .find import DeploymentQuery, find_deployments, read_all, read_deployment
from .records import BLOCKED, FoundDeployment, approvals_of, is_waiting, shows_approvals

# At most this many deployments of an environment are checked for missing approvals; those of jobs are all checked.
MAX_CANDIDATES = 20
_NEEDED = "The user of the token needs at least the Reporter role in the project, and the token needs the api scope"


def choose_deployment(session: Session, query: DeploymentQuery) -> FoundDeployment | None:
    """Return the deployment that waits for an approval, else the newest, None if there is none and that is allowed.

    :raises SelectionError: if several wait for approvals, or if there is none.
    """
    candidates = _candidates(session, query)
    # only blocked deployments can wait for an approval
    blocked = [one for one in candidates if status_of(one.record) == BLOCKED]
    found = read_all(session, blocked or candidates[:1])
    waiting = [deployment for deployment in found if is_waiting(deployment.record)]
    if len(waiting) > 1:
        texts = [f"{deployment.called} ({deployment.details})" for deployment in waiting[:MAX_NAMES_IN_TEXT]]
        at_least = "at least " if query.jobs is None and len(candidates) > MAX_CANDIDATES else ""
        such = ", such as" if len(waiting) > len(texts) else ":"
        raise SelectionError(
            f"{at_least}{len(waiting)} deployments wait for approvals{such} {listed(texts, 'and')}. Choose one with "
            "deployment_id, or by its pipeline and job"
        )
    return next(iter(waiting or found), None)


def _candidates(session: Session, query: DeploymentQuery) -> list[FoundDeployment]:
    if query.jobs is not None:
        return find_deployments(session, query)
    query = dataclasses.replace(query, limit=MAX_CANDIDATES)
    if query.status is not None or query.deployment_id is not None:
        return find_deployments(session, query)
    blocked = find_deployments(session, dataclasses.replace(query, status=BLOCKED))
    return blocked or find_deployments(session, dataclasses.replace(query, limit=1))


class Approval(Write[FoundDeployment]):
    """An approval or a rejection."""

    noun = "deployment"

    def __init__(self, session: Session, deployment: FoundDeployment, wanted: ApprovalRequest) -> None:
        super().__init__(session, deployment)
        self._wanted = wanted

    def _request(self) -> Record:
        answer = self._session.client.call(
            "approve_deployment",
            project=self._before.project,
            deployment_id=self._before.id,
            status=self._wanted.state,
            comment=self._wanted.comment,
            represented_as=self._wanted.represented_as,
        )
        if status_of(answer) != self._wanted.state:
            raise BadAnswerError(f"the answer does not confirm that it was {self._wanted.state}", advice=NOT_GITLAB)
        return t.cast(Record, answer)

    def _read(self, targets: t.Sequence[FoundDeployment]) -> list[FoundDeployment]:
        latest = read_deployment(self._session, self._before.project, self._before.id)
        if not shows_approvals(latest.record):  # it did before
            raise BadAnswerError("the deployment no longer contains its approvals", advice=NOT_GITLAB)
        return [latest]

    def _result_by_effect(self, exc: RequestError, latest: FoundDeployment) -> Result[FoundDeployment] | None:
        is_ours = self._shows_ours() if self._is_in_doubt else False
        if is_ours:
            reason = "the answer was lost, but the deployment shows the approval"
            return Result("applied", latest, reason, has_changed=True)
        if is_ours is None:
            exc.further = (
                "The outcome is unknown because the deployment shows a new approval or rejection and GitLab does not "
                "report who the user of the token is"
            )
            return self._failed(str(exc))
        return None

    def _has_moved(self, latest: FoundDeployment) -> bool:
        return _state(self._before.record) != _state(latest.record)

    def _accepted(self, answer: Record) -> Reads[FoundDeployment, Result[FoundDeployment]]:
        """Return the result of an accepted approval, which GitLab also accepts a second time."""
        is_old = has_given(self._before.record, user_id_of(answer) or None, self._wanted)
        reason = ""
        try:
            yield
        except RequestError as exc:
            reason = f"done, but reading the deployment again failed: {exc}"
        return Result("unchanged" if is_old else "applied", self._latest, reason, has_changed=not is_old)

    def _decide(self, latest: FoundDeployment) -> Decision:
        # the user is only needed if the deployment already has approvals
        user_id = self._user_id() if approvals_of(latest.record) else None
        return decide_approval(latest.record, user_id, self._wanted)

    def _shows_ours(self) -> bool | None:
        """Return whether the deployment shows an approval of ours that it did not show before.

        None if that is unknown: without the id of our user, only the comment identifies our approval.
        """
        user_id = self._user_id()
        old, latest = self._before.record, self._latest.record
        if user_id is not None:
            return has_given(latest, user_id, self._wanted) and not has_given(old, user_id, self._wanted)
        is_shown = any(
            approval not in approvals_of(old)
            and status_of(approval) == self._wanted.state
            and (approval.get("comment") or None) == self._wanted.comment
            for approval in approvals_of(latest)
        )
        return None if is_shown and not self._wanted.comment else is_shown

    def _predicted(self) -> Result[FoundDeployment]:
        try:
            project = self._session.client.call("get_project", project=self._before.project)
        except RequestError:
            project = {}
        reason = predicted_refusal(self._before.record, self._user_id(), project, self._wanted)
        return Result("refused", self._before, reason) if reason else super()._predicted()

    def _explained(self, exc: RequestError) -> str:
        if not isinstance(exc, StatusError):
            return str(exc)
        reason = explained_refusal(exc.server_text, self._latest.record, self._wanted)
        if isinstance(exc, NotFoundError) and exc.is_missing_endpoint:
            reason = NO_FEATURE
        if exc.status == 403 and not exc.has_reason:
            exc.advice = exc.advice or _NEEDED
        return f"{reason} ({exc})" if reason else str(exc)


def failure_text(session: Session, result: Result[FoundDeployment], request: ApprovalRequest) -> str | None:
    called = f"{result.after.called} in project {session.client.project_called(result.after.project)}"
    if result.outcome == "refused":
        return f"{called} cannot be {request.state}: {result.reason}"
    return f"{called} was not {request.state}: {result.reason}" if result.outcome == "failed" else None


def prediction_text(result: Result[FoundDeployment], request: ApprovalRequest) -> str:
    verb = {"approved": "approve", "rejected": "reject"}[request.state]
    text = f"would {verb} {result.after.called}"
    return text if result.has_changed else f"would leave {result.after.called} alone: {result.reason}"


def _state(deployment: Record) -> tuple[str, list[Record]]:
    return status_of(deployment), approvals_of(deployment)
