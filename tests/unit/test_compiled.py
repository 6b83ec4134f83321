# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The files that plugins load come from Python's cache of compiled files, and not through Ansible, which has none."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys
import typing as t

import pytest
from ansible_collections.jobgate.gitlab.plugins.plugin_utils import _compiled

from ..benchmarks import imports
from .test_import_budget import search_path

_PLUGINS = "ansible_collections.jobgate.gitlab.plugins"
# Imports a plugin as Ansible does, and says who has loaded each file.
_PROGRAM = """\
import importlib, json, sys
from ansible.utils.collection_loader._collection_finder import _AnsibleCollectionFinder
_AnsibleCollectionFinder([{path!r}])._install()
importlib.import_module({prefix!r} + {name!r})
found = [(name, module) for name, module in sys.modules.items() if name.startswith({prefix!r})]
print(json.dumps({{name[len({prefix!r}):]: type(module.__loader__).__name__ for name, module in found}}))
"""


def loaders(name: str) -> dict[str, str]:
    """Return who has loaded each file of the collection in a fresh process that imports a plugin."""
    program = _PROGRAM.format(path=search_path(), name=name, prefix=f"{_PLUGINS}.")
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    return t.cast("dict[str, str]", json.loads(done.stdout))


def is_folder(name: str) -> bool:
    return os.path.isdir(os.path.join(search_path(), *f"{_PLUGINS}.{name}".split(".")))


@pytest.fixture(name="of_lookup", scope="module")
def _of_lookup() -> dict[str, str]:
    return loaders("lookup.gitlab_job")


def test_everything_that_the_lookup_needs_is_in_its_table_before_what_imports_it(of_lookup: dict[str, str]) -> None:
    # Ansible loads the plugin itself as a file, and nothing can be loaded before what loads
    others = {"lookup.gitlab_job", "plugin_utils._compiled"}
    files = {name: loader for name, loader in of_lookup.items() if not is_folder(name) and name not in others}
    assert [name for name, loader in files.items() if loader != "SourceFileLoader"] == [], "missing in _compiled.py"


def test_tables_hold_nothing_that_is_not_needed(of_lookup: dict[str, str]) -> None:
    assert set(_compiled.FOR_LOOKUPS) <= set(of_lookup)
    assert len(set(_compiled.FOR_LOOKUPS)) == len(_compiled.FOR_LOOKUPS)


@pytest.mark.parametrize("file", [file for file in imports.files() if file.startswith("action/")])
def test_actions_load_the_core_from_it(file: str) -> None:
    found = loaders(file.replace("/", "."))
    assert {found[name] for name in _compiled.CORE} == {"SourceFileLoader"}


def test_a_file_that_cannot_be_loaded_leaves_nothing(monkeypatch: t.Any, tmp_path: pathlib.Path) -> None:
    monkeypatch.setattr(_compiled, "_FOLDER", str(tmp_path))
    (tmp_path / "plugin_utils").mkdir()
    (tmp_path / "plugin_utils" / "_broken.py").write_text("import no_such_library\n", encoding="utf-8")
    with pytest.raises(ImportError, match="no_such_library"):
        _compiled.load_compiled(["plugin_utils._broken"])
    assert f"{_PLUGINS}.plugin_utils._broken" not in sys.modules
