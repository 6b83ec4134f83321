# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reasons of gates with hundreds of jobs list the first jobs and the total; results and record contain all jobs."""

from __future__ import annotations

import json
import pathlib
import typing as t

import pytest

from tests.contract.gate_support import MANUAL, Row
from tests.contract.test_release_gates import release
from tests.integration.harness import ACTION, run_task, world

MANY = 300
FAILED: Row = {"name": "test", "status": "failed"}
ALL = {"stage": "deploy", "multiple": "all", "wait_timeout": 20.0}
# gates, the status of their jobs, and whether to use check mode
GATES: tuple[tuple[Row, Row, bool], ...] = (
    ({"action": "wait"}, {"status": "failed"}, False),
    ({"action": "wait"}, MANUAL, False),
    ({"action": "wait"}, MANUAL, True),
    ({"action": "wait"}, {"status": "failed"}, True),
    ({"action": "verify"}, {"status": "failed"}, False),
    ({"action": "play"}, {"status": "skipped"}, False),
    ({"action": "play"}, {"status": "canceled"}, False),
    ({"action": "retry"}, {"duration": 900}, False),
    ({"action": "retry", "on_timeout": "cancel"}, {"duration": 900}, False),
)


@pytest.mark.parametrize(("gate", "job", "check_mode"), GATES)
def test_reason_lists_the_first_of_many_jobs(simulator: t.Any, gate: Row, job: Row, check_mode: bool) -> None:
    late = [{"name": f"late-{number}", "stage": "deploy", **job} for number in range(MANY)]
    simulator.load(world({"name": "build", "stage": "test", "status": "failed", "allow_failure": True}, *late))
    selection = ALL if gate["action"] in ("play", "retry") else {"stage": "deploy"}
    selection = {**selection, "wait_timeout": 20.0} if gate["action"] != "verify" else selection
    result = release(simulator, {"gates": [{**selection, **gate}]}, check_mode=check_mode, log_lines=3)
    (shown,) = result["gates"]
    assert f"and {MANY - 12} more, {MANY} in all" in shown["reason"]
    assert shown["reason"].count("late-") <= 24 and len(shown["reason"]) < 5000
    assert len(shown["jobs"]) == MANY and len(str(result.failure)) < 5000


def test_record_contains_all_jobs_and_summary_the_first(simulator: t.Any, tmp_path: pathlib.Path) -> None:
    late = [{"name": f"late-{number}", "stage": "deploy", "status": "failed"} for number in range(MANY)]
    simulator.load(world(*late))
    paths = {name: str(tmp_path / name) for name in ("record", "summary", "report")}
    gates = [{"stage": "deploy", "action": "verify"}]
    assert release(simulator, {"gates": gates}, **paths).failure
    record = json.loads((tmp_path / "record").read_text(encoding="utf-8"))
    assert len(record["projects"][0]["gates"][0]["jobs"]) == MANY
    summary = (tmp_path / "summary").read_text(encoding="utf-8")
    assert summary.count("[late-") == 50 and "250 other jobs" in summary
    page = (tmp_path / "report").read_text(encoding="utf-8")
    assert all(f">late-{number}<" in page for number in range(MANY))


def test_failure_lists_the_first_of_many_failed_projects(simulator: t.Any) -> None:
    made = world()
    made["projects"] = [{"path": f"group/app-{number}", "members": {"alice": "maintainer"}} for number in range(30)]
    made["pipelines"] = [
        {
            "id": 100 + number,
            "project": f"group/app-{number}",
            "ref": "main",
            "jobs": [{"name": "test", "status": "failed"}],
        }
        for number in range(30)
    ]
    simulator.load(made)
    gates = [{"name": "test", "action": "verify"}]
    rows = [{"project": f"group/app-{number}", "gates": gates} for number in range(30)]
    last = [{"name": f"last-{number}", **rows[0], "needs": ["group/app-29"]} for number in range(30)]
    text = str(release(simulator, *rows, *last, strategy="collect").failure)
    assert text.startswith("30 of 60 projects failed: gate 'test' of project 'group/app-0' did not open: ")
    assert "; and 18 more, 30 in all. Not reached: 'last-0', " in text and text.endswith(" and 18 more")


def test_reason_that_ends_as_a_question_gets_no_full_stop(simulator: t.Any, tmp_path: pathlib.Path) -> None:
    simulator.load(world({"name": "publish", **MANUAL}))
    first = {"name": "first", "gates": [{"name": "publihs", "action": "wait"}]}
    then = {"needs": ["first"], "gates": [{"name": "publish", "action": "wait"}]}
    path = tmp_path / "record.json"
    assert "in pipeline 100 of project group/app (" in str(release(simulator, first, record=str(path)).failure)
    assert json.loads(path.read_text())["message"].endswith("did you mean 'publish'?")
    text = str(release(simulator, first, then).failure)
    assert text.endswith("did you mean 'publish'? Not reached: 'group/app'")


def test_gate_with_many_names_is_referred_to_by_the_first(simulator: t.Any) -> None:
    simulator.load(world(FAILED, *({"name": f"job-{number}"} for number in range(50))))
    names = ["test", *(f"job-{number}" for number in range(50))]
    result = release(simulator, {"gates": [{"name": names, "action": "verify"}, {"name": "test", "action": "wait"}]})
    first, then = result["gates"]
    assert first["name"] == ", ".join(names)
    assert then["reason"].startswith("the earlier gate 'test, job-0, ")
    assert then["reason"].endswith("' and 39 more names failed")
    assert "job-10' and 39 more names of project 'group/app' did not open: " in str(result.failure)


def test_action_lists_and_reads_logs_of_fifty_failed_jobs(simulator: t.Any) -> None:
    late = [{"name": f"late-{number}", "status": "failed", "log": "it is broken"} for number in range(120)]
    simulator.load(world(*late))
    result = run_task(
        simulator, ACTION, project="group/app", ref="main", action="play", name=["late-*"], multiple="all"
    )
    text = str(result.failure)
    assert text.startswith("120 of 120 jobs failed: ") and text.count("late-") >= 50
    assert "and 70 more, 120 in all" in text
    assert [row["outcome"] for row in result["results"]] == ["refused"] * 120
    assert sum(request["path"].endswith("/trace") for request in simulator.requests()) == 50
