# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A job, or some of its fields, in an expression."""

from __future__ import annotations

DOCUMENTATION = r"""
name: gitlab_job
version_added: 0.1.0
short_description: Read GitLab CI jobs in an expression
author:
  - Jobgate Developers (@jobgate)
description:
  - Returns jobs of a project, or one field of them, by name or id. For conditions, messages and variables.
  - It reads once and does not wait. Use P(jobgate.gitlab.gitlab_job_info#module) to wait for a job, and
    P(jobgate.gitlab.gitlab_job_action#module) to act on one.
  - It runs on the controller, and each time that the expression is evaluated. Keep the result with
    P(ansible.builtin.set_fact#module) if you need it often.
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
      - A job of exactly that name is taken; only if there is none, C(*) and C(?) in the name are wildcards. C([) is an
        ordinary character, since jobs made by C(parallel:matrix) carry it.
      - A name stands for the newest attempt of the job.
      - A term that nothing matches is an error, unless O(default) is set.
    type: list
    elements: str
    required: true
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
      - Excludes O(fields).
    type: str
  fields:
    description:
      - Keep only these fields of each job. A dot reaches inside, as in V(pipeline.id) or V(user.username), and the
        result is nested in the same way.
      - A field that the job does not have is left out. Excludes O(attribute).
    type: list
    elements: str
    default: []
  default:
    description:
      - Returned for a term when there is no such pipeline or job, and for a job that does not have O(attribute).
      - It does not hide other errors, such as a server that cannot be reached or a token without the right to read.
    type: raw
notes:
  - Ansible's P(ansible.builtin.env#lookup) and variables are good places for a token; C(ansible.cfg) usually is not,
    since it is kept with the playbooks.
seealso:
  - module: jobgate.gitlab.gitlab_job_info
  - module: jobgate.gitlab.gitlab_job_action
  - module: jobgate.gitlab.gitlab_pipeline_bridges
  - name: Jobs API
    description: What GitLab says about jobs and their fields.
    link: https://docs.gitlab.com/api/jobs/
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

- name: Read a job by its id
  ansible.builtin.debug:
    msg: "{{ lookup('jobgate.gitlab.gitlab_job', 42, project='group/app', fields=['id', 'status', 'pipeline.id']) }}"

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

- name: Read from a server of our own, with the connection in variables
  ansible.builtin.debug:
    msg: "{{ query('jobgate.gitlab.gitlab_job', 'build', 'deploy:*', project='group/app', ref='main') }}"
  vars:
    jobgate_gitlab_api_url: https://gitlab.example.com
    jobgate_gitlab_api_token: "{{ gitlab_token }}"
    jobgate_gitlab_ca_path: /etc/ssl/certs/example-ca.pem

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
    - With O(attribute), the values of that field instead.
    - C(lookup) gives the bare job or value when there is only one. Use C(query) to get a list in every case.
  type: list
  elements: raw
  sample:
    - id: 42
      name: deploy:prod
      stage: deploy
      status: success
      web_url: https://gitlab.example.com/group/app/-/jobs/42
"""

import typing as t

from ansible.plugins.lookup import LookupBase
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.errors import GitLabError, UsageError
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.job_lookup import LookupRequest, look_up
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.safe_output import SafeOutput
from ansible_collections.jobgate.gitlab.plugins.module_utils._app.session import TaskContext, open_session
from ansible_collections.jobgate.gitlab.plugins.module_utils._tasks.options import pipeline_query
from ansible_collections.jobgate.gitlab.plugins.plugin_utils._errors import plugin_error
from ansible_collections.jobgate.gitlab.plugins.plugin_utils._options import plugin_options


class LookupModule(LookupBase):
    """Finds the jobs that the terms name."""

    def run(self, terms: list[t.Any], variables: dict[str, t.Any] | None = None, **kwargs: t.Any) -> list[t.Any]:
        """Return the jobs, or the fields of them that were asked for."""
        self.set_options(var_options=variables, direct=kwargs)
        options = plugin_options(self, variables, kwargs)
        output = SafeOutput(TaskContext())
        try:
            request = _request(self._flatten(terms), options, has_default="default" in kwargs)
            return list(output.value(look_up(open_session(options, output.context), request)))
        except GitLabError as exc:
            raise plugin_error("lookup gitlab_job", output.error(exc)) from None


def _request(terms: list[t.Any], options: dict[str, t.Any], *, has_default: bool) -> LookupRequest:
    """Return what the expression asks for.

    :raises UsageError: when the options make no sense.
    """
    names = tuple(str(term).strip() for term in terms)
    if not names or not all(names):
        raise UsageError("give the name or the id of a job, not an empty text")
    if options.get("attribute") and options.get("fields"):
        raise UsageError("attribute and fields exclude each other; give one of them")
    query = pipeline_query(options)
    if query.is_overdetermined:
        raise UsageError("pipeline_id, merge_request, and ref or sha exclude each other; give one way to the pipeline")
    return LookupRequest(
        pipeline=query,
        terms=names,
        include_downstream=bool(options.get("include_downstream")),
        attribute=options.get("attribute") or "",
        fields=tuple(options.get("fields") or ()),
        has_default=has_default,
        default=options.get("default"),
    )
