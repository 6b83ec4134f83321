# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The JSON records of the API (topic: JSON), with the fields that the simulated version has."""

from __future__ import annotations

import collections.abc as c
import datetime
import json
import typing as t

from . import artifacts, predicates, versions
from .engine import Engine
from .model import BRIDGE, COMPLETE, Job, Pipeline, Project, Runner, User

Record = dict[str, t.Any]
Getter = c.Callable[["Renderer", Job], t.Any]


class Renderer:
    """Renders for one engine and one base URL; the text of finished jobs is kept until they change."""

    def __init__(self, engine: Engine, base_url: str) -> None:
        self.engine = engine
        self.base_url = base_url
        self.features = engine.world.features
        self._clock = engine.clock
        # Thousands of jobs share these parts: (revision, record) by id of their pipeline.
        self._summaries: dict[int, tuple[int, Record]] = {}
        self._commits: dict[int, Record] = {}
        self._job_fields = [(n, get) for n, get in JOB_FIELDS if self._knows(n)]
        self._bridge_fields = [(n, get) for n, get in self._job_fields if n not in NOT_ON_BRIDGES]

    def _knows(self, name: str) -> bool:
        return f"field.{name}" not in versions.SINCE or self.features.has(f"field.{name}")

    def time(self, seconds: float | None) -> str | None:
        """Return a moment as ISO 8601 in UTC with milliseconds."""
        if seconds is None:
            return None
        moment = self._clock.moment(seconds)
        return moment.isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"

    def job(self, job: Job) -> Record:
        """Return a Job, also for a bridge, as the answer to its retry has that shape."""
        fields = self._job_fields if job.kind != BRIDGE else [f for f in self._job_fields if f[0] != "runner_manager"]
        record = {name: get(self, job) for name, get in fields}
        if job.status == "failed" and self._knows("failure_reason"):
            record["failure_reason"] = job.failure_reason or "unknown_failure"
        if predicates.has_artifacts(self.engine, job):
            record["artifacts_file"] = {"filename": "artifacts.zip", "size": artifacts.archive_size(job)}
        return record

    def bridge(self, job: Job) -> Record:
        """Return a Bridge: a Job without what belongs to runners, with its downstream pipeline."""
        record = {name: get(self, job) for name, get in self._bridge_fields}
        if job.status == "failed" and self._knows("failure_reason"):
            record["failure_reason"] = job.failure_reason or "unknown_failure"
        record["downstream_pipeline"] = self.pipeline_summary(job.downstream) if job.downstream else None
        return record

    def job_text(self, job: Job) -> str:
        """Return the Job as JSON text. Only what no longer changes by itself is kept."""
        key = (job.rev, job.pipeline.rev, self.base_url)
        cached = job.cache
        if cached and cached[0] == key and self.engine.time < cached[1]:
            return cached[2]
        text = json.dumps(self.job(job))
        if job.status in COMPLETE and isinstance(job.project.job_archiving, bool):
            expires = job.artifacts_expire_at
            until = float("inf") if expires is None or expires <= self.engine.time else expires
            job.cache = (key, until, text)
        return text

    def user(self, user: User | None) -> Record | None:
        if user is None:
            return None
        return {
            "id": user.id,
            "username": user.username,
            "name": user.name,
            "state": user.state,
            "avatar_url": None,
            "web_url": f"{self.base_url}/{user.username}",
            "created_at": self.time(-86400 * 365),
            "bio": "",
            "location": None,
            "public_email": None,
            "linkedin": "",
            "twitter": "",
            "website_url": "",
            "organization": None,
            "job_title": "",
            "bot": False,
        }

    def commit(self, pipeline: Pipeline) -> Record:
        if pipeline.id not in self._commits:
            self._commits[pipeline.id] = self._commit(pipeline)
        return self._commits[pipeline.id]

    def _commit(self, pipeline: Pipeline) -> Record:
        # The commit's own offset, which need not be UTC.
        moment = self._clock.moment(pipeline.created_at - 30)
        created = moment.astimezone(datetime.timezone(datetime.timedelta(hours=2))).isoformat(timespec="milliseconds")
        author = pipeline.user.name if pipeline.user else "Nobody"
        mail = f"{pipeline.user.username if pipeline.user else 'nobody'}@example.org"
        return {
            "id": pipeline.sha,
            "short_id": pipeline.sha[:8],
            "created_at": created,
            "parent_ids": [],
            "title": "Change the code",
            "message": "Change the code\n",
            "author_name": author,
            "author_email": mail,
            "authored_date": created,
            "committer_name": author,
            "committer_email": mail,
            "committed_date": created,
            "web_url": f"{self.base_url}/{pipeline.project.path}/-/commit/{pipeline.sha}",
        }

    def pipeline_summary(self, pipeline: Pipeline) -> Record:
        """Return what jobs and bridges, and the lists of pipelines, say about a pipeline."""
        known = self._summaries.get(pipeline.id)
        if known is None or known[0] != pipeline.rev:
            known = self._summaries[pipeline.id] = (pipeline.rev, self._pipeline_summary(pipeline))
        return known[1]

    def _pipeline_summary(self, pipeline: Pipeline) -> Record:
        record: Record = {
            "id": pipeline.id,
            "sha": pipeline.sha,
            "ref": pipeline.ref,
            "status": self.engine.status(pipeline),
        }
        if self._knows("pipeline.iid"):
            record["iid"] = pipeline.iid
        if self._knows("pipeline.project_id"):
            record["project_id"] = pipeline.project.id
        if self._knows("pipeline.source"):
            record["source"] = pipeline.source
        if self._knows("pipeline.dates"):
            record["created_at"] = self.time(pipeline.created_at)
            record["updated_at"] = self.time(pipeline.updated_at)
            record["web_url"] = f"{self.base_url}/{pipeline.project.path}/-/pipelines/{pipeline.id}"
        return record

    def pipeline(self, pipeline: Pipeline) -> Record:
        """Return a pipeline in full."""
        jobs = pipeline.latest()
        started = [job.started_at for job in jobs if job.started_at is not None]
        done = self.engine.status(pipeline) in ("success", "failed", "canceled")
        finished = max((job.finished_at for job in jobs if job.finished_at is not None), default=None) if done else None
        begin = min(started, default=None)
        return {
            **self.pipeline_summary(pipeline),
            "before_sha": "0" * 40,
            "tag": pipeline.tag,
            "yaml_errors": None,
            "user": self.user(pipeline.user),
            "started_at": self.time(begin),
            "finished_at": self.time(finished),
            "committed_at": None,
            "duration": None if begin is None or finished is None else round(finished - begin),
            "queued_duration": None if begin is None else round(begin - pipeline.created_at),
            "coverage": None,
        }

    def runner(self, runner: Runner | None) -> Record | None:
        if runner is None:
            return None
        record = {
            "id": runner.id,
            "description": runner.description,
            "ip_address": None,
            "active": not runner.paused,
            "paused": runner.paused,
            "is_shared": True,
            "runner_type": "instance_type",
            "name": "gitlab-runner",
            "online": True,
            "status": "online",
        }
        if self._knows("runner.job_execution_status"):
            record.update(created_by=None, created_at=self.time(-86400), job_execution_status="idle")
        return record

    def runner_manager(self, runner: Runner | None) -> Record | None:
        if runner is None:
            return None
        record = {
            "id": runner.id,
            "system_id": f"s_{runner.id:012x}",
            "version": self.features.text,
            "revision": "0f67ff19",
            "platform": "linux",
            "architecture": "amd64",
            "created_at": self.time(-86400),
            "contacted_at": self.time(self.engine.time),
            "ip_address": "192.0.2.1",
            "status": "online",
        }
        if self._knows("runner.job_execution_status"):
            record["job_execution_status"] = "idle"
        return record

    def project(self, project: Project) -> Record:
        name = project.path.rpartition("/")[2]
        return {
            "id": project.id,
            "description": None,
            "name": name,
            "name_with_namespace": project.path.replace("/", " / "),
            "path": name,
            "path_with_namespace": project.path,
            "created_at": self.time(-86400 * 30),
            "default_branch": "main",
            "web_url": f"{self.base_url}/{project.path}",
            "visibility": project.visibility,
            "archived": project.archived,
            "public_jobs": project.public_builds,
        }

    def duration(self, job: Job) -> float | None:
        """Return how long the job ran, or has run so far."""
        if job.started_at is None:
            return None
        end = self.engine.time if job.finished_at is None else job.finished_at
        return round(float(end - job.started_at), 6)

    def queued_duration(self, job: Job) -> float | None:
        if job.queued_at is None:
            return None
        end = job.started_at
        if end is None:
            end = self.engine.time if job.finished_at is None else job.finished_at
        return round(float(end - job.queued_at), 6)


# Name and value of each field that a Job always has, in the order of the server's answers.
JOB_FIELDS: list[tuple[str, Getter]] = [
    ("id", lambda r, job: job.id),
    ("status", lambda r, job: job.status),
    ("stage", lambda r, job: job.spec.stage),
    ("name", lambda r, job: job.name),
    ("ref", lambda r, job: job.pipeline.ref),
    ("tag", lambda r, job: job.pipeline.tag),
    ("coverage", lambda r, job: job.spec.coverage if job.status == "success" else None),
    ("allow_failure", lambda r, job: job.allow_failure),
    ("created_at", lambda r, job: r.time(job.created_at)),
    ("started_at", lambda r, job: r.time(job.started_at)),
    ("finished_at", lambda r, job: r.time(job.finished_at)),
    ("erased_at", lambda r, job: r.time(job.erased_at)),
    ("duration", lambda r, job: r.duration(job)),
    ("queued_duration", lambda r, job: r.queued_duration(job)),
    ("user", lambda r, job: r.user(job.user)),
    ("commit", lambda r, job: r.commit(job.pipeline)),
    ("pipeline", lambda r, job: r.pipeline_summary(job.pipeline)),
    ("web_url", lambda r, job: f"{r.base_url}/{job.project.path}/-/jobs/{job.id}"),
    ("project", lambda r, job: {"ci_job_token_scope_enabled": False}),
    ("artifacts", lambda r, job: artifacts.entries(r.engine, job)),
    ("runner", lambda r, job: r.runner(job.runner)),
    ("runner_manager", lambda r, job: r.runner_manager(job.runner)),
    ("artifacts_expire_at", lambda r, job: r.time(job.artifacts_expire_at)),
    ("archived", lambda r, job: predicates.is_archived(r.engine, job)),
    ("tag_list", lambda r, job: sorted(job.spec.tags)),
    ("source", lambda r, job: job.pipeline.source),
]
NOT_ON_BRIDGES = frozenset({"artifacts", "artifacts_expire_at", "runner", "runner_manager", "tag_list", "archived"})
