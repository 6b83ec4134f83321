# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The running simulation: world, clock, logs and faults behind one lock. Used by server, admin path and fixture."""

from __future__ import annotations

import email.utils
import pathlib
import threading
import typing as t

from . import api, artifacts, clock, creation, fault_answers, forcing, log, refs, scenario, schema, throttle
from .actions import Actions, Effects
from .additions import Routes, Statuses
from .call import Reply, Request
from .content import sha256
from .engine import Engine
from .faults import Faults, Rule
from .hooks.config import read_hook
from .hooks.outbox import Outbox
from .model import Job, User
from .pipeline_actions import PipelineActions
from .pipeline_creation import Creator, Wish
from .render import Renderer
from .storage import Storage

# A user with all permissions who is in no scenario, for changes by other users.
SOMEBODY_ELSE = User(id=999_999, username="somebody-else", name="Somebody Else", admin=True)

# Fields of a job that a test may set; the engine sets the status.
SETTABLE = (
    "outcome", "duration", "failure_reason", "when", "allow_failure", "superseded", "archived", "approval",
    "has_log", "log_gone", "has_archive", "has_reports", "artifacts_expire_at", "erased_at", "variables", "inputs",
    "user",
)  # fmt: skip


class Simulation:
    """The whole state of the program. Methods take the lock; code that uses attributes must hold it.

    :ivar routes: the endpoints; `routes.add()` adds one.
    :ivar statuses: the job statuses; `statuses.add()` adds one for scenarios that are loaded afterwards.
    """

    def __init__(
        self,
        *,
        version: str | None = None,
        clock_name: str | None = None,
        hooks: t.Sequence[dict[str, t.Any]] = (),
    ) -> None:
        """Create an empty world.

        :param version: the version for scenarios that set none; clock_name likewise.
        :param hooks: rows that are added to the hooks of every scenario.
        """
        self.lock = threading.RLock()
        self.routes = Routes()
        self.statuses = Statuses()
        self._default_version = version
        self._default_clock = clock_name or "real"
        self._hooks: t.Sequence[dict[str, t.Any]] = ()
        self._server_url = ""
        self.load(None)
        self._hooks = hooks

    def load(
        self,
        given: scenario.Loadable,
        *,
        version: str | None = None,
        clock_name: str | None = None,
        folder: pathlib.Path | None = None,
    ) -> None:
        """Replace the world with a scenario, and clear logs and faults.

        :param version: the version if the scenario sets none (default: from the constructor); clock_name likewise.
        :param folder: the folder of files in the scenario, see scenario.build_world.
        :raises ScenarioError: if the scenario is invalid; then nothing is replaced.
        """
        statuses = dict(self.statuses.like)
        world = scenario.build_world(
            given,
            version=version or self._default_version,
            statuses=statuses,
            hooks=self._hooks,
            folder=folder,
        )
        try:
            ticking = clock.make_clock(world.clock_name or clock_name or self._default_clock)
        except ValueError as error:
            raise schema.ScenarioError(f"scenario.clock: {error}") from error
        engine = Engine(world, ticking)
        with self.lock:
            self.engine = engine
            self.effects = Effects()
            self.actions = Actions(engine, self.effects)
            self.pipeline_actions = PipelineActions(engine, self.effects)
            self.requests: list[dict[str, t.Any]] = []
            self.faults = Faults()
            self.limiter = throttle.Limiter()
            self.storage = Storage(engine)
            self._renderers: dict[str, Renderer] = {}
            self._request_count = 0
            self.outbox = Outbox(engine)
            self.outbox.server_url = self._server_url
            for hook in world.hooks:
                self.outbox.add(hook)
            # Hooks contain links to the server, which may not listen yet.
            if self._server_url or not world.hooks:
                engine.advance()

    # -- requests --------------------------------------------------------------------------------------------------

    def renderer(self, base_url: str) -> Renderer:
        if base_url not in self._renderers:
            self._renderers[base_url] = Renderer(self.engine, base_url)
        return self._renderers[base_url]

    def next_request_id(self) -> str:
        self._request_count += 1
        return f"01SIM{self._request_count:021d}"

    def unix_time(self, seconds: float) -> float:
        return self.engine.clock.moment(seconds).timestamp()

    def wall_time(self) -> float:
        """Return the server's wall-clock time, in Unix seconds."""
        return self.unix_time(self.engine.clock.now())

    def http_date(self, unix_seconds: float) -> str:
        return email.utils.formatdate(unix_seconds, usegmt=True)

    def answer(self, request: Request) -> tuple[Reply, Rule | None]:
        """Return the answer to a request, and the fault that the transport still has to apply."""
        with self.lock:
            self.engine.advance()
            entry = log.entry(request, at=self.engine.time)
            self.requests.append(entry)
            rule = self.faults.find(request, api.endpoint_name(self, request)) if self.faults.rules else None
            if rule is None:
                reply = api.answer(self, request, entry)
                entry["status"] = reply.status
                return reply, None
            entry["fault"] = rule.name
            if rule.is_before:
                entry["endpoint"] = api.endpoint_name(self, request)
                reply = fault_answers.make(rule) or fault_answers.nothing()
                entry["status"] = None if rule.is_silent else reply.status
                return reply, rule
            # The application's answer may be lost, but its effects remain.
            reply = api.answer(self, request, entry)
            reply = fault_answers.make(rule) or fault_answers.change(rule, reply, request)
            entry["status"] = reply.status
            return reply, rule

    def answer_from_storage(self, request: Request) -> tuple[Reply, Rule | None]:
        """Return the answer of the object storage, and the fault that strikes it. Its requests are not logged here."""
        with self.lock:
            self.engine.advance()
            rule = self.faults.find(request, None)
            if rule is None:
                return self.storage.answer(request), None
            if rule.is_before:
                return fault_answers.make(rule) or fault_answers.nothing(), rule
            reply = self.storage.answer(request)
            return fault_answers.make(rule) or fault_answers.change(rule, reply, request), rule

    # -- control ---------------------------------------------------------------------------------------------------

    def advance(self, seconds: float) -> float:
        """Move the clock forward, and return the seconds since the start of the scenario."""
        if seconds < 0:
            raise schema.ScenarioError("seconds: must not be negative")
        with self.lock:
            self.engine.clock.advance(seconds)
            self.engine.advance()
            return self.engine.time

    def jump_clock(self, seconds: float) -> float:
        """Move the wall clock forward or back, and return its time. This does not change when events are due."""
        with self.lock:
            self.engine.advance()
            self.engine.clock.jump(seconds)
            # Records that are already rendered may contain outdated times.
            self._renderers.clear()
            for job in self.engine.world.jobs.values():
                job.cache = None
            return self.wall_time()

    def listens_at(self, url: str) -> None:
        """Store the address of the server."""
        with self.lock:
            self._server_url = self.outbox.server_url = url

    def add_hook(self, **row: t.Any) -> None:
        """Send hooks from now on; the arguments are the keys of a hook.

        :raises ScenarioError: if an argument is invalid.
        """
        with self.lock:
            self.engine.advance()
            number = len(self.outbox.hooks)
            self.outbox.add(read_hook(row, self.engine.world.features, place=f"hooks[{number}]"))

    def clear_logs(self) -> None:
        with self.lock:
            self.requests.clear()
            self.outbox.log.clear()
            self.effects.rows.clear()

    def find_job(self, name_or_id: str | int, *, pipeline_id: int | None = None) -> Job:
        """Return the job with an id, or the newest attempt of a name.

        :raises KeyError: if there is no such job.
        """
        jobs = self.engine.world.jobs
        if isinstance(name_or_id, int):
            return t.cast(Job, jobs[name_or_id])
        named = [job for job in jobs.values() if job.name == name_or_id]
        if pipeline_id is not None:
            named = [job for job in named if job.pipeline.id == pipeline_id]
        if not named:
            raise KeyError(name_or_id)
        return t.cast(Job, max(named, key=lambda job: job.id))

    def sha256(self, name_or_id: str | int, content: str) -> str:
        """Return the checksum of a download of a job; see artifacts.named."""
        with self.lock:
            found = artifacts.named(self.engine, self.find_job(name_or_id), content)
        return sha256(found)

    def view(self, job: Job) -> dict[str, t.Any]:
        """Return a job as the engine sees it, including hidden fields."""
        plain = (
            "id", "name", "kind", "status", "attempt", "superseded", "archived", "when", "allow_failure", "approval",
            "failure_reason", "created_at", "queued_at", "started_at", "finished_at", "scheduled_at", "erased_at",
            "artifacts_expire_at", "variables", "inputs", "has_log", "has_archive", "has_reports",
        )  # fmt: skip
        return {
            **{name: getattr(job, name) for name in plain},
            "stage": job.spec.stage,
            "project": job.project.path,
            "pipeline_id": job.pipeline.id,
            "pipeline_status": self.engine.status(job.pipeline),
            "user": job.user.username if job.user else None,
            "runner": job.runner.id if job.runner else None,
            "deployment_id": job.deployment.id if job.deployment else None,
            "downstream_pipeline_id": job.downstream.id if job.downstream else None,
        }

    def view_pipeline(self, pipeline_id: int) -> dict[str, t.Any]:
        """Return a pipeline as the engine sees it.

        :raises KeyError: if there is no such pipeline.
        """
        pipeline = self.engine.world.pipelines[pipeline_id]
        plain = ("id", "name", "ref", "tag", "sha", "source", "yaml_errors", "variables", "inputs", "created_at")
        return {
            **{name: getattr(pipeline, name) for name in plain},
            "status": self.engine.status(pipeline),
            "project": pipeline.project.path,
            "user": pipeline.user.username if pipeline.user else None,
            "jobs": [job.name for job in pipeline.latest()],
        }

    def set_job(self, name_or_id: str | int, fields: dict[str, t.Any]) -> Job:
        """Force fields of a job. A new status sets matching time stamps, and the engine continues from there."""
        with self.lock:
            self.engine.advance()
            job = self.find_job(name_or_id)
            status = fields.get("status")
            for name, value in fields.items():
                if name == "status":
                    continue
                if name not in SETTABLE:
                    raise schema.unknown("field", name, ("status", *SETTABLE), place="job")
                self._set_field(job, name, value)
            if status is not None:
                statuses = self.engine.world.statuses
                if status not in statuses:
                    raise schema.unknown("status", status, statuses, place="job.status")
                forcing.force(self.engine, job, status)
                if "failure_reason" in fields:
                    job.failure_reason = fields["failure_reason"]
            self.engine.touch(job)
            self.engine.advance()
            return job

    def create_pipeline(
        self,
        ref: str,
        *,
        project: str | int | None = None,
        user: str | None = None,
        variables: dict[str, str] | None = None,
        source: str = "api",
    ) -> int:
        """Create a pipeline as another user, and return its id.

        :raises ApiError: if the project does not allow it.
        """
        with self.lock:
            self.engine.advance()
            world = self.engine.world
            rows = [creation.variable(key, value) for key, value in (variables or {}).items()]
            found = world.user(user, place="user") if user is not None else SOMEBODY_ELSE
            wish = Wish(world.the_project(project), found or SOMEBODY_ELSE, ref, source, rows)
            made = Creator(self).create(wish)
            self.engine.advance()
            return made.id

    def set_ref(
        self, name: str, sha: str | bool | None = None, *, project: str | int | None = None, tag: bool = False
    ) -> str | None:
        """Move a branch or tag to another commit, like a push without a pipeline, and return the commit.

        :param sha: None generates a commit, False removes the ref.
        """
        with self.lock:
            found = self.engine.world.the_project(project)
            if sha is None:
                self._request_count += 1
                sha = refs.made_up(found, f"push {self._request_count}")
            (found.tags if tag else found.branches)[name] = sha
            return sha if isinstance(sha, str) else None

    def _set_field(self, job: Job, name: str, value: t.Any) -> None:
        if name == "user":
            job.user = self.engine.world.user(value, place="job.user")
        elif name in ("outcome", "duration") and job.status == "running":
            setattr(job, name, value)
            # Plan the run again from its start.
            self.engine.replan(job)
        else:
            setattr(job, name, value)

    def act(self, action: str, name_or_id: str | int) -> Job:
        """Act on a job as another user.

        :raises ApiError: if the state of the job does not allow it.
        """
        with self.lock:
            self.engine.advance()
            job = self.find_job(name_or_id)
            actions, user = self.actions, SOMEBODY_ELSE
            table: dict[str, t.Callable[[], Job]] = {
                "play": lambda: actions.play(job, user, variables=[], inputs={}),
                "retry": lambda: actions.retry(job, user, inputs={}),
                "cancel": lambda: actions.cancel(job, user),
                "force_cancel": lambda: actions.force_cancel(job, user),
                "erase": lambda: actions.erase(job, user),
                "keep_artifacts": lambda: actions.keep_artifacts(job, user),
                "delete_artifacts": lambda: actions.delete_artifacts(job, user),
                "unschedule": lambda: forcing.unschedule(self.engine, job),
                "approve": lambda: actions.approve_completely(job, user),
                "reject": lambda: actions.approve_completely(job, user, verdict="rejected"),
            }
            if action not in table:
                raise schema.unknown("action", action, table, place="job")
            done = table[action]()
            self.engine.advance()
            return done
