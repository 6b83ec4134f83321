# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Write the result of each task as a line of JSON, so that tests do not parse output."""

from __future__ import annotations

DOCUMENTATION = r"""
name: results
type: notification
short_description: Results as lines of JSON
description:
  - Writes the result of each task to the file that the variable names.
options:
  path:
    description: File to append to.
    env:
      - name: RESULTS_PATH
    required: true
"""

import json
import typing as t

from ansible.plugins.callback import CallbackBase


class CallbackModule(CallbackBase):
    """Appends one line for each finished task."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "results"
    CALLBACK_NEEDS_ENABLED = True

    def v2_runner_on_ok(self, result: t.Any) -> None:
        self._write(result)

    def v2_runner_on_failed(self, result: t.Any, ignore_errors: bool = False) -> None:
        self._write(result)

    def _write(self, result: t.Any) -> None:
        name = getattr(result, "task_name", None) or result._task.get_name()
        # some versions prefix tasks of a role with the name of the role
        name = name.rpartition(" : ")[2]
        content = getattr(result, "result", None) or result._result
        with open(self.get_option("path"), "a", encoding="utf-8") as file:
            file.write(json.dumps({"name": name, "result": content}, default=str) + "\n")
