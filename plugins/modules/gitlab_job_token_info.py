#!/usr/bin/python

# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The documentation of the module, and its way to the task."""

from __future__ import annotations

DOCUMENTATION = r"""
module: gitlab_job_token_info
version_added: 0.1.0
short_description: Tell which GitLab CI job a job token belongs to, and which agents it may use
description:
  - Reads the job that a CI job token belongs to. A playbook that runs in a CI job learns in this way which job,
    pipeline and user it runs for, from GitLab itself and not from variables that anybody can set.
  - With O(agents=true) it also reads which GitLab agents for Kubernetes the job may use.
  - It needs no project and no other token.
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
      - When it is not set, E(CI_JOB_TOKEN) is used, as it is in the environment of the task. This is the only module
        that uses it automatically, because all it does with it is to ask for its job.
      - With neither of them the task fails.
  api_token:
    description:
      - An error in this module, since GitLab answers these questions to a job token only. The option exists so that all
        modules of the collection can be connected in the same way.
      - E(GITLAB_API_TOKEN), E(GITLAB_TOKEN) and E(GITLAB_PRIVATE_TOKEN) are not looked at.
  api_oauth_token:
    description:
      - An error in this module, for the same reason as O(api_token). E(GITLAB_OAUTH_TOKEN) is not looked at.
  agents:
    description:
      - Whether to read the GitLab agents for Kubernetes that the job may use as well, with user, environment, pipeline
        and project as GitLab tells them to an agent. One request more.
      - Needs GitLab 13.11, up to GitLab 14 or later with a Premium licence.
    type: bool
    default: false
notes:
  - Needs GitLab 13.10.
  - A job token is good only while its job is V(running) or V(canceling). After that GitLab answers V(401 Unauthorized),
    as it does when the job was erased, when its project is about to be deleted or its user is gone, and to a token that
    is mistyped.
  - To a personal, project or group access token GitLab answers V(404 Job Not Found), since no job belongs to it. A
    server that is too old for the question answers V(404 Not Found) as well; the error tells the two apart.
  - O(api_token) and O(api_oauth_token) are ignored when they come from C(module_defaults) of the action group, a
    variable or C(ansible.cfg).
  - To download artifacts with a job token, use M(jobgate.gitlab.gitlab_job_download).
seealso:
  - module: jobgate.gitlab.gitlab_job_download
  - module: jobgate.gitlab.gitlab_job_info
  - name: Jobs API
    description: What GitLab says about the job of a job token, and its agents.
    link: https://docs.gitlab.com/api/jobs/
  - name: CI/CD job token
    description: What a job token may do, and how long.
    link: https://docs.gitlab.com/ci/jobs/ci_job_token/
"""

EXAMPLES = r"""
- name: See for which job this playbook runs
  jobgate.gitlab.gitlab_job_token_info:
  register: me

- name: Show who has started it
  ansible.builtin.debug:
    msg: "{{ me.job.name }} of pipeline {{ me.job.pipeline.id }}, started by {{ me.job.user.username }}"

- name: Deploy only from a tag, whatever the variables of the job say
  ansible.builtin.assert:
    that: me.job.tag

- name: See which agents a job may use, with its token in a variable
  jobgate.gitlab.gitlab_job_token_info:
    api_job_token: "{{ job_token }}"
    agents: true
  register: allowed

- name: Stop unless one of them is for production
  ansible.builtin.assert:
    that:
      - allowed.environment is not none
      - allowed.environment.slug == 'production'
      - allowed.allowed_agents | length > 0

- name: Ask a server of our own
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

- name: Ask a test server whose certificate nobody can verify
  jobgate.gitlab.gitlab_job_token_info:
    api_url: https://localhost:8443/gitlab
    api_job_token: "{{ job_token }}"
    validate_certs: false
"""

RETURN = r"""
job:
  description:
    - The job that the token belongs to, in GitLab's own words. Fields not listed here are passed on as the server sends
      them.
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
      description: Number of this attempt of the job. A retry gets a new one.
      type: int
      returned: always
      sample: 42
    name:
      description: Name of the job. Jobs made by C(parallel:matrix) carry their values in it.
      type: str
      returned: always
      sample: deploy:prod
    stage:
      description: Its stage.
      type: str
      returned: always
      sample: deploy
    status:
      description: Its status, such as V(running) or V(success).
      type: str
      returned: always
      sample: running
    ref:
      description: Branch or tag.
      type: str
      returned: always
      sample: v1.2.0
    tag:
      description: Whether RV(job.ref) is a tag.
      type: bool
      returned: always
      sample: true
    allow_failure:
      description: Whether the pipeline can succeed without it. Manual jobs have this by default.
      type: bool
      returned: always
      sample: true
    failure_reason:
      description: Why it failed, such as V(script_failure) or V(runner_system_failure).
      type: str
      returned: when RV(job.status) is V(failed)
      sample: script_failure
    created_at:
      description: When the job was created.
      type: str
      returned: always
      sample: "2026-03-02T09:15:00.000Z"
    started_at:
      description: When a runner began, V(null) before that.
      type: str
      returned: always
      sample: "2026-03-02T09:16:10.000Z"
    finished_at:
      description: When it ended, V(null) before that.
      type: str
      returned: always
      sample: null
    erased_at:
      description: When its log and artifacts were erased, V(null) if they were not.
      type: str
      returned: always, from GitLab 15.9 on
      sample: null
    duration:
      description: Seconds it ran, or has run so far, V(null) before that.
      type: float
      returned: always
      sample: 150.2
    queued_duration:
      description: Seconds it was in the queue, or has been so far, V(null) before that.
      type: float
      returned: always
      sample: 70.1
    web_url:
      description: Its page.
      type: str
      returned: always
      sample: https://gitlab.example.com/group/app/-/jobs/42
    user:
      description: Who started it.
      type: dict
      returned: always
      sample:
        id: 3
        username: release-bot
    commit:
      description: The commit it runs on, V(null) if that is gone.
      type: dict
      returned: always
      sample:
        id: 7d1a3f0f6f1a4c1f5bb0a3f7d94a5c6a1de28e11
        title: Add the new checkout
    pipeline:
      description: The pipeline it belongs to.
      type: dict
      returned: always
      sample:
        id: 6
        project_id: 1
        ref: v1.2.0
        status: running
    runner:
      description: The runner that took it, V(null) before that.
      type: dict
      returned: always
      sample:
        id: 32
        description: shared-runner-1
    tag_list:
      description: The tags that a runner must have to take it.
      type: list
      elements: str
      returned: always, except by very old servers
      sample: ["linux"]
    artifacts_file:
      description: The archive with its artifacts.
      type: dict
      returned: when there is one that has not expired
      sample:
        filename: artifacts.zip
        size: 15360
    artifacts:
      description: The files it has left. The log is one of them, with C(file_type) V(trace).
      type: list
      elements: dict
      returned: always
      sample:
        - file_type: trace
          filename: job.log
          size: 1500
    artifacts_expire_at:
      description: When its artifacts are removed, V(null) if never.
      type: str
      returned: always
      sample: null
    annotations:
      description: What extensions have to say about the job.
      type: dict
      returned: when an extension has added something
      sample:
        cost_centre: "4711"
allowed_agents:
  description:
    - The agents that the job may use, in GitLab's own words; V(null) without O(agents=true).
    - An agent that is restricted to environments is listed only for a job that deploys to one of these.
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
      description: Id of the agent.
      type: int
      returned: always
      sample: 1
    config_project:
      description: The project that the agent is configured in, with its names and paths.
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
      description: What the agent is configured to allow to jobs.
      type: dict
      returned: when GitLab has told
      sample:
        default_namespace: production
user:
  description:
    - The user that the job runs for, with all roles up to the one that the user has in the project; V(null) without
      O(agents=true). See RV(job.user) for the rest.
  type: dict
  returned: always
  sample:
    id: 3
    username: release-bot
    roles_in_project: ["guest", "reporter", "developer"]
  contains:
    id:
      description: Id of the user.
      type: int
      returned: always
      sample: 3
    username:
      description: Name that the user signs in with.
      type: str
      returned: always
      sample: release-bot
    roles_in_project:
      description: All roles of the user in the project, the lowest first.
      type: list
      elements: str
      returned: always
      sample: ["guest", "reporter", "developer"]
environment:
  description:
    - The environment that the job deploys to; V(null) if it deploys to none, or to one that GitLab has not created yet,
      and without O(agents=true).
  type: dict
  returned: always
  sample:
    tier: production
    slug: production
  contains:
    tier:
      description: Its tier, such as V(production), V(staging) or V(development).
      type: str
      returned: always
      sample: production
    slug:
      description: Its name in the form that is used in addresses.
      type: str
      returned: always
      sample: production
pipeline:
  description:
    - The pipeline of the job; V(null) without O(agents=true). See RV(job.pipeline) for the rest.
  type: dict
  returned: always
  sample:
    id: 6
  contains:
    id:
      description: Id of the pipeline.
      type: int
      returned: always
      sample: 6
project:
  description: The project of the job; V(null) without O(agents=true).
  type: dict
  returned: always
  sample:
    id: 1
    groups:
      - id: 5
      - id: 4
  contains:
    id:
      description: Id of the project.
      type: int
      returned: always
      sample: 1
    groups:
      description:
        - The groups that the project is in, the nearest first. Empty for a project of a user.
      type: list
      elements: dict
      returned: always
      sample:
        - id: 5
        - id: 4
      contains:
        id:
          description: Id of the group.
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
