# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Waiting for 200 jobs that end one after the other: rows 4a to 4c."""

from __future__ import annotations

import typing as t

from .measure import TOKEN, Run, expect, script
from .plays import PROJECT, Task, info, play, uri
from .suite import Bench, Case, Row, Table, Values, figures
from .world import API

_JOBS = 200
_LATENCY_MS = 20
_SECONDS = 10.0

_IN_TURN, _ALL, _TASK = "python-gitlab, one job after the other", "python-gitlab, every unfinished job", "info"
_URI, _PLAYBOOK, _SILENT = "uri until, playbook", "info, playbook", "info, playbook without progress lines"

Pipeline = dict[str, t.Any]


def _prepare(bench: Bench) -> Pipeline:
    """Return a new pipeline whose clock starts with the first request for it."""
    bench.server.forget(latency_ms=_LATENCY_MS)
    return bench.server.ask("make", jobs=bench.few(_JOBS), last_end_seconds=max(0.5, _SECONDS * bench.scale))


def _checked(bench: Bench, pipeline: Pipeline, done: Run, ended: float) -> Values:
    """Return the figures of a run that ended after the last job."""
    counts = bench.server.counts()
    late = ended - bench.server.ask("pipeline", id=pipeline["id"])["last_end"]
    if late < 0:
        expect("seconds between the last end and that of the client", late, "more than 0")
    return {**figures(done), "late": late, "requests": sum(counts.values())}


def _options(pipeline: Pipeline) -> dict[str, t.Any]:
    return {
        "project": "group/app",
        "pipeline_id": pipeline["id"],
        "limit": 0,
        "fields": ["id", "name", "status"],
        "wait": True,
        "wait_interval": 1.0,
        "wait_timeout": 120.0,
        "api_concurrency": 16,
    }


def _info(bench: Bench) -> Values:
    pipeline = _prepare(bench)
    options = {"api_url": bench.server.http, "api_token": TOKEN, **_options(pipeline)}
    done = script("script_jobgate.py", "gitlab_job_info", options)
    expect("jobs, timed out", (done.reported["jobs"], done.reported["timed_out"]), (len(pipeline["jobs"]), False))
    return _checked(bench, pipeline, done, done.reported["ended"])


def _python_gitlab(function: str) -> t.Callable[[Bench], Values]:
    def work(bench: Bench) -> Values:
        pipeline = _prepare(bench)
        done = script("script_python_gitlab.py", bench.server.http, function, {"pipeline_id": pipeline["id"]})
        expect("jobs", done.reported["jobs"], len(pipeline["jobs"]))
        return _checked(bench, pipeline, done, done.reported["ended"])

    return work


def _playbook(task_of: t.Callable[[Bench, Pipeline], Task]) -> t.Callable[[Bench], Values]:
    def work(bench: Bench) -> Values:
        pipeline = _prepare(bench)
        done = play([{"name": "wait", **task_of(bench, pipeline)}], url=bench.server.http)
        return _checked(bench, pipeline, done, done.ended)

    return work


def _uri_task(bench: Bench, pipeline: Pipeline) -> Task:
    address = f"{bench.server.http}{API}/projects/{PROJECT}/jobs/{{{{ item }}}}"
    ended = "looked.json.status in ['success', 'failed', 'canceled', 'skipped']"
    repeated = {"register": "looked", "until": ended, "retries": 60, "delay": 1}
    return {**uri(address), "loop": pipeline["jobs"], **repeated}


def _info_task(_bench: Bench, pipeline: Pipeline) -> Task:
    return info(**_options(pipeline))


def _silent_info_task(bench: Bench, pipeline: Pipeline) -> Task:
    return {**_info_task(bench, pipeline), "vars": {"jobgate_progress": False}}


TABLES = (
    Table(
        "wait",
        "Waiting for 200 jobs that end over 10 s, 20 ms, 1 s between two looks; late is the time after the last end",
        (
            Case(_IN_TURN, _python_gitlab("wait_in_turn")),
            Case(_ALL, _python_gitlab("wait_for_all"), rounds=2),
            Case(_TASK, _info),
            Case(_URI, _playbook(_uri_task), rounds=2),
            Case(_PLAYBOOK, _playbook(_info_task)),
            Case(_SILENT, _playbook(_silent_info_task)),
        ),
        (
            Row("4a", "wait for 200 jobs, requests", _TASK, _IN_TURN, "requests", 0.10),
            Row("4b", "the same, told how late", _TASK, _IN_TURN, "late", 0.10),
            Row("4c", "the same, whole playbook, told how late", _PLAYBOOK, _URI, "late", 0.01),
            Row("4c", "the same, requests, without progress lines", _SILENT, _URI, "requests", 0.10),
            Row("4i", "the same, requests, with progress lines", _PLAYBOOK, _URI, "requests"),
            Row("4i", "requests", _TASK, _ALL, "requests"),
            Row("4i", "told how late", _TASK, _ALL, "late"),
        ),
    ),
)
