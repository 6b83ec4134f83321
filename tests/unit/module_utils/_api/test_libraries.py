# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every file can be imported without requests and pluggy; their first use is an error that names the library."""

from __future__ import annotations

import os
import subprocess
import sys
import types

import pytest
from ansible_collections.jobgate.gitlab.plugins.module_utils._api import libraries
from ansible_collections.jobgate.gitlab.plugins.module_utils._api.errors import MissingLibraryError

UTILS = "ansible_collections.jobgate.gitlab.plugins.module_utils"

PROGRAM = f"""
import importlib
import pkgutil
import sys
for library in sys.argv[1:]:
    sys.modules[library] = None
import {UTILS} as utils
for module in pkgutil.walk_packages(utils.__path__, utils.__name__ + "."):
    if "._ansible" not in module.name:
        importlib.import_module(module.name)
from {UTILS}._api.errors import ConnectError, ExtensionError, MissingLibraryError, UsageError
from {UTILS}._app.session import TaskContext
from {UTILS}._tasks import gitlab_job_info
options = {{"project": "7", "pipeline_id": 6, "api_url": "http://127.0.0.1:1", "api_retries": 0}}
for more in ({{}}, {{"extensions": ["some"]}}, {{"api_url": "nonsense"}}):
    try:
        gitlab_job_info.TASK.run({{**options, **more}}, TaskContext(environ={{}}))
    except MissingLibraryError as exc:
        print(exc.library)
    except (ConnectError, ExtensionError, UsageError) as exc:
        print(type(exc).__name__)
"""


def search_path():
    """Return the folder that holds ansible_collections, however the tests run."""
    file = sys.modules[libraries.__name__].__file__
    return file.split(os.sep + "ansible_collections" + os.sep)[0]


@pytest.mark.parametrize(
    ("missing", "found"),
    [
        (["requests"], ["requests", "ExtensionError", "UsageError"]),
        (["requests", "urllib3", "certifi", "orjson", "pluggy"], ["pluggy", "pluggy", "UsageError"]),
        (["orjson"], ["ConnectError", "ExtensionError", "UsageError"]),
    ],
    ids=" ".join,
)
def test_files_import_without_libraries_and_first_use_names_them(missing, found):
    environ = {
        **{name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")},
        "PYTHONPATH": os.pathsep.join([search_path(), *sys.path]),
    }
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *missing], env=environ, capture_output=True, text=True, check=False
    )
    assert (done.stdout.split(), done.stderr) == (found, "")


@pytest.mark.parametrize("library", ["requests", "pluggy"])
def test_missing_library_is_named(monkeypatch, library):
    monkeypatch.setattr(libraries, library, None)
    with pytest.raises(MissingLibraryError, match=f"the Python library {library} is not installed") as caught:
        getattr(libraries, f"{library}_library")()
    assert caught.value.library == library


def test_stand_in_markers_return_the_function_unchanged():
    def function():
        return 1

    marker = libraries.marker_stand_in("jobgate.gitlab")
    assert marker(function) is function
    assert marker(firstresult=True)(function) is function
    assert marker(trylast=True)(function)() == 1


def test_faster_decoder_is_used_if_installed(monkeypatch):
    def strict(body):
        if body != b"[1]":
            raise ValueError
        return "fast"

    monkeypatch.setattr(libraries, "orjson", types.SimpleNamespace(loads=strict))
    assert libraries.fast_json_value(b"[1]") == "fast"
    # a lone surrogate
    assert libraries.fast_json_value(b'["\\ud800", 1.5]') == ["\ud800", 1.5]
    for body in (b"[1e999]", b"[NaN]", b"[-Infinity]"):
        with pytest.raises(ValueError, match="is not a JSON number"):
            libraries.fast_json_value(body)
    monkeypatch.setattr(libraries, "orjson", None)
    assert libraries.fast_json_value(b"[1]") == [1]
