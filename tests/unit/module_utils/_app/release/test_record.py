# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The record of an earlier run: what is read from it, and how other content of the file is handled."""

from __future__ import annotations

import json
import os

import pytest
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.errors import UsageError
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.release.record import read_previous, with_previous

from tests.unit.module_utils._app.report.records import a_gate, a_job, a_project, a_record


def test_gates_and_jobs_are_compared_with_the_previous_run():
    before = a_record(
        a_project(
            gates=[a_gate(elapsed=40.0), a_gate(name="test", outcome="failed", changed=False)],
            jobs=[a_job(1, path="deploy", duration=30), a_job(2, path="test", duration=5, status="failed")],
        ),
        title="Version 1.1.0",
    )
    now = a_record(
        a_project(
            gates=[a_gate(), a_gate(name="test"), a_gate(action="wait")],
            jobs=[a_job(7, path="deploy"), a_job(8, path="test"), a_job(9, path="new")],
        ),
        a_project(name="infra"),
    )
    found = with_previous(now, before)
    assert found["previous"] == {
        "title": "Version 1.1.0",
        "started_at": before["started_at"],
        "elapsed": 62.0,
        "outcome": "passed",
    }
    first, second = found["projects"]
    assert [gate["previous_elapsed"] for gate in first["gates"]] == [40.0, None, None]
    assert [job["previous_duration"] for job in first["jobs"]] == [30, None, None]
    assert second["gates"][0]["previous_elapsed"] is None
    assert with_previous(now, None) == now


@pytest.mark.parametrize("outcome", ["failed", "timed out", "refused"])
def test_gate_that_did_not_open_has_no_previous_time(outcome):
    before = a_record(a_project(gates=[a_gate(outcome=outcome, changed=True, elapsed=3.0)]))
    (project,) = with_previous(a_record(a_project(gates=[a_gate()])), before)["projects"]
    assert project["gates"][0]["previous_elapsed"] is None


@pytest.mark.parametrize(
    "projects", [[None, 5, {"gates": 5, "jobs": [7]}], [{"name": {}, "gates": [{"name": []}], "jobs": [{"path": {}}]}]]
)
def test_malformed_previous_record_is_tolerated(projects):
    for elapsed in (float("nan"), int("9" * 400)):
        previous = {"schema": 1, "projects": projects, "title": {}, "elapsed": elapsed, "outcome": 5}
        found = with_previous(a_record(), previous)
        assert found["previous"] == {"title": None, "started_at": None, "elapsed": None, "outcome": None}


@pytest.mark.parametrize(
    "content", ["", "[]", "{}", '{"schema": 1}', '{"schema": 2, "projects": []}', "[" * 100_000, "\udcff"]
)
def test_file_that_is_not_a_record_is_a_usage_error(tmp_path, content):
    path = tmp_path / "record.json"
    path.write_text(content, encoding="utf-8", errors="surrogateescape")
    with pytest.raises(UsageError, match="is not a release record"):
        read_previous(str(path))


def test_named_pipe_is_not_read(tmp_path):
    os.mkfifo(tmp_path / "record.json")
    with pytest.raises(UsageError, match="is not a regular file"):
        read_previous(str(tmp_path / "record.json"))


def test_missing_previous_file_is_accepted_but_a_folder_is_not(tmp_path):
    assert read_previous(str(tmp_path / "none.json")) is None
    with pytest.raises(UsageError, match="is not a regular file"):
        read_previous(str(tmp_path))
    (tmp_path / "record.json").write_text(json.dumps(a_record(schema=1)), encoding="utf-8")
    assert read_previous(str(tmp_path / "record.json"))["title"] == ""
