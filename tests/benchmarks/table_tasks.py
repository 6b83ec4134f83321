# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The cost of the first task in a play and of each further one: rows 1a to 1e."""

from __future__ import annotations

import statistics
import typing as t

from . import peers
from .measure import CaseError
from .plays import HEADERS, PROJECT, Task, info, named, play, uri
from .proxy import Proxy
from .server import Server
from .suite import Bench, Case, Row, Table, Values
from .world import API, ONE_JOB

# Cheap tasks are repeated more often, because their cost must exceed the noise of start-up.
_CHEAP, _DEAR = 90, 30
_TIMES = 3

TaskOf = t.Callable[[Server], Task]


def _address(base: str) -> str:
    return f"{base}{API}/projects/{PROJECT}/jobs/{ONE_JOB}"


def _debug(_server: Server) -> Task:
    return {"ansible.builtin.debug": {"msg": "hello"}}


def _uri(server: Server) -> Task:
    return uri(_address(server.http))


def _uri_https(server: Server) -> Task:
    return uri(_address(server.https), ca_path=server.ca_file)


def _info(_server: Server) -> Task:
    return info(job_id=ONE_JOB)


def _info_ca_path(server: Server) -> Task:
    return info(job_id=ONE_JOB, api_url=server.https, ca_path=server.ca_file)


def _variable(server: Server) -> Task:
    options = {"api_url": server.http, "api_token": HEADERS["PRIVATE-TOKEN"], "project": "group/app"}
    return {
        "community.general.gitlab_project_variable": {**options, "vars": {"RELEASE": "1.2.0"}},
        "check_mode": True,
    }


def _tasks(task_of: TaskOf, count: int, **how: t.Any) -> t.Callable[[Bench], Values]:
    """Return a case that runs a task once, and then with this number of repetitions."""

    def run(bench: Bench) -> Values:
        task = task_of(bench.server)
        many = bench.few(count, least=1)
        return _costs(bench, named(task, many + 1), named(task, 1), many, **how)

    return run


def _loop(task_of: TaskOf, count: int) -> t.Callable[[Bench], Values]:
    """Return a case that runs one task with one item, and then with this number of further items."""

    def run(bench: Bench) -> Values:
        task = {"name": "loop", "loop_control": {"label": ""}, **task_of(bench.server)}
        many = bench.few(count, least=1)
        items = [{**task, "loop": list(range(number))} for number in (many + 1, 1)]
        return _costs(bench, items[:1], items[1:], many)

    return run


def _costs(bench: Bench, many: list[Task], one: list[Task], count: int, **how: t.Any) -> Values:
    """Return the cost of one more task, and of the first task compared with an empty play."""
    bench.server.forget()
    whole = play(many, url=bench.server.http, **how)
    times = _TIMES if bench.scale == 1 else 1
    first = [play(one, url=bench.server.http, **how) for _time in range(times)]
    # skip the empty play if times do not matter
    empty = [play([], url=bench.server.http, **how) for _time in range(times)] if bench.scale == 1 else first
    first_wall = statistics.median(run.wall for run in first)
    return {
        "ms": 1000 * (whole.wall - first_wall) / count,
        "cpu_ms": 1000 * (whole.cpu - statistics.median(run.cpu for run in first)) / count,
        "first_ms": 1000 * (first_wall - statistics.median(run.wall for run in empty)),
    }


def _community(bench: Bench) -> Values:
    peers.fetch()
    return _tasks(_variable, _DEAR, collections=[peers.COLLECTIONS])(bench)


def _https(bench: Bench) -> Values:
    """Return the figures with CA certificates set in the environment, so that they are read once for the whole run."""
    return _tasks(_info, _CHEAP, environment=_trust(bench))(bench)


def _proxied(bench: Bench) -> Values:
    """Return the same figures with every connection through a proxy."""
    with Proxy() as proxy:
        values = _tasks(_info, _CHEAP, environment={**_trust(bench), **proxy.environment()})(bench)
        if not proxy.tunnels:
            raise CaseError("no task went through the proxy")
        return values


def _trust(bench: Bench) -> dict[str, str]:
    return {"REQUESTS_CA_BUNDLE": bench.server.ca_file, "GITLAB_API_URL": bench.server.https}


_AS_MODULE = {"JOBGATE_IN_PROCESS": "false"}

TABLES = (
    Table(
        "tasks",
        "One more task of a play, one job read over http",
        (
            Case("debug", _tasks(_debug, _CHEAP)),
            Case("uri", _tasks(_uri, _DEAR)),
            Case("info", _tasks(_info, _CHEAP)),
            Case("info, as a module", _tasks(_info, _DEAR, environment=_AS_MODULE)),
            Case("community.general gitlab_project_variable", _community),
        ),
        (
            Row("1a", "one more task, http", "info", "uri", "ms", 0.08),
            Row("1a", "the same", "info", "debug", "ms", 1.4),
            Row("1d", "first task of a play", "info", "uri", "first_ms", 0.35),
            Row("1e", "module path", "info, as a module", "uri", "ms", 1.2),
            Row("1e", "the same", "info, as a module", "community.general gitlab_project_variable", "ms", 0.7),
            Row("1i", "one more task", "info", "community.general gitlab_project_variable", "ms"),
        ),
    ),
    Table(
        "tasks-https",
        "The same over https",
        (
            Case("uri", _tasks(_uri_https, _DEAR)),
            Case("info, REQUESTS_CA_BUNDLE", _https),
            Case("info, behind a proxy", _proxied),
            Case("info, ca_path", _tasks(_info_ca_path, _CHEAP)),
        ),
        (
            Row("1b", "one more task, https", "info, REQUESTS_CA_BUNDLE", "uri", "ms", 0.09),
            Row("1b", "the same, behind a proxy", "info, behind a proxy", "uri", "ms", 0.10),
            Row("1i", "behind a proxy, and without", "info, behind a proxy", "info, REQUESTS_CA_BUNDLE", "ms"),
            Row("1i", "one more task, https", "info, ca_path", "uri", "ms"),
        ),
    ),
    Table(
        "loop",
        "One more item of a loop",
        (Case("uri", _loop(_uri, _DEAR)), Case("info", _loop(_info, 5 * _CHEAP))),
        (Row("1c", "one more item of a loop", "info", "uri", "ms", 0.02),),
    ),
)
