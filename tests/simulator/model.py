# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The records of the simulated server. Times are seconds since the start of the scenario; None means not yet."""

from __future__ import annotations

import dataclasses
import typing as t

from .ci.project_file import ProjectFile

BUILD: t.Final = "build"
BRIDGE: t.Final = "bridge"

COMPLETE: t.Final = ("success", "failed", "canceled", "skipped")
ACTIVE: t.Final = ("waiting_for_resource", "preparing", "waiting_for_callback", "pending", "running")
STATUSES: t.Final = ("created", *ACTIVE, "canceling", *COMPLETE, "manual", "scheduled")

# Pipelines of these sources do not count for their ref, in lists of the newest per ref and in `latest`.
DANGLING: t.Final = (
    "webide", "parent_pipeline", "ondemand_dast_scan", "ondemand_dast_validation", "security_orchestration_policy",
    "container_registry_push", "duo_workflow", "pipeline_execution_policy_schedule",
)  # fmt: skip
SOURCES: t.Final = (
    "push", "web", "trigger", "schedule", "api", "external", "pipeline", "chat", "merge_request_event",
    "external_pull_request_event", *DANGLING, "unknown",
)  # fmt: skip


@dataclasses.dataclass(slots=True, eq=False)
class User:
    id: int
    username: str
    name: str
    admin: bool = False
    state: str = "active"


@dataclasses.dataclass(slots=True, eq=False)
class Token:
    value: str
    kind: str
    user: User | None
    scopes: frozenset[str]
    state: str
    permissions: frozenset[str] | None
    job: str | int | None
    pipeline: int | None
    # Of a trigger token.
    project: Project | None = None


@dataclasses.dataclass(slots=True, eq=False)
class Runner:
    id: int
    description: str
    tags: frozenset[str]
    graceful_cancel: bool
    paused: bool


@dataclasses.dataclass(slots=True, eq=False)
class Project:
    id: int
    path: str
    visibility: str
    public_builds: bool
    members: dict[str, str]
    moved_from: list[str]
    archived: bool
    pending_deletion: bool
    variables_minimum_override_role: str
    protected_refs: dict[str, list[str]]
    # By name, a row of schema.PROTECTED.
    protected_environments: dict[str, dict[str, t.Any]]
    freeze_periods: list[dict[str, t.Any]]
    forbid_outdated_deployments: bool
    stats_refresh: bool
    # The policies of jobs of a project or group; None means all.
    job_token_allowlist: dict[str, list[str] | None]
    agents: list[dict[str, t.Any]]
    artifacts_storage: str
    builds_enabled: bool
    importing: bool
    # Templates of new pipelines by ref or pattern.
    new_pipelines: dict[str, dict[str, t.Any]]
    default_branch: str
    # The commit at the tip by name; None is a generated one, False means that the ref was removed.
    branches: dict[str, str | None | bool]
    tags: dict[str, str | None | bool]
    # Commits in addition to those of refs and pipelines.
    commits: list[str]
    # The source of new pipelines, instead of new_pipelines.
    ci_file: ProjectFile | None
    # Both ordered by id; only builds, because the list of a project's jobs has no bridges.
    builds: list[Job] = dataclasses.field(default_factory=list)
    pipelines: list[Pipeline] = dataclasses.field(default_factory=list)


@dataclasses.dataclass(slots=True, frozen=True)
class Attempt:
    """The plan of one run of a job."""

    outcome: str
    failure_reason: str
    duration: float


@dataclasses.dataclass(slots=True, eq=False)
class JobSpec:
    """The scenario's description of a job; shared by all its attempts, and by all jobs of a `generate`."""

    name: str
    stage: str
    when: str
    start_in: float
    queue: float | None
    prepare: float
    cancel_duration: float
    attempts: list[Attempt]
    allow_failure: bool
    needs: list[str] | None
    tags: list[str]
    environment: str | None
    approval: str | None
    older_than_last: bool
    resource_group: str | None
    inputs: dict[str, dict[str, t.Any]]
    coverage: float | None
    log: str | None
    log_size: int | None
    log_timestamps: bool
    artifacts: dict[str, t.Any] | None
    debug_trace: bool
    retry: int
    # Only after a failure for one of these reasons; empty means any.
    retry_when: list[str]
    tests: list[dict[str, t.Any]]
    trigger: dict[str, t.Any] | None

    @property
    def kind(self) -> str:
        return BRIDGE if self.trigger is not None else BUILD

    @property
    def strategy(self) -> str:
        return self.trigger["strategy"] if self.trigger else "none"


@dataclasses.dataclass(slots=True, eq=False)
class Job:
    """One attempt of a build or bridge. `turn` counts status changes, `rev` counts changes of any kind."""

    id: int
    name: str
    pipeline: Pipeline
    spec: JobSpec
    kind: str
    user: User | None
    when: str
    allow_failure: bool
    created_at: float
    attempt: int = 1
    status: str = "created"
    # The built-in status whose behavior it has; both are the same unless a test has added statuses.
    like: str = "created"
    # Stays created until something else changes it.
    held: bool = False
    superseded: bool = False
    archived: bool = False
    queued_at: float | None = None
    started_at: float | None = None
    finished_at: float | None = None
    scheduled_at: float | None = None
    erased_at: float | None = None
    failure_reason: str | None = None
    approval: str | None = None
    runner: Runner | None = None
    downstream: Pipeline | None = None
    deployment: Deployment | None = None
    outcome: str | None = None
    duration: float | None = None
    variables: list[dict[str, str]] = dataclasses.field(default_factory=list)
    inputs: dict[str, t.Any] = dataclasses.field(default_factory=dict)
    has_archive: bool = False
    has_reports: bool = False
    has_log: bool = False
    # There was a log, but its file is missing.
    log_gone: bool = False
    artifacts_expire_at: float | None = None
    turn: int = 0
    rev: int = 0
    cache: tuple[t.Any, ...] | None = None

    @property
    def project(self) -> Project:
        return self.pipeline.project

    @property
    def plan(self) -> Attempt:
        """The plan of this attempt: set by a test, or from the scenario's row, whose last entry repeats."""
        rows = self.spec.attempts
        row = rows[min(self.attempt, len(rows)) - 1]
        return Attempt(
            self.outcome or row.outcome,
            row.failure_reason,
            row.duration if self.duration is None else self.duration,
        )


@dataclasses.dataclass(slots=True, eq=False)
class Environment:
    id: int
    name: str
    project: Project
    created_at: float


@dataclasses.dataclass(slots=True)
class Approval:
    """One user's approval or rejection of a deployment; `rules` are the numbers of the rules it counts for."""

    user: User
    status: str
    created_at: float
    comment: str | None
    rules: list[int]


@dataclasses.dataclass(slots=True, eq=False)
class Deployment:
    """The deployment of a job to an environment."""

    id: int
    iid: int
    job: Job
    environment: Environment
    created_at: float
    updated_at: float
    status: str = "created"
    finished_at: float | None = None
    approvals: list[Approval] = dataclasses.field(default_factory=list)


@dataclasses.dataclass(slots=True, eq=False)
class Pipeline:
    id: int
    iid: int
    project: Project
    ref: str
    # Without what a merge request makes of it: its source branch.
    short_ref: str
    tag: bool
    sha: str
    source: str
    merge_request: int | None
    user: User | None
    stages: list[str]
    created_at: float
    updated_at: float
    name: str | None = None
    # Only for a pipeline without jobs; otherwise the status follows from the jobs.
    own_status: str | None = None
    yaml_errors: str | None = None
    variables: list[dict[str, t.Any]] = dataclasses.field(default_factory=list)
    inputs: dict[str, t.Any] = dataclasses.field(default_factory=dict)
    # Made from a template, or below a pipeline that was: the ids of its rows are those of another one, if any.
    is_copy: bool = False
    source_bridge: Job | None = None
    jobs: list[Job] = dataclasses.field(default_factory=list)
    rev: int = 0
    waiting: int = 0
    processing_planned: bool = False
    cached_status: tuple[int, str] | None = None

    def latest(self) -> list[Job]:
        """Return the jobs and bridges that no retry has replaced."""
        return [job for job in self.jobs if not job.superseded]

    def stage_index(self, job: Job) -> int:
        return self.stages.index(job.spec.stage)
