# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Do the work of a case with python-gitlab, as its manual recommends: `script_python_gitlab.py URL NAME OPTIONS`."""

from __future__ import annotations

import json
import sys
import time
import typing as t

# the folder of this script contains unrelated modules
sys.path.pop(0)

import gitlab  # noqa: E402

_PROJECT = "group/app"
_ENDED = ("success", "failed", "canceled", "skipped")


def list_keyset(project: t.Any, _options: dict[str, t.Any]) -> dict[str, t.Any]:
    """Read every job of the project through the iterator, page by page."""
    jobs = list(project.jobs.list(iterator=True, pagination="keyset", order_by="id", per_page=100))
    return {"jobs": len({job.id for job in jobs})}


def list_offset(project: t.Any, _options: dict[str, t.Any]) -> dict[str, t.Any]:
    """Read every job of the project at once, by page number."""
    jobs = project.jobs.list(get_all=True, per_page=100)
    return {"jobs": len({job.id for job in jobs})}


def play(project: t.Any, options: dict[str, t.Any]) -> dict[str, t.Any]:
    """Play every manual job of a pipeline."""
    pipeline = project.pipelines.get(options["pipeline_id"], lazy=True)
    jobs = pipeline.jobs.list(get_all=True, per_page=100, scope="manual")
    for job in jobs:
        project.jobs.get(job.id, lazy=True).play()
    return {"jobs": len(jobs)}


def wait_in_turn(project: t.Any, options: dict[str, t.Any]) -> dict[str, t.Any]:
    """Wait for the jobs of a pipeline one at a time, with one poll per second."""
    pipeline = project.pipelines.get(options["pipeline_id"], lazy=True)
    jobs = pipeline.jobs.list(get_all=True, per_page=100)
    for listed in jobs:
        while project.jobs.get(listed.id).status not in _ENDED:
            time.sleep(1)
    return {"jobs": len(jobs)}


def wait_for_all(project: t.Any, options: dict[str, t.Any]) -> dict[str, t.Any]:
    """Poll every unfinished job of a pipeline, with a second between rounds."""
    pipeline = project.pipelines.get(options["pipeline_id"], lazy=True)
    jobs = pipeline.jobs.list(get_all=True, per_page=100)
    left = [job.id for job in jobs if job.status not in _ENDED]
    while left:
        time.sleep(1)
        left = [one for one in left if project.jobs.get(one).status not in _ENDED]
    return {"jobs": len(jobs)}


def download(project: t.Any, options: dict[str, t.Any]) -> dict[str, t.Any]:
    """Write the log of a job to a file."""
    job = project.jobs.get(options["job_id"], lazy=True)
    sizes = {"chunk_size": options["chunk_size"]} if options.get("chunk_size") else {}
    with open(options["dest"], "wb") as file:
        job.trace(streamed=True, action=file.write, **sizes)
    return {}


def tree(project: t.Any, options: dict[str, t.Any]) -> dict[str, t.Any]:
    """Read the trigger jobs of a pipeline and of all pipelines below it, one pipeline at a time."""
    left = [(project.manager.gitlab, project.encoded_id, options["pipeline_id"])]
    seen = []
    while left:
        client, project_id, pipeline_id = left.pop()
        pipeline = client.projects.get(project_id, lazy=True).pipelines.get(pipeline_id, lazy=True)
        for bridge in pipeline.bridges.list(get_all=True, per_page=100):
            if bridge.downstream_pipeline:
                found = bridge.downstream_pipeline
                seen.append(found["id"])
                left.append((client, found["project_id"], found["id"]))
    return {"pipelines": len(set(seen))}


_FUNCTIONS = {one.__name__: one for one in (list_keyset, list_offset, play, wait_in_turn, wait_for_all, download, tree)}


def main() -> None:
    """Do the work and print its times and result."""
    url, function, options = (json.loads(argument) for argument in sys.argv[1:4])
    with gitlab.Gitlab(url, private_token="bench-token-0123456789", ssl_verify=options.pop("ca_file", True)) as client:
        project = client.projects.get(_PROJECT, lazy=True)
        started = time.monotonic()
        result = _FUNCTIONS[function](project, options)
        ended = time.monotonic()
    print(json.dumps({"call": ended - started, "ended": ended, **result}), flush=True)


if __name__ == "__main__":
    main()
