#!/usr/bin/python

# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The documentation of the module, and its way to the task."""

from __future__ import annotations

DOCUMENTATION = r"""
module: gitlab_pipeline_bridges
version_added: 0.1.0
short_description: Read the trigger jobs of a GitLab pipeline and the pipelines they start, and wait for them
description:
  - Reads the trigger jobs of a pipeline, which GitLab's API also calls bridges, and the child and multi-project
    pipelines that they have started, as deep as you like.
  - With O(wait=true) it waits for these downstream pipelines. GitLab itself does so only for trigger jobs with
    C(strategy:depend) or C(strategy:mirror); any other trigger job is V(success) as soon as its pipeline exists,
    whatever becomes of that.
  - It starts nothing. Use M(jobgate.gitlab.gitlab_job_action) to play or retry a trigger job.
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
      - Only trigger jobs of these names. A trigger job of exactly that name is taken; only if there is none, C(*) and
        C(?) in the name are wildcards.
      - It chooses among the trigger jobs of the pipeline itself. What is below a chosen one is shown whole, as deep as
        O(depth) says; what is not chosen is not waited for.
      - A name that nothing matches is an error that shows close names. An empty list selects nothing.
    type: list
    elements: str
  scope:
    description:
      - Only trigger jobs that have one of these statuses. Like O(name), it chooses among the trigger jobs of the
        pipeline itself.
      - It is the status of the trigger job, and not that of the pipeline behind it.
      - The statuses are those of O(jobgate.gitlab.gitlab_job_info#module:scope). An empty list means any.
    type: list
    elements: str
  depth:
    description:
      - How many levels of trigger jobs to read. V(1) reads those of this pipeline only, V(2) also those of the
        pipelines that they have started.
      - V(0) reads the whole tree. A pipeline that was met before is not entered again, so a cycle of pipelines comes to
        an end.
    type: int
    default: 1
  include_jobs:
    description:
      - Read the jobs of each downstream pipeline as well, into RV(bridges[].jobs). One request more for each pipeline
        and page of jobs.
      - To wait for single jobs of a downstream pipeline, use M(jobgate.gitlab.gitlab_job_info) with
        O(jobgate.gitlab.gitlab_job_info#module:include_downstream=true).
    type: bool
    default: false
  allow_empty:
    description:
      - Whether a wait may find no trigger job to wait for. It then succeeds with an empty list of RV(bridges).
      - By default it fails, because a gate that looks at nothing must not open.
    type: bool
    default: false
  wait_for:
    description:
      - What each of the downstream pipelines has to reach, on all levels that O(depth) shows. With several entries, any
        one of them is enough.
      - V(playable) is a pipeline that is V(manual) or V(scheduled), or already past that.
      - V(started) is a pipeline that is V(running), or already past that.
      - V(finished) is a pipeline that is V(success), V(failed), V(canceled) or V(skipped). One that stands still at a
        manual job is V(manual), and so not finished.
      - V(success) is a pipeline that has succeeded. Any other status known to O(scope) can be named as well, and means
        exactly that status.
      - When a pipeline has ended, or its trigger job has without starting one, and what is asked for can no longer be
        reached, the task fails at once and says so.
      - Can only be used with O(wait=true). When it is not set, the end is waited for, as with V(finished).
    type: list
    elements: str
  on_timeout:
    description:
      - What to do when O(wait_timeout) has passed.
      - V(fail) fails the task and leaves the pipelines as they are.
      - V(continue) lets the task succeed with RV(timed_out) set to V(true), for playbooks that decide by themselves.
      - There is no V(cancel) here, since the module only reads.
    type: str
    choices:
      - fail
      - continue
    default: fail
  fail_on:
    description:
      - End states of a downstream pipeline that fail the task, usually V(failed), V(canceled) and V(skipped).
      - It also holds without O(wait=true), for the pipelines that have ended already.
      - It is empty by default, since reading about a failed pipeline is not a failure. A status that is no end is an
        error.
    type: list
    elements: str
    default: []
notes:
  - One of O(pipeline_id), O(ref), O(sha) and O(merge_request) is required.
  - A downstream pipeline in a project that the token cannot read is shown as far as its trigger job tells, with
    RV(bridges[].accessible) set to V(false). It has no jobs and no trigger jobs of its own here, and is waited for with
    the status that its trigger job shows.
  - The trigger jobs come from C(trigger_jobs) where the server has it (GitLab 19.2), and from C(bridges) otherwise.
seealso:
  - module: jobgate.gitlab.gitlab_job_info
  - module: jobgate.gitlab.gitlab_job_action
  - name: Jobs API, pipeline trigger jobs
    description: What GitLab says about trigger jobs and their fields.
    link: https://docs.gitlab.com/api/jobs/
  - name: Downstream pipelines
    description: How trigger jobs and their pipelines belong together.
    link: https://docs.gitlab.com/ci/pipelines/downstream_pipelines/
"""

EXAMPLES = r"""
- name: See which pipelines the newest pipeline of main has started
  jobgate.gitlab.gitlab_pipeline_bridges:
    project: group/app
    ref: main
  register: downstream

- name: Show them
  ansible.builtin.debug:
    msg: "{{ item.status }} {{ item.web_url }}"
  loop: "{{ downstream.downstream_pipelines }}"
  loop_control:
    label: "{{ item.id }}"

- name: Wait until everything behind a release has succeeded
  jobgate.gitlab.gitlab_pipeline_bridges:
    api_token: "{{ lookup('ansible.builtin.env', 'GITLAB_TOKEN') }}"
    project: group/app
    ref: v1.2.0
    depth: 0
    wait: true
    wait_for: success
    wait_timeout: 5400
    wait_interval: 20

- name: Wait for the infrastructure pipeline, and fail if it does
  jobgate.gitlab.gitlab_pipeline_bridges:
    project: group/app
    pipeline_id: 6
    name: trigger:infra
    wait: true
    fail_on:
      - failed
      - canceled
      - skipped

- name: Write the tree of pipelines of this commit into the release notes
  jobgate.gitlab.gitlab_pipeline_bridges:
    project: group/app
    sha: "{{ release_commit }}"
    depth: 0
  register: tree

- name: Keep it as a Mermaid flowchart
  ansible.builtin.copy:
    content: "{{ tree.graph }}"
    dest: "{{ release_notes_folder }}/pipelines.mmd"
    mode: "0644"

- name: Find the failed jobs behind all trigger jobs that deploy
  jobgate.gitlab.gitlab_pipeline_bridges:
    project: group/app
    ref: main
    name: deploy:*
    include_jobs: true
  register: deployments

- name: Show the failed jobs
  ansible.builtin.debug:
    msg: "{{ jobs | selectattr('status', 'eq', 'failed') | map(attribute='web_url') }}"
  vars:
    jobs: "{{ deployments.bridges | map(attribute='jobs', default=[]) | flatten }}"

- name: See which trigger jobs of a merge request wait for somebody
  jobgate.gitlab.gitlab_pipeline_bridges:
    project: group/app
    merge_request: 17
    scope:
      - manual

- name: Wait for the documentation that the last push to a branch has started
  jobgate.gitlab.gitlab_pipeline_bridges:
    api_token: "{{ lookup('ansible.builtin.env', 'GITLAB_TOKEN') }}"
    project: group/app
    ref: main
    ref_type: branch
    pipeline_source: push
    name: trigger:docs
    allow_empty: false
    wait: true

- name: Give the documentation ten minutes, and go on without it
  jobgate.gitlab.gitlab_pipeline_bridges:
    project: group/app
    ref: main
    name: trigger:docs
    wait: true
    wait_timeout: 600
    on_timeout: continue
  register: docs

- name: Say so
  ansible.builtin.debug:
    msg: The documentation is late.
  when: docs.timed_out

- name: Read from inside a CI job
  jobgate.gitlab.gitlab_pipeline_bridges:
    api_job_token: "{{ lookup('ansible.builtin.env', 'CI_JOB_TOKEN') }}"
    project: "{{ lookup('ansible.builtin.env', 'CI_PROJECT_ID') }}"
    pipeline_id: "{{ lookup('ansible.builtin.env', 'CI_PIPELINE_ID') }}"

- name: Read a big tree from a server of our own, gently
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

- name: Wait for two projects of the same server
  module_defaults:
    group/jobgate.gitlab.gitlab:
      api_url: https://localhost:8443/gitlab
      api_token: "{{ gitlab_token }}"
      validate_certs: false
  block:
    - name: Wait for what the application has started
      jobgate.gitlab.gitlab_pipeline_bridges:
        project: group/app
        ref: main
        wait: true

    - name: Wait for what its documentation has started
      jobgate.gitlab.gitlab_pipeline_bridges:
        project: group/docs
        ref: main
        # it starts a pipeline of its own only for releases
        allow_empty: true
        wait: true
"""

RETURN = r"""
bridges:
  description:
    - The trigger jobs that were chosen, newest first, in GitLab's own words, with what was found behind them. Fields
      not listed here are passed on as the server sends them.
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
      description: Number of this attempt of the trigger job. A retry gets a new one.
      type: int
      returned: always
      sample: 51
    name:
      description: Name of the trigger job.
      type: str
      returned: always
      sample: trigger:infra
    stage:
      description: Its stage.
      type: str
      returned: always
      sample: deploy
    status:
      description: Its own status, which can be V(success) long before the downstream pipeline has ended.
      type: str
      returned: always
      sample: success
    failure_reason:
      description: Why it failed, such as V(downstream_pipeline_creation_failed).
      type: str
      returned: when RV(bridges[].status) is V(failed)
      sample: downstream_pipeline_creation_failed
    allow_failure:
      description: Whether the pipeline can succeed without it.
      type: bool
      returned: always
      sample: false
    web_url:
      description: Its page.
      type: str
      returned: always
      sample: https://gitlab.example.com/group/app/-/jobs/51
    downstream_pipeline:
      description: The pipeline it has started, V(null) before that, and when it could not start one.
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
        - V(1) for the trigger jobs of the pipeline asked for, V(2) for those of the pipelines below, and so on.
      type: int
      returned: always
      sample: 1
    accessible:
      description: Whether the token can read the downstream pipeline, V(null) if there is none.
      type: bool
      returned: always
      sample: true
    bridges:
      description: The trigger jobs of the downstream pipeline, with the same fields again. Empty beyond O(depth).
      type: list
      elements: dict
      returned: always
      sample: []
    jobs:
      description: The jobs of the downstream pipeline, with the fields that M(jobgate.gitlab.gitlab_job_info) returns.
      type: list
      elements: dict
      returned: when O(include_jobs=true) and there is a downstream pipeline that the token can read
      sample:
        - id: 61
          name: apply
          status: running
    annotations:
      description: What extensions have to say about the trigger job.
      type: dict
      returned: when an extension has added something
      sample:
        cost_centre: "4711"
downstream_pipelines:
  description: All downstream pipelines of RV(bridges), on all levels, in one flat list.
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
      description: Id of the pipeline.
      type: int
      returned: always
      sample: 7
    project_id:
      description: Id of its project, which can be another one.
      type: int
      returned: always, except by very old servers
      sample: 2
    ref:
      description: Branch or tag.
      type: str
      returned: always
      sample: main
    sha:
      description: The commit it runs on.
      type: str
      returned: always
      sample: 7d1a3f0f6f1a4c1f5bb0a3f7d94a5c6a1de28e11
    status:
      description: Its status.
      type: str
      returned: always
      sample: running
    web_url:
      description: Its page.
      type: str
      returned: always, except by very old servers
      sample: https://gitlab.example.com/group/infra/-/pipelines/7
    path:
      description: Names of the trigger jobs that lead to it, separated by slashes.
      type: str
      returned: always
      sample: trigger:infra
    depth:
      description: How many trigger jobs lead to it.
      type: int
      returned: always
      sample: 1
    accessible:
      description: Whether the token can read it.
      type: bool
      returned: always
      sample: true
    annotations:
      description: What extensions have to say about the pipeline.
      type: dict
      returned: when an extension has added something
      sample:
        cost_centre: "4711"
pipeline:
  description:
    - The pipeline that was asked for, V(null) when it was not found.
    - With O(wait=true), as it is after waiting, unless it cannot be read again.
  type: dict
  returned: always
  sample:
    id: 6
    project_id: 1
    ref: v1.2.0
    status: running
    web_url: https://gitlab.example.com/group/app/-/pipelines/6
summary:
  description: How many trigger jobs, on all levels of RV(bridges), have each status.
  type: dict
  returned: always
  sample:
    manual: 1
    success: 3
graph:
  description:
    - The tree with its statuses, as a Mermaid flowchart. GitLab shows it in a Markdown block marked C(mermaid).
  type: str
  returned: always
  sample: |
    flowchart LR
        p6["pipeline 6 · v1.2.0 · running"]
        p6 -->|"trigger:infra (success)"| p7["pipeline 7 · main · running"]
elapsed:
  description: Seconds that the task took.
  type: float
  returned: always
  sample: 73.214
requests:
  description: The requests that the task made.
  type: dict
  returned: always
  sample: {count: 17, throttled: 0, paced_seconds: 0.0}
  contains:
    count:
      description: How many there were.
      type: int
      returned: always
      sample: 17
    throttled:
      description: How many of them GitLab refused because there were too many (429).
      type: int
      returned: always
      sample: 0
    paced_seconds:
      description: For how many seconds requests were held back to keep within the rate limit.
      type: float
      returned: always
      sample: 0.0
timed_out:
  description: Whether the time was over before the pipelines had reached O(wait_for).
  type: bool
  returned: always
  sample: false
timeline:
  description:
    - What happened to the trigger jobs and the downstream pipelines while the task waited, in order. The first entry of
      each is how it was found.
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
      description: When it was seen, in UTC.
      type: str
      returned: always
      sample: "2026-03-02T09:16:12.480Z"
    seconds:
      description: Seconds since the task began.
      type: float
      returned: always
      sample: 69.67
    id:
      description: Id of the trigger job or pipeline.
      type: int
      returned: always
      sample: 7
    name:
      description: Names of the trigger jobs that lead to it, separated by slashes; for a pipeline with its id.
      type: str
      returned: always
      sample: trigger:infra -> pipeline 7
    from:
      description: Its status before, V(null) at the first poll.
      type: str
      returned: always
      sample: pending
    to:
      description: Its new status.
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
