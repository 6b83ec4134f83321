# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The finder of the core: Python's own loader for its modules, and nothing to say about any other."""

from __future__ import annotations

import importlib.machinery
import sys

from ansible_collections.jobgate.gitlab.plugins.module_utils import _api
from ansible_collections.jobgate.gitlab.plugins.plugin_utils import _bytecode

UTILS = "ansible_collections.jobgate.gitlab.plugins.module_utils"
FOLDER = list(_api.__path__)


def test_modules_of_the_core_are_found_by_the_loader_that_keeps_them_compiled():
    spec = _bytecode.CoreFinder.find_spec(f"{UTILS}._api.errors", FOLDER)
    assert spec is not None and isinstance(spec.loader, importlib.machinery.SourceFileLoader)
    assert spec.origin is not None and spec.origin.endswith("/_api/errors.py")


def test_nothing_else_is():
    for name in ("json", "ansible_collections.jobgate.gitlab.plugins.modules.gitlab_job_info", f"{UTILS}_other.x"):
        assert _bytecode.CoreFinder.find_spec(name, FOLDER) is None
    assert _bytecode.CoreFinder.find_spec(f"{UTILS}._api.no_such_module", FOLDER) is None
    assert _bytecode.CoreFinder.find_spec(f"{UTILS}._api.errors", None) is None


def test_it_is_there_once():
    _bytecode.keep_compiled()
    _bytecode.keep_compiled()
    assert sys.meta_path.count(_bytecode.CoreFinder) == 1
