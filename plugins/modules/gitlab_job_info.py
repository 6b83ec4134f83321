#!/usr/bin/python

# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation and entry point of the module."""

from __future__ import annotations

DOCUMENTATION = r"""
module: gitlab_job_info
version_added: 0.1.0
short_description: Read GitLab CI jobs, and wait for them
description:
  - Reads one job, or the jobs of a project, a pipeline or a tree of pipelines, optionally with the end of their logs.
  - With O(wait=true) the task is a gate. The play continues when the jobs have reached O(wait_for), and fails when they
    can no longer reach it.
  - This module does not start jobs. Use M(jobgate.gitlab.gitlab_job_action) to play, retry, cancel or erase jobs, and
    M(jobgate.gitlab.gitlab_pipeline_bridges) to read trigger jobs and their downstream pipelines.
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
      - Also return superseded attempts of retried jobs, for example to see how often a job was tried and how it failed.
      - If O(scope) is set for a whole project, GitLab does not show which attempts were superseded. The task then
        returns the newest attempt with one of these statuses, even if a later attempt has another status.
      - Cannot be used with O(wait=true), which waits for the newest attempt.
      - GitLab 13.5 to 13.8 never returns superseded attempts.
    type: bool
    default: false
  limit:
    description:
      - Return at most this many jobs, newest first. RV(truncated) shows whether there are more.
      - V(0) returns all jobs. Old projects can have a million jobs.
      - In a pipeline, the task waits for every selected job, and every one can fail the task, even if it is not
        returned.
    type: int
    default: 1000
  fields:
    description:
      - Keep only these fields of each job. Use dots for nested fields, as in V(pipeline.id) or V(user.username); the
        result is nested in the same way.
      - Other fields are dropped while reading. For thousands of jobs, passing whole records to Ansible takes longer
        than reading them.
      - Does not affect which jobs are selected, or RV(summary). Fields that GitLab did not send are left out, with a
        warning if the name seems to be misspelled.
      - If omitted or empty, all fields are returned.
    type: list
    elements: str
    default: []
  wait_for:
    description:
      - State that each job must reach. With several entries, any one of them is enough.
      - V(playable) means V(manual), V(scheduled) or any later status.
      - V(started) means V(running) or any later status.
      - V(finished) means V(success), V(failed), V(canceled) or V(skipped).
      - V(success) and every other status listed in O(scope) mean exactly that status.
      - When a job ends and can no longer reach any of these states, the task fails at once.
      - Can only be used with O(wait=true). If omitted, the task waits for V(finished). An empty list is an error.
    type: list
    elements: str
  fail_on:
    description:
      - Final statuses of a job that fail the task, usually V(failed), V(canceled) and V(skipped). With O(wait=true),
        the first job with one of them ends the wait, even if other jobs are still running.
      - Without O(wait=true), it applies to the jobs that have already ended.
      - Empty by default, because reading a failed job is not a failure. In M(jobgate.gitlab.gitlab_job_action) it is
        not empty.
      - A status that is not final is an error.
    type: list
    elements: str
    default: []
  log_lines:
    description:
      - How many lines from the end of each job's log to return as RV(jobs[].log_tail). Color codes and section marks
        are removed. V(0) reads no logs.
      - Each log requires a request of its own, so select few jobs.
      - Secrets that GitLab has not masked in the log are not masked here either.
    type: int
    default: 0
notes:
  - Without O(job_id), O(pipeline_id), O(ref), O(sha) and O(merge_request), the module lists the jobs of the whole
    project, newest first. O(include_downstream=true) requires a pipeline. O(wait=true) requires a pipeline or
    O(job_id).
  - When O(wait_timeout) expires, the jobs are left as they are. To cancel them instead, wait with
    M(jobgate.gitlab.gitlab_job_action).
seealso:
  - module: jobgate.gitlab.gitlab_job_action
  - module: jobgate.gitlab.gitlab_pipeline_bridges
  - plugin: jobgate.gitlab.gitlab_job
    plugin_type: lookup
  - name: Jobs API
    description: GitLab's documentation of jobs and their fields.
    link: https://docs.gitlab.com/api/jobs/
"""

EXAMPLES = r"""
- name: List the jobs of the newest pipeline of main
  jobgate.gitlab.gitlab_job_info:
    project: group/app
    ref: main
  register: newest

- name: Show the status of each job
  ansible.builtin.debug:
    msg: "{{ item.name }}: {{ item.status }}"
  loop: "{{ newest.jobs }}"
  loop_control:
    label: "{{ item.id }}"

- name: Read a job with the end of its log
  jobgate.gitlab.gitlab_job_info:
    project: group/app
    job_id: 42
    log_lines: 50
  register: culprit

- name: Show the end of the log
  ansible.builtin.debug:
    var: culprit.job.log_tail

- name: Wait for the tests of a commit before its deployment
  jobgate.gitlab.gitlab_job_info:
    project: group/app
    sha: "{{ release_commit }}"
    stage: test
    wait: true
    wait_for: success
    wait_timeout: 1800
    wait_interval: 15

- name: Wait for jobs of a tag, and fail as soon as one of them fails
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

- name: Wait for the tests of the last push to a branch, not for those of its nightly pipeline
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

- name: Find the jobs that wait to be played
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

- name: Show the jobs that wait
  ansible.builtin.debug:
    msg: "{{ waiting.jobs | map(attribute='name') | join(', ') }}"

- name: Wait until the production deployment can be played
  jobgate.gitlab.gitlab_job_info:
    project: group/app
    pipeline_id: 6
    name: deploy:prod
    wait: true
    wait_for: playable

- name: Show the log of the integration tests while they run
  jobgate.gitlab.gitlab_job_info:
    project: group/app
    ref: main
    name: integration
    wait: true
    log_follow: true

- name: Wait until a child pipeline has applied the infrastructure
  jobgate.gitlab.gitlab_job_info:
    project: group/app
    ref: main
    name: trigger:infra/apply
    include_downstream: true
    wait: true
    wait_for: success

- name: Wait for the jobs of a merge request, and ignore allowed failures
  jobgate.gitlab.gitlab_job_info:
    project: group/app
    merge_request: 17
    wait: true
    fail_on: failed
    ignore_allowed_failures: true

- name: Wait up to ten minutes for the nightly test, then let the playbook decide
  jobgate.gitlab.gitlab_job_info:
    project: group/app
    ref: nightly
    name: soak-test
    wait: true
    wait_timeout: 600
    on_timeout: continue
  register: nightly

- name: Continue without the nightly test
  ansible.builtin.debug:
    msg: The soak test is still {{ nightly.job.status }}, the release continues without it.
  when: nightly.timed_out

- name: Count the attempts of flaky jobs
  jobgate.gitlab.gitlab_job_info:
    project: group/app
    pipeline_id: 6
    name: "test:*"
    include_retried: true
    limit: 0

- name: List the latest failed jobs of a project
  jobgate.gitlab.gitlab_job_info:
    project: group/app
    scope: failed
    limit: 20
    fields: [id, name, failure_reason, finished_at, user.username]

- name: Read the jobs of the current pipeline in a CI job
  jobgate.gitlab.gitlab_job_info:
    api_job_token: "{{ lookup('ansible.builtin.env', 'CI_JOB_TOKEN') }}"
    project: "{{ lookup('ansible.builtin.env', 'CI_PROJECT_ID') }}"
    pipeline_id: "{{ lookup('ansible.builtin.env', 'CI_PIPELINE_ID') }}"

- name: Read from a server with a private CA, using an OAuth token
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

- name: Read from a test server without verifying its certificate
  jobgate.gitlab.gitlab_job_info:
    api_url: https://localhost:8443/gitlab
    validate_certs: false
    project: 1

- name: Wait for two projects on the same server
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
    - The selected jobs, newest first. Fields that are not listed here are returned as GitLab sends them.
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
      description: Status of the job. See O(scope).
      type: str
      returned: always
      sample: manual
    ref:
      description: Branch or tag of the job.
      type: str
      returned: always
      sample: v1.2.0
    tag:
      description: Whether RV(jobs[].ref) is a tag.
      type: bool
      returned: always
      sample: true
    allow_failure:
      description: Whether the pipeline can succeed without the job. V(true) for manual jobs by default.
      type: bool
      returned: always, except on very old servers
      sample: true
    failure_reason:
      description: Why the job failed, such as V(script_failure) or V(runner_system_failure).
      type: str
      returned: when RV(jobs[].status) is V(failed), in GitLab 14 and later
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
      sample: "2026-03-02T09:18:40.000Z"
    erased_at:
      description: When the log and the artifacts of the job were erased. V(null) if they were not.
      type: str
      returned: always, in GitLab 15.9 and later
      sample: null
    duration:
      description: Seconds for which the job ran, or has run so far. V(null) until it starts.
      type: float
      returned: always, except on very old servers
      sample: 150.2
    queued_duration:
      description: Seconds for which the job was queued, or has been queued so far. V(null) until it is queued.
      type: float
      returned: always, except on very old servers
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
        username: jdoe
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
        status: manual
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
    log_tail:
      description: Last lines of the log. V(null) if the log cannot be read.
      type: list
      elements: str
      returned: when O(log_lines) is not V(0)
      sample:
        - $ ./deploy.sh
        - "ERROR: Job failed: exit code 1"
    annotations:
      description: Annotations that extensions added to the job.
      type: dict
      returned: when an extension has added annotations
      sample:
        cost_centre: "4711"
job:
  description: The job, if RV(jobs) contains exactly one. V(null) otherwise.
  type: dict
  returned: always
  sample:
    id: 42
    name: deploy:prod
    status: manual
pipeline:
  description:
    - Pipeline in which the jobs were selected, or to which O(job_id) belongs. V(null) for a whole project, and if there
      is no pipeline.
    - With O(wait=true), its state after the wait, unless it cannot be read again.
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
  description: Number of RV(jobs) by status.
  type: dict
  returned: always
  sample:
    manual: 1
    success: 12
truncated:
  description: Whether there are more jobs than O(limit).
  type: bool
  returned: always
  sample: false
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
  description: Whether the task timed out before the jobs reached O(wait_for).
  type: bool
  returned: always
  sample: false
timeline:
  description:
    - Status changes of the jobs during the wait, in order. The first entry of a job is its initial status.
    - Changes between two polls are derived from the times in GitLab's job records, if the clock of this machine puts
      them between the two polls. Other changes have the time of the poll.
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
      description: ID of the job.
      type: int
      returned: always
      sample: 42
    name:
      description:
        - Name of the job. In a downstream pipeline, the names of the trigger jobs that lead to it precede the name.
      type: str
      returned: always
      sample: deploy:prod
    from:
      description: Previous status. V(null) in the first entry of a job.
      type: str
      returned: always
      sample: created
    to:
      description: New status.
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
