# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write the table of endpoints in the guide: methods and paths from the catalogue, the rest from the table below."""

from __future__ import annotations

import dataclasses
import pathlib
import sys
import typing as t

ROOT = pathlib.Path(__file__).resolve().parents[1]
TARGET = ROOT / "docs" / "docsite" / "rst" / "endpoints.rst"
COLLECTION = "jobgate.gitlab"

_INFO, _ACTION, _BRIDGES = "gitlab_job_info", "gitlab_job_action", "gitlab_pipeline_bridges"
_DOWNLOAD, _TOKEN_INFO = "gitlab_job_download", "gitlab_job_token_info"
_PIPELINE, _PIPELINE_INFO = "gitlab_pipeline", "gitlab_pipeline_info"
_CELL = "tests/integration/test_decision_table.py::test_action_follows_the_decision_table"
_DOWNLOADS = "tests/integration/test_downloads.py::"
_PIPELINES = "tests/integration/test_pipelines.py::"
_TOKENS = "tests/integration/test_tokens.py::"
_SELECTION = "tests/integration/test_selection.py::"


@dataclasses.dataclass(frozen=True)
class Row:
    """The properties of an endpoint that are not in the catalogue.

    :param reached: modules with the options that use the endpoint; no options if the module always uses it.
    :param since: the oldest GitLab version with the endpoint.
    :param test: a test that sends the request to a server, as file::function.
    """

    number: str
    reached: tuple[tuple[str, tuple[str, ...]], ...]
    since: str
    test: str


ROWS: t.Mapping[str, Row] = {
    "list_project_jobs": Row(
        "E1", ((_INFO, ("project",)),), "11", _SELECTION + "test_ten_thousand_jobs_are_listed_completely_and_in_order"
    ),
    "list_pipeline_jobs": Row(
        "E2",
        ((_INFO, ("pipeline_id", "ref", "sha", "merge_request")), (_ACTION, ("name", "stage", "scope"))),
        "11",
        _SELECTION + "test_superseded_attempts_are_listed_only_with_include_retried",
    ),
    "list_pipeline_bridges": Row(
        "E3",
        ((_BRIDGES, ()), (_INFO, ("include_downstream",)), (_ACTION, ("include_downstream",))),
        "12",
        "tests/integration/test_waiting.py::test_downstream_tree_is_waited_for_and_drawn",
    ),
    "list_pipeline_trigger_jobs": Row(
        "E3b",
        ((_BRIDGES, ()), (_INFO, ("include_downstream",)), (_ACTION, ("include_downstream",))),
        "19.2",
        _TOKENS + "test_bridges_show_which_projects_the_job_token_can_read",
    ),
    "get_token_job": Row("E4", ((_TOKEN_INFO, ()),), "13.10", _TOKENS + "test_job_of_a_token_is_returned"),
    "get_allowed_agents": Row(
        "E5", ((_TOKEN_INFO, ("agents=true",)),), "13.11", _TOKENS + "test_allowed_agents_are_returned"
    ),
    "get_job": Row(
        "E6",
        ((_INFO, ("job_id",)), (_ACTION, ("job_id",)), (_DOWNLOAD, ("job_id",))),
        "11",
        _SELECTION + "test_superseded_job_id_selects_the_newest_attempt",
    ),
    "get_job_log": Row(
        "E7",
        ((_DOWNLOAD, ("content=log",)), (_INFO, ("log_lines",)), (_ACTION, ("log_lines",))),
        "11",
        _DOWNLOADS + "test_only_the_end_of_a_long_log_is_read",
    ),
    "cancel_job": Row("E8", ((_ACTION, ("action=cancel", "on_timeout=cancel")),), "11", _CELL),
    "retry_job": Row("E9", ((_ACTION, ("action=retry", "max_attempts")),), "11", _CELL),
    "erase_job": Row("E10", ((_ACTION, ("action=erase",)),), "11", _CELL),
    "play_job": Row("E11", ((_ACTION, ("action=play",)),), "11", _CELL),
    "download_artifacts": Row(
        "E12",
        ((_DOWNLOAD, ("content=archive",)), (_DOWNLOAD, ("content=report", "report_type"))),
        "11",
        _DOWNLOADS + "test_download_changes_dest_once_and_check_mode_predicts_it",
    ),
    "download_artifacts_by_ref": Row(
        "E13",
        ((_DOWNLOAD, ("content=archive", "latest_success=true")),),
        "11",
        _DOWNLOADS + "test_latest_success_selects_the_newest_successful_pipeline",
    ),
    "download_artifact_file": Row(
        "E14", ((_DOWNLOAD, ("content=file",)),), "11", _DOWNLOADS + "test_matching_checksum_prevents_the_transfer"
    ),
    "download_artifact_file_by_ref": Row(
        "E15",
        ((_DOWNLOAD, ("content=file", "latest_success=true")),),
        "11.5",
        _DOWNLOADS + "test_latest_success_finds_jobs_of_child_pipelines",
    ),
    "list_artifact_tree": Row(
        "E16", ((_DOWNLOAD, ("content=list",)),), "18.8", _DOWNLOADS + "test_list_shows_the_files_of_the_archive"
    ),
    "keep_artifacts": Row("E17", ((_ACTION, ("action=keep_artifacts",)),), "11", _CELL),
    "delete_artifacts": Row("E18", ((_ACTION, ("action=delete_artifacts",)),), "11.9", _CELL),
    "delete_project_artifacts": Row(
        "E19",
        ((_ACTION, ("action=delete_artifacts", "whole_project=true")),),
        "15",
        "tests/integration/test_whole_project.py::test_artifacts_of_all_but_the_newest_pipelines_expire",
    ),
    "get_pipeline_variables": Row(
        "P4",
        ((_PIPELINE_INFO, ("include=variables",)), (_PIPELINE, ("reuse", "variables"))),
        "11.11",
        _PIPELINES + "test_run_starts_or_reuses_a_pipeline",
    ),
    "get_test_report": Row(
        "P5",
        ((_PIPELINE_INFO, ("include=test_report",)),),
        "13.0",
        _PIPELINES + "test_pipeline_info_returns_only_the_requested_parts",
    ),
    "create_pipeline": Row(
        "P7", ((_PIPELINE, ("action=run",)),), "11", _PIPELINES + "test_run_starts_or_reuses_a_pipeline"
    ),
    "trigger_pipeline": Row(
        "P8",
        ((_PIPELINE, ("action=run", "trigger_token")),),
        "11",
        _PIPELINES + "test_trigger_token_starts_and_api_token_waits",
    ),
    "retry_pipeline": Row(
        "P9", ((_PIPELINE, ("action=retry",)),), "11", _PIPELINES + "test_retry_and_cancel_act_according_to_the_status"
    ),
    "cancel_pipeline": Row(
        "P10",
        ((_PIPELINE, ("action=cancel", "on_timeout=cancel")),),
        "11",
        _PIPELINES + "test_retry_and_cancel_act_according_to_the_status",
    ),
}

_HEAD = f"""..
  Copyright (c) 2026, the jobgate.gitlab contributors
  GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
  SPDX-License-Identifier: GPL-3.0-or-later

..
  Generated by `make endpoints`; change tools/endpoints_table.py instead.

.. _ansible_collections.{COLLECTION}.docsite.endpoints:

Endpoints of GitLab
===================

This table lists all endpoints of GitLab's `Jobs API <https://docs.gitlab.com/api/jobs/>`_ and `Job artifacts API
<https://docs.gitlab.com/api/job_artifacts/>`_, the endpoints of the `Pipelines API
<https://docs.gitlab.com/api/pipelines/>`_ that start, change or explain a pipeline, and the options that use them.
Paths are relative to ``/api/v4``. The oldest GitLab is the release that added the endpoint, or 11 for all older
endpoints; the collection is tested with 11.11 and later. The last column is a test that uses the endpoint.

.. list-table::
  :header-rows: 1

"""
COLUMNS = ("Number", "Request", "Reached by", "Oldest GitLab", "Test")


def cells_of(name: str, method: str, path: str) -> tuple[str, ...]:
    """Return the cells of an endpoint, in the order of COLUMNS."""
    row = ROWS[name]
    reached = []
    for module, options in row.reached:
        plugin = f"{COLLECTION}.{module}#module"
        named = " and ".join(f":ansopt:`{plugin}:{option}`" for option in options if "=" in option)
        others = ", ".join(f":ansopt:`{plugin}:{option}`" for option in options if "=" not in option)
        shown = " with ".join(text for text in (named, others) if text)
        reached.append(f":ansplugin:`{plugin}`" + (f": {shown}" if shown else ""))
    return row.number, f"``{method} {path}``", "; ".join(reached), row.since, f"``{row.test}``"


def table(endpoints: t.Iterable[t.Any]) -> list[tuple[str, ...]]:
    """Return the cells of all endpoints in the order of their numbers."""
    found = {endpoint.name: endpoint for endpoint in endpoints}
    return [cells_of(name, found[name].method, found[name].path.replace("{", ":").replace("}", "")) for name in ROWS]


def text(endpoints: t.Iterable[t.Any]) -> str:
    """Return the whole guide."""
    lines = []
    for cells in (COLUMNS, *table(endpoints)):
        lines += [f"  {'*' if not number else ' '} - {cell}" for number, cell in enumerate(cells)]
    return _HEAD + "\n".join(lines) + "\n"


def main() -> None:
    """Write the guide."""
    sys.path.insert(0, str(ROOT / ".cache" / "collections"))
    from ansible_collections.jobgate.gitlab.plugins.module_utils._api.catalogue import CATALOGUE

    TARGET.write_text(text(CATALOGUE), encoding="utf-8")


if __name__ == "__main__":
    main()
