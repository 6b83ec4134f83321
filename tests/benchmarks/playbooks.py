# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The clients that are playbooks: typical use of ansible.builtin.uri, and the collection's module.

Many runs share one ansible-playbook process. Each run has its own job, and its fault only affects that job.
"""

from __future__ import annotations

import pathlib
import tempfile
import typing as t

from tests.faults.case import PROJECT
from tests.integration.harness import TOKEN, play, world

from .cases import BEFORE, TIMEOUT_SECONDS, Case, Outcome, has_leaked

Task = dict[str, t.Any]
Tasks = t.Callable[[str, str, int], list[Task]]

_STATUS_CODE = {"play": 200, "retry": 201}
_REPEATED = {"retries": 5, "delay": 0}
_NOW = "now().timestamp()"


def uri_tasks(url: str, action: str, job_id: int) -> list[Task]:
    """Return the usual two tasks: read the job, then act if its status allows it."""
    address = f"{url}/api/v4/projects/{PROJECT.replace('/', '%2F')}/jobs/{job_id}"
    common = {"headers": {"PRIVATE-TOKEN": TOKEN}, "timeout": TIMEOUT_SECONDS}
    return [
        {
            "name": f"{job_id} read",
            "ansible.builtin.uri": {"url": address, "status_code": 200, **common},
            "register": "job",
            "until": "job is succeeded",
            **_REPEATED,
        },
        {
            "name": f"{job_id} act",
            "ansible.builtin.uri": {
                "url": f"{address}/{action}",
                "method": "POST",
                "status_code": _STATUS_CODE[action],
                **common,
            },
            "register": "acted",
            "until": "acted is succeeded",
            "when": f"job.json.status == '{BEFORE[action]}'",
            **_REPEATED,
        },
    ]


def jobgate_tasks(url: str, action: str, job_id: int) -> list[Task]:
    """Return the single task of the collection."""
    options = {"api_url": url, "api_token": TOKEN, "api_timeout": TIMEOUT_SECONDS}
    selection = {"project": PROJECT, "job_id": job_id, "action": action}
    return [{"name": f"{job_id} act", "jobgate.gitlab.gitlab_job_action": {**options, **selection}}]


def run_cases(simulator: t.Any, tasks: Tasks, cases: list[Case]) -> list[Outcome]:
    """Return the outcome of each run. All runs share one process."""
    numbered = {1000 + 10 * number: case for number, case in enumerate(cases)}
    _load(simulator, numbered)
    whole: list[Task] = []
    for job_id, case in numbered.items():
        whole += [
            _debug_task(f"{job_id} begins", _NOW),
            {
                "block": tasks(simulator.url, case.action, job_id),
                # A failure ends only this run.
                "rescue": [_debug_task(f"{job_id} failed", "ansible_failed_result.msg | default('no message')")],
            },
            _debug_task(f"{job_id} ends", _NOW),
        ]
    with tempfile.TemporaryDirectory() as folder:
        # The results of ansible.builtin.uri include its headers with the token, so secrets are not checked.
        done = play(whole, pathlib.Path(folder), secrets=(), environment={"ANSIBLE_PIPELINING": "1"})
    results = done.results
    if len([name for name in results if name.endswith(" ends")]) != len(cases):
        raise RuntimeError(f"the playbook has not run to its end: {done.output[-2000:]}")
    return [_outcome(simulator, results, job_id, case) for job_id, case in numbered.items()]


def _load(simulator: t.Any, numbered: dict[int, Case]) -> None:
    """Load a world with one pipeline per job, and all faults."""
    scenario = world()
    pipeline = scenario["pipelines"].pop()
    for job_id, case in numbered.items():
        scenario["pipelines"].append({**pipeline, "id": job_id, "jobs": [case.job(job_id)]})
    simulator.load(scenario, clock="real")
    for job_id, case in numbered.items():
        if case.preset:
            rule = case.rule()
            simulator.inject(**rule, path=f"/jobs/{job_id}" + (f"/{case.action}$" if rule["method"] == "POST" else "$"))


def _debug_task(name: str, expression: str) -> Task:
    return {"name": name, "ansible.builtin.debug": {"msg": f"{{{{ {expression} }}}}"}}


def _outcome(simulator: t.Any, results: dict[str, dict[str, t.Any]], job_id: int, case: Case) -> Outcome:
    failed = results.get(f"{job_id} failed")
    effects = [effect for effect in simulator.effects() if effect["pipeline_id"] == job_id]
    redirected = [row for row in simulator.second.requests() if f"/jobs/{job_id}" in row["path"]]
    seconds = float(results[f"{job_id} ends"]["msg"]) - float(results[f"{job_id} begins"]["msg"])
    failure = None if failed is None else str(failed["msg"])
    return Outcome(case, len(effects), failure, has_leaked(redirected), seconds)
