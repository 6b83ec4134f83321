#!/usr/bin/python

# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation and entry point of the module."""

from __future__ import annotations

DOCUMENTATION = r"""
module: gitlab_job_token_info
version_added: 0.1.0
short_description: Read the GitLab CI job of a job token, and the agents that it may use
description:
  - Reads the job that a CI job token belongs to. A playbook in a CI job can use it to learn its job, pipeline and user
    from GitLab itself, and not from variables that anyone can set.
  - With O(agents=true), also reads which GitLab agents for Kubernetes the job may use.
  - Requires no project and no other token.
author:
  - Jobgate Developers (@jobgate)
requirements:
  - python >= 3.9
  - requests
  - pluggy
extends_documentation_fragment:
  - jobgate.gitlab._connection
  - jobgate.gitlab._attributes
  - jobgate.gitlab._attributes.info_module
  - jobgate.gitlab._attributes.actiongroup_gitlab
options:
  api_job_token:
    description:
      - The token of a running CI job, sent in the header C(JOB-TOKEN).
      - If omitted, E(CI_JOB_TOKEN) in the environment of the task is used. This is the only module that uses it
        automatically, because it only reads the job of the token.
      - If neither is set, the task fails.
  api_token:
    description:
      - An error in this module, because these requests accept only job tokens. The option exists so that all modules of
        the collection have the same connection options.
      - E(GITLAB_API_TOKEN), E(GITLAB_TOKEN) and E(GITLAB_PRIVATE_TOKEN) are ignored.
  api_oauth_token:
    description:
      - An error in this module, for the same reason as O(api_token). E(GITLAB_OAUTH_TOKEN) is ignored.
  agents:
    description:
      - Whether to also read the GitLab agents for Kubernetes that the job may use, with the user, environment, pipeline
        and project as an agent sees them. This requires one more request.
      - Requires GitLab 13.11. Before about GitLab 17, it also requires a Premium licence.
    type: bool
    default: false
notes:
  - Requires GitLab 13.10.
  - A job token is valid only while its job is V(running) or V(canceling). Afterwards GitLab answers V(401
    Unauthorized). It gives the same answer if the job was erased, the project is about to be deleted, the user no
    longer exists, or the token is mistyped.
  - GitLab answers V(404 Job Not Found) to personal, project and group access tokens, because they belong to no job.
    Servers that are too old answer V(404 Not Found). The error shows which of the two it is.
  - O(api_token) and O(api_oauth_token) are ignored when they come from C(module_defaults) of the action group, a
    variable or C(ansible.cfg).
  - To download artifacts with a job token, use M(jobgate.gitlab.gitlab_job_download).
seealso:
  - module: jobgate.gitlab.gitlab_job_download
  - module: jobgate.gitlab.gitlab_job_info
  - name: Jobs API
    description: GitLab's documentation of the requests for the job of a job token and its agents.
    link: https://docs.gitlab.com/api/jobs/
  - name: CI/CD job token
    description: What job tokens can access, and for how long.
    link: https://docs.gitlab.com/ci/jobs/ci_job_token/
"""

EXAMPLES = r"""
- name: Read the job that runs this playbook
  jobgate.gitlab.gitlab_job_token_info:
  register: me

- name: Show the job, its pipeline and its user
  ansible.builtin.debug:
    msg: "{{ me.job.name }} of pipeline {{ me.job.pipeline.id }}, started by {{ me.job.user.username }}"

- name: Stop unless the job runs for a tag, whatever its variables say
  ansible.builtin.assert:
    that: me.job.tag

- name: Read the agents that a job may use, with the job token in a variable
  jobgate.gitlab.gitlab_job_token_info:
    api_job_token: "{{ job_token }}"
    agents: true
  register: allowed

- name: Stop unless the job deploys to production and may use an agent
  ansible.builtin.assert:
    that:
      - allowed.environment is not none
      - allowed.environment.slug == 'production'
      - allowed.allowed_agents | length > 0

- name: Read the job of a token from a self-managed server
  jobgate.gitlab.gitlab_job_token_info:
    api_url: https://gitlab.example.com
    api_job_token: "{{ lookup('ansible.builtin.env', 'CI_JOB_TOKEN') }}"
    ca_path: /etc/ssl/certs/example-ca.pem
    client_cert: /etc/ssl/private/ci.pem
    client_key: /etc/ssl/private/ci.key
    http_headers:
      X-Gateway-Pass: "{{ gateway_pass }}"
    api_timeout: 10
    api_retries: 2
    api_concurrency: 1
    api_requests_per_minute: 300
    extensions:
      - cost_centre

- name: Read the job from a test server without verifying its certificate
  jobgate.gitlab.gitlab_job_token_info:
    api_url: https://localhost:8443/gitlab
    api_job_token: "{{ job_token }}"
    validate_certs: false
"""

RETURN = r"""
job:
  description:
    - The job of the token. Fields that are not listed here are returned as GitLab sends them.
  type: dict
  returned: always
  sample:
    id: 42
    name: deploy:prod
    stage: deploy
    status: running
    ref: v1.2.0
    web_url: https://gitlab.example.com/group/app/-/jobs/42
  contains:
    id:
      description: ID of this attempt of the job. A retry gets a new ID.
      type: int
      returned: always
      sample: 42
    name:
      description: Name of the job. The names of C(parallel:matrix) jobs contain their matrix values.
      type: str
      returned: always
      sample: deploy:prod
    stage:
      description: Stage of the job.
      type: str
      returned: always
      sample: deploy
    status:
      description: Status of the job, such as V(running) or V(success).
      type: str
      returned: always
      sample: running
    ref:
      description: Branch or tag of the job.
      type: str
      returned: always
      sample: v1.2.0
    tag:
      description: Whether RV(job.ref) is a tag.
      type: bool
      returned: always
      sample: true
    allow_failure:
      description: Whether the pipeline can succeed without the job. V(true) for manual jobs by default.
      type: bool
      returned: always
      sample: true
    failure_reason:
      description: Why the job failed, such as V(script_failure) or V(runner_system_failure).
      type: str
      returned: when RV(job.status) is V(failed)
      sample: script_failure
    created_at:
      description: When the job was created.
      type: str
      returned: always
      sample: "2026-03-02T09:15:00.000Z"
    started_at:
      description: When the job started. V(null) until then.
      type: str
      returned: always
      sample: "2026-03-02T09:16:10.000Z"
    finished_at:
      description: When the job ended. V(null) until then.
      type: str
      returned: always
      sample: null
    erased_at:
      description: When the log and the artifacts of the job were erased. V(null) if they were not.
      type: str
      returned: always, in GitLab 15.9 and later
      sample: null
    duration:
      description: Seconds for which the job ran, or has run so far. V(null) until it starts.
      type: float
      returned: always
      sample: 150.2
    queued_duration:
      description: Seconds for which the job was queued, or has been queued so far. V(null) until it is queued.
      type: float
      returned: always
      sample: 70.1
    web_url:
      description: URL of its page.
      type: str
      returned: always
      sample: https://gitlab.example.com/group/app/-/jobs/42
    user:
      description: User who started the job.
      type: dict
      returned: always
      sample:
        id: 3
        username: release-bot
    commit:
      description: Commit that the job runs on. V(null) if it no longer exists.
      type: dict
      returned: always
      sample:
        id: 7d1a3f0f6f1a4c1f5bb0a3f7d94a5c6a1de28e11
        title: Add the new checkout
    pipeline:
      description: Pipeline of the job.
      type: dict
      returned: always
      sample:
        id: 6
        project_id: 1
        ref: v1.2.0
        status: running
    runner:
      description: Runner that picked up the job. V(null) until then.
      type: dict
      returned: always
      sample:
        id: 32
        description: shared-runner-1
    tag_list:
      description: Tags that a runner needs to pick up the job.
      type: list
      elements: str
      returned: always, except on very old servers
      sample: ["linux"]
    artifacts_file:
      description: Archive with the artifacts of the job.
      type: dict
      returned: when the archive exists and has not expired
      sample:
        filename: artifacts.zip
        size: 15360
    artifacts:
      description: Files that the job has stored, including the log (C(file_type) V(trace)).
      type: list
      elements: dict
      returned: always
      sample:
        - file_type: trace
          filename: job.log
          size: 1500
    artifacts_expire_at:
      description: When the artifacts expire. V(null) if they do not expire.
      type: str
      returned: always
      sample: null
    annotations:
      description: Annotations that extensions added to the job.
      type: dict
      returned: when an extension has added annotations
      sample:
        cost_centre: "4711"
allowed_agents:
  description:
    - The agents that the job may use, as GitLab returns them. V(null) without O(agents=true).
    - Agents that are restricted to environments are listed only for jobs that deploy to one of these.
  type: list
  elements: dict
  returned: always
  sample:
    - id: 1
      config_project:
        id: 2
        path_with_namespace: group/infra
  contains:
    id:
      description: ID of the agent.
      type: int
      returned: always
      sample: 1
    config_project:
      description: Project in which the agent is configured, with its names and paths.
      type: dict
      returned: always
      sample:
        id: 2
        description: null
        name: infra
        name_with_namespace: Group / infra
        path: infra
        path_with_namespace: group/infra
        created_at: "2025-11-20T08:00:00.000Z"
    configuration:
      description: CI/CD access configuration of the agent.
      type: dict
      returned: if GitLab returns it
      sample:
        default_namespace: production
user:
  description:
    - The user for whom the job runs, with the roles in the project. V(null) without O(agents=true). RV(job.user) has
      more fields.
  type: dict
  returned: always
  sample:
    id: 3
    username: release-bot
    roles_in_project: ["guest", "reporter", "developer"]
  contains:
    id:
      description: ID of the user.
      type: int
      returned: always
      sample: 3
    username:
      description: Username of the user.
      type: str
      returned: always
      sample: release-bot
    roles_in_project:
      description: The role of the user in the project and all roles below it, lowest first.
      type: list
      elements: str
      returned: always
      sample: ["guest", "reporter", "developer"]
environment:
  description:
    - The environment that the job deploys to. V(null) if there is none, if GitLab has not created it yet, and without
      O(agents=true).
  type: dict
  returned: always
  sample:
    tier: production
    slug: production
  contains:
    tier:
      description: Tier of the environment, such as V(production), V(staging) or V(development).
      type: str
      returned: always
      sample: production
    slug:
      description: Slug of the environment, which is its name as used in addresses.
      type: str
      returned: always
      sample: production
pipeline:
  description:
    - The pipeline of the job. V(null) without O(agents=true). RV(job.pipeline) has more fields.
  type: dict
  returned: always
  sample:
    id: 6
  contains:
    id:
      description: ID of the pipeline.
      type: int
      returned: always
      sample: 6
project:
  description: The project of the job. V(null) without O(agents=true).
  type: dict
  returned: always
  sample:
    id: 1
    groups:
      - id: 5
      - id: 4
  contains:
    id:
      description: ID of the project.
      type: int
      returned: always
      sample: 1
    groups:
      description:
        - The groups that contain the project, innermost first. Empty for personal projects.
      type: list
      elements: dict
      returned: always
      sample:
        - id: 5
        - id: 4
      contains:
        id:
          description: ID of the group.
          type: int
          returned: always
          sample: 5
"""

from ansible_collections.jobgate.gitlab.plugins.module_utils._ansible.module_face import run_module
from ansible_collections.jobgate.gitlab.plugins.module_utils._tasks.gitlab_job_token_info import TASK


def main() -> None:
    run_module(TASK)


if __name__ == "__main__":
    main()
