# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Note that this is a private part of the collection: no other collection may import it.

"""The command with which somebody who reads a report goes on."""

from __future__ import annotations

import json
import shlex

from ..._api.decoding import Record
from ..fields import id_of, status_of
from ..jobs.statuses import is_playable

_BAD_ENDS = ("failed", "canceled")


def retry_command(record: Record, project: Record, job: Record) -> str:
    """Return the command that retries a job, or plays one that waits for somebody; empty when neither would help.

    The token comes from the environment of who runs it. Everything else is an id, or what the user has given, quoted
    for a shell.

    :param project: the project of the record that has the job in one of its pipelines.
    """
    status = status_of(job)
    action = "retry" if status in _BAD_ENDS else "play" if is_playable(status) else ""
    attempt = next((other for other in project["jobs"] if other.get("id") == job.get("id")), None)
    pipeline_id = attempt.get("pipeline_id") if attempt else None
    pipeline = next((row for row in project["pipelines"] if row.get("id") == pipeline_id), None)
    project_id = pipeline.get("project_id") if pipeline else None
    is_bridge = bool(attempt and attempt.get("kind") == "bridge")
    if not action or is_bridge or not isinstance(project_id, int) or not id_of(job):
        return ""
    options = {
        "api_url": record["server"],
        "project": _called(record, project, pipeline or {}),
        "job_id": id_of(job),
        "action": action,
        "wait": True,
    }
    return f"ansible localhost -m jobgate.gitlab.gitlab_job_action -a {shlex.quote(json.dumps(options))}"


def _called(record: Record, project: Record, pipeline: Record) -> str:
    """Return the project of a pipeline as the user has given it; its id where it is another one, such as a fork."""
    given = str(project["project"])
    is_own = str(pipeline.get("web_url")).startswith(f"{record['server']}/{given}/-/")
    return given if is_own else str(pipeline.get("project_id"))
