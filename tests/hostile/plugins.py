# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plugins that are tested with every hostile response. Add a row to test another one."""

from __future__ import annotations

import dataclasses
import os
import typing as t

from tests.unit.faces import TASKS, Options, as_lookup
from tests.unit.harness import TOKEN

# For each read. Generous, because the machine may be busy.
TIMEOUT_SECONDS = 30.0
# covers everything that a task does; the clock skips its pauses
WAIT = {"wait": True, "wait_timeout": 20.0}
VARIABLE = "hunter2-hunter2"
GATE = {"name": ["deploy"], "action": "play", "job_variables": {"PASSWORD": VARIABLE}, "wait_timeout": 20.0}


@dataclasses.dataclass(frozen=True)
class Plugin:
    """A plugin with options.

    :param task: the name of its task; empty for the lookup.
    :param options: a string with `{folder}` becomes a path in a folder of the test.
    :param token: the option that contains the token.
    """

    task: str
    options: Options
    token: str = "api_token"

    def all_options(self, url: str, folder: str) -> Options:
        """Return all options."""
        formatted = {
            name: value.format(folder=folder) if isinstance(value, str) and "{folder}" in value else value
            for name, value in self.options.items()
        }
        return {"api_url": url, self.token: TOKEN, "api_timeout": TIMEOUT_SECONDS, "api_retries": 1, **formatted}

    def run(self, face: t.Callable[..., Options], url: str, folder: str) -> Options:
        """Run the plugin and return its result."""
        options = self.all_options(url, folder)
        return face(TASKS[self.task], options) if self.task else as_lookup(options)

    def written(self, folder: str) -> list[str]:
        """Return the files that exist now."""
        return sorted(os.listdir(folder))


OF_PIPELINE = {"project": "7", "pipeline_id": 6}
ARTIFACT = {"project": "7", "pipeline_id": 6, "artifact": "a.json", "parse": "json"}
DOWNLOAD = {"project": "7", "job_id": 41, "dest": "{folder}/dest"}
RELEASE = {"record": "{folder}/record", "report": "{folder}/report"}

PLUGINS: dict[str, Plugin] = {
    "info": Plugin("gitlab_job_info", {**OF_PIPELINE, "log_lines": 2}),
    "info, waiting": Plugin(
        "gitlab_job_info", {"project": "7", "ref": "main", "name": ["build"], "wait_for": "success", **WAIT}
    ),
    "action": Plugin("gitlab_job_action", {**OF_PIPELINE, "name": ["deploy"], "action": "play"}),
    "action, waiting": Plugin("gitlab_job_action", {**OF_PIPELINE, "name": ["deploy"], "action": "play", **WAIT}),
    "bridges": Plugin("gitlab_pipeline_bridges", {**OF_PIPELINE, "depth": 0, "include_jobs": True}),
    "bridges, waiting": Plugin("gitlab_pipeline_bridges", {**OF_PIPELINE, **WAIT}),
    "pipeline": Plugin("gitlab_pipeline_info", {**OF_PIPELINE, "include": ["jobs", "downstream"], "log_lines": 2}),
    # a finished pipeline, because the other one never ends
    "pipeline, waiting": Plugin("gitlab_pipeline_info", {"project": "7", "pipeline_id": 9, **WAIT}),
    "run": Plugin("gitlab_pipeline", {"project": "7", "action": "run", "ref": "main"}),
    "deployments": Plugin("gitlab_deployment_info", {"project": "7"}),
    "approval": Plugin("gitlab_deployment_approval", {"project": "7", "deployment_id": 5, "state": "approved"}),
    "download": Plugin("gitlab_job_download", {**DOWNLOAD, "content": "archive"}),
    "download of a file": Plugin("gitlab_job_download", {**DOWNLOAD, "content": "file", "artifact_path": "a.json"}),
    "download of a log": Plugin("gitlab_job_download", {**DOWNLOAD, "content": "log"}),
    "download of a report": Plugin("gitlab_job_download", {**DOWNLOAD, "content": "report", "report_type": "junit"}),
    "token": Plugin("gitlab_job_token_info", {"agents": True}, token="api_job_token"),
    "gate": Plugin(
        "gitlab_release_gate", {"projects": [{"project": "7", "pipeline_id": 6, "gates": [GATE]}], **RELEASE}
    ),
    "lookup": Plugin("", {**OF_PIPELINE, "terms": ["build"]}),
    "lookup of a file": Plugin("", {**ARTIFACT, "terms": ["build"]}),
    "lookup of a log": Plugin("", {**OF_PIPELINE, "terms": ["build"], "log": True}),
}
WRITING = ("action", "action, waiting", "approval", "gate", "run")
