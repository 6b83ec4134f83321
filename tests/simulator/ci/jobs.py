# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Turn one job of the configuration into jobs of a scenario: whether it exists, when it runs, what it needs."""

from __future__ import annotations

import dataclasses
import re
import typing as t

from . import parallel
from .check import needed_names
from .config import Config
from .context import slug
from .notes import Notes
from .policy import is_included
from .rules import Decision, Matcher
from .values import Block, CiError, as_list, block_in, text
from .variables import expand, expand_all, values

Row = dict[str, t.Any]

# The action of an environment that deploys something.
_DEPLOYS: t.Final = "start"
_UNITS: t.Final = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
_PART_OF_DURATION: t.Final = re.compile(
    r"(\d+(?:\.\d+)?)\s*(weeks?|w|days?|d|hours?|hrs?|h|minutes?|mins?|m|seconds?|secs?|s)?"
)
_LONGEST_DELAY: t.Final = 604800


@dataclasses.dataclass(frozen=True)
class Job:
    """A job of the pipeline, before its trigger is evaluated.

    :ivar base: its name in the file, which several jobs share with `parallel`.
    :ivar variables: all that it sees, with their values.
    :ivar own: those of the file alone, which go on to a downstream pipeline.
    """

    base: str
    row: Row
    block: Block
    variables: dict[str, str]
    own: dict[str, str]


class Jobs:
    """Creates the jobs of one pipeline."""

    def __init__(
        self, config: Config, matcher: Matcher, notes: Notes, *, base: t.Mapping[str, str], over: t.Mapping[str, str]
    ) -> None:
        """Store what all jobs share.

        :param base: predefined variables, below those of the file.
        :param over: variables of the project and of the pipeline, above those of the file.
        """
        self._config = config
        self._matcher = matcher
        self._notes = notes
        self._base = base
        self._over = over
        self._instances = {name: parallel.instances(name, job.get("parallel")) for name, job in config.jobs.items()}

    def make(self, root_variables: t.Mapping[str, str]) -> list[Job]:
        """Return the jobs that are in the pipeline, in the order of stages.

        :param root_variables: of the file, with those of `workflow:rules`.
        :raises CiError: if a job needs another one that does not exist.
        """
        found = [
            job
            for name, block in self._config.jobs.items()
            for instance in self._instances[name]
            if (job := self._job(name, block, instance, root_variables)) is not None
        ]
        found.sort(key=lambda job: self._config.stages.index(job.row["stage"]))
        there = {job.row["name"] for job in found}
        return [dataclasses.replace(job, row=self._with_needs(job, there)) for job in found]

    def _job(
        self, name: str, block: Block, instance: parallel.Instance, root_variables: t.Mapping[str, str]
    ) -> Job | None:
        own = {**self._inherited(block, root_variables), **values(block.get("variables")), **instance.variables}
        stage = block.get("stage", "test")
        known = self._known(own, block, instance, stage)
        decision: Decision | None = Decision()
        if block.get("rules") is not None:
            decision = self._decide(name, block, known)
        elif not is_included(block, self._matcher, known, has_default=self._config.workflow.get("rules") is None):
            decision = None
        if decision is None:
            return None
        if decision.variables is not None:
            own |= values(decision.variables)
            known = self._known(own, block, instance, stage)
        known = expand_all(known)
        row: Row = {"name": instance.name, "stage": stage, **self._timing(name, block, decision)}
        row |= self._plain(block, known)
        if decision.needs is not None:
            row["needs"] = decision.needs
        elif block.get("needs") is not None:
            row["needs"] = block["needs"]
        return Job(name, row, block, known, own)

    def _decide(self, name: str, block: Block, known: t.Mapping[str, str]) -> Decision | None:
        try:
            return self._matcher.first(block["rules"], known)
        except CiError as error:
            raise CiError(f"Failed to parse rule for {name}: {error}") from error

    def _inherited(self, block: Block, root_variables: t.Mapping[str, str]) -> dict[str, str]:
        wanted = block_in(block, "inherit").get("variables", True)
        names = wanted if isinstance(wanted, list) else root_variables if wanted else ()
        return {name: value for name, value in root_variables.items() if name in names}

    def _known(self, own: t.Mapping[str, str], block: Block, instance: parallel.Instance, stage: str) -> dict[str, str]:
        """Return all variables that a job sees, as they were given."""
        environment = block.get("environment")
        environment = environment.get("name") if isinstance(environment, Block) else environment
        job = {"CI_JOB_NAME": instance.name, "CI_JOB_NAME_SLUG": slug(instance.name), "CI_JOB_STAGE": stage}
        known = {**self._base, **job, **instance.place, **own, **self._over}
        if environment is not None:
            known["CI_ENVIRONMENT_NAME"] = text(environment)
        return known

    def _timing(self, name: str, block: Block, decision: Decision) -> Row:
        """Return when the job runs, and whether it may fail."""
        own_when = block.get("when", "on_success")
        when = decision.when or own_when
        row: Row = {"when": when}
        given = block.get("allow_failure")
        # A manual job may be left alone, unless its rules made it one.
        allow_failure = given if isinstance(given, bool) else own_when == "manual" and given is None
        row["allow_failure"] = allow_failure if decision.allow_failure is None else decision.allow_failure
        if when == "delayed":
            start_in = decision.start_in if decision.start_in is not None else block.get("start_in")
            row["start_in"] = duration(start_in, place=f"jobs:{name}")
        return row

    def _plain(self, block: Block, known: t.Mapping[str, str]) -> Row:
        row: Row = {}
        environment = block.get("environment")
        action = (environment.get("action") or _DEPLOYS) if isinstance(environment, Block) else _DEPLOYS
        name = environment.get("name") if isinstance(environment, Block) else environment
        if name is not None and action == _DEPLOYS:
            row["environment"] = expand(text(name), known)
        elif name is not None:
            why = "only jobs that deploy have an environment"
            self._notes.add(f"environment:action {action}", why, block_in(block, "environment").where("action"))
        if block.get("resource_group") is not None:
            row["resource_group"] = expand(text(block["resource_group"]), known)
        retry = block.get("retry")
        if retry is not None:
            row["retry"] = retry.get("max", 0) if isinstance(retry, Block) else retry
            whens = [text(when) for when in as_list(retry.get("when"))] if isinstance(retry, Block) else []
            if whens and "always" not in whens:
                row["retry_when"] = whens
        if block.get("tags") is not None:
            row["tags"] = [expand(text(tag), known, keeps_unknown=True) for tag in as_list(block["tags"])]
        return row

    def _with_needs(self, job: Job, there: set[str]) -> Row:
        """Return a row with the names of all jobs that the job waits for."""
        if "needs" not in job.row:
            return job.row
        names: list[str] = []
        for needed, optional, block in needed_names(job.row["needs"]):
            instances = [parallel.with_values(name, job.own) for name in self._names(needed, block)]
            missing = [name for name in instances if name not in there]
            if missing and not optional and self._config.is_whole:
                raise CiError(
                    f"'{job.row['name']}' job needs '{missing[0]}' job, but '{missing[0]}' does not exist in the "
                    "pipeline. This might be because of the only, except, or rules keywords. To need a job that "
                    "sometimes does not exist in the pipeline, use needs:optional."
                )
            names += [name for name in instances if name in there]
        return {**job.row, "needs": list(dict.fromkeys(names))}

    def _names(self, needed: str, block: Block | None) -> list[str]:
        """Return the jobs of a name, or some of them by `needs:parallel:matrix`."""
        chosen = block.get("parallel") if block is not None else None
        if isinstance(chosen, Block):
            rows = parallel.combinations(chosen.get("matrix"), place="needs:parallel:matrix")
            return [parallel.matrix_name(needed, row) for row in rows]
        return [instance.name for instance in self._instances.get(needed, [])] or [needed]


def duration(given: t.Any, *, place: str) -> float:
    """Return the seconds of a duration such as `90 minutes` or `1h 30m`; a bare number is seconds.

    :raises CiError: if it is invalid, or longer than a week.
    """
    written = text(given).lower()
    rest = _PART_OF_DURATION.sub("", written).replace("and", "").replace(",", "").strip()
    parts = _PART_OF_DURATION.findall(written)
    if rest or not parts:
        raise CiError(f"{place} start in should be a duration")
    seconds = sum(float(number) * _UNITS[unit[:1] or "s"] for number, unit in parts)
    if seconds > _LONGEST_DELAY:
        raise CiError(f"{place} start in should not exceed the limit")
    return seconds
