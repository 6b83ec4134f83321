# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Test pipelines of a `.gitlab-ci.yml` on the running server, and the program options that create them."""

from __future__ import annotations

import collections.abc as c
import dataclasses
import pathlib
import subprocess
import sys
import typing as t

import pytest
import requests
import yaml

from tests.simulator.__main__ import main
from tests.simulator.fixture import Simulator
from tests.simulator.schema import ScenarioError

from .support import Client, names, scenario

ROOT = pathlib.Path(__file__).resolve().parents[2]
FILE = """\
stages: [build, test, deploy]
workflow:
  name: "$CI_PIPELINE_SOURCE of $CI_COMMIT_REF_NAME"
  rules:
    - if: $CI_COMMIT_REF_NAME == "quiet"
      when: never
    - when: always
build: {stage: build, script: make}
test: {script: make test, parallel: 2, needs: [build]}
deploy:
  stage: deploy
  script: make deploy
  environment: ${TARGET}
  variables: {TARGET: staging}
  tags: [strong]
  rules:
    - if: $CI_COMMIT_TAG || $FORCE == "yes"
      when: manual
only tags: {script: x, rules: [{if: $CI_COMMIT_TAG}]}
"""


@pytest.fixture
def world(tmp_path: pathlib.Path) -> c.Callable[..., dict[str, t.Any]]:
    """Return a function that writes a file and returns a scenario whose project uses it."""

    def make(text: str = FILE, *, pipelines: t.Any = (), **more: t.Any) -> dict[str, t.Any]:
        path = tmp_path / ".gitlab-ci.yml"
        path.write_text(text, encoding="utf-8")
        refs = {"branches": {"quiet": None, "main": None}, "tags": {"v1": None}}
        found = scenario(ci_file={"path": str(path), **more}, **refs)
        found["tokens"].append({"token": "trigger-token", "user": "mia", "kind": "trigger", "project": "group/app"})
        return {**found, "pipelines": list(pipelines)}

    return make


World = c.Callable[..., dict[str, t.Any]]


def test_scenario_pipeline_without_jobs_gets_them_from_the_file(simulator: Simulator, world: World) -> None:
    rows = [{"id": 100}, {"id": 101, "ref": "v1", "tag": True, "name": "mine"}, {"id": 102, "jobs": [{"name": "x"}]}]
    simulator.load(world(pipelines=rows, times={"build": 30, "test": {"outcome": "failed"}, "test 2/2": 5}))
    client = Client(simulator)
    assert simulator.pipeline(100)["jobs"] == ["build", "test 1/2", "test 2/2"]
    assert simulator.pipeline(101)["jobs"] == ["build", "test 1/2", "test 2/2", "only tags", "deploy"]
    assert simulator.pipeline(102)["jobs"] == ["x"]
    assert [client.get(f"pipelines/{number}").json()["name"] for number in (100, 101)] == ["push of main", "mine"]
    simulator.advance(35)
    found = {row["name"]: row for row in client.get("pipelines/100/jobs").json()}
    assert {name: row["status"] for name, row in found.items()} == {
        "build": "success",
        "test 1/2": "failed",
        "test 2/2": "running",
    }
    assert found["build"]["duration"] == 30


def test_created_pipeline_gets_its_jobs_from_the_file(simulator: Simulator, world: World) -> None:
    simulator.load(world())
    client = Client(simulator)
    variables = [{"key": "FORCE", "value": "yes"}, {"key": "TARGET", "value": "elsewhere"}]
    made = client.post("pipeline", json={"ref": "main", "variables": variables})
    assert made.status_code == 201, made.text
    assert simulator.pipeline(made.json()["id"])["name"] == "api of main"
    (deploy,) = [row for row in client.get("jobs?scope[]=created").json() if row["name"] == "deploy"]
    assert names(client.get(f"pipelines/{made.json()['id']}/jobs")) == ["deploy", "test 2/2", "test 1/2", "build"]
    assert deploy["allow_failure"] is False
    simulator.advance(10)
    (deployment,) = client.get("deployments").json()
    assert deployment["environment"]["name"] == "elsewhere"
    assert simulator.job("deploy")["status"] == "manual"


def test_downstream_pipeline_uses_the_file_of_its_own_project(
    simulator: Simulator, world: World, tmp_path: pathlib.Path
) -> None:
    text = """\
workflow: {name: "$CI_COMMIT_BRANCH $FROM"}
a: {script: x, rules: [{if: $CI_PIPELINE_SOURCE == "pipeline"}]}
"""
    (tmp_path / "other.yml").write_text(text, encoding="utf-8")
    text = "t: {trigger: group/other, variables: {FROM: $CI_PROJECT_NAME}}\n"
    given = world(text, pipelines=[{"project": "group/app"}])
    given["projects"].append(
        {"path": "group/other", "default_branch": "trunk", "ci_file": str(tmp_path / "other.yml"), "members": {}}
    )
    simulator.load(given)
    simulator.advance(10)
    below = simulator.pipeline(simulator.job("a")["pipeline_id"])
    assert (below["ref"], below["source"], below["name"]) == ("trunk", "pipeline", "trunk app")
    assert [(row["key"], row["value"]) for row in below["variables"]] == [("FROM", "app")]


def test_triggered_pipeline_gets_its_jobs_from_the_file(simulator: Simulator, world: World) -> None:
    simulator.load(world())
    made = Client(simulator, None).post("trigger/pipeline", data={"token": "trigger-token", "ref": "v1"})
    assert made.status_code == 201, made.text
    assert simulator.pipeline(made.json()["id"])["jobs"][-1] == "deploy"
    assert simulator.pipeline(made.json()["id"])["name"] == "trigger of v1"


NO_JOBS = (
    "Pipeline will not run for the selected trigger. "
    "The rules configuration prevented any jobs from being added to the pipeline."
)


@pytest.mark.parametrize(
    ("text", "ref", "error"),
    [
        (FILE, "quiet", "Pipeline filtered out by workflow rules."),
        ("a: {script: x, rules: [{if: $CI_COMMIT_TAG}]}", "main", NO_JOBS),
        (
            "a: {script: x, stage: b}",
            "main",
            "a job: chosen stage b does not exist; available stages are .pre, build, ",
        ),
        (
            "a: {script: x, only: [tags]}\nb: {script: x, needs: [a]}",
            "main",
            "'b' job needs 'a' job, but 'a' does not exist in the pipeline.",
        ),
    ],
)
def test_refused_pipelines_have_the_error_of_gitlab(
    simulator: Simulator, world: World, text: str, ref: str, error: str
) -> None:
    simulator.load(world(text))
    refused = Client(simulator).post("pipeline", json={"ref": ref})
    assert refused.status_code == 400
    assert refused.json()["message"]["base"][0].startswith(error)
    assert simulator.effects() == []


def test_changed_file_is_used_for_the_next_pipeline(simulator: Simulator, world: World, tmp_path: pathlib.Path) -> None:
    simulator.load(world())
    (tmp_path / ".gitlab-ci.yml").write_text("other: {script: x}", encoding="utf-8")
    assert simulator.pipeline(simulator.create_pipeline("main"))["jobs"] == ["other"]
    (tmp_path / ".gitlab-ci.yml").unlink()
    refused = Client(simulator).post("pipeline", json={"ref": "main"})
    assert refused.json() == {"message": {"base": ["Missing CI config file"]}}


def test_scenario_with_an_invalid_file_has_a_failed_pipeline(simulator: Simulator, world: World) -> None:
    simulator.load(world("a: {script: x, stage: b}", pipelines=[{"id": 100}]))
    found = Client(simulator).get("pipelines/100").json()
    assert found["status"] == "failed" and found["yaml_errors"].startswith("a job: chosen stage b does not exist")
    with pytest.raises(ScenarioError, match="creates no pipeline for quiet .push.: excluded by workflow:rules"):
        simulator.load(world(pipelines=[{"ref": "quiet"}]))


def test_downstream_pipelines_run(simulator: Simulator, world: World, tmp_path: pathlib.Path) -> None:
    (tmp_path / "child.yml").write_text("inner: {script: x}", encoding="utf-8")
    text = """\
child: {trigger: {include: child.yml, strategy: depend}}
other: {trigger: {project: group/other, strategy: depend}}
"""
    whole = world(text, pipelines=[{"id": 100, "project": "group/app"}])
    other = {"path": "group/other", "new_pipelines": {"main": {"jobs": [{"name": "there", "outcome": "failed"}]}}}
    whole["projects"].append(other)
    simulator.load(whole)
    simulator.advance(10)
    assert [simulator.job(name)["status"] for name in ("inner", "there", "child", "other")] == [
        "success",
        "failed",
        "success",
        "failed",
    ]


def test_tags_matter_only_if_the_scenario_has_runners(simulator: Simulator, world: World) -> None:
    row = {"id": 100, "ref": "v1", "tag": True}
    for runners, status in ((None, "success"), ([{"tags": []}], "pending"), ([{"tags": ["strong"]}], "success")):
        simulator.load({**world(pipelines=[row]), "runners": runners})
        simulator.advance(10)
        simulator.act_as_somebody_else("play", "deploy")
        simulator.advance(10)
        assert simulator.job("deploy")["status"] == status


def test_pipeline_inputs_are_used_and_validated(simulator: Simulator, world: World) -> None:
    text = """\
spec: {inputs: {count: {type: number, default: 1}, target: {}}}
---
a: {script: x, environment: "$[[ inputs.target ]]", parallel: "$[[ inputs.count ]]"}
"""
    simulator.load(world(text))
    client = Client(simulator)
    made = client.post("pipeline", json={"ref": "main", "inputs": {"count": 2, "target": "there"}})
    assert made.status_code == 201, made.text
    assert simulator.pipeline(made.json()["id"])["jobs"] == ["a 1/2", "a 2/2"]
    assert simulator.pipeline(made.json()["id"])["inputs"] == {"count": 2, "target": "there"}
    for given, error in (
        ({}, "`target` input: required value has not been provided"),
        ({"target": "x", "count": "many"}, "`count` input: provided value is not a number"),
        ({"target": "x", "more": 1}, "unknown input arguments: more"),
    ):
        refused = client.post("pipeline", json={"ref": "main", "inputs": given})
        assert refused.status_code == 400
        assert refused.json()["message"]["base"] == [error]


def test_retry_when_limits_retries_to_its_reasons(simulator: Simulator, world: World) -> None:
    text = "a: {script: x, retry: {max: 1, when: [runner_system_failure]}}\nb: {extends: a}\n"
    reasons = {"a": "runner_system_failure", "b": "script_failure"}
    times = {name: {"outcome": "failed", "failure_reason": reason} for name, reason in reasons.items()}
    simulator.load(world(text, pipelines=[{}], times=times))
    simulator.advance(10)
    assert [simulator.job(name)["attempt"] for name in ("a", "b")] == [2, 1]


def test_unsupported_keywords_are_noted(simulator: Simulator, world: World) -> None:
    simulator.load(world(pipelines=[{}]))
    assert [note.partition(":")[0] for note in simulator.notes()] == ["script"]


@pytest.mark.parametrize(
    ("row", "text"),
    [
        ({"pth": "x"}, "ci_file: unknown key 'pth'"),
        (
            {"path": "x", "times": {"a": "long"}},
            "ci_file.times.a: must be seconds, or a mapping of job keys such as duration",
        ),
        ({"path": "x", "times": {"a": {"length": 3}}}, "ci_file.times.a: unknown key 'length'"),
        ({"path": "x", "files": 3}, "ci_file.files: must be a list of paths, or a file with one path per line"),
        ({"path": "x", "files": "none.txt"}, "ci_file.files: "),
    ],
)
def test_invalid_ci_file_settings_are_refused(simulator: Simulator, row: dict[str, t.Any], text: str) -> None:
    with pytest.raises(ScenarioError) as caught:
        simulator.load(scenario(ci_file=row))
    assert text in str(caught.value)


def test_ci_file_paths_are_relative_to_the_scenario(simulator: Simulator, tmp_path: pathlib.Path) -> None:
    (tmp_path / "ci").mkdir()
    (tmp_path / "ci" / "main.yml").write_text("include: ci/more.yml\na: {script: x}", encoding="utf-8")
    (tmp_path / "ci" / "more.yml").write_text("b: {script: x}", encoding="utf-8")
    project = {"path": "group/app", "ci_file": {"path": "ci/main.yml", "root": "."}}
    (tmp_path / "scenario.yml").write_text(yaml.safe_dump({"projects": [project], "pipelines": [{"id": 100}]}))
    simulator.load(tmp_path / "scenario.yml")
    assert simulator.pipeline(100)["jobs"] == ["b", "a"]


# -- the program -------------------------------------------------------------------------------------------------------


@dataclasses.dataclass(frozen=True)
class Done:
    returncode: int
    stdout: str
    stderr: str


Program = c.Callable[..., Done]


@pytest.fixture
def program(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Program:
    """Return a function that runs the program in this process until it ends, and returns its output."""

    def run(*options: str) -> Done:
        monkeypatch.setattr(sys, "argv", ["simulator", *options])
        try:
            status = main()
        except SystemExit as end:
            status = int(str(end.code))
        captured = capsys.readouterr()
        return Done(status, captured.out, captured.err)

    return run


@pytest.fixture
def file(tmp_path: pathlib.Path) -> str:
    path = tmp_path / ".gitlab-ci.yml"
    path.write_text(FILE + "other: {stage: deploy, trigger: {project: group/other, strategy: depend}}\n")
    return str(path)


def jobs_of(output: str) -> dict[str, t.Any]:
    (pipeline,) = yaml.safe_load(output)["pipelines"]
    return {row["name"]: row for row in pipeline["jobs"]}


def test_program_prints_the_scenario(file: str, tmp_path: pathlib.Path, simulator: Simulator, program: Program) -> None:
    times = tmp_path / "times.yml"
    times.write_text("build: 40\ntest*: {outcome: failed}\n")
    options = ("--ref", "refs/tags/v2", "--variable", "TARGET=a=b", "--times", str(times), "--print-scenario")
    done = program("--ci-file", file, *options)
    assert done.returncode == 0, done.stderr
    found = jobs_of(done.stdout)
    assert list(found) == ["build", "test 1/2", "test 2/2", "only tags", "deploy", "other"]
    assert (found["build"]["duration"], found["test 2/2"]["outcome"]) == (40, "failed")
    assert found["deploy"]["environment"] == "a=b"
    assert done.stdout.startswith("# not supported: script: ")
    # The output is a scenario.
    simulator.load(yaml.safe_load(done.stdout))
    simulator.advance(1000)
    assert simulator.job("build")["status"] == "success"


def test_source_and_files_options_select_the_jobs(tmp_path: pathlib.Path, program: Program) -> None:
    (tmp_path / "ci.yml").write_text(
        "a: {script: x, rules: [{if: '$CI_MERGE_REQUEST_SOURCE_BRANCH_NAME == \"feature\"', changes: [b/*]}]}\n"
        "b: {script: x, rules: [{exists: [b/c]}]}\n"
    )
    (tmp_path / "files.txt").write_text("b/c\n\n")
    options = ["--ci-file", str(tmp_path / "ci.yml"), "--print-scenario", "--files", str(tmp_path / "files.txt")]
    assert list(jobs_of(program(*options).stdout)) == ["b"]
    more = ["--source", "merge_request_event", "--ref", "feature"]
    assert list(jobs_of(program(*options, *more).stdout)) == ["a", "b"]


def test_program_serves_the_project_and_prints_its_token(file: str) -> None:
    command = [sys.executable, "-m", "tests.simulator", "--ci-file", file, "--clock", "scaled:1000"]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None and process.stderr is not None
        url, token = process.stdout.readline().split()
        session = requests.Session()
        session.headers["PRIVATE-TOKEN"] = token
        base = f"{url}/api/v4/projects/group%2Fproject"
        assert session.get(f"{base}/pipelines").json()[0]["name"] == "push of main"
        made = session.post(f"{base}/pipeline", json={"ref": "main", "variables": [{"key": "FORCE", "value": "yes"}]})
        assert made.status_code == 201, made.text
        assert "deploy" in [row["name"] for row in session.get(f"{base}/pipelines/{made.json()['id']}/jobs").json()]
        process.terminate()
        assert "simulator: not supported: script: " in process.stderr.read()


def test_ci_file_can_be_combined_with_a_scenario(file: str, tmp_path: pathlib.Path, program: Program) -> None:
    path = tmp_path / "scenario.yml"
    path.write_text(yaml.safe_dump({"projects": [{"path": "my/app"}, {"path": "group/other"}]}))
    done = program("--ci-file", file, "--scenario", str(path), "--print-scenario")
    assert done.returncode == 0, done.stderr
    assert yaml.safe_load(done.stdout)["pipelines"][0]["project"] == "my/app"


@pytest.mark.parametrize(
    ("options", "text"),
    [
        (("--ref", "main"), "--ref, --source, --variable, --files and --times require --ci-file FILE"),
        (("--ci-file", "none.yml"), "--ci-file: file not found: none.yml"),
        (("--ci-file", "FILE", "--source", "wish"), "--source: 'wish' is not one of push, web"),
        (("--ci-file", "FILE", "--variable", "A"), "--variable: must be NAME=VALUE, not 'A'"),
        (("--ci-file", "FILE", "--ref", "quiet"), "creates no pipeline for quiet (push): excluded by workflow:rules"),
        (
            ("--ci-file", "FILE", "--ref", "refs/merge-requests/3/head"),
            "neither refs/heads/NAME nor refs/tags/NAME; for a",
        ),
        (
            ("--ci-file", "FILE", "--ref", "refs/tags/v1", "--source", "merge_request_event"),
            "--ref: a merge request requires a source branch, but refs/tags/v1 is a tag",
        ),
        (("--ci-file", "FILE", "--times", "none.yml"), "none.yml"),
        (("--ci-file", "FILE", "--files", "none.txt"), "none.txt"),
    ],
)
def test_invalid_options_are_reported(file: str, program: Program, options: tuple[str, ...], text: str) -> None:
    done = program(*(file if option == "FILE" else option for option in options))
    assert done.returncode == 2
    assert text in done.stderr
