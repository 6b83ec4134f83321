#!/usr/bin/python

# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation and entry point of the module."""

from __future__ import annotations

DOCUMENTATION = r"""
module: gitlab_deployment_approval
version_added: 0.1.0
short_description: Approve or reject a deployment to a protected GitLab environment
description:
  - Approves or rejects a deployment as the user of the token.
  - The deployment is read first. Giving the same approval again changes nothing. If the deployment needs no approval,
    the task fails and reports the reason.
  - The deployment is selected by O(deployment_id), by O(environment), or by the job that deploys. A deployment that
    waits for an approval is preferred to the newest one. If several wait, the task fails and lists them.
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
      - Everything is read and decided as in a real run, but nothing is sent. RV(msg) describes what would be done.
      - Refusals by GitLab are predicted as far as the settings can be read. The members of a group that a rule is for
        are not known.
  diff_mode:
    support: full
    details:
      - Shows the approvals of the deployment before and after. In check mode, this includes the approval that would be
        given.
  idempotent:
    support: full
options:
  state:
    description:
      - The decision about the deployment.
      - V(approved) gives an approval. After the last missing approval, the job can be played. If the environment only
        sets the number of required approvals (the old setting), GitLab starts the job itself.
      - V(rejected) rejects the deployment. The job fails at once, even if other users have approved it.
      - While the deployment waits, the other value replaces an earlier decision of the same user.
    type: str
    required: true
    choices:
      - approved
      - rejected
  comment:
    description:
      - The reason, which GitLab shows. If the same O(state) is given again, GitLab keeps the first comment.
    type: str
  represented_as:
    description:
      - Name of the user, group or role whose approval rule to use, if several rules are for the user of the token.
      - GitLab also accepts a part of the name.
    type: str
  deployment_id:
    description:
      - ID of one deployment. Mutually exclusive with all other options that select deployments.
      - It is not the number of the deployment within the project (the C(iid)), which GitLab's pages show.
    type: int
  environment:
    description:
      - Only deployments to this environment, by its exact name, such as V(production) or V(review/main).
    type: str
  status:
    description:
      - Only deployments with this status.
      - V(blocked) includes every deployment of a manual job, whether or not it needs approvals. Only V(blocked)
        deployments can be approved.
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
      - ID of the job that deploys. The ID of an attempt that has been retried refers to the newest attempt of that job.
  allow_empty:
    description:
      - Whether the task succeeds without a change if there is no deployment.
      - By default, the task fails in this case, so that a misspelled environment or a job without a deployment does not
        go unnoticed. It only succeeds if O(status) or O(scope) alone excludes everything, such as V(blocked) when
        everything has been deployed.
      - Names and stages that do not exist are always errors.
    type: bool
    default: false
notes:
  - One of O(deployment_id), O(environment), O(job_id), O(pipeline_id), O(ref), O(sha) and O(merge_request) is required.
    O(name), O(stage), O(scope) and O(include_downstream) select jobs of a pipeline.
  - Requires GitLab 14.8 with Premium. On other servers the task fails, because there is nothing to approve.
  - The task reports different errors if the user of the token started the deployment and the project does not allow
    self-approval, if no approval rule is for the user, if the deployment does not wait for approvals, and if the server
    does not have them.
  - If the connection breaks, or an error from GitLab leaves open whether the request was executed, the task reads the
    deployment again, which shows who has approved it.
  - The task reads the user of the token if the deployment already has approvals, after a lost answer, and in check
    mode.
  - An approval by a playbook is an approval by the user of its token. Make sure that this is what the rule is for.
seealso:
  - module: jobgate.gitlab.gitlab_deployment_info
  - module: jobgate.gitlab.gitlab_job_action
  - name: Deployments API
    description: GitLab's documentation of approving a deployment.
    link: https://docs.gitlab.com/api/deployments/#approve-or-reject-a-blocked-deployment
  - name: Deployment approvals
    description: How to require approvals for an environment.
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

- name: Approve the deployment that waits for production
  jobgate.gitlab.gitlab_deployment_approval:
    api_token: "{{ lookup('ansible.builtin.env', 'GITLAB_TOKEN') }}"
    project: group/app
    environment: production
    status: blocked
    state: approved

- name: Approve one deployment on behalf of a role
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

- name: Approve the deployment of this commit
  jobgate.gitlab.gitlab_deployment_approval:
    project: group/app
    ref: v1.2.0
    ref_type: tag
    sha: "{{ release_commit }}"
    pipeline_source: push
    stage: deploy
    scope: manual
    state: approved

- name: Approve the deployment of a pipeline or its child pipelines
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

- name: Approve on a self-managed server
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

- name: Approve on a test server without verifying its certificate
  jobgate.gitlab.gitlab_deployment_approval:
    api_url: https://localhost:8443/gitlab
    validate_certs: false
    project: group/app
    environment: production
    state: approved
"""

RETURN = r"""
msg:
  description: In check mode, what would be done. If the task fails, why.
  type: str
  returned: in check mode, and when the task fails
  sample: would approve deployment 5 to 'production'
deployment:
  description:
    - The deployment as it was last read. Fields that are not listed here are returned as GitLab sends them. V(null) if
      there is none.
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
      description: ID of the deployment.
      type: int
      returned: always
      sample: 12
    iid:
      description: Number of the deployment within the project.
      type: int
      returned: always
      sample: 5
    status:
      description: Status of the deployment. V(blocked) includes every deployment of a manual job.
      type: str
      returned: always
      sample: blocked
    ref:
      description: Branch or tag of the deployment.
      type: str
      returned: always
      sample: v1.2.0
    sha:
      description: Commit of the deployment.
      type: str
      returned: always
      sample: 7d1a3f0f6f1a4c1f5bb0a3f7d94a5c6a1de28e11
    created_at:
      description: When it was created.
      type: str
      returned: always
      sample: "2026-03-02T09:15:00.000Z"
    updated_at:
      description: When it was last changed.
      type: str
      returned: always, in GitLab 13 and later
      sample: "2026-03-02T09:16:10.000Z"
    user:
      description: User who started the deployment.
      type: dict
      returned: always
      sample:
        id: 3
        username: release-bot
    environment:
      description: The environment that it deploys to.
      type: dict
      returned: always
      sample:
        id: 2
        name: production
    deployable:
      description:
        - The job that deploys. V(null) for a deployment that was created through the API. If the task fails, only the
          fields that explain the failure.
      type: dict
      returned: always
      sample:
        id: 42
        name: deploy:prod
        status: manual
    pending_approval_count:
      description: Number of missing approvals, for all rules together.
      type: int
      returned: if the server has deployment approvals, which require GitLab 14.8 with Premium
      sample: 2
    approval_summary:
      description: The approval rules of the environment, with the approvals that count for each.
      type: dict
      returned: if the server has deployment approvals
      sample:
        rules:
          - access_level: 40
            access_level_description: Maintainers
            required_approvals: 2
            deployment_approvals: []
    approvals:
      description: The approvals and rejections of the deployment. Empty if the server has no deployment approvals.
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
          description: The reason. V(null) without a comment.
          type: str
          returned: always
          sample: tested on staging
        created_at:
          description: When it was given.
          type: str
          returned: always
          sample: "2026-03-02T09:15:30.000Z"
        user:
          description: Who gave it.
          type: dict
          returned: always
          sample:
            id: 4
            username: bob
    missing_approvals:
      description: Who still has to approve. Empty if no approval is missing.
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
            - The name of the user, group or role that the rule is for, as GitLab shows it.
            - V(null) if the environment only sets the number of required approvals (the old setting). Everyone who can
              deploy to it can then approve.
          type: str
          returned: always
          sample: Maintainers
        required:
          description: Number of approvals that the rule requires.
          type: int
          returned: always
          sample: 2
        missing:
          description: Number of missing approvals.
          type: int
          returned: always
          sample: 1
outcome:
  description:
    - V(applied) if the approval was given, or would be in check mode.
    - V(unchanged) if it had been given before, or if there is no deployment and O(allow_empty=true).
    - V(refused) if there is nothing to approve, or if GitLab does not accept the approval from this user.
    - V(failed) if GitLab did not execute the request, or if the result is unknown.
  type: str
  returned: always
  sample: applied
reason:
  description: The reason for the outcome. Can be empty if the approval was given, or if the task failed before that.
  type: str
  returned: always
  sample: the user of the token has already approved it
elapsed:
  description: Duration of the task in seconds.
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
      description: The approvals as they were last read. In check mode, this includes the one that would be given.
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
