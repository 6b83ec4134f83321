# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The documentation of the event source, and its way to the server."""

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
  - An event source for ansible-rulebook. It waits for the webhooks of GitLab projects and groups, checks their secret
    token and their signature, and makes one event of each.
  - An event has three keys. C(gitlab) says what has happened, with the same names for all kinds of hooks. C(payload) is
    the body as GitLab has sent it. C(meta) has the id of the delivery (C(uuid)), the URL of the server (C(instance)),
    and the time (C(received_at)). Headers, and with them the token, are in no event and in no log.
  - C(gitlab) has C(kind) (V(job), V(pipeline) or V(deployment)), C(id), C(name), C(stage), C(status), C(attempt) (1 for
    the first run of a job), C(failure_reason) (of failed jobs), C(allow_failure), C(environment), C(pipeline_id),
    C(ref), C(tag), C(sha), C(project) (its path), C(project_id) and C(user) (the username). What a hook does not say is
    null. So is C(ref) of the pipeline of a merge request, whose hook has only the source branch, which may be that of a
    fork. It is in C(payload).
  - The answer goes out before any rule runs. A repeated delivery is answered and makes no event.
  - GitLab disables hooks whose deliveries fail. Hooks of other kinds, and those that were not asked for by O(events),
    O(projects), O(names) and O(statuses), are therefore answered with 200 and ignored. A wrong token, signature or time
    is 401, a body that is no JSON or names no kind 400, one that is longer than O(max_body) 413, one that takes more
    than ten seconds 408. When 1000 events wait for the rules, or 64 MiB, the answer is 503.
author:
  - Jobgate Developers (@jobgate)
requirements:
  - aiohttp >= 3.14. With an older one, connections that never send a request stay open.
options:
  host:
    description:
      - The address to listen on. V(0.0.0.0) and V(::) are all addresses of the machine.
    type: str
    default: 127.0.0.1
  port:
    description:
      - The port to listen on. V(0) takes one that is free, and C(ansible-rulebook -v) shows which.
    type: int
    required: true
  path:
    description:
      - The path of the URL that is set in the hook. Requests to other paths are answered with 404.
    type: str
    default: /
  token:
    description:
      - The secret token of the hook, which GitLab sends as it is. Of a list any one counts, so that a new token can be
        set here before it is set in the hook.
      - One of O(token) and O(signing_token) is required unless O(insecure=true). With both, both must be right.
      - Take it from a variable, and that from the environment or a vaulted file. What stands in the rulebook itself is
        shown by C(ansible-rulebook -vv).
    type: list
    elements: str
  signing_token:
    description:
      - The signing token of the hook (GitLab 19.0 and newer), which begins with V(whsec_). Of a list any one counts.
      - A signed delivery is also refused when its time differs by more than O(tolerance) from the time here.
    type: list
    elements: str
  insecure:
    description:
      - Take deliveries from anybody who reaches the port. It cannot be combined with O(token) and O(signing_token).
    type: bool
    default: false
  tolerance:
    description:
      - By how many seconds the time of a signed delivery may differ from the time here.
    type: float
    default: 300
  events:
    description:
      - The kinds of hooks that make events.
    type: list
    elements: str
    choices: [job, pipeline, deployment]
    default: [job, pipeline, deployment]
  projects:
    description:
      - The projects whose hooks make events, by path or id; all when it is not given. V(*) and V(?) are wildcards.
    type: list
    elements: str
  names:
    description:
      - The names of the jobs whose hooks make events; all when it is not given. V(*) and V(?) are wildcards.
      - Hooks of pipelines and deployments are not chosen by it.
    type: list
    elements: str
  statuses:
    description:
      - The statuses whose hooks make events; all when it is not given.
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
      - A file with a certificate, and those that lead to its authority, in PEM form. With it the source speaks https.
    type: path
  keyfile:
    description:
      - The file with the key of O(certfile), unless that has it as well. It must have no password.
    type: path
  nudges:
    description:
      - The path of a file that gets a line for each job, pipeline and deployment hook whose secret is right, whatever
        O(events), O(projects), O(names) and O(statuses) choose for the rules. Release gates on the same machine that
        read it, by the option C(nudges) of M(jobgate.gitlab.gitlab_release_gate), poll GitLab when there is something
        to see.
      - A line has the kind of the hook, its project and its pipeline, and no secret.
      - The file is made for the user of ansible-rulebook alone, and begun anew when it has a mebibyte. A lock tells
        gates whether a source writes it, and ends with the source. Several sources may have the same one.
      - Its folder has to exist. Take one that only this user can write to.
    type: path
  max_body:
    description:
      - How many bytes a body may have, from 1024 to 26214400, which is GitLab's own limit.
      - The hook of a pipeline has about a kilobyte for each of its jobs.
    type: int
    default: 5242880
  remember:
    description:
      - How many deliveries are known again when they are repeated. GitLab names deliveries since version 17.4. Before
        that, a body that comes again byte by byte is a repeated delivery.
    type: int
    default: 10000
notes:
  - The options also take one value where they take a list.
  - The texts of an event come from whoever can push to the project. Give the ids to playbooks (C(project_id),
    C(pipeline_id), C(id)), and let them read the rest. Ansible evaluates braces in what a rulebook gives to a playbook.
"""

EXAMPLES = r"""
- name: Deploy what is green
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
    - name: Play the job that deploys
      condition: event.gitlab.ref == "main"
      action:
        run_module:
          name: jobgate.gitlab.gitlab_job_action
          module_args:
            project: "{{ event.gitlab.project_id }}"
            pipeline_id: "{{ event.gitlab.pipeline_id }}"
            name: deploy:prod
            action: play

- name: Change the token of a hook while hooks come in
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
    - name: Show what has happened
      condition: event.gitlab.kind == "job"
      action:
        debug:
          msg: "{{ event.gitlab.name }} of {{ event.gitlab.project }} is {{ event.gitlab.status }}"

- name: Tell release gates that wait when there is something to see
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

# ansible-rulebook runs a plugin by the path of its file, outside of any package, wherever the collection is installed
LIBRARY = str(pathlib.Path(__file__).resolve().parents[2] / "lib")
if LIBRARY not in sys.path:
    sys.path.append(LIBRARY)

from jobgate_gitlab_events.options import read_options
from jobgate_gitlab_events.server import Queue, run


async def main(queue: Queue, args: dict[str, t.Any]) -> None:
    """Put an event into the queue for each hook, until ansible-rulebook ends."""
    await run(queue, read_options(args))
