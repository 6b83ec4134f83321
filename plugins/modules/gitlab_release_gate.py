#!/usr/bin/python

# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The documentation of the module, and its way to the task."""

from __future__ import annotations

DOCUMENTATION = r"""
module: gitlab_release_gate
version_added: 0.1.0
short_description: Take a release of one or many GitLab projects through its gates
description:
  - Each project has a list of gates, which are run one after the other. A gate waits for jobs, plays them, retries
    them, or verifies that they are as they should be. The first one can start the pipeline.
  - Projects that do not need each other run side by side. A project begins when all that it needs have passed.
  - A record of the run and a report for people are written whatever becomes of the release.
  - The role P(jobgate.gitlab.release_gate#role) runs this module with options from variables. Its README describes the
    record and the report.
author:
  - Jobgate Developers (@jobgate)
requirements:
  - python >= 3.9
  - requests
  - pluggy
extends_documentation_fragment:
  - jobgate.gitlab._connection
  - jobgate.gitlab._attributes
  - jobgate.gitlab._attributes.actiongroup_gitlab
attributes:
  check_mode:
    support: full
    details:
      - Everything is read and decided as in a real run, and nothing is sent, waited for or written. RV(gates) says what
        would be played and retried. Whether GitLab lets the user of the token do it is known only when it is asked to.
      - A job that does not exist yet, or was skipped, because of what the gates before it would change, cannot be
        looked at. It counts as one that would be played.
  diff_mode:
    support: none
    details:
      - The record says what was changed.
  idempotent:
    support: partial
    details:
      - A job that is under way or has succeeded is neither played nor retried, unless O(projects[].gates[].replay) asks
        for it.
      - A pipeline that is active already is not started again. When it has ended, it is, unless
        O(projects[].gates[].reuse=success) and it has succeeded.
      - O(record), O(report), O(summary) and O(junit) are written at every run, and do not count as a change.
options:
  projects:
    description:
      - What to take through which gates.
      - Mistakes in it, such as an unknown name in O(projects[].needs), are reported before anything is played.
      - Names and stages of jobs are checked as soon as the pipeline of the project is there, those of all its gates.
        Jobs of downstream pipelines, and those of optional gates, are looked for when it is their turn.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description:
          - What the project is called in O(projects[].needs), in messages and in the record. It has to be unique.
          - It is O(projects[].project) when it is not given.
        type: str
      project:
        description:
          - Numeric id or full path of the project.
        type: str
        required: true
      pipeline_id:
        description:
          - Id of the pipeline. One of O(projects[].pipeline_id), O(projects[].ref), O(projects[].sha) and
            O(projects[].merge_request) is required.
        type: int
      ref:
        description:
          - The newest pipeline of this branch or tag. The first gate finds it, and all gates of the project stay with
            it.
          - A gate that waits, plays or retries also waits for a pipeline that does not exist yet.
        type: str
      sha:
        description:
          - The newest pipeline of this commit, alone or together with O(projects[].ref).
        type: str
      ref_type:
        description:
          - Whether O(projects[].ref) is a branch or a tag, where both exist. With V(any) the newest pipeline of either
            is used, and a warning says so if a branch and a tag of this name have pipelines.
        type: str
        choices:
          - any
          - branch
          - tag
        default: any
      pipeline_source:
        description:
          - Only pipelines with one of these sources, such as V(push), V(schedule), V(api) or V(merge_request_event).
        type: list
        elements: str
      merge_request:
        description:
          - The newest pipeline of the merge request with this number in the project.
        type: int
      needs:
        description:
          - Names of the projects that have to pass before this one begins.
        type: list
        elements: str
        default: []
      gates:
        description:
          - The gates of the project, in order.
        type: list
        elements: dict
        required: true
        suboptions:
          name:
            description:
              - Names of jobs. V(*) and V(?) are wildcards unless there is a job of exactly that name.
              - Each entry has to match a job of the pipeline, and an empty list is an error. A gate never opens on
                nothing.
              - A job of a downstream pipeline is named with the trigger jobs that lead to it, as in
                V(trigger:infra/apply).
              - At least one of O(projects[].gates[].name) and O(projects[].gates[].stage) is required, unless
                O(projects[].gates[].action=run).
            type: list
            elements: str
          stage:
            description:
              - Stages whose jobs are meant, or to which O(projects[].gates[].name) is confined.
              - Each entry has to match a stage of the pipeline, exactly or by the wildcards V(*) and V(?). An empty
                list is an error.
            type: list
            elements: str
          action:
            description:
              - V(wait) waits until the jobs have become what O(projects[].gates[].require) says, and changes nothing.
              - V(play) starts manual or delayed jobs when their turn comes, and waits for them. A job that is under way
                is only waited for, and one that has succeeded is left alone.
              - V(retry) waits for the end of the jobs and retries those that have failed or were canceled.
              - V(verify) reads the jobs once and does not wait.
              - V(run) starts a pipeline of O(projects[].ref), as M(jobgate.gitlab.gitlab_pipeline) does, and does not
                wait for it; the gates after it look into this pipeline. It has to be the first gate of its project,
                and has neither O(projects[].gates[].name) nor O(projects[].gates[].stage). With O(projects[].sha), the
                ref has to be at that commit.
            type: str
            required: true
            choices:
              - wait
              - play
              - retry
              - verify
              - run
          require:
            description:
              - What has to become of the jobs for the gate to open.
              - V(success) asks for success.
              - V(finished) takes any end, a bad one as well. With O(projects[].gates[].action=play), a job that has run
                is left alone then, unless O(projects[].gates[].replay) says to play it again.
              - V(started) takes jobs that run, or have run, and leaves these alone as V(finished) does. Not for
                O(projects[].gates[].action=retry).
              - V(playable) takes jobs that can be played, or are already past that. Only for
                O(projects[].gates[].action=wait) and O(projects[].gates[].action=verify).
              - V(optional) asks for success, and goes on without it. What went wrong is in the record.
              - Not for O(projects[].gates[].action=run).
            type: str
            choices:
              - success
              - finished
              - started
              - playable
              - optional
            default: success
          include_downstream:
            description:
              - Whether to look into downstream pipelines. When it is not given, that is done if a name has a slash in
                it.
              - A gate that may mean jobs of a downstream pipeline fails when the token cannot read that pipeline, or
                when it could not be started. Give exact paths.
            type: bool
          job_variables:
            description:
              - Variables for jobs that O(projects[].gates[].action=play) starts. They are visible in GitLab; the record
                has only their names. Where GitLab repeats a value of eight characters or more, it is masked, unless
                another option of the task shows it as well.
              - A dictionary of names and values, or a list of dictionaries with C(key) and C(value).
            type: raw
          job_inputs:
            description:
              - Values for the inputs that the jobs declare, for V(play) and V(retry). Needs GitLab 18.10.
            type: dict
          variables:
            description:
              - Variables for the pipeline that O(projects[].gates[].action=run) starts, see the option of the same name
                of M(jobgate.gitlab.gitlab_pipeline). The record has only their names.
            type: dict
          inputs:
            description:
              - Inputs for the pipeline that O(projects[].gates[].action=run) starts, see the option of the same name of
                M(jobgate.gitlab.gitlab_pipeline).
            type: dict
          reuse:
            description:
              - Which pipeline O(projects[].gates[].action=run) takes instead of starting one, see the option of the
                same name of M(jobgate.gitlab.gitlab_pipeline). The default is V(active). With V(success), a release
                that has passed starts nothing when it is run again.
              - Several gates that ask for the same pipeline at the same time make one, unless they say V(never).
            type: str
            choices:
              - never
              - active
              - success
          multiple:
            description:
              - What V(play) and V(retry) do when a name or stage stands for several jobs, see the option of the same
                name of M(jobgate.gitlab.gitlab_job_action). The default is V(error).
            type: str
            choices:
              - error
              - latest
              - all
          replay:
            description:
              - Whether V(play) may start a manual job again that has already ended, see the option of the same name of
                M(jobgate.gitlab.gitlab_job_action). The default is V(never).
            type: str
            choices:
              - never
              - failed
              - always
          retry_on:
            description:
              - Retry only jobs that failed for one of these reasons, in GitLab's words, such as
                V(runner_system_failure). For V(retry), and for V(play) with O(projects[].gates[].max_attempts).
            type: list
            elements: str
          max_attempts:
            description:
              - Keep retrying a failing job, up to this many attempts in all. Without it, V(retry) starts one more
                attempt, and V(play) starts none.
            type: int
          wait_for_approval:
            description:
              - Whether V(play) waits for jobs whose deployments wait for approvals, and plays them when these are
                there, see the option of the same name of M(jobgate.gitlab.gitlab_job_action). A gate gives no approvals
                itself.
              - The approvals have to come within O(projects[].gates[].wait_timeout). By default such a job is refused.
            type: bool
            default: false
          wait_timeout:
            description:
              - How many seconds the gate may take, see O(wait_timeout).
            type: float
          wait_interval:
            description:
              - The longest pause between two polls, in seconds, see O(wait_interval).
            type: float
          pending_timeout:
            description:
              - Give up when a job is in the queue for more than this many seconds.
            type: float
          on_timeout:
            description:
              - Whether V(play) and V(retry) cancel the jobs when the time of the gate is over, which takes up to ten
                seconds more. The gate fails either way. The default is V(fail), which leaves them as they are.
            type: str
            choices:
              - fail
              - cancel
          ignore_allowed_failures:
            description:
              - Take the failure of a job with C(allow_failure) for a success. Manual jobs have that by default.
            type: bool
            default: false
  title:
    description:
      - What the release is called in the record and on the page, such as its version.
      - Without it, the record has an empty title, and the page the names of the projects.
    type: str
  strategy:
    description:
      - What a gate that does not open means for other projects.
      - V(fail_fast) begins nothing more. Jobs that were started before are still waited for, so that the record tells
        how they ended. Before anything is played, retried or started, every project that can begin with waiting or
        verifying is looked at once, so that what has failed before stops everything; a project that cannot be looked at
        delays the others by half a minute at most.
      - V(collect) goes on with all projects that do not need the one that failed.
    type: str
    choices:
      - fail_fast
      - collect
    default: fail_fast
  wait_timeout:
    description:
      - How many seconds a gate may take that has no C(wait_timeout) of its own.
    type: float
    default: 3600
  wait_interval:
    description:
      - The longest pause between two polls, in seconds. Pauses start at one second.
    type: float
    default: 10
  nudges:
    description:
      - Path of the file that the event source C(jobgate.gitlab.job_events) writes, see its option of the same name. It
        is on the machine that runs the task. A gate that waits then polls when a line names its pipeline, or its
        project while there is no pipeline yet.
      - Without a line it polls after half a minute, and each time after half as long again, up to five minutes. After a
        line, and after a poll that has shown something new, the next poll comes as it does without nudges.
      - A line brings a poll forward to when there would be one without nudges, never to before that. One that is
        missing, late or wrong costs time or a request, and nothing else.
      - Gates with O(projects[].gates[].pending_timeout) or O(projects[].gates[].wait_for_approval) poll as without
        nudges. So do all gates as long as no event source writes the file, which is a warning when the task begins.
      - In check mode nothing waits, and the file is not read.
    type: path
  log_lines:
    description:
      - How many lines from the end of the log of a failed job go into RV(gates[].log_tail), the record and the
        page. V(0) reads no log.
      - Secrets that GitLab has not masked in the log are not masked here either.
    type: int
    default: 20
  record:
    description:
      - Path of a file for the record of the run, as JSON. The folder has to exist. On the controller a relative path
        begins in the folder of the playbook.
      - A file that is there is replaced, as those of the other forms are. To keep those of earlier runs, give each run
        a name of its own.
    type: path
  report:
    description:
      - Path of a file for a page with the gates, the end of the log of each failed job, the times of all jobs and the
        stages of all pipelines, as HTML that needs neither network nor scripts.
    type: path
  summary:
    description:
      - Path of a file for the same as Markdown, for a merge request or the notes of a release. Names and reasons are
        escaped, so that none of them mentions anybody or closes anything.
    type: path
  junit:
    description:
      - Path of a file for the same as JUnit XML, with a suite for each project and a test case for each gate, for
        C(artifacts:reports:junit) of a GitLab CI job.
      - A gate that did not open is a failure. One that was not reached is skipped.
    type: path
  compare:
    description:
      - Path of a file that O(record) of an earlier run has written. How long the release, its gates and its jobs took
        then stands beside what they took now.
      - Gates and jobs are the same when project and name are. A file that does not exist is left out with a warning, as
        at the first release.
    type: path
  user:
    description:
      - Who ran the release, for the record. When it is not given, it is the name of the account that runs the task.
    type: str
notes:
  - Each gate has its own time, which begins when the gate does. There is no limit for the whole.
  - Of C(module_defaults) for the action group it takes the connection options. Those that choose jobs or wait for them,
    such as C(project), C(ref) and C(wait), are for the other modules and left out; every entry of O(projects) says
    itself what it is about. An option that no module has is an error.
  - A GitLab server that restarts, or cannot be reached for a while, is waited for as long as the gate has time.
  - A gate that begins later in a release repeats its first request, too, when that is denied, three times within
    ten seconds. The first requests of a release are not repeated.
seealso:
  - module: jobgate.gitlab.gitlab_job_action
  - module: jobgate.gitlab.gitlab_job_info
"""

EXAMPLES = r"""
- name: Verify that a release is complete, without waiting for anything
  jobgate.gitlab.gitlab_release_gate:
    projects:
      - project: group/app
        ref: v1.2.0
        gates:
          - name: [deploy:staging, deploy:prod]
            action: verify
    wait_timeout: 60
    wait_interval: 5
    log_lines: 0

- name: Start a pipeline with inputs as a gate
  jobgate.gitlab.gitlab_release_gate:
    projects:
      - project: group/app
        ref: main
        gates:
          - action: run
            inputs:
              environment: staging
              replicas: 3
            # GitLab does not tell the inputs of a pipeline, so that no other one can count as this one
            reuse: never
          - stage: [build, test]
            action: wait

- name: Deploy an application after its infrastructure
  jobgate.gitlab.gitlab_release_gate:
    api_token: "{{ lookup('ansible.builtin.env', 'GITLAB_TOKEN') }}"
    projects:
      - name: infra
        project: group/infra
        ref: main
        gates:
          - name: apply
            action: play
            job_variables:
              RELEASE: v1.2.0
            wait_timeout: 1800
      - name: app
        project: group/app
        ref: v1.2.0
        needs: [infra]
        gates:
          - stage: test
            action: wait
          - name: integration
            action: retry
            retry_on: [runner_system_failure]
            max_attempts: 3
          - name: deploy:prod
            action: play
            wait_for_approval: true
            pending_timeout: 300
            on_timeout: cancel
          - name: trigger:docs/publish
            action: wait
            require: optional
    title: Version 1.2.0
    strategy: collect
    record: /var/log/releases/v1.2.0.json
    report: /var/log/releases/v1.2.0.html
    summary: /var/log/releases/v1.2.0.md
    junit: /var/log/releases/v1.2.0.xml
    compare: /var/log/releases/v1.1.0.json
    user: "{{ lookup('ansible.builtin.env', 'GITLAB_USER_LOGIN') }}"
  register: release

- name: Show the end of the logs of optional gates that did not open
  ansible.builtin.debug:
    msg: "{{ release.gates | map(attribute='log_tail') | flatten }}"

- name: Start the pipeline of an application when that of its infrastructure has passed
  jobgate.gitlab.gitlab_release_gate:
    projects:
      - project: group/infra
        ref: main
        gates:
          - name: apply
            action: play
      - project: group/app
        ref: main
        needs: [group/infra]
        gates:
          - action: run
            variables:
              DEPLOY_TO: production
            reuse: success
          - name: deploy
            action: play
            require: success

- name: Wait for the pipeline of a merge request on a server with a certificate of the company's own
  jobgate.gitlab.gitlab_release_gate:
    api_url: https://gitlab.example.com
    api_oauth_token: "{{ oauth_token }}"
    ca_path: /etc/ssl/certs/company.pem
    client_cert: /etc/ssl/private/ci.pem
    client_key: /etc/ssl/private/ci.key
    http_headers:
      X-Gateway-Pass: "{{ gateway_pass }}"
    validate_certs: true
    api_timeout: 60
    api_retries: 3
    api_concurrency: 4
    api_requests_per_minute: 300
    extensions:
      - audit_log
    projects:
      - project: group/app
        merge_request: 12
        gates:
          - stage: [build, test]
            action: wait

- name: Look at a pipeline with a job token, which may only read
  jobgate.gitlab.gitlab_release_gate:
    api_job_token: "{{ lookup('ansible.builtin.env', 'CI_JOB_TOKEN') }}"
    projects:
      - project: group/infra
        pipeline_id: 6
        gates:
          - name: apply
            action: verify

- name: Wait for a long deployment, and poll when GitLab's hooks say so
  jobgate.gitlab.gitlab_release_gate:
    projects:
      - project: group/app
        ref: v1.2.0
        gates:
          - name: deploy:staging
            action: wait
    nudges: /run/user/1000/gitlab-nudges
"""

RETURN = r"""
outcome:
  description:
    - What became of the release, V(passed) or V(failed).
    - In check mode V(would pass) when something would be played or waited for first.
  type: str
  returned: always
  sample: passed
summary:
  description: One line for each gate with project, action, jobs, outcome and reason.
  type: list
  elements: str
  returned: always
  sample:
    - "app: play deploy:prod: played"
gates:
  description: Every gate of every project in the order of the projects.
  type: list
  elements: dict
  returned: always
  sample:
    - project: app
      pipeline:
        id: 6
        source: push
        ref: v1.2.0
        status: success
        web_url: https://gitlab.example.com/group/app/-/pipelines/6
      name: deploy:prod
      action: play
      outcome: played
      reason: ""
      log_tail: []
      changed: true
      jobs: []
  contains:
    project:
      description: Name of the project.
      type: str
      returned: always
      sample: app
    pipeline:
      description: The pipeline of the project, V(null) when there was none.
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
          description: What started it, V(null) before GitLab 14.1.
          type: str
          returned: always
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
          description: Its page, V(null) on very old servers.
          type: str
          returned: always
          sample: https://gitlab.example.com/group/app/-/pipelines/6
    name:
      description: Name of the gate, which is that of its jobs, or says whose pipeline it starts.
      type: str
      returned: always
      sample: deploy:prod
    action:
      description: What the gate does.
      type: str
      returned: always
      sample: play
    outcome:
      description:
        - The gate has opened with V(passed), when the jobs were or became as required; V(played) or V(retried), when
          it has played or retried any of them; V(started), when it has started the pipeline; and V(already done), when
          there was nothing left to play or to start.
        - It has not opened with V(refused), when a job cannot be played or retried; V(timed out), when the time was
          over before the pipeline, the jobs or their end came; and V(failed), for everything else. A gate that selects
          no job has failed.
        - V(not reached) when something before it has not opened.
        - In check mode also V(would be played), V(would be retried), V(would be waited for), V(would be verified) and
          V(would start).
      type: str
      returned: always
      sample: played
    reason:
      description:
        - Why, in words for people; empty when there is nothing to say.
        - It names the jobs that were retried while the gate looked at them, by the gate, by GitLab or by somebody, with
          the reasons why the attempts before have failed.
      type: str
      returned: always
      sample: it is success already
    log_tail:
      description:
        - The end of the log of the first job that has failed, as long as O(log_lines) says. Empty when none has, and
          when its log cannot be read.
      type: list
      elements: str
      returned: always
      sample: []
    changed:
      description: Whether the gate changed something in GitLab.
      type: bool
      returned: always
      sample: true
    jobs:
      description: The jobs of the gate; empty when it was not reached, or there is no such job.
      type: list
      elements: dict
      returned: always
      sample:
        - id: 42
          path: deploy:prod
          status: success
          web_url: https://gitlab.example.com/group/app/-/jobs/42
      contains:
        id:
          description: Id of the newest attempt.
          type: int
          returned: always
          sample: 42
        path:
          description: Its name. In a downstream pipeline, the names of the trigger jobs that lead to it come before it.
          type: str
          returned: always
          sample: deploy:prod
        status:
          description: Its status.
          type: str
          returned: always
          sample: success
        web_url:
          description: Address of its page.
          type: str
          returned: always
          sample: https://gitlab.example.com/group/app/-/jobs/42
elapsed:
  description: Seconds that the task took.
  type: float
  returned: always
  sample: 94.2
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
"""

from ansible_collections.jobgate.gitlab.plugins.module_utils._ansible.module_face import run_module
from ansible_collections.jobgate.gitlab.plugins.module_utils._tasks.gitlab_release_gate import TASK


def main() -> None:
    run_module(TASK)


if __name__ == "__main__":
    main()
