#!/usr/bin/python

# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation and entry point of the module."""

from __future__ import annotations

DOCUMENTATION = r"""
module: gitlab_job_download
version_added: 0.1.0
short_description: Download the artifacts or the log of a GitLab CI job to a file
description:
  - Downloads the artifacts archive of a job, one file from the archive, a report, or the job's log. Can also list the
    files in the archive.
  - Streams the content to a temporary file next to O(dest), so large files require little memory. Verifies the length
    and O(checksum) before it replaces O(dest). On any error, O(dest) stays unchanged.
  - This module does not wait for the job. To wait, use M(jobgate.gitlab.gitlab_job_info) with
    O(jobgate.gitlab.gitlab_job_info#module:wait=true) first. To use a small artifact in an expression, use
    P(jobgate.gitlab.gitlab_job#lookup).
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
      - Changes no files. If necessary, downloads the content and compares it with O(dest), so that RV(ignore:changed)
        is the value that a real run would return.
  diff_mode:
    support: full
    details:
      - Shows the size and the SHA-256 checksum of O(dest) before and after, but not its content.
  idempotent:
    support: full
    details:
      - Changes nothing if O(dest) already has the content, mode, owner and group.
      - The content changes when there is a newer job, or when the log has grown.
  platform:
    description: Operating systems on which the module can run.
    support: full
    platforms: posix
options:
  api_job_token:
    description:
      - The token of a running CI job, sent in the header C(JOB-TOKEN).
      - E(CI_JOB_TOKEN) is never used automatically, because the task would silently act as another user. To use it, set
        it here.
      - Job tokens can download and list artifacts by O(job_id), and download them with O(latest_success=true). Finding
        a job requires GitLab 18 with O(pipeline_id), and GitLab 19.2 with O(ref) or O(sha). Job tokens cannot read
        logs; use O(api_token) instead.
      - Access to other projects requires a GitLab licence that includes it, and the project of the CI job on the
        allowlist of the other project. In GitLab 16.6 and later, public and internal projects with public pipelines
        need no allowlist entry.
  project:
    description:
      - Project of the job, as a numeric ID or a full path such as V(group/subgroup/app). Do not URL-encode the path.
  ref:
    description:
      - Branch or tag, or V(refs/merge-requests/17/head) for the pipelines of a merge request.
      - Selects its newest pipeline, whatever its status, unless O(latest_success=true). Skipped pipelines without jobs,
        such as those caused by C([skip ci]), are ignored with a warning.
      - The task uses this pipeline throughout, even if a newer one starts.
      - With O(sha), selects the newest pipeline of that commit on that branch or tag.
  job_id:
    description:
      - ID of the job, as in the address of its page. Mutually exclusive with all other options that choose a pipeline
        or a job.
      - Selects exactly this attempt, even if the job has been retried since.
    type: int
  name:
    description:
      - Name of the job, which selects its newest attempt. If no job has exactly this name, C(*) and C(?) are wildcards.
        If several jobs match, the task fails and lists them.
      - >-
        C([) is an ordinary character, because the names of C(parallel:matrix) jobs contain it, as in V(test: [py311,
        linux]).
      - With O(include_downstream=true), V(bridge/job) is job C(job) in the pipeline that trigger job C(bridge) started,
        to any depth, as in V(trigger:infra/apply). A name without a slash refers to the job of the pipeline itself, and
        to a job of a downstream pipeline only if the pipeline itself has no such job.
      - If no job matches, the task fails and lists similar names.
      - Required unless O(job_id) is set.
    type: str
  include_downstream:
    description:
      - Also look for the job in the downstream pipelines (child and multi-project) of this pipeline, to any depth.
      - Downstream pipelines that the token cannot read are ignored, with a warning if they may contain the job.
      - Cannot be used with O(job_id).
    type: bool
    default: false
  latest_success:
    description:
      - Use the newest successful pipeline of O(ref), as GitLab finds it, even if the newest pipeline is running or has
        failed.
      - GitLab looks for the job in this pipeline, then in its child pipelines. If the job does not exist there or has
        no artifacts, GitLab continues with older successful pipelines, for O(content=archive) since GitLab 18.7 and for
        O(content=file) since GitLab 18.9. A pipeline that waits for a blocking manual job is not successful.
      - Requires O(ref), O(name) without wildcards, and O(content=archive) or O(content=file). Cannot be used with
        O(sha), O(ref_type), O(pipeline_source) and O(include_downstream=true).
      - If the job succeeds in a newer pipeline during the download, the task fails and leaves O(dest) unchanged,
        because GitLab does not show which job the content belongs to.
    type: bool
    default: false
  content:
    description:
      - What to download.
      - V(archive) downloads the zip archive with all artifacts of the job, without unpacking it.
      - V(file) downloads only the file O(artifact_path) from the archive.
      - V(log) downloads the job's log byte for byte, including color codes and section marks. The log of a running job
        is a snapshot.
      - V(report) downloads the report O(report_type), such as a test report. Requires GitLab 19.4.
      - V(list) downloads nothing and returns the files and folders of the archive as RV(entries). Requires GitLab 18.8.
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
      - Type of the report. Required with O(content=report), and an error otherwise.
      - This is the C(file_type) in RV(job.artifacts), such as V(junit), V(dotenv), V(codequality) or V(cyclonedx). It
        usually equals the keyword under C(artifacts:reports) in the CI/CD configuration, but a C(coverage_report) has
        the type V(cobertura) or V(jacoco).
      - The file is not unpacked. GitLab compresses some reports, such as V(junit) and V(dotenv), with gzip. The
        C(file_format) in RV(job.artifacts) is V(gzip), V(raw) or V(zip).
      - If the job does not have such a report, the task fails and lists the types it has. If the token cannot read the
        job, the task requests the report without this check.
      - GitLab does not offer reports of some types, such as V(metrics_referee), for download on their own.
    type: str
  artifact_path:
    description:
      - Path inside the archive, such as V(dist/app 1.2.tar.gz). Do not URL-encode it.
      - With O(content=file), the file to download (required). A file V(tree) at the top of the archive can only be
        downloaded with O(latest_success=true), because GitLab 18.8 and later otherwise return a list instead.
      - With O(content=list), the folder to list. If omitted, the list starts at the top of the archive.
      - An error with any other O(content).
    type: str
  recursive:
    description:
      - Whether O(content=list) also lists the contents of subfolders, to any depth.
      - Has no effect with any other O(content).
    type: bool
    default: true
  dest:
    description:
      - Where to save the content, on the machine that runs the task. Either an existing folder, or a file in one.
      - On the controller, a relative path starts in the folder of the playbook.
      - In a folder, the file gets the name of the artifact for O(content=file), C(artifacts.zip) for
        O(content=archive), and the ID of the job with C(.log) for O(content=log). For O(content=report), it gets
        GitLab's file name of the report, such as C(junit.xml.gz), or O(report_type) if the token cannot read the job.
        RV(dest) is the full path.
      - The folder must be writable and have space for the old and the new file, because the content is downloaded to a
        temporary file next to O(dest).
      - A replaced file keeps its owner, group and permissions. It keeps set-id bits only if its owner runs the task. A
        link is replaced and its target stays unchanged, as with M(ansible.builtin.copy).
      - Required unless O(content=list), where it is an error.
    type: path
  checksum:
    description:
      - Expected checksum of the content, as V(sha256:) and 64 hexadecimal digits. If it differs, the task fails and
        leaves O(dest) unchanged.
      - If O(dest) already has this checksum, nothing is downloaded, unless O(force=true).
      - Cannot be used with O(content=list).
    type: str
  force:
    description:
      - Whether to download the content even if O(dest) already has the O(checksum).
      - Identical content is not reported as a change.
    type: bool
    default: false
notes:
  - One of O(job_id), O(pipeline_id), O(ref), O(sha) and O(merge_request) is required. All except O(job_id) also require
    O(name).
  - The job is the newest attempt in the selected pipeline, whatever its status, unless O(latest_success=true). Running
    and failed jobs can be read as well.
  - GitLab may redirect downloads of artifacts to an object storage, which must be reachable from the machine that runs
    the task. The redirect is followed without the token and never from https to http, and its address is not logged.
  - If artifacts are missing, the error distinguishes, as far as GitLab does, between expired artifacts, an erased job,
    and a job without an archive. Reports such as C(reports:junit) or C(reports:dotenv) are not part of the archive. Use
    O(content=report), or list the file under C(artifacts:paths) as well.
  - GitLab before 19.4 ignores O(report_type) and sends the archive. The task then fails and leaves O(dest) unchanged.
    Only the length distinguishes reports that are zip files, such as V(lsif), from the archive, so they require a token
    that can read the job.
  - Paths that are not in the archive, invalid paths that point out of the archive, and servers without support for
    O(content=list) cause specific errors.
  - Logs and artifacts can contain secrets that GitLab has not masked. Set O(mode) to restrict access to the file.
  - Trigger jobs have no artifacts and no log. With O(include_downstream=true), select a job of their downstream
    pipeline.
  - The user of the token must be able to read the job, which usually requires the Reporter role. The log of a job in
    debug mode requires the Developer role. C(artifacts:access) can restrict artifacts to some roles. Artifacts of
    public projects need no token, but logs do.
seealso:
  - module: jobgate.gitlab.gitlab_job_info
  - module: jobgate.gitlab.gitlab_job_action
  - plugin: jobgate.gitlab.gitlab_job
    plugin_type: lookup
  - module: ansible.builtin.unarchive
  - name: Job artifacts API
    description: GitLab's documentation of the requests for artifacts.
    link: https://docs.gitlab.com/api/job_artifacts/
  - name: Jobs API
    description: GitLab's documentation of the request for the log.
    link: https://docs.gitlab.com/api/jobs/
"""

EXAMPLES = r"""
- name: Download the artifacts of the newest successful build of a release
  jobgate.gitlab.gitlab_job_download:
    project: group/app
    ref: v1.2.0
    name: build
    latest_success: true
    dest: /srv/releases/app-1.2.0.zip
    mode: "0644"
  register: build

- name: Unpack the archive
  ansible.builtin.unarchive:
    src: "{{ build.dest }}"
    dest: /srv/app
    remote_src: true

- name: Download the archive of the last push to a branch
  jobgate.gitlab.gitlab_job_download:
    api_token: "{{ lookup('ansible.builtin.env', 'GITLAB_TOKEN') }}"
    project: group/app
    ref: main
    ref_type: branch
    pipeline_source: push
    name: build
    dest: /tmp/build.zip

- name: Download one file from the build of a commit
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

- name: Download a file and verify its checksum
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

- name: Download the test report, which is called junit.xml.gz
  jobgate.gitlab.gitlab_job_download:
    project: group/app
    pipeline_id: 6
    name: integration
    content: report
    report_type: junit
    dest: /srv/reports/
    mode: "0644"

- name: Download the log of the tests
  jobgate.gitlab.gitlab_job_download:
    project: group/app
    pipeline_id: 6
    name: integration
    content: log
    dest: /var/log/releases/
    mode: "0600"
  register: log

- name: Show size and path of the log
  ansible.builtin.debug:
    msg: "{{ log.size }} bytes in {{ log.dest }}"

- name: List the artifacts of a job of a merge request
  jobgate.gitlab.gitlab_job_download:
    project: group/app
    merge_request: 17
    name: "test: [py311, linux]"
    content: list
  register: left

- name: Show the files
  ansible.builtin.debug:
    msg: "{{ left.entries | selectattr('type', 'eq', 'file') | map(attribute='path') }}"

- name: List one folder without its subfolders
  jobgate.gitlab.gitlab_job_download:
    project: group/app
    ref: main
    name: coverage
    content: list
    artifact_path: public/coverage
    recursive: false

- name: Download a file from a child pipeline
  jobgate.gitlab.gitlab_job_download:
    project: group/app
    ref: main
    name: trigger:infra/plan
    include_downstream: true
    content: file
    artifact_path: plan.json
    dest: /srv/infra/plan.json
    mode: "0600"

- name: Download the artifacts of an earlier job in a CI job
  jobgate.gitlab.gitlab_job_download:
    api_job_token: "{{ lookup('ansible.builtin.env', 'CI_JOB_TOKEN') }}"
    project: "{{ lookup('ansible.builtin.env', 'CI_PROJECT_ID') }}"
    job_id: "{{ build_job_id }}"
    dest: build.zip
    mode: "0644"

- name: Download the archive even if its checksum fits, and set SELinux context and attributes
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

- name: Write to a file that cannot be replaced because it is mounted into a container
  jobgate.gitlab.gitlab_job_download:
    project: group/app
    ref: main
    name: build
    content: file
    artifact_path: config/app.yml
    dest: /etc/app.yml
    mode: "0644"
    unsafe_writes: true

- name: Download a large archive from a self-managed server
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

- name: Download from a test server without verifying its certificate
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
    - Full path of the file. In check mode, the expected path.
    - V(null) with O(content=list), and if the download fails.
  type: str
  returned: always
  sample: /srv/releases/app-1.2.0.zip
size:
  description: Size of the content in bytes. V(null) if RV(dest) is.
  type: int
  returned: always
  sample: 15360
sha256:
  description: SHA-256 checksum of the content in hexadecimal digits. V(null) if RV(dest) is.
  type: str
  returned: always
  sample: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
job:
  description:
    - The job. Fields that are not listed here are returned as GitLab sends them.
    - If the token cannot read jobs, as job tokens on most servers, contains only C(id) with O(job_id), or C(name) and
      C(ref) with O(latest_success=true).
    - V(null) if the download fails.
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
      description: ID of this attempt of the job. A retry gets a new ID.
      type: int
      returned: always
      sample: 42
    name:
      description: Name of the job. The names of C(parallel:matrix) jobs contain their matrix values.
      type: str
      returned: always
      sample: build
    stage:
      description: Stage of the job.
      type: str
      returned: always
      sample: build
    status:
      description: Status of the job, such as V(running) or V(success).
      type: str
      returned: always
      sample: success
    ref:
      description: Branch or tag of the job.
      type: str
      returned: always
      sample: v1.2.0
    tag:
      description: Whether RV(job.ref) is a tag.
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
      returned: when RV(job.status) is V(failed), in GitLab 14 and later
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
        status: success
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
    artifacts_file:
      description: Archive with the artifacts of the job.
      type: dict
      returned: when the archive exists and has not expired
      sample:
        filename: artifacts.zip
        size: 15360
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
    annotations:
      description: Annotations that extensions added to the job.
      type: dict
      returned: when an extension has added annotations
      sample:
        cost_centre: "4711"
pipeline:
  description:
    - Pipeline of RV(job), as GitLab returns it.
    - V(null) if the token cannot read RV(job), and if the download fails.
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
  description: Files and folders in the archive. Empty unless O(content=list).
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
      description: Name of the file or folder.
      type: str
      returned: always
      sample: app.tar.gz
    path:
      description: Path inside the archive, as in O(artifact_path). Paths of folders end with a slash.
      type: str
      returned: always
      sample: dist/app.tar.gz
    type:
      description: V(file) or V(directory).
      type: str
      returned: always
      sample: file
    size:
      description: Size in bytes.
      type: int
      returned: for files
      sample: 15360
    mode:
      description: File type and permissions, as six octal digits.
      type: str
      returned: always
      sample: "100644"
elapsed:
  description: Duration of the task in seconds.
  type: float
  returned: always
  sample: 3.217
diff:
  description: Size and SHA-256 checksum of O(dest) before and after, one per line, as C(--diff) shows them.
  type: dict
  returned: always
  sample:
    before: ""
    after: |
      size: 15360
      sha256: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
  contains:
    before:
      description: The file before the download. Empty if it did not exist.
      type: str
      returned: always
      sample: ""
    after:
      description: The file after the download. In check mode, the expected file.
      type: str
      returned: always
      sample: |
        size: 15360
        sha256: 9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08
mode:
  description: Permissions of RV(dest). V(null) if the file does not exist.
  type: str
  returned: always
  sample: "0644"
owner:
  description: Owner of RV(dest). V(null) if the file does not exist.
  type: str
  returned: always
  sample: root
group:
  description: Group of RV(dest). V(null) if the file does not exist.
  type: str
  returned: always
  sample: www-data
uid:
  description: ID of the owner of RV(dest). V(null) if the file does not exist.
  type: int
  returned: always
  sample: 0
gid:
  description: ID of the group of RV(dest). V(null) if the file does not exist.
  type: int
  returned: always
  sample: 33
state:
  description:
    - Type of RV(dest), usually V(file), or V(hard) if it has several hard links. V(null) if the file does not exist.
  type: str
  returned: always
  sample: file
secontext:
  description: SELinux context of RV(dest). V(null) if the file does not exist or SELinux is not used.
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
