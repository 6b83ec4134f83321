# Copyright (c) 2026, the jobgate.gitlab contributors
# Simplified BSD License (see LICENSES/BSD-2-Clause.txt or https://opensource.org/licenses/BSD-2-Clause)
# SPDX-License-Identifier: BSD-2-Clause

# Note that this is a private part of the collection: no other collection may import it.

"""Where the jobs of a release deploy to, and who has let them, as the record shows it."""

from __future__ import annotations

import typing as t

from ..._api.decoding import Record
from ..._api.errors import GitLabError
from ..deployments.find import deployments_of, read_all
from ..deployments.records import FoundDeployment, approvals_of, username_of
from ..fields import record_in
from ..jobs.query import FoundJob
from ..session import Session


def deployed_by(session: Session, jobs: t.Sequence[FoundJob]) -> dict[int, Record]:
    """Return environment and approvals by the id of the job, for those that deploy.

    Nothing where they cannot be read: whoever may play a job may not always look at deployments.
    """
    try:
        found = read_all(session, deployments_of(session, jobs)) if jobs else []
    except GitLabError:
        return {}
    return {deployment.job_id: deployment_record(deployment) for deployment in found}


def deployment_record(deployment: FoundDeployment | None) -> Record:
    """Return what the record tells of the deployment of a job; None for a job that has none."""
    if deployment is None:
        return {"environment": None, "approvals": []}
    url = record_in(deployment.record, "environment").get("external_url")
    return {
        "environment": {"name": deployment.environment, "url": url if isinstance(url, str) else None},
        "approvals": [
            {
                "user": username_of(approval),
                **{name: approval.get(name) for name in ("status", "comment", "created_at")},
            }
            for approval in approvals_of(deployment.record)
        ],
    }
