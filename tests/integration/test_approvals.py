# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Approvals against the simulator: approved once, waited for, and the job played once; check, run, check, run."""

from __future__ import annotations

import typing as t

import pytest

from .approvals import BOB, BY_COUNT, BY_RULES, CAROL, JOB, PROJECT, RULES, SETTINGS, Witness, approval_world
from .harness import ACTION, APPROVAL, DEPLOYMENT_INFO, TOKEN, Result, effects, run_task, world

PLAY: dict[str, t.Any] = {"project": PROJECT, "pipeline_id": 100, "name": ["deploy"], "action": "play"}
WAITING: dict[str, t.Any] = {**PLAY, "wait_for_approval": True, "wait": True, "wait_timeout": 600.0}
CYCLE = (True, False, True, False)


def approve(simulator: t.Any, **options: t.Any) -> Result:
    return run_task(
        simulator, APPROVAL, project=PROJECT, **{"environment": "production", "state": "approved", **options}
    )


def four_times(simulator: t.Any, **options: t.Any) -> list[Result]:
    """Return the results of checking, running, checking and running the task."""
    results = []
    for check_mode in CYCLE:
        before = effects(simulator)
        results.append(approve(simulator, check_mode=check_mode, **options))
        assert not check_mode or effects(simulator) == before
    return results


# ----- approving -----


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize(("state", "effect"), [("approved", "approve"), ("rejected", "reject")])
@pytest.mark.parametrize(
    "selection", [{}, {"environment": None, "deployment_id": 1}, {"environment": None, "job_id": 1000}]
)
def test_approval_and_rejection_are_given_once(
    simulator: t.Any, setting: str, state: str, effect: str, selection: dict[str, t.Any]
) -> None:
    simulator.load(approval_world(protected=SETTINGS[setting]))
    results = four_times(simulator, state=state, comment="because", **selection)
    assert [result.failure for result in results] == [None] * 4
    assert [result.changed for result in results] == [True, True, False, False]
    assert effects(simulator) == [(effect, "deploy")]
    assert [result["outcome"] for result in results] == ["applied", "applied", "unchanged", "unchanged"]
    (given,) = results[1]["deployment"]["approvals"]
    assert (given["status"], given["comment"], given["user"]["username"]) == (state, "because", "alice")


def test_each_rule_is_satisfied_by_its_own_members(simulator: t.Any) -> None:
    rules = [RULES[0], {**RULES[1], "members": ["carol"]}]
    simulator.load(approval_world(protected={"rules": rules}))
    first = approve(simulator)
    assert first["deployment"]["missing_approvals"] == [{"rule": "release", "required": 1, "missing": 1}]
    second = approve(simulator, token=CAROL)
    assert second.changed and second["deployment"]["missing_approvals"] == []
    assert [approval["user"]["username"] for approval in second["deployment"]["approvals"]] == ["alice", "carol"]
    assert simulator.job("deploy")["status"] == "manual"


def test_rejecting_after_approving_is_a_change(simulator: t.Any) -> None:
    rules = [{**RULES[0], "required": 2}]
    simulator.load(approval_world(protected={"rules": rules}))
    assert approve(simulator).changed and approve(simulator, state="rejected").changed
    assert effects(simulator) == [("approve", "deploy"), ("reject", "deploy")]
    # a rejection cannot be undone
    assert "its status is failed" in str(approve(simulator).failure)


def test_represented_as_selects_the_rule(simulator: t.Any) -> None:
    simulator.load(approval_world())
    assert [result.changed for result in four_times(simulator, represented_as="release")] == [True, True, False, False]
    done = approve(simulator, represented_as="Maintainers")
    assert done.changed and done["deployment"]["missing_approvals"] == []
    for check_mode in (True, False):
        wrong = approve(simulator, represented_as="Owners", check_mode=check_mode)
        assert "there is nothing to approve" in str(wrong.failure)
    simulator.load(approval_world())
    for check_mode in (True, False):
        wrong = approve(simulator, represented_as="Owners", check_mode=check_mode)
        assert "represented_as 'Owners' matches no approval rule" in str(wrong.failure)
        assert "'Maintainers', 'release'" in str(wrong.failure)
    assert effects(simulator) == []


def test_represented_as_is_ignored_without_rules(simulator: t.Any) -> None:
    simulator.load(approval_world(protected={"required_approvals": 2}))
    results = four_times(simulator, represented_as="Maintainers")
    assert [(result.failure, result.changed) for result in results] == [(None, True)] * 2 + [(None, False)] * 2
    assert effects(simulator) == [("approve", "deploy")]


FOREIGN, OWNERS = {"rules": [{"user": "bob"}]}, {"rules": [{"role": "owner"}]}
# what prevents an approval, and the beginning of the message
REFUSALS: dict[str, tuple[dict[str, t.Any], dict[str, t.Any], str]] = {
    "own": ({}, {"token": BOB}, "the user of the token has started it, and nobody may approve their own"),
    "no rule": ({"protected": FOREIGN}, {}, "no approval rule of its environment is for the user of the token"),
    "no role": ({"protected": OWNERS}, {}, "no approval rule of its environment is for the user of the token"),
    "nothing": (
        {"protected": {}},
        {},
        "there is nothing to approve: its status is blocked, and its environment requires no",
    ),
    "free licence": (
        {"edition": "free"},
        {},
        "there is nothing to approve: its status is blocked, and its environment",
    ),
    "community edition": ({"edition": "ce"}, {}, "this server has no deployment approvals, which require GitLab 14.8"),
}


@pytest.mark.parametrize("selection", [{"job_id": 1000}, {"pipeline_id": 100, "name": ["deploy"]}, {"ref": "main"}])
def test_error_contains_the_project_as_the_user_set_it(simulator: t.Any, selection: dict[str, t.Any]) -> None:
    simulator.load(approval_world())
    for result in four_times(simulator, environment=None, token=BOB, **selection):
        assert "deployment 1 to 'production' in project group/app cannot be approved" in str(result.failure)


@pytest.mark.parametrize("reason", REFUSALS)
def test_each_reason_for_refusal_is_reported(simulator: t.Any, reason: str) -> None:
    how, who, words = REFUSALS[reason]
    simulator.load(approval_world(**how))
    for result in four_times(simulator, **who):
        assert f"deployment 1 to 'production' in project group/app cannot be approved: {words}" in str(result.failure)
        assert (result.changed, result["outcome"]) == (False, "refused")
    assert effects(simulator) == []


def test_self_approval_is_possible_if_the_project_allows_it(simulator: t.Any) -> None:
    rules = {"rules": [{"role": "developer"}], "self_approval": True}
    simulator.load(approval_world(protected=rules))
    results = four_times(simulator, token=BOB)
    assert [result.changed for result in results] == [True, True, False, False]
    assert effects(simulator) == [("approve", "deploy")]


def test_users_can_reject_their_own_deployments(simulator: t.Any) -> None:
    simulator.load(approval_world(protected={"rules": [{"role": "developer"}]}))
    assert [result.changed for result in four_times(simulator, token=BOB, state="rejected")] == [
        True,
        True,
        False,
        False,
    ]


def test_created_job_has_nothing_to_approve_yet(simulator: t.Any) -> None:
    simulator.load(approval_world({"name": "build", "stage": "build", "duration": 100}, JOB))
    for result in four_times(simulator):
        assert "there is nothing to approve yet: its status is created" in str(result.failure)


@pytest.mark.parametrize("setting", SETTINGS)
@pytest.mark.parametrize("status", ["skipped", "canceled"])
def test_skipped_and_canceled_jobs_do_not_wait_for_approvals(simulator: t.Any, setting: str, status: str) -> None:
    simulator.load(approval_world(protected=SETTINGS[setting]))
    simulator.set_job("deploy", status=status)
    for result in four_times(simulator):
        assert f"nothing to approve: its status is {status}, and it does not wait for approvals" in str(result.failure)


def test_several_waiting_deployments_are_an_error(simulator: t.Any) -> None:
    simulator.load(approval_world(JOB, {**JOB, "name": "deploy:eu"}))
    for result in four_times(simulator):
        assert "2 deployments wait for approvals: deployment 2 to 'production' (ref main" in str(result.failure)
    assert approve(simulator, environment=None, pipeline_id=100, name=["deploy:eu"]).changed
    # the other deployment still waits for its approval
    assert "1 of Maintainers" in str(run_task(simulator, ACTION, **PLAY).failure)
    assert effects(simulator) == [("approve", "deploy:eu")]


@pytest.mark.parametrize(
    ("selection", "number"),
    [({"environment": "production"}, "at least 21"), ({"environment": None, "pipeline_id": 100}, "30")],
)
def test_error_lists_only_some_of_many_waiting_deployments(
    simulator: t.Any, selection: dict[str, t.Any], number: str
) -> None:
    simulator.load(approval_world(*({**JOB, "name": f"deploy:{number}"} for number in range(30))))
    for result in four_times(simulator, **selection):
        assert str(result.failure).startswith(f"{number} deployments wait for approvals, such as deployment 30 to")
        assert str(result.failure).count("status blocked") == 12


def test_missing_deployment_is_an_error_unless_allow_empty(simulator: t.Any) -> None:
    simulator.load(approval_world({"name": "build"}))
    missing = approve(simulator)
    assert "there is no deployment to 'production' in project group/app" in str(missing.failure)
    for check_mode in CYCLE:
        empty = approve(simulator, allow_empty=True, check_mode=check_mode)
        assert (empty.failure, empty.changed, empty["deployment"]) == (None, False, None)


def test_error_contains_the_job_without_a_deployment(simulator: t.Any) -> None:
    simulator.load(approval_world({"name": "build"}))
    for result in four_times(simulator, environment=None, job_id=1000):
        assert "there is no deployment by job 1000 in project group/app; check job, or set" in str(result.failure)


# ----- reading -----


def info(simulator: t.Any, **options: t.Any) -> Result:
    return run_task(simulator, DEPLOYMENT_INFO, project=PROJECT, **options)


def test_missing_approvals_are_listed(simulator: t.Any) -> None:
    simulator.load(approval_world())
    for selection in ({"deployment_id": 1}, {"environment": "production"}, {"pipeline_id": 100, "name": ["deploy"]}):
        deployment = info(simulator, **selection)["deployment"]
        assert deployment["missing_approvals"] == [
            {"rule": "Maintainers", "required": 1, "missing": 1},
            {"rule": "release", "required": 1, "missing": 1},
        ]
        assert deployment["approvals"] == [] and deployment["deployable"]["name"] == "deploy"
    simulator.load(approval_world(protected=BY_COUNT))
    deployment = info(simulator, deployment_id=1)["deployment"]
    assert deployment["missing_approvals"] == [{"rule": None, "required": 1, "missing": 1}]


def test_deployments_are_readable_on_servers_without_approvals(simulator: t.Any) -> None:
    simulator.load(approval_world(edition="ce"))
    deployment = info(simulator, environment="production")["deployment"]
    assert (deployment["status"], deployment["approvals"], deployment["missing_approvals"]) == ("blocked", [], [])
    assert "pending_approval_count" not in deployment


def test_retried_job_id_selects_the_newest_deployment(simulator: t.Any) -> None:
    simulator.load(world({**JOB, "status": "failed"}))
    old = simulator.job("deploy")["id"]
    assert run_task(simulator, ACTION, **{**PLAY, "action": "retry"}).changed
    assert info(simulator, job_id=old)["deployment"]["id"] == 2


# ----- waiting for approvals -----


def witness_of(simulator: t.Any, *actions: str) -> Witness:
    return Witness(*(lambda action=action: simulator.act_as_somebody_else(action, "deploy") for action in actions))


def test_job_that_gitlab_started_and_ended_is_not_replayed(simulator: t.Any) -> None:
    simulator.load(approval_world({**JOB, "queue": 0, "duration": 0.1}, protected=BY_COUNT))
    watch = witness_of(simulator, "approve")
    options = {**PLAY, "wait": True, "wait_for_approval": True, "replay": "always"}
    result = run_task(simulator, ACTION, **options, progress=watch)
    assert (result.failure, result.changed, result["status"]) == (None, False, "success")
    assert "play deploy" not in [" ".join(effect) for effect in effects(simulator)]


@pytest.mark.parametrize("status", [401, 403, 404])
def test_one_denied_read_of_a_deployment_does_not_end_the_wait(simulator: t.Any, status: int) -> None:
    simulator.load(approval_world())

    def approve_and_deny() -> None:
        simulator.act_as_somebody_else("approve", "deploy")
        simulator.inject(endpoint="get_deployment", times=1, status=status, body={"message": f"{status} Not found"})

    result = run_task(simulator, ACTION, **WAITING, progress=Witness(approve_and_deny))
    assert (result.failure, result.changed, effects(simulator)) == (None, True, [("play", "deploy")])
    assert simulator.faults()["rules"][0]["struck"] == 1


@pytest.mark.parametrize("wait", [True, False])
@pytest.mark.parametrize(
    ("setting", "plays"),
    [("rules", True), ("one count", False), ("rules, started by the server", False), ("count, not started", True)],
)
def test_job_starts_exactly_once_after_its_approvals(simulator: t.Any, setting: str, plays: bool, wait: bool) -> None:
    settings = {
        **SETTINGS,
        "rules, started by the server": {**BY_RULES, "starts_itself": True},
        "count, not started": {**BY_COUNT, "starts_itself": False},
    }
    simulator.load(approval_world(protected=settings[setting]))
    options = {**WAITING, "wait": wait}
    checked = run_task(simulator, ACTION, check_mode=True, **options)
    assert (checked.failure, simulator.writes()) == (None, [])
    result = run_task(simulator, ACTION, progress=witness_of(simulator, "approve"), **options)
    assert (result.failure, result.changed) == (None, plays)
    assert effects(simulator) == ([("play", "deploy")] if plays else [])
    assert result["status"] == ("success" if wait else "pending")
    if setting in SETTINGS:
        assert checked.changed is plays
    for check_mode in (True, False):
        again = run_task(simulator, ACTION, check_mode=check_mode, **options)
        assert (again.failure, again.changed) == (None, False)
    assert len(simulator.effects()) == plays
    job = simulator.job("deploy")
    assert (job["id"], job["status"]) == (1000, "success" if wait else job["status"])


def test_progress_lines_list_the_missing_approvals(simulator: t.Any) -> None:
    simulator.load(approval_world(protected={"rules": [RULES[0], {**RULES[1], "members": ["carol"]}]}))
    witness = Witness(
        lambda: approve(simulator, token=CAROL),
        lambda: approve(simulator),
    )
    result = run_task(simulator, ACTION, progress=witness, **WAITING)
    assert result.failure is None
    assert effects(simulator) == [("approve", "deploy"), ("approve", "deploy"), ("play", "deploy")]
    line = "group/app deploy: waits for approvals of its deployment 1 to 'production': "
    assert [text for text in witness.others if "approvals" in text] == [
        line + "1 of Maintainers and 1 of release",
        line + "1 of Maintainers",
    ]
    assert witness.lines[0] == "group/app deploy: manual -> pending (played)"
    assert not any("to be played" in text for text in witness.others)


@pytest.mark.parametrize("setting", SETTINGS)
def test_rejection_ends_the_wait(simulator: t.Any, setting: str) -> None:
    simulator.load(approval_world(protected=SETTINGS[setting]))
    result = run_task(simulator, ACTION, progress=witness_of(simulator, "reject"), **WAITING)
    assert "its deployment 1 to 'production' was rejected by somebody-else" in str(result.failure)
    assert (result.changed, result["status"], effects(simulator)) == (False, "failed", [])
    assert result.seconds < 30
    for check_mode in CYCLE:
        again = run_task(simulator, ACTION, check_mode=check_mode, **{**PLAY, "replay": "always"})
        assert "was rejected" in str(again.failure) and not again.changed
    assert simulator.writes() == []


@pytest.mark.parametrize(
    ("on_timeout", "fails", "done"),
    [("fail", True, []), ("continue", False, []), ("cancel", True, [("cancel", "deploy")])],
)
def test_waiting_for_approvals_times_out(simulator: t.Any, on_timeout: str, fails: bool, done: list[t.Any]) -> None:
    simulator.load(approval_world())
    options = {**WAITING, "wait_timeout": 60.0, "on_timeout": on_timeout}
    result = run_task(simulator, ACTION, **options)
    assert (result["timed_out"], result.seconds, effects(simulator)) == (True, 60, done)
    assert ("1 of Maintainers and 1 of release" in str(result.failure)) is fails
    assert result["results"][0]["reason"].startswith("timed out after 60 s (wait_timeout): it is still manual")


def test_play_without_wait_for_approval_is_refused_with_advice(simulator: t.Any) -> None:
    simulator.load(approval_world())
    results = [run_task(simulator, ACTION, check_mode=check_mode, **PLAY) for check_mode in CYCLE]
    assert len({result.failure for result in results}) == 1
    assert "waits for approvals: 1 of Maintainers and 1 of release. Set wait_for_approval" in str(results[0].failure)
    assert {result["results"][0]["outcome"] for result in results} == {"refused"}
    assert effects(simulator) == []


@pytest.mark.parametrize("how", [{"edition": "ce"}, {"edition": "free"}, {"protected": {}}])
def test_wait_for_approval_has_no_effect_without_required_approvals(simulator: t.Any, how: dict[str, t.Any]) -> None:
    simulator.load(approval_world(**how))
    for check_mode, changed in zip(CYCLE, (True, True, False, False), strict=True):
        result = run_task(simulator, ACTION, check_mode=check_mode, **WAITING)
        assert (result.failure, result.changed) == (None, changed)
    assert effects(simulator) == [("play", "deploy")]


def test_wait_for_approval_has_no_effect_on_old_servers(simulator: t.Any) -> None:
    simulator.load(approval_world(edition="ce"), version="11.11")
    result = run_task(simulator, ACTION, **WAITING)
    assert (result.failure, effects(simulator)) == (None, [("play", "deploy")])


@pytest.mark.parametrize(
    ("how", "waits", "changed", "fails"),
    [
        ({}, True, True, False),
        ({"protected": BY_COUNT}, True, False, False),
        ({}, False, False, True),
        ({"protected": {}}, False, True, False),
        ({"edition": "ce"}, False, True, False),
    ],
)
def test_check_mode_predicts_approvals_of_a_created_job(
    simulator: t.Any, how: dict[str, t.Any], waits: bool, changed: bool, fails: bool
) -> None:
    simulator.load(approval_world({"name": "build", "stage": "build", "duration": 30}, JOB, **how))
    options = {**WAITING, "wait_for_approval": waits}
    checked = run_task(simulator, ACTION, check_mode=True, **options)
    result = run_task(simulator, ACTION, progress=witness_of(simulator, "approve") if waits else None, **options)
    assert (checked.changed, result.changed) == (changed, changed)
    assert (checked.failure is not None, result.failure is not None) == (fails, fails)
    if fails:
        assert checked.failure == result.failure and "Set wait_for_approval" in str(result.failure)


def test_created_job_is_waited_for_before_its_approvals(simulator: t.Any) -> None:
    simulator.load(approval_world({"name": "build", "stage": "build", "duration": 30}, JOB))
    result = run_task(simulator, ACTION, progress=witness_of(simulator, "approve"), **WAITING)
    assert (result.failure, result["status"], effects(simulator)) == (None, "success", [("play", "deploy")])
    assert [entry["to"] for entry in result["timeline"]][:2] == ["created", "manual"]


def test_several_jobs_wait_for_their_own_approvals(simulator: t.Any) -> None:
    simulator.load(approval_world(JOB, {**JOB, "name": "deploy:eu"}, {"name": "notify", "when": "manual"}))
    actions = [lambda: simulator.act_as_somebody_else("approve", "deploy:eu")]
    actions.append(lambda: simulator.act_as_somebody_else("approve", "deploy"))
    options = {**WAITING, "name": ["deploy", "deploy:eu", "notify"]}
    result = run_task(simulator, ACTION, progress=Witness(*actions), **options)
    assert (result.failure, sorted(effects(simulator))) == (
        None,
        [("play", "deploy"), ("play", "deploy:eu"), ("play", "notify")],
    )


def test_waiting_for_approvals_requires_read_access_to_deployments(simulator: t.Any) -> None:
    simulator.load(approval_world(members={"alice": "guest", "bob": "developer"}))
    result = run_task(simulator, ACTION, **WAITING)
    assert result.failure is not None and "403" in result.failure and simulator.effects() == []
    assert TOKEN not in result.failure
