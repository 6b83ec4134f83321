# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The `.gitlab-ci.yml` of a project: the jobs of a pipeline for a ref, a source and variables."""

from __future__ import annotations

import dataclasses
import pathlib
import typing as t

from .check import check
from .config import make_config
from .context import Context, predefined
from .include import Includer
from .interpolation import Specs
from .jobs import Job, Jobs
from .notes import Notes
from .rules import Matcher
from .times import with_times
from .triggers import MakeOther, Triggers
from .values import Block, CiError
from .variables import expand, expand_all, values

Row = dict[str, t.Any]

_REFUSALS: t.Final = {
    "workflow_rules": "excluded by workflow:rules",
    "no_jobs": "the rules exclude all jobs",
    "no_config": "the file does not exist",
}
# Stages that are not enough for a pipeline.
_EDGES: t.Final = (".pre", ".post")


@dataclasses.dataclass
class Made:
    """The result of a request for a pipeline: jobs, or why there is no pipeline.

    :ivar refused: `workflow_rules`, `no_jobs` or `no_config`.
    :ivar yaml_errors: the first error of the file.
    :ivar projects: those that its jobs trigger pipelines of.
    :ivar inputs: what the header of the file says about inputs.
    """

    jobs: list[Row] = dataclasses.field(default_factory=list)
    stages: list[str] | None = None
    name: str | None = None
    refused: str | None = None
    yaml_errors: str | None = None
    notes: list[str] = dataclasses.field(default_factory=list)
    projects: list[str] = dataclasses.field(default_factory=list)
    inputs: Specs = dataclasses.field(default_factory=dict)

    @property
    def problem(self) -> str:
        """Return why there is no pipeline; empty if there is one."""
        refused = self.refused or ""
        return self.yaml_errors or _REFUSALS.get(refused, refused)

    def pipeline_row(self) -> Row:
        """Return the keys of a scenario's pipeline; a pipeline without jobs succeeds."""
        if not self.jobs:
            return {"status": "success"}
        named = {} if self.name is None else {"name": self.name}
        return {"stages": self.stages, **named, "jobs": self.jobs}


@dataclasses.dataclass(frozen=True)
class ProjectFile:
    """The CI/CD file of a project, and its environment.

    :ivar root: the folder that stands for the repository.
    :ivar files: what changed and what there is, None when nobody has said so.
    :ivar times: by name of a job, keys of a job of a scenario.
    :ivar variables: of the project.
    :ivar keeps_tags: there are runners that have tags; otherwise one takes all jobs.
    """

    path: pathlib.Path
    root: pathlib.Path
    files: tuple[str, ...] | None
    times: dict[str, t.Any]
    variables: dict[str, str]
    keeps_tags: bool = True

    def make(self, context: Context, make_other: MakeOther) -> Made:
        """Return the content of a new pipeline; the file is read again each time."""
        notes = Notes()
        making = _Making(self, context, notes, make_other)
        if not self.path.is_file():
            return Made(refused="no_config")
        return making.run(lambda includer: includer.read(self.path, context.inputs, is_form=context.is_form))


class _Making:
    """Creates one pipeline and its child pipelines."""

    def __init__(self, file: ProjectFile, context: Context, notes: Notes, make_other: MakeOther) -> None:
        self._file = file
        self._context = context
        self._notes = notes
        self._make_other = make_other
        self._matcher = Matcher(context, file.files, notes)
        self._over = {**file.variables, **context.variables}
        self._base = predefined(context)
        self._triggers = Triggers(context, notes, self._child, make_other)

    def run(self, read: t.Callable[[Includer], Block]) -> Made:
        known = {**self._base, **self._over}
        includer = Includer(self._file.root, self._matcher, known, self._notes)
        try:
            made = self._make(includer, read)
        except CiError as error:
            made = Made(yaml_errors=str(error))
        made.inputs = includer.specs or {}
        made.notes = self._notes.lines()
        made.projects = self._triggers.projects
        return made

    def _make(self, includer: Includer, read: t.Callable[[Includer], Block]) -> Made:
        document = read(includer)
        config = make_config(document, self._notes, is_whole=includer.is_whole)
        check(config)
        root_variables = dict(config.variables)
        rules = config.workflow.get("rules")
        known = {**self._base, **root_variables, **self._over}
        if rules is not None:
            decision = self._matcher.first(rules, known)
            if decision is None:
                return Made(refused="workflow_rules")
            root_variables |= values(decision.variables)
            known = {**self._base, **root_variables, **self._over}
        jobs = Jobs(config, self._matcher, self._notes, base=self._base, over=self._over).make(root_variables)
        if all(job.row["stage"] in _EDGES for job in jobs):
            return Made(refused="no_jobs")
        name = config.workflow.get("name")
        return Made(
            jobs=[self._row(job) for job in jobs],
            stages=[stage for stage in config.stages if any(job.row["stage"] == stage for job in jobs)],
            name=None if name is None else expand(str(name), expand_all(known)).strip() or None,
        )

    def _row(self, job: Job) -> Row:
        row = self._triggers.row(job)
        if not self._file.keeps_tags:
            row.pop("tags", None)
        return with_times(row, job.base, self._file.times)

    def _child(self, document: Block, context: Context) -> Made:
        made = _Making(self._file, context, self._notes, self._make_other)
        found = made.run(lambda includer: includer.expanded(document))
        self._triggers.projects += found.projects
        return found
