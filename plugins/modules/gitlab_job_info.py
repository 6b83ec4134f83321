#!/usr/bin/python

# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The documentation of the module, and its way to the task."""

from __future__ import annotations

DOCUMENTATION = r"""
module: gitlab_job_info
version_added: 0.1.0
short_description: Read GitLab CI jobs, and wait for them
description:
  - Reads the jobs of a project, a pipeline or a whole tree of pipelines, or one job, with the end of its log if wanted.
  - With O(wait=true) it is a gate. The play goes on when the jobs have reached O(wait_for), and stops when they can no
    longer reach it.
  - It starts no job. Use M(jobgate.gitlab.gitlab_job_action) to play, retry, cancel or erase one, and
    M(jobgate.gitlab.gitlab_pipeline_bridges) to see trigger jobs and the pipelines behind them.
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
  - jobgate.gitlab._waiting
  - jobgate.gitlab._waiting.jobs
  - jobgate.gitlab._attributes
  - jobgate.gitlab._attributes.info_module
  - jobgate.gitlab._attributes.actiongroup_gitlab
options:
  include_retried:
    description:
      - Return superseded attempts of retried jobs as well, to see how often a job was tried and how it failed.
      - Of a project without a pipeline, and with O(scope), GitLab does not tell which attempts were superseded. The
        newest attempt with one of these statuses is returned then, even if a later one has another status.
      - Not together with O(wait=true), which is for the newest attempt.
      - GitLab 13.5 to 13.8 leaves superseded attempts out all the same.
    type: bool
    default: false
  limit:
    description:
      - Return at most this many jobs, the newest ones. RV(truncated) tells whether there were more.
      - V(0) returns all of them. In a project that has been in use for years that can be a million.
      - Of a pipeline every job that is selected is waited for, and can fail the task, whether it is returned or not.
    type: int
    default: 1000
  fields:
    description:
      - Keep only these fields of each job. A dot reaches inside, as in V(pipeline.id) or V(user.username), and the
        result is nested in the same way.
      - Fields are dropped while reading. With thousands of jobs, handing whole records to Ansible takes longer than
        fetching them.
      - It does not change which jobs are chosen, nor RV(summary). A field that GitLab did not send is left out, with a
        warning if its name seems to be misspelt.
      - Without it, and with an empty list, jobs are returned whole.
    type: list
    elements: str
    default: []
  wait_for:
    description:
      - What each of the jobs has to reach. With several entries, any one of them is enough.
      - V(playable) is a job that is V(manual) or V(scheduled), or already past that.
      - V(started) is a job that is V(running), or already past that.
      - V(finished) is a job that is V(success), V(failed), V(canceled) or V(skipped).
      - V(success) is a job that has succeeded. Any other status known to O(scope) can be named as well, and means
        exactly that status.
      - When a job has ended and can no longer reach what is asked for, the task fails at once and says so.
      - Can only be used with O(wait=true). When it is not set, the end is waited for, as with V(finished). An empty
        list is an error.
    type: list
    elements: str
  fail_on:
    description:
      - End states of a job that fail the task, usually V(failed), V(canceled) and V(skipped). With O(wait=true), the
        first job that ends in one of them ends the waiting, even if others are still running.
      - It also holds without O(wait=true), for the jobs that have ended already.
      - It is empty by default, since reading about a failed job is not a failure. In
        M(jobgate.gitlab.gitlab_job_action) it is not empty.
      - A status that is no end is an error.
    type: list
    elements: str
    default: []
  log_lines:
    description:
      - How many lines from the end of each job's log to return as RV(jobs[].log_tail). Colour codes and section marks
        are removed. V(0) reads no log.
      - Each log costs a request of its own, so choose few jobs.
      - Secrets that GitLab has not masked in the log are not masked here either.
    type: int
    default: 0
notes:
  - Without O(job_id), O(pipeline_id), O(ref), O(sha) and O(merge_request) the jobs of the whole project are listed,
    newest first. O(include_downstream=true) and O(wait=true) need a pipeline, or for the latter O(job_id).
  - The module only reads. When the time is over it leaves the jobs as they are; to have a job canceled then, wait for
    it with M(jobgate.gitlab.gitlab_job_action).
seealso:
  - module: jobgate.gitlab.gitlab_job_action
  - module: jobgate.gitlab.gitlab_pipeline_bridges
  - plugin: jobgate.gitlab.gitlab_job
    plugin_type: lookup
  - name: Jobs API
    description: What GitLab says about jobs and their fields.
    link: https://docs.gitlab.com/api/jobs/
"""

EXAMPLES = r"""
- name: List the jobs of the newest pipeline of main
  jobgate.gitlab.gitlab_job_info:
    project: group/app
    ref: main
  register: newest

- name: Show how far they are
  ansible.builtin.debug:
    msg: "{{ item.name }}: {{ item.status }}"
  loop: "{{ newest.jobs }}"
  loop_control:
    label: "{{ item.id }}"

- name: Show why a job failed
  jobgate.gitlab.gitlab_job_info:
    project: group/app
    job_id: 42
    log_lines: 50
  register: culprit

- name: Show the end of its log
  ansible.builtin.debug:
    var: culprit.job.log_tail

- name: Gate the deployment on the tests of this very commit
  jobgate.gitlab.gitlab_job_info:
    project: group/app
    sha: "{{ release_commit }}"
    stage: test
    wait: true
    wait_for: success
    wait_timeout: 1800
    wait_interval: 15

- name: Wait for the jobs of a tag and stop at the first red one
  jobgate.gitlab.gitlab_job_info:
    api_token: "{{ lookup('ansible.builtin.env', 'GITLAB_TOKEN') }}"
    project: group/app
    ref: v1.2.0
    name:
      - build
      - "test: [py311, linux]"
      - "test: [py312, *]"
    wait: true
    fail_on:
      - failed
      - canceled
      - skipped
    pending_timeout: 300

- name: Wait for the tests of the last push to a branch, and not for those of its nightly pipeline
  jobgate.gitlab.gitlab_job_info:
    api_token: "{{ lookup('ansible.builtin.env', 'GITLAB_TOKEN') }}"
    project: group/app
    ref: main
    ref_type: branch
    pipeline_source: push
    name: "test:*"
    wait: true
    wait_for: success
    allow_empty: false

- name: See which deployments wait for somebody
  jobgate.gitlab.gitlab_job_info:
    project: group/app
    ref: main
    scope:
      - manual
      - scheduled
    fields:
      - id
      - name
      - web_url
      - pipeline.id
  register: waiting

- name: Show them
  ansible.builtin.debug:
    msg: "{{ waiting.jobs | map(attribute='name') | join(', ') }}"

- name: Wait until the production deployment can be played
  jobgate.gitlab.gitlab_job_info:
    project: group/app
    pipeline_id: 6
    name: deploy:prod
    wait: true
    wait_for: playable

- name: Watch the integration tests while they run
  jobgate.gitlab.gitlab_job_info:
    project: group/app
    ref: main
    name: integration
    wait: true
    log_follow: true

- name: Check the infrastructure that a child pipeline applies
  jobgate.gitlab.gitlab_job_info:
    project: group/app
    ref: main
    name: trigger:infra/apply
    include_downstream: true
    wait: true
    wait_for: success

- name: Wait for a merge request, where jobs may fail that are allowed to
  jobgate.gitlab.gitlab_job_info:
    project: group/app
    merge_request: 17
    wait: true
    fail_on: failed
    ignore_allowed_failures: true

- name: Wait ten minutes for the nightly run, then let the playbook decide
  jobgate.gitlab.gitlab_job_info:
    project: group/app
    ref: nightly
    name: soak-test
    wait: true
    wait_timeout: 600
    on_timeout: continue
  register: nightly

- name: Go on without it
  ansible.builtin.debug:
    msg: The soak test is still {{ nightly.job.status }}, the release goes on without it.
  when: nightly.timed_out

- name: Count the attempts of flaky jobs
  jobgate.gitlab.gitlab_job_info:
    project: group/app
    pipeline_id: 6
    name: "test:*"
    include_retried: true
    limit: 0

- name: List the last failures of a project
  jobgate.gitlab.gitlab_job_info:
    project: group/app
    scope: failed
    limit: 20
    fields: [id, name, failure_reason, finished_at, user.username]

- name: Read the jobs of this pipeline from inside a CI job
  jobgate.gitlab.gitlab_job_info:
    api_job_token: "{{ lookup('ansible.builtin.env', 'CI_JOB_TOKEN') }}"
    project: "{{ lookup('ansible.builtin.env', 'CI_PROJECT_ID') }}"
    pipeline_id: "{{ lookup('ansible.builtin.env', 'CI_PIPELINE_ID') }}"

- name: Read from a server with a certificate of the company's own authority, as an OAuth application
  jobgate.gitlab.gitlab_job_info:
    api_url: https://gitlab.example.com
    api_oauth_token: "{{ gitlab_oauth_token }}"
    ca_path: /etc/ssl/certs/example-ca.pem
    client_cert: /etc/ssl/private/ci.pem
    client_key: /etc/ssl/private/ci.key
    http_headers:
      X-Gateway-Pass: "{{ gateway_pass }}"
    api_timeout: 10
    api_retries: 2
    api_concurrency: 4
    api_requests_per_minute: 300
    project: group/app
    ref: main
    extensions:
      - cost_centre

- name: Look at a test server whose certificate nobody can verify
  jobgate.gitlab.gitlab_job_info:
    api_url: https://localhost:8443/gitlab
    validate_certs: false
    project: 1

- name: Read from two projects of the same server
  module_defaults:
    group/jobgate.gitlab.gitlab:
      api_url: https://gitlab.example.com
      api_token: "{{ gitlab_token }}"
  block:
    - name: Wait for the application
      jobgate.gitlab.gitlab_job_info:
        project: group/app
        ref: main
        wait: true

    - name: Wait for its documentation
      jobgate.gitlab.gitlab_job_info:
        project: group/docs
        ref: main
        wait: true
"""

RETURN = r"""
jobs:
  description:
    - The jobs that were chosen, newest first, in GitLab's own words. Fields not listed here are passed on as the server
      sends them.
    - With O(fields), only those fields.
  type: list
  elements: dict
  returned: always
  sample:
    - id: 42
      name: deploy:prod
      stage: deploy
      status: manual
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
      description: Its status, see O(scope).
      type: str
      returned: always
      sample: manual
    ref:
      description: Branch or tag.
      type: str
      returned: always
      sample: v1.2.0
    tag:
      description: Whether RV(jobs[].ref) is a tag.
      type: bool
      returned: always
      sample: true
    allow_failure:
      description: Whether the pipeline can succeed without it. Manual jobs have this by default.
      type: bool
      returned: always, except by very old servers
      sample: true
    failure_reason:
      description: Why it failed, such as V(script_failure) or V(runner_system_failure).
      type: str
      returned: when RV(jobs[].status) is V(failed), from GitLab 14 on
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
      sample: "2026-03-02T09:18:40.000Z"
    erased_at:
      description: When its log and artifacts were erased, V(null) if they were not.
      type: str
      returned: always, from GitLab 15.9 on
      sample: null
    duration:
      description: Seconds it ran, or has run so far, V(null) before that.
      type: float
      returned: always, except by very old servers
      sample: 150.2
    queued_duration:
      description: Seconds it was in the queue, or has been so far, V(null) before that.
      type: float
      returned: always, except by very old servers
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
        username: jdoe
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
        status: manual
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
    log_tail:
      description: The last lines of its log, V(null) when the log cannot be read.
      type: list
      elements: str
      returned: when O(log_lines) is more than V(0)
      sample:
        - $ ./deploy.sh
        - "ERROR: Job failed: exit code 1"
    annotations:
      description: What extensions have to say about the job.
      type: dict
      returned: when an extension has added something
      sample:
        cost_centre: "4711"
job:
  description: The job of RV(jobs), when there is exactly one; else V(null).
  type: dict
  returned: always
  sample:
    id: 42
    name: deploy:prod
    status: manual
pipeline:
  description:
    - The pipeline that the jobs were looked for in, or that O(job_id) belongs to. V(null) for a whole project, and when
      there was none.
    - With O(wait=true), as it is after waiting, unless it cannot be read again.
  type: dict
  returned: always
  sample:
    id: 6
    project_id: 1
    ref: v1.2.0
    sha: 7d1a3f0f6f1a4c1f5bb0a3f7d94a5c6a1de28e11
    status: manual
    web_url: https://gitlab.example.com/group/app/-/pipelines/6
summary:
  description: How many of RV(jobs) have each status.
  type: dict
  returned: always
  sample:
    manual: 1
    success: 12
truncated:
  description: Whether there were more jobs than O(limit).
  type: bool
  returned: always
  sample: false
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
  description: Whether the time was over before the jobs had reached O(wait_for).
  type: bool
  returned: always
  sample: false
timeline:
  description:
    - What happened to the jobs while the task waited, in order. The first entry of a job is how it was found.
    - What a job went through between two polls is taken from the times that GitLab gives with it, as far as these lie
      between the two polls by the clock of this machine. A change without such a time has the time of the poll.
  type: list
  elements: dict
  returned: always
  sample:
    - at: "2026-03-02T09:15:03.120Z"
      seconds: 0.31
      id: 42
      name: deploy:prod
      from: null
      to: created
    - at: "2026-03-02T09:16:12.480Z"
      seconds: 69.67
      id: 42
      name: deploy:prod
      from: created
      to: manual
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
      description: Id of the job.
      type: int
      returned: always
      sample: 42
    name:
      description:
        - Name of the job. In a downstream pipeline, the names of the trigger jobs that lead to it come before it.
      type: str
      returned: always
      sample: deploy:prod
    from:
      description: Its status before, V(null) at the first poll.
      type: str
      returned: always
      sample: created
    to:
      description: Its new status.
      type: str
      returned: always
      sample: manual
"""

from ansible_collections.jobgate.gitlab.plugins.module_utils._ansible.module_face import run_module
from ansible_collections.jobgate.gitlab.plugins.module_utils._tasks.gitlab_job_info import TASK


def main() -> None:
    run_module(TASK)


if __name__ == "__main__":
    main()
