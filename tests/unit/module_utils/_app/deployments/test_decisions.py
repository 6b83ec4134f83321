# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether an approval is sent, and the reasons against it."""

from __future__ import annotations

import pytest
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.deployments.decisions import (
    ApprovalRequest,
    decide_approval,
    explained_refusal,
    predicted_refusal,
)

from .records import ALICE, CAROL, approval, deployment, listed, rule

APPROVE, REJECT = ApprovalRequest("approved"), ApprovalRequest("rejected")
BY_ALICE = approval(ALICE)
REJECTED = deployment(pending=0, status="failed", approvals=[approval(ALICE, "rejected")])
MAINTAINERS = rule("Maintainers", 2, BY_ALICE)


@pytest.mark.parametrize(
    ("record", "request_", "verdict", "words"),
    [
        (deployment(rule()), APPROVE, "act", ""),
        (deployment(rule()), REJECT, "act", ""),
        (deployment(MAINTAINERS, approvals=[BY_ALICE]), APPROVE, "same", "has already approved it"),
        # the opposite answer is a change
        (deployment(MAINTAINERS, approvals=[BY_ALICE]), REJECT, "act", ""),
        (REJECTED, REJECT, "same", "has already rejected"),
        (REJECTED, APPROVE, "refuse", "its status is failed"),
        # approvals of other users do not count as ours
        (deployment(rule("Maintainers", 2), approvals=[approval(CAROL)]), APPROVE, "act", ""),
        (deployment(pending=0, status="success", approvals=[BY_ALICE]), APPROVE, "same", "already"),
        (deployment(pending=0, approvals=[approval(CAROL)]), APPROVE, "refuse", "does not wait for approvals"),
        (deployment(pending=0), APPROVE, "refuse", "its environment requires no approvals"),
        (deployment(rule(), status="created"), APPROVE, "refuse", "its job cannot be played yet"),
        (listed(), APPROVE, "refuse", "this server has no deployment approvals"),
    ],
)  # fmt: skip
def test_approval_decision_matches_the_deployment(record, request_, verdict, words):
    decision = decide_approval(record, 2, request_)
    assert decision.verdict == verdict
    assert words in decision.reason


@pytest.mark.parametrize(("name", "verdict"), [("Maintainers", "same"), ("Maintain", "same"), ("release", "act")])
def test_approval_counts_only_for_the_represented_rule(name, verdict):
    record = deployment(MAINTAINERS, rule("release", 1, group_id=9), pending=2, approvals=[BY_ALICE])
    assert decide_approval(record, 2, ApprovalRequest("approved", represented_as=name)).verdict == verdict


@pytest.mark.parametrize("name", ["", "Maintainers"])
def test_represented_as_is_ignored_without_rules(name):
    record = deployment(pending=1, approvals=[BY_ALICE])
    assert decide_approval(record, 2, ApprovalRequest("approved", represented_as=name)).verdict == "same"


def test_represented_as_may_name_another_rule_if_rules_are_hidden():
    record = deployment(pending=1, approvals=[BY_ALICE])
    del record["approval_summary"]
    assert decide_approval(record, 2, APPROVE).verdict == "same"
    assert decide_approval(record, 2, ApprovalRequest("approved", represented_as="release")).verdict == "act"


def test_unknown_user_has_not_approved_yet():
    assert decide_approval(deployment(MAINTAINERS, approvals=[BY_ALICE]), None, APPROVE).verdict == "act"


OWN = "started it"
NO_RULE = "no approval rule of its environment is for the user"


@pytest.mark.parametrize(
    ("rules", "user_id", "project", "request_", "words"),
    [
        ([rule()], 2, {}, APPROVE, ""),
        ([rule()], 3, {}, APPROVE, OWN),
        ([rule()], 3, {}, REJECT, ""),
        ([rule()], 3, {"allow_pipeline_trigger_approve_deployment": True}, APPROVE, ""),
        ([rule("Dan", user_id=9)], 2, {}, APPROVE, NO_RULE),
        ([rule("Alice", user_id=2)], 2, {}, APPROVE, ""),
        # memberships of groups are unknown
        ([rule("Dan", user_id=9), rule("release", group_id=9)], 2, {}, APPROVE, ""),
        ([rule()], 2, {"permissions": {"project_access": {"access_level": 30}}}, APPROVE, NO_RULE),
        ([rule()], 2, {"permissions": {"project_access": None, "group_access": {"access_level": 40}}}, APPROVE, ""),
        ([], 2, {"permissions": {"project_access": {"access_level": 30}}}, APPROVE, ""),
        ([rule()], 2, {}, ApprovalRequest("approved", represented_as="Owners"), "matches no approval rule"),
        ([rule()], 2, {}, ApprovalRequest("approved", represented_as="Maintainers"), ""),
        ([rule("Dan", user_id=9)], None, {}, APPROVE, ""),
    ],
)
def test_check_mode_predicts_refusals_of_gitlab(rules, user_id, project, request_, words):
    text = predicted_refusal(deployment(*rules), user_id, project, request_)
    assert words in text and bool(text) == bool(words)


@pytest.mark.parametrize(
    ("server_text", "words"),
    [
        ("You cannot approve your own deployment. This configuration can be adjusted.", OWN),
        ("The same user can not approve", OWN),
        ("You don't have permission to approve this deployment. Contact the project owner.", NO_RULE),
        ("This deployment is not waiting for approvals.", "there is nothing to approve"),
        ("This environment is not protected.", "there is nothing to approve"),
        ("Deployment approvals is not configured for this environment.", "there is nothing to approve"),
        ("There are no approval rules for the given `represent_as` parameter.", "represented_as 'x' matches no"),
        ("something new", ""),
    ],
)
def test_refusal_of_gitlab_is_explained(server_text, words):
    text = explained_refusal(server_text, deployment(rule()), ApprovalRequest("approved", represented_as="x"))
    assert words in text and bool(text) == bool(words)


def test_reasons_for_refusals_are_distinct():
    texts = ("your own", "permission to approve", "not waiting for approvals", "approval rules for the given")
    reasons = {explained_refusal(text, deployment(rule()), APPROVE) for text in texts}
    reasons.add(decide_approval(listed(), 2, APPROVE).reason)
    assert len(reasons) == len(texts) + 1
