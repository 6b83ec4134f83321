# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One action under faults, and its verdict: one effect and a true result, or no effect and an error."""

from __future__ import annotations

import dataclasses
import typing as t

from tests.integration.approvals import BY_COUNT, BY_RULES, JOB, Witness, approval_world
from tests.integration.harness import ACTION, APPROVAL, PIPELINE, TOKEN, Result, run_task, world

PROJECT = "group/app"
TRIGGER = "glptt-0123456789abcdef"
# The timeout for a silent server, in real time.
TIMEOUT_SECONDS = 0.4


@dataclasses.dataclass(frozen=True)
class Operation:
    """An action and the job it acts on.

    :param job: the job in the scenario.
    :param options: additional options of the task.
    :param end: the final status of the newest attempt.
    :param protected: how the environment of the job is protected.
    :param state: the approval state of the job's deployment; empty for an action on the job itself.
    :param has_effect: whether it has an effect; False for a job that GitLab starts by itself.
    """

    action: str
    job: dict[str, t.Any]
    options: dict[str, t.Any] = dataclasses.field(default_factory=dict)
    end: str = "success"
    protected: dict[str, t.Any] | None = None
    state: str = ""
    has_effect: bool = True

    @property
    def effect(self) -> str:
        """Return the simulator's name of the effect."""
        return self.action

    @property
    def is_followed(self) -> bool:
        """Return whether there is an end to wait for."""
        return self.action in ("run", "play", "retry", "cancel")

    @property
    def may_be_unknown(self) -> bool:
        """Return whether a task may report an unknown outcome. Pipelines have no name to find them by."""
        return False

    def status(self, simulator: t.Any, result: Result) -> str:
        """Return the status of the target on the server."""
        return str(simulator.job("deploy")["status"])

    @property
    def acts_each_time(self) -> bool:
        """Return whether a second run acts again, as `replay` and `force` do by design."""
        return "replay" in self.options or "force" in self.options

    @property
    def waits_for_approval(self) -> bool:
        """Return whether the action waits for an approval."""
        return "wait_for_approval" in self.options

    def scenario(self) -> dict[str, t.Any]:
        """Return the world before the action."""
        job = dict(self.job)
        return world(job) if self.protected is None else approval_world(job, protected=self.protected)

    def run(self, simulator: t.Any, *, wait: bool = False, **options: t.Any) -> Result:
        """Run the task and return its result. Required approvals are given as soon as the task waits for them."""
        given = {"project": PROJECT, "pipeline_id": 100, "name": ["deploy"], **self.options, **options}
        if self.state:
            return run_task(simulator, APPROVAL, state=self.state, **given)
        witness = Witness(lambda: simulator.act_as_somebody_else("approve", "deploy"))
        progress = witness if self.waits_for_approval else None
        return run_task(
            simulator, ACTION, action=self.action, wait=wait, wait_timeout=600.0, progress=progress, **given
        )


@dataclasses.dataclass(frozen=True)
class PipelineOperation(Operation):
    """The same for a pipeline. `job` is the job of a new pipeline of main, or of the existing one."""

    @property
    def effect(self) -> str:
        names = {"run": "trigger_pipeline" if "trigger_token" in self.options else "create_pipeline"}
        return names.get(self.action, f"{self.action}_pipeline")

    @property
    def may_be_unknown(self) -> bool:
        return self.action == "run"

    def scenario(self) -> dict[str, t.Any]:
        is_new = self.action == "run"
        made = world({"name": "old", "status": "success"} if is_new else dict(self.job))
        made["projects"][0]["new_pipelines"] = {"*": {"jobs": [dict(self.job)]}}
        made["tokens"].append({"token": TRIGGER, "kind": "trigger", "user": "bob", "project": PROJECT})
        return made

    def run(self, simulator: t.Any, *, wait: bool = False, **options: t.Any) -> Result:
        # reuse successful pipelines, so that a second run has nothing to do
        more = {"reuse": "success"} if self.action == "run" else {}
        given = {"project": PROJECT, "ref": "main", "action": self.action, **more, **self.options, **options}
        return run_task(simulator, PIPELINE, wait=wait, wait_timeout=600.0, **given)

    def status(self, simulator: t.Any, result: Result) -> str:
        return str(simulator.pipeline(result["id"])["status"])


_ARTIFACTS = {"files": {"build.env": "VERSION=1.2.0\n"}, "when": "always", "expire_in": 360000}
_QUICK = {"name": "deploy", "duration": 5}
_DONE = {"name": "deploy", "status": "success", "duration": 5, "artifacts": _ARTIFACTS}

OPERATIONS: dict[str, Operation] = {
    "play": Operation("play", {"name": "deploy", "when": "manual", "allow_failure": False, "duration": 5}),
    "play again": Operation("play", {**_DONE, "when": "manual"}, {"replay": "always"}),
    "retry": Operation(
        "retry", {"name": "deploy", "attempts": [{"outcome": "failed"}, {}], "status": "failed", "duration": 5}
    ),
    "retry forced": Operation("retry", dict(_DONE), {"force": True}),
    "cancel": Operation("cancel", {"name": "deploy", "outcome": "hang", "status": "pending"}, end="canceled"),
    "erase": Operation("erase", dict(_DONE)),
    "keep_artifacts": Operation("keep_artifacts", dict(_DONE)),
    "delete_artifacts": Operation("delete_artifacts", dict(_DONE)),
    "run": PipelineOperation("run", _QUICK),
    "run with variables": PipelineOperation("run", _QUICK, {"variables": {"DEPLOY_TO": "staging"}}),
    "run with a trigger token": PipelineOperation("run", _QUICK, {"trigger_token": TRIGGER}),
    "retry a pipeline": PipelineOperation(
        "retry", {**_QUICK, "attempts": [{"outcome": "failed"}, {}], "status": "failed"}
    ),
    "cancel a pipeline": PipelineOperation(
        "cancel", {**_QUICK, "outcome": "hang", "status": "pending"}, end="canceled"
    ),
    "approve": Operation("approve", JOB, protected=BY_RULES, state="approved"),
    "reject": Operation("reject", JOB, {"comment": "too risky"}, protected=BY_RULES, state="rejected"),
    "play when approved": Operation("play", JOB, {"wait_for_approval": True}, protected=BY_RULES),
    "be started when approved": Operation(
        "play", JOB, {"wait_for_approval": True}, protected=BY_COUNT, has_effect=False
    ),
}


@dataclasses.dataclass(frozen=True)
class Verdict:
    """The outcome of a run.

    :param violation: the broken rule; empty if there is none.
    """

    effects: int
    changed: bool
    failure: str | None
    violation: str = ""

    @property
    def kind(self) -> str:
        """Return the column of the table that counts this outcome."""
        if self.violation:
            return "violation"
        if self.effects:
            return "one effect" if self.failure is None else "one effect, reported with an error"
        return "no effect, none wanted" if self.failure is None else "no effect, error"


def run(
    simulator: t.Any, operation: Operation, *, wait: bool, faults: t.Iterable[dict[str, t.Any]], **options: t.Any
) -> Verdict:
    """Return the verdict on one run of an action in a fresh world with these faults."""
    simulator.come_back()
    simulator.load(operation.scenario())
    for rule in faults:
        simulator.inject(**rule)
    result = operation.run(simulator, wait=wait, api_timeout=TIMEOUT_SECONDS, **options)
    simulator.clear_faults()
    simulator.come_back()
    effects = len(simulator.effects())
    violation = _violation(simulator, operation, result, effects, wait=wait)
    return Verdict(effects, result.changed, result.failure, violation)


def _violation(simulator: t.Any, operation: Operation, result: Result, effects: int, *, wait: bool) -> str:
    """Return what is wrong with a result, or an empty string."""
    wrong = [effect["action"] for effect in simulator.effects() if effect["action"] != operation.effect]
    if wrong:
        return f"did {wrong[0]} instead"
    if effects > operation.has_effect:
        return f"{effects} effects"
    if result.changed != bool(effects) and not (operation.may_be_unknown and "is not known" in str(result.failure)):
        return f"changed is {result.changed} after {effects} effects"
    if result.failure is None and effects < operation.has_effect:
        return "no effect, and no error"
    text = str(result.failure or "") + str(result.values) + str(result.warnings)
    if TOKEN in text or TRIGGER in text:
        return "the token is in the result"
    seen_elsewhere = str(simulator.second.requests())
    simulator.second.clear()
    if TOKEN in seen_elsewhere or TRIGGER in seen_elsewhere:
        return "the second origin has received the token"
    if result.failure is not None and ("Traceback" in result.failure or "\n" in result.failure):
        return "the error is no sentence"
    if result.failure is None and wait and operation.is_followed:
        status = operation.status(simulator, result)
        if result["status"] != status or status != operation.end:
            return f"reported {result['status']}, on the server it is {status}"
    return _second_run(simulator, operation, effects)


def _second_run(simulator: t.Any, operation: Operation, effects: int) -> str:
    """Return what is wrong after a second run without faults. It must leave one effect, whatever the first run did.

    Actions with `replay` or `force` act on every run by design, so there is nothing to check.
    """
    if operation.acts_each_time and effects:
        return ""
    again = operation.run(simulator)
    if again.failure is not None:
        return f"the second run fails: {again.failure}"
    if again.changed != (effects < operation.has_effect) or len(simulator.effects()) != operation.has_effect:
        return f"{len(simulator.effects())} effects after a second run"
    return ""
