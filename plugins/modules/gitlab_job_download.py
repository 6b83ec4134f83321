#!/usr/bin/python

# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The documentation of the module, and its way to the task."""

from __future__ import annotations

DOCUMENTATION = r"""
module: gitlab_job_download
version_added: 0.1.0
short_description: Download the artifacts or the log of a GitLab CI job to a file
description:
  - Downloads the archive with the artifacts of a job, one file out of it, one of its reports, or the job's log. It can
    also list what is in the archive.
  - The content is streamed to a temporary file beside O(dest), so that gigabytes need no memory. Its length and
    O(checksum) are verified before it replaces O(dest). If anything goes wrong before that, O(dest) stays as it was.
  - It does not wait for the job. Use M(jobgate.gitlab.gitlab_job_info) with
    O(jobgate.gitlab.gitlab_job_info#module:wait=true) before it, and P(jobgate.gitlab.gitlab_job#lookup) to use a
    small artifact in an expression without a file.
author:
  - Jobgate Developers (@jobgate)
requirements:
  - python >= 3.9
  - requests
  - pluggy
extends_documentation_fragment:
  - jobgate.gitlab._connection
  - jobgate.gitlab._job_selection.pipeline
  - jobgate.gitlab._attributes
  - jobgate.gitlab._attributes.actiongroup_gitlab
  - ansible.builtin.files
attributes:
  check_mode:
    support: full
    details:
      - Nothing is put in place. Where the answer cannot be known otherwise, the content is read and compared with
        O(dest), so that RV(ignore:changed) is what the real run would report.
  diff_mode:
    support: full
    details:
      - Shows size and SHA-256 of O(dest) before and after. The content itself is not shown.
  idempotent:
    support: full
    details:
      - When O(dest) has the same content and the same mode, owner and group, nothing is changed.
      - A newer job, or a log that has grown meanwhile, is other content.
  platform:
    description: The kind of machine that the task can run on.
    support: full
    platforms: posix
options:
  api_job_token:
    description:
      - The token of a running CI job, sent in the header C(JOB-TOKEN).
      - E(CI_JOB_TOKEN) is never used automatically, because the task would silently act as another user. Name it here
        if you want it.
      - GitLab lets a job token download and list artifacts by O(job_id), and download them with
        O(latest_success=true). To find a job with it needs GitLab 18 in the pipeline of O(pipeline_id), and GitLab 19.2
        in that of O(ref) or O(sha). It cannot read a log; use O(api_token) for that.
      - In another project than its own it works where GitLab's licence includes it, and if that project has the project
        of the CI job on its allowlist. From GitLab 16.6 on a public or internal project whose pipelines everybody may
        see needs no entry.
  project:
    description:
      - The project that the job belongs to, by its numeric id or its full path such as V(group/subgroup/app). Write the
        path as it is, and not URL-encoded.
  ref:
    description:
      - Branch or tag, or V(refs/merge-requests/17/head) for the pipelines of a merge request.
      - Its newest pipeline is used, whatever that pipeline's status, unless O(latest_success=true). A pipeline that
        GitLab has skipped as a whole, as for C([skip ci]), has no jobs; it is passed over with a warning.
      - The pipeline found first is kept for the whole task, even if a newer one starts meanwhile.
      - Together with O(sha), the newest pipeline of that commit on that branch or tag.
  job_id:
    description:
      - Id of the job, as in the address of its page. It needs no pipeline, and excludes all other options that choose a
        pipeline or a job in it.
      - It is this very attempt, even if the job has been retried since.
    type: int
  name:
    description:
      - Name of the job. A job of exactly that name is taken; only if there is none, C(*) and C(?) in the name are
        wildcards. When several jobs match, the task fails and lists them.
      - >-
        C([) is an ordinary character, since jobs made by C(parallel:matrix) carry it, as in V(test: [py311, linux]).
      - A name stands for the newest attempt of the job.
      - With O(include_downstream=true), V(bridge/job) is the job of that name in the pipeline that the trigger job
        C(bridge) has started, to any depth, as in V(trigger:infra/apply). A bare name means the job of the pipeline
        itself, and a job of a downstream pipeline only if the pipeline itself has none.
      - A name that nothing matches is an error that shows close names.
      - Required unless O(job_id) is given.
    type: str
  include_downstream:
    description:
      - Look for the job in the child and multi-project pipelines, too, that trigger jobs of this pipeline have started,
        and in those that they have started in turn.
      - A downstream pipeline that the token cannot read is passed over. A warning says so if the job may be there.
      - Needs a pipeline to start from, so it is an error together with O(job_id).
    type: bool
    default: false
  latest_success:
    description:
      - Whether to take the newest pipeline of O(ref) that has succeeded, as GitLab itself finds it. The newest pipeline
        may be running or have failed.
      - GitLab looks for the job in that pipeline, then in its child pipelines. Newer versions go on to older pipelines
        that have succeeded when the job is not there or has no artifacts, for O(content=archive) since GitLab 18.7 and
        for O(content=file) since GitLab 18.9. A pipeline that waits for a blocking manual job has not succeeded.
      - Only with O(ref), a O(name) without wildcards, and O(content=archive) or O(content=file). An error with O(sha),
        O(ref_type), O(pipeline_source) and O(include_downstream=true).
      - When the job succeeds in a newer pipeline while its artifacts are downloaded, the task fails and leaves O(dest)
        as it was, since GitLab does not tell of which job the content is.
    type: bool
    default: false
  content:
    description:
      - What to download.
      - V(archive) is the zip archive with all artifacts of the job. It is not unpacked.
      - V(file) is the one file in it that O(artifact_path) names. Only this file is transferred.
      - V(log) is the job's log as GitLab keeps it, byte for byte, with its colour codes and section marks. Of a job
        that is still running it is a snapshot.
      - V(report) is the one report that O(report_type) names, such as that of the tests. Needs GitLab 19.4.
      - V(list) downloads nothing and returns the files and folders of the archive as RV(entries). Needs GitLab 18.8.
    type: str
    choices:
      - archive
      - file
      - log
      - report
      - list
    default: archive
  report_type:
    description:
      - The type of the report for O(content=report), and required there. An error with any other O(content).
      - It is the C(file_type) in RV(job.artifacts), such as V(junit), V(dotenv), V(codequality) or V(cyclonedx). Mostly
        this is the word under C(artifacts:reports) in the configuration of the job. What is a C(coverage_report) there
        has the type V(cobertura) or V(jacoco).
      - The file is what the server sends, and is not unpacked. GitLab keeps some reports compressed with gzip, such as
        V(junit) and V(dotenv). The C(file_format) in RV(job.artifacts) tells V(gzip), V(raw) or V(zip).
      - A type that the job does not have is an error that shows those it has. When the token may not read the job, the
        server is asked at once.
      - GitLab sends no report of some types, such as V(metrics_referee), by itself.
    type: str
  artifact_path:
    description:
      - Path inside the archive, such as V(dist/app 1.2.tar.gz). Write it as it is, and not URL-encoded.
      - With O(content=file), the file to download, and required. A file V(tree) at the top of the archive can only be
        downloaded with O(latest_success=true), since GitLab 18.8 and newer send a list in its place otherwise.
      - With O(content=list), the folder to list. When it is not set, the list begins at the top of the archive.
      - An error with any other O(content).
    type: str
  recursive:
    description:
      - Whether O(content=list) also shows what is in the folders below, to any depth.
      - Without effect on any other O(content).
    type: bool
    default: true
  dest:
    description:
      - Where to put the content, on the machine that runs the task. Its folder has to exist.
      - On the controller a relative path begins in the folder of the playbook.
      - In an existing folder the name is that of the artifact for O(content=file), C(artifacts.zip) for
        O(content=archive), and the id of the job with C(.log) for O(content=log). For O(content=report) it is the name
        that GitLab keeps the report under, such as C(junit.xml.gz), or the O(report_type) when the token may not read
        the job. RV(dest) tells the full path.
      - While downloading, the new content lies beside it. So the folder has to be writable, and needs room for both.
      - Owner, group and permissions of a file that is replaced stay, but set-id bits do so only when its owner runs the
        task. A link is replaced, and what it leads to is left alone, as M(ansible.builtin.copy) does it.
      - Required unless O(content=list), and an error together with it.
    type: path
  checksum:
    description:
      - What the content has to be, as V(sha256:) and 64 hexadecimal digits. Other content is an error, and O(dest)
        stays as it was.
      - When O(dest) has this checksum already, nothing is downloaded, unless O(force=true).
      - An error together with O(content=list).
    type: str
  force:
    description:
      - Whether to download even when O(checksum) tells that O(dest) has the content already.
      - The same content is still no change.
    type: bool
    default: false
notes:
  - One of O(job_id), O(pipeline_id), O(ref), O(sha) and O(merge_request) is required, and O(name) with all of them but
    O(job_id).
  - The job is the newest attempt in the one pipeline that was chosen, whatever its status, unless
    O(latest_success=true). So a job that is running or has failed can be looked at as well.
  - GitLab may keep artifacts in object storage and redirect the download there. The storage has to be reachable from
    where the task runs. The redirect is followed without the token, never from https to http, and its address is not
    logged.
  - Missing artifacts. The error tells apart, as far as GitLab does, artifacts that have expired, a job that was erased,
    and a job without an archive. Reports such as C(reports:junit) or C(reports:dotenv) are not part of the archive;
    use O(content=report), or list the file under C(artifacts:paths) as well.
  - Before GitLab 19.4 the server takes no notice of O(report_type) and sends the archive. The task then fails and
    leaves O(dest) as it was. A report that is a zip file itself, such as V(lsif), can be told from the archive only by
    its length, so that it needs a token that may read the job.
  - A path that is not in the archive, a path that GitLab takes for invalid since it leads out of the archive, and a
    server that is too old for O(content=list) are errors that say so.
  - Logs and artifacts can hold secrets that GitLab has not masked. Give O(mode) to keep the file from others.
  - Trigger jobs have neither artifacts nor a log. With O(include_downstream=true), take a job of their pipeline.
  - The user of the token needs the right to read the job, usually the Reporter role, and for the log of a job in debug
    mode the Developer role. A job can reserve its artifacts for some roles with C(artifacts:access). Artifacts of
    public projects need no token, a log needs one.
seealso:
  - module: jobgate.gitlab.gitlab_job_info
  - module: jobgate.gitlab.gitlab_job_action
  - plugin: jobgate.gitlab.gitlab_job
    plugin_type: lookup
  - module: ansible.builtin.unarchive
  - name: Job artifacts API
    description: What GitLab says about downloading artifacts.
    link: https://docs.gitlab.com/api/job_artifacts/
  - name: Jobs API
    description: What GitLab says about the log.
    link: https://docs.gitlab.com/api/jobs/
"""

EXAMPLES = r"""
- name: Fetch what the newest successful build of a release has left
  jobgate.gitlab.gitlab_job_download:
    project: group/app
    ref: v1.2.0
    name: build
    latest_success: true
    dest: /srv/releases/app-1.2.0.zip
    mode: "0644"
  register: build

- name: Unpack it
  ansible.builtin.unarchive:
    src: "{{ build.dest }}"
    dest: /srv/app
    remote_src: true

- name: Fetch the archive that the last push to a branch has built
  jobgate.gitlab.gitlab_job_download:
    api_token: "{{ lookup('ansible.builtin.env', 'GITLAB_TOKEN') }}"
    project: group/app
    ref: main
    ref_type: branch
    pipeline_source: push
    name: build
    dest: /tmp/build.zip

- name: Fetch one file of the build of this very commit
  jobgate.gitlab.gitlab_job_download:
    project: group/app
    ref: main
    sha: "{{ release_commit }}"
    name: build
    content: file
    artifact_path: dist/app-1.2.0.tar.gz
    dest: /srv/releases/
    owner: root
    group: www-data
    mode: "0640"

- name: Fetch a file that has to be the one that was tested
  jobgate.gitlab.gitlab_job_download:
    project: group/app
    job_id: 42
    content: file
    artifact_path: dist/app
    dest: /usr/local/bin/app
    checksum: sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
    mode: "0755"

- name: Wait for the tests of a pipeline
  jobgate.gitlab.gitlab_job_info:
    project: group/app
    pipeline_id: 6
    name: integration
    wait: true

- name: Fetch their report, which GitLab keeps as junit.xml.gz
  jobgate.gitlab.gitlab_job_download:
    project: group/app
    pipeline_id: 6
    name: integration
    content: report
    report_type: junit
    dest: /srv/reports/
    mode: "0644"

- name: Keep their log, whatever became of them
  jobgate.gitlab.gitlab_job_download:
    project: group/app
    pipeline_id: 6
    name: integration
    content: log
    dest: /var/log/releases/
    mode: "0600"
  register: log

- name: Say where it is
  ansible.builtin.debug:
    msg: "{{ log.size }} bytes in {{ log.dest }}"

- name: See what the job of a merge request has left
  jobgate.gitlab.gitlab_job_download:
    project: group/app
    merge_request: 17
    name: "test: [py311, linux]"
    content: list
  register: left

- name: Show the files
  ansible.builtin.debug:
    msg: "{{ left.entries | selectattr('type', 'eq', 'file') | map(attribute='path') }}"

- name: List one folder, without the folders in it
  jobgate.gitlab.gitlab_job_download:
    project: group/app
    ref: main
    name: coverage
    content: list
    artifact_path: public/coverage
    recursive: false

- name: Fetch the plan that a child pipeline has made
  jobgate.gitlab.gitlab_job_download:
    project: group/app
    ref: main
    name: trigger:infra/plan
    include_downstream: true
    content: file
    artifact_path: plan.json
    dest: /srv/infra/plan.json
    mode: "0600"

- name: Fetch the artifacts of an earlier job from inside a CI job
  jobgate.gitlab.gitlab_job_download:
    api_job_token: "{{ lookup('ansible.builtin.env', 'CI_JOB_TOKEN') }}"
    project: "{{ lookup('ansible.builtin.env', 'CI_PROJECT_ID') }}"
    job_id: "{{ build_job_id }}"
    dest: build.zip
    mode: "0644"

- name: Download again what may have been damaged, to a folder with labels of its own
  jobgate.gitlab.gitlab_job_download:
    project: group/app
    ref: v1.2.0
    name: build
    dest: /srv/www/app.zip
    checksum: "sha256:{{ release_sha256 }}"
    force: true
    mode: "0644"
    seuser: system_u
    serole: object_r
    setype: httpd_sys_content_t
    selevel: s0
    attributes: +d

- name: Write to a file that is mounted into a container and cannot be replaced
  jobgate.gitlab.gitlab_job_download:
    project: group/app
    ref: main
    name: build
    content: file
    artifact_path: config/app.yml
    dest: /etc/app.yml
    mode: "0644"
    unsafe_writes: true

- name: Fetch a big archive from a server of our own
  jobgate.gitlab.gitlab_job_download:
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
    project: group/app
    ref: nightly
    name: image
    dest: /srv/images/app.zip
    mode: "0644"

- name: Fetch from a test server whose certificate nobody can verify
  jobgate.gitlab.gitlab_job_download:
    api_url: https://localhost:8443/gitlab
    validate_certs: false
    project: 1
    job_id: 42
    dest: /tmp/artifacts.zip
    mode: "0600"
"""

RETURN = r"""
dest:
  description:
    - Full path of the file. In check mode, where it would be.
    - V(null) for O(content=list), and when the download fails.
  type: str
  returned: always
  sample: /srv/releases/app-1.2.0.zip
size:
  description: Length of the content in bytes. V(null) where RV(dest) is.
  type: int
  returned: always
  sample: 15360
sha256:
  description: SHA-256 of the content in hexadecimal digits. V(null) where RV(dest) is.
  type: str
  returned: always
  sample: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
job:
  description:
    - The job, in GitLab's own words. Fields not listed here are passed on as the server sends them.
    - Only its C(id) with O(job_id), or its C(name) and C(ref) with O(latest_success=true), when the token may not read
      jobs, as a job token on most servers.
    - V(null) when the download fails.
  type: dict
  returned: always
  sample:
    id: 42
    name: build
    stage: build
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
      sample: build
    stage:
      description: Its stage.
      type: str
      returned: always
      sample: build
    status:
      description: Its status, such as V(running) or V(success).
      type: str
      returned: always
      sample: success
    ref:
      description: Branch or tag.
      type: str
      returned: always
      sample: v1.2.0
    tag:
      description: Whether RV(job.ref) is a tag.
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
      returned: when RV(job.status) is V(failed), from GitLab 14 on
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
        status: success
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
    artifacts_file:
      description: The archive with its artifacts.
      type: dict
      returned: when there is one that has not expired
      sample:
        filename: artifacts.zip
        size: 15360
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
    annotations:
      description: What extensions have to say about the job.
      type: dict
      returned: when an extension has added something
      sample:
        cost_centre: "4711"
pipeline:
  description:
    - The pipeline of RV(job), in GitLab's own words.
    - V(null) when the token may not read RV(job), and when the download fails.
  type: dict
  returned: always
  sample:
    id: 6
    project_id: 1
    ref: v1.2.0
    sha: 7d1a3f0f6f1a4c1f5bb0a3f7d94a5c6a1de28e11
    source: push
    status: success
    web_url: https://gitlab.example.com/group/app/-/pipelines/6
entries:
  description: What is in the archive, for O(content=list); else an empty list.
  type: list
  elements: dict
  returned: always
  sample:
    - name: dist
      path: dist/
      type: directory
      mode: "040755"
    - name: app.tar.gz
      path: dist/app.tar.gz
      type: file
      size: 15360
      mode: "100644"
  contains:
    name:
      description: Its name.
      type: str
      returned: always
      sample: app.tar.gz
    path:
      description: Its path inside the archive, as O(artifact_path) takes it. That of a folder ends with a slash.
      type: str
      returned: always
      sample: dist/app.tar.gz
    type:
      description: V(file) or V(directory).
      type: str
      returned: always
      sample: file
    size:
      description: Its length in bytes.
      type: int
      returned: for files
      sample: 15360
    mode:
      description: Its kind and permissions, as six octal digits.
      type: str
      returned: always
      sample: "100644"
elapsed:
  description: Seconds that the task took.
  type: float
  returned: always
  sample: 3.217
diff:
  description: Size and SHA-256 of O(dest) before and after, one line each, as C(--diff) shows them.
  type: dict
  returned: always
  sample:
    before: ""
    after: |
      size: 15360
      sha256: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
  contains:
    before:
      description: The file as it was found; empty if there was none.
      type: str
      returned: always
      sample: ""
    after:
      description: The file as it is now. In check mode, what is expected.
      type: str
      returned: always
      sample: |
        size: 15360
        sha256: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
mode:
  description: Permissions of RV(dest); V(null) when there is no such file.
  type: str
  returned: always
  sample: "0644"
owner:
  description: Owner of RV(dest); V(null) when there is no such file.
  type: str
  returned: always
  sample: root
group:
  description: Group of RV(dest); V(null) when there is no such file.
  type: str
  returned: always
  sample: www-data
uid:
  description: Id of the owner of RV(dest); V(null) when there is no such file.
  type: int
  returned: always
  sample: 0
gid:
  description: Id of the group of RV(dest); V(null) when there is no such file.
  type: int
  returned: always
  sample: 33
state:
  description:
    - What RV(dest) is, usually V(file), or V(hard) when it has several names; V(null) when there is no such file.
  type: str
  returned: always
  sample: file
secontext:
  description: SELinux context of RV(dest); V(null) when there is no such file, or where SELinux is not in use.
  type: str
  returned: always
  sample: system_u:object_r:httpd_sys_content_t:s0
"""

from ansible_collections.jobgate.gitlab.plugins.module_utils._ansible.module_face import run_module
from ansible_collections.jobgate.gitlab.plugins.module_utils._tasks.gitlab_job_download import TASK


def main() -> None:
    run_module(TASK)


if __name__ == "__main__":
    main()
