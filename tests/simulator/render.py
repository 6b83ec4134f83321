# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The JSON records of the API (topic: JSON), with the fields that the simulated version has."""

from __future__ import annotations

import collections.abc as c
import datetime
import json
import typing as t

from . import artifacts, predicates, records, versions
from .engine import Engine
from .model import BRIDGE, COMPLETE, Job, Pipeline, Project, User

Record = dict[str, t.Any]
Getter = c.Callable[["Renderer", Job], t.Any]


class Renderer:
    """Renders records for one engine and one base URL; the text of finished jobs is cached until they change."""

    def __init__(self, engine: Engine, base_url: str) -> None:
        self.engine = engine
        self.base_url = base_url
        self.features = engine.world.features
        self._clock = engine.clock
        self._zone = engine.world.time_zone
        # Thousands of jobs share these parts: (revision, record) by id of their pipeline.
        self._summaries: dict[int, tuple[int, Record]] = {}
        self._commits: dict[tuple[int, str, int | None], Record] = {}
        self._job_fields = [(n, get) for n, get in JOB_FIELDS if self.knows(n)]
        self._bridge_fields = [(n, get) for n, get in self._job_fields if n not in NOT_ON_BRIDGES]

    def knows(self, name: str) -> bool:
        """Return whether the version has a field; fields that are not in versions exist in all versions."""
        field = f"field.{name}"
        if field in versions.UNTIL and self.features.version > versions.UNTIL[field]:
            return False
        return field not in versions.SINCE or self.features.has(field)

    def time(self, seconds: float | None) -> str | None:
        """Return a time as ISO 8601 with milliseconds, in the server's time zone."""
        if seconds is None:
            return None
        moment = self._clock.moment(seconds)
        if self._zone is datetime.UTC:
            return moment.isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"
        return moment.astimezone(self._zone).isoformat(timespec="milliseconds")

    def job(self, job: Job) -> Record:
        """Return a Job, also for a bridge, because the answer to its retry has this format."""
        fields = self._job_fields if job.kind != BRIDGE else [f for f in self._job_fields if f[0] != "runner_manager"]
        record = {name: get(self, job) for name, get in fields}
        if job.status == "failed" and self.knows("failure_reason"):
            record["failure_reason"] = job.failure_reason or "unknown_failure"
        if predicates.has_artifacts(self.engine, job):
            record["artifacts_file"] = {"filename": "artifacts.zip", "size": artifacts.archive_size(job)}
        return record

    def bridge(self, job: Job) -> Record:
        """Return a Bridge: a Job without the runner fields, with its downstream pipeline."""
        record = {name: get(self, job) for name, get in self._bridge_fields}
        if job.status == "failed" and self.knows("failure_reason"):
            record["failure_reason"] = job.failure_reason or "unknown_failure"
        record["downstream_pipeline"] = self.pipeline_summary(job.downstream) if job.downstream else None
        return record

    def job_text(self, job: Job) -> str:
        """Return the Job as JSON text. Only jobs that no longer change by themselves are cached."""
        key = (job.rev, job.pipeline.rev, self.base_url)
        cached = job.cache
        if cached and cached[0] == key and self.engine.time < cached[1]:
            return cached[2]
        text = json.dumps(self.job(job))
        if job.status in COMPLETE:
            expires = job.artifacts_expire_at
            until = float("inf") if expires is None or expires <= self.engine.time else expires
            job.cache = (key, until, text)
        return text

    def user(self, user: User | None) -> Record | None:
        return records.user(self, user)

    def commit(self, project: Project, sha: str, pipeline: Pipeline | None) -> Record:
        """Return a commit, with the pipeline that ran on it."""
        key = (project.id, sha, pipeline.id if pipeline else None)
        if key not in self._commits:
            self._commits[key] = records.commit(self, project, sha, pipeline)
        return self._commits[key]

    def pipeline_summary(self, pipeline: Pipeline) -> Record:
        """Return the short record of a pipeline in jobs, bridges and lists."""
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
        if self.knows("pipeline.iid"):
            record["iid"] = pipeline.iid
        if self.knows("pipeline.project_id"):
            record["project_id"] = pipeline.project.id
        if self.knows("pipeline.source"):
            record["source"] = pipeline.source
        if self.knows("pipeline.dates"):
            record["created_at"] = self.time(pipeline.created_at)
            record["updated_at"] = self.time(pipeline.updated_at)
            record["web_url"] = f"{self.base_url}/{pipeline.project.path}/-/pipelines/{pipeline.id}"
        return record

    def pipeline_row(self, pipeline: Pipeline) -> Record:
        """Return a pipeline as in the lists of pipelines."""
        record = dict(self.pipeline_summary(pipeline))
        if self.knows("pipeline.name"):
            record["name"] = pipeline.name
        return record

    def pipeline(self, pipeline: Pipeline, *, status: str | None = None, named: bool = True) -> Record:
        """Return a pipeline in full.

        :param status: the status when the record was loaded, before the request took effect.
        :param named: whether to include its name, which the answers to most writes lack.
        """
        jobs = pipeline.latest()
        started = [job.started_at for job in jobs if job.started_at is not None]
        shown = status or self.engine.status(pipeline)
        done = shown in ("success", "failed", "canceled")
        last = max((job.finished_at for job in jobs if job.finished_at is not None), default=None)
        begin = min(started, default=None)
        # A job that waits for a user has no end, but a duration so far.
        has_duration = begin is not None and last is not None and (done or shown == "manual")
        record = {
            **(self.pipeline_row(pipeline) if named else self.pipeline_summary(pipeline)),
            "status": shown,
            "before_sha": "0" * 40,
            "tag": pipeline.tag,
            "yaml_errors": pipeline.yaml_errors,
            "user": records.user_basic(self, pipeline.user),
            "started_at": self.time(begin),
            "finished_at": self.time(last if done else None),
            "committed_at": None,
            "duration": round(last - begin) if has_duration else None,
            # None also for zero, because the server omits it.
            "queued_duration": None if begin is None else round(begin - pipeline.created_at) or None,
            "coverage": _mean(job.spec.coverage for job in jobs if job.status == "success"),
            "detailed_status": self._detailed_status(pipeline, shown),
        }
        if self.knows("pipeline.archived"):
            record["archived"] = bool(jobs) and all(job.archived for job in jobs)
        return record

    def _detailed_status(self, pipeline: Pipeline, status: str) -> Record:
        word = "passed" if status == "success" else status.replace("_", " ")
        return {
            "icon": f"status_{status}",
            "text": word.capitalize(),
            "label": word,
            "group": status.replace("_", "-"),
            "tooltip": word,
            "has_details": True,
            "details_path": f"/{pipeline.project.path}/-/pipelines/{pipeline.id}",
            "illustration": None,
            "favicon": f"/assets/ci_favicons/favicon_status_{status}.png",
        }

    def project(self, project: Project) -> Record:
        return records.project(self, project)

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


def _mean(found: c.Iterable[float | None]) -> str | None:
    """Return the coverage of a pipeline, which is a string, unlike that of a job."""
    values = [value for value in found if value is not None]
    return f"{sum(values) / len(values):.2f}" if values else None


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
    ("commit", lambda r, job: r.commit(job.project, job.pipeline.sha, job.pipeline)),
    ("pipeline", lambda r, job: r.pipeline_summary(job.pipeline)),
    ("web_url", lambda r, job: f"{r.base_url}/{job.project.path}/-/jobs/{job.id}"),
    ("project", lambda r, job: {"ci_job_token_scope_enabled": False}),
    ("artifacts", lambda r, job: artifacts.entries(r.engine, job)),
    ("runner", lambda r, job: records.runner(r, job.runner)),
    ("runner_manager", lambda r, job: records.runner_manager(r, job.runner)),
    ("artifacts_expire_at", lambda r, job: r.time(job.artifacts_expire_at)),
    ("archived", lambda r, job: job.archived),
    ("tag_list", lambda r, job: sorted(job.spec.tags)),
]
NOT_ON_BRIDGES = frozenset({"artifacts", "artifacts_expire_at", "runner", "runner_manager", "tag_list", "archived"})
