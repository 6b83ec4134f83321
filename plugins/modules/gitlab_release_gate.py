#!/usr/bin/python

# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation and entry point of the module."""

from __future__ import annotations

DOCUMENTATION = r"""
module: gitlab_release_gate
version_added: 0.1.0
short_description: Take a release of one or many GitLab projects through its gates
description:
  - Each project has a list of gates, which run one after the other. A gate waits for jobs, plays them, retries them, or
    verifies their state. The first gate can start the pipeline.
  - Projects that do not need each other run side by side. A project begins when all projects that it needs have passed.
  - The record of the run and the reports are written whether the release passes or fails.
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
      - Everything is read and decided as in a real run, but nothing is sent, waited for or written. RV(gates) shows
        what would be played and retried. Whether GitLab permits an action is known only when it is requested.
      - A job cannot be checked if it does not exist yet or was skipped, and earlier gates would change that, or if an
        earlier gate would run it again. The gate then predicts that its action would succeed.
  diff_mode:
    support: none
    details:
      - The record shows what was changed.
  idempotent:
    support: partial
    details:
      - Active and successful jobs are neither played nor retried, unless O(projects[].gates[].replay) allows playing a
        successful job again.
      - A gate that starts a pipeline uses an active one instead. When the pipeline has ended, it starts another one,
        unless O(projects[].gates[].reuse=success) and the pipeline has succeeded.
      - O(record), O(report), O(summary) and O(junit) are written in every run, and do not count as a change.
options:
  projects:
    description:
      - The projects of the release, and their gates.
      - Mistakes, such as an unknown name in O(projects[].needs), are reported before anything is played.
      - The job names and stages of all gates of a project are checked as soon as its pipeline exists. Those of optional
        gates and of downstream pipelines are checked when the gate begins.
    type: list
    elements: dict
    required: true
    suboptions:
      name:
        description:
          - The name of the project in O(projects[].needs), in messages and in the record. It must be unique.
          - The default is O(projects[].project).
        type: str
      project:
        description:
          - Numeric ID or full path of the project.
        type: str
        required: true
      pipeline_id:
        description:
          - ID of the pipeline. One of O(projects[].pipeline_id), O(projects[].ref), O(projects[].sha) and
            O(projects[].merge_request) is required.
        type: int
      ref:
        description:
          - Use the newest pipeline of this branch or tag. The first gate finds the pipeline, and all gates of the
            project use it.
          - A gate that waits, plays or retries also waits for a pipeline that does not exist yet.
        type: str
      sha:
        description:
          - Use the newest pipeline of this commit, alone or together with O(projects[].ref).
        type: str
      ref_type:
        description:
          - Whether O(projects[].ref) is a branch or a tag, if both exist. With V(any), the newest pipeline of either is
            used, with a warning if both have pipelines.
        type: str
        choices:
          - any
          - branch
          - tag
        default: any
      pipeline_source:
        description:
          - Use only pipelines with one of these sources, such as V(push), V(schedule), V(api) or
            V(merge_request_event).
        type: list
        elements: str
      merge_request:
        description:
          - Use the newest pipeline of the merge request with this number in the project.
        type: int
      needs:
        description:
          - Names of the projects that must pass before this one begins.
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
              - Names of jobs. V(*) and V(?) are wildcards unless a job has exactly that name.
              - Each entry must match a job of the pipeline, and an empty list is an error, so no gate opens without a
                job.
              - To select a job of a downstream pipeline, prefix its name with the names of the trigger jobs that lead
                to it, as in V(trigger:infra/apply).
              - At least one of O(projects[].gates[].name) and O(projects[].gates[].stage) is required, unless
                O(projects[].gates[].action=run).
            type: list
            elements: str
          stage:
            description:
              - Stages of the jobs. Together with O(projects[].gates[].name), only jobs in these stages are selected.
              - Each entry must match a stage of the pipeline, exactly or by the wildcards V(*) and V(?). An empty list
                is an error.
            type: list
            elements: str
          action:
            description:
              - V(wait) waits until the jobs meet O(projects[].gates[].require), and changes nothing.
              - V(play) starts manual or delayed jobs as soon as they can be played, and waits for them. It only waits
                for jobs that are already active, and leaves successful jobs alone.
              - V(retry) waits until the jobs have ended, and retries those that failed or were canceled.
              - V(verify) reads the jobs once and does not wait.
              - V(run) starts a pipeline of O(projects[].ref), as M(jobgate.gitlab.gitlab_pipeline) does, and does not
                wait for it. The gates after it use this pipeline. It must be the first gate of its project, and cannot
                be used with O(projects[].gates[].name) or O(projects[].gates[].stage). With O(projects[].sha), the ref
                must be at that commit.
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
              - What the jobs must reach for the gate to open.
              - V(success) requires success.
              - V(finished) accepts any end, including failure. With O(projects[].gates[].action=play), jobs that have
                already run are left alone, unless O(projects[].gates[].replay) allows playing them again.
              - V(started) accepts jobs that are running or have run. Jobs that have run are left alone as with
                V(finished). It cannot be used with O(projects[].gates[].action=retry).
              - V(playable) accepts jobs that can be played or are past that state. It can only be used with
                O(projects[].gates[].action=wait) and O(projects[].gates[].action=verify).
              - V(optional) requires success, but the release continues without it. The record shows what went wrong.
              - Cannot be used with O(projects[].gates[].action=run).
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
              - Whether to select jobs of downstream pipelines, too. The default is V(true) if a name contains a slash.
              - A gate that may refer to jobs of a downstream pipeline fails if the token cannot read that pipeline, or
                if the pipeline could not be started. Exact paths avoid this.
            type: bool
          job_variables:
            description:
              - Variables for the jobs that O(projects[].gates[].action=play) starts. They are visible in GitLab. The
                record contains only their names. Values of eight or more characters are masked wherever GitLab returns
                them, unless another option of the task contains them as well.
              - A dictionary of names and values, or a list of dictionaries with C(key) and C(value).
            type: raw
          job_inputs:
            description:
              - Values for the inputs that the jobs declare, for V(play) and V(retry). Requires GitLab 18.10.
            type: dict
          variables:
            description:
              - Variables for the pipeline that O(projects[].gates[].action=run) starts, see the option of the same name
                of M(jobgate.gitlab.gitlab_pipeline). The record contains only their names.
            type: dict
          inputs:
            description:
              - Inputs for the pipeline that O(projects[].gates[].action=run) starts, see the option of the same name of
                M(jobgate.gitlab.gitlab_pipeline).
            type: dict
          reuse:
            description:
              - Which pipeline O(projects[].gates[].action=run) uses instead of starting one, see the option of the same
                name of M(jobgate.gitlab.gitlab_pipeline). The default is V(active). With V(success), a release that has
                passed starts nothing when it is run again.
              - Several gates that request the same pipeline at the same time start only one, unless they set V(never).
            type: str
            choices:
              - never
              - active
              - success
          multiple:
            description:
              - What V(play) and V(retry) do if a name or stage matches several jobs, see the option of the same name of
                M(jobgate.gitlab.gitlab_job_action). The default is V(error).
            type: str
            choices:
              - error
              - latest
              - all
          replay:
            description:
              - Whether V(play) may start a manual job again after it has ended, see the option of the same name of
                M(jobgate.gitlab.gitlab_job_action). The default is V(never).
            type: str
            choices:
              - never
              - failed
              - always
          retry_on:
            description:
              - Retry only jobs that failed for one of these reasons, as GitLab spells them, such as
                V(runner_system_failure). Applies to V(retry), and to V(play) with O(projects[].gates[].max_attempts).
            type: list
            elements: str
          max_attempts:
            description:
              - Retry a failing job until it has had this many attempts in total. By default, V(retry) starts one more
                attempt, and V(play) starts none.
            type: int
          wait_for_approval:
            description:
              - Whether V(play) waits until the deployments of its jobs are approved, and then plays them, see the
                option of the same name of M(jobgate.gitlab.gitlab_job_action). A gate does not give approvals.
              - The deployments must be approved within O(projects[].gates[].wait_timeout). By default, a job whose
                deployment waits for approvals is refused.
            type: bool
            default: false
          wait_timeout:
            description:
              - Maximum duration of the gate in seconds. The default is O(wait_timeout).
            type: float
          wait_interval:
            description:
              - Longest pause between two polls, in seconds. The default is O(wait_interval).
            type: float
          pending_timeout:
            description:
              - Fail the gate when a job has been V(pending) for this many seconds.
            type: float
          on_timeout:
            description:
              - Whether V(play) and V(retry) cancel the jobs when the gate times out, which takes up to ten more
                seconds. The gate fails either way. The default is V(fail), which leaves the jobs as they are.
            type: str
            choices:
              - fail
              - cancel
          ignore_allowed_failures:
            description:
              - Whether the failure of a job with C(allow_failure) counts as success. Manual jobs have C(allow_failure)
                by default.
            type: bool
            default: false
  title:
    description:
      - The name of the release in the record and the report, such as its version.
      - By default, the record has an empty title, and the report shows the names of the projects.
    type: str
  strategy:
    description:
      - What happens to other projects when a gate does not open.
      - V(fail_fast) begins nothing more. Jobs that were started before are still waited for, so that the record shows
        how they ended. Before anything is played, retried or started, every project that can begin with waiting or
        verifying is polled once, so that an earlier failure stops everything. A project that cannot be read delays the
        others by half a minute at most.
      - V(collect) continues with all projects that do not need the failed one.
    type: str
    choices:
      - fail_fast
      - collect
    default: fail_fast
  wait_timeout:
    description:
      - Maximum duration in seconds of a gate without its own O(projects[].gates[].wait_timeout).
    type: float
    default: 3600
  wait_interval:
    description:
      - Longest pause between two polls, in seconds. Pauses start at one second.
      - More than 30 projects take turns and share 200 polls a minute, so their pauses can be longer.
    type: float
    default: 10
  nudges:
    description:
      - Path of the file that the event source C(jobgate.gitlab.job_events) writes, see its option of the same name. The
        file is on the machine that runs the task. A waiting gate polls when a line contains its pipeline, or its
        project if no pipeline exists yet.
      - Without a line, it polls after half a minute. Each further pause is half as long again, up to five minutes.
        After a line, and after a poll that has shown something new, the next poll comes as without nudges.
      - Nudges never cause a poll earlier than there would be one without them. A missing, late or wrong line only costs
        time or a request.
      - Gates with O(projects[].gates[].pending_timeout) or O(projects[].gates[].wait_for_approval) poll as without
        nudges. So do all gates while no event source writes the file; the task warns about this when it begins.
      - In check mode nothing waits, and the file is not read.
    type: path
  log_lines:
    description:
      - How many lines from the end of the log of a failed job to include in RV(gates[].log_tail), the record and the
        report. V(0) reads no logs.
      - Secrets that GitLab has not masked in the log are not masked here either.
    type: int
    default: 20
  record:
    description:
      - Path of a JSON file for the record of the run. The folder must exist. On the controller, a relative path begins
        in the folder of the playbook.
      - The task replaces existing files, also those of the other formats. To keep the files of earlier runs, use a
        different name for each run.
    type: path
  report:
    description:
      - Path of an HTML file for a page with the gates, the end of the log of each failed job, the times of all jobs and
        the stages of all pipelines. The page needs neither network nor scripts.
    type: path
  summary:
    description:
      - Path of a Markdown file for a table of the gates with the logs of failed jobs, for a merge request or release
        notes. Names and reasons are escaped, so that they mention no user and close no issue.
    type: path
  junit:
    description:
      - Path of a JUnit XML file with a suite for each project and a test case for each gate, for
        C(artifacts:reports:junit) of a GitLab CI job.
      - A gate that did not open is a failure. A gate that was not reached is skipped.
    type: path
  compare:
    description:
      - Path of the O(record) of an earlier run. The record, the report and the summary then also show how long the
        release, its gates and its jobs took in that run.
      - Gates and jobs are matched by project and name, gates also by action. If the file does not exist, as for the
        first release, the task warns and does not compare.
    type: path
  user:
    description:
      - Name of the user who runs the release, for the record. The default is the account that runs the task.
    type: str
notes:
  - Each gate has its own timeout, which starts when the gate begins. The release as a whole has none.
  - From C(module_defaults) of the action group, the task uses the connection options. It ignores options that choose
    jobs or wait for them, such as C(project), C(ref) and C(wait), because each entry of O(projects) sets its own. An
    option that no module has is an error.
  - If the GitLab server restarts or is unreachable, a gate keeps trying until it times out.
  - If the first request of a later gate is denied, it is repeated three times within ten seconds. The first requests of
    a release are not repeated.
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
            # GitLab does not return the inputs of a pipeline, so a matching one cannot be found
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

- name: Start the pipeline of an application after that of its infrastructure has passed
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

- name: Wait for the pipeline of a merge request on a server with a private CA
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

- name: Verify a pipeline with a job token, which can only read
  jobgate.gitlab.gitlab_release_gate:
    api_job_token: "{{ lookup('ansible.builtin.env', 'CI_JOB_TOKEN') }}"
    projects:
      - project: group/infra
        pipeline_id: 6
        gates:
          - name: apply
            action: verify

- name: Wait for a long deployment, and poll when a hook arrives
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
    - V(passed) or V(failed).
    - In check mode V(would pass), if something would be played or waited for first.
  type: str
  returned: always
  sample: passed
summary:
  description: One line for each gate with its project, action, jobs, outcome and reason.
  type: list
  elements: str
  returned: always
  sample:
    - "app: play deploy:prod: played"
gates:
  description: All gates of all projects, in the order of the projects.
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
      description: The pipeline of the project. V(null) if there is none.
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
          description: What started the pipeline. V(null) before GitLab 14.1.
          type: str
          returned: always
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
          description: URL of its page. V(null) on very old servers.
          type: str
          returned: always
          sample: https://gitlab.example.com/group/app/-/pipelines/6
    name:
      description: Name of the gate, made of the names or stages of its jobs, or of the ref whose pipeline it starts.
      type: str
      returned: always
      sample: deploy:prod
    action:
      description: Action of the gate.
      type: str
      returned: always
      sample: play
    outcome:
      description:
        - A gate that opened is V(passed) if the jobs were or became as required, V(played) or V(retried) if it played
          or retried any of them, V(started) if it started the pipeline, and V(already done) if there was nothing left
          to play or start.
        - A gate that did not open is V(refused) if a job cannot be played or retried, V(timed out) if its timeout
          expired before the pipeline or the jobs existed, or before the jobs ended, and V(failed) otherwise. A gate
          that selects no job is V(failed).
        - A gate is V(not reached) if something before it did not open.
        - Additional outcomes in check mode are V(would be played), V(would be retried), V(would be waited for), V(would
          be verified) and V(would start).
      type: str
      returned: always
      sample: played
    reason:
      description:
        - The reason for the outcome, empty if there is nothing to report.
        - It lists the jobs that were retried while the gate polled them, by the gate, by GitLab or by another user, and
          why their earlier attempts failed.
      type: str
      returned: always
      sample: it has already succeeded
    log_tail:
      description:
        - The last O(log_lines) lines of the log of the first failed job. Empty if no job failed, or if its log cannot
          be read.
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
      description: The jobs of the gate. Empty if the gate was not reached or selected no job.
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
          description: ID of the newest attempt.
          type: int
          returned: always
          sample: 42
        path:
          description:
            - Name of the job. In a downstream pipeline, the names of the trigger jobs that lead to it precede the name.
          type: str
          returned: always
          sample: deploy:prod
        status:
          description: Status of the job.
          type: str
          returned: always
          sample: success
        web_url:
          description: URL of its page.
          type: str
          returned: always
          sample: https://gitlab.example.com/group/app/-/jobs/42
elapsed:
  description: Duration of the task in seconds.
  type: float
  returned: always
  sample: 94.2
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
"""

from ansible_collections.jobgate.gitlab.plugins.module_utils._ansible.module_face import run_module
from ansible_collections.jobgate.gitlab.plugins.module_utils._tasks.gitlab_release_gate import TASK


def main() -> None:
    run_module(TASK)


if __name__ == "__main__":
    main()
