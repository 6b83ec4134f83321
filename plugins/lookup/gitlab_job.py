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
  - Returns jobs of a project by name or id, or one field of them, a file out of their artifacts, or their log. For
    conditions, messages and variables.
  - It reads once and does not wait. Use P(jobgate.gitlab.gitlab_job_info#module) to wait for a job, and
    P(jobgate.gitlab.gitlab_job_action#module) to act on one. P(jobgate.gitlab.gitlab_job_download#module) brings
    artifacts and logs of any size into files.
  - It runs on the controller, and each time that the expression is evaluated. Keep the result with
    P(ansible.builtin.set_fact#module) if you need it often. Within one process the connection is shared, and so are
    identical reads for O(cache_seconds).
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
      - Names or ids of jobs, or lists of these. A term of digits only is an id, which needs no pipeline. A name needs
        one of O(pipeline_id), O(ref), O(sha) and O(merge_request).
      - Required, unless O(job_name) or O(job_id) is given.
      - A job of exactly that name is taken; only if there is none, C(*) and C(?) in the name are wildcards. C([) is an
        ordinary character, since jobs made by C(parallel:matrix) carry it.
      - A name stands for the newest attempt of the job, whatever its status.
      - A term that nothing matches is an error, unless O(default) is set.
    type: list
    elements: str
  job_name:
    description:
      - A name, as in a term. Digits only are a name here, too, for a job that is called V(404).
      - Excludes terms and O(job_id).
    type: str
  job_id:
    description:
      - The id of one job, as in a term of digits.
      - Excludes terms and O(job_name).
    type: int
  include_downstream:
    description:
      - Look for names in the child and multi-project pipelines, too, that trigger jobs of the pipeline have started, to
        any depth. There a name may be V(bridge/job), as in V(trigger:infra/apply).
    type: bool
    default: false
  attribute:
    description:
      - Return only this field of each job instead of the whole job. A dot reaches inside, as in V(pipeline.id).
      - A field that the job does not have is an error, unless O(default) is set.
      - Excludes O(fields), O(artifact) and O(log).
    type: str
  fields:
    description:
      - Keep only these fields of each job. A dot reaches inside, as in V(pipeline.id) or V(user.username), and the
        result is nested in the same way.
      - A field that the job does not have is left out. It is an error if another field is called almost so, or if the
        job has none of them, unless O(default) is set.
      - Excludes O(attribute), O(artifact) and O(log).
    type: list
    elements: str
    default: []
  artifact:
    description:
      - Return the content of this file out of the artifacts of each job instead of the job, read as O(parse) says. The
        path inside the archive, such as V(dist/version.json), written as it is and not URL-encoded.
      - It is the file of the job that the term names, in the very pipeline that all other options mean, whatever its
        status. Set O(latest_success=true) for the newest pipeline of O(ref) that has succeeded.
      - A file that is not there is an error, unless O(default) is set. So are artifacts that have expired or were
        erased. Reports such as C(reports:dotenv) are not part of the archive; list the file under C(artifacts:paths)
        as well.
      - The file is read into memory, and refused from 64 MiB on. So is JSON and YAML of more than 100 levels, and YAML
        whose aliases stand for more than a million values or for themselves. Use
        P(jobgate.gitlab.gitlab_job_download#module) for big or binary files.
      - Excludes O(attribute), O(fields) and O(log).
    type: str
  latest_success:
    description:
      - Whether O(artifact) is that of the newest pipeline of O(ref) that has succeeded, as GitLab itself finds it. The
        newest pipeline may be running or have failed.
      - GitLab looks for the job in that pipeline, then in its child pipelines. Since GitLab 18.9 it goes on to older
        pipelines that have succeeded when the job is not there or has no artifacts.
      - Only with O(ref) and O(artifact), and for names without wildcards. An error with ids, O(sha), O(ref_type),
        O(pipeline_source) and O(include_downstream=true).
      - It takes one request for each name. It is what a job token can use on any server.
    type: bool
    default: false
  parse:
    description:
      - What O(artifact) is. Content that is malformed is an error that names the file, and the line where that is
        known.
      - V(text) returns it as one string. It has to be UTF-8.
      - V(json) returns what the JSON document holds.
      - V(yaml) returns what the YAML document holds. Plain data only; no tag creates anything else.
      - V(dotenv) returns a dictionary of strings, from lines of the form C(NAME=value), as jobs write them for
        C(reports:dotenv).
      - Without effect unless O(artifact) is set.
    type: str
    choices:
      - text
      - json
      - yaml
      - dotenv
    default: text
  log:
    description:
      - Return the log of each job instead of the job, as one string. Of a job that is still running it is what has been
        written so far.
      - The log of a job that has not started, was skipped or was erased is an error, unless O(default) is set.
      - Bytes that are not UTF-8 are replaced, colour codes and other control codes are removed. Everything else is as
        GitLab keeps it. Secrets that GitLab has not masked in the log are not masked here either.
      - To get its last lines only, use O(jobgate.gitlab.gitlab_job_info#module:log_lines).
      - Excludes O(attribute), O(fields) and O(artifact).
    type: bool
    default: false
  cache_seconds:
    description:
      - For how many seconds a read is good for further ones that ask the same of the same server with the same token.
        So a template that uses several fields of a job asks GitLab once.
      - Only reads within one process share. Ansible usually starts a new process for each task and host.
      - V(0) asks GitLab each time, for conditions that must not see what was true a moment ago.
    type: float
    default: 2
  default:
    description:
      - Returned for a term when there is no such pipeline or job, and for a job that does not have O(attribute),
        O(artifact) or a O(log). Here an empty text and V(null) are values like any other.
      - A job that has not ended does not have its artifacts yet, so that the default stands for them as well. Wait for
        the job first, or use O(latest_success), where that matters.
      - It does not hide other errors, such as a server that cannot be reached, a token without the right to read,
        or an artifact that is malformed.
    type: raw
notes:
  - Ansible's P(ansible.builtin.env#lookup) and variables are good places for a token; C(ansible.cfg) usually is not,
    since it is kept with the playbooks.
  - GitLab lets a job token read artifacts, but no log.
seealso:
  - module: jobgate.gitlab.gitlab_job_info
  - module: jobgate.gitlab.gitlab_job_action
  - module: jobgate.gitlab.gitlab_job_download
  - module: jobgate.gitlab.gitlab_pipeline_bridges
  - name: Jobs API
    description: What GitLab says about jobs and their fields.
    link: https://docs.gitlab.com/api/jobs/
  - name: Job artifacts API
    description: What GitLab says about artifacts.
    link: https://docs.gitlab.com/api/job_artifacts/
"""

EXAMPLES = r"""
- name: Show how the deployment of a release went
  ansible.builtin.debug:
    msg: "{{ lookup('jobgate.gitlab.gitlab_job', 'deploy:prod', project='group/app', ref='v1.2.0').status }}"

- name: Show the pages of all tests of a pipeline
  ansible.builtin.debug:
    msg: "{{ query('jobgate.gitlab.gitlab_job', 'test:*', project='group/app', pipeline_id=6, attribute='web_url') }}"

- name: Show who played the deployment of this commit
  ansible.builtin.debug:
    msg: "Played by {{ player }}"
  vars:
    player: >-
      {{ lookup('jobgate.gitlab.gitlab_job', 'deploy:prod', project='group/app', sha=release_commit,
                attribute='user.username') }}

- name: Stop unless this cell of the matrix is green
  ansible.builtin.assert:
    that: cell.status == 'success'
  vars:
    cell: "{{ lookup('jobgate.gitlab.gitlab_job', 'test: [py311, linux]', project='group/app', ref='main') }}"

- name: Show how the tests of the last push went, and not those of the nightly pipeline
  ansible.builtin.debug:
    msg: "{{ status }}"
  vars:
    status: >-
      {{ lookup('jobgate.gitlab.gitlab_job', 'test:lint', project='group/app', ref='main', ref_type='branch',
                pipeline_source=['push'], attribute='status') }}

- name: Read a job by its id
  ansible.builtin.debug:
    msg: "{{ lookup('jobgate.gitlab.gitlab_job', job_id=42, project='group/app', fields=['id', 'pipeline.id']) }}"

- name: Show the status of a job whose name is a number
  ansible.builtin.debug:
    msg: "{{ lookup('jobgate.gitlab.gitlab_job', job_name='404', project='group/app', ref='main').status }}"

- name: Show whether a child pipeline has applied the infrastructure
  ansible.builtin.debug:
    msg: "It is {{ infrastructure.status }}"
  vars:
    infrastructure: >-
      {{ lookup('jobgate.gitlab.gitlab_job', 'trigger:infra/apply', project='group/app', ref='main',
                include_downstream=true) }}

- name: Say none where a merge request has no such job
  ansible.builtin.debug:
    msg: "The review job is {{ status }}"
  vars:
    status: >-
      {{ lookup('jobgate.gitlab.gitlab_job', 'review', project='group/app', merge_request=17,
                attribute='status', default='none') }}

- name: Show the version that the build of the newest pipeline has written
  ansible.builtin.debug:
    msg: "Version {{ build.VERSION }}"
  vars:
    build: >-
      {{ lookup('jobgate.gitlab.gitlab_job', 'build', project='group/app', ref='main',
                artifact='build.env', parse='dotenv') }}

- name: Stop when the tests of this pipeline cover too little
  ansible.builtin.assert:
    that: coverage.totals.percent_covered >= 80
  vars:
    coverage: >-
      {{ lookup('jobgate.gitlab.gitlab_job', 'coverage', project='group/app', pipeline_id=6,
                artifact='coverage.json', parse='json') }}

- name: Read the version of the newest successful build, while the newest pipeline may still run
  ansible.builtin.debug:
    msg: "{{ build.VERSION }}"
  vars:
    build: >-
      {{ lookup('jobgate.gitlab.gitlab_job', 'build', project='group/app', ref='main', latest_success=true,
                artifact='build.env', parse='dotenv') }}

- name: Use the settings of a release that is built, or none for releases that have no such file
  ansible.builtin.debug:
    msg: "{{ settings }}"
  vars:
    settings: >-
      {{ lookup('jobgate.gitlab.gitlab_job', 'build', project='group/app', ref='v1.2.0',
                artifact='config/settings.yml', parse='yaml', default={}) }}

- name: Say whether the log of a job mentions a warning
  ansible.builtin.debug:
    msg: "{{ 'There are warnings' if 'WARNING' in text else 'All is quiet' }}"
  vars:
    text: "{{ lookup('jobgate.gitlab.gitlab_job', 42, project='group/app', log=true) }}"

- name: Make sure that the deployment has not begun by now
  ansible.builtin.assert:
    that: status == 'manual'
  vars:
    status: >-
      {{ lookup('jobgate.gitlab.gitlab_job', 'deploy:prod', project='group/app', pipeline_id=6,
                attribute='status', cache_seconds=0) }}

- name: Read from a server of our own, with the connection in variables
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

- name: Choose the connection in the expression
  ansible.builtin.debug:
    msg: >-
      {{ lookup('jobgate.gitlab.gitlab_job', 'build', project='group/app', ref='main',
                api_url='https://gitlab.example.com', api_token=gitlab_token, api_timeout=5).status }}
"""

RETURN = r"""
_raw:
  description:
    - The jobs of all terms, in the order of the terms, and for each term newest first. In GitLab's own words, as
      P(jobgate.gitlab.gitlab_job_info#module) returns them.
    - With O(attribute), the values of that field instead. With O(artifact), the contents of the file as O(parse) says,
      and with O(log), the logs.
    - C(lookup) gives the bare job, value or content when there is only one. Use C(query) to get a list in every case.
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
from ansible_collections.jobgate.gitlab.plugins.module_utils._tasks.values.misread import misread, no_text
from ansible_collections.jobgate.gitlab.plugins.module_utils._tasks.values.prepared import refuse_mask
from ansible_collections.jobgate.gitlab.plugins.plugin_utils._options import lookup_options
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
        try:
            # resolve options like those of a task: Ansible would also read tokens of other kinds from the environment
            options = lookup_options(self, kwargs, variables or {})
            self.set_options(direct=options)
            request = _request(options, self._flatten(terms), kwargs)
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
        raise UsageError("pipeline_id, merge_request, and ref or sha are mutually exclusive; set only one of them")
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
    problem = next(filter(None, (misread(term) or no_text(term) for term in terms)), "")
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
