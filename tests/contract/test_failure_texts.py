# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Messages of failures are the same for modules and gates: the log, the jobs before, and the remedy."""

from __future__ import annotations

import re
import typing as t

import pytest

from tests.contract.gate_support import MAIN, WAIT_FOR_SUCCESS, check_and_run_gate_twice
from tests.contract.support import PLUGINS, ROOT
from tests.contract.test_release_gates import APP, OTHER, release, two_projects
from tests.integration.harness import ACTION, INFO, PIPELINE, PIPELINE_INFO, effects, run_task, world
from tests.unit.harness import Progress

Row = dict[str, t.Any]

BROKEN: Row = {"name": "test", "status": "failed", "failure_reason": "script_failure", "log": "one\ntwo\nE: three\n"}
LOG = ["two", "E: three"]


# ----- the guide to errors -----

# Words of composed errors, and the source code that composes them.
COMPOSED = {
    "cannot be played": "cannot be {self.participle}",
    "cannot be retried": "cannot be {self.participle}",
    "holds a deploy token": "holds {",
    "waits for a job to be played": "waits for {_manual(state)} to be played",
    "The user of the token has the Reporter role": "The user of the token has the {role} role",
}


def test_guide_to_errors_quotes_existing_messages() -> None:
    texts = [path.read_text(encoding="utf-8") for path in (PLUGINS / "module_utils").rglob("*.py")]
    code = re.sub(r'"\s*\n\s*f?"', "", "\n".join(texts))
    guide = (ROOT / "docs" / "docsite" / "rst" / "errors.rst").read_text(encoding="utf-8")
    words = [part for row in re.findall(r"\n   \* - (.+)\n     - ", guide) for part in row.split(", ")]
    assert [part for part in words if part != "What the error says" and COMPOSED.get(part, part) not in code] == []
    assert len(words) > 30


# ----- the log of a job for which an action is refused -----


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"action": "retry", "max_attempts": 2}, "it has already had 2 attempts, and max_attempts is 2"),
        ({"action": "retry", "retry_on": ["api_failure"]}, "it failed with script_failure, and retry_on allows only"),
        ({"action": "play"}, "its status is failed; use action retry"),
    ],
)
def test_refusal_shows_the_log_of_a_failed_job(simulator: t.Any, options: Row, words: str) -> None:
    simulator.load(world({**BROKEN, "retried": 1}))
    result = run_task(simulator, ACTION, **MAIN, name=["test"], log_lines=2, **{**WAIT_FOR_SUCCESS, **options})
    assert words in str(result.failure) and ". Its log ends with: E: three" in str(result.failure)
    assert result["jobs"][0]["log_tail"] == LOG
    gate = release(simulator, {"gates": [{"name": "test", **options}]}, log_lines=2)["gates"][0]
    assert (gate["outcome"], words in gate["reason"]) == ("refused", True)
    assert gate["reason"].endswith(". Its log ends with: E: three")
    assert effects(simulator) == []


def test_relevant_log_line_is_shown_for_jobs_and_pipelines(simulator: t.Any) -> None:
    simulator.load(world({**BROKEN, "log": f"{BROKEN['log']}ERROR: Job failed: exit code 1\n"}))
    job = run_task(simulator, ACTION, **MAIN, name=["test"], action="play")
    pipeline = run_task(simulator, PIPELINE_INFO, **MAIN, wait=True)
    assert "Its log ends with: E: three. " in str(job.failure)
    assert "The log of job 'test' (id 1000) ends with: E: three. " in str(pipeline.failure)


def test_refusal_of_a_job_that_did_not_fail_reads_no_log(simulator: t.Any) -> None:
    simulator.load(world({"name": "test", "status": "skipped"}))
    result = run_task(simulator, ACTION, **MAIN, name=["test"], action="retry", log_lines=2)
    assert "cannot be retried" in str(result.failure) and "log_tail" not in result["jobs"][0]


# ----- a job that was skipped -----


@pytest.mark.parametrize("action", ["play", "retry"])
def test_failed_jobs_before_a_skipped_job_are_named(simulator: t.Any, action: str) -> None:
    scenario = world(
        {"name": "build", "stage": "build", "id": 11, "status": "failed"},
        {"name": "lint", "stage": "build", "id": 12, "status": "failed", "allow_failure": True},
        {"name": "test", "stage": "build", "id": 13, "status": "canceled"},
        {"name": "other", "stage": "deploy", "id": 14, "status": "skipped"},
        {"name": "deploy", "stage": "deploy", "id": 15, "status": "skipped"},
    )
    scenario["pipelines"][0]["stages"] = ["build", "deploy"]
    simulator.load(scenario)
    words = (
        f"it was skipped, and GitLab does not {action} skipped jobs; retry the failed or canceled jobs before it: "
        "job 'build' (id 11) of stage build, job 'test' (id 13) of stage build"
    )
    result = run_task(simulator, ACTION, **MAIN, name=["deploy"], action=action)
    assert words in str(result.failure)
    for gate in check_and_run_gate_twice(simulator, {"name": "deploy", "action": action}):
        assert words in str(gate.failure)
    words = (
        "job 'deploy' (id 15) ended as skipped; failed or canceled before it: job 'build' (id 11) of stage build, job"
    )
    waited = {**WAIT_FOR_SUCCESS, "fail_on": ["skipped"]}
    assert words in str(run_task(simulator, INFO, **MAIN, name=["deploy"], **waited).failure)
    assert words in str(release(simulator, {"gates": [{"name": "deploy", "action": "wait"}]}).failure)


def test_skipped_job_without_earlier_failures_gets_general_advice(simulator: t.Any) -> None:
    simulator.load(world({"name": "deploy", "status": "skipped"}))
    result = run_task(simulator, ACTION, **MAIN, name=["deploy"], action="play")
    assert "check the jobs before it" in str(result.failure)


# ----- advice that the reader can follow -----


def test_wait_is_suggested_only_to_tasks_that_can_wait(simulator: t.Any) -> None:
    simulator.load(world({"name": "build"}))
    nowhere: Row = {"project": "group/app", "ref": "nope", "name": ["build"]}
    nightly = run_task(simulator, INFO, **{**nowhere, "ref": "main", "pipeline_source": ["schedule"]}).failure
    assert "with source schedule in project group/app; check ref and pipeline_source, start" in str(nightly)
    assert "use wait to wait for one" in str(run_task(simulator, INFO, **nowhere).failure)
    assert "use wait to wait for one" in str(run_task(simulator, ACTION, **nowhere, action="play").failure)
    gate = {"ref": "nope", "gates": [{"name": "build", "action": "verify"}]}
    refused = (
        run_task(simulator, INFO, **nowhere, check_mode=True, wait=True),
        run_task(simulator, ACTION, **nowhere, check_mode=True, wait=True, action="play"),
        release(simulator, gate),
    )
    for result in refused:
        assert "there is no pipeline of ref nope" in str(result.failure)
        assert "or start a pipeline" in str(result.failure) and "use wait" not in str(result.failure)


def test_gate_reason_does_not_mention_force(simulator: t.Any) -> None:
    simulator.load(world({"name": "a", "status": "success"}, {"name": "b", "status": "failed"}))
    result = release(simulator, {"gates": [{"name": ["a", "b"], "action": "retry"}]})
    assert result["gates"][0]["outcome"] == "retried" and effects(simulator) == [("retry", "b")]
    assert "force" not in result["gates"][0]["reason"]


# ----- the project and its pipeline -----


@pytest.mark.parametrize("project", ["group/app", "7"])
def test_gate_error_names_project_as_configured_and_pipeline_once(simulator: t.Any, project: str) -> None:
    simulator.load(world(stages=["build"]))
    gate = {"name": "biuld", "action": "wait", "wait_timeout": 6.0}
    progress = Progress(is_shown=True)
    result = release(simulator, {"project": project, "gates": [gate]}, progress=progress)
    text = str(result.failure)
    assert f"timed out after 6 s (wait_timeout): pipeline 100 of project {project} (source push, ref main" in text
    assert text.count("source push") == text.count("/-/pipelines/100") == 1
    assert f"waiting for job 'biuld' in pipeline 100 of project {project}" in " ".join(progress.others)


def test_progress_names_no_jobs_that_cannot_appear(simulator: t.Any) -> None:
    simulator.load(world({"name": "build", "status": "success"}))
    progress = Progress(is_shown=True)
    result = run_task(
        simulator, INFO, progress=progress, project="group/app", pipeline_id=100, name=["biuld"], wait=True
    )
    assert "did you mean 'build'" in str(result.failure)
    assert progress.others == []


def test_server_errors_name_the_project_as_configured(simulator: t.Any) -> None:
    simulator.load(world({"name": "build", "status": "failed"}))
    reporter = "carol-token-0123456789"
    result = run_task(simulator, ACTION, **MAIN, name=["build"], action="retry", token=reporter)
    assert "of project group/app" in str(result.failure) and "project 7" not in str(result.failure)
    gate = release(simulator, {"gates": [{"name": "build", "action": "retry"}]}, token=reporter)["gates"][0]
    assert "of project group/app" in gate["reason"] and "project 7" not in gate["reason"]


@pytest.mark.parametrize("selection", [{"job_id": 1000}, {"pipeline_id": 100, "name": ["build"]}])
def test_server_errors_name_the_project_for_selections_by_id(simulator: t.Any, selection: dict[str, t.Any]) -> None:
    simulator.load(world({"name": "build", "status": "failed"}))
    result = run_task(
        simulator, ACTION, project="group/app", **selection, action="retry", token="carol-token-0123456789"
    )
    assert "of project group/app" in str(result.failure) and "project 7" not in str(result.failure)


def test_errors_about_child_pipelines_name_the_project_as_given(simulator: t.Any) -> None:
    child = {"pipeline": {"jobs": [{"name": "build", "status": "failed"}]}}
    simulator.load(world({"name": "infra", "trigger": child}))
    given: Row = {"project": "group/app", "pipeline_id": 100, "name": ["infra/build"], "include_downstream": True}
    result = run_task(simulator, ACTION, **given, action="retry", token="carol-token-0123456789")
    assert "of project group/app" in str(result.failure) and "project 7" not in str(result.failure)


def test_errors_after_an_action_name_the_project_as_given(simulator: t.Any) -> None:
    simulator.load(world({"name": "build", "duration": 60}))
    simulator.inject("refused_401", method="GET", path="/jobs", nth=list(range(3, 100)), times=100)
    result = run_task(simulator, PIPELINE, project="group/app", pipeline_id=100, action="cancel", wait=True)
    assert result.changed and "could not be followed to its end" in str(result.failure)
    assert "of project group/app" in str(result.failure) and "project 7" not in str(result.failure)


def test_pipeline_url_is_separated_from_the_following_text(simulator: t.Any) -> None:
    simulator.load(two_projects({"status": "skipped"}, {"status": "skipped"}))
    text = str(release(simulator, APP, OTHER, strategy="collect").failure)
    assert "/group/app/-/pipelines/100); gate 'publish' of project 'other' did not open" in text


# ----- timeouts -----


def test_missing_runner_is_reported_alike_by_tasks_and_gates(simulator: t.Any) -> None:
    scenario = world({"name": "build", "id": 11, "queue": None, "tags": ["gpu"]})
    short: Row = {"wait_timeout": 3.0}
    words = "still pending; it requires a runner with the tag gpu"
    simulator.load(scenario)
    failures = [
        str(run_task(simulator, INFO, **MAIN, name=["build"], wait=True, **short).failure),
        str(release(simulator, {"gates": [{"name": "build", "action": "wait", **short}]}).failure),
        str(run_task(simulator, ACTION, **MAIN, name=["build"], action="play", wait=True, **short).failure),
    ]
    for text in failures:
        assert words in text
        assert text.endswith(
            f"{words}. Pipeline 100, source push, ref main, status pending ({simulator.url}/group/app/-/pipelines/100)"
        )


# ----- reasons for which jobs are retried -----


def test_misspelled_retry_reason_is_an_error(simulator: t.Any) -> None:
    simulator.load(world(BROKEN))
    given: Row = {"action": "retry", "retry_on": ["script_failure", "runner_sytem_failure"]}
    words = "retry_on contains 'runner_sytem_failure'; did you mean runner_system_failure?"
    assert run_task(simulator, ACTION, **MAIN, name=["test"], **given).failure == words
    assert release(simulator, {"gates": [{"name": "test", **given}]}).failure == (
        f"gate 1 of project 'group/app': {words}"
    )
    assert simulator.requests() == []


@pytest.mark.parametrize(
    ("reason", "hint"),
    [
        ("runner_failure", "Did you mean runner_system_failure?"),
        ("cosmic_rays", "Jobs are retried for it only if GitLab reports it."),
    ],
)
def test_unknown_retry_reason_causes_a_warning(simulator: t.Any, reason: str, hint: str) -> None:
    simulator.load(world({**BROKEN, "failure_reason": reason}))
    result = run_task(simulator, ACTION, **MAIN, name=["test"], action="retry", retry_on=[reason, "api_failure"])
    assert result.failure is None and effects(simulator) == [("retry", "test")]
    assert result.warnings == [
        f"retry_on contains {reason!r}, which is not a failure reason that this collection knows. {hint}"
    ]


# ----- progress while a gate waits -----


@pytest.mark.parametrize("gate", [{"action": "wait"}, {"action": "retry", "retry_on": ["api_failure"]}])
def test_progress_shows_a_job_that_failed_before_the_gate(simulator: t.Any, gate: Row) -> None:
    simulator.load(world(BROKEN))
    progress = Progress(is_shown=True)
    release(simulator, {"gates": [{"name": "test", **gate}]}, progress=progress)
    # shown in the color of failures
    assert (progress.lines[0], progress.others) == ("group/app test: failed (script_failure)", [])
