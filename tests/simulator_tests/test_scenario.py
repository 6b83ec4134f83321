# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Test scenarios: errors contain their location, and large numbers of jobs are cheap."""

from __future__ import annotations

import functools
import pathlib
import sys
import typing as t

import pytest
import yaml

from tests.simulator import schema
from tests.simulator.__main__ import parse_arguments
from tests.simulator.call import Request
from tests.simulator.fixture import Simulator
from tests.simulator.schema import ScenarioError
from tests.simulator.simulation import Simulation

from .support import Client, scenario


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"pipeline": []}, "scenario: unknown key 'pipeline'; did you mean pipelines?"),
        ({"version": 18.1}, "scenario.version: put it in quotes"),
        ({"clock": "fast"}, "scenario.clock: clock 'fast' is not one of real, stepped, scaled:FACTOR"),
        ({"users": [{"name": "A"}]}, "users[0]: key 'username' is missing"),
        ({"users": {}}, "scenario.users: must be a list"),
        (
            {"projects": [{"path": "group/app", "branches": ["main"]}]},
            "projects[0].branches: must be a mapping, such as {release: null}",
        ),
        (
            scenario({"name": "a", "environment": {"name": "x", "url": "y"}}),
            "pipelines[0].jobs[0].environment: must be a string, or a mapping with only the key 'name'",
        ),
        (
            scenario({"name": "a", "environment": {}}),
            "environment: must be a string, or a mapping with only the key 'name'",
        ),
        ({"tokens": [{"token": "x", "user": "nobody"}]}, "tokens[0]: unknown user 'nobody'"),
        (scenario({"name": "a", "outcom": "x"}), "pipelines[0].jobs[0]: unknown key 'outcom'; did you mean outcome?"),
        (scenario({"name": "a", "status": "sucess"}), "jobs[0].status: unknown value 'sucess'; did you mean"),
        (scenario({"name": "a", "needs": ["b"]}), "needs: unknown job 'b'"),
        (scenario({"name": "a", "stage": "x"}, stages=["y"]), "unknown stage 'x'"),
        (scenario({"name": "a", "trigger": {"project": "group/ap"}}), "trigger.project: unknown project 'group/ap'"),
        (
            scenario({"name": "a", "trigger": {"pipeline": {"jobs": [{"nam": "b"}]}}}),
            "pipelines[0].jobs[0].trigger.pipeline.jobs[0]: unknown key 'nam'; did you mean name?",
        ),
        (scenario({"name": "a", "id": 5}, {"name": "b", "id": 5}), "5 is already used"),
        ({"external_url": 5}, "scenario.external_url: must be a string, not 5"),
        ({"runners": 5}, "scenario.runners: must be a list, not 5"),
        ({"users": [{"username": None}]}, "users[0]: key 'username' is missing"),
        ({"projects": [{"path": "a/b", "archived": "no"}]}, "projects[0].archived: must be true or false, not 'no'"),
        (scenario({"name": "a"}, created_ago="x"), "pipelines[0].created_ago: must be a number from 0, not 'x'"),
        (scenario({"name": "a", "id": "x"}), "pipelines[0].jobs[0].id: must be an integer from 0, not 'x'"),
        (scenario({"name": "a", "retried": -1}), "jobs[0].retried: must be an integer from 0, not -1"),
        (scenario({"name": "a", "needs": "b"}), "jobs[0].needs: must be a list of strings, not 'b'"),
        (scenario({"name": "a", "attempts": [5]}), "jobs[0].attempts: must be a list of mappings, not [5]"),
        (scenario(hooks=[{"url": 5}]), "hooks[0].url: must be a string, not 5"),
    ],
)
def test_mistakes_are_reported_with_their_location(simulator: Simulator, given: dict[str, t.Any], text: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        simulator.load(given)
    assert text in str(caught.value)


TABLES = (
    schema.SCENARIO, schema.LIMITS, schema.USER, schema.TOKEN, schema.PROJECT, schema.PROTECTED, schema.APPROVAL_RULE,
    schema.FREEZE, schema.TEMPLATE, schema.INPUT, schema.TEST, schema.AGENT, schema.RUNNER, schema.PIPELINE, schema.JOB,
    schema.ARTIFACTS, schema.TRIGGER, schema.CI_FILE,
)  # fmt: skip


@pytest.mark.parametrize("key", sorted({key for table in TABLES for key in table}))
def test_readme_documents_every_key(key: str) -> None:
    assert f"`{key}`" in pathlib.Path(schema.__file__).with_name("README.md").read_text()


def test_environment_can_be_a_mapping(simulator: Simulator) -> None:
    simulator.load(scenario({"name": "a", "environment": {"name": "production"}}))
    listed = Client(simulator).get("environments")
    assert [environment["name"] for environment in listed.json()] == ["production"]


def test_scenario_in_the_help_is_valid(
    simulator: Simulator, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(sys, "argv", ["simulator", "--help"])
    with pytest.raises(SystemExit):
        parse_arguments("simulator")
    text = capsys.readouterr().out
    simulator.load(yaml.safe_load(text[text.index("    users:") : text.index("For playbooks,")]))
    assert simulator.job("build")["status"] == "pending"


def test_invalid_scenario_keeps_the_previous_one(simulator: Simulator) -> None:
    simulator.load(scenario({"name": "a"}))
    with pytest.raises(ScenarioError):
        simulator.load({"x": 1})
    assert simulator.job("a")


def test_scenario_is_loaded_from_yaml_text_or_file(simulator: Simulator, tmp_path: pathlib.Path) -> None:
    text = "users: [alice]\nprojects: [{path: a/b, members: {alice: owner}}]\npipelines: [{jobs: [{name: x}]}]\n"
    simulator.load(text)
    assert simulator.job("x")["user"] == "alice"
    path = tmp_path / "scenario.yml"
    path.write_text(text.replace("name: x", "name: y"))
    simulator.load(path)
    assert simulator.job("y")
    simulator.load(str(path))
    assert simulator.job("y")


def test_ids_are_assigned_in_order(simulator: Simulator) -> None:
    world = scenario({"name": "a"}, {"name": "b", "id": 1001}, {"name": "c"})
    world["pipelines"].insert(0, {"jobs": [{"name": "z"}]})
    simulator.load(world)
    assert [simulator.job(name)["id"] for name in "zabc"] == [1000, 1002, 1001, 1003]
    assert simulator.job("z")["pipeline_id"] == 101


def count_executed_lines(work: t.Callable[[], object]) -> int:
    """Return the number of executed lines, including repetitions: a measure of cost that is the same on any machine."""
    count = 0

    def count_line(_frame: object, event: str, _argument: object) -> t.Any:
        nonlocal count
        count += event == "line"
        return count_line

    # coverage measurement uses the same hook
    before = sys.gettrace()
    sys.settrace(count_line)
    try:
        work()
    finally:
        sys.settrace(before)
    return count


def simulation_of_many_jobs(count: int) -> Simulation:
    simulation = Simulation()
    simulation.load(scenario({"generate": {"count": count, "name": "job {n}", "status": "success"}}))
    return simulation


def test_cost_of_loading_grows_linearly_with_the_jobs() -> None:
    few, many = (count_executed_lines(functools.partial(simulation_of_many_jobs, count)) for count in (1000, 2000))
    # twice as many jobs cost about twice as much, not four times
    assert many < 2.5 * few
    assert len(simulation_of_many_jobs(10_000).engine.world.jobs) == 10_000


def cost_of_a_page(count: int) -> int:
    simulation = simulation_of_many_jobs(count)
    headers = {"private-token": "mia-token"}
    path = "/api/v4/projects/7/jobs"
    request = Request("GET", path, "per_page=100&page=2", headers, b"", "http://127.0.0.1")
    simulation.answer(request)
    steps = count_executed_lines(lambda: simulation.answer(request))
    assert simulation.requests[-1]["status"] == 200
    return steps


def test_cost_of_a_page_does_not_grow_with_the_list() -> None:
    # the cost of a page does not grow with the list
    assert cost_of_a_page(2000) < 1.5 * cost_of_a_page(1000)
