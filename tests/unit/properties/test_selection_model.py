# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Module, gate and lookup select the same jobs as a small model, and never succeed on nothing."""

from __future__ import annotations

import dataclasses
import typing as t

import pytest
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.errors import SelectionError, UsageError
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.outcome import Outcome
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.pipelines.query import PipelineQuery
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.reads.lookup import LookupRequest, look_up
from ansible_collections.jobgate.gitlab.plugins.module_utils._tasks import (
    gitlab_job_action,
    gitlab_job_info,
    gitlab_release_gate,
)
from ansible_collections.jobgate.gitlab.plugins.module_utils._tasks.values import release_plan
from hypothesis import example, given
from hypothesis import strategies as st

from ..harness import FunctionTransport, Record, new_session, run_task
from .selection_model import Member, Selection, match_jobs, members_of, or_none, targets
from .selection_world import JOB_NAMES, STAGES, TRIGGER_NAMES, World, world_with_an_ambiguous_path, worlds
from .support import examples

PATTERNS = ("*", "**/a", "a*", "m: *", "x/*", "?", "x/b", "x/y/a", "**/?", "**/nope", "nope", "A", "a,x")
NAMES = st.sampled_from([*JOB_NAMES, *TRIGGER_NAMES, *PATTERNS])
STAGE_LISTS = st.lists(
    st.sampled_from([*STAGES, *STAGES, "*", "d*", "?est", "x*", "tests"]), min_size=1, max_size=2, unique=True
)
SCOPES = st.sampled_from([None, None, [], ["success"], ["failed", "manual"], ["running"]])


def names_in(world: World) -> t.Any:
    """Return a strategy of names that match in a world, and of some that may not."""
    known = [text for pipe in world.pipes for m in members_of(pipe, downstream=True) for text in (m.path, m.name)]
    return st.one_of(st.sampled_from(sorted(set(known))), NAMES) if known else NAMES


@st.composite
def cases(draw: t.Any) -> tuple[World, Selection]:
    world = draw(worlds)
    name = names_in(world)
    # As Ansible passes them: a string is split at its commas, and keeps the spaces after them.
    lists = st.one_of(st.lists(name, min_size=1, max_size=4), name.map(lambda text: text.split(",")))
    kind = draw(st.sampled_from(["names", "names", "names", "stages", "stages", "both", "both", "whole", "empty"]))
    names = draw(lists) if kind in ("names", "both") else None
    stages = draw(STAGE_LISTS) if kind in ("stages", "both") else None
    if kind == "empty":
        names, stages = draw(st.sampled_from([([], None), (None, []), ([], ["test"]), (["a"], [])]))
    selection = Selection(
        names,
        stages,
        draw(SCOPES),
        draw(st.booleans()),
        draw(st.booleans()),
        draw(st.sampled_from([None, None, ["push"], ["schedule"], ["push", "schedule"]])),
        draw(st.sampled_from(["any", "any", "any", "branch", "tag"])),
    )
    return world, selection


# ----- what the product does -----

PATH_EQUAL_TO_A_NAME = Selection(["x/a"], None, None, True, False, None, "any")
STAGE_WITH_A_TRIGGER_JOB = Selection(None, ["build"], None, False, False, None, "any")


def ask(world: World, task: t.Any, options: Record, **how: t.Any) -> tuple[Outcome | None, FunctionTransport]:
    """Return the outcome of a task, or None if it rejects the selection; other errors are failures of the product."""
    transport = FunctionTransport(world.answer)
    try:
        return run_task(task, options, transport=transport, **how), transport
    except (SelectionError, UsageError):
        return None, transport


def ids(outcome: Outcome) -> list[int]:
    return [record["id"] for record in outcome.values["jobs"]]


@examples(250)
@given(cases())
@example((world_with_an_ambiguous_path(), PATH_EQUAL_TO_A_NAME))
def test_info_agrees_with_the_model(case: tuple[World, Selection]) -> None:
    world, selection = case
    model = or_none(lambda: match_jobs(world, selection))
    outcome, _transport = ask(world, gitlab_job_info.TASK, selection.options)
    assert (outcome is None) == (model is None)
    if outcome and model:
        assert ids(outcome) == model.ids
        assert outcome.values["pipeline"]["id"] == model.pipe.id
        assert (outcome.failure, outcome.changed) == (None, False)


def is_green(member: Member, *, is_whole: bool = False, ignores_allowed: bool = False) -> bool:
    status, is_allowed = member.record["status"], member.record["allow_failure"]
    is_optional = status == "manual" and is_allowed and is_whole
    return status == "success" or is_optional or (status == "failed" and is_allowed and ignores_allowed)


@examples(250)
@given(cases(), st.booleans(), st.sampled_from(["fail", "continue"]))
def test_wait_for_success_agrees_with_the_model(
    case: tuple[World, Selection], ignores_allowed: bool, on_timeout: str
) -> None:
    world, selection = case
    model = or_none(lambda: match_jobs(world, selection))
    waiting = {"wait": True, "wait_for": ["success"], "wait_timeout": 20.0, "on_timeout": on_timeout}
    options = {**selection.options, **waiting, "ignore_allowed_failures": ignores_allowed}
    outcome, _transport = ask(world, gitlab_job_info.TASK, options)
    is_good = bool(model) and all(
        is_green(member, is_whole=selection.is_whole, ignores_allowed=ignores_allowed) for member in model.members
    )
    is_enough = bool(model) and (bool(model.members) or (selection.allow_empty and model.pipe.kind != "invalid"))
    if selection.is_empty:
        is_enough = selection.allow_empty
    passes = bool(model) and model.is_complete and not model.is_cut and is_good and is_enough
    is_through = outcome is not None and outcome.failure is None and not outcome.values["timed_out"]
    assert is_through == passes
    # success requires jobs, unless allow_empty is set
    if is_through and outcome:
        assert outcome.values["jobs"] or selection.allow_empty
        assert model and ids(outcome) == model.ids
    if outcome and outcome.values["timed_out"]:
        assert outcome.values["elapsed"] >= 20.0 and (outcome.failure is None) == (on_timeout == "continue")
    checked, _transport = ask(world, gitlab_job_info.TASK, options, check_mode=True)
    assert (checked is None) == (model is None)


@examples(250)
@given(cases(), st.sampled_from(["error", "latest", "all"]))
@example((world_with_an_ambiguous_path(), PATH_EQUAL_TO_A_NAME), "error")
def test_play_agrees_with_the_model(case: tuple[World, Selection], multiple: str) -> None:
    world, selection = case
    model = or_none(lambda: match_jobs(world, selection, triggers=True))
    wanted = targets(model, selection, multiple)
    before = {} if wanted is None else {member.record["id"]: member.record["status"] for member in wanted}
    options = {**selection.options, "action": "play", "multiple": multiple}
    checked, check_transport = ask(world, gitlab_job_action.TASK, options, check_mode=True)
    assert check_transport.writes == []
    outcome, _transport = ask(world, gitlab_job_action.TASK, options)
    assert (checked is None) == (outcome is None) == (wanted is None)
    playable = sorted(number for number, status in before.items() if status == "manual")
    assert sorted(world.played) == playable
    if outcome and checked:
        assert sorted(ids(outcome)) == sorted(before)
        assert outcome.changed == checked.changed == bool(playable)
        assert (outcome.failure is None) == (set(before.values()) <= {"manual", "success"})
        if outcome.failure is None:
            assert before or selection.allow_empty or selection.scope
        again, _transport = ask(world, gitlab_job_action.TASK, options)
        assert again is None or not again.changed or selection.scope
    assert len(world.played) == len(set(world.played))


def gate_options(selection: Selection, action: str) -> Record:
    gate = {name: option.get("default") for name, option in release_plan.GATE_OPTIONS.items()}
    gate.update(name=selection.names, stage=selection.stages, action=action, include_downstream=selection.downstream)
    gate.update(wait_timeout=None if action == "verify" else 20.0)
    project = {name: option.get("default") for name, option in release_plan.PROJECT_OPTIONS.items()}
    return {"projects": [{**project, "project": "7", **selection.pipeline, "gates": [gate]}], "log_lines": 0}


@examples(250)
@given(cases(), st.sampled_from(["wait", "verify", "play"]))
@example((world_with_an_ambiguous_path(), PATH_EQUAL_TO_A_NAME), "play")
@example((world_with_an_ambiguous_path(), STAGE_WITH_A_TRIGGER_JOB), "verify")
@example((world_with_an_ambiguous_path(), STAGE_WITH_A_TRIGGER_JOB), "wait")
def test_gates_agree_with_the_model(case: tuple[World, Selection], action: str) -> None:
    world, selection = case[0], dataclasses.replace(case[1], scope=None)
    model = or_none(lambda: match_jobs(world, selection, triggers=True))
    outcome, transport = ask(world, gitlab_release_gate.TASK, gate_options(selection, action))
    if selection.is_empty or selection.is_whole:
        assert outcome is None and transport.calls == []
        return
    assert outcome is not None
    wanted = targets(model, selection, "error") if action == "play" else model.members if model else None
    is_opened = outcome.failure is None
    if model is None or not wanted or model.is_cut:
        # a gate never opens without jobs, or with only a part of them
        assert not is_opened and not outcome.changed and world.played == []
        assert {"failed", "timed out"} & {gate["outcome"] for gate in outcome.values["gates"]}
        return
    selected = [entry["id"] for gate in outcome.values["gates"] for entry in gate["jobs"]]
    if model and (model.is_complete or action == "verify"):
        assert sorted(selected) == sorted(member.record["id"] for member in wanted)
    if action == "play":
        assert set(world.played) <= {member.record["id"] for member in wanted}
    is_complete = bool(model) and (model.is_complete or action != "wait")
    assert is_opened == (is_complete and all(is_green(member) for member in wanted))


@examples(250)
@given(cases())
@example((world_with_an_ambiguous_path(), PATH_EQUAL_TO_A_NAME))
def test_lookup_agrees_with_the_model(case: tuple[World, Selection]) -> None:
    world, names = case[0], case[1].names or ["a"]
    # with one of them twice
    terms = [names[0], *names]
    selection = dataclasses.replace(case[1], names=terms, stages=None, scope=None)
    model = or_none(lambda: match_jobs(world, selection, is_split=False))
    request = LookupRequest(
        PipelineQuery("7", ref="main", ref_type=selection.ref_type, sources=tuple(selection.sources or ())),
        terms=tuple(terms),
        include_downstream=selection.downstream,
    )
    session = new_session(FunctionTransport(world.answer), {"project": "7"})
    if model is None:
        with pytest.raises(SelectionError):
            look_up(session, request)
        return
    expected = [sorted((member.record["id"] for member in group), reverse=True) for group in model.groups]
    found = look_up(session, request)
    assert [record["id"] for record in found] == [number for group in expected for number in group]
    assert found
