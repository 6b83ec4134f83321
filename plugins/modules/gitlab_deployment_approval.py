#!/usr/bin/python

# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The documentation of the module, and its way to the task."""

from __future__ import annotations

DOCUMENTATION = r"""
module: gitlab_deployment_approval
version_added: 0.1.0
short_description: Approve or reject a deployment to a protected GitLab environment
description:
  - Gives or refuses an approval for a deployment, as the user of the token.
  - The deployment is read first. The same approval again changes nothing, and what needs none is refused with the
    reason.
  - The deployment is chosen by O(deployment_id), by O(environment), or by the job that deploys. It is the one that
    waits for an approval, or else the newest. When several wait, the task fails and lists them.
author:
  - Jobgate Developers (@jobgate)
requirements:
  - python >= 3.9
  - requests
  - pluggy
extends_documentation_fragment:
  - jobgate.gitlab._connection
  - jobgate.gitlab._job_selection
  - jobgate.gitlab._job_selection.pipeline
  - jobgate.gitlab._attributes
  - jobgate.gitlab._attributes.actiongroup_gitlab
attributes:
  check_mode:
    support: full
    details:
      - Everything is read and decided as in a real run, and nothing is sent. RV(msg) says what would be done.
      - A refusal by GitLab is predicted as far as the settings can be read. The members of a group that a rule is for
        are not known.
  diff_mode:
    support: full
    details:
      - Shows the approvals of the deployment before and after. In check mode, the approval to come is added.
  idempotent:
    support: full
options:
  state:
    description:
      - What to say about the deployment.
      - V(approved) gives an approval. After the last one that is missing, the job can be played, or is started by
        GitLab where the environment only says how many approvals it needs.
      - V(rejected) refuses it. The job fails at once, also when others have approved it.
      - As long as the deployment waits, the other value replaces an earlier answer of the same user.
    type: str
    required: true
    choices:
      - approved
      - rejected
  comment:
    description:
      - The reason, which GitLab shows. When the same O(state) is given again, the first comment stays.
    type: str
  represented_as:
    description:
      - Name of the user, group or role whose approval rule is meant, when several are for the user of the token.
      - GitLab also takes a part of the name.
    type: str
  deployment_id:
    description:
      - Id of one deployment. It excludes all other options that choose one.
      - It is not the short number that counts within the project (the C(iid)), which GitLab's pages show.
    type: int
  environment:
    description:
      - Only deployments to this environment, by its exact name, such as V(production) or V(review/main).
    type: str
  status:
    description:
      - Only deployments with this status.
      - V(blocked) is every deployment of a manual job, whether or not somebody has to approve it. It is the only
        one that can be approved.
    type: str
    choices:
      - created
      - running
      - success
      - failed
      - canceled
      - skipped
      - blocked
  job_id:
    description:
      - Id of the job that deploys. The id of an attempt that has been retried since stands for the newest attempt of
        that job.
  allow_empty:
    description:
      - Whether the task succeeds, without a change, when there is no deployment at all.
      - By default the task fails then, since a misspelled environment, or a job that deploys nowhere, would pass
        unnoticed. The one exception is a selection that O(status) or O(scope) alone leaves empty, such as V(blocked)
        when everything has been deployed.
      - A name or a stage that does not exist is an error in any case.
    type: bool
    default: false
notes:
  - One of O(deployment_id), O(environment), O(job_id), O(pipeline_id), O(ref), O(sha) and O(merge_request) is required.
    O(name), O(stage), O(scope) and O(include_downstream) choose among the jobs of a pipeline.
  - Needs GitLab 14.8 with Premium. A server without it is an error, for there is nothing to approve.
  - Each of these has its own message - nobody may approve a deployment that they have started themselves, unless the
    project allows that; no approval rule is for the user; the deployment waits for no approvals; the server has none.
  - Lost answers. When the connection breaks, or GitLab answers with an error that leaves it open whether the request
    was executed, the deployment is read again. It shows who has approved it.
  - The user of the token is asked for when somebody has approved the deployment before, and after a lost answer.
  - An approval given by a playbook is an approval by the user of its token. Make sure that this is what the rule is
    for.
seealso:
  - module: jobgate.gitlab.gitlab_deployment_info
  - module: jobgate.gitlab.gitlab_job_action
  - name: Deployments API
    description: What GitLab says about approving a deployment.
    link: https://docs.gitlab.com/api/deployments/#approve-or-reject-a-blocked-deployment
  - name: Deployment approvals
    description: How an environment comes to ask for approvals.
    link: https://docs.gitlab.com/ci/environments/deployment_approvals/
"""

EXAMPLES = r"""
- name: Approve the deployment of a release after our own checks
  jobgate.gitlab.gitlab_deployment_approval:
    project: group/app
    ref: v1.2.0
    name: deploy:prod
    state: approved
    comment: all checks of the release have passed

- name: Approve what waits for production
  jobgate.gitlab.gitlab_deployment_approval:
    api_token: "{{ lookup('ansible.builtin.env', 'GITLAB_TOKEN') }}"
    project: group/app
    environment: production
    status: blocked
    state: approved

- name: Approve one deployment in place of a role
  jobgate.gitlab.gitlab_deployment_approval:
    project: group/app
    deployment_id: 3
    state: approved
    represented_as: Maintainers

- name: Reject the deployment of a job
  jobgate.gitlab.gitlab_deployment_approval:
    project: group/app
    job_id: 90
    state: rejected
    comment: the load test has failed

- name: Approve whatever this very commit deploys
  jobgate.gitlab.gitlab_deployment_approval:
    project: group/app
    ref: v1.2.0
    ref_type: tag
    sha: "{{ release_commit }}"
    pipeline_source: push
    stage: deploy
    scope: manual
    state: approved

- name: Approve what a pipeline and its child pipelines deploy
  jobgate.gitlab.gitlab_deployment_approval:
    project: group/app
    pipeline_id: 7
    include_downstream: true
    state: approved

- name: Reject the preview of a merge request, if there is one
  jobgate.gitlab.gitlab_deployment_approval:
    project: group/app
    merge_request: 17
    allow_empty: true
    state: rejected

- name: Approve on a server of our own
  jobgate.gitlab.gitlab_deployment_approval:
    api_url: https://gitlab.example.com
    api_oauth_token: "{{ gitlab_oauth_token }}"
    ca_path: /etc/ssl/certs/example-ca.pem
    client_cert: /etc/ssl/private/ci.pem
    client_key: /etc/ssl/private/ci.key
    http_headers:
      X-Gateway-Pass: "{{ gateway_pass }}"
    api_timeout: 10
    api_retries: 2
    api_requests_per_minute: 300
    api_concurrency: 1
    extensions:
      - cost_centre
    project: group/app
    environment: production
    state: approved

- name: Approve on a test server whose certificate nobody can verify
  jobgate.gitlab.gitlab_deployment_approval:
    api_url: https://localhost:8443/gitlab
    validate_certs: false
    project: group/app
    environment: production
    state: approved
"""

RETURN = r"""
msg:
  description: In check mode what would be done. When the task fails, why.
  type: str
  returned: in check mode, and when the task fails
  sample: would approve deployment 5 to 'production' of job 'deploy:prod' (id 42)
deployment:
  description:
    - The deployment as it was read last, in GitLab's own words. Fields not listed here are passed on as the server
      sends them. V(null) when there is none.
  type: dict
  returned: always
  sample:
    id: 12
    status: blocked
    ref: v1.2.0
    environment:
      id: 2
      name: production
    approvals:
      - status: approved
        comment: tested on staging
        user:
          id: 4
          username: bob
    missing_approvals: []
  contains:
    id:
      description: Its id.
      type: int
      returned: always
      sample: 12
    iid:
      description: Its number within the project.
      type: int
      returned: always
      sample: 5
    status:
      description: Its status. V(blocked) is every deployment of a manual job.
      type: str
      returned: always
      sample: blocked
    ref:
      description: Branch or tag.
      type: str
      returned: always
      sample: v1.2.0
    sha:
      description: The commit.
      type: str
      returned: always
      sample: 7d1a3f0f6f1a4c1f5bb0a3f7d94a5c6a1de28e11
    created_at:
      description: When it was created.
      type: str
      returned: always
      sample: "2026-03-02T09:15:00.000Z"
    updated_at:
      description: When it was changed last.
      type: str
      returned: always, from GitLab 13 on
      sample: "2026-03-02T09:16:10.000Z"
    user:
      description: Who has started it.
      type: dict
      returned: always
      sample:
        id: 3
        username: release-bot
    environment:
      description: Where it deploys to.
      type: dict
      returned: always
      sample:
        id: 2
        name: production
    deployable:
      description:
        - The job that deploys, V(null) for a deployment that was made through the API. In a failure, what explains it.
      type: dict
      returned: always
      sample:
        id: 42
        name: deploy:prod
        status: manual
    pending_approval_count:
      description: How many approvals are missing, over all rules.
      type: int
      returned: when the server has deployment approvals, which need GitLab 14.8 with Premium
      sample: 2
    approval_summary:
      description: The approval rules of the environment, with the approvals that count for each.
      type: dict
      returned: when the server has deployment approvals
      sample:
        rules:
          - access_level: 40
            access_level_description: Maintainers
            required_approvals: 2
            deployment_approvals: []
    approvals:
      description: What people have said about it. Empty where the server has no deployment approvals.
      type: list
      elements: dict
      returned: always
      sample:
        - status: approved
          comment: tested on staging
          user:
            id: 4
            username: bob
      contains:
        status:
          description: V(approved) or V(rejected).
          type: str
          returned: always
          sample: approved
        comment:
          description: Why, V(null) without a comment.
          type: str
          returned: always
          sample: tested on staging
        created_at:
          description: When.
          type: str
          returned: always
          sample: "2026-03-02T09:15:30.000Z"
        user:
          description: Who.
          type: dict
          returned: always
          sample:
            id: 4
            username: bob
    missing_approvals:
      description: Who still has to approve. Empty when nobody has.
      type: list
      elements: dict
      returned: always
      sample:
        - rule: Maintainers
          required: 2
          missing: 1
      contains:
        rule:
          description:
            - Whom the rule is for, in GitLab's words, which is the name of a user, a group or a role.
            - V(null) where the environment only says how many approvals it needs (the old setting); then whoever may
              deploy to it may approve.
          type: str
          returned: always
          sample: Maintainers
        required:
          description: How many approvals it asks for.
          type: int
          returned: always
          sample: 2
        missing:
          description: How many of them are missing.
          type: int
          returned: always
          sample: 1
outcome:
  description:
    - V(applied) when the approval was given, or would be in check mode.
    - V(unchanged) when it had been given before, and when there is no deployment and that is allowed.
    - V(refused) when there is nothing to approve, or GitLab does not take it from this user.
    - V(failed) when GitLab did not do it, or it is not known.
  type: str
  returned: always
  sample: applied
reason:
  description: Why, in words. Can be empty when the approval was given, and when the task has failed before that.
  type: str
  returned: always
  sample: the user of the token has already approved it
elapsed:
  description: Seconds that the task took.
  type: float
  returned: always
  sample: 0.214
diff:
  description: The approvals of the deployment before and after, one line each, as C(--diff) shows them.
  type: dict
  returned: always
  sample:
    before: "deployment 12 to 'production':\n"
    after: "deployment 12 to 'production':\n  approved by bob\n"
  contains:
    before:
      description: The approvals as they were found.
      type: str
      returned: always
      sample: "deployment 12 to 'production':\n"
    after:
      description: The approvals as they were seen last. In check mode, with the one to come.
      type: str
      returned: always
      sample: "deployment 12 to 'production':\n  approved by bob\n"
"""

from ansible_collections.jobgate.gitlab.plugins.module_utils._ansible.module_face import run_module
from ansible_collections.jobgate.gitlab.plugins.module_utils._tasks.gitlab_deployment_approval import TASK


def main() -> None:
    run_module(TASK)


if __name__ == "__main__":
    main()
