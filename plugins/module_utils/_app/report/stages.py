# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Note that this is a private part of the collection: no other collection may import it.

"""The pipelines of a report: the tree of them, and of each its stages side by side, as GitLab shows a pipeline."""

from __future__ import annotations

import typing as t

from ..._api.decoding import Record
from .parts import has_failed, link, mark, state, text


def pipeline_tree(projects: t.Sequence[Record]) -> str:
    """Return the section with the pipelines of all projects."""
    roots = []
    for project in projects:
        pipelines = project["pipelines"]
        children: dict[t.Any, list[Record]] = {}
        for pipeline in pipelines[1:]:
            children.setdefault(pipeline.get("parent_id"), []).append(pipeline)
        jobs: dict[t.Any, list[Record]] = {}
        for job in project["jobs"]:
            if not job.get("superseded"):
                jobs.setdefault(job.get("pipeline_id"), []).append(job)
        content = _pipeline(pipelines[0], children, jobs) if pipelines else "no pipeline"
        quiet = "" if any(has_failed(job) for rows in jobs.values() for job in rows) else ' class="quiet"'
        roots.append(f"<li{quiet}><strong>{text(project['name'])}</strong><ul><li>{content}</li></ul></li>\n")
    return f'<div class="tree"><ul>\n{"".join(roots)}</ul></div>'


def _pipeline(pipeline: Record, children: dict[t.Any, list[Record]], jobs: t.Mapping[t.Any, t.Sequence[Record]]) -> str:
    """Return a pipeline with those below it, each of which is shown once, also where a record has a circle."""
    trigger = f"{text(pipeline['path'].rpartition('/')[2])} → " if pipeline.get("path") else ""
    closed = "" if pipeline.get("accessible", True) else ' <span class="small">cannot be read with this token</span>'
    shown = (
        f"{trigger}{text(pipeline.get('project'))} "
        f"{link(pipeline.get('web_url'), 'Pipeline ' + str(pipeline['id']))} {state(pipeline.get('status'))}"
        f' <span class="small">{text(pipeline.get("ref"))}</span>{closed}{_stages(jobs.get(pipeline["id"], ()))}'
    )
    below = "".join(f"<li>{_pipeline(child, children, jobs)}</li>" for child in children.pop(pipeline["id"], ()))
    return f"{shown}<ul>{below}</ul>" if below else shown


def _stages(jobs: t.Sequence[Record]) -> str:
    """Return the stages of a pipeline in their order, which is that of their first jobs."""
    columns: dict[str, list[Record]] = {}
    for job in jobs:
        columns.setdefault(str(job.get("stage") or ""), []).append(job)
    shown = "".join(
        f"<li{'' if any(map(has_failed, column)) else ' class=quiet'}>{_stage(name, column)}</li>"
        for name, column in columns.items()
    )
    return f'<ol class="stages" role="list">{shown}</ol>' if shown else ""


def _stage(name: str, jobs: t.Sequence[Record]) -> str:
    rows = "".join(
        f"<li{'' if has_failed(job) else ' class=quiet'}>{mark(job.get('status'))} "
        f"{link(job.get('web_url'), job.get('name'))}</li>"
        for job in jobs
    )
    return f'<span class="stage">{text(name) or "no stage"}</span><ul role="list">{rows}</ul>'
