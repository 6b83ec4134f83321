# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The release gate in this process, against the simulator: gates, order, check mode, and the files that it writes."""

from __future__ import annotations

import copy
import html.parser
import json
import pathlib
import typing as t

import pytest
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.pace import retry
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.outcome import Files
from ansible_collections.jobgate.gitlab.plugins.module_utils._tasks import gitlab_release_gate
from ansible_collections.jobgate.gitlab.plugins.module_utils._tasks.values import release_plan

from tests.integration.harness import Result, effects, run_task, world
from tests.unit.harness import Progress

TASK = gitlab_release_gate.TASK
Row = dict[str, t.Any]

MANUAL: Row = {"when": "manual", "allow_failure": False}


def with_defaults(given: t.Any, options: t.Mapping[str, t.Any]) -> t.Any:
    """Return a list of mappings as Ansible validates it, with all options."""
    filled = []
    for item in given:
        row = {name: copy.deepcopy(option.get("default")) for name, option in options.items()}
        unknown = set(item) - set(row)
        assert not unknown, unknown
        row.update(item)
        for name, option in options.items():
            if option["type"] == "list" and isinstance(row[name], str):
                row[name] = [row[name]]
        if "gates" in options:
            row["gates"] = with_defaults(row["gates"], release_plan.GATE_OPTIONS)
        filled.append(row)
    return filled


def release(simulator: t.Any, *projects: Row, **options: t.Any) -> Result:
    """Run the task with these projects, by default for the branch main of group/app, and return the result."""
    complete = [{"project": "group/app", "ref": "main", **project} for project in projects]
    given = with_defaults(complete, release_plan.PROJECT_OPTIONS)
    return run_task(simulator, TASK, projects=given, **options)


def gates_of(result: Result) -> dict[str, str]:
    return {gate["name"]: gate["outcome"] for gate in result["gates"]}


def two_projects(first: Row, second: Row) -> Row:
    """Return a world with one job in each of two projects."""
    scenario = world({"name": "deploy", **MANUAL, **first})
    scenario["projects"].append({"path": "group/other", "members": {"alice": "maintainer"}})
    scenario["pipelines"].append(
        {"id": 200, "project": "group/other", "ref": "main", "jobs": [{"name": "publish", **MANUAL, **second}]}
    )
    return scenario


OTHER = {"name": "other", "project": "group/other", "gates": [{"name": "publish", "action": "play"}]}
APP = {"name": "app", "gates": [{"name": "deploy", "action": "play"}]}


@pytest.mark.parametrize(
    ("pipeline_id", "words"),
    [
        (1, "1 is the number within the project (iid) of pipeline 100"),
        (4711, "Check pipeline_id, and that the pipeline"),
    ],
)
def test_missing_pipeline_id_is_explained(simulator: t.Any, pipeline_id: int, words: str) -> None:
    simulator.load(world({"name": "deploy", **MANUAL}))
    result = release(simulator, {**APP, "ref": None, "pipeline_id": pipeline_id})
    assert words in str(result.failure)


# ----- strategies and order -----


def test_fail_fast_ends_with_the_first_failure(simulator: t.Any) -> None:
    simulator.load(two_projects({"status": "skipped"}, {}))
    site = {**OTHER, "needs": ["app"]}
    result = release(simulator, APP, site)
    assert result.failure and result.failure.endswith("Not reached: 'other'")
    assert gates_of(result) == {"deploy": "refused", "publish": "not reached"}
    assert effects(simulator) == []


def test_fail_fast_does_not_play_later_jobs_after_a_failure(simulator: t.Any) -> None:
    scenario = two_projects({"status": "skipped"}, {"stage": "deploy"})
    scenario["pipelines"][1]["jobs"].insert(0, {"name": "test", "stage": "test", "duration": 500})
    scenario["pipelines"][1]["stages"] = ["test", "deploy"]
    simulator.load(scenario)
    result = release(simulator, OTHER, APP)
    assert gates_of(result) == {"publish": "not reached", "deploy": "refused"}
    assert effects(simulator) == []
    simulator.load(scenario)
    result = release(simulator, OTHER, APP, strategy="collect")
    assert gates_of(result) == {"publish": "played", "deploy": "refused"}
    assert effects(simulator) == [("play", "publish")]


def ended_builds(*statuses: str) -> tuple[Row, list[Row]]:
    """Return a world of projects whose builds have these statuses, each before a manual job, and their release."""
    names = [f"group/app-{number}" for number in range(len(statuses))]
    scenario = world({"name": "deploy", **MANUAL})
    scenario["projects"] += [{"path": name, "members": {"alice": "maintainer"}} for name in names]
    scenario["pipelines"] = [
        {
            "id": 300 + number,
            "project": name,
            "ref": "main",
            "jobs": [
                {"name": "build", "stage": "build", "status": status},
                {"name": "deploy", "stage": "deploy", **MANUAL, "duration": 5},
            ],
        }
        for number, (name, status) in enumerate(zip(names, statuses))
    ]
    gates = [{"name": "build", "action": "wait"}, {"name": "deploy", "action": "play"}]
    return scenario, [{"name": name, "project": name, "gates": gates} for name in names]


@pytest.mark.parametrize("concurrency", [1, 8])
@pytest.mark.parametrize("check_mode", [True, False])
@pytest.mark.parametrize("failed_index", [0, 2, 4])
def test_failed_job_stops_all_actions_of_the_release(
    simulator: t.Any, failed_index: int, check_mode: bool, concurrency: int
) -> None:
    statuses = ["success"] * 5
    statuses[failed_index] = "failed"
    scenario, projects = ended_builds(*statuses)
    simulator.load(scenario)
    # the poll that shows the failure is answered last
    simulator.inject("delay", path=f"app-{failed_index}/", nth=list(range(1, 9)))
    result = release(simulator, *projects, check_mode=check_mode, api_concurrency=concurrency)
    assert effects(simulator) == [] and not result.changed
    assert [gate["outcome"] for gate in result.values["gates"] if gate["name"] == "deploy"] == ["not reached"] * 5
    assert f"'group/app-{failed_index}'" in (result.failure or "")


@pytest.fixture(params=[retry.MAX_PAUSING, 0], ids=["repeated in place", "postponed"])
def retry_mode(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Repeat failed polls in place, or postpone them as in a release of many projects."""
    monkeypatch.setattr(retry, "MAX_PAUSING", request.param)


@pytest.mark.usefixtures("retry_mode")
def test_release_survives_a_server_restart(simulator: t.Any) -> None:
    simulator.load(two_projects({"duration": 60}, {"duration": 60}))
    # the server is away from the second poll of a job
    # until a task pauses, which ends the outage
    simulator.inject("refuse", path="/jobs", nth=3, seconds=3600)
    simulator.inject("reset_after", path="/play$", nth=1)
    result = release(simulator, APP, OTHER)
    assert result.failure is None
    assert sorted(effects(simulator)) == [("play", "deploy"), ("play", "publish")]
    assert gates_of(result) == {"deploy": "played", "publish": "played"}


@pytest.mark.usefixtures("retry_mode")
def test_check_mode_survives_errors_of_the_first_reads(simulator: t.Any) -> None:
    simulator.load(world({"name": "deploy", **MANUAL}))
    simulator.inject("error_500", path="/jobs$", nth=[1, 2])
    result = release(simulator, {"gates": [{"name": "deploy", "action": "play"}]}, check_mode=True)
    assert (result.failure, gates_of(result)) == (None, {"deploy": "would be played"})


@pytest.mark.usefixtures("retry_mode")
@pytest.mark.parametrize("fault", ["error_500", "html_502", "maintenance_503", "reset_before"])
def test_release_survives_a_long_restart_before_a_gate(simulator: t.Any, fault: str) -> None:
    simulator.load(world({"name": "test", **MANUAL, "duration": 900}, {"name": "deploy", **MANUAL, "duration": 5}))
    # the second gate lists the jobs again, because the first one changed something
    simulator.inject(fault, path="/jobs$", nth=list(range(2, 20)))
    gates = [{"name": "test", "action": "play", "require": "started"}, {"name": "deploy", "action": "play"}]
    result = release(simulator, {"gates": gates})
    assert (result.failure, effects(simulator)) == (None, [("play", "test"), ("play", "deploy")])
    assert gates_of(result) == {"test": "played", "deploy": "played"}


@pytest.mark.usefixtures("retry_mode")
@pytest.mark.parametrize("strategy", ["fail_fast", "collect"])
def test_unreachable_server_is_reported_at_the_timeout(simulator: t.Any, strategy: str) -> None:
    simulator.load(two_projects({"duration": 60}, {"duration": 60}))
    # after both projects have listed their jobs
    simulator.inject("error_500", path=r"/jobs(/\d+)?$", nth=list(range(3, 5000)))
    result = release(simulator, APP, OTHER, strategy=strategy, wait_timeout=300.0, api_concurrency=1)
    assert sorted(effects(simulator)) == [("play", "deploy"), ("play", "publish")]
    assert set(gates_of(result).values()) == {"timed out"}
    assert "timed out after 300 s (wait_timeout)" in (result.failure or "")
    assert result.seconds == pytest.approx(300.0, abs=2.0)


@pytest.mark.parametrize("action", ["wait", "play", "retry"])
def test_gate_times_out_on_an_unreachable_server(simulator: t.Any, action: str) -> None:
    simulator.load(world({"name": "test", **MANUAL, "duration": 900}, {"name": "deploy", **MANUAL, "duration": 5}))
    # the second gate lists the jobs again, because the first one changed something
    simulator.inject("error_500", path="/jobs$", nth=list(range(2, 5000)))
    first = {"name": "test", "action": "play", "require": "started"}
    gates = [first, {"name": "deploy", "action": action, "wait_timeout": 60.0}]
    result = release(simulator, {"gates": gates})
    assert gates_of(result) == {"test": "played", "deploy": "timed out"}
    assert "timed out after 60 s (wait_timeout): GitLab says " in str(result.failure)


BY_ID: Row = {"ref": None, "pipeline_id": 100}


@pytest.mark.parametrize(
    ("path", "first", "second", "gate"),
    [
        ("/pipelines/100$", {}, BY_ID, {"name": "test", "action": "wait"}),
        ("/pipelines/100$", {}, BY_ID, {"name": "test", "action": "play"}),
        ("/pipelines$", BY_ID, {}, {"action": "run"}),
    ],
)
def test_gate_times_out_if_its_pipeline_cannot_be_read(
    simulator: t.Any, path: str, first: Row, second: Row, gate: Row
) -> None:
    simulator.load(world({"name": "test", "status": "success"}))
    simulator.inject("error_500", path=path, nth=list(range(1, 5000)))
    before = {"name": "before", **first, "gates": [{"name": "test", "action": "wait"}]}
    after = {"name": "after", "needs": ["before"], **second, "gates": [{**gate, "wait_timeout": 60.0}]}
    result = release(simulator, before, after)
    assert [row["outcome"] for row in result["gates"]] == ["passed", "timed out"]
    assert "timed out after 60 s (wait_timeout): GitLab says " in str(result.failure)
    assert result.seconds == pytest.approx(60.0, abs=1.0)


def several_entries(count: int) -> tuple[Row, list[Row]]:
    """Return a pipeline with slow tests, each before a deployment, and one entry of a release for each test."""
    tests = [{"name": f"test-{number}", "stage": "test", "duration": 600 + number} for number in range(count)]
    deploys = [
        {"name": f"deploy-{number}", "stage": "deploy", "needs": [f"test-{number}"], **MANUAL, "duration": 5}
        for number in range(count)
    ]
    entries = [
        {
            "name": f"entry-{number}",
            "gates": [{"name": f"test-{number}", "action": "wait"}, {"name": f"deploy-{number}", "action": "play"}],
        }
        for number in range(count)
    ]
    return world(*tests, *deploys), entries


@pytest.mark.parametrize("concurrency", [1, 8])
def test_entries_for_one_pipeline_share_their_polls(simulator: t.Any, concurrency: int) -> None:
    costs = {}
    for count in (1, 10):
        scenario, entries = several_entries(count)
        simulator.load(scenario)
        result = release(simulator, *entries, api_concurrency=concurrency)
        assert result.failure is None
        assert sorted(effects(simulator)) == [("play", f"deploy-{number}") for number in range(count)]
        costs[count] = len(simulator.requests())
    # nine more entries start, play and follow their jobs; separate polls would take ten times as many requests
    assert costs[10] <= 3 * costs[1]


# ----- gates that select nothing -----

GOAL: Row = {"name": "deploy", "action": "play"}
TESTED = ({"name": "test", "stage": "test"}, {"name": "deploy", "stage": "deploy", **MANUAL})


@pytest.mark.parametrize("check_mode", [True, False])
@pytest.mark.parametrize("action", ["wait", "verify", "play", "retry"])
@pytest.mark.parametrize(
    ("chosen", "words"),
    [
        ({"stage": "tests"}, "has stage 'tests': did you mean 'test'?"),
        ({"name": "deploy", "stage": "dpeloy"}, "has stage 'dpeloy': did you mean 'deploy'?"),
        ({"name": "deploy", "stage": "test"}, "has stage 'deploy', not stage 'test'"),
        ({"name": "unit:*"}, "no job 'unit:*'"),
    ],
)
def test_gate_that_matches_nothing_fails_before_any_action(
    simulator: t.Any, chosen: Row, words: str, action: str, check_mode: bool
) -> None:
    simulator.load(world(*TESTED, stages=["test", "deploy"]))
    result = release(simulator, {"gates": [{**chosen, "action": action}, GOAL]}, check_mode=check_mode)
    assert [gate["outcome"] for gate in result["gates"]] == ["failed", "not reached"]
    assert words in str(result.failure)
    assert (result["outcome"], result.changed, effects(simulator)) == ("failed", False, [])


@pytest.mark.parametrize("chosen", [{"name": []}, {"stage": []}, {"name": [], "stage": "test"}])
def test_empty_list_is_refused_before_any_request(simulator: t.Any, chosen: Row) -> None:
    simulator.load(world(*TESTED, stages=["test", "deploy"]))
    result = release(simulator, {"name": "app", "gates": [{**chosen, "action": "wait"}, GOAL]})
    option = next(name for name, value in chosen.items() if value == [])
    assert str(result.failure).startswith(f"gate 1 of project 'app': {option} is an empty list, which selects no jobs")
    assert simulator.requests() == []


@pytest.mark.parametrize("action", ["wait", "play", "retry"])
def test_gate_times_out_if_its_job_is_never_created(simulator: t.Any, action: str) -> None:
    trigger = {"pipeline": {"ref": "main", "jobs": [{"name": "apply"}]}}
    simulator.load(world({"name": "deploy", **MANUAL}, {"name": "infra", **MANUAL, "trigger": trigger}))
    gate = {"name": "infra/apply", "action": action, "wait_timeout": 30.0}
    result = release(simulator, {"gates": [gate, GOAL]})
    assert [gate["outcome"] for gate in result["gates"]] == ["timed out", "not reached"]
    assert "timed out after 30 s (wait_timeout): no job 'infra/apply'" in str(result.failure)
    assert (result.seconds, effects(simulator)) == (30, [])


@pytest.mark.parametrize("action", ["wait", "play", "retry"])
@pytest.mark.parametrize("errors", [None, "jobs config should contain at least one visible job"])
def test_gate_stays_closed_for_a_pipeline_without_jobs(simulator: t.Any, action: str, errors: str | None) -> None:
    fields = {"yaml_errors": errors, "status": "failed"} if errors else {}
    simulator.load(world(**fields))
    result = release(simulator, {"gates": [{"stage": "test", "action": action, "wait_timeout": 30.0}]})
    assert [gate["outcome"] for gate in result["gates"]] == ["failed" if errors else "timed out"]
    assert (errors or "has no jobs") in str(result.failure)


# ----- gates -----


def test_retry_gate_waits_for_the_end_and_applies_retry_on(simulator: t.Any) -> None:
    flaky = {
        "duration": 5,
        "attempts": [{"outcome": "failed", "failure_reason": "api_failure"}, {"outcome": "success"}],
    }
    simulator.load(world({"name": "test", **flaky}))
    gate = {"name": "test", "action": "retry", "retry_on": ["api_failure"]}
    result = release(simulator, {"gates": [gate]})
    assert (result.failure, gates_of(result)) == (None, {"test": "retried"})
    simulator.load(world({"name": "test", **flaky}))
    result = release(simulator, {"gates": [{**gate, "retry_on": ["runner_system_failure"]}]})
    assert gates_of(result) == {"test": "refused"} and "retry_on allows only" in str(result.failure)
    assert effects(simulator) == []


@pytest.mark.parametrize(
    ("status", "require", "action", "outcome"),
    [
        ("failed", "success", "verify", "failed"),
        ("failed", "finished", "verify", "passed"),
        ("failed", "optional", "verify", "failed"),
        ("manual", "playable", "verify", "passed"),
        ("manual", "started", "verify", "failed"),
        ("running", "started", "verify", "passed"),
        ("manual", "playable", "wait", "passed"),
        ("failed", "finished", "wait", "passed"),
        ("failed", "success", "wait", "failed"),
        ("canceled", "started", "wait", "failed"),
        ("failed", "optional", "wait", "failed"),
        ("failed", "finished", "retry", "retried"),
    ],
)
def test_require_decides_the_outcome(simulator: t.Any, status: str, require: str, action: str, outcome: str) -> None:
    simulator.load(world({"name": "job", "when": "manual", "status": status, "duration": 500, "outcome": "failed"}))
    result = release(simulator, {"gates": [{"name": "job", "action": action, "require": require}]})
    assert gates_of(result) == {"job": outcome}
    assert (result.failure is None) == (outcome != "failed" or require == "optional")
    is_left = outcome == "failed" and require == "optional"
    assert result["summary"][0].startswith(f"group/app: {action} job: {outcome}{', optional' * is_left}")


@pytest.mark.parametrize("require", ["finished", "started"])
@pytest.mark.parametrize("duration", [0, 1, 500])
def test_played_and_failed_job_satisfies_require_in_later_runs(simulator: t.Any, require: str, duration: int) -> None:
    simulator.load(world({"name": "job", **MANUAL, "duration": duration, "outcome": "failed"}))
    gates = {"gates": [{"name": "job", "action": "play", "require": require}]}
    results = [release(simulator, gates, check_mode=check_mode) for check_mode in (True, False, True, False)]
    simulator.advance(600)
    results += [release(simulator, gates, check_mode=check_mode) for check_mode in (True, False)]
    assert [gates_of(result)["job"] for result in results] == ["would be played", "played", *["already done"] * 4]
    assert [result.failure for result in results] == [None] * 6
    assert results[-1]["gates"][0]["reason"] == "job 'job' (id 1000) is failed (script_failure)"
    assert effects(simulator) == [("play", "job")]


def test_ignored_failure_of_a_played_job_is_already_done_in_later_runs(simulator: t.Any) -> None:
    simulator.load(world({"name": "job", "when": "manual", "duration": 1, "outcome": "failed"}))
    gates = {"gates": [{"name": "job", "action": "play", "ignore_allowed_failures": True}]}
    results = [release(simulator, gates, check_mode=check_mode) for check_mode in (True, False, True, False)]
    assert [gates_of(result)["job"] for result in results] == ["would be played", "played", *["already done"] * 2]
    assert [result.failure for result in results] == [None] * 4


def test_check_mode_predicts_a_wait_before_verifying_an_active_job(simulator: t.Any) -> None:
    simulator.load(world({"name": "job", "duration": 30}))
    gates = {"gates": [{"name": "job", "action": "play"}, {"name": "job", "action": "verify"}]}
    results = [release(simulator, gates, check_mode=check_mode) for check_mode in (True, False, True)]
    outcomes = [[gate["outcome"] for gate in result["gates"]] for result in results]
    assert outcomes == [["would be waited for", "would be verified"], *[["already done", "passed"]] * 2]
    assert [(result.failure, result.changed) for result in results] == [(None, False)] * 3


@pytest.mark.parametrize("require", ["finished", "started"])
def test_refused_replay_does_not_satisfy_require(simulator: t.Any, require: str) -> None:
    simulator.load(world({"name": "job", **MANUAL, "duration": 1, "outcome": "failed"}))
    gate = {"name": "job", "action": "play", "require": require, "replay": "failed"}
    assert gates_of(release(simulator, {"gates": [gate]})) == {"job": "played"}
    simulator.inject(method="POST", status=403, body={"message": "403 Forbidden"})
    result = release(simulator, {"gates": [gate]})
    assert gates_of(result) == {"job": "refused"} and "403 Forbidden" in str(result.failure)


@pytest.mark.parametrize("require", ["finished", "started"])
@pytest.mark.parametrize("status", ["canceled", "skipped"])
def test_play_gate_stays_closed_for_jobs_that_never_ran(simulator: t.Any, require: str, status: str) -> None:
    simulator.load(world({"name": "job", **MANUAL, **({"status": status} if status == "skipped" else {})}))
    if status == "canceled":
        simulator.act_as_somebody_else("cancel", "job")
    assert simulator.job("job")["status"] == status
    result = release(simulator, {"gates": [{"name": "job", "action": "play", "require": require}]})
    assert (gates_of(result), result.changed) == ({"job": "refused"}, False)


@pytest.mark.parametrize(("action", "status"), [("play", "manual"), ("retry", "failed")])
def test_job_canceled_by_on_timeout_counts_as_timed_out(simulator: t.Any, action: str, status: str) -> None:
    scenario = world({"name": "job", **MANUAL, "duration": 500, "status": status})
    simulator.load({**scenario, "runners": [{"graceful_cancel": False}]})
    gate = {"name": "job", "action": action, "require": "finished", "wait_timeout": 20.0, "on_timeout": "cancel"}
    result = release(simulator, {"gates": [gate]})
    assert gates_of(result) == {"job": "timed out"} and " was canceled" in str(result.failure)


@pytest.mark.parametrize("on_timeout", [None, "fail", "cancel"])
@pytest.mark.parametrize("multiple", [None, "all"])
def test_retry_gate_cancels_unfinished_jobs_on_timeout(
    simulator: t.Any, on_timeout: str | None, multiple: str | None
) -> None:
    jobs = [{"name": f"job-{number}", "status": "running", "duration": 500} for number in range(3)]
    gate = {"name": "job-*", "action": "retry", "wait_timeout": 20.0, "on_timeout": on_timeout, "multiple": multiple}
    simulator.load({**world(*jobs, {"name": "job-3", "status": "success"}), "runners": [{"graceful_cancel": False}]})
    result = release(simulator, {"gates": [gate]})
    is_canceled = on_timeout == "cancel"
    assert gates_of(result) == {"job-*": "timed out"} and result.changed == is_canceled
    assert sorted(effects(simulator)) == [("cancel", f"job-{number}") for number in range(3)] * is_canceled
    text = str(result.failure)
    assert text.count("was canceled") == 3 * is_canceled and "job 'job-2' (id 1002) is still running" in text
    ended = "canceled" if is_canceled else "running"
    assert {job["status"] for job in result["gates"][0]["jobs"]} == {ended, "success"}


def test_gate_times_out_although_the_cancel_is_refused(simulator: t.Any) -> None:
    simulator.load(world({"name": "job", "status": "running", "duration": 500}))
    simulator.inject(method="POST", status=403, body={"message": "403 Forbidden"})
    gate = {"name": "job", "action": "retry", "wait_timeout": 20.0, "on_timeout": "cancel"}
    result = release(simulator, {"gates": [gate]})
    assert (gates_of(result), result.changed) == ({"job": "timed out"}, False)
    assert "is still running; job 'job' (id 1000) cannot be canceled: GitLab says " in str(result.failure)


@pytest.mark.parametrize("log_lines", [0, 1, 20])
def test_gate_returns_the_log_tail_of_a_failed_job(simulator: t.Any, log_lines: int) -> None:
    log = "unpacking\nno space left\n"
    jobs = ({"name": "deploy", **MANUAL, "outcome": "failed", "log": log}, {"name": "ok", "status": "success"})
    gates = [{"name": "ok", "action": "verify"}, {"name": "deploy", "action": "play"}]
    simulator.load(world(*jobs))
    checked = release(simulator, {"gates": gates}, log_lines=log_lines, check_mode=True)
    assert ([gate["log_tail"] for gate in checked["gates"]], effects(simulator)) == ([[], []], [])
    for _run in range(2):
        result = release(simulator, {"gates": gates}, log_lines=log_lines)
        tails = [gate["log_tail"] for gate in result["gates"]]
        assert tails[0] == [] and effects(simulator) == [("play", "deploy")]
        if result.changed:
            assert tails[1] == ["unpacking", "no space left"][-log_lines:] * bool(log_lines)


def test_timed_out_gate_explains_what_its_jobs_wait_for(simulator: t.Any) -> None:
    scenario = world({"name": "approve", **MANUAL}, {"name": "deploy", "stage": "deploy"}, stages=["test", "deploy"])
    simulator.load(scenario)
    gates = [{"name": "deploy", "action": "wait", "wait_timeout": 60.0}]
    text = str(release(simulator, {"gates": gates}).failure)
    assert (
        "timed out after 60 s (wait_timeout): job 'deploy' (id 1001) is still created" in text
        and "waits for manual jobs to be played: 'approve'" in text
    )
    # no matter how many jobs are late, the cause is searched for and reported once
    late = [{"name": f"late-{number}", "stage": "deploy"} for number in range(30)]
    simulator.load(world({"name": "approve", **MANUAL}, *late, stages=["test", "deploy"]))
    gates = [{"stage": "deploy", "action": "wait", "wait_timeout": 60.0}]
    text = str(release(simulator, {"gates": gates}).failure)
    assert (text.count("is still created"), text.count("waits for manual jobs")) == (12, 1)
    assert "; and 18 more, 30 in all; " in text
    gates = [{"name": "approve", "action": "wait", "wait_timeout": 60.0}]
    text = str(release(simulator, {"gates": gates}).failure)
    assert "is still manual; manual jobs must be played, for example by a gate with action play" in text


def test_gate_waits_for_a_missing_pipeline_and_finds_it_once(simulator: t.Any) -> None:
    simulator.load(world({"name": "deploy", **MANUAL}))
    gates = [{"name": "deploy", "action": "play", "wait_timeout": 30.0}]
    text = str(release(simulator, {"ref": "v2", "gates": gates}).failure)
    assert "there is no pipeline of ref v2" in text
    verify = [{"name": "deploy", "action": "verify"}]
    result = release(simulator, {"ref": "v2", "gates": verify})
    assert result.seconds == 0 and "there is no pipeline of ref v2" in str(result.failure)
    result = release(simulator, {"gates": gates + verify})
    assert result.failure is None
    lookups = [request for request in simulator.requests() if "ref=main" in request["query"]]
    # the pipeline, and a check for a tag of the same name
    assert ["scope=tags" in request["query"] for request in lookups] == [False, True]


def test_check_mode_predicts_without_waiting(simulator: t.Any) -> None:
    simulator.load(
        world(
            {"name": "test", "stage": "test", "duration": 50},
            {"name": "deploy", "stage": "deploy", **MANUAL},
            {"name": "check", "stage": "check"},
            stages=["test", "deploy", "check"],
        )
    )
    gates = [
        {"name": "test", "action": "wait"},
        {"name": "deploy", "action": "play"},
        {"name": "check", "action": "retry"},
        {"name": "check", "action": "verify"},
    ]
    result = release(simulator, {"gates": gates}, check_mode=True)
    assert [gate["outcome"] for gate in result["gates"]] == [
        "would be waited for",
        "would be played",
        "would be waited for",
        "would be verified",
    ]
    assert (result["outcome"], result.changed, result.failure, result.seconds) == ("would pass", True, None, 0)
    result = release(simulator, {"gates": [{"name": "chekc", "action": "wait"}]}, check_mode=True)
    assert "did you mean 'check'?" in str(result.failure)


def test_check_mode_expects_a_retry_to_revive_skipped_jobs(simulator: t.Any) -> None:
    simulator.load(
        world(
            {"name": "test", "status": "failed"},
            {"name": "deploy", "stage": "deploy", **MANUAL, "status": "skipped"},
            {"name": "check", "stage": "check", "status": "skipped"},
        )
    )
    rest = [{"name": "deploy", "action": "play"}, {"name": "check", "action": "wait"}]
    result = release(simulator, {"gates": [{"name": "test", "action": "retry"}, *rest]}, check_mode=True)
    assert gates_of(result) == {
        "test": "would be retried",
        "deploy": "would be played",
        "check": "would be waited for",
    }
    for gate in rest:
        assert release(simulator, {"gates": [gate]}, check_mode=True).failure
    misspelt = {"gates": [{"name": "test", "action": "retry"}, {"name": "deplyo", "action": "play"}]}
    assert "did you mean 'deploy'?" in str(release(simulator, misspelt, check_mode=True).failure)


@pytest.mark.parametrize("first", [{"action": "retry"}, {"action": "play", "replay": "failed"}], ids=str)
@pytest.mark.parametrize("status", ["failed", "canceled"])
def test_check_mode_expects_success_of_a_job_that_an_earlier_gate_reruns(
    simulator: t.Any, first: Row, status: str
) -> None:
    simulator.load(world({"name": "deploy", **MANUAL, "status": status}, {"name": "lint", "status": "failed"}))
    gates = [{"name": "deploy", **gate} for gate in (first, {"action": "wait"}, {"action": "play"})]
    results = [release(simulator, {"gates": gates}, check_mode=check_mode) for check_mode in (True, False)]
    assert [(result.changed, result.failure) for result in results] == [(True, None)] * 2
    assert [gate["outcome"] for gate in results[0]["gates"]][1:] == ["would be waited for", "would be played"]
    # a job that no gate runs again still fails
    simulator.load(world({"name": "deploy", **MANUAL, "status": status}, {"name": "lint", "status": "failed"}))
    gates = [{"name": "deploy", **first}, {"name": "lint", "action": "wait"}]
    assert "'lint'" in str(release(simulator, {"gates": gates}, check_mode=True).failure)


@pytest.mark.parametrize("other", [[], [{"name": "job-2", "status": "running", "duration": 30}]])
@pytest.mark.parametrize("status", ["failed", "canceled", "canceling"])
def test_check_mode_predicts_the_retry_of_unsuccessful_jobs(simulator: t.Any, status: str, other: list[Row]) -> None:
    simulator.load(world({"name": "job-1", "status": status, "duration": 5}, *other))
    gates = {"gates": [{"name": "job-*", "action": "retry", "multiple": "all"}]}
    results = [release(simulator, gates, check_mode=check_mode) for check_mode in (True, False)]
    assert [gates_of(result) for result in results] == [{"job-*": "would be retried"}, {"job-*": "retried"}]
    assert [(result.changed, result.failure) for result in results] == [(True, None)] * 2


def test_check_mode_expects_a_pipeline_that_needed_gates_may_start(simulator: t.Any) -> None:
    simulator.load(two_projects({}, {}))
    result = release(simulator, APP, {**OTHER, "ref": "v2", "needs": ["app"]}, check_mode=True)
    assert (gates_of(result), result.changed) == ({"deploy": "would be played", "publish": "would be played"}, True)


@pytest.mark.parametrize("strategy", [None, "depend"])
def test_trigger_job_can_be_played_and_verified(simulator: t.Any, strategy: str | None) -> None:
    pipeline = {"ref": "main", "jobs": [{"name": "apply", "duration": 20}]}
    trigger = {"pipeline": pipeline, **({"strategy": strategy} if strategy else {})}
    simulator.load(world({"name": "infra", **MANUAL, "trigger": trigger}))
    gates = [{"name": "infra", "action": "play"}, {"name": "infra", "action": "verify"}]
    result = release(simulator, {"gates": gates})
    assert result.failure is None
    assert [gate["outcome"] for gate in result["gates"]] == ["played", "passed"]


def test_gate_options_apply_to_its_job(simulator: t.Any) -> None:
    simulator.load(world({"name": "deploy", **MANUAL, "duration": 900}))
    gate = {"name": "deploy", "action": "play", "wait_timeout": 60.0, "on_timeout": "cancel"}
    result = release(simulator, {"gates": [gate]})
    assert effects(simulator) == [("play", "deploy"), ("cancel", "deploy")]
    assert " was canceled" in str(result.failure)
    simulator.load(world({"name": "deploy", **MANUAL, "queue": None, "tags": ["gpu"]}))
    gate = {"name": "deploy", "action": "play", "pending_timeout": 30.0}
    assert "runner with the tag gpu" in str(release(simulator, {"gates": [gate]}).failure)


def test_pipeline_is_reported_in_its_last_known_state(simulator: t.Any) -> None:
    simulator.load(world({"name": "deploy", **MANUAL, "outcome": "failed"}))
    result = release(simulator, APP)
    assert f". Pipeline 100, source push, ref main, status failed ({simulator.url}/group/app/-/pipelines/100)" in str(
        result.failure
    )
    assert result["gates"][0]["pipeline"]["status"] == "failed"


def test_gate_options_decide_whether_a_failure_is_accepted(simulator: t.Any) -> None:
    failing = {"name": "lint", "when": "manual", "allow_failure": True, "duration": 5, "outcome": "failed"}
    for options, opens in (({}, False), ({"require": "finished"}, True), ({"ignore_allowed_failures": True}, True)):
        simulator.load(world(failing))
        result = release(simulator, {"gates": [{"name": "lint", "action": "play", **options}]})
        assert (result.failure is None, result.changed) == (opens, True)
    verify = {"name": "lint", "action": "verify", "ignore_allowed_failures": True}
    assert release(simulator, {"gates": [verify]}).failure is None


@pytest.mark.parametrize("action", ["wait", "verify", "play", "retry"])
@pytest.mark.parametrize("ignores", [True, False])
def test_failure_of_an_optional_job_passes_only_if_ignored(simulator: t.Any, action: str, ignores: bool) -> None:
    failed = {"name": "lint", "when": "manual", "allow_failure": True, "duration": 5, "outcome": "failed"}
    simulator.load(world({**failed, **({} if action == "play" else {"status": "failed"})}))
    gate = {"name": "lint", "action": action, "ignore_allowed_failures": ignores}
    result = release(simulator, {"gates": [gate]})
    assert (result.failure is None) == ignores
    opened = {"wait": "passed", "verify": "passed", "play": "played", "retry": "retried"}
    assert gates_of(result) == {"lint": opened[action] if ignores else "failed"}


@pytest.mark.parametrize("action", ["wait", "verify"])
@pytest.mark.parametrize("status", ["canceled", "skipped"])
def test_optional_job_that_did_not_run_is_not_an_ignored_failure(simulator: t.Any, action: str, status: str) -> None:
    simulator.load(world({"name": "lint", "when": "manual", "allow_failure": True, "status": status}))
    gate = {"name": "lint", "action": action, "ignore_allowed_failures": True}
    for check_mode in (True, False):
        result = release(simulator, {"gates": [gate]}, check_mode=check_mode)
        assert gates_of(result) == {"lint": "failed"}
        assert status in result["gates"][0]["reason"]


def test_canceled_optional_job_is_not_an_ignored_failure(simulator: t.Any) -> None:
    class Canceling(Progress):
        def show(self, line: str, *, status: str = "") -> None:
            if status == "running":
                simulator.act_as_somebody_else("cancel", "lint")

    simulator.load(world({"name": "lint", "when": "manual", "allow_failure": True, "duration": 60}))
    gate = {"name": "lint", "action": "play", "ignore_allowed_failures": True}
    result = release(simulator, {"gates": [gate]}, progress=Canceling(is_shown=True))
    assert gates_of(result) == {"lint": "failed"}
    assert "ended as canceled and can no longer become success" in str(result.failure)


@pytest.mark.parametrize("chosen", [{"name": "*"}, {"stage": "deploy"}])
@pytest.mark.parametrize("action", ["wait", "verify", "retry"])
def test_gate_includes_failed_trigger_jobs(simulator: t.Any, chosen: Row, action: str) -> None:
    child = {"ref": "main", "jobs": [{"name": "apply", "duration": 5, "outcome": "failed"}]}
    trigger = {"name": "infra", "stage": "deploy", "trigger": {"strategy": "depend", "pipeline": child}}
    simulator.load(world({"name": "docs", "stage": "deploy", "status": "success"}, trigger, stages=["deploy"]))
    simulator.advance(60)
    gate = {**chosen, "action": action, "multiple": "all" if action == "retry" else None}
    result = release(simulator, {"gates": [gate]})
    assert "job 'infra' (id " in str(result.failure)
    assert effects(simulator) == ([("retry", "infra")] if action == "retry" else [])


def test_job_token_is_refused_for_play(simulator: t.Any) -> None:
    simulator.load(world({"name": "deploy", **MANUAL}))
    result = release(simulator, APP, token=None, api_job_token="job-token-0123456789")
    assert "api_job_token cannot be used for action play" in str(result.failure)
    assert simulator.requests() == []


@pytest.mark.parametrize(
    ("gate", "options", "words"),
    [
        ({"max_attempts": 0}, {}, "gate 1 of project 'app': max_attempts is 0; use 1 or more"),
        ({"wait_timeout": -1.0}, {}, "gate 1 of project 'app': wait_timeout is -1; use 0 or more"),
        ({"wait_interval": 0.0}, {}, "gate 1 of project 'app': wait_interval is 0; use 0.001 or more"),
        ({"job_variables": {"A": [1]}}, {}, "gate 1 of project 'app': job_variables: A is a list"),
        ({"name": ["a", " "]}, {}, "gate 1 of project 'app': name contains an empty string"),
        ({}, {"log_lines": -1}, "log_lines is -1; use 0 or more"),
        ({}, {"wait_interval": 0.0}, "wait_interval is 0; use 0.001 or more"),
    ],
)
def test_invalid_values_are_named_before_any_request(simulator: t.Any, gate: Row, options: Row, words: str) -> None:
    simulator.load(world({"name": "deploy", **MANUAL}))
    result = release(simulator, {"name": "app", "gates": [{"name": "deploy", "action": "play", **gate}]}, **options)
    assert str(result.failure).startswith(words)
    assert simulator.requests() == []


def test_project_with_an_impossible_ref_is_named(simulator: t.Any) -> None:
    simulator.load(world({"name": "deploy", **MANUAL}))
    wrong = {"name": "docs", "project": "group/docs", "ref": "HEAD", "gates": APP["gates"]}
    result = release(simulator, APP, wrong)
    assert str(result.failure).startswith("project 'docs': ref 'HEAD' is a local Git name")
    assert simulator.requests() == []


# ----- record and report -----


def test_unreadable_jobs_of_the_record_cause_a_warning(simulator: t.Any, tmp_path: pathlib.Path) -> None:
    simulator.load(world({"name": "deploy", **MANUAL}))
    simulator.inject(kind="status", status=403, path="/(trigger_jobs|bridges)$")
    path = tmp_path / "record.json"
    result = release(simulator, APP, record=str(path), report=str(tmp_path / "report.html"))
    assert result.failure is None
    assert any("are not in the record" in warning for warning in result.warnings)
    record = json.loads(path.read_text(encoding="utf-8"))
    assert record["warnings"] and record["projects"][0]["jobs"] == []


def test_inaccessible_downstream_project_is_marked_in_the_record(simulator: t.Any, tmp_path: pathlib.Path) -> None:
    pipeline = {"ref": "main", "jobs": [{"name": "apply"}]}
    scenario = world({"name": "infra", **MANUAL, "trigger": {"project": "secret/infra", "pipeline": pipeline}})
    scenario["projects"].append({"path": "secret/infra", "members": {"bob": "owner"}})
    scenario["pipelines"][0]["user"] = "bob"
    simulator.load(scenario)
    simulator.act_as_somebody_else("play", "infra")
    simulator.advance(30)
    path = tmp_path / "record.json"
    gates = [{"name": "infra", "action": "wait"}]
    result = release(simulator, {"gates": gates}, record=str(path), report=str(tmp_path / "report.html"))
    assert result.failure is None
    pipelines = json.loads(path.read_text(encoding="utf-8"))["projects"][0]["pipelines"]
    assert [row["accessible"] for row in pipelines] == [True, False]


def test_unwritable_record_fails_the_task_but_reports_changes(
    simulator: t.Any, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    simulator.load(world({"name": "deploy", **MANUAL}))

    def full(*_arguments: t.Any) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Files, "label", full)
    result = release(simulator, APP, record=str(tmp_path / "record.json"))
    assert "cannot be written: No space left on device" in str(result.failure)
    assert (result.changed, gates_of(result)) == (True, {"deploy": "played"})
    assert list(tmp_path.iterdir()) == []


def test_record_has_an_empty_user_if_the_machine_has_none(
    simulator: t.Any, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    simulator.load(world({"name": "deploy", **MANUAL}))

    def unknown() -> t.NoReturn:
        raise KeyError("getpwuid(): uid not found: 4711")

    monkeypatch.setattr(gitlab_release_gate.getpass, "getuser", unknown)
    path = tmp_path / "record.json"
    assert release(simulator, APP, record=str(path)).failure is None
    assert json.loads(path.read_text(encoding="utf-8"))["user"] == ""


class Page(html.parser.HTMLParser):
    """Parses a page: its tags, addresses and text, and whether every element is closed."""

    VOID = ("meta", "br", "link", "img", "input")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.addresses: list[str] = []
        self.text: list[str] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.addresses += [str(value) for name, value in attrs if name in ("href", "src")]
        assert not any(name.startswith("on") for name, _value in attrs)
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text.append(data)


EVIL = "<script>alert(1)</script> & \"q\" 'a'"


def test_report_escapes_html_in_foreign_text(simulator: t.Any, tmp_path: pathlib.Path) -> None:
    job = {"name": EVIL, **MANUAL, "duration": 5, "outcome": "failed", "log": "<img src=x onerror=alert(2)>\n"}
    simulator.load(world(job))
    report, record = tmp_path / "report.html", tmp_path / "record.json"
    gates = [{"name": EVIL, "action": "play"}]
    result = release(simulator, {"gates": gates}, report=str(report), record=str(record))
    assert result.failure
    text = report.read_text(encoding="utf-8")
    page = Page(text)
    assert "script" not in page.tags and "img" not in page.tags and page.open == []
    assert any(EVIL in piece for piece in page.text)
    assert all(address.startswith(("http://127.0.0.1:", "#gate-")) for address in page.addresses)
    assert f"{simulator.url}/group/app/-/jobs/1000" in page.addresses
    assert json.loads(record.read_text(encoding="utf-8"))["projects"][0]["gates"][0]["name"] == EVIL


def test_record_contains_downstream_pipelines_and_all_attempts(simulator: t.Any, tmp_path: pathlib.Path) -> None:
    trigger = {"strategy": "depend", "pipeline": {"ref": "main", "jobs": [{"name": "apply", "duration": 20}]}}
    simulator.load(
        world(
            {"name": "test", "retried": 1, "status": "success"},
            {"name": "deploy", "stage": "deploy", **MANUAL, "duration": 30},
            {"name": "infra", "stage": "next", "trigger": trigger},
            stages=["test", "deploy", "next"],
        )
    )
    path = tmp_path / "record.json"
    gates = [{"name": "deploy", "action": "play"}, {"name": "infra/apply", "action": "wait"}]
    result = release(simulator, {"gates": gates}, record=str(path), report=str(tmp_path / "report.html"), user="carol")
    assert result.failure is None
    record = json.loads(path.read_text(encoding="utf-8"))
    assert (record["schema"], record["user"], record["server"]) == (1, "carol", simulator.url)
    (project,) = record["projects"]
    assert [pipeline["path"] for pipeline in project["pipelines"]] == ["", "infra"]
    assert project["pipelines"][1]["parent_id"] == 100 and project["pipelines"][1]["project"] == "group/app"
    jobs = [(job["path"], job["attempt"], job["superseded"]) for job in project["jobs"]]
    assert ("test", 1, True) in jobs and ("test", 2, False) in jobs and ("infra/apply", 1, False) in jobs
    assert ("infra", 1, False) in jobs
    deploy = project["gates"][0]
    assert (deploy["outcome"], deploy["changed"], deploy["jobs"][0]["status"]) == ("played", True, "success")
    assert [entry["to"] for entry in deploy["timeline"]][:2] == ["manual", "pending"]
    assert record["started_at"] < record["finished_at"]


def test_unwritable_files_are_reported_before_any_request(simulator: t.Any, tmp_path: pathlib.Path) -> None:
    simulator.load(world({"name": "deploy", **MANUAL}))
    for option, path, words in (
        ("record", str(tmp_path / "none" / "x.json"), "is in a folder that does not exist"),
        ("report", str(tmp_path), "is a folder; use the name of a file"),
    ):
        result = release(simulator, APP, **{option: path})
        assert words in str(result.failure)
    assert simulator.requests() == []
    assert list(tmp_path.iterdir()) == []


def test_record_and_report_contain_environments_and_approvals(simulator: t.Any, tmp_path: pathlib.Path) -> None:
    scenario = world({"name": "test"}, {"name": "deploy", **MANUAL, "duration": 5, "environment": "production"})
    rules = [{"user": "carol", "required": 1}]
    scenario["projects"][0]["protected_environments"] = {"production": {"allowed": ["alice"], "rules": rules}}
    simulator.load(scenario)
    simulator.act_as_somebody_else("approve", "deploy")
    record, report = tmp_path / "record.json", tmp_path / "report.html"
    result = release(simulator, APP, record=str(record), report=str(report))
    assert result.failure is None
    jobs = json.loads(record.read_text(encoding="utf-8"))["projects"][0]["jobs"]
    deploy = next(job for job in jobs if job["name"] == "deploy")
    assert deploy["environment"] == {"name": "production", "url": None}
    assert [(row["user"], row["status"]) for row in deploy["approvals"]] == [("somebody-else", "approved")]
    assert [job["environment"] for job in jobs if job["name"] == "test"] == [None]
    page = report.read_text(encoding="utf-8")
    assert "environment production, approved by somebody-else" in page
