#!/usr/bin/python

# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation and entry point of the module."""

from __future__ import annotations

DOCUMENTATION = r"""
module: gitlab_deployment_info
version_added: 0.1.0
short_description: Read deployments of a GitLab project and their missing approvals
description:
  - Reads deployments with their approvals and missing approvals.
  - Deployments are selected by O(deployment_id), by O(environment) and O(status), or by the jobs that deploy. Without
    any of these, all deployments of the project are selected.
  - The module does not wait. To wait for approvals and then deploy, use
    O(jobgate.gitlab.gitlab_job_action#module:wait_for_approval).
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
  - jobgate.gitlab._attributes.info_module
  - jobgate.gitlab._attributes.actiongroup_gitlab
options:
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
      - V(blocked) includes every deployment of a manual job, whether or not it needs approvals.
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
      - Whether the task succeeds if there is no deployment.
      - By default, the task fails in this case, so that a misspelled environment or a job without a deployment does not
        go unnoticed. It only succeeds if O(status) or O(scope) alone excludes everything, such as V(blocked) when
        everything has been deployed.
      - Names and stages that do not exist are always errors.
    type: bool
    default: false
  limit:
    description:
      - Return at most this many deployments, newest first. V(0) returns all.
      - GitLab returns approvals only with single deployments, so each deployment costs one request.
    type: int
    default: 20
notes:
  - The user of the token needs the Reporter role. GitLab does not show deployments without a token.
  - Approvals require GitLab 14.8 with Premium. Without it, RV(deployments[].approvals) and
    RV(deployments[].missing_approvals) are empty, and RV(deployments[].pending_approval_count) is absent.
  - GitLab's job records do not contain the environment. The deployment of a job is searched for in the deployments of
    the project, newest first.
  - O(name), O(stage), O(scope) and O(include_downstream) select jobs of a pipeline, and require one of O(pipeline_id),
    O(ref), O(sha) and O(merge_request). Jobs that do not deploy are ignored.
seealso:
  - module: jobgate.gitlab.gitlab_deployment_approval
  - module: jobgate.gitlab.gitlab_job_action
  - name: Deployments API
    description: GitLab's documentation of deployments.
    link: https://docs.gitlab.com/api/deployments/
  - name: Deployment approvals
    description: How to require approvals for an environment.
    link: https://docs.gitlab.com/ci/environments/deployment_approvals/
"""

EXAMPLES = r"""
- name: See who still has to approve the deployment of a release
  jobgate.gitlab.gitlab_deployment_info:
    project: group/app
    ref: v1.2.0
    name: deploy:prod
  register: release

- name: Show the missing approvals
  ansible.builtin.debug:
    msg: "{{ item.missing }} of {{ item.rule }}"
  loop: "{{ release.deployment.missing_approvals }}"

- name: Read one deployment
  jobgate.gitlab.gitlab_deployment_info:
    api_token: "{{ lookup('ansible.builtin.env', 'GITLAB_TOKEN') }}"
    project: group/app
    deployment_id: 3

- name: List the blocked deployments to production
  jobgate.gitlab.gitlab_deployment_info:
    project: group/app
    environment: production
    status: blocked
    limit: 0
  register: waiting

- name: Fail if more than one release is waiting
  ansible.builtin.assert:
    that: waiting.deployments | length <= 1

- name: See what a job deploys
  jobgate.gitlab.gitlab_deployment_info:
    project: group/app
    job_id: 90

- name: See what the pipeline of a merge request deploys, if anything
  jobgate.gitlab.gitlab_deployment_info:
    project: group/app
    merge_request: 17
    include_downstream: true
    allow_empty: true

- name: See what the pipeline of this commit deploys in its last stage
  jobgate.gitlab.gitlab_deployment_info:
    project: group/app
    ref: main
    ref_type: branch
    sha: "{{ release_commit }}"
    pipeline_source: push
    stage: deploy

- name: See which manual jobs of a pipeline deploy, and where
  jobgate.gitlab.gitlab_deployment_info:
    project: group/app
    pipeline_id: 7
    scope: manual

- name: Read the deployments to production on a self-managed server
  jobgate.gitlab.gitlab_deployment_info:
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
    api_concurrency: 4
    extensions:
      - cost_centre
    project: group/app
    environment: production

- name: Read deployments on a test server without verifying its certificate, from a CI job
  jobgate.gitlab.gitlab_deployment_info:
    api_url: https://localhost:8443/gitlab
    api_job_token: "{{ lookup('ansible.builtin.env', 'CI_JOB_TOKEN') }}"
    validate_certs: false
    project: group/app
    environment: production
"""

RETURN = r"""
deployments:
  description:
    - The deployments, newest first. Fields that are not listed here are returned as GitLab sends them.
  type: list
  elements: dict
  returned: always
  sample:
    - id: 12
      status: blocked
      ref: v1.2.0
      environment:
        id: 2
        name: production
      approvals: []
      missing_approvals:
        - rule: Maintainers
          required: 2
          missing: 2
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
        - The job that deploys. V(null) for a deployment that was created through the API. See
          M(jobgate.gitlab.gitlab_job_info) for its fields.
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
deployment:
  description: The deployment, if RV(deployments) contains exactly one. V(null) otherwise.
  type: dict
  returned: always
  sample:
    id: 12
    status: blocked
truncated:
  description: Whether there are more deployments than O(limit).
  type: bool
  returned: always
  sample: false
elapsed:
  description: Duration of the task in seconds.
  type: float
  returned: always
  sample: 0.214
"""

from ansible_collections.jobgate.gitlab.plugins.module_utils._ansible.module_face import run_module
from ansible_collections.jobgate.gitlab.plugins.module_utils._tasks.gitlab_deployment_info import TASK


def main() -> None:
    run_module(TASK)


if __name__ == "__main__":
    main()
