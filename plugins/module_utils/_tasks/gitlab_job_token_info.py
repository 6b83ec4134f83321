# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The task of `gitlab_job_token_info`: reads the job of a job token."""

from __future__ import annotations

from .._api.errors import UsageError
from .._app.outcome import Outcome
from .._app.reads.tokens import read_token
from .._app.session import TaskContext
from .definition import TaskDefinition
from .options import CONNECTION, session_of
from .values.arguments import Options
from .values.connection import first_set

SPEC = CONNECTION.merged(arguments={"agents": {"type": "bool", "default": False}})

# No other plugin reads this variable by itself; this one uses the token only to read its job.
TOKEN_VARIABLE = "CI_JOB_TOKEN"
_FIELDS = ("allowed_agents", "user", "environment", "pipeline", "project")


def run(options: Options, context: TaskContext) -> Outcome:
    for name in ("api_token", "api_oauth_token"):
        if options.get(name):
            raise UsageError(f"{name} cannot be used here: GitLab shows this only to job tokens; set api_job_token")
    if not options.get("api_job_token") and not first_set(context.environ, (TOKEN_VARIABLE,)):
        raise UsageError(f"no job token: set api_job_token, or run this in a CI job, where {TOKEN_VARIABLE} is set")
    session = session_of(options, context, token_variables={"api_job_token": (TOKEN_VARIABLE,)})
    job, details = read_token(session, with_agents=bool(options["agents"]))
    return Outcome(values={"job": session.annotated("job", job), **{name: details.get(name) for name in _FIELDS}})


TASK = TaskDefinition(
    name="gitlab_job_token_info",
    spec=SPEC,
    token_options=("api_job_token",),
    work=run,
    empty_result=dict.fromkeys(("job", *_FIELDS)),
)
