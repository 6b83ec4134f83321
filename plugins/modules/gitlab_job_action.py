#!/usr/bin/python

# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The documentation of the module, and its way to the task."""

from __future__ import annotations

DOCUMENTATION = r"""
module: gitlab_job_action
version_added: 0.1.0
short_description: Play, retry, cancel or erase GitLab CI jobs, and keep or delete their artifacts
description:
  - Plays, retries, cancels or erases jobs of a pipeline, and keeps or deletes their artifacts.
  - Each job is read first. A job that the action would not change is left alone. A job for which the action is not
    possible, or would do something else than it seems, is refused, with the reason and what to do instead. The notes
    say what happens in which status.
  - With O(wait=true) the task ends when the job has, and fails with the end of its log if that went wrong.
  - It acts on jobs of pipelines that exist, or that appear while it waits. To start a pipeline, use
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
      - Everything is read and decided as in a real run, and nothing is sent. RV(ignore:changed) is what the real run
        would report. Whether GitLab lets the user of the token do it is known only when it is asked to.
      - RV(msg) says what would be done with which job.
      - Nothing waits. For a V(created) job that a real run with O(wait=true) would wait for and play, the prediction is
        V(true).
      - GitLab does not tell whether a job that has ended is a manual one. With O(replay), the prediction is V(true) for
        any that O(replay) allows.
      - For O(action=play) of a job that is V(manual), or with O(wait=true) V(created), the approvals of its deployment
        are read as well, so that missing approvals are reported. That costs one request, and one more for each job that
        deploys.
  diff_mode:
    support: full
    details:
      - Shows id and status of each job before and after. In check mode, the status after is the expected one.
  idempotent:
    support: partial
    details:
      - A job that is under way, or that has succeeded, is not played or retried a second time. A canceled or erased one
        is not canceled or erased again.
      - O(action=retry) acts again on a job that has failed again, and O(replay) and O(force) ask for a new run each
        time.
      - O(whole_project) sends its request each time, since GitLab does not tell whether anything was left to delete.
options:
  action:
    description:
      - What to do. The notes say for each action on which jobs it acts, and which it leaves alone or refuses.
      - V(play) starts a manual job, or a delayed one before its time.
      - V(retry) starts a new attempt of a job that has ended.
      - V(cancel) stops a job, or keeps it from starting.
      - V(erase) removes log and artifacts of a job that has ended. There is no way back.
      - V(keep_artifacts) takes the expiry date off the artifacts.
      - V(delete_artifacts) removes the artifacts and leaves the log. With O(whole_project=true), those of all jobs of
        the project.
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
      - Id of one job, as in the address of its page. It needs no pipeline, and excludes all other options that choose a
        pipeline or a job in it.
      - The id of an attempt that has been retried since stands for the newest attempt of that job.
      - Trigger jobs cannot be found by their id; choose them by name.
  multiple:
    description:
      - What to do when one of the O(name) entries, or O(stage) and O(scope) without a name, stands for several jobs.
      - V(error) does nothing and lists them. Two entries that are the exact names of two jobs are not such a case; both
        jobs are meant.
      - V(latest) takes the one with the highest id.
      - V(all) takes every one. All are tried before the task fails, and RV(results) tells how each went.
    type: str
    choices:
      - error
      - latest
      - all
    default: error
  job_variables:
    description:
      - Variables for the job that O(action=play) starts. They are visible on the page of the job in GitLab, so they are
        not a place for secrets.
      - A dictionary of names and values, or a list of dictionaries with C(key) and C(value), as GitLab's API has them.
        Nothing, V(null) and an empty dictionary are the same.
      - Names have letters, digits and underscores, 255 at the most.
      - Numbers become strings, booleans become V(true) and V(false). Put versions in quotes, since YAML reads C(1.10)
        as the number 1.1. Lists and dictionaries are refused, since GitLab
        takes text only; use the P(ansible.builtin.to_json#filter) filter if the job can read that.
      - Their values are not returned. Where GitLab shows one of eight characters or more, such as in an error, a log or
        the name of a job, it is masked, unless another option of the task shows it as well. What is masked cannot be
        used as a name in another task.
      - Not for trigger jobs, where GitLab drops them, and not together with O(replay) for a job that has ended, where
        GitLab would use the variables of the earlier run instead. Both are refused.
      - A job that is under way or has succeeded is left alone, whatever variables it was started with. GitLab does not
        tell them, so they are not compared.
      - Servers before GitLab 14.9 silently ignore them.
    type: raw
  job_inputs:
    description:
      - Values for the inputs that the job declares, for O(action=play) and O(action=retry).
      - They keep their types, which are text, number, boolean and list. A value of a template is a text in Ansible
        before 2.19, unless C(jinja2_native) is set.
      - Needs GitLab 18.10; older servers silently ignore them. An input that the job does not declare is an error from
        GitLab, and the job stays as it is.
      - They are not returned, and masked as O(job_variables) are.
      - With O(action=play), not for trigger jobs, where GitLab drops them, and not together with O(replay) for a job
        that has ended, where GitLab would use the inputs of the earlier run instead. Both are refused. For a job that
        has ended, O(action=retry) takes them.
    type: dict
  replay:
    description:
      - Whether O(action=play) may start a manual or delayed job again that has already ended.
      - V(never) leaves a job alone that has succeeded, and refuses one that has failed or was canceled.
      - V(failed) starts it again if it has failed or was canceled.
      - V(always) starts it again if it has succeeded, too. A deployment then runs at every run of the playbook.
      - Not for trigger jobs; retry these.
      - GitLab does not tell which jobs are manual or delayed once they have ended, so that check mode predicts a change
        for all of them. GitLab refuses to play any other job.
    type: str
    choices:
      - never
      - failed
      - always
    default: never
  retry_on:
    description:
      - Retry only if the job failed for one of these reasons, in GitLab's words, such as V(runner_system_failure),
        V(stuck_or_timeout_failure), V(api_failure) or V(job_execution_timeout). See RV(jobs[].failure_reason).
      - V(stuck_or_timeout_failure) stands also for the four reasons that GitLab 19.1 and later give instead, as in
        C(retry:when) of GitLab's own configuration.
      - A reason that is almost a known one is an error. Any other that this collection does not know is a warning;
        newer servers may have it.
      - It keeps a broken test (V(script_failure)) from being retried until it passes by chance. A job that failed
        otherwise, was canceled or is being canceled, is refused.
      - Without it, and with an empty list, any reason counts.
      - For O(action=retry), and for the retries that O(max_attempts) adds to O(action=play).
    type: list
    elements: str
    default: []
  max_attempts:
    description:
      - Keep retrying a job that fails, up to this many attempts in all. All attempts that the job has had in its
        pipeline count, earlier ones included.
      - A job that has had that many is not retried. With O(retry_on), only failures with these reasons are tried again.
      - When it is not set, the action is done once, and its outcome is the outcome of the task.
      - Needs O(wait=true). For O(action=retry) and O(action=play).
    type: int
  force:
    description:
      - With O(action=retry), run a job again that has succeeded.
      - With O(action=cancel), end a job that is V(canceling) without waiting for its C(after_script). This needs the
        Maintainer role and GitLab 17.11. A job that is merely running is canceled in the ordinary way.
    type: bool
    default: false
  whole_project:
    description:
      - With O(action=delete_artifacts), delete the artifacts of all jobs of O(project), of every pipeline it has ever
        had. There is no way back.
      - GitLab keeps the artifacts of the latest successful pipeline of each branch and tag, and all logs. It marks the
        others as expired and removes them later, so they may still be there for a while when the task has ended.
      - Without it, O(action=delete_artifacts) wants a selection of jobs like any other action, so that a forgotten
        O(name) deletes nothing. With it, every option that chooses a pipeline or jobs is an error, and so is any other
        O(action).
      - RV(ignore:changed) is always V(true), in check mode as well, since GitLab does not tell whether anything was
        left to delete.
      - Needs the Maintainer role. Very old servers cannot do it, which is an error.
    type: bool
    default: false
  wait_for_approval:
    description:
      - Whether O(action=play) waits for a job whose deployment waits for approvals. It waits within O(wait_timeout),
        also without O(wait), and then plays the job once. The lines that are shown meanwhile say who still has to
        approve.
      - GitLab itself starts the job after the last approval where the environment only says how many approvals it needs
        (the old setting). The job is then found under way and left alone, so that O(job_variables) have no effect. With
        approval rules it has to be played.
      - A rejection ends the wait at once, with the name of who has rejected it.
      - By default such a job is refused, and the failure says who still has to approve.
      - Needs GitLab 14.8 with Premium. Without it no deployment waits for approvals, and the option changes nothing.
        Each poll costs one request for each job that waits.
      - To give an approval, use M(jobgate.gitlab.gitlab_deployment_approval).
    type: bool
    default: false
  wait_for:
    description:
      - What each of the jobs has to reach after the action. With several entries, any one of them is enough.
      - V(playable) is a job that is V(manual) or V(scheduled), or already past that.
      - V(started) is a job that is V(running), or already past that.
      - V(finished) is a job that is V(success), V(failed), V(canceled) or V(skipped).
      - V(success) is a job that has succeeded.
      - When a job has ended and can no longer reach what is asked for, the task fails at once and says so.
      - Can only be used with O(wait=true). When it is not set, the end is waited for, as with V(finished).
    type: list
    elements: str
    choices:
      - playable
      - started
      - finished
      - success
  on_timeout:
    description:
      - What to do when O(wait_timeout) has passed.
      - V(fail) fails the task and leaves the jobs as they are.
      - V(cancel) cancels those jobs that the task still waits for, and then fails the task. It takes up to ten seconds
        more. Trigger jobs cannot be canceled through GitLab's API and are left as they are.
      - V(continue) lets the task succeed with RV(timed_out) set to V(true), for playbooks that decide by themselves.
    type: str
    choices:
      - fail
      - cancel
      - continue
    default: fail
  fail_on:
    description:
      - End states of a job that fail the task, after the action was done and waited for. An empty list accepts any end.
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
      - When a job fails the task, or the action is refused for a job that has failed, how many lines from the end of
        its log to return with the failure, as RV(jobs[].log_tail). Colour codes and section marks are removed. The last
        line is also part of the failure message. V(0) reads no log. Of more than 50 jobs, the logs of 50 are read.
      - Secrets that GitLab has not masked in the log are not masked here either.
    type: int
    default: 20
  fields:
    description:
      - Keep only these fields of each job in RV(jobs) and RV(job). A dot reaches inside, as in V(pipeline.id) or
        V(user.username), and the result is nested in the same way. A field that GitLab did not send is left out.
      - Without it, a success returns the whole jobs. A failure, which Ansible prints, returns what explains it, that is
        id, name, stage, status, C(failure_reason), C(allow_failure), address and times. RV(jobs[].log_tail) comes with
        either.
      - It changes neither which jobs are chosen, nor what extensions are shown.
    type: list
    elements: str
    default: []
notes:
  - The job is O(job_id), or it is found in a pipeline with at least one of O(name), O(stage) and O(scope). One of
    O(job_id), O(pipeline_id), O(ref), O(sha) and O(merge_request) is required. With O(whole_project=true) there is none
    of them.
  - In the following, "under way" is V(waiting_for_resource), V(preparing), V(waiting_for_callback), V(pending) and
    V(running); "ended" is V(success), V(failed) and V(canceled). What is left alone is reported with
    RV(ignore:changed=false).
  - O(action=play) acts on jobs that are V(manual) or V(scheduled), with O(wait=true) also on V(created) ones when their
    turn comes, and on ended ones as far as O(replay) allows; leaves alone jobs under way, and V(success) unless
    O(replay=always); refuses V(created) without O(wait), V(canceling), V(skipped), and with O(replay=never) also
    V(failed) and V(canceled).
  - O(action=retry) acts on jobs that are V(failed) or V(canceled), as far as O(retry_on) allows, with O(wait=true) also
    on V(canceling) ones when they have ended, and with O(force=true) on V(success); leaves alone jobs under way, and
    V(success) without O(force); refuses V(created), V(manual) and V(scheduled), which never ran and want
    O(action=play), V(canceling) without O(wait) or with O(retry_on), and V(skipped).
  - O(action=cancel) acts on jobs that are V(created), V(manual), V(scheduled) or under way, and with O(force=true) on
    V(canceling); leaves alone V(canceling), V(skipped) and ended jobs; refuses trigger jobs.
  - O(action=erase) acts on jobs that have ended; leaves alone those that were erased already or have nothing to
    erase, V(skipped) ones among them; refuses all that have not ended, and trigger jobs.
  - O(action=keep_artifacts) acts on jobs that have ended and whose artifacts expire; leaves alone those where nothing
    expires; refuses V(skipped), all that have not ended, and trigger jobs.
  - O(action=delete_artifacts) acts on jobs in any status that have artifacts other than the log; leaves alone the
    others; refuses trigger jobs. With O(whole_project=true) no job is looked at.
  - Trigger jobs are found by name and can be played unless they are V(scheduled), and from GitLab 17.0 on retried.
    GitLab offers nothing else for them; act on the jobs of their downstream pipelines, with
    O(include_downstream=true).
  - Archived jobs cannot be played or retried, nor told to keep their artifacts. Start a new pipeline instead.
  - O(wait) has no effect for O(action=erase), O(action=keep_artifacts) and O(action=delete_artifacts), which are done
    when GitLab answers.
  - Lost answers. When the connection breaks, or GitLab answers with an error that leaves it open whether the request
    was executed, the job is read again and the decision made anew. A job is not started twice because an answer was
    lost.
  - Job variables. A project can reserve variables for Maintainers, Owners, or nobody
    (C(ci_pipeline_variables_minimum_override_role)). GitLab then answers V(403 Forbidden) to a play with
    O(job_variables), and the job stays V(manual). The same play without variables is not affected.
  - Protected environments. A job that deploys to one can be played, retried, canceled or erased only by those whom the
    environment admits, whatever their role; others get V(403 Forbidden). The same holds for jobs of a protected branch
    or tag that the user may not push or merge to, and for a deployment that is older than the last successful one where
    the project forbids that.
  - Approvals. While a deployment waits for approvals, its job is V(manual) and O(action=play) is refused, or waits with
    O(wait_for_approval=true). A job whose deployment was rejected is V(failed); GitLab starts it no more.
  - GitLab may answer O(action=play) or O(action=retry) with a conflict (status 409) though it was done, such as when a
    proxy sends the request twice. When the job shows the effect, and its user is the one of the token, this counts as a
    change. It does so as well when another task with the same token was faster. The user of the token is asked for only
    then.
  - The user of the token needs the Developer role. To delete artifacts, or to erase a job that somebody else has
    started, it needs the Maintainer role.
seealso:
  - module: jobgate.gitlab.gitlab_job_info
  - module: jobgate.gitlab.gitlab_deployment_approval
  - module: jobgate.gitlab.gitlab_deployment_info
  - module: jobgate.gitlab.gitlab_pipeline_bridges
  - plugin: jobgate.gitlab.gitlab_job
    plugin_type: lookup
  - name: Jobs API
    description: What GitLab says about acting on jobs.
    link: https://docs.gitlab.com/api/jobs/
"""

EXAMPLES = r"""
- name: Deploy to staging, and go on when it is there
  jobgate.gitlab.gitlab_job_action:
    project: group/app
    ref: main
    name: deploy:staging
    action: play
    wait: true
    wait_for: success

- name: Deploy a release to production as soon as its tests allow, with the version as a variable
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

- name: Deploy to production when everybody has approved, within a day
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

- name: Deploy, and show what the deployment says while it runs
  jobgate.gitlab.gitlab_job_action:
    project: group/app
    ref: main
    name: deploy:prod
    action: play
    wait: true
    log_follow: true

- name: Play a job that takes inputs, and only see it start
  jobgate.gitlab.gitlab_job_action:
    project: group/app
    ref: main
    name: smoke-test
    action: play
    job_inputs:
      browser: firefox
    wait: true
    wait_for: started

- name: Retry a flaky job, three attempts in all, but only when the runner is to blame
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

- name: Retry two cells of a matrix
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

- name: Play the reviews of a merge request, where the optional ones may fail
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

- name: Tell how each went
  ansible.builtin.debug:
    msg: "{{ item.name }} {{ item.outcome }}, now {{ item.after.status }}"
  loop: "{{ reviews.results }}"
  loop_control:
    label: "{{ item.name }}"

- name: Cancel everything that still waits in the deploy stage
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

- name: Play a long job, and cancel it if it has not ended after half an hour
  jobgate.gitlab.gitlab_job_action:
    project: group/app
    ref: main
    name: load-test
    action: play
    wait: true
    wait_timeout: 1800
    on_timeout: cancel

- name: Cancel the tests that nobody needs any more, if any are named
  jobgate.gitlab.gitlab_job_action:
    project: group/app
    ref: main
    ref_type: branch
    pipeline_source: push
    name: "{{ unneeded_tests | default([]) }}"
    allow_empty: true
    multiple: all
    action: cancel

- name: Play all reviews, and return little of each
  jobgate.gitlab.gitlab_job_action:
    project: group/app
    merge_request: 17
    name: review:*
    multiple: all
    action: play
    fields: [id, name, status, user.username]

- name: Erase the job that has printed too much
  jobgate.gitlab.gitlab_job_action:
    project: group/app
    job_id: 42
    action: erase

- name: Keep what was released
  jobgate.gitlab.gitlab_job_action:
    project: group/app
    ref: v1.2.0
    name: build
    action: keep_artifacts

- name: Delete the artifacts of old test runs, and leave the logs
  jobgate.gitlab.gitlab_job_action:
    project: group/app
    pipeline_id: 5
    stage: test
    multiple: all
    action: delete_artifacts

- name: Free the space of all old artifacts of a project that nobody works on any more
  jobgate.gitlab.gitlab_job_action:
    project: group/old-app
    action: delete_artifacts
    whole_project: true

- name: Release under the rules of a change freeze, on a server of our own
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

- name: Play a job of a test server, and lose no time on faults
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
  description: In check mode what would be done. When the task fails, why.
  type: str
  returned: in check mode, and when the task fails
  sample: would play job 'deploy:prod' (id 42)
jobs:
  description:
    - The newest attempt of each job after the action, newest first, in GitLab's own words. Fields not listed here are
      passed on as the server sends them.
    - In check mode, the jobs as they are. With O(whole_project=true) there are none.
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
      sample: success
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
      description: Who started it. After the action, the user of the token.
      type: dict
      returned: always
      sample:
        id: 3
        username: release-bot
    pipeline:
      description: The pipeline it belongs to.
      type: dict
      returned: always
      sample:
        id: 6
        project_id: 1
        ref: v1.2.0
        status: success
    runner:
      description: The runner that took it, V(null) before that.
      type: dict
      returned: always, except for trigger jobs
      sample:
        id: 32
        description: shared-runner-1
    tag_list:
      description: The tags that a runner must have to take it.
      type: list
      elements: str
      returned: always, except for trigger jobs and by very old servers
      sample: ["linux"]
    artifacts:
      description: The files it has left. The log is one of them, with C(file_type) V(trace).
      type: list
      elements: dict
      returned: always, except for trigger jobs
      sample:
        - file_type: trace
          filename: job.log
          size: 1500
    artifacts_expire_at:
      description: When its artifacts are removed, V(null) if never.
      type: str
      returned: always, except for trigger jobs
      sample: null
    downstream_pipeline:
      description: The pipeline that a trigger job has started, V(null) before that.
      type: dict
      returned: for trigger jobs, when GitLab has told
      sample:
        id: 7
        project_id: 2
        status: running
    log_tail:
      description: The last lines of its log.
      type: list
      elements: str
      returned: with a failure, as O(log_lines) says, when the log can be read
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
  description:
    - The job, with the same fields as in RV(jobs), when exactly one was chosen; else V(null).
    - V(null) in a failure, too, where RV(jobs) has it.
  type: dict
  returned: always
  sample:
    id: 42
    name: deploy:prod
    status: success
pipeline:
  description:
    - The pipeline that the jobs were looked for in, or that O(job_id) belongs to, as it was seen last. Fields not
      listed here are passed on as the server sends them.
    - V(null) with O(whole_project=true), and when there was none.
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
      description: Its id.
      type: int
      returned: always
      sample: 6
    source:
      description: What started it, such as V(push), V(schedule), V(web) or V(merge_request_event).
      type: str
      returned: always, except by servers before 14.1
      sample: push
    ref:
      description: Branch or tag.
      type: str
      returned: always
      sample: v1.2.0
    status:
      description: Its status.
      type: str
      returned: always
      sample: success
    web_url:
      description: Its page.
      type: str
      returned: always, except by very old servers
      sample: https://gitlab.example.com/group/app/-/pipelines/6
results:
  description:
    - What was done with each job. With several jobs all are tried, and a failure of the task lists each.
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
        - Name of the job. In a downstream pipeline, the names of the trigger jobs that lead to it come before it.
        - With O(whole_project=true), the project as it was given.
      type: str
      returned: always
      sample: deploy:prod
    outcome:
      description:
        - V(applied) when the action was done, or would be in check mode.
        - V(unchanged) when the job was left alone.
        - V(refused) when the action is not possible, or GitLab has refused it.
        - V(failed) when it could not be done for another reason, or the job did not end as it should.
      type: str
      returned: always
      sample: applied
    reason:
      description: Why, in words, and what to do about it. Can be empty when the action was done.
      type: str
      returned: always
      sample: it has already succeeded
    before:
      description: The job as it was found. With O(whole_project=true), its values are V(null).
      type: dict
      returned: always
      sample:
        id: 42
        status: manual
      contains:
        id:
          description: Its id.
          type: int
          returned: always
          sample: 42
        status:
          description: Its status.
          type: str
          returned: always
          sample: manual
    after:
      description:
        - The job as it was seen last. In check mode, what is expected.
        - With O(whole_project=true), its values are V(null).
      type: dict
      returned: always
      sample:
        id: 42
        status: success
      contains:
        id:
          description:
            - Its id. A retry, and playing a job that has ended, make a new one, which is V(null) in check mode.
          type: int
          returned: always
          sample: 42
        status:
          description: Its status.
          type: str
          returned: always
          sample: success
id:
  description: Short for RV(results[].after.id), when exactly one job was chosen; else V(null).
  type: int
  returned: always
  sample: 42
status:
  description: Short for RV(results[].after.status), when exactly one job was chosen; else V(null).
  type: str
  returned: always
  sample: success
web_url:
  description: Short for RV(jobs[].web_url), when exactly one job was chosen; else V(null).
  type: str
  returned: always
  sample: https://gitlab.example.com/group/app/-/jobs/42
queued:
  description:
    - Seconds that the job was in the queue, as GitLab counts them in RV(jobs[].queued_duration), when exactly one job
      was chosen; else V(null).
  type: float
  returned: always
  sample: 70.1
elapsed:
  description: Seconds that the task took.
  type: float
  returned: always
  sample: 224.518
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
    - What happened to the jobs while the task ran, in order. The first entry of a job is how it was found.
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
      to: manual
    - at: "2026-03-02T09:15:03.480Z"
      seconds: 0.67
      id: 42
      name: deploy:prod
      from: manual
      to: pending
  contains:
    at:
      description: When it was seen, in UTC.
      type: str
      returned: always
      sample: "2026-03-02T09:15:03.480Z"
    seconds:
      description: Seconds since the task began.
      type: float
      returned: always
      sample: 0.67
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
      sample: manual
    to:
      description: Its new status.
      type: str
      returned: always
      sample: pending
diff:
  description:
    - Status and id of each job before and after, one line each, as C(--diff) shows them. An action that leaves the
      status as it is has its own words after them.
    - With O(whole_project=true), one line for the project.
  type: dict
  returned: always
  sample:
    before: "deploy:prod: manual (id 42)\n"
    after: "deploy:prod: success (id 42)\n"
  contains:
    before:
      description: The jobs as they were found.
      type: str
      returned: always
      sample: "deploy:prod: manual (id 42)\n"
    after:
      description: The jobs as they were seen last. In check mode, what is expected.
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
