#!/usr/bin/python

# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The documentation of the module, and its way to the task."""

from __future__ import annotations

DOCUMENTATION = r"""
module: gitlab_pipeline
version_added: 0.1.0
short_description: Start, retry or cancel a GitLab CI pipeline, once, and wait for it
description:
  - Starts a pipeline of a branch or tag, retries one that has failed, or cancels one.
  - A pipeline that is active already for the same commit counts as the one asked for, as O(reuse) says. A retry of a
    pipeline that has succeeded, and a cancel of one that has ended, change nothing.
  - With O(wait=true) the task ends when the pipeline has, and fails with the failed jobs and the end of their logs if
    that went wrong.
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
      - Everything is read and decided as in a real run, and nothing is sent. RV(ignore:changed) is what the real run
        would report, and RV(msg) says what would be done.
      - Whether GitLab lets the user of the token do it, and whether the CI/CD configuration of the ref lets a pipeline
        begin, is known only when it is asked to.
      - Nothing waits. For a V(canceling) pipeline whose end a real run of O(action=retry) with O(wait=true) would wait
        for, the prediction is V(true).
  diff_mode:
    support: full
    details:
      - Shows id and status of the pipeline before and after. In check mode, the status after is the expected one.
  idempotent:
    support: partial
    details:
      - While a pipeline is active, a second run finds it and starts no other one, unless O(reuse=never).
      - When it has ended, O(action=run) starts a new one, unless O(reuse=success) and it has succeeded.
      - O(action=retry) acts again on a pipeline that has failed again.
options:
  action:
    description:
      - What to do.
      - V(run) starts a pipeline of O(ref).
      - V(retry) starts a new attempt of each job of the pipeline that has failed or was canceled, and then the jobs
        after them.
      - V(cancel) cancels the jobs of the pipeline, and those of its child pipelines in the same project. Manual jobs
        stay as they are.
    type: str
    required: true
    choices:
      - run
      - retry
      - cancel
  ref:
    description:
      - Branch or tag. O(action=run) starts a pipeline of it, and requires it. For the other actions, its newest
        pipeline is used, whatever that pipeline's status. A pipeline that GitLab has skipped as a whole, as for
        C([skip ci]), has no jobs; it is passed over with a warning.
      - V(refs/heads/main) is the branch and V(refs/tags/v1.2.0) the tag, as with O(ref_type). Names of git's own, such
        as V(HEAD) and V(origin/main), are an error, and so are blanks or line breaks around the name. A commit is no
        ref.
  ref_type:
    description:
      - Whether O(ref) is a branch or a tag, where both exist.
      - With V(any), O(action=run) is refused by GitLab where both exist. The other actions use the newest pipeline of
        either, and a warning says so if a branch and a tag of this name have pipelines.
  sha:
    description:
      - Commit SHA, whole or its first seven digits or more.
      - O(action=run) starts a pipeline only if O(ref) is at this commit, so that what was tested is what is deployed.
      - For the other actions, the newest pipeline of the commit is used, alone or together with O(ref).
  variables:
    description:
      - Variables for the pipeline that O(action=run) starts. They are visible in GitLab to maintainers, so they are not
        a place for secrets.
      - Names have letters, digits and underscores, 255 at the most.
      - Numbers become strings, booleans become V(true) and V(false). Put versions in quotes, since YAML reads C(1.10)
        as the number 1.1. Lists and dictionaries are refused, since GitLab
        takes text only; use the P(ansible.builtin.to_json#filter) filter if the jobs can read that.
      - Their values are not returned. Where GitLab shows one of eight characters or more, such as in an error, a log or
        the name of a job, it is masked, unless another option of the task shows it as well. What is masked cannot be
        used as a name in another task.
      - A project can refuse them; GitLab recommends O(inputs) instead.
    type: dict
  inputs:
    description:
      - Values for the inputs that the CI/CD configuration declares in C(spec:inputs), for O(action=run).
      - They keep their types, which are text, number, boolean and list. A value of a template is a text in Ansible
        before 2.19, unless C(jinja2_native) is set.
      - They are not returned, and masked as O(variables) are.
      - Needs GitLab 17.11. Older servers silently ignore them, and start the pipeline with the defaults of the
        configuration.
    type: dict
  trigger_token:
    description:
      - A pipeline trigger token of the project, or the C(CI_JOB_TOKEN) of a running job, with which O(action=run)
        starts the pipeline in the name of its owner. GitLab then looks at no other token.
      - It can start pipelines and nothing else. To find what is active already, to find the pipeline after a lost
        answer, and to wait, give O(api_token) as well; O(wait=true) without one is an error. Without one, a
        pipeline is started each time.
      - GitLab tells nobody whose a trigger token is. With it, an active pipeline of any trigger token counts for
        O(reuse). One that a C(CI_JOB_TOKEN) has started does not, since its source V(pipeline) is that of the pipelines
        below trigger jobs as well; so with a C(CI_JOB_TOKEN) a pipeline is started each time.
    type: str
  reuse:
    description:
      - Which pipeline counts as the one that O(action=run) asks for, so that no other one is started.
      - V(active) is the newest one that has not ended, of the same ref, commit and user, that was started through the
        API or by a trigger token, with these O(variables). One that is V(canceling) does not count, and one that a push
        or a schedule has started does not either.
      - V(success) is such a pipeline, or one that has succeeded.
      - V(never) starts a pipeline in any case.
      - When it cannot be told whether a pipeline is the one asked for, the task fails and names it. Its variables may
        be out of reach, GitLab never tells the O(inputs) of a pipeline, and servers before 14.1 do not tell how it was
        started.
      - When two tasks ask at the very same time, both may start one. The later one then says so in a warning, with both
        ids.
    type: str
    choices:
      - never
      - active
      - success
    default: active
  wait:
    description:
      - Whether to wait until O(wait_for) is reached. Without it the task returns what is there now.
      - A wait goes on through restarts of the server, server errors, rate limits and dropped connections, until
        O(wait_timeout) has passed.
      - For O(action=retry) and O(action=cancel), a pipeline that does not exist yet for O(ref), O(sha) or
        O(merge_request) is waited for.
      - O(action=retry) waits for the end of a pipeline that is being canceled, and retries it then.
      - A job that somebody else or GitLab itself retries is followed to its new attempt; a failure is read twice before
        it counts.
      - In check mode nothing waits.
  wait_for:
    description:
      - What the pipeline has to reach. With several entries, any one of them is enough.
      - V(created) is a pipeline that exists, whatever becomes of it. Only for O(action=run).
      - V(finished) is a pipeline that is V(success), V(failed), V(canceled) or V(skipped); O(fail_on) says which of
        these ends fail the task. It is the default for O(action=cancel).
      - V(success) is a pipeline that has succeeded. When it has ended otherwise, the task fails at once and says which
        jobs have failed. It is the default for O(action=run) and O(action=retry).
      - V(manual) is a pipeline that stands still at a manual job; GitLab's pages call it blocked. Without V(manual),
        such a pipeline fails the task, which names the job, since nobody would play it while the task waits. Jobs that
        nobody has to play do not count.
      - Can only be used with O(wait=true).
  on_timeout:
    description:
      - What to do when O(wait_timeout) has passed.
      - V(fail) fails the task and leaves the pipeline as it is.
      - V(cancel) cancels the pipeline, which takes up to ten seconds more, and then fails the task.
      - V(continue) lets the task succeed with RV(timed_out) set to V(true), for playbooks that decide by themselves.
    type: str
    choices:
      - fail
      - cancel
      - continue
    default: fail
  fail_on:
    description:
      - End states of the pipeline that fail the task, after it was waited for. To accept any end, give an empty list
        and O(wait_for=finished).
      - It does not apply to O(action=cancel), which accepts any end.
      - Only with O(wait=true). A status that is no end is an error.
    type: list
    elements: str
    default:
      - failed
      - canceled
      - skipped
  log_lines:
    description:
      - How many lines from the end of the log of each failed job to return in RV(failed_jobs[].log_tail), for at most
        twenty jobs. Colour codes and section marks are removed. The last line of the first log of a job that must not
        fail is also part of the failure message, without what the runner adds. V(0) reads no log.
      - Only with O(wait=true). Secrets that GitLab has not masked in the log are not masked here either.
    type: int
    default: 20
notes:
  - O(action=run) takes O(ref), O(ref_type), O(sha), O(variables), O(inputs), O(trigger_token) and O(reuse). For the
    other actions one of O(pipeline_id), O(ref), O(sha) and O(merge_request) is required.
  - O(action=retry) acts on pipelines that are V(failed) or V(canceled), with O(wait=true) also on V(canceling) ones
    when they have ended; leaves alone V(success), and all that have not ended; refuses V(canceling) without O(wait),
    V(skipped), and those of which no job can be retried.
  - O(action=cancel) acts on pipelines that have not ended; leaves alone those that have, V(canceling) ones, and
    V(manual) ones of which only manual jobs are left, which GitLab does not cancel with their pipeline.
  - Lost answers. A pipeline has no name to find it by, so the newest pipelines of O(ref) are read before one is
    started. When the connection breaks, or GitLab answers with an error that leaves it open whether the pipeline was
    started, the task looks three times for a newer one of the same ref, source, user and variables. With exactly
    one it goes on. Otherwise it fails and says so. It never starts a second one without having looked.
  - When GitLab says that too many pipelines were created in the last minute, which GitLab.com does after 25 of one
    commit, the task tries again every twenty seconds until O(wait_timeout) has passed, with or without O(wait).
  - A pipeline that GitLab has refused does not exist, with one exception. What a trigger token starts with a wrong
    CI/CD configuration is there as a failed pipeline, which the task returns.
  - Extensions that decide about actions on jobs are not asked about pipelines.
  - The user of the token needs the Developer role, and for a protected branch or tag the right to push or merge to it.
seealso:
  - module: jobgate.gitlab.gitlab_pipeline_info
  - module: jobgate.gitlab.gitlab_job_action
  - module: jobgate.gitlab.gitlab_job_download
  - name: Pipelines API
    description: What GitLab says about starting, retrying and canceling pipelines.
    link: https://docs.gitlab.com/api/pipelines/
  - name: Pipeline trigger tokens API
    description: What GitLab says about starting pipelines with a trigger token.
    link: https://docs.gitlab.com/api/pipeline_triggers/
"""

EXAMPLES = r"""
- name: Start a pipeline of main, and go on when it has succeeded
  jobgate.gitlab.gitlab_pipeline:
    project: group/app
    action: run
    ref: main
    wait: true
  register: started

- name: Show its page
  ansible.builtin.debug:
    msg: "{{ started.status }} {{ started.web_url }}"

- name: Run the tests of main with variables, and go on whatever becomes of them
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

- name: Deploy the very commit that was tested, with variables, unless that was done already
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

- name: Start a pipeline with inputs, whatever else is running, and do not wait for it
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

- name: Start the pipeline of the documentation, and go on when it waits to be published
  jobgate.gitlab.gitlab_pipeline:
    project: group/docs
    action: run
    ref: main
    wait: true
    wait_for: [manual, success]

- name: Retry the jobs of a merge request that have failed
  jobgate.gitlab.gitlab_pipeline:
    project: group/app
    action: retry
    merge_request: 17
    wait: true
  register: retried

- name: Retry what a push has broken, and look at whatever comes of it
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

- name: Give a nightly test two hours, and cancel it then
  jobgate.gitlab.gitlab_pipeline:
    project: group/app
    action: run
    ref: nightly
    wait: true
    wait_timeout: 7200
    on_timeout: cancel

- name: Start a pipeline on a server of our own
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

- name: Start a pipeline of a test server
  jobgate.gitlab.gitlab_pipeline:
    api_url: https://localhost:8443/gitlab
    api_token: "{{ gitlab_token }}"
    validate_certs: false
    project: group/app
    action: run
    ref: main

- name: Start a pipeline of another project from inside a CI job
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
  description: In check mode what would be done. When nothing had to be done, what was found. When the task fails, why.
  type: str
  returned: in check mode, when nothing had to be done, and when the task fails
  sample: would start a pipeline of main
pipeline:
  description:
    - The pipeline, in GitLab's own words. V(null) when there is none, and in check mode when it would be a new one.
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
  description: Its id. V(null) when there is none, and in check mode when it would be a new one.
  type: int
  returned: always
  sample: 101
status:
  description:
    - Its status when the task ended. In check mode the expected one, which is V(created) for a pipeline that would be
      started. V(null) when there is none.
  type: str
  returned: always
  sample: success
web_url:
  description: Its page. V(null) when there is none, and in check mode when it would be a new one.
  type: str
  returned: always
  sample: https://gitlab.example.com/group/app/-/pipelines/101
failed_jobs:
  description:
    - The jobs and trigger jobs that have failed, in the pipeline and in its downstream pipelines. Those that are
      allowed to fail come after the others. Of a downstream pipeline that has not failed itself, only the trigger jobs
      are among them. Empty without O(wait=true).
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
summary:
  description:
    - How many jobs of the pipeline have each status; of each job the newest attempt counts. Empty where the task did
      not have to look at the jobs.
  type: dict
  returned: always
  sample:
    success: 11
    failed: 1
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
diff:
  description: Id and status of the pipeline before and after.
  type: dict
  returned: always
  sample:
    before: ""
    after: "pipeline 101: success\n"
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
from ansible_collections.jobgate.gitlab.plugins.module_utils._tasks.gitlab_pipeline import TASK


def main() -> None:
    run_module(TASK)


if __name__ == "__main__":
    main()
