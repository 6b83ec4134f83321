# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

"""Finding deployments: by id, by environment and status, or by the jobs that deploy.

The record of a job does not contain its environment, so its deployment is searched among those of the project.
"""

from __future__ import annotations

import dataclasses
import itertools
import typing as t

from ..._api.decoding import Record
from ..._api.errors import MissingError, RequestError, SelectionError
from ..._api.paging import PAGE_SIZE
from ..jobs.find import JobFinder
from ..jobs.query import FoundJob, JobQuery, shortened
from ..session import Session
from .records import FoundDeployment

# Deployments are created with their jobs, so both have roughly the same order, but not exactly if several pipelines are
# created at the same time. After this many deployments of older jobs in a row, the search ends.
ENOUGH_OLDER = 100


@dataclasses.dataclass(frozen=True)
class DeploymentQuery:
    """Which deployments to find.

    :param jobs: the jobs that deploy, None for all of the project.
    :param allow_empty: whether it is allowed to find none.
    :param limit: the maximum number of deployments, 0 for all.
    """

    project: str
    deployment_id: int | None = None
    environment: str | None = None
    status: str | None = None
    jobs: JobQuery | None = None
    allow_empty: bool = False
    limit: int = 0


def read_deployment(session: Session, project: str, deployment_id: int) -> FoundDeployment:
    """Return a deployment with its approvals, which lists do not contain."""
    record = session.client.call("get_deployment", project=project, deployment_id=deployment_id)
    return FoundDeployment(record, project, is_whole=True)


def read_all(session: Session, found: t.Sequence[FoundDeployment]) -> list[FoundDeployment]:
    """Return the same deployments with their approvals, in the same order."""
    return session.run_all(lambda one: one if one.is_whole else read_deployment(session, one.project, one.id), found)


def find_deployments(session: Session, query: DeploymentQuery) -> list[FoundDeployment]:
    """Return the deployments that match a query, newest first, one more than its limit if there are more.

    :raises SelectionError: if there is none; it is no error if only `status` or `scope` excludes all.
    """
    if query.deployment_id is not None:
        try:
            return [read_deployment(session, query.project, query.deployment_id)]
        except MissingError as exc:
            called = session.client.project_called(query.project)
            raise SelectionError(
                f"there is no deployment {query.deployment_id} in project {called}; set deployment_id to its id, not "
                "to the short number (iid) that GitLab's pages show"
            ) from exc
    jobs = None
    if query.jobs is not None:
        finder = JobFinder(session, query.jobs)
        selection = finder.find()
        finder.require(selection)
        finder.check_readable(selection, warns=True)
        if selection.out_of_scope:
            return []
        finder.require_jobs(selection)
        jobs = selection.jobs
    found = _fitting(session, query, jobs)
    if found or query.allow_empty:
        return found
    if query.status and _fitting(session, dataclasses.replace(query, status=None, limit=1), jobs):
        return []
    environment = f" to {query.environment!r}" if query.environment else ""
    where = f"by {query.jobs.describe()}" if query.jobs else f"in project {query.project}"
    raise SelectionError(f"there is no deployment{environment} {where}; {_instead(session, query)}")


def deployments_of(session: Session, jobs: t.Sequence[FoundJob], **filters: t.Any) -> list[FoundDeployment]:
    """Return the deployments of jobs, newest first; a job without an environment has none.

    :param filters: filters of the list of deployments.
    """
    per_project: dict[str, set[int]] = {}
    for job in jobs:
        per_project.setdefault(job.project, set()).add(job.id)
    found = [
        deployment
        for project, job_ids in per_project.items()
        for deployment in _of_project(session, project, job_ids, filters)
    ]
    return sorted(found, key=lambda one: -one.id)


def _instead(session: Session, query: DeploymentQuery) -> str:
    """Return what to do if there is no deployment: the environments of the newest ones of the project."""
    given = " and ".join(name for name, value in {"environment": query.environment, "job": query.jobs}.items() if value)
    check = f"check {given}, or set allow_empty" if given else "set allow_empty to accept this"
    if not query.environment:
        return check
    try:
        newest = list(itertools.islice(_listed(session, query.project, {}), PAGE_SIZE))
    except RequestError:
        return check  # the hint is not worth another error
    environments = {FoundDeployment(record, query.project).environment for record in newest} - {""}
    if query.environment in environments:
        return "check job, or set allow_empty"
    if not environments:
        return "the project has no deployments at all"
    return f"its newest deployments are to {shortened(sorted(environments))}"


def _fitting(session: Session, query: DeploymentQuery, jobs: list[FoundJob] | None) -> list[FoundDeployment]:
    filters = {"environment": query.environment, "status": query.status}
    maximum = query.limit + 1 if query.limit else None
    if jobs is not None:
        return deployments_of(session, jobs, **filters)[:maximum]
    listed = itertools.islice(_listed(session, query.project, filters), maximum)
    return [FoundDeployment(record, query.project) for record in listed]


def _of_project(
    session: Session, project: str, job_ids: t.Collection[int], filters: t.Mapping[str, t.Any]
) -> t.Iterator[FoundDeployment]:
    left = set(job_ids)
    older = 0
    for record in _listed(session, project, filters):
        deployment = FoundDeployment(record, project)
        if deployment.job_id in left:
            left.remove(deployment.job_id)
            yield deployment
        if not left:
            return
        if deployment.job_id:  # those that were created through the API have no job
            older = older + 1 if deployment.job_id < min(left) else 0
        if older >= ENOUGH_OLDER:
            return


def _listed(session: Session, project: str, filters: t.Mapping[str, t.Any]) -> t.Iterator[Record]:
    # GitLab's default is oldest first
    return session.client.iterate("list_deployments", project=project, order_by="id", sort="desc", **filters)
