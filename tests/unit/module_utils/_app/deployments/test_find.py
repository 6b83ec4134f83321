# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Finding the deployments of jobs, whose records do not contain them, of an environment, and of a project."""

from __future__ import annotations

import pytest
from ansible_collections.jobgate.gitlab.plugins.module_utils._api import errors
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.deployments.find import (
    ENOUGH_OLDER,
    deployments_of,
)
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.jobs.query import FoundJob
from ansible_collections.jobgate.gitlab.plugins.module_utils._tasks.gitlab_deployment_info import TASK

from ....harness import Exchange, FunctionTransport, ScriptedTransport, job, new_session, reply, run_task
from .records import deployment, listed, rule

NEWEST = "GET /projects/7/deployments?order_by=id&sort=desc"
PRODUCTION = "GET /projects/7/deployments?environment=production&order_by=id&sort=desc"
BLOCKED = "GET /projects/7/deployments?environment=production&status=blocked&order_by=id&sort=desc"


def info(*exchanges, **options):
    return run_task(TASK, options, transport=ScriptedTransport(*exchanges)).values


def detail(deployment_id, **fields):
    return Exchange(
        f"GET /projects/7/deployments/{deployment_id}", deployment(rule(), deployment_id=deployment_id, **fields)
    )


def ids(values):
    return [record["id"] for record in values["deployments"]]


def test_all_of_a_project_each_with_its_approvals():
    values = info(Exchange(NEWEST, [listed(6), listed(5)]), detail(6), detail(5))
    assert ids(values) == [6, 5] and values["deployment"] is None and not values["truncated"]
    assert values["deployments"][0]["missing_approvals"] == [{"rule": "Maintainers", "required": 1, "missing": 1}]


def test_a_limit_says_that_there_are_more():
    values = info(Exchange(NEWEST, [listed(6), listed(5), listed(4)]), detail(6), limit=1)
    assert ids(values) == [6] and values["truncated"]
    assert values["deployment"]["id"] == 6
    assert not info(Exchange(NEWEST, [listed(6)]), detail(6), limit=1)["truncated"]


def test_one_by_its_id_is_one_request():
    assert info(detail(5), deployment_id=5)["deployment"]["id"] == 5


def test_an_id_that_is_not_there():
    missing = Exchange("GET /projects/7/deployments/5", reply({"message": "404 Not found"}, status=404))
    with pytest.raises(errors.SelectionError, match=r"no deployment 5 in project 7; set deployment_id .*\(iid\)"):
        info(missing, deployment_id=5)


def test_one_that_is_deleted_after_it_was_listed():
    gone = Exchange("GET /projects/7/deployments/6", reply({"message": "404 Not found"}, status=404))
    # the user did not set this ID
    with pytest.raises(errors.MissingError, match="for deployment 6 of project 7 "):
        info(Exchange(NEWEST, [listed(6)]), gone)


def test_a_misspelled_environment_is_an_error_unless_it_may_be_empty():
    names = ("staging", "review/1", "staging")
    others = [listed(number, environment={"name": name}) for number, name in enumerate(names, 3)]
    for answer, words in (
        (others, "its newest deployments are to 'review/1', 'staging'"),
        ([], "the project has no deployments at all"),
        (reply({"message": "403 Forbidden"}, status=403), "check environment and job, or set allow_empty"),
    ):
        with pytest.raises(errors.SelectionError) as caught:
            info(Exchange(PRODUCTION, []), Exchange(NEWEST, answer), environment="production")
        assert str(caught.value) == f"there is no deployment to 'production' in project 7; {words}"
    assert ids(info(Exchange(PRODUCTION, []), environment="production", allow_empty=True)) == []


def test_nothing_with_this_status_is_a_fine_answer_if_there_are_others():
    usual = {"environment": "production", "status": "blocked"}
    assert ids(info(Exchange(BLOCKED, []), Exchange(PRODUCTION, [listed()]), **usual)) == []
    with pytest.raises(errors.SelectionError):
        info(Exchange(BLOCKED, []), Exchange(PRODUCTION, []), Exchange(NEWEST, []), **usual)


JOBS = "GET /projects/7/pipelines/6/jobs"


def test_by_the_jobs_of_a_pipeline():
    rows = [listed(9, job_id=99), listed(6, job_id=43), listed(5, job_id=42), listed(4, job_id=1)]
    values = info(
        Exchange(JOBS, [job(43, name="deploy:b"), job(42, name="deploy:a")]),
        Exchange(NEWEST, rows),
        *(detail(6), detail(5)),
        pipeline_id=6,
        name=["deploy:*"],
    )
    assert ids(values) == [6, 5]


def test_jobs_that_deploy_nowhere_are_left_out():
    jobs = Exchange(JOBS, [job(43, name="build"), job(42)])
    older = [listed(number, job_id=1) for number in range(4, 0, -1)]
    assert ids(info(jobs, Exchange(NEWEST, [listed(5), *older]), detail(5), pipeline_id=6)) == [5]
    with pytest.raises(errors.SelectionError, match="there is no deployment by job 'deploy' in pipeline 6"):
        info(Exchange(JOBS, [job()]), Exchange(NEWEST, older), pipeline_id=6, name=["deploy"])


def test_a_scope_that_leaves_no_job_over_is_a_fine_answer():
    assert ids(info(Exchange(JOBS, [job()]), pipeline_id=6, name=["deploy"], scope=["running"])) == []


@pytest.mark.parametrize("older", [ENOUGH_OLDER - 1, ENOUGH_OLDER])
def test_it_looks_as_long_as_the_deployment_may_still_come(older):
    """In pipelines created at the same time, IDs of deployments and of jobs may be in different order."""
    rows = [listed(1000 - number, job_id=10) for number in range(older)] + [listed(5)]
    found = deployments_of(*session_with(rows))
    assert [one.id for one in found] == ([5] if older < ENOUGH_OLDER else [])


def test_it_does_not_stop_at_those_without_a_job_nor_at_newer_ones():
    rows = [listed(1000 - number, deployable=None) for number in range(150)]
    rows += [listed(800 - number, job_id=500) for number in range(150)]
    assert [one.id for one in deployments_of(*session_with([*rows, listed(5)]))] == [5]


def test_it_does_not_read_on_when_everything_is_found():
    session, jobs = session_with([listed(500 - number, job_id=42 if number == 99 else 400) for number in range(450)])
    assert [one.id for one in deployments_of(session, jobs)] == [401]
    assert len(session.transport.calls) == 1


def session_with(rows):
    """Return a session whose server has these deployments, and the job to search for."""

    def answer(call):
        page = int(call.query.get("page", ["1"])[0])
        part = rows[(page - 1) * 100 : page * 100]
        more = {"x-next-page": str(page + 1)} if page * 100 < len(rows) else {"x-next-page": ""}
        return reply(part, headers=more)

    transport = FunctionTransport(answer)
    session = new_session(transport)
    session.transport = transport
    return session, [FoundJob(job(), "7", 6)]
