# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every file can be imported without requests and pluggy; the first need of them is an error that names the library."""

from __future__ import annotations

import os
import subprocess
import sys
import types

import pytest
from ansible_collections.jobgate.gitlab.plugins.module_utils._api import libraries as optional_imports
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.errors import MissingLibraryError

UTILS = "ansible_collections.jobgate.gitlab.plugins.module_utils"

PROGRAM = f"""
import sys
for library in ("pluggy", "requests"):
    sys.modules[library] = None
from {UTILS}._tasks import gitlab_job_action, gitlab_job_info, gitlab_pipeline_bridges
from {UTILS}._api import hookspecs, requests_transport
from {UTILS}._api.errors import ConnectError, MissingLibraryError
from {UTILS}._app.session import TaskContext
options = {{"project": "7", "pipeline_id": 6, "api_url": "http://127.0.0.1:1", "api_retries": 0}}
for more in ({{}}, {{"extensions": ["some"]}}, {{"api_url": "http://gitlab.invalid"}}):
    try:
        gitlab_job_info.TASK.run({{**options, **more}}, TaskContext(environ={{}}))
    except MissingLibraryError as exc:
        print(exc.library)
    except ConnectError as exc:
        print("connect")
"""


def search_path():
    """Return the folder that holds ansible_collections, whichever way the tests run."""
    file = sys.modules[optional_imports.__name__].__file__
    return file.split(os.sep + "ansible_collections" + os.sep)[0]


def test_without_libraries_everything_imports_and_what_needs_one_says_so():
    environ = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([search_path(), *sys.path]),
        "HTTP_PROXY": "http://127.0.0.1:1",
        "NO_PROXY": "127.0.0.1",
    }
    done = subprocess.run([sys.executable, "-c", PROGRAM], env=environ, capture_output=True, text=True, check=False)
    assert (done.stdout.split(), done.stderr) == (["connect", "pluggy", "requests"], "")


@pytest.mark.parametrize("library", ["requests", "pluggy"])
def test_the_missing_library_is_named(monkeypatch, library):
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(MissingLibraryError, match=f"the Python library {library} is not installed") as caught:
        getattr(optional_imports, f"{library}_library")()
    assert caught.value.library == library


def test_without_certifi_the_authorities_of_the_system_are_trusted(monkeypatch):
    assert os.path.isfile(optional_imports.certifi_file())
    monkeypatch.setitem(sys.modules, "certifi", None)
    assert optional_imports.certifi_file() == ""


def test_stand_in_markers_change_nothing(monkeypatch):
    monkeypatch.setitem(sys.modules, "pluggy", None)

    def function():
        return 1

    for marker in (optional_imports.hookimpl_marker("jobgate.gitlab"), optional_imports.hookspec_marker("x")):
        assert marker(function) is function
        assert marker(firstresult=True)(function) is function
        assert marker(trylast=True)(function)() == 1


def test_a_faster_decoder_is_used_where_there_is_one(monkeypatch):
    monkeypatch.setitem(sys.modules, "orjson", types.SimpleNamespace(loads=len))
    assert optional_imports.fast_json_loads() is len
    monkeypatch.setitem(sys.modules, "orjson", None)
    assert optional_imports.fast_json_loads() is None
