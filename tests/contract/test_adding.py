# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Add a new action and a new status with only the steps in CONTRIBUTING, and use them.

Each step changes one table for the duration of a test. If other code needs to know an action or a status, a test here
fails. Then move that knowledge into the row instead of adding a step.
"""

from __future__ import annotations

import dataclasses
import importlib
import pathlib
import re
import typing as t

import pytest
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import fragment_loader
from ansible.utils.plugin_docs import get_docstring
from ansible_collections.jobgate.gitlab.plugins.module_utils._api import catalogue
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.endpoints import Endpoint
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.actions.actions import ACTIONS, Action, Advice
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.actions.decisions import ActionRequest, refuse
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.fields import status_of
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.jobs.statuses import STATUSES, Status
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.outcome import Progress
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.report.parts import state, tone
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.session import TaskContext
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.writes.decision import Decision
from ansible_collections.jobgate.gitlab.plugins.module_utils._tasks import gitlab_job_action
from ansible_collections.jobgate.gitlab.plugins.module_utils._tasks.definition import TaskDefinition

from tests.contract.support import COLLECTION, PLUGINS, ROOT, validated
from tests.contract.test_options_documented import comparable_all
from tests.contract.test_release_gates import release
from tests.integration.harness import ACTION, INFO, TOKEN, Result, SimulatedTime, effects, run_task, world
from tests.simulator_tests.test_additions import unschedule

Record = dict[str, t.Any]

# ----- a new action: the three steps -----

# 1. the row in the catalogue
ENDPOINT = Endpoint(
    "unschedule_job",
    "POST",
    "/projects/{project}/jobs/{job_id}/unschedule",
    shape={"id": int, "name": str, "status": str},
    doc_url="https://docs.gitlab.com/api/jobs/#unschedule-a-job",
)


def _blocked(status: str, job: Record, request: ActionRequest) -> Decision:
    return Decision("act") if status == "scheduled" else Decision("same", "it has no timer")


_NO_TIMER = refuse("its status is {status}, and only a scheduled job has a timer")

# 2. the row of the action
UNSCHEDULE = Action(
    name="unschedule",
    endpoint="unschedule_job",
    participle="unscheduled",
    cells={
        "created": _NO_TIMER,
        "blocked": _blocked,
        "active": _NO_TIMER,
        "canceling": _NO_TIMER,
        "success": _NO_TIMER,
        "ended": _NO_TIMER,
        "skipped": _NO_TIMER,
    },
    effect=lambda before, after: (status_of(before), status_of(after)) == ("scheduled", "manual"),
    status_after="manual",
    is_lost_by_archiving=True,
    forbidden=("the timer is that of somebody else",),
)

# 3. the documentation of the option
DOCUMENTED = ("      - delete_artifacts\n", "      - delete_artifacts\n      - unschedule\n")


@pytest.fixture(name="task")
def task_fixture(monkeypatch: pytest.MonkeyPatch) -> t.Iterator[TaskDefinition]:
    """Apply steps 1 and 2, and yield the resulting task."""
    with monkeypatch.context() as patch:
        patch.setattr(catalogue, "CATALOGUE", (*catalogue.CATALOGUE, ENDPOINT))
        patch.setitem(ACTIONS, UNSCHEDULE.name, UNSCHEDULE)
        # the choices of an option are computed when its module is imported
        loaded = dict(vars(gitlab_job_action))
        yield importlib.reload(gitlab_job_action).TASK
    # do not reload it again, because other tests compare the original task
    vars(gitlab_job_action).update(loaded)


# ----- a server for it -----


@pytest.fixture(name="server")
def server_fixture(simulator: t.Any) -> t.Any:
    """Return a future server, with the route `unschedule` and the status `paused`, which counts as manual."""
    path = "/projects/:id/jobs/:job_id/unschedule"
    simulator.routes.add("POST", path, unschedule, name="unschedule_job")
    simulator.statuses.add("paused", like="manual")
    return simulator


def load(server: t.Any, status: str, *more: str) -> None:
    """Load a pipeline with a job `deploy` of this status, a job for each further status, and a job that never ends."""
    names = {"deploy": status, **{f"deploy-{number}": other for number, other in enumerate(more)}}
    jobs = [{"name": name, "stage": "deploy", "when": "delayed", "start_in": 1_000_000} for name in names]
    server.load(world({"name": "build", "stage": "build", "status": "running", "outcome": "hang"}, *jobs))
    for name, wanted in names.items():
        server.set_job(name, status=wanted)


def run(server: t.Any, task: TaskDefinition, action: str = "", *, check_mode: bool = False, **options: t.Any) -> Result:
    given = {"project": "group/app", "pipeline_id": 100, "name": ["deploy"], **options}
    return run_task(server, task, check_mode=check_mode, **({**given, "action": action} if action else given))


def check_run_check_run(server: t.Any, task: TaskDefinition, action: str) -> list[Result]:
    """Check, run, check and run an action, and return the results; only the second may have an effect."""
    results = []
    for check_mode, count in ((True, 0), (False, 1), (True, 1), (False, 1)):
        results.append(run(server, task, action, check_mode=check_mode))
        assert effects(server) == [(action, "deploy")] * count
        assert len(server.writes()) == count
    return results


# ----- the action -----


def test_new_action_is_predicted_then_applied_once(server: t.Any, task: TaskDefinition) -> None:
    load(server, "scheduled")
    first_check, first, second_check, second = check_run_check_run(server, task, "unschedule")
    assert [result.failure for result in (first_check, first, second_check, second)] == [None] * 4
    assert [result.changed for result in (first_check, first, second_check, second)] == [True, True, False, False]
    assert first_check["results"][0]["after"] == first["results"][0]["after"]
    assert first["results"][0]["after"]["status"] == server.job("deploy")["status"] == "manual"
    assert second["results"][0]["reason"] == "it has no timer"


@pytest.mark.parametrize("check_mode", [True, False])
def test_new_action_is_refused_with_its_own_reason(server: t.Any, task: TaskDefinition, check_mode: bool) -> None:
    load(server, "pending")
    result = run(server, task, "unschedule", check_mode=check_mode)
    assert (result.changed, effects(server)) == (False, [])
    assert result.failure is not None
    assert "cannot be unscheduled: its status is pending, and only a scheduled job has a timer" in result.failure


@pytest.mark.parametrize("preset", ["reset_after", "error_500_after"])
def test_new_action_is_applied_once_after_a_lost_answer(server: t.Any, task: TaskDefinition, preset: str) -> None:
    load(server, "scheduled")
    server.inject(preset, method="POST", times=1)
    result = run(server, task, "unschedule")
    assert (result.failure, result.changed, effects(server)) == (None, True, [("unschedule", "deploy")])


def test_new_action_explains_a_403_with_its_own_reasons(server: t.Any, task: TaskDefinition) -> None:
    load(server, "scheduled")
    server.inject(method="POST", status=403, body={"message": "403 Forbidden"})
    result = run(server, task, "unschedule")
    assert result.failure is not None and UNSCHEDULE.forbidden[0] in result.failure


def test_new_action_is_refused_for_archived_jobs(server: t.Any, task: TaskDefinition) -> None:
    load(server, "scheduled")
    server.set_job("deploy", archived=True)
    result = run(server, task, "unschedule")
    assert result.failure is not None
    assert "archived jobs cannot be played, retried, kept or unscheduled; start a new pipeline" in result.failure


def test_new_action_rejects_options_of_other_actions(server: t.Any, task: TaskDefinition) -> None:
    load(server, "scheduled")
    result = run(server, task, "unschedule", force=True)
    assert (result.failure, effects(server)) == ("force can only be used with retry and cancel", [])


def test_new_action_is_a_documented_choice(task: TaskDefinition, tmp_path: pathlib.Path) -> None:
    options = {"project": "group/app", "pipeline_id": 1, "name": ["a"], "action": "unschedule"}
    assert validated(task, options)["action"] == "unschedule"
    with pytest.raises(AssertionError, match="value of action must be one of"):
        validated(ACTION, options)

    source = (PLUGINS / "modules" / "gitlab_job_action.py").read_text(encoding="utf-8")
    assert source.count(DOCUMENTED[0]) == 1
    changed = tmp_path / "gitlab_job_action.py"
    changed.write_text(source.replace(*DOCUMENTED), encoding="utf-8")
    doc = get_docstring(str(changed), fragment_loader, collection_name=COLLECTION, plugin_type="module")[0]
    documented = comparable_all(DataLoader().load(doc)["options"] if isinstance(doc, str) else doc["options"])
    assert documented == comparable_all(task.spec.arguments)
    assert documented != comparable_all(ACTION.spec.arguments)


# ----- a new status: the one step -----

PAUSED = Status(
    "paused",
    "blocked",
    "active",
    "still",
    "‖",
    blocker="waits to be resumed",
    is_young=True,
)


@pytest.fixture(name="paused_status")
def paused_status_fixture(monkeypatch: pytest.MonkeyPatch) -> None:
    """Apply the step."""
    monkeypatch.setitem(STATUSES, PAUSED.name, PAUSED)


@pytest.mark.usefixtures("paused_status")
def test_job_with_a_new_status_is_canceled_once(server: t.Any) -> None:
    load(server, "paused")
    results = check_run_check_run(server, ACTION, "cancel")
    assert [(result.failure, result.changed) for result in results] == [
        (None, True),
        (None, True),
        (None, False),
        (None, False),
    ]
    assert server.job("deploy")["status"] == "canceled"


@pytest.mark.usefixtures("paused_status")
def test_new_status_is_a_scope_and_can_be_waited_for(server: t.Any) -> None:
    load(server, "paused", "pending")
    result = run(server, INFO, name=None, scope=["paused"])
    assert [job["name"] for job in result["jobs"]] == ["deploy"]
    result = run(server, INFO, wait=True, wait_for=["paused"])
    assert (result.failure, result.warnings, result["timed_out"], result.seconds) == (None, [], False, 0)
    result = run(server, INFO, wait=True, wait_for=["started"], wait_timeout=30.0)
    assert (result["timed_out"], result.warnings) == (True, [])


@pytest.mark.usefixtures("paused_status")
def test_new_status_is_shown_in_progress_and_report(server: t.Any) -> None:
    lines: list[str] = []

    class RecordingProgress(Progress):
        is_shown = True

        def show(self, line: str, *, status: str = "") -> None:
            lines.append(line)

    load(server, "paused")
    options = {"project": "group/app", "pipeline_id": 100, "name": ["deploy"], "wait": True, "wait_timeout": 30.0}
    context = TaskContext(clock=SimulatedTime(server), progress=RecordingProgress(), environ={})
    INFO.run({**validated(INFO, options), "api_url": server.url, "api_token": TOKEN}, context)
    assert lines == ["group/app deploy: waits to be resumed"]
    assert tone("paused") == "still"
    assert "‖" in state("paused") and "paused" in state("paused")


@pytest.mark.usefixtures("paused_status")
def test_new_status_is_omitted_for_servers_that_reject_it(simulator: t.Any) -> None:
    jobs: list[Record] = [{"name": f"job-{number}", "duration": 100} for number in range(40)]
    simulator.load(world(*jobs))
    result = run(simulator, INFO, name=None, wait=True)
    assert (result.failure, result["summary"]) == (None, {"success": 40})
    statuses = [request["status"] for request in simulator.requests() if "scope" in request["query"]]
    refusals = statuses.count(400)
    # after its refusal it is omitted, together with other statuses that the server does not know
    assert statuses == [400] * refusals + [200] * (len(statuses) - refusals)
    assert 1 <= refusals < len(statuses)


def test_new_unsuccessful_status_fails_gates_and_suggests_a_retry(
    simulator: t.Any, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    simulator.statuses.add("dropped", like="failed")
    monkeypatch.setitem(STATUSES, "dropped", Status("dropped", "finished", "ended", "bad", "✗"))
    load(simulator, "dropped")
    page = tmp_path / "report.html"
    project = {"gates": [{"name": ["deploy"], "action": "wait"}]}
    result = release(simulator, project, report=str(page))
    assert " ended as dropped. " in str(result.failure)
    assert "action&quot;: &quot;retry" in page.read_text(encoding="utf-8")


def test_every_field_of_a_row_is_read() -> None:
    """A field that no code reads does not belong in a row, because nothing would show that it is wrong."""
    sources = "\n".join(path.read_text(encoding="utf-8") for path in (PLUGINS / "module_utils").rglob("*.py"))
    fields = [field.name for row in (Action, Status, Advice) for field in dataclasses.fields(row)]
    assert [field for field in fields if f".{field}" not in sources] == []


# ----- a status without a row -----


def test_actions_refuse_jobs_with_an_unknown_status(server: t.Any) -> None:
    load(server, "paused")
    for check_mode in (True, False):
        for action in ACTIONS:
            result = run(server, ACTION, action, check_mode=check_mode)
            assert result.failure is not None
            assert "this collection does not know its status 'paused'; nothing was done" in result.failure
    assert server.writes() == []


def test_unknown_status_counts_as_unfinished_and_causes_one_warning(server: t.Any) -> None:
    load(server, "paused", "paused", "paused")
    result = run(server, INFO, name=["deploy*"], wait=True, wait_timeout=60.0)
    assert (result["timed_out"], result["summary"]) == (True, {"paused": 3})
    assert result.seconds == 60
    assert result.warnings == [
        "GitLab reports the job status 'paused', which this collection does not know. It counts as not finished."
    ]
    for name in ("deploy", "deploy-0", "deploy-1"):
        server.set_job(name, status="success")
    result = run(server, INFO, name=["deploy*"], wait=True)
    assert (result.failure, result["summary"], result.seconds) == (None, {"success": 3}, 0)


# ----- the text of CONTRIBUTING -----

# a file, followed by names in it in parentheses
FILE = re.compile(r"`([\w/]+\.py)`(?: \(((?:`[\w.]+`(?:, )?)+)\))?")


def test_files_and_names_in_contributing_exist() -> None:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    found = FILE.findall(text)
    assert len(found) > 20
    assert sum(bool(names) for _file, names in found) > 5
    for file, names in found:
        # most paths are relative to module_utils; bare file names are searched for
        places = [folder / file for folder in (ROOT, PLUGINS / "module_utils")]
        places += list((ROOT / "tests").rglob(file)) + list((PLUGINS / "module_utils").rglob(file))
        sources = [place.read_text(encoding="utf-8") for place in places if place.is_file()]
        assert sources, file
        for name in re.findall(r"[\w.]+", names):
            words = name.split(".")
            assert all(re.search(rf"\b{word}\b", sources[0]) for word in words), f"{file}: {name}"
