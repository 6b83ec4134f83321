# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an action plugin loads in the parent of all workers, and what tasks still have to load."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys

import pytest
from ansible_collections.jobgate.gitlab.plugins.module_utils._api import libraries

PLUGINS = "ansible_collections.jobgate.gitlab.plugins"
ACTIONS = sorted(path.stem for path in (pathlib.Path(__file__).parents[3] / "plugins/action").glob("gitlab_*.py"))

PROGRAM = f"""
import sys
from ansible.plugins.loader import init_plugin_loader
init_plugin_loader()
from {PLUGINS}.action.{{name}} import ActionModule
from {PLUGINS}.module_utils._api import connection
loaded = set(sys.modules)
made = connection._kept_context.cache_info().currsize
from {PLUGINS}.module_utils._api.connection import ConnectionSettings
from {PLUGINS}.module_utils._api.wire.requests_transport import RequestsTransport
RequestsTransport(ConnectionSettings("https://gitlab.example.com/api/v4"), lambda session: None)
print(sorted(loaded & {{{{"requests", "urllib3", "pluggy"}}}}), len(set(sys.modules) - loaded))
print(made, connection._kept_context.cache_info().currsize)
"""


@pytest.mark.parametrize("name", ACTIONS)
def test_parent_process_loads_libraries_and_creates_the_tls_context(name):
    """Creating a connection then loads no more modules and reads no certificates."""
    search = sys.modules[libraries.__name__].__file__.split(os.sep + "ansible_collections" + os.sep)[0]
    environ = {name: value for name, value in os.environ.items() if not name.startswith(("SSL_", "REQUESTS_", "CURL_"))}
    environ["PYTHONPATH"] = os.pathsep.join([search, *sys.path])
    environ["ANSIBLE_COLLECTIONS_PATH"] = search
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(name=name)], env=environ, capture_output=True, text=True, check=False
    )
    assert (done.stdout.splitlines(), done.stderr) == (["['pluggy', 'requests', 'urllib3'] 0", "1 1"], "")
