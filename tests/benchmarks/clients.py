# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The clients that run in this process: the collection's task, and python-gitlab as its manual recommends."""

from __future__ import annotations

import collections.abc as c
import random
import time
import typing as t
from unittest import mock

import gitlab
import gitlab.utils

from tests.faults.case import PROJECT
from tests.integration.harness import ACTION, TOKEN, SimulatedTime, run_task, world

from .cases import TIMEOUT_SECONDS, Case, Outcome, has_leaked

_JOB_ID = 1000

# The error that a client reported (None on success), and the total length of its pauses.
Reported = tuple[t.Optional[str], float]
Client = t.Callable[[t.Any, str], Reported]


def run_jobgate(simulator: t.Any, action: str) -> Reported:
    """Run the collection's task."""
    result = run_task(
        simulator, ACTION, project=PROJECT, job_id=_JOB_ID, action=action, api_timeout=float(TIMEOUT_SECONDS)
    )
    return result.failure, result.seconds


def run_python_gitlab(simulator: t.Any, action: str, **options: t.Any) -> Reported:
    """Read the job and call its method. Any exception is a failure."""
    clock = SimulatedTime(simulator)
    failure = None
    with mock.patch.object(gitlab.utils, "time", clock):
        try:
            with gitlab.Gitlab(simulator.url, private_token=TOKEN, timeout=TIMEOUT_SECONDS, **options) as client:
                job = client.projects.get(PROJECT, lazy=True).jobs.get(_JOB_ID)
                if action == "play":
                    job.play()
                else:
                    job.retry()
        except Exception as exc:  # any error that its user would see
            failure = f"{type(exc).__name__}: {exc}"
    return failure, clock.seconds


def run_python_gitlab_retrying(simulator: t.Any, action: str) -> Reported:
    """Let python-gitlab retry transient errors."""
    return run_python_gitlab(simulator, action, retry_transient_errors=True)


CLIENTS: dict[str, Client] = {
    "jobgate.gitlab": run_jobgate,
    "python-gitlab, `retry_transient_errors=True`": run_python_gitlab_retrying,
    "python-gitlab, default": run_python_gitlab,
}


def run_cases(simulator: t.Any, client: Client, cases: c.Iterable[Case]) -> list[Outcome]:
    """Return the outcome of each run. Each run gets a fresh world."""
    return [_run(simulator, client, case) for case in cases]


def _run(simulator: t.Any, client: Client, case: Case) -> Outcome:
    simulator.load(world(case.job(_JOB_ID)))
    if case.preset:
        simulator.inject(**case.rule())
    random.seed(f"{case}")  # the pauses are random
    started = time.monotonic()
    failure, paused = client(simulator, case.action)
    seconds = time.monotonic() - started + paused
    simulator.clear_faults()
    simulator.come_back()
    return Outcome(case, len(simulator.effects()), failure, has_leaked(simulator.second.requests()), seconds)
