# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What ansible-playbook shows while its tasks wait, and when it shows nothing."""

from __future__ import annotations

import pathlib
import typing as t

import pytest

from .harness import ACTION as ACTION_TASK
from .harness import INFO as INFO_TASK
from .harness import advancing_clock_per_poll, effects, play, run_task, world

ACTION = "jobgate.gitlab.gitlab_job_action"
INFO = "jobgate.gitlab.gitlab_job_info"
LOG = "".join(f"step {number} \x1b[32mdone\x1b[0m\n" for number in range(1, 41))
DEPLOY: dict[str, t.Any] = {"project": "group/app", "pipeline_id": 100, "name": "deploy", "wait": True}


def scenario(**fields: t.Any) -> dict[str, t.Any]:
    deploy = {"name": "deploy", "when": "manual", "queue": 60, "duration": 90, "tags": ["docker", "eu"], "log": LOG}
    return {**world({**deploy, **fields}), "runners": [{"tags": ["docker", "eu"]}]}


def lines_of(output: str, *begins: str) -> list[str]:
    return [line for line in output.splitlines() if line.startswith(begins)]


def task(**options: t.Any) -> dict[str, t.Any]:
    return {"name": "task", ACTION: {**DEPLOY, "action": "play", "wait_interval": 0.5, **options}}


def test_progress_lines_of_a_deployment_are_shown_in_order(simulator: t.Any, tmp_path: pathlib.Path) -> None:
    simulator.load(scenario())
    with advancing_clock_per_poll(20, simulator):
        result = play([task()], tmp_path, url=simulator.url)
    assert result.returncode == 0, result.output
    lines = lines_of(result.output, "group/app deploy")
    assert lines[0] == "group/app deploy: manual -> pending (played)"
    assert lines[1] == "group/app deploy: waits for a runner with the tags docker, eu"
    assert lines[2].startswith("group/app deploy: pending -> running after 60 s on runner docker-1")
    assert lines[3] == "group/app deploy: running -> success after 90 s (queued 60 s)"
    assert len(lines) == 4
    # no control codes without a terminal
    assert "\x1b" not in result.output


def test_progress_lines_are_colored_when_ansible_colors_output(simulator: t.Any, tmp_path: pathlib.Path) -> None:
    simulator.load(scenario(queue=10, duration=20, outcome="failed"))
    color = {"ANSIBLE_NOCOLOR": "0", "ANSIBLE_FORCE_COLOR": "1"}
    with advancing_clock_per_poll(5, simulator):
        result = play([task()], tmp_path, url=simulator.url, environment=color)
    assert result.returncode == 2, result.output
    lines = [line for line in result.output.splitlines() if "group/app deploy: " in line and "->" in line]
    # yellow, yellow, red
    assert [line.partition("group/app")[0] for line in lines] == ["\x1b[0;33m", "\x1b[0;33m", "\x1b[0;31m"]
    assert "running -> failed after 20 s (script_failure, queued 10 s)" in lines[-1]


SILENCE: dict[str, dict[str, t.Any]] = {
    "JOBGATE_PROGRESS": {"environment": {"JOBGATE_PROGRESS": "false"}},
    "ANSIBLE_DISPLAY_OK_HOSTS": {"environment": {"ANSIBLE_DISPLAY_OK_HOSTS": "false"}},
    "no_log": {"keywords": {"no_log": True}},
    "variable": {"keywords": {"vars": {"jobgate_progress": False}}},
    "module": {"environment": {"JOBGATE_IN_PROCESS": "false"}},
}


@pytest.mark.parametrize("name", SILENCE)
def test_progress_is_hidden_when_turned_off(simulator: t.Any, tmp_path: pathlib.Path, name: str) -> None:
    simulator.load(scenario(queue=10, duration=20), clock="scaled:30")
    how = SILENCE[name]
    result = play(
        [{**task(log_follow=True), **how.get("keywords", {})}],
        tmp_path,
        url=simulator.url,
        environment=how.get("environment"),
    )
    assert result.returncode == 0, result.output
    assert lines_of(result.output, "group/app ", "deploy") == []


def test_display_ok_hosts_in_ansible_cfg_hides_progress(simulator: t.Any, tmp_path: pathlib.Path) -> None:
    simulator.load(scenario(queue=10, duration=20), clock="scaled:30")
    (tmp_path / "ansible.cfg").write_text("[defaults]\ndisplay_ok_hosts = false\n", encoding="utf-8")
    result = play([task()], tmp_path, url=simulator.url)
    assert result.returncode == 0, result.output
    assert lines_of(result.output, "group/app ", "deploy") == []


def test_log_follow_shows_new_log_lines_while_the_job_runs(simulator: t.Any, tmp_path: pathlib.Path) -> None:
    simulator.load(scenario(queue=10))
    with advancing_clock_per_poll(5, simulator):
        result = play([task(log_follow=True)], tmp_path, url=simulator.url)
    assert result.returncode == 0, result.output
    log = lines_of(result.output, "deploy | ")
    assert log == [f"deploy | step {number} done" for number in range(1, 41)]
    everything = lines_of(result.output, "deploy | ", "group/app deploy")
    end = next(index for index, line in enumerate(everything) if "running -> success" in line)
    assert any(line in everything[:end] for line in log)
    assert sum(request["path"].endswith("/trace") for request in simulator.requests()) >= 3


def test_progress_lines_of_many_hosts_do_not_mix(simulator: t.Any, tmp_path: pathlib.Path) -> None:
    simulator.load(
        world(*({"name": f"deploy-{number}", "when": "manual", "queue": 20, "duration": 60} for number in range(10))),
        clock="scaled:30",
    )
    hosts = ", ".join(f"host{number}: {{}}" for number in range(10))
    inventory = tmp_path / "hosts.yml"
    inventory.write_text(f"all: {{hosts: {{{hosts}}}}}\n", encoding="utf-8")
    name = "deploy-{{ inventory_hostname[4:] }}"
    result = play(
        [task(name=name)], tmp_path, "-f", "10", "-i", str(inventory), url=simulator.url, play_keywords={"hosts": "all"}
    )
    assert result.returncode == 0, result.output
    for number in range(10):
        own = lines_of(result.output, f"[host{number}] ")
        assert own[0] == f"[host{number}] group/app deploy-{number}: manual -> pending (played)"
        # a task may miss that its job ran, because ten tasks run at the same time
        assert own[-1].startswith(f"[host{number}] group/app deploy-{number}: ") and "-> success after 60 s" in own[-1]
        assert all(line.count("->") <= 1 for line in own)
    assert len(effects(simulator)) == 10


@pytest.mark.parametrize("version", ["11.11", "13.12", "16.11", "19.2"])
def test_waiting_for_a_large_pipeline_counts_jobs_on_all_versions(simulator: t.Any, version: str) -> None:
    jobs = [{"name": f"job {number}", "duration": 10 + number} for number in range(60)]
    simulator.load(world(*jobs), version=version)
    result = run_task(simulator, INFO_TASK, project="group/app", pipeline_id=100, wait=True)
    assert result.failure is None and result["summary"] == {"success": 60}
    assert 69 <= result.seconds <= 85
    requests = [request for request in simulator.requests() if request["path"].endswith("/jobs")]
    assert sum("per_page=1&" in f"{request['query']}&" for request in requests) >= len(requests) - 2
    assert len(requests) < 40


def test_many_played_jobs_are_polled_by_counting(simulator: t.Any) -> None:
    jobs = [{"name": f"job {number}", "when": "manual", "duration": 10 + number} for number in range(60)]
    simulator.load(world(*jobs, {"name": "other", "when": "manual"}))
    result = run_task(
        simulator,
        ACTION_TASK,
        project="group/app",
        pipeline_id=100,
        name=["job *"],
        action="play",
        multiple="all",
        wait=True,
        wait_timeout=600.0,
    )
    assert result.failure is None
    assert {entry["after"]["status"] for entry in result["results"]} == {"success"}
    lists = [request for request in simulator.requests() if request["method"] == "GET"]
    assert sum("per_page=1&" in f"{request['query']}&" for request in lists) > len(lists) / 2
