# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A gate whose job was retried reports it with the failure reasons, whoever retried the job."""

from __future__ import annotations

import json
import pathlib
import typing as t

import pytest
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.client import ApiClient
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.errors import GitLabError

from tests.contract.test_release_gates import MANUAL, Row, release
from tests.contract.test_release_record import TREE
from tests.integration.harness import INFO, Result, effects, run_task, world


def flaky(*reasons: str, end: str = "success", **job: t.Any) -> Row:
    """Return a job with one failed attempt for each of these reasons, and a last attempt that ends otherwise."""
    failures = [{"outcome": "failed", "failure_reason": reason, "duration": 5} for reason in reasons]
    return {"name": "flaky", "attempts": [*failures, {"outcome": end, "duration": 5}], **job}


def outcomes_and_reasons(result: Result) -> list[tuple[str, str]]:
    """Return the outcome and the reason of each gate."""
    return [(gate["outcome"], gate["reason"]) for gate in result["gates"]]


WAIT: Row = {"name": "flaky", "action": "wait"}


@pytest.mark.parametrize(
    ("reasons", "words"),
    [
        (["script_failure"], "script_failure"),
        (["runner_system_failure", "script_failure"], "runner_system_failure and script_failure"),
        (["script_failure", "script_failure"], "script_failure (2 times)"),
    ],
)
def test_retry_by_gitlab_is_reported_with_reasons(
    simulator: t.Any, tmp_path: pathlib.Path, reasons: list[str], words: str
) -> None:
    simulator.load(world(flaky(*reasons, retry=2)))
    files = {"record": str(tmp_path / "record.json"), "report": str(tmp_path / "report.html")}
    result = release(simulator, {"gates": [WAIT]}, **files)
    reason = f"flaky was retried after {words}"
    assert outcomes_and_reasons(result) == [("passed", reason)] and effects(simulator) == []
    assert result["summary"] == [f"group/app: wait flaky: passed ({reason})"]
    record = json.loads((tmp_path / "record.json").read_text(encoding="utf-8"))
    assert record["projects"][0]["gates"][0]["reason"] == reason
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert reason in page and f"attempt {len(reasons) + 1}" in page


def test_retry_of_a_canceled_job_is_reported_with_its_status(simulator: t.Any) -> None:
    simulator.load(world(flaky(status="canceled")))
    result = release(simulator, {"gates": [{**WAIT, "action": "retry"}]})
    assert outcomes_and_reasons(result) == [("retried", "flaky was retried after status canceled")]


def test_retry_by_the_gate_is_reported_with_reasons(simulator: t.Any) -> None:
    simulator.load(world(flaky("api_failure", "script_failure")))
    gate = {"name": "flaky", "action": "retry", "max_attempts": 3}
    runs = [release(simulator, {"gates": [gate]}, check_mode=check) for check in (True, False, True, False)]
    assert [outcomes_and_reasons(run) for run in runs] == [
        [("would be waited for", "job 'flaky' (id 1000) is pending")],
        [("retried", "flaky was retried after api_failure and script_failure")],
        [("passed", "")],
        [("passed", "")],
    ]
    assert effects(simulator) == [("retry", "flaky")] * 2


def test_retry_after_play_is_reported(simulator: t.Any) -> None:
    simulator.load(world(flaky("script_failure", **MANUAL)))
    result = release(simulator, {"gates": [{"name": "flaky", "action": "play", "max_attempts": 2}]})
    assert outcomes_and_reasons(result) == [("played", "flaky was retried after script_failure")]
    assert effects(simulator) == [("play", "flaky"), ("retry", "flaky")]


@pytest.mark.parametrize("gate", [{"action": "wait"}, {"action": "retry", "max_attempts": 2}])
def test_failure_despite_retries_is_reported(simulator: t.Any, gate: Row) -> None:
    retry = {"retry": 1} if gate["action"] == "wait" else {}
    simulator.load(world(flaky("script_failure", end="failed", log="no space\n", **retry)))
    result = release(simulator, {"gates": [{**WAIT, **gate}]})
    ((outcome, reason),) = outcomes_and_reasons(result)
    assert outcome == "failed" and reason.startswith("flaky was retried after script_failure; job 'flaky' (id 1001) ")
    assert reason.endswith("Its log ends with: no space") and reason in str(result.failure)


def test_jobs_without_retries_cost_no_extra_request(simulator: t.Any) -> None:
    simulator.load(world({"name": "flaky", "duration": 60}))
    assert outcomes_and_reasons(release(simulator, {"gates": [WAIT]})) == [("passed", "")]
    assert not any("include_retried" in request["query"] for request in simulator.requests())


def test_retry_is_reported_without_reason_if_attempts_are_unreadable(
    simulator: t.Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    iterate = ApiClient.iterate

    def without_earlier_attempts(client: ApiClient, name: str, **arguments: t.Any) -> t.Iterator[t.Any]:
        if arguments.get("include_retried"):
            raise GitLabError("it is away")
        return iterate(client, name, **arguments)

    simulator.load(world(flaky("script_failure", retry=1)))
    with monkeypatch.context() as patch:
        patch.setattr(ApiClient, "iterate", without_earlier_attempts)
        assert outcomes_and_reasons(release(simulator, {"gates": [WAIT]})) == [("passed", "flaky was retried")]
    # a server that does not show earlier attempts
    simulator.load(world(flaky("script_failure", retry=1)), version="13.8")
    assert outcomes_and_reasons(release(simulator, {"gates": [WAIT]})) == [("passed", "flaky was retried")]


@pytest.mark.parametrize(
    ("action", "end"),
    [
        ("verify", "is failed"),
        ("wait", "ended as failed"),
        ("play", "its status is failed"),
        ("retry", "ended as failed"),
    ],
)
@pytest.mark.parametrize("stale_polls", [1, 100])
@pytest.mark.parametrize("is_of_one_project", [True, False])
def test_gate_stays_closed_on_an_older_attempt_than_already_seen(
    simulator: t.Any, action: str, end: str, stale_polls: int, is_of_one_project: bool
) -> None:
    """A lagging database replica shows an older attempt, which succeeded although the newest attempt failed."""
    scenario = world({"name": "deploy", **MANUAL, "status": "success", "outcome": "failed", "duration": 5})
    replay = {"name": "deploy", "action": "play", "replay": "always", "require": "finished"}
    simulator.load(scenario)
    old = run_task(simulator, INFO, project="group/app", pipeline_id=100)["jobs"]
    simulator.clear_logs()
    assert release(simulator, {"gates": [replay]}).failure is None
    # the next gate makes the requests after these
    lists = sum(request["endpoint"] == "list_pipeline_jobs" for request in simulator.requests())
    simulator.load(scenario)
    nth = list(range(lists + 1, lists + 1 + stale_polls))
    simulator.inject(kind="wrong_json", body=old, endpoint="list_pipeline_jobs", nth=nth)
    then = {"name": "deploy", "action": action}
    projects: list[Row] = [{"gates": [replay]}, {"name": "again", "needs": ["group/app"], "gates": [then]}]
    result = release(simulator, *([{"gates": [replay, then]}] if is_of_one_project else projects))
    assert simulator.faults()["rules"][0]["struck"]
    assert [gate["outcome"] for gate in result["gates"]][0] == "played"
    assert (end if stale_polls == 1 else "but another gate has seen a newer attempt of it") in str(result.failure)


def test_jobs_with_equal_paths_are_not_attempts_of_each_other(simulator: t.Any) -> None:
    """The name of one job is the path of the other."""
    below = {"name": "linux", "trigger": {"pipeline": {"jobs": [{"name": "deploy", "status": "success"}]}}}
    simulator.load(world({"name": "linux/deploy", "status": "success"}, below))
    simulator.advance(60)
    result = release(simulator, {"gates": [{"name": "linux/*", "action": "wait"}]})
    assert outcomes_and_reasons(result) == [("passed", "")] and len(result["gates"][0]["jobs"]) == 2


def test_retried_trigger_job_is_reported(simulator: t.Any) -> None:
    simulator.load(world({"name": "infra", "trigger": TREE, "status": "failed"}))
    result = release(simulator, {"gates": [{"name": "infra", "action": "retry", "require": "finished"}]})
    assert outcomes_and_reasons(result) == [("retried", "infra was retried")]


def test_reason_lists_the_first_of_many_retried_jobs(simulator: t.Any) -> None:
    jobs = [flaky("script_failure", retry=1) | {"name": f"flaky-{number:02}"} for number in range(14)]
    simulator.load(world(*jobs))
    ((outcome, reason),) = outcomes_and_reasons(release(simulator, {"gates": [{"name": "flaky-*", "action": "wait"}]}))
    assert outcome == "passed" and reason.count("was retried after script_failure") == 12
    assert reason.endswith("; and 2 more, 14 in all")
