# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bodies of hooks, as GitLab writes them (topics: job event, pipeline event, deployment event)."""

from __future__ import annotations

import typing as t

from .. import predicates, records
from ..artifacts import archive_size
from ..model import BUILD, Deployment, Job, Pipeline, Project, Runner, User
from ..render import Renderer

Body = dict[str, t.Any]

# GitLab also fills this field for jobs that did not fail.
_FILLER: t.Final = "unknown_failure"
_LEVELS: t.Final = {"private": 0, "internal": 10, "public": 20}


class Bodies:
    """Writes bodies for one engine and the address of its server."""

    def __init__(self, render: Renderer) -> None:
        self._render = render
        self._engine = render.engine
        self._base_url = render.base_url

    def job(self, job: Job) -> Body:
        """Return a job event. `commit.id` is the id of the pipeline, as on the server."""
        render, pipeline = self._render, job.pipeline
        body: Body = {
            "object_kind": "build",
            "ref": pipeline.ref,
            "tag": pipeline.tag,
            "before_sha": "0" * 40,
            "sha": pipeline.sha,
            "build_id": job.id,
            "build_name": job.name,
            "build_stage": job.spec.stage,
            "build_status": job.status,
            "build_created_at": render.time(job.created_at),
            "build_started_at": render.time(job.started_at),
            "build_finished_at": render.time(job.finished_at),
            "build_duration": render.duration(job),
            "build_queued_duration": render.queued_duration(job),
            "build_allow_failure": job.allow_failure,
            "build_failure_reason": job.failure_reason or _FILLER,
            "pipeline_id": pipeline.id,
            "runner": _runner(job.runner),
            "project_id": pipeline.project.id,
            "project_name": pipeline.project.path.replace("/", " / "),
            "user": self._user(job.user),
            "commit": self._commit_of_job(pipeline),
            "repository": self._repository(pipeline.project),
            "environment": _environment(job),
        }
        if render.knows("hooks.project"):
            moments = {"created": job.created_at, "started": job.started_at, "finished": job.finished_at}
            body |= {f"build_{name}_at_iso": render.time(moment) for name, moment in moments.items()}
            body["project"] = self._project(pipeline.project)
        if render.knows("hooks.retries_count"):
            body["retries_count"] = job.attempt - 1
        return body | self._source(pipeline)

    def pipeline(self, pipeline: Pipeline) -> Body:
        """Return a pipeline event, with the newest run of each job and without trigger jobs."""
        return {
            "object_kind": "pipeline",
            "object_attributes": self._attributes(pipeline),
            "merge_request": self._merge_request(pipeline),
            "user": self._user(pipeline.user),
            "project": self._project(pipeline.project),
            "commit": self._commit(pipeline),
            "builds": [self._build(job) for job in pipeline.latest() if job.kind == BUILD],
            **self._source(pipeline),
        }

    def deployment(self, deployment: Deployment) -> Body:
        """Return a deployment event, whose environment is just a name."""
        job, pipeline = deployment.job, deployment.job.pipeline
        name = deployment.environment.name
        return {
            "object_kind": "deployment",
            "status": deployment.status,
            "status_changed_at": self._moment(deployment.updated_at, "%Y-%m-%d %H:%M:%S %z"),
            "deployment_id": deployment.id,
            "deployable_id": job.id,
            "deployable_url": f"{self._project_url(pipeline.project)}/-/jobs/{job.id}",
            "environment": name,
            "environment_tier": _tier(name),
            "environment_slug": name.replace("/", "-").lower(),
            "environment_external_url": None,
            "project": self._project(pipeline.project),
            "short_sha": pipeline.sha[:8],
            "user": self._user(job.user),
            "user_url": f"{self._base_url}/{job.user.username}" if job.user else None,
            "commit_url": f"{self._project_url(pipeline.project)}/-/commit/{pipeline.sha}",
            "commit_title": self._commit(pipeline)["title"],
            "ref": pipeline.ref,
        }

    # -- parts -----------------------------------------------------------------------------------------------------

    def _attributes(self, pipeline: Pipeline) -> Body:
        record = self._render.pipeline(pipeline)
        attributes: Body = {
            "id": pipeline.id,
            "iid": pipeline.iid,
            # Of merge requests the event has the source branch, unlike the API.
            "ref": pipeline.short_ref,
            "tag": pipeline.tag,
            "sha": pipeline.sha,
            "before_sha": "0" * 40,
            "source": pipeline.source,
            "status": record["status"],
            "detailed_status": record["detailed_status"]["label"],
            "stages": pipeline.stages,
            "created_at": self._utc(pipeline.created_at),
            "finished_at": self._utc(self._finished(pipeline)),
            "duration": record["duration"],
            "queued_duration": record["queued_duration"],
            "variables": [{"key": row["key"], "value": row["value"]} for row in pipeline.variables],
            "url": f"{self._project_url(pipeline.project)}/-/pipelines/{pipeline.id}",
        }
        if self._render.knows("hooks.pipeline_name"):
            attributes["name"] = pipeline.name
        if self._render.knows("hooks.protected_ref"):
            attributes["protected_ref"] = pipeline.ref in pipeline.project.protected_refs
        return attributes

    def _build(self, job: Job) -> Body:
        render = self._render
        file: Body = {"filename": None, "size": None}
        if predicates.has_artifacts(self._engine, job):
            file = {"filename": "artifacts.zip", "size": archive_size(job)}
        environment = _environment(job)
        return {
            "id": job.id,
            "stage": job.spec.stage,
            "name": job.name,
            "status": job.status,
            "created_at": self._utc(job.created_at),
            "started_at": self._utc(job.started_at),
            "finished_at": self._utc(job.finished_at),
            "duration": render.duration(job),
            "queued_duration": render.queued_duration(job),
            "failure_reason": (job.failure_reason or _FILLER) if job.like == "failed" else None,
            "when": job.when,
            "manual": job.when == "manual",
            "allow_failure": job.allow_failure,
            "user": self._user(job.user),
            "runner": _runner(job.runner),
            "artifacts_file": file,
            "environment": environment and {**environment, "deployment_tier": _tier(environment["name"])},
        }

    def _user(self, user: User | None) -> Body | None:
        if user is None:
            return None
        picture = f"{self._base_url}/uploads/-/system/user/avatar/{user.id}/avatar.png"
        row = {"id": user.id, "name": user.name, "username": user.username, "avatar_url": picture}
        return {**row, "email": "[REDACTED]"}

    def _project_url(self, project: Project) -> str:
        return f"{self._base_url}/{project.path}"

    def _git_urls(self, project: Project) -> Body:
        host = self._base_url.partition("://")[2].partition(":")[0]
        return {
            "git_http_url": f"{self._project_url(project)}.git",
            "git_ssh_url": f"git@{host}:{project.path}.git",
            "visibility_level": _LEVELS[project.visibility],
        }

    def _project(self, project: Project) -> Body:
        group, _slash, name = project.path.rpartition("/")
        return {
            "id": project.id,
            "name": name,
            "description": None,
            "web_url": self._project_url(project),
            "avatar_url": None,
            **self._git_urls(project),
            "namespace": group,
            "path_with_namespace": project.path,
            "default_branch": project.default_branch,
            "ci_config_path": None,
        }

    def _repository(self, project: Project) -> Body:
        urls = self._git_urls(project)
        row = {"name": project.path.rpartition("/")[2], "url": urls["git_ssh_url"], "description": None}
        return {**row, "homepage": self._project_url(project), **urls}

    def _commit(self, pipeline: Pipeline) -> Body:
        record = records.commit(self._render, pipeline.project, pipeline.sha, pipeline)
        return {
            "id": pipeline.sha,
            "message": record["message"],
            "title": record["title"],
            "timestamp": record["created_at"],
            "url": f"{self._project_url(pipeline.project)}/-/commit/{pipeline.sha}",
            "author": {"name": record["author_name"], "email": "[REDACTED]"},
        }

    def _commit_of_job(self, pipeline: Pipeline) -> Body:
        record = records.commit(self._render, pipeline.project, pipeline.sha, pipeline)
        shown = self._render.pipeline(pipeline)
        return {
            "id": pipeline.id,
            "name": pipeline.name,
            "sha": pipeline.sha,
            "message": record["message"],
            "author_name": record["author_name"],
            "author_email": record["author_email"],
            "author_url": f"mailto:{record['author_email']}",
            **{key: shown[key] for key in ("status", "duration", "started_at", "finished_at")},
        }

    def _merge_request(self, pipeline: Pipeline) -> Body | None:
        iid, project = pipeline.merge_request, pipeline.project
        if iid is None:
            return None
        return {
            "id": iid,
            "iid": iid,
            "title": f"Merge request {iid}",
            "source_branch": pipeline.short_ref,
            "source_project_id": project.id,
            "target_branch": project.default_branch,
            "target_project_id": project.id,
            "state": "opened",
            "merge_status": "can_be_merged",
            "detailed_merge_status": "mergeable",
            "url": f"{self._project_url(project)}/-/merge_requests/{iid}",
        }

    def _source(self, pipeline: Pipeline) -> Body:
        """Return the keys that only downstream pipelines have: their source."""
        bridge = pipeline.source_bridge
        if bridge is None:
            return {}
        above = bridge.project
        project = {"id": above.id, "web_url": self._project_url(above), "path_with_namespace": above.path}
        return {"source_pipeline": {"project": project, "job_id": bridge.id, "pipeline_id": bridge.pipeline.id}}

    def _finished(self, pipeline: Pipeline) -> float | None:
        if self._engine.status(pipeline) not in ("success", "failed", "canceled"):
            return None
        return max((job.finished_at for job in pipeline.latest() if job.finished_at is not None), default=None)

    def _utc(self, seconds: float | None) -> str | None:
        return None if seconds is None else self._moment(seconds, "%Y-%m-%d %H:%M:%S UTC")

    def _moment(self, seconds: float, form: str) -> str:
        return self._engine.clock.moment(seconds).strftime(form)


def _environment(job: Job) -> Body | None:
    return None if job.spec.environment is None else {"name": job.spec.environment, "action": "start"}


def _tier(environment: str) -> str:
    """Return the tier that GitLab takes from the name of an environment."""
    tiers = {"prod": "production", "live": "production", "stag": "staging", "test": "testing", "qa": "testing"}
    return next((tier for part, tier in tiers.items() if part in environment.lower()), "development")


def _runner(runner: Runner | None) -> Body | None:
    if runner is None:
        return None
    return {
        "id": runner.id,
        "description": runner.description,
        "runner_type": "instance_type",
        "active": not runner.paused,
        "is_shared": True,
        "tags": sorted(runner.tags),
    }
