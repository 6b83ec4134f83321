# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Importing a module, action or lookup loads the libraries of this table and no other heavy ones.

By names and never by time, which is what `python -m tests.benchmarks.imports` shows.
"""

from __future__ import annotations

import dataclasses
import os
import pathlib
import sys

import pytest
from ansible_collections.jobgate.gitlab.plugins.module_utils._api import optional_imports

from ..benchmarks import imports

_HTTP = frozenset({"ssl", "http.client"})


@dataclasses.dataclass(frozen=True)
class Budget:
    """What a kind of file may load above what Ansible has loaded already.

    :param heavy: of the heavy libraries; see `imports.HEAVY`. More may be allowed than every version loads.
    :param own: most files and folders of the collection.
    :param modules: most modules in all, which depends on the versions of the libraries, so it is a rough bound.
    """

    heavy: frozenset[str]
    own: int
    modules: int


# The standard library speaks HTTP for the tasks; requests is loaded where there is a proxy, pluggy and a scan of entry
# points where there are extensions. A worker imports the lookup anew in every task, so there each file counts.
BUDGETS = {
    "modules": Budget(_HTTP | {"email.parser"}, own=72, modules=115),
    # certifi says where the authorities of requests are, unless the environment names others
    "action": Budget(_HTTP | {"certifi"}, own=76, modules=95),
    "lookup": Budget(_HTTP, own=47, modules=61),
    # a module that reads once loads nothing that is only for waiting or for logs: on its host each file is compiled
    "modules/gitlab_job_info": Budget(_HTTP | {"email.parser"}, own=48, modules=90),
}


def search_path() -> str:
    """Return the folder that holds ansible_collections, whichever way the tests run."""
    file = str(sys.modules[optional_imports.__name__].__file__)
    return file.split(os.sep + "ansible_collections" + os.sep, maxsplit=1)[0]


@pytest.mark.parametrize("file", imports.files())
def test_a_file_loads_no_more_than_its_budget(file: str) -> None:
    budget = BUDGETS.get(file) or BUDGETS[file.partition("/")[0]]
    found = imports.import_of(file, search_path())
    print(f"{imports.table([found])}\nheavy: {', '.join(sorted(found.heavy)) or 'none'}")
    assert found.heavy <= budget.heavy, f"{sorted(found.heavy - budget.heavy)} is not in the budget of {file}"
    assert found.own <= budget.own, (
        f"{found.own} files and folders of the collection are more than the budget of {file}"
    )
    assert len(found.loaded) <= budget.modules, f"{len(found.loaded)} modules are more than the budget of {file}"


def test_a_file_is_what_its_budget_is_for() -> None:
    known = {*imports.files(), *imports.BASES}
    assert set(BUDGETS) <= known


def test_a_scan_of_entry_points_is_seen(tmp_path: pathlib.Path) -> None:
    folder = tmp_path / "ansible_collections" / "jobgate" / "gitlab" / "plugins" / "lookup"
    folder.mkdir(parents=True)
    scan = "import importlib.metadata\nlist(importlib.metadata.entry_points())\nimport http.client\n"
    (folder / "scanning.py").write_text(scan, encoding="utf-8")
    found = imports.import_of("lookup/scanning", str(tmp_path))
    assert {imports.SCAN, "http.client"} <= found.heavy
    assert found.own == 2, "the file and its folder"
