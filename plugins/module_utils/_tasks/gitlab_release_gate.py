# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The task of `gitlab_release_gate`: runs a release, and writes its record and reports."""

from __future__ import annotations

import dataclasses
import getpass
import json
import os
import platform
import typing as t

from .._api.connection import USER_AGENT
from .._api.decoding import Record
from .._api.errors import UsageError
from .._api.masking import one_line
from .._api.pace.polls import RecentReads
from .._app.fields import iso_time
from .._app.files.place import check_path, check_writable, write_text
from .._app.nudges import Nudges
from .._app.outcome import Outcome, ProjectProgress, SlowWork
from .._app.release.plan import STRATEGIES, Gate, ProjectPlan, ReleasePlan
from .._app.release.record import has_changed, make_record, read_previous, with_previous
from .._app.release.run import ProjectResult, ReleaseRun, failure_text
from .._app.release.runner import GateRunner
from .._app.release.tree import ReleaseTree, read_tree
from .._app.report.gates import is_shut
from .._app.report.junit import render_junit
from .._app.report.page import render_page
from .._app.report.summary import render_summary
from .._app.session import Session, TaskContext
from .._app.waiting.options import WaitOptions
from .._app.waiting.schedule import Scheduler
from .definition import NO_COST, TaskDefinition
from .options import CONNECTION, session_of
from .values.arguments import Options
from .values.release_plan import PROJECT_OPTIONS, plan_of

# The files that a run writes, each made from the record, by the option with their path.
FORMATS: t.Mapping[str, t.Callable[[Record], str]] = {
    "record": lambda record: json.dumps(record, indent=2, ensure_ascii=False) + "\n",
    "report": render_page,
    "summary": render_summary,
    "junit": render_junit,
}
# How long reading the jobs for the record may take after the gates are done. If the user limits the requests per
# minute, the time for the requests of each project is added.
_RECORD_SECONDS = 300.0
_RECORD_REQUESTS = 10

SPEC = CONNECTION.merged(
    arguments={
        "projects": {"type": "list", "elements": "dict", "required": True, "options": PROJECT_OPTIONS},
        "title": {"type": "str"},
        "strategy": {"type": "str", "choices": list(STRATEGIES), "default": "fail_fast"},
        "wait_timeout": {"type": "float", "default": WaitOptions.timeout_seconds},
        "wait_interval": {"type": "float", "default": WaitOptions.interval_seconds},
        "nudges": {"type": "path"},
        "log_lines": {"type": "int", "default": 20},
        "record": {"type": "path"},
        "report": {"type": "path"},
        "summary": {"type": "path"},
        "junit": {"type": "path"},
        "compare": {"type": "path"},
        "user": {"type": "str"},
    },
)


def run(options: Options, context: TaskContext) -> Outcome:
    """Run the release, write its record and reports even if it fails, and return the outcome.

    :raises GitLabError: for errors before anything is started.
    """
    release = _Release(options, context, plan_of(options))
    names: dict[str, str] = {}
    for name, path in release.paths.items():
        check_writable(name, path)
        other = names.setdefault(os.path.realpath(path), name)
        if other != name:
            raise UsageError(f"{other} and {name} are the same file {path!r}; use a separate file for each")
    return release.run()


class _Release:
    """One run of a release, with the sessions of its gates.

    :ivar paths: the paths of the files to write, by option.
    """

    def __init__(self, options: Options, context: TaskContext, plan: ReleasePlan) -> None:
        self._options = options
        self._context = context
        self._plan = plan
        self.paths = {name: options[name] for name in FORMATS if options.get(name)}
        # before anything is started, so that a wrong connection or extension fails first
        self._session = session_of(options, context)
        # all gates of a project share what they read, even if the plan lists the project twice
        self._recent = {project.pipeline.project: RecentReads(context.clock) for project in plan.projects}
        self._nudges = self._open_nudges()
        self._scheduler = Scheduler(
            context.clock,
            self._session.client.traffic,
            context.progress,
            max_at_once=self._session.client.settings.concurrency,
            nudges=self._nudges,
        )
        self._previous = self._read_previous()

    def _open_nudges(self) -> Nudges | None:
        path = self._options.get("nudges")
        if path:
            check_path("nudges", path)
        nudges = Nudges(path, self._context.clock) if path and not self._context.check_mode else None
        if nudges and not nudges.is_written:
            self._session.warn(f"No event source writes to nudges {path!r} yet. Until one does, no gate is nudged.")
        return nudges

    def _read_previous(self) -> Record | None:
        path = self._options.get("compare")
        previous = read_previous(path) if path else None
        if path and previous is None:
            self._session.warn(f"compare {path!r} does not exist, so there is nothing to compare with.")
        return previous

    def run(self) -> Outcome:
        """Run the gates, write the files, and return the outcome."""
        base = self._session
        started = base.clock.time()
        work = SlowWork(self._context.progress, base.clock)
        runner = GateRunner(self._plan, self._open, work)
        results = ReleaseRun(self._plan, runner, self._scheduler).run()
        trees = self._trees(results)
        message = failure_text(results)
        run = {
            "title": str(self._options.get("title") or ""),
            "version": USER_AGENT.partition("/")[2].partition(" ")[0],
            "user": str(self._options.get("user") or _login()),
            "host": platform.node(),
            "server": base.client.settings.api_url[: -len("/api/v4")],
            "started_at": iso_time(started),
            # the wall clock may have been set back meanwhile
            "finished_at": iso_time(max(started, base.clock.time())),
            **base.cost(),
            "check_mode": base.check_mode,
            "strategy": self._plan.strategy,
        }
        record = with_previous(
            make_record(run, results, trees, message=message, warnings=base.warnings), self._previous
        )
        problems = [] if base.check_mode else self._write(base.client.masker.shown_value(record))
        return Outcome(
            changed=has_changed(results),
            values=_values(record),
            failure="; ".join(text for text in (message, *problems) if text) or None,
        )

    def _open(self, project: ProjectResult, gate: Gate, stop: t.Callable[[], str]) -> Session:
        """Return a session with the timeout of a gate, which reports progress with the name of the project."""
        progress = ProjectProgress(self._context.progress, self._label(project.plan))
        path = project.plan.pipeline.project
        watch = self._nudges.watch(path) if self._nudges else None
        session = self._session.sibling(
            dataclasses.replace(self._context, clock=self._scheduler.clock, progress=progress, stop=stop, watch=watch),
            timeout_seconds=gate.waiting.timeout_seconds,
            is_waiting=gate.action != "verify",
        )
        session.client.recent = self._recent[path]
        return session

    def _label(self, project: ProjectPlan) -> str:
        """Return the label of a project in progress lines; with its name if the plan lists the project twice."""
        path = project.pipeline.project
        is_single = [other.pipeline.project for other in self._plan.projects].count(path) == 1
        return path if is_single else f"{path} ({project.name})"

    def _trees(self, results: t.Sequence[ProjectResult]) -> dict[str, ReleaseTree]:
        """Return what the files show of each project; without files, send no requests."""
        if not self.paths:
            return {}
        per_minute = self._session.client.settings.requests_per_minute
        seconds = _RECORD_SECONDS + (_RECORD_REQUESTS * len(results) * 60.0 / per_minute if per_minute else 0.0)
        session = self._session.sibling(self._context, timeout_seconds=seconds)
        return {
            result.plan.name: read_tree(
                session,
                result.plan.pipeline.project,
                result.pipeline,
                log_lines=int(self._options.get("log_lines") or 0),
                deploying={job.id for gate in result.gates for job in gate.jobs},
            )
            for result in results
            if result.pipeline
        }

    def _write(self, record: Record) -> list[str]:
        """Write the files, and return the problems; they must not hide the results of the gates."""
        problems: list[str] = []
        for name, path in self.paths.items():
            try:
                write_text(name, path, FORMATS[name](record), self._context.files)
            except UsageError as exc:
                problems.append(str(exc))
            except Exception as exc:  # a bug must not hide what the gates did
                problems.append(f"{name} {path!r} was not written: unexpected {type(exc).__name__}, {exc}")
        return problems


def _values(record: Record) -> Record:
    """Return the part of the record that the task returns; the file has the rest."""
    return {
        "outcome": record["outcome"],
        "summary": [_line(project, gate) for project in record["projects"] for gate in project["gates"]],
        "gates": [
            {
                "project": project["name"],
                "pipeline": _pipeline(project["pipeline"]),
                **{name: gate[name] for name in ("name", "action", "outcome", "reason", "log_tail", "changed")},
                "jobs": [{name: job[name] for name in ("id", "path", "status", "web_url")} for job in gate["jobs"]],
            }
            for project in record["projects"]
            for gate in project["gates"]
        ],
        "elapsed": record["elapsed"],
        "requests": record["requests"],
    }


def _pipeline(pipeline: Record | None) -> Record | None:
    return {name: pipeline[name] for name in ("id", "source", "ref", "status", "web_url")} if pipeline else None


def _line(project: Record, gate: Record) -> str:
    """Return the result of a gate as one line."""
    optional = ", optional" if gate["require"] == "optional" and is_shut(gate) else ""
    reason = f" ({gate['reason']})" if gate["reason"] else ""
    return one_line(f"{project['name']}: {gate['action']} {gate['name']}: {gate['outcome']}{optional}{reason}")


def _login() -> str:
    """Return the user who runs this, empty if the machine does not know."""
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return ""


TASK = TaskDefinition(
    name="gitlab_release_gate",
    spec=SPEC,
    work=run,
    empty_result={"outcome": "failed", "summary": [], "gates": [], **NO_COST},
)
