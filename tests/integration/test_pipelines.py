# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Starting, retrying and canceling pipelines: every case is checked, run, checked again and run again."""

from __future__ import annotations

import pathlib
import typing as t

import pytest

from .harness import PIPELINE, PIPELINE_INFO, ROOT, TOKEN, play, run_task, world

JOBS = [
    {"name": "build", "stage": "build", "duration": 10},
    {"name": "test", "stage": "test", "duration": 20},
]
RUN: dict[str, t.Any] = {"project": "group/app", "action": "run", "ref": "main"}
BOB = "bob-token-0123456789"
TRIGGER = "glptt-0123456789abcdef"
ACTIVE = ("waiting_for_resource", "preparing", "waiting_for_callback", "pending", "running")


def world_with_new_pipelines(
    *jobs: dict[str, t.Any], old: t.Sequence[dict[str, t.Any]] = (), **more: t.Any
) -> dict[str, t.Any]:
    """Return a scenario in which new pipelines have these jobs, and the pipeline of a push has ended."""
    made = world(*(old or [{"name": "build", "status": "success"}]))
    made["projects"][0] |= {"new_pipelines": {"*": {"jobs": list(jobs or JOBS)}}, **more}
    made["tokens"].append({"token": TRIGGER, "kind": "trigger", "user": "bob", "project": "group/app"})
    return made


def pipeline_effects(simulator: t.Any) -> list[tuple[str, int]]:
    """Return all changes to pipelines."""
    return [(effect["action"], effect["pipeline_id"]) for effect in simulator.effects()]


# ----- run: which pipelines count as the requested one -----


class Started(t.NamedTuple):
    """A pipeline of main that was started before the task.

    :param ended: whether it has ended.
    """

    user: str = "alice"
    source: str = "api"
    variables: dict[str, str] = {}  # noqa: RUF012 - never changed
    ended: bool = False
    moved: bool = False


# earlier pipeline, options of the task, and verdict: act (one more), same (none), refuse (none)
RUNS: dict[str, tuple[Started | None, dict[str, t.Any], str]] = {
    "nothing before": (None, {}, "act"),
    "active": (Started(), {}, "same"),
    "active, never reused": (Started(), {"reuse": "never"}, "act again"),
    "active of another user": (Started(user="bob"), {}, "act"),
    "active of a push": (Started(source="push"), {}, "act"),
    "active of a trigger": (Started(source="trigger"), {}, "same"),
    "active of another pipeline": (Started(source="pipeline"), {}, "act"),
    "active of an older commit": (Started(moved=True), {}, "act"),
    "active with these variables": (Started(variables={"A": "1"}), {"variables": {"A": 1}}, "same"),
    "active with other variables": (Started(variables={"A": "2"}), {"variables": {"A": 1}}, "act"),
    "active with variables, none set": (Started(variables={"A": "2"}), {}, "act"),
    "active without variables, some set": (Started(), {"variables": {"A": 1}}, "act"),
    "active, inputs set": (Started(), {"inputs": {"size": 3}}, "refuse"),
    "active with other variables, inputs set": (
        Started(variables={"A": "2"}),
        {"inputs": {"size": 3}, "reuse": "never"},
        "act again",
    ),
    "succeeded": (Started(ended=True), {}, "act"),
    "succeeded, reused": (Started(ended=True), {"reuse": "success"}, "same"),
    "succeeded of another commit, reused": (Started(ended=True, moved=True), {"reuse": "success"}, "act"),
}


def load_run(simulator: t.Any, before: Started | None) -> None:
    made = world_with_new_pipelines(*({**job, "duration": 1000} for job in JOBS))
    made["projects"][0]["new_pipelines"]["*"]["inputs"] = {"size": {"type": "number", "default": 1}}
    simulator.load(made)
    if before is not None:
        more = {"variables": dict(before.variables)} if before.variables else {}
        simulator.create_pipeline("main", user=before.user, source=before.source, **more)
        if before.ended:
            simulator.advance(3000)
        if before.moved:
            simulator.set_ref("main")
    simulator.clear_logs()


@pytest.mark.parametrize("name", RUNS)
def test_run_starts_or_reuses_a_pipeline(simulator: t.Any, name: str) -> None:
    before, options, verdict = RUNS[name]
    load_run(simulator, before)

    first_check = run_task(simulator, PIPELINE, **RUN, **options, check_mode=True)
    assert simulator.writes() == []
    first = run_task(simulator, PIPELINE, **RUN, **options)
    acts = verdict.startswith("act")
    assert first.changed is first_check.changed is acts
    assert (first.failure is not None) is (first_check.failure is not None) is (verdict == "refuse")
    new_id = 101 if before is None else 102
    expected = [("create_pipeline", new_id)] if acts else []
    assert pipeline_effects(simulator) == expected and len(simulator.writes()) == len(expected)
    if verdict != "refuse":
        assert first["id"] == (new_id if acts else 101)
        assert first_check["id"] == (None if acts else 101) and first_check["status"] == first["status"]
        assert not acts or (first["status"] == "created" and first["web_url"])

    second_check = run_task(simulator, PIPELINE, **RUN, **options, check_mode=True)
    second = run_task(simulator, PIPELINE, **RUN, **options)
    again = verdict == "act again"
    if verdict == "act" and options.get("variables") is None and "inputs" not in options:
        assert second["id"] == first["id"]
    assert second.changed is second_check.changed is again
    assert pipeline_effects(simulator) == expected + ([("create_pipeline", new_id + 1)] if again else [])
    if verdict == "refuse":
        assert first.failure == second.failure == second_check.failure
        assert "pipeline 101" in str(first.failure) and "reuse" in str(first.failure)


@pytest.mark.parametrize("reuse", ["active", "success"])
def test_reuse_is_refused_if_the_server_does_not_show_the_source(simulator: t.Any, reuse: str) -> None:
    simulator.load(world_with_new_pipelines(), version="13.12")
    first = run_task(simulator, PIPELINE, **RUN, reuse=reuse, wait=reuse == "success")
    assert first.failure is None and pipeline_effects(simulator) == [("create_pipeline", 101)]
    again = run_task(simulator, PIPELINE, **RUN, reuse=reuse)
    assert again.failure is not None and "pipeline 101" in again.failure and "older than GitLab 14.1" in again.failure
    other = run_task(simulator, PIPELINE, **RUN, reuse=reuse, variables={"A": 1})
    assert other.failure is None and other["id"] == 102


@pytest.mark.parametrize(("has_ended", "remedy"), [(False, "Wait for it"), (True, "Set reuse to active")])
def test_pipeline_with_unknown_inputs_is_reported_with_a_remedy(simulator: t.Any, has_ended: bool, remedy: str) -> None:
    load_run(simulator, Started(ended=has_ended))
    options = {**RUN, "inputs": {"size": 3}}
    result = run_task(simulator, PIPELINE, **options, reuse="success")
    assert result.failure is not None and f"does not show the inputs of a pipeline. {remedy}" in result.failure
    # the remedy works
    assert has_ended is (run_task(simulator, PIPELINE, **options, reuse="active").failure is None)


def test_pipeline_with_unreadable_variables_is_not_reused(simulator: t.Any) -> None:
    """Another user's trigger token started it, so a developer may not read its variables."""
    made = world_with_new_pipelines()
    made["projects"][0]["members"]["alice"] = "developer"
    simulator.load(made)
    simulator.create_pipeline("main", user="bob", source="trigger", variables={"A": "1"})
    options = {**RUN, "trigger_token": TRIGGER, "variables": {"A": "1"}}
    result = run_task(simulator, PIPELINE, **options)
    assert (
        result.failure is not None and "pipeline 101" in result.failure and "variables cannot be read" in result.failure
    )
    assert not result.changed and len(pipeline_effects(simulator)) == 1
    # without variables, there is nothing to compare
    assert run_task(simulator, PIPELINE, **RUN, trigger_token=TRIGGER)["id"] == 101


# ----- retry and cancel -----

DECISIONS: list[tuple[str, tuple[str, ...], str]] = [
    ("retry", ("created", "manual", "scheduled", *ACTIVE, "success"), "same"),
    ("retry", ("failed", "canceled"), "act"),
    ("retry", ("canceling", "skipped"), "refuse"),
    ("cancel", ("created", "scheduled", *ACTIVE), "act"),
    ("cancel", ("manual", "canceling", "success", "failed", "canceled", "skipped"), "same"),
]
CELLS = [
    pytest.param(action, status, verdict, id=f"{action}-{status}")
    for action, statuses, verdict in DECISIONS
    for status in statuses
]
EFFECTS = {"retry": "retry_pipeline", "cancel": "cancel_pipeline"}


def load_status(simulator: t.Any, status: str) -> None:
    job: dict[str, t.Any] = {"name": "deploy", "status": status, "duration": 1000, "cancel_duration": 1000}
    if status in ("manual", "scheduled"):
        job |= {"when": "manual", "allow_failure": False}
    simulator.load(world(job))
    assert simulator.pipeline(100)["status"] == status


@pytest.mark.parametrize(("action", "status", "verdict"), CELLS)
def test_retry_and_cancel_act_according_to_the_status(simulator: t.Any, action: str, status: str, verdict: str) -> None:
    load_status(simulator, status)
    options: dict[str, t.Any] = {"project": "group/app", "pipeline_id": 100, "action": action}

    first_check = run_task(simulator, PIPELINE, **options, check_mode=True)
    assert simulator.writes() == []
    first = run_task(simulator, PIPELINE, **options)
    assert first.changed is first_check.changed is (verdict == "act")
    assert (first.failure is not None) is (first_check.failure is not None) is (verdict == "refuse")
    expected = [(EFFECTS[action], 100)] if verdict == "act" else []
    assert pipeline_effects(simulator) == expected and len(simulator.writes()) == len(expected)
    assert first["id"] == first_check["id"] == 100

    second_check = run_task(simulator, PIPELINE, **options, check_mode=True)
    second = run_task(simulator, PIPELINE, **options)
    assert second.changed is second_check.changed is False
    assert pipeline_effects(simulator) == expected
    if verdict == "refuse":
        assert first.failure == first_check.failure == second.failure
        assert "cannot be" in str(first.failure)


def test_decisions_cover_every_status() -> None:
    statuses = {"created", "manual", "scheduled", *ACTIVE, "canceling", "success", "failed", "canceled", "skipped"}
    for action in EFFECTS:
        assert {status for row, listed, _verdict in DECISIONS if row == action for status in listed} == statuses


def test_canceling_pipeline_is_retried_after_it_is_canceled(simulator: t.Any) -> None:
    simulator.load(world({"name": "deploy", "status": "canceling", "cancel_duration": 15, "duration": 10}))
    result = run_task(simulator, PIPELINE, project="group/app", pipeline_id=100, action="retry", wait=True)
    assert result.failure is None and result.changed and result["status"] == "success"
    assert pipeline_effects(simulator) == [("retry_pipeline", 100)]


def test_blocked_pipeline_is_canceled_once(simulator: t.Any) -> None:
    simulator.load(
        world(
            {"name": "gate", "stage": "build", "when": "manual", "allow_failure": False},
            {"name": "deploy", "stage": "deploy"},
        )
    )
    options: dict[str, t.Any] = {"project": "group/app", "ref": "main", "action": "cancel"}
    assert run_task(simulator, PIPELINE, **options).changed
    assert simulator.job("deploy")["status"] == "canceled" and simulator.job("gate")["status"] == "manual"
    assert not run_task(simulator, PIPELINE, **options).changed
    assert pipeline_effects(simulator) == [("cancel_pipeline", 100)]


def test_retry_is_refused_if_only_trigger_jobs_failed(simulator: t.Any) -> None:
    child = {"trigger": {"pipeline": {"ref": "main", "jobs": [{"name": "apply", "outcome": "failed"}]}}}
    child["trigger"]["strategy"] = "depend"
    simulator.load(world({"name": "infra", **child}))
    simulator.advance(600)
    result = run_task(simulator, PIPELINE, project="group/app", pipeline_id=100, action="retry")
    assert result.failure is not None and "trigger jobs" in result.failure and not simulator.writes()


# ----- waiting -----


def test_pipeline_is_started_and_waited_for(simulator: t.Any) -> None:
    simulator.load(world_with_new_pipelines())
    result = run_task(simulator, PIPELINE, **RUN, variables={"A": 1, "B": True}, wait=True)
    assert result.failure is None and result.changed
    assert (result["id"], result["status"]) == (101, "success")
    assert result["summary"] == {"success": 2}
    assert pipeline_effects(simulator) == [("create_pipeline", 101)]
    assert [(row["key"], row["value"]) for row in simulator.effects()[0]["variables"]] == [("A", "1"), ("B", "true")]
    assert result["timeline"][-1]["to"] == "success"
    assert result["pipeline"]["duration"] is not None


@pytest.mark.parametrize(("wait_for", "fails"), [(None, True), (["success"], True), (["finished"], False)])
def test_failed_pipeline_shows_its_failed_jobs_and_log(
    simulator: t.Any, wait_for: list[str] | None, fails: bool
) -> None:
    broken = {"name": "test", "stage": "test", "outcome": "failed", "log": "$ make\nit broke\n", "duration": 5}
    lint = {"name": "lint", "stage": "build", "outcome": "failed", "allow_failure": True}
    simulator.load(world_with_new_pipelines(lint, broken))
    result = run_task(simulator, PIPELINE, **RUN, wait=True, wait_for=wait_for, fail_on=[] if wait_for else ["failed"])
    assert (result.failure is not None) is fails and result.changed
    assert [(job["name"], job["allow_failure"]) for job in result["failed_jobs"]] == [("test", False), ("lint", True)]
    assert result["failed_jobs"][0]["log_tail"][-1] == "it broke"
    if fails:
        assert result.failure is not None
        assert "pipeline 101" in result.failure and "job 'test'" in result.failure and "it broke" in result.failure


def test_failure_in_a_downstream_pipeline_is_shown(simulator: t.Any) -> None:
    inner = [{"name": "apply", "outcome": "failed", "log": "no such host\n"}]
    bridge = {
        "name": "infra",
        "stage": "test",
        "trigger": {"strategy": "depend", "pipeline": {"ref": "main", "jobs": inner}},
    }
    simulator.load(world_with_new_pipelines(JOBS[0], bridge))
    result = run_task(simulator, PIPELINE, **RUN, wait=True)
    assert result.failure is not None
    assert [job["name"] for job in result["failed_jobs"]] == ["infra", "infra/apply"]
    # a trigger job has no log, so the message shows the log of the failed job below it
    assert "The log of job 'infra/apply'" in result.failure and "no such host" in result.failure
    assert [(row["path"], row["status"]) for row in result["downstream_pipelines"]] == [("infra", "failed")]


def test_trigger_job_without_a_downstream_pipeline_is_reported(simulator: t.Any) -> None:
    reason = "downstream_pipeline_creation_failed"
    bridge = {"name": "infra", "stage": "test", "trigger": {"strategy": "depend", "creation_fails": reason}}
    simulator.load(world_with_new_pipelines(JOBS[0], bridge))
    started = run_task(simulator, PIPELINE, **RUN, wait=True)
    read = run_task(simulator, PIPELINE_INFO, project="group/app", pipeline_id=started["id"], fail_on=["failed"])
    for result in (started, read):
        assert result.failure is not None
        assert "job 'infra'" in result.failure and f"of stage test failed ({reason})" in result.failure
        assert result["summary"] == {"success": 1, "failed": 1}
    assert [job["name"] for job in started["failed_jobs"]] == ["infra"]


@pytest.mark.parametrize("trigger", [{"creation_fails": "downstream_pipeline_creation_failed"}, None])
def test_failed_trigger_job_is_listed_before_allowed_failures(simulator: t.Any, trigger: t.Any) -> None:
    inner = [{"name": "apply", "outcome": "failed", "log": "no such host\n"}]
    starts = trigger or {"strategy": "depend", "pipeline": {"ref": "main", "jobs": inner}}
    lint = {"name": "lint", "stage": "build", "outcome": "failed", "allow_failure": True, "log": "line too long\n"}
    simulator.load(world_with_new_pipelines(lint, {"name": "infra", "stage": "test", "trigger": starts}))
    result = run_task(simulator, PIPELINE, **RUN, wait=True)
    below = [] if trigger else ["infra/apply"]
    assert [job["name"] for job in result["failed_jobs"]] == ["infra", *below, "lint"]
    assert str(result.failure).index("job 'infra'") < str(result.failure).index("job 'lint'")
    assert "line too long" not in str(result.failure)
    assert ("'infra/apply'" in str(result.failure) and "no such host" in str(result.failure)) is bool(below)


def test_failed_jobs_include_trigger_jobs_of_all_levels(simulator: t.Any) -> None:
    fails = {"creation_fails": "downstream_pipeline_creation_failed"}
    inner = {"strategy": "depend", "pipeline": {"ref": "main", "jobs": [{"name": "deeper", "trigger": fails}]}}
    simulator.load(
        world_with_new_pipelines(
            {"name": "unit", "stage": "test", "outcome": "failed"},
            {"name": "docs", "stage": "test", "trigger": fails},
            {"name": "infra", "stage": "test", "trigger": inner},
        )
    )
    started = run_task(simulator, PIPELINE, **RUN, wait=True)
    read = run_task(simulator, PIPELINE_INFO, project="group/app", pipeline_id=started["id"], wait=True)
    for result in (started, read):
        assert [job["name"] for job in result["failed_jobs"]] == ["unit", "docs", "infra", "infra/deeper"]
        assert result["failed_jobs"][3]["failure_reason"] == "downstream_pipeline_creation_failed"


@pytest.mark.parametrize("strategy", [{"strategy": "depend"}, {}])
def test_failed_jobs_include_trigger_jobs_of_successful_pipelines(simulator: t.Any, strategy: dict[str, str]) -> None:
    """The pipeline has no other jobs."""
    fails = {"creation_fails": "downstream_pipeline_creation_failed"}
    deeper = {"name": "deeper", "allow_failure": True, "trigger": fails}
    simulator.load(
        world_with_new_pipelines(
            {"name": "docs", "allow_failure": True, "trigger": fails},
            {"name": "infra", "trigger": {**strategy, "pipeline": {"ref": "main", "jobs": [{"name": "a"}, deeper]}}},
        )
    )
    started = run_task(simulator, PIPELINE, **RUN, wait=True)
    read = run_task(simulator, PIPELINE_INFO, project="group/app", pipeline_id=started["id"], wait=True)
    for result in (started, read):
        assert (result.failure, result["pipeline"]["status"]) == (None, "success")
        assert [job["name"] for job in result["failed_jobs"]] == ["docs", "infra/deeper"]
    assert [row["path"] for row in started["downstream_pipelines"]] == ["infra"]


def test_timeout_reports_the_running_downstream_pipeline(simulator: t.Any) -> None:
    inner = {"strategy": "depend", "pipeline": {"ref": "main", "jobs": [{"name": "apply", "duration": 100}]}}
    simulator.load(world_with_new_pipelines({"name": "infra", "trigger": inner}))
    result = run_task(simulator, PIPELINE, **RUN, wait=True, wait_timeout=20.0)
    assert "pipeline 101 is still running; downstream pipeline 102 (infra) is running" in str(result.failure)


def test_trigger_jobs_do_not_use_up_the_limit_of_logs(simulator: t.Any) -> None:
    """Many trigger jobs failed, and none of them has a log."""
    inner = {"strategy": "depend", "pipeline": {"ref": "main", "jobs": [{"name": "apply", "outcome": "failed"}]}}
    simulator.load(world_with_new_pipelines(*({"name": f"infra-{number}", "trigger": inner} for number in range(22))))
    result = run_task(simulator, PIPELINE, **RUN, wait=True)
    tails = {job["name"]: job["log_tail"] for job in result["failed_jobs"]}
    assert [tail for name, tail in tails.items() if "/" not in name] == [[]] * 22
    assert sum(bool(tail) for tail in tails.values()) == 20
    assert [name for name, tail in tails.items() if tail is None] == ["infra-1/apply", "infra-0/apply"]
    assert "The log of job 'infra-21/apply'" in str(result.failure)


def test_pipeline_blocked_by_a_manual_job_ends_the_wait(simulator: t.Any) -> None:
    gate = {"name": "gate", "stage": "test", "when": "manual", "allow_failure": False}
    optional = {"name": "report", "stage": "build", "when": "manual", "allow_failure": True}
    simulator.load(world_with_new_pipelines(JOBS[0], optional, gate))
    result = run_task(simulator, PIPELINE, **RUN, wait=True)
    assert result.failure is not None and "job 'gate'" in result.failure and "report" not in result.failure
    assert result.seconds < 60
    # it still counts as the requested pipeline
    same = run_task(simulator, PIPELINE, **RUN, wait=True, wait_for=["manual", "success"])
    assert same.failure is None and not same.changed and same["status"] == "manual"
    assert pipeline_effects(simulator) == [("create_pipeline", 101)]


def test_optional_manual_job_does_not_block_the_pipeline(simulator: t.Any) -> None:
    simulator.load(
        world_with_new_pipelines(*JOBS, {"name": "report", "stage": "test", "when": "manual", "allow_failure": True})
    )
    result = run_task(simulator, PIPELINE, **RUN, wait=True)
    assert result.failure is None and result["status"] == "success"


@pytest.mark.parametrize("action", ["run", "retry"])
def test_unreadable_pipeline_is_returned_in_its_last_known_state(simulator: t.Any, action: str) -> None:
    old = {"name": "build", "status": "failed", "duration": 100, "outcome": "success"}
    simulator.load(world_with_new_pipelines({"name": "build", "duration": 100}, old=[old]))
    number = 101 if action == "run" else 100
    path = f"/projects/[^/]+/pipelines/{number}"
    simulator.inject("refused_404", method="GET", path=path, nth=list(range(12, 60)), times=None)
    result = run_task(simulator, PIPELINE, project="group/app", action=action, ref="main", wait=True)
    assert result.changed and f"pipeline {number} could not be followed to its end" in str(result.failure)
    seen = [entry["to"] for entry in result["timeline"] if entry["id"] == number]
    assert seen[-1] == "running" == result["status"] == result["pipeline"]["status"]


def test_pipeline_of_optional_manual_jobs_ends_as_skipped(simulator: t.Any) -> None:
    simulator.load(world_with_new_pipelines({"name": "report", "when": "manual", "allow_failure": True}))
    result = run_task(simulator, PIPELINE, **RUN, wait=True)
    assert result["status"] == "skipped"
    assert "101 ended as skipped: job 'report' (id 1001) is manual and was not played" in str(result.failure)


def test_wait_for_created_returns_at_once(simulator: t.Any) -> None:
    simulator.load(world_with_new_pipelines())
    result = run_task(simulator, PIPELINE, **RUN, wait=True, wait_for=["created"])
    assert result.failure is None and result["status"] == "created" and result.seconds == 0


@pytest.mark.parametrize("on_timeout", ["fail", "cancel", "continue"])
def test_wait_timeout_fails_cancels_or_continues(simulator: t.Any, on_timeout: str) -> None:
    simulator.load(world_with_new_pipelines({"name": "build", "duration": 1000}))
    result = run_task(simulator, PIPELINE, **RUN, wait=True, wait_timeout=60, on_timeout=on_timeout)
    assert result["timed_out"] and result.changed
    assert (result.failure is None) is (on_timeout == "continue")
    expected = [("create_pipeline", 101)] + ([("cancel_pipeline", 101)] if on_timeout == "cancel" else [])
    assert pipeline_effects(simulator) == expected
    if on_timeout != "continue":
        assert "timed out after 60 s" in str(result.failure) and "job 'build'" in str(result.failure)


def test_timeout_reports_the_blocking_downstream_pipeline(simulator: t.Any) -> None:
    inner = [{"name": "apply", "when": "manual", "allow_failure": False}]
    trigger = {"strategy": "depend", "pipeline": {"ref": "main", "jobs": inner}}
    simulator.load(world_with_new_pipelines(JOBS[0], {"name": "infra", "stage": "test", "trigger": trigger}))
    result = run_task(simulator, PIPELINE, **RUN, wait=True, wait_timeout=60)
    assert "downstream pipeline 102 (infra) is manual" in str(result.failure)


def test_pending_timeout_reports_the_missing_runner_tag(simulator: t.Any) -> None:
    simulator.load(
        world_with_new_pipelines({"name": "build", "tags": ["gpu"], "queue": 1000}) | {"runners": [{"tags": ["cpu"]}]}
    )
    result = run_task(simulator, PIPELINE, **RUN, wait=True, pending_timeout=30)
    assert result.failure is not None and "gpu" in result.failure and result.seconds < 100


@pytest.mark.parametrize(
    ("action", "job", "end"),
    [
        ("retry", {"status": "failed", "attempts": [{"outcome": "failed"}, {"duration": 5}]}, "success"),
        ("cancel", {"status": "running", "outcome": "hang", "cancel_duration": 5}, "canceled"),
    ],
)
def test_retry_and_cancel_wait_for_the_final_status(
    simulator: t.Any, action: str, job: dict[str, t.Any], end: str
) -> None:
    simulator.load(world({"name": "deploy", **job}, {"name": "after", "stage": "zz", "duration": 5}))
    result = run_task(simulator, PIPELINE, project="group/app", ref="main", action=action, wait=True)
    assert result.failure is None and result.changed and result["status"] == end
    assert len(pipeline_effects(simulator)) == 1


def test_stale_status_after_a_retry_does_not_end_the_wait(simulator: t.Any) -> None:
    """A lagging database replica returns the old end, after the new attempts were already seen."""
    simulator.load(world({"name": "deploy", "status": "failed", "outcome": "success", "duration": 5}))
    known = run_task(simulator, PIPELINE_INFO, project="group/app", pipeline_id=100, include=["jobs"])
    stale_answers = {"get_pipeline": (known["pipeline"], [3, 4]), "list_pipeline_jobs": (known["jobs"], [3, 4])}
    for endpoint, (body, nth) in stale_answers.items():
        simulator.inject(kind="wrong_json", body=body, endpoint=endpoint, nth=nth)
    result = run_task(simulator, PIPELINE, project="group/app", pipeline_id=100, action="retry", wait=True)
    assert [rule["struck"] for rule in simulator.faults()["rules"]] == [2, 2]
    assert (result.failure, result.changed, result["status"]) == (None, True, "success")
    assert pipeline_effects(simulator) == [("retry_pipeline", 100)]


# ----- trigger tokens -----


def test_trigger_token_starts_and_api_token_waits(simulator: t.Any) -> None:
    simulator.load(world_with_new_pipelines())
    result = run_task(simulator, PIPELINE, **RUN, trigger_token=TRIGGER, variables={"A": 1}, wait=True)
    assert result.failure is None and result["status"] == "success" and result["pipeline"]["source"] == "trigger"
    assert TRIGGER not in str(result)
    assert pipeline_effects(simulator) == [("trigger_pipeline", 101)]


def test_trigger_token_reuses_only_triggered_pipelines(simulator: t.Any) -> None:
    simulator.load(world_with_new_pipelines(*({**job, "duration": 1000} for job in JOBS)))
    simulator.create_pipeline("main", user="alice")
    first = run_task(simulator, PIPELINE, **RUN, trigger_token=TRIGGER)
    again = run_task(simulator, PIPELINE, **RUN, trigger_token=TRIGGER)
    assert (first.changed, first["id"], again.changed, again["id"]) == (True, 102, False, 102)


@pytest.mark.parametrize(("reuse", "warns"), [("active", True), ("success", True), ("never", False)])
def test_trigger_token_alone_warns_if_reuse_cannot_be_checked(simulator: t.Any, reuse: str, warns: bool) -> None:
    simulator.load(world_with_new_pipelines())
    result = run_task(simulator, PIPELINE, **RUN, trigger_token=TRIGGER, token=None, reuse=reuse)
    assert result.failure is None and result.changed and result["id"] == 101
    assert any("Could not check" in warning for warning in result.warnings) is warns


def test_trigger_token_alone_cannot_wait(simulator: t.Any) -> None:
    simulator.load(world_with_new_pipelines())
    result = run_task(simulator, PIPELINE, **RUN, trigger_token=TRIGGER, token=None, wait=True)
    assert result.failure is not None and "api_token" in result.failure and not simulator.requests()


def test_wrong_trigger_token_is_never_shown(simulator: t.Any) -> None:
    simulator.load(world_with_new_pipelines())
    result = run_task(simulator, PIPELINE, **RUN, trigger_token="glptt-of-somewhere-else")
    assert result.failure is not None and "trigger_token" in result.failure
    assert "glptt-of-somewhere-else" not in str(result)


# ----- what GitLab refuses -----

REFUSALS: dict[str, tuple[dict[str, t.Any], dict[str, t.Any], tuple[str, ...]]] = {
    "YAML": (
        {"yaml_errors": "jobs:build config should implement a script"},
        {},
        ("implement a script", "pipeline editor"),
    ),
    "no configuration": ({"refused": "no_config"}, {}, ("Missing CI config file", ".gitlab-ci.yml")),
    "workflow rules": ({"refused": "workflow_rules"}, {}, ("workflow rules", "$CI_PIPELINE_SOURCE api")),
    "no job left": ({"jobs": []}, {}, ("prevented any jobs", "exclude all of them")),
    "too many jobs": ({"refused": "too_many_jobs"}, {}, ("allowed number of jobs", "cancel some")),
    "unknown input": ({"jobs": JOBS}, {"inputs": {"x": 1}}, ("unknown input", "spec:inputs")),
    "no such ref": (
        {"jobs": JOBS},
        {"ref": "nothing"},
        ("Reference not found", "There is no branch or tag 'nothing' in project group/app ("),
    ),
    "a commit": ({"jobs": JOBS}, {"ref": "f" * 12}, ("Reference not found", "; a commit is not a ref")),
    "ambiguous ref": ({"jobs": JOBS}, {"ref": "both"}, ("Ref is ambiguous", "set ref_type")),
}


@pytest.mark.parametrize("name", REFUSALS)
def test_refusals_of_gitlab_are_reported_with_advice(simulator: t.Any, name: str) -> None:
    template, options, words = REFUSALS[name]
    made = world_with_new_pipelines(branches={"both": None}, tags={"both": None})
    made["projects"][0]["new_pipelines"] = {"*": {"jobs": [], **template}}
    simulator.load(made)
    result = run_task(simulator, PIPELINE, **{**RUN, **options})
    assert result.failure is not None and not result.changed and pipeline_effects(simulator) == []
    for word in words:
        assert word in result.failure
    if name == "ambiguous ref":
        assert run_task(simulator, PIPELINE, **{**RUN, **options}, ref_type="tag")["pipeline"]["tag"] is True


@pytest.mark.parametrize(
    ("project", "options", "words"),
    [
        ({"protected_refs": {"main": ["carol"]}}, {}, "ref is protected"),
        ({"variables_minimum_override_role": "no_one_allowed"}, {"variables": {"A": "b"}}, "use inputs"),
        ({"variables_minimum_override_role": "owner"}, {"trigger_token": TRIGGER}, "start it without trigger_token"),
        ({"builds_enabled": False}, {}, "CI/CD"),
        ({"archived": True}, {}, "unarchive"),
    ],
)
def test_project_settings_that_prevent_pipelines_are_reported(
    simulator: t.Any, project: dict[str, t.Any], options: dict[str, t.Any], words: str
) -> None:
    simulator.load(world_with_new_pipelines(**project))
    result = run_task(simulator, PIPELINE, **RUN, **options)
    assert result.failure is not None and words in result.failure and not result.changed
    assert pipeline_effects(simulator) == []


@pytest.mark.parametrize("who", ["carol-token-0123456789", "read-token-0123456789"])
def test_users_and_tokens_with_read_access_cannot_act(simulator: t.Any, who: str) -> None:
    simulator.load(world_with_new_pipelines(old=[{"name": "build", "status": "failed"}]))
    for options in (RUN, {"project": "group/app", "pipeline_id": 100, "action": "retry"}):
        result = run_task(simulator, PIPELINE, **options, token=who)
        assert result.failure is not None and not result.changed
        assert "Developer" in result.failure or "scope api" in result.failure
    assert pipeline_effects(simulator) == []


@pytest.mark.parametrize(("version", "words"), [("18.10", "422"), ("13.12", "failed at once")])
def test_failed_pipeline_of_a_trigger_token_is_returned(simulator: t.Any, version: str, words: str) -> None:
    made = world_with_new_pipelines()
    made["projects"][0]["new_pipelines"] = {"*": {"jobs": [], "yaml_errors": "jobs:build has no script"}}
    simulator.load(made, version=version)
    result = run_task(simulator, PIPELINE, **RUN, trigger_token=TRIGGER)
    assert result.failure is not None and words in result.failure and "has no script" in result.failure
    assert result.changed and (result["id"], result["status"]) == (101, "failed")
    assert pipeline_effects(simulator) == [("trigger_pipeline", 101)]


def test_pipeline_creation_limit_is_waited_for(simulator: t.Any) -> None:
    simulator.load(world_with_new_pipelines() | {"limits": {"pipelines_per_minute": 1}})
    results = [run_task(simulator, PIPELINE, **RUN, reuse="never") for _run in range(3)]
    assert [result.failure for result in results] == [None] * 3
    assert pipeline_effects(simulator) == [("create_pipeline", number) for number in (101, 102, 103)]
    late = run_task(simulator, PIPELINE, **RUN, reuse="never", wait_timeout=5)
    assert late.failure is not None and "Too many pipelines" in late.failure and len(pipeline_effects(simulator)) == 3


# ----- as a module -----


@pytest.mark.parametrize("run_mode", ["true", "false"])
def test_run_works_in_process_and_as_a_module(simulator: t.Any, tmp_path: pathlib.Path, run_mode: str) -> None:
    simulator.load(world_with_new_pipelines(*({**job, "duration": 0.5} for job in JOBS)), clock="real")
    options = {**RUN, "variables": {"SECRET": "variable-0123456789"}, "wait": True, "wait_interval": 0.2}
    tasks: list[dict[str, t.Any]] = [
        {"name": "check", "jobgate.gitlab.gitlab_pipeline": options, "check_mode": True},
        {"name": "run", "jobgate.gitlab.gitlab_pipeline": options},
        {"name": "same", "jobgate.gitlab.gitlab_pipeline": {**options, "reuse": "success"}},
        {
            "name": "trigger",
            "jobgate.gitlab.gitlab_pipeline": {**RUN, "trigger_token": TRIGGER, "wait": True, "wait_interval": 0.2},
        },
    ]
    done = play(
        tasks,
        tmp_path,
        "-vvv",
        url=simulator.url,
        environment={"JOBGATE_IN_PROCESS": run_mode},
        secrets=(TOKEN, TRIGGER, "variable-0123456789"),
    )
    assert done.returncode == 0, done.output
    assert done.results["check"]["changed"] and done.results["check"]["id"] is None
    assert done.results["run"]["changed"] and done.results["run"]["status"] == "success"
    assert not done.results["same"]["changed"] and done.results["same"]["id"] == done.results["run"]["id"]
    assert pipeline_effects(simulator) == [("create_pipeline", 101), ("trigger_pipeline", 102)]


@pytest.mark.parametrize("run_mode", ["true", "false"])
def test_retry_and_cancel_work_in_process_and_as_a_module(
    simulator: t.Any, tmp_path: pathlib.Path, run_mode: str
) -> None:
    simulator.load(world({"name": "deploy", "status": "failed", "duration": 3600}), clock="real")
    actions, rounds = ("retry", "cancel"), ("check", "run", "check again", "run again")
    tasks: list[dict[str, t.Any]] = []
    for action in actions:
        options = {"project": "group/app", "pipeline_id": 100, "action": action}
        for name in rounds:
            task = {"name": f"{action} {name}", "jobgate.gitlab.gitlab_pipeline": options, "diff": True}
            tasks.append({**task, "check_mode": name.startswith("check")})
    done = play(tasks, tmp_path, url=simulator.url, environment={"JOBGATE_IN_PROCESS": run_mode})
    assert done.returncode == 0, done.output
    changed = {name: result["changed"] for name, result in done.results.items()}
    for action in actions:
        assert [changed[f"{action} {name}"] for name in rounds] == [True, True, False, False]
        assert done.results[f"{action} check"]["msg"] == f"would {action} pipeline 100"
        assert "pipeline 100: " in done.results[f"{action} run"]["diff"]["after"]
    assert pipeline_effects(simulator) == [("retry_pipeline", 100), ("cancel_pipeline", 100)]


# ----- reading -----


def test_pipeline_info_returns_only_the_requested_parts(simulator: t.Any) -> None:
    tests = [{"name": "adds", "status": "failed", "output": "2 != 3"}, {"name": "prints"}]
    bridge = {"name": "infra", "stage": "test", "trigger": {"pipeline": {"ref": "main", "jobs": [{"name": "apply"}]}}}
    made = world(
        {"name": "unit", "status": "failed", "log": "adds failed\n", "tests": tests},
        {"name": "lint", "status": "success"},
        bridge,
        variables={"DEPLOY_TO": "staging"},
    )
    simulator.load(made)
    options: dict[str, t.Any] = {"project": "group/app", "ref": "main"}
    result = run_task(simulator, PIPELINE_INFO, **options, include=["variables", "test_report", "downstream", "jobs"])
    assert result.failure is None and not result.changed
    assert result["pipeline"]["id"] == 100 and result["pipeline"]["source"] == "push"
    assert [(job["name"], job["log_tail"]) for job in result["failed_jobs"]] == [("unit", ["adds failed"])]
    assert result["summary"] == {"failed": 1, "success": 1}
    assert [(row["key"], row["value"]) for row in result["variables"]] == [("DEPLOY_TO", "staging")]
    assert result["test_report"]["failed_count"] == 1
    assert {job["name"] for job in result["jobs"]} == {"unit", "lint"}
    assert [(row["path"], row["status"]) for row in result["downstream_pipelines"]] == [("infra", "pending")]

    little = run_task(simulator, PIPELINE_INFO, **options, fail_on=["failed"], log_lines=0)
    assert little.failure is not None and "pipeline 100" in little.failure and "job 'unit'" in little.failure
    assert little["failed_jobs"][0]["log_tail"] is None
    for name in ("variables", "test_report", "downstream_pipelines", "jobs"):
        assert little[name] is None


def test_waiting_for_a_missing_pipeline_times_out(simulator: t.Any) -> None:
    simulator.load(world_with_new_pipelines())
    options: dict[str, t.Any] = {"project": "group/app", "ref": "release", "wait": True, "wait_timeout": 30}
    result = run_task(simulator, PIPELINE_INFO, **options)
    assert result["timed_out"] and "there is no pipeline of ref release" in str(result.failure)
    assert result["pipeline"] is None
    assert run_task(simulator, PIPELINE_INFO, **options, on_timeout="continue").failure is None


def test_unreadable_variables_cause_a_warning(simulator: t.Any) -> None:
    simulator.load(world({"name": "build"}, user="alice"))
    result = run_task(simulator, PIPELINE_INFO, project="group/app", pipeline_id=100, include=["variables"], token=BOB)
    assert result.failure is None and result["variables"] is None
    assert any("variables" in warning for warning in result.warnings)


def test_pipeline_iid_is_refused_with_the_right_id(simulator: t.Any) -> None:
    simulator.load(world({"name": "build"}))
    for task, more in ((PIPELINE_INFO, {}), (PIPELINE, {"action": "cancel"})):
        result = run_task(simulator, task, project="group/app", pipeline_id=1, **more)
        assert result.failure is not None and "set pipeline_id: 100" in result.failure


# ----- the trigger-and-poll loop that the collection replaces -----


@pytest.mark.parametrize("outcome", ["success", "failed"])
def test_trigger_and_poll_example_works_as_the_guide_describes(
    simulator: t.Any, tmp_path: pathlib.Path, outcome: str
) -> None:
    """It does what the collection does, but starts a pipeline every time."""
    report = {"files": {"report.env": "PASSED=212\nTARGET=staging\n"}}
    jobs = [
        {"name": "unit", "stage": "test", "outcome": outcome, "log": "adds failed\n"},
        {"name": "report", "stage": "report", "artifacts": report},
    ]
    simulator.load(world_with_new_pipelines(*jobs), clock="scaled:60")
    example = ROOT / "docs" / "examples" / "trigger-and-poll.yml"
    playbook = tmp_path / example.name
    playbook.write_text(example.read_text(encoding="utf-8"), encoding="utf-8")
    # its results contain the token, despite no_log
    done = play(playbook, tmp_path, url=simulator.url, secrets=())
    assert done.returncode == (0 if outcome == "success" else 2), done.output
    assert ("212 tests have passed on staging" if outcome == "success" else "adds failed") in done.output
    if outcome == "success":
        play(playbook, tmp_path, url=simulator.url, secrets=())
        assert pipeline_effects(simulator) == [("create_pipeline", 101), ("create_pipeline", 102)]
