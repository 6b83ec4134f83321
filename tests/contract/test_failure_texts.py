# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Messages of failures are the same for modules and gates: the log, the jobs before, and the remedy."""

from __future__ import annotations

import re
import typing as t

import pytest

from tests.contract.gate_support import GREEN, MAIN, gated
from tests.contract.support import PLUGINS, ROOT
from tests.contract.test_release_gates import APP, OTHER, release, two_projects
from tests.integration.harness import ACTION, INFO, PIPELINE_INFO, effects, run_task, world
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


def test_the_guide_to_errors_has_their_words() -> None:
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
def test_a_refusal_shows_the_log_of_the_job_that_has_failed(simulator: t.Any, options: Row, words: str) -> None:
    simulator.load(world({**BROKEN, "retried": 1}))
    result = run_task(simulator, ACTION, **MAIN, name=["test"], log_lines=2, **{**GREEN, **options})
    assert words in str(result.failure) and ". Its log ends with: E: three" in str(result.failure)
    assert result["jobs"][0]["log_tail"] == LOG
    gate = release(simulator, {"gates": [{"name": "test", **options}]}, log_lines=2)["gates"][0]
    assert (gate["outcome"], words in gate["reason"]) == ("refused", True)
    assert gate["reason"].endswith(". Its log ends with: E: three")
    assert effects(simulator) == []


def test_the_line_that_tells_is_shown_of_a_pipeline_as_of_a_job(simulator: t.Any) -> None:
    simulator.load(world({**BROKEN, "log": f"{BROKEN['log']}ERROR: Job failed: exit code 1\n"}))
    job = run_task(simulator, ACTION, **MAIN, name=["test"], action="play")
    pipeline = run_task(simulator, PIPELINE_INFO, **MAIN, wait=True)
    assert "Its log ends with: E: three. " in str(job.failure)
    assert "The log of job 'test' (id 1000) ends with: E: three. " in str(pipeline.failure)


def test_a_refusal_for_a_job_that_has_not_failed_reads_no_log(simulator: t.Any) -> None:
    simulator.load(world({"name": "test", "status": "skipped"}))
    result = run_task(simulator, ACTION, **MAIN, name=["test"], action="retry", log_lines=2)
    assert "cannot be retried" in str(result.failure) and "log_tail" not in result["jobs"][0]


# ----- a job that was skipped -----


@pytest.mark.parametrize("action", ["play", "retry"])
def test_what_failed_before_a_skipped_job_is_named(simulator: t.Any, action: str) -> None:
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
    for gate in gated(simulator, {"name": "deploy", "action": action}):
        assert words in str(gate.failure)
    words = (
        "job 'deploy' (id 15) ended as skipped; failed or canceled before it: job 'build' (id 11) of stage build, job"
    )
    waited = {**GREEN, "fail_on": ["skipped"]}
    assert words in str(run_task(simulator, INFO, **MAIN, name=["deploy"], **waited).failure)
    assert words in str(release(simulator, {"gates": [{"name": "deploy", "action": "wait"}]}).failure)


def test_a_skipped_job_with_nothing_failed_before_it(simulator: t.Any) -> None:
    simulator.load(world({"name": "deploy", "status": "skipped"}))
    result = run_task(simulator, ACTION, **MAIN, name=["deploy"], action="play")
    assert "check the jobs before it" in str(result.failure)


# ----- advice that the reader can follow -----


def test_only_a_task_that_could_have_waited_is_told_to(simulator: t.Any) -> None:
    simulator.load(world({"name": "build"}))
    nowhere: Row = {"project": "group/app", "ref": "nope", "name": ["build"]}
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


def test_a_gate_is_not_told_of_the_option_force(simulator: t.Any) -> None:
    simulator.load(world({"name": "a", "status": "success"}, {"name": "b", "status": "failed"}))
    result = release(simulator, {"gates": [{"name": ["a", "b"], "action": "retry"}]})
    assert result["gates"][0]["outcome"] == "retried" and effects(simulator) == [("retry", "b")]
    assert "force" not in result["gates"][0]["reason"]


# ----- the project and its pipeline -----


@pytest.mark.parametrize("project", ["group/app", "7"])
def test_a_gate_names_the_project_as_the_user_does_and_its_pipeline_once(simulator: t.Any, project: str) -> None:
    simulator.load(world(stages=["build"]))
    gate = {"name": "biuld", "action": "wait", "wait_timeout": 6.0}
    progress = Progress(is_shown=True)
    result = release(simulator, {"project": project, "gates": [gate]}, progress=progress)
    text = str(result.failure)
    assert f"timed out after 6 s (wait_timeout): pipeline 100 of project {project} (source push, ref main" in text
    assert text.count("source push") == text.count("/-/pipelines/100") == 1
    assert f"waiting for job 'biuld' in pipeline 100 of project {project}" in " ".join(progress.others)


def test_nothing_is_said_to_be_waited_for_that_cannot_come(simulator: t.Any) -> None:
    simulator.load(world({"name": "build", "status": "success"}))
    progress = Progress(is_shown=True)
    result = run_task(
        simulator, INFO, progress=progress, project="group/app", pipeline_id=100, name=["biuld"], wait=True
    )
    assert "did you mean 'build'" in str(result.failure)
    assert progress.others == []


def test_errors_of_the_server_name_the_project_as_the_user_does(simulator: t.Any) -> None:
    simulator.load(world({"name": "build", "status": "failed"}))
    reporter = "carol-token-0123456789"
    result = run_task(simulator, ACTION, **MAIN, name=["build"], action="retry", token=reporter)
    assert "of project group/app" in str(result.failure) and "project 7" not in str(result.failure)
    gate = release(simulator, {"gates": [{"name": "build", "action": "retry"}]}, token=reporter)["gates"][0]
    assert "of project group/app" in gate["reason"] and "project 7" not in gate["reason"]


@pytest.mark.parametrize("way", [{"job_id": 1000}, {"pipeline_id": 100, "name": ["build"]}])
def test_they_do_so_with_an_id_as_well(simulator: t.Any, way: dict[str, t.Any]) -> None:
    simulator.load(world({"name": "build", "status": "failed"}))
    result = run_task(simulator, ACTION, project="group/app", **way, action="retry", token="carol-token-0123456789")
    assert "of project group/app" in str(result.failure) and "project 7" not in str(result.failure)


def test_nothing_is_glued_to_the_address_of_a_pipeline(simulator: t.Any) -> None:
    simulator.load(two_projects({"status": "skipped"}, {"status": "skipped"}))
    text = str(release(simulator, APP, OTHER, strategy="collect").failure)
    assert "/group/app/-/pipelines/100); gate 'publish' of project 'other' did not open" in text


# ----- timeouts -----


def test_a_job_that_waits_for_a_runner_is_told_alike(simulator: t.Any) -> None:
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


def test_a_misspelt_reason_is_an_error(simulator: t.Any) -> None:
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
def test_an_unknown_reason_is_a_warning_and_may_be_one_of_a_newer_server(
    simulator: t.Any, reason: str, hint: str
) -> None:
    simulator.load(world({**BROKEN, "failure_reason": reason}))
    result = run_task(simulator, ACTION, **MAIN, name=["test"], action="retry", retry_on=[reason, "api_failure"])
    assert result.failure is None and effects(simulator) == [("retry", "test")]
    assert result.warnings == [
        f"retry_on contains {reason!r}, which is not a failure reason that this collection knows. {hint}"
    ]


# ----- progress while a gate waits -----


@pytest.mark.parametrize("gate", [{"action": "wait"}, {"action": "retry", "retry_on": ["api_failure"]}])
def test_a_gate_whose_job_had_failed_before_has_a_line(simulator: t.Any, gate: Row) -> None:
    simulator.load(world(BROKEN))
    progress = Progress(is_shown=True)
    release(simulator, {"gates": [{"name": "test", **gate}]}, progress=progress)
    # shown in the color of failures
    assert (progress.lines[0], progress.others) == ("group/app test: failed (script_failure)", [])
