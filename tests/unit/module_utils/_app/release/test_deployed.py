# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the record tells of deployments, whatever a server says of them, or does not."""

from __future__ import annotations

import pytest
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.deployments.records import FoundDeployment
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.jobs.query import FoundJob
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.release.deployed import deployed_by, deployment_record

from tests.unit.harness import FunctionTransport, job, new_session, reply


def found(**record):
    return FoundDeployment({"id": 5, **record}, "7")


def test_environment_and_approvals_of_a_deployment():
    given = {"status": "approved", "comment": "fine", "created_at": "2026-01-01T00:00:00Z"}
    approval = {"user": {"username": "carol"}, **given}
    environment = {"name": "production", "external_url": "https://app.example.com"}
    assert deployment_record(found(environment=environment, approvals=[approval])) == {
        "environment": {"name": "production", "url": "https://app.example.com"},
        "approvals": [{"user": "carol", **given}],
    }


@pytest.mark.parametrize("nonsense", [None, 5, "x", [], {}, {"name": None, "external_url": {}}])
def test_nonsense_is_nothing(nonsense):
    assert deployment_record(found(environment=nonsense, approvals=nonsense)) == {
        "environment": {"name": "", "url": None},
        "approvals": [],
    }
    assert deployment_record(None) == {"environment": None, "approvals": []}


@pytest.mark.parametrize("status", [401, 403, 404])
def test_who_may_not_look_at_deployments_sees_none(status):
    session = new_session(FunctionTransport(lambda call: reply({"message": "no"}, status=status)), {"api_retries": 0})
    assert deployed_by(session, [FoundJob(job(42, "success", "deploy"), "7", 6, "deploy")]) == {}
    assert session.warnings == []


def test_without_jobs_nothing_is_asked():
    transport = FunctionTransport(lambda call: reply({}, status=500))
    assert deployed_by(new_session(transport), []) == {} and transport.lines == []
