# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Playing 200 manual jobs: rows 3a and 3b."""

from __future__ import annotations

import typing as t

from .measure import TOKEN, Run, expect, script
from .plays import PROJECT, Task, play, uri
from .suite import Bench, Case, Row, Table, Values, figures
from .world import API

_JOBS = 200

_PEER, _URI = "python-gitlab, one at a time", "uri loop, playbook"
_TASK, _PLAYBOOK = "action", "action, playbook"

Pipeline = dict[str, t.Any]


def _prepare(bench: Bench, latency_ms: int) -> Pipeline:
    """Return a new pipeline with manual jobs."""
    bench.server.forget(latency_ms=latency_ms)
    return bench.server.ask("make", jobs=bench.few(_JOBS))


def _checked(bench: Bench, pipeline: Pipeline, done: Run) -> Values:
    """Return the figures of a run that played every job once."""
    counts = bench.server.counts()
    wanted = len(pipeline["jobs"])
    expect("jobs played", (counts.get("play"), counts.get("play refused", 0)), (wanted, 0))
    expect("plays", bench.server.ask("pipeline", id=pipeline["id"])["plays"], wanted)
    return {**figures(done), "requests": sum(counts.values())}


def _options(pipeline: Pipeline) -> dict[str, t.Any]:
    chosen = {"project": "group/app", "pipeline_id": pipeline["id"], "name": ["deploy-*"], "multiple": "all"}
    return {**chosen, "action": "play", "api_concurrency": 16}


def _script(latency_ms: int) -> t.Callable[[Bench], Values]:
    def work(bench: Bench) -> Values:
        pipeline = _prepare(bench, latency_ms)
        options = {"api_url": bench.server.http, "api_token": TOKEN, **_options(pipeline)}
        done = script("script_jobgate.py", "gitlab_job_action", options)
        expect("jobs applied", done.reported["jobs"], len(pipeline["jobs"]))
        values = _checked(bench, pipeline, done)
        if bench.scale < 1:
            # the second run finds nothing to do
            again = script("script_jobgate.py", "gitlab_job_action", options)
            expect("changed", again.reported["changed"], False)
            _checked(bench, pipeline, again)
        return values

    return work


def _python_gitlab(latency_ms: int) -> t.Callable[[Bench], Values]:
    def work(bench: Bench) -> Values:
        pipeline = _prepare(bench, latency_ms)
        done = script("script_python_gitlab.py", bench.server.http, "play", {"pipeline_id": pipeline["id"]})
        return _checked(bench, pipeline, done)

    return work


def _playbook(latency_ms: int, task_of: t.Callable[[Bench, Pipeline], Task]) -> t.Callable[[Bench], Values]:
    def work(bench: Bench) -> Values:
        pipeline = _prepare(bench, latency_ms)
        task = {"name": "play", "register": "played", **task_of(bench, pipeline)}
        return _checked(bench, pipeline, play([task], url=bench.server.http))

    return work


def _uri_task(bench: Bench, pipeline: Pipeline) -> Task:
    address = f"{bench.server.http}{API}/projects/{PROJECT}/jobs/{{{{ item }}}}/play"
    return {**uri(address, method="POST", status_code=200), "loop": pipeline["jobs"]}


def _action_task(_bench: Bench, pipeline: Pipeline) -> Task:
    return {"jobgate.gitlab.gitlab_job_action": _options(pipeline)}


def _table(latency_ms: int, script_goal: float, playbook_goal: float) -> Table:
    return Table(
        f"play-{latency_ms}",
        f"Playing 200 manual jobs, {latency_ms} ms",
        (
            Case(_PEER, _python_gitlab(latency_ms)),
            Case(_TASK, _script(latency_ms)),
            Case(_URI, _playbook(latency_ms, _uri_task), rounds=2),
            Case(_PLAYBOOK, _playbook(latency_ms, _action_task)),
        ),
        (
            Row("3a", f"play 200 jobs, 16 in flight, {latency_ms} ms", _TASK, _PEER, "wall", script_goal),
            Row("3b", f"the same, whole playbook, {latency_ms} ms", _PLAYBOOK, _URI, "wall", playbook_goal),
        ),
    )


TABLES = (_table(100, 0.10, 0.03), _table(20, 0.13, 0.02))
