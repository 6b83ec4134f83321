# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Messages about a selection."""

from __future__ import annotations

import pytest
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.jobs.index import JobIndex
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.jobs.query import FoundJob, JobQuery
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.jobs.selection import (
    Chooser,
    failed_before,
    what_is_missing,
)
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.pipelines.query import PipelineQuery

from ....harness import job


def found(job_id, status, stage):
    return FoundJob(job(job_id, status, f"job {job_id}", stage=stage), "7", 6)


def test_only_named_jobs_of_thousands_of_failures_are_read():
    read = []

    def noted(jobs):
        for each in jobs:
            read.append(each.id)
            yield each

    failed = JobIndex(found(job_id, "failed", "build") for job_id in range(5000, 0, -1)).blocking_failures
    texts = failed_before(found(6000, "skipped", "deploy"), noted(failed))
    assert texts[:2] == ("job 'job 1' (id 1) of stage build", "job 'job 2' (id 2) of stage build")
    assert read == list(range(1, len(texts) + 1))


def test_each_job_of_a_project_is_matched_independently():
    jobs = [FoundJob(job(job_id, "success", name), "7", job_id) for job_id, name in ((3, "test"), (2, "linux/test"))]
    query = JobQuery(PipelineQuery("7"), names=("**/test",))
    assert [each.id for each in Chooser(query).of_project(iter(jobs)).jobs] == [3, 2]


PROJECT = [("unit", "test"), ("lint", "test"), ("deploy", "deploy")]


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"stages": ("tset",)}, "no job of project 7 has stage 'tset': did you mean 'test'? There is also 'deploy'"),
        ({"stages": ("te*", "bld")}, "no job of project 7 has stage 'bld': there are 'deploy', 'test'"),
        ({"names": ("unit",), "stages": ("tset",)}, "no job of project 7 has stage 'tset': did you mean 'test'?"),
        (
            {"names": ("deploy", "unit"), "stages": ("test",)},
            "job 'deploy' of project 7 has stage 'deploy', not stage 'test'",
        ),
        (
            {"names": ("unit",), "scope": ("failed",)},
            "no job 'unit' in project 7 has the status failed (scope): there is 'lint'",
        ),
        ({"stages": ("te*",)}, ""),
        ({"names": ("unit",), "stages": ("test",)}, ""),
        # GitLab does not list jobs outside the scope
        ({"stages": ("tset",), "scope": ("failed",)}, ""),
        # the list was not read to its end
        ({"stages": ("test", "tset"), "limit": 1}, ""),
    ],
)
def test_unknown_name_or_stage_of_a_project_is_reported(options, words):
    query = JobQuery(PipelineQuery("7"), **options)
    jobs = [
        FoundJob(job(9 - number, "success", name, stage=stage), "7", 6) for number, (name, stage) in enumerate(PROJECT)
    ]
    selection = Chooser(query).of_project(jobs[1:2] if query.scope else jobs)
    assert what_is_missing(query, selection).startswith(words) and bool(words) == selection.lacks
