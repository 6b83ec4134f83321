# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read the jobs of a scenario, including generated jobs."""

from __future__ import annotations

import itertools
import typing as t

from . import inputs, schema, zips
from .model import Attempt, JobSpec
from .schema import ScenarioError, fill


def expand_jobs(rows: list[t.Any], *, place: str) -> t.Iterator[tuple[JobSpec, dict[str, t.Any], str]]:
    """Yield (spec, row, name) for each job of a pipeline, including generated jobs."""
    for number, given in enumerate(rows):
        here = f"{place}.jobs[{number}]"
        if isinstance(given, dict) and "generate" in given:
            if len(given) > 1:
                raise ScenarioError(f"{here}: 'generate' must be the only key; move the other keys into it")
            row = fill(given["generate"], schema.GENERATE, kind="job", place=f"{here}.generate")
            spec = make_spec(row, place=f"{here}.generate")
            for n in itertools.islice(itertools.count(1), row["count"]):
                yield spec, row, row["name"].replace("{n}", str(n))
        else:
            row = fill(given, schema.JOB, kind="job", place=here)
            yield make_spec(row, place=here), row, row["name"]


def _environment(given: t.Any, *, place: str) -> str | None:
    """Return the name of an environment, which may be in a mapping as in a `.gitlab-ci.yml`."""
    name = given.get("name") if isinstance(given, dict) and set(given) == {"name"} else given
    if name is not None and not isinstance(name, str):
        raise ScenarioError(f"{place}: must be a string, or a mapping with only the key 'name'")
    return name


def make_spec(row: dict[str, t.Any], *, place: str) -> JobSpec:
    """Return the spec of a job. A status forced at the start determines `when`, unless the row sets it."""
    when = row["when"] or {"manual": "manual", "scheduled": "delayed"}.get(row["status"], "on_success")
    deployment = fill(row["deployment"], schema.DEPLOYMENT, kind="deployment", place=f"{place}.deployment")
    trigger = row["trigger"]
    if trigger is not None:
        trigger = fill(trigger, schema.TRIGGER, kind="trigger", place=f"{place}.trigger")
        pipeline = fill(trigger["pipeline"] or {}, schema.PIPELINE, kind="pipeline", place=f"{place}.trigger.pipeline")
        # Read now, so that an error in it is reported when the scenario is loaded, not when the bridge starts.
        list(expand_jobs(pipeline["jobs"], place=f"{place}.trigger.pipeline"))
        trigger["pipeline"] = pipeline
    artifacts = row["artifacts"]
    if artifacts is not None:
        artifacts = fill(artifacts, schema.ARTIFACTS, kind="artifacts", place=f"{place}.artifacts")
        zips.check(artifacts, place=f"{place}.artifacts")
    row["tests"] = [
        fill(test, schema.TEST, kind="test", place=f"{place}.tests[{number}]")
        for number, test in enumerate(row["tests"])
    ]
    if row["log_size"] is not None and (row["log"] is not None or row["log_timestamps"]):
        raise ScenarioError(f"{place}.log_size: cannot be used with log or log_timestamps")
    inputs.check_specs(row["inputs"], place=f"{place}.inputs")
    row["environment"] = _environment(row["environment"], place=f"{place}.environment")
    base = {key: row[key] for key in schema.ATTEMPT}
    attempts = [
        Attempt(**fill({**base, **given}, schema.ATTEMPT, kind="attempt", place=f"{place}.attempts[{number}]"))
        for number, given in enumerate(row["attempts"] or [{}])
    ]
    plain = ("start_in", "queue", "prepare", "cancel_duration", "needs", "tags", "environment", "resource_group")
    more = ("inputs", "coverage", "log", "log_size", "log_timestamps", "debug_trace", "name")
    return JobSpec(
        **{key: row[key] for key in (*plain, *more, "stage", "retry", "retry_when", "tests")},
        when=when,
        attempts=attempts,
        # By default, only manual jobs may fail (or wait forever), as in a .gitlab-ci.yml.
        allow_failure=when == "manual" if row["allow_failure"] is None else row["allow_failure"],
        approval=deployment["approval"],
        older_than_last=deployment["older_than_last"],
        artifacts=artifacts,
        trigger=trigger,
    )
