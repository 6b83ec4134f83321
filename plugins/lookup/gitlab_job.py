# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A job, some of its fields, an artifact or its log, in an expression."""

from __future__ import annotations

DOCUMENTATION = r"""
name: gitlab_job
version_added: 0.1.0
short_description: Read GitLab CI jobs, their artifacts or logs in an expression
author:
  - Jobgate Developers (@jobgate)
description:
  - Returns jobs of a project by name or ID, or a field, an artifact file or the log of each, for use in conditions,
    messages and variables.
  - Reads once and does not wait. Use P(jobgate.gitlab.gitlab_job_info#module) to wait for a job,
    P(jobgate.gitlab.gitlab_job_action#module) to act on one, and P(jobgate.gitlab.gitlab_job_download#module) to
    download artifacts and logs of any size to files.
  - Runs on the controller each time the expression is evaluated. If you use the result often, store it with
    P(ansible.builtin.set_fact#module). Lookups in the same process share the connection, and share identical reads for
    O(cache_seconds).
requirements:
  - requests
  - pluggy
extends_documentation_fragment:
  - jobgate.gitlab._connection
  - jobgate.gitlab._connection.plugins
  - jobgate.gitlab._job_selection.pipeline
options:
  _terms:
    description:
      - Names or IDs of jobs, or lists of them. A term that consists of digits is an ID, which needs no pipeline. A name
        requires one of O(pipeline_id), O(ref), O(sha) and O(merge_request).
      - Required, unless O(job_name) or O(job_id) is set.
      - If no job has exactly this name, C(*) and C(?) are wildcards. C([) is an ordinary character, because the names
        of C(parallel:matrix) jobs contain it.
      - A name selects the newest attempt of the job, whatever its status.
      - A term that matches no job is an error, unless O(default) is set.
    type: list
    elements: str
  job_name:
    description:
      - A name, as in a term. Digits are a name here as well, as for a job that is called V(404).
      - Mutually exclusive with terms and O(job_id).
    type: str
  job_id:
    description:
      - ID of one job, as in a term that consists of digits.
      - Mutually exclusive with terms and O(job_name).
    type: int
  include_downstream:
    description:
      - Also look for names in the downstream pipelines (child and multi-project) of the pipeline, to any depth. Their
        jobs can be named V(bridge/job), as in V(trigger:infra/apply).
    type: bool
    default: false
  attribute:
    description:
      - Return only this field of each job instead of the whole job. Use dots for nested fields, as in V(pipeline.id).
      - A field that the job does not have is an error, unless O(default) is set.
      - Mutually exclusive with O(fields), O(artifact) and O(log).
    type: str
  fields:
    description:
      - Keep only these fields of each job. Use dots for nested fields, as in V(pipeline.id) or V(user.username); the
        result is nested in the same way.
      - Fields that the job does not have are left out. It is an error if another field has a similar name, or if the
        job has none of the fields, unless O(default) is set.
      - Mutually exclusive with O(attribute), O(artifact) and O(log).
    type: list
    elements: str
    default: []
  artifact:
    description:
      - Return the content of this file from the artifacts of each job instead of the job, parsed according to O(parse).
        This is the path inside the archive, such as V(dist/version.json). Do not URL-encode it.
      - The file is read from the selected job, whatever its status. Set O(latest_success=true) to read from the newest
        successful pipeline of O(ref).
      - A missing file is an error, unless O(default) is set, and so are expired or erased artifacts. Reports such as
        C(reports:dotenv) are not part of the archive; list the file under C(artifacts:paths) as well.
      - The file is read into memory. Files larger than 64 MiB, JSON and YAML with more than 100 levels, and YAML whose
        aliases expand to more than a million values or refer to themselves are refused. Use
        P(jobgate.gitlab.gitlab_job_download#module) for large or binary files.
      - Mutually exclusive with O(attribute), O(fields) and O(log).
    type: str
  latest_success:
    description:
      - Read O(artifact) from the newest successful pipeline of O(ref), as GitLab finds it, even if the newest pipeline
        is running or has failed.
      - GitLab looks for the job in this pipeline, then in its child pipelines. If the job does not exist there or has
        no artifacts, GitLab 18.9 and later continues with older successful pipelines.
      - Requires O(ref), O(artifact), and names without wildcards. Cannot be used with IDs, O(sha), O(ref_type),
        O(pipeline_source) and O(include_downstream=true).
      - Sends one request for each name. Job tokens can use it on every server.
    type: bool
    default: false
  parse:
    description:
      - Format of O(artifact). Malformed content is an error that contains the name of the file and, if known, the line.
      - V(text) returns one string. The file must be UTF-8.
      - V(json) returns the value of the JSON document.
      - V(yaml) returns the value of the YAML document. Only plain data is supported; tags cannot create other objects.
      - V(dotenv) returns a dictionary of strings from C(NAME=value) lines, as jobs write them for C(reports:dotenv).
      - Has no effect unless O(artifact) is set.
    type: str
    choices:
      - text
      - json
      - yaml
      - dotenv
    default: text
  log:
    description:
      - Return the log of each job instead of the job, as one string. The log of a running job contains what has been
        written so far.
      - It is an error if the job has not started, was skipped or was erased, unless O(default) is set.
      - Bytes that are not UTF-8 are replaced, and color codes and other control codes are removed. Everything else is
        as GitLab stores it. Secrets that GitLab has not masked in the log are not masked here either.
      - To read only the last lines, use O(jobgate.gitlab.gitlab_job_info#module:log_lines).
      - Mutually exclusive with O(attribute), O(fields) and O(artifact).
    type: bool
    default: false
  cache_seconds:
    description:
      - How many seconds to reuse the result of an identical read from the same server with the same token. A template
        that uses several fields of a job then sends one request.
      - Only reads in the same process are shared. Ansible usually starts a new process for each task and host.
      - V(0) always sends a request, for conditions that require the current state.
    type: float
    default: 2
  default:
    description:
      - Value for a term if the pipeline or job does not exist, and for a job without the O(attribute), O(artifact) or
        O(log). Empty strings and V(null) are valid values.
      - A job that has not ended has no artifacts yet, so the default is returned for them as well. If this matters,
        wait for the job first, or use O(latest_success).
      - Other errors are not affected, such as an unreachable server, a token without permission to read, or a malformed
        artifact.
    type: raw
notes:
  - Store tokens in environment variables or Ansible variables, and not in C(ansible.cfg), which is usually stored with
    the playbooks.
  - Job tokens can read artifacts, but not logs.
  - Options with the value C(omit) count as not set, as in tasks.
seealso:
  - module: jobgate.gitlab.gitlab_job_info
  - module: jobgate.gitlab.gitlab_job_action
  - module: jobgate.gitlab.gitlab_job_download
  - module: jobgate.gitlab.gitlab_pipeline_bridges
  - name: Jobs API
    description: GitLab's documentation of jobs and their fields.
    link: https://docs.gitlab.com/api/jobs/
  - name: Job artifacts API
    description: GitLab's documentation of the requests for artifacts.
    link: https://docs.gitlab.com/api/job_artifacts/
"""

EXAMPLES = r"""
- name: Show the status of the deployment of a release
  ansible.builtin.debug:
    msg: "{{ lookup('jobgate.gitlab.gitlab_job', 'deploy:prod', project='group/app', ref='v1.2.0').status }}"

- name: Show the addresses of all test jobs of a pipeline
  ansible.builtin.debug:
    msg: "{{ query('jobgate.gitlab.gitlab_job', 'test:*', project='group/app', pipeline_id=6, attribute='web_url') }}"

- name: Show who played the deployment of this commit
  ansible.builtin.debug:
    msg: "Played by {{ player }}"
  vars:
    player: >-
      {{ lookup('jobgate.gitlab.gitlab_job', 'deploy:prod', project='group/app', sha=release_commit,
                attribute='user.username') }}

- name: Stop unless this job of a matrix has succeeded
  ansible.builtin.assert:
    that: cell.status == 'success'
  vars:
    cell: "{{ lookup('jobgate.gitlab.gitlab_job', 'test: [py311, linux]', project='group/app', ref='main') }}"

- name: Show the status of a test of the last push, not of the nightly pipeline
  ansible.builtin.debug:
    msg: "{{ status }}"
  vars:
    status: >-
      {{ lookup('jobgate.gitlab.gitlab_job', 'test:lint', project='group/app', ref='main', ref_type='branch',
                pipeline_source=['push'], attribute='status') }}

- name: Read a job by its ID
  ansible.builtin.debug:
    msg: "{{ lookup('jobgate.gitlab.gitlab_job', job_id=42, project='group/app', fields=['id', 'pipeline.id']) }}"

- name: Show the status of a job whose name is a number
  ansible.builtin.debug:
    msg: "{{ lookup('jobgate.gitlab.gitlab_job', job_name='404', project='group/app', ref='main').status }}"

- name: Show the status of a job in a child pipeline
  ansible.builtin.debug:
    msg: "It is {{ infrastructure.status }}"
  vars:
    infrastructure: >-
      {{ lookup('jobgate.gitlab.gitlab_job', 'trigger:infra/apply', project='group/app', ref='main',
                include_downstream=true) }}

- name: Show none if the pipeline of a merge request has no such job
  ansible.builtin.debug:
    msg: "The review job is {{ status }}"
  vars:
    status: >-
      {{ lookup('jobgate.gitlab.gitlab_job', 'review', project='group/app', merge_request=17,
                attribute='status', default='none') }}

- name: Read a version from an artifact of the newest pipeline
  ansible.builtin.debug:
    msg: "Version {{ build.VERSION }}"
  vars:
    build: >-
      {{ lookup('jobgate.gitlab.gitlab_job', 'build', project='group/app', ref='main',
                artifact='build.env', parse='dotenv') }}

- name: Stop if the test coverage of a pipeline is too low
  ansible.builtin.assert:
    that: coverage.totals.percent_covered >= 80
  vars:
    coverage: >-
      {{ lookup('jobgate.gitlab.gitlab_job', 'coverage', project='group/app', pipeline_id=6,
                artifact='coverage.json', parse='json') }}

- name: Read a version from an artifact of the newest successful pipeline
  ansible.builtin.debug:
    msg: "{{ build.VERSION }}"
  vars:
    build: >-
      {{ lookup('jobgate.gitlab.gitlab_job', 'build', project='group/app', ref='main', latest_success=true,
                artifact='build.env', parse='dotenv') }}

- name: Read settings from an artifact of a release, with a default for releases without this file
  ansible.builtin.debug:
    msg: "{{ settings }}"
  vars:
    settings: >-
      {{ lookup('jobgate.gitlab.gitlab_job', 'build', project='group/app', ref='v1.2.0',
                artifact='config/settings.yml', parse='yaml', default={}) }}

- name: Show whether the log of a job contains warnings
  ansible.builtin.debug:
    msg: "{{ 'The log has warnings' if 'WARNING' in text else 'The log has no warnings' }}"
  vars:
    text: "{{ lookup('jobgate.gitlab.gitlab_job', 42, project='group/app', log=true) }}"

- name: Stop unless the deployment is still waiting to be played
  ansible.builtin.assert:
    that: status == 'manual'
  vars:
    status: >-
      {{ lookup('jobgate.gitlab.gitlab_job', 'deploy:prod', project='group/app', pipeline_id=6,
                attribute='status', cache_seconds=0) }}

- name: Read from a self-managed server, with the connection in variables
  ansible.builtin.debug:
    msg: "{{ query('jobgate.gitlab.gitlab_job', 'build', 'deploy:*', project='group/app', ref='main') }}"
  vars:
    jobgate_gitlab_api_url: https://gitlab.example.com
    jobgate_gitlab_api_token: "{{ gitlab_token }}"
    jobgate_gitlab_ca_path: /etc/ssl/certs/example-ca.pem
    jobgate_gitlab_client_cert: /etc/ssl/private/ci.pem
    jobgate_gitlab_client_key: /etc/ssl/private/ci.key
    jobgate_gitlab_http_headers:
      X-Gateway-Pass: "{{ gateway_pass }}"

- name: Set the connection in the expression
  ansible.builtin.debug:
    msg: >-
      {{ lookup('jobgate.gitlab.gitlab_job', 'build', project='group/app', ref='main',
                api_url='https://gitlab.example.com', api_token=gitlab_token, api_timeout=5).status }}
"""

RETURN = r"""
_raw:
  description:
    - The jobs of all terms, in the order of the terms, newest first for each term, with the fields that
      P(jobgate.gitlab.gitlab_job_info#module) returns.
    - With O(attribute), the values of that field instead. With O(artifact), the parsed contents of the file. With
      O(log), the logs.
    - C(lookup) returns a single job, value or content without a list. Use C(query) to always get a list.
  type: list
  elements: raw
  sample:
    - id: 42
      name: deploy:prod
      stage: deploy
      status: success
      web_url: https://gitlab.example.com/group/app/-/jobs/42
"""

import dataclasses
import functools
import math
import typing as t

from ansible.errors import AnsibleError
from ansible.plugins.lookup import LookupBase
from ansible.utils.display import Display
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.errors import (
    GitLabError,
    MissingLibraryError,
    UsageError,
)
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.reads.lookup import LookupRequest, look_up, read_term
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.safe_output import SafeOutput
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.session import TaskContext
from ansible_collections.jobgate.gitlab.plugins.module_utils._tasks.options import (
    pipeline_query,
    plain_text,
    session_of,
    text_list,
)
from ansible_collections.jobgate.gitlab.plugins.module_utils._tasks.values.arguments import Options
from ansible_collections.jobgate.gitlab.plugins.module_utils._tasks.values.connection import Numbers, number_fields
from ansible_collections.jobgate.gitlab.plugins.module_utils._tasks.values.misread import misread, not_one_value
from ansible_collections.jobgate.gitlab.plugins.module_utils._tasks.values.prepared import refuse_mask
from ansible_collections.jobgate.gitlab.plugins.plugin_utils._options import is_omit, lookup_options
from ansible_collections.jobgate.gitlab.plugins.plugin_utils._parsing import log_text, parse_artifact
from ansible_collections.jobgate.gitlab.plugins.plugin_utils._shared import shared_transport

display = Display()
_NUMBERS: Numbers = {"cache_seconds": ("cache_seconds", 0, math.inf)}
# Options that return something other than whole jobs; at most one can be set.
_INSTEAD = ("attribute", "fields", "artifact", "log")


class LookupModule(LookupBase):
    """The lookup plugin, which finds jobs by name or id."""

    def run(self, terms: list[t.Any], variables: dict[str, t.Any] | None = None, **kwargs: t.Any) -> list[t.Any]:
        """Return the jobs, or the requested part of them."""
        output = SafeOutput(TaskContext())
        known = variables or {}
        try:
            # `omit` may be the default: then the value of the expression is omitted
            given = {
                name: value for name, value in kwargs.items() if name == "default" or not is_omit(value, self, known)
            }
            # resolve options like those of a task: Ansible would also read tokens of other kinds from the environment
            options = lookup_options(self, given, known)
            self.set_options(direct=options)
            named = [term for term in self._flatten(terms) if not is_omit(term, self, known)]
            request = _request(options, named, given)
            numbers = number_fields(_NUMBERS, {"cache_seconds": self.get_option("cache_seconds")})
            shared = functools.partial(shared_transport, **numbers)
            session = session_of(options, dataclasses.replace(output.context, transport=shared))
            values = look_up(session, request)
            for text in session.warnings:
                display.warning(output.line(text))
            return list(output.value(values))
        except MissingLibraryError as exc:
            raise AnsibleError(
                f"lookup gitlab_job needs the Python library {exc.library} on the controller: install it in the "
                "environment that ansible-playbook runs in"
            ) from None
        except GitLabError as exc:
            raise AnsibleError(str(output.error(exc))) from None


def _request(options: Options, terms: list[t.Any], given: Options) -> LookupRequest:
    """Return the request of an expression.

    :param given: the unconverted options of the expression, because `default` is returned unchanged.
    """
    instead = [name for name in _INSTEAD if options[name]]
    if len(instead) > 1:
        raise UsageError(f"{' and '.join(instead)} are mutually exclusive; set only one of them")
    query = pipeline_query(options)
    if query.is_overdetermined:
        raise UsageError("pipeline_id and merge_request cannot be used together, or with ref or sha")
    return LookupRequest(
        pipeline=query,
        terms=_terms(options, terms),
        include_downstream=options["include_downstream"],
        attribute=options["attribute"] or "",
        fields=text_list(options, "fields"),
        artifact=options["artifact"] or "",
        latest_success=options["latest_success"],
        log=options["log"],
        read=lambda content, subject: (
            log_text(content)
            if options["log"]
            else parse_artifact(content, options["parse"], options["artifact"], subject=subject)
        ),
        has_default="default" in given,
        default=given.get("default"),
    )


def _terms(options: Options, terms: list[t.Any]) -> tuple[int | str, ...]:
    """Return the names and ids to look for."""
    name, job_id = options["job_name"], options["job_id"]
    if sum((bool(terms), name is not None, job_id is not None)) > 1:
        raise UsageError("terms, job_name and job_id are mutually exclusive; set only one of them")
    if job_id is not None:
        return (job_id,)
    problem = next(filter(None, (misread(term) or not_one_value(term) for term in terms)), "")
    if problem:
        raise UsageError(f"the name of a job {problem}")
    given = [name] if name is not None else terms
    texts = ["" if term is None else str(term) for term in given]
    if not texts or not all(map(str.strip, texts)):
        raise UsageError("specify the name or the id of a job, not an empty string")
    for text in texts:
        refuse_mask("the name of a job", plain_text("the name of a job", text))
    found = tuple(texts if name is not None else map(read_term, texts))
    if 0 in found:
        raise UsageError("the id of a job is 0; ids start at 1")
    return found
