# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lookups in templates: rows 7a to 7c."""

from __future__ import annotations

import statistics
import typing as t

from .measure import CaseError
from .plays import HEADERS, PROJECT, Task, named, play
from .server import Server
from .suite import Bench, Case, Row, Table, Values
from .world import API, ONE_JOB

_CALLS, _TASKS, _TIMES = 100, 30, 3
_JOB = f"lookup('jobgate.gitlab.gitlab_job', {ONE_JOB}, project='group/app'"

_NOTHING = "number"
_URL = "(lookup('ansible.builtin.url', address, headers=headers, split_lines=false) | from_json).status"
_FRESH = f"{_JOB}, cache_seconds=0).status"
_SHARED = f"{_JOB}).status"

_PEER, _OURS, _CACHED = "url lookup", "gitlab_job lookup, no cache", "gitlab_job lookup, default cache_seconds"


def _bundle(server: Server) -> dict[str, str]:
    return {"SSL_CERT_FILE": server.ca_file, "SSL_CERT_DIR": "/nonexistent"}


def _hashed(server: Server) -> dict[str, str]:
    if not server.ca_folder:
        raise CaseError("there is no program openssl, which makes the hashed folder")
    return {"SSL_CERT_FILE": "/nonexistent", "SSL_CERT_DIR": server.ca_folder}


def _seconds(bench: Bench, tasks: list[Task], trust: t.Callable[[Server], dict[str, str]]) -> float:
    variables = {"address": f"{bench.server.http}{API}/projects/{PROJECT}/jobs/{ONE_JOB}", "headers": HEADERS}
    url, environment = bench.server.http, trust(bench.server)
    times = _TIMES if bench.scale == 1 else 1
    runs = [play(tasks, url=url, environment=environment, variables=variables) for _time in range(times)]
    return statistics.median(run.wall for run in runs)


def _in_template(expression: str, trust: t.Callable[[Server], dict[str, str]]) -> t.Callable[[Bench], Values]:
    """Return a case with many calls in one template."""

    def work(bench: Bench) -> Values:
        calls = bench.few(_CALLS)

        def tasks(one: str) -> list[Task]:
            text = f"{{% for number in range({calls}) %}}{{{{ {one} }}}} {{% endfor %}}"
            is_checked = bench.scale < 1 and one != _NOTHING
            wanted = [_is_status("text | split | unique == ['success']")] if is_checked else []
            return [{"name": "fill in", "ansible.builtin.set_fact": {"text": text}}, *wanted]

        return _above(bench, tasks(expression), tasks(_NOTHING), trust, calls)

    return work


def _in_tasks(expression: str, trust: t.Callable[[Server], dict[str, str]]) -> t.Callable[[Bench], Values]:
    """Return a case with one call in each of many tasks."""

    def work(bench: Bench) -> Values:
        count = bench.few(_TASKS)

        def tasks(text: str) -> list[Task]:
            return named({"ansible.builtin.debug": {"msg": text}}, count)

        return _above(bench, tasks(f"{{{{ {expression} }}}}"), tasks("success"), trust, count)

    return work


def _is_status(condition: str) -> Task:
    return {"name": "check", "ansible.builtin.assert": {"that": condition}}


def _above(
    bench: Bench, tasks: list[Task], without: list[Task], trust: t.Callable[[Server], dict[str, str]], calls: int
) -> Values:
    """Return the cost of a call above the same without it."""
    bench.server.forget()
    whole = _seconds(bench, tasks, trust)
    requests = bench.server.counts().get("job", 0)
    if not requests:
        raise CaseError("the lookup has asked for nothing")
    base = _seconds(bench, without, trust)
    return {"ms": 1000 * (whole - base) / calls, "wall": whole, "requests": requests}


def _table(name: str, title: str, make: t.Any, trust: t.Any, rows: tuple[Row, ...]) -> Table:
    cases = ((_PEER, _URL), (_OURS, _FRESH), (_CACHED, _SHARED))
    return Table(name, title, tuple(Case(one, make(expression, trust)) for one, expression in cases), rows)


def _rows(number: str, what: str, goal: float) -> tuple[Row, ...]:
    return (
        Row(number, f"{what}, no cache", _OURS, _PEER, "ms", goal),
        Row(number, f"{what}, default cache_seconds", _CACHED, _PEER, "ms", goal),
    )


TABLES = (
    _table(
        "lookup-bundle",
        "100 calls in one template, authorities in one file",
        _in_template,
        _bundle,
        _rows("7a", "lookup, 100 calls in a template, CA file", 0.05),
    ),
    _table(
        "lookup-hashed",
        "100 calls in one template, authorities in a hashed folder",
        _in_template,
        _hashed,
        _rows("7b", "lookup, 100 calls in a template, hashed CA folder", 0.40),
    ),
    _table(
        "lookup-tasks",
        "One call in each of 30 tasks, above debug",
        _in_tasks,
        _bundle,
        _rows("7c", "lookup in each of 30 tasks, above debug", 0.30),
    ),
)
