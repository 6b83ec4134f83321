# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which jobs a wait waits for, and what ends it: by module and role, with all effects counted."""

from __future__ import annotations

import typing as t

import pytest

from tests.contract.gate_support import (
    MANUAL,
    PIPELINE,
    WAIT_FOR_SUCCESS,
    Row,
    assert_refused,
    check_and_run_gate_twice,
    check_and_run_twice,
)
from tests.contract.test_release_gates import release
from tests.integration.harness import ACTION, INFO, effects, run_task, world

# ----- 8: optional manual jobs -----


def test_wait_for_a_pipeline_ignores_optional_manual_jobs(simulator: t.Any) -> None:
    jobs: tuple[Row, ...] = ({"name": "unit", "duration": 20}, {"name": "review", "when": "manual"})
    for wait_for in (["success"], ["finished"]):
        simulator.load(world(*jobs))
        result = run_task(simulator, INFO, **PIPELINE, wait=True, wait_for=wait_for, wait_timeout=600.0)
        assert (result.failure, result["timed_out"]) == (None, False)
        assert result["summary"] == {"success": 1, "manual": 1} and 20 <= result.seconds < 60
    # selected jobs and jobs that block the pipeline are waited for
    for blocking, selection in ((True, {}), (False, {"name": ["review"]}), (False, {"stage": ["test"]})):
        simulator.load(world(jobs[0], {**jobs[1], "allow_failure": not blocking}))
        result = run_task(simulator, INFO, **PIPELINE, **selection, wait=True, wait_timeout=60.0)
        assert result["timed_out"] and "review" in str(result.failure)


# ----- 9: one refusal during a wait -----


@pytest.mark.parametrize("fault", ["refused_401", "refused_403", "refused_404"])
def test_wait_survives_a_few_denied_reads(simulator: t.Any, fault: str) -> None:
    unit: Row = {"name": "unit", "duration": 30}
    for times in (1, 3):
        simulator.load(world(unit))
        simulator.inject(fault, path="/jobs", nth=list(range(2, 2 + times)), times=times)
        result = run_task(simulator, INFO, **PIPELINE, name=["unit"], wait=True, wait_for=["success"])
        assert result.failure is None and result["job"]["status"] == "success"
        simulator.load(world({"name": "deploy", **MANUAL, "duration": 30}))
        simulator.inject(fault, method="GET", path="/jobs", nth=list(range(2, 2 + times)), times=times)
        result = run_task(simulator, ACTION, **PIPELINE, name=["deploy"], action="play", wait=True)
        assert result.failure is None and result["status"] == "success"
        assert effects(simulator) == [("play", "deploy")]
        simulator.load(world(unit))
        simulator.inject(fault, path="/jobs", nth=list(range(4, 4 + times)), times=times)
        assert release(simulator, {"gates": [{"name": "unit", "action": "wait"}]}).failure is None


@pytest.mark.parametrize("fault", ["refused_401", "refused_403", "refused_404"])
def test_lasting_denial_ends_the_wait(simulator: t.Any, fault: str) -> None:
    simulator.load(world({"name": "unit", "duration": 3000}))
    simulator.inject(fault, path="/jobs", nth=list(range(2, 1000)), times=1000)
    result = run_task(simulator, INFO, **PIPELINE, name=["unit"], wait=True, wait_timeout=600.0)
    assert fault[-3:] in str(result.failure)
    assert 10 <= result.seconds < 30
    # at the beginning it is the user's mistake, and reported immediately
    simulator.load(world({"name": "unit", "duration": 3000}))
    simulator.inject(fault, path="/jobs", nth=1)
    assert run_task(simulator, INFO, **PIPELINE, name=["unit"], wait=True).seconds == 0


# ----- 10: wait_for without wait -----


@pytest.mark.parametrize("option", [{"wait_for": ["success"]}, {"pending_timeout": 5.0}, {"max_attempts": 2}])
def test_options_of_waiting_need_wait(simulator: t.Any, option: Row) -> None:
    simulator.load(world({"name": "unit", "status": "failed"}))
    words = f"{next(iter(option))} needs wait: true"
    if "max_attempts" not in option:
        assert_refused(simulator, check_and_run_twice(simulator, INFO, **PIPELINE, **option), words)
    results = check_and_run_twice(simulator, ACTION, **PIPELINE, name=["unit"], **option, action="retry")
    assert_refused(simulator, results, words)
    assert simulator.requests() == []


# ----- 14: allowed failures -----


def test_ignored_allowed_failure_counts_as_success(simulator: t.Any) -> None:
    failing: Row = {"name": "lint", "duration": 5, "outcome": "failed", "allow_failure": True}
    optional: Row = {"name": "review", "when": "manual", "duration": 5, "outcome": "failed"}
    for ignored in (True, False):
        simulator.load(world(failing))
        read = run_task(simulator, INFO, **PIPELINE, name=["lint"], **WAIT_FOR_SUCCESS, ignore_allowed_failures=ignored)
        assert (read.failure is None) is ignored
        simulator.load(world(optional))
        waiting: Row = {"wait": True, "wait_for": ["success"], "ignore_allowed_failures": ignored, "log_lines": 0}
        played = run_task(simulator, ACTION, **PIPELINE, name=["review"], action="play", **waiting)
        assert (played.failure is None) is ignored
        assert effects(simulator) == [("play", "review")]
        for action in ("wait", "verify"):
            gate = {"name": "review", "action": action, "ignore_allowed_failures": ignored}
            for result in check_and_run_gate_twice(simulator, gate):
                assert (result.failure is None) is ignored
        # a failure that the configuration does not allow always counts
        simulator.load(world({**failing, "allow_failure": False}))
        assert (
            run_task(simulator, INFO, **PIPELINE, **WAIT_FOR_SUCCESS, ignore_allowed_failures=True).failure is not None
        )


# ----- 15: jobs that GitLab retries by itself -----


def flaky(failures: int, **job: t.Any) -> Row:
    attempts = [{"outcome": "failed", "duration": 5}] * failures + [{"outcome": "success", "duration": 5}]
    return {"name": "flaky", "retry": 2, "attempts": attempts, **job}


@pytest.mark.parametrize(("failures", "passes"), [(1, True), (2, True), (3, False)])
def test_wait_follows_jobs_that_gitlab_retries(simulator: t.Any, failures: int, passes: bool) -> None:
    waiting: Row = {"wait": True, "wait_for": ["success"], "wait_timeout": 600.0}
    simulator.load(world(flaky(failures)))
    read = run_task(simulator, INFO, **PIPELINE, name=["flaky"], **waiting)
    assert (read.failure is None) is passes
    assert read["job"]["status"] == ("success" if passes else "failed")
    simulator.load(world(flaky(failures)))
    whole = run_task(simulator, INFO, **PIPELINE, **waiting)
    assert (whole.failure is None) is passes
    simulator.load(world(flaky(failures)))
    assert (release(simulator, {"gates": [{"name": "flaky", "action": "wait"}]}).failure is None) is passes
    assert effects(simulator) == []
    simulator.load(world(flaky(failures, **MANUAL)))
    played = run_task(simulator, ACTION, **PIPELINE, name=["flaky"], action="play", **waiting)
    assert (played.failure is None) is passes and played.changed
    assert effects(simulator) == [("play", "flaky")]
