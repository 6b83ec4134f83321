# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Pipelines: lists with filters, single pipelines, the latest of a ref, the pipelines of a merge request."""

from __future__ import annotations

from . import errors, lookup, pages, params, pipeline_filters, refs, routes_jobs
from .call import Call, Reply, json_reply
from .model import DANGLING, Pipeline, Project


def check_pipeline_id(call: Call) -> None:
    routes_jobs.check_id(call, "pipeline_id")


def check_merge_request(call: Call) -> None:
    routes_jobs.check_id(call, "merge_request_iid")
    pages.check(call)


def readable_project(call: Call) -> Project:
    project = lookup.project(call)
    lookup.check_reads_builds(call, project)
    return project


def readable_pipeline(call: Call) -> Pipeline:
    """Return the pipeline; a missing one is 404 even if the caller cannot read pipelines."""
    project = lookup.project(call)
    pipeline = lookup.pipeline(call, project)
    lookup.check_reads_builds(call, project)
    return pipeline


def list_pipelines(call: Call) -> Reply:
    """P1: the pipelines of a project; child pipelines only if `source` selects them."""
    project = readable_project(call)
    return _list(call, pipeline_filters.select(call, project))


def _list(call: Call, rows: list[Pipeline]) -> Reply:
    part, headers = pages.offset_page(call, rows, totals=True)
    render = call.simulation.renderer(call.base_url)
    return json_reply([render.pipeline_row(p) for p in part], headers=headers)


def one(call: Call, pipeline: Pipeline, *, status: int = 200) -> Reply:
    """Return the answer with a complete pipeline, including its name."""
    return json_reply(call.simulation.renderer(call.base_url).pipeline(pipeline), status=status)


def get_pipeline(call: Call) -> Reply:
    """P2: any pipeline of the project, child pipelines too."""
    return one(call, readable_pipeline(call))


def get_latest(call: Call) -> Reply:
    """P3: the newest pipeline of the commit at the tip of a ref; 403 if there is none, or if it is not allowed."""
    project = readable_project(call)
    ref = str(call.params.get("ref") or "").strip() or project.default_branch
    sha = refs.commit(project, ref)
    fitting = [p for p in project.pipelines if p.ref == ref and p.sha == sha and p.source not in DANGLING]
    if not fitting:
        raise errors.forbidden()
    return one(call, fitting[-1])


def list_of_merge_request(call: Call) -> Reply:
    """GET the pipelines of a merge request, newest first; a merge request without pipelines does not exist here."""
    project = readable_project(call)
    iid = params.integer(call.path_params, "merge_request_iid")
    rows = [p for p in reversed(project.pipelines) if p.merge_request == iid]
    if not rows:
        raise errors.message(404, "404 Not found")
    return _list(call, rows)
