# Copyright (c) 2026, the jobgate.gitlab contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Remove proxies and other settings of the user from the environment."""

from __future__ import annotations

import os

import pytest

from tests.unit.faces import IS_CONTROLLER

# playbooks need the Python version of Ansible itself
collect_ignore = [] if IS_CONTROLLER else ["test_playbooks.py"]


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(("GITLAB_", "GL_", "CI_", "JOBGATE_")) or name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("NO_PROXY", "*")
