# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation and entry point of the event source."""

from __future__ import annotations

import pathlib
import sys
import typing as t

DOCUMENTATION = r"""
---
module: job_events
version_added: 0.1.0
short_description: Receive the job, pipeline and deployment hooks of GitLab
description:
  - An event source for ansible-rulebook. It receives webhooks of GitLab projects and groups, checks their secret token
    and their signature, and creates one event for each hook.
  - An event has three keys. C(gitlab) describes what happened, with the same fields for all kinds of hooks. C(payload)
    is the body as sent by GitLab. C(meta) contains the ID of the delivery (C(uuid)), the URL of the server
    (C(instance)), and the time (C(received_at)). Events and logs never contain headers, and therefore never the token.
  - C(gitlab) contains C(kind) (V(job), V(pipeline) or V(deployment)), C(id), C(name), C(stage), C(status), C(attempt)
    (1 for the first run of a job), C(failure_reason) (of failed jobs), C(allow_failure), C(environment),
    C(pipeline_id), C(ref), C(tag), C(sha), C(project) (its path), C(project_id) and C(user) (the username). Fields that
    a hook does not have are null. C(ref) is also null for pipelines of merge requests, because their hooks only contain
    the source branch, which may be in a fork. The source branch is in C(payload).
  - The answer is sent before any rule runs. A repeated delivery is answered but creates no event.
  - GitLab disables hooks whose deliveries fail. Hooks of other kinds, and hooks that O(events), O(projects), O(names)
    and O(statuses) do not select, are therefore answered with 200 and ignored. The answer is 401 for a wrong token,
    signature or time, 400 for a body that is not JSON or has no kind, 413 for a body longer than O(max_body), and 408
    for one that takes more than ten seconds. While 1000 events or 64 MiB wait for the rules, the answer is 503.
author:
  - Jobgate Developers (@jobgate)
requirements:
  - aiohttp >= 3.14. Older versions keep connections open that never send a request.
options:
  host:
    description:
      - The address to listen on. V(0.0.0.0) and V(::) listen on all addresses of the machine.
    type: str
    default: 127.0.0.1
  port:
    description:
      - The port to listen on. V(0) uses a free port, which C(ansible-rulebook -v) shows.
    type: int
    required: true
  path:
    description:
      - The path of the URL that is configured in the hook. Requests to other paths are answered with 404.
    type: str
    default: /
  token:
    description:
      - The secret token of the hook, which GitLab sends in plain text. Any token of a list is valid, so that a new one
        can be set here before it is set in the hook.
      - One of O(token) and O(signing_token) is required unless O(insecure=true). With both, both must be right.
      - Use a variable from the environment or from a vaulted file, because C(ansible-rulebook -vv) shows tokens that
        are written in the rulebook.
    type: list
    elements: str
  signing_token:
    description:
      - The signing token of the hook (GitLab 19.0 or later), which begins with V(whsec_). Any token of a list is valid.
      - A signed delivery is also refused if its time differs from the local time by more than O(tolerance).
    type: list
    elements: str
  insecure:
    description:
      - Accept deliveries from anyone who can reach the port. Cannot be used with O(token) or O(signing_token).
    type: bool
    default: false
  tolerance:
    description:
      - By how many seconds the time of a signed delivery may differ from the local time.
    type: float
    default: 300
  events:
    description:
      - The kinds of hooks that create events.
    type: list
    elements: str
    choices: [job, pipeline, deployment]
    default: [job, pipeline, deployment]
  projects:
    description:
      - Paths or IDs of the projects whose hooks create events. The default is all. V(*) and V(?) are wildcards.
    type: list
    elements: str
  names:
    description:
      - Names of the jobs whose hooks create events. The default is all. V(*) and V(?) are wildcards.
      - It does not apply to hooks of pipelines and deployments.
    type: list
    elements: str
  statuses:
    description:
      - The statuses whose hooks create events. The default is all.
    type: list
    elements: str
    choices:
      - created
      - blocked
      - manual
      - scheduled
      - waiting_for_resource
      - preparing
      - waiting_for_callback
      - pending
      - running
      - canceling
      - success
      - failed
      - canceled
      - skipped
  certfile:
    description:
      - A file with a certificate and its intermediate certificates in PEM format. With it, the source uses https.
    type: path
  keyfile:
    description:
      - A file with the key of O(certfile), unless O(certfile) contains it. It must not have a password.
    type: path
  nudges:
    description:
      - Path of a file to which the source adds a line for each job, pipeline and deployment hook with the right secret,
        even if O(events), O(projects), O(names) and O(statuses) do not select it for the rules. Release gates on the
        same machine read the file with the option C(nudges) of M(jobgate.gitlab.gitlab_release_gate), and poll GitLab
        when there is news.
      - A line contains the kind of the hook, its project and its pipeline, but no secret.
      - Only the user of ansible-rulebook can access the file. It is emptied when it reaches one mebibyte. A lock shows
        gates whether a source writes the file, and ends with the source. Several sources can use the same file.
      - The folder must exist. Use one that only this user can write to.
    type: path
  max_body:
    description:
      - The maximum length of a body in bytes, from 1024 to 26214400, which is GitLab's own limit.
      - The hook of a pipeline has about one kilobyte for each of its jobs.
    type: int
    default: 5242880
  remember:
    description:
      - How many recent deliveries to remember, to recognize repeated ones. GitLab sends delivery IDs since version
        17.4. For older versions, deliveries with identical bodies count as repeated.
    type: int
    default: 10000
notes:
  - Options with lists also accept a single value.
  - Everyone who can push to the project controls the strings of an event, and Ansible evaluates braces in values that
    a rulebook passes to a playbook. Pass only IDs (C(project_id), C(pipeline_id), C(id)), and let the playbook read the
    rest.
"""

EXAMPLES = r"""
- name: Deploy successful pipelines
  hosts: localhost
  sources:
    - name: gitlab
      jobgate.gitlab.job_events:
        port: 5000
        path: /gitlab
        signing_token: "{{ gitlab_signing_token }}"
        events: [pipeline]
        projects: [group/app]
        statuses: [success]
  rules:
    - name: Play the deployment job
      condition: event.gitlab.ref == "main"
      action:
        run_module:
          name: jobgate.gitlab.gitlab_job_action
          module_args:
            project: "{{ event.gitlab.project_id }}"
            pipeline_id: "{{ event.gitlab.pipeline_id }}"
            name: deploy:prod
            action: play

- name: Rotate the token of a hook without losing hooks
  hosts: localhost
  sources:
    - name: gitlab
      jobgate.gitlab.job_events:
        host: 0.0.0.0
        port: 5443
        certfile: /etc/pki/hooks/fullchain.pem
        keyfile: /etc/pki/hooks/key.pem
        token:
          - "{{ gitlab_hook_token_new }}"
          - "{{ gitlab_hook_token_old }}"
  rules:
    - name: Show what happened
      condition: event.gitlab.kind == "job"
      action:
        debug:
          msg: "{{ event.gitlab.name }} of {{ event.gitlab.project }} is {{ event.gitlab.status }}"

- name: Nudge waiting release gates when there is news
  hosts: localhost
  sources:
    - name: gitlab
      jobgate.gitlab.job_events:
        port: 5000
        path: /gitlab
        signing_token: "{{ gitlab_signing_token }}"
        nudges: /run/user/1000/gitlab-nudges
  rules:
    - name: Do nothing else
      condition: event.gitlab.kind == "job"
      action:
        none: {}
"""

# ansible-rulebook runs a plugin by the path of its file, outside of any package
LIBRARY = str(pathlib.Path(__file__).resolve().parents[2] / "lib")
if LIBRARY not in sys.path:
    sys.path.append(LIBRARY)

from jobgate_gitlab_events.options import read_options
from jobgate_gitlab_events.server import Queue, run


async def main(queue: Queue, args: dict[str, t.Any]) -> None:
    """Put an event for each hook into the queue, until ansible-rulebook ends."""
    await run(queue, read_options(args))
