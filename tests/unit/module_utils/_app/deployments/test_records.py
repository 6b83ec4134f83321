# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reading a deployment: who has approved it, and which approvals are missing."""

from __future__ import annotations

import pytest
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.deployments.records import (
    FoundDeployment,
    approvals_of,
    is_waiting,
    missing_approvals,
    missing_text,
    rule_name,
    shows_approvals,
)

from .records import ALICE, BOB, CAROL, approval, deployment, listed, rule


def test_rules_that_lack_approvals_are_listed():
    given = approval(ALICE)
    record = deployment(
        rule("Maintainers", 2, given),
        rule("release", 1, approval(CAROL), group_id=9),
        rule("Owners", 1, access_level=50),
        pending=2,
        approvals=[given, approval(CAROL)],
    )
    assert missing_approvals(record) == [
        {"rule": "Maintainers", "required": 2, "missing": 1},
        {"rule": "Owners", "required": 1, "missing": 1},
    ]
    assert missing_text(record) == "1 of Maintainers and 1 of Owners"


def test_missing_approvals_without_rules_are_only_a_count():
    record = deployment(pending=2, approvals=[approval(ALICE), approval(CAROL, "rejected")])
    assert missing_approvals(record) == [{"rule": None, "required": 3, "missing": 2}]
    assert missing_text(record) == "2 of those who may deploy"


def test_rejection_does_not_count_as_approval():
    record = deployment(rule("Maintainers", 1, approval(ALICE, "rejected")))
    assert [row["missing"] for row in missing_approvals(record)] == [1]


@pytest.mark.parametrize("pending", [0, None])
def test_nothing_is_missing_if_the_pending_count_is_zero_or_null(pending):
    # the count decides, because rules may have changed since and then do not apply to this deployment
    record = {**deployment(rule("Maintainers", 2)), "pending_approval_count": pending}
    assert missing_approvals(record) == [] and missing_text(record) == ""


@pytest.mark.parametrize(
    ("status", "pending", "expected"), [("blocked", 1, True), ("blocked", 0, False), ("created", 1, False)]
)
def test_only_blocked_deployments_with_pending_approvals_wait(status, pending, expected):
    assert is_waiting(deployment(rule(), status=status, pending=pending)) is expected


def test_record_without_approval_keys_has_no_approvals():
    assert not shows_approvals(listed())
    assert approvals_of(listed()) == [] and missing_approvals(listed()) == []


@pytest.mark.parametrize(
    ("given", "name"),
    [
        (rule("Maintainers"), "Maintainers"),
        (rule(None, access_level=40), "access level 40"),
        (rule(None, user_id=7), "user id 7"),
        (rule(None, group_id=9), "group id 9"),
        ({"id": 3}, "rule 3"),
    ],
)
def test_rule_without_a_description_is_named_by_its_ids(given, name):
    assert rule_name(given) == name


def test_malformed_records_are_read_as_far_as_possible():
    strange = {"id": 5, "status": "blocked", "pending_approval_count": 1, "approvals": "x", "approval_summary": ["y"]}
    assert missing_approvals(strange) == [{"rule": None, "required": 1, "missing": 1}]
    found = FoundDeployment({**strange, "environment": None, "deployable": None}, "7")
    assert (found.job_id, found.environment, found.details) == (0, "", "status blocked")


def test_deployment_has_a_name_and_details():
    found = FoundDeployment(listed(user=BOB), "7")
    assert found.called == "deployment 5 to 'production'"
    assert found.details == "ref main, status blocked, job deploy"
