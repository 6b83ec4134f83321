# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""The task of `gitlab_pipeline`: runs, retries or cancels a pipeline, at most once."""

from __future__ import annotations

import dataclasses
import typing as t

from .._api.decoding import Record
from .._api.errors import GitLabError, RequestError, UsageError
from .._app.actions.pipelines import (
    PIPELINE_ACTIONS,
    PipelineAction,
    act_on_pipeline,
    decide_pipeline,
)
from .._app.fields import id_of, project_id_of, status_of
from .._app.jobs.bridges import downstream_record
from .._app.jobs.mistaken import explained_missing
from .._app.outcome import Outcome
from .._app.pipelines.query import PipelineQuery, RunRequest
from .._app.pipelines.run import run_pipeline
from .._app.reads.pipelines import state_values, why_failed, with_details
from .._app.session import Session, TaskContext
from .._app.settings import token_value
from .._app.waiting.loop import Wait, await_pipeline
from .._app.waiting.options import CANCEL_SECONDS, WaitOptions, time_problem
from .._app.waiting.pipeline_end import Following, PipelineState, read_state
from .._app.waiting.schedule import Steps, finish, wait_out
from .._app.writes.decision import Result
from .._app.writes.roles import refuse_job_token
from .definition import NO_DIFF, NO_WAIT, TaskDefinition
from .options import CONNECTION, PIPELINE_SELECTION, PIPELINE_SELECTORS, pipeline_query, session_of
from .values.actions import RUN_OPTIONS, refuse_misplaced, run_request
from .values.arguments import Options
from .values.mistakes import none_given
from .values.waiting import ACTION_WAITING, PIPELINE_TARGETS, PIPELINE_WAITING, pipeline_waiting

_OTHER_SELECTION = ("pipeline_id", "merge_request", "pipeline_source")
_SUPPORTED: t.Mapping[str, tuple[str, ...]] = {
    "run": ("variables", "inputs", "trigger_token", "reuse"),
    **dict.fromkeys(PIPELINE_ACTIONS, _OTHER_SELECTION),
}
_TARGETS: t.Mapping[str, tuple[str, ...]] = {
    "run": ("success", *(target for target in PIPELINE_TARGETS if target != "success")),
    **{row.name: row.targets for row in PIPELINE_ACTIONS.values()},
}

SPEC = CONNECTION.merged(
    PIPELINE_SELECTION,
    PIPELINE_WAITING,
    ACTION_WAITING,
    arguments={
        "action": {"type": "str", "required": True, "choices": list(_SUPPORTED)},
        **RUN_OPTIONS,
        "trigger_token": {"type": "str", "no_log": True},
    },
    required_if=(("action", "run", ("ref",)),),
)


def run(options: Options, context: TaskContext) -> Outcome:
    action, waiting = options["action"], _waiting(options)
    given = options.get("trigger_token")
    token = token_value("trigger_token", given) if given else ""
    if token:
        context.register_secret(token)
        context = dataclasses.replace(context, hidden=(*context.hidden, token))
    query = pipeline_query(options)
    request = dataclasses.replace(run_request(options, query), trigger_token=token) if action == "run" else None
    session = session_of(options, context, waiting)
    task = _Task(session, query, waiting)
    if request is not None:
        if waiting.wait and token and not session.client.settings.token_kind:
            raise UsageError(
                "wait needs a token that can read the pipeline, and trigger_token cannot; set api_token as well"
            )
        if not token and not session.limits.acts:
            raise UsageError(
                "a job token can start pipelines only as a trigger token; set trigger_token to it, or set api_token to "
                "a personal or project access token instead of api_job_token"
            )
        return finish(session, task.run(request), waiting, f"a new {query.describe()}")
    refuse_job_token(session, action)
    return finish(session, task.act(PIPELINE_ACTIONS[action]), waiting, query.called)


def _waiting(options: Options) -> WaitOptions:
    """Return how to wait; refuse options that the action does not support."""
    action = options["action"]
    refuse_misplaced(_SUPPORTED, SPEC.arguments, options)
    for target in options.get("wait_for") or ():
        if target not in _TARGETS[action]:
            raise UsageError(
                f"wait_for {target} cannot be used with {action}; use one of {', '.join(_TARGETS[action])}"
            )
    if action != "run" and all(options.get(name) is None for name in PIPELINE_SELECTORS):
        raise UsageError(none_given(PIPELINE_SELECTORS))
    waiting = pipeline_waiting(options, _TARGETS[action])
    ends_anyhow = action in PIPELINE_ACTIONS and PIPELINE_ACTIONS[action].accepts_any_end
    return dataclasses.replace(waiting, fail_on=()) if ends_anyhow else waiting


class _Task:
    """One action on one pipeline, followed to its end if the task waits."""

    def __init__(self, session: Session, query: PipelineQuery, waiting: WaitOptions) -> None:
        self._session = session
        self._query = query
        self._waiting = waiting
        self._wait = Wait(session, waiting)

    def run(self, request: RunRequest) -> Steps[Outcome]:
        result = run_pipeline(self._session, request)
        if result.after is None:
            return Outcome(
                {"status": "created" if result.has_changed else None},
                changed=result.has_changed,
                failure=result.problem or None,
                message="" if result.problem else result.reason,
                diff={"before": "", "after": f"{request.ref}: new pipeline\n" if result.has_changed else ""},
            )
        before = "" if result.has_changed else _line(result.after)
        state = PipelineState(result.after, problem=result.problem)
        done = Result(result.outcome, state, result.reason, result.has_changed)
        return (yield from self._followed(done, before=before))

    def act(self, action: PipelineAction) -> Steps[Outcome]:
        pipeline = yield from await_pipeline(self._session, self._query, Wait(self._session, self._waiting))
        project = project_id_of(pipeline, self._query.project)
        with explained_missing(self._session, self._query):
            waited = yield from self._wait.until(
                lambda: read_state(
                    self._session, project, id_of(pipeline), with_trigger_jobs=action.concerns_trigger_jobs
                ),
                lambda state: decide_pipeline(action, state).verdict != "later",
            )
        state = waited.value
        if waited.has_timed_out:
            return self._late(state)
        try:
            result = act_on_pipeline(self._session, action, project, state, waits=self._waiting.wait)
        except RequestError as exc:
            if not (yield from wait_out(self._session, exc)):
                raise
            return self._late(state, f", and {exc}")
        return (yield from self._followed(result, before=_line(state.pipeline)))

    def _late(self, state: PipelineState, why: str = "") -> Outcome:
        """Return the outcome if the task timed out before it did anything.

        :param why: continues the sentence about the pipeline.
        """
        state.has_timed_out = True
        problem = time_problem(self._waiting, f"pipeline {id_of(state.pipeline)} is still {state.status}{why}")
        return self._finished(Result("failed", state, problem), before=_line(state.pipeline))

    def _followed(self, result: Result[PipelineState], *, before: str) -> Steps[Outcome]:
        """Return the outcome of an action, with `wait` after the end of its pipeline.

        Errors are returned, not raised, because the action is already done.
        """
        if result.problem or not self._wait.is_active or "created" in self._waiting.targets:
            return self._finished(result, before=before)
        following = Following(self._session, self._query.project, result.after, self._wait)
        try:
            state = yield from following.run()
        except GitLabError as exc:
            result.after.pipeline = following.pipeline
            problem = f"pipeline {id_of(following.pipeline)} could not be followed to its end: {exc}"
            return self._finished(dataclasses.replace(result, outcome="failed", reason=problem), before=before)
        result = dataclasses.replace(result, after=state)
        if state.problem:
            result = dataclasses.replace(result, outcome="failed", reason=state.problem)
        if state.has_timed_out and self._waiting.on_timeout == "cancel":
            result = self._canceled(result)
        return self._finished(result, before=before, is_followed=True)

    def _canceled(self, result: Result[PipelineState]) -> Result[PipelineState]:
        project = project_id_of(result.after.pipeline, self._query.project)
        session = self._session.best_effort(seconds=CANCEL_SECONDS)
        try:
            # the jobs and trigger jobs to cancel were not read while the pipeline was followed
            state = read_state(session, project, id_of(result.after.pipeline), with_trigger_jobs=True)
        except RequestError as exc:
            return dataclasses.replace(result, reason=f"{result.reason}; the pipeline was not canceled: {exc}")
        canceled = act_on_pipeline(session, PIPELINE_ACTIONS["cancel"], project, state)
        canceled.after.has_timed_out = True
        end = "canceled" if canceled.has_changed else f"not canceled: {canceled.reason}"
        return dataclasses.replace(
            result,
            after=canceled.after,
            has_changed=result.has_changed or canceled.has_changed,
            reason=f"{result.reason}; the pipeline was {end}",
        )

    def _finished(self, result: Result[PipelineState], *, before: str, is_followed: bool = False) -> Outcome:
        state = result.after
        # a pipeline that has only trigger jobs has no jobs
        if self._wait.is_active and (is_followed or state.jobs):
            project = project_id_of(state.pipeline, self._query.project)
            state = with_details(self._session, state, project, self._wait)
        failure = why_failed(result.problem, self._query, state)
        shows_reason = not failure and (self._session.check_mode or not result.has_changed)
        return Outcome(
            {
                **state_values(self._session, state, self._wait),
                "id": id_of(state.pipeline),
                "status": state.status,
                "web_url": state.pipeline.get("web_url"),
                "downstream_pipelines": [downstream_record(self._session, node) for node in state.downstream or ()],
            },
            changed=result.has_changed,
            failure=failure,
            message=result.reason if shows_reason else "",
            diff={"before": before, "after": _line(state.pipeline)},
        )


def _line(pipeline: Record) -> str:
    return f"pipeline {id_of(pipeline)}: {status_of(pipeline)}\n"


TASK = TaskDefinition(
    name="gitlab_pipeline",
    spec=SPEC,
    work=run,
    empty_result={
        "pipeline": None,
        "id": None,
        "status": None,
        "web_url": None,
        "failed_jobs": [],
        "downstream_pipelines": [],
        "summary": {},
        **NO_WAIT,
        **NO_DIFF,
    },
)
