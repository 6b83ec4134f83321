# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The task of `gitlab_deployment_info`: reads deployments."""

from __future__ import annotations

from .._api.errors import UsageError
from .._app.deployments.find import find_deployments, read_all
from .._app.outcome import Outcome
from .._app.session import TaskContext
from .definition import TaskDefinition
from .options import CONNECTION, session_of
from .values.arguments import Options
from .values.deployments import DEPLOYMENT_SELECTION, deployment_query, deployment_record

SPEC = CONNECTION.merged(
    DEPLOYMENT_SELECTION,
    arguments={"limit": {"type": "int", "default": 20}},
)


def run(options: Options, context: TaskContext) -> Outcome:
    limit = int(options.get("limit") or 0)
    if limit < 0:
        raise UsageError(f"limit is {limit}; use 0 for all deployments, or a positive number")
    query = deployment_query(options, limit=limit)
    session = session_of(options, context)
    found = find_deployments(session, query)
    wanted = found[:limit] if limit else found
    records = [deployment_record(deployment) for deployment in read_all(session, wanted)]
    values = {
        "deployments": records,
        "deployment": records[0] if len(records) == 1 else None,
        "truncated": len(wanted) < len(found),
    }
    return Outcome(values=values)


TASK = TaskDefinition(
    name="gitlab_deployment_info",
    spec=SPEC,
    work=run,
    empty_result={"deployments": [], "deployment": None, "truncated": False, "elapsed": 0.0},
)
