# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every file can be imported without requests and pluggy; the first need of them is an error that names the library."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from ansible_collections.jobgate.gitlab.plugins.module_utils._api import optional_imports
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.errors import MissingLibraryError
from ansible_collections.jobgate.gitlab.plugins.module_utils._tasks.gitlab_job_info import TASK

from .harness import ScriptedTransport, run_task

UTILS = "ansible_collections.jobgate.gitlab.plugins.module_utils"

PROGRAM = f"""
import sys
sys.modules[{{library!r}}] = None
from {UTILS}._tasks import gitlab_job_action, gitlab_job_info, gitlab_pipeline_bridges
from {UTILS}._api.errors import MissingLibraryError
from {UTILS}._app.session import TaskContext
options = {{{{"project": "7", "pipeline_id": 6, "api_url": "https://gitlab.example.com"}}}}
for task in (gitlab_job_info.TASK, gitlab_pipeline_bridges.TASK):
    try:
        task.run(options, TaskContext(environ={{{{}}}}))
    except MissingLibraryError as exc:
        print(exc.library)
"""


def search_path():
    """Return the folder that holds ansible_collections, whichever way the tests run."""
    file = sys.modules[optional_imports.__name__].__file__
    return file.split(os.sep + "ansible_collections" + os.sep)[0]


@pytest.mark.parametrize("library", ["requests", "pluggy"])
def test_without_a_library_everything_imports_and_the_task_says_what_is_missing(library):
    environ = {**os.environ, "PYTHONPATH": os.pathsep.join([search_path(), *sys.path])}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(library=library)],
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.stdout.split(), done.stderr) == ([library] * 2, "")


@pytest.mark.parametrize("library", ["requests", "pluggy"])
def test_the_missing_library_is_named(monkeypatch, library):
    monkeypatch.setattr(optional_imports, library, None)
    with pytest.raises(MissingLibraryError, match=f"the Python library {library} is not installed") as caught:
        run_task(TASK, {"pipeline_id": 6}, transport=ScriptedTransport())
    assert caught.value.library == library


def test_stand_in_markers_change_nothing():
    marker = optional_imports._MarkerStandIn("jobgate.gitlab")

    def function():
        return 1

    assert marker(function) is function
    assert marker(firstresult=True)(function) is function
    assert marker(trylast=True)(function)() == 1


def test_with_both_libraries_nothing_is_missing():
    assert optional_imports.require_libraries() is None
