# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A generated GitLab in memory: the pipelines of one ref with their jobs, trigger jobs and downstream pipelines."""

from __future__ import annotations

import dataclasses
import itertools
import typing as t

from hypothesis import strategies as st

from ..harness import NOT_FOUND, Call, Record, bridge, job, pipeline, reply

STAGES = ("build", "test", "deploy")
SOURCES = ("push", "schedule", "web")
JOB_NAMES = ("a", "b", "a,b", "x/a", "m: [1, 2]")
TRIGGER_NAMES = ("x", "y")
# below x, the path of job "a" equals the name "x/a"
CHILD_NAMES = ("a", "b", "x/a")


@dataclasses.dataclass
class Pipe:
    """A pipeline.

    :param kind: `jobs`, or, without jobs, `skipped`, `invalid` (invalid configuration) or `new`.
    """

    kind: str
    source: str = "push"
    is_tag: bool = False
    jobs: list[Record] = dataclasses.field(default_factory=list)
    triggers: list[tuple[Record, Pipe | None]] = dataclasses.field(default_factory=list)
    id: int = 0
    project: int = 7

    @property
    def status(self) -> str:
        return {"skipped": "skipped", "invalid": "failed"}.get(self.kind, "running")

    @property
    def record(self) -> Record:
        fields = {"source": self.source, "tag": self.is_tag, "project_id": self.project}
        if self.kind == "invalid":
            fields["yaml_errors"] = "jobs:a config is wrong"
        return pipeline(self.id, self.status, **fields)

    def walk(self) -> t.Iterator[Pipe]:
        yield self
        for _trigger, child in self.triggers:
            if child:
                yield from child.walk()


class World:
    """Answers like GitLab; a job that is played succeeds immediately."""

    def __init__(self, pipes: list[Pipe]) -> None:
        # newest first, as GitLab lists them
        self.pipes = pipes
        self.played: list[int] = []
        numbers, ids = itertools.count(900, -1), itertools.count(9000, -1)
        self.all = [pipe for newest in pipes for pipe in newest.walk()]
        for pipe in self.all:
            pipe.id = next(numbers)
        for pipe in self.all:
            records = [*pipe.jobs, *(trigger for trigger, _child in pipe.triggers)]
            for record in records:
                record.update(id=next(ids), pipeline=pipe.record)
            for trigger, child in pipe.triggers:
                trigger["downstream_pipeline"] = child.record if child else None

    def answer(self, call: Call) -> t.Any:
        steps = call.path.strip("/").split("/")
        if steps[2:] == ["pipelines"]:
            # lists show neither which pipelines are for tags nor errors in the configuration
            listed = [pipe.record for pipe in self.pipes if self._is_listed(pipe, call.query)]
            return [{k: v for k, v in record.items() if k not in ("tag", "yaml_errors")} for record in listed]
        if steps[2] == "pipelines":
            return self._of_pipeline(int(steps[3]), steps[4:])
        if steps[2:] == ["deployments"]:
            return []
        found = next(record for pipe in self.all for record in self._records(pipe) if record["id"] == int(steps[3]))
        if steps[4:] == ["trace"]:
            return "log"
        if steps[4:] == ["play"]:
            self.played.append(found["id"])
            found["status"] = "success"
            return {**found, "status": "pending"}
        return found

    def _is_listed(self, pipe: Pipe, query: dict[str, list[str]]) -> bool:
        is_of_source = query.get("source", [pipe.source]) == [pipe.source]
        return is_of_source and query.get("scope") in (None, ["tags" if pipe.is_tag else "branches"])

    def _of_pipeline(self, number: int, steps: list[str]) -> t.Any:
        pipe = next((pipe for pipe in self.all if pipe.id == number), None)
        if pipe is None:
            return reply(NOT_FOUND, status=404)
        return {
            "": pipe.record,
            "jobs": pipe.jobs,
            "trigger_jobs": [trigger for trigger, _child in pipe.triggers],
        }["/".join(steps)]

    def _records(self, pipe: Pipe) -> list[Record]:
        return [*pipe.jobs, *(trigger for trigger, _child in pipe.triggers)]


# ----- strategies -----


@st.composite
def job_records(draw: t.Any, names: tuple[str, ...]) -> Record:
    status = draw(st.sampled_from(["success", "success", "success", "manual", "manual", "failed", "skipped"]))
    stage, name = draw(st.sampled_from(STAGES)), draw(st.sampled_from(names))
    return job(1, status, name, stage=stage, allow_failure=draw(st.booleans()))


def job_lists(fewest: int, names: tuple[str, ...] = JOB_NAMES) -> t.Any:
    return st.lists(job_records(names), min_size=fewest, max_size=len(names), unique_by=lambda record: record["name"])


@st.composite
def trigger_lists(draw: t.Any, depth: int) -> list[tuple[Record, Pipe | None]]:
    names = draw(st.sampled_from([(), ("x",), ("x",), ("y",), TRIGGER_NAMES]))
    triggers = []
    for name in names:
        status = draw(st.sampled_from(["success", "success", "success", "failed", "manual", "created"]))
        child = None
        if status == "success":
            below = draw(trigger_lists(depth - 1)) if depth else []
            child = Pipe("jobs", "parent_pipeline", jobs=draw(job_lists(1, CHILD_NAMES)), triggers=below)
            child.project = draw(st.sampled_from([7, 8]))
        triggers.append((bridge(1, status, name, stage=draw(st.sampled_from(STAGES))), child))
    return triggers


@st.composite
def pipes(draw: t.Any) -> Pipe:
    pipe = Pipe(
        draw(st.sampled_from(["jobs"] * 5 + ["skipped", "invalid", "new"])),
        draw(st.sampled_from(SOURCES)),
        draw(st.integers(0, 3)) == 3,
    )
    if pipe.kind == "jobs":
        pipe.triggers = draw(trigger_lists(1))
        pipe.jobs = draw(job_lists(draw(st.sampled_from([0, 2, 3]))))
        if not pipe.jobs and not pipe.triggers:
            pipe.kind = "new"
    return pipe


worlds = st.lists(pipes(), min_size=1, max_size=3).map(World)


def world_with_an_ambiguous_path() -> World:
    """Return a world in which a path equals the name of another job, and a stage has a job and a trigger job."""
    child = Pipe("jobs", "parent_pipeline", jobs=[job(1, "manual", "a", stage="test")])
    return World(
        [
            Pipe(
                "jobs",
                jobs=[job(1, "success", "x/a", stage="test"), job(1, "success", "b", stage="build")],
                triggers=[
                    (bridge(1, "success", "x", stage="test"), child),
                    (bridge(1, "failed", "y", stage="build"), None),
                ],
            )
        ]
    )
