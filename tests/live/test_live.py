# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Run the check for a real GitLab against the simulator: it finds errors, and its report contains no addresses."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys
import typing as t

import pytest
import yaml

from tests.integration.harness import ROOT, TOKEN, effects, world
from tests.live.__main__ import without_addresses
from tests.live.runner import Target

MANUAL = {"when": "manual", "stage": "live", "duration": 10}
JOBS: list[dict[str, t.Any]] = [
    {
        "name": "live-build",
        "stage": "build",
        "status": "success",
        "log": "built\n",
        "artifacts": {"files": {"built.txt": "built\n"}},
    },
    {"name": "live-failing", "stage": "build", "status": "failed", "allow_failure": True, "outcome": "failed"},
    {"name": "live-manual", **MANUAL},
    {"name": "live-gate", **MANUAL, "artifacts": {"files": {"gate.txt": "gate\n"}}},
    {"name": "live-long", **MANUAL, "duration": 600},
]
READS = 8


def check(simulator: t.Any, tmp_path: pathlib.Path, *options: str) -> tuple[int, str, str]:
    """Run the check, and return its exit status, output and report."""
    path = tmp_path / "live.md"
    command = [sys.executable, "-m", "tests.live", "--url", simulator.url, "--project", "group/app"]
    done = subprocess.run(
        [*command, "--report", str(path), *options],
        cwd=ROOT,
        env={**os.environ, "GITLAB_TOKEN": TOKEN},
        capture_output=True,
        text=True,
        timeout=1800,
        check=False,
    )
    return done.returncode, done.stdout + done.stderr, path.read_text(encoding="utf-8") if path.exists() else ""


def test_reading_scenarios_pass_and_change_nothing(simulator: t.Any, tmp_path: pathlib.Path) -> None:
    simulator.load(world(*JOBS, stages=["build", "live"]), clock="scaled:60")
    status, output, report = check(simulator, tmp_path)
    assert status == 0, output + report
    assert report.count("| passed |") == READS, report
    assert effects(simulator) == [] and simulator.writes() == []
    for secret in (TOKEN, "127.0.0.1", "group/app", "group%2Fapp"):
        assert secret not in report


def test_writing_scenarios_play_retry_cancel_and_erase(simulator: t.Any, tmp_path: pathlib.Path) -> None:
    simulator.load(world(*JOBS, stages=["build", "live"]), clock="scaled:60")
    status, output, report = check(simulator, tmp_path, "--write")
    assert status == 0, output + report
    assert "skipped" not in report and "failed" not in report.replace("A failed job", "")
    assert effects(simulator) == [
        ("play", "live-manual"),
        ("retry", "live-failing"),
        ("play", "live-long"),
        ("cancel", "live-long"),
        ("play", "live-gate"),
        ("delete_artifacts", "live-gate"),
        ("erase", "live-gate"),
    ]


def test_failed_scenario_is_reported_without_addresses(simulator: t.Any, tmp_path: pathlib.Path) -> None:
    simulator.load(world({"name": "build", "status": "success"}))
    body = {"message": f"{simulator.url}/group/app is broken"}
    simulator.inject(kind="status", path="/trigger_jobs|/bridges", status=403, body=body)
    status, _output, report = check(simulator, tmp_path, "--write")
    assert status == 1
    assert "| Trigger jobs are read | failed |" in report and "GET list_pipeline_trigger_jobs: 403" in report
    assert "the pipeline has no job live-manual" in report
    assert "127.0.0.1" not in report and "group/app" not in report


def test_simulated_jobs_match_the_ci_file_for_gitlab() -> None:
    described = yaml.safe_load((ROOT / "tests" / "live" / "gitlab-ci.yml").read_text(encoding="utf-8"))
    jobs = {name: job for name, job in described.items() if name != "stages"}
    assert list(jobs) == [job["name"] for job in JOBS]
    for job in JOBS:
        written = jobs[job["name"]]
        assert [job.get(key) for key in ("stage", "when", "allow_failure")] == [
            written.get(key) for key in ("stage", "when", "allow_failure")
        ]


def test_missing_token_is_reported(tmp_path: pathlib.Path) -> None:
    clean = {name: value for name, value in os.environ.items() if name != "GITLAB_TOKEN"}
    command = [sys.executable, "-m", "tests.live", "--project", "group/app", "--url", "http://127.0.0.1:9"]
    done = subprocess.run(command, cwd=ROOT, env=clean, capture_output=True, text=True, timeout=1800, check=False)
    assert done.returncode == 2 and "set GITLAB_TOKEN" in done.stderr


@pytest.mark.parametrize("value", ["", "5"])
def test_short_values_are_not_masked(value: str) -> None:
    assert without_addresses("5 of 15", Target("https://x", "t0ken", value, "main")) == "5 of 15"
