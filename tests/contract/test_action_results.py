# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Results of actions for users: failures that fit on a screen, the pipeline, and the predictions of check mode."""

from __future__ import annotations

import json
import typing as t

import pytest
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.outcome import Outcome
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.session import TaskContext

from tests.integration.harness import ACTION, INFO, TOKEN, Result, effects, run_task, world

MANUAL: dict[str, t.Any] = {"when": "manual", "allow_failure": False}
BROKEN: dict[str, t.Any] = {"name": "deploy", **MANUAL, "duration": 5, "outcome": "failed", "log": "one\nno space\n"}
FAILURE_FIELDS = {
    *("id", "name", "stage", "status", "failure_reason", "allow_failure", "web_url"),
    *("created_at", "started_at", "finished_at", "duration", "queued_duration", "log_tail"),
}


def act(simulator: t.Any, action: str = "play", **options: t.Any) -> Result:
    """Return the result of an action, by default on job deploy of branch main."""
    given = {"ref": "main", "name": ["deploy"], **options}
    return run_task(simulator, ACTION, project="group/app", action=action, **given)


def test_failed_job_is_returned_with_few_explaining_fields(simulator: t.Any) -> None:
    simulator.load(world(BROKEN))
    result = act(simulator, wait=True)
    assert result["job"] is None
    (job,) = result["jobs"]
    assert set(job) == FAILURE_FIELDS
    assert (job["status"], job["failure_reason"], job["log_tail"][-1]) == ("failed", "script_failure", "no space")
    assert len(json.dumps(result.values, indent=4).splitlines()) < 100
    # these values are short, so they stay
    assert (result["id"], result["status"], result["web_url"]) == (1000, "failed", job["web_url"])
    assert effects(simulator) == [("play", "deploy")]


def test_refused_job_is_returned_with_few_explaining_fields(simulator: t.Any) -> None:
    simulator.load(world({**BROKEN, "status": "skipped"}))
    result = act(simulator)
    assert result.failure and result["job"] is None
    assert set(result["jobs"][0]) <= FAILURE_FIELDS
    assert effects(simulator) == []


def test_misspelled_field_causes_a_warning(simulator: t.Any) -> None:
    simulator.load(world({"name": "deploy", **MANUAL}))
    result = act(simulator, fields=["id", "satus"])
    (warning,) = result.warnings
    assert warning.startswith("No job has the field 'satus': did you mean 'status'?")
    assert result["job"] == {"id": 1000} and effects(simulator) == [("play", "deploy")]
    assert act(simulator, fields=["id", "failure_reason"]).warnings == []


def test_fields_option_selects_returned_fields(simulator: t.Any) -> None:
    fields = ["id", "user.username", "nonsense"]
    simulator.load(world({"name": "deploy", **MANUAL}))
    result = act(simulator, fields=fields, wait=True)
    assert result["job"] == {"id": 1000, "user": {"username": "alice"}}
    assert result["jobs"] == [result["job"]]
    assert result["status"] == "success"
    simulator.load(world(BROKEN))
    result = act(simulator, fields=fields, wait=True)
    assert result["jobs"] == [{"id": 1000, "user": {"username": "alice"}, "log_tail": ["one", "no space"]}]


def test_success_returns_the_whole_job(simulator: t.Any) -> None:
    simulator.load(world({"name": "deploy", **MANUAL}))
    result = act(simulator, wait=True)
    assert result["job"]["pipeline"]["id"] == 100 and result["job"]["user"]["username"] == "alice"


@pytest.mark.parametrize(
    "chosen",
    [
        {},
        {"ref": None, "pipeline_id": 100},
        {"ref": None, "pipeline_id": 100, "include_downstream": True},
        {"ref": None, "name": [], "job_id": 1000},
    ],
)
def test_pipeline_is_returned_in_its_last_known_state(simulator: t.Any, chosen: dict[str, t.Any]) -> None:
    simulator.load(world({"name": "deploy", **MANUAL}, source="web"))
    options = {name: value for name, value in {"ref": "main", "name": ["deploy"], **chosen}.items() if value}
    result = run_task(simulator, ACTION, project="group/app", action="play", wait=True, **options)
    assert result.failure is None
    pipeline = result["pipeline"]
    shown = [pipeline[name] for name in ("id", "source", "ref", "status")]
    assert shown == [100, "web", "main", "success"]
    assert pipeline["web_url"].endswith("/group/app/-/pipelines/100")


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (
            {"name": ["depoly"]},
            "/group/app/-/pipelines/100): did you mean 'deploy'",
        ),
        ({"name": ["d*"]}, "2 jobs match name 'd*'"),
        ({"name": ["docs"]}, "job 'docs' (id 1001) cannot be played"),
    ],
)
def test_error_names_the_pipeline_once_unless_given_by_id(
    simulator: t.Any, options: dict[str, t.Any], words: str
) -> None:
    simulator.load(world({"name": "deploy", **MANUAL}, {"name": "docs", "status": "skipped"}, source="web"))
    text = str(act(simulator, **options).failure)
    assert words in text
    assert text.lower().count("pipeline 100, source web, ref main") == 1
    assert "/group/app/-/pipelines/100" in text and ".." not in text
    # with pipeline_id, users already know the pipeline
    text = str(act(simulator, **{**options, "ref": None, "pipeline_id": 100}).failure)
    assert "Pipeline 100," not in text
    assert effects(simulator) == []


def outcome(simulator: t.Any, action: str, *, check_mode: bool, **options: t.Any) -> Outcome:
    """Return the outcome of an action that succeeds."""
    defaults = {name: option.get("default") for name, option in ACTION.spec.arguments.items()}
    given = {"api_url": simulator.url, "api_token": TOKEN, "project": "group/app", "ref": "main", "action": action}
    found = ACTION.run({**defaults, **given, **options}, TaskContext(check_mode=check_mode, environ={}))
    assert found.failure is None
    return found


def message(simulator: t.Any, action: str, **options: t.Any) -> str:
    """Return the message of check mode."""
    return outcome(simulator, action, check_mode=True, **options).message


def test_check_mode_predicts_the_action(simulator: t.Any) -> None:
    simulator.load(
        world(
            {"name": "deploy", **MANUAL},
            {"name": "docs", **MANUAL},
            {"name": "built", "status": "success", "artifacts": {"expire_in": 86400}},
            {"name": "done", "status": "success"},
        )
    )
    assert message(simulator, "play", name=["deploy"]) == "would play job 'deploy' (id 1000)"
    several = message(simulator, "play", name=["d*"], multiple="all")
    assert several == (
        "would play job 'docs' (id 1001) and job 'deploy' (id 1000); would leave job 'done' (id 1003) alone: it has "
        "already succeeded"
    )
    assert message(simulator, "retry", name=["done"]).startswith("would leave job 'done' (id 1003) alone: ")
    nothing = message(simulator, "cancel", scope=["running"], multiple="all")
    assert nothing == "would do nothing because no job is selected"
    assert effects(simulator) == []


@pytest.mark.parametrize(
    ("action", "scope", "wait", "is_warned"),
    [
        ("play", ["manual"], True, True),
        ("play", ["manual"], False, False),
        ("play", ["failed", "manual"], True, True),
        ("retry", ["failed"], True, False),
        ("cancel", ["pending"], True, False),
        ("erase", ["failed"], False, False),
        ("keep_artifacts", ["failed"], False, False),
        ("delete_artifacts", ["failed"], False, False),
    ],
)
@pytest.mark.parametrize("check_mode", [False, True], ids=["run", "check"])
def test_scope_without_created_jobs_warns_when_play_waits(
    simulator: t.Any, action: str, scope: list[str], wait: bool, is_warned: bool, check_mode: bool
) -> None:
    build = {"name": "build", "stage": "build", "duration": 900}
    done = {"name": "done", "stage": "build", "status": "success"}
    simulator.load(world(build, done, {"name": "deploy", "stage": "deploy", "when": "manual"}))
    how = {"name": ["deploy", "done"], "multiple": "all", "scope": scope, "wait": wait, "check_mode": check_mode}
    result = run_task(simulator, ACTION, project="group/app", ref="main", action=action, **how)
    assert (result.failure, result.changed, result.values["jobs"], effects(simulator)) == (None, False, [], [])
    warnings = [text for text in result.warnings if "omit it to wait until a job can be acted on" in text]
    assert len(warnings) == is_warned
    assert all(text.startswith("No job of ") and "found 1 created, 1 success" in text for text in warnings)


def test_check_mode_predicts_the_deletion_of_artifacts(simulator: t.Any) -> None:
    simulator.load(world({"name": "build", "status": "success", "artifacts": {"files": {"a.txt": "a"}}}))
    text = message(simulator, "delete_artifacts", name=["build"])
    assert text == "would delete the artifacts of job 'build' (id 1000)"
    text = message(simulator, "delete_artifacts", whole_project=True, ref=None)
    assert text == "would delete the artifacts of all jobs of project group/app"
    assert effects(simulator) == []


def test_old_server_cannot_delete_artifacts(simulator: t.Any) -> None:
    job = {"name": "build", "status": "success", "artifacts": {"files": {"a.txt": "a"}}}
    simulator.load(world(job), version="11.8")
    result = run_task(simulator, ACTION, project="group/app", ref="main", name=["build"], action="delete_artifacts")
    assert 'GitLab says "405 Not Allowed"' in str(result.failure)
    assert "This GitLab is too old for this request" in str(result.failure)
    assert not result.changed and effects(simulator) == []


@pytest.mark.parametrize(
    ("action", "done"),
    [
        ("erase", "the job erased"),
        ("keep_artifacts", "the artifacts of the job kept"),
        ("delete_artifacts", "the artifacts of the job deleted"),
    ],
)
def test_diff_shows_actions_that_keep_the_status(simulator: t.Any, action: str, done: str) -> None:
    artifacts = {"files": {"a.txt": "a"}, "expire_in": 86400}
    simulator.load(world({"name": "build", "status": "success", "artifacts": artifacts}, {"name": "none"}))
    line = "build: success (id 1000)"
    steps = [(True, True, 0), (False, True, 1), (True, False, 1), (False, False, 1)]
    for check_mode, is_changed, writes in steps:
        found = outcome(simulator, action, name=["build"], check_mode=check_mode)
        after = f"{line}, {done}\n" if is_changed else f"{line}\n"
        assert (found.changed, found.diff) == (is_changed, {"before": f"{line}\n", "after": after})
        assert effects(simulator) == [(action, "build")] * writes


def test_message_is_returned_only_in_check_mode(simulator: t.Any) -> None:
    simulator.load(world({"name": "deploy", **MANUAL}))
    assert "msg" not in act(simulator).values


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize(
    ("action", "more"), [("play", {"replay": "always"}), ("retry", {"force": True}), ("retry", {"max_attempts": 3})]
)
def test_wait_ignores_the_end_of_the_previous_attempt(
    simulator: t.Any, action: str, more: dict[str, t.Any], count: int
) -> None:
    """A lagging database replica lists the old attempt as the newest one."""
    status = "success" if more.get("force") or action == "play" else "failed"
    job = {**(MANUAL if action == "play" else {}), "status": status, "duration": 30}
    simulator.load(world(*({"name": f"deploy {number}", **job} for number in range(count))))
    old = run_task(simulator, INFO, project="group/app", pipeline_id=100)["jobs"]
    simulator.inject(kind="wrong_json", body=old, endpoint="list_pipeline_jobs", nth=[2])
    result = act(simulator, action, name=["deploy*"], multiple="all", wait=True, wait_timeout=100.0, **more)
    assert (result.failure, result.changed) == (None, True) and result.seconds > 30
    assert simulator.faults()["rules"][0]["struck"] == 1
    assert {entry["after"]["id"] for entry in result["results"]} == {1000 + count + number for number in range(count)}
    assert len(effects(simulator)) == count


@pytest.mark.parametrize("lacks", [[], [1000, 1001]])
@pytest.mark.parametrize(("stale_until", "failure"), [(8, None), (100, "timed out after 200 s (wait_timeout)")])
def test_wait_continues_while_job_lists_are_stale(
    simulator: t.Any, lacks: list[int], stale_until: int, failure: str | None
) -> None:
    """The new attempts are polled until the timeout, and their end is reported."""
    failed = {"status": "failed", "duration": 30, "outcome": "success"}
    simulator.load(world(*({"name": f"test {number}", **failed} for number in range(2))))
    listed = run_task(simulator, INFO, project="group/app", pipeline_id=100)["jobs"]
    old = [job for job in listed if job["id"] not in lacks]
    simulator.inject(kind="wrong_json", body=old, endpoint="list_pipeline_jobs", nth=list(range(2, stale_until)))
    result = act(simulator, "retry", name=["test*"], multiple="all", wait=True, wait_timeout=200.0)
    assert (result.changed, result["timed_out"], len(effects(simulator))) == (True, failure is not None, 2)
    assert failure in str(result.failure) if failure else result.failure is None
    status = "pending" if failure else "success"
    assert {(entry["after"]["id"], entry["after"]["status"]) for entry in result["results"]} == {
        (1002, status),
        (1003, status),
    }
