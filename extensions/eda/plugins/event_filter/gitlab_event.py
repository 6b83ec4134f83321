# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Documentation and entry point of the event filter."""

from __future__ import annotations

import pathlib
import sys
import typing as t

DOCUMENTATION = r"""
---
module: gitlab_event
version_added: 0.1.0
short_description: Interpret GitLab hooks that another event source has received
description:
  - An event filter for ansible-rulebook. It adds the key C(gitlab), which the event source C(jobgate.gitlab.job_events)
    describes, to events of C(ansible.eda.webhook) and of event streams, so that the same rules apply.
  - It removes the header C(X-Gitlab-Token) from the event.
  - The key C(gitlab) is only built from the body. Events whose body is not that of a job, pipeline or deployment hook
    do not have the key, even if they had it before.
  - The filter checks neither token nor signature. The event source that receives the hook must do this.
author:
  - Jobgate Developers (@jobgate)
options: {}
"""

EXAMPLES = r"""
- name: Deploy successful pipelines, with an event stream of the EDA controller instead of the source
  hosts: localhost
  sources:
    - name: gitlab
      ansible.eda.webhook:
        port: 5000
      filters:
        - jobgate.gitlab.gitlab_event: {}
  rules:
    - name: Play the deployment job
      condition: event.gitlab.kind == "pipeline" and event.gitlab.status == "success" and event.gitlab.ref == "main"
      action:
        run_module:
          name: jobgate.gitlab.gitlab_job_action
          module_args:
            project: "{{ event.gitlab.project_id }}"
            pipeline_id: "{{ event.gitlab.pipeline_id }}"
            name: deploy:prod
            action: play
"""

# ansible-rulebook runs a plugin by the path of its file, outside of any package
LIBRARY = str(pathlib.Path(__file__).resolve().parents[2] / "lib")
if LIBRARY not in sys.path:
    sys.path.append(LIBRARY)

from jobgate_gitlab_events.hooks import received_elsewhere


def main(event: dict[str, t.Any]) -> dict[str, t.Any]:
    """Return the event with the key `gitlab` and without the token."""
    return received_elsewhere(event)
