#!/usr/bin/python

# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The documentation of the module, and its way to the task."""

from __future__ import annotations

DOCUMENTATION = r"""
module: gitlab_deployment_info
version_added: 0.1.0
short_description: Read deployments of a GitLab project, and who still has to approve them
description:
  - Reads deployments, each with the approvals that it has and those that it lacks.
  - They are chosen by O(deployment_id), by O(environment) and O(status), or by the jobs that deploy. Without any of
    these, all deployments of the project are meant.
  - It does not wait. To wait for approvals and then deploy, use
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
      - V(blocked) is every deployment of a manual job, whether or not somebody has to approve it.
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
      - Whether the task succeeds when there is no deployment at all.
      - By default the task fails then, since a misspelled environment, or a job that deploys nowhere, would pass
        unnoticed. The one exception is a selection that O(status) or O(scope) alone leaves empty, such as V(blocked)
        when everything has been deployed.
      - A name or a stage that does not exist is an error in any case.
    type: bool
    default: false
  limit:
    description:
      - The most deployments to return, newest first. V(0) returns all.
      - GitLab tells the approvals of a single deployment only, so each one costs a request of its own.
    type: int
    default: 20
notes:
  - The user of the token needs the Reporter role. GitLab shows deployments to nobody without a token.
  - Approvals need GitLab 14.8 with Premium. Without it RV(deployments[].approvals) and
    RV(deployments[].missing_approvals) are empty, and RV(deployments[].pending_approval_count) is not there.
  - The record of a job does not say which environment it deploys to. A deployment that is chosen by its job is looked
    for among those of the project, newest first.
  - O(name), O(stage), O(scope) and O(include_downstream) choose jobs of a pipeline, and need one of O(pipeline_id),
    O(ref), O(sha) and O(merge_request). Jobs that deploy nowhere are left out.
seealso:
  - module: jobgate.gitlab.gitlab_deployment_approval
  - module: jobgate.gitlab.gitlab_job_action
  - name: Deployments API
    description: What GitLab says about deployments.
    link: https://docs.gitlab.com/api/deployments/
  - name: Deployment approvals
    description: How an environment comes to ask for approvals.
    link: https://docs.gitlab.com/ci/environments/deployment_approvals/
"""

EXAMPLES = r"""
- name: See who still has to approve the deployment of a release
  jobgate.gitlab.gitlab_deployment_info:
    project: group/app
    ref: v1.2.0
    name: deploy:prod
  register: release

- name: Tell them
  ansible.builtin.debug:
    msg: "{{ item.missing }} of {{ item.rule }}"
  loop: "{{ release.deployment.missing_approvals }}"

- name: Read one deployment
  jobgate.gitlab.gitlab_deployment_info:
    api_token: "{{ lookup('ansible.builtin.env', 'GITLAB_TOKEN') }}"
    project: group/app
    deployment_id: 3

- name: List what waits to be deployed to production
  jobgate.gitlab.gitlab_deployment_info:
    project: group/app
    environment: production
    status: blocked
    limit: 0
  register: waiting

- name: Stop if more than one release waits
  ansible.builtin.assert:
    that: waiting.deployments | length <= 1

- name: See what the job of a page deploys
  jobgate.gitlab.gitlab_deployment_info:
    project: group/app
    job_id: 90

- name: See what the pipeline of a merge request deploys, if anything
  jobgate.gitlab.gitlab_deployment_info:
    project: group/app
    merge_request: 17
    include_downstream: true
    allow_empty: true

- name: See what the pipeline of this very commit deploys in its last stage
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

- name: Ask a server of our own what goes to production
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

- name: Ask a test server whose certificate nobody can verify, from a CI job
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
    - The deployments, newest first, in GitLab's own words. Fields not listed here are passed on as the server sends
      them.
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
        - The job that deploys, V(null) for a deployment that was made through the API. See
          M(jobgate.gitlab.gitlab_job_info) for its fields.
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
deployment:
  description: Short for RV(deployments), when there is exactly one; else V(null).
  type: dict
  returned: always
  sample:
    id: 12
    status: blocked
truncated:
  description: Whether there are more than O(limit).
  type: bool
  returned: always
  sample: false
elapsed:
  description: Seconds that the task took.
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
