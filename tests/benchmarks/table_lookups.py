# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Lookups in templates: rows 7a to 7d."""

from __future__ import annotations

import statistics
import typing as t

from . import peers
from .measure import CaseError
from .plays import HEADERS, PROJECT, Task, info, named, play
from .server import Server
from .suite import Bench, Case, Row, Table, Values
from .world import API, ONE_JOB, VAULT_PATH

_CALLS, _TASKS, _TIMES = 100, 30, 3
_JOB = f"lookup('jobgate.gitlab.gitlab_job', {ONE_JOB}, project='group/app'"

_NOTHING = "number"
_URL = "(lookup('ansible.builtin.url', address, headers=headers, split_lines=false) | from_json).status"
_FRESH = f"{_JOB}, cache_seconds=0).status"
_SHARED = f"{_JOB}).status"
_VAULT_READ = f"lookup('community.hashi_vault.vault_read', '{VAULT_PATH}', url=vault, token='none').data.status"

_PEER, _OURS, _CACHED = "url lookup", "gitlab_job lookup, no cache", "gitlab_job lookup, default cache_seconds"
# A lookup of another collection whose library is also based on requests.
_PEER_ON_REQUESTS = "community.hashi_vault vault_read lookup"
_AFTER, _PEER_AFTER = f"{_OURS}, after a task of ours", f"{_PEER}, after a task of ours"

Trust = t.Callable[[Server], "dict[str, str]"]

# It loads what the lookup needs before Ansible forks the workers of later tasks.
_FIRST: Task = {"name": "first", **info(job_id=ONE_JOB)}


def _bundle(server: Server) -> dict[str, str]:
    return {"SSL_CERT_FILE": server.ca_file, "SSL_CERT_DIR": "/nonexistent"}


def _hashed(server: Server) -> dict[str, str]:
    if not server.ca_folder:
        raise CaseError("there is no program openssl, which makes the hashed folder")
    # the url lookup also reads OpenSSL's default file, unless SSL_CERT_FILE names a missing one
    openssl = {"SSL_CERT_FILE": "/nonexistent", "SSL_CERT_DIR": server.ca_folder}
    return {"REQUESTS_CA_BUNDLE": server.ca_folder, **openssl}


def _seconds(bench: Bench, tasks: list[Task], trust: Trust, **how: t.Any) -> float:
    variables = {
        "address": f"{bench.server.http}{API}/projects/{PROJECT}/jobs/{ONE_JOB}",
        "headers": HEADERS,
        "vault": bench.server.http,
    }
    environment = {**trust(bench.server), **how.pop("environment", {})}
    times = _TIMES if bench.scale == 1 else 1
    runs = [
        play(tasks, url=bench.server.http, environment=environment, variables=variables, **how)
        for _time in range(times)
    ]
    return statistics.median(run.wall for run in runs)


def _in_template(expression: str, trust: Trust) -> t.Callable[[Bench], Values]:
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


def _in_tasks(expression: str, *before: Task, **how: t.Any) -> t.Callable[[Bench], Values]:
    """Return a case with one call in each of many tasks.

    :param before: tasks that run first, also in the play without calls.
    :param how: options of the plays.
    """

    def work(bench: Bench) -> Values:
        count = bench.few(_TASKS)
        text = f"{{{{ {expression} }}}}"
        without = [*before, *named({"ansible.builtin.debug": {"msg": "success"}}, count)]
        tasks = [*before, *named({"ansible.builtin.debug": {"msg": text}}, count)]
        if bench.scale < 1:
            tasks.append(_is_status(f"{expression} == 'success'"))
        return _above(bench, tasks, without, _bundle, count, **how)

    return work


def _vault_in_tasks(bench: Bench) -> Values:
    peers.fetch()
    how = {"collections": [peers.COLLECTIONS], "environment": {"PYTHONPATH": str(peers.LIBRARIES)}}
    return _in_tasks(_VAULT_READ, **how)(bench)


def _is_status(condition: str) -> Task:
    return {"name": "check", "ansible.builtin.assert": {"that": condition}}


def _above(bench: Bench, tasks: list[Task], without: list[Task], trust: Trust, calls: int, **how: t.Any) -> Values:
    """Return the cost per call, compared with the same play without calls."""
    bench.server.forget()
    base = _seconds(bench, without, trust, **how)
    others = bench.server.counts().get("job", 0)
    whole = _seconds(bench, tasks, trust, **how)
    requests = bench.server.counts().get("job", 0) - 2 * others
    if requests <= 0:
        raise CaseError("the lookup has asked for nothing")
    return {"ms": 1000 * (whole - base) / calls, "wall": whole, "requests": requests}


def _templates(name: str, title: str, trust: Trust, rows: tuple[Row, ...]) -> Table:
    cases = ((_PEER, _URL), (_OURS, _FRESH), (_CACHED, _SHARED))
    return Table(name, title, tuple(Case(one, _in_template(expression, trust)) for one, expression in cases), rows)


def _rows(number: str, what: str, goal: float, cached_goal: float) -> tuple[Row, ...]:
    return (
        Row(number, f"{what}, no cache", _OURS, _PEER, "ms", goal),
        Row(number, f"{what}, default cache_seconds", _CACHED, _PEER, "ms", cached_goal),
    )


TABLES = (
    _templates(
        "lookup-bundle",
        "100 calls in one template, authorities in one file",
        _bundle,
        _rows("7a", "lookup, 100 calls in a template, CA file", 0.10, 0.05),
    ),
    _templates(
        "lookup-hashed",
        "100 calls in one template, authorities in a hashed folder",
        _hashed,
        _rows("7b", "lookup, 100 calls in a template, hashed CA folder", 0.8, 0.3),
    ),
    Table(
        "lookup-tasks",
        "One call in each of 30 tasks, above debug",
        (
            Case(_PEER, _in_tasks(_URL)),
            Case(_PEER_ON_REQUESTS, _vault_in_tasks),
            Case(_OURS, _in_tasks(_FRESH)),
            Case(_AFTER, _in_tasks(_FRESH, _FIRST)),
            Case(_PEER_AFTER, _in_tasks(_URL, _FIRST)),
        ),
        (
            Row("7c", "lookup in each of 30 tasks, above debug", _OURS, _PEER, "ms", 1.1),
            Row("7c", "the same", _OURS, _PEER_ON_REQUESTS, "ms", 0.8),
            Row("7d", "the same in a play with a task of ours before", _AFTER, _PEER, "ms", 0.20),
            Row("7i", "the same, both with a task of ours before", _AFTER, _PEER_AFTER, "ms"),
        ),
    ),
)
