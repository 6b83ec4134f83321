# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The task of `gitlab_deployment_approval`: approves or rejects a deployment."""

from __future__ import annotations

import typing as t

from .._api.decoding import Record
from .._api.masking import one_line
from .._app.deployments.approvals import Approval, choose_deployment, failure_text, prediction_text
from .._app.deployments.decisions import STATES, ApprovalRequest
from .._app.deployments.records import FoundDeployment, approvals_of, username_of
from .._app.fields import status_of
from .._app.outcome import Outcome
from .._app.session import TaskContext
from .._app.writes.decision import Result
from .definition import NO_DIFF, TaskDefinition
from .options import CONNECTION, PIPELINE_SELECTORS, session_of
from .values.arguments import Options
from .values.deployments import DEPLOYMENT_SELECTION, deployment_query, deployment_record

SPEC = CONNECTION.merged(
    DEPLOYMENT_SELECTION,
    arguments={
        "state": {"type": "str", "required": True, "choices": list(STATES)},
        "comment": {"type": "str"},
        "represented_as": {"type": "str"},
    },
    # so that no deployment is approved by accident
    required_one_of=(("deployment_id", "environment", "job_id", *PIPELINE_SELECTORS),),
)


def run(options: Options, context: TaskContext) -> Outcome:
    request = ApprovalRequest(options["state"], options.get("comment"), options.get("represented_as"))
    query = deployment_query(options)
    session = session_of(options, context)
    deployment = choose_deployment(session, query)
    if deployment is None:
        reason = "there is no such deployment"
        message = f"would do nothing: {reason}" if session.check_mode else ""
        return Outcome(values={"outcome": "unchanged", "reason": reason}, message=message)
    result = Approval(session, deployment, request).run()
    failure = failure_text(session, result, request)
    values = {
        "deployment": deployment_record(result.after, has_failed=failure is not None),
        "outcome": result.outcome,
        "reason": one_line(result.reason),
    }
    return Outcome(
        changed=result.has_changed,
        values=values,
        failure=failure,
        message=prediction_text(result, request) if session.check_mode else "",
        diff=_diff(deployment, result, request, is_predicted=session.check_mode and result.has_changed),
    )


def _diff(
    before: FoundDeployment, result: Result[FoundDeployment], request: ApprovalRequest, *, is_predicted: bool
) -> Record:
    """Return the approvals before and after, as Ansible shows them with `--diff`."""
    head = f"{one_line(result.after.called)}:\n"

    def lines(approvals: t.Iterable[Record]) -> str:
        given = [one_line(f"{status_of(approval)} by {username_of(approval)}") for approval in approvals]
        return head + "".join(f"  {line}\n" for line in given)

    after = lines(approvals_of(result.after.record))
    return {
        "before": lines(approvals_of(before.record)),
        "after": after + (f"  {request.state} by the user of the token\n" if is_predicted else ""),
    }


TASK = TaskDefinition(
    name="gitlab_deployment_approval",
    spec=SPEC,
    work=run,
    empty_result={
        "deployment": None,
        "outcome": "failed",
        "reason": "",
        "elapsed": 0.0,
        **NO_DIFF,
    },
)
