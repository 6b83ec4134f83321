# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options of the lookup that Ansible is told: those of its documentation."""

from __future__ import annotations

import json
import subprocess
import sys
import typing as t

from ansible_collections.jobgate.gitlab.plugins.plugin_utils._lookup_options import OPTIONS

from tests.contract.support import ROOT, load_tool

TOOL = load_tool("lookup_options")
_PROGRAM = """
import json, sys
from ansible.plugins.loader import init_plugin_loader, lookup_loader
init_plugin_loader([sys.argv[1]])
print(json.dumps(lookup_loader.get("jobgate.gitlab.gitlab_job").option_definitions))
"""


def test_the_file_is_what_the_tool_makes() -> None:
    assert TOOL.definitions() == OPTIONS, "run: make lookup-options"


def test_ansible_takes_them() -> None:
    collections = str(ROOT / ".cache" / "collections")
    done = subprocess.run(
        [sys.executable, "-c", _PROGRAM, collections], capture_output=True, text=True, check=True, cwd=ROOT
    )
    found: dict[str, dict[str, t.Any]] = json.loads(done.stdout)
    assert found == OPTIONS
