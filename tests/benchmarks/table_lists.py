# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Listing the jobs of a project: rows 2a to 2e."""

from __future__ import annotations

import statistics
import typing as t

from .measure import TOKEN, Run, expect, run, script
from .plays import PROJECT, Task, info, play, uri
from .suite import Bench, Case, Row, Table, Values, figures
from .world import API

_FIELDS = ["id", "name", "status", "web_url"]
_CONCURRENCY = 16
_TIMES = 3

_WHOLE, _PROJECTED = "info", "info, 4 fields"
_KEYSET, _OFFSET, _CURL = "python-gitlab, keyset", "python-gitlab, offset", "curl, 16 at a time"


def _pages(bench: Bench) -> int:
    return -(-bench.server.jobs // 100)


def _counted(bench: Bench, done: Run) -> Values:
    """Return the figures of a run that read every page."""
    found = bench.server.counts().get("list project jobs", 0)
    if found < _pages(bench):
        expect("requests for pages", found, _pages(bench))
    return {**figures(done), "requests": found}


def _python_gitlab(function: str, latency_ms: int) -> t.Callable[[Bench], Values]:
    def work(bench: Bench) -> Values:
        bench.server.forget(latency_ms=latency_ms)
        done = script("script_python_gitlab.py", bench.server.http, function, {})
        expect("jobs", done.reported["jobs"], bench.server.jobs)
        return _counted(bench, done)

    return work


def _info(latency_ms: int, fields: t.Sequence[str] = ()) -> t.Callable[[Bench], Values]:
    def work(bench: Bench) -> Values:
        bench.server.forget(latency_ms=latency_ms)
        options = {
            "api_url": bench.server.http,
            "api_token": TOKEN,
            "project": "group/app",
            "limit": 0,
            "api_concurrency": _CONCURRENCY,
            "fields": list(fields),
        }
        done = script("script_jobgate.py", "gitlab_job_info", options)
        expect("jobs", done.reported["jobs"], bench.server.jobs)
        return _counted(bench, done)

    return work


def _curl(latency_ms: int) -> t.Callable[[Bench], Values]:
    def work(bench: Bench) -> Values:
        bench.server.forget(latency_ms=latency_ms)
        pages = f"[1-{_pages(bench)}]"
        address = f"{bench.server.http}{API}/projects/{PROJECT}/jobs?per_page=100&page={pages}"
        options = ["--parallel", "--parallel-max", str(_CONCURRENCY), "-H", f"PRIVATE-TOKEN: {TOKEN}"]
        return _counted(bench, run(["curl", "-sSf", *options, "-o", "/dev/null", address]))

    return work


def _listing(latency_ms: int, rows: tuple[Row, ...]) -> Table:
    return Table(
        f"list-{latency_ms}",
        f"Listing every job of a project, {latency_ms} ms",
        (
            Case(_KEYSET, _python_gitlab("list_keyset", latency_ms)),
            Case(_OFFSET, _python_gitlab("list_offset", latency_ms), rounds=2 if latency_ms == 100 else 1_000),
            Case(_CURL, _curl(latency_ms)),
            Case(_WHOLE, _info(latency_ms)),
            Case(_PROJECTED, _info(latency_ms, _FIELDS)),
        ),
        (
            *rows,
            Row("2i", f"{latency_ms} ms, wall", _PROJECTED, _KEYSET, "wall"),
            Row("2i", f"{latency_ms} ms, wall", _WHOLE, _OFFSET, "wall"),
            Row("2i", f"{latency_ms} ms, wall; curl knows the pages and reads nothing", _WHOLE, _CURL, "wall"),
        ),
    )


# ----- playbooks -----


def _playbook(task_of: t.Callable[[Bench], Task]) -> t.Callable[[Bench], Values]:
    def work(bench: Bench) -> Values:
        task = {"name": "list", "register": "listed", **task_of(bench)}
        bench.server.forget()
        done = play([task, *_check(bench, task)], url=bench.server.http)
        values = _counted(bench, done)
        if bench.scale < 1:
            return {**values, "net": done.wall}  # times do not matter here
        empty = statistics.median(play([], url=bench.server.http).wall for _time in range(_TIMES))
        return {**values, "net": done.wall - empty}

    return work


def _check(bench: Bench, task: Task) -> list[Task]:
    """Return a task that counts the jobs, unless times are measured."""
    if bench.scale == 1:
        return []
    found = "listed.results | map(attribute='json') | flatten" if "loop" in task else "listed.jobs"
    return [{"name": "count", "ansible.builtin.assert": {"that": f"({found}) | length == {bench.server.jobs}"}}]


def _uri_loop(bench: Bench) -> Task:
    address = f"{bench.server.http}{API}/projects/{PROJECT}/jobs?per_page=100&page={{{{ item }}}}"
    pages = list(range(1, _pages(bench) + 1))
    return {**uri(address, return_content=False), "loop": pages}


def _info_task(fields: t.Sequence[str]) -> t.Callable[[Bench], Task]:
    return lambda _bench: info(limit=0, api_concurrency=_CONCURRENCY, fields=list(fields))


TABLES = (
    _listing(
        0,
        (
            Row("2c", "list 10,000 jobs, 0 ms, wall", _WHOLE, _KEYSET, "wall", 0.75),
            Row("2c", "the same, CPU", _WHOLE, _KEYSET, "cpu", 0.75),
            Row("2d", "the same, peak memory with fields", _PROJECTED, _KEYSET, "peak_mib", 0.35),
        ),
    ),
    _listing(20, (Row("2b", "list 10,000 jobs, 20 ms, 16 in flight", _WHOLE, _KEYSET, "wall", 0.22),)),
    _listing(100, (Row("2a", "list 10,000 jobs, 100 ms, 16 in flight", _WHOLE, _KEYSET, "wall", 0.11),)),
    Table(
        "list-playbook",
        "10,000 jobs registered by a playbook, 0 ms, above an empty play",
        (
            Case("uri loop over the pages", _playbook(_uri_loop), rounds=2),
            Case("info task, 4 fields", _playbook(_info_task(_FIELDS))),
            Case("info task, all fields", _playbook(_info_task(())), rounds=3),
        ),
        (
            Row("2e", "10,000 jobs registered, fields", "info task, 4 fields", "uri loop over the pages", "net", 0.03),
            Row("2e", "the same, all fields", "info task, all fields", "uri loop over the pages", "net", 0.12),
        ),
    ),
)
