# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The command with which readers of a report continue: what it does, and when there is none."""

from __future__ import annotations

import json
import re
import shlex

import pytest
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.report.gates import gate_list, retry_command
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.report.page import render_page

from .records import a_gate, a_job, a_project, a_record


def command_for(**fields):
    job = a_job(42, **{"kind": "job", **fields})
    project = a_project(jobs=[job])
    project["pipelines"][0]["project_id"] = 7
    return retry_command(a_record(server="https://gitlab.example.com/$(id)'"), project, job)


@pytest.mark.parametrize(("status", "action"), [("failed", "retry"), ("canceled", "retry"), ("manual", "play")])
def test_retry_command_uses_ids_and_is_quoted(status, action):
    words = shlex.split(command_for(status=status))
    assert words[:5] == ["ansible", "localhost", "-m", "jobgate.gitlab.gitlab_job_action", "-a"]
    assert json.loads(words[5]) == {
        "api_url": "https://gitlab.example.com/$(id)'",
        "project": "7",
        "job_id": 42,
        "action": action,
        "wait": True,
    }


@pytest.mark.parametrize(
    ("given", "server", "expected"),
    [
        ("g/a", "https://gitlab.example.com", "g/a"),
        ("7", "https://gitlab.example.com", "7"),
        # a job of a fork, or of a downstream pipeline on another server
        ("a", "https://gitlab.example.com", "7"),
        ("g/b", "https://gitlab.example.com", "7"),
        ("g/a", "https://elsewhere.example.com", "7"),
    ],
)
def test_retry_command_names_the_project_as_configured_if_it_matches(given, server, expected):
    job = a_job(42, kind="job", status="failed")
    project = a_project(jobs=[job], project=given)
    project["pipelines"][0]["project_id"] = 7
    words = shlex.split(retry_command(a_record(server=server), project, job))
    assert json.loads(words[5])["project"] == expected


@pytest.mark.parametrize(
    "fields", [{"status": "success"}, {"status": "running"}, {"status": "failed", "kind": "bridge"}, {"pipeline_id": 8}]
)
def test_no_retry_command_where_it_would_not_help(fields):
    assert command_for(**{"status": "failed", **fields}) == ""


def test_only_the_first_of_many_commands_are_shown():
    jobs = [a_job(number, kind="job", status="failed") for number in range(1, 2001)]
    project = a_project(gates=[a_gate(outcome="failed", jobs=jobs)], jobs=jobs)
    project["pipelines"][0]["project_id"] = 7
    page = gate_list(a_record(project))
    assert page.count("ansible localhost") == 10
    assert page.count("Start the other jobs in the same way") == 1


@pytest.mark.parametrize("action", ["run", "wait"])
def test_advice_about_the_next_run_mentions_run_gates(action):
    """On the next run, these gates start another pipeline if the first has ended, although other passed gates stay."""
    first = a_project(gates=[a_gate(action=action, jobs=[])])
    second = a_project(gates=[a_gate(outcome="failed")])
    page = gate_list(a_record(first, second))
    assert page.count("passed gates stay as they are") == 1
    assert page.count("starts a new one if the last has ended, unless it sets reuse: success") == (action == "run")


def test_failed_optional_gate_is_marked_as_optional():
    gates = [a_gate(name=name, outcome="failed", require=name) for name in ("optional", "started")]
    page = render_page(a_record(a_project(gates=gates, outcome="failed"), outcome="failed", message="why it failed"))
    jumps = page[page.index("<nav ") : page.index("</nav>")].split("</li>")
    assert [", optional" in row for row in jumps[:2]] == [True, False]
    assert "play; optional;" in page and "play; requires started;" in page
    # the list of gates, then the sentence about them
    assert page.index("</nav>") < page.index("why it failed")


def test_command_retries_the_failed_job_before_a_skipped_one():
    late = a_job(9, kind="job", status="skipped")
    failed = [
        a_job(7, kind="job", status="failed", allow_failure=False),
        a_job(6, kind="job", status="failed", allow_failure=False, superseded=True),
        a_job(5, kind="job", status="failed", allow_failure=True),
        a_job(4, kind="job", status="success"),
    ]
    project = a_project(gates=[a_gate(outcome="refused", jobs=[late])], jobs=[late, *failed])
    project["pipelines"][0]["project_id"] = 7
    page = gate_list(a_record(project))
    assert re.findall(r"job_id&quot;: (\d+)", page) == ["7"]
    assert "Then run the playbook again" in page


def test_advice_without_a_command_is_to_fix_the_cause():
    page = gate_list(a_record(a_project(gates=[a_gate(outcome="failed", jobs=[])])))
    assert "Fix the cause, then run the playbook again" in page and "Then run" not in page
