# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Running a release: what runs in parallel, in which order, and what is skipped when a gate does not open."""

from __future__ import annotations

import threading

import pytest
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.pace.clock import Clock, Deadline
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.pace.traffic import Traffic
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.actions.decisions import ActionRequest
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.outcome import Progress
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.pipelines.query import PipelineQuery
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.release.plan import Gate, ProjectPlan, make_plan
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.release.run import (
    FIRST_READS_SECONDS,
    GateResult,
    ReleaseRun,
    failure_text,
)
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.waiting.schedule import Pause, Scheduler

from ....harness import FakeClock, SharedClock

# Far longer than anything here takes; a test that waits this long has failed.
LONGEST_WAIT = 60


def plan(strategy="fail_fast", **projects):
    """Return a plan; each project has gates and the names of the projects that it needs."""
    return make_plan(
        [
            ProjectPlan(
                name,
                PipelineQuery(f"group/{name}", ref="main"),
                tuple(
                    Gate((gate.rstrip("?"),), "play", require="optional" if "?" in gate else "success")
                    for gate in gates
                ),
                tuple(needs),
            )
            for name, (gates, needs) in projects.items()
        ],
        strategy,
    )


class Script:
    """Runs gates as scripted: exceptions are raised, functions are called, and all other gates open."""

    def __init__(self, **steps):
        self.steps = steps
        self.started = []

    def __call__(self, project, gate, stop):
        yield Pause(0.0, Deadline.after(LONGEST_WAIT, Clock()))
        name = gate.title
        self.started.append(name)
        step = self.steps.get(name)
        if isinstance(step, str):
            return GateResult(gate, outcome="failed", reason=step)
        if isinstance(step, Exception):
            raise step
        reason = step(stop) if step else None
        if reason:
            return GateResult(gate, outcome="failed", reason=reason)
        return GateResult(gate, outcome="passed")


def run_of(plan, script):
    """Return a run with a few threads on the real clock, for which no test waits."""
    clock = Clock()
    return ReleaseRun(plan, script, Scheduler(clock, Traffic(clock), Progress(), max_at_once=4))


def outcomes(results):
    return {result.plan.name: [gate.outcome for gate in result.gates] for result in results}


def test_gates_run_in_order_and_projects_after_their_needs():
    script = Script()
    results = run_of(plan(b=(["b1", "b2"], ["a"]), a=(["a1", "a2"], [])), script).run()
    assert script.started == ["a1", "a2", "b1", "b2"]
    assert [(result.plan.name, result.outcome) for result in results] == [("b", "passed"), ("a", "passed")]
    assert failure_text(results) is None


def test_independent_projects_run_in_parallel():
    meeting = threading.Barrier(2)
    script = Script(
        a1=lambda stop: (meeting.wait(LONGEST_WAIT), None)[1], b1=lambda stop: (meeting.wait(LONGEST_WAIT), None)[1]
    )
    results = run_of(plan(a=(["a1"], []), b=(["b1"], [])), script).run()
    assert [result.outcome for result in results] == ["passed", "passed"]


def test_project_starts_as_soon_as_its_own_needs_have_passed():
    c_has_started = threading.Event()
    script = Script(slow=lambda stop: (c_has_started.wait(LONGEST_WAIT), None)[1], c1=lambda stop: c_has_started.set())
    results = run_of(plan(a=(["a1"], []), b=(["slow"], []), c=(["c1"], ["a"])), script).run()
    # b runs until c has begun, so c cannot have waited for b
    assert c_has_started.is_set()
    assert [result.outcome for result in results] == ["passed"] * 3


def test_fail_fast_starts_no_more_gates_but_finishes_active_ones():
    b_runs, a_failed = threading.Event(), threading.Event()

    def fail(stop):
        b_runs.wait(LONGEST_WAIT)
        return "no job 'x'"

    def run(stop):
        b_runs.set()
        for _poll in range(LONGEST_WAIT * 100):
            if stop():
                a_failed.set()
                return
            threading.Event().wait(0.01)

    script = Script(a1=fail, b1=run)
    release = run_of(plan(a=(["a1", "a2"], []), b=(["b1", "b2"], []), c=(["c1"], ["b"])), script)
    results = release.run()
    assert a_failed.is_set()
    assert sorted(script.started) == ["a1", "b1"]
    assert outcomes(results) == {
        "a": ["failed", "not reached"],
        "b": ["passed", "not reached"],
        "c": ["not reached"],
    }
    assert results[1].gates[1].reason.startswith("gate 'a1' of project 'a' failed")
    text = failure_text(results)
    assert text == "gate 'a1' of project 'a' did not open: no job 'x'. Not reached: 'b', 'c'"


def test_collect_continues_with_projects_that_do_not_need_the_failed_one():
    script = Script(a1="no job 'x'")
    results = run_of(
        plan("collect", a=(["a1", "a2"], []), b=(["b1", "b2"], []), c=(["c1"], ["a"]), d=(["d1"], ["b"])), script
    ).run()
    assert {result.plan.name: result.outcome for result in results} == {
        "a": "failed",
        "b": "passed",
        "c": "not reached",
        "d": "passed",
    }
    c = next(result for result in results if result.plan.name == "c")
    assert c.gates[0].reason == "it needs project 'a', which did not pass"


def test_project_does_not_start_if_its_need_fails_while_another_ends():
    a_runs, may_fail, has_failed = threading.Event(), threading.Event(), threading.Event()

    class FailsMeanwhile(list):
        """Gates of which the last one fails while the main thread iterates over them."""

        def __iter__(self):
            yield from tuple(super().__iter__())
            if threading.current_thread() is threading.main_thread() and a_runs.is_set() and not may_fail.is_set():
                may_fail.set()
                assert has_failed.wait(LONGEST_WAIT)

        def __setitem__(self, number, result):
            super().__setitem__(number, result)
            if result.outcome == "failed":
                has_failed.set()

    def fails(stop):
        a_runs.set()
        return "no" if may_fail.wait(LONGEST_WAIT) else None

    script = Script(a1=fails, b1=lambda stop: (a_runs.wait(LONGEST_WAIT), None)[1], d1=lambda stop: may_fail.set())
    run = run_of(plan("collect", a=(["a1"], []), b=(["b1"], []), c=(["c1"], ["a"]), d=(["d1"], ["b"])), script)
    run.results["a"].gates = FailsMeanwhile(run.results["a"].gates)
    assert [result.outcome for result in run.run()] == ["failed", "passed", "not reached", "passed"]
    assert "c1" not in script.started


def test_failed_optional_gate_does_not_stop_the_project():
    script = Script(a1="no job 'x'")
    results = run_of(plan(a=(["a1?", "a2"], [])), script).run()
    assert outcomes(results) == {"a": ["failed", "passed"]}
    assert (results[0].outcome, failure_text(results)) == ("passed", None)


def test_several_failures_are_named_together():
    script = Script(a1="one", b1="two")
    text = failure_text(run_of(plan("collect", a=(["a1"], []), b=(["b1"], []), c=(["c1"], [])), script).run())
    assert text == (
        "2 of 3 projects failed: gate 'a1' of project 'a' did not open: one; gate 'b1' of project 'b' did not open: two"
    )


def test_unexpected_exception_fails_only_its_gate():
    script = Script(a1=KeyError("oops"))
    results = run_of(plan("collect", a=(["a1"], []), b=(["b1"], [])), script).run()
    assert results[0].gates[0].reason == "unexpected KeyError, please report it: 'oops'"
    assert results[1].outcome == "passed"


def test_failure_wakes_waiting_gates():
    clock = FakeClock()

    def run_gate(project, gate, stop):
        if gate.title == "a1":
            yield Pause(5.0, Deadline.after(2000.0, clock))
            return GateResult(gate, outcome="failed", reason="no job 'x'")
        yield Pause(1000.0, Deadline.after(2000.0, clock))
        return GateResult(gate, reason=stop())

    scheduler = Scheduler(clock, Traffic(clock), Progress(), max_at_once=1)
    results = ReleaseRun(plan(a=(["a1"], []), b=(["b1"], [])), run_gate, scheduler).run()
    assert outcomes(results) == {"a": ["failed"], "b": ["not reached"]}
    assert clock.seconds < 10


# ----- before anything is done -----


def acting(name, needs=()):
    """Return a project with a gate that only waits and a gate that plays."""
    gates = (Gate((f"{name}-build",), "wait"), Gate((f"{name}-deploy",), "play", request=ActionRequest("play")))
    return ProjectPlan(name, PipelineQuery(f"group/{name}", ref="main"), gates, needs)


@pytest.mark.parametrize(("strategy", "seconds"), [("fail_fast", FIRST_READS_SECONDS), ("collect", 0.0)])
def test_unreadable_project_delays_the_others_only_briefly(strategy, seconds):
    clock = SharedClock()
    traffic = Traffic(clock)
    scheduler = Scheduler(clock, traffic, Progress(), max_at_once=4)
    clock.at_work = lambda: scheduler._at_work
    played = {}

    def run_gate(project, gate, stop):
        if gate.title == "stuck-build":
            with traffic.repeating:
                scheduler.clock.sleep(600.0)
        if gate.acts:
            played[project.plan.name] = clock.seconds
        yield Pause(1.0, Deadline.after(1000.0, clock))
        return GateResult(gate, outcome="passed")

    plan = make_plan([acting("stuck"), acting("first"), acting("second"), acting("third", ("first",))], strategy)
    ReleaseRun(plan, run_gate, scheduler).run()
    assert played["first"] == pytest.approx(max(1.0, seconds + 1.0), abs=1.1)
    assert played["second"] == pytest.approx(played["first"], abs=1.1)
    # the delay occurs only once
    assert played["third"] == pytest.approx(played["first"] + 2.0, abs=1.1)
    assert played["stuck"] == pytest.approx(601.0, abs=1.1)
