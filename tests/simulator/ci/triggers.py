# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""`trigger`: the downstream pipelines of a job, evaluated together with the upstream pipeline.

Source: https://docs.gitlab.com/ci/pipelines/downstream_pipelines/
"""

from __future__ import annotations

import dataclasses
import typing as t

from .context import Context
from .jobs import Job
from .notes import Notes
from .values import Block, Items, as_list, block_in, text
from .variables import Literal, expand

if t.TYPE_CHECKING:
    from .project_file import Made

Row = dict[str, t.Any]
# (the files that a child pipeline is made of, its wish) -> what comes of it
MakeChild = t.Callable[[Block, Context], "Made"]
# (path of a project, its branch or None for the default one, the wish above) -> what comes of it, None: no such project
MakeOther = t.Callable[[str, str | None, Context], "Made | None"]

_DEEPEST: t.Final = 2
_ELSEWHERE: t.Final = ("project", "remote", "template", "component")


class Triggers:
    """Creates the triggers of one pipeline."""

    def __init__(self, context: Context, notes: Notes, make_child: MakeChild, make_other: MakeOther) -> None:
        self._context = context
        self._notes = notes
        self._make_child = make_child
        self._make_other = make_other
        # Paths of projects whose pipelines are triggered, whether or not they are known.
        self.projects: list[str] = []

    def row(self, job: Job) -> Row:
        """Return the row of a job with its trigger, if it has one."""
        given = job.block.get("trigger")
        if given is None:
            return job.row
        block = given if isinstance(given, Block) else Block(job.block.where("trigger"))
        if isinstance(given, str):
            block.put("project", given, job.block.where("trigger"))
        trigger = self._child(job, block) if "include" in block else self._other(job, block)
        if block.get("strategy") is not None:
            trigger["strategy"] = block["strategy"]
        return {**job.row, "trigger": trigger}

    def _child(self, job: Job, block: Block) -> Row:
        above = [self._context.source, *(source for _project, _ref, source in self._context.chain)]
        depth = next((n for n, source in enumerate(above) if source != "parent_pipeline"), len(above))
        if depth >= _DEEPEST:
            return {"creation_fails": "reached_max_descendant_pipelines_depth"}
        document = Block(block.place)
        entries = Items(block.place)
        for entry in as_list(block["include"]):
            if isinstance(entry, Block) and any(kind in entry for kind in ("artifact", *_ELSEWHERE)):
                return {"pipeline": {"status": "success"}}
            local = entry.get("local") if isinstance(entry, Block) else entry
            row = entry.copied() if isinstance(entry, Block) else Block(block.where("include"))
            row["local"] = expand(text(local), job.variables, keeps_unknown=True)
            row.pop("rules", None)
            entries.append(row)
        document.put("include", entries, block.where("include"))
        wish = self._downstream(job, block, source="parent_pipeline")
        return self._shown(job, self._make_child(document, wish), wish, {})

    def _other(self, job: Job, block: Block) -> Row:
        path = expand(text(block.get("project")), job.variables)
        branch = None if block.get("branch") is None else expand(text(block["branch"]), job.variables)
        self.projects.append(path)
        if self._context.key in self._context.chain:
            return {"creation_fails": "pipeline_loop_detected"}
        wish = dataclasses.replace(
            self._downstream(job, block, source="pipeline"), inputs=block_in(block, "inputs"), is_form=False
        )
        made = self._make_other(path, branch, wish)
        if made is None:
            why = "not in the scenario, so its pipeline cannot be created"
            self._notes.add(f"trigger:project {path}", why, job.block.where("trigger"))
            return {"creation_fails": "downstream_bridge_project_not_found"}
        return {"project": path, **self._shown(job, made, wish, {} if branch is None else {"ref": branch})}

    def _shown(self, job: Job, made: Made, wish: Context, more: Row) -> Row:
        if made.problem:
            why = f"the downstream pipeline cannot be created: {made.problem}"
            self._notes.add(f"trigger of {job.row['name']}", why, job.block.where("trigger"))
            return {"creation_fails": "downstream_pipeline_creation_failed"}
        given = {name: str(value) for name, value in wish.variables.items()}
        variables = {"variables": given} if given else {}
        return {"pipeline": {**made.pipeline_row(), **variables, **more}}

    def _downstream(self, job: Job, block: Block, *, source: str) -> Context:
        """Return the request for a downstream pipeline, with the job's variables unless they are not forwarded."""
        forward = block_in(block, "forward")
        given: dict[str, str] = {}
        if forward.get("yaml_variables", True) is not False:
            given |= {name: job.variables.get(name, value) for name, value in job.own.items()}
        if forward.get("pipeline_variables", False) is True:
            given |= {name: job.variables[name] for name in self._context.variables}
        final = {name: Literal(value) for name, value in given.items()}
        above = self._context
        chain = (above.key, *above.chain)
        return dataclasses.replace(above, source=source, variables=final, inputs={}, chain=chain)
