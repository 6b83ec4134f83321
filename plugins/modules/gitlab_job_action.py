#!/usr/bin/python

# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation and entry point of the module."""

from __future__ import annotations

DOCUMENTATION = r"""
module: gitlab_job_action
version_added: 0.1.0
short_description: Play, retry, cancel or erase GitLab CI jobs, and keep or delete their artifacts
description:
  - Plays, retries, cancels or erases jobs of a pipeline, and keeps or deletes their artifacts.
  - Reads each job first. Jobs that the action would not change are left unchanged. Jobs on which the action is
    impossible or would do something unexpected are refused, with the reason and what to do instead. The notes list the
    statuses for each action.
  - With O(wait=true), waits until the jobs end. If a job fails, the task fails and shows the end of the job's log.
  - Acts on jobs of existing pipelines, and of pipelines that are created while the task waits. To start a pipeline, use
    M(jobgate.gitlab.gitlab_pipeline).
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
  - jobgate.gitlab._attributes.actiongroup_gitlab
attributes:
  check_mode:
    support: full
    details:
      - Reads and decides as in a real run, but sends no action. RV(ignore:changed) is the value that a real run would
        return, and RV(msg) describes what would be done with which job.
      - Check mode cannot predict whether GitLab permits the action for the user of the token.
      - Check mode does not wait. The prediction for a V(created) job that O(action=play) with O(wait=true) would wait
        for is V(true).
      - GitLab does not show whether an ended job is a manual one. With O(replay), the prediction is V(true) for every
        job that O(replay) allows.
      - For O(action=play) of a V(manual) job, or of a V(created) job with O(wait=true), the approvals of the deployment
        are read as well, so that missing approvals are reported. This requires one request, and one more for each job
        that deploys.
  diff_mode:
    support: full
    details:
      - Shows the ID and the status of each job before and after. In check mode, the status after is the expected one.
  idempotent:
    support: partial
    details:
      - A job that is in progress or has succeeded is not played or retried again. A canceled or erased job is not
        canceled or erased again.
      - O(action=retry) retries a job again if it has failed again. O(replay) and O(force) start a new run each time.
      - O(whole_project) sends its request each time, because GitLab does not report whether any artifacts were left to
        delete.
options:
  action:
    description:
      - What to do. The notes list the jobs on which each action acts, and which jobs it leaves unchanged or refuses.
      - V(play) starts a manual job, or starts a delayed job early.
      - V(retry) starts a new attempt of a job that has ended.
      - V(cancel) stops a job, or prevents it from starting.
      - V(erase) removes the log and the artifacts of a job that has ended. This cannot be undone.
      - V(keep_artifacts) removes the expiry date of the artifacts.
      - V(delete_artifacts) deletes the artifacts and keeps the log. With O(whole_project=true), it deletes the
        artifacts of all jobs of the project.
    type: str
    required: true
    choices:
      - play
      - retry
      - cancel
      - erase
      - keep_artifacts
      - delete_artifacts
  job_id:
    description:
      - ID of one job, as in the address of its page. Mutually exclusive with all other options that choose a pipeline
        or a job.
      - The ID of an attempt that has been retried refers to the newest attempt of that job.
      - Trigger jobs cannot be found by their ID; choose them by name.
  multiple:
    description:
      - What to do when one entry of O(name), or O(stage) and O(scope) without a name, matches several jobs.
      - V(error) does nothing and lists the jobs. Two entries that are the exact names of two jobs are not an error; the
        action applies to both.
      - V(latest) takes the job with the highest ID.
      - V(all) takes all of them. The task tries each job before it fails, and RV(results) shows the outcome of each.
    type: str
    choices:
      - error
      - latest
      - all
    default: error
  job_variables:
    description:
      - Variables for the job that O(action=play) starts. GitLab shows them on the page of the job, so do not use them
        for secrets.
      - A dictionary of names and values, or a list of dictionaries with C(key) and C(value) as in GitLab's API. V(null)
        and an empty dictionary are the same as omitting the option.
      - Names consist of at most 255 letters, digits and underscores.
      - Numbers become strings, and booleans become V(true) and V(false). Quote versions, because YAML reads C(1.10) as
        the number 1.1. Lists and dictionaries are errors, because GitLab accepts only strings. Use the
        P(ansible.builtin.to_json#filter) filter if the job can parse JSON.
      - Their values are not returned. Values of eight or more characters are masked wherever GitLab returns them, such
        as in an error, a log or the name of a job, unless another option of the task contains them as well. A masked
        name cannot be used in another task.
      - Refused for trigger jobs, where GitLab drops them, and together with O(replay) for ended jobs, where GitLab
        would use the variables of the earlier run instead.
      - A job that is in progress or has succeeded is left unchanged, even if it was started with other variables.
        GitLab does not show these, so they cannot be compared.
      - GitLab before 14.9 silently ignores them.
    type: raw
  job_inputs:
    description:
      - Values for the inputs that the job declares. Can only be used with O(action=play) and O(action=retry).
      - Values keep their types, which are string, number, boolean and list. The result of a template is a string in
        Ansible before 2.19, unless C(jinja2_native) is set.
      - Requires GitLab 18.10; older servers silently ignore them. GitLab reports an error for an input that the job
        does not declare, and the job stays as it is.
      - Their values are not returned, and are masked like O(job_variables).
      - O(action=play) refuses them for trigger jobs, where GitLab drops them, and together with O(replay) for ended
        jobs, where GitLab would use the inputs of the earlier run instead. Use O(action=retry) with inputs for ended
        jobs.
    type: dict
  replay:
    description:
      - Whether O(action=play) may start a manual or delayed job again after it has ended.
      - V(never) leaves jobs that have succeeded unchanged, and refuses jobs that failed or were canceled.
      - V(failed) starts jobs again that failed or were canceled.
      - V(always) also starts jobs again that have succeeded. A deployment then runs each time the playbook runs.
      - Trigger jobs cannot be replayed; retry them instead.
      - GitLab does not show which ended jobs were manual or delayed, so check mode predicts a change for all of them.
        GitLab refuses to play any other job.
    type: str
    choices:
      - never
      - failed
      - always
    default: never
  retry_on:
    description:
      - Retry only jobs that failed for one of these reasons, as GitLab spells them, such as V(runner_system_failure),
        V(stuck_or_timeout_failure), V(api_failure) or V(job_execution_timeout). See RV(jobs[].failure_reason).
      - V(stuck_or_timeout_failure) also matches the four reasons that replace it in GitLab 19.1 and later, as in
        C(retry:when) of the CI/CD configuration.
      - A misspelled reason is an error. Other unknown reasons cause a warning, because newer servers may have them.
      - Use it to retry infrastructure faults, but not broken tests (V(script_failure)) that pass only by chance. Jobs
        that failed for another reason, were canceled or are being canceled are refused.
      - If omitted or empty, every reason is accepted.
      - Can only be used with O(action=retry), or with O(action=play) and O(max_attempts), which then adds the retries.
    type: list
    elements: str
    default: []
  max_attempts:
    description:
      - Retry a failing job until it has had this many attempts. All attempts of the job in its pipeline count,
        including earlier ones.
      - A job that has already had this many attempts is not retried. With O(retry_on), only failures with these reasons
        are retried.
      - If omitted, the task does the action once, and its outcome is the outcome of the task.
      - Requires O(wait=true), and O(action=play) or O(action=retry).
    type: int
  force:
    description:
      - With O(action=retry), run jobs again that have succeeded.
      - With O(action=cancel), end V(canceling) jobs without waiting for their C(after_script). This requires GitLab
        17.11 and the Maintainer role. Jobs that are still running are canceled as usual.
    type: bool
    default: false
  whole_project:
    description:
      - With O(action=delete_artifacts), delete the artifacts of all jobs in all pipelines of O(project). This cannot be
        undone.
      - GitLab keeps all logs, and the artifacts of the latest successful pipeline of each branch and tag. It marks the
        other artifacts as expired and removes them later, so they may still exist for a while after the task has ended.
      - Without this option, O(action=delete_artifacts) requires a selection of jobs like any other action, so that a
        forgotten O(name) deletes nothing. With it, all options that choose a pipeline or jobs are errors, and so is any
        other O(action).
      - RV(ignore:changed) is always V(true), also in check mode, because GitLab does not report whether any artifacts
        were left to delete.
      - Requires the Maintainer role. Very old servers do not support it and cause an error.
    type: bool
    default: false
  wait_for_approval:
    description:
      - Whether O(action=play) waits until the deployment of the job is approved, at most O(wait_timeout) and even
        without O(wait). It then plays the job once. Progress lines show who still has to approve.
      - If the environment only sets the number of required approvals (the old setting), GitLab starts the job itself
        after the last approval. The task then finds the job in progress and leaves it unchanged, so O(job_variables)
        have no effect. With approval rules, the task plays the job.
      - A rejection ends the wait at once with an error that shows who rejected the deployment.
      - By default, such a job is refused, and the error shows who still has to approve.
      - Requires GitLab 14.8 with Premium. On other servers no deployment waits for approvals, and the option has no
        effect. Each poll sends one request for each waiting job.
      - To approve a deployment, use M(jobgate.gitlab.gitlab_deployment_approval).
    type: bool
    default: false
  wait_for:
    description:
      - State that each job must reach after the action. With several entries, any one of them is enough.
      - V(playable) means V(manual), V(scheduled) or any later status.
      - V(started) means V(running) or any later status.
      - V(finished) means V(success), V(failed), V(canceled) or V(skipped).
      - V(success) means that the job has succeeded.
      - When a job ends and can no longer reach any of these states, the task fails at once.
      - Can only be used with O(wait=true). If omitted, the task waits for V(finished).
    type: list
    elements: str
    choices:
      - playable
      - started
      - finished
      - success
  on_timeout:
    description:
      - What to do when O(wait_timeout) expires.
      - V(fail) fails the task and leaves the jobs as they are.
      - V(cancel) cancels the jobs that the task still waits for, and then fails the task. This takes up to ten more
        seconds. Trigger jobs are left as they are, because GitLab's API cannot cancel them.
      - V(continue) lets the task succeed with RV(timed_out=true), so that the playbook can decide what to do.
    type: str
    choices:
      - fail
      - cancel
      - continue
    default: fail
  fail_on:
    description:
      - Final statuses of a job that fail the task after the action. An empty list accepts all of them.
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
      - How many lines from the end of the log to return as RV(jobs[].log_tail) when a job fails the task, or when the
        action is refused for a failed job. Color codes and section marks are removed. The failure message also
        contains the last line. V(0) reads no logs. If there are more than 50 such jobs, only 50 logs are read.
      - Secrets that GitLab has not masked in the log are not masked here either.
    type: int
    default: 20
  fields:
    description:
      - Keep only these fields of each job in RV(jobs) and RV(job). Use dots for nested fields, as in V(pipeline.id) or
        V(user.username); the result is nested in the same way. Fields that GitLab did not send are left out.
      - If omitted, a successful task returns all fields. A failed task, whose result Ansible prints, returns only the
        fields that explain the failure, which are ID, name, stage, status, C(failure_reason), C(allow_failure), address
        and times. RV(jobs[].log_tail) is returned in either case.
      - Does not affect which jobs are chosen, or what extensions see.
    type: list
    elements: str
    default: []
notes:
  - Jobs are selected by O(job_id), or in a pipeline by at least one of O(name), O(stage) and O(scope). One of
    O(job_id), O(pipeline_id), O(ref), O(sha) and O(merge_request) is required. O(whole_project=true) accepts none of
    these options.
  - In the following notes, "in progress" means V(waiting_for_resource), V(preparing), V(waiting_for_callback),
    V(pending) or V(running), and "ended" means V(success), V(failed) or V(canceled). Jobs that are left unchanged are
    reported with RV(ignore:changed=false).
  - O(action=play) acts on V(manual) and V(scheduled) jobs. It also acts on V(created) jobs with O(wait=true) when they
    become playable, and on ended jobs if O(replay) allows it. It leaves jobs in progress unchanged, and V(success) ones
    unless O(replay=always). It refuses V(created) jobs without O(wait), V(canceling) and V(skipped) jobs, and with
    O(replay=never) also V(failed) and V(canceled) jobs.
  - O(action=retry) acts on V(failed) and V(canceled) jobs if O(retry_on) allows it. It also acts on V(canceling) jobs
    with O(wait=true) when they have ended, and on V(success) jobs with O(force=true). It leaves jobs in progress
    unchanged, and V(success) ones without O(force). It refuses V(created), V(manual) and V(scheduled) jobs, which never
    ran and require O(action=play), V(canceling) jobs without O(wait) or with O(retry_on), and V(skipped) jobs.
  - O(action=cancel) acts on V(created), V(manual) and V(scheduled) jobs and jobs in progress, and with O(force=true) on
    V(canceling) jobs. It leaves V(canceling), V(skipped) and ended jobs unchanged, and refuses trigger jobs.
  - O(action=erase) acts on ended jobs. It leaves jobs unchanged that were erased already or have nothing to erase,
    including V(skipped) jobs. It refuses unfinished jobs and trigger jobs.
  - O(action=keep_artifacts) acts on ended jobs whose artifacts expire. It leaves ended jobs unchanged if nothing
    expires. It refuses jobs whose archive is missing or has already expired, and V(skipped), unfinished and trigger
    jobs.
  - O(action=delete_artifacts) acts on jobs in any status that have artifacts other than the log. It leaves other jobs
    unchanged, and refuses trigger jobs. With O(whole_project=true) it reads no jobs.
  - Trigger jobs cannot be selected by ID. They can be played unless they are V(scheduled), and retried in GitLab 17.0
    and later. GitLab supports no other actions on them; use O(include_downstream=true) to act on the jobs of their
    downstream pipelines.
  - Archived jobs cannot be played or retried, and their artifacts cannot be kept. Start a new pipeline instead.
  - O(wait) has no effect with O(action=erase), O(action=keep_artifacts) and O(action=delete_artifacts), which are done
    when GitLab answers.
  - If the connection breaks, or an error does not show whether GitLab executed the request, the task reads the job
    again and decides again. A lost answer never starts a job twice.
  - A project can reserve job variables for Maintainers or Owners, or forbid them
    (C(ci_pipeline_variables_minimum_override_role)). GitLab then answers V(403 Forbidden) to O(action=play) with
    O(job_variables), and the job stays V(manual). Playing the job without variables still works.
  - Only users who are allowed to deploy to a protected environment can play, retry, cancel or erase jobs that deploy to
    it, whatever their role. Other users get V(403 Forbidden). The same applies to jobs of a protected branch or tag to
    which the user cannot push or merge, and to deployments older than the last successful one if the project prevents
    outdated deployments.
  - While a deployment waits for approvals, its job is V(manual). O(action=play) refuses the job, or waits with
    O(wait_for_approval=true). The job of a rejected deployment is V(failed), and GitLab does not start it anymore.
  - GitLab may answer O(action=play) or O(action=retry) with a conflict (status 409) although the action was done, for
    example when a proxy sends the request twice. If the job shows the effect, and its user is the user of the token,
    the task reports a change, even if another task with the same token was faster. Only then does the task read the
    user of the token.
  - The user of the token needs the Developer role, or the Maintainer role to delete artifacts or to erase a job that
    another user started.
seealso:
  - module: jobgate.gitlab.gitlab_job_info
  - module: jobgate.gitlab.gitlab_deployment_approval
  - module: jobgate.gitlab.gitlab_deployment_info
  - module: jobgate.gitlab.gitlab_pipeline_bridges
  - plugin: jobgate.gitlab.gitlab_job
    plugin_type: lookup
  - name: Jobs API
    description: GitLab's documentation of the requests that act on jobs.
    link: https://docs.gitlab.com/api/jobs/
"""

EXAMPLES = r"""
- name: Deploy to staging and wait until the job succeeds
  jobgate.gitlab.gitlab_job_action:
    project: group/app
    ref: main
    name: deploy:staging
    action: play
    wait: true
    wait_for: success

- name: Deploy a release to production after its tests, with the version as a variable
  jobgate.gitlab.gitlab_job_action:
    api_token: "{{ lookup('ansible.builtin.env', 'GITLAB_TOKEN') }}"
    project: group/app
    ref: v1.2.0
    sha: "{{ release_commit }}"
    name: deploy:prod
    action: play
    job_variables:
      RELEASE: v1.2.0
      DRY_RUN: false
    wait: true
    wait_timeout: 7200
    wait_interval: 30
    pending_timeout: 600
    log_lines: 100

- name: Deploy to production after all approvals, within a day
  jobgate.gitlab.gitlab_job_action:
    project: group/app
    ref: main
    name: deploy:prod
    action: play
    wait_for_approval: true
    wait: true
    wait_timeout: 86400
    wait_interval: 60

- name: Start the deployment again if it failed or was canceled last time
  jobgate.gitlab.gitlab_job_action:
    project: group/app
    pipeline_id: 6
    name: deploy:prod
    action: play
    replay: failed
    wait: true

- name: Deploy and show the log of the job while it runs
  jobgate.gitlab.gitlab_job_action:
    project: group/app
    ref: main
    name: deploy:prod
    action: play
    wait: true
    log_follow: true

- name: Play a job with inputs and wait until it starts
  jobgate.gitlab.gitlab_job_action:
    project: group/app
    ref: main
    name: smoke-test
    action: play
    job_inputs:
      browser: firefox
    wait: true
    wait_for: started

- name: Retry a flaky job after runner faults, up to three attempts in total
  jobgate.gitlab.gitlab_job_action:
    project: group/app
    ref: main
    name: integration
    action: retry
    retry_on:
      - runner_system_failure
      - stuck_or_timeout_failure
    max_attempts: 3
    wait: true

- name: Retry two jobs of a matrix
  jobgate.gitlab.gitlab_job_action:
    project: group/app
    pipeline_id: 6
    name:
      - "test: [py311, linux]"
      - "test: [py312, linux]"
    action: retry

- name: Run a successful scan again
  jobgate.gitlab.gitlab_job_action:
    project: group/app
    ref: main
    name: scan:*
    multiple: latest
    action: retry
    force: true

- name: Apply the infrastructure in a child pipeline
  jobgate.gitlab.gitlab_job_action:
    project: group/app
    ref: main
    name: trigger:infra/apply
    include_downstream: true
    action: play
    wait: true

- name: Play the review jobs of a merge request, and ignore allowed failures
  jobgate.gitlab.gitlab_job_action:
    project: group/app
    merge_request: 17
    name: review:*
    multiple: all
    action: play
    wait: true
    fail_on:
      - failed
    ignore_allowed_failures: true
  register: reviews

- name: Show the outcome of each job
  ansible.builtin.debug:
    msg: "{{ item.name }} {{ item.outcome }}, now {{ item.after.status }}"
  loop: "{{ reviews.results }}"
  loop_control:
    label: "{{ item.name }}"

- name: Cancel all waiting jobs of the deploy stage
  jobgate.gitlab.gitlab_job_action:
    project: group/app
    ref: main
    stage: deploy
    scope:
      - created
      - manual
      - pending
    multiple: all
    action: cancel

- name: Play a long job and cancel it if it has not ended after half an hour
  jobgate.gitlab.gitlab_job_action:
    project: group/app
    ref: main
    name: load-test
    action: play
    wait: true
    wait_timeout: 1800
    on_timeout: cancel

- name: Cancel unneeded test jobs, if any are listed
  jobgate.gitlab.gitlab_job_action:
    project: group/app
    ref: main
    ref_type: branch
    pipeline_source: push
    name: "{{ unneeded_tests | default([]) }}"
    allow_empty: true
    multiple: all
    action: cancel

- name: Play all review jobs and return only a few fields of each
  jobgate.gitlab.gitlab_job_action:
    project: group/app
    merge_request: 17
    name: review:*
    multiple: all
    action: play
    fields: [id, name, status, user.username]

- name: Erase a job that has printed a secret
  jobgate.gitlab.gitlab_job_action:
    project: group/app
    job_id: 42
    action: erase

- name: Keep the artifacts of a release
  jobgate.gitlab.gitlab_job_action:
    project: group/app
    ref: v1.2.0
    name: build
    action: keep_artifacts

- name: Delete the artifacts of old test jobs, but keep their logs
  jobgate.gitlab.gitlab_job_action:
    project: group/app
    pipeline_id: 5
    stage: test
    multiple: all
    action: delete_artifacts

- name: Delete all artifacts of an inactive project
  jobgate.gitlab.gitlab_job_action:
    project: group/old-app
    action: delete_artifacts
    whole_project: true

- name: Release with a change freeze extension, on a self-managed server
  module_defaults:
    group/jobgate.gitlab.gitlab:
      api_url: https://gitlab.example.com
      api_oauth_token: "{{ gitlab_oauth_token }}"
      ca_path: /etc/ssl/certs/example-ca.pem
      client_cert: /etc/ssl/private/ci.pem
      client_key: /etc/ssl/private/ci.key
      http_headers:
        X-Gateway-Pass: "{{ gateway_pass }}"
      extensions:
        - change_freeze
  block:
    - name: Wait for the tests
      jobgate.gitlab.gitlab_job_info:
        project: group/app
        ref: v1.2.0
        stage: test
        wait: true
        wait_for: success

    - name: Deploy
      jobgate.gitlab.gitlab_job_action:
        project: group/app
        ref: v1.2.0
        name: deploy:prod
        action: play
        wait: true

- name: Play a job on a test server, without repeating failed requests
  jobgate.gitlab.gitlab_job_action:
    api_url: https://localhost:8443/gitlab
    validate_certs: false
    api_timeout: 5
    api_retries: 0
    api_concurrency: 1
    api_requests_per_minute: 300
    project: 1
    pipeline_id: 6
    name: deploy:staging
    action: play
"""

RETURN = r"""
msg:
  description: In check mode, what would be done. If the task fails, why.
  type: str
  returned: in check mode, and when the task fails
  sample: would play job 'deploy:prod' (id 42)
jobs:
  description:
    - Newest attempt of each job after the action, newest first. Fields that are not listed here are returned as GitLab
      sends them.
    - In check mode, the jobs as they are. Empty with O(whole_project=true).
    - With O(fields), and in a failure, only some of their fields.
  type: list
  elements: dict
  returned: always
  sample:
    - id: 42
      name: deploy:prod
      stage: deploy
      status: success
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
      sample: success
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
      description: User who started the job. After the action, the user of the token.
      type: dict
      returned: always
      sample:
        id: 3
        username: release-bot
    pipeline:
      description: Pipeline of the job.
      type: dict
      returned: always
      sample:
        id: 6
        project_id: 1
        ref: v1.2.0
        status: success
    runner:
      description: Runner that picked up the job. V(null) until then.
      type: dict
      returned: always, except for trigger jobs
      sample:
        id: 32
        description: shared-runner-1
    tag_list:
      description: Tags that a runner needs to pick up the job.
      type: list
      elements: str
      returned: always, except for trigger jobs and on very old servers
      sample: ["linux"]
    artifacts:
      description: Files that the job has stored, including the log (C(file_type) V(trace)).
      type: list
      elements: dict
      returned: always, except for trigger jobs
      sample:
        - file_type: trace
          filename: job.log
          size: 1500
    artifacts_expire_at:
      description: When the artifacts expire. V(null) if they do not expire.
      type: str
      returned: always, except for trigger jobs
      sample: null
    downstream_pipeline:
      description: Pipeline that the trigger job started. V(null) until then.
      type: dict
      returned: for trigger jobs, if GitLab returns it
      sample:
        id: 7
        project_id: 2
        status: running
    log_tail:
      description: Last lines of the log.
      type: list
      elements: str
      returned: in a failure, if O(log_lines) is not V(0) and the log can be read
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
  description:
    - The job, with the same fields as in RV(jobs), if exactly one was chosen.
    - V(null) otherwise, and in a failure, where only RV(jobs) contains it.
  type: dict
  returned: always
  sample:
    id: 42
    name: deploy:prod
    status: success
pipeline:
  description:
    - Pipeline in which the jobs were selected, or to which O(job_id) belongs, in its last known state. Fields that are
      not listed here are returned as GitLab sends them.
    - V(null) with O(whole_project=true), and if there is no pipeline.
  type: dict
  returned: always
  sample:
    id: 6
    source: push
    ref: v1.2.0
    status: success
    web_url: https://gitlab.example.com/group/app/-/pipelines/6
  contains:
    id:
      description: ID of the pipeline.
      type: int
      returned: always
      sample: 6
    source:
      description: What started the pipeline, such as V(push), V(schedule), V(web) or V(merge_request_event).
      type: str
      returned: always, in GitLab 14.1 and later
      sample: push
    ref:
      description: Branch or tag of the pipeline.
      type: str
      returned: always
      sample: v1.2.0
    status:
      description: Status of the pipeline.
      type: str
      returned: always
      sample: success
    web_url:
      description: URL of its page.
      type: str
      returned: always, except on very old servers
      sample: https://gitlab.example.com/group/app/-/pipelines/6
results:
  description:
    - What was done with each job. The task tries every job before it fails.
    - With O(whole_project=true), one entry for the project.
  type: list
  elements: dict
  returned: always
  sample:
    - name: deploy:prod
      outcome: applied
      reason: ""
      before:
        id: 42
        status: manual
      after:
        id: 42
        status: success
  contains:
    name:
      description:
        - Name of the job. In a downstream pipeline, the names of the trigger jobs that lead to it precede the name.
        - With O(whole_project=true), the value of O(project).
      type: str
      returned: always
      sample: deploy:prod
    outcome:
      description:
        - V(applied) when the action was done, or would be in check mode.
        - V(unchanged) when the job was left unchanged.
        - V(refused) when the action is impossible, or GitLab refused it.
        - V(failed) when the action failed for another reason, or the job did not end as required.
      type: str
      returned: always
      sample: applied
    reason:
      description: Reason for the outcome, and what to do about it. May be empty if the action was done.
      type: str
      returned: always
      sample: it has already succeeded
    before:
      description: The job before the action. With O(whole_project=true), the values are V(null).
      type: dict
      returned: always
      sample:
        id: 42
        status: manual
      contains:
        id:
          description: ID of the job.
          type: int
          returned: always
          sample: 42
        status:
          description: Status of the job.
          type: str
          returned: always
          sample: manual
    after:
      description:
        - Last known state of the job. In check mode, the expected state.
        - With O(whole_project=true), the values are V(null).
      type: dict
      returned: always
      sample:
        id: 42
        status: success
      contains:
        id:
          description:
            - ID of the job. Retrying a job, or playing an ended one, creates a new ID, which is V(null) in check mode.
          type: int
          returned: always
          sample: 42
        status:
          description: Status of the job.
          type: str
          returned: always
          sample: success
id:
  description: Same as RV(results[].after.id), if exactly one job was chosen. V(null) otherwise.
  type: int
  returned: always
  sample: 42
status:
  description: Same as RV(results[].after.status), if exactly one job was chosen. V(null) otherwise.
  type: str
  returned: always
  sample: success
web_url:
  description: Same as RV(jobs[].web_url), if exactly one job was chosen. V(null) otherwise.
  type: str
  returned: always
  sample: https://gitlab.example.com/group/app/-/jobs/42
queued:
  description:
    - Same as RV(jobs[].queued_duration), if exactly one job was chosen. V(null) otherwise.
  type: float
  returned: always
  sample: 70.1
elapsed:
  description: Duration of the task in seconds.
  type: float
  returned: always
  sample: 224.518
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
    - Status changes of the jobs during the task, in order. The first entry of a job is its initial status.
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
      to: manual
    - at: "2026-03-02T09:15:03.480Z"
      seconds: 0.67
      id: 42
      name: deploy:prod
      from: manual
      to: pending
  contains:
    at:
      description: Time of the change, in UTC.
      type: str
      returned: always
      sample: "2026-03-02T09:15:03.480Z"
    seconds:
      description: The same time, in seconds since the task started.
      type: float
      returned: always
      sample: 0.67
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
      sample: manual
    to:
      description: New status.
      type: str
      returned: always
      sample: pending
diff:
  description:
    - Status and ID of each job before and after, one job per line, as C(--diff) shows them. If the action does not
      change the status, the line also says what was done.
    - With O(whole_project=true), one line for the project.
  type: dict
  returned: always
  sample:
    before: "deploy:prod: manual (id 42)\n"
    after: "deploy:prod: success (id 42)\n"
  contains:
    before:
      description: The jobs before the action.
      type: str
      returned: always
      sample: "deploy:prod: manual (id 42)\n"
    after:
      description: Last known state of the jobs. In check mode, the expected state.
      type: str
      returned: always
      sample: "deploy:prod: success (id 42)\n"
"""

from ansible_collections.jobgate.gitlab.plugins.module_utils._ansible.module_face import run_module
from ansible_collections.jobgate.gitlab.plugins.module_utils._tasks.gitlab_job_action import TASK


def main() -> None:
    run_module(TASK)


if __name__ == "__main__":
    main()
