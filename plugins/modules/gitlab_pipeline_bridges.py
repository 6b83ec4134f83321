#!/usr/bin/python

# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation and entry point of the module."""

from __future__ import annotations

DOCUMENTATION = r"""
module: gitlab_pipeline_bridges
version_added: 0.1.0
short_description: Read the trigger jobs of a GitLab pipeline and their downstream pipelines, and wait for them
description:
  - Reads the trigger jobs of a pipeline, which GitLab's API also calls bridges, and the child and multi-project
    pipelines that they started, to any depth.
  - With O(wait=true), waits for these downstream pipelines. GitLab itself waits only for trigger jobs with
    C(strategy:depend) or C(strategy:mirror). All other trigger jobs are V(success) as soon as their pipeline exists,
    whatever its outcome.
  - This module starts nothing. Use M(jobgate.gitlab.gitlab_job_action) to play or retry a trigger job.
author:
  - Jobgate Developers (@jobgate)
requirements:
  - python >= 3.9
  - requests
  - pluggy
extends_documentation_fragment:
  - jobgate.gitlab._connection
  - jobgate.gitlab._job_selection.pipeline
  - jobgate.gitlab._waiting
  - jobgate.gitlab._attributes
  - jobgate.gitlab._attributes.info_module
  - jobgate.gitlab._attributes.actiongroup_gitlab
options:
  name:
    description:
      - Only trigger jobs with these names. If no trigger job has exactly the name of an entry, C(*) and C(?) in that
        entry are wildcards.
      - Selects trigger jobs of the pipeline itself. Everything below a selected trigger job is returned, to the level
        of O(depth). The task does not wait for other trigger jobs.
      - If a name does not match, the task fails and lists similar names. An empty list selects nothing.
    type: list
    elements: str
  scope:
    description:
      - Only trigger jobs with these statuses. Like O(name), it selects trigger jobs of the pipeline itself.
      - The status is that of the trigger job, not of its downstream pipeline.
      - The statuses are those of O(jobgate.gitlab.gitlab_job_info#module:scope). An empty list matches any status.
    type: list
    elements: str
  depth:
    description:
      - How many levels of trigger jobs to read. V(1) reads only those of this pipeline. V(2) also reads those of the
        downstream pipelines.
      - V(0) reads the whole tree. Each pipeline is read only once, even if the pipelines form a cycle.
    type: int
    default: 1
  include_jobs:
    description:
      - Also return the jobs of each downstream pipeline, as RV(bridges[].jobs). This requires one more request for each
        pipeline and page of jobs.
      - To wait for individual jobs of a downstream pipeline, use M(jobgate.gitlab.gitlab_job_info) with
        O(jobgate.gitlab.gitlab_job_info#module:include_downstream=true).
    type: bool
    default: false
  allow_empty:
    description:
      - Whether a wait succeeds, with empty RV(bridges), if there is no trigger job to wait for.
      - By default it fails, because a gate that checks nothing must not open.
    type: bool
    default: false
  wait_for:
    description:
      - State that each downstream pipeline must reach, on all levels that O(depth) includes. With several entries, any
        one of them is enough.
      - V(playable) means V(manual), V(scheduled) or any later status.
      - V(started) means V(running) or any later status.
      - V(finished) means V(success), V(failed), V(canceled) or V(skipped). A pipeline that is blocked by a manual job
        is V(manual), and so not finished.
      - V(success) and every other status listed in O(scope) mean exactly that status.
      - When a pipeline, or a trigger job without a pipeline, ends and none of these states can be reached anymore, the
        task fails at once.
      - Can only be used with O(wait=true). If omitted, the task waits for V(finished).
    type: list
    elements: str
  on_timeout:
    description:
      - What to do when O(wait_timeout) expires.
      - V(fail) fails the task and leaves the pipelines as they are.
      - V(continue) lets the task succeed with RV(timed_out=true), so that the playbook can decide what to do.
      - There is no V(cancel), because the module only reads.
    type: str
    choices:
      - fail
      - continue
    default: fail
  fail_on:
    description:
      - Final statuses of a downstream pipeline that fail the task, usually V(failed), V(canceled) and V(skipped).
      - Without O(wait=true), it applies to the pipelines that have already ended.
      - Empty by default, because reading a failed pipeline is not a failure. A status that is not final is an error.
    type: list
    elements: str
    default: []
notes:
  - One of O(pipeline_id), O(ref), O(sha) and O(merge_request) is required.
  - If the token cannot read the project of a downstream pipeline, only the fields in its trigger job are returned, with
    RV(bridges[].accessible=false). Jobs and trigger jobs of this pipeline are missing. The task waits for the pipeline
    by the status in its trigger job.
  - The trigger jobs are read from C(trigger_jobs) in GitLab 19.2 and later, and from C(bridges) in earlier versions.
seealso:
  - module: jobgate.gitlab.gitlab_job_info
  - module: jobgate.gitlab.gitlab_job_action
  - name: Jobs API, pipeline trigger jobs
    description: GitLab's documentation of trigger jobs and their fields.
    link: https://docs.gitlab.com/api/jobs/
  - name: Downstream pipelines
    description: GitLab's documentation of trigger jobs and downstream pipelines.
    link: https://docs.gitlab.com/ci/pipelines/downstream_pipelines/
"""

EXAMPLES = r"""
- name: Read the downstream pipelines of the newest pipeline of main
  jobgate.gitlab.gitlab_pipeline_bridges:
    project: group/app
    ref: main
  register: downstream

- name: Show the status of each downstream pipeline
  ansible.builtin.debug:
    msg: "{{ item.status }} {{ item.web_url }}"
  loop: "{{ downstream.downstream_pipelines }}"
  loop_control:
    label: "{{ item.id }}"

- name: Wait until all downstream pipelines of a release have succeeded
  jobgate.gitlab.gitlab_pipeline_bridges:
    api_token: "{{ lookup('ansible.builtin.env', 'GITLAB_TOKEN') }}"
    project: group/app
    ref: v1.2.0
    depth: 0
    wait: true
    wait_for: success
    wait_timeout: 5400
    wait_interval: 20

- name: Wait for the infrastructure pipeline, and fail if it fails
  jobgate.gitlab.gitlab_pipeline_bridges:
    project: group/app
    pipeline_id: 6
    name: trigger:infra
    wait: true
    fail_on:
      - failed
      - canceled
      - skipped

- name: Read the whole tree of pipelines of a commit
  jobgate.gitlab.gitlab_pipeline_bridges:
    project: group/app
    sha: "{{ release_commit }}"
    depth: 0
  register: tree

- name: Write the tree to a file as a Mermaid flowchart
  ansible.builtin.copy:
    content: "{{ tree.graph }}"
    dest: "{{ release_notes_folder }}/pipelines.mmd"
    mode: "0644"

- name: Read the jobs of the downstream pipelines of all trigger jobs that deploy
  jobgate.gitlab.gitlab_pipeline_bridges:
    project: group/app
    ref: main
    name: deploy:*
    include_jobs: true
  register: deployments

- name: Show the failed jobs of each downstream pipeline
  ansible.builtin.debug:
    msg: "{{ jobs | selectattr('status', 'eq', 'failed') | map(attribute='web_url') }}"
  vars:
    jobs: "{{ deployments.bridges | map(attribute='jobs', default=[]) | flatten }}"

- name: Find the trigger jobs of a merge request that wait to be played
  jobgate.gitlab.gitlab_pipeline_bridges:
    project: group/app
    merge_request: 17
    scope:
      - manual

- name: Wait for the documentation pipeline of the last push to a branch
  jobgate.gitlab.gitlab_pipeline_bridges:
    api_token: "{{ lookup('ansible.builtin.env', 'GITLAB_TOKEN') }}"
    project: group/app
    ref: main
    ref_type: branch
    pipeline_source: push
    name: trigger:docs
    allow_empty: false
    wait: true

- name: Wait up to ten minutes for the documentation pipeline
  jobgate.gitlab.gitlab_pipeline_bridges:
    project: group/app
    ref: main
    name: trigger:docs
    wait: true
    wait_timeout: 600
    on_timeout: continue
  register: docs

- name: Report that the documentation is late
  ansible.builtin.debug:
    msg: The documentation is late.
  when: docs.timed_out

- name: Read the trigger jobs of the current pipeline in a CI job
  jobgate.gitlab.gitlab_pipeline_bridges:
    api_job_token: "{{ lookup('ansible.builtin.env', 'CI_JOB_TOKEN') }}"
    project: "{{ lookup('ansible.builtin.env', 'CI_PROJECT_ID') }}"
    pipeline_id: "{{ lookup('ansible.builtin.env', 'CI_PIPELINE_ID') }}"

- name: Read a large tree from a self-managed server with few simultaneous requests
  jobgate.gitlab.gitlab_pipeline_bridges:
    api_url: https://gitlab.example.com
    api_oauth_token: "{{ gitlab_oauth_token }}"
    ca_path: /etc/ssl/certs/example-ca.pem
    client_cert: /etc/ssl/private/ci.pem
    client_key: /etc/ssl/private/ci.key
    http_headers:
      X-Gateway-Pass: "{{ gateway_pass }}"
    api_timeout: 60
    api_retries: 8
    api_concurrency: 2
    api_requests_per_minute: 300
    extensions:
      - cost_centre
    project: group/app
    ref: main
    depth: 0

- name: Wait for the downstream pipelines of two projects on the same server
  module_defaults:
    group/jobgate.gitlab.gitlab:
      api_url: https://localhost:8443/gitlab
      api_token: "{{ gitlab_token }}"
      validate_certs: false
  block:
    - name: Wait for the downstream pipelines of the application
      jobgate.gitlab.gitlab_pipeline_bridges:
        project: group/app
        ref: main
        wait: true

    - name: Wait for the downstream pipelines of the documentation
      jobgate.gitlab.gitlab_pipeline_bridges:
        project: group/docs
        ref: main
        # it triggers a downstream pipeline only for releases
        allow_empty: true
        wait: true
"""

RETURN = r"""
bridges:
  description:
    - The selected trigger jobs, newest first, with their downstream pipelines. Fields that are not listed here are
      returned as GitLab sends them.
  type: list
  elements: dict
  returned: always
  sample:
    - id: 51
      name: trigger:infra
      stage: deploy
      status: success
      depth: 1
      accessible: true
      downstream_pipeline:
        id: 7
        project_id: 2
        status: running
      bridges: []
  contains:
    id:
      description: ID of this attempt of the trigger job. A retry gets a new ID.
      type: int
      returned: always
      sample: 51
    name:
      description: Name of the trigger job.
      type: str
      returned: always
      sample: trigger:infra
    stage:
      description: Stage of the trigger job.
      type: str
      returned: always
      sample: deploy
    status:
      description: Status of the trigger job, which can be V(success) long before the downstream pipeline ends.
      type: str
      returned: always
      sample: success
    failure_reason:
      description: Why the trigger job failed, such as V(downstream_pipeline_creation_failed).
      type: str
      returned: when RV(bridges[].status) is V(failed)
      sample: downstream_pipeline_creation_failed
    allow_failure:
      description: Whether the pipeline can succeed without the trigger job.
      type: bool
      returned: always
      sample: false
    web_url:
      description: URL of its page.
      type: str
      returned: always
      sample: https://gitlab.example.com/group/app/-/jobs/51
    downstream_pipeline:
      description: Pipeline that the trigger job started. V(null) until then, and if it could not start one.
      type: dict
      returned: always
      sample:
        id: 7
        project_id: 2
        ref: main
        status: running
        web_url: https://gitlab.example.com/group/infra/-/pipelines/7
    depth:
      description:
        - V(1) for trigger jobs of the selected pipeline, V(2) for those of its downstream pipelines, and so on.
      type: int
      returned: always
      sample: 1
    accessible:
      description: Whether the token can read the downstream pipeline. V(null) if there is none.
      type: bool
      returned: always
      sample: true
    bridges:
      description: The trigger jobs of the downstream pipeline, with the same fields. Empty beyond O(depth).
      type: list
      elements: dict
      returned: always
      sample: []
    jobs:
      description: The jobs of the downstream pipeline, with the fields that M(jobgate.gitlab.gitlab_job_info) returns.
      type: list
      elements: dict
      returned: with O(include_jobs=true), if there is a downstream pipeline that the token can read
      sample:
        - id: 61
          name: apply
          status: running
    annotations:
      description: Annotations that extensions added to the trigger job.
      type: dict
      returned: when an extension has added annotations
      sample:
        cost_centre: "4711"
downstream_pipelines:
  description: Flat list of all downstream pipelines in RV(bridges), on all levels.
  type: list
  elements: dict
  returned: always
  sample:
    - id: 7
      project_id: 2
      ref: main
      status: running
      web_url: https://gitlab.example.com/group/infra/-/pipelines/7
      path: trigger:infra
      depth: 1
      accessible: true
  contains:
    id:
      description: ID of the pipeline.
      type: int
      returned: always
      sample: 7
    project_id:
      description: ID of the project of the pipeline.
      type: int
      returned: always, except on very old servers
      sample: 2
    ref:
      description: Branch or tag of the pipeline.
      type: str
      returned: always
      sample: main
    sha:
      description: Commit that the pipeline runs on.
      type: str
      returned: always
      sample: 7d1a3f0f6f1a4c1f5bb0a3f7d94a5c6a1de28e11
    status:
      description: Status of the pipeline.
      type: str
      returned: always
      sample: running
    web_url:
      description: URL of its page.
      type: str
      returned: always, except on very old servers
      sample: https://gitlab.example.com/group/infra/-/pipelines/7
    path:
      description: Names of the trigger jobs that lead to the pipeline, separated by slashes.
      type: str
      returned: always
      sample: trigger:infra
    depth:
      description: Number of trigger jobs that lead to the pipeline.
      type: int
      returned: always
      sample: 1
    accessible:
      description: Whether the token can read the pipeline.
      type: bool
      returned: always
      sample: true
    annotations:
      description: Annotations that extensions added to the pipeline.
      type: dict
      returned: when an extension has added annotations
      sample:
        cost_centre: "4711"
pipeline:
  description:
    - The selected pipeline. V(null) if it was not found.
    - With O(wait=true), its state after the wait, unless it cannot be read again.
  type: dict
  returned: always
  sample:
    id: 6
    project_id: 1
    ref: v1.2.0
    status: running
    web_url: https://gitlab.example.com/group/app/-/pipelines/6
summary:
  description: Number of trigger jobs in RV(bridges), on all levels, by status.
  type: dict
  returned: always
  sample:
    manual: 1
    success: 3
graph:
  description:
    - The tree with its statuses, as a Mermaid flowchart. GitLab renders it in a Markdown code block of type C(mermaid).
  type: str
  returned: always
  sample: |
    flowchart LR
        p6["pipeline 6 · v1.2.0 · running"]
        p6 -->|"trigger:infra (success)"| p7["pipeline 7 · main · running"]
elapsed:
  description: Duration of the task in seconds.
  type: float
  returned: always
  sample: 73.214
requests:
  description: The requests that the task sent.
  type: dict
  returned: always
  sample: {count: 17, throttled: 0, paced_seconds: 0.0}
  contains:
    count:
      description: Number of requests.
      type: int
      returned: always
      sample: 17
    throttled:
      description: Number of requests that GitLab refused because of its rate limit (429).
      type: int
      returned: always
      sample: 0
    paced_seconds:
      description: Seconds for which requests were held back to stay within the rate limit.
      type: float
      returned: always
      sample: 0.0
timed_out:
  description: Whether the task timed out before the pipelines reached O(wait_for).
  type: bool
  returned: always
  sample: false
timeline:
  description:
    - Status changes of the trigger jobs and the downstream pipelines during the wait, in order. The first entry of each
      is its initial status.
  type: list
  elements: dict
  returned: always
  sample:
    - at: "2026-03-02T09:16:12.480Z"
      seconds: 69.67
      id: 7
      name: trigger:infra -> pipeline 7
      from: pending
      to: running
  contains:
    at:
      description: Time of the change, in UTC.
      type: str
      returned: always
      sample: "2026-03-02T09:16:12.480Z"
    seconds:
      description: The same time, in seconds since the task started.
      type: float
      returned: always
      sample: 69.67
    id:
      description: ID of the trigger job or pipeline.
      type: int
      returned: always
      sample: 7
    name:
      description: Names of the trigger jobs that lead to it, separated by slashes. For a pipeline, its ID follows.
      type: str
      returned: always
      sample: trigger:infra -> pipeline 7
    from:
      description: Previous status. V(null) in the first entry of each.
      type: str
      returned: always
      sample: pending
    to:
      description: New status.
      type: str
      returned: always
      sample: running
"""

from ansible_collections.jobgate.gitlab.plugins.module_utils._ansible.module_face import run_module
from ansible_collections.jobgate.gitlab.plugins.module_utils._tasks.gitlab_pipeline_bridges import TASK


def main() -> None:
    run_module(TASK)


if __name__ == "__main__":
    main()
