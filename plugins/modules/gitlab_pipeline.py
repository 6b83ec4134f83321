#!/usr/bin/python

# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation and entry point of the module."""

from __future__ import annotations

DOCUMENTATION = r"""
module: gitlab_pipeline
version_added: 0.1.0
short_description: Start, retry or cancel a GitLab CI pipeline and wait for it
description:
  - Starts a pipeline of a branch or tag, retries a failed pipeline, or cancels one.
  - The module does not start a second pipeline while one for the same commit is active, see O(reuse). Retrying a
    successful pipeline and canceling one that has ended change nothing.
  - With O(wait=true), the task ends when the pipeline does. If the pipeline fails, the task fails and shows the failed
    jobs with the end of their logs.
  - Use M(jobgate.gitlab.gitlab_job_action) to play, retry or cancel single jobs.
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
  - jobgate.gitlab._attributes.actiongroup_gitlab
attributes:
  check_mode:
    support: full
    details:
      - Everything is read and decided as in a real run, but nothing is sent. RV(ignore:changed) is the value that a
        real run would return, and RV(msg) describes what would be done.
      - Whether GitLab permits the action, and whether the CI/CD configuration of the ref creates a pipeline, is known
        only when it is requested.
      - Check mode does not wait. If O(action=retry) with O(wait=true) would wait for the end of a V(canceling)
        pipeline, the prediction is V(true).
  diff_mode:
    support: full
    details:
      - Shows the ID and status of the pipeline before and after. In check mode, the status after is the expected one.
  idempotent:
    support: partial
    details:
      - While a pipeline is active, a second run finds it and does not start another, unless O(reuse=never).
      - When it has ended, O(action=run) starts a new one, unless O(reuse=success) and it has succeeded.
      - O(action=retry) acts again on a pipeline that has failed again.
options:
  action:
    description:
      - What to do.
      - V(run) starts a pipeline of O(ref).
      - V(retry) starts a new attempt of each failed or canceled job of the pipeline, followed by the jobs after them.
      - V(cancel) cancels the jobs of the pipeline and of its child pipelines in the same project. Manual jobs stay as
        they are.
    type: str
    required: true
    choices:
      - run
      - retry
      - cancel
  ref:
    description:
      - Branch or tag. O(action=run) requires it and starts a pipeline of it. The other actions use its newest pipeline,
        whatever its status. Skipped pipelines without jobs, such as those caused by C([skip ci]), are ignored with a
        warning.
      - V(refs/heads/main) is always a branch, and V(refs/tags/v1.2.0) is always a tag. Git's own names, such as V(HEAD)
        and V(origin/main), are errors, and so are commits, and spaces or line breaks around the name.
  ref_type:
    description:
      - Whether O(ref) is a branch or a tag, if both exist.
      - With V(any), GitLab refuses O(action=run) if both exist. The other actions use the newest pipeline of either,
        with a warning if both have pipelines.
  sha:
    description:
      - Full commit SHA, or at least its first seven digits.
      - O(action=run) starts a pipeline only if O(ref) is at this commit, so that the commit that was tested is the one
        that is deployed.
      - The other actions use the newest pipeline of the commit, alone or together with O(ref).
  variables:
    description:
      - Variables for the pipeline that O(action=run) starts. Maintainers can see them in GitLab, so do not use them for
        secrets.
      - Names consist of at most 255 letters, digits and underscores.
      - Numbers become strings, and booleans become V(true) and V(false). Quote versions, because YAML reads C(1.10) as
        the number 1.1. Lists and dictionaries are errors, because GitLab accepts only strings. Use the
        P(ansible.builtin.to_json#filter) filter if the jobs can parse JSON.
      - Their values are not returned. Values of eight or more characters are masked wherever GitLab returns them, such
        as in an error, a log or the name of a job, unless another option of the task contains them as well. A masked
        name cannot be used in another task.
      - Projects can forbid variables. GitLab recommends O(inputs) instead.
    type: dict
  inputs:
    description:
      - Values for the inputs that the CI/CD configuration declares in C(spec:inputs), for O(action=run).
      - Values keep their types, which are string, number, boolean and list. The result of a template is a string in
        Ansible before 2.19, unless C(jinja2_native) is set.
      - Their values are not returned, and are masked like O(variables).
      - Requires GitLab 17.11. Older servers silently ignore inputs, and start the pipeline with the defaults of the
        configuration.
    type: dict
  trigger_token:
    description:
      - A pipeline trigger token of the project, or the C(CI_JOB_TOKEN) of a running job. O(action=run) starts the
        pipeline as the owner of this token. GitLab then ignores other tokens.
      - It can only start pipelines. To find an active pipeline, to find the pipeline after a lost answer, and to wait,
        set O(api_token) as well. Without such a token, each run starts a pipeline, and O(wait=true) is an error.
      - GitLab does not reveal the owner of a trigger token, so an active pipeline of any trigger token counts for
        O(reuse). A pipeline that was started with a C(CI_JOB_TOKEN) does not count, because its source V(pipeline) is
        also that of pipelines below trigger jobs. With a C(CI_JOB_TOKEN), each run starts a pipeline.
    type: str
  reuse:
    description:
      - Which existing pipeline O(action=run) uses instead of starting one.
      - V(active) is the newest unfinished pipeline of the same ref, commit and user with these O(variables) that was
        started through the API or with a trigger token. Pipelines that are V(canceling), and those that a push or a
        schedule has started, do not count.
      - V(success) is such a pipeline, or one that has succeeded.
      - V(never) always starts a pipeline.
      - If the task cannot determine whether a pipeline matches, it fails and reports that pipeline. The token may be
        unable to read its variables, GitLab does not return the O(inputs) of a pipeline, and servers before 14.1 do not
        return its source.
      - Two tasks that run at the same moment can both start a pipeline. The later one then warns and shows both IDs.
    type: str
    choices:
      - never
      - active
      - success
    default: active
  wait:
    description:
      - Whether to wait until O(wait_for) is reached. Without it, the task returns the current state.
      - The wait continues despite server restarts, server errors, rate limits and dropped connections, until
        O(wait_timeout) expires.
      - O(action=retry) and O(action=cancel) also wait for the pipeline of O(ref), O(sha) or O(merge_request) if it does
        not exist yet.
      - O(action=retry) waits until a pipeline that is being canceled has ended, and then retries it.
      - If a job is retried during the wait, also by GitLab itself, the task waits for the new attempt. Failures are
        read twice before they count.
      - Check mode does not wait.
  wait_for:
    description:
      - State that the pipeline must reach. With several entries, any one of them is enough.
      - V(created) means that the pipeline exists, whatever its status. Can only be used with O(action=run).
      - V(finished) means V(success), V(failed), V(canceled) or V(skipped). O(fail_on) lists the statuses that fail the
        task. It is the default for O(action=cancel).
      - V(success) means that the pipeline has succeeded. If it ends with another status, the task fails at once and
        lists the failed jobs. It is the default for O(action=run) and O(action=retry).
      - V(manual) means that the pipeline is blocked by a manual job. Without V(manual), a blocked pipeline fails the
        task with the name of the job, because it does not continue until the job is played. Optional manual jobs do not
        block a pipeline.
      - Can only be used with O(wait=true).
  on_timeout:
    description:
      - What to do when O(wait_timeout) expires.
      - V(fail) fails the task and leaves the pipeline as it is.
      - V(cancel) cancels the pipeline, which takes up to ten more seconds, and then fails the task.
      - V(continue) lets the task succeed with RV(timed_out=true), so that the playbook can decide what to do.
    type: str
    choices:
      - fail
      - cancel
      - continue
    default: fail
  fail_on:
    description:
      - Final statuses of the pipeline that fail the task after the wait. To accept all of them, set an empty list and
        O(wait_for=finished).
      - Has no effect without O(wait=true), or with O(action=cancel), which accepts every final status. A status that is
        not final is an error.
    type: list
    elements: str
    default:
      - failed
      - canceled
      - skipped
  log_lines:
    description:
      - How many lines from the end of the log of each failed job to return in RV(failed_jobs[].log_tail), for at most
        twenty jobs. Color codes and section marks are removed. The failure message also contains the last line of the
        first log of a job that is not allowed to fail, without the lines of the runner. V(0) reads no logs.
      - Has no effect without O(wait=true). Secrets that GitLab has not masked in the log are not masked here either.
    type: int
    default: 20
notes:
  - O(action=run) uses O(ref), O(ref_type), O(sha), O(variables), O(inputs), O(trigger_token) and O(reuse). The other
    actions require one of O(pipeline_id), O(ref), O(sha) and O(merge_request).
  - O(action=retry) acts on V(failed) and V(canceled) pipelines, and with O(wait=true) also on V(canceling) ones after
    they have ended. It leaves V(success) and all unfinished pipelines unchanged. It refuses V(canceling) pipelines
    without O(wait=true), V(skipped) ones, and those without a job that can be retried.
  - O(action=cancel) acts on unfinished pipelines. It leaves ended and V(canceling) pipelines unchanged, and V(manual)
    ones with only manual jobs left, because GitLab does not cancel manual jobs with their pipeline.
  - Pipelines have no name to find them by after a lost answer, so the task reads the newest pipelines of O(ref) before
    it starts one. If the connection breaks, or an error from GitLab leaves open whether the pipeline was started, the
    task searches three times for a newer pipeline of the same ref, source, user and variables. If it finds exactly one,
    it continues with it. Otherwise it fails and reports that the result is unknown. It never starts a second pipeline
    without searching first.
  - If GitLab reports that too many pipelines were created in the last minute, which GitLab.com does after 25 pipelines
    of one commit, the task tries again every twenty seconds until O(wait_timeout) expires, with or without
    O(wait=true).
  - If GitLab refuses a pipeline, no pipeline is created, with one exception. If a trigger token starts a pipeline with
    an invalid CI/CD configuration, GitLab creates a failed pipeline, which the task returns.
  - Extensions that decide about actions on jobs are not consulted about pipelines.
  - The user of the token needs the Developer role, and for a protected branch or tag the permission to push or merge to
    it.
seealso:
  - module: jobgate.gitlab.gitlab_pipeline_info
  - module: jobgate.gitlab.gitlab_job_action
  - module: jobgate.gitlab.gitlab_job_download
  - name: Pipelines API
    description: GitLab's documentation of starting, retrying and canceling pipelines.
    link: https://docs.gitlab.com/api/pipelines/
  - name: Pipeline trigger tokens API
    description: GitLab's documentation of starting pipelines with a trigger token.
    link: https://docs.gitlab.com/api/pipeline_triggers/
"""

EXAMPLES = r"""
- name: Start a pipeline of main and wait until it has succeeded
  jobgate.gitlab.gitlab_pipeline:
    project: group/app
    action: run
    ref: main
    wait: true
  register: started

- name: Show its page
  ansible.builtin.debug:
    msg: "{{ started.status }} {{ started.web_url }}"

- name: Run the tests of main with variables, and continue whether they pass or fail
  jobgate.gitlab.gitlab_pipeline:
    project: group/app
    action: run
    ref: main
    variables:
      SUITE: nightly
    wait: true
    wait_for: finished
    fail_on: []
  register: tests

- name: Show which jobs have failed
  ansible.builtin.debug:
    msg: "{{ tests.failed_jobs | map(attribute='name') }}"

- name: Deploy the commit that was tested, with variables, unless it is already deployed
  jobgate.gitlab.gitlab_pipeline:
    api_token: "{{ lookup('ansible.builtin.env', 'GITLAB_TOKEN') }}"
    project: group/app
    action: run
    ref: main
    ref_type: branch
    sha: "{{ release_commit }}"
    variables:
      DEPLOY_TO: staging
      DRY_RUN: false
    reuse: success
    wait: true
    wait_for: success
    wait_timeout: 5400
    wait_interval: 20
    pending_timeout: 600
    log_lines: 50

- name: Always start a pipeline with inputs, and do not wait for it
  jobgate.gitlab.gitlab_pipeline:
    project: group/app
    action: run
    ref: main
    inputs:
      environment: staging
      replicas: 3
      verbose: true
      regions: [eu, us]
    reuse: never

- name: Start a pipeline with a trigger token, and wait for it with another token
  jobgate.gitlab.gitlab_pipeline:
    api_token: "{{ lookup('ansible.builtin.env', 'GITLAB_TOKEN') }}"
    project: group/app
    action: run
    ref: main
    trigger_token: "{{ trigger_token }}"
    wait: true

- name: Start the pipeline of the documentation, and continue when it can be published
  jobgate.gitlab.gitlab_pipeline:
    project: group/docs
    action: run
    ref: main
    wait: true
    wait_for: [manual, success]

- name: Retry the failed jobs of a merge request
  jobgate.gitlab.gitlab_pipeline:
    project: group/app
    action: retry
    merge_request: 17
    wait: true
  register: retried

- name: Retry the pipeline of a push, and accept any result
  jobgate.gitlab.gitlab_pipeline:
    project: group/app
    action: retry
    ref: broken
    pipeline_source: push
    wait: true
    wait_for: finished
    fail_on: []
  register: outcome

- name: Show the failed jobs
  ansible.builtin.debug:
    msg: "{{ item.name }} {{ item.failure_reason }} {{ item.web_url }}"
  loop: "{{ outcome.failed_jobs }}"
  loop_control:
    label: "{{ item.name }}"

- name: Cancel a pipeline
  jobgate.gitlab.gitlab_pipeline:
    project: group/app
    action: cancel
    pipeline_id: 6

- name: Cancel a nightly test that has not ended after two hours
  jobgate.gitlab.gitlab_pipeline:
    project: group/app
    action: run
    ref: nightly
    wait: true
    wait_timeout: 7200
    on_timeout: cancel

- name: Start a pipeline on a self-managed server
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
    - name: Start it
      jobgate.gitlab.gitlab_pipeline:
        project: group/app
        action: run
        ref: main

- name: Start a pipeline on a test server
  jobgate.gitlab.gitlab_pipeline:
    api_url: https://localhost:8443/gitlab
    api_token: "{{ gitlab_token }}"
    validate_certs: false
    project: group/app
    action: run
    ref: main

- name: Start a pipeline of another project from a CI job
  jobgate.gitlab.gitlab_pipeline:
    api_job_token: "{{ lookup('ansible.builtin.env', 'CI_JOB_TOKEN') }}"
    project: group/infra
    action: run
    ref: main
    trigger_token: "{{ lookup('ansible.builtin.env', 'CI_JOB_TOKEN') }}"
    reuse: never
"""

RETURN = r"""
msg:
  description: In check mode, what would be done. If nothing had to be done, what was found. If the task fails, why.
  type: str
  returned: in check mode, when nothing had to be done, and when the task fails
  sample: would start a pipeline of main
pipeline:
  description:
    - The pipeline, as GitLab returns it. V(null) if there is none, and in check mode if a new one would be
      started.
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
id:
  description: ID of the pipeline. V(null) if there is none, and in check mode if a new one would be started.
  type: int
  returned: always
  sample: 101
status:
  description:
    - Status of the pipeline at the end of the task. In check mode, the expected status, which is V(created) for a
      pipeline that would be started. V(null) if there is none.
  type: str
  returned: always
  sample: success
web_url:
  description: URL of its page. V(null) if there is none, and in check mode if a new one would be started.
  type: str
  returned: always
  sample: https://gitlab.example.com/group/app/-/pipelines/101
failed_jobs:
  description:
    - The failed jobs and trigger jobs of the pipeline and its downstream pipelines. Those that are allowed to fail come
      last. For a downstream pipeline that has not failed itself, the list contains only its failed trigger jobs. Empty
      without O(wait=true).
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
downstream_pipelines:
  description:
    - The pipelines that trigger jobs of the pipeline have started, at any depth. Empty without O(wait=true).
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
summary:
  description:
    - Number of jobs of the pipeline by status. Only the newest attempt of each job counts. Empty if the task did not
      have to read the jobs.
  type: dict
  returned: always
  sample:
    success: 11
    failed: 1
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
diff:
  description: ID and status of the pipeline before and after.
  type: dict
  returned: always
  sample:
    before: ""
    after: "pipeline 101: success\n"
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
from ansible_collections.jobgate.gitlab.plugins.module_utils._tasks.gitlab_pipeline import TASK


def main() -> None:
    run_module(TASK)


if __name__ == "__main__":
    main()
