# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a job token can read: jobs only in lists, no logs, and no records of pipelines."""

from __future__ import annotations

import pytest
from ansible_collections.jobgate.gitlab.plugins.module_utils._api import errors
from ansible_collections.jobgate.gitlab.plugins.module_utils._tasks import gitlab_job_info, gitlab_pipeline_bridges

from ....harness import TOKEN, Exchange, ScriptedTransport, bridge, job, pipeline, reply, run_task

JOB_TOKEN = {"api_token": None, "api_job_token": "glcbt-0123456789"}
PROJECT = "GET /projects/7/jobs?pagination=keyset&order_by=id&sort=desc"
LIST = "GET /projects/7/pipelines/6/jobs"
PIPELINE = "GET /projects/7/pipelines/6"
BRIDGES = "GET /projects/7/pipelines/6/trigger_jobs"
FORBIDDEN = reply({"message": "403 Forbidden"}, status=403)


def info(*exchanges, **options):
    return run_task(gitlab_job_info.TASK, {**JOB_TOKEN, **options}, transport=ScriptedTransport(*exchanges))


def bridges(*exchanges, **options):
    given = {"pipeline_id": 6, **JOB_TOKEN, **options}
    return run_task(gitlab_pipeline_bridges.TASK, given, transport=ScriptedTransport(*exchanges))


def test_job_id_is_searched_in_the_job_list_of_the_project():
    outcome = info(Exchange(PROJECT, [job(44), job(43), job(42), job(41)]), job_id=42)
    assert outcome.values["job"] == job(42)


@pytest.mark.parametrize("listed", [[44, 43, 41], [44, 43], []])
def test_job_id_missing_from_the_list_is_an_error(listed):
    # newest first: reading stops at jobs that are older than the requested one
    with pytest.raises(errors.SelectionError, match="no job 42 among the jobs of project 7 that the job token can"):
        info(Exchange(PROJECT, [job(number) for number in listed]), job_id=42)


def test_log_is_not_requested_and_a_warning_explains_why():
    outcome = info(Exchange(LIST, [job(42, "failed")]), pipeline_id=6, log_lines=2)
    assert outcome.values["job"]["log_tail"] is None
    assert outcome.warnings == ["Job tokens cannot read logs, so no log is shown; set api_token to see it."]


def test_trigger_jobs_of_an_unreadable_pipeline_are_returned():
    outcome = bridges(Exchange(BRIDGES, []), Exchange(PIPELINE, FORBIDDEN))
    assert (outcome.values["pipeline"], outcome.values["bridges"]) == ({"id": 6}, [])
    # with another token this is an error
    with pytest.raises(errors.NotAuthorizedError):
        bridges(Exchange(BRIDGES, []), Exchange(PIPELINE, FORBIDDEN), api_token=TOKEN, api_job_token=None)


@pytest.mark.parametrize("may_list", [True, False])
def test_accessibility_of_a_downstream_pipeline_is_read_from_its_jobs(may_list):
    other = pipeline(26, project_id=8)
    probe = Exchange("GET /projects/8/pipelines/26/jobs?per_page=1", [] if may_list else FORBIDDEN)
    listed = Exchange(BRIDGES, [bridge(50, name="deploy", downstream=other)])
    outcome = bridges(listed, Exchange(PIPELINE, FORBIDDEN), probe)
    assert [record["accessible"] for record in outcome.values["bridges"]] == [may_list]
