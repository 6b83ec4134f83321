# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Scenarios: what is wrong with one is told with its place, and masses of jobs are cheap."""

from __future__ import annotations

import pathlib
import time
import typing as t

import pytest

from tests.simulator import schema
from tests.simulator.fixture import Simulator
from tests.simulator.schema import ScenarioError
from tests.simulator.simulation import Simulation

from .support import Client, scenario


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({"pipeline": []}, "scenario: unknown key 'pipeline'; did you mean pipelines?"),
        ({"version": 18.1}, "scenario.version: put it in quotes"),
        ({"clock": "fast"}, "scenario.clock: clock 'fast' is none of real, stepped, scaled:FACTOR"),
        ({"users": [{"name": "A"}]}, "users[0]: key 'username' is missing"),
        ({"users": {}}, "scenario.users: a list is needed"),
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
        (scenario({"name": "a", "id": 5}, {"name": "b", "id": 5}), "5 is taken already"),
    ],
)
def test_mistakes(simulator: Simulator, given: dict[str, t.Any], text: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        simulator.load(given)
    assert text in str(caught.value)


TABLES = (
    schema.SCENARIO, schema.LIMITS, schema.USER, schema.TOKEN, schema.PROJECT, schema.PROTECTED, schema.APPROVAL_RULE,
    schema.FREEZE, schema.TEMPLATE, schema.INPUT, schema.TEST, schema.AGENT, schema.RUNNER, schema.PIPELINE, schema.JOB,
    schema.ARTIFACTS, schema.TRIGGER, schema.CI_FILE,
)  # fmt: skip


@pytest.mark.parametrize("key", sorted({key for table in TABLES for key in table}))
def test_the_readme_has_every_key(key: str) -> None:
    assert f"`{key}`" in pathlib.Path(schema.__file__).with_name("README.md").read_text()


def test_a_wrong_scenario_leaves_the_world_alone(simulator: Simulator) -> None:
    simulator.load(scenario({"name": "a"}))
    with pytest.raises(ScenarioError):
        simulator.load({"x": 1})
    assert simulator.job("a")


def test_yaml_text_and_file(simulator: Simulator, tmp_path: pathlib.Path) -> None:
    text = "users: [alice]\nprojects: [{path: a/b, members: {alice: owner}}]\npipelines: [{jobs: [{name: x}]}]\n"
    simulator.load(text)
    assert simulator.job("x")["user"] == "alice"
    path = tmp_path / "scenario.yml"
    path.write_text(text.replace("name: x", "name: y"))
    simulator.load(path)
    assert simulator.job("y")
    simulator.load(str(path))
    assert simulator.job("y")


def test_ids(simulator: Simulator) -> None:
    world = scenario({"name": "a"}, {"name": "b", "id": 1001}, {"name": "c"})
    world["pipelines"].insert(0, {"jobs": [{"name": "z"}]})
    simulator.load(world)
    assert [simulator.job(name)["id"] for name in "zabc"] == [1000, 1002, 1001, 1003]
    assert simulator.job("z")["pipeline_id"] == 101


def test_masses_are_cheap() -> None:
    many = {"generate": {"count": 10_000, "name": "job {n}", "status": "success"}}
    begin = time.perf_counter()
    simulation = Simulation()
    simulation.load(scenario(many))
    # About 0.1 s on a slow machine; the limit only catches something that grows with the square.
    assert time.perf_counter() - begin < 2
    assert len(simulation.engine.world.jobs) == 10_000


def test_a_page_of_masses_is_cheap(simulator: Simulator) -> None:
    simulator.load(scenario({"generate": {"count": 10_000, "status": "success"}}))
    client = Client(simulator)
    client.get("jobs?per_page=100&page=2")
    begin = time.perf_counter()
    for page in range(1, 11):
        assert client.get(f"jobs?per_page=100&page={page}").json()[0]["name"] == f"job {10_100 - page * 100}"
    assert time.perf_counter() - begin < 2
