#!/usr/bin/python

# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation and entry point of the module."""

from __future__ import annotations

DOCUMENTATION = r"""
module: gitlab_pipeline_info
version_added: 0.1.0
short_description: Read a GitLab CI pipeline with its failed jobs and wait for its end
description:
  - Reads a pipeline, the number of its jobs by status, and its failed jobs with the end of their logs.
  - With O(wait=true), the task ends when the pipeline does, and fails unless the pipeline has succeeded.
  - The module changes nothing. Use M(jobgate.gitlab.gitlab_pipeline) to start, retry or cancel a pipeline.
author:
  - Jobgate Developers (@jobgate)
requirements:
  - python >= 3.9
  - requests
  - pluggy
extends_documentation_fragment:
  - jobgate.gitlab._connection
  - jobgate.gitlab._job_selection.pipeline
  - jobgate.gitlab._waiting.pipelines
  - jobgate.gitlab._waiting
  - jobgate.gitlab._attributes
  - jobgate.gitlab._attributes.info_module
  - jobgate.gitlab._attributes.actiongroup_gitlab
options:
  include:
    description:
      - What to read in addition.
      - V(variables) returns the variables that the pipeline was started with, as RV(variables). They may contain
        secrets. Reading them requires the Maintainer role, unless the user of the token has started the pipeline.
      - V(test_report) returns every test of every job with a JUnit report, as RV(test_report).
      - V(downstream) returns the pipelines below the pipeline, as RV(downstream_pipelines).
      - V(jobs) returns the jobs, as RV(jobs).
    type: list
    elements: str
    choices:
      - variables
      - test_report
      - downstream
      - jobs
    default: []
  on_timeout:
    description:
      - What to do when O(wait_timeout) expires.
      - V(fail) fails the task.
      - V(continue) lets the task succeed with RV(timed_out=true), so that the playbook can decide what to do.
      - There is no V(cancel), because the module only reads.
    type: str
    choices:
      - fail
      - continue
    default: fail
  fail_on:
    description:
      - Final statuses of the pipeline that fail the task, usually V(failed), V(canceled) and V(skipped).
      - It also applies without O(wait=true), to a pipeline that has already ended. With O(wait=true), an end that does
        not satisfy O(wait_for) fails the task as well.
      - Empty by default, because reading a failed pipeline is not a failure. A status that is not final is an error.
    type: list
    elements: str
    default: []
  log_lines:
    description:
      - How many lines from the end of the log of each failed job to return in RV(failed_jobs[].log_tail), for at most
        twenty jobs. Color codes and section marks are removed. V(0) reads no logs.
      - Secrets that GitLab has not masked in the log are not masked here either.
    type: int
    default: 20
notes:
  - One of O(pipeline_id), O(ref), O(sha) and O(merge_request) is required.
  - By default, O(wait=true) waits for V(success), as M(jobgate.gitlab.gitlab_pipeline) does.
seealso:
  - module: jobgate.gitlab.gitlab_pipeline
  - module: jobgate.gitlab.gitlab_pipeline_bridges
  - module: jobgate.gitlab.gitlab_job_info
  - name: Pipelines API
    description: GitLab's documentation of pipelines and their fields.
    link: https://docs.gitlab.com/api/pipelines/
"""

EXAMPLES = r"""
- name: Read the newest pipeline of main
  jobgate.gitlab.gitlab_pipeline_info:
    project: group/app
    ref: main
  register: newest

- name: Show its status and the number of its jobs by status
  ansible.builtin.debug:
    msg: "{{ newest.pipeline.status }} {{ newest.summary }}"

- name: Wait until the pipeline of this commit has succeeded
  jobgate.gitlab.gitlab_pipeline_info:
    api_token: "{{ lookup('ansible.builtin.env', 'GITLAB_TOKEN') }}"
    project: group/app
    ref: main
    ref_type: branch
    sha: "{{ release_commit }}"
    pipeline_source: push
    wait: true
    wait_for: success
    wait_timeout: 5400
    wait_interval: 20
    pending_timeout: 600
    log_lines: 50

- name: Read everything about a pipeline
  jobgate.gitlab.gitlab_pipeline_info:
    project: group/app
    pipeline_id: 6
    include: [variables, test_report, downstream, jobs]
  register: everything

- name: Show the failed tests
  ansible.builtin.debug:
    msg: "{{ cases | selectattr('status', 'eq', 'failed') | map(attribute='name') }}"
  vars:
    cases: "{{ everything.test_report.test_suites | map(attribute='test_cases') | flatten }}"

- name: Fail if the newest pipeline of a merge request has failed
  jobgate.gitlab.gitlab_pipeline_info:
    project: group/app
    merge_request: 17
    fail_on:
      - failed

- name: Wait ten minutes for a pipeline, and continue in any case
  jobgate.gitlab.gitlab_pipeline_info:
    project: group/app
    ref: main
    wait: true
    wait_for: [success, manual]
    wait_timeout: 600
    on_timeout: continue

- name: Read from a self-managed server
  module_defaults:
    group/jobgate.gitlab.gitlab:
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
  block:
    - name: Read it
      jobgate.gitlab.gitlab_pipeline_info:
        project: group/app
        ref: main

- name: Read from a test server
  jobgate.gitlab.gitlab_pipeline_info:
    api_url: https://localhost:8443/gitlab
    api_token: "{{ gitlab_token }}"
    validate_certs: false
    project: group/app
    ref: main

- name: Read the pipeline of the current CI job
  jobgate.gitlab.gitlab_pipeline_info:
    api_job_token: "{{ lookup('ansible.builtin.env', 'CI_JOB_TOKEN') }}"
    project: "{{ lookup('ansible.builtin.env', 'CI_PROJECT_ID') }}"
    pipeline_id: "{{ lookup('ansible.builtin.env', 'CI_PIPELINE_ID') }}"
    log_lines: 0
"""

RETURN = r"""
pipeline:
  description:
    - The pipeline, as GitLab returns it. V(null) if it did not exist before O(wait_timeout) expired.
  type: dict
  returned: always
  sample:
    id: 101
    iid: 12
    project_id: 7
    ref: main
    sha: 5ca1ab1e5ca1ab1e5ca1ab1e5ca1ab1e5ca1ab1e
    source: api
    status: success
    web_url: https://gitlab.example.com/group/app/-/pipelines/101
failed_jobs:
  description:
    - The failed jobs. Those that are allowed to fail come last.
    - With O(wait=true), the list also contains the failed jobs of downstream pipelines and all failed trigger jobs.
      Without it, the list contains failed trigger jobs only if no job explains why the pipeline has failed.
  type: list
  elements: dict
  returned: always
  sample:
    - name: test
      id: 42
      stage: test
      status: failed
      failure_reason: script_failure
      allow_failure: false
      web_url: https://gitlab.example.com/group/app/-/jobs/42
      log_tail: ["make: *** [test] Error 1", "ERROR: Job failed: exit code 1"]
  contains:
    name:
      description:
        - Name of the job. In a downstream pipeline, the names of the trigger jobs that lead to it precede the name.
      type: str
      returned: always
      sample: trigger:infra/apply
    id:
      description: ID of the job.
      type: int
      returned: always
      sample: 42
    stage:
      description: Stage of the job.
      type: str
      returned: always
      sample: test
    status:
      description: Status of the job, which is V(failed).
      type: str
      returned: always
      sample: failed
    failure_reason:
      description: Why the job failed, such as V(script_failure). V(null) before GitLab 14.
      type: str
      returned: always
      sample: script_failure
    allow_failure:
      description: Whether the pipeline can succeed without the job. V(null) on very old servers.
      type: bool
      returned: always
      sample: false
    web_url:
      description: URL of its page.
      type: str
      returned: always
      sample: https://gitlab.example.com/group/app/-/jobs/42
    log_tail:
      description: Last lines of the log. Empty for a trigger job. V(null) if the log was not read, or cannot be read.
      type: list
      elements: str
      returned: always
      sample: ["make: *** [test] Error 1", "ERROR: Job failed: exit code 1"]
summary:
  description: Number of jobs of the pipeline by status. Only the newest attempt of each job counts.
  type: dict
  returned: always
  sample:
    success: 11
    failed: 1
variables:
  description:
    - The variables that the pipeline was started with. V(null) without O(include=variables), and, with a warning, if
      the token is not permitted to read them.
  type: list
  elements: dict
  returned: always
  sample:
    - variable_type: env_var
      key: DEPLOY_TO
      value: staging
      raw: false
test_report:
  description:
    - The test report of the pipeline, as GitLab returns it. V(null) without O(include=test_report), and, with a
      warning, if it cannot be read.
  type: dict
  returned: always
  sample:
    total_time: 5.2
    total_count: 2
    success_count: 1
    failed_count: 1
    skipped_count: 0
    error_count: 0
    test_suites: []
downstream_pipelines:
  description:
    - The pipelines that trigger jobs of the pipeline have started, at any depth. V(null) without O(include=downstream).
  type: list
  elements: dict
  returned: always
  sample:
    - id: 102
      ref: main
      status: success
      path: trigger:infra
      depth: 1
      accessible: true
  contains:
    id:
      description: ID of the pipeline.
      type: int
      returned: always
      sample: 102
    ref:
      description: Branch or tag of the pipeline.
      type: str
      returned: always
      sample: main
    status:
      description: Status of the pipeline.
      type: str
      returned: always
      sample: success
    web_url:
      description: URL of its page.
      type: str
      returned: always
      sample: https://gitlab.example.com/group/infra/-/pipelines/102
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
jobs:
  description:
    - The newest attempt of each job of the pipeline, newest first, as GitLab returns them. V(null) without
      O(include=jobs).
  type: list
  elements: dict
  returned: always
  sample:
    - id: 42
      name: test
      stage: test
      status: failed
elapsed:
  description: Duration of the task in seconds.
  type: float
  returned: always
  sample: 318.2
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
  description: Whether the task timed out before the pipeline reached O(wait_for).
  type: bool
  returned: always
  sample: false
timeline:
  description:
    - Status changes of the pipeline and its jobs during the wait, in order. The first entry of each is its initial
      status.
  type: list
  elements: dict
  returned: always
  sample:
    - at: "2026-03-02T09:16:12.480Z"
      seconds: 69.67
      id: 42
      name: test
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
      description: ID of the job or pipeline.
      type: int
      returned: always
      sample: 42
    name:
      description: Name of the job, or C(pipeline) and its ID.
      type: str
      returned: always
      sample: test
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
from ansible_collections.jobgate.gitlab.plugins.module_utils._tasks.gitlab_pipeline_info import TASK


def main() -> None:
    run_module(TASK)


if __name__ == "__main__":
    main()
