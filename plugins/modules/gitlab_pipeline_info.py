#!/usr/bin/python

# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The documentation of the module, and its way to the task."""

from __future__ import annotations

DOCUMENTATION = r"""
module: gitlab_pipeline_info
version_added: 0.1.0
short_description: Read a GitLab CI pipeline with its failed jobs, and wait for its end
description:
  - Reads a pipeline, how many of its jobs have which status, and which of them have failed, with the end of their logs.
  - With O(wait=true) the task ends when the pipeline has, and fails unless it has succeeded.
  - It changes nothing. Use M(jobgate.gitlab.gitlab_pipeline) to start, retry or cancel a pipeline.
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
      - What else to read.
      - V(variables) are the variables that the pipeline was started with, in RV(variables). They may hold secrets. It
        needs the Maintainer role, unless the user of the token has started the pipeline.
      - V(test_report) is every test of every job that has a JUnit report, in RV(test_report).
      - V(downstream) are the pipelines below it, in RV(downstream_pipelines).
      - V(jobs) are the jobs, in RV(jobs).
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
      - What to do when O(wait_timeout) has passed.
      - V(fail) fails the task.
      - V(continue) lets the task succeed with RV(timed_out) set to V(true), for playbooks that decide by themselves.
      - There is no V(cancel) here, since the module only reads.
    type: str
    choices:
      - fail
      - continue
    default: fail
  fail_on:
    description:
      - End states of the pipeline that fail the task, usually V(failed), V(canceled) and V(skipped).
      - It also holds without O(wait=true), for a pipeline that has ended already. With O(wait=true), an end that is not
        what O(wait_for) asks for fails the task as well.
      - It is empty by default, since reading about a failed pipeline is not a failure. A status that is no end is an
        error.
    type: list
    elements: str
    default: []
  log_lines:
    description:
      - How many lines from the end of the log of each failed job to return in RV(failed_jobs[].log_tail), for at most
        twenty jobs. Colour codes and section marks are removed. V(0) reads no log.
      - Secrets that GitLab has not masked in the log are not masked here either.
    type: int
    default: 20
notes:
  - One of O(pipeline_id), O(ref), O(sha) and O(merge_request) is required.
  - When O(wait_for) is not set, O(wait=true) waits for V(success), as M(jobgate.gitlab.gitlab_pipeline) does.
seealso:
  - module: jobgate.gitlab.gitlab_pipeline
  - module: jobgate.gitlab.gitlab_pipeline_bridges
  - module: jobgate.gitlab.gitlab_job_info
  - name: Pipelines API
    description: What GitLab says about pipelines and their fields.
    link: https://docs.gitlab.com/api/pipelines/
"""

EXAMPLES = r"""
- name: See how the newest pipeline of main is doing
  jobgate.gitlab.gitlab_pipeline_info:
    project: group/app
    ref: main
  register: newest

- name: Show it
  ansible.builtin.debug:
    msg: "{{ newest.pipeline.status }} {{ newest.summary }}"

- name: Wait until the pipeline of this very commit has succeeded
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

- name: Show the tests that have failed
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

- name: Give a pipeline ten minutes, and go on without it
  jobgate.gitlab.gitlab_pipeline_info:
    project: group/app
    ref: main
    wait: true
    wait_for: [success, manual]
    wait_timeout: 600
    on_timeout: continue

- name: Read from a server of our own
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

- name: Read the pipeline of the CI job that asks
  jobgate.gitlab.gitlab_pipeline_info:
    api_job_token: "{{ lookup('ansible.builtin.env', 'CI_JOB_TOKEN') }}"
    project: "{{ lookup('ansible.builtin.env', 'CI_PROJECT_ID') }}"
    pipeline_id: "{{ lookup('ansible.builtin.env', 'CI_PIPELINE_ID') }}"
    log_lines: 0
"""

RETURN = r"""
pipeline:
  description:
    - The pipeline, in GitLab's own words. V(null) when there was none before O(wait_timeout) had passed.
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
    - The jobs that have failed. Those that are allowed to fail come after the others.
    - With O(wait=true), the jobs of downstream pipelines that have failed and all trigger jobs are among them as well.
      Without it, trigger jobs are among them only where no job tells why the pipeline has failed.
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
        - Name of the job. In a downstream pipeline, the names of the trigger jobs that lead to it come before it.
      type: str
      returned: always
      sample: trigger:infra/apply
    id:
      description: Id of the job.
      type: int
      returned: always
      sample: 42
    stage:
      description: Its stage.
      type: str
      returned: always
      sample: test
    status:
      description: Its status, which is V(failed).
      type: str
      returned: always
      sample: failed
    failure_reason:
      description: Why it failed, in GitLab's words. V(null) before GitLab 14.
      type: str
      returned: always
      sample: script_failure
    allow_failure:
      description: Whether the pipeline can succeed without it. V(null) on very old servers.
      type: bool
      returned: always
      sample: false
    web_url:
      description: Its page.
      type: str
      returned: always
      sample: https://gitlab.example.com/group/app/-/jobs/42
    log_tail:
      description: The end of its log. Empty for a trigger job, V(null) when it was not read, or cannot be.
      type: list
      elements: str
      returned: always
      sample: ["make: *** [test] Error 1", "ERROR: Job failed: exit code 1"]
summary:
  description: How many jobs of the pipeline have each status; of each job the newest attempt counts.
  type: dict
  returned: always
  sample:
    success: 11
    failed: 1
variables:
  description:
    - The variables that the pipeline was started with. V(null) without O(include=variables), and where the token may
      not read them, which a warning says.
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
    - The test report of the pipeline, in GitLab's own words. V(null) without O(include=test_report), and where it
      cannot be read, which a warning says.
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
    - The pipelines that trigger jobs of the pipeline have started, at any depth. V(null) without
      O(include=downstream).
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
      description: Id of the pipeline.
      type: int
      returned: always
      sample: 102
    ref:
      description: Its branch or tag.
      type: str
      returned: always
      sample: main
    status:
      description: Its status.
      type: str
      returned: always
      sample: success
    web_url:
      description: Its page.
      type: str
      returned: always
      sample: https://gitlab.example.com/group/infra/-/pipelines/102
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
jobs:
  description:
    - The newest attempt of each job of the pipeline, newest first, in GitLab's own words. V(null) without
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
  description: Seconds that the task took.
  type: float
  returned: always
  sample: 318.2
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
  description: Whether O(wait_timeout) had passed before O(wait_for) was reached.
  type: bool
  returned: always
  sample: false
timeline:
  description:
    - What happened to the pipeline and its jobs while the task waited, in order. The first entry of each is how it was
      found.
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
      description: Id of the job or pipeline.
      type: int
      returned: always
      sample: 42
    name:
      description: Name of the job; for the pipeline with its id.
      type: str
      returned: always
      sample: test
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
from ansible_collections.jobgate.gitlab.plugins.module_utils._tasks.gitlab_pipeline_info import TASK


def main() -> None:
    run_module(TASK)


if __name__ == "__main__":
    main()
